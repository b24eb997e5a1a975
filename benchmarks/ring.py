"""Lookups on rings, beside uhashring where it is installed (pip install uhashring).

    python benchmarks/ring.py [--rounds 5]

64 nodes. Batches of 2^20 keys, NumPy `S`, one thread, on each kind of ring; one key a call on 2^16
of them: `Ring.lookup`, `RingFace.get_node`, and uhashring's `get_node` with its ketama ring
and its own.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np

from rvh.ring import HASHES, Ring, RingFace, ketama, nginx

try:
    import uhashring  # type: ignore[import-not-found,import-untyped,unused-ignore]
except ImportError:
    uhashring = None
    print("uhashring is not installed: its rows are left out\n")

NODES = [f"10.0.{n // 8}.{n % 8}:11211" for n in range(64)]


def seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    texts = [f"user:{n:08d}" for n in range(1 << 20)]
    keys, few = np.array(texts, "S"), texts[: 1 << 16]
    rng = np.random.default_rng(1)
    rings = {"ketama": ketama(NODES), "nginx": nginx(NODES)}
    for name, (lowest, highest) in HASHES.items():
        tokens = rng.integers(lowest, highest, (64, 160), dtype=np.int64 if lowest else np.uint64)
        each = dict(zip(NODES, tokens.tolist(), strict=True))
        if name in ("md5", "murmur3", "xxh64", "one_at_a_time"):  # the others are above
            rings[f"tokens, {name}"] = Ring.from_tokens(each, name)
    calls: dict[str, tuple[int, Callable[[], object]]] = {
        name: (len(keys), lambda ring=ring: ring.arglookup_batch(keys, threads=1))
        for name, ring in rings.items()
    }

    def one_by_one(get_node: Callable[[str], object]) -> Callable[[], object]:
        return lambda: [get_node(key) for key in few]

    calls["ketama, lookup, one key a call"] = len(few), one_by_one(rings["ketama"].lookup)
    calls["RingFace.get_node"] = len(few), one_by_one(RingFace(NODES).get_node)
    if uhashring is not None:
        ring = uhashring.HashRing(NODES, hash_fn="ketama")
        calls["uhashring, ketama, get_node"] = len(few), one_by_one(ring.get_node)
        calls["uhashring, get_node"] = len(few), one_by_one(uhashring.HashRing(NODES).get_node)
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, (_, call) in calls.items():
            times[name].append(seconds(call))
    rates = {name: calls[name][0] / statistics.median(each) for name, each in times.items()}
    other = rates.get("uhashring, ketama, get_node", float("nan"))
    print("| what | keys/s | beside uhashring, ketama |\n|---|---|---|")
    for name, rate in rates.items():
        print(f"| {name} | {rate:,.0f} | {rate / other:.1f} |")


if __name__ == "__main__":
    main()
