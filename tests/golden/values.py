"""Values that several subjects ask about, and how a recorded file writes them."""

from __future__ import annotations

import random
from typing import Any

TEXTS = ["obj", "txn-42", "", "42", "a\0", "é", "€uro", "😀", "naïve key with spaces"]
NUMBERS = [0, 1, -1, 42, 255, 2**31, -(2**31), 2**63 - 1, 2**63, -(2**63), 2**64 - 1]


def every_kind(rng: random.Random) -> list[Any]:
    """Keys of all kinds and of lengths around the hashes' blocks."""
    blobs = [b"", b"\0", b"\xff" * 7, *(rng.randbytes(n) for n in range(1, 18))]
    blobs += [rng.randbytes(n) for n in (23, 24, 25, 64, 127, 128, 129, 1025, 5000)]
    return [*TEXTS, *blobs, *NUMBERS]


def tagged(value: Any) -> dict[str, str]:
    """Say with a value what type it has: bytes as hex, an int in decimal."""
    if isinstance(value, bytes):
        return {"bytes": value.hex()}
    return {type(value).__name__: str(value)}


def untagged(value: dict[str, str]) -> Any:
    ((kind, text),) = value.items()
    return {"str": str, "bytes": bytes.fromhex, "int": int}[kind](text)
