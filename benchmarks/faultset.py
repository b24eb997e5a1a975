"""What a spread over failure domains costs beside plain selection.

    python benchmarks/faultset.py [--rounds 9]

64 nodes in 8 zones of two racks, six of them dead, three replicas, one thread: keys a second of
plain selection among all 64 nodes and of the fault set, by turns, and the ratio of the medians.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import rvh
from rvh.faultset import FaultSet


def seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    numbers = np.arange(64)
    domains = {"zone": numbers % 8, "rack": numbers // 8 % 2}
    ids = [f"cache-{n:03d}.eu-west-1:11211" for n in numbers]
    print("| scheme | what | plain k=3, keys/s | fault set, keys/s | ratio |")
    print("|---|---|---|---|---|")
    for scheme, count in (("blake2b", 1 << 16), ("murmur", 1 << 19)):
        nodes = rvh.NodeSet(ids, scheme=scheme, domains=domains)
        faults = FaultSet(nodes, numbers % 10 != 5)
        keys = np.array([f"user:{n:08d}" for n in range(count)], "S")
        current = FaultSet(nodes).select_batch(keys, 3, "zone").nodes

        def plain(nodes: rvh.NodeSet = nodes, keys: object = keys) -> object:
            return nodes.argselect_batch(keys, 3, threads=1, dedupe=False)

        def spread(over: Any, faults: FaultSet = faults, keys: Any = keys) -> object:
            return faults.argselect_batch(keys, 3, over, threads=1, dedupe=False)

        def repair(faults: FaultSet = faults, keys: Any = keys, held: Any = current) -> object:
            return faults.repair(keys, held, 3, "zone", threads=1)

        for name, call in (
            ("no spread", lambda spread=spread: spread(None)),
            ("zone", lambda spread=spread: spread("zone")),
            ("zone, rack", lambda spread=spread: spread(("zone", "rack"))),
            ("repair, zone, from ids", repair),
        ):
            times = [(seconds(plain), seconds(call)) for _ in range(rounds)]
            a, b = (statistics.median(side) for side in zip(*times, strict=True))
            print(f"| {scheme} | {name} | {count / a:,.0f} | {count / b:,.0f} | {a / b:.2f} |")


if __name__ == "__main__":
    main()
