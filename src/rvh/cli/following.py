"""A membership for a command: what it refuses, loses and finds is said on stderr, once each."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rvh.cli.exits import say

if TYPE_CHECKING:
    from rvh.membership import Change, Membership, Source

#: seconds between two lines about changes
PAUSE = 1.0


class _Said(logging.Handler):
    """Says what is logged, but for changes: these take longer, and not all commands say them."""

    def emit(self, record: logging.LogRecord) -> None:
        from rvh.membership import Change

        if not any(isinstance(each, Change) for each in record.args or ()):
            say(record.getMessage())


@contextmanager
def logged(name: str) -> Iterator[None]:
    """Say what a part of rvh has to say of itself, for as long as the block runs."""
    log = logging.getLogger(name)
    said, level = _Said(), log.level
    log.addHandler(said)
    log.setLevel(logging.INFO)
    try:
        yield
    finally:
        log.removeHandler(said)
        log.setLevel(level)


@contextmanager
def following(source: Source, **options: Any) -> Iterator[Membership]:
    """Follow a source for as long as the block runs; that it is waited for is said at once.

    Raises
    ------
    RVHError
        As `rvh.membership.Membership`.
    """
    from rvh.membership import Membership

    class Followed(Membership):
        _accepting = "start this anew with another limit"  # nobody can call accept()

    with logged("rvh.membership"), Followed(source, **options) as membership:
        yield membership


@contextmanager
def changes_said(membership: Membership) -> Iterator[None]:
    """Say the changes of a membership, for as long as the block runs.

    A thread does it, so that nobody waits for the comparison. Changes that come faster than every
    second are said as one, so that the log of a source that is never still can be read.
    """
    changes: queue.SimpleQueue[Change | None] = queue.SimpleQueue()
    is_over = threading.Event()

    def tell() -> None:
        while (text := _told(changes)) is not None:
            say(text)
            is_over.wait(PAUSE)

    telling = threading.Thread(target=tell, name="rvh-changes", daemon=True)
    telling.start()
    unsubscribe = membership.subscribe(changes.put)
    try:
        yield
    finally:
        unsubscribe()
        is_over.set()
        changes.put(None)
        telling.join()


def _told(changes: queue.SimpleQueue[Change | None]) -> str | None:
    """Wait for changes, and tell those that there are in one line; None at the end."""
    from rvh.membership import Change

    if (first := changes.get()) is None:
        return None
    last, count, moved = first, 1, first.moved.share
    while not changes.empty():
        if (more := changes.get()) is None:
            changes.put(None)  # once this is said
            break
        last, count, moved = more, count + 1, moved + more.moved.share
    if count == 1:
        return str(first)
    merged = Change(first.before, last.after)
    return f"{merged}; {count} changes in one, which moved {moved:.4%} one after the other"
