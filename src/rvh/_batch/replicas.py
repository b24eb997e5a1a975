"""Comparison of tables of replicas: nodes of a row that the same row of another table lacks.

Rows of a few nodes are compared node by node. Longer rows take a mark for each node, so their time
grows with their length alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rvh._backend import distinct
from rvh._columns.column import Chunks, KeyColumn, Kind
from rvh._runtime.slices import SLICE, slices
from rvh.keys import column

__all__ = ["FEW", "find_absent", "find_repeated", "number_ids"]

#: the nodes of the longest row that is compared node by node
FEW = 32
#: marks in use at a time: 16 MB
MARKS = 1 << 21


def find_absent(rows: NDArray[Any], others: NDArray[Any], count: int) -> NDArray[np.bool_]:
    """Mark each node of a row that is not in the same row of `others`.

    Parameters
    ----------
    rows : ndarray of integers, shape (M, a)
        Numbers of nodes, 0 to count - 1; -1 stands for no node, and is marked. If either table has
        at most `FEW` columns, nodes of any dtype.
    others : ndarray, shape (M, b)
    count : int

    Returns
    -------
    ndarray of bool, shape (M, a)

    Examples
    --------
    >>> find_absent(np.array([[0, 1, -1]]), np.array([[1, 2]]), 3)
    array([[ True, False,  True]])
    """
    result = np.ones(rows.shape, dtype=np.bool_)
    if min(rows.shape[1], others.shape[1]) <= FEW:
        for part in slices(len(rows), max(1, SLICE // max(1, *rows.shape[1:], *others.shape[1:]))):
            a, b, to = rows[part], others[part], result[part]
            for i in range(a.shape[1] if a.shape[1] <= FEW else 0):
                if b.shape[1] > FEW:
                    to[:, i] = (a[:, i, None] != b).all(axis=1)
                else:  # column by column is faster where rows are short
                    for j in range(b.shape[1]):
                        to[:, i] &= a[:, i] != b[:, j]
            for j in range(b.shape[1] if a.shape[1] > FEW else 0):
                to &= a != b[:, j, None]
        if rows.dtype.kind in "iu":
            result |= rows < 0
        return result
    marks = np.zeros(_height(count, others) * (count + 1), dtype=np.bool_)
    for part in slices(len(rows), _height(count, others)):
        mark, other_mark = _mark_indices(rows[part], count), _mark_indices(others[part], count)
        to = result[part].reshape(-1)  # a view, since rows are whole
        for each in slices(len(other_mark)):
            marks[other_mark[each]] = True
        marks[count :: count + 1] = False  # the marks of no node
        for each in slices(len(mark)):
            to[each] = ~marks[mark[each]]
        for each in slices(len(other_mark)):
            marks[other_mark[each]] = False
    return result


def find_repeated(rows: NDArray[Any], count: int) -> NDArray[np.bool_]:
    """Mark each node that its row has before.

    Examples
    --------
    >>> find_repeated(np.array([[1, 0, 1, -1, -1]]), 2)
    array([[False, False,  True, False, False]])
    """
    result = np.zeros(rows.shape, dtype=np.bool_)
    if rows.shape[1] <= FEW:
        for part in slices(len(rows), max(1, SLICE // max(1, rows.shape[1]))):
            for i in range(1, rows.shape[1]):
                result[part, i] = (rows[part, :i] == rows[part, i, None]).any(axis=1)
    else:
        first = np.empty(_height(count, rows) * (count + 1), dtype=np.intp)
        for part in slices(len(rows), _height(count, rows)):
            mark = _mark_indices(rows[part], count)
            order = np.arange(len(mark))
            to = result[part].reshape(-1)
            for each in reversed(list(slices(len(mark)))):  # backwards: the first of equals stays
                first[mark[each][::-1]] = order[each][::-1]
            for each in slices(len(mark)):
                to[each] = first[mark[each]] != order[each]
    return result & (rows >= 0)


def number_ids(*tables: NDArray[Any]) -> tuple[list[NDArray[np.intp]], int]:
    """Number ids, equal bytes alike; also return the number of distinct ids.

    Examples
    --------
    >>> number_ids(np.array([["a", "b"]]), np.array([[b"b"]]))
    ([array([[0, 1]]), array([[1]])], 2)
    """
    flat = [column(table.reshape(-1), "ids") for table in tables]
    all_ids = KeyColumn._unchecked(Kind.CHUNKS, Chunks(flat))
    spans, codes = distinct(all_ids, 0, len(all_ids))
    numbers, start = [], 0
    for table in tables:
        part = codes[start : start + table.size].astype(np.intp)
        numbers.append(part.reshape(table.shape))
        start += table.size
    return numbers, len(spans)


def _height(count: int, rows: NDArray[Any]) -> int:
    """Return the number of rows that are compared together."""
    return int(max(1, min(len(rows), MARKS // (count + 1), SLICE // max(1, rows.shape[1]))))


def _mark_indices(rows: NDArray[Any], count: int) -> NDArray[np.intp]:
    """Return the index of the mark of each node: row by row, the last of a row for no node."""
    indices = np.where(rows < 0, count, rows).astype(np.intp, copy=False)
    indices += np.arange(len(rows)).reshape(-1, 1) * (count + 1)
    return indices.reshape(-1)
