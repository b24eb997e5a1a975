"""Weighted ranking: by the reference, through every call, of both schemes."""

from __future__ import annotations

import asyncio
import copy
import pickle
import random
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

import forged
import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st
from subprocesses import output

import rvh
from rvh._backend import PreparedNodes, rank_scores
from rvh.keys import node_column

SCHEMES = ["blake2b", "murmur"]
TOP = 2**64 - 1
TINY, HUGE = 2.0**-1016, 2.0**970  # the borders of a weight
IDS = ["node1", b"node2", "nœud3", b"\xff\0", "x" * 129, "a"]
WEIGHTS = [1.0, 0.0, 2.5, 0.1, 7.0, 1.0]
KEYS: list[Any] = ["", "a", "é", "txn-42", b"\0", b"\xff" * 9, 0, -1, 2**64 - 1, "x" * 300]
every_scheme = pytest.mark.parametrize("scheme", SCHEMES)


def check_every_call(
    ids: Sequence[Any], weights: Any, keys: Sequence[Any], scheme: str, secret: bytes = b""
) -> None:
    """Each way to ask, against the reference."""
    options: dict[str, Any] = {"weights": weights, "scheme": scheme, "secret": secret}
    ns = rvh.NodeSet(ids, **options)
    floats = [float(weight) for weight in weights]
    ranked = reference.rankings(ids, keys, secret, scheme, floats)
    scores = reference.scores(ids, keys, secret, scheme, floats)
    most = ranked.shape[1]
    for k in {1, min(2, most), most}:
        chosen = ns.argselect_batch(keys, k)
        assert np.array_equal(chosen, ranked[:, :k]), (ids, floats, keys)
        assert chosen.shape == (len(keys), k)
        assert np.array_equal(rvh.argselect_batch(ids, keys, k, **options), chosen)
        names = [[ids[n] for n in row] for row in chosen]
        assert ns.select_batch(keys, k).tolist() == names
        assert rvh.select_batch(ids, keys, k, **options).tolist() == names
        for key, row in zip(keys, names, strict=True):
            assert ns.select(key, k) == row
    got = ns.score_batch(keys)
    assert got.dtype == np.float64
    assert got.shape == (len(keys), len(ids))
    assert np.array_equal(got, scores)
    assert np.array_equal(rvh.score_batch(ids, keys, **options), scores)
    assert not got[:, np.array(floats) == 0].any()
    for key, order, row in zip(keys, ranked.tolist(), scores.tolist(), strict=True):
        expected = [(ids[n], row[n]) for n in order]
        assert ns.scores(key) == expected
        assert all(type(score) is float for _, score in ns.scores(key))
        assert rvh.rendezvous_scores(ids, key, **options) == expected
        assert rvh.rendezvous_hash(ids, key, most, **options) == [ids[n] for n in order]
    if keys:
        best = [ids[n] for n in ranked[0]]
        assert asyncio.run(ns.aselect(keys[0], most)) == best
        assert asyncio.run(rvh.arendezvous_hash(ids, keys[0], most, **options)) == best


# -- answers ------------------------------------------------------------------------------------


@every_scheme
@pytest.mark.parametrize(
    "weights",
    [
        WEIGHTS,
        [1.0] * 6,
        [TINY] * 6,
        [HUGE] * 6,
        [TINY, HUGE, 1.0, 0.0, 1e-300, 1e290],
        [0.0, 0.0, 0.0, 3.0, 0.0, 0.0],
        [1, 2, 3, 4, 5, 6],
    ],
    ids=str,
)
def test_every_call(scheme: str, weights: list[float]) -> None:
    check_every_call(IDS, weights, KEYS, scheme)
    check_every_call(IDS, weights, [], scheme)


def test_every_call_with_a_secret() -> None:
    check_every_call(IDS, WEIGHTS, KEYS, "blake2b", b"secret")


def test_many_nodes_leave_the_event_loop() -> None:
    ids = [f"node{n}" for n in range(20_000)]
    weights = np.arange(20_000) % 7
    ns = rvh.NodeSet(ids, weights=weights)
    assert asyncio.run(ns.aselect("key", 5)) == ns.select("key", 5)
    best = reference.ranking(ids, "key", weights=weights.tolist())[:5]
    assert ns.select("key", 5) == [ids[n] for n in best]


weight = (
    st.sampled_from([0.0, -0.0, 1.0, 1.0, 2.0, 0.1, TINY, HUGE, 1e-300, 1e290])
    | st.floats(TINY, HUGE)
    | st.integers(0, 2**64)
)
node = st.binary(min_size=1, max_size=20) | st.text("abcé€", min_size=1, max_size=4)


@given(
    nodes=st.lists(st.tuples(node, weight), min_size=1, max_size=20, unique_by=lambda pair: (
        pair[0].encode() if isinstance(pair[0], str) else pair[0]
    )),
    keys=st.lists(st.binary(max_size=40) | st.text(max_size=9) | st.integers(-(2**63), TOP),
                  max_size=8),
    scheme=st.sampled_from(SCHEMES),
)  # fmt: skip
def test_any_ids_weights_and_keys(
    nodes: list[tuple[str | bytes, float]], keys: list[Any], scheme: str
) -> None:
    ids, weights = [pair[0] for pair in nodes], [pair[1] for pair in nodes]
    if not any(weights):
        weights[0] = 1.0
    check_every_call(ids, weights, keys, scheme)
    found = rvh.NodeSet(ids, weights=weights, scheme=scheme).fingerprint
    assert found == reference.fingerprint(ids, b"", scheme, [float(w) + 0.0 for w in weights])


@every_scheme
@given(
    weights=st.lists(st.floats(2.0**-400, 2.0**400) | st.just(0.0), min_size=2, max_size=20),
    power=st.integers(-500, 500),
)
def test_scaling_by_a_power_of_two_changes_nothing(
    scheme: str, weights: list[float], power: int
) -> None:
    weights[0] = 1.0
    ids = [f"node{n}" for n in range(len(weights))]
    keys = np.arange(50)
    most = sum(weight > 0 for weight in weights)
    one = rvh.NodeSet(ids, weights=weights, scheme=scheme)
    scale = 2.0**power
    other = rvh.NodeSet(ids, weights=[weight * scale for weight in weights], scheme=scheme)
    assert np.array_equal(one.argselect_batch(keys, most), other.argselect_batch(keys, most))
    assert np.array_equal(one.argselect_batch(keys), other.argselect_batch(keys))
    assert np.array_equal(one.score_batch(keys) * scale, other.score_batch(keys))


def test_equal_weights_of_blake2b_rank_as_none_but_for_rounding() -> None:
    keys = np.arange(3000)
    ids = [f"node{n}" for n in range(9)]
    plain = rvh.NodeSet(ids)
    equal = plain.with_weights([3] * 9)
    # Scores that round to the same u rank by the score itself, so nothing changes.
    assert np.array_equal(plain.argselect_batch(keys, 9), equal.argselect_batch(keys, 9))
    fast = rvh.NodeSet(ids, scheme="murmur")
    different = fast.argselect_batch(keys) != fast.with_weights([3] * 9).argselect_batch(keys)
    assert different.sum() > 2000  # 8 of 9: murmur's u takes the score's low bits


@every_scheme
@pytest.mark.parametrize("n", [1, 2, 16, 17, 31, 32, 33, 127, 128, 129, 257])
def test_sizes_of_sets_and_batches(scheme: str, n: int) -> None:
    rng = random.Random(n)
    ids = [f"node{i}" * (1 + i % 3) for i in range(n)]
    weights = [rng.choice([0.0, 1.0, 2.0, rng.random() + 0.01]) for _ in ids]
    weights[-1] = 1.0
    ns = rvh.NodeSet(ids, weights=weights, scheme=scheme)
    keys = [f"{'key' * (i % 5)}{i}" for i in range(35)]
    ranked = reference.rankings(ids, keys, b"", scheme, weights)
    scores = reference.scores(ids, keys, b"", scheme, weights)
    for m in (1, 2, 3, 4, 5, 8, 16, 17, 18, 35):
        assert np.array_equal(ns.score_batch(keys[:m]), scores[:m])
        for k in {1, 2, 3, ranked.shape[1]}:
            if k <= ranked.shape[1]:
                assert np.array_equal(ns.argselect_batch(keys[:m], k), ranked[:m, :k])


# -- ties ---------------------------------------------------------------------------------------


def check_given(words: np.ndarray, ids: list[bytes], weights: list[float], scheme: str) -> None:
    nodes = PreparedNodes(node_column(ids)[0], scheme, np.array(weights), b"")
    expected = []
    for row in words.tolist():
        scores = [sum(w << 64 * i for i, w in enumerate(reversed(pair))) for pair in row]
        expected.append(reference.order(scores, ids, weights, scheme))
    most = sum(weight > 0 for weight in weights)
    for k in {1, 2, 3, 16, 17, most - 1, most} & set(range(1, most + 1)):
        out = np.full((len(words), k), -1, dtype=np.intp)
        rank_scores(words, nodes, out)
        assert out.tolist() == [row[:k] for row in expected]


#: high words, low words
GIVEN = {
    "all zero": ([0], [0]),
    "all ones": ([TOP], [TOP]),
    "the same u, other bits": ([2**63, 2**63 + 1, 2**63 + 4095], [0, 1, TOP]),
    "the same high word": ([12345 << 40], [0, 1, 2**63 - 1, 2**63, TOP]),
    "neighbouring u": ([2**63, 2**63 + 4096, 2**63 - 1, 0, 4095, 4096], [0, TOP]),
    "both ends": ([0, 1, TOP, TOP - 1], [0, 1]),
}


@pytest.mark.parametrize("weights", ["equal", "powers of two", "some zero"])
@pytest.mark.parametrize("kind", GIVEN)
@pytest.mark.parametrize("n", [1, 2, 3, 16, 17, 18, 33, 40, 300])
def test_ties_of_given_blake2b_scores(n: int, kind: str, weights: str) -> None:
    rng = random.Random(f"{n} {kind} {weights}")
    ids = rng.sample([b"n" * (1 + i % 3) + str(i).encode() for i in range(n + 9)], n)
    choice = {"equal": [3.0], "powers of two": [1.0, 2.0, 0.5], "some zero": [0.0, 1.0]}[weights]
    drawn = [rng.choice(choice) for _ in ids]
    drawn[0] = 1.0 if weights != "equal" else 3.0
    high, low = GIVEN[kind]
    rows = [[(rng.choice(high), rng.choice(low)) for _ in ids] for _ in range(18)]
    check_given(np.array(rows, dtype=np.uint64), ids, drawn, "blake2b")


@pytest.mark.parametrize("n", [1, 2, 3, 16, 17, 33, 300])
@pytest.mark.parametrize(
    "few",
    [
        [0],
        [0, 1],
        [0, 2**53, 2**54, 2**63, 2**64 - 2**53],  # u is 0 for all, the scores differ
        [2**53 - 1, 2**64 - 1, 2**63 - 1],  # u is the highest
        [5, 5 + 2**53, 5 + 2**63, 6, 0],
    ],
)
def test_ties_of_given_murmur_scores(n: int, few: list[int]) -> None:
    rng = random.Random(f"{n} {few}")
    ids = rng.sample([b"n" * (1 + i % 3) + str(i).encode() for i in range(n + 9)], n)
    for choice in ([1.0], [TINY, HUGE, 1.0], [0.0, 2.0, 1.0]):
        weights = [rng.choice(choice) for _ in ids]
        weights[-1] = 1.0
        words = np.array([[[rng.choice(few)] for _ in ids] for _ in range(18)], dtype=np.uint64)
        check_given(words, ids, weights, "murmur")


@given(st.data())
def test_any_given_scores(data: st.DataObject) -> None:
    ids = data.draw(
        st.lists(st.binary(min_size=1, max_size=3), min_size=1, max_size=24, unique=True)
    )
    scheme = data.draw(st.sampled_from(SCHEMES))
    size = {"min_size": len(ids), "max_size": len(ids)}
    weights = data.draw(st.lists(st.sampled_from([0.0, 1.0, 1.0, 2.0, TINY, HUGE]), **size))
    weights[0] = 1.0
    word = st.sampled_from([0, 1, 4095, 2**53, 2**63, TOP]) | st.integers(0, TOP)
    pair = st.tuples(word, word) if scheme == "blake2b" else st.tuples(word)
    rows = data.draw(st.lists(st.lists(pair, **size), min_size=1, max_size=18))
    check_given(np.array(rows, dtype=np.uint64), ids, weights, scheme)


@pytest.mark.parametrize("n", [2, 3, 33, 256, 300])
def test_murmur_ids_of_equal_hash(n: int) -> None:
    # Real ties: equal weights rank by the bytes; otherwise the heavier is first.
    ids = forged.same_hash(n)
    by_bytes = sorted(range(n), key=ids.__getitem__, reverse=True)
    keys = np.arange(40)
    equal = rvh.NodeSet(ids, weights=[3] * n, scheme="murmur")
    for k in (1, 2, n):
        assert equal.argselect_batch(keys, k).tolist() == [by_bytes[:k]] * 40
    weights = [1 + i % 3 for i in range(n)]
    by_weight = sorted(by_bytes, key=weights.__getitem__, reverse=True)
    uneven = equal.with_weights(weights)
    for k in (1, 2, n):
        assert uneven.argselect_batch(keys, k).tolist() == [by_weight[:k]] * 40


# -- murmur at the borders of u -----------------------------------------------------------------


@pytest.mark.parametrize("high", [0, 1, 2**10, 2**11 - 1])
@pytest.mark.parametrize("weights", [[1.0, 1.0, 1.0], [HUGE, TINY, 1.0], [1e9, 1.0, 0.0]])
def test_murmur_u_of_zero_ranks_last(high: int, weights: list[float]) -> None:
    ids = [b"n0", b"n1", b"n2"]
    ns = rvh.NodeSet(ids, weights=weights, scheme="murmur")
    most = sum(weight > 0 for weight in weights)
    for at in range(most):
        key = forged.key_with_score(high << 53, ids[at])
        scores = ns.score_batch([key] * 6)
        assert (scores[:, at] == 0).all()
        assert (np.delete(scores[0, :most], at) > 0).all()
        assert ns.select(key, most)[-1] == ids[at]
        assert ns.scores(key)[-1] == (ids[at], 0.0)
        for m in (1, 3, 4, 6):
            assert (ns.argselect_batch([key] * m, most)[:, -1] == at).all()
            assert (ns.argselect_batch([key] * m)[:, 0] == scores[0].argmax()).all()


def test_murmur_u_of_zero_of_all_that_can_be_selected() -> None:
    ids = forged.same_hash(300)
    keys = [forged.key_with_score(0, ids[0]), forged.key_with_score(2**63, ids[0])] * 10
    weights = [0.0, *[1.0 + i % 2 for i in range(299)]]
    ns = rvh.NodeSet(ids, weights=weights, scheme="murmur")
    assert not ns.score_batch(keys).any()
    expected = sorted(range(1, 300), key=ids.__getitem__, reverse=True)
    for k in (1, 2, 299):
        assert ns.argselect_batch(keys, k).tolist() == [expected[:k]] * 20
    with pytest.raises(rvh.RVHError, match="300 nodes, 299 of them with a weight above 0"):
        ns.select("a", 300)


@pytest.mark.parametrize("weights", ["equal", "others heavier", "others lighter", "borders"])
@pytest.mark.parametrize("n", [1, 2, 33, 256, 300])
def test_murmur_u_next_to_one(n: int, weights: str) -> None:
    # Where u is next to 1, the approximation of the fast path is at its borders.
    ids = [f"node{i}".encode() for i in range(n)]
    drawn = {
        "equal": [1.0] * n,
        "others heavier": [1.0, *[2.0**60] * (n - 1)],
        "others lighter": [1.0, *[2.0**-60] * (n - 1)],
        "borders": [TINY if i % 2 else HUGE for i in range(n)],
    }[weights]
    ns = rvh.NodeSet(ids, weights=drawn, scheme="murmur")
    low = [2**53 - 1, 2**53 - 2, 2**53 - 3, 2**53 - 4, 2**53 - 2**11, 2**52, 2**52 - 1, 1, 2, 2**20]
    for at in sorted({0, 1, n // 2, n - 1} & set(range(n))):
        keys = [forged.key_with_score(high << 53 | m, ids[at]) for m in low for high in (0, 2047)]
        scores = ns.score_batch(keys)
        expected = reference.scores(ids, keys, b"", "murmur", drawn)
        assert np.array_equal(scores, expected)
        assert np.array_equal(ns.argselect_batch(keys)[:, 0], expected.argmax(axis=1))


#: of n nodes
UNEVEN = {
    "equal": lambda n: np.ones(n),
    "one to two": lambda n: 1 + np.arange(n) / n,
    "from 1e-300 to 1e290": lambda n: 10.0 ** np.linspace(-300, 290, n),
    "one a thousand times the others": lambda n: np.array([1000.0, *[1.0] * (n - 1)]),
    "the last a thousand times the others": lambda n: np.array([*[1.0] * (n - 1), 1000.0]),
    "one a thousandth of the others": lambda n: np.array([0.001, *[1.0] * (n - 1)]),
    "two of a thousand": lambda n: np.array([1.0] * n) + 999.0 * (np.arange(n) % n < 2),
    "some zero": lambda n: (np.arange(n) % 3 != 1) * (1.0 + np.arange(n) % 5),
}


@pytest.mark.parametrize("weights", UNEVEN)
@pytest.mark.parametrize("n", [1, 2, 3, 8, 64, 300])
def test_murmur_best_is_the_highest_score(n: int, weights: str) -> None:
    """The one node of each key, which has a fast path of its own, against all scores.

    200,000 keys and 20,000 of 300 nodes; 2,000 with the pure-Python backend, a hundredth as fast.
    """
    m = 2000 if rvh.backend() == "python" else 20_000 if n == 300 else 200_000
    keys = np.arange(n, n + m) * 7919
    ids = [f"node{i}" for i in range(n)]
    ns = rvh.NodeSet(ids, weights=UNEVEN[weights](n), scheme="murmur")
    best = ns.argselect_batch(keys)[:, 0]
    for start in range(0, m, 20_000):
        scores = ns.score_batch(keys[start : start + 20_000])
        # equal highest scores, of which argmax knows nothing, do not occur
        assert ((scores == scores.max(axis=1, keepdims=True)).sum(axis=1) == 1).all()
        assert np.array_equal(best[start : start + 20_000], scores.argmax(axis=1))
    assert len(set(best.tolist())) > 1 or n == 1 or weights in ("from 1e-300 to 1e290", "some zero")


# -- what a weight may be -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "weights",
    [
        [1, 2, 3],
        (1, 2, 3),
        range(1, 4),
        [1.0, 2, np.float32(3)],
        np.array([1, 2, 3], np.uint8),
        np.array([1, 2, 3], ">i8"),
        np.array([1, 2, 3], np.float16),
        np.array([1, 2, 3], ">f4"),
        np.array([1, 2, 3], np.longdouble),
        np.array([3.0, 2.0, 1.0])[::-1],
        np.array([1, 2, 3], object),
        np.ma.array([1.0, 2.0, 3.0]),
        [Decimal(1), Decimal("2.0"), Decimal("3e0")],
        [Fraction(1), Fraction(4, 2), 3],
    ],
    ids=lambda value: f"{type(value).__name__} {getattr(value, 'dtype', value)}",
)
def test_numbers_of_every_type(weights: Any) -> None:
    ns = rvh.NodeSet(["a", "b", "c"], weights=weights)
    assert ns.weights is not None
    assert ns.weights.dtype == np.float64
    assert type(ns.weights) is np.ndarray
    assert ns.weights.tolist() == [1.0, 2.0, 3.0]
    assert ns == rvh.NodeSet(["a", "b", "c"], weights=[1.0, 2.0, 3.0])


def test_a_weight_is_the_nearest_double() -> None:
    ns = rvh.NodeSet(["a", "b", "c"], weights=[Fraction(1, 3), Decimal("0.1"), 2**53 + 1])
    assert ns.weights is not None
    assert ns.weights.tolist() == [1 / 3, 0.1, 2.0**53]
    single = rvh.NodeSet(["a"], weights=np.array([0.1], np.float32))
    assert single.weights is not None
    assert single.weights.tolist() == [float(np.float32(0.1))]


def test_the_borders_of_a_weight_are_weights() -> None:
    ns = rvh.NodeSet(["a", "b", "c"], weights=[TINY, HUGE, 0])
    assert ns.select("any", 2) == ["b", "a"]
    scores = ns.score_batch(np.arange(1000))
    assert np.isfinite(scores).all()
    assert (scores[:, :2] > 0).all()


def test_minus_zero_is_zero() -> None:
    minus, plus = (rvh.NodeSet(["a", "b"], weights=[1.0, zero]) for zero in (-0.0, 0.0))
    assert minus.weights is not None
    assert not np.signbit(minus.weights).any()
    assert minus == plus
    assert hash(minus) == hash(plus)
    assert minus.fingerprint == plus.fingerprint
    assert minus.select("x") == ["a"]
    assert not np.signbit(minus.score_batch(range(50))).any()


def test_the_callers_weights_are_copied_and_the_sets_read_only() -> None:
    weights = np.array([1.0, 2.0, 3.0])
    ns = rvh.NodeSet(["a", "b", "c"], weights=weights)
    before = ns.scores("key"), ns.fingerprint
    weights[:] = [9.0, 0.0, 1.0]
    assert (ns.scores("key"), ns.fingerprint) == before
    assert weights.flags.writeable
    assert ns.weights is not None
    with pytest.raises(ValueError, match="read-only"):
        ns.weights[0] = 5.0
    with pytest.raises(AttributeError):
        ns.weights = weights  # type: ignore[misc]
    assert rvh.NodeSet(["a"]).weights is None


@pytest.mark.parametrize("k", [3, 4, 5, 2**70])
@every_scheme
def test_k_is_at_most_the_nodes_that_have_a_weight(scheme: str, k: int) -> None:
    ns = rvh.NodeSet(["a", "b", "c", "d"], weights=[1, 0, 2, 0], scheme=scheme)
    assert sorted(ns.select("x", 2)) == ["a", "c"]
    message = r"k is \d+, but the set has 4 nodes, 2 of them with a weight above 0.*1 <= k <= 2"
    calls = (
        lambda: ns.select("x", k),
        lambda: ns.select_batch(["x"], k),
        lambda: ns.argselect_batch([], k),
        lambda: asyncio.run(ns.aselect("x", k)),
        lambda: rvh.rendezvous_hash(list("abcd"), "x", k, weights=[1, 0, 2, 0], scheme=scheme),
    )
    for call in calls:
        with pytest.raises(rvh.RVHError, match=message):
            call()


# -- other sets ---------------------------------------------------------------------------------


@every_scheme
def test_other_sets_keep_each_nodes_weight(scheme: str) -> None:
    def of(**weights: float) -> rvh.NodeSet:
        return rvh.NodeSet(list(weights), weights=list(weights.values()), scheme=scheme)

    ns = of(a=1, b=2, c=0, d=4)
    assert ns.remove("b") == of(a=1, c=0, d=4)
    assert ns.remove(["d", b"a"]) == of(b=2, c=0)
    assert ns.remove([]) == ns
    assert ns.subset([True, False, True, True]) == of(a=1, c=0, d=4)
    assert ns.add("e", weights=5) == of(a=1, b=2, c=0, d=4, e=5)
    assert ns.add("e", [5]) == ns.add(["e"], 5) == ns.add("e", weights=np.array([5]))
    assert ns.add(["e", "f"], weights=(5, 0)) == of(a=1, b=2, c=0, d=4, e=5, f=0)
    assert ns.add("e", weights=Decimal(5)) == ns.add("e", weights=Fraction(5)) == ns.add("e", 5)
    assert ns.add([], weights=[]) == ns
    assert ns.add("e", 5).remove("e") == ns
    assert ns.with_weights([4, 0, 2, 1]) == of(a=4, b=0, c=2, d=1)
    assert ns.with_weights(None) == rvh.NodeSet(list("abcd"), scheme=scheme)
    assert ns.with_weights(None).with_weights([1, 2, 0, 4]) == ns
    assert ns == of(a=1, b=2, c=0, d=4)


def test_other_sets_keep_the_secret_and_the_dtype() -> None:
    ns = rvh.NodeSet(np.array(["a", "b"], "U7"), weights=[1, 2], secret=b"s")
    for other in (ns.with_weights([3, 4]), ns.remove("a"), ns.subset([False, True])):
        assert other.secret == b"s"
        assert other.ids.dtype == np.dtype("U7")
    assert ns.add("c", 1).secret == b"s"


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda ns: ns.add("z"), "the set has weights.*each new node.*weights="),
        (lambda ns: ns.add([]), "the set has weights"),
        (lambda ns: ns.with_weights(None).add("z", weights=1), "no weights.*with_weights"),
        (lambda ns: ns.with_weights(None).add("z", weights=[1]), "no weights"),
        (lambda ns: ns.add("z", weights=[1, 2]), "2 values for 1 new nodes"),
        (lambda ns: ns.add(["y", "z"], weights=[1]), "1 values for 2 new nodes"),
        (lambda ns: ns.add(["y", "z"], weights=1), "1 values for 2 new nodes"),
        (lambda ns: ns.add("z", weights=-1), r"node 'z' \(position 2\) is -1"),
        (lambda ns: ns.add(["y", "z"], weights=[1, np.nan]), r"node 'z' \(position 3\) is nan"),
        (lambda ns: ns.add("z", weights=[None]), r"node 'z' \(position 2\) is None"),
        (lambda ns: ns.add("z", weights=10**400), r"node 'z' \(position 2\).*more than a double"),
        (lambda ns: ns.add("a", weights=1), "'a'.*unique"),
        (lambda ns: ns.with_weights([1]), r"\(1,\).*\(2,\)"),
        (lambda ns: ns.with_weights([0, 0]), "every weight is 0"),
        (lambda ns: ns.with_weights([2, 0]).remove("a"), "every weight is 0"),
        (lambda ns: ns.with_weights([2, 0]).subset([False, True]), "every weight is 0"),
        (lambda ns: ns.remove(["a", "b"]), "no nodes"),
    ],
)
def test_errors_of_other_sets(call: Any, named: str) -> None:
    ns = rvh.NodeSet(["a", "b"], weights=[1, 2])
    with pytest.raises(rvh.RVHError, match=named):
        call(ns)


# -- equality, fingerprint, repr, pickle --------------------------------------------------------


@every_scheme
def test_equality(scheme: str) -> None:
    def make(weights: Any, ids: Sequence[str] = "ab") -> rvh.NodeSet:
        return rvh.NodeSet(list(ids), weights=weights, scheme=scheme)

    one = make([1, 2])
    assert one == make(np.array([1, 2], np.float32))
    assert hash(one) == hash(make([1.0, 2.0]))
    assert {one: "there"}[make([1, 2])] == "there"
    for other in (
        make(None),
        make([2, 1]),
        make([2, 4]),
        make([1, 2 + 2**-40]),
        make([1, 2], "ba"),
    ):
        assert one != other
    assert make([1, 1]) != make(None)


@pytest.mark.parametrize("secret", [b"", b"hunter2"])
def test_fingerprint_is_the_documented_digest(secret: bytes) -> None:
    ids = ["b", "a", "é", b"\xff", "aa"]
    weights = [1.0, 0.0, 0.1, HUGE, TINY]
    ns = rvh.NodeSet(ids, weights=weights, secret=secret)
    assert ns.fingerprint == reference.fingerprint(ids, secret, "blake2b", weights)
    fast = rvh.NodeSet(ids, weights=weights, scheme="murmur")
    assert fast.fingerprint == reference.fingerprint(ids, b"", "murmur", weights)


def test_fingerprint_tells_what_decides_placement() -> None:
    def of(weights: Any, ids: Sequence[str] = "ab", scheme: str = "blake2b") -> str:
        return rvh.NodeSet(list(ids), weights=weights, scheme=scheme).fingerprint

    assert of([1, 2]) == of([2, 1], "ba")
    found = {of([1, 2], scheme=scheme) for scheme in SCHEMES}
    found |= {of(None, scheme=scheme) for scheme in SCHEMES}
    found |= {of([1, 1]), of([2, 1]), of([1, 0]), of([1, 2], "ac"), of([2, 4])}
    assert len(found) == 9


def test_repr_says_that_there_are_weights() -> None:
    assert "weights" in repr(rvh.NodeSet(["a"], weights=[1]))
    assert "weights" not in repr(rvh.NodeSet(["a"]))
    many = rvh.NodeSet([f"node{n}" for n in range(1000)], weights=range(1000))
    assert len(repr(many)) < 200


@every_scheme
def test_pickle_and_copy(scheme: str) -> None:
    ns = rvh.NodeSet(IDS, weights=WEIGHTS, scheme=scheme)
    copies = [pickle.loads(pickle.dumps(ns, p)) for p in range(2, pickle.HIGHEST_PROTOCOL + 1)]
    for other in (*copies, copy.copy(ns), copy.deepcopy(ns)):
        assert other == ns
        assert other.fingerprint == ns.fingerprint
        assert other.weights.tolist() == WEIGHTS
        assert not other.weights.flags.writeable
        assert np.array_equal(other.score_batch(KEYS), ns.score_batch(KEYS))
        assert other.select_batch(KEYS, 5).tolist() == ns.select_batch(KEYS, 5).tolist()


@every_scheme
@pytest.mark.parametrize("force", ["1", "0"], ids=["to Python", "to the default backend"])
def test_pickle_into_another_process(scheme: str, force: str) -> None:
    ns = rvh.NodeSet(IDS, weights=WEIGHTS, scheme=scheme)
    code = f"""
        import pickle, warnings
        warnings.simplefilter("ignore", RuntimeWarning)
        ns = pickle.loads({pickle.dumps(ns)!r})
        print((ns.fingerprint, ns.score_batch({KEYS!r}).tolist()))
    """
    expected = str((ns.fingerprint, ns.score_batch(KEYS).tolist()))
    assert output(code, RVH_FORCE_PYTHON=force, PYTHONUTF8="1").strip() == expected


# -- by id --------------------------------------------------------------------------------------


@given(data=st.data())
def test_a_mapping_has_no_order(data: st.DataObject) -> None:
    weights = [float(1 + n) for n in range(len(IDS))]
    pairs = data.draw(st.permutations(list(zip(IDS, weights, strict=True))))
    ns = rvh.NodeSet(IDS, weights=dict(pairs))
    assert ns == rvh.NodeSet(IDS, weights=weights)
    assert rvh.NodeSet(IDS).with_weights(dict(pairs)) == ns
    first, *others = IDS
    grown = rvh.NodeSet([first], weights={first: 1}).add(
        others, weights=dict(pair for pair in pairs if pair[0] != first)
    )
    assert grown.weights is not None
    assert grown.weights.tolist() == weights


def test_a_mapping_wherever_weights_are_taken() -> None:
    pytest.importorskip("pyarrow")
    import pyarrow as pa

    from rvh.balanced import assign_balanced
    from rvh.multi import select_columns, select_multi
    from rvh.partitions import PartitionTable
    from rvh.ring import hash_ring, ketama, libmemcached, nginx, uhashring

    ids, pairs, weights = ["a", "b", "c"], {"c": 3, "a": 1, b"b": 2}, [1, 2, 3]
    keys = [f"key{n}" for n in range(200)]

    def both(call: Any) -> None:
        one, other = call(pairs), call(weights)
        assert np.array_equal(np.asarray(one), np.asarray(other))

    both(lambda w: rvh.select_batch(ids, keys, weights=w))
    both(lambda w: rvh.argselect_batch(ids, keys, weights=w))
    both(lambda w: rvh.assign(ids, keys, weights=w))
    both(lambda w: rvh.argassign(ids, keys, weights=w))
    both(lambda w: rvh.score_batch(ids, keys, weights=w))
    both(lambda w: pa.array(rvh.select_arrow(ids, keys, weights=w)).to_pylist())
    both(lambda w: rvh.rendezvous_hash(ids, "x", 3, weights=w))
    both(lambda w: asyncio.run(rvh.arendezvous_hash(ids, "x", 3, weights=w)))
    both(lambda w: [node for node, _ in rvh.rendezvous_scores(ids, "x", weights=w)])
    both(lambda w: select_columns(ids, [keys], weights=w)[0])
    both(lambda w: select_multi(ids, (keys, 7), weights=w))
    both(lambda w: assign_balanced(ids, keys, weights=w))
    both(lambda w: PartitionTable(ids).with_weights(w).lookup_batch(keys))
    for ring in (ketama, libmemcached, uhashring, hash_ring):
        both(lambda w, ring=ring: ring(ids, w).lookup_batch(keys))
    servers = [f"{node}:1" for node in ids]
    by_server = dict(zip(servers, weights, strict=True))
    found = nginx(servers, by_server).lookup_batch(keys)
    assert found.tolist() == nginx(servers, weights).lookup_batch(keys).tolist()
    with pytest.raises(rvh.RVHError, match="no weight for node 'b'"):
        ketama(["a", "b"], {"a": 1})
