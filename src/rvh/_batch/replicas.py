"""Rows of nodes beside one another: which of a row's nodes the same row of another table lacks.

Rows of a few nodes are compared node by node; those of many in time that grows with their length
alone, by a mark for each node that there is.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rvh._backend import distinct
from rvh._columns.column import Chunks, KeyColumn, Kind
from rvh._runtime.slices import SLICE, slices
from rvh.keys import column

__all__ = ["FEW", "absent", "numbered", "repeated"]

#: nodes of a row up to which they are compared one by one
FEW = 32
#: marks at a time: 16 MB
MARKS = 1 << 21


def absent(rows: NDArray[Any], others: NDArray[Any], count: int) -> NDArray[np.bool_]:
    """Where a node of a row is not in the same row of `others`.

    Parameters
    ----------
    rows : ndarray of integers, shape (M, a)
        Numbers of nodes, 0 to count - 1; -1 is none, which is in no row. Where there are few
        columns in either, nodes of any dtype.
    others : ndarray, shape (M, b)
    count : int

    Returns
    -------
    ndarray of bool, shape (M, a)

    Examples
    --------
    >>> absent(np.array([[0, 1, -1]]), np.array([[1, 2]]), 3)
    array([[ True, False,  True]])
    """
    found = np.ones(rows.shape, dtype=np.bool_)
    if min(rows.shape[1], others.shape[1]) <= FEW:
        for part in slices(len(rows), max(1, SLICE // max(1, *rows.shape[1:], *others.shape[1:]))):
            a, b, to = rows[part], others[part], found[part]
            for i in range(a.shape[1] if a.shape[1] <= FEW else 0):
                if b.shape[1] > FEW:
                    to[:, i] = (a[:, i, None] != b).all(axis=1)
                else:  # column by column is faster where rows are short
                    for j in range(b.shape[1]):
                        to[:, i] &= a[:, i] != b[:, j]
            for j in range(b.shape[1] if a.shape[1] > FEW else 0):
                to &= a != b[:, j, None]
        if rows.dtype.kind in "iu":
            found |= rows < 0
        return found
    marks = np.zeros(_height(count, others) * (count + 1), dtype=np.bool_)
    for part in slices(len(rows), _height(count, others)):
        here, there = _places(rows[part], count), _places(others[part], count)
        to = found[part].reshape(-1)  # rows are whole: a view
        for each in slices(len(there)):
            marks[there[each]] = True
        marks[count :: count + 1] = False  # none
        for each in slices(len(here)):
            to[each] = ~marks[here[each]]
        for each in slices(len(there)):
            marks[there[each]] = False
    return found


def repeated(rows: NDArray[Any], count: int) -> NDArray[np.bool_]:
    """Where a node stands in its row already.

    Examples
    --------
    >>> repeated(np.array([[1, 0, 1, -1, -1]]), 2)
    array([[False, False,  True, False, False]])
    """
    found = np.zeros(rows.shape, dtype=np.bool_)
    if rows.shape[1] <= FEW:
        for part in slices(len(rows), max(1, SLICE // max(1, rows.shape[1]))):
            for i in range(1, rows.shape[1]):
                found[part, i] = (rows[part, :i] == rows[part, i, None]).any(axis=1)
    else:
        first = np.empty(_height(count, rows) * (count + 1), dtype=np.intp)
        for part in slices(len(rows), _height(count, rows)):
            here = _places(rows[part], count)
            order = np.arange(len(here))
            to = found[part].reshape(-1)
            for each in reversed(list(slices(len(here)))):  # of equal places the last one stays
                first[here[each][::-1]] = order[each][::-1]
            for each in slices(len(here)):
                to[each] = first[here[each]] != order[each]
    return found & (rows >= 0)


def numbered(*tables: NDArray[Any]) -> tuple[list[NDArray[np.intp]], int]:
    """The numbers of ids, the same for those of the same bytes, and how many there are.

    Examples
    --------
    >>> numbered(np.array([["a", "b"]]), np.array([[b"b"]]))
    ([array([[0, 1]]), array([[1]])], 2)
    """
    flat = [column(table.reshape(-1), "ids") for table in tables]
    together = KeyColumn._unchecked(Kind.CHUNKS, Chunks(flat))
    spans, codes = distinct(together, 0, len(together))
    found, start = [], 0
    for table in tables:
        part = codes[start : start + table.size].astype(np.intp)
        found.append(part.reshape(table.shape))
        start += table.size
    return found, len(spans)


def _height(count: int, rows: NDArray[Any]) -> int:
    """Rows that are worked on together."""
    return int(max(1, min(len(rows), MARKS // (count + 1), SLICE // max(1, rows.shape[1]))))


def _places(rows: NDArray[Any], count: int) -> NDArray[np.intp]:
    """Where the mark of each node of each row is: row by row, the last of a row for none."""
    places = np.where(rows < 0, count, rows).astype(np.intp, copy=False)
    places += np.arange(len(rows)).reshape(-1, 1) * (count + 1)
    return places.reshape(-1)
