"""Memory: calls keep none, those that fail neither."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from subprocesses import environment

LEAKS = Path(__file__).parents[1] / "support" / "leaks.py"


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc counts its bytes")
@pytest.mark.usefixtures("native_in_use")
def test_no_call_keeps_memory() -> None:
    counted = {
        "PYTHONMALLOC": "malloc",
        "GLIBC_TUNABLES": "glibc.malloc.tcache_count=0",
    }
    done = subprocess.run(
        [sys.executable, "-W", "error", str(LEAKS), "200"],
        env=environment() | counted,
        capture_output=True,
        text=True,
        check=True,
    )
    names = [line.rpartition(": ")[0] for line in done.stdout.splitlines()]
    assert names == ["planted: a block of malloc's", "planted: an object"]
