"""How stable.json came to be: from hashlib and Python's own numbers, without rvh.

    python tests/golden/make_stable.py NEW_FILE

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
    "Made once by make_stable.py with hashlib.blake2b and Python's integers and floats, never "
    "edited since. Values are tagged: str, bytes (hex), int (decimal). jump: the first k distinct "
    "buckets, so the first of them is jump hash's; jumpback: JumpBackHash's bucket."
)
COUNTS = ((1, 1), (2, 2), (3, 2), (10, 3), (33, 33), (1000, 3), (65537, 2), (2**31 - 1, 3))


def answers(buckets: int, k: int, keys: list[Any]) -> dict[str, Any]:
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


def cases() -> list[dict[str, Any]]:
    rng = random.Random(14062294)
    texts = ["obj", "txn-42", "", "42", "a\0", "é", "€uro", "😀", "naïve key with spaces"]
    blobs = [b"", b"\0", *(rng.randbytes(n) for n in (7, 8, 9, 128, 129, 1025))]
    numbers = [0, 1, -1, 42, 255, 2**31, -(2**31), 2**63 - 1, 2**63, -(2**63), 2**64 - 1]
    numbers += [rng.getrandbits(64) for _ in range(10)]
    return [answers(buckets, k, [*texts, *blobs, *numbers]) for buckets, k in COUNTS]


def lines(all_cases: list[dict[str, Any]]) -> Iterator[str]:
    """JSON with one line for each key, so that a difference can be read."""
    yield f'{{"origin": {written(ORIGIN)},\n"scheme": "jump",\n"cases": [\n'
    for number, case in enumerate(all_cases):
        rows = ",\n  ".join(written(row) for row in case["keys"])
        yield ",\n" if number else ""
        yield f'{{"buckets": {case["buckets"]}, "k": {case["k"]}, "keys": [\n  {rows}]}}'
    yield "\n]}\n"


if __name__ == "__main__":
    with open(sys.argv[1], "x", encoding="ascii") as file:
        file.writelines(lines(cases()))
