"""How balanced.json came to be: deferred acceptance in plain Python, without rvh.

    python tests/golden/make_balanced.py NEW_FILE

As with make_blake2b.py: append-only, and no test runs this.
"""

from __future__ import annotations

import hashlib
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

sys.path.extend([str(Path(__file__).parent), str(Path(__file__).parents[1] / "support")])

from make_blake2b import written

ORIGIN = (
    "Made once by make_balanced.py with hashlib.blake2b and deferred acceptance written out, never "
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


def cases() -> list[dict[str, Any]]:
    found = []
    for count, many, factor in ((3, 50, "1"), (10, 300, "1.05"), (10, 300, "1.25"), (40, 200, "1")):
        nodes = [f"node-{n}" for n in range(count)]
        keys = [f"key-{n * n % many}" for n in range(many)]  # some stand several times
        answer = owners(nodes, keys, factor)
        found.append({"nodes": nodes, "load_factor": factor, "keys": keys, "owners": answer})
    return found


def main(path: str) -> None:
    with open(path, "x", encoding="ascii") as file:
        rows = ",\n".join(written(case) for case in cases())
        file.write(f'{{"origin": {written(ORIGIN)},\n"cases": [\n{rows}\n]}}\n')


if __name__ == "__main__":
    main(sys.argv[1])
