"""Where a run takes place."""

from __future__ import annotations

import contextlib
import platform
import re
from pathlib import Path

import numpy as np

import rvh
import rvh.cpu
from rvh.bench.results import Environment


def environment() -> Environment:
    """What a figure of this process depends on beside the workload."""
    return Environment(
        rvh=rvh.__version__,
        backend=rvh.backend(),
        isa=rvh.cpu.active(),
        processor=processor(),
        python=platform.python_version(),
        numpy=np.__version__,
    )


def processor() -> str:
    """The processor's name; at least the kind of machine."""
    with contextlib.suppress(OSError):  # Linux alone has the file
        about = Path("/proc/cpuinfo").read_text("utf-8", errors="replace")
        if found := re.search(r"^model name\s*:\s*(\S.*?)\s*$", about, re.MULTILINE):
            return found[1]
    return platform.processor() or platform.machine()
