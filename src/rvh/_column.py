"""Names for pickles from before the first release, which refer to ``rvh._column``.

Newer pickles name a class by the public module that exports it, so that files can move.
"""

from __future__ import annotations

from typing import Any

from rvh._columns import column
from rvh._columns.column import Chunks, Codes, Kind, Spans, Views

__all__ = ["Chunks", "Codes", "KeyColumn", "Kind", "Spans", "Views"]


class KeyColumn(column._Unfrozen):
    """The class that old pickles of a `rvh.keys.KeyColumn` call: it makes a checked column."""

    __slots__ = ()

    def __new__(cls, *state: Any) -> Any:
        return column.KeyColumn(*state) if state else super().__new__(cls)

    def __setstate__(self, state: list[Any]) -> None:
        """Fill the empty column that pickles of commits up to 22fa685 begin with."""
        checked = column.KeyColumn(*state)
        for name in column._Unfrozen.__slots__:
            setattr(self, name, getattr(checked, name))
        self.__class__ = column.KeyColumn  # type: ignore[assignment]
