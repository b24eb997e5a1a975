"""Partition tables: hashlib and Python's integers."""

from __future__ import annotations

import random
from typing import Any

import reference
from golden.values import NUMBERS, TEXTS, tagged

ORIGIN = (
    "Made once by partitions.py with hashlib.blake2b and MurmurHash64A in Python's integers, "
    "never edited since. Values are tagged: str, bytes (hex), int (decimal). partition: of the "
    "key; owners: positions of all nodes for that partition, best first."
)
COUNTS = (1, 2, 3, 1000, 65536, 1 << 24)


def case(name: str, nodes: list[Any], partitions: int, secret: bytes = b"") -> dict[str, Any]:
    rng = random.Random(2718281828)
    blobs = [b"", b"\0", *(rng.randbytes(n) for n in (*range(1, 18), 63, 64, 65, 1025))]
    rows = []
    for key in [*TEXTS, *blobs, *NUMBERS]:
        partition = reference.partition(key, partitions)
        rows.append(
            {
                "key": tagged(key),
                "partition": partition,
                "owners": reference.ranking(nodes, partition, secret),
            }
        )
    return {
        "name": name,
        "nodes": [tagged(node) for node in nodes],
        "secret": secret.hex(),
        "partitions": partitions,
        "keys": rows,
    }


def answers() -> dict[str, Any]:
    three = ["node1", "nœud2", b"\xffnode3"]
    found = [case(f"{count} partitions", three, count) for count in COUNTS]
    many = [f"node-{n:03}.example.net" for n in range(12)]
    return {"scheme": "blake2b", "cases": [*found, case("a secret", many, 1000, b"secret")]}
