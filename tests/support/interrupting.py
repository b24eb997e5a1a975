"""Ctrl-C: in the middle of a long call, in a process of its own; at a line, in this process."""

from __future__ import annotations

import linecache
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from subprocesses import command, environment

import rvh

LIBRARY = Path(rvh.__file__).parent
CHILD = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # even where it came in ignored
{setup}
print("ready", flush=True)
try:
    {call}
except KeyboardInterrupt:
    print("interrupted", flush=True)
{after}
"""

needs_sigint = pytest.mark.skipif(
    sys.platform == "win32", reason="Windows has no SIGINT for one process"
)


def interrupted(setup: str, call: str, after: str = "") -> str:
    """What `after` prints behind an interrupted `call`, which must not end by itself.

    Parameters
    ----------
    setup : str
        Lines that are run before.
    call : str
        One expression, of minutes at least: only an interruption can end it in time.
    after : str
        Lines that are run in the same process, to show that everything is still usable.
    """
    code = CHILD.format(setup=textwrap.dedent(setup), call=call, after=after)
    with subprocess.Popen(
        command(code),
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as child:
        try:
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n"
            time.sleep(0.3)  # into the call; if it is not there yet, the test is only easier
            child.send_signal(signal.SIGINT)
            out, err = child.communicate(timeout=60)
        finally:
            child.kill()
    assert (err, child.returncode) == ("", 0)
    first, _, rest = out.partition("\n")
    assert first == "interrupted"
    return rest


def interrupted_at(line: int, call: Callable[[], object], inside: Path = LIBRARY) -> bool:
    """Raise KeyboardInterrupt before a line of rvh, and tell whether there were so many.

    Parameters
    ----------
    line : int
        Counted from 1 over all lines that the call goes through.
    call : callable
    inside : Path
        The file, or the folder, whose lines count.
    """
    left = line

    def trace(frame: FrameType, event: str, _: object) -> Any:
        nonlocal left
        name = frame.f_code.co_filename
        if not name.startswith(str(inside)) or _in_a_finalizer(frame):
            return None
        if event == "line":
            # Not on the way out of a with statement, where no signal is handled.
            left -= not linecache.getline(name, frame.f_lineno).strip().startswith("with ")
            if left == 0:
                raise KeyboardInterrupt
        return trace

    came = False
    before = sys.gettrace()
    sys.settrace(trace)
    try:
        call()
    except KeyboardInterrupt:
        came = True
    finally:
        sys.settrace(before)
    assert came == (left <= 0), "the interruption was lost"
    return came


def _in_a_finalizer(frame: FrameType | None) -> bool:
    """Whether an error raised here would be printed and forgotten."""
    while frame is not None:
        if frame.f_code.co_name == "__del__":
            return True
        frame = frame.f_back
    return False
