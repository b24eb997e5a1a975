"""Rows over threads: hand out blocks of rows in order, stop early and cleanly.

Kernels release the GIL, so plain threads are enough. They live for one call: no pool to fork,
to leak or to shut down. The calling thread works too, and is the one that sees signals.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import suppress

from rvh._arguments.numbers import as_index
from rvh._backend import Cancel, backend
from rvh.errors import RVHError, RVHTypeError, show

#: pairs a block holds: about 6 ms of BLAKE2b with AVX-512, 30 ms in portable C
PAIRS_PER_BLOCK = 1 << 18
#: below this many pairs a thread costs more than it gives (starting one takes about 0.1 ms)
PAIRS_PER_THREAD = 1 << 16
#: rows of a block are a multiple of this, so that kernels sort and fill whole groups of lanes
ROW_MULTIPLE = 1024


def available_threads() -> int:
    """Threads a call may use: the cores of this process, capped by ``RVH_NUM_THREADS``."""
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    cap = os.environ.get("RVH_NUM_THREADS", "")
    if not cap:
        return cores
    digits = cap.lstrip("0")
    if not (cap.isascii() and cap.isdigit() and digits):
        raise RVHError(
            f"RVH_NUM_THREADS is {show(cap)}: set it to a whole number from 1, or unset it"
        )
    return cores if len(digits) > 9 else min(cores, int(digits))


def thread_count(threads: int | None, pairs: int) -> int:
    """How many threads a call over ``pairs`` uses, given what its caller asked for."""
    if threads is None:
        most = available_threads()
        if backend() == "python":
            return 1  # hashlib holds the GIL for short messages
        return max(1, min(most, pairs // PAIRS_PER_THREAD))
    number = as_index(threads)
    if number is None:
        raise RVHTypeError(f"threads is {show(threads)}: pass a whole number from 1, or None")
    if number < 1:
        raise RVHError(f"threads is {show(threads)}: pass a whole number from 1, or None")
    return number


def _wait_for(helpers: list[threading.Thread]) -> None:
    """Wait, whatever signals come, until nobody reads the keys any more: their memory may go."""
    while running := [helper for helper in helpers if helper.is_alive()]:
        with suppress(KeyboardInterrupt):
            running[0].join()


def over_rows(
    work: Callable[[int, int, Cancel], None], rows: int, cost: int, threads: int | None
) -> None:
    """Call ``work(start, stop, cancel)`` for blocks that cover ``rows``, on several threads.

    The first failing row decides which error is raised, whatever the number of threads: blocks
    are handed out in order, those under way finish, and the error of the lowest one is raised.
    Anything that is no `RVHError` (a signal's KeyboardInterrupt) also stops those under way.
    """
    count = thread_count(threads, rows * cost)
    block = max(1, PAIRS_PER_BLOCK // max(1, cost))
    if block > ROW_MULTIPLE:
        block -= block % ROW_MULTIPLE
    cancel = Cancel()
    lock = threading.Lock()
    following = 0
    failures: list[tuple[int, BaseException]] = []

    def drain() -> None:
        nonlocal following
        while True:
            with lock:
                start = following
                if start >= rows or failures:
                    return
                following = start + block
            try:
                work(start, min(start + block, rows), cancel)
            except BaseException as error:
                failures.append((start, error))
                if not isinstance(error, RVHError):
                    cancel.set()

    extra = min(count, -(-rows // block)) - 1
    helpers = [threading.Thread(target=drain, daemon=True) for _ in range(extra)]
    try:
        for helper in helpers:
            helper.start()
        drain()
        for helper in helpers:
            helper.join()
    except BaseException:  # a signal between two blocks
        cancel.set()
        _wait_for(helpers)
        raise
    if failures:
        raise min(failures, key=lambda failure: failure[0])[1]
