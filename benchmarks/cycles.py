"""Cycles a pair, by instruction set: what docs/performance.md compares with the bound.

    python benchmarks/cycles.py [--rounds 7]

One thread. The clock is measured in the same breath, by a chain of dependent additions (one cycle
each) that the C compiler `cc` makes, because no counter of cycles is open to every user. Prints
Markdown.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from measure import Work, rate

import rvh
import rvh.cpu
from rvh._backend import _native
from rvh.bench.environment import processor

CHAIN = """
#include <stdint.h>
uint64_t chain(uint64_t n) {
  uint64_t x = n;
  for (uint64_t i = 0; i < n; i += 8)
    __asm__ volatile("add %0, %0\\n add %0, %0\\n add %0, %0\\n add %0, %0\\n"
                     "add %0, %0\\n add %0, %0\\n add %0, %0\\n add %0, %0" : "+r"(x));
  return x;
}
"""
CYCLES = 1 << 26
IDS = [f"cache-{n:03d}.eu-west-1:11211" for n in range(1024)]


def clock(folder: str) -> Callable[[], object]:
    """Something that takes CYCLES cycles."""
    source, library = Path(folder, "chain.c"), Path(folder, "chain.so")
    source.write_text(CHAIN, encoding="utf-8")
    subprocess.run(["cc", "-O2", "-shared", "-fPIC", source, "-o", library], check=True)
    chain = ctypes.CDLL(str(library)).chain
    chain.argtypes = [ctypes.c_uint64]
    return lambda: chain(CYCLES)


def select(scheme: str, nodes: int, rows: int, k: int = 1, weighted: bool = False) -> Work:
    weights = np.linspace(1, 3, nodes) if weighted else None
    ns = rvh.NodeSet(IDS[:nodes], scheme=scheme, weights=weights)
    keys = np.array([b"user:%08d" % i for i in range(rows)])
    return lambda: ns.argselect_batch(keys, k, threads=1, dedupe=False), rows * nodes


def work() -> dict[str, Work]:
    return {
        "bare compression, 4 words": (lambda: _native.bare_hashes(4, 1 << 20), 1 << 20),
        "bare compression, 16 words": (lambda: _native.bare_hashes(16, 1 << 20), 1 << 20),
        "blake2b, N=8": select("blake2b", 8, 200_000),
        "blake2b, N=64": select("blake2b", 64, 30_000),
        "blake2b, N=1024": select("blake2b", 1024, 2_000),
        "blake2b, N=64, k=3": select("blake2b", 64, 30_000, k=3),
        "blake2b, N=64, weighted": select("blake2b", 64, 30_000, weighted=True),
        "murmur, N=8": select("murmur", 8, 500_000),
        "murmur, N=64": select("murmur", 64, 500_000),
        "murmur, N=1024": select("murmur", 1024, 100_000),
        "murmur, N=64, k=3": select("murmur", 64, 200_000, k=3),
        "murmur, N=64, weighted": select("murmur", 64, 200_000, weighted=True),
    }


def one_set(rounds: int) -> None:
    """A line `what<TAB>cycles<TAB>million pairs a second<TAB>GHz` for each work."""
    with tempfile.TemporaryDirectory() as folder:
        cycles: Work = (clock(folder), CYCLES)
        for what, pairs in work().items():
            rate(pairs)
            both = [(rate(cycles), rate(pairs)) for _ in range(rounds)]
            clocks, pace = zip(*both, strict=True)
            each = statistics.median(a / b for a, b in both)
            print(what, each, max(pace) / 1e6, max(clocks) / 1e9, sep="\t")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--one-set", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one_set:
        return one_set(options.rounds)
    sets = rvh.cpu.available()[::-1]
    found: dict[str, list[str]] = {}
    for isa in sets:
        command = [sys.executable, __file__, "--one-set", f"--rounds={options.rounds}"]
        env = {**os.environ, "RVH_ISA": isa}
        lines = subprocess.run(command, env=env, check=True, capture_output=True, text=True).stdout
        for line in lines.splitlines():
            what, cycles, pace, ghz = line.split("\t")
            found.setdefault(what, []).append(f"{float(cycles):.3g} ({float(pace):,.0f}M)")
    print(f"{processor()}, {float(ghz):.2f} GHz, median of {options.rounds}\n")
    print(f"| cycles a pair (million pairs a second) | {' | '.join(sets)} |")
    print(f"|---|{'---|' * len(sets)}")
    for what, cells in found.items():
        print(f"| {what} | {' | '.join(cells)} |")
    return None


if __name__ == "__main__":
    main()
