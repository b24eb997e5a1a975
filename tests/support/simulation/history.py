"""What clients wrote and read, and whether a read may have got what it got.

A key is a regular register: writes to one key come one after the other, and a read gets the value
of the last write that was complete when the read began, or of one that began later. A delete is a
write of None. A write that was given up half-way may or may not have happened.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


class ViolationError(AssertionError):
    """A promise that was not kept.

    Parameters
    ----------
    kind : str
    key : str
    message : str
    """

    def __init__(self, kind: str, key: str, message: str) -> None:
        super().__init__(f"{kind}: {message}")
        self.kind, self.key = kind, key


class Register:
    """One key: its writes in order, of which the last may be under way."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.values: list[Any] = [None]
        self.complete = 0  # the number of the last write that is complete
        self.is_locked = False

    def next_value(self) -> str:
        """A value that was never written."""
        return f"{self.key}={len(self.values)}"

    def begin(self, value: Any) -> None:
        self.values.append(value)

    def end(self) -> None:
        self.complete = len(self.values) - 1

    @property
    def last(self) -> Any:
        return self.values[-1]

    @property
    def possible(self) -> list[Any]:
        """The last complete value and those that were given up since."""
        return self.values[self.complete :]

    @property
    def is_certain(self) -> bool:
        return self.complete == len(self.values) - 1

    def check(self, value: Any, complete: int) -> None:
        """Check what a read got that began when write number `complete` was the last."""
        if value in self.values[complete:]:
            return
        expected = self.values[complete]
        if value is None:
            kind = "missed"
        elif value not in self.values:
            kind = "invented"
        elif expected is None:
            kind = "deleted key returned"
        else:
            kind = "stale"
        raise ViolationError(
            kind, self.key, f"read {value!r} of {self.key}, not {expected!r} or a later value"
        )


@dataclass
class Counts:
    """What a run, or several, did."""

    seeds: int = 0
    steps: int = 0
    reads: int = 0
    writes: int = 0
    deletes: int = 0
    copies: int = 0
    crashes: int = 0
    deaths: int = 0
    rollbacks: int = 0

    def add(self, other: Counts) -> None:
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)
