"""Work in the background, which lets the threads that answer go first."""

from __future__ import annotations

import time

__all__ = ["let_others_run"]


def let_others_run() -> None:
    """Give the interpreter's lock to another thread that waits for it.

    Python takes the lock away from a thread only after 5 ms, which is long for who asks for one
    key. Between steps of less than a millisecond, this lets them wait that long at most.
    """
    time.sleep(0)
