"""What is counted of one method: exact with any number of threads, and without a lock in calls.

A call only does what one instruction of the interpreter does whole: a step of an iterator that is
written in C, or an append to a deque. Sums are made from these when they are read, or by every 64th
call.
"""

from __future__ import annotations

import itertools
import operator
import sys
import sysconfig
from bisect import bisect_left
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from rvh._runtime.shared import Shared

__all__ = ["BOUNDS", "Counts", "Histogram", "Tally"]

#: the upper bounds of the buckets of durations, in seconds; the last bucket has none
BOUNDS = (1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0, 3.0, 10.0)
#: calls that wait to be summed up
WAITING_MAX = 64
FREE_THREADED = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))


class Histogram(NamedTuple):
    """How long calls took.

    Parameters
    ----------
    buckets : tuple of int
        Calls that took at most 10 us, at most 30 us, and so on up to 10 s, and the others; each
        call is in one of them.
    seconds : float
        The sum.
    """

    buckets: tuple[int, ...]
    seconds: float


class Counts(NamedTuple):
    """What was counted of one method since the process began.

    Parameters
    ----------
    calls : int
        Calls that began.
    keys : int
        Keys that were answered.
    errors : mapping of str to int
        Calls that raised, by the name of the exception's class.
    durations : Histogram or None
        Of the calls that were answered; None for a method of one key, whose calls are not timed.
    """

    calls: int
    keys: int
    errors: Mapping[str, int]
    durations: Histogram | None


class Steps:
    """A count of the steps of an iterator: ``for _ in steps.iterator: break``."""

    def __init__(self) -> None:
        # A repeat() makes no integers, so it takes 15 ns less than a count(). Without a GIL only
        # a count() is exact.
        self.iterator: Iterator[Any] = (
            itertools.count() if FREE_THREADED else itertools.repeat(None, sys.maxsize)
        )

    def taken(self) -> int:
        """Return the number of steps so far."""
        if FREE_THREADED:
            return int(repr(self.iterator)[len("count(") : -1])
        return sys.maxsize - operator.length_hint(self.iterator)


class Tally(Shared):
    """The counts of one method. A child of a fork begins with none.

    A call takes a step, then appends to `answered` or calls `fail`. Once `answered` is longer than
    `WAITING_MAX`, it calls `settle`.
    """

    def __init__(self, of_batches: bool) -> None:
        self.steps = Steps()  # calls that began
        self.answered: deque[tuple[int, float]] = deque()  # the keys and seconds of a batch
        self.failed: deque[type[BaseException]] = deque()
        self._of_batches = of_batches
        self._empty()
        self._share()

    def _empty(self) -> None:
        self.answered.clear()
        self.failed.clear()
        self._before = self.steps.taken()
        self._keys = 0
        self._seconds = 0.0
        self._buckets = [0] * (len(BOUNDS) + 1)
        self._errors: Counter[str] = Counter()

    def _after_fork(self) -> None:
        super()._after_fork()
        self._empty()

    def fail(self, error: BaseException) -> None:
        """Count a call that raised."""
        self.failed.append(type(error))
        if len(self.failed) > WAITING_MAX:
            self.settle()

    def settle(self) -> None:
        """Sum up what waits, unless that is being done: by a thread, or under a signal handler."""
        if self._change_lock.acquire(blocking=False):
            try:
                self._sum_up()
            finally:
                self._change_lock.release()

    def _sum_up(self) -> None:
        for _ in range(len(self.answered)):
            keys, seconds = self.answered.popleft()
            self._keys += keys
            self._seconds += seconds
            self._buckets[bisect_left(BOUNDS, seconds)] += 1
        for _ in range(len(self.failed)):
            self._errors[self.failed.popleft().__name__] += 1

    def read(self) -> Counts:
        """Return what was counted so far; no number is ever lower than it was before."""
        with self._change_lock:
            self._sum_up()
            calls = self.steps.taken() - self._before
            errors = dict(self._errors)
            if self._of_batches:
                durations = Histogram(tuple(self._buckets), self._seconds)
                return Counts(calls, self._keys, errors, durations)
            # One that is under way counts as answered; if it fails, the next one makes up for it.
            self._keys = max(self._keys, calls - sum(errors.values()))
            return Counts(calls, self._keys, errors, None)
