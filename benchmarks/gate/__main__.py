"""The instruction gate: fails when a commit makes a kernel slower.

    python benchmarks/gate             count, compare with baseline.json, exit 1 where more by 2%
    python benchmarks/gate --refresh   write what was counted as the new baseline, on purpose

Time cannot gate on shared machines, but the number of instructions can: callgrind counts the same
twice. It counts `workloads.c`, built from this tree, with AVX2 and with the portable kernels
(valgrind knows no AVX-512; its kernels are the same source over another vector). Needs CMake, a C
compiler and valgrind. Counts are one compiler's, so the baseline is kept by compiler.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatch
from pathlib import Path

HERE = Path(__file__).resolve().parent
BASELINE = HERE / "baseline.json"
SETS = ("avx2", "portable")
TOLERANCE = 0.02

Counts = dict[str, dict[str, int]]  # by instruction set, by workload


class GateError(Exception):
    """Nothing could be counted; the message says what to do."""


def run(*command: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, **environment}
    )
    if done.returncode != 0:
        raise GateError(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done


def build(folder: Path) -> Path:
    """The program of the workloads, made from the tree that this file is in."""
    for tool, package in (("cmake", "cmake"), ("valgrind", "valgrind")):
        if shutil.which(tool) is None:
            raise GateError(f"{tool} is not installed; apt-get install {package}, or the like")
    (folder / "CMakeCache.txt").unlink(missing_ok=True)  # else the compiler stays the first one
    shutil.rmtree(folder / "CMakeFiles", ignore_errors=True)
    run("cmake", "-S", HERE, "-B", folder)
    run("cmake", "--build", folder, "--parallel")
    return folder / "workloads"


def count(program: Path, isa: str, workload: str) -> int:
    """The instructions of one workload, of the process's own start none."""
    options = ("--callgrind-out-file=/dev/null", "--toggle-collect=measured")
    done = run("valgrind", "--tool=callgrind", *options, program, workload, RVH_ISA=isa)
    collected = re.search(r"Collected : (\d+)", done.stderr)
    if collected is None or int(collected[1]) == 0:
        raise GateError(f"callgrind counted nothing in {workload}:\n{done.stderr}")
    return int(collected[1])


def count_all(program: Path, pattern: str) -> Counts:
    """Every workload that the pattern names, in every set, side by side."""
    names = [name for name in run(program).stdout.split() if fnmatch(name, pattern)]
    if not names:
        raise GateError(f"no workload is named {pattern}; {program} lists them")
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        futures = {
            isa: {name: pool.submit(count, program, isa, name) for name in names} for isa in SETS
        }
        return {isa: {name: f.result() for name, f in of.items()} for isa, of in futures.items()}


def compare(counts: Counts, baseline: Counts) -> list[str]:
    """Print a line a workload; returns those that fail."""
    failed = []
    print(f"{'instructions':>14} {'baseline':>14} {'change':>8}")
    for isa, of in counts.items():
        for name, now in of.items():
            before = baseline.get(isa, {}).get(name)
            change = None if before is None else now / before - 1
            verdict = ""
            if change is None:
                verdict = "not in the baseline"
                failed.append(f"{isa} {name}")
            elif change > TOLERANCE:
                verdict = "slower"
                failed.append(f"{isa} {name}")
            elif change < -TOLERANCE:
                verdict = "faster: --refresh holds it"
            shown = "" if change is None else f"{change:+.1%}"
            print(f"{now:14,} {before or 0:14,} {shown:>8} {isa} {name} {verdict}".rstrip())
    return failed


def lost(counts: Counts, baseline: Counts) -> list[str]:
    """What the baseline has and nobody runs any more."""
    return [f"{isa} {name}" for isa, of in baseline.items() for name in of.keys() - counts[isa]]


def kept_counts(path: Path) -> dict[str, Counts]:
    try:
        kept: dict[str, Counts] = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise GateError(f"{path} cannot be read: {error}") from None
    return kept


def gate(options: argparse.Namespace) -> int:
    kept = kept_counts(options.baseline)
    program = build(options.build)
    compiler = run(program, "--compiler").stdout.strip()
    if not options.refresh and compiler not in kept:
        raise GateError(
            f"the baseline has no counts of {compiler}, but of {', '.join(kept)}: choose one of "
            "them with CC, or count with --refresh at the commit to compare with"
        )
    counts = count_all(program, options.only)
    if options.refresh:
        kept[compiler] = counts
        options.baseline.write_text(json.dumps(kept, indent=2, sort_keys=True) + "\n", "utf-8")
        print(f"{options.baseline} has the counts of {compiler} now")
        return 0
    failed = compare(counts, kept[compiler])
    if options.only == "*":
        failed += lost(counts, kept[compiler])
    if failed:
        print(
            f"\n{len(failed)} more than {TOLERANCE:.0%} slower, unknown or gone: "
            f"{', '.join(failed)}\nMend it or, where it is meant: "
            "python benchmarks/gate --refresh, and say why in the commit"
        )
        return 1
    print("\nno kernel became slower")
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="benchmarks/gate", description=__doc__.splitlines()[0])
    parser.add_argument("--refresh", action="store_true", help="write the baseline anew")
    parser.add_argument("--only", default="*", metavar="PATTERN", help="the workloads to count")
    parser.add_argument("--baseline", type=Path, default=BASELINE, metavar="FILE")
    parser.add_argument("--build", type=Path, default=HERE.parents[1] / "build/gate", metavar="DIR")
    options = parser.parse_args()
    if options.refresh and options.only != "*":
        parser.error("--refresh takes all workloads: omit --only")
    try:
        return gate(options)
    except GateError as error:
        print(f"gate: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
