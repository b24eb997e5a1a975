"""Keys and ids made for a wanted murmur score: no defence against chosen keys means this.

Both hashes are made of steps that can be undone: products with odd numbers, `x ^ x >> 47`.
"""

from __future__ import annotations

import reference

KEY_SEED, NODE_SEED = 2718281828, 4193360111
TOP = 2**64
M, K = 0xC6A4A7935BD1E995, 0x9DDFEA08EB382D69
M_INVERSE, K_INVERSE = pow(M, -1, TOP), pow(K, -1, TOP)


def folded(x: int) -> int:
    """x ^ x >> 47, which is its own inverse."""
    return x ^ x >> 47


def with_hash(wanted: int, seed: int, start: bytes = b"") -> bytes:
    """`start`, of whole 8 bytes, and 8 bytes more, so that MurmurHash64A is `wanted`."""
    state = seed ^ (len(start) + 8) * M % TOP
    for at in range(0, len(start), 8):
        block = folded(int.from_bytes(start[at : at + 8], "little") * M % TOP) * M % TOP
        state = (state ^ block) * M % TOP
    mixed = folded(folded(wanted) * M_INVERSE % TOP) * M_INVERSE % TOP ^ state
    last = folded(mixed * M_INVERSE % TOP) * M_INVERSE % TOP
    made = start + last.to_bytes(8, "little")
    assert reference.murmur64a(made, seed) == wanted
    return made


def key_with_score(wanted: int, node: bytes) -> bytes:
    """A key of 8 bytes whose score on a node is `wanted`."""
    high = reference.murmur64a(node, NODE_SEED)
    b = folded(wanted * K_INVERSE % TOP) * K_INVERSE % TOP
    low = folded(b ^ high) * K_INVERSE % TOP ^ high
    key = with_hash(low, KEY_SEED)
    assert reference.score(node, key, scheme="murmur") == wanted
    return key


def same_hash(count: int, wanted: int = 7) -> list[bytes]:
    """Ids of 8, 16 and 24 bytes that score the same for every key, in no order of their bytes."""
    ids = []
    for number in range(count):
        start = (number * 0x9E3779B97F4A7C15 % TOP).to_bytes(8, "little") * (1 + number % 2)
        ids.append(with_hash(wanted, NODE_SEED, start))
    return ids
