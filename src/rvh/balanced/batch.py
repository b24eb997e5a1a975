"""Bounded load for a whole batch of keys."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rvh import keys as _keys
from rvh._arguments.sizes import as_sizes
from rvh._runtime.slices import take
from rvh.balanced.bounds import capacities, exact_factor, full_marks, no_room
from rvh.balanced.matching import match
from rvh.nodes import NodeSet, as_node_set

if TYPE_CHECKING:
    from rvh.typing import Dedupe, Keys, NodeIds, Scheme, Secret, Weights

__all__ = ["argassign_balanced", "assign_balanced"]


def argassign_balanced(
    nodes: NodeSet | NodeIds,
    keys: Keys,
    load_factor: float = 1.05,
    *,
    sizes: Any = None,
    weights: Weights | None = None,
    scheme: Scheme | None = None,
    secret: Secret | None = None,
    threads: int | None = None,
    dedupe: Dedupe = "auto",
) -> NDArray[np.intp]:
    """Find the node of every key under a bound on load, as positions in the node set.

    Parameters
    ----------
    nodes, keys, load_factor, sizes, weights, scheme, secret, threads, dedupe
        As for `assign_balanced`.

    Returns
    -------
    ndarray of intp, shape (M,)

    Raises
    ------
    RVHError, RVHTypeError
        As `assign_balanced`.

    Examples
    --------
    >>> from rvh.balanced import argassign_balanced
    >>> argassign_balanced(["a", "b"], ["k1", "k2", "k3", "k4"], 1)
    array([1, 0, 0, 1])
    """
    node_set = as_node_set(nodes, weights, scheme, secret)
    with _keys.open_keys(keys) as column:
        if sizes is None:
            room = capacities(node_set, len(column), load_factor).tolist()
            return match(node_set, column, room, None, threads, dedupe)
        each = as_sizes(sizes, len(column))
        total = each.total()
        room = list(map(ceil, full_marks(node_set, total, exact_factor(load_factor))))
        if sum(room) < total:
            raise no_room(load_factor, f"{100 * sum(room) / total:.4g}% of the sizes")
        return match(node_set, column, room, each.units, threads, dedupe)


def assign_balanced(
    nodes: NodeSet | NodeIds,
    keys: Keys,
    load_factor: float = 1.05,
    *,
    sizes: Any = None,
    weights: Weights | None = None,
    scheme: Scheme | None = None,
    secret: Secret | None = None,
    threads: int | None = None,
    dedupe: Dedupe = "auto",
) -> NDArray[Any]:
    """Find the node of every key, so that no node gets more than its share times a factor.

    Parameters
    ----------
    nodes : NodeSet, or sequence or array of node ids
    keys : sequence or array of str, bytes or int, shape (M,)
        Any kind in `rvh.keys.KINDS`. It must not change during the call. Each repetition of a key
        counts as a key, and may get another node.
    load_factor : float
        A node gets at most ``ceil(load_factor * M * weight / sum of weights)`` keys: see
        `capacities`. The nearer to 1, the more even are the loads, and the more keys are not on
        their best node.
    sizes : sequence or array of numbers, shape (M,), optional
        How much of a node's room each key takes: bytes, requests, in any unit; finite and above 0.
        By default 1 each. A node that has got its share of the total, ``load_factor * sum(sizes) *
        weight / sum of weights``, gets no more. So the last key that it takes may reach beyond
        that, and its load exceeds it by less than that key.
    weights, scheme, secret
        As for `rvh.select_batch`.
    threads, dedupe
        As for `NodeSet.argselect_batch`, for computing the scores. The matching uses one thread.

    Returns
    -------
    ndarray, shape (M,)
        Node ids, in the dtype of the set's.

    Raises
    ------
    RVHError
        A factor that is not finite and positive, or that leaves less room than there are keys; a
        size that is not finite and above 0, or not one size for each key; for nodes and keys as
        `rvh.select_batch`.
    RVHTypeError
        As `rvh.select_batch`; a factor or a size that is not a number.

    Notes
    -----
    This is the stable matching in which keys propose in the order of their ranking and a full node
    keeps the keys that score highest on it, as many as come before its room is used up; of equal
    scores it keeps the key with higher bytes, of equal keys the larger, of equally large ones the
    one in the lower row. The matching is unique (D. Gale and L. Shapley, "College admissions and
    the stability of marriage", 1962), so it does not depend on the order of the rows. Bounded loads
    for consistent hashing: V. Mirrokni, M. Thorup and M. Zadimoghaddam, SODA 2018.

    Sizes are added up exactly, in whole multiples of a power of two of which the total has about
    2^61; what is between two multiples is rounded up. Integers with a total below 2^61 are taken
    as they are.

    Besides keys and answer, the memory is about 50 bytes for each key, and 8 for its size.

    Examples
    --------
    >>> from rvh.balanced import assign_balanced
    >>> import numpy as np
    >>> placed = assign_balanced(["a", "b", "c"], range(3000), 1.01)
    >>> np.unique(placed, return_counts=True)[1].max() <= 1010
    np.True_
    >>> assign_balanced(["a", "b"], ["k1", "k2", "k3", "k4"], 1, sizes=[1, 1, 1, 9]).tolist()
    ['a', 'a', 'a', 'b']
    """
    node_set = as_node_set(nodes, weights, scheme, secret)
    owners = argassign_balanced(
        node_set, keys, load_factor, sizes=sizes, threads=threads, dedupe=dedupe
    )
    return take(node_set.ids, owners)
