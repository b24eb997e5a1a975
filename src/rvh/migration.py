"""From one placement to another, bit by bit: what moves, who has a key meanwhile, in which order.

`rvh.ring` exports what is here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rvh import keys as _keys
from rvh._arguments.numbers import whole_number
from rvh._backend import key_point
from rvh._batch.answers import points_of
from rvh._batch.replicas import FEW, absent, numbered
from rvh._columns.column import KeyColumn
from rvh._columns.values import is_whole
from rvh._runtime.slices import SLICE, slices
from rvh.errors import RVHError, RVHTypeError, show

__all__ = ["Migration", "Moved", "Phase", "Plan", "Route", "Step"]

#: the point at which a key crosses: its hash for partitions
CROSSING = "murmur2"
#: crossing points are below this
ALL = 1 << 64
STEPS_MAX = 1 << 24
#: of a plan's state
FORMAT = "rvh migration 1"


class Phase(StrEnum):
    """Where a migration stands.

    ========== ==================================== ==========================================
    phase      a key that has not crossed           a key that has crossed
    ========== ==================================== ==========================================
    before     read and write old                   (no key has)
    copying    read old; write old and new          the same: what is there is being copied
    switching  read old; write old and new          read new, then old; write old and new
    after      (every key has)                      read and write new
    ========== ==================================== ==========================================

    In ``copying`` the progress is that of the copy and decides nothing; in ``switching`` each key
    crosses as the progress passes its point, and may go back. Data are deleted from old owners in
    ``after`` alone.
    """

    BEFORE = "before"
    COPYING = "copying"
    SWITCHING = "switching"
    AFTER = "after"


class Moved(NamedTuple):
    """What has to be copied: one row for each replica.

    Parameters
    ----------
    row : ndarray of intp, shape (m,)
        Which of the keys, ascending.
    source, target : ndarrays, shape (m,)
        The node that stops having the key, and the one that begins to; of several, the first in the
        order of the old nodes goes with the first of the new ones.
    """

    row: NDArray[np.intp]
    source: NDArray[Any]
    target: NDArray[Any]


class Route(NamedTuple):
    """Who to ask about a key, and who to tell.

    Parameters
    ----------
    read : list
        Node ids; ask the next one where a node does not have the key.
    write : list
        Node ids, all of which have to be written to.
    """

    read: list[Any]
    write: list[Any]


class Migration:
    """The way from an old placement to a new one.

    A key crosses once, when the progress passes its crossing point, which depends on the key
    alone: ``MurmurHash64A(key, seed 2718281828) / 2^64``. So at the same progress the same keys
    have crossed everywhere. It is also what puts a key into a partition: a `PartitionTable`'s
    partitions cross one after the other, in the order of their numbers.

    Parameters
    ----------
    old, new : NodeSet, Ring, PartitionTable, RingFace, FaultSet
        A RingFace counts as the nodes that it has now. Or anything with ``select_batch(keys, k)``
        or ``lookup_batch(keys, k)``, which give ids (str or bytes) of shape (M, k), no id twice in
        a row, and for a `plan` a ``fingerprint``. Such a placement gets the list, tuple or array
        that the caller passed; of Arrow's columns a list of str, bytes or int; of composite keys a
        list of bytes; and one key as a list of it.
    k : int
        How many nodes each key has in both; a `PartitionTable` has its own.

    Raises
    ------
    RVHError
        ``k`` out of range, or another number than a table's.
    RVHTypeError
        A placement that places nothing.

    Calls raise them too where such a placement answers with other rows, another k, or one id twice
    in a row.

    Examples
    --------
    >>> import rvh
    >>> from rvh.ring import Migration, ketama
    >>> names = ["a", "b", "c"]
    >>> migration = Migration(ketama(names), rvh.NodeSet(names))
    >>> migration.moves(["x", "y", "z"]).row
    array([0, 2])
    >>> migration.owners_batch(["x", "y", "z"], 0.5)[:, 0]
    array(['c', 'b', 'c'], dtype='<U1')
    """

    def __init__(self, old: Any, new: Any, k: int = 1) -> None:
        self._old, self._new = _placed(old, "old"), _placed(new, "new")
        self._k = whole_number("k", k, 2**31 - 1)
        for what, placement in (("old", self._old), ("new", self._new)):
            with _keys.open_keys_with_objects(["any key"]) as asked:
                nodes = _nodes_of(placement, what, asked, self._k)
            _check_shape(placement, what, nodes, 1, self._k)

    def __repr__(self) -> str:
        return f"Migration({self._old!r}, {self._new!r}, k={self._k})"

    def crossing_batch(self, keys: Any, *, threads: int | None = None) -> NDArray[np.uint64]:
        """The crossing points of keys, times 2^64.

        Parameters
        ----------
        keys : sequence or array of str, bytes or int, shape (M,)
            Any kind in `rvh.keys.KINDS`.
        threads : int, optional
            As for `NodeSet.argselect_batch`.

        Returns
        -------
        ndarray of uint64, shape (M,)
            A key has crossed at progress p where its point is below ``p * 2^64``.

        Raises
        ------
        RVHError, RVHTypeError
            As `NodeSet.argselect_batch`.

        Examples
        --------
        >>> from rvh import NodeSet
        >>> from rvh.ring import Migration
        >>> Migration(NodeSet(["a"]), NodeSet(["b"])).crossing_batch(["x", "y"]) / 2**64
        array([0.57624768, 0.54896163])
        """
        with _keys.open_keys(keys) as column:
            return points_of(CROSSING, column, threads)

    def crossed_batch(
        self, keys: Any, progress: float, *, threads: int | None = None
    ) -> NDArray[np.bool_]:
        """Which keys have crossed.

        Parameters
        ----------
        keys, threads
            As for `crossing_batch`.
        progress : float
            From 0, where none has, to 1, where all have; what has crossed stays so at any higher
            progress.

        Returns
        -------
        ndarray of bool, shape (M,)

        Raises
        ------
        RVHError
            A progress that is NaN or not from 0 to 1; for keys as `NodeSet.argselect_batch`.
        RVHTypeError
            A progress that is no number.

        Examples
        --------
        >>> from rvh import NodeSet
        >>> from rvh.ring import Migration
        >>> Migration(NodeSet(["a"]), NodeSet(["b"])).crossed_batch(["x", "y"], 1.0)
        array([ True,  True])
        """
        limit = _limit(progress)
        points = self.crossing_batch(keys, threads=threads)
        if limit == ALL:
            return np.ones(len(points), dtype=np.bool_)
        return points < np.uint64(limit)

    def owners_batch(
        self, keys: Any, progress: float, *, threads: int | None = None
    ) -> NDArray[Any]:
        """The nodes of every key at a progress: old ones until it crosses, new ones from then on.

        Parameters
        ----------
        keys, progress, threads
            As for `crossed_batch`.

        Returns
        -------
        ndarray, shape (M, k)
            Node ids.

        Raises
        ------
        RVHError, RVHTypeError
            As `crossed_batch`.

        Examples
        --------
        >>> from rvh import NodeSet
        >>> from rvh.ring import Migration
        >>> Migration(NodeSet(["a"]), NodeSet(["b"])).owners_batch(["x", "y"], 0)
        array([['a'],
               ['a']], dtype='<U1')
        """
        with _keys.open_keys_with_objects(keys) as asked:
            crossed = self.crossed_batch(asked[0], progress, threads=threads)
            old = _nodes_of(self._old, "old", asked, self._k, threads)
            new = _nodes_of(self._new, "new", asked, self._k, threads)
        if old.dtype.kind != new.dtype.kind:  # str and bytes, each as its own set has it
            old, new = old.astype(object), new.astype(object)
        return np.where(crossed[:, None], new, old)

    def owners(self, key: Any, progress: float) -> list[Any]:
        """The nodes of one key at a progress.

        Examples
        --------
        >>> from rvh import NodeSet
        >>> from rvh.ring import Migration
        >>> Migration(NodeSet(["a"]), NodeSet(["b"])).owners("x", 1)
        ['b']
        """
        crossed = key_point(CROSSING, key) < _limit(progress)
        if crossed:
            return _nodes_of_one(self._new, "new", key, self._k)
        return _nodes_of_one(self._old, "old", key, self._k)

    def route(self, key: Any, phase: Phase | str, progress: float = 0.0) -> Route:
        """Who to read a key from and who to write it to.

        Parameters
        ----------
        key : str, bytes-like or int
        phase : Phase or its name
            See `Phase`.
        progress : float
            As for `crossed_batch`.

        Returns
        -------
        Route

        Raises
        ------
        RVHError
            An unknown phase; a progress as for `crossed_batch`.
        RVHTypeError
            As `crossed_batch`.

        Examples
        --------
        >>> from rvh import NodeSet
        >>> from rvh.ring import Migration
        >>> migration = Migration(NodeSet(["a"]), NodeSet(["b"]))
        >>> migration.route("x", "copying", 0.9)
        Route(read=['a'], write=['a', 'b'])
        >>> migration.route("x", "switching", 1)
        Route(read=['b', 'a'], write=['b', 'a'])
        """
        try:
            now = Phase(phase)
        except ValueError:
            listed = ", ".join(map(repr, map(str, Phase)))
            raise RVHError(f"phase is {show(phase)}: choose one of {listed}") from None
        crossed = key_point(CROSSING, key) < _limit(progress)
        old = _nodes_of_one(self._old, "old", key, self._k)
        new = _nodes_of_one(self._new, "new", key, self._k)
        if now is Phase.BEFORE:
            return Route(old, list(old))
        if now is Phase.AFTER:
            return Route(new, list(new))
        if now is Phase.COPYING or not crossed:
            return Route(old, _together(old, new))
        both = _together(new, old)
        return Route(both, list(both))

    def moves(self, keys: Any, *, threads: int | None = None) -> Moved:
        """Which keys have to be copied, from where and to where.

        Parameters
        ----------
        keys, threads
            As for `crossing_batch`.

        Returns
        -------
        Moved
            A row for each node that a key gets and did not have. Ids are compared by their bytes:
            a str and its UTF-8 are one node.

        Raises
        ------
        RVHError, RVHTypeError
            As `NodeSet.argselect_batch`.

        Examples
        --------
        >>> from rvh import NodeSet
        >>> from rvh.ring import Migration
        >>> migration = Migration(NodeSet(["a", "b"]), NodeSet(["a", "b", "c"]))
        >>> set(migration.moves(range(100)).target.tolist())
        {'c'}
        """
        with _keys.open_keys_with_objects(keys) as asked:
            old = _nodes_of(self._old, "old", asked, self._k, threads)
            new = _nodes_of(self._new, "new", asked, self._k, threads)
        numbers = old.dtype.kind != new.dtype.kind or old.dtype == object or self._k > FEW
        found = [(np.empty(0, dtype=np.intp), old[:0, 0], new[:0, 0])]
        for part in slices(len(old), max(1, SLICE // self._k)):
            (a, b), count = (old[part], new[part]), 0
            if numbers:
                (a, b), count = numbered(a, b)
            leaves, comes = absent(a, b, count), absent(b, a, count)
            # Both have as many in each row, which is where row after row they meet.
            rows = part.start + np.nonzero(leaves)[0]
            found.append((rows, old[part][leaves], new[part][comes]))
        return Moved(*(np.concatenate(column) for column in zip(*found, strict=True)))

    def plan(self, steps: int) -> Plan:
        """The migration in steps of equal size, to be done in any order and resumed.

        Parameters
        ----------
        steps : int
            From 1 to 2^24.

        Returns
        -------
        Plan

        Raises
        ------
        RVHError
            ``steps`` out of range; a placement without a fingerprint.
        RVHTypeError
            ``steps`` that is no whole number.

        Examples
        --------
        >>> from rvh import NodeSet
        >>> from rvh.ring import Migration
        >>> plan = Migration(NodeSet(["a"]), NodeSet(["b"])).plan(4)
        >>> [step.stop for step in plan.left()]
        [Fraction(1, 4), Fraction(1, 2), Fraction(3, 4), Fraction(1, 1)]
        """
        return Plan(self, steps)


class Step(NamedTuple):
    """A part of the keys: those whose crossing points are from `start` on and below `stop`.

    Parameters
    ----------
    number : int
    start, stop : Fraction
        As progress, from 0 to 1. Of a `PartitionTable` whose partitions the steps divide evenly,
        the partitions from ``start * P`` to ``stop * P``.
    """

    number: int
    start: Fraction
    stop: Fraction


class Plan:
    """A migration in steps: which are done is remembered, saved and resumed.

    Parameters
    ----------
    migration : Migration
    steps : int
        As for `Migration.plan`.

    Examples
    --------
    >>> from rvh import NodeSet
    >>> from rvh.ring import Migration
    >>> migration = Migration(NodeSet(["a"]), NodeSet(["b"]))
    >>> plan = migration.plan(10)
    >>> for step in plan.left():
    ...     rows = plan.rows(["x", "y", "z"], step)  # copy those, then
    ...     plan.finish(step)
    >>> plan.progress
    Fraction(1, 1)
    """

    def __init__(self, migration: Migration, steps: int) -> None:
        if not isinstance(migration, Migration):
            raise RVHTypeError(f"migration is of type {type(migration).__name__}: pass a Migration")
        self._migration = migration
        self._steps = whole_number("steps", steps, STEPS_MAX)
        self._done = np.zeros(self._steps, dtype=np.bool_)
        self._between = tuple(
            _fingerprint(placement, what)
            for what, placement in (("old", migration._old), ("new", migration._new))
        )

    @property
    def steps(self) -> int:
        """How many steps there are."""
        return self._steps

    @property
    def progress(self) -> Fraction:
        """Up to where all steps are done, as progress."""
        done = self._done.copy()  # looked at twice, and another thread may finish the last step
        whole = self._steps if done.all() else int(done.argmin())
        return Fraction(whole, self._steps)

    def left(self) -> Iterator[Step]:
        """The steps that are not done, in their order.

        Examples
        --------
        >>> from rvh import NodeSet
        >>> from rvh.ring import Migration
        >>> plan = Migration(NodeSet(["a"]), NodeSet(["b"])).plan(3)
        >>> plan.finish(1)
        >>> [step.number for step in plan.left()]
        [0, 2]
        """
        for number in np.flatnonzero(~self._done).tolist():
            yield self._step(number)

    def _step(self, number: int) -> Step:
        start, stop = Fraction(number, self._steps), Fraction(number + 1, self._steps)
        return Step(number, start, stop)

    def rows(self, keys: Any, step: Step | int) -> NDArray[np.intp]:
        """Which of the keys a step is about.

        Parameters
        ----------
        keys : sequence or array of str, bytes or int, shape (M,)
            Any kind in `rvh.keys.KINDS`.
        step : Step or its number

        Returns
        -------
        ndarray of intp, shape (m,)
            Ascending. Every key is of one step.

        Raises
        ------
        RVHError, RVHTypeError
            No such step; for keys as `NodeSet.argselect_batch`.

        Examples
        --------
        >>> from rvh import NodeSet
        >>> from rvh.ring import Migration
        >>> plan = Migration(NodeSet(["a"]), NodeSet(["b"])).plan(2)
        >>> sorted([*plan.rows(range(5), 0).tolist(), *plan.rows(range(5), 1).tolist()])
        [0, 1, 2, 3, 4]
        """
        part = self._step(self._number(step))
        points = self._migration.crossing_batch(keys)
        low, high = math.ceil(part.start * ALL), math.ceil(part.stop * ALL)
        inside = points >= np.uint64(low)
        if high < ALL:
            inside &= points < np.uint64(high)
        return np.flatnonzero(inside)

    def finish(self, step: Step | int) -> None:
        """A step is done; doing it again changes nothing.

        Examples
        --------
        >>> from rvh import NodeSet
        >>> from rvh.ring import Migration
        >>> plan = Migration(NodeSet(["a"]), NodeSet(["b"])).plan(4)
        >>> plan.finish(0)
        >>> plan.progress
        Fraction(1, 4)
        """
        self._done[self._number(step)] = True

    def state(self) -> dict[str, Any]:
        """All that there is to save, for JSON.

        Examples
        --------
        >>> from rvh import NodeSet
        >>> from rvh.ring import Migration
        >>> sorted(Migration(NodeSet(["a"]), NodeSet(["b"])).plan(4).state())
        ['done', 'format', 'k', 'new', 'old', 'steps']
        """
        old, new = self._between
        return {
            "format": FORMAT,
            "old": old,
            "new": new,
            "k": self._migration._k,
            "steps": self._steps,
            "done": np.flatnonzero(self._done).tolist(),
        }

    @classmethod
    def resume(cls, migration: Migration, state: Mapping[str, Any]) -> Plan:
        """The plan that was saved.

        Parameters
        ----------
        migration : Migration
            Between the same placements.
        state : mapping
            What `state` gave.

        Returns
        -------
        Plan

        Raises
        ------
        RVHError
            A state of other placements, of another k, or that is damaged.

        Examples
        --------
        >>> from rvh import NodeSet
        >>> from rvh.ring import Migration, Plan
        >>> migration = Migration(NodeSet(["a"]), NodeSet(["b"]))
        >>> plan = migration.plan(4)
        >>> plan.finish(0)
        >>> Plan.resume(migration, plan.state()).progress
        Fraction(1, 4)
        """
        form = state.get("format") if isinstance(state, Mapping) else None
        if not isinstance(form, str) or form != FORMAT:
            raise RVHError(f"state is {show(state)}: pass what Plan.state() gave")
        steps, done = state.get("steps"), state.get("done")
        if not is_whole(steps) or not isinstance(done, list) or not all(map(is_whole, done)):
            raise RVHError(
                f"the state is damaged: steps is {show(steps)}, done is {show(done)}; pass what "
                "Plan.state() gave"
            )
        plan = Plan(migration, steps)
        now = plan.state()
        for name, what in (("old", "old placement"), ("new", "new placement"), ("k", "k")):
            saved = state.get(name)
            if type(saved) is not type(now[name]) or saved != now[name]:
                raise RVHError(
                    f"the state is of another {what}: {show(saved)}, this migration's is "
                    f"{show(now[name])}; resume with the placements that it was saved with"
                )
        for number in done:
            plan.finish(number)
        return plan

    def _number(self, step: Any) -> int:
        number = step.number if isinstance(step, Step) else step
        if not is_whole(number):
            raise RVHTypeError(f"step is {show(step)}: pass a Step or its number")
        if not 0 <= number < self._steps:
            raise RVHError(f"step is {show(number)}: there are steps 0 to {self._steps - 1}")
        if isinstance(step, Step) and step != self._step(int(number)):
            raise RVHError(
                f"step is {show(step)}, of a plan of other steps: this one has {self._steps}"
            )
        return int(number)


def _limit(progress: Any) -> int:
    """The crossing point below which keys have crossed."""
    if not is_whole(progress) and not isinstance(progress, (float, Fraction, np.floating)):
        raise RVHTypeError(f"progress is {show(progress)}: pass a number from 0 to 1")
    if not 0 <= progress <= 1:  # NaN neither
        raise RVHError(f"progress is {show(progress)}: pass a number from 0 to 1")
    exact = progress if isinstance(progress, Fraction) else Fraction(float(progress))
    return math.ceil(exact * ALL)


def _placed(placement: Any, what: str) -> Any:
    current = getattr(placement, "_placement", None)  # of what changes: how it places now
    if current is not None:
        return current()
    if not hasattr(placement, "lookup_batch") and not hasattr(placement, "select_batch"):
        raise RVHTypeError(
            f"{what} is of type {type(placement).__name__}: pass a NodeSet, a Ring, a "
            "PartitionTable, or what has lookup_batch(keys, k)"
        )
    return placement


def _is_own(placement: Any) -> bool:
    """Whether one of rvh's own answers, which reads columns of keys; a class derived may too."""
    kind = type(placement)
    method = getattr(kind, "select_batch", None) or getattr(kind, "lookup_batch", None)
    modules = (kind.__module__, str(getattr(method, "__module__", "")))
    return any(module.partition(".")[0] == "rvh" for module in modules)


def _nodes_of(
    placement: Any,
    what: str,
    asked: tuple[KeyColumn, Callable[[], Any]],
    k: int,
    threads: int | None = None,
) -> NDArray[Any]:
    """The nodes of keys, shape (M, k)."""
    column, objects = asked
    if _is_own(placement):
        options = {} if threads is None else {"threads": threads}
        if hasattr(placement, "select_batch"):
            answer = placement.select_batch(column, k, **options)
            return np.asarray(getattr(answer, "nodes", answer))  # a FaultSet says more
        if hasattr(placement, "partitions"):
            return np.asarray(placement.lookup_batch(column, **options))
        return np.asarray(placement.lookup_batch(column, k, **options))
    if hasattr(placement, "select_batch"):
        answer = placement.select_batch(objects(), k)
        answer = getattr(answer, "nodes", answer)
    else:
        answer = placement.lookup_batch(objects(), k)
    nodes = _as_ids(placement, what, answer, len(column), k)
    _check_shape(placement, what, nodes, len(column), k)
    _check_once(placement, what, nodes)
    return nodes


def _nodes_of_one(placement: Any, what: str, key: Any, k: int) -> list[Any]:
    if _is_own(placement):
        if hasattr(placement, "select"):
            return list(placement.select(key, k))
        if hasattr(placement, "partitions"):
            return list(placement.lookup(key))
        if hasattr(placement, "lookup"):
            return list(placement.lookup(key, k))
    with _keys.open_keys_with_objects([key]) as asked:
        found: list[Any] = _nodes_of(placement, what, asked, k)[0].tolist()
    return found


def _as_ids(placement: Any, what: str, answer: Any, rows: int, k: int) -> NDArray[Any]:
    """What a placement of one's own answered, as an array of str, bytes or objects that are."""
    who = f"{what}, of type {type(placement).__name__},"
    if not isinstance(answer, np.ndarray) and hasattr(answer, "__array__"):
        answer = np.asarray(answer)
    if not isinstance(answer, np.ndarray):
        # Not by NumPy, which makes text of what stands beside text, and cuts NULs at the end.
        listed = list(answer) if isinstance(answer, Iterable) else None
        if listed is None or isinstance(answer, (str, bytes, Mapping)):
            raise RVHTypeError(
                f"{who} answers with a {type(answer).__name__}: a placement gives an array or a "
                "list of lists of ids, shape (keys, k)"
            )
        if any(isinstance(row, (str, bytes)) or not isinstance(row, Iterable) for row in listed):
            answer = _keys.object_array(listed)
        else:
            each = [list(row) for row in listed]
            for number, row in enumerate(each):
                if len(row) != len(each[0]):
                    raise RVHError(
                        f"{who} gives the key in row {number} {len(row)} nodes and that in row 0 "
                        f"{len(each[0])}: a placement gives every key as many"
                    )
            width = len(each[0]) if each else k
            flat = _keys.object_array([node for row in each for node in row])
            answer = flat.reshape(len(each), width)
    if np.ma.is_masked(answer):
        raise RVHError(
            f"{who} gives the key in row {_first_row(np.ma.getmaskarray(answer))} a masked node: "
            "node ids are str or bytes"
        )
    answer = np.asarray(answer)
    if rows == 0 and answer.size == 0:
        return np.empty((0, k), dtype=object)
    if answer.dtype.kind not in "USTO":
        raise RVHTypeError(
            f"{who} answers with an array of {answer.dtype}: node ids are str or bytes"
        )
    if answer.dtype.kind in "TO":
        answer = answer.astype(object)
        for at, node in enumerate(answer.ravel().tolist()):
            if not isinstance(node, (str, bytes)):
                row = at // (answer.size // len(answer))
                raise RVHTypeError(
                    f"{who} gives the key in row {row} node {show(node)} of type "
                    f"{type(node).__name__}: node ids are str or bytes"
                )
    empty = np.equal(answer, b"" if answer.dtype.kind == "S" else "")
    if answer.dtype.kind == "O":
        empty |= np.equal(answer, b"")
    if empty.any():
        raise RVHError(
            f"{who} gives the key in row {_first_row(empty)} an empty node id: every key has nodes"
        )
    nodes: NDArray[Any] = answer
    return nodes


def _first_row(marked: NDArray[Any]) -> int:
    return int(np.flatnonzero(marked)[0]) // max(1, marked[:1].size)


def _check_shape(placement: Any, what: str, nodes: NDArray[Any], rows: int, k: int) -> None:
    who = f"{what}, of type {type(placement).__name__},"
    if nodes.ndim != 2:
        raise RVHTypeError(
            f"{who} answers for {rows} keys in shape {nodes.shape}: a placement gives ids of shape "
            f"({rows}, k)"
        )
    if nodes.shape[1] != k:
        raise RVHError(
            f"{what} gives every key {nodes.shape[1]} nodes, but k is {k}: pass k={nodes.shape[1]}"
        )
    if len(nodes) != rows:
        raise RVHError(f"{who} answers with {len(nodes)} rows for {rows} keys: one each is needed")


def _check_once(placement: Any, what: str, nodes: NDArray[Any]) -> None:
    """Refuse a node that a key has twice: the copies to be made would not come out even."""
    if nodes.shape[1] == 1:
        return
    ordered = np.sort(_as_bytes(nodes) if nodes.dtype.kind == "O" else nodes, axis=1)
    twice = (ordered[:, 1:] == ordered[:, :-1]).astype(np.bool_).any(axis=1)
    if twice.any():
        row = int(twice.argmax())
        found: list[Any] = nodes[row].tolist()
        first: dict[bytes, int] = {}
        node = next(
            node for at, node in enumerate(found) if first.setdefault(_id_bytes(node), at) != at
        )
        raise RVHError(
            f"{what}, of type {type(placement).__name__}, gives the key in row {row} node "
            f"{show(node)} twice: a placement gives each node of a key once"
        )


def _as_bytes(nodes: NDArray[Any]) -> NDArray[Any]:
    """Ids as the bytes that they are compared by."""
    return _keys.object_array(list(map(_id_bytes, nodes.ravel().tolist()))).reshape(nodes.shape)


def _id_bytes(node: Any) -> bytes:
    return _keys.key_bytes(node, what="node id")


def _fingerprint(placement: Any, what: str) -> str:
    if _is_own(placement) and hasattr(placement, "partitions"):
        return f"{placement.nodes.fingerprint} in {placement.partitions} partitions"
    found = getattr(placement, "fingerprint", None)
    if not isinstance(found, str):
        raise RVHError(
            f"{what} has no fingerprint, so a plan could not be told from another one's: pass a "
            "NodeSet, a Ring or a PartitionTable"
        )
    return found


def _together(first: list[Any], second: list[Any]) -> list[Any]:
    """Both, each node once."""
    seen = set(map(_id_bytes, first))
    return [*first, *(node for node in second if _id_bytes(node) not in seen)]
