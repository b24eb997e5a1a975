"""Bounded load by sizes of keys: of all pairs the one that scores highest, in plain Python."""

from __future__ import annotations

import hashlib
from fractions import Fraction
from typing import Any

ORIGIN = (
    "Made once by balanced_sizes.py with hashlib.blake2b, never edited since: the pairs of key and "
    "node from the highest score down, each taken if the key is free and the node's load below its "
    "share. Without weights; owners are positions of nodes."
)


def owners(nodes: list[str], keys: list[str], sizes: list[Any], factor: str) -> list[int]:
    share = Fraction(factor) * sum(map(Fraction, sizes)) / len(nodes)
    pairs = []
    for row, (key, size) in enumerate(zip(keys, sizes, strict=True)):
        for place, node in enumerate(nodes):
            score = hashlib.blake2b((node + key).encode(), digest_size=16).digest()
            pairs.append((score, key, size, -row, place))
    loads = [Fraction(0)] * len(nodes)
    owner: dict[int, int] = {}
    for _, _, size, row, place in sorted(pairs, reverse=True):
        if -row not in owner and loads[place] < share:
            owner[-row] = place
            loads[place] += Fraction(size)
    return [owner[row] for row in range(len(keys))]


def answers() -> dict[str, Any]:
    found = []
    for count, many, factor, kind in (
        (3, 50, "1", "whole"),
        (10, 300, "1.05", "whole"),
        (10, 300, "1.25", "halves"),
        (40, 200, "1", "whole"),
        (7, 100, "1", "one large"),
    ):
        nodes = [f"node-{n}" for n in range(count)]
        keys = [f"key-{n * n % many}" for n in range(many)]  # some stand several times
        sizes: list[Any] = [1 + n * n * 7919 % 1000 for n in range(many)]
        if kind == "halves":
            sizes = [size / 2 for size in sizes]
        if kind == "one large":
            sizes[0] = 10**6
        answer = owners(nodes, keys, sizes, factor)
        found.append(
            {"nodes": nodes, "load_factor": factor, "keys": keys, "sizes": sizes, "owners": answer}
        )
    return {"cases": found}
