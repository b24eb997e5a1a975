"""Costs of a membership: `python benchmarks/membership.py`.

It prints how long a snapshot of 10,000 nodes takes, part by part, and what a reader notices of
snapshots of 1,000 nodes that are replaced every 10 ms, against the same membership at rest, in
rounds that alternate.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import AsyncIterator, Callable

import msgspec
import numpy as np

from rvh.membership import Membership, NodeMeta, State, read_document
from rvh.membership.snapshot import Options, digest_of, in_order, prepare


def document(nodes: int, moved: int = 0) -> bytes:
    return msgspec.json.encode(
        [
            NodeMeta(
                f"cache-{i:05}.example.net",
                address=f"10.0.{i // 256}.{i % 256}:11211",
                weight=1.0 + (i == moved),
                zone=f"eu-{i % 3}",
                rack=f"r{i % 40}",
                labels={"os": "linux"},
            )
            for i in range(nodes)
        ]
    )


def median_ms(call: Callable[[], object], rounds: int = 15) -> float:
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return 1e3 * statistics.median(times)


def parts(count: int) -> None:
    data = document(count)
    nodes = read_document("nodes", data).nodes
    members = in_order(nodes)
    digest = digest_of(members)
    steps: dict[str, Callable[[], object]] = {
        "parsed and validated": lambda: read_document("nodes", data),
        "in order, digest": lambda: digest_of(in_order(nodes)),
    }
    for scheme in ("murmur", "blake2b"):
        options = Options(scheme=scheme)
        steps[f"prepared, {scheme}"] = lambda options=options: prepare(members, options, 1, digest)
    print(f"\na snapshot of {count:,} nodes ({len(data):,} bytes), median ms")
    for name, call in steps.items():
        print(f"  {name:24} {median_ms(call):6.1f}")


class Ticking:
    """A source that changes every 10 ms, where it is told to."""

    name = "ticking"
    ticks = False

    async def watch(self) -> AsyncIterator[State]:
        import asyncio

        documents = [document(1000, moved) for moved in range(50)]
        at = 0
        while True:
            if self.ticks or at == 0:
                at += 1
                yield State(read_document("ticking", documents[at % 50]).nodes)
            await asyncio.sleep(0.01)


def readers(pause: float, seconds: float = 4.0, rounds: int = 3) -> None:
    source = Ticking()
    rows = []
    with Membership(source) as membership:
        for each in range(2 * rounds):
            source.ticks = bool(each % 2)
            time.sleep(0.1)
            before = membership.stats.updates
            end = time.perf_counter() + seconds
            times = []
            while (start := time.perf_counter()) < end:
                membership.nodes.select("user:1")
                times.append(time.perf_counter() - start)
                if pause:
                    time.sleep(pause)
            swaps = membership.stats.updates - before
            rows.append((source.ticks, swaps, *np.percentile(times, [50, 99, 99.9, 99.99]) * 1e6))
    busy = f"every {1e3 * pause:g} ms" if pause else "without a pause, so the snapshots wait"
    print(f"\na reader of 1,000 nodes, one select {busy}, us")
    print(f"  {'':8} {'swaps':>6} {'p50':>8} {'p99':>8} {'p99.9':>8} {'p99.99':>8}")
    for ticks, swaps, *percentiles in rows:
        shown = " ".join(f"{value:8.2f}" for value in percentiles)
        print(f"  {'swapped' if ticks else 'at rest':8} {swaps:6} {shown}")


if __name__ == "__main__":
    parts(10_000)
    readers(0)
    readers(0.0005)
