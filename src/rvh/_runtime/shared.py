"""Objects that threads share and change, and their state in the child of a fork.

1. A change holds the object's lock from its first read to its last assignment, so nothing that it
   read is changed by another thread meanwhile.
2. A change becomes visible at one assignment (or one call of a dict's method). Readers take no
   lock, and see all of the change or nothing.
3. In the child of a fork the lock is new, since the thread that held the old one does not exist
   there. By the second rule, the change of that thread is complete or did not happen.

`SelectionCache`, `BalancedAssigner`, `RingFace`, the hasher of pymemcache, `Membership`, and the
`Coordinator` and `Worker` of a migration follow these rules.
All other objects never change, except for values that are computed on first use, the same by every
thread.
"""

from __future__ import annotations

import os
import threading
import weakref
from typing import Any

from rvh.errors import RVHTypeError

__all__ = ["Guard", "Shared"]

#: all shared objects of the process
_SHARED: weakref.WeakSet[Shared] = weakref.WeakSet()


class Shared:
    """An object that threads change, always within ``with self._change_lock``."""

    _change_lock: threading.Lock

    def _share(self) -> None:
        """Make the lock, here and in every child; the last step of a constructor."""
        self._change_lock = threading.Lock()
        _SHARED.add(self)

    def __reduce__(self) -> tuple[Any, ...]:
        """Refuse copies and pickles: a copy would share state without sharing the lock."""
        name = type(self).__name__
        raise RVHTypeError(
            f"a {name} is neither copied nor pickled: share this one, or make another {name}"
        )

    def _after_fork(self) -> None:
        """Replace the lock in a child, whose only thread is the one that forked."""
        self._change_lock = threading.Lock()


class Guard(Shared):
    """The lock of what a module keeps: ``with guard.lock``."""

    def __init__(self) -> None:
        self._share()

    @property
    def lock(self) -> threading.Lock:
        """The lock of this process."""
        return self._change_lock


def _after_fork() -> None:
    for each in tuple(_SHARED):
        each._after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
