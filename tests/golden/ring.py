"""Rings and migrations: hashlib, zlib and Python's integers."""

from __future__ import annotations

import hashlib
import zlib
from typing import Any

import reference

ORIGIN = (
    "Made once by ring.py with hashlib.md5, zlib.crc32 and Python's integers, never edited "
    "since. crossing: MurmurHash64A(key, seed 2718281828), where a migrating key crosses, times "
    "2^64. Numbers are decimal, in strings."
)


def row(key: str) -> dict[str, str]:
    data = key.encode()
    digest = hashlib.md5(data).digest()
    numbers = {
        "ketama": int.from_bytes(digest[:4], "little"),
        "md5": int.from_bytes(digest[:8], "big"),
        "crc32": zlib.crc32(data),
        "crossing": reference.murmur64a(data, 2718281828),
    }
    return {"key": key, **{name: str(number) for name, number in numbers.items()}}


def answers() -> dict[str, Any]:
    keys = ["", "obj", "txn-42", "é", "€uro", *(f"key-{n}" * (1 + n % 12) for n in range(60))]
    return {"keys": [row(key) for key in keys]}
