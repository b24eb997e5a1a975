
"use strict";
// Figures answer the pointer, a finger and the arrow keys; tables sort. Without it the page is whole.
(() => {
  const tip = document.getElementById("tip");
  let shown = null;

  const place = () => {
    const at = shown.getBoundingClientRect();
    const width = tip.offsetWidth;
    const height = tip.offsetHeight;
    const middle = at.left + at.width / 2 - width / 2;
    const left = Math.max(4, Math.min(middle, document.documentElement.clientWidth - width - 4));
    const above = at.top - height - 6;
    tip.style.left = `${left}px`;
    tip.style.top = `${above >= 4 ? above : Math.min(at.bottom + 6, innerHeight - height - 4)}px`;
  };
  const hide = () => {
    if (shown) shown.classList.remove("on");
    shown = null;
    tip.hidden = true;
  };
  const show = (mark) => {
    if (mark === shown) return;
    hide();
    if (!mark) return;
    shown = mark;
    mark.classList.add("on");
    const [first, ...others] = (mark.dataset.tip || mark.getAttribute("aria-label")).split("\n");
    const name = document.createElement("strong");
    name.dir = "auto";
    name.textContent = first;
    tip.replaceChildren(name, others.join("\n"));
    tip.hidden = false;
    place();
  };
  const markOf = (element) => element && element.closest ? element.closest(".mark") : null;

  document.addEventListener("pointerover", (event) => show(markOf(event.target)));
  document.addEventListener("pointermove", (event) => {
    if (event.pointerType === "mouse") return; // a finger that slides keeps its first target
    const mark = markOf(document.elementFromPoint(event.clientX, event.clientY));
    if (mark) show(mark);
  });
  document.documentElement.addEventListener("pointerleave", (event) => {
    if (event.pointerType === "mouse") hide();
  });
  document.addEventListener("focusin", (event) => show(markOf(event.target)));
  document.addEventListener("focusout", hide);
  document.addEventListener("scroll", () => shown && place(), { capture: true, passive: true });

  // One stop of the Tab key for each chart; the arrow keys go from mark to mark.
  for (const group of document.querySelectorAll(".marks")) {
    const marks = [...group.querySelectorAll(".mark")];
    const across = Number(group.dataset.across || 1);
    const steps = {
      ArrowRight: 1, ArrowLeft: -1, ArrowDown: across, ArrowUp: -across,
      PageDown: 10 * across, PageUp: -10 * across, Home: -marks.length, End: marks.length,
    };
    group.addEventListener("keydown", (event) => {
      const from = marks.indexOf(event.target);
      if (from < 0 || !(event.key in steps) || event.ctrlKey || event.altKey || event.metaKey) return;
      event.preventDefault();
      const to = Math.max(0, Math.min(from + steps[event.key], marks.length - 1));
      marks[from].tabIndex = -1;
      marks[to].tabIndex = 0;
      marks[to].focus();
    });
  }
  document.addEventListener("keydown", (event) => event.key === "Escape" && hide());

  const words = new Intl.Collator("en", { numeric: true });
  for (const table of document.querySelectorAll("table.rows")) {
    const heads = [...table.tHead.rows[0].cells];
    const body = table.tBodies[0];
    heads.forEach((head, column) => {
      const isNumber = head.classList.contains("number");
      const value = (row) => {
        const cell = row.cells[column];
        return isNumber ? Number(cell.dataset.value) : cell.textContent;
      };
      const compare = isNumber ? (a, b) => a - b : words.compare;
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const now = head.getAttribute("aria-sort");
        const up = now ? now === "descending" : !isNumber; // the largest first
        const rows = [...body.rows].map((row) => [value(row), row]);
        rows.sort((a, b) => (up ? compare(a[0], b[0]) : compare(b[0], a[0])));
        body.append(...rows.map((pair) => pair[1]));
        for (const each of heads) each.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", up ? "ascending" : "descending");
      });
    });
  }
})();
