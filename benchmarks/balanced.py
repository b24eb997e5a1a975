"""What a bound on load costs in time, and in keys that move.

    python benchmarks/balanced.py [--rounds 5]

Time: 2^20 keys on 64 nodes, one thread, beside selection without a bound, by turns, and with sizes
of keys (bytes of files, a few very large). Moves: of 2^18
and of 2^12 keys the share that changes its node when one of 64 is removed or added, beside the
share that has to move (the removed node's keys; what the new node gets), with a bound and without.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np

import rvh
from rvh.balanced import argassign_balanced, assign_balanced


def seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def rate(keys: int, plain: float, bounded: float) -> str:
    return f"{keys / bounded:,.0f} ({plain / bounded:.2f})"


def speed(rounds: int) -> None:
    print(
        "| scheme | nodes | load factor | unbounded, keys/s | bounded, keys/s | by sizes, keys/s |"
    )
    print("|---|---|---|---|---|---|")
    sizes = np.random.default_rng(1).pareto(1.2, 1 << 20) * 1000 + 1
    whole = np.ceil(sizes).astype(np.int64)
    keys = np.array([f"user:{n:08d}" for n in range(1 << 20)], "S")
    for scheme in ("blake2b", "murmur"):
        for count, factor in ((64, 1.05), (64, 1.01), (64, 1), (1024, 1.05)):
            few = keys[: 1 << 17] if scheme == "blake2b" and count > 64 else keys
            nodes = rvh.NodeSet([f"node-{n:04d}" for n in range(count)], scheme=scheme)

            def plain(nodes: rvh.NodeSet = nodes, few: object = few) -> object:
                return nodes.argselect_batch(few, threads=1)

            def bounded(nodes: rvh.NodeSet = nodes, few: object = few, f: float = factor) -> object:
                return argassign_balanced(nodes, few, f, threads=1)

            def sized(nodes: rvh.NodeSet = nodes, few: object = few, f: float = factor) -> object:
                return argassign_balanced(nodes, few, f, sizes=whole[: len(few)], threads=1)

            times = [(seconds(plain), seconds(bounded), seconds(sized)) for _ in range(rounds)]
            a, *others = (statistics.median(side) for side in zip(*times, strict=True))
            rates = " | ".join([f"{len(few) / a:,.0f}", *(rate(len(few), a, b) for b in others)])
            print(f"| {scheme} | {count} | {factor} | {rates} |")


def moves() -> None:
    print("\n| keys | load factor | removed: has to move, moved | added: has to move, moved |")
    print("|---|---|---|---|")
    for count in (1 << 18, 1 << 12):
        moves_of(count)


def moves_of(count: int) -> None:
    keys = np.arange(count)
    nodes = rvh.NodeSet([f"node-{n:04d}" for n in range(64)], scheme="murmur")
    less, more = nodes.remove("node-0007"), nodes.add("node-new")

    def share(moved: np.ndarray) -> str:
        return f"{100 * moved.mean():.2f}%"

    def row(name: str, before: np.ndarray, after: np.ndarray, grown: np.ndarray) -> None:
        removed = f"{share(before == 'node-0007')}, {share(before != after)}"
        added = f"{share(grown == 'node-new')}, {share(before != grown)}"
        print(f"| {count:,} | {name} | {removed} | {added} |")

    row("none", *(each.select_batch(keys)[:, 0] for each in (nodes, less, more)))
    for factor in (1, 1.01, 1.05, 1.25, 2):
        row(str(factor), *(assign_balanced(each, keys, factor) for each in (nodes, less, more)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    speed(parser.parse_args().rounds)
    moves()


if __name__ == "__main__":
    main()
