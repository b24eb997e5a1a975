"""The functions of rvh: each answers one question from nodes and keys.

Each takes node ids or an `rvh.NodeSet`. For several calls with the same nodes, make the NodeSet
once.
"""

from __future__ import annotations

from operator import length_hint
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rvh.nodes import NodeSet, as_node_set

if TYPE_CHECKING:
    from rvh._columns.arrow.writer import NodeColumn
    from rvh.typing import Dedupe, Key, Keys, KeysWithNulls, NodeIds, Scheme, Secret, Weights

__all__ = [
    "arendezvous_hash",
    "argassign",
    "argselect_batch",
    "assign",
    "rendezvous_hash",
    "rendezvous_scores",
    "score_batch",
    "select_arrow",
    "select_batch",
]

#: the number of ids above which `arendezvous_hash` prepares them off the event loop: about 1 ms
INLINE_IDS = 1 << 12


def select_batch(
    nodes: NodeSet | NodeIds,
    keys: Keys,
    k: int = 1,
    *,
    weights: Weights | None = None,
    scheme: Scheme | None = None,
    secret: Secret | None = None,
    threads: int | None = None,
    dedupe: Dedupe = "auto",
) -> NDArray[Any]:
    """Select the best `k` nodes of every key.

    Parameters
    ----------
    nodes : sequence or array of str or bytes, shape (N,), or NodeSet
    keys : sequence or array of str, bytes or int, shape (M,)
    k : int
        The number of nodes for each key, from 1 to the number of nodes with a weight above 0.
    weights, scheme, secret
        As for `NodeSet`; a NodeSet has its own.
    threads, dedupe
        As for `NodeSet.argselect_batch`.

    Returns
    -------
    ndarray, shape (M, k)
        Node ids, best first, in the nodes' own dtype.

    Raises
    ------
    RVHError, RVHTypeError
        As `NodeSet` and `NodeSet.argselect_batch`.

    Examples
    --------
    >>> import numpy as np, rvh
    >>> nodes = np.array(["alpha", "beta", "gamma"])
    >>> rvh.select_batch(nodes, np.array(["txn-42", "txn-41"]), k=2)
    array([['gamma', 'beta'],
           ['beta', 'gamma']], dtype='<U5')
    """
    return as_node_set(nodes, weights, scheme, secret).select_batch(
        keys, k, threads=threads, dedupe=dedupe
    )


def argselect_batch(
    nodes: NodeSet | NodeIds,
    keys: Keys,
    k: int = 1,
    *,
    weights: Weights | None = None,
    scheme: Scheme | None = None,
    secret: Secret | None = None,
    threads: int | None = None,
    dedupe: Dedupe = "auto",
) -> NDArray[np.intp]:
    """Select the best `k` nodes of every key, as indices into `nodes`.

    Returns
    -------
    ndarray of intp, shape (M, k)
        Positions in ``nodes``, best first.

    Raises
    ------
    RVHError, RVHTypeError
        As `select_batch`.

    Examples
    --------
    >>> import rvh
    >>> rvh.argselect_batch(["alpha", "beta", "gamma"], ["txn-42"], k=3)
    array([[2, 1, 0]])
    """
    return as_node_set(nodes, weights, scheme, secret).argselect_batch(
        keys, k, threads=threads, dedupe=dedupe
    )


def assign(
    nodes: NodeSet | NodeIds,
    keys: Keys,
    *,
    weights: Weights | None = None,
    scheme: Scheme | None = None,
    secret: Secret | None = None,
    threads: int | None = None,
    dedupe: Dedupe = "auto",
) -> NDArray[Any]:
    """Find the node of every key: one column, ready for a table.

    Returns
    -------
    ndarray, shape (M,)
        Node ids in the nodes' own dtype, as `NodeSet.assign` gives them.

    Raises
    ------
    RVHError, RVHTypeError
        As `select_batch`.

    Examples
    --------
    >>> import rvh
    >>> rvh.assign(["alpha", "beta", "gamma"], ["txn-42", "txn-41"])
    array(['gamma', 'beta'], dtype='<U5')
    """
    return as_node_set(nodes, weights, scheme, secret).assign(keys, threads=threads, dedupe=dedupe)


def argassign(
    nodes: NodeSet | NodeIds,
    keys: Keys,
    *,
    weights: Weights | None = None,
    scheme: Scheme | None = None,
    secret: Secret | None = None,
    threads: int | None = None,
    dedupe: Dedupe = "auto",
) -> NDArray[np.intp]:
    """Find the node of every key, as indices into `nodes`.

    Returns
    -------
    ndarray of intp, shape (M,)
        Positions in ``nodes``, as `NodeSet.argassign` gives them.

    Raises
    ------
    RVHError, RVHTypeError
        As `select_batch`.

    Examples
    --------
    >>> import rvh
    >>> rvh.argassign(["alpha", "beta", "gamma"], ["txn-42", "txn-41"])
    array([2, 1])
    """
    return as_node_set(nodes, weights, scheme, secret).argassign(
        keys, threads=threads, dedupe=dedupe
    )


def select_arrow(
    nodes: NodeSet | NodeIds,
    column: KeysWithNulls,
    k: int = 1,
    *,
    weights: Weights | None = None,
    scheme: Scheme | None = None,
    secret: Secret | None = None,
    threads: int | None = None,
    dedupe: Dedupe = "auto",
) -> NodeColumn:
    """Select the best `k` nodes of every key, from Arrow to Arrow, with a null for each null.

    Parameters
    ----------
    nodes : sequence or array of str or bytes, shape (N,), or NodeSet
    column : Arrow column, shape (M,)
        As for `NodeSet.select_arrow`.
    k, weights, scheme, secret, threads, dedupe
        As for `select_batch`.

    Returns
    -------
    NodeColumn, length M
        As `NodeSet.select_arrow`; any library that takes Arrow data reads it.

    Raises
    ------
    RVHError, RVHTypeError
        As `select_batch`, but not for nulls.

    Examples
    --------
    >>> import pyarrow as pa, rvh
    >>> keys = pa.chunked_array([["txn-42", None], ["txn-41"]])
    >>> pa.array(rvh.select_arrow(["alpha", "beta", "gamma"], keys)).to_pylist()
    ['gamma', None, 'beta']
    >>> pa.array(rvh.select_arrow(["alpha", "beta", "gamma"], keys, k=2)).to_pylist()
    [['gamma', 'beta'], None, ['beta', 'gamma']]
    """
    return as_node_set(nodes, weights, scheme, secret).select_arrow(
        column, k, threads=threads, dedupe=dedupe
    )


def score_batch(
    nodes: NodeSet | NodeIds,
    keys: Keys,
    *,
    weights: Weights | None = None,
    scheme: Scheme | None = None,
    secret: Secret | None = None,
    threads: int | None = None,
) -> NDArray[np.uint64] | NDArray[np.float64]:
    """Score every (key, node) pair.

    Returns
    -------
    ndarray
        As `NodeSet.score_batch`: uint64 of shape (M, N, 2) for ``blake2b``, of shape (M, N) for
        ``murmur``, and with weights float64 of shape (M, N).

    Raises
    ------
    RVHError, RVHTypeError
        As `select_batch`.

    Examples
    --------
    >>> import rvh
    >>> rvh.score_batch(["alpha", "beta"], ["txn-42"]).shape
    (1, 2, 2)
    """
    return as_node_set(nodes, weights, scheme, secret).score_batch(keys, threads=threads)


def rendezvous_hash(
    nodes: NodeSet | NodeIds,
    key: Key,
    k: int = 1,
    *,
    weights: Weights | None = None,
    scheme: Scheme | None = None,
    secret: Secret | None = None,
) -> list[Any]:
    """Select the best `k` nodes of one key.

    Returns
    -------
    list
        ``k`` node ids, best first.

    Raises
    ------
    RVHError, RVHTypeError
        As `select_batch`.

    Examples
    --------
    >>> import rvh
    >>> rvh.rendezvous_hash(["node1", "node2", "node3"], "obj", k=2)
    ['node1', 'node2']
    """
    return as_node_set(nodes, weights, scheme, secret).select(key, k)


async def arendezvous_hash(
    nodes: NodeSet | NodeIds,
    key: Key,
    k: int = 1,
    *,
    weights: Weights | None = None,
    scheme: Scheme | None = None,
    secret: Secret | None = None,
) -> list[Any]:
    """Select for asyncio: small work is done at once, large work off the event loop.

    The ids of many nodes are prepared off the loop too. If the task is cancelled, the selection
    ends, but the preparation goes on.

    Examples
    --------
    >>> import asyncio, rvh
    >>> asyncio.run(rvh.arendezvous_hash(["node1", "node2", "node3"], "obj"))
    ['node1']
    """
    if isinstance(nodes, NodeSet) or length_hint(nodes) <= INLINE_IDS:
        return await as_node_set(nodes, weights, scheme, secret).aselect(key, k)
    import asyncio  # see `NodeSet.aselect`

    prepared = await asyncio.to_thread(as_node_set, nodes, weights, scheme, secret)
    return await prepared.aselect(key, k)


def rendezvous_scores(
    nodes: NodeSet | NodeIds,
    key: Key,
    *,
    weights: Weights | None = None,
    scheme: Scheme | None = None,
    secret: Secret | None = None,
) -> list[tuple[Any, int | float]]:
    """List every node with its score for one key, best first.

    Returns
    -------
    list of (id, int or float)
        The scores, descending, as `NodeSet.scores` gives them.

    Raises
    ------
    RVHError, RVHTypeError
        As `select_batch`.

    Examples
    --------
    >>> import rvh
    >>> ranking = rvh.rendezvous_scores(["alpha", "beta", "gamma"], "txn-42")
    >>> [node for node, score in ranking]
    ['gamma', 'beta', 'alpha']
    """
    return as_node_set(nodes, weights, scheme, secret).scores(key)
