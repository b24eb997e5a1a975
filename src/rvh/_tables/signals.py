"""Signals that would end the process, as exceptions: so that it can clean up first."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from typing import Any

#: signals that end a process unless it handles them
ENDING = (
    *("INT", "HUP", "QUIT", "TERM", "USR1", "USR2"),
    *("ALRM", "VTALRM", "PROF", "XCPU", "IO", "PWR", "STKFLT"),
)


@contextlib.contextmanager
def stopped_by_signals(once_more: bool = False) -> Iterator[None]:
    """Let signals that would end the process end the block as an exception does.

    So it can clean up, which no second signal disturbs; with `once_more`, where it may wait for
    whoever reads a pipe, the second does what it does by default.
    """

    def stop(number: int, frame: object) -> None:
        for each, handler in before.items():
            signal.signal(each, handler if once_more else signal.SIG_IGN)
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        raise SystemExit(128 + number)

    before: dict[int, Any] = {}
    with contextlib.suppress(ValueError):  # not the main thread, which alone gets signals
        for number in signal.Signals:
            if number.name.removeprefix("SIG") not in ENDING:
                continue
            handler = signal.getsignal(number)
            # A signal that the parent ignores (nohup) stays ignored.
            if handler in (signal.SIG_DFL, signal.default_int_handler):
                before[number] = handler
                signal.signal(number, stop)
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


@contextlib.contextmanager
def signals_held() -> Iterator[None]:
    """Let signals wait until the block ends, where the system can."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    numbers = [each for each in signal.Signals if each.name.removeprefix("SIG") in ENDING]
    before = signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
