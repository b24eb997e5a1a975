"""Scheme murmur: Python's integers, by the reference."""

from __future__ import annotations

import random
from typing import Any

import reference
from golden.values import every_kind, tagged

ORIGIN = (
    "Made once by murmur.py with Python's integers, never edited since. Values are tagged: "
    "str, bytes (hex), int (decimal). ranking: positions of all nodes, best first; scores: 64-bit "
    "numbers in hex, in the order of the nodes."
)


def case(name: str, nodes: list[Any], keys: list[Any]) -> dict[str, Any]:
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


def answers() -> dict[str, Any]:
    rng = random.Random(64)
    keys = every_kind(rng)
    long_ids = [rng.randbytes(n) for n in (*range(1, 10), 15, 16, 17, 63, 64, 127, 128, 129, 300)]
    many = [f"node-{n:03}.example.net" for n in range(40)]
    return {
        "scheme": "murmur",
        "cases": [
            case("one node", ["only"], keys),
            case("ids as text", ["node1", "nœud2", "λ3", "节点4", "😀5", "a\0"], keys),
            case("ids as bytes of many lengths", long_ids, keys),
            case("ids mixed", ["a", b"b", "é", b"\xff\0"], keys),
            case("forty nodes", many, keys[:9] + keys[-11:]),
            case(
                "three hundred nodes", [f"xxx.{n}.yy" for n in range(300)], ["sample", b"\x80", 7]
            ),
        ],
    }
