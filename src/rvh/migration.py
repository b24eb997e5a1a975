"""Gradual migration from one placement to another: moves, owners meanwhile, and steps.

`rvh.ring` exports the public names.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping
from enum import StrEnum
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rvh import keys as _keys
from rvh._arguments.numbers import whole_number
from rvh._backend import key_point
from rvh._batch.answers import points_of
from rvh._batch.replicas import FEW, find_absent, number_ids
from rvh._columns.values import is_whole
from rvh._placing import (
    as_placement,
    check_shape,
    id_bytes,
    ids_of,
    is_from_rvh,
    positions,
    select,
    select_one,
)
from rvh._runtime.slices import SLICE, slices, take
from rvh.errors import RVHError, RVHTypeError, show

if TYPE_CHECKING:
    from rvh.typing import Key, Keys

__all__ = ["Migration", "MigrationAt", "Moved", "Phase", "Plan", "Route", "Step"]

#: the hash of a key that is its crossing point; partition tables use the same
CROSSING = "murmur2"
#: crossing points are below this
CROSSING_END = 1 << 64
STEPS_MAX = 1 << 24
#: the format of a plan's state
FORMAT = "rvh migration 1"


class Phase(StrEnum):
    """The phases of a migration.

    ========== ==================================== ==========================================
    phase      a key that has not crossed           a key that has crossed
    ========== ==================================== ==========================================
    before     read and write old                   (no key has crossed)
    copying    read old; write old and new          the same: existing data are being copied
    switching  read old; write old and new          read new, then old; write old and new
    after      (every key has crossed)              read and write new
    ========== ==================================== ==========================================

    In ``copying`` the progress is that of the copy and does not change a route. In ``switching``
    a key crosses when the progress passes its point, and crosses back if the progress decreases.
    Data are deleted from old owners only in ``after``.
    """

    BEFORE = "before"
    COPYING = "copying"
    SWITCHING = "switching"
    AFTER = "after"


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


class Route(NamedTuple):
    """The nodes to read a key from, and the nodes to write it to.

    Parameters
    ----------
    read : list
        Node ids; if a node does not have the key, read from the next.
    write : list
        Node ids; write to all of them.
    """

    read: list[Any]
    write: list[Any]


class Migration:
    """A migration of keys from an old placement to a new one.

    A key crosses when the progress passes its crossing point, which depends on the key alone:
    ``MurmurHash64A(key, seed 2718281828) / 2^64``. So at the same progress the same keys have
    crossed everywhere. The same hash puts keys into partitions: the partitions of a
    `PartitionTable` cross one after the other, in the order of their numbers.

    Parameters
    ----------
    old, new : NodeSet, Ring, PartitionTable, RingFace, FaultSet
        A RingFace counts as its current nodes. Other placements need ``select_batch(keys, k)`` or
        ``lookup_batch(keys, k)`` that returns ids (str or bytes) of shape (M, k), without
        repetitions in a row; for a `plan` they also need a ``fingerprint``. They get the list,
        tuple or array that the caller passed; for an Arrow column, a list of str, bytes or int;
        for composite keys, a list of bytes; and a single key as a list of one.
    k : int
        Number of nodes of each key, in both placements; that of a `PartitionTable` is fixed.

    Raises
    ------
    RVHError
        ``k`` out of range, or different from a table's.
    RVHTypeError
        A placement with neither method.

    Later calls raise them too if a placement returns another number of rows or nodes, or an id
    twice in a row.

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
        self._old, self._new = as_placement(old, "old"), as_placement(new, "new")
        self._k = whole_number("k", k, 2**31 - 1)
        for role, placement in (("old", self._old), ("new", self._new)):
            with _keys.open_keys_with_objects(["any key"]) as opened:
                nodes = select(placement, role, opened, self._k)
            check_shape(placement, role, nodes, 1, self._k)

    def __repr__(self) -> str:
        return f"Migration({self._old!r}, {self._new!r}, k={self._k})"

    def crossing_batch(self, keys: Keys, *, threads: int | None = None) -> NDArray[np.uint64]:
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
            A key has crossed at progress p if its point is below ``p * 2^64``.

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
        self, keys: Keys, progress: float, *, threads: int | None = None
    ) -> NDArray[np.bool_]:
        """Flags of the keys that have crossed.

        Parameters
        ----------
        keys, threads
            As for `crossing_batch`.
        progress : float
            From 0, where no key has crossed, to 1, where all have. A key that has crossed has also
            crossed at any higher progress.

        Returns
        -------
        ndarray of bool, shape (M,)

        Raises
        ------
        RVHError
            A progress that is NaN or not from 0 to 1; for keys as `NodeSet.argselect_batch`.
        RVHTypeError
            A progress that is not a number.

        Examples
        --------
        >>> from rvh import NodeSet
        >>> from rvh.ring import Migration
        >>> Migration(NodeSet(["a"]), NodeSet(["b"])).crossed_batch(["x", "y"], 1.0)
        array([ True,  True])
        """
        limit = _crossing_limit(progress)
        points = self.crossing_batch(keys, threads=threads)
        if limit == CROSSING_END:
            return np.ones(len(points), dtype=np.bool_)
        return points < np.uint64(limit)

    def owners_batch(
        self, keys: Keys, progress: float, *, threads: int | None = None
    ) -> NDArray[Any]:
        """The nodes of every key at a progress: the old nodes until it crosses, then the new.

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
        with _keys.open_keys_with_objects(keys) as opened:
            crossed = self.crossed_batch(opened[0], progress, threads=threads)
            old = select(self._old, "old", opened, self._k, threads)
            new = select(self._new, "new", opened, self._k, threads)
        if old.dtype.kind != new.dtype.kind:  # the ids of one are str, of the other bytes
            old, new = old.astype(object), new.astype(object)
        return np.where(crossed[:, None], new, old)

    def owners(self, key: Key, progress: float) -> list[Any]:
        """The nodes of one key at a progress.

        Examples
        --------
        >>> from rvh import NodeSet
        >>> from rvh.ring import Migration
        >>> Migration(NodeSet(["a"]), NodeSet(["b"])).owners("x", 1)
        ['b']
        """
        crossed = key_point(CROSSING, key) < _crossing_limit(progress)
        if crossed:
            return select_one(self._new, "new", key, self._k)
        return select_one(self._old, "old", key, self._k)

    def at(self, progress: float) -> MigrationAt:
        """The placement at a progress, for everything that takes a placement.

        Parameters
        ----------
        progress : float
            As for `crossed_batch`.

        Returns
        -------
        MigrationAt

        Raises
        ------
        RVHError, RVHTypeError
            A progress as for `crossed_batch`; a placement without ``ids`` or ``nodes``.

        Examples
        --------
        >>> from rvh import NodeSet
        >>> from rvh.ring import Migration
        >>> halfway = Migration(NodeSet(["a"]), NodeSet(["b"])).at(0.55)
        >>> halfway.ids, halfway.select_batch(["x", "y"])[:, 0]
        (array(['a', 'b'], dtype='<U1'), array(['a', 'b'], dtype='<U1'))
        """
        return MigrationAt(self, progress)

    def route(self, key: Key, phase: Phase | str, progress: float = 0.0) -> Route:
        """The nodes to read a key from, and the nodes to write it to.

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
            phase = Phase(phase)
        except ValueError:
            listed = ", ".join(map(repr, map(str, Phase)))
            raise RVHError(f"phase is {show(phase)}: choose one of {listed}") from None
        crossed = key_point(CROSSING, key) < _crossing_limit(progress)
        old = select_one(self._old, "old", key, self._k)
        new = select_one(self._new, "new", key, self._k)
        if phase is Phase.BEFORE:
            return Route(old, list(old))
        if phase is Phase.AFTER:
            return Route(new, list(new))
        if phase is Phase.COPYING or not crossed:
            return Route(old, _union(old, new))
        both = _union(new, old)
        return Route(both, list(both))

    def moves(self, keys: Keys, *, threads: int | None = None) -> Moved:
        """The keys to copy, each with its source and its target.

        Parameters
        ----------
        keys, threads
            As for `crossing_batch`.

        Returns
        -------
        Moved
            One row for each node that is new for a key. Ids are compared by their bytes: a str and
            its UTF-8 are one node.

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
        with _keys.open_keys_with_objects(keys) as opened:
            old = select(self._old, "old", opened, self._k, threads)
            new = select(self._new, "new", opened, self._k, threads)
        by_number = old.dtype.kind != new.dtype.kind or old.dtype == object or self._k > FEW
        moved = [(np.empty(0, dtype=np.intp), old[:0, 0], new[:0, 0])]
        for part in slices(len(old), max(1, SLICE // self._k)):
            (a, b), count = (old[part], new[part]), 0
            if by_number:
                (a, b), count = number_ids(a, b)
            removed, added = find_absent(a, b, count), find_absent(b, a, count)
            # A row has as many removed nodes as added ones, so the flattened masks are aligned.
            rows = part.start + np.nonzero(removed)[0]
            moved.append((rows, old[part][removed], new[part][added]))
        return Moved(*(np.concatenate(column) for column in zip(*moved, strict=True)))

    def plan(self, steps: int) -> Plan:
        """Divide the migration into equal steps, which can be done in any order and resumed.

        Parameters
        ----------
        steps : int
            Number of steps, from 1 to 2^24.

        Returns
        -------
        Plan

        Raises
        ------
        RVHError
            ``steps`` out of range; a placement without a fingerprint.
        RVHTypeError
            ``steps`` that is not a whole number.

        Examples
        --------
        >>> from rvh import NodeSet
        >>> from rvh.ring import Migration
        >>> plan = Migration(NodeSet(["a"]), NodeSet(["b"])).plan(4)
        >>> [step.stop for step in plan.left()]
        [Fraction(1, 4), Fraction(1, 2), Fraction(3, 4), Fraction(1, 1)]
        """
        return Plan(self, steps)


class MigrationAt:
    """A migration at one progress: each key on its old nodes or, if it has crossed, on its new.

    `Migration.at` makes it. It never changes, and can be pickled if both placements can.

    Parameters
    ----------
    migration : Migration
    progress : float
        As for `Migration.crossed_batch`.

    Examples
    --------
    >>> from rvh import NodeSet
    >>> from rvh.ring import Migration
    >>> halfway = Migration(NodeSet(["a", "b"]), NodeSet(["b", "c"])).at(0.5)
    >>> halfway.ids, halfway.argselect_batch(["x", "y"])
    (array(['a', 'b', 'c'], dtype='<U1'), array([[1],
           [1]]))
    """

    def __init__(self, migration: Migration, progress: float) -> None:
        _crossing_limit(progress)  # rejects what is no progress
        self._migration, self._progress = migration, progress
        old, new = ids_of(migration._old, "old"), ids_of(migration._new, "new")
        merged = _union(old.tolist(), new.tolist())
        place = {id_bytes(node): position for position, node in enumerate(merged)}
        self._ids = _keys.node_column(merged)[1]
        self._ids.flags.writeable = False
        # where the nodes of the two placements are among the ids
        self._old = np.array([place[id_bytes(node)] for node in old.tolist()], dtype=np.intp)
        self._new = np.array([place[id_bytes(node)] for node in new.tolist()], dtype=np.intp)

    @property
    def ids(self) -> NDArray[Any]:
        """The ids of the old placement, then those that only the new one has; read-only."""
        return self._ids

    @property
    def k(self) -> int:
        """The number of nodes of each key."""
        return self._migration._k

    @property
    def progress(self) -> float:
        """The progress, from 0 to 1."""
        return self._progress

    @property
    def fingerprint(self) -> str:
        """Hex digest (64 characters) of everything that decides which nodes a key has.

        Raises
        ------
        RVHError
            A placement without a fingerprint.

        Examples
        --------
        >>> from rvh import NodeSet
        >>> from rvh.ring import Migration
        >>> migration = Migration(NodeSet(["a"]), NodeSet(["b"]))
        >>> migration.at(0.5).fingerprint == migration.at(0.6).fingerprint
        False
        """
        digest = hashlib.blake2b(digest_size=32, person=b"rvh Migration")
        for role, placement in (("old", self._migration._old), ("new", self._migration._new)):
            digest.update(f"{role}={_fingerprint(placement, role)}\n".encode())
        digest.update(f"k={self.k} crossed={_crossing_limit(self._progress)}".encode())
        return digest.hexdigest()

    def select(self, key: Key, k: int | None = None) -> list[Any]:
        """The nodes of one key.

        Examples
        --------
        >>> from rvh import NodeSet
        >>> from rvh.ring import Migration
        >>> Migration(NodeSet(["a"]), NodeSet(["b"])).at(1).select("x")
        ['b']
        """
        self._check_k(k)
        return self._migration.owners(key, self._progress)

    def select_batch(
        self, keys: Keys, k: int | None = None, *, threads: int | None = None
    ) -> NDArray[Any]:
        """The nodes of every key, as `Migration.owners_batch` gives them.

        Parameters
        ----------
        keys, threads
            As for `Migration.crossing_batch`.
        k : int, optional
            The number of nodes of each key, which is that of the migration.

        Returns
        -------
        ndarray, shape (M, k)
            Node ids.

        Raises
        ------
        RVHError, RVHTypeError
            As `Migration.owners_batch`; another ``k``.

        Examples
        --------
        >>> from rvh import NodeSet
        >>> from rvh.ring import Migration
        >>> Migration(NodeSet(["a"]), NodeSet(["b"])).at(0).select_batch(["x", "y"])
        array([['a'],
               ['a']], dtype='<U1')
        """
        self._check_k(k)
        return self._migration.owners_batch(keys, self._progress, threads=threads)

    def argselect_batch(
        self, keys: Keys, k: int | None = None, *, threads: int | None = None
    ) -> NDArray[np.intp]:
        """The nodes of every key as positions in `ids`.

        Parameters
        ----------
        keys, k, threads
            As for `select_batch`.

        Returns
        -------
        ndarray of intp, shape (M, k)

        Raises
        ------
        RVHError, RVHTypeError
            As `select_batch`.

        Examples
        --------
        >>> from rvh import NodeSet
        >>> from rvh.ring import Migration
        >>> Migration(NodeSet(["a"]), NodeSet(["b"])).at(1).argselect_batch(["x", "y"])
        array([[1],
               [1]])
        """
        k = self._check_k(k)
        migration = self._migration
        with _keys.open_keys_with_objects(keys) as opened:
            crossed = migration.crossed_batch(opened[0], self._progress, threads=threads)
            old = positions(migration._old, "old", opened, k, threads)
            new = positions(migration._new, "new", opened, k, threads)
        return np.where(crossed[:, None], take(self._new, new), take(self._old, old))

    def __repr__(self) -> str:
        return f"{self._migration!r}.at({self._progress})"

    def _check_k(self, k: Any) -> int:
        if k is not None and whole_number("k", k, 2**31 - 1) != self.k:
            raise RVHError(f"k is {k}, but the migration's is {self.k}: pass k={self.k}")
        return self.k


class Step(NamedTuple):
    """A step of a plan: the keys whose crossing points are from `start` on and below `stop`.

    Parameters
    ----------
    number : int
    start, stop : Fraction
        As progress, from 0 to 1. If the number of steps divides the P partitions of a
        `PartitionTable`, a step has the partitions from ``start * P`` up to ``stop * P``.
    """

    number: int
    start: Fraction
    stop: Fraction


class Plan:
    """A migration in steps, whose progress can be saved and resumed.

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
        self._between = tuple(  # the placements' fingerprints; pickles use this name
            _fingerprint(placement, role)
            for role, placement in (("old", migration._old), ("new", migration._new))
        )

    @property
    def steps(self) -> int:
        """The number of steps."""
        return self._steps

    @property
    def progress(self) -> Fraction:
        """The progress up to which all steps are done."""
        done = self._done.copy()  # read twice, and another thread may finish the last step
        first_open = self._steps if done.all() else int(done.argmin())
        return Fraction(first_open, self._steps)

    def left(self) -> Iterator[Step]:
        """The steps that are not done, in order.

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

    def rows(self, keys: Keys, step: Step | int) -> NDArray[np.intp]:
        """The positions of the keys that belong to a step.

        Parameters
        ----------
        keys : sequence or array of str, bytes or int, shape (M,)
            Any kind in `rvh.keys.KINDS`.
        step : Step or its number

        Returns
        -------
        ndarray of intp, shape (m,)
            Ascending. Every key belongs to one step.

        Raises
        ------
        RVHError, RVHTypeError
            An unknown step; for keys as `NodeSet.argselect_batch`.

        Examples
        --------
        >>> from rvh import NodeSet
        >>> from rvh.ring import Migration
        >>> plan = Migration(NodeSet(["a"]), NodeSet(["b"])).plan(2)
        >>> sorted([*plan.rows(range(5), 0).tolist(), *plan.rows(range(5), 1).tolist()])
        [0, 1, 2, 3, 4]
        """
        step = self._step(self._number(step))
        points = self._migration.crossing_batch(keys)
        low, high = math.ceil(step.start * CROSSING_END), math.ceil(step.stop * CROSSING_END)
        inside = points >= np.uint64(low)
        if high < CROSSING_END:
            inside &= points < np.uint64(high)
        return np.flatnonzero(inside)

    def finish(self, step: Step | int) -> None:
        """Mark a step as done; marking it again changes nothing.

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
        """The state of the plan as a dict that JSON can save.

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
        """Make a plan from a saved state.

        Parameters
        ----------
        migration : Migration
            A migration between the same placements.
        state : mapping
            The result of `state`.

        Returns
        -------
        Plan

        Raises
        ------
        RVHError
            A state of other placements or another k, or a damaged one.

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
        state_format = state.get("format") if isinstance(state, Mapping) else None
        if not isinstance(state_format, str) or state_format != FORMAT:
            raise RVHError(f"state is {show(state)}: pass what Plan.state() returned")
        steps, done = state.get("steps"), state.get("done")
        if not is_whole(steps) or not isinstance(done, list) or not all(map(is_whole, done)):
            raise RVHError(
                f"the state is damaged: steps is {show(steps)}, done is {show(done)}; pass what "
                "Plan.state() returned"
            )
        plan = Plan(migration, steps)
        current = plan.state()
        for name, what in (("old", "old placement"), ("new", "new placement"), ("k", "k")):
            saved = state.get(name)
            if type(saved) is not type(current[name]) or saved != current[name]:
                raise RVHError(
                    f"the state is of another {what}: {show(saved)}, this migration's is "
                    f"{show(current[name])}; resume with the placements that it was saved with"
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


def _crossing_limit(progress: Any) -> int:
    """The crossing point below which keys have crossed."""
    if not is_whole(progress) and not isinstance(progress, (float, Fraction, np.floating)):
        raise RVHTypeError(f"progress is {show(progress)}: pass a number from 0 to 1")
    if not 0 <= progress <= 1:  # also true for NaN
        raise RVHError(f"progress is {show(progress)}: pass a number from 0 to 1")
    exact = progress if isinstance(progress, Fraction) else Fraction(float(progress))
    return math.ceil(exact * CROSSING_END)


def _fingerprint(placement: Any, role: str) -> str:
    if is_from_rvh(placement) and hasattr(placement, "partitions"):
        return f"{placement.nodes.fingerprint} in {placement.partitions} partitions"
    fingerprint = getattr(placement, "fingerprint", None)
    if not isinstance(fingerprint, str):
        raise RVHError(
            f"{role} has no fingerprint, so its plans cannot be told apart from others: pass a "
            "NodeSet, a Ring or a PartitionTable"
        )
    return fingerprint


def _union(first: list[Any], second: list[Any]) -> list[Any]:
    """The nodes of both lists, each once."""
    seen = set(map(id_bytes, first))
    return [*first, *(node for node in second if id_bytes(node) not in seen)]
