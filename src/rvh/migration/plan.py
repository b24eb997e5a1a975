"""A migration in steps that can be done in any order and resumed."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rvh._arguments.numbers import whole_number
from rvh._columns.values import is_whole
from rvh._placing import id_bytes
from rvh.errors import RVHError, RVHTypeError, show
from rvh.migration.crossing import CROSSING_END, crossing_batch, step_numbers
from rvh.migration.pair import Pair, fingerprint

if TYPE_CHECKING:
    from rvh.typing import Keys

__all__ = ["Plan", "Step"]

STEPS_MAX = 1 << 24
#: the format of a plan's state
FORMAT = "rvh migration 1"
#: what a state says of its migration
ABOUT = {
    "old": "old placement",
    "new": "new placement",
    "k": "k",
    "k_new": "k_new",
    "kept": "list of kept placements",
    "dead": "list of dead nodes",
}


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

    def __init__(self, migration: Pair, steps: int) -> None:
        if not isinstance(migration, Pair):
            raise RVHTypeError(f"migration is of type {type(migration).__name__}: pass a Migration")
        self._migration = migration
        self._steps = whole_number("steps", steps, STEPS_MAX)
        self._done = np.zeros(self._steps, dtype=np.bool_)
        self._between = migration._fingerprints()  # pickles use this name

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

    def _repr_html_(self) -> str:
        """Return a table for notebooks: which steps are done, and which are left."""
        from rvh._html import counted, small_table

        done = self._done.copy()
        starts = np.flatnonzero(np.diff(done, prepend=~done[:1])).tolist()
        stops = [*starts[1:], self._steps]
        columns: list[tuple[str, str, list[Any]]] = [
            ("from step", "d", starts),
            ("to", "d", [stop - 1 for stop in stops]),
            ("steps", ",", [stop - start for start, stop in zip(starts, stops, strict=True)]),
            ("", "", ["done" if done[start] else "left" for start in starts]),
        ]
        caption = f"Plan: {np.count_nonzero(done):,} of {counted(self._steps, 'step')} done"
        return small_table(caption, columns)

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
        points = crossing_batch(keys)
        low, high = math.ceil(step.start * CROSSING_END), math.ceil(step.stop * CROSSING_END)
        inside = points >= np.uint64(low)
        if high < CROSSING_END:
            inside &= points < np.uint64(high)
        return np.flatnonzero(inside)

    def steps_of(self, keys: Keys, *, threads: int | None = None) -> NDArray[np.intp]:
        """The number of the step of every key, which sorts all keys into steps in one pass.

        Parameters
        ----------
        keys : sequence or array of str, bytes or int, shape (M,)
            Any kind in `rvh.keys.KINDS`.
        threads : int, optional
            As for `NodeSet.argselect_batch`.

        Returns
        -------
        ndarray of intp, shape (M,)

        Raises
        ------
        RVHError, RVHTypeError
            As `NodeSet.argselect_batch`.

        Examples
        --------
        >>> from rvh import NodeSet
        >>> from rvh.ring import Migration
        >>> plan = Migration(NodeSet(["a"]), NodeSet(["b"])).plan(10)
        >>> plan.steps_of(["x", "y", "z"])
        array([5, 5, 7])
        """
        return step_numbers(crossing_batch(keys, threads), self._steps)

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
        return {
            "format": FORMAT,
            **self._about(),
            "steps": self._steps,
            "done": np.flatnonzero(self._done).tolist(),
        }

    def _about(self) -> dict[str, Any]:
        """What the state says of the migration; what only some have is left out for the others."""
        migration = self._migration
        old, new = self._between
        about: dict[str, Any] = {"old": old, "new": new, "k": migration._k}
        if migration._k_new != migration._k:
            about["k_new"] = migration._k_new
        if migration._kept:
            about["kept"] = [fingerprint(one, "kept") for one in migration._kept]
        if migration._dead:
            about["dead"] = sorted(id_bytes(node).hex() for node in migration._dead)
        return about

    @classmethod
    def resume(cls, migration: Pair, state: Mapping[str, Any]) -> Plan:
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
        for name, what in ABOUT.items():
            saved, expected = state.get(name), current.get(name)
            if type(saved) is not type(expected) or saved != expected:
                raise RVHError(
                    f"the state is of another {what}: {show(saved)}, this migration's is "
                    f"{show(expected)}; resume with the placements that it was saved with"
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
