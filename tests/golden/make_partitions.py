"""How partitions.json came to be: from hashlib and Python's own integers, without rvh.

    python tests/golden/make_partitions.py NEW_FILE

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
    "Made once by make_partitions.py with hashlib.blake2b and MurmurHash64A in Python's integers, "
    "never edited since. Values are tagged: str, bytes (hex), int (decimal). partition: of the "
    "key; owners: positions of all nodes for that partition, best first."
)
COUNTS = (1, 2, 3, 1000, 65536, 1 << 24)


def answers(name: str, nodes: list[Any], partitions: int, secret: bytes = b"") -> dict[str, Any]:
    rng = random.Random(2718281828)
    texts = ["obj", "txn-42", "", "42", "a\0", "é", "€uro", "😀", "naïve key with spaces"]
    blobs = [b"", b"\0", *(rng.randbytes(n) for n in (*range(1, 18), 63, 64, 65, 1025))]
    numbers = [0, 1, -1, 42, 255, 2**31, -(2**31), 2**63 - 1, 2**63, -(2**63), 2**64 - 1]
    rows = []
    for key in [*texts, *blobs, *numbers]:
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


def cases() -> list[dict[str, Any]]:
    three = ["node1", "nœud2", b"\xffnode3"]
    found = [answers(f"{count} partitions", three, count) for count in COUNTS]
    many = [f"node-{n:03}.example.net" for n in range(12)]
    return [*found, answers("a secret", many, 1000, b"secret")]


def lines(all_cases: list[dict[str, Any]]) -> Iterator[str]:
    """JSON with one line for each key, so that a difference can be read."""
    yield f'{{"origin": {written(ORIGIN)},\n"scheme": "blake2b",\n"cases": [\n'
    for number, case in enumerate(all_cases):
        head = {name: value for name, value in case.items() if name != "keys"}
        rows = ",\n  ".join(written(row) for row in case["keys"])
        yield ",\n" if number else ""
        yield f'{written(head)[:-1]}, "keys": [\n  {rows}]}}'
    yield "\n]}\n"


if __name__ == "__main__":
    with open(sys.argv[1], "x", encoding="ascii") as file:
        file.writelines(lines(cases()))
