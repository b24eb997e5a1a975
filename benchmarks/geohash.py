"""Same region first beside plain selection among as many pairs.

    python benchmarks/geohash.py

A million keys around 500 airports, k = 3, one thread. Plain is `NodeSet.argselect_batch` of 64
nodes with as many keys as make the number of pairs that the first scored. Both run in turn; each
figure is the best of its rounds.
"""

from __future__ import annotations

import argparse
import platform
import time
from collections.abc import Callable

import airportsdata
import numpy as np

import rvh
import rvh.cpu
from rvh.geohash import GeoSet, encode
from rvh.geohash.cells import pack
from rvh.keys import column

NODES, K, PLAIN = 500, 3, 64


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def pairs_scored(geo: GeoSet, geohashes: np.ndarray) -> int:
    _, tasks = geo._tasks(pack(column(geohashes)), K)
    return sum(
        (task.stop - task.start) * len(task.group.nodes)
        for task in tasks
        if len(task.group.nodes) > 1
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    airports = sorted(
        (each for each in airportsdata.load().values() if each["iata"]),
        key=lambda airport: airport["icao"],
    )
    airports = airports[:: len(airports) // NODES][:NODES]
    ids = [airport["icao"] for airport in airports]
    north, east = (np.array([airport[name] for airport in airports]) for name in ("lat", "lon"))
    rng = np.random.default_rng(6)
    near = rng.integers(0, NODES, options.rows)
    keys = np.arange(options.rows)
    key_north = np.clip(north[near] + rng.normal(0, 2, options.rows), -90, 90)
    key_east = (east[near] + rng.normal(0, 2, options.rows) + 180) % 360 - 180
    begin = time.perf_counter()
    geohashes = encode(key_north, key_east).astype("S")
    encoding = (time.perf_counter() - begin) / options.rows
    print(
        f"Instruction set {rvh.cpu.active()}, Python {platform.python_version()}, NumPy "
        f"{np.__version__}, {options.rows:,} keys, {NODES} airports, k = {K}, one thread. Encoding "
        f"by pygeohash: {encoding * 1e9:.0f} ns a place.\n\n"
        "| scheme | precision | pairs a key | ns a key | plain, as many pairs | plain / this |\n"
        "|---|---|---|---|---|---|"
    )
    for scheme in rvh.nodes.SCHEMES:
        for precision in (12, 3, 2):
            geo = GeoSet(rvh.NodeSet(ids, scheme=scheme), encode(north, east), precision=precision)
            pairs = pairs_scored(geo, geohashes)
            plain = rvh.NodeSet([f"node-{n}" for n in range(PLAIN)], scheme=scheme)
            plain_keys = np.arange(pairs // PLAIN)
            times = [
                (
                    seconds(lambda g=geo: g.argselect_batch(keys, K, geohash=geohashes, threads=1)),
                    seconds(
                        lambda p=plain, some=plain_keys: p.argselect_batch(
                            some, K, threads=1, dedupe=False
                        )
                    ),
                )
                for _ in range(options.rounds)
            ]
            ours, theirs = (min(each) / options.rows * 1e9 for each in zip(*times, strict=True))
            print(
                f"| {scheme} | {precision} | {pairs / options.rows:.1f} | {ours:.0f} "
                f"| {theirs:.0f} | {theirs / ours:.2f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
