"""Two revisions' kernels, call for call: what a change gave, or took.

    python benchmarks/versus.py [BEFORE [AFTER]] [--only 'murmur*'] [--seconds 0.3]

BEFORE is a git revision, HEAD by default; AFTER another one, or else this checkout as it is. The C
libraries of both are built and loaded into one process, where whole calls take turns, so that a
busy machine slows both; their answers must be equal. One thread; `RVH_ISA` chooses the instruction
set. Prints Markdown, ready to be pasted: medians.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from slices import ROOT, Tree, measure, run, shown

import rvh.cpu
from rvh.bench.environment import processor


def checkout(revision: str | None, folder: Path) -> Path:
    """The kernels' sources as they are in a revision, or here."""
    if revision is None:
        return ROOT
    archive = folder.with_suffix(".tar")
    paths = ("src/rvh_kernels", "src/blake2_simd")
    run("git", "-C", ROOT, "archive", "-o", archive, revision, *paths)
    folder.mkdir()
    run("tar", "-xf", archive, "-C", folder)
    return folder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("before", nargs="?", default="HEAD", metavar="BEFORE")
    parser.add_argument("after", nargs="?", metavar="AFTER")
    parser.add_argument("--only", action="append", metavar="PATTERN", help="rows, as in 'murmur*'")
    parser.add_argument("--seconds", type=float, default=0.3, help="of a row on each side")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        before, after = (
            Tree(checkout(revision, folder / f"{side}-source"), folder / side)
            for side, revision in (("before", options.before), ("after", options.after))
        )
        print(f"{processor()}, {rvh.cpu.active()}\n")
        print("| | before, ns | after, ns | after, cycles | change |\n|---|---|---|---|---|")
        for number, name in after.named(options.only):
            was, now = measure([before, after], number, options.seconds)
            change = f"{now.ns / was.ns - 1:+.1%}"
            cells = (shown(was.ns), shown(now.ns), shown(now.cycles), change)
            print(f"| {name} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
