"""How murmur.json came to be: from Python's integers, by tests/support/reference.py, without rvh.

    python tests/golden/make_murmur.py NEW_FILE

As with make_blake2b.py: append-only, and no test runs this.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.extend([str(Path(__file__).parent), str(Path(__file__).parents[1] / "support")])

import reference
from make_blake2b import tagged, written

ORIGIN = (
    "Made once by make_murmur.py with Python's integers, never edited since. Values are tagged: "
    "str, bytes (hex), int (decimal). ranking: positions of all nodes, best first; scores: 64-bit "
    "numbers in hex, in the order of the nodes."
)


def answers(name: str, nodes: list[Any], keys: list[Any]) -> dict[str, Any]:
    return {
        "name": name,
        "nodes": [tagged(node) for node in nodes],
        "fingerprint": reference.fingerprint(nodes, scheme="murmur"),
        "keys": [
            {
                "key": tagged(key),
                "ranking": reference.ranking(nodes, key, scheme="murmur"),
                "scores": [f"{reference.score(n, key, scheme='murmur'):016x}" for n in nodes],
            }
            for key in keys
        ],
    }


def every_kind(rng: random.Random) -> list[Any]:
    """Keys of all kinds and of lengths around the hashes' blocks."""
    texts = ["obj", "txn-42", "", "42", "a\0", "é", "€uro", "😀", "naïve key with spaces"]
    blobs = [b"", b"\0", b"\xff" * 7, *(rng.randbytes(n) for n in range(1, 18))]
    blobs += [rng.randbytes(n) for n in (23, 24, 25, 64, 127, 128, 129, 1025, 5000)]
    numbers = [0, 1, -1, 42, 255, 2**31, -(2**31), 2**63 - 1, 2**63, -(2**63), 2**64 - 1]
    return [*texts, *blobs, *numbers]


def cases() -> list[dict[str, Any]]:
    rng = random.Random(64)
    keys = every_kind(rng)
    long_ids = [rng.randbytes(n) for n in (*range(1, 10), 15, 16, 17, 63, 64, 127, 128, 129, 300)]
    many = [f"node-{n:03}.example.net" for n in range(40)]
    return [
        answers("one node", ["only"], keys),
        answers("ids as text", ["node1", "nœud2", "λ3", "节点4", "😀5", "a\0"], keys),
        answers("ids as bytes of many lengths", long_ids, keys),
        answers("ids mixed", ["a", b"b", "é", b"\xff\0"], keys),
        answers("forty nodes", many, keys[:9] + keys[-11:]),
        answers("three hundred nodes", [f"xxx.{n}.yy" for n in range(300)], ["sample", b"\x80", 7]),
    ]


def lines(all_cases: list[dict[str, Any]]) -> Iterator[str]:
    """JSON with one line for each key, so that a difference can be read."""
    yield f'{{"origin": {written(ORIGIN)},\n"scheme": "murmur",\n"cases": [\n'
    for number, case in enumerate(all_cases):
        head = {name: value for name, value in case.items() if name != "keys"}
        rows = ",\n  ".join(written(row) for row in case["keys"])
        yield ",\n" if number else ""
        yield f'{written(head)[:-1]}, "keys": [\n  {rows}]}}'
    yield "\n]}\n"


if __name__ == "__main__":
    with open(sys.argv[1], "x", encoding="ascii") as file:
        file.writelines(lines(cases()))
