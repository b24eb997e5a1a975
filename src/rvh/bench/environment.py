"""The environment of a run: version, backend, instruction set, processor."""

from __future__ import annotations

import contextlib
import platform
import re
import subprocess
from pathlib import Path

import numpy as np

import rvh
import rvh.cpu
from rvh.bench.results import Environment


def environment() -> Environment:
    """The environment of this process, on which its figures depend."""
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
        # On ARM there is no name, but numbers that tell one processor from another.
        for fields in (("model name",), ("CPU implementer", "CPU part")):
            matches = [re.search(rf"^{f}\s*:\s*(\S.*?)\s*$", about, re.MULTILINE) for f in fields]
            if all(matches):
                values = [match[1] for match in matches if match]
                return values[0] if len(values) == 1 else f"ARM {' '.join(values)}"
    if platform.system() == "Darwin":
        with contextlib.suppress(OSError):
            command = ("sysctl", "-n", "machdep.cpu.brand_string")
            answer = subprocess.run(command, capture_output=True, text=True, check=False)
            if name := answer.stdout.strip():
                return name
    return platform.processor() or platform.machine()
