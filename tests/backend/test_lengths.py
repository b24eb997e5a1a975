"""Messages of every length, against hashlib: block borders, long keys, mixed lengths, secrets."""

from __future__ import annotations

import random

import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st

import rvh

NODE_SIZES = [1, 2, 7, 8, 9, 63, 64, 127, 128, 129, 255, 256, 257, 300, 400]
KEY_SIZES = [0, 1, 7, 8, 9, 15, 16, 17, 63, 64, 65, *range(111, 131), 255, 256, 257]
LONG_KEY_SIZES = [1023, 1024, 1025, 1151, 1152, 1153, 5000]
SECRETS = [b"", b"s", bytes(range(32)), bytes(range(64))]


def blobs(sizes: list[int], seed: int) -> list[bytes]:
    rng = random.Random(seed)
    return [rng.randbytes(size) for size in sizes]


def check(nodes: list[bytes], keys: list[bytes], secret: bytes = b"") -> None:
    ns = rvh.NodeSet(nodes, secret=secret)
    assert np.array_equal(ns.score_batch(keys), reference.scores(nodes, keys, secret))
    expected = reference.rankings(nodes, keys, secret)
    assert np.array_equal(ns.argselect_batch(keys, k=len(nodes)), expected)
    assert np.array_equal(ns.argselect_batch(keys), expected[:, :1])


@pytest.mark.parametrize("secret", SECRETS, ids=len)
def test_mixed_lengths(secret: bytes) -> None:
    keys = blobs(KEY_SIZES + LONG_KEY_SIZES, 1)
    random.Random(2).shuffle(keys)
    check(blobs(NODE_SIZES, 0), keys, secret)


@pytest.mark.parametrize("size", KEY_SIZES + LONG_KEY_SIZES)
def test_keys_of_one_length(size: int) -> None:
    check(blobs(NODE_SIZES, 3), blobs([size] * 17, size))


@pytest.mark.parametrize("size", NODE_SIZES)
def test_nodes_of_one_length(size: int) -> None:
    count = min(17, 200 if size == 1 else 17)
    nodes = list(dict.fromkeys(blobs([size] * count, size)))
    check(nodes, blobs(KEY_SIZES, 4), b"secret")


def test_every_length_of_key_up_to_four_hundred() -> None:
    check(blobs([1, 127, 128, 129, 300], 5), blobs(list(range(401)), 6))


def test_every_length_of_node_up_to_four_hundred() -> None:
    check(blobs(list(range(2, 401)), 7), blobs([0, 1, 16, 112, 128, 300], 8))


@pytest.mark.parametrize("size", KEY_SIZES + LONG_KEY_SIZES)
def test_one_key(size: int) -> None:
    nodes = blobs(NODE_SIZES, 9)
    (key,) = blobs([size], size)
    ranked = [nodes[n] for n in reference.ranking(nodes, key, b"q")]
    assert rvh.rendezvous_hash(nodes, key, k=len(nodes), secret=b"q") == ranked


@pytest.mark.parametrize("count", [1, 2, 5, 40])
def test_a_long_key_among_short_ones(count: int) -> None:
    keys = blobs([16] * count, 10)
    keys.insert(count // 2, bytes(5000))
    check(blobs([5, 6, 7], 11), keys)


def test_nothing_is_left_over_from_the_keys_before() -> None:
    # A short key after a long one: the rest of its block is zero, whatever was there.
    nodes = blobs([5, 130], 12)
    long, short = [b"\xff" * 1000] * 32, [b"s"] * 32
    check(nodes, long + short)
    check(nodes, [key for pair in zip(long, short, strict=True) for key in pair])


@given(
    nodes=st.lists(st.binary(min_size=1, max_size=300), min_size=1, max_size=20, unique=True),
    keys=st.lists(st.binary(max_size=400), max_size=20),
    secret=st.sampled_from(SECRETS),
)
def test_any_nodes_and_keys(nodes: list[bytes], keys: list[bytes], secret: bytes) -> None:
    check(nodes, keys, secret)
