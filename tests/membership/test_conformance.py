"""The test of sources finds each rule broken, and nothing wrong where none is."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

import rvh
from rvh.membership import SAME, NodeMeta, Refused, State
from rvh.membership.conformance import check_source


class Place:
    """What a source reads: the nodes, or None for something that is not a state."""

    nodes: Sequence[NodeMeta] | None = ()
    version = 0

    def write(self, nodes: Sequence[NodeMeta] | None) -> None:
        self.nodes, self.version = nodes, self.version + 1


class Right:
    """A source as it should be."""

    name = "right"

    def __init__(self, place: Place) -> None:
        self.place = place

    async def watch(self) -> AsyncIterator[Any]:
        before = 0
        while True:
            if before == self.place.version:
                yield SAME
            else:
                before = self.place.version
                yield self.word(before)
            await asyncio.sleep(0.002)

    def word(self, version: int) -> Any:
        if self.place.nodes is None:
            return Refused(rvh.RVHError("this is not a state"))
        return State(self.place.nodes, version)


class BeginsWithSame(Right):
    async def watch(self) -> AsyncIterator[Any]:
        yield SAME
        async for word in super().watch():
            yield word


class TellsTheFirstOnly(Right):
    async def watch(self) -> AsyncIterator[Any]:
        async for word in super().watch():
            yield word
            while True:
                await asyncio.sleep(0.01)
                yield SAME


class FallsSilent(Right):
    async def watch(self) -> AsyncIterator[Any]:
        async for word in super().watch():
            yield word
            await asyncio.sleep(60)


class Ends(Right):
    async def watch(self) -> AsyncIterator[Any]:
        async for word in super().watch():
            yield word
            return


class TellsHalf(Right):
    def word(self, version: int) -> Any:
        word = super().word(version)
        return State(word.nodes[1:], version) if isinstance(word, State) else word


class TakesWhatIsNoState(Right):
    def word(self, version: int) -> Any:
        return State(self.place.nodes or [], version)


class GoesBack(Right):
    def word(self, version: int) -> Any:
        word = super().word(version)
        return State(word.nodes, 100 - version) if isinstance(word, State) else word


class LeavesAThread(Right):
    stop = threading.Event()

    async def watch(self) -> AsyncIterator[Any]:
        threading.Thread(target=self.stop.wait, daemon=True).start()
        async for word in super().watch():
            yield word


class HasNoName(Right):
    name = ""


def check(kind: type[Right], seconds: float = 1.0) -> None:
    place = Place()
    check_source(lambda: kind(place), place.write, spoil=lambda: place.write(None), seconds=seconds)


def test_a_source_as_it_should_be() -> None:
    check(Right)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (BeginsWithSame, "rule 1: the first word is a State"),
        (TellsTheFirstOnly, "rule 1: the state .* was not told"),
        (FallsSilent, "rule 2: nothing was said"),
        (Ends, "rule 4"),
        (TellsHalf, "rule 1: the first state is"),
        (TakesWhatIsNoState, "rule 3"),
        (GoesBack, "a version grows"),
        (LeavesAThread, "rule 5: a thread is left"),
        (HasNoName, "the name is not empty"),
    ],
)
def test_a_rule_that_is_broken(kind: type[Right], message: str) -> None:
    LeavesAThread.stop.clear()
    try:
        with pytest.raises(AssertionError, match=message):
            check(kind, 0.2)
    finally:
        LeavesAThread.stop.set()
