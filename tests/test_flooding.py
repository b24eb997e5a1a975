"""Who can aim keys: docs/explanation/security.md shows what these tests hold."""

from __future__ import annotations

import hashlib
import itertools

import numpy as np
import pytest

import rvh

MULTIPLIER = 0xC6A4A7935BD1E995  # MurmurHash64A's
INVERSE = pow(MULTIPLIER, -1, 2**64)


def other_block(block: int) -> int:
    """The block that MurmurHash64A mixes to the same but for the highest bit."""
    mixed = block * MULTIPLIER % 2**64
    mixed = (mixed ^ mixed >> 47) * MULTIPLIER % 2**64 ^ 2**63
    mixed = mixed * INVERSE % 2**64
    return (mixed ^ mixed >> 47) * INVERSE % 2**64


def flood(doublings: int) -> list[bytes]:
    """2^doublings keys of one MurmurHash64A, whatever its seed.

    A highest bit that differs stays the highest through every product with an odd number, so that
    of the next block takes it away again.
    """
    pairs = [(2 * i, 2 * i + 1) for i in range(doublings)]
    choices = [(pair, tuple(map(other_block, pair))) for pair in pairs]
    return [
        b"".join(block.to_bytes(8, "little") for pair in chosen for block in pair)
        for chosen in itertools.product(*choices)
    ]


@pytest.mark.parametrize("count", [3, 64, 1000])
def test_keys_of_one_murmur_hash_go_to_one_node_of_every_set(count: int) -> None:
    keys = flood(10)
    assert len(set(keys)) == 1024
    ids = [f"node-{n}" for n in range(count)]
    for weights in (None, [1 + n % 3 for n in range(count)]):
        murmur = rvh.NodeSet(ids, weights=weights, scheme="murmur").argselect_batch(keys, 3)
        assert (murmur == murmur[0]).all()
    keyed = rvh.NodeSet(ids, secret=b"16 random bytes!").argselect_batch(keys)
    _, counts = np.unique(keyed, return_counts=True)
    assert counts.max() < 3 * 1024 / count + 20


def test_keys_can_be_aimed_where_there_is_no_secret() -> None:
    """By trial, offline: of N nodes, each N-th key is one for the node that is aimed at."""
    ids = [f"node-{n}" for n in range(20)]
    tried = [f"key-{n}" for n in range(4000)]

    def score(node: str, key: str) -> bytes:
        return hashlib.blake2b((node + key).encode(), digest_size=16).digest()

    aimed = [key for key in tried if max(ids, key=lambda node: score(node, key)) == "node-7"]
    assert len(aimed) > 100
    assert set(rvh.select_batch(ids, aimed)[:, 0]) == {"node-7"}
    keyed = rvh.select_batch(ids, aimed, secret=b"16 random bytes!")[:, 0]
    assert len(set(keyed)) == 20
