"""Every node gets its share, and a change moves only what it has to: over many keys.

There are a million in the large size; each test's name says how many there were. Keys and nodes are
fixed, so a run repeats.
"""

from __future__ import annotations

import math
from functools import cache

import mpmath
import numpy as np
import pytest
from sizes import keys_of_a_test

import rvh

KEYS = keys_of_a_test(1_000_000, 20_000)
#: chi-squared values less probable than this are no chance
LEAST_P = 1e-6
#: standard deviations; of the 1,400 shares below, all random, one lies outside in 1 of 11 suites
SIGMAS = 4
SETS = [(scheme, weighted) for scheme in ("blake2b", "murmur") for weighted in (False, True)]
KINDS = ["integers", "short strings", "strings among them the ids"]

every_set = pytest.mark.parametrize(
    ("scheme", "weighted"),
    SETS,
    ids=[f"{scheme}, weighted" if weighted else scheme for scheme, weighted in SETS],
)
every_kind = pytest.mark.parametrize("kind", [f"{KEYS} {kind}" for kind in KINDS])


@cache
def keys_of(kind: str) -> np.ndarray:
    numbers = np.arange(KEYS)
    if kind.endswith("integers"):
        return numbers
    texts = numbers.astype("S7")
    return texts if kind.endswith("short strings") else np.char.add(b"node", texts)


def node_set(n: int, scheme: str, weighted: bool) -> rvh.NodeSet:
    weights = [0.5 + i * 7 % 10 for i in range(n)] if weighted else None
    return rvh.NodeSet([f"node{i}" for i in range(n)], scheme=scheme, weights=weights)


@cache
def best_two(kind: str, scheme: str, weighted: bool) -> np.ndarray:
    """Of ten nodes, shape (2, M); small, since it is kept for several tests."""
    chosen = node_set(10, scheme, weighted).argselect_batch(keys_of(kind), k=2)
    return chosen.T.astype(np.int8)


def shares(ns: rvh.NodeSet) -> np.ndarray:
    weights = np.ones(len(ns)) if ns.weights is None else ns.weights
    return weights / weights.sum()


def probability(counts: np.ndarray, expected: np.ndarray) -> float:
    """Of a chi-squared value at least as large, where the shares are as expected."""
    statistic = float(((counts - expected) ** 2 / expected).sum())
    freedom = len(counts) - 1
    return float(mpmath.gammainc(mpmath.mpf(freedom) / 2, statistic / 2, regularized=True))


def check_shares(chosen: np.ndarray, expected_shares: np.ndarray) -> None:
    counts = np.bincount(chosen, minlength=len(expected_shares))
    assert counts.sum() == KEYS
    expected = KEYS * expected_shares
    assert probability(counts, expected) > LEAST_P
    sigma = np.sqrt(expected * (1 - expected_shares))
    assert (abs(counts - expected) <= SIGMAS * sigma).all(), ((counts - expected) / sigma).tolist()


def test_the_probability_of_a_chi_squared_value() -> None:
    # Of 1 degree of freedom erfc(sqrt(x / 2)), of 2 exp(-x / 2).
    for size in (10.0, 30.0, 49.0):
        counts, expected = np.array([1000 + size, 1000 - size]), np.array([1000.0, 1000.0])
        statistic = 2 * size**2 / 1000
        assert probability(counts, expected) == pytest.approx(math.erfc(math.sqrt(statistic / 2)))
        three = probability(np.array([*counts, 500]), np.array([*expected, 500]))
        assert three == pytest.approx(math.exp(-statistic / 2))
    assert probability(np.array([1500, 500]), np.array([1000, 1000])) < LEAST_P


@every_set
@every_kind
@pytest.mark.parametrize("n", [3, 10, 100])
def test_every_node_gets_its_share(n: int, kind: str, scheme: str, weighted: bool) -> None:
    ns = node_set(n, scheme, weighted)
    check_shares(ns.argselect_batch(keys_of(kind))[:, 0], shares(ns))


@every_set
@every_kind
def test_the_second_choice_is_spread_as_well(kind: str, scheme: str, weighted: bool) -> None:
    # Of the keys of one node: by the others' weights.
    ns = node_set(10, scheme, weighted)
    best, second = best_two(kind, scheme, weighted)
    mine = second[best == 1]
    others = np.delete(shares(ns), 1)
    expected = len(mine) * others / others.sum()
    counts = np.delete(np.bincount(mine, minlength=10), 1)
    assert counts.sum() == len(mine) > KEYS / 40
    assert probability(counts, expected) > LEAST_P


@every_set
@every_kind
def test_a_removed_node_moves_its_keys_alone(kind: str, scheme: str, weighted: bool) -> None:
    ns, keys = node_set(10, scheme, weighted), keys_of(kind)
    best, second = best_two(kind, scheme, weighted)
    for gone in (0, 9):
        smaller = ns.remove(f"node{gone}")
        after = smaller.argselect_batch(keys)[:, 0]
        stays = np.delete(np.arange(10), gone)  # what positions in the smaller set were before
        assert np.array_equal(stays[after], np.where(best == gone, second, best))
        check_shares(after, shares(smaller))


@every_set
@every_kind
def test_an_added_node_only_takes(kind: str, scheme: str, weighted: bool) -> None:
    ns, keys = node_set(10, scheme, weighted), keys_of(kind)
    larger = ns.add("node10", weights=4.0 if weighted else None)
    before, _ = best_two(kind, scheme, weighted)
    after = larger.argselect_batch(keys)[:, 0]
    moved = before != after
    assert (after[moved] == 10).all()
    assert not (before == 10).any()
    check_shares(after, shares(larger))


@pytest.mark.parametrize("scheme", ["blake2b", "murmur"])
@every_kind
def test_twice_the_weight_only_takes_and_none_gives_all(kind: str, scheme: str) -> None:
    ns, keys = node_set(10, scheme, True), keys_of(kind)
    assert ns.weights is not None
    best, second = best_two(kind, scheme, True)
    changed = ns.weights.copy()
    changed[3] *= 2
    heavier = ns.with_weights(changed)
    after = heavier.argselect_batch(keys)[:, 0]
    moved = best != after
    assert moved.sum() > KEYS / 50  # of 1.5/50 to 3/51.5 of the keys
    assert (after[moved] == 3).all()
    check_shares(after, shares(heavier))

    changed[3] = 0
    after = ns.with_weights(changed).argselect_batch(keys)[:, 0]
    assert not (after == 3).any()
    assert np.array_equal(after, np.where(best == 3, second, best))
