"""Rows of delimited text as they are to be written again: their own bytes, less what is optional.

A row that was read is written with quotes only where they are needed, and ends with a newline. All
that this takes from the bytes of most files is to leave some out, which NumPy finds at once.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
from numpy.typing import NDArray

from rvh._tables.structure import CR, LF, QUOTE

Bytes = NDArray[np.uint8]
Places = NDArray[np.intp]


class RowTexts:
    """Rows as their text, and where the fields in them are.

    Parameters
    ----------
    data : bytes-like
    ends : array, shape (1 + rows * columns,)
        Where the delimiters and newlines are: a newline before each row, and one behind the last.
    columns : int
    quoted : bool
        Whether some values have quotes around them.
    """

    def __init__(self, data: Any, ends: Places, columns: int, quoted: bool) -> None:
        self._quoted = quoted
        self._data = pa.py_buffer(data)
        self._ends = ends.astype(np.int32)
        self._columns = columns
        #: each row with the newline before it, in place of the one at its end
        self.rows = self._texts(self._ends[::columns])

    def _texts(self, bounds: Any) -> Any:
        buffers = [None, pa.py_buffer(np.ascontiguousarray(bounds)), self._data]
        return pa.Array.from_buffers(pa.string(), len(bounds) - 1, buffers)

    def column(self, position: int) -> Any:
        """The values of a column, without the quotes around them."""
        starts = self._ends[position : -1 : self._columns] + 1
        bounds = np.stack([starts, self._ends[position + 1 :: self._columns]], axis=1).ravel()
        # Between two values of the column is all that is between them.
        values = self._texts(bounds).take(pa.array(np.arange(0, len(bounds), 2)))
        if not self._quoted:
            return values
        quoted = pc.starts_with(values, '"')
        if not pc.any(quoted).as_py():
            return values
        inner = pc.replace_substring(pc.utf8_slice_codeunits(values, 1, -1), '""', '"')
        return pc.if_else(quoted, inner, values)


def row_texts(
    data: bytes, delimiter: str, quoted: bool, columns: int, limit: int
) -> tuple[RowTexts, int] | None:
    r"""The whole rows at the start of `data`, and the bytes that they take behind its newline.

    Parameters
    ----------
    data : bytes
        A newline, then text that `Structure` has let pass, from the start of a row.
    delimiter : str
    quoted : bool
        Whether quotes are around values.
    columns : int
    limit : int
        The longest row, in bytes.

    Returns
    -------
    RowTexts, int
        Empty lines are left out. None where the text needs a closer look: quotes within a value
        that has none around it, a row with too many or too few values, or one that is too long,
        bytes that are not UTF-8.

    Examples
    --------
    >>> found, size = row_texts(b'\na,"b"\r\n"c,d",e\nf', ",", True, 2, 99)
    >>> found.rows.to_pylist(), found.column(0).to_pylist(), size
    (['\na,b', '\n"c,d",e'], ['a', 'c,d'], 15)
    """
    values = np.frombuffer(data, np.uint8)
    places = np.flatnonzero((values == LF) | (values == ord(delimiter)))
    drop: list[Places] = []
    within: Places = np.empty(0, np.intp)  # quotes
    if quoted and b'"' in data:
        within = np.flatnonzero(values == QUOTE)
        special, places = places, places[np.searchsorted(within, places) % 2 == 0]
    newlines = np.flatnonzero(values[places] == LF)
    places = places[: newlines[-1] + 1]
    ends = places[newlines]
    last = int(ends[-1])
    sizes = np.diff(ends)
    if len(sizes) and sizes.max() > limit:
        return None
    if b"\r" in data:
        returns = np.flatnonzero(values[:last] == CR)
        if len(within):
            special = np.sort(np.concatenate([special, returns]))
            returns = returns[np.searchsorted(within, returns) % 2 == 0]
        drop.append(returns)
        sizes = sizes - (values[ends[1:] - 1] == CR)
    if len(within):
        unneeded = _unneeded_quotes(values, within[: np.searchsorted(within, last)], special)
        if unneeded is None:
            return None
        drop.append(unneeded)
    if (empty := sizes <= 1).any():
        drop.append(ends[1:][empty])
        places = np.delete(places, newlines[1:][empty])
    if len(places) % columns != 1 % columns or (values[places[::columns]] != LF).any():
        return None
    if np.count_nonzero(values[places] == LF) * columns != len(places) - 1 + columns:
        return None
    text: Any = memoryview(data)[: last + 1]
    if drop and len(gaps := np.sort(np.concatenate(drop))):
        text = np.delete(values[: last + 1], gaps)
        places = places - np.searchsorted(gaps, places)
    found = RowTexts(text, places, columns, len(within) > 0)
    try:
        found.rows.validate(full=True)
    except pa.ArrowInvalid:
        return None
    return found, last


def _unneeded_quotes(values: Bytes, quotes: Places, special: Places) -> Places | None:
    """The quotes around values that need none; None where others are not around a value.

    `special` is where the delimiters and line ends are, those within quotes too.
    """
    opening, closing = quotes[::2], quotes[1::2]
    first, after = np.searchsorted(special, opening), np.searchsorted(special, closing)
    doubled = opening[1:] == closing[:-1] + 1  # within a value: it goes on
    opens = np.concatenate([[False], doubled])
    closes = np.concatenate([doubled, [False]])
    # A delimiter or line end is right before the one and right behind the other.
    at_start = opens | (special[first - 1] == opening - 1)
    at_end = closes | (special[np.minimum(after, len(special) - 1)] == closing + 1)
    if not (at_start.all() and at_end.all()):
        return None
    needless = (first == after) & ~opens & ~closes
    return np.concatenate([opening[needless], closing[needless]])
