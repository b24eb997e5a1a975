"""All that writes, on full disks and under kills; all commands with closed, full and slow streams.

`python tests/faults` runs as many as one likes.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


def faults(*parts: str, before: tuple[str, ...] = ()) -> str:
    """What ``tests/faults`` prints: one line for what it has done, since nothing was wrong."""
    done = subprocess.run(
        [*before, sys.executable, str(Path(__file__).parent), *parts],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert (done.returncode, done.stderr, done.stdout.count("\n")) == (0, "", 1), (
        done.stdout + done.stderr
    )
    return done.stdout


def in_a_space_of_mounts() -> tuple[str, ...]:
    """A program before others, whose mounts nobody else sees; none where that cannot be."""
    before = ("unshare", "-m" if os.geteuid() == 0 else "-rm")
    if shutil.which("unshare") is None:
        return ()
    return before if subprocess.run([*before, "true"], check=False).returncode == 0 else ()


def test_disks_that_are_full() -> None:
    """An error that names the file, which is as it was, and nothing beside it."""
    said = faults("disk", "4", before=in_a_space_of_mounts())
    (runs,) = re.findall(r" ([0-9]+) runs under (?:full disks|limits)", said)
    assert int(runs) > 20


def test_kills_at_random_moments() -> None:
    """The old file or the new one, and another run works."""
    assert ", 12 kills " in faults("kill", "12")


def test_streams_that_are_closed_full_or_slow() -> None:
    """A status and at most one line; nothing of Python's own, and no stream that is waited for."""
    (runs,) = re.findall(r", ([0-9]+) runs$", faults("streams", "10"))
    assert int(runs) > 30
