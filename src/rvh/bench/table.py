"""A run as a plain table: never wrapped or cut, whatever reads it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rvh.bench.compare import Old, slowdown, wording
from rvh.bench.results import Row

HEADER = ("scenario", "keys/s", "ns/key", "pairs/s")


def table(rows: Sequence[Row], old: Old | None = None, gone: Iterable[str] = ()) -> str:
    """The rows as lines of text, numbers to the right.

    Parameters
    ----------
    rows : sequence of Row
    old : mapping of Workload to Row, optional
        An earlier run; a column says what changed since.
    gone : iterable of str
        Names of scenarios that only the earlier run has.

    Returns
    -------
    str
    """
    if old is None:
        lines = [HEADER, *map(_cells, rows)]
    else:
        lines = [(*HEADER, "change")]
        lines += [(*_cells(row), _change(row, old)) for row in rows]
        lines += [(name, "", "", "", "gone") for name in gone]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(_aligned(line, widths) for line in lines)


def _cells(row: Row) -> tuple[str, ...]:
    seconds, pairs = row.figures.seconds, row.workload.pairs
    return (
        row.workload.name,
        f"{row.figures.keys_per_second:,.0f}",
        f"{seconds / row.workload.keys * 1e9:,.2f}",
        "" if pairs is None else f"{pairs / seconds:,.0f}",
    )


def _change(row: Row, old: Old) -> str:
    if row.workload not in old:
        return "new"
    return wording(slowdown(row, old[row.workload]))


def _aligned(line: Sequence[str], widths: Sequence[int]) -> str:
    name, *numbers = line
    cells = [name.ljust(widths[0])]
    cells += [cell.rjust(width) for cell, width in zip(numbers, widths[1:], strict=True)]
    return "  ".join(cells).rstrip()
