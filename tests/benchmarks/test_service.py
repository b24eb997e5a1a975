"""The figures of the service are measured, and the answers are checked before they count."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from folders import ROOT

pytest.importorskip("grpc", reason="grpcio is not installed")


def test_quick() -> None:
    command = [sys.executable, ROOT / "benchmarks/service.py", "--quick"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    rows = [line.split(" | ") for line in done.stdout.splitlines() if line.startswith("| ")][1:]
    names = (
        *["SelectBatch of"] * 7,
        *["SelectStream of"] * 2,
        *["Select by"] * 2,
        *["64 tasks", "64 threads", "follow"],
    )
    assert [row[0].startswith(f"| {name}") for row, name in zip(rows, names, strict=True)] == [
        True
    ] * len(names)
    assert all(re.fullmatch(r"-?\d+(\.\d+)?( ns)?", row[2]) for row in rows)
