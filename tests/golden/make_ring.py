"""How ring.json came to be: from hashlib, zlib and Python's integers, without rvh.

    python tests/golden/make_ring.py NEW_FILE

As with make_blake2b.py: append-only, and no test runs this.
"""

from __future__ import annotations

import hashlib
import sys
import zlib
from pathlib import Path

sys.path.extend([str(Path(__file__).parent), str(Path(__file__).parents[1] / "support")])

import reference
from make_blake2b import written

ORIGIN = (
    "Made once by make_ring.py with hashlib.md5, zlib.crc32 and Python's integers, never edited "
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


def main(path: str) -> None:
    keys = ["", "obj", "txn-42", "é", "€uro", *(f"key-{n}" * (1 + n % 12) for n in range(60))]
    with open(path, "x", encoding="ascii") as file:
        rows = ",\n".join(written(row(key)) for key in keys)
        file.write(f'{{"origin": {written(ORIGIN)},\n"keys": [\n{rows}\n]}}\n')


if __name__ == "__main__":
    main(sys.argv[1])
