"""How composite.json came to be: from struct and hashlib alone, without rvh.

    python tests/golden/make_composite.py NEW_FILE

The files of this folder are append-only, so an existing one is never written again: answers that
are missing go to a new file. No test runs this.
"""

from __future__ import annotations

import json
import random
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

import reference

ORIGIN = (
    "Made once by make_composite.py with struct and hashlib, never edited since. A key is its "
    "parts: an integer as 8 bytes little-endian, str or bytes as a 4-byte little-endian length and "
    "its bytes. Values are tagged: str, bytes (hex), int (decimal). bytes: the whole key in hex; "
    "ranking: positions of all nodes, best first."
)
NODES = ["node1", "nœud2", "λ3", "节点4", "😀5"]


def tagged(value: Any) -> dict[str, str]:
    if isinstance(value, bytes):
        return {"bytes": value.hex()}
    return {type(value).__name__: str(value)}


def composite(parts: tuple[Any, ...]) -> bytes:
    key = b""
    for part in parts:
        if isinstance(part, int):
            key += struct.pack("<q" if part < 0 else "<Q", part)
        else:
            data = reference.as_bytes(part)
            key += struct.pack("<I", len(data)) + data
    return key


def answers(name: str, rows: list[tuple[Any, ...]]) -> dict[str, Any]:
    return {
        "name": name,
        "nodes": NODES,
        "keys": [
            {
                "parts": [tagged(part) for part in row],
                "bytes": composite(row).hex(),
                "ranking": reference.ranking(NODES, composite(row)),
            }
            for row in rows
        ],
    }


def cases() -> list[dict[str, Any]]:
    rng = random.Random(8)
    texts = ["", "a", "txn-42", "42", "é", "€uro", "😀", "a\0", "x" * 300]
    blobs = [b"", b"\0", b"12345678", *(rng.randbytes(n) for n in (1, 7, 8, 9, 124, 128, 1000))]
    numbers = [0, 1, -1, 42, 255, 2**31, -(2**31), 2**63 - 1, 2**63, -(2**63), 2**64 - 1]
    return [
        answers("one part", [(part,) for part in [*texts, *blobs, *numbers]]),
        answers("three integers", [(rng.choice(numbers), n, n) for n in numbers]),
        answers("text, integer", [(text, rng.choice(numbers)) for text in texts]),
        answers("bytes, text, bytes", [(blob, rng.choice(texts), b"ab") for blob in blobs[:8]]),
        answers(
            "parts that differ only in where they end", [("ab", "c"), ("a", "bc"), ("abc", "")]
        ),
        answers("a column of every type", [("n", part) for part in ("42", b"42", 42, b"*" * 8)]),
        answers("many parts", [tuple(range(start, start + 40)) for start in (-20, 0, 2**63)]),
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
