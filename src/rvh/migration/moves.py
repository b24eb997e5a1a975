"""What has to be copied: for each key the nodes that lose it and the nodes that get it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rvh import keys as _keys
from rvh._batch.replicas import FEW, find_absent, number_ids
from rvh._placing import select
from rvh._runtime.slices import SLICE, slices

if TYPE_CHECKING:
    from rvh.migration.pair import Pair
    from rvh.typing import Keys

__all__ = ["Moved", "moves"]


class Moved(NamedTuple):
    """The replicas to copy: one row for each.

    Parameters
    ----------
    row : ndarray of intp, shape (m,)
        The position of the key among the keys, ascending.
    source, target : ndarrays, shape (m,)
        The node that loses the key, and the node that gets it instead. If a key has several of
        both, they are paired in order.
    """

    row: NDArray[np.intp]
    source: NDArray[Any]
    target: NDArray[Any]


def moves(pair: Pair, keys: Keys, threads: int | None = None) -> Moved:
    """Return one row for each node that is new for a key."""
    with _keys.open_keys_with_objects(keys) as opened:
        old = select(pair._old, "old", opened, pair._k, threads)
        new = select(pair._new, "new", opened, pair._k, threads)
    by_number = old.dtype.kind != new.dtype.kind or old.dtype == object or pair._k > FEW
    moved = [(np.empty(0, dtype=np.intp), old[:0, 0], new[:0, 0])]
    for part in slices(len(old), max(1, SLICE // pair._k)):
        (a, b), count = (old[part], new[part]), 0
        if by_number:
            (a, b), count = number_ids(a, b)
        removed, added = find_absent(a, b, count), find_absent(b, a, count)
        # A row has as many removed nodes as added ones, so the flattened masks are aligned.
        rows = part.start + np.nonzero(removed)[0]
        moved.append((rows, old[part][removed], new[part][added]))
    return Moved(*(np.concatenate(column) for column in zip(*moved, strict=True)))
