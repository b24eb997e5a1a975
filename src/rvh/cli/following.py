"""A membership for a command: what it refuses and loses is said on stderr, once each."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rvh.cli.exits import say

if TYPE_CHECKING:
    from rvh.membership import Membership, Source


class _Said(logging.Handler):
    """Says each message of a level and above; those before `begin` are kept for then."""

    def __init__(self, level: int) -> None:
        super().__init__(level)
        self._waiting: list[str] | None = []

    def begin(self) -> None:
        waiting, self._waiting = self._waiting or [], None
        for message in waiting:
            say(message)

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        if self._waiting is None:
            say(message)
        else:
            self._waiting.append(message)


@contextmanager
def following(source: Source, **options: Any) -> Iterator[Membership]:
    """Follow a source for as long as the block runs.

    Raises
    ------
    RVHError
        As `rvh.membership.Membership`: then that error alone is said.
    """
    from rvh.membership import Membership
    from rvh.membership.membership import log

    said = _Said(logging.WARNING)
    log.addHandler(said)
    try:
        with Membership(source, **options) as membership:
            said.begin()
            yield membership
    finally:
        log.removeHandler(said)


@contextmanager
def logged() -> Iterator[None]:
    """Say what the server has to say of itself."""
    log = logging.getLogger("rvh.rpc")
    said, level = _Said(logging.INFO), log.level
    said.begin()
    log.addHandler(said)
    log.setLevel(logging.INFO)
    try:
        yield
    finally:
        log.removeHandler(said)
        log.setLevel(level)
