"""Nothing but names for pickles of before the first release, which say ``rvh._column``.

Classes that are pickled are named by the public module that exports them, so that files can move.
"""

from __future__ import annotations

from typing import Any

from rvh._columns import column
from rvh._columns.column import Chunks, Codes, Kind, Spans, Views

__all__ = ["Chunks", "Codes", "KeyColumn", "Kind", "Spans", "Views"]


class KeyColumn(column._Open):
    """What a pickle of a `rvh.keys.KeyColumn` makes: one, checked as any."""

    __slots__ = ()

    def __new__(cls, *state: Any) -> Any:
        return column.KeyColumn(*state) if state else super().__new__(cls)

    def __setstate__(self, state: list[Any]) -> None:
        """Commits up to 22fa685 pickled an empty one, and then what it has."""
        made = column.KeyColumn(*state)
        for name in column._Open.__slots__:
            setattr(self, name, getattr(made, name))
        self.__class__ = column.KeyColumn  # type: ignore[assignment]
