"""Keys of several parts: struct and hashlib."""

from __future__ import annotations

import random
import struct
from typing import Any

import reference
from golden.values import NUMBERS, tagged

ORIGIN = (
    "Made once by composite.py with struct and hashlib, never edited since. A key is its "
    "parts: an integer as 8 bytes little-endian, str or bytes as a 4-byte little-endian length and "
    "its bytes. Values are tagged: str, bytes (hex), int (decimal). bytes: the whole key in hex; "
    "ranking: positions of all nodes, best first."
)
NODES = ["node1", "nœud2", "λ3", "节点4", "😀5"]


def composite(parts: tuple[Any, ...]) -> bytes:
    key = b""
    for part in parts:
        if isinstance(part, int):
            key += struct.pack("<q" if part < 0 else "<Q", part)
        else:
            data = reference.as_bytes(part)
            key += struct.pack("<I", len(data)) + data
    return key


def case(name: str, rows: list[tuple[Any, ...]]) -> dict[str, Any]:
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


def answers() -> dict[str, Any]:
    rng = random.Random(8)
    texts = ["", "a", "txn-42", "42", "é", "€uro", "😀", "a\0", "x" * 300]
    blobs = [b"", b"\0", b"12345678", *(rng.randbytes(n) for n in (1, 7, 8, 9, 124, 128, 1000))]
    return {
        "scheme": "blake2b",
        "cases": [
            case("one part", [(part,) for part in [*texts, *blobs, *NUMBERS]]),
            case("three integers", [(rng.choice(NUMBERS), n, n) for n in NUMBERS]),
            case("text, integer", [(text, rng.choice(NUMBERS)) for text in texts]),
            case("bytes, text, bytes", [(blob, rng.choice(texts), b"ab") for blob in blobs[:8]]),
            case(
                "parts that differ only in where they end", [("ab", "c"), ("a", "bc"), ("abc", "")]
            ),
            case("a column of every type", [("n", part) for part in ("42", b"42", 42, b"*" * 8)]),
            case("many parts", [tuple(range(start, start + 40)) for start in (-20, 0, 2**63)]),
        ],
    }
