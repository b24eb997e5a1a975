"""Many seeds of a world, and what was found."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import NamedTuple

from simulation.history import Counts, ViolationError
from simulation.scheduler import StuckError, one_processor
from simulation.world import World

#: the last events of a failed key that are shown
EVENTS = 80


class Found(NamedTuple):
    """A violation, the seed that shows it, and how many seeds that took."""

    seed: int
    tried: int
    violation: ViolationError


def simulate(seeds: Iterable[int], world: type[World] = World) -> Counts:
    """Run a world for each seed; at a violation, raise it with the history of its key."""
    total = Counts()
    with one_processor():
        for seed in seeds:
            try:
                total.add(world(seed).run())
            except (ViolationError, StuckError) as error:
                error.add_note(history(seed, world, getattr(error, "key", None)))
                raise
    return total


def first_found(seeds: Iterable[int], world: type[World]) -> Found | None:
    """Return the first violation that a mutant leads to."""
    with one_processor():
        for tried, seed in enumerate(seeds, 1):
            try:
                world(seed).run()
            except ViolationError as violation:
                return Found(seed, tried, violation)
            except StuckError:  # left out like this, a rule may have others wait for ever
                continue
    return None


def history(seed: int, world: type[World], key: str | None) -> str:
    """Run a seed once more, and return what happened to a key."""
    again = world(seed, log=True)
    with suppress(ViolationError, StuckError):
        again.run()
    events = [event for event in again.stores.log if event[3] in ("", key)]
    return "\n".join(
        [
            f"seed {seed}: {again.migration!r}",
            *(f"{step:6} {actor:18} {what}" for step, actor, what, _ in events[-EVENTS:]),
        ]
    )
