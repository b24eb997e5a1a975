"""Tables of the report, which `report.js` sorts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from rvh._html import bdi, escaped

__all__ = ["Column", "table"]


@dataclass(frozen=True)
class Column:
    """A column of ids and labels, or of figures.

    Parameters
    ----------
    name : str
    values : sequence
    write : callable, optional
        From a figure to text. Without it, the values are ids or labels.
    """

    name: str
    values: Sequence[Any]
    write: Callable[[Any], str] | None = None


def table(caption: str, columns: Sequence[Column]) -> str:
    """Return a table whose first column names its rows."""
    number = ' class="number"'
    head = "".join(
        f'<th scope="col"{number if column.write else ""}>{escaped(column.name)}</th>'
        for column in columns
    )
    rows = zip(*(column.values for column in columns), strict=True)
    body = "".join(
        "<tr>" + "".join(map(_cell, columns, row, range(len(columns)))) + "</tr>" for row in rows
    )
    tall = " tall" if len(columns[0].values) > 20 else ""
    return (
        f'<div class="scroll{tall}" tabindex="0" role="region" aria-label="{escaped(caption)}">'
        f'<table class="rows" aria-label="{escaped(caption)}"><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _cell(column: Column, value: Any, at: int) -> str:
    if column.write:
        return f'<td class="number" data-value="{value}">{escaped(column.write(value))}</td>'
    return f'<th scope="row">{bdi(value)}</th>' if at == 0 else f"<td>{bdi(value)}</td>"
