"""An estimate as text for a terminal: what moves, tables with bars, as wide as the terminal is."""

from __future__ import annotations

import math
import os
import shutil
import sys
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rvh._quantities import bytes_text, time_text
from rvh.cli.outputs import counted, width
from rvh.errors import show
from rvh.migration import Estimate, Loads

#: rows of a table; --json has all
ROWS = 20
FLOWS = 10
#: the widest text, and the widest column of names
WIDEST = 120
NAMES = 24
#: the narrowest bar that is worth its place
BAR = 6
#: the columns of loads
COLUMNS = ("names", "keys_before", "keys_after", "bytes_before", "bytes_after")
EIGHTHS = " ▏▎▍▌▋▊▉█"


@dataclass(frozen=True)
class Style:
    """What a terminal can show.

    Parameters
    ----------
    columns : int
    blocks : bool
        Whether bars are made of block characters; else of #.
    color : bool
    """

    columns: int = 80
    blocks: bool = True
    color: bool = False

    @classmethod
    def of_stdout(cls) -> Style:
        """That of stdout: color on a terminal, or as FORCE_COLOR and then NO_COLOR say."""
        out = sys.stdout
        try:
            EIGHTHS.encode(getattr(out, "encoding", None) or "utf-8")
            blocks = True
        except (UnicodeEncodeError, LookupError):
            blocks = False
        is_able = out is not None and out.isatty() and os.environ.get("TERM") != "dumb"
        # NO_COLOR wins, as in Python itself.
        color = not os.environ.get("NO_COLOR") and bool(is_able or os.environ.get("FORCE_COLOR"))
        columns = shutil.get_terminal_size((80, 24)).columns
        return cls(max(40, min(columns, WIDEST)), blocks, color)

    def bar(self, part: float, columns: int) -> str:
        """A bar of a part from 0 to 1."""
        if not self.blocks:
            return "#" * round(part * columns)
        eighths = round(part * columns * 8)
        if part > 0 and not eighths:
            eighths = 1
        return "█" * (eighths // 8) + EIGHTHS[eighths % 8].strip()

    def fitted(self, lines: Sequence[str]) -> list[str]:
        """Lines, those that are too long broken in several."""
        return [
            part
            for line in lines
            for part in (
                textwrap.wrap(line, self.columns) if width(line) > self.columns else [line]
            )
        ]

    def strong(self, text: str) -> str:
        """A text that stands out."""
        return f"\x1b[1m{text}\x1b[0m" if self.color else text

    def colored(self, text: str, code: int) -> str:
        """A text in a color of the terminal's."""
        return f"\x1b[{code}m{text}\x1b[0m" if self.color and text else text


def plan_text(
    estimate: Estimate, pair: str, bandwidth: tuple[str, float] | None, style: Style
) -> str:
    """Make the text.

    Parameters
    ----------
    estimate : Estimate
    pair : str
        Both placements in words.
    bandwidth : (str, float), optional
        As it was written, and in bytes a second.
    style : Style
    """
    parts = [
        [style.strong(line) for line in style.fitted([pair])],
        _moved(estimate, style),
        style.fitted(_seconds(estimate, bandwidth)),
        _table("node", estimate.nodes, style),
        *(_table(kind, loads, style) for kind, loads in estimate.domains.items()),
        _flows("node", estimate.nodes, style),
        *(_flows(kind, loads, style) for kind, loads in estimate.domains.items()),
        style.fitted(_steps(estimate)),
        [style.colored(line, 33) for line in style.fitted(estimate.remarks)],
    ]
    return "\n\n".join("\n".join(line.rstrip() for line in lines) for lines in parts if lines)


def _moved(estimate: Estimate, style: Style) -> list[str]:
    """What moves, beside what has to and what would by chance."""
    copies = estimate.copies
    error = estimate.moved_copies_error
    rows: list[list[str]] = []
    for name, keys, size, note in (
        (
            "moves",
            estimate.moved_copies,
            estimate.moved_bytes,
            "" if error is None else f"+- {error:,.0f}, the standard error",
        ),
        ("at least", estimate.minimum_copies, estimate.minimum_bytes, "for the new loads"),
        ("by chance", estimate.chance_copies, estimate.chance_bytes, "with nothing in common"),
    ):
        row = [name, f"{keys:,}", _share(keys, copies)]
        if size is not None:
            row += [bytes_text(size), _share(size, (estimate.bytes or 0) * estimate.k_new)]
        rows.append([*row, note])
    what = "keys" if estimate.k == estimate.k_new == 1 else "copies"
    rows.insert(0, ["", what, "", *(["bytes", ""] if estimate.bytes is not None else []), ""])
    lines = _aligned(rows, left={0, len(rows[0]) - 1})
    for last in (-1, -2):
        if max(map(width, lines)) > style.columns:
            lines = _aligned([row[:last] for row in rows], left={0})
    return lines


def _seconds(estimate: Estimate, bandwidth: tuple[str, float] | None) -> list[str]:
    if bandwidth is None:
        return []
    text, rate = bandwidth
    times = estimate.seconds(rate)
    if times.source_name is None:
        return [f"at {text}: nothing to copy"]
    source, target = map(_name, (times.source_name, times.target_name))
    return _aligned(
        [
            [f"at {text}", time_text(times.whole), "all copies through one link"],
            ["", time_text(times.source), f"sent by {source}, a link each"],
            ["", time_text(times.target), f"received by {target}"],
        ],
        left={0, 2},
    )


def _table(kind: str, loads: Loads, style: Style) -> list[str]:
    """The loads before and after, those that change most first where there are too many."""
    sized = loads.bytes_before is not None
    before, after = loads.keys_before, loads.keys_after
    if loads.bytes_before is not None and loads.bytes_after is not None:
        before, after = loads.bytes_before, loads.bytes_after
    shown = np.arange(len(loads))
    if len(loads) > ROWS:
        shown = np.sort(np.argsort(-np.abs(after - before), kind="stable")[:ROWS])
    columns = [name for name in COLUMNS if sized or not name.startswith("bytes")]
    lines = _loads(kind, loads, shown, columns)
    if sized and style.columns - width(lines[1]) < 2 * (2 + BAR):
        lines = _loads(kind, loads, shown, [name for name in columns if name[:4] != "keys"])
    room = (style.columns - width(lines[1])) // 2 - 2
    if room >= BAR:
        most = max(1, int(before.max(initial=0)), int(after.max(initial=0)))
        for line, at in enumerate(shown.tolist(), 2):
            for values, color in ((before, 36), (after, 32)):
                bar = style.bar(int(values[at]) / most, room)
                padding = " " * (room - len(bar)) if values is before else ""
                lines[line] += "  " + style.colored(bar, color) + padding
        lines[1] = f"{lines[1]}  {'before':<{room}}  after"
    lines[:2] = map(style.strong, lines[:2])
    if len(loads) > ROWS:
        more = f"... {len(loads) - ROWS:,} more, which change less: see --json"
        lines[-1:-1] = style.fitted([more])
    return lines


def _loads(kind: str, loads: Loads, shown: NDArray[np.intp], columns: list[str]) -> list[str]:
    units, sides = zip(*(name.split("_") for name in columns[1:]), strict=True)
    rows = [
        [
            kind,
            *(unit if side == "before" else "" for unit, side in zip(units, sides, strict=True)),
        ],
        ["", *sides],
        *([_cell(loads, at, name) for name in columns] for at in shown.tolist()),
        [_peaks(loads), *(_peak(loads.max_mean(name)) for name in columns[1:])],
    ]
    return _aligned(rows, left={0})


def _cell(loads: Loads, at: int, column: str) -> str:
    value = getattr(loads, column)[at]
    if column == "names":
        return _name(value)
    return bytes_text(int(value)) if column.startswith("bytes") else f"{int(value):,}"


def _flows(kind: str, loads: Loads, style: Style) -> list[str]:
    flows = loads.flows
    if not len(flows.source):
        return []
    values = flows.keys if flows.bytes is None else flows.bytes
    most = max(1, int(values.max()))
    rows = [[f"from {kind}", f"to {kind}", "copies"]]
    if flows.bytes is not None:
        rows[0].append("bytes")
    for at in range(min(FLOWS, len(values))):
        row = [_name(loads.names[flows.source[at]]), _name(loads.names[flows.target[at]])]
        row.append(f"{int(flows.keys[at]):,}")
        if flows.bytes is not None:
            row.append(bytes_text(int(flows.bytes[at])))
        rows.append(row)
    lines = _aligned(rows, left={0, 1})
    if width(lines[0]) > style.columns:
        lines = _aligned([[*row[:2], row[-1]] for row in rows], left={0, 1})
    room = style.columns - width(lines[0]) - 2
    if room >= BAR:
        for line in range(1, len(lines)):
            bar = style.bar(int(values[line - 1]) / most, min(room, 40))
            lines[line] += "  " + style.colored(bar, 36)
    lines[0] = style.strong(lines[0])
    if len(values) > FLOWS:
        lines.append(f"... {len(values) - FLOWS:,} more flows: see --json")
    return lines


def _steps(estimate: Estimate) -> list[str]:
    if estimate.steps is None:
        return []
    keys, size = estimate.steps
    least, most = int(keys.min()), int(keys.max())
    text = f"{counted(len(keys), 'step')}: {least:,} to {most:,} copies each"
    if size is not None:
        text += f", {bytes_text(int(size.min()))} to {bytes_text(int(size.max()))}"
    return [text]


def _aligned(rows: Sequence[Sequence[str]], left: set[int]) -> list[str]:
    widths = [max(map(width, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = []
        for at, (cell, wide) in enumerate(zip(row, widths, strict=True)):
            padding = " " * (wide - width(cell))
            cells.append(cell + padding if at in left else padding + cell)
        lines.append("  ".join(cells))
    return lines


def _share(part: int, whole: int) -> str:
    if not whole:
        return "-"
    is_tiny = 0 < part / whole < 0.001
    return f"{100 * part / whole:.2g}%" if is_tiny else f"{part / whole:.1%}"


def _peaks(loads: Loads) -> str:
    is_weighted = loads.weights_old is not None or loads.weights_new is not None
    return "max/mean by weight" if is_weighted else "max/mean"


def _peak(peak: float) -> str:
    return "-" if math.isnan(peak) else f"{peak:.3f}"


def _name(value: Any) -> str:
    """A name on one line, of at most `NAMES` columns."""
    text = value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)
    text = text if text.isprintable() else show(text)
    if width(text) <= NAMES:
        return text
    while width(text) > NAMES - 3:
        text = text[:-1]
    return f"{text}..."
