"""Bounded load: deferred acceptance in plain Python."""

from __future__ import annotations

import hashlib
from fractions import Fraction
from typing import Any

ORIGIN = (
    "Made once by balanced.py with hashlib.blake2b and deferred acceptance written out, never "
    "edited since. Without weights; owners are positions of nodes."
)


def owners(nodes: list[str], keys: list[str], factor: str) -> list[int]:
    room = -(-Fraction(factor) * len(keys) // len(nodes))
    scores = [
        [hashlib.blake2b((node + key).encode(), digest_size=16).digest() for node in nodes]
        for key in keys
    ]
    wishes = [sorted(range(len(nodes)), key=row.__getitem__) for row in scores]  # best last
    held: list[list[int]] = [[] for _ in nodes]
    free = list(range(len(keys)))
    while free:
        key = free.pop()
        node = wishes[key].pop()
        held[node].append(key)
        if len(held[node]) > room:
            # Of equal keys the one in the lower row stays.
            lowest = min(held[node], key=lambda row: (scores[row][node], -row))
            held[node].remove(lowest)
            free.append(lowest)
    place = {key: node for node, rows in enumerate(held) for key in rows}
    return [place[key] for key in range(len(keys))]


def answers() -> dict[str, Any]:
    found = []
    for count, many, factor in ((3, 50, "1"), (10, 300, "1.05"), (10, 300, "1.25"), (40, 200, "1")):
        nodes = [f"node-{n}" for n in range(count)]
        keys = [f"key-{n * n % many}" for n in range(many)]  # some stand several times
        answer = owners(nodes, keys, factor)
        found.append({"nodes": nodes, "load_factor": factor, "keys": keys, "owners": answer})
    return {"cases": found}
