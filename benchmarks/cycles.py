"""Cycles a pair, by instruction set: what docs/explanation/performance.md compares with the bound.

    python benchmarks/cycles.py [--only 'murmur*'] [--seconds 0.3]

One thread, calls of the C kernels of this checkout. Prints Markdown, ready to be pasted: medians of
short slices, in cycles of the clock as it was just then, and in nanoseconds.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from slices import ROOT, Figure, Tree, measure, shown

import rvh.cpu
from rvh.bench.environment import processor


def one_set(folder: Path, only: list[str] | None, seconds: float) -> dict[str, Figure]:
    tree = Tree(ROOT, folder)
    return {name: measure([tree], n, seconds)[0] for n, name in tree.named(only)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", action="append", metavar="PATTERN", help="rows, as in 'murmur*'")
    parser.add_argument("--seconds", type=float, default=0.3, help="of a row in each set")
    options = parser.parse_args()
    sets = rvh.cpu.available()[::-1]
    found: dict[str, dict[str, Figure]] = {}
    with tempfile.TemporaryDirectory() as folder:
        work = (Path(folder), options.only, options.seconds)
        for isa in sets:  # a process chooses its set once
            with ProcessPoolExecutor(1, initializer=os.putenv, initargs=("RVH_ISA", isa)) as pool:
                found[isa] = pool.submit(one_set, *work).result()
    clocks = [f.cycles / f.ns for of in found.values() for f in of.values()]
    print(
        f"{processor()}, {min(clocks):.2f} to {max(clocks):.2f} GHz; cycles (and nanoseconds) of a "
        "pair of key and node, of a whole call where it has one key\n"
    )
    print(f"| | {' | '.join(sets)} |")
    print(f"|---|{'---|' * len(sets)}")
    for name in found[sets[0]]:
        cells = [f"{shown(of[name].cycles)} ({shown(of[name].ns)})" for of in found.values()]
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
