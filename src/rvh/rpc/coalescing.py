"""Single keys that are asked for at one time, sent together."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Any

from rvh.rpc.answer import Answer
from rvh.rpc.problems import ServiceError, overdue

__all__ = ["CALLS_MAX", "Coalescing", "Waiting", "take_group"]

#: calls for single keys that are under way at once; what comes meanwhile waits for the next
CALLS_MAX = 2
#: keys of one such call, and their bytes
KEYS_MAX = 10_000
BYTES_MAX = 1 << 20

#: the answers for keys with one k, before `end`
Send = Callable[[list[bytes], int, float], Sequence[Answer[list[str]]]]


class Waiting:
    """A key that somebody waits for, until `end`.

    `turn` is an event for threads, and a future for asyncio.
    """

    __slots__ = ("answer", "end", "error", "has_left", "is_leader", "k", "key", "turn")

    def __init__(self, key: bytes, k: int, end: float, turn: Any = None) -> None:
        self.key, self.k, self.end, self.turn = key, k, end, turn
        self.answer: Answer[list[str]] | None = None
        self.error: Exception | None = None
        self.is_leader = self.has_left = False


def take_group(queue: list[Waiting]) -> list[Waiting]:
    """Take out of a queue its first key, and those of the same k that go with it in one call."""
    k = queue[0].k
    group: list[Waiting] = []
    rest: list[Waiting] = []
    size = 0
    for each in queue:
        size += len(each.key)
        if not group or (each.k == k and len(group) < KEYS_MAX and size <= BYTES_MAX):
            group.append(each)
        else:
            rest.append(each)
    queue[:] = rest
    return group


class Coalescing:
    """Calls for single keys by threads: at most two at once, and what waits goes together.

    There is no thread for it. A thread whose call ends hands what waits to the thread that has
    waited longest.

    Parameters
    ----------
    send : callable
        Asks for keys.
    """

    def __init__(self, send: Send) -> None:
        self._send = send
        self._lock = threading.Lock()
        self._queue: list[Waiting] = []
        self._calls = 0

    def ask(self, key: bytes, k: int, end: float) -> Answer[list[str]]:
        """Ask for a key: at once where there is room, else with the others."""
        waiting = Waiting(key, k, end)
        with self._lock:
            if self._calls < CALLS_MAX:
                self._calls += 1
                waiting.is_leader = True
            else:
                waiting.turn = threading.Event()
                self._queue.append(waiting)
        try:
            if waiting.turn is not None:
                waiting.turn.wait(min(max(end - monotonic(), 0), threading.TIMEOUT_MAX))
            if waiting.is_leader:
                self._lead(waiting)
        finally:  # also after Ctrl-C
            self._leave(waiting)
        if waiting.answer is None:
            raise overdue() if waiting.error is None else copy.copy(waiting.error)
        return waiting.answer

    def _lead(self, leader: Waiting) -> None:
        """Ask for a key and those that wait with it."""
        group = [leader]
        if leader.turn is not None:
            with self._lock:
                queue = [leader, *self._queue]
                group = take_group(queue)
                self._queue = queue
        try:
            answers = self._send([each.key for each in group], leader.k, leader.end)
        except BaseException as error:
            is_own = isinstance(error, ServiceError) and error.code == "DEADLINE_EXCEEDED"
            if is_own or not isinstance(error, Exception):
                # The leader's time is over, or its thread is interrupted: the others ask again.
                with self._lock:
                    self._queue[:0] = [each for each in group[1:] if not each.has_left]
                raise
            for each in group:
                each.error = error
        else:
            for each, answer in zip(group, answers, strict=True):
                each.answer = answer
        for each in group[1:]:
            each.turn.set()

    def _leave(self, waiting: Waiting) -> None:
        """Go, and let the one that has waited longest lead the next call."""
        with self._lock:
            waiting.has_left = True
            if not waiting.is_leader:
                if waiting in self._queue:
                    self._queue.remove(waiting)
                return
            if not self._queue:
                self._calls -= 1
                return
            leader = self._queue.pop(0)
            leader.is_leader = True
        leader.turn.set()
