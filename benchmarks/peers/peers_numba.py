"""The numba row: the fastest that a user would write, from an Arrow column's own buffers.

Imported where the row is made: it needs numba.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit, uint64
from numpy.typing import NDArray

M = np.uint64(0xC6A4A7935BD1E995)  # MurmurHash64A's multiplier
FIRST, SECOND = np.uint64(0xFF51AFD7ED558CCD), np.uint64(0xC4CEB9FE1A85EC53)
HALF = np.uint64(32)
SHIFT = np.uint64(47)
ELEVEN = np.uint64(11)


@njit(inline="always")
def word(data, at, count):
    # LLVM makes one load of eight of these.
    value = uint64(0)
    for i in range(count):
        value |= uint64(data[at + i]) << uint64(8 * i)
    return value


@njit(inline="always")
def absorb(h, w):
    w *= M
    return (h ^ (w ^ (w >> SHIFT))) * M


@njit(inline="always")
def hash_key(data, start, stop):
    h = uint64(stop - start) * M
    at = start
    while at + 8 <= stop:
        h = absorb(h, word(data, at, 8))
        at += 8
    if at < stop:  # the last eight bytes, some of them again, spare a loop over single ones
        h = absorb(h, word(data, stop - 8, 8) if stop - start >= 8 else word(data, at, stop - at))
    return h ^ (h >> SHIFT)


@njit(inline="always")
def mix(h, seed):
    x = (h ^ seed) * FIRST
    return (x ^ (x >> HALF)) * SECOND


@njit
def compared(data, offsets, seeds, out):
    for row in range(len(out)):
        h = hash_key(data, offsets[row], offsets[row + 1])
        best, chosen = mix(h, seeds[0]), 0
        for n in range(1, len(seeds)):
            score = mix(h, seeds[n])
            if score > best:
                best, chosen = score, n
        out[row, 0] = chosen


@njit
def in_low_bits(data, offsets, seeds, out):
    # A maximum without a branch, over as many nodes at a time as the processor has lanes.
    low = uint64(1)
    while low < len(seeds):
        low <<= uint64(1)
    low -= uint64(1)
    for row in range(len(out)):
        h = hash_key(data, offsets[row], offsets[row + 1])
        best = uint64(0)
        for n in range(len(seeds)):
            best = max(best, (mix(h, seeds[n]) & ~low) | uint64(n))
        out[row, 0] = best & low


@njit
def top(data, offsets, seeds, out):
    k = out.shape[1]
    best = np.empty(k, np.uint64)
    for row in range(len(out)):
        h = hash_key(data, offsets[row], offsets[row + 1])
        filled = 0
        for n in range(len(seeds)):
            score = mix(h, seeds[n])
            if filled == k and score <= best[k - 1]:
                continue
            at = min(filled, k - 1)
            while at > 0 and score > best[at - 1]:
                best[at] = best[at - 1]
                out[row, at] = out[row, at - 1]
                at -= 1
            best[at] = score
            out[row, at] = n
            filled = min(filled + 1, k)


@njit
def weighted(data, offsets, seeds, inverse, out):
    for row in range(len(out)):
        h = hash_key(data, offsets[row], offsets[row + 1])
        best, chosen = -np.inf, 0
        for n in range(len(seeds)):
            uniform = (np.float64(mix(h, seeds[n]) >> ELEVEN) + 0.5) * 2.0**-53
            score = np.log(uniform) * inverse[n]
            if score > best:
                best, chosen = score, n
        out[row, 0] = chosen


def over_arrow(
    seeds: NDArray[np.uint64], k: int, weights: list[int] | None, pick: str
) -> Callable[[Any], NDArray[np.intp]]:
    def run(column: Any) -> NDArray[np.intp]:
        _, offsets, data = column.buffers()
        ends = np.frombuffer(offsets, np.int32)[column.offset : column.offset + len(column) + 1]
        characters = np.frombuffer(data, np.uint8)
        out = np.empty((len(column), k), dtype=np.intp)
        if weights is not None:
            weighted(characters, ends, seeds, 1 / np.array(weights, dtype=float), out)
        elif k > 1:
            top(characters, ends, seeds, out)
        else:
            (compared if pick == "compare" else in_low_bits)(characters, ends, seeds, out)
        return out

    return run
