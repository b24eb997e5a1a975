"""The report in a real browser: it answers the pointer, a finger and keys, sorts, loads nothing."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from estimates import ESTIMATES, EVIL, estimate_of, few, many
from web import Handler, answering

from rvh.report import write_report

pytest.importorskip("axe_playwright_python", reason="Playwright is not installed")
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

DESKTOP, PHONE = (1280, 800), (390, 844)
#: pages that differ in what is in them; that of a thousand nodes has only more of it
KINDS = ("few", "some", "odd")
#: the page of an estimate, opened in a window of a size; options are those of Playwright's contexts
Open = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("Chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("reports")
    paths = {name: folder / f"{name}.html" for name in ESTIMATES}
    for name, path in paths.items():
        bandwidth = None if estimate_of(name).bytes is None else 1e6
        write_report(estimate_of(name), path, bandwidth=bandwidth)
    return paths


@pytest.fixture
def open_page(browser: Browser, pages: dict[str, Path]) -> Iterator[Open]:
    """Opens pages; at the end nothing may have been written to the console, nothing loaded."""
    said: list[str] = []
    asked: list[str] = []
    opened: list[str] = []
    with ExitStack() as stack:

        def open_one(name: str, size: tuple[int, int] = DESKTOP, **options: Any) -> Page:
            viewport = dict(zip(("width", "height"), size, strict=True))
            context = browser.new_context(viewport=viewport, **options)
            stack.callback(context.close)
            page = context.new_page()
            page.set_default_timeout(10_000)
            page.on("console", lambda message: said.append(message.text))
            page.on("pageerror", lambda error: said.append(str(error)))
            page.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))
            page.on("request", lambda request: asked.append(request.url))
            opened.append(pages[name].as_uri())
            page.goto(opened[-1])
            return page

        yield open_one
    assert said == []
    assert asked == opened


def tip(page: Page) -> list[str]:
    """The lines that are shown for a mark, without what isolates ids; none if nothing is shown."""
    found = page.locator("#tip")
    text = found.inner_text() if found.is_visible() else ""
    return re.sub("[\u2068\u2069]", "", text).split("\n") if text else []


def test_hovering_shows_the_figures_of_a_node(open_page: Open) -> None:
    page = open_page("few")
    assert tip(page) == []
    page.locator(".bar").nth(1).hover()
    before, after = (
        f"{sizes[1] / 1e6:,.2f} MB"
        for sizes in (few().nodes.bytes_before, few().nodes.bytes_after)
        if sizes is not None
    )
    name, first, second = tip(page)
    assert (name, first) == ("node-2", f"before: {before}")
    assert second.startswith(f"after: {after} (")
    page.mouse.move(2, 2)
    assert tip(page) == []


def test_hovering_shows_a_flow_and_a_step(open_page: Open) -> None:
    page = open_page("few")
    page.locator(".matrix td").first.hover()
    name, figures = tip(page)
    assert re.fullmatch(r"\S+ → \S+", name)
    assert re.fullmatch(r"[\d.,]+ MB, [\d.]+% of what moves", figures)
    page.locator(".columns .mark").nth(3).hover()
    assert tip(page)[0] == "step 3"


def test_each_of_a_thousand_nodes_can_be_hovered(open_page: Open) -> None:
    page = open_page("many")
    chart = page.locator(".columns").first
    assert chart.locator(".mark").count() == 1000
    box = chart.bounding_box()
    assert box
    sizes = many().nodes.bytes_after
    assert sizes is not None
    page.mouse.move(box["x"] + box["width"] / 2000, box["y"] + 100)
    assert f"after: {sizes.max() / 1e3:.2f} kB" in tip(page)[2]
    page.mouse.move(box["x"] + box["width"] * 1999 / 2000, box["y"] + 100)
    assert f"after: {sizes.min() / 1e3:.2f} kB" in tip(page)[2]


def test_keys_go_from_mark_to_mark(open_page: Open) -> None:
    page = open_page("few")
    page.keyboard.press("Tab")
    assert tip(page)[0] == "node-1"
    for key, name in [("ArrowDown", "node-2"), ("End", "node-4 (new)"), ("ArrowUp", "node-3")]:
        page.keyboard.press(key)
        assert tip(page)[0] == name
    page.keyboard.press("Escape")
    assert tip(page) == []
    page.keyboard.press("Tab")  # one stop for the chart
    assert page.evaluate("document.activeElement.closest('.marks')") is None


def test_keys_go_across_and_down_in_a_matrix(open_page: Open) -> None:
    page = open_page("odd")
    page.locator(".matrix td").first.focus()
    first = tip(page)[0]
    page.keyboard.press("ArrowRight")
    across = tip(page)[0]
    page.keyboard.press("ArrowDown")
    down = tip(page)[0]
    assert first.split(" → ")[0] == across.split(" → ")[0] != down.split(" → ")[0]
    assert first.split(" → ")[1] != across.split(" → ")[1] == down.split(" → ")[1]


def test_a_finger_shows_figures(open_page: Open) -> None:
    page = open_page("some", PHONE, has_touch=True, is_mobile=True)
    page.locator(".matrix td").nth(1).tap()
    assert "of what moves" in tip(page)[1]
    page.locator("h1").tap()
    assert tip(page) == []


def column(page: Page, table: int, at: int) -> list[str]:
    cells = page.locator("table.rows").nth(table).locator(f"tbody tr > :nth-child({at + 1})")
    return cells.all_inner_texts()


def test_a_click_sorts(open_page: Open) -> None:
    page = open_page("few")
    head = page.locator("table.rows").first.locator("thead th").nth(2)
    assert head.get_attribute("aria-sort") is None
    numbers = few().nodes.keys_after.tolist()
    assert column(page, 0, 2) == [f"{number:,}" for number in numbers]
    head.get_by_role("button").click()
    assert head.get_attribute("aria-sort") == "descending"
    assert column(page, 0, 2) == [f"{number:,}" for number in sorted(numbers, reverse=True)]
    head.get_by_role("button").click()
    assert head.get_attribute("aria-sort") == "ascending"
    assert column(page, 0, 2) == [f"{number:,}" for number in sorted(numbers)]


def test_the_keyboard_sorts_and_rows_stay_whole(open_page: Open) -> None:
    page = open_page("some")
    names, numbers = column(page, 0, 0), column(page, 0, 1)
    rows = dict(zip(names, numbers, strict=True))
    heads = page.locator("table.rows").first.locator("thead th")
    heads.nth(1).get_by_role("button").focus()
    page.keyboard.press("Enter")
    assert heads.nth(1).get_attribute("aria-sort") == "descending"
    heads.nth(0).get_by_role("button").focus()
    page.keyboard.press("Space")
    assert heads.nth(0).get_attribute("aria-sort") == "ascending"
    assert heads.nth(1).get_attribute("aria-sort") is None
    assert column(page, 0, 0) == sorted(names)
    assert dict(zip(column(page, 0, 0), column(page, 0, 1), strict=True)) == rows


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("width", [320, 390])
def test_nothing_is_beyond_the_edge(open_page: Open, name: str, width: int) -> None:
    page = open_page(name, (width, 800))
    beyond = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(beyond) == 0
    for mark in page.locator(".marks .mark:first-child").all():
        mark.focus()
        assert page.evaluate(beyond) == 0


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize(("size", "scheme"), [(DESKTOP, "light"), (PHONE, "dark")])
def test_axe_finds_nothing(open_page: Open, name: str, scheme: str, size: Any) -> None:
    page = open_page(name, size, color_scheme=scheme)
    page.locator(".bar, .columns .mark").first.focus()
    found = Axe().run(page).response
    assert len(found["passes"]) > 20
    assert [(each["id"], each["nodes"][0]["html"]) for each in found["violations"]] == []


def test_ids_do_nothing(open_page: Open) -> None:
    page = open_page("odd")
    assert page.evaluate("[document.scripts.length, document.images.length]") == [1, 0]
    shown = column(page, 0, 0)
    assert {node for node in EVIL if isinstance(node, str)} <= {*shown}
    for mark in page.locator(".bar").all():
        mark.hover()
        assert tip(page)
    assert page.evaluate("document.getElementById('tip').querySelector('img, script')") is None


def test_without_scripts_the_page_is_whole(open_page: Open) -> None:
    page = open_page("few", java_script_enabled=False)
    assert column(page, 0, 0) == ["node-1", "node-2", "node-3", "node-4"]
    assert page.locator(".bar").count() == 4 + 2


def test_printed_tables_are_whole(open_page: Open) -> None:
    page = open_page("some", color_scheme="dark")
    page.emulate_media(media="print")
    heights = "const e = document.querySelector('.tall'); [e.scrollHeight, e.clientHeight]"
    inner, outer = page.evaluate(f"() => {{ {heights.replace('; [', '; return [')} }}")
    assert inner == outer
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def test_a_server_of_the_page_is_asked_for_nothing_else(
    browser: Browser, pages: dict[str, Path]
) -> None:
    """Nor can a script of the page ask it: the policy forbids it."""
    asked: list[str] = []

    def answer(handler: Handler) -> None:
        asked.append(handler.path)
        handler.answer(200, pages["some"].read_bytes(), {"Content-Type": "text/html"})

    with answering(answer) as url, browser.new_context() as context:
        page = context.new_page()
        page.goto(f"{url}/report", wait_until="networkidle")
        page.locator(".columns .mark").first.hover()
        blocked = page.evaluate(
            """async () => {
                const violated = [];
                document.addEventListener("securitypolicyviolation",
                    (event) => violated.push(event.effectiveDirective));
                const image = new Image();
                const over = new Promise((done) => { image.onerror = done; });
                image.src = "/image";
                await over;
                await fetch("/data").catch(() => 0);
                document.body.insertAdjacentHTML("beforeend", "<p style='color: red'>");
                await new Promise((done) => setTimeout(done));
                return violated;
            }"""
        )
    assert {*blocked} == {"connect-src", "img-src", "style-src-attr"}
    assert asked == ["/report"]
