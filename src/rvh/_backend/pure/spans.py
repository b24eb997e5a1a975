"""Keys made and compared: composite keys, and the distinct keys of a column."""

from __future__ import annotations

from collections.abc import Collection
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from rvh._columns.column import KeyColumn, Spans


def compose(parts: list[KeyColumn | bytes], rows: int) -> Spans:
    """Composite keys: row by row, the bytes of each part.

    Parameters
    ----------
    parts : list of KeyColumn or bytes
        Columns of ``rows`` elements; or the bytes of a part, the same in every row.
    rows : int
    """
    keys = [
        b"".join(part if isinstance(part, bytes) else part.part_at(row) for part in parts)
        for row in range(rows)
    ]
    return _spans(keys)


def pack(keys: KeyColumn, start: int, stop: int) -> Spans:
    """The bytes of rows ``start`` to ``stop`` of a plain column, one after another."""
    return _spans(list(keys.iter_bytes(start, stop)))


def distinct(keys: KeyColumn, start: int, stop: int) -> tuple[Spans, NDArray[np.uint32]]:
    """The distinct keys of rows ``start`` to ``stop``, and which of them each row has.

    Parameters
    ----------
    keys : KeyColumn
        A plain column, or chunks of plain columns.
    start, stop : int
        Fewer than 2^32 rows.

    Returns
    -------
    spans : Spans
        The distinct keys, in order of first appearance.
    codes : ndarray of uint32, shape (stop - start,)
        The bytes of row i are number ``codes[i]`` of the spans.

    Notes
    -----
    The compiled backend looks for a key in a few places only. Where keys were made to have equal
    hashes, some of its spans are the same; here all are different, always.
    """
    numbers: dict[bytes, int] = {}
    codes = np.fromiter(
        (numbers.setdefault(key, len(numbers)) for key in keys.iter_bytes(start, stop)),
        dtype=np.uint32,
        count=stop - start,
    )
    return _spans(numbers), codes


def _spans(keys: Collection[bytes]) -> Spans:
    offsets = np.array([0, *accumulate(map(len, keys))], dtype=np.uint64)
    return Spans._unchecked(np.frombuffer(b"".join(keys), dtype=np.uint8), offsets)
