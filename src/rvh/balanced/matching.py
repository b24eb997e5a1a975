"""The stable matching of keys and nodes with room for some load.

Keys and nodes are matched like students and colleges: each key proposes to its nodes in the order
of its ranking, and a full node keeps the keys that score highest on it. That matching is unique, so
it does not depend on the order of the rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rvh._backend import Matching, distinct
from rvh._columns.column import KeyColumn
from rvh.errors import keys_changed
from rvh.nodes import NodeSet

__all__ = ["match"]

#: how many times longer a key's list of nodes becomes when all nodes in it are full
LIST_GROWTH = 8
#: more than all keys together
LOAD_MAX = 2**63


def match(
    nodes: NodeSet,
    column: KeyColumn,
    room: Sequence[int],
    sizes: NDArray[np.uint64] | None,
    threads: int | None,
    dedupe: Any,
) -> NDArray[np.intp]:
    """Match the keys of a column with nodes: the position of each key's node.

    Parameters
    ----------
    nodes : NodeSet
    column : KeyColumn, length M
    room : sequence of int, shape (N,)
        The load with which each node is full; all together at least that of all keys.
    sizes : ndarray of uint64, shape (M,), optional
        As `rvh._backend.Matching` takes them.
    threads, dedupe
        As for `NodeSet.argselect_batch`.
    """
    capacity = np.array([min(each, LOAD_MAX) for each in room], dtype=np.uint64)
    owners = np.empty(len(column), dtype=np.intp)
    best = _rank(nodes, column, 1, threads, dedupe)
    if not _try_match(nodes, column, capacity, sizes, threads, best, owners, False):
        _try_match(nodes, column, capacity, sizes, threads, best, owners, True)
    return owners


def _try_match(
    nodes: NodeSet,
    column: KeyColumn,
    capacity: NDArray[np.uint64],
    sizes: NDArray[np.uint64] | None,
    threads: int | None,
    best: NDArray[np.uint64],
    owners: NDArray[np.intp],
    with_ties: bool,
) -> bool:
    """Match by scores alone, or with the keys' bytes too if `with_ties`; return False on a tie.

    A tie of two keys cannot be decided without their bytes, which few calls need.
    """
    spans = codes = None
    if with_ties:
        spans, codes = distinct(column.with_plain_chunks(), 0, len(column))
    ranking = nodes._ranking
    matching = Matching(ranking.nodes, capacity, sizes, owners, spans, codes)
    unmatched = matching.offer(None, best)
    if unmatched is None or len(unmatched) == 0:
        return unmatched is not None
    lengths = np.ones(len(column), dtype=np.uint32)  # of each key's list of nodes
    while unmatched is not None and len(unmatched) > 0:
        shortest = int(lengths[unmatched].min())
        if shortest == ranking.selectable:
            raise keys_changed()  # there is room for every key, so no list should be too short
        rows = np.sort(unmatched[lengths[unmatched] == shortest])
        rest = unmatched[lengths[unmatched] > shortest]
        k = min(LIST_GROWTH * shortest, ranking.selectable)
        more = matching.offer(rows, _rank(nodes, column._take(rows), k, threads, False))
        lengths[rows] = k
        unmatched = None if more is None else np.concatenate([rest, more])
    return unmatched is not None


def _rank(
    nodes: NodeSet, column: KeyColumn, k: int, threads: int | None, dedupe: Any
) -> NDArray[np.uint64]:
    """The best k nodes of every key, followed by their words: shape (M, 2 * k)."""
    ranking = nodes._ranking
    out = np.empty((len(column), 2 * k), dtype=np.uint64)
    ranking.fill(ranking.nodes.rank, column, out, k, threads, dedupe)
    return out
