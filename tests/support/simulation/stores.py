"""The stores of all nodes: each operation on one key is a step, at which others may get in."""

from __future__ import annotations

from typing import Any

from rvh.migration import MARK
from simulation.scheduler import Scheduler


class DownError(ConnectionError):
    """A node does not answer."""


class Stores:
    """What every node holds.

    Parameters
    ----------
    scheduler : Scheduler
    nodes : list of str
    """

    def __init__(self, scheduler: Scheduler, nodes: list[str], log: bool) -> None:
        self._scheduler = scheduler
        self.data: dict[str, dict[str, Any]] = {node: {} for node in nodes}
        self.down: set[str] = set()
        #: (step, actor, what it did, key) where a history is wanted
        self.log: list[tuple[int, str, str, str]] = []
        self._is_logging = log

    def _open(self, node: str) -> dict[str, Any]:
        self._scheduler.step()
        if node in self.down:
            raise DownError(f"{node} does not answer")
        return self.data[node]

    def note(self, what: str, key: str = "") -> None:
        if self._is_logging:
            self.log.append((self._scheduler.steps, self._scheduler.actor, what, key))

    def get(self, node: str, key: str) -> Any:
        """The value, MARK, or None where there is nothing."""
        value = self._open(node).get(key)
        self.note(f"get {node}: {value}", key)
        return value

    def put(self, node: str, key: str, value: Any) -> None:
        self._open(node)[key] = value
        self.note(f"put {node}: {value}", key)

    def mark(self, node: str, key: str) -> None:
        self._open(node)[key] = MARK
        self.note(f"mark {node}", key)

    def remove(self, node: str, key: str) -> None:
        self._open(node).pop(key, None)
        self.note(f"remove {node}", key)

    def remove_mark(self, node: str, key: str) -> None:
        """Remove a mark, and nothing else: a value may have come meanwhile."""
        data = self._open(node)
        if data.get(key) is MARK:
            del data[key]
            self.note(f"remove mark {node}", key)

    def put_if_absent(self, node: str, key: str, value: Any) -> None:
        data = self._open(node)
        is_absent = key not in data
        if is_absent:
            data[key] = value
        self.note(f"{'copy to' if is_absent else 'no copy to'} {node}: {value}", key)

    def list(self, node: str) -> list[str]:
        """The keys that a node holds, those of marks too."""
        return sorted(self._open(node))
