"""Counts the bytes that calls keep, to the byte: python leaks.py CALLS.

Prints a line for each call of entry_points.py that keeps some, and for two that do so on purpose.
It runs so that every object and every array is a block of malloc's, which says how many bytes are
in use.
"""

from __future__ import annotations

import ctypes
import gc
import os
import sys
from collections.abc import Callable

import entry_points

import rvh

LIBC = ctypes.CDLL(None)
LEAST = 16  # bytes of a call: half of malloc's smallest block
FIELDS = (
    *("arena", "ordblks", "smblks", "hblks", "hblkhd"),
    *("usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"),
)


#: what Python and glibc read when a process begins
COUNTED = {"PYTHONMALLOC": "malloc", "GLIBC_TUNABLES": "glibc.malloc.tcache_count=0"}


class _Info(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in FIELDS]


def _in_use() -> int:
    gc.collect()
    info = LIBC.mallinfo2()
    return int(info.uordblks + info.hblkhd)


def _many(call: Callable[[], object], calls: int) -> None:
    for _ in range(calls):
        call()


def growth(call: Callable[[], object], calls: int) -> int:
    """How many bytes more are in use after so many calls.

    The least of some rounds: what is remembered once may come late, a leak is in each of them.
    """
    least = sys.maxsize
    _many(call, 50)
    for _ in range(20):
        before = _in_use()
        _many(call, calls)
        least = min(least, _in_use() - before)
        if least < LEAST * calls:
            break
    return least


def refused(call: Callable[[], object]) -> Callable[[], None]:
    """The same call, which has to fail."""

    def ask() -> None:
        try:
            call()
        except rvh.RVHError:
            return
        raise AssertionError("there is no error")

    return ask


def main(calls: int) -> None:
    LIBC.mallinfo2.restype = _Info
    kept: list[object] = []
    planted: dict[str, Callable[[], object]] = {
        "planted: a block of malloc's": lambda: LIBC.malloc(1) and None,
        "planted: an object": lambda: kept.append(object()),
    }
    gc.freeze()  # what was imported need not be looked through each time
    failing = {f"failing: {name}": refused(call) for name, call in entry_points.FAILING.items()}
    for name, call in {**planted, **entry_points.CALLS, **failing}.items():
        bytes_kept = growth(call, calls)
        if bytes_kept >= LEAST * calls:
            print(f"{name}: {bytes_kept / calls:.1f} bytes a call", flush=True)


if __name__ == "__main__":
    if not COUNTED.items() <= os.environ.items():
        os.execve(sys.executable, sys.orig_argv, os.environ | COUNTED)
    main(int(sys.argv[1]))
