"""What each form of an answer costs, in time and in memory: one node for each of a million keys.

    python benchmarks/shapes.py [--rounds 15]

Keys are an ``S`` array of 13 bytes, nodes are 64 names of 26 characters by scheme ``murmur`` (by
``blake2b`` all forms take as long), one thread. The answers are asked for by turns; times are the
processor's, of the fastest round.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import rvh

KEYS = 1_000_000
IDS = [f"cache-{n:03d}.eu-west-1.internal"[:26] for n in range(64)]


def forms(scheme: str) -> dict[str, tuple[Callable[[], Any], Callable[[Any], int]]]:
    """Name -> the call, and the bytes of its answer."""
    keys = np.array([f"user:{n:08d}" for n in range(KEYS)], "S")
    text = rvh.NodeSet(IDS, scheme=scheme)
    narrow = rvh.NodeSet(np.array(IDS, "S"), scheme=scheme)

    def size(answer: Any) -> int:
        return int(answer.nbytes)

    return {
        "`argassign`": (lambda: text.argassign(keys, threads=1), size),
        "`select_arrow`": (
            lambda: text.select_arrow(keys, threads=1),
            lambda answer: size(answer.indices) + sum(map(len, IDS)),
        ),
        "`assign`, ids in `S`": (lambda: narrow.assign(keys, threads=1), size),
        "`assign`, ids in `U`": (lambda: text.assign(keys, threads=1), size),
        "`select_batch(keys)[:, 0]`, ids in `U`": (
            lambda: text.select_batch(keys, threads=1)[:, 0],
            size,
        ),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=15)
    calls = forms("murmur")
    sizes = {name: measure(call()) for name, (call, measure) in calls.items()}
    times = dict.fromkeys(calls, float("inf"))
    for _ in range(parser.parse_args().rounds):
        for name, (call, _measure) in calls.items():
            start = time.process_time()
            call()
            times[name] = min(times[name], time.process_time() - start)
    print("| form | ms | MB |")
    print("|---|---|---|")
    for name, seconds in times.items():
        print(f"| {name} | {1000 * seconds:.0f} | {sizes[name] / 1e6:.0f} |")


if __name__ == "__main__":
    main()
