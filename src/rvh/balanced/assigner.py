"""Bounded load for keys that come and go, on nodes that come and go."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import repeat
from math import ceil
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rvh import keys as _keys
from rvh._arguments.sizes import Sizes, as_sizes
from rvh._batch.dedupe import distinct_keys
from rvh._columns.column import KeyColumn
from rvh._columns.values import is_uuid, is_whole
from rvh._runtime.shared import Shared
from rvh._runtime.slices import take
from rvh.balanced.bounds import exact_factor, full_marks
from rvh.balanced.matching import match
from rvh.errors import RVHError, keys_changed, show
from rvh.nodes import NodeSet, as_node_set

if TYPE_CHECKING:
    from rvh.typing import Keys, NodeIds

__all__ = ["BalancedAssigner", "Moves"]


class Moves(NamedTuple):
    """The keys that a change of the nodes has moved: one row for each.

    Parameters
    ----------
    key : list of str, bytes or int, length m
        As they were assigned; a UUID is its text, a composite key its bytes.
    source, target : ndarray, shape (m,)
        The node that each was on, and the node that it is on now.
    """

    key: list[Any]
    source: NDArray[Any]
    target: NDArray[Any]


class BalancedAssigner(Shared):
    """Bounded load for keys that are assigned and released, while nodes join and leave.

    A key that was assigned stays on its node until it is released or the node leaves. The new keys
    of a batch are matched as by `assign_balanced`, with the room that the nodes have left: their
    capacities for all keys, old and new, less their loads. So the placement depends on the order of
    the calls, but not on the order of the rows in a batch. It can be used from several threads;
    calls run one after the other.

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
    The memory is the keys' bytes and about 150 bytes for each key, and 100 more where keys have
    sizes that differ.

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
    >>> assigner.update(["b", "c"]).key
    ['k2', 'k3']
    """

    def __init__(self, nodes: NodeSet | NodeIds, load_factor: float = 1.05) -> None:
        node_set = as_node_set(nodes)
        self._factor = exact_factor(load_factor)
        if self._factor < 1:
            raise RVHError(
                f"load_factor is {load_factor}: with less than 1 the nodes have no room for all "
                "keys; choose 1 or more"
            )
        self._load_factor = load_factor
        self._held: dict[bytes, _Held] = {}
        self._state = _State(node_set, [0] * len(node_set), [0] * len(node_set))
        self._pending: _Change | None = None
        self._share()

    # -- what is held -------------------------------------------------------------------------

    @property
    def nodes(self) -> NodeSet:
        """The node set: see `update`."""
        return self._now().nodes

    @property
    def loads(self) -> NDArray[np.intp]:
        """The number of keys on each node, shape (N,), in the order of the set's ids."""
        return np.array(self._now().counts, dtype=np.intp)

    @property
    def sizes(self) -> NDArray[np.float64]:
        """The total size of the keys on each node, shape (N,); a key without a size counts 1.

        Examples
        --------
        >>> from rvh.balanced import BalancedAssigner
        >>> assigner = BalancedAssigner(["a"])
        >>> _ = assigner.assign_batch(["x", "y"], sizes=[0.5, 4])
        >>> assigner.sizes
        array([4.5])
        """
        return np.array([float(size) for size in self._now().sizes])

    def __len__(self) -> int:
        """The number of keys that are assigned."""
        return sum(self._now().counts)

    def __repr__(self) -> str:
        return f"BalancedAssigner({self.nodes!r}, {self._load_factor}, keys={len(self)})"

    # -- changes ------------------------------------------------------------------------------

    def assign_batch(
        self, keys: Keys, *, sizes: Any = None, threads: int | None = None
    ) -> NDArray[Any]:
        """Find the node of every key; new keys are assigned.

        Parameters
        ----------
        keys : sequence or array of str, bytes or int, shape (M,)
            Any kind in `rvh.keys.KINDS`. A repeated key is one key.
        sizes : sequence or array of numbers, shape (M,), optional
            As for `assign_balanced`. A key that is held keeps the size that it was assigned with;
            to change it, release the key and assign it anew.
        threads : int, optional
            As for `NodeSet.argselect_batch`.

        Returns
        -------
        ndarray, shape (M,)
            Node ids, in the dtype of the set's.

        Raises
        ------
        RVHError, RVHTypeError
            As `assign_balanced`, or two sizes of a repeated key; no key is assigned then.

        Examples
        --------
        >>> from rvh.balanced import BalancedAssigner
        >>> assigner = BalancedAssigner(["a", "b", "c"])
        >>> first, again = assigner.assign_batch([1, 2]), assigner.assign_batch([2, 1])
        >>> (first == again[::-1]).tolist(), len(assigner)
        ([True, True], 2)
        """
        with _keys.open_keys_with_objects(keys) as (column, objects), self._change_lock:
            self._finish_change()
            each = None if sizes is None else as_sizes(sizes, len(column))
            unique, codes = distinct_keys(column.with_plain_chunks(), 0, len(column))
            first = np.empty(len(unique), dtype=np.intp)
            # As intp: NumPy crashes where the buffer that it converts indices in has no memory.
            codes = codes.astype(np.intp)
            first[codes[::-1]] = np.arange(len(codes))[::-1]  # the last one written is the lowest
            names = list(unique.iter_bytes())
            if each is not None:
                _check_repeated(each, first[codes], names, codes)
                each = each.take(first)
            new: dict[bytes, int] = {}  # keys that are not held -> their positions in `unique`
            for position, key in enumerate(names):
                if key not in self._held:
                    new.setdefault(key, position)
            positions = np.array(list(new.values()), dtype=np.intp)
            put, state = self._match(
                self._state,
                unique.take(positions),
                list(new),
                _kinds(objects() if new else (), first[positions].tolist()),
                None if each is None else each.take(positions),
                threads,
            )
            self._change(_Change(put, (), state))
            places = state.nodes._ranking.places()
            owners = np.array([places[self._held[key].node] for key in names], dtype=np.intp)
            return state.nodes.ids.take(owners[codes])

    def release(self, keys: Keys) -> None:
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
            released: dict[bytes, _Held] = {}
            for position, key in enumerate(column.iter_bytes()):
                held = self._held.get(key)
                if held is None or key in released:
                    why = "appears twice" if key in released else "is not held"
                    raise RVHError(
                        f"key {show(key)} at position {position} {why}: release each key that was "
                        "assigned once"
                    )
                released[key] = held
            self._change(_Change({}, tuple(released), _without(self._state, released)))

    def update(self, nodes: NodeSet | NodeIds, *, threads: int | None = None) -> Moves:
        """Take other nodes: those that left give up their keys, and no other key moves.

        The keys of nodes that left are placed anew as a batch of new keys is. A node that joined
        takes new keys, and those of nodes that left; `rebalance` fills it with others too. Weights
        that changed count from the next batch on.

        Parameters
        ----------
        nodes : NodeSet, or sequence or array of node ids
            All nodes from now on.
        threads : int, optional
            As for `NodeSet.argselect_batch`.

        Returns
        -------
        Moves
            The keys that moved.

        Raises
        ------
        RVHError, RVHTypeError
            As `NodeSet`.

        Examples
        --------
        >>> from rvh.balanced import BalancedAssigner
        >>> assigner = BalancedAssigner(["a", "b", "c"])
        >>> _ = assigner.assign_batch(["k1", "k2", "k3"])
        >>> moves = assigner.update(["a", "c", "d"])
        >>> moves.key, moves.source.tolist(), moves.target.tolist()
        (['k2', 'k3'], ['b', 'b'], ['a', 'c'])
        """
        node_set = as_node_set(nodes)
        with self._change_lock:
            self._finish_change()
            before = self._state
            places, present = before.nodes._ranking.places(), node_set._ranking.places()
            homeless = {}
            if any(
                count
                for name, count in zip(places, before.counts, strict=True)
                if name not in present
            ):
                homeless = {k: held for k, held in self._held.items() if held.node not in present}
            at = [places.get(name, -1) for name in present]
            counts, sizes = [*before.counts, 0], [*before.sizes, 0]  # those at -1 are new nodes
            state = _State(node_set, [counts[n] for n in at], [sizes[n] for n in at])
            return self._place_anew(state, homeless, before.nodes, threads)

    def rebalance(self, *, threads: int | None = None) -> Moves:
        """Bring every node within its bound, moving keys only off nodes that are beyond it.

        A node is beyond its bound if even without its largest key it has its share times the load
        factor, or more: as others joined, keys were released, or its weight became less. It keeps
        the keys that score highest on it, up to its share. The others are placed anew as a batch of
        new keys is.

        Parameters
        ----------
        threads : int, optional
            As for `NodeSet.argselect_batch`.

        Returns
        -------
        Moves
            The keys that moved. None do in a second call.

        Examples
        --------
        >>> from rvh.balanced import BalancedAssigner
        >>> assigner = BalancedAssigner(["a", "b"], load_factor=1)
        >>> _ = assigner.assign_batch(range(6))
        >>> len(assigner.update(["a", "b", "c"]).key), assigner.loads.tolist()
        (0, [3, 3, 0])
        >>> len(assigner.rebalance().key), assigner.loads.tolist()
        (2, [2, 2, 2])
        """
        with self._change_lock:
            self._finish_change()
            state = self._state
            marks = full_marks(state.nodes, sum(state.sizes), self._factor)
            names = list(state.nodes._ranking.places())
            above: dict[bytes, dict[bytes, _Held]] = {
                name: {}
                for name, size, mark in zip(names, state.sizes, marks, strict=True)
                if size > mark
            }
            for key, held in self._held.items() if above else ():
                if held.node in above:
                    above[held.node][key] = held
            moving = {}
            for n, name in enumerate(names):
                if name in above:
                    moving.update(_beyond(state, n, marks[n], above[name], threads))
            return self._place_anew(_without(state, moving), moving, state.nodes, threads)

    # -- helpers: the caller holds the lock ---------------------------------------------------

    def _now(self) -> _State:
        """Return the state, without the lock: an error about a key may show this object's repr."""
        pending = self._pending
        return self._state if pending is None else pending.state

    def _change(self, change: _Change) -> None:
        """Make a change, which takes effect at the first assignment.

        If a signal or a fork interrupts the rest, the next call finishes it.
        """
        self._pending = change
        self._finish_change()

    def _finish_change(self) -> None:
        """Finish the pending change; running this again after an interruption is safe."""
        if self._pending is not None:
            put, removed, state = self._pending
            self._held.update(put)
            deque(map(self._held.pop, removed, repeat(None)), maxlen=0)
            self._state = state
            self._pending = None

    def _match(
        self,
        state: _State,
        column: KeyColumn,
        keys: Sequence[bytes],
        kinds: Sequence[str],
        sizes: Sizes | None,
        threads: int | None,
    ) -> tuple[dict[bytes, _Held], _State]:
        """Match keys that have no node with the room that is left; return them and the loads."""
        unit = 1 if sizes is None else sizes.unit
        added = len(keys) if sizes is None else sizes.total() * unit
        marks = full_marks(state.nodes, sum(state.sizes) + added, self._factor)
        room = [
            max(0, ceil((mark - size) / unit))
            for mark, size in zip(marks, state.sizes, strict=True)
        ]
        units = None if sizes is None else sizes.units
        found = match(state.nodes, column, room, units, threads, False)
        many = np.bincount(found, minlength=len(room)).tolist()
        counts = [old + new for old, new in zip(state.counts, many, strict=True)]
        if units is not None:
            gained = np.zeros(len(room), dtype=np.uint64)
            np.add.at(gained, found, units)
            many = [each * unit for each in gained.tolist()]
        loads = [old + new for old, new in zip(state.sizes, many, strict=True)]
        names = list(state.nodes._ranking.places())
        numbers = repeat(1) if sizes is None else sizes.numbers()
        alike: dict[_Held, _Held] = {}  # keys of one node, size and kind share an object
        put = {}
        for key, n, size, kind in zip(keys, found.tolist(), numbers, kinds, strict=False):
            held = _Held(names[n], size, kind)
            put[key] = alike.setdefault(held, held)
        return put, _State(state.nodes, counts, loads)

    def _place_anew(
        self,
        state: _State,
        moving: Mapping[bytes, _Held],
        before: NodeSet,
        threads: int | None,
    ) -> Moves:
        """Place keys that have lost their nodes, which are not in `state`, and make that change."""
        keys = list(moving)
        each = [held.size for held in moving.values()]
        sizes = None if each.count(1) == len(each) else as_sizes(each, len(each))
        kinds = [held.kind for held in moving.values()]
        put, state = self._match(state, _keys.column(keys), keys, kinds, sizes, threads)
        old, new = before._ranking.places(), state.nodes._ranking.places()
        source = np.array([old[held.node] for held in moving.values()], dtype=np.intp)
        target = np.array([new[put[key].node] for key in keys], dtype=np.intp)
        moves = Moves(
            [_as_given(key, held.kind) for key, held in moving.items()],
            take(before.ids, source),
            take(state.nodes.ids, target),
        )
        self._change(_Change(put, (), state))
        return moves


class _Held(NamedTuple):
    """A key that is assigned: its node, and how it came."""

    node: bytes  # the bytes of its id, which stay while positions change
    size: int | float
    kind: str  # what it was given as: "text", "bytes", "signed" or "unsigned"


class _State(NamedTuple):
    """The nodes, and how many keys of which total size each has."""

    nodes: NodeSet
    counts: list[int]
    sizes: list[int | Fraction]  # exact


class _Change(NamedTuple):
    """A change: keys that are put somewhere, keys that are removed, and the state after it."""

    put: Mapping[bytes, _Held]
    removed: Sequence[bytes]
    state: _State


def _without(state: _State, keys: Mapping[bytes, _Held]) -> _State:
    """Return a state without some keys."""
    places = state.nodes._ranking.places()
    counts, sizes = list(state.counts), list(state.sizes)
    for held in keys.values():
        place = places[held.node]
        counts[place] -= 1
        sizes[place] -= _exact(held.size)
    return _State(state.nodes, counts, sizes)


def _beyond(
    state: _State, n: int, mark: Fraction, keys: Mapping[bytes, _Held], threads: int | None
) -> dict[bytes, _Held]:
    """Return those of the keys of node n that it has to give up: none if it is within its bound."""
    exact = {key: _exact(held.size) for key, held in keys.items()}
    if not keys or state.sizes[n] - max(exact.values()) < mark:
        return {}
    if mark == 0:
        return dict(keys)
    names = list(keys)
    one = state.nodes.subset(np.arange(len(state.nodes)) == n)
    plain = one.with_weights(None)._score(names, threads).reshape(len(names), -1).tolist()
    score = list(map(tuple, plain))
    if one.weights is not None:
        weighted = one._score(names, threads)[:, 0].tolist()
        score = [(first, *rest) for first, rest in zip(weighted, score, strict=True)]
    ranked = sorted(zip(score, names, strict=True), reverse=True)
    kept: int | Fraction = 0
    given_up = {}
    for _, key in ranked:
        if kept < mark:
            kept += exact[key]
        else:
            given_up[key] = keys[key]
    return given_up


def _check_repeated(
    sizes: Sizes, first: NDArray[np.intp], names: Sequence[bytes], codes: NDArray[np.uint32]
) -> None:
    """Refuse two sizes of one key; `first` is the first row of each row's key."""
    wrong = sizes.units != sizes.units[first]
    if wrong.any():
        at = int(wrong.argmax())
        raise RVHError(
            f"key {show(names[codes[at]])} has one size at position {first[at]} and another at "
            f"position {at}: give a repeated key the same size each time"
        )


def _exact(size: int | float) -> int | Fraction:
    return size if isinstance(size, int) else Fraction(size)


def _kinds(values: Any, rows: Sequence[int]) -> list[str]:
    """Return what keys were given as, so that they can be given back."""
    kinds = []
    for row in rows:
        try:
            value = values[row]
        except IndexError:
            raise keys_changed() from None
        if isinstance(value, str) or is_uuid(value):
            kinds.append("text")
        elif is_whole(value):
            kinds.append("signed" if value < 0 else "unsigned")
        else:
            kinds.append("bytes")
    return kinds


def _as_given(key: bytes, kind: str) -> Any:
    if kind == "text":
        return key.decode(errors="surrogateescape")  # never fails, even if the key was changed
    if kind == "bytes":
        return key
    return int.from_bytes(key, "little", signed=kind == "signed")
