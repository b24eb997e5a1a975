"""Rows of delimited text as they are to be written again: their own bytes, less what is optional.

A row that was read is written with quotes only where they are needed, and ends with a newline. All
that this takes from the bytes of most files is to leave some out.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
from numpy.typing import NDArray

from rvh._backend import whole_rows

Places = NDArray[np.int32]


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
        self._ends = ends
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
    made = whole_rows(data, ord(delimiter), quoted, columns, limit)
    if made is None:
        return None
    text, ends, last = made
    found = RowTexts(text, ends, columns, quoted and b'"' in data)
    try:
        found.rows.validate(full=True)
    except pa.ArrowInvalid:
        return None
    return found, last
