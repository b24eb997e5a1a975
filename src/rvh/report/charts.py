"""Charts of the report: SVG and tables whose marks answer the pointer, touch and the keyboard.

A mark is an element of the class ``mark`` with its text in ``aria-label`` or ``data-tip``, and an
ancestor of the class ``marks``; `report.js` does the rest. No mark has a style of its own, since
the page's policy forbids that: sizes are attributes of SVG, colours are classes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rvh._html import bdi, escaped
from rvh.migration.loads import Flows
from rvh.report.figures import Unit, change, share, signed

__all__ = ["COLUMNS_MAX", "Load", "load_chart", "matrix", "meter", "steps_chart"]

#: nodes that have a bar with their name; more are columns beside one another
ROWS_MAX = 40
#: columns that a chart has at most
COLUMNS_MAX = 1000
#: sources and targets that have a row and a column of their own
MATRIX_MAX = 12
#: letters of a matrix's heads that stand beside one another; more stand upright
LETTERS_MAX = 70
#: shades of a matrix
SHADES = 8

ISOLATE, END = "\u2068", "\u2069"  # so that an id turns nothing beside it round


@dataclass(frozen=True)
class Load:
    """What one node, domain or step holds before and after.

    Parameters
    ----------
    name : str
        Text.
    before, after : int
    tag : str
        ``"new"``, ``"leaves"`` or empty.
    """

    name: str
    before: int
    after: int
    tag: str = ""

    def text(self, unit: Unit) -> str:
        """The mark's text: the name, then a line for each figure."""
        tag = f" ({self.tag})" if self.tag else ""
        by = "" if self.tag else f" ({signed(change(self.before, self.after))})"
        return (
            f"{ISOLATE}{self.name}{END}{tag}\nbefore: {unit.full(self.before)}\n"
            f"after: {unit.full(self.after)}{by}"
        )


def load_chart(loads: Sequence[Load], unit: Unit, what: str) -> str:
    """Return a chart of loads: bars with names for few, columns for many."""
    return (bars if len(loads) <= ROWS_MAX else columns)(loads, unit, what)


def bars(loads: Sequence[Load], unit: Unit, what: str) -> str:
    """Return two bars for each load, before and after, with name and figures beside them."""
    top = max((max(load.before, load.after) for load in loads), default=0) or 1
    rows = "".join(
        f'<div class="bar mark" role="img" tabindex="{_stop(i)}" '
        f'aria-label="{_attribute(load.text(unit))}">'
        f'<span class="name">{bdi(load.name)}{_tag(load)}</span>'
        f'<svg aria-hidden="true"><rect class="before" y="1" width="{_percent(load.before, top)}" '
        f'height="6"/><rect class="after" y="8" width="{_percent(load.after, top)}" height="11"/>'
        f'</svg><span class="value">{unit.write(load.after)}</span>'
        f'<span class="change">{signed(change(load.before, load.after))}</span></div>'
        for i, load in enumerate(loads)
    )
    return (
        f'<figure>{_legend()}<div class="marks" role="group" aria-label="{escaped(what)}">{rows}'
        "</div></figure>"
    )


def columns(loads: Sequence[Load], unit: Unit, what: str) -> str:
    """Return a column for each load, the fullest first, with a line where it was before."""
    ordered = sorted(loads, key=lambda load: (-load.after, -load.before))
    shown = [ordered[i] for i in _spread(len(ordered), COLUMNS_MAX)]
    top = _nice_top(max((max(load.before, load.after) for load in shown), default=0))
    present = [load.after for load in loads if load.tag != "leaves"]
    mean = sum(present) / max(1, len(present))
    level = _percent(top - mean, top)
    chart = _plot(
        [(load.text(unit), load.after, load.before) for load in shown],
        *(top, unit, what, f'<line class="mean" x2="100%" y1="{level}" y2="{level}"/>'),
    )
    some = "" if len(shown) == len(loads) else f"{len(shown):,} of "
    below = f"{some}{len(loads):,} nodes, the fullest first"
    return f"<figure>{_legend(unit.write(round(mean)))}{chart}{_below(below)}</figure>"


def steps_chart(steps: Sequence[tuple[str, int]], unit: Unit, what: str) -> str:
    """Return a column for each step, whose text comes with it, in their order."""
    top = _nice_top(max((amount for _, amount in steps), default=0))
    chart = _plot([(text, amount, None) for text, amount in steps], top, unit, what)
    return f"<figure>{chart}{_below('the steps in their order')}</figure>"


def _plot(
    marks: Sequence[tuple[str, int, int | None]], top: int, unit: Unit, what: str, over: str = ""
) -> str:
    """Columns over an axis: (text, height of the column, height of the line across it)."""
    width = 100 / max(1, len(marks))
    gap = 0.15 * width if len(marks) <= 200 else 0  # many are a surface
    across = max(width, 0.3)  # of the line, which has to be seen
    drawn = []
    for i, (text, height, line) in enumerate(marks):
        place, full = f'x="{i * width:.3f}%"', f'width="{width:.3f}%"'
        drawn.append(
            f'<g class="mark" role="img" tabindex="{_stop(i)}" aria-label="{_attribute(text)}">'
            f'<rect class="hit" {place} {full} height="100%"/>'
            f'<rect class="after" x="{i * width + gap:.3f}%" y="{_percent(top - height, top)}" '
            f'width="{width - 2 * gap:.3f}%" height="{_percent(height, top)}"/>'
        )
        if line is not None:
            drawn.append(
                f'<rect class="before" x="{i * width + width / 2 - across / 2:.3f}%" '
                f'y="{_percent(top - line, top)}" width="{across:.3f}%" height="2"/>'
            )
        drawn.append("</g>")
    ticks = [(_percent(top - at, top), text) for at, text in unit.ticks(top)]
    axis = "".join(f'<text x="100%" y="{y}">{text}</text>' for y, text in ticks)
    lines = "".join(f'<line class="grid" x2="100%" y1="{y}" y2="{y}"/>' for y, _ in ticks)
    return (
        f'<div class="plot"><svg class="axis" aria-hidden="true">{axis}</svg>'
        f'<svg class="columns marks" role="group" aria-label="{escaped(what)}">'
        f"{lines}{''.join(drawn)}{over}</svg></div>"
    )


def _below(text: str) -> str:
    return f'<figcaption class="below">{text}</figcaption>'


def matrix(names: Sequence[str], flows: Flows, unit: Unit, what: str) -> str:
    """Return a table of what each source sends to each target, darker where it is more.

    The nodes that send or receive the most have rows and columns of their own.
    """
    amounts = flows.keys if unit.name == "keys" or flows.bytes is None else flows.bytes
    rows, row_of = _largest(flows.source, amounts, len(names))
    across, column_of = _largest(flows.target, amounts, len(names))
    table = np.zeros((len(rows), len(across)), dtype=np.int64)
    np.add.at(table, (row_of[flows.source], column_of[flows.target]), amounts)
    alone = table[: len(rows) - (rows[-1:] == [None]), : len(across) - (across[-1:] == [None])]
    top = int(alone.max(initial=0))  # what many send together would leave the others pale
    total = int(amounts.sum())

    row_names = _named(names, rows, flows.source)
    column_names = _named(names, across, flows.target)
    wide = ' class="long"' if sum(map(len, column_names)) > LETTERS_MAX else ""
    head = "".join(
        f'<th scope="col"{wide} title="{escaped(each)}">{bdi(each)}</th>' for each in column_names
    )
    body = []
    for i, line in enumerate(table.tolist()):
        cells = []
        for j, amount in enumerate(line):
            tip = (
                f"{ISOLATE}{row_names[i]}{END} → {ISOLATE}{column_names[j]}{END}\n"
                f"{unit.full(amount)}, {share(amount, total)} of what moves"
            )
            is_own = rows[i] is not None and across[j] is not None
            shade = f"h{_shade(amount, top)}" if is_own else "others"
            cells.append(
                f'<td class="mark {shade}" tabindex="{_stop(i + j)}" data-tip="{_attribute(tip)}">'
                f"{escaped(unit.short(amount)) if amount else '·'}</td>"
            )
        body.append(
            f'<tr><th scope="row" title="{escaped(row_names[i])}">{bdi(row_names[i])}</th>'
            f"{''.join(cells)}</tr>"
        )
    return (
        f'<div class="scroll"><table class="matrix marks" role="grid" data-across="{len(across)}" '
        f'aria-label="{escaped(what)}"><thead><tr><th>from ↓ to →</th>{head}</tr></thead>'
        f"<tbody>{''.join(body)}</tbody></table></div>"
    )


def meter(actual: int, least: int, whole: int) -> str:
    """Return a bar of the part that moves, with a line where the least would be."""
    return (
        '<svg class="meter" aria-hidden="true"><rect class="track" width="100%" height="12"/>'
        f'<rect class="after" width="{_percent(actual, whole)}" height="12"/>'
        f'<rect class="least" x="{_percent(least, whole)}" width="2" height="12"/></svg>'
    )


def _largest(
    places: NDArray[np.intp], amounts: NDArray[np.int64], count: int
) -> tuple[list[int | None], NDArray[np.intp]]:
    """The places with the most, None for all others together; and which of them each place is."""
    sums = np.zeros(count, dtype=np.int64)
    np.add.at(sums, places, amounts)
    occurring = np.flatnonzero(sums)
    order = occurring[np.argsort(-sums[occurring], kind="stable")]
    fits = len(order) <= MATRIX_MAX + 1
    kept = np.sort(order if fits else order[:MATRIX_MAX])
    which = np.full(count, len(kept), dtype=np.intp)
    which[kept] = np.arange(len(kept))
    return [*kept.tolist(), *([] if fits else [None])], which


def _named(names: Sequence[str], shown: list[int | None], places: NDArray[np.intp]) -> list[str]:
    others = len(np.unique(places)) - len(shown) + 1
    return [f"{others:,} others" if at is None else names[at] for at in shown]


def _shade(amount: int, top: int) -> int:
    return 0 if not amount else max(1, math.ceil(SHADES * amount / top))


def _spread(count: int, most: int) -> list[int]:
    if count <= most:
        return list(range(count))
    return [round(place) for place in np.linspace(0, count - 1, most).tolist()]


def _nice_top(largest: int) -> int:
    """The end of an axis of four parts."""
    power: int = 10 ** max(0, len(str(largest)) - 2)
    return next(n * power for n in range(4, 1000, 4) if n * power >= largest)


def _legend(mean: str = "") -> str:
    swatches = [
        ("before", '<rect class="before" y="3" width="14" height="4"/>'),
        ("after", '<rect class="after" width="14" height="10"/>'),
        (f"mean after: {mean}", '<line class="mean" x2="14" y1="5" y2="5"/>'),
    ]
    drawn = "".join(
        f'<span><svg aria-hidden="true" width="14" height="10">{swatch}</svg>{text}</span>'
        for text, swatch in swatches[: 3 if mean else 2]
    )
    return f'<p class="legend">{drawn}</p>'


def _tag(load: Load) -> str:
    return f'<span class="tag">{escaped(load.tag)}</span>' if load.tag else ""


def _stop(position: int) -> int:
    return 0 if position == 0 else -1


def _percent(part: float, whole: int) -> str:
    return f"{100 * part / max(1, whole):.2f}%"


def _attribute(text: str) -> str:
    """Lines of text for an attribute."""
    return "&#10;".join(escaped(line) for line in text.split("\n"))
