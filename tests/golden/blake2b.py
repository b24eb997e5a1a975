"""Scheme blake2b: hashlib alone, by the reference."""

from __future__ import annotations

import random
from typing import Any

import reference
from golden.values import NUMBERS, TEXTS, tagged

ORIGIN = (
    "Made once by blake2b.py with hashlib.blake2b(node + key, digest_size=16, key=secret), "
    "never edited since. Values are tagged: str, bytes (hex), int (decimal). ranking: positions of "
    "all nodes, best first; scores: 128-bit numbers in hex, in the order of the nodes."
)


def case(name: str, nodes: list[Any], keys: list[Any], secret: bytes = b"") -> dict[str, Any]:
    return {
        "name": name,
        "nodes": [tagged(node) for node in nodes],
        "secret": secret.hex(),
        "fingerprint": reference.fingerprint(nodes, secret),
        "keys": [
            {
                "key": tagged(key),
                "ranking": reference.ranking(nodes, key, secret),
                "scores": [f"{reference.score(node, key, secret):032x}" for node in nodes],
            }
            for key in keys
        ],
    }


def answers() -> dict[str, Any]:
    rng = random.Random(7693)
    blobs = [b"", b"\0", b"\xff" * 7, *(rng.randbytes(n) for n in (1, 15, 16, 64, 127, 128, 129))]
    blobs += [rng.randbytes(n) for n in (255, 256, 257, 1024, 1025, 5000)]
    long_ids = [rng.randbytes(n) for n in (1, 8, 63, 64, 127, 128, 129, 255, 256, 300)]
    many = [f"node-{n:03}.example.net" for n in range(40)]
    keys = [*TEXTS, *blobs, *NUMBERS]
    return {
        "scheme": "blake2b",
        "cases": [
            case("the contract's first table", ["alpha", "beta", "gamma"], ["txn-42"]),
            case("the contract's second table", ["node1", "node2", "node3"], ["obj"]),
            case("one node", ["only"], keys),
            case("ids as text", ["node1", "nœud2", "λ3", "节点4", "😀5", "a\0"], keys),
            case("ids as bytes of many lengths", long_ids, keys),
            case("ids mixed", ["a", b"b", "é", b"\xff\0"], keys),
            case("a short secret", ["node1", "node2", "node3"], keys, b"s"),
            case("the longest secret", long_ids, keys, bytes(range(64))),
            case("forty nodes", many, [*TEXTS, *NUMBERS]),
        ],
    }
