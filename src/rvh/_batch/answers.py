"""Answers for columns of any kind, from work on plain columns.

Backends read plain columns only. Chunks are answered one after another. For codes, the categories
are answered, and each row gets the answer of its category.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rvh._backend import Cancel, key_points
from rvh._batch.dedupe import deduplicate
from rvh._batch.threads import Work, over_rows, thread_count
from rvh._columns.column import Chunks, Codes, KeyColumn, Kind
from rvh._runtime.slices import SLICE, put, take


def fill(work: Work, keys: KeyColumn, out: NDArray[Any], cost: int, threads: int | None) -> None:
    """Fill ``out``, a row for each key, by ``work`` on plain columns, on several threads.

    Parameters
    ----------
    work : callable
        ``work(column, start, stop, out, cancel)`` answers for elements ``start`` to ``stop``.
    keys : KeyColumn
    out : ndarray, shape (M, ...)
    cost : int
        The time of a key, in compressions of BLAKE2b.
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
    exact_cost: float,
) -> None:
    """Fill ``out`` as `fill` does, but answer a repeated key once.

    Parameters
    ----------
    work, keys, out, cost, threads
        As for `fill`.
    dedupe : bool or "auto"
        True to look for repeated keys; by default if that saves time.
    exact_cost : float
        The same as ``cost``, not rounded.

    Raises
    ------
    RVHError
        ``dedupe`` is something else.
    """
    # Counted once, which takes 2 us: the number of its blocks limits the threads of a part anyway.
    count = thread_count(threads, len(keys) * cost)
    for piece, first in deduplicate(keys, dedupe, exact_cost / count):
        fill(work, piece, out[first : first + len(piece)], cost, count)


def points_of(
    kind: str, keys: KeyColumn, threads: int | None, tag: bytes = b""
) -> NDArray[np.uint64]:
    """Return the points of all keys, shape (M,): see `key_points`."""
    out = np.empty(len(keys), dtype=np.uint64)
    fill(partial(key_points, kind, tag=tag), keys, out, 1, threads)
    return out


def _fill_by_category(
    work: Work, values: Codes, out: NDArray[Any], cost: int, threads: int | None
) -> None:
    categories, codes = values.categories, values.codes
    if len(categories) > len(codes):  # many categories have no row
        used, codes = used_codes(codes, len(categories))
        categories = categories._take(used)
    answers = np.empty((len(categories), *out.shape[1:]), out.dtype)
    fill(work, categories, answers, cost, threads)
    # Blocks of as many ids, whatever k is: a signal waits for those that other threads work on.
    over_rows(partial(expand, answers), codes, out, max(1, answers[:1].size), threads)


def expand(
    answers: NDArray[Any],
    codes: NDArray[Any],
    start: int,
    stop: int,
    out: NDArray[Any],
    cancel: Cancel,
) -> None:
    """Give each row the answer of its category: the work of `over_rows` on codes."""
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
    """Answer elements ``start`` to ``stop``, which may belong to several chunks."""
    for column, a, b, first in chunks.pieces(start, stop):
        work(column, a, b, out[first - start : first - start + b - a], cancel)


def used_codes(codes: NDArray[Any], count: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the distinct codes, ascending, and the index of each code in them.

    It is `np.unique` with ``return_inverse``, whose sort would keep a signal waiting.

    Examples
    --------
    >>> used_codes(np.array([5, 3, 5], dtype=np.int8), 7)
    (array([3, 5]), array([1, 0, 1]))
    """
    if len(codes) <= SLICE:
        unique, inverse = np.unique(codes, return_inverse=True)
        return unique.astype(np.intp, copy=False), inverse
    is_used = np.zeros(count, dtype=np.bool_)
    put(is_used, codes, True)
    used = np.flatnonzero(is_used)
    index = np.empty(count, dtype=np.intp)
    put(index, used, np.arange(len(used)))
    return used, take(index, codes)
