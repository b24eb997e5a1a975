"""The nodes of keys at a progress: the old ones until a key crosses, then the new ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rvh import keys as _keys
from rvh._backend import key_point
from rvh._placing import select, select_one
from rvh.migration.crossing import CROSSING, crossed_batch, crossing_limit

if TYPE_CHECKING:
    from rvh.migration.pair import Pair
    from rvh.typing import Key, Keys

__all__ = ["owners", "owners_batch"]


def owners_batch(
    pair: Pair, keys: Keys, progress: float, threads: int | None = None
) -> NDArray[Any]:
    """Return the nodes of every key, shape (M, k)."""
    with _keys.open_keys_with_objects(keys) as opened:
        crossed = crossed_batch(opened[0], progress, threads)
        old = select(pair._old, "old", opened, pair._k, threads)
        new = select(pair._new, "new", opened, pair._k, threads)
    if old.dtype.kind != new.dtype.kind:  # the ids of one are str, of the other bytes
        old, new = old.astype(object), new.astype(object)
    return np.where(crossed[:, None], new, old)


def owners(pair: Pair, key: Key, progress: float) -> list[Any]:
    """Return the nodes of one key."""
    crossed = key_point(CROSSING, key) < crossing_limit(progress)
    if crossed:
        return select_one(pair._new, "new", key, pair._k)
    return select_one(pair._old, "old", key, pair._k)
