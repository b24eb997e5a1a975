"""The measured table of the other algorithms: weights, murmur, one key a call, jump, tables.

    python benchmarks/algorithms.py [--keys 1000000] [--rounds 7] [--only one_key]

As measure.py: ratios, each the median over rounds in which both sides run one after the other,
single thread. `RVH_ISA` chooses the instruction set. Some rows need a peer that this prints as
missing where it is not installed: fastring (Python 3.13) and jump-consistent-hash.
"""

from __future__ import annotations

import argparse
import platform
from collections import deque
from collections.abc import Callable, Iterable
from importlib import import_module
from importlib.metadata import version
from types import ModuleType
from typing import Any

import numpy as np
from measure import Work, rate, ratio

import rvh
import rvh.cpu
from rvh.bench.environment import processor
from rvh.multi import select_multi
from rvh.partitions import PartitionTable
from rvh.stable import jump_batch, jumpback_batch


def ids(n: int) -> list[str]:
    return [f"cache-{i:03d}.eu-west-1:11211" for i in range(n)]


def peer(module: str) -> ModuleType | None:
    try:
        return import_module(module)
    except ModuleNotFoundError:
        return None


def work(call: Callable[[], object], amount: int) -> Work:
    return call, amount


def argselect(ns: rvh.NodeSet, keys: np.ndarray, k: int = 1) -> Work:
    return work(lambda: ns.argselect_batch(keys, k, threads=1), len(keys))


class Table:
    """Rows of Markdown, printed as they come."""

    def __init__(self, rounds: int) -> None:
        self.rounds = rounds
        print("| what | at least | measured | million a second |\n|---|---|---|---|")

    def row(self, what: str, least: str, ours: Work, other: Work | None) -> None:
        absolute = np.median([rate(ours) for _ in range(self.rounds)]) / 1e6
        if other is None:
            measured = "peer not installed"
        else:
            measured = f"{ratio(ours, other, self.rounds):.3g}"
        print(f"| {what} | {least} | {measured} | {absolute:.3g} |", flush=True)


def fastring_of(n: int) -> Any:
    fastring = peer("fastring")
    if fastring is None:
        return None
    ring = fastring.HashRing()
    for node in ids(n):
        ring.add_node(node)
    return ring


def fastring_batch(n: int, keys: list[str]) -> Work | None:
    ring = fastring_of(n)
    return None if ring is None else work(lambda: ring.get_node_batch(keys), len(keys))


def one_by_one(call: Callable[..., object], *arguments: Iterable[object]) -> Callable[[], object]:
    """Next to no loop, and no answer is kept: both would be measured too."""
    return lambda: deque(map(call, *arguments), maxlen=0)


def selection(table: Table, keys: np.ndarray) -> None:
    m = len(keys)
    weights = np.linspace(1, 3, 64)
    blake, murmur = (rvh.NodeSet(ids(64), scheme=scheme) for scheme in rvh.nodes.SCHEMES)
    few = keys[: max(1, m // 5)]
    table.row(
        "weighted against unweighted, blake2b, N=64, keys",
        "0.90",
        argselect(blake.with_weights(weights), few),
        argselect(blake, few),
    )
    table.row(
        "weighted against plain, murmur, N=64, keys",
        "0.35",
        argselect(murmur.with_weights(weights), keys),
        argselect(murmur, keys),
    )
    for n, least in ((8, "8"), (64, "4"), (1024, "0.65")):
        some = keys[: m if n < 1024 else max(1, m // 4)]
        ring = fastring_batch(n, some.astype("U").tolist())
        ns = rvh.NodeSet(ids(n), scheme="murmur")
        table.row(
            f"murmur, argselect_batch, N={n}, against fastring, keys",
            least,
            argselect(ns, some),
            ring,
        )
        table.row(
            f"murmur, select_batch (names in U), N={n}, against fastring, keys",
            "",
            work(lambda ns=ns, some=some: ns.select_batch(some, threads=1), len(some)),
            ring,
        )


def one_key(table: Table, keys: np.ndarray) -> None:
    texts = keys[:10_000].astype("U").tolist() * 10  # few enough to stay in the cache
    for n in (8, 64):
        select, ring = rvh.NodeSet(ids(n), scheme="murmur").select, fastring_of(n)
        table.row(
            f"select(key), murmur, N={n}, against fastring's get_node, calls",
            "1.4",
            work(one_by_one(select, texts), len(texts)),
            None if ring is None else work(one_by_one(ring.get_node, texts), len(texts)),
        )
    select = rvh.NodeSet(ids(8), scheme="murmur").select
    table.row(
        "select(key, 3) against select(key), murmur, N=8, calls",
        "0.62",
        work(one_by_one(select, texts, [3] * len(texts)), len(texts)),
        work(one_by_one(select, texts), len(texts)),
    )


def partition_tables(table: Table, keys: np.ndarray) -> None:
    ring = fastring_batch(1024, keys.astype("U").tolist())
    for k, least in ((1, "7"), (3, "4")):
        for kind, names in (("U", ids(1024)), ("S", [name.encode() for name in ids(1024)])):
            lookups = PartitionTable(rvh.NodeSet(names, scheme="murmur"), k=k).lookup_batch
            table.row(
                f"PartitionTable, lookup_batch, N=1024, k={k}, names in {kind}, against fastring",
                least,
                work(lambda lookups=lookups: lookups(keys, threads=1), len(keys)),
                ring,
            )
    ns = rvh.NodeSet(ids(64))
    pairs = 65536 * 64
    build = work(lambda: PartitionTable(ns, threads=1), pairs)
    table.row(
        "building 65,536 partitions x 64 nodes against argselect_batch, pairs",
        "at the kernel's rate",
        build,
        work(lambda: ns.argselect_batch(np.arange(65536), threads=1), pairs),
    )
    for k, least in ((1, "20"), (3, "")):
        built = PartitionTable(ns, k=k, threads=1)
        afresh = work(lambda k=k: PartitionTable(ns, k=k, threads=1), 1)
        table.row(
            f"adding a node against building, k={k}, tables",
            least,
            work(lambda built=built: built.add("new", threads=1), 1),
            afresh,
        )
        table.row(
            f"removing a node against building, k={k}, tables",
            least,
            work(lambda built=built: built.remove(ids(64)[7], threads=1), 1),
            afresh,
        )


def buckets(table: Table, keys: np.ndarray) -> None:
    m = len(keys)
    numbers = np.arange(10**14, 10**14 + m)
    some = numbers[: max(1, m // 5)].tolist()
    jump = peer("jump")
    for n in (10, 1000, 10**6):
        loop = None
        if jump is not None:
            loop = work(lambda n=n: [jump.hash(key, n) for key in some], len(some))
        table.row(
            f"jump_batch, integers, n={n:,}, against jump-consistent-hash in a loop, keys",
            "10",
            work(lambda n=n: jump_batch(numbers, n, threads=1), m),
            loop,
        )
    table.row(
        "jumpback_batch against jump_batch, n=1,000,000, keys",
        "1.5",
        work(lambda: jumpback_batch(numbers, 10**6, threads=1), m),
        work(lambda: jump_batch(numbers, 10**6, threads=1), m),
    )


def composite(table: Table, keys: np.ndarray) -> None:
    m = max(1, len(keys) // 3)
    columns = [np.arange(m) * step for step in (1, 3, 7)]
    ready = np.stack([*columns[:2], columns[2] | 1 << 60], axis=1).view("S24").ravel()
    ns = rvh.NodeSet(ids(16))
    table.row(
        "three integer columns composed and selected against ready 24-byte keys, N=16, keys",
        "0.9",
        work(lambda: select_multi(ns, tuple(columns), threads=1), m),
        work(lambda: ns.select_batch(ready, threads=1), m),
    )


PARTS = {part.__name__: part for part in (selection, one_key, partition_tables, buckets, composite)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keys", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only", choices=PARTS, help="a part of the table")
    options = parser.parse_args()
    peers = [
        f"{name} {version(name)}"
        for name in ("fastring", "jump-consistent-hash")
        if peer(name.split("-")[0]) is not None
    ]
    print(
        f"{processor()}, instruction set {rvh.cpu.active()}, Python {platform.python_version()}, "
        f"NumPy {np.__version__}, {', '.join(peers) or 'no peer'}, {options.keys:,} keys "
        f"(`user:%08d`, 13 bytes, S), median of {options.rounds}\n"
    )
    keys = np.array([b"user:%08d" % i for i in range(options.keys)])
    table = Table(options.rounds)
    for name, part in PARTS.items():
        if options.only in (None, name):
            part(table, keys)


if __name__ == "__main__":
    main()
