"""What a cache of selections saves, and what a hit costs.

    python benchmarks/cache.py [--rounds 5]

Batches: 2^20 lookups of keys by Zipf(1.0) over 100,000, 64 nodes, blake2b, one thread: selection
without a cache (each key scored, and with dedupe="auto"), a new cache of 10,000, one with every key
in it. Single keys: a cached `select(key)` beside a lookup of the same key in a dict, by turns. Hit
ratios: LRU and ARC, on Zipf alone and with scans in between.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import rvh
from rvh.cache import SelectionCache

NODES = rvh.NodeSet([f"cache-{n:03d}.eu-west-1:11211" for n in range(64)])


def zipf(count: int, keys: int, seed: int = 1) -> np.ndarray:
    frequencies = 1 / np.arange(1, keys + 1)
    drawn = np.random.default_rng(seed).random(count) * frequencies.sum()
    return np.searchsorted(frequencies.cumsum(), drawn)


def seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def batches(rounds: int) -> None:
    names = np.array([f"user:{n:08d}" for n in range(100_000)], "S")
    keys = names[zipf(1 << 20, len(names))]
    full = {policy: SelectionCache(NODES, 100_000, policy) for policy in ("lru", "arc")}
    for cache in full.values():
        cache.argselect_batch(names)
        cache.argselect_batch(names)
    calls: dict[str, Callable[[], object]] = {
        "no cache": lambda: NODES.argselect_batch(keys, threads=1, dedupe=False),
        'no cache, dedupe="auto"': lambda: NODES.argselect_batch(keys, threads=1),
    }
    for policy, cache in full.items():
        calls[f"{policy}, new, 10,000"] = lambda policy=policy: SelectionCache(
            NODES, 10_000, policy
        ).argselect_batch(keys, threads=1)
        calls[f"{policy}, every key cached"] = lambda cache=cache: cache.argselect_batch(keys)
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            times[name].append(seconds(call))
    medians = {name: statistics.median(each) for name, each in times.items()}
    print("| batch | lookups/s | beside no cache |\n|---|---|---|")
    for name, median in medians.items():
        print(f"| {name} | {len(keys) / median:,.0f} | {medians['no cache'] / median:.1f} |")


def single(rounds: int) -> None:
    """With the same str objects again and again, whose hash a dict finds in them, and with new ones
    each time, as they come from a file or a request."""
    print("\n| keys | dict lookup, ns | cached select, ns | ratio |\n|---|---|---|---|")
    for count, fresh in ((100, False), (10_000, False), (100, True), (10_000, True)):
        keys = [f"user:{n:08d}" for n in range(count)]
        known = {key: ["node"] for key in keys}
        cache = SelectionCache(NODES, 20_000)
        select = cache.select
        again = 200_000 // count

        def passes(keys: list[str] = keys, fresh: bool = fresh, again: int = again) -> list[Any]:
            return [["".join([*key]) for key in keys] if fresh else keys for _ in range(again)]

        def lookups(all_keys: list[Any], known: dict[str, list[str]] = known) -> None:
            for keys in all_keys:
                for key in keys:
                    known[key]

        def hits(all_keys: list[Any], select: Callable[[str], object] = select) -> None:
            for keys in all_keys:
                for key in keys:
                    select(key)

        hits([keys])
        times = []
        for _ in range(rounds):
            first, second = passes(), passes()
            times.append((seconds(lambda: lookups(first)), seconds(lambda: hits(second))))  # noqa: B023
        a, b = (statistics.median(side) * 1e9 / count / again for side in zip(*times, strict=True))
        what = f"{count:,}, new objects" if fresh else f"{count:,}, the same objects"
        print(f"| {what} | {a:.1f} | {b:.1f} | {b / a:.2f} |")


def ratios() -> None:
    print("\n| trace | entries | LRU | ARC |\n|---|---|---|---|")
    used = zipf(1 << 19, 100_000)
    scanned = np.concatenate(
        [
            piece
            for n, part in enumerate(np.split(used, 64))
            for piece in (part, np.arange(10**6 + n * 8192, 10**6 + (n + 1) * 8192))
        ]
    )
    for name, trace in (("Zipf", used), ("Zipf, and scans as long", scanned)):
        for size in (1_000, 10_000):
            shares = []
            for policy in ("lru", "arc"):
                cache = SelectionCache(NODES.with_weights(None), size, policy)
                for part in np.array_split(trace, 16):
                    cache.argselect_batch(part)
                info = cache.info()
                shares.append(f"{100 * info.hits / (info.hits + info.misses):.1f}%")
            print(f"| {name} | {size:,} | {' | '.join(shares)} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    batches(rounds)
    single(rounds)
    ratios()


if __name__ == "__main__":
    main()
