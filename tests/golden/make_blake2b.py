"""How blake2b.json came to be: from hashlib alone, by tests/support/reference.py, without rvh.

    python tests/golden/make_blake2b.py NEW_FILE

The files of this folder are append-only, so an existing one is never written again: answers that
are missing go to a new file. No test runs this.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

import reference

ORIGIN = (
    "Made once by make_blake2b.py with hashlib.blake2b(node + key, digest_size=16, key=secret), "
    "never edited since. Values are tagged: str, bytes (hex), int (decimal). ranking: positions of "
    "all nodes, best first; scores: 128-bit numbers in hex, in the order of the nodes."
)


def tagged(value: Any) -> dict[str, str]:
    if isinstance(value, bytes):
        return {"bytes": value.hex()}
    return {type(value).__name__: str(value)}


def answers(name: str, nodes: list[Any], keys: list[Any], secret: bytes = b"") -> dict[str, Any]:
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


def cases() -> list[dict[str, Any]]:
    rng = random.Random(7693)
    texts = ["obj", "txn-42", "", "42", "a\0", "é", "€uro", "😀", "naïve key with spaces"]
    blobs = [b"", b"\0", b"\xff" * 7, *(rng.randbytes(n) for n in (1, 15, 16, 64, 127, 128, 129))]
    blobs += [rng.randbytes(n) for n in (255, 256, 257, 1024, 1025, 5000)]
    numbers = [0, 1, -1, 42, 255, 2**31, -(2**31), 2**63 - 1, 2**63, -(2**63), 2**64 - 1]
    long_ids = [rng.randbytes(n) for n in (1, 8, 63, 64, 127, 128, 129, 255, 256, 300)]
    many = [f"node-{n:03}.example.net" for n in range(40)]
    every_kind = [*texts, *blobs, *numbers]
    return [
        answers("the contract's first table", ["alpha", "beta", "gamma"], ["txn-42"]),
        answers("the contract's second table", ["node1", "node2", "node3"], ["obj"]),
        answers("one node", ["only"], every_kind),
        answers("ids as text", ["node1", "nœud2", "λ3", "节点4", "😀5", "a\0"], every_kind),
        answers("ids as bytes of many lengths", long_ids, every_kind),
        answers("ids mixed", ["a", b"b", "é", b"\xff\0"], every_kind),
        answers("a short secret", ["node1", "node2", "node3"], every_kind, b"s"),
        answers("the longest secret", long_ids, every_kind, bytes(range(64))),
        answers("forty nodes", many, [*texts, *numbers]),
    ]


def written(value: Any) -> str:
    return json.dumps(value, ensure_ascii=True)


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
