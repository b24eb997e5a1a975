"""A source that a test tells what to say, for the rules that are the same for every source."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import AsyncIterator, Sequence
from typing import Any

from rvh.errors import RVHError
from rvh.membership import SAME, NodeMeta, Refused, State

__all__ = ["Scripted"]


class Scripted:
    """A source whose words come from `say`, in their order; exceptions are raised."""

    def __init__(self, *words: Any, silence: float = 60.0) -> None:
        self.words: deque[Any] = deque(words)
        self.silence = silence
        self.begun = self.ended = 0
        self._news = threading.Event()

    @property
    def name(self) -> str:
        return "scripted"

    def say(self, *words: Any) -> None:
        """Say ids, nodes, a State, SAME, an RVHError to refuse with, or another error to raise."""
        self.words.extend(words)

    async def watch(self) -> AsyncIterator[Any]:
        self.begun += 1
        try:
            while True:
                while self.words:
                    word = self.words.popleft()
                    if isinstance(word, RVHError):
                        yield Refused(word)
                    elif isinstance(word, BaseException):
                        raise word
                    elif isinstance(word, State) or word is SAME:
                        yield word
                    else:
                        yield State(_nodes(word))
                await asyncio.sleep(0.001)
        finally:
            self.ended += 1


def _nodes(word: str | Sequence[NodeMeta]) -> list[NodeMeta]:
    return [NodeMeta(each) for each in word.split()] if isinstance(word, str) else list(word)
