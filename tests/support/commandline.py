"""The command line as a process of its own, for tests that do more with it than wait."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

__all__ = [
    "PEAK",
    "command",
    "environment",
    "halfway",
    "interruptible",
    "limited",
    "once",
    "programs",
]

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


def programs() -> str:
    """PATH, with the programs of this environment before all others."""
    return f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"


def interruptible(*args: object) -> list[str]:
    """`command`, which signals stop: a job in the background, or under nohup, ignores some."""
    return _after(
        "import signal\n"
        "for name in ('SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'):\n"
        "    signal.signal(getattr(signal, name), signal.SIG_DFL)",
        args,
    )


def limited(limit: str, most: int, *args: object) -> list[str]:
    """`command` under a limit of the module resource, such as RLIMIT_NOFILE."""
    return _after(f"import resource\nresource.setrlimit(resource.{limit}, ({most}, {most}))", args)


def _after(code: str, args: tuple[object, ...]) -> list[str]:
    """`command` once some code has run in its process.

    Not as a preexec_fn: gRPC, where other tests have loaded it, prints on stderr at such forks.
    """
    become = "import os, sys\nos.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
    return [sys.executable, "-c", f"{code}\n{become}", *command(*args)[1:]]


def once(run: subprocess.Popen[bytes], writes: Callable[[], object]) -> None:
    """Wait until a run writes, as `writes` sees it."""
    deadline = time.monotonic() + 120
    while not writes():
        assert run.poll() is None, run.communicate()
        assert time.monotonic() < deadline, "it never started to write"
        time.sleep(0.01)


def halfway(argv: list[str], writes: Callable[[], object]) -> subprocess.Popen[bytes]:
    """A run that reads lines from stdin: it has begun to write, and waits for more of its input."""
    run = subprocess.Popen(argv, stdin=subprocess.PIPE, stderr=subprocess.PIPE, env=environment())
    assert run.stdin is not None
    run.stdin.write(b"key\n" * 1000)
    run.stdin.flush()
    once(run, writes)
    return run
