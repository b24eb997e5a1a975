"""Smoother: what noise moves, how a change is found, what is remembered, what is refused."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pages import run_page
from sizes import keys_of_a_test

import rvh
from rvh import RVHError, RVHTypeError
from rvh.membership import Smoother, share_moved
from rvh.weighted import weights_from

NODES = rvh.NodeSet([f"cache-{n}" for n in range(64)], scheme="murmur")
NAMES = NODES.ids.tolist()
SETTLED = 32
THRESHOLD = 0.375
HALF_STEP = 2 ** (1 / 32)

Applied = dict[str, "float | None"]


def measured(times: np.ndarray, noise: float, seed: int) -> Iterator[dict[str, float]]:
    """Updates of the 64 nodes with log-normal noise; `times` has shape (updates, 64)."""
    wobbling = times * np.exp(noise * np.random.default_rng(seed).standard_normal(times.shape))
    return (dict(zip(NAMES, row, strict=True)) for row in wobbling.tolist())


def fleet(updates: int) -> np.ndarray:
    """Round-trip times of 64 nodes, apart by a factor of 2."""
    times = 0.010 * np.exp2(np.random.default_rng(7).standard_normal(64))
    return np.tile(times, (updates, 1))


def weighted(applied: Applied) -> rvh.NodeSet:
    return NODES.with_weights(weights_from(rtt=list(applied.values())))


def fed(*values: float | None, smoother: Smoother | None = None) -> float | None:
    """What is applied for one node after these measurements."""
    smoother = smoother or Smoother()
    for value in values:
        smoother.update({"a": value})
    return smoother.applied["a"]


# -- what the rule was chosen for, on fewer fleets than in benchmarks/smoothing.py ----------------


@pytest.mark.parametrize("noise", [0.05, 0.1])
def test_noise_of_5_and_10_percent_moves_no_key(noise: float) -> None:
    smoother = Smoother()
    applied = [smoother.update(update) for update in measured(fleet(1000), noise, seed=1)]
    assert all(later == applied[SETTLED] for later in applied[SETTLED:])


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_noise_of_20_percent_moves_half_a_percent_of_the_keys_at_most(seed: int) -> None:
    smoother = Smoother()
    applied = [smoother.update(update) for update in measured(fleet(1000), 0.2, seed)][SETTLED:]
    changes = [(a, b) for a, b in pairwise(applied) if a != b]
    assert sum(share_moved(weighted(a), weighted(b)).share for a, b in changes) <= 0.005


@pytest.mark.parametrize("noise", [0.05, 0.1])
def test_a_doubling_is_applied_within_30_updates_and_moves_its_share(noise: float) -> None:
    """Every node in turn: as they do not know of one another, all double in one run."""
    true = fleet(130)
    true[100:] *= 2
    smoother = Smoother()
    applied = [smoother.update(update) for update in measured(true, noise, seed=1)]
    before, after = applied[99], applied[129]
    is_close = []
    for at, node in enumerate(NAMES):
        doubled = true[0].copy()
        doubled[at] *= 2
        old = NODES.with_weights(weights_from(rtt=true[0]))
        ideal = share_moved(old, NODES.with_weights(weights_from(rtt=doubled))).share
        moved = share_moved(weighted(before), weighted({**before, node: after[node]})).share
        is_close.append(abs(moved / ideal - 1) <= 0.15)
    assert np.mean(is_close) >= 0.98


def test_only_keys_of_the_node_that_became_slower_move() -> None:
    """Counted, where the slower node is the median of all, which every weight is relative to."""
    true = fleet(200)
    slower = int(np.argsort(true[0])[31])
    true[100:, slower] *= 2
    smoother = Smoother()
    applied = [smoother.update(update) for update in measured(true, 0.1, seed=1)]
    before, after = weighted(applied[99]), weighted(applied[199])
    assert np.count_nonzero(before.weights != after.weights) > 1
    keys = np.arange(keys_of_a_test(native=2_000_000, python=10_000))
    old, new = before.argselect_batch(keys).ravel(), after.argselect_batch(keys).ravel()
    assert set(old[old != new]) == {slower}
    share = share_moved(before, after).share
    assert np.mean(old != new) == pytest.approx(share, abs=5 * math.sqrt(share / len(keys)))


def test_the_page(tmp_path: Path) -> None:
    assert run_page("how-to/membership/smoothing.md", tmp_path, {}) == 3


# -- one node -------------------------------------------------------------------------------------

measures = st.floats(min_value=5e-324, allow_infinity=False)
rtts = st.floats(min_value=1e-4, max_value=10)


@given(measures)
def test_a_measure_that_stays_is_never_changed(value: float) -> None:
    smoother = Smoother()
    first = smoother.update({"a": value})["a"]
    assert first is not None
    assert math.log2(first) == pytest.approx(math.log2(value), abs=1 / 16)
    assert {fed(value, smoother=smoother) for _ in range(100)} == {first}


@given(st.lists(rtts, min_size=1, max_size=150))
def test_what_is_applied_lies_among_what_was_measured(values: list[float]) -> None:
    smoother = Smoother()
    for seen, value in enumerate(values, 1):
        applied = smoother.update({"a": value})["a"]
        assert applied is not None
        assert min(values[:seen]) / HALF_STEP <= applied * (1 + 1e-12)
        assert applied <= max(values[:seen]) * HALF_STEP * (1 + 1e-12)


def test_a_new_node_is_applied_at_once_and_settles_after_32_measurements() -> None:
    smoother = Smoother()
    assert fed(16.0, *[4.0] * 30, smoother=smoother) == 16.0
    assert smoother.settling == ("a",)
    assert fed(None, smoother=smoother) == 16.0
    assert fed(4.0, smoother=smoother) == 4.0
    assert smoother.settling == ()


@pytest.mark.parametrize(("octaves", "is_applied"), [(0.35, False), (0.45, True), (-0.45, True)])
def test_a_change_is_applied_above_the_threshold(octaves: float, is_applied: bool) -> None:
    assert (fed(*[1.0] * 40, *[2**octaves] * 100) != 1.0) == is_applied


def test_the_threshold_is_a_choice() -> None:
    change = [1.0] * 40 + [2**0.6] * 100
    assert fed(*change, smoother=Smoother(threshold=0.75)) == 1.0
    assert fed(*change, smoother=Smoother(threshold=0.5)) != 1.0


def test_a_node_that_is_as_it_was_has_the_measure_that_it_had() -> None:
    once = fed(*[0.010] * 40)
    assert fed(*[0.010] * 40, *[0.020] * 40, *[0.010] * 40) == once


def test_a_change_while_one_measurement_is_doubted_is_found() -> None:
    assert fed(*[1.0] * 40, 64.0, *[1.0] * 8, *[4.0] * 60) == pytest.approx(4.0, rel=2**0.375 - 1)


@pytest.mark.parametrize("spike", [0.01, 100.0])
def test_outliers_change_nothing(spike: float) -> None:
    """One in six: at most three of any 16 fresh measurements."""
    assert fed(*[1.0] * 40, *[1.0, 1.0, spike, 1.0, 1.0, 1.0] * 40) == 1.0


def test_outliers_change_nothing_in_the_first_level_either() -> None:
    assert fed(1000.0, *[1.0] * 10, 1000.0, *[1.0] * 10, 1000.0, *[1.0] * 20) == 1.0


# -- several nodes, who come and go ---------------------------------------------------------------

updates = st.lists(
    st.dictionaries(st.sampled_from("abcde"), st.none() | rtts, max_size=5), max_size=80
)


@given(updates, st.randoms(use_true_random=False))
def test_the_order_of_the_nodes_does_not_matter(
    history: list[dict[str, float | None]], random: Any
) -> None:
    one, other = Smoother(), Smoother()
    for update in history:
        items = list(update.items())
        random.shuffle(items)
        applied = one.update(update)
        assert list(applied) == list(update)
        assert applied == other.update(dict(items))


@given(st.lists(rtts, max_size=80), st.lists(rtts, max_size=80))
def test_nodes_do_not_know_of_one_another(mine: list[float], theirs: list[float]) -> None:
    smoother, alone = Smoother(), Smoother()
    for value, other in zip(mine, theirs, strict=False):
        assert smoother.update({"a": value, "b": other})["a"] == alone.update({"a": value})["a"]


@given(updates, updates)
def test_a_restart_changes_nothing(
    before: list[dict[str, float | None]], after: list[dict[str, float | None]]
) -> None:
    smoother = Smoother(threshold=0.3)
    for update in before:
        smoother.update(update)
    restored = Smoother.from_state(json.loads(json.dumps(smoother.state())))
    assert restored.threshold == 0.3
    assert restored.applied == smoother.applied
    for update in after:
        assert restored.update(update) == smoother.update(update)
    assert restored.state() == smoother.state()


def test_a_state_is_a_copy() -> None:
    smoother = Smoother()
    smoother.update({"a": 1.0})
    state = smoother.state()
    kept = copy.deepcopy(state)
    restored = Smoother.from_state(state)
    smoother.update({"a": 2.0, "b": 2.0})
    assert state == kept
    state["nodes"]["a"]["collected"].append(8.0)
    assert restored.state() == kept


def test_who_leaves_is_forgotten() -> None:
    smoother = Smoother()
    for _ in range(40):
        smoother.update({"a": 1.0, "b": 1.0})
    assert smoother.update({"b": 1.0}) == {"b": 1.0}
    assert smoother.update({"a": 8.0, "b": 1.0}) == {"a": 8.0, "b": 1.0}
    assert smoother.settling == ("a",)


def test_a_measure_that_is_missing_keeps_what_is_applied() -> None:
    smoother = Smoother()
    assert smoother.update({"a": 2.0, "b": None}) == {"a": 2.0, "b": None}
    assert smoother.update({"a": None, "b": None}) == {"a": 2.0, "b": None}
    assert smoother.settling == ("a", "b")
    assert smoother.update({"a": None, "b": 4.0}) == {"a": 2.0, "b": 4.0}
    assert weights_from(rtt=list(smoother.applied.values())).tolist() == [1.5, 0.75]


def test_numbers_of_any_type() -> None:
    values = [4, np.float32(4), np.int8(4), np.array(4.0), Decimal(4)]
    assert {fed(value) for value in values} == {4.0}


# -- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "error"),
    [
        *[(value, RVHError) for value in (0, 0.0, -1.0, math.nan, math.inf, -math.inf, 10**400)],
        *[(value, RVHTypeError) for value in (True, np.False_, "1", b"1", [1.0], 1j, object())],
    ],
)
def test_a_bad_measure_is_refused_and_changes_nothing(value: Any, error: type[RVHError]) -> None:
    smoother = Smoother()
    smoother.update({"a": 1.0, "b": 2.0})
    before = smoother.state()
    with pytest.raises(error, match="the measure of node 'b' is ") as caught:
        smoother.update({"a": 8.0, "b": value, "c": 1.0})
    assert isinstance(caught.value, RVHTypeError) == (error is RVHTypeError)
    assert smoother.state() == before


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([0.1, 0.2], r"measures is \[0\.1, 0\.2\]: pass a dict"),
        (None, "measures is None"),
        ({1: 0.1}, "the node id 1 is of type int: pass a str"),
        ({b"a": 0.1}, "the node id b'a' is of type bytes"),
    ],
)
def test_measures_are_a_mapping_of_ids(given: Any, message: str) -> None:
    with pytest.raises(RVHTypeError, match=message):
        Smoother().update(given)


@pytest.mark.parametrize("threshold", [0, 0.1, -1, 9, math.nan, math.inf])
def test_a_threshold_out_of_range(threshold: float) -> None:
    with pytest.raises(RVHError, match=r"threshold is .*: choose 1/8 to 8 octaves"):
        Smoother(threshold)


def test_a_threshold_is_a_number() -> None:
    with pytest.raises(RVHTypeError, match="threshold is '3/8'"):
        Smoother("3/8")  # type: ignore[arg-type]


GOOD = {"level": 0, "drift": 0.0, "wanted": 16, "collected": [0.0]}


def test_a_state_by_hand() -> None:
    state = {"format": "rvh smoother 1", "threshold": 0.375, "nodes": {"a": GOOD}}
    assert Smoother.from_state(state).applied == {"a": 1.0}


@pytest.mark.parametrize(
    "wrong",
    [
        {"level": 0.5},
        {"level": True},
        {"level": 1 << 20},
        {"level": -(1 << 20)},
        {"drift": math.nan},
        {"drift": "0"},
        {"drift": None},
        {"wanted": 5},
        {"wanted": "16"},
        {"wanted": 32, "collected": []},
        {"wanted": 0},
        {"collected": [0.0] * 16},
        {"collected": [math.inf]},
        {"collected": [True]},
        {"collected": 3},
        {"more": 1},
    ],
    ids=str,
)
def test_a_damaged_node_in_a_state(wrong: dict[str, Any]) -> None:
    state = {"format": "rvh smoother 1", "threshold": 0.375, "nodes": {"a": {**GOOD, **wrong}}}
    with pytest.raises(RVHError, match="the state is damaged at node 'a', "):
        Smoother.from_state(state)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "rvh smoother 0"}, r"pass what Smoother\.state\(\) returned"),
        ({"format": None}, r"pass what Smoother\.state\(\) returned"),
        ({"threshold": 0}, "threshold is 0"),
        ({"threshold": None}, "threshold is None"),
        ({"nodes": []}, r"nodes is \[\]"),
        ({"nodes": {"a": 3}}, "damaged at node 'a', 3"),
        ({"nodes": {1: None}}, "the node id 1"),
    ],
    ids=str,
)
def test_another_state(change: dict[str, Any], message: str) -> None:
    state = {**Smoother().state(), **change}
    with pytest.raises(RVHError, match=message):
        Smoother.from_state(state)


@pytest.mark.parametrize("state", [None, [], "rvh smoother 1", {}])
def test_no_state(state: Any) -> None:
    with pytest.raises(RVHError, match=r"pass what Smoother\.state\(\) returned"):
        Smoother.from_state(state)
