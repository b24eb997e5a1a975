"""What a worker needs of the store that holds the values, and how its failures are told."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any, Final, Protocol, TypeVar

from rvh._arguments.numbers import as_index
from rvh.errors import RVHError, RVHTypeError, show

__all__ = ["MARK", "Mark", "Store", "StoreError", "as_retries", "retried"]

T = TypeVar("T")


class Mark(Enum):
    """The kind of `MARK`."""

    MARK = "deleted"

    def __repr__(self) -> str:
        return "MARK"


#: what a store answers with for a key that was deleted and left a mark
MARK: Final = Mark.MARK


class Store(Protocol):
    """The nodes that hold the values, with one method for each thing that is done to a key.

    Each call is done once it returns, and is whole or not at all. A call that raises is made again.
    """

    def get(self, node: Any, key: Any) -> Any:
        """Return the value of a key on a node, None if it has none, `MARK` if it has a mark."""

    def put(self, node: Any, key: Any, value: Any) -> None:
        """Put a value, over whatever the node has: another value, a mark, nothing."""

    def remove(self, node: Any, key: Any) -> None:
        """Remove a value or a mark; nothing if there is none."""

    def mark(self, node: Any, key: Any) -> None:
        """Put a mark that the key was deleted, over whatever the node has."""


class StoreError(RuntimeError):
    """A call of a store that failed each time; the error of the store is its cause.

    Parameters
    ----------
    what : str
        What was to be done.
    node : str or bytes
    keys : list
        The keys of the call.
    attempts : int
    """

    def __init__(self, what: str, node: Any, keys: list[Any], attempts: int) -> None:
        self.what, self.node, self.keys, self.attempts = what, node, keys, attempts
        several = f" and {len(keys) - 1} more" if len(keys) > 1 else ""
        times = "once" if attempts == 1 else f"{attempts} times"
        super().__init__(
            f"{what} failed {times} for key {show(keys[0])}{several} on node {show(node)}"
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return StoreError, (self.what, self.node, self.keys, self.attempts)


def as_retries(retries: Any) -> int:
    """Check how often a call is made again."""
    number = as_index(retries)
    if number is None:
        raise RVHTypeError(f"retries is {show(retries)}: pass a whole number from 0 on")
    if number < 0:
        raise RVHError(f"retries is {show(retries)}: pass a whole number from 0 on")
    return number


def retried(call: Callable[[], T], what: str, node: Any, keys: Any, retries: int) -> T:
    """Return the answer of a call of a store; StoreError if it raised each time."""
    for attempt in range(retries + 1):
        try:
            return call()
        except Exception as error:
            if attempt == retries:
                raise StoreError(what, node, list(keys), attempt + 1) from error
    raise AssertionError("there is a first attempt")
