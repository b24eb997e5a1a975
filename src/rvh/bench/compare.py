"""Two runs side by side: the scenarios that became slower, and doubts about the comparison.

Compared are the fastest rounds: other work on the machine makes a round slower, never faster.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict

from rvh.bench.results import Environment, Row, Workload

Old = Mapping[Workload, Row]

#: the fields that decide how fast the same rvh is
DECISIVE = ("processor", "isa", "backend")


def by_workload(rows: Iterable[Row]) -> dict[Workload, Row]:
    """The rows of a run, to be found by what was run."""
    return {row.workload: row for row in rows}


def slowdown(new: Row, old: Row) -> float:
    """The growth of the time: 0.1 is 10% slower, -0.5 takes half the time."""
    return new.figures.seconds_best / old.figures.seconds_best - 1


def slower(rows: Iterable[Row], old: Old, allowed: float) -> list[Row]:
    """The rows whose time has grown by more than `allowed`, a part of it."""
    return [
        row for row in rows if row.workload in old and slowdown(row, old[row.workload]) > allowed
    ]


def wording(grown: float) -> str:
    """A slowdown for people: longer times are slower, higher rates faster.

    Examples
    --------
    >>> wording(0.25), wording(-0.5), wording(0.004)
    ('25% slower', '100% faster', 'same')
    """
    percent = 100 * (grown if grown > 0 else 1 / (1 + grown) - 1)
    return f"{percent:,.0f}% {'slower' if grown > 0 else 'faster'}" if percent >= 0.5 else "same"


def differences(old: Old, suite: Iterable[Workload], here: Environment) -> list[str]:
    """The reasons why figures of `old` may say little about a run of `suite` here."""
    reasons = []
    for name in DECISIVE:
        now = asdict(here)[name]
        there = {asdict(row.environment)[name] for row in old.values()} - {now}
        if there:
            reasons.append(f"{name} {', '.join(sorted(there))} (here {now})")
    then = {workload.name: workload for workload in old}
    other = [each.name for each in suite if then.get(each.name, each) != each]
    if other:
        listed = [*other[:3], *(["..."] if len(other) > 3 else [])]
        reasons.append(f"other key counts or parameters of {', '.join(listed)}")
    return reasons
