"""Scheme `murmur`: mcrouter's published answers, the reference, and ties that are real."""

from __future__ import annotations

import json
import random
from typing import Any

import forged
import numpy as np
import pytest
import reference
from folders import VECTORS
from hypothesis import given
from hypothesis import strategies as st

import rvh
from rvh._backend import PreparedNodes, rank_scores
from rvh.keys import node_column

PUBLISHED = json.loads((VECTORS / "mcrouter_rendezvous.json").read_bytes())["published"]
KEYS = {"bytes -128..127": bytes(range(128, 256)) + bytes(range(128))}
TOP = 2**64 - 1


def endpoints(count: int) -> list[str]:
    return [f"xxx.{i}.yy" for i in range(count)]


def murmur(ids: Any, weights: Any = None) -> rvh.NodeSet:
    return rvh.NodeSet(ids, scheme="murmur", weights=weights)


# -- mcrouter's own answers ---------------------------------------------------------------------

SINGLE = [
    (kind, table, key, answer)
    for kind in ("unweighted", "weighted")
    for table, answers in PUBLISHED[kind].items()
    if isinstance(answers, dict)
    for key, answer in answers.items()
]
SIZES = {"n3": 3, "n343": 343, "n3_w1": 3}
COUNTS = {"counts_n3_1000": (3, 1000), "counts_n10_10000": (10, 10_000)}


def test_every_published_answer_is_in_the_tests_below() -> None:
    singles = {(kind, table) for kind, table, *_ in SINGLE}
    assert singles == {("unweighted", "n3"), ("unweighted", "n343"), ("weighted", "n3_w1")}
    assert len(SINGLE) == 12
    assert set(PUBLISHED["unweighted"]) == {"n3", "n343", *COUNTS}
    assert set(PUBLISHED["weighted"]) == {"n3_w1"}


@pytest.mark.parametrize(("kind", "table", "key", "answer"), SINGLE)
def test_published(kind: str, table: str, key: str, answer: int) -> None:
    ids = endpoints(SIZES[table])
    weights = [1.0] * len(ids) if kind == "weighted" else None
    given_key = KEYS.get(key, key)
    ns = murmur(ids, weights)
    assert ns.argselect_batch([given_key]).tolist() == [[answer]]
    assert ns.select(given_key) == [ids[answer]]
    # from 4 keys on, and with all nodes asked for, other kernels answer
    assert ns.argselect_batch([given_key] * 5).tolist() == [[answer]] * 5
    assert ns.argselect_batch([given_key], k=len(ids))[0, 0] == answer
    assert int(ns.score_batch([given_key])[0].argmax()) == answer  # the first maximum, as mcrouter
    assert reference.ranking(ids, given_key, scheme="murmur", weights=weights)[0] == answer


@pytest.mark.parametrize("table", COUNTS)
def test_published_counts(table: str) -> None:
    n, m = COUNTS[table]
    keys = [f"mykey:{i}" for i in range(m)]
    chosen = murmur(endpoints(n)).argselect_batch(keys)[:, 0]
    assert np.bincount(chosen, minlength=n).tolist() == PUBLISHED["unweighted"][table]


def wrong_score(node: bytes, key: bytes, detail: str) -> int:
    """The score with one detail of it the other way round."""
    key_seed, node_seed = 2718281828, 4193360111
    if detail == "seeds":
        key_seed, node_seed = node_seed, key_seed
    key_hash = reference.murmur64a(key, key_seed)
    node_hash = reference.murmur64a(node, node_seed)
    match detail:
        case "halves":
            return reference.hash128to64(node_hash, key_hash)
        case "order":
            return -reference.hash128to64(key_hash, node_hash)
        case "sign":
            return reference.hash128to64(key_hash, node_hash) ^ 2**63
    return reference.hash128to64(key_hash, node_hash)


@pytest.mark.parametrize(("detail", "published"), [("", True)] + [
    (detail, False) for detail in ("halves", "seeds", "order", "sign")
])  # fmt: skip
def test_the_published_answers_tell_the_details_apart(detail: str, published: bool) -> None:
    # So a backend that gave them had none of these the wrong way round.
    found = []
    for kind, table, key, answer in SINGLE:
        if kind == "unweighted":
            data = reference.as_bytes(KEYS.get(key, key))
            row = [wrong_score(node.encode(), data, detail) for node in endpoints(SIZES[table])]
            found.append(row.index(max(row)) == answer)
    assert len(found) == 8
    assert all(found) == published


# -- scores and rankings, by the reference ------------------------------------------------------

EVERY_KIND: dict[str, Any] = {
    "mixed": ["", "a", "é", "txn-42", b"\0", b"\xff" * 9, 0, -1, 2**64 - 1, -(2**63), "x" * 2000],
    "str of every length": ["ab" * n for n in range(40)],
    "bytes of every length": [bytes(range(256 - n, 256)) for n in range(130)],
    "bytearrays": [bytearray(b"key"), memoryview(b"other")],
    "S": np.array([b"", b"a", b"bc\0d", b"\xff" * 17]),
    "U": np.array(["", "a", "éé", "€", "😀" * 5]),
    "swapped U": np.array(["", "a", "éé", "😀" * 5]).astype(">U9"),
    "int8": np.arange(-128, 128, dtype=np.int8),
    "uint64": np.array([0, 1, 2**63, 2**64 - 1], np.uint64),
    "swapped int32": np.array([0, 1, -1, 2**31 - 1, -(2**31)], ">i4"),
    "every other": np.arange(20, dtype=np.int64)[::-2],
    "range": range(-5, 60),
}
IDS = ["node1", b"node2", "nœud3", b"\xff\0", "x" * 127, "x" * 128, "x" * 129, "a"]


def plain(keys: Any) -> list[Any]:
    return keys.tolist() if isinstance(keys, np.ndarray) else list(keys)


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_every_kind_of_key(kind: str) -> None:
    keys = EVERY_KIND[kind]
    ns = murmur(IDS)
    expected = reference.scores(IDS, plain(keys), scheme="murmur")
    ranked = reference.rankings(IDS, plain(keys), scheme="murmur")
    scores = ns.score_batch(keys)
    assert scores.dtype == np.uint64
    assert scores.shape == (len(keys), len(IDS))
    assert np.array_equal(scores, expected)
    for k in range(1, len(IDS) + 1):
        assert np.array_equal(ns.argselect_batch(keys, k), ranked[:, :k])
    for key, row, words in zip(plain(keys), ranked.tolist(), expected.tolist(), strict=True):
        assert ns.select(key, 3) == [IDS[n] for n in row[:3]]
        assert ns.scores(key) == [(IDS[n], words[n]) for n in row]


@given(
    ids=st.lists(st.binary(min_size=1, max_size=40), min_size=1, max_size=20, unique=True),
    keys=st.lists(st.binary(max_size=40) | st.text(max_size=9) | st.integers(-(2**63), TOP)),
)
def test_any_ids_and_keys(ids: list[bytes], keys: list[Any]) -> None:
    ns = murmur(ids)
    ranked = reference.rankings(ids, keys, scheme="murmur")
    assert np.array_equal(ns.argselect_batch(keys, len(ids)), ranked)
    assert np.array_equal(ns.argselect_batch(keys), ranked[:, :1])
    assert np.array_equal(ns.score_batch(keys), reference.scores(ids, keys, scheme="murmur"))
    assert ns.fingerprint == reference.fingerprint(ids, scheme="murmur")


def expected_scores(ids: list[str], keys: list[bytes]) -> np.ndarray:
    """The reference's scores, the mixing for all pairs at once."""
    low = np.array([reference.murmur64a(key, 2718281828) for key in keys], np.uint64)
    high = np.array([reference.murmur64a(node.encode(), 4193360111) for node in ids], np.uint64)
    mul, shift = np.uint64(0x9DDFEA08EB382D69), np.uint64(47)
    a = (low[:, None] ^ high) * mul
    a ^= a >> shift
    b = (high ^ a) * mul
    b ^= b >> shift
    scores: np.ndarray = b * mul
    assert not len(keys) or int(scores[-1, -1]) == reference.score(ids[-1], keys[-1], b"", "murmur")
    return scores


ROWS = [0, 1, 2, 3, 4, 5, 8, 15, 16, 17, 31, 32, 33, 63, 64, 65, 255, 256, 257]
RUNS = [
    *[(n, m) for n in (1, 2, 3, 31, 32, 33) for m in (*ROWS, 1023, 1024, 1025, 2049)],
    *[(n, m) for n in (255, 256, 257) for m in (1, 3, 4, 5, 31, 32, 33, 256, 257)],
    *[(n, m) for n in (1000, 1031) for m in (3, 4, 5, 33)],
    *[(n, m) for n in (4095, 4096, 4097, 5000, 8193) for m in (4, 33)],
    (256, 1025),
]


@pytest.mark.parametrize(("n", "m"), RUNS)
def test_runs(n: int, m: int) -> None:
    ids = [f"node{i}" for i in range(n)]
    keys = [f"{'key' * (i % 4)}{i}".encode() for i in range(m)]
    ns = murmur(ids)
    expected = expected_scores(ids, keys)
    assert np.array_equal(ns.score_batch(keys), expected)
    best = expected.argmax(axis=1)
    assert np.array_equal(ns.argselect_batch(keys)[:, 0], best)
    assert ns.select_batch(keys)[:, 0].tolist() == [ids[i] for i in best]
    k = min(n, 3)
    assert np.array_equal(ns.argselect_batch(keys, k), (~expected).argsort(axis=1)[:, :k])


def test_a_run_from_any_row_of_integers_on() -> None:
    numbers = np.arange(3000, dtype=np.int64)
    ns = murmur(endpoints(40))
    whole = ns.argselect_batch(numbers)
    for start, stop in [(0, 1), (1, 1025), (1, 2999), (1023, 1026), (1024, 2048), (2990, 3000)]:
        assert np.array_equal(ns.argselect_batch(numbers[start:stop]), whole[start:stop])
    assert np.array_equal(ns.argselect_batch(numbers[::-1]), whole[::-1])


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_threads_do_not_matter(threads: int) -> None:
    ns, keys = murmur(endpoints(300)), np.arange(5000)
    expected = expected_scores(endpoints(300), [key.to_bytes(8, "little") for key in range(5000)])
    got = ns.argselect_batch(keys, threads=threads)
    assert np.array_equal(got[:, 0], expected.argmax(axis=1))


# -- the best node where it stands, and scores at the borders -----------------------------------


@pytest.mark.parametrize("n", [1, 7, 33, 255, 256, 257, 700])
def test_the_highest_and_the_lowest_score(n: int) -> None:
    # Each node in its turn gets every key's highest score that there is; then zero.
    ids = [f"node{i}".encode() for i in range(n)]
    ns = murmur(ids)
    every = range(0, n, max(1, n // 60))
    for wanted in (TOP, TOP - 1, 2**63, 2**63 - 1, 1, 0):
        keys = [forged.key_with_score(wanted, ids[i]) for i in every]
        scores = ns.score_batch(keys)
        assert [scores[row, i] for row, i in enumerate(every)] == [wanted] * len(keys)
        assert np.array_equal(ns.argselect_batch(keys)[:, 0], scores.argmax(axis=1))
        assert np.array_equal(ns.argselect_batch(keys, n)[:, 0], scores.argmax(axis=1))
        if wanted == TOP:
            assert ns.argselect_batch(keys)[:, 0].tolist() == list(every)
        if wanted == 0:
            assert ns.argselect_batch(keys, n)[:, -1].tolist() == list(every)


def test_a_score_of_zero_on_every_node() -> None:
    # All equal and the least there is: the first in rank must be found all the same.
    ids = forged.same_hash(300)
    keys = [forged.key_with_score(0, ids[0])] * 40
    assert not murmur(ids).score_batch(keys).any()
    expected = sorted(range(300), key=ids.__getitem__, reverse=True)
    for k in (1, 2, 300):
        assert murmur(ids).argselect_batch(keys, k).tolist() == [expected[:k]] * 40


# -- ties ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("m", [1, 3, 4, 33, 1025])
@pytest.mark.parametrize("n", [2, 3, 31, 255, 256, 300])
def test_ids_of_equal_hash_rank_by_their_bytes(n: int, m: int) -> None:
    ids = forged.same_hash(n)
    expected = sorted(range(n), key=ids.__getitem__, reverse=True)
    ns, keys = murmur(ids), np.arange(m)
    assert len(set(ns.score_batch([1, "a"])[0].tolist())) == 1
    assert ns.argselect_batch(keys).tolist() == [expected[:1]] * m
    assert ns.argselect_batch(keys[:9], n).tolist() == [expected] * min(m, 9)
    assert ns.select("any key", n) == [ids[i] for i in expected]


def test_ties_among_others() -> None:
    rng = random.Random(5)
    ids = forged.same_hash(60, 1) + forged.same_hash(60, 2) + [f"{i}".encode() for i in range(200)]
    rng.shuffle(ids)
    keys = list(range(200))
    ranked = reference.rankings(ids, keys, scheme="murmur")
    for k in (1, 2, 3, 40, 320):
        assert np.array_equal(murmur(ids).argselect_batch(keys, k), ranked[:, :k])


@pytest.mark.parametrize("n", [1, 2, 3, 15, 16, 17, 33, 40, 300])
@pytest.mark.parametrize("few", [[0], [TOP], [0, 1], [0, 2**63 - 1, 2**63, TOP], list(range(50))])
def test_ties_of_given_scores(n: int, few: list[int]) -> None:
    rng = random.Random(f"{n} {few}")
    ids = rng.sample([b"n" * (1 + i % 3) + str(i).encode() for i in range(n + 9)], n)
    words = np.array([[[rng.choice(few)] for _ in ids] for _ in range(17)], dtype=np.uint64)
    nodes = PreparedNodes(node_column(ids)[0], "murmur", None, b"")
    expected = [reference.order(row, ids, scheme="murmur") for row in words[:, :, 0].tolist()]
    for k in {1, 2, min(n, 17), n} & set(range(1, n + 1)):
        out = np.full((len(words), k), -1, dtype=np.intp)
        rank_scores(words, nodes, out)
        assert out.tolist() == [row[:k] for row in expected]


# -- what it is ---------------------------------------------------------------------------------


def test_the_set_says_what_it_is() -> None:
    ns = murmur(IDS)
    assert ns.scheme == "murmur"
    assert ns.secret == b""
    assert "murmur" in repr(ns)
    assert ns.fingerprint == reference.fingerprint(IDS, scheme="murmur")
    assert ns.fingerprint != rvh.NodeSet(IDS).fingerprint
    assert ns != rvh.NodeSet(IDS)
    for other in (ns.add("z"), ns.remove("a"), ns.subset([True] + [False] * 7)):
        assert other.scheme == "murmur"
    assert ns.add("z").remove("z") == ns


def test_functions_take_the_scheme() -> None:
    keys = ["x", 7, b"y"]
    ranked = reference.rankings(IDS, keys, scheme="murmur")
    chosen = rvh.argselect_batch(IDS, keys, 8, scheme="murmur")
    assert np.array_equal(chosen, ranked)
    assert rvh.select_batch(IDS, keys, scheme="murmur").tolist() == [[IDS[n]] for n in ranked[:, 0]]
    assert rvh.rendezvous_hash(IDS, "x", 2, scheme="murmur") == [IDS[n] for n in ranked[0, :2]]
    expected = reference.scores(IDS, keys, scheme="murmur")
    assert np.array_equal(rvh.score_batch(IDS, keys, scheme="murmur"), expected)
    listed = rvh.rendezvous_scores(IDS, "x", scheme="murmur")
    assert listed == [(IDS[n], int(expected[0, n])) for n in ranked[0]]


@pytest.mark.parametrize("secret", [b"s", bytes(65)])
def test_a_secret_is_refused(secret: bytes) -> None:
    with pytest.raises(rvh.RVHError, match=r"secret .*'murmur' has none.*blake2b") as caught:
        rvh.NodeSet(IDS, scheme="murmur", secret=secret)
    assert type(caught.value) is rvh.RVHError
    assert rvh.NodeSet(IDS, scheme="murmur", secret=b"") == murmur(IDS)
