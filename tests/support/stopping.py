"""Stop a thread at any line of a change, locks held, and fork children that check what they see."""

from __future__ import annotations

import functools
import inspect
import multiprocessing
import os
import queue
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from subprocesses import python

import rvh

#: where threads change what they share
CHANGING = {
    str(Path(rvh.__file__).parent / name)
    for name in (
        *(
            "_members.py",
            "cache.py",
            "migration/coordinator.py",
            "migration/plan.py",
            "ring/face.py",
        ),
        "migration/worker.py",
        *("balanced/assigner.py", "balanced/batch.py", "balanced/matching.py"),
        *("_backend/pure/cache.py", "integrations/pymemcache.py"),
    )
}
assert all(os.path.exists(file) for file in CHANGING), "one of these files has moved"


class Stopping:
    """A change made in a thread that stands still at some lines of rvh, with the locks it holds.

    Parameters
    ----------
    change : callable
    at : callable, optional
        Whether to stop at a line, by its number in the order of the run; nowhere by default.
    event : {"line", "opcode"}
        Where to stop: opcodes are the finer ones.
    """

    def __init__(
        self,
        change: Callable[[], object],
        at: Callable[[int], bool] = lambda line: False,
        event: str = "line",
    ) -> None:
        self.lines = 0
        self._event = event
        self._change, self._at = change, at
        self._stands: queue.Queue[bool] = queue.Queue()
        self._go_on = threading.Semaphore(0)
        self._thread = threading.Thread(target=self._work)

    def __iter__(self) -> Iterator[int]:
        """The numbers of the lines at which it stands, and then goes on from."""
        self._thread.start()
        try:
            while self._stands.get(timeout=60):
                yield self.lines
                self._go_on.release()
        finally:
            self._at = lambda line: False
            self._go_on.release()
            self._thread.join()

    def _work(self) -> None:
        sys.settrace(self._trace)
        try:
            self._change()
        finally:
            sys.settrace(None)
            self._stands.put(False)

    def _trace(self, frame: FrameType, event: str, _: object) -> Any:
        if frame.f_code.co_filename not in CHANGING:
            return None
        frame.f_trace_opcodes = self._event == "opcode"
        if event == self._event:
            self.lines += 1
            if self._at(self.lines):
                self._stands.put(True)
                self._go_on.acquire()
        return self._trace


fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
fork_warns = pytest.mark.filterwarnings(
    "ignore:This process .* is multi-threaded:DeprecationWarning"
)


def alone(test: Callable[[], None]) -> Callable[[], None]:
    """Run a test that forks often in a new process: the suite's own is large, and slow to fork."""

    @functools.wraps(test)
    def run() -> None:
        file = inspect.getfile(test)
        path = os.pathsep.join((*sys.path, str(Path(file).parent)))
        code = f"import {Path(file).stem} as tests\ntests.{test.__name__}.__wrapped__()"
        done = python(code, "-W", "ignore::DeprecationWarning", PYTHONPATH=path)
        assert done.returncode == 0, done.stderr

    return run


def in_a_child(check: Callable[[], None]) -> None:
    """Fork, and let the child check; one that hangs is a failure as one that raises."""
    child = multiprocessing.get_context("fork").Process(target=check)
    child.start()
    child.join(60)
    hangs = child.is_alive()
    if hangs:
        child.kill()
        child.join()
    assert not hangs, "the child hangs"
    assert child.exitcode == 0


def at_every_line(change: Callable[[], None], check: Callable[[], None]) -> int:
    """Change something in a thread, and at each line of rvh fork a child that checks it.

    The thread stands still meanwhile, with whatever lock it holds. Returns the number of children.
    """
    children = 0
    for _ in Stopping(change, lambda line: True):
        in_a_child(check)
        children += 1
    return children
