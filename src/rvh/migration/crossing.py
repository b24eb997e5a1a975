"""Where keys cross from the old placement to the new one.

It depends on the key alone: ``MurmurHash64A(key, seed 2718281828) / 2^64``, which is also what puts
keys into partitions.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rvh import keys as _keys
from rvh._batch.answers import points_of
from rvh._columns.values import is_whole
from rvh._runtime.slices import slices
from rvh.errors import RVHError, RVHTypeError, show

if TYPE_CHECKING:
    from rvh.typing import Keys

__all__ = [
    "CROSSING",
    "CROSSING_END",
    "crossed_batch",
    "crossing_batch",
    "crossing_limit",
    "step_numbers",
]

#: the hash of a key that is its crossing point; partition tables use the same
CROSSING = "murmur2"
#: crossing points are below this
CROSSING_END = 1 << 64
_CROSSING_END = float(CROSSING_END)


def crossing_batch(keys: Keys, threads: int | None = None) -> NDArray[np.uint64]:
    """Return the crossing points of keys, times 2^64."""
    with _keys.open_keys(keys) as column:
        return points_of(CROSSING, column, threads)


def crossed_batch(keys: Keys, progress: Any, threads: int | None = None) -> NDArray[np.bool_]:
    """Return flags of the keys that have crossed."""
    limit = crossing_limit(progress)
    points = crossing_batch(keys, threads)
    if limit == CROSSING_END:
        return np.ones(len(points), dtype=np.bool_)
    return points < np.uint64(limit)


def crossing_limit(progress: Any) -> int:
    """Return the crossing point below which keys have crossed."""
    if type(progress) is float and 0 <= progress <= 1:
        return math.ceil(progress * _CROSSING_END)  # exact: a power of two
    if not is_whole(progress) and not isinstance(progress, (float, Fraction, np.floating)):
        raise RVHTypeError(f"progress is {show(progress)}: pass a number from 0 to 1")
    if not 0 <= progress <= 1:  # also true for NaN
        raise RVHError(f"progress is {show(progress)}: pass a number from 0 to 1")
    exact = progress if isinstance(progress, Fraction) else Fraction(float(progress))
    return math.ceil(exact * CROSSING_END)


def step_numbers(points: NDArray[np.uint64], steps: int) -> NDArray[np.intp]:
    """Return the number of the step of each crossing point: ``floor(point * steps / 2^64)``."""
    numbers = np.empty(len(points), dtype=np.intp)
    count, half = np.uint64(steps), np.uint64(32)
    for part in slices(len(points)):  # in halves of 32 bits
        high, low = points[part] >> half, points[part] & np.uint64(0xFFFFFFFF)
        numbers[part] = (high * count + (low * count >> half)) >> half
    return numbers
