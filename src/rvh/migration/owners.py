"""The nodes of keys at a progress: the old ones until a key crosses, then the new ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rvh import keys as _keys
from rvh._backend import key_point
from rvh._batch.replicas import number_ids
from rvh._placing import select
from rvh.migration.crossing import CROSSING, crossed_batch, crossing_limit
from rvh.migration.pair import without

if TYPE_CHECKING:
    from rvh.migration.pair import Pair
    from rvh.typing import Key, Keys

__all__ = ["owners", "owners_batch"]


def owners_batch(
    pair: Pair, keys: Keys, progress: float, threads: int | None = None
) -> NDArray[Any]:
    """Return the nodes of every key, shape (M, k), or (M, max(k, k_new)) padded with None."""
    with _keys.open_keys_with_objects(keys) as opened:
        crossed = crossed_batch(opened[0], progress, threads)
        old = select(pair._old, "old", opened, pair._k, threads)
        new = select(pair._new, "new", opened, pair._k_new, threads)
    if pair._dead or pair._k != pair._k_new:
        width = max(pair._k, pair._k_new)
        old, new = (_living(nodes, width, pair._dead) for nodes in (old, new))
    elif old.dtype.kind != new.dtype.kind:  # the ids of one are str, of the other bytes
        old, new = old.astype(object), new.astype(object)
    return np.where(crossed[:, None], new, old)


def _living(nodes: NDArray[Any], width: int, dead: tuple[Any, ...]) -> NDArray[Any]:
    """Return the nodes that are not dead, then None, as objects of shape (M, width)."""
    living = np.full((len(nodes), width), None, dtype=object)
    living[:, : nodes.shape[1]] = nodes
    if dead:
        (numbers, gone), _ = number_ids(nodes, np.array([dead], dtype=object))
        is_dead = np.zeros(living.shape, dtype=np.bool_)
        is_dead[:, : nodes.shape[1]] = np.isin(numbers, gone)
        living[is_dead] = None
        order = np.argsort(is_dead, axis=1, kind="stable")
        living = np.take_along_axis(living, order, axis=1)
    return living


def owners(pair: Pair, key: Key, progress: float) -> list[Any]:
    """Return the nodes of one key."""
    crossed = key_point(CROSSING, key) < crossing_limit(progress)
    nodes = pair._ones[-1 if crossed else 0](key)
    return without(nodes, pair._dead_bytes) if pair._dead else nodes
