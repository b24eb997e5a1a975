"""Buckets by number: jump hash and JumpBackHash."""

from __future__ import annotations

import numpy as np

from rvh._backend.pure.schemes import WORD
from rvh._backend.pure.stopping import Cancel
from rvh._columns.column import KeyColumn
from rvh._columns.values import key_word


def jump(
    buckets: int,
    names: np.ndarray | None,
    keys: KeyColumn,
    start: int,
    stop: int,
    out: np.ndarray,
    cancel: Cancel | None,
) -> None:
    """The first ``k`` distinct buckets, or their names, into ``out``, shape (rows, k)."""
    k = out.shape[1]
    for row, word in enumerate(keys.iter_words(start, stop)):
        if cancel is not None and cancel.is_set():
            return
        chosen = _distinct_jumps(word, buckets, k)
        out[row] = chosen if names is None else names[chosen]


def jumpback(
    buckets: int,
    keys: KeyColumn,
    start: int,
    stop: int,
    out: np.ndarray,
    cancel: Cancel | None,
) -> None:
    """The buckets of rows ``start`` to ``stop`` by JumpBackHash into ``out``, shape (rows,)."""
    for row, word in enumerate(keys.iter_words(start, stop)):
        if cancel is not None and cancel.is_set():
            return
        out[row] = _jumpback(word, buckets)


def jump_one(key: object, buckets: int, k: int) -> list[int]:
    """The first ``k`` distinct buckets of one key by jump hash."""
    return _distinct_jumps(key_word(key), buckets, k)


def jumpback_one(key: object, buckets: int) -> int:
    """The bucket of one key by JumpBackHash."""
    return _jumpback(key_word(key), buckets)


def _distinct_jumps(word: int, buckets: int, k: int) -> list[int]:
    chosen = {_jump(word, buckets): None}  # in their order
    attempt = 0
    while len(chosen) < k:
        attempt += 1
        chosen[_jump(_splitmix64(word, attempt), buckets)] = None
    return list(chosen)


def _jump(key: int, buckets: int) -> int:
    """Lamping and Veach's loop; a Python float is the double that theirs is."""
    bucket, jump = -1, 0
    while jump < buckets:
        bucket = jump
        key = (key * 2862933555777941757 + 1) & WORD
        jump = int((bucket + 1) * (float(1 << 31) / float((key >> 33) + 1)))
    return bucket


def _splitmix64(seed: int, number: int) -> int:
    """The output of that number, from 1, of SplitMix64."""
    z = (seed + number * 0x9E3779B97F4A7C15) & WORD
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & WORD
    z = (z ^ z >> 27) * 0x94D049BB133111EB & WORD
    return z ^ z >> 31


def _jumpback(key: int, buckets: int) -> int:
    """Ertl's algorithm: the set bits of one number, from the highest down, offer buckets.

    Bit q offers one of the buckets q to 2q - 1. Where the highest bit offers one that is not
    there, numbers below 2q are drawn: one below q passes to the next bit.
    """
    number = 1
    v = _splitmix64(key, number)
    bits = (v ^ v >> 32) & ((1 << (buckets - 1).bit_length()) - 1)
    while bits:
        q = 1 << bits.bit_length() - 1
        bucket = q + (v >> 32 * (bits.bit_count() & 1) & q - 1)
        draws: list[int] = []
        while bucket >= q:
            if bucket < buckets:
                return bucket
            if not draws:
                number += 1
                w = _splitmix64(key, number)
                draws = [w >> 32, w]
            bucket = draws.pop() & 2 * q - 1
        bits ^= q
    return 0
