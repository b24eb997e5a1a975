"""Memory: calls keep none, those that fail neither; where it runs out there is an error."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from subprocesses import environment

LEAKS = Path(__file__).parents[1] / "support" / "leaks.py"
NO_MEMORY = LEAKS.with_name("nomemory.py")


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc counts its bytes")
@pytest.mark.usefixtures("native_in_use")
def test_no_call_keeps_memory() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", str(LEAKS), "200"],
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    names = [line.rpartition(": ")[0] for line in done.stdout.splitlines()]
    assert names == ["planted: a block of malloc's", "planted: an object"]


@pytest.mark.skipif(
    importlib.util.find_spec("_testcapi") is None,
    reason="this Python has no _testcapi, which makes an allocation fail",
)
@pytest.mark.parametrize("pure", ["0", "1"], ids=["native", "pure"])
def test_an_allocation_that_fails_is_an_error(pure: str) -> None:
    """By hand with all numbers: RVH_TEST_ALLOCATIONS="0 700 1"."""
    numbers = os.environ.get("RVH_TEST_ALLOCATIONS", "0 400 29").split()
    done = subprocess.run(
        [sys.executable, "-W", "error", str(NO_MEMORY), *numbers],
        env=environment(RVH_FORCE_PYTHON=pure),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-200:] + done.stderr
    tried = re.compile(r".*: \d+")
    assert [line for line in done.stdout.splitlines() if not tried.fullmatch(line)] == ["done"]
