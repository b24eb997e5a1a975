"""Every public call with one allocation of Python's that fails, in a process that may crash.

    python nomemory.py START STOP STEP

For each n of the range: the n-th allocation of a call fails, then the call is made again. Before
each call its name and n are written, so the last line tells where the process ended.
"""

from __future__ import annotations

import _testcapi
import ctypes
import os
import re
import sys
from collections.abc import Iterator

from entry_points import CALLS, FAILING, Call

import rvh

#: CPython itself answers with these: its interpreter loses the MemoryError when there is no memory
#: for the frame of a traceback, ctypes wraps that of an argument, and a lock has none.
OF_PYTHON = (SystemError, ctypes.ArgumentError, RuntimeError)


def outcome(call: Call) -> str:
    """What a call answers or raises, without the addresses in it."""
    try:
        answer = repr(call())
    except rvh.RVHError as error:
        answer = repr(error)
    return re.sub("0x[0-9a-f]+", "", answer)


def without(call: Call, n: int) -> BaseException | None:
    """Make a call whose n-th allocation fails; return what it raised."""
    raised = None
    _testcapi.set_nomemory(n, n + 1)
    try:
        call()
    except BaseException as error:
        _testcapi.remove_mem_hooks()
        raised = error
    finally:
        _testcapi.remove_mem_hooks()
    return raised


def faults(numbers: range) -> Iterator[str]:
    for name, call in {**CALLS, **FAILING}.items():
        expected = outcome(call)
        for n in numbers:
            os.write(1, f"{name}: {n}\n".encode())
            raised = without(call, n)
            if not isinstance(raised, (MemoryError, rvh.RVHError, *OF_PYTHON, type(None))):
                yield f"{name}: {n}: {raised!r}"
            if outcome(call) != expected:
                yield f"{name}: {n}: the next call answered something else"


if __name__ == "__main__":
    start, stop, step = map(int, sys.argv[1:])
    # An exception in a generator's or an object's end has nobody to go to.
    sys.unraisablehook = lambda _: None
    found = list(faults(range(start, stop, step)))
    print(*found, "done", sep="\n")
