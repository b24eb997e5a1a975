"""The placement contract: its own examples, and the bytes of a value."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
import reference

import rvh
from rvh.keys import composite, key_bytes

EXAMPLES = [
    (["alpha", "beta", "gamma"], "txn-42", ["gamma", "beta", "alpha"]),
    (["node1", "node2", "node3"], "obj", ["node1", "node2", "node3"]),
]


@pytest.mark.parametrize(("nodes", "key", "expected"), EXAMPLES)
def test_published_ranking(nodes: list[str], key: str, expected: list[str]) -> None:
    assert rvh.rendezvous_hash(nodes, key, k=3) == expected
    assert rvh.select_batch(nodes, [key], k=3).tolist() == [expected]
    assert [nodes[n] for n in rvh.argselect_batch(nodes, [key], k=3)[0]] == expected
    assert [node for node, _ in rvh.rendezvous_scores(nodes, key)] == expected


@pytest.mark.parametrize(("nodes", "key", "expected"), EXAMPLES)
def test_reference_gives_published_ranking(nodes: list[str], key: str, expected: list[str]) -> None:
    assert [nodes[n] for n in reference.ranking(nodes, key)] == expected


def test_score_is_the_digest_of_node_then_key_as_a_big_endian_number() -> None:
    digest = hashlib.blake2b(b"alpha" + b"txn-42", digest_size=16).digest()
    assert rvh.rendezvous_scores(["alpha"], "txn-42") == [("alpha", int.from_bytes(digest, "big"))]
    high, low = rvh.score_batch(["alpha"], ["txn-42"])[0, 0]
    assert int(high).to_bytes(8, "big") + int(low).to_bytes(8, "big") == digest


def test_secret_is_the_key_of_blake2b() -> None:
    digest = hashlib.blake2b(b"alphatxn-42", digest_size=16, key=b"s3cret").digest()
    ((_, score),) = rvh.rendezvous_scores(["alpha"], "txn-42", secret=b"s3cret")
    assert score == int.from_bytes(digest, "big")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("", ""),
        ("obj", "6f626a"),
        ("é", "c3a9"),
        ("€", "e282ac"),
        ("😀", "f09f9880"),
        ("a\0", "6100"),
        (b"\xff\0", "ff00"),
        (bytearray(b"ab"), "6162"),
        (memoryview(b"abcd")[::2], "6163"),
        (0, "0000000000000000"),
        (1, "0100000000000000"),
        (-1, "ffffffffffffffff"),
        (-(2**63), "0000000000000080"),
        (2**63, "0000000000000080"),
        (2**64 - 1, "ffffffffffffffff"),
        (np.uint8(200), "c800000000000000"),
        (np.int8(-2), "feffffffffffffff"),
    ],
)
def test_bytes_of_a_value(value: object, expected: str) -> None:
    assert key_bytes(value).hex() == expected
    digest = hashlib.blake2b(b"n" + bytes.fromhex(expected), digest_size=16).digest()
    ((_, one),) = rvh.rendezvous_scores(["n"], value)
    assert one == int.from_bytes(digest, "big")
    high, low = rvh.score_batch(["n"], [value])[0, 0].tolist()
    assert high << 64 | low == one


def test_a_number_and_its_digits_are_different_keys() -> None:
    assert rvh.rendezvous_scores(["n"], 42) != rvh.rendezvous_scores(["n"], "42")


def test_a_str_and_its_utf8_are_the_same_key_and_the_same_node() -> None:
    scores = rvh.score_batch(["nöde", "b"], ["schlüssel", "k"])
    assert np.array_equal(scores, rvh.score_batch(["nöde", "b"], ["schlüssel".encode(), b"k"]))
    assert np.array_equal(scores, rvh.score_batch(["nöde".encode(), b"b"], ["schlüssel", "k"]))


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ((7,), "0700000000000000"),
        (("",), "00000000"),
        (("ab", 1), "0200000061620100000000000000"),
        ((1, "ab"), "01000000000000000200000061 62"),
        ((b"\0", "é", -1), "0100000000 02000000c3a9 ffffffffffffffff"),
        ((np.int16(-2), bytearray(b"x")), "feffffffffffffff 0100000078"),
    ],
)
def test_composite_key(parts: tuple[object, ...], expected: str) -> None:
    assert composite(*parts) == bytes.fromhex(expected)


def test_parts_of_a_composite_key_do_not_run_into_each_other() -> None:
    assert composite("ab", "c") != composite("a", "bc")
    assert composite("ab") != composite("a", "b")


@pytest.mark.parametrize("parts", [(), (1.5,), ("a", None), ("\ud800",), (2**64,), (True,)])
def test_composite_key_without_bytes(parts: tuple[object, ...]) -> None:
    with pytest.raises(rvh.RVHError):
        composite(*parts)
