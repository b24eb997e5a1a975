"""Python in a process of its own: for what is decided once, at import, and for signals."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import rvh

#: generous: it ends a process that hangs, it measures nothing
TIMEOUT = 120
SOURCE = str(Path(rvh.__file__).parents[1])
HERE = str(Path(__file__).parent)


def environment(**variables: str | None) -> dict[str, str]:
    """This process's environment with `variables`; None takes one away."""
    path = os.pathsep.join(filter(None, (SOURCE, HERE, os.environ.get("PYTHONPATH", ""))))
    merged: dict[str, str | None] = {**os.environ, "PYTHONPATH": path, **variables}
    return {name: value for name, value in merged.items() if value is not None}


def command(code: str, *options: str) -> list[str]:
    code = textwrap.dedent(code)
    # Where the locale is ASCII's, so is what a command line can hold.
    return [sys.executable, *options, "-c", code if code.isascii() else f"exec({code!a})"]


def python(code: str, *options: str, **variables: str | None) -> subprocess.CompletedProcess[str]:
    """Run `code`; its exit status and output are for the caller to judge."""
    return subprocess.run(
        command(code, *options),
        env=environment(**variables),
        capture_output=True,
        encoding="utf-8",
        timeout=TIMEOUT,
        check=False,
    )


def output(code: str, *options: str, **variables: str | None) -> str:
    """What `code` prints; it must end well and say nothing on stderr."""
    done = python(code, *options, **variables)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    return done.stdout
