"""Jump hash and JumpBackHash: hashlib and Python's numbers."""

from __future__ import annotations

import random
from typing import Any

import reference
from golden.values import NUMBERS, TEXTS, tagged

ORIGIN = (
    "Made once by stable.py with hashlib.blake2b and Python's integers and floats, never "
    "edited since. Values are tagged: str, bytes (hex), int (decimal). jump: the first k distinct "
    "buckets, so the first of them is jump hash's; jumpback: JumpBackHash's bucket."
)
COUNTS = ((1, 1), (2, 2), (3, 2), (10, 3), (33, 33), (1000, 3), (65537, 2), (2**31 - 1, 3))


def case(buckets: int, k: int, keys: list[Any]) -> dict[str, Any]:
    rows = []
    for key in keys:
        word = reference.key_word(key)
        rows.append(
            {
                "key": tagged(key),
                "jump": reference.distinct_jumps(word, buckets, k),
                "jumpback": reference.jumpback(word, buckets),
            }
        )
    return {"buckets": buckets, "k": k, "keys": rows}


def answers() -> dict[str, Any]:
    rng = random.Random(14062294)
    blobs = [b"", b"\0", *(rng.randbytes(n) for n in (7, 8, 9, 128, 129, 1025))]
    keys = [*TEXTS, *blobs, *NUMBERS, *(rng.getrandbits(64) for _ in range(10))]
    return {
        "scheme": "jump",
        "cases": [case(buckets, k, keys) for buckets, k in COUNTS],
    }
