"""Timing: every round goes through all calls, so that a slow spell meets one round of each."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from rvh.bench.results import Figures

Name = TypeVar("Name")


def measure(
    calls: Mapping[Name, Callable[[], object]],
    rounds: int,
    tell: Callable[[int, Name], object],
) -> dict[Name, list[float]]:
    """Time each call in each round, in seconds.

    Parameters
    ----------
    calls : mapping of name to callable
    rounds : int
        How many rounds are timed; one before them is not.
    tell : callable
        Gets the number of the round, 0 for the one that is not timed, and the name before each
        call.

    Returns
    -------
    dict of name to list of float
    """
    seconds: dict[Name, list[float]] = {name: [] for name in calls}
    for number in range(rounds + 1):
        for name, call in calls.items():
            tell(number, name)
            start = time.perf_counter()
            call()
            elapsed = time.perf_counter() - start
            if number:
                seconds[name].append(elapsed)
    return seconds


def figures(seconds: Sequence[float], keys: int) -> Figures:
    """Reduce the seconds of all rounds of a call that places this many keys.

    Examples
    --------
    >>> figures([0.5, 0.25, 2.0], keys=100)
    Figures(rounds=3, seconds=0.5, seconds_best=0.25, keys_per_second=200.0)
    """
    median = statistics.median(seconds)
    return Figures(len(seconds), median, min(seconds), keys / median)
