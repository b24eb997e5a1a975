"""Bounded load: no node gets more than its share of the keys times a factor.

Keys and nodes are matched like students and colleges: each key proposes to its nodes in the order
of its ranking, and a full node keeps the keys that score highest on it. That matching is unique, so
it does not depend on the order of the rows.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from fractions import Fraction
from itertools import repeat
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rvh import keys as _keys
from rvh._arguments.numbers import as_index, real_number
from rvh._backend import Matching, distinct
from rvh._batch.dedupe import distinct_keys
from rvh._columns.column import KeyColumn
from rvh._runtime.shared import Shared
from rvh._runtime.slices import take
from rvh.errors import RVHError, RVHTypeError, keys_changed, show
from rvh.nodes import NodeSet, as_node_set

__all__ = ["BalancedAssigner", "argassign_balanced", "assign_balanced", "capacities"]

#: keys are counted in 64 bits
COUNT_MAX = 2**63
#: how many times longer a key's list of nodes becomes when all nodes in it are full
LIST_GROWTH = 8


def capacities(nodes: Any, count: int, load_factor: float = 1.05) -> NDArray[np.int64]:
    """The greatest load of each node: ``ceil(load_factor * count * weight / sum of weights)``.

    Parameters
    ----------
    nodes : NodeSet, or sequence or array of node ids
    count : int
        Number of keys, 0 or more.
    load_factor : float
        Read as the decimal number that it prints as (1.05 is 105/100). Nothing else is rounded
        either, so the capacities are the same everywhere. Weights are read as their exact doubles.

    Returns
    -------
    ndarray of int64, shape (N,)
        In the order of the set's ids; 0 for a node of weight 0.

    Raises
    ------
    RVHError
        A factor that is not finite and positive, or that leaves less room than there are keys.
    RVHTypeError
        A factor that is not a number, a count that is not a whole number.

    Examples
    --------
    >>> from rvh.balanced import capacities
    >>> capacities(["a", "b", "c"], 100, 1.05)
    array([35, 35, 35])
    >>> import rvh
    >>> capacities(rvh.NodeSet(["a", "b"], weights=[3, 1]), 100, 1)
    array([75, 25])
    """
    node_set = as_node_set(nodes)
    number = as_index(count)
    if number is None:
        raise RVHTypeError(f"count is {show(count)}: pass a whole number from 0")
    if not 0 <= number < COUNT_MAX:
        raise RVHError(f"count is {show(number)}: pass a whole number from 0, below 2^63")
    factor = _exact_factor(load_factor)
    weights = [1.0] * len(node_set) if node_set.weights is None else node_set.weights.tolist()
    exact = [Fraction(weight) for weight in weights]
    total = sum(exact)
    each = [math.ceil(factor * number * weight / total) for weight in exact]
    if sum(each) < number:
        raise RVHError(
            f"load_factor is {load_factor}: the nodes have room for {sum(each)} of {number} keys; "
            "choose a greater one: with 1 or more there is always room"
        )
    return np.array([min(room, number) for room in each], dtype=np.int64)


def argassign_balanced(
    nodes: Any,
    keys: Any,
    load_factor: float = 1.05,
    *,
    weights: ArrayLike | None = None,
    scheme: str | None = None,
    secret: bytes | None = None,
    threads: int | None = None,
    dedupe: bool | Literal["auto"] = "auto",
) -> NDArray[np.intp]:
    """The node of every key under a bound on load, as positions in the node set.

    Parameters
    ----------
    nodes, keys, load_factor, weights, scheme, secret, threads, dedupe
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
        room = capacities(node_set, len(column), load_factor)
        return _match(node_set, column, room, threads, dedupe)


def assign_balanced(
    nodes: Any,
    keys: Any,
    load_factor: float = 1.05,
    *,
    weights: ArrayLike | None = None,
    scheme: str | None = None,
    secret: bytes | None = None,
    threads: int | None = None,
    dedupe: bool | Literal["auto"] = "auto",
) -> NDArray[Any]:
    """The node of every key, so that no node gets more keys than its capacity.

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
        A factor that is not finite and positive, or that leaves less room than there are keys; for
        nodes and keys as `rvh.select_batch`.
    RVHTypeError
        As `rvh.select_batch`; a factor that is not a number.

    Notes
    -----
    This is the stable matching in which keys propose in the order of their ranking and a full node
    keeps the keys that score highest on it; of equal scores it keeps the key with higher bytes, of
    equal keys the one in the lower row. The matching is unique (D. Gale and L. Shapley, "College
    admissions and the stability of marriage", 1962), so it does not depend on the order of the
    rows. Bounded loads for consistent hashing: V. Mirrokni, M. Thorup and M. Zadimoghaddam, SODA
    2018.

    Besides keys and answer, the memory is about 50 bytes for each key.

    Examples
    --------
    >>> from rvh.balanced import assign_balanced
    >>> import numpy as np
    >>> placed = assign_balanced(["a", "b", "c"], range(3000), 1.01)
    >>> np.unique(placed, return_counts=True)[1].max() <= 1010
    np.True_
    """
    node_set = as_node_set(nodes, weights, scheme, secret)
    owners = argassign_balanced(node_set, keys, load_factor, threads=threads, dedupe=dedupe)
    return take(node_set.ids, owners)


class BalancedAssigner(Shared):
    """Bounded load for keys that are assigned and released over time.

    A key that was assigned stays on its node until it is released. The new keys of a batch are
    matched as by `assign_balanced`, with the room that the nodes have left: their capacities for
    all keys, old and new, less their loads. So the placement depends on the order of the calls, but
    not on the order of the rows in a batch. It can be used from several threads; calls run one
    after the other.

    Parameters
    ----------
    nodes : NodeSet, or sequence or array of node ids
    load_factor : float
        1 or more: see `capacities`.

    Raises
    ------
    RVHError
        A factor below 1 or not finite.
    RVHTypeError
        A factor that is not a number.

    Notes
    -----
    The memory is the keys' bytes and about 150 bytes for each key.

    Examples
    --------
    >>> from rvh.balanced import BalancedAssigner
    >>> assigner = BalancedAssigner(["a", "b"], load_factor=1)
    >>> assigner.assign_batch(["k1", "k2", "k3", "k4"])
    array(['b', 'a', 'a', 'b'], dtype='<U1')
    >>> assigner.release(["k1", "k4"])
    >>> assigner.loads
    array([2, 0])
    >>> assigner.assign_batch(["k2", "k5", "k6"])
    array(['a', 'b', 'b'], dtype='<U1')
    """

    def __init__(self, nodes: Any, load_factor: float = 1.05) -> None:
        self._nodes = as_node_set(nodes)
        if _exact_factor(load_factor) < 1:
            raise RVHError(
                f"load_factor is {load_factor}: with less than 1 the nodes have no room for all "
                "keys; choose 1 or more"
            )
        self._load_factor = load_factor
        self._owner: dict[bytes, int] = {}
        self._loads = np.zeros(len(self._nodes), dtype=np.intp)
        self._pending: _Change | None = None
        self._share()

    @property
    def nodes(self) -> NodeSet:
        """The node set."""
        return self._nodes

    @property
    def loads(self) -> NDArray[np.intp]:
        """The number of keys on each node, shape (N,), in the order of the set's ids."""
        with self._change_lock:
            self._finish_change()
            return self._loads.copy()

    def _change(self, change: _Change) -> None:
        """Make a change, which takes effect at the first assignment.

        If a signal or a fork interrupts the rest, the next call finishes it.
        """
        self._pending = change
        self._finish_change()

    def _finish_change(self) -> None:
        """Finish the pending change; running this again after an interruption is safe."""
        if self._pending is not None:
            added, removed, loads = self._pending
            self._owner.update(added)
            deque(map(self._owner.pop, removed, repeat(None)), maxlen=0)
            self._loads = loads
            self._pending = None

    def __len__(self) -> int:
        """The number of keys that are assigned."""
        # Without the lock: an error about a key that is this object shows its repr.
        pending = self._pending
        return int((self._loads if pending is None else pending.loads).sum())

    def __repr__(self) -> str:
        return f"BalancedAssigner({self._nodes!r}, {self._load_factor}, keys={len(self)})"

    def assign_batch(self, keys: Any, *, threads: int | None = None) -> NDArray[Any]:
        """The node of every key; new keys are assigned.

        Parameters
        ----------
        keys : sequence or array of str, bytes or int, shape (M,)
            Any kind in `rvh.keys.KINDS`. A repeated key is one key.
        threads : int, optional
            As for `NodeSet.argselect_batch`.

        Returns
        -------
        ndarray, shape (M,)
            Node ids, in the dtype of the set's.

        Raises
        ------
        RVHError, RVHTypeError
            As `NodeSet.argselect_batch`; no key is assigned then.

        Examples
        --------
        >>> from rvh.balanced import BalancedAssigner
        >>> assigner = BalancedAssigner(["a", "b", "c"])
        >>> first, again = assigner.assign_batch([1, 2]), assigner.assign_batch([2, 1])
        >>> (first == again[::-1]).tolist(), len(assigner)
        ([True, True], 2)
        """
        with _keys.open_keys(keys) as column, self._change_lock:
            self._finish_change()
            unique, codes = distinct_keys(column.with_plain_chunks(), 0, len(column))
            names = list(unique.iter_bytes())
            new: dict[bytes, int] = {}  # keys without an owner -> their positions in `unique`
            for position, key in enumerate(names):
                if key not in self._owner:
                    new.setdefault(key, position)
            unassigned = unique.take(np.array(list(new.values()), dtype=np.int64))
            total = len(self._owner) + len(new)
            room = capacities(self._nodes, total, self._load_factor) - self._loads
            matched = _match(self._nodes, unassigned, np.maximum(room, 0), threads, False)
            loads = self._loads + np.bincount(matched, minlength=len(self._nodes))
            self._change(_Change(dict(zip(new, matched.tolist(), strict=True)), {}, loads))
            owners = np.array([self._owner[key] for key in names], dtype=np.intp)
            return self._nodes.ids.take(owners[codes])

    def release(self, keys: Any) -> None:
        """Release keys: the next batch can use their room, and no other key moves.

        Parameters
        ----------
        keys : sequence or array of str, bytes or int, shape (M,)
            Keys that are assigned, each once.

        Raises
        ------
        RVHError
            A key that is not assigned, with its position; no key is released then.
        RVHTypeError
            As `NodeSet.argselect_batch`.

        Examples
        --------
        >>> from rvh.balanced import BalancedAssigner
        >>> assigner = BalancedAssigner(["a", "b"])
        >>> _ = assigner.assign_batch(["x", "y"])
        >>> assigner.release(["x"])
        >>> len(assigner)
        1
        """
        with _keys.open_keys(keys) as column, self._change_lock:
            self._finish_change()
            released: dict[bytes, int] = {}
            for position, key in enumerate(column.iter_bytes()):
                owner = self._owner.get(key)
                if owner is None or key in released:
                    why = "stands twice" if key in released else "is not held"
                    raise RVHError(
                        f"key {show(key)} at position {position} {why}: release each key that was "
                        "assigned once"
                    )
                released[key] = owner
            owners = np.fromiter(released.values(), dtype=np.intp, count=len(released))
            loads = self._loads - np.bincount(owners, minlength=len(self._nodes))
            self._change(_Change({}, released, loads))


class _Change(NamedTuple):
    """A change of assignments: keys added and removed, with their nodes, and the loads after it."""

    added: Mapping[bytes, int]
    removed: Mapping[bytes, int]
    loads: NDArray[np.intp]


def _exact_factor(load_factor: Any) -> Fraction:
    """Convert a factor to the exact decimal number that it prints as."""
    number = real_number(load_factor, "load_factor")
    if isinstance(load_factor, np.ndarray):  # of no dimension
        load_factor = load_factor[()]
    if not 0 < number < math.inf:
        raise RVHError(
            f"load_factor is {number}: pass a finite number above 0 (with 1 or more there is "
            "always room); without a bound, use argselect_batch"
        )
    # A float32, like a double, prints as the shortest number that rounds to it.
    return Fraction(str(load_factor) if isinstance(load_factor, np.floating) else repr(number))


def _match(
    nodes: NodeSet,
    column: KeyColumn,
    room: NDArray[np.int64],
    threads: int | None,
    dedupe: Any,
) -> NDArray[np.intp]:
    """Match the keys of a column with nodes, so that no node gets more keys than its room."""
    owners = np.empty(len(column), dtype=np.intp)
    best = _rank(nodes, column, 1, threads, dedupe)
    if not _try_match(nodes, column, room, threads, best, owners, False):
        _try_match(nodes, column, room, threads, best, owners, True)
    return owners


def _try_match(
    nodes: NodeSet,
    column: KeyColumn,
    room: NDArray[np.int64],
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
    matching = Matching(ranking.nodes, room.astype(np.uint64), owners, spans, codes)
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
