"""A service in Go and a job in Python agree: examples/ports/go answers as rvh does.

    python tests/ports/test_go.py ROWS [SEED]

does by hand what the test does with a few thousand rows.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[1] / "support")]

import pytest
from asked import RVH
from drawn import cases
from folders import GOLDEN, ROOT
from sizes import keys_of_a_test, large

PORT = ROOT / "examples" / "ports" / "go"
needs_go = pytest.mark.skipif(shutil.which("go") is None, reason="Go is not installed")


def environment(cache: Path) -> dict[str, str]:
    """Nothing is fetched, and nothing is written beside the temporary folder."""
    offline = {"GOFLAGS": "-mod=mod", "GOPROXY": "off", "GOTOOLCHAIN": "local"}
    vectors = {"RVH_VECTORS": str(GOLDEN / "vectors")}
    return {**os.environ, **offline, **vectors, "GOCACHE": str(cache / "go")}


def go(cache: Path, *arguments: str, program: str = "go") -> str:
    done = subprocess.run(
        [program, *arguments],
        cwd=PORT,
        env=environment(cache),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def answers(program: Path, asked: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The cases with what the program in Go answers."""
    done = subprocess.run(
        [program],
        input="".join(json.dumps(case) + "\n" for case in asked),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    lines = map(json.loads, done.stdout.splitlines())
    for case in asked:
        yield {**case, "rows": [{**row, **next(lines)} for row in case["rows"]]}
    assert next(lines, None) is None


def agreed(program: Path, rows: int, seed: int) -> Counter[str]:
    """How many rows of each kind were compared; a difference is an AssertionError."""
    counts: Counter[str] = Counter()
    for case in answers(program, cases(seed, rows)):
        RVH[case["kind"]](case)
        counts[case["kind"]] += len(case["rows"])
    return counts


@needs_go
def test_rvh_and_the_port_answer_random_questions_alike(tmp_path: Path, seed: int) -> None:
    program = tmp_path / "rvh-answer"
    go(tmp_path, "build", "-o", str(program), "./cmd/rvh-answer")
    rows = keys_of_a_test(20_000, 1_000)
    assert agreed(program, rows, seed).total() >= rows


@needs_go
@large
def test_the_port_passes_every_vector_and_what_go_has_to_say(tmp_path: Path) -> None:
    assert go(tmp_path, "-l", ".", program="gofmt") == ""
    assert go(tmp_path, "vet", "./...") == ""
    assert "ok  \texample.com/rvh/internal/vectors" in go(tmp_path, "test", "./...")


def main() -> None:
    rows, seed = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else time.time_ns()
    program = ROOT / "build" / "rvh-answer"
    go(ROOT / "build", "build", "-o", str(program), "./cmd/rvh-answer")
    counts: Counter[str] = Counter()
    while counts.total() < rows:
        counts += agreed(program, min(rows - counts.total(), 20_000), seed)
        seed += 1
        print(f"{counts.total()} rows alike, next seed {seed}", flush=True)
    print(dict(counts))


if __name__ == "__main__":
    main()
