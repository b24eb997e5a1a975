"""Actors that take turns, one step at a time, in an order that a seed decides.

An actor is a thread, so that it can call the library as it is; it runs only while it holds the
baton, which `Scheduler.step` may hand to another. So a run is repeated exactly by its seed.
"""

from __future__ import annotations

import os
import random
from _thread import allocate_lock
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread

#: how often an actor gets its turn, compared with the others; some all but sleep
WEIGHTS = (1.0, 1.0, 1.0, 0.3, 0.02)


class StuckError(RuntimeError):
    """A run has no end."""


class Crash(BaseException):
    """The end of an actor in the middle of its work: no handler of errors may catch it."""


class Actor:
    """A thread and its lock, which is open while it holds the baton."""

    def __init__(self, name: str, function: Callable[[], object]) -> None:
        self.name, self.function = name, function
        self.turn = allocate_lock()
        self.turn.acquire()
        self.weight = 1.0
        self.condition: Callable[[], object] | None = None
        self.wakes = 0
        self.is_crashing = self.is_done = False


class Scheduler:
    """The turns of actors.

    Parameters
    ----------
    rng : random.Random
        Decides who is next.
    turns : int
        A run that takes more never ends.
    """

    def __init__(self, rng: random.Random, turns: int) -> None:
        self.rng = rng
        self._turns_most = turns
        self.steps = 0  # of actors
        self._turns = 0  # the clock of those that sleep
        self.error: BaseException | None = None
        self._actors: list[Actor] = []
        self._current: Actor | None = None
        self._ended = allocate_lock()
        self._ended.acquire()
        self._stay = rng.choice((0.0, 0.3, 0.8))
        self._weather = 0

    def spawn(self, name: str, function: Callable[[], object]) -> Actor:
        actor = Actor(name, function)
        self._actors.append(actor)
        self._weather = 0  # weights are drawn anew
        Thread(target=self._live, args=(actor,), name=name, daemon=True).start()
        return actor

    def run(self) -> None:
        """Let the actors run to their ends; the first error of one is raised."""
        self._hand(self._next())
        self._ended.acquire()
        for actor in self._actors:  # after an error
            if not actor.is_done:
                actor.is_crashing = True
                actor.turn.release()
                self._ended.acquire()
        if self.error is not None:
            raise self.error

    def step(self) -> None:
        """End a step of the current actor: another one may be next."""
        self.steps += 1
        if self.rng.random() >= self._stay:
            self._switch()
        elif self._current is not None and self._current.is_crashing:
            raise Crash

    def wait(self, condition: Callable[[], object]) -> None:
        """Let others run until a condition holds."""
        actor = self._current
        assert actor is not None
        while not condition():
            actor.condition = condition
            self._switch()

    def pause(self, turns: int) -> None:
        """Sleep while others take so many turns, or less long if nobody else can take one."""
        assert self._current is not None
        self._current.wakes = self._turns + turns
        self._switch()

    def crash(self, actor: Actor) -> None:
        """End an actor where it is."""
        actor.is_crashing, actor.condition, actor.wakes = True, None, 0

    @property
    def actor(self) -> str:
        """The name of the current actor."""
        return self._current.name if self._current else "nobody"

    def _switch(self) -> None:
        actor = self._current
        assert actor is not None
        following = self._next()
        if following is not actor:
            self._hand(following)
            actor.turn.acquire()
        actor.condition = None
        if actor.is_crashing:
            raise Crash

    def _hand(self, actor: Actor) -> None:
        self._current = actor
        actor.turn.release()

    def _next(self) -> Actor:
        self._turns += 1
        if self._turns > self._turns_most:
            raise StuckError(f"no end after {self._turns} turns")
        if self._turns >= self._weather:  # who is fast and who is slow changes now and then
            self._weather = self._turns + self.rng.randrange(10, 150)
            for actor in self._actors:
                actor.weight = self.rng.choice(WEIGHTS)
        ready = [actor for actor in self._actors if actor.wakes <= self._turns]
        while ready:
            actor = self.rng.choices(ready, [actor.weight for actor in ready])[0]
            if actor.condition is None or actor.condition():
                return actor
            ready.remove(actor)
        asleep = [actor for actor in self._actors if actor.wakes > self._turns]
        if not asleep:
            names = ", ".join(actor.name for actor in self._actors)
            raise StuckError(f"all actors wait for each other: {names}")
        return min(asleep, key=lambda actor: actor.wakes)

    def _live(self, actor: Actor) -> None:
        actor.turn.acquire()
        try:
            if not actor.is_crashing:
                actor.function()
        except Crash:
            pass
        except BaseException as error:
            self.error = self.error or error
        actor.is_done = True
        if self.error is None:
            self._actors.remove(actor)
            if self._actors:
                try:
                    self._hand(self._next())
                except BaseException as error:
                    self.error = error
                else:
                    return
        self._ended.release()


@contextmanager
def one_processor() -> Iterator[None]:
    """Run on one processor: handing the baton to another one takes four times as long."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {sorted(allowed)[os.getpid() % len(allowed)]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)
