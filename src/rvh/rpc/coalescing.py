"""Single keys that are asked for at one time, sent together."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

from rvh.rpc.answer import Answer
from rvh.rpc.encoding import field, varint

__all__ = ["CALLS_MAX", "Coalescing", "Waiting", "groups_of", "request_of_one"]

#: calls for single keys that are under way at once; what comes meanwhile waits for the next
CALLS_MAX = 2
#: keys of one such call
KEYS_MAX = 10_000


class Waiting:
    """A key that somebody waits for."""

    __slots__ = ("answer", "end", "error", "is_leader", "k", "key", "turn")

    def __init__(self, key: bytes, k: int, end: float, turn: Any = None) -> None:
        self.key, self.k, self.end, self.turn = key, k, end, turn
        self.answer: Answer[list[str]] | None = None
        self.error: BaseException | None = None
        self.is_leader = False

    def result(self) -> Answer[list[str]]:
        """Return the answer, or raise the error."""
        if self.answer is None:
            assert self.error is not None
            raise self.error
        return self.answer


def request_of_one(waiting: Waiting, known: str) -> bytes:
    """Make the request of one key."""
    head = b"\x0a" + varint(len(waiting.key)) + waiting.key
    return head + b"\x30" + varint(waiting.k) + field(8, known.encode())


def groups_of(queue: list[Waiting]) -> Iterator[list[Waiting]]:
    """Split by k, which all keys of a request have in common."""
    by_k: dict[int, list[Waiting]] = {}
    for each in queue:
        by_k.setdefault(each.k, []).append(each)
    for group in by_k.values():
        yield from (group[at : at + KEYS_MAX] for at in range(0, len(group), KEYS_MAX))


class Coalescing:
    """Calls for single keys by threads: at most two at once, and what waits goes together.

    There is no thread for it. A thread whose call ends hands what waits to the thread that has
    waited longest.

    Parameters
    ----------
    send : callable
        Asks for a list of waiting keys of one k, and sets their answers.
    """

    def __init__(self, send: Callable[[list[Waiting]], None]) -> None:
        self._send = send
        self._lock = threading.Lock()
        self._queue: list[Waiting] = []
        self._calls = 0

    def ask(self, waiting: Waiting) -> Answer[list[str]]:
        """Ask for a key: at once where there is room, else with the others."""
        with self._lock:
            if self._calls < CALLS_MAX:
                self._calls += 1
                waiting.is_leader = True
            else:
                waiting.turn = threading.Event()
                self._queue.append(waiting)
        if waiting.is_leader:
            self._lead([waiting])
            return waiting.result()
        try:
            waiting.turn.wait()
        except BaseException:  # Ctrl-C
            self._leave(waiting)
            raise
        if waiting.is_leader:
            with self._lock:
                queue, self._queue = self._queue, []
            self._lead([waiting, *queue])
        return waiting.result()

    def _leave(self, waiting: Waiting) -> None:
        with self._lock:
            if waiting in self._queue:
                self._queue.remove(waiting)
                return
        if waiting.is_leader:
            self._hand_on()

    def _lead(self, queue: list[Waiting]) -> None:
        try:
            for group in groups_of(queue):
                try:
                    self._send(group)
                except Exception as error:
                    for each in group:
                        each.error = error
                finally:
                    for each in group:
                        if each.answer is None and each.error is None:
                            each.error = RuntimeError("the thread that asked was interrupted")
                        if each.turn is not None:
                            each.turn.set()
        finally:
            self._hand_on()

    def _hand_on(self) -> None:
        """Let the one that has waited longest lead the next call."""
        with self._lock:
            if not self._queue:
                self._calls -= 1
                return
            leader = self._queue.pop(0)
            leader.is_leader = True
        leader.turn.set()
