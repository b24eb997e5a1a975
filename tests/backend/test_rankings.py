"""Rankings and scores of every shape of work, against hashlib.

The kernels treat a few keys, a full vector of keys and a remainder differently, and so short and
long lists of nodes and small and large k: the sizes here lie on both sides of each such border.
"""

from __future__ import annotations

import random
from functools import cache

import numpy as np
import pytest
import reference

import rvh

MANY_KEYS = [0, 1, 2, 3, 15, 16, 17, 1023, 1025]
FEW_KEYS = [0, 1, 2, 3, 15, 16, 17]
MANY_NODES = [1, 2, 3, 15, 16, 17, 31, 32, 33, 127, 128, 129, 300, 1000]


@cache
def problem(n: int, m: int) -> tuple[list[str], list[str], np.ndarray]:
    """`n` nodes, `m` keys and their rankings."""
    rng = random.Random(n)
    nodes = [f"node{i}" for i in rng.sample(range(100_000), n)]
    keys = [f"key-{rng.randrange(10**9)}" for _ in range(m)]
    return nodes, keys, reference.rankings(nodes, keys)


def interesting_k(n: int) -> list[int]:
    if n <= 33:
        return list(range(1, n + 1))
    return [1, 2, 3, 4, 15, 16, 17, 18, n // 2, n - 1, n]


@pytest.mark.parametrize("m", FEW_KEYS)
@pytest.mark.parametrize("n", MANY_NODES)
def test_every_k(n: int, m: int) -> None:
    nodes, keys, expected = problem(n, 17)
    ns = rvh.NodeSet(nodes)
    for k in interesting_k(n):
        chosen = ns.argselect_batch(keys[:m], k=k)
        assert chosen.shape == (m, k)
        assert np.array_equal(chosen, expected[:m, :k]), k


@pytest.mark.parametrize("m", [1023, 1024, 1025])
@pytest.mark.parametrize("n", [1, 2, 16, 33, 129])
def test_many_keys(n: int, m: int) -> None:
    nodes, keys, expected = problem(n, 1025)
    ns = rvh.NodeSet(nodes)
    for k in {1, 2, min(n, 3), min(n, 17), n} & set(range(1, n + 1)):
        assert np.array_equal(ns.argselect_batch(keys[:m], k=k), expected[:m, :k]), k


@pytest.mark.parametrize("m", FEW_KEYS)
@pytest.mark.parametrize("n", MANY_NODES)
def test_scores(n: int, m: int) -> None:
    nodes, keys, _ = problem(n, 17)
    scores = rvh.score_batch(nodes, keys[:m])
    assert scores.shape == (m, n, 2)
    assert np.array_equal(scores, reference.scores(nodes, keys[:m]))


@pytest.mark.parametrize("n", MANY_NODES)
def test_one_key(n: int) -> None:
    nodes, keys, expected = problem(n, 17)
    ns = rvh.NodeSet(nodes)
    for key, row in zip(keys[:3], expected, strict=False):
        ranked = [nodes[i] for i in row]
        for k in interesting_k(n):
            assert ns.select(key, k) == ranked[:k]
        assert ns.scores(key) == [(node, reference.score(node, key)) for node in ranked]


def test_thousands_of_nodes_all_ranked() -> None:
    # So large a k is kept for one key at a time.
    nodes = [f"n{i}" for i in range(12_000)]
    keys = ["a", b"b", 3]
    expected = reference.rankings(nodes, keys)
    ns = rvh.NodeSet(nodes)
    for k in (10_000, 11_999, 12_000):
        assert np.array_equal(ns.argselect_batch(keys, k=k), expected[:, :k])
        assert ns.select("a", k) == [nodes[i] for i in expected[0, :k]]


@pytest.mark.parametrize("m", MANY_KEYS)
def test_the_functions_agree_with_the_methods(m: int) -> None:
    nodes, keys, expected = problem(16, 1025)
    keys = keys[:m]
    ns = rvh.NodeSet(nodes)
    chosen = rvh.argselect_batch(nodes, keys, k=2)
    assert np.array_equal(chosen, expected[:m, :2])
    assert np.array_equal(rvh.argselect_batch(ns, keys, k=2), chosen)
    selected = rvh.select_batch(nodes, keys, k=2)
    assert np.array_equal(selected, np.array(nodes)[chosen])
    assert np.array_equal(rvh.select_batch(ns, keys, k=2), selected)
    assert np.array_equal(ns.select_batch(keys, k=2), selected)
    assert np.array_equal(rvh.score_batch(nodes, keys), ns.score_batch(keys))
    for row, key in enumerate(keys[:5]):
        assert rvh.rendezvous_hash(nodes, key, k=2) == selected[row].tolist()
        assert rvh.rendezvous_scores(nodes, key) == ns.scores(key)


def test_the_order_of_nodes_and_keys_changes_no_placement() -> None:
    nodes, keys, _ = problem(33, 17)
    forward = rvh.select_batch(nodes, keys, k=33)
    assert np.array_equal(rvh.select_batch(nodes[::-1], keys, k=33), forward)
    assert np.array_equal(rvh.select_batch(nodes, keys[::-1], k=33), forward[::-1])
