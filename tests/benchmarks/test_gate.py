"""The instruction gate passes a tree that is as it was, and fails one whose kernel does more."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from folders import ROOT
from sizes import large

import rvh.cpu

pytestmark = large  # a build and a count by valgrind for each test: minutes
ROUND = "  ROUND(W, 9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13) \\\n"
#: what is counted here; the task `gate` counts all
WORKLOADS = ("select_blake2b_n64", "select_murmur_n64", "neg_log")

for tool in ("cmake", "valgrind", "cc"):
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed: the gate cannot count", allow_module_level=True)
if "avx2" not in rvh.cpu.available():
    pytest.skip("no AVX2 here: the gate cannot count its instructions", allow_module_level=True)


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree: few workloads, and a baseline of whatever compiler is here."""
    root = tmp_path_factory.mktemp("scratch")
    for folder in ("src/rvh_kernels", "src/blake2_simd", "benchmarks/gate"):
        shutil.copytree(ROOT / folder, root / folder)
    workloads = root / "benchmarks/gate/workloads.c"
    text = re.sub(
        r'^    \{"(\w+)".*?\},\n',
        lambda row: row[0] if row[1] in WORKLOADS else "",
        workloads.read_text(encoding="utf-8"),
        flags=re.DOTALL | re.MULTILINE,
    )
    unused = '#pragma GCC diagnostic ignored "-Wunused-function"\n'
    workloads.write_text(unused + text, encoding="utf-8")
    (root / "benchmarks/gate/baseline.json").write_text("{}", encoding="utf-8")
    refreshed = gate(root, "--refresh")
    assert refreshed.returncode == 0, refreshed.stderr
    return root


def gate(root: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, root / "benchmarks/gate", *options]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)


def test_an_unchanged_tree_passes(scratch: Path) -> None:
    done = gate(scratch)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("+0.0%") == 2 * len(WORKLOADS), done.stdout
    assert "no kernel became slower" in done.stdout


def test_a_thirteenth_round_fails_and_is_named(scratch: Path, tmp_path: Path) -> None:
    root = shutil.copytree(scratch, tmp_path / "slowed")
    shutil.rmtree(root / "build")
    rounds = root / "src/blake2_simd/blake2_simd_lanes.h"
    text = rounds.read_text(encoding="utf-8")
    assert text.count(ROUND) == 1
    rounds.write_text(text.replace(ROUND, ROUND * 2), encoding="utf-8")
    done = gate(root, "--only", "select_*_n64")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "avx2 select_blake2b_n64, portable select_blake2b_n64\n" in done.stdout
    assert "murmur_n64 slower" not in done.stdout


def test_a_workload_that_went_or_has_no_baseline_fails(scratch: Path, tmp_path: Path) -> None:
    baseline = tmp_path / "baseline.json"
    text = (scratch / "benchmarks/gate/baseline.json").read_text(encoding="utf-8")
    baseline.write_text(text.replace('"neg_log"', '"once_here"'), encoding="utf-8")
    done = gate(scratch, "--baseline", str(baseline))
    assert done.returncode == 1
    for what in ("avx2 neg_log not in the baseline", "portable once_here"):
        assert what in done.stdout
    assert baseline.read_text(encoding="utf-8") == text.replace('"neg_log"', '"once_here"')


def test_another_compiler_is_no_pass(scratch: Path, tmp_path: Path) -> None:
    baseline = tmp_path / "baseline.json"
    baseline.write_text('{"tcc 1": {}}', encoding="utf-8")
    done = gate(scratch, "--baseline", str(baseline))
    assert done.returncode == 2
    assert "of tcc 1: choose one of them with CC" in done.stderr


def test_wrong_options(scratch: Path) -> None:
    assert gate(scratch, "--refresh", "--only", "x").returncode == 2
    nothing = gate(scratch, "--only", "no such")
    assert nothing.returncode == 2
    assert "no workload is named no such" in nothing.stderr
