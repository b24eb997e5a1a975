"""What one core of a server answers is measured by the metrics of a server that runs."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from folders import ROOT

pytest.importorskip("grpc", reason="grpcio is not installed")
pytest.importorskip("prometheus_client", reason="prometheus-client is not installed")


def test_quick() -> None:
    command = [sys.executable, ROOT / "benchmarks/capacity.py", "--quick"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    rows = [line.strip("| ").split(" | ") for line in done.stdout.splitlines() if " ms |" in line]
    assert [row[1] for row in rows] == ["1", "100", "10,000", "50,000"]
    for row in rows:
        assert re.fullmatch(r"\S+ ms", row[2]), row
        assert re.fullmatch(r"\S+ (calls/s|keys/s)", row[3]), row
