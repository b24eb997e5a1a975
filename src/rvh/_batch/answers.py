"""Answers for a column of keys of any kind: each key is worked on once, and answers are handed out.

Chunks are gone through one after the other; of codes the categories are worked on, and each row
gets its category's answer. What a backend sees is a plain column.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rvh._backend import Cancel, distinct, key_points
from rvh._batch.dedupe import has_codes, pays
from rvh._batch.threads import over_rows, thread_count
from rvh._columns.column import Codes, KeyColumn, Kind
from rvh._runtime.slices import SLICE, put, taken
from rvh.errors import RVHError, show

#: what does the work: a plain column, from, to, where the answers go, and whether to stop
Work = Callable[[KeyColumn, int, int, NDArray[Any], Cancel], None]


#: rows among which repeated keys are looked for together: memory does not grow with all of them
DEDUPE_ROWS = 1 << 20


def over_distinct_keys(
    work: Work,
    keys: KeyColumn,
    out: NDArray[Any],
    cost: int,
    threads: int | None,
    dedupe: Any,
    price: float,
) -> None:
    """`over_keys` that works on a repeated key once.

    Parameters
    ----------
    work, keys, out, cost, threads
        As for `over_keys`.
    dedupe : bool or "auto"
        Whether to look for repeated keys; by default where it pays.
    price : float
        What a key takes, as ``cost``, but to a fraction.

    Raises
    ------
    RVHError
        ``dedupe`` is something else.
    """
    if not (isinstance(dedupe, bool) or (isinstance(dedupe, str) and dedupe == "auto")):
        raise RVHError(f'dedupe is {show(dedupe)}: pass True, False or "auto"')
    if dedupe == "auto":
        dedupe = pays(keys, price / thread_count(threads, len(keys) * cost))
    if not dedupe or has_codes(keys):
        over_keys(work, keys, out, cost, threads)
        return
    for start in range(0, len(keys), DEDUPE_ROWS):
        stop = min(start + DEDUPE_ROWS, len(keys))
        spans, codes = distinct(keys, start, stop)
        categories = KeyColumn._made(Kind.SPANS, spans)
        coded = KeyColumn._made(Kind.CODES, Codes._made(categories, codes))
        over_keys(work, coded, out[start:stop], cost, threads)


def over_keys(
    work: Work, keys: KeyColumn, out: NDArray[Any], cost: int, threads: int | None
) -> None:
    """Fill ``out``, a row for each key, by ``work`` on plain columns, on several threads.

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
        _over_codes(work, keys, out, cost, threads)
    elif keys.kind is Kind.CHUNKS:
        _over_chunks(work, keys, out, cost, threads)
    else:

        def plain(start: int, stop: int, cancel: Cancel) -> None:
            work(keys, start, stop, out[start:stop], cancel)

        over_rows(plain, len(keys), cost, threads)


def points_of(kind: str, keys: KeyColumn, threads: int | None) -> NDArray[np.uint64]:
    """The points of all keys, shape (M,): see `key_points`."""

    def work(
        column: KeyColumn, start: int, stop: int, to: NDArray[np.uint64], cancel: Cancel
    ) -> None:
        key_points(kind, column, start, stop, to, cancel)

    out = np.empty(len(keys), dtype=np.uint64)
    over_keys(work, keys, out, 1, threads)
    return out


def _over_codes(
    work: Work, keys: KeyColumn, out: NDArray[Any], cost: int, threads: int | None
) -> None:
    categories, codes = keys.values.categories, keys.values.codes
    if len(categories) > len(codes):  # most are not used
        used, codes = used_codes(codes, len(categories))
        categories = categories._take(used)
    answers = np.empty((len(categories), *out.shape[1:]), out.dtype)
    over_keys(work, categories, answers, cost, threads)

    def hand_out(start: int, stop: int, cancel: Cancel) -> None:
        taken(answers, codes[start:stop], out[start:stop])

    over_rows(hand_out, len(codes), 1, threads)


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
    return used, taken(place, codes)


def _over_chunks(
    work: Work, keys: KeyColumn, out: NDArray[Any], cost: int, threads: int | None
) -> None:
    chunks = keys.values
    if any(column.kind is Kind.CODES for column in chunks.columns):
        for column, _, stop, first in chunks.pieces(0, len(chunks)):
            over_keys(work, column, out[first : first + stop], cost, threads)
        return

    def piece_by_piece(start: int, stop: int, cancel: Cancel) -> None:
        for column, a, b, first in chunks.pieces(start, stop):
            work(column, a, b, out[first : first + b - a], cancel)

    over_rows(piece_by_piece, len(chunks), cost, threads)
