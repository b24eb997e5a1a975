"""The command line as a process of its own, for tests that do more with it than wait."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable

__all__ = ["PEAK", "command", "environment", "once", "signals_by_default"]

#: a program that runs `rvh ARGS` and then prints its peak memory in KiB
PEAK = r"""
import re, sys
from rvh.cli import main
code = main(sys.argv[1:])
# Not getrusage: its peak counts the process that this one was forked from.
print(re.search(r"VmHWM:\s+(\d+) kB", open("/proc/self/status").read())[1])
sys.exit(code)
"""


def command(*args: object) -> list[str]:
    return [sys.executable, "-m", "rvh", *map(str, args)]


def environment(**more: str) -> dict[str, str]:
    """This process's environment, with some variables set."""
    return {**os.environ, **more}


def signals_by_default() -> None:
    """A job in the background, or under nohup, ignores some signals, and so would its children."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)


def once(run: subprocess.Popen[bytes], writes: Callable[[], object]) -> None:
    """Wait until a run writes, as `writes` sees it."""
    deadline = time.monotonic() + 120
    while not writes():
        assert run.poll() is None, run.communicate()
        assert time.monotonic() < deadline, "it never started to write"
        time.sleep(0.01)
