"""Replicas among the living: the walks of the contract in plain Python."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import Any

ORIGIN = (
    "Made once by faultset.py with hashlib.blake2b and the walks written out, never edited "
    "since. Limits and levels come from the outermost in; nodes are positions."
)
NODES = 16
LEVELS = {"zone": [n % 4 for n in range(NODES)], "rack": [n // 4 % 2 for n in range(NODES)]}


def ranking(key: str) -> list[int]:
    names = [f"node-{n}".encode() for n in range(NODES)]
    digests = [hashlib.blake2b(name + key.encode(), digest_size=16).digest() for name in names]
    return sorted(range(NODES), key=lambda n: (digests[n], names[n]), reverse=True)


def walk(ranked: list[int], k: int, names: list[str], most: list[int]) -> list[int]:
    scoped = [
        [tuple(LEVELS[name][n] for name in names[: i + 1]) for n in range(NODES)]
        for i in range(len(names))
    ]
    chosen: list[int] = []
    for left_out in range(len(names) + 1):
        for node in ranked:
            counts = [Counter(labels[n] for n in chosen) for labels in scoped]
            full = any(counts[i][scoped[i][node]] >= most[i] for i in range(left_out, len(names)))
            if node not in chosen and not full and len(chosen) < k:
                chosen.append(node)
    return chosen


def answers() -> dict[str, Any]:
    asked = [
        (3, [], [], []),
        (3, [2, 7, 11], [], []),
        (3, [], ["zone"], [1]),
        (3, [2, 7, 11], ["zone"], [1]),
        (6, [2, 6, 10, 14], ["zone"], [1]),
        (6, [], ["zone", "rack"], [2, 1]),
        (7, [0, 1], ["zone", "rack"], [1, 1]),
    ]
    found = []
    for k, dead, names, most in asked:
        rows = []
        for number in range(40):
            key = f"key-{number}"
            living = [node for node in ranking(key) if node not in dead]
            rows.append({"key": key, "nodes": walk(living, k, names, most)})
        found.append({"k": k, "dead": dead, "spread": names, "most": most, "keys": rows})
    return {"levels": LEVELS, "cases": found}
