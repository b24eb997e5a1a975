"""What threads share and change, and what a child of a fork has of it: one rule for all.

1. A change holds the object's lock from its first look to its last assignment, so nothing that it
   compared is another by the time that it is set.
2. It is seen at one assignment (or one call of a dict's), which readers look at without the lock:
   they see all of it or nothing.
3. In the child of a fork the lock is a new one, for the thread that held the old one is not there.
   By the second point that thread's change is whole there, or never was.

`SelectionCache`, `BalancedAssigner`, `RingFace` and the hasher of pymemcache are of this kind.
Everything else is never written to after it is made, but for what is worked out when it is first
asked for and is the same whoever does it.
"""

from __future__ import annotations

import os
import threading
import weakref
from typing import Any

from rvh.errors import RVHTypeError

__all__ = ["Shared"]

#: all that there are
_SHARED: weakref.WeakSet[Shared] = weakref.WeakSet()


class Shared:
    """An object that threads change: ``with self._change_lock`` around each change."""

    _change_lock: threading.Lock

    def _share(self) -> None:
        """The last step of making one: it has a lock from then on, and in every child."""
        self._change_lock = threading.Lock()
        _SHARED.add(self)

    def __reduce__(self) -> tuple[Any, ...]:
        """A copy would share what changes, and lock it only half: there is none, and no pickle."""
        name = type(self).__name__
        raise RVHTypeError(
            f"a {name} is neither copied nor pickled: share this one, or make another {name}"
        )

    def _after_fork(self) -> None:
        """In the child, whose only thread is the one that forked."""
        self._change_lock = threading.Lock()


def _after_fork() -> None:
    for each in tuple(_SHARED):
        each._after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
