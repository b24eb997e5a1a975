"""Answers for a column of keys of any kind: each key is worked on once, and answers are handed out.

Chunks are gone through one after the other; of codes the categories are worked on, and each row
gets its category's answer. What a backend sees is a plain column.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rvh._backend import Cancel, key_points
from rvh._batch.dedupe import deduplicated
from rvh._batch.threads import Work, over_rows, thread_count
from rvh._columns.column import Chunks, Codes, KeyColumn, Kind
from rvh._runtime.slices import SLICE, put, take


def fill(work: Work, keys: KeyColumn, out: NDArray[Any], cost: int, threads: int | None) -> None:
    """Let ``work`` on plain columns fill ``out``, a row for each key, on several threads.

    Parameters
    ----------
    work : callable
        ``work(column, start, stop, out, cancel)`` answers for elements ``start`` to ``stop``.
    keys : KeyColumn
    out : ndarray, shape (M, ...)
    cost : int
        What a key takes, in compressions of BLAKE2b.
    threads : int, optional
    """
    if keys.kind is Kind.CODES:
        _fill_by_category(work, keys.values, out, cost, threads)
    elif keys.kind is Kind.CHUNKS:
        _fill_chunks(work, keys.values, out, cost, threads)
    else:
        over_rows(work, keys, out, cost, threads)


def fill_deduplicated(
    work: Work,
    keys: KeyColumn,
    out: NDArray[Any],
    cost: int,
    threads: int | None,
    dedupe: Any,
    price: float,
) -> None:
    """`fill` that works on a repeated key once.

    Parameters
    ----------
    work, keys, out, cost, threads
        As for `fill`.
    dedupe : bool or "auto"
        Whether to look for repeated keys; by default where that saves time.
    price : float
        What a key takes, as ``cost``, but to a fraction.

    Raises
    ------
    RVHError
        ``dedupe`` is something else.
    """
    price /= thread_count(threads, len(keys) * cost)
    for piece, first in deduplicated(keys, dedupe, price):
        fill(work, piece, out[first : first + len(piece)], cost, threads)


def points_of(kind: str, keys: KeyColumn, threads: int | None) -> NDArray[np.uint64]:
    """The points of all keys, shape (M,): see `key_points`."""
    out = np.empty(len(keys), dtype=np.uint64)
    fill(partial(key_points, kind), keys, out, 1, threads)
    return out


def _fill_by_category(
    work: Work, values: Codes, out: NDArray[Any], cost: int, threads: int | None
) -> None:
    categories, codes = values.categories, values.codes
    if len(categories) > len(codes):  # most are not used
        used, codes = used_codes(codes, len(categories))
        categories = categories._take(used)
    answers = np.empty((len(categories), *out.shape[1:]), out.dtype)
    fill(work, categories, answers, cost, threads)
    over_rows(partial(_hand_out, answers), codes, out, 1, threads)


def _hand_out(
    answers: NDArray[Any],
    codes: NDArray[Any],
    start: int,
    stop: int,
    out: NDArray[Any],
    cancel: Cancel,
) -> None:
    """Give each row the answer of its category."""
    take(answers, codes[start:stop], out)


def _fill_chunks(
    work: Work, chunks: Chunks, out: NDArray[Any], cost: int, threads: int | None
) -> None:
    if any(column.kind is Kind.CODES for column in chunks.columns):
        for column, _, stop, first in chunks.pieces(0, len(chunks)):
            fill(work, column, out[first : first + stop], cost, threads)
    else:
        over_rows(partial(_fill_pieces, work), chunks, out, cost, threads)


def _fill_pieces(
    work: Work, chunks: Chunks, start: int, stop: int, out: NDArray[Any], cancel: Cancel
) -> None:
    """Answer for elements ``start`` to ``stop``, which may be of several chunks."""
    for column, a, b, first in chunks.pieces(start, stop):
        work(column, a, b, out[first - start : first - start + b - a], cancel)


def used_codes(codes: NDArray[Any], count: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The codes that there are, ascending, and the place of each among them.

    `np.unique` with ``return_inverse`` sorts, so that a signal would wait for all of it.

    Examples
    --------
    >>> used_codes(np.array([5, 3, 5], dtype=np.int8), 7)
    (array([3, 5]), array([1, 0, 1]))
    """
    if len(codes) <= SLICE:
        few, inverse = np.unique(codes, return_inverse=True)
        return few.astype(np.intp, copy=False), inverse
    is_used = np.zeros(count, dtype=np.bool_)
    put(is_used, codes, True)
    used = np.flatnonzero(is_used)
    place = np.empty(count, dtype=np.intp)
    put(place, used, np.arange(len(used)))
    return used, take(place, codes)
