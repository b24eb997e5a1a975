"""Threads for rows: blocks of rows in order, and a clean stop after an error or a signal.

Kernels release the GIL, so plain threads are enough. They live for one call, so there is no pool to
fork, to leak or to shut down. The calling thread works too, and handles signals.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from numpy.typing import NDArray

from rvh._arguments.numbers import as_index
from rvh._backend import Cancel, backend
from rvh.errors import RVHError, RVHTypeError, show

#: the work of a block: a function of keys, start, stop, the rows to fill, and the request to stop
Work = Callable[[Any, int, int, NDArray[Any], Cancel], None]
#: the work of a block, and its arguments except for the last
Block = tuple[Work, Any, int, int, NDArray[Any]]

#: pairs in a block: about 6 ms of BLAKE2b with AVX-512, 30 ms in portable C
PAIRS_PER_BLOCK = 1 << 18
#: pairs below which a thread costs more than it saves (starting one takes about 0.1 ms)
PAIRS_PER_THREAD = 1 << 16
#: the rows of a block are a multiple of this, so that kernels sort and fill whole groups of lanes
ROW_MULTIPLE = 1024


def available_threads() -> int:
    """Return the threads of a call: the cores of this process, capped by ``RVH_NUM_THREADS``."""
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
    """Return the number of threads of a call over ``pairs``, from the caller's ``threads``."""
    if threads is None:
        available = available_threads()
        if backend() == "python":
            return 1  # hashlib holds the GIL for short messages
        return max(1, min(available, pairs // PAIRS_PER_THREAD))
    number = as_index(threads)
    if number is None:
        raise RVHTypeError(f"threads is {show(threads)}: pass a whole number from 1, or None")
    if number < 1:
        raise RVHError(f"threads is {show(threads)}: pass a whole number from 1, or None")
    return number


def _wait_for(working: set[int]) -> None:
    """Wait, despite signals, until no thread reads the keys: then their memory may be released.

    Not by `Thread.join`: one that a signal interrupts takes the thread for ended (Python 3.11).
    """
    while working:
        with suppress(KeyboardInterrupt):
            time.sleep(0.001)


def block_rows(cost: int) -> int:
    """Return the number of rows in a block; ``cost`` is in compressions of BLAKE2b for each row."""
    rows = max(1, PAIRS_PER_BLOCK // max(1, cost))
    return rows if rows <= ROW_MULTIPLE else rows - rows % ROW_MULTIPLE


def over_rows(work: Work, keys: Any, out: NDArray[Any], cost: int, threads: int | None) -> None:
    """Fill ``out``, a row for each key, by ``work`` on blocks of rows, on several threads.

    Parameters
    ----------
    work : callable
        ``work(keys, start, stop, out, cancel)`` fills ``out``, the rows ``start`` to ``stop``.
    keys : KeyColumn, or anything else that ``work`` reads
    out : ndarray, shape (M, ...)
    cost : int
        The time of a row, in compressions of BLAKE2b.
    threads : int, optional
    """
    rows, size = len(out), block_rows(cost)
    count = thread_count(threads, rows * cost)
    if rows <= size:
        if rows > 0:
            work(keys, 0, rows, out, Cancel())
        return
    blocks = (
        (work, keys, start, min(start + size, rows), out[start : start + size])
        for start in range(0, rows, size)
    )
    over_blocks(blocks, min(count, -(-rows // size)))


def over_blocks(blocks: Iterable[Block], count: int) -> None:
    """Run blocks of work on ``count`` threads.

    The error of the first failing block is raised, whatever the number of threads: blocks start in
    order, and those that run finish before the error is raised. An exception that is not an
    `RVHError` (the KeyboardInterrupt of a signal) also stops those that run.
    """
    cancel = Cancel()
    lock = threading.Lock()
    queue = enumerate(blocks)
    failures: list[tuple[int, BaseException]] = []

    def drain() -> None:
        while True:
            number = -1  # before all blocks, should the queue itself fail
            try:
                with lock:
                    ended = failures or cancel.is_set()
                    number, block = (-1, None) if ended else next(queue, (-1, None))
                if block is None:
                    return
                work, keys, start, stop, out = block
                work(keys, start, stop, out, cancel)
            except BaseException as error:
                failures.append((number, error))
                if not isinstance(error, RVHError):
                    cancel.set()

    working: set[int] = set()

    def help_out() -> None:
        me = threading.get_ident()
        working.add(me)  # first: one that starts after `cancel` was set finds nothing to do
        try:
            drain()
        finally:
            working.discard(me)

    helpers = [threading.Thread(target=help_out, daemon=True) for _ in range(count - 1)]
    try:
        for helper in helpers:
            helper.start()
        drain()
        for helper in helpers:
            helper.join()
    except BaseException:  # a signal between two blocks
        cancel.set()
        _wait_for(working)
        raise
    if failures:
        raise min(failures, key=lambda failure: failure[0])[1]
