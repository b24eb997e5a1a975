"""Bounded load: no node gets more than its share of the keys times a factor.

Keys and nodes are matched as colleges and students are: each key asks for its nodes in the order of
its ranking, and a full node keeps the keys that score highest on it. That matching is unique, so it
does not depend on the order of the rows.
"""

from __future__ import annotations

import math
import operator
from collections import deque
from collections.abc import Mapping
from fractions import Fraction
from itertools import repeat
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rvh import keys as _keys
from rvh._arguments.numbers import real_number
from rvh._backend import Matching, distinct
from rvh._columns.column import KeyColumn, Kind
from rvh._runtime.shared import Shared
from rvh._runtime.slices import take
from rvh.errors import RVHError, RVHTypeError, keys_changed, show
from rvh.nodes import NodeSet, as_node_set

__all__ = ["BalancedAssigner", "argassign_balanced", "assign_balanced", "capacities"]

#: keys are counted in 64 bits
COUNT_MAX = 2**63
#: how many times longer a ranking becomes where a key needs more of it
LONGER = 8


def capacities(nodes: Any, count: int, load_factor: float = 1.05) -> NDArray[np.int64]:
    """How many of `count` keys each node may get: ``ceil(load_factor * count * weight / sum)``.

    Parameters
    ----------
    nodes : NodeSet, or what makes one
    count : int
        Keys, 0 or more.
    load_factor : float
        Meant as the decimal number that it prints as (1.05 is 105/100), so that there is no
        rounding: the capacities are the same everywhere. Weights are the doubles that they are.

    Returns
    -------
    ndarray of int64, shape (N,)
        In the order of the set's ids; 0 for a node of weight 0.

    Raises
    ------
    RVHError
        A factor that is not finite and positive, or that leaves less room than there are keys.
    RVHTypeError
        A factor that is no number, a count that is no whole number.

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
    try:
        number = None if isinstance(count, (bool, np.bool_)) else operator.index(count)
    except TypeError:
        number = None
    if number is None:
        raise RVHTypeError(f"count is {show(count)}: pass a whole number from 0")
    if not 0 <= number < COUNT_MAX:
        raise RVHError(f"count is {show(number)}: pass a whole number from 0, below 2^63")
    factor = _factor(load_factor)
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
        return _matched(node_set, column, room, threads, dedupe)


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
    """The node of every key, where no node gets more keys than its capacity.

    Parameters
    ----------
    nodes : NodeSet, or what makes one
    keys : sequence or array of str, bytes or int, shape (M,)
        Any kind in `rvh.keys.KINDS`. It must not change during the call. A key that stands several
        times counts, and may be placed, as often.
    load_factor : float
        A node gets at most ``ceil(load_factor * M * weight / sum of weights)`` keys: see
        `capacities`. Near 1 loads are even and more keys leave their best node.
    weights, scheme, secret
        As for `rvh.select_batch`.
    threads, dedupe
        As for `NodeSet.argselect_batch`; they concern the scores. The matching takes one thread.

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
        As `rvh.select_batch`; a factor that is no number.

    Notes
    -----
    The stable matching in which keys propose in the order of their ranking and a full node keeps
    the keys that score highest on it; of equal scores the key with higher bytes, of equal keys
    the one in the lower row. It is unique (D. Gale and L. Shapley, "College admissions and the
    stability of marriage", 1962), so another order of the rows places every key where it was.
    Bounded loads for consistent hashing: V. Mirrokni, M. Thorup and M. Zadimoghaddam, SODA 2018.

    Memory beyond keys and answer is about 50 bytes a key.

    Examples
    --------
    >>> from rvh.balanced import assign_balanced
    >>> import numpy as np
    >>> placed = assign_balanced(["a", "b", "c"], range(3000), 1.01)
    >>> np.unique(placed, return_counts=True)[1].max() <= 1010
    np.True_
    """
    node_set = as_node_set(nodes, weights, scheme, secret)
    found = argassign_balanced(node_set, keys, load_factor, threads=threads, dedupe=dedupe)
    return take(node_set.ids, found)


class BalancedAssigner(Shared):
    """Bounded load for keys that come and go.

    A key that was assigned stays where it is until it is released. The keys of a batch that are
    new are matched, as by `assign_balanced`, with the room that the nodes have left: the capacities
    for all keys then held, less what each node holds. So a history of calls decides, and within a
    batch the order of the rows does not. It can be used from several threads: calls come one after
    the other.

    Parameters
    ----------
    nodes : NodeSet, or what makes one
    load_factor : float
        1 or more: see `capacities`.

    Raises
    ------
    RVHError
        A factor below 1 or not finite.
    RVHTypeError
        A factor that is no number.

    Notes
    -----
    Memory is the keys' bytes and about 150 bytes for each.

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
        if _factor(load_factor) < 1:
            raise RVHError(
                f"load_factor is {load_factor}: with less than 1 the nodes have no room for all "
                "keys; choose 1 or more"
            )
        self._load_factor = load_factor
        self._owner: dict[bytes, int] = {}
        self._loads = np.zeros(len(self._nodes), dtype=np.intp)
        self._due: _Due | None = None
        self._share()

    @property
    def nodes(self) -> NodeSet:
        """The node set."""
        return self._nodes

    @property
    def loads(self) -> NDArray[np.intp]:
        """How many keys each node holds, shape (N,), in the order of the set's ids."""
        with self._change_lock:
            self._settle()
            return self._loads.copy()

    def _change(self, due: _Due) -> None:
        """Make a change, which is decided at one assignment.

        What ends the rest of it, a signal or the fork of a child, leaves that to the next call.
        """
        self._due = due
        self._settle()

    def _settle(self) -> None:
        """Make the change that is due, as often as it takes."""
        if self._due is not None:
            come, go, loads = self._due
            self._owner.update(come)
            deque(map(self._owner.pop, go, repeat(None)), maxlen=0)
            self._loads = loads
            self._due = None

    def __len__(self) -> int:
        """How many keys are held."""
        due = self._due  # no lock: an error about a key that is this object shows it
        return int((self._loads if due is None else due.loads).sum())

    def __repr__(self) -> str:
        return f"BalancedAssigner({self._nodes!r}, {self._load_factor}, keys={len(self)})"

    def assign_batch(self, keys: Any, *, threads: int | None = None) -> NDArray[Any]:
        """The node of every key; those that are not held yet are held from now on.

        Parameters
        ----------
        keys : sequence or array of str, bytes or int, shape (M,)
            Any kind in `rvh.keys.KINDS`. A key that stands several times is one key.
        threads : int, optional
            As for `NodeSet.argselect_batch`.

        Returns
        -------
        ndarray, shape (M,)
            Node ids, in the dtype of the set's.

        Raises
        ------
        RVHError, RVHTypeError
            As `NodeSet.argselect_batch`; nothing is assigned then.

        Examples
        --------
        >>> from rvh.balanced import BalancedAssigner
        >>> assigner = BalancedAssigner(["a", "b", "c"])
        >>> first, again = assigner.assign_batch([1, 2]), assigner.assign_batch([2, 1])
        >>> (first == again[::-1]).tolist(), len(assigner)
        ([True, True], 2)
        """
        with _keys.open_keys(keys) as column, self._change_lock:
            self._settle()
            spans, codes = distinct(column.with_plain_chunks(), 0, len(column))
            names = KeyColumn(Kind.SPANS, spans)
            known = list(names.iter_bytes())
            first: dict[bytes, int] = {}
            for number, key in enumerate(known):
                if key not in self._owner:
                    first.setdefault(key, number)
            fresh = names.take(np.array(list(first.values()), dtype=np.int64))
            total = len(self._owner) + len(first)
            room = capacities(self._nodes, total, self._load_factor) - self._loads
            found = _matched(self._nodes, fresh, np.maximum(room, 0), threads, False)
            more = np.bincount(found, minlength=len(self._nodes))
            come = dict(zip(first, found.tolist(), strict=True))
            self._change(_Due(come, {}, self._loads + more))
            owners = np.array([self._owner[key] for key in known], dtype=np.intp)
            return self._nodes.ids.take(owners[codes])

    def release(self, keys: Any) -> None:
        """Let keys go: their places are free for the next batch, and no other key moves.

        Parameters
        ----------
        keys : sequence or array of str, bytes or int, shape (M,)
            Keys that are held, each once.

        Raises
        ------
        RVHError
            A key that is not held, with its position; nothing is released then.
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
            self._settle()
            leaving: dict[bytes, int] = {}
            for position, key in enumerate(column.iter_bytes()):
                owner = self._owner.get(key)
                if owner is None or key in leaving:
                    why = "stands twice" if key in leaving else "is not held"
                    raise RVHError(
                        f"key {show(key)} at position {position} {why}: release each key that was "
                        "assigned once"
                    )
                leaving[key] = owner
            gone = np.fromiter(leaving.values(), dtype=np.intp, count=len(leaving))
            less = np.bincount(gone, minlength=len(self._nodes))
            self._change(_Due({}, leaving, self._loads - less))


class _Due(NamedTuple):
    """A change of who owns what: keys that come and keys that go, and the loads after it."""

    come: Mapping[bytes, int]
    go: Mapping[bytes, int]
    loads: NDArray[np.intp]


def _factor(load_factor: Any) -> Fraction:
    """The decimal number that a factor is written as, exactly."""
    number = real_number(load_factor, "load_factor")
    if isinstance(load_factor, np.ndarray):  # of no dimension
        load_factor = load_factor[()]
    if not 0 < number < math.inf:
        raise RVHError(
            f"load_factor is {number}: pass a finite number above 0 (with 1 or more there is "
            "always room); without a bound argselect_batch is the answer"
        )
    # A float32 prints as the shortest number that it is nearest to, as a double does.
    return Fraction(str(load_factor) if isinstance(load_factor, np.floating) else repr(number))


def _matched(
    nodes: NodeSet,
    column: KeyColumn,
    room: NDArray[np.int64],
    threads: int | None,
    dedupe: Any,
) -> NDArray[np.intp]:
    """The stable matching of a column's keys, of which a node gets at most its room."""
    owners = np.empty(len(column), dtype=np.intp)
    best = _ranked(nodes, column, 1, threads, dedupe)
    if not _match(nodes, column, room, threads, best, owners, False):
        _match(nodes, column, room, threads, best, owners, True)
    return owners


def _match(
    nodes: NodeSet,
    column: KeyColumn,
    room: NDArray[np.int64],
    threads: int | None,
    best: NDArray[np.uint64],
    owners: NDArray[np.intp],
    with_ties: bool,
) -> bool:
    """Whether it could be done: not where keys tie and nothing is known but words."""
    spans = codes = None
    if with_ties:
        spans, codes = distinct(column.with_plain_chunks(), 0, len(column))
    ranking = nodes._ranking
    matching = Matching(ranking.nodes, room.astype(np.uint64), owners, spans, codes)
    left = matching.offer(None, best)
    if left is None or len(left) == 0:
        return left is not None
    known = np.ones(len(column), dtype=np.uint32)  # nodes in each key's list
    while left is not None and len(left) > 0:
        shortest = int(known[left].min())
        if shortest == ranking.selectable:  # there is room for all, and no node had any for these
            raise keys_changed()
        rows = np.sort(left[known[left] == shortest])
        rest = left[known[left] > shortest]
        k = min(LONGER * shortest, ranking.selectable)
        more = matching.offer(rows, _ranked(nodes, column._take(rows), k, threads, False))
        known[rows] = k
        left = None if more is None else np.concatenate([rest, more])
    return left is not None


def _ranked(
    nodes: NodeSet, column: KeyColumn, k: int, threads: int | None, dedupe: Any
) -> NDArray[np.uint64]:
    """The best k nodes of every key, then the words that ranked them: shape (M, 2 * k)."""
    ranking = nodes._ranking
    out = np.empty((len(column), 2 * k), dtype=np.uint64)
    ranking.fill(ranking.nodes.rank, column, out, k, threads, dedupe)
    return out
