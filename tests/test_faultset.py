"""Replicas among the living: the contract's walks, what moves, what is refused."""

from __future__ import annotations

import json
import pickle
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from folders import GOLDEN
from hypothesis import given, settings
from hypothesis import strategies as st
from sizes import examples, keys_of_a_test

import rvh
from rvh.faultset import FaultSet
from rvh.filter import zone
from rvh.nodes import SCHEMES

MANY = keys_of_a_test(1_000_000, 2_000)
IDS = [f"node-{n}" for n in range(16)]
ZONES = [f"zone-{n % 4}" for n in range(16)]
RACKS = [n // 4 % 2 for n in range(16)]  # two in each zone, with the same labels
DOMAINS = {"zone": ZONES, "rack": RACKS}


def walk(
    ranking: Sequence[int], k: int, levels: list[list[Any]], most: Sequence[int]
) -> tuple[list[int], int]:
    """The rule in plain words; levels from the outermost in. Also how many the first walk found."""
    scoped = [list(zip(*levels[: i + 1], strict=True)) for i in range(len(levels))]
    chosen: list[int] = []
    first = 0
    for left_out in range(len(levels) + 1):
        for node in ranking:
            counts = [Counter(labels[n] for n in chosen) for labels in scoped]
            room = all(counts[i][scoped[i][node]] < most[i] for i in range(left_out, len(levels)))
            if node not in chosen and room and len(chosen) < k:
                chosen.append(node)
        if left_out == 0:
            first = len(chosen)
    return chosen, first


def rankings(nodes: rvh.NodeSet, keys: Any, alive: Any) -> list[list[int]]:
    """Every key's living nodes, best first."""
    selectable = len(nodes) if nodes.weights is None else int((nodes.weights > 0).sum())
    ranked = nodes.argselect_batch(keys, selectable).tolist()
    return [[node for node in row if alive[node]] for row in ranked]


# -- the rule -----------------------------------------------------------------------------------


@st.composite
def cases(draw: st.DrawFn) -> dict[str, Any]:
    n = draw(st.integers(1, 24))
    labels = st.lists(st.integers(0, 4), min_size=n, max_size=n)
    weights = draw(
        st.none() | st.lists(st.sampled_from([0.0, 0.5, 1.0, 3.0]), min_size=n, max_size=n)
    )
    alive = draw(st.lists(st.booleans(), min_size=n, max_size=n))
    if not any(a and (weights is None or weights[i]) for i, a in enumerate(alive)):
        alive, weights = [True] * n, None
    return {
        "n": n,
        "scheme": draw(st.sampled_from(SCHEMES)),
        "weights": weights,
        "alive": alive,
        "levels": draw(st.lists(labels, min_size=0, max_size=3)),
        "most": draw(st.lists(st.integers(1, 3), min_size=3, max_size=3)),
        "k": draw(st.integers(1, 24)),
        "keys": draw(st.integers(1, 40)),
    }


@given(case=cases())
@settings(max_examples=examples(150))
def test_it_is_the_walk(case: dict[str, Any]) -> None:
    names = [f"level-{i}" for i in range(len(case["levels"]))]
    domains = dict(zip(names, case["levels"], strict=True))
    nodes = rvh.NodeSet(
        [f"n{i}" for i in range(case["n"])],
        weights=case["weights"],
        scheme=case["scheme"],
        domains=domains,
    )
    faults = FaultSet(nodes, case["alive"])
    keys = [f"key-{n}" for n in range(case["keys"])]
    ranked = rankings(nodes, keys, case["alive"])
    k = min(case["k"], len(ranked[0]))
    most = case["most"][: len(names)]
    expected = [walk(ranking, k, case["levels"], most) for ranking in ranked]
    answer = faults.argselect_batch(keys, k, names or None, most if names else 1)
    assert answer.nodes.tolist() == [chosen for chosen, _ in expected]
    assert answer.degraded.tolist() == [first < k for _, first in expected]
    if names:
        # With k so large, the first walk finds what it can.
        (_, found) = walk(ranked[0], len(ranked[0]), case["levels"], most)
        assert faults.spread_max(names, most) == found


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("k", [5, 20, 40])
def test_many_replicas_and_many_domains(scheme: str, k: int) -> None:
    """Beyond 16 slots, and with domains of all sizes."""
    zones = [n % 3 for n in range(60)]
    racks = [n // 3 for n in range(60)]
    nodes = rvh.NodeSet(
        [f"n{n}" for n in range(60)], scheme=scheme, domains={"zone": zones, "rack": racks}
    )
    keys = list(range(50))
    ranked = rankings(nodes, keys, [True] * 60)
    for most in ((1, 1), (18, 1), (17, 30), (40, 40)):
        answer = FaultSet(nodes).argselect_batch(keys, k, ("zone", "rack"), most).nodes
        assert answer.tolist() == [walk(row, k, [zones, racks], most)[0] for row in ranked]


def test_a_row_is_the_start_of_a_longer_one() -> None:
    faults = FaultSet(IDS, domains=DOMAINS)
    keys = np.arange(300)
    longest = faults.argselect_batch(keys, 16, ("zone", "rack")).nodes
    for k in (1, 3, 5, 9):
        assert (faults.argselect_batch(keys, k, ("zone", "rack")).nodes == longest[:, :k]).all()


def test_racks_of_one_label_in_two_zones_are_two() -> None:
    faults = FaultSet(IDS, domains=DOMAINS)
    assert faults.spread_max("zone") == 4
    assert faults.spread_max("rack") == 2
    assert faults.spread_max(("zone", "rack")) == 4
    assert faults.spread_max(("zone", "rack"), (2, 1)) == 8
    assert faults.spread_max(("zone", "rack"), 2) == 8
    answer = faults.argselect_batch(np.arange(500), 8, ("zone", "rack"), (2, 1))
    assert not answer.degraded.any()
    for row in answer.nodes.tolist():
        assert len({(ZONES[n], RACKS[n]) for n in row}) == 8


def test_beyond_the_zones_replicas_are_still_on_racks_of_their_own() -> None:
    faults = FaultSet(IDS, domains=DOMAINS)
    answer = faults.argselect_batch(np.arange(500), 7, ("zone", "rack"))
    assert answer.degraded.all()
    for row in answer.nodes.tolist():
        assert len({ZONES[n] for n in row[:4]}) == 4
        assert len({(ZONES[n], RACKS[n]) for n in row}) == 7


@pytest.mark.parametrize("scheme", SCHEMES)
def test_spread_holds_in_every_row_or_the_row_is_marked(scheme: str) -> None:
    rng = np.random.default_rng(5)
    nodes = rvh.NodeSet(IDS, scheme=scheme, domains=DOMAINS)
    keys = np.arange(MANY // 50)
    for _ in range(10):
        alive = rng.random(16) < 0.5
        alive[rng.integers(16)] = True
        faults = FaultSet(nodes, alive)
        for k in range(1, min(5, int(alive.sum())) + 1):
            answer = faults.argselect_batch(keys, k, "zone")
            zones = np.sort(np.arange(16)[answer.nodes] % 4, axis=1)
            shared = (zones[:, 1:] == zones[:, :-1]).any(axis=1)
            assert (shared == answer.degraded).all()
            assert alive[answer.nodes].all()


def test_keys_of_every_kind() -> None:
    pa = pytest.importorskip("pyarrow")
    faults = FaultSet(IDS, [n % 3 > 0 for n in range(16)], DOMAINS)
    texts = [f"key-{n % 40}" for n in range(2500)]
    want = faults.argselect_batch(texts, 3, "zone").nodes
    chunks = pa.chunked_array([pa.array(texts[:700]), pa.array([], pa.string()), texts[700:]])
    for keys in (
        np.array(texts),
        np.array(texts, "S"),
        [text.encode() for text in texts],
        pa.array(texts).dictionary_encode(),
        chunks,
    ):
        assert (faults.argselect_batch(keys, 3, "zone").nodes == want).all()
        repair = faults.repair(keys, faults.nodes.ids[want], 3, "zone")
        assert not repair.added.any()
    for options in ({"threads": 2}, {"dedupe": True}, {"dedupe": False}):
        assert (faults.argselect_batch(texts, 3, "zone", **options).nodes == want).all()
    assert faults.argselect_batch([], 3, "zone").nodes.shape == (0, 3)


def test_one_key_and_ids() -> None:
    faults = FaultSet(IDS, domains=DOMAINS)
    batch = faults.select_batch(["x", "y"], 3, "zone")
    assert faults.select("x", 3, "zone") == batch.nodes[0].tolist()
    assert batch.nodes.dtype == faults.nodes.ids.dtype
    assert FaultSet([b"a", "b"]).select("x", 2) == rvh.NodeSet([b"a", "b"]).select("x", 2)


def test_without_a_spread_it_is_the_ranking() -> None:
    nodes = rvh.NodeSet(IDS)
    keys = np.arange(100)
    assert (FaultSet(nodes).argselect_batch(keys, 5).nodes == nodes.argselect_batch(keys, 5)).all()


# -- deaths and returns -------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("spread", [None, "zone", ("zone", "rack")])
@pytest.mark.parametrize("weighted", [False, True])
def test_a_death_moves_only_its_keys_and_a_return_moves_them_back(
    scheme: str, spread: Any, weighted: bool
) -> None:
    weights = [1 + n % 3 for n in range(16)] if weighted else None
    nodes = rvh.NodeSet(IDS, weights=weights, scheme=scheme, domains=DOMAINS)
    keys = np.arange(MANY if scheme == "murmur" else MANY // 10)
    everybody = FaultSet(nodes)
    before = everybody.argselect_batch(keys, 3, spread).nodes
    dead = 6
    after = everybody.with_alive(np.arange(16) != dead).argselect_batch(keys, 3, spread).nodes
    had = (before == dead).any(axis=1)
    assert had.any()
    assert (before[~had] == after[~had]).all()
    assert not (after == dead).any()
    # Of the others each is a replica still, and one came.
    rest = [set(row) - {dead} for row in before[had].tolist()]
    assert all(len(set(row) - old) == 1 for row, old in zip(after[had].tolist(), rest, strict=True))
    if spread is None:  # each to its next in rank
        ranked = nodes.argselect_batch(keys[had], 4)
        assert (after[had] == ranked[ranked != dead].reshape(-1, 3)).all()
    back = everybody.with_alive(np.arange(16) != dead).with_alive([True] * 16)
    assert (back.argselect_batch(keys, 3, spread).nodes == before).all()


# -- repair -------------------------------------------------------------------------------------


@given(case=cases(), data=st.data())
@settings(max_examples=examples(100))
def test_repair_is_the_walk_with_the_current_replicas_first(
    case: dict[str, Any], data: st.DataObject
) -> None:
    names = [f"level-{i}" for i in range(len(case["levels"]))]
    nodes = rvh.NodeSet(
        [f"n{i}" for i in range(case["n"])],
        weights=case["weights"],
        scheme=case["scheme"],
        domains=dict(zip(names, case["levels"], strict=True)),
    )
    faults = FaultSet(nodes, case["alive"])
    keys = [f"key-{n}" for n in range(case["keys"])]
    ranked = rankings(nodes, keys, case["alive"])
    k = min(case["k"], len(ranked[0]))
    most = case["most"][: len(names)]
    slots = st.sampled_from([*nodes.ids.tolist(), None, "gone"])
    width = data.draw(st.integers(0, 5))
    current = data.draw(
        st.lists(
            st.lists(slots, min_size=width, max_size=width),
            min_size=len(keys),
            max_size=len(keys),
        )
    )
    repair = faults.repair(keys, current, k, names or None, most if names else 1)
    for row, ranking in enumerate(ranked):
        held = [node for node in ranking if f"n{node}" in current[row]]
        others = [node for node in ranking if node not in held]
        chosen, first = walk([*held, *others], k, case["levels"], most)
        names_chosen = [f"n{node}" for node in chosen]
        assert repair.nodes[row].tolist() == names_chosen
        assert repair.added[row].tolist() == [node not in held for node in chosen]
        assert repair.dropped[row].tolist() == [
            node is not None and (node not in names_chosen or node in current[row][:at])
            for at, node in enumerate(current[row])
        ]
        assert repair.degraded[row] == (first < k)
    places = {None: -1, "gone": -1} | {node: n for n, node in enumerate(nodes.ids.tolist())}
    positions = np.array([[places[node] for node in row] for row in current], dtype=np.intp)
    by_position = faults.argrepair(
        keys, positions.reshape(len(keys), width), k, names or None, most if names else 1
    )
    assert nodes.ids[by_position.nodes].tolist() == repair.nodes.tolist()
    assert by_position.added.tolist() == repair.added.tolist()
    # `repair` also drops an id that it does not know, which no position stands for.
    known = np.array([[node != "gone" for node in row] for row in current], dtype=np.bool_)
    assert (by_position.dropped == (repair.dropped & known.reshape(positions.shape))).all()
    assert by_position.degraded.tolist() == repair.degraded.tolist()


def test_repair_after_a_death_adds_one_replica_a_key_that_lost_one() -> None:
    nodes = rvh.NodeSet(IDS, scheme="murmur", domains=DOMAINS)
    keys = np.arange(MANY // 5)
    current = FaultSet(nodes).select_batch(keys, 3, "zone").nodes
    faults = FaultSet(nodes, np.arange(16) != 6)
    repair = faults.repair(keys, current, 3, "zone")
    lost = (current == IDS[6]).any(axis=1)
    assert (repair.added.sum(axis=1) == lost).all()
    assert ((current == IDS[6]) == repair.dropped).all()
    # The replicas are those that selecting gives, the node that came back takes nothing.
    fresh = faults.select_batch(keys, 3, "zone").nodes
    assert (np.sort(repair.nodes, axis=1) == np.sort(fresh, axis=1)).all()
    again = FaultSet(nodes).repair(keys, repair.nodes, 3, "zone")
    assert not again.added.any()
    assert not again.dropped.any()


def test_repair_moves_what_is_not_spread() -> None:
    faults = FaultSet(["a", "b", "c"], domains={"zone": ["eu", "eu", "us"]})
    repair = faults.repair(["x"], [["a", "b"]], 2, "zone")
    assert repair.added.sum() == 1
    assert repair.nodes[0, 1] == "c"
    stays = repair.nodes[0, 0]
    assert repair.dropped[0].tolist() == [stays != "a", stays != "b"]
    assert stays == rvh.NodeSet(["a", "b"]).select("x")[0]


def test_what_current_replicas_may_be() -> None:
    faults = FaultSet(["a", "b", "c"])
    want = faults.repair(["x", "y"], [["a"], ["b"]], 2).nodes.tolist()
    for current in (
        np.array(["a", "b"]),
        np.array([["a"], ["b"]]),
        np.array([[b"a", b""], [b"", b"b"]]),
        np.ma.array([["a", "c"], ["b", "c"]], mask=[[0, 1], [0, 1]]),
        [["a", None], ["b"]],
        [["a"], ["b", float("nan")]],
        ["a", "b"],
        np.array([["a"], ["b", None], None], object)[:2],
    ):
        repair = faults.repair(["x", "y"], current, 2)
        assert repair.nodes.tolist() == want
        assert not repair.dropped.any()
    assert faults.repair([], np.empty((0, 2), "U1"), 2).nodes.shape == (0, 2)
    none = faults.repair(["x"], [[]], 2)
    assert none.nodes.tolist() == faults.select_batch(["x"], 2).nodes.tolist()
    assert none.added.all()


# -- what it is ---------------------------------------------------------------------------------


def test_current_replicas_in_frames_and_columns() -> None:
    pa, pd, pl = map(pytest.importorskip, ("pyarrow", "pandas", "polars"))
    faults = FaultSet(["a", "b", "c", "d"])
    rows = [["c", "a"], ["b", None], ["d", "c"]]
    want = faults.repair(["x", "y", "z"], rows, 2).nodes.tolist()
    for current in (
        pd.DataFrame(rows),
        pl.DataFrame(rows, orient="row"),
        pa.array([["c", "a"], ["b"], ["d", "c"]]),
        pl.Series([["c", "a"], ["b"], ["d", "c"]]),
        pd.Series([["c", "a"], ["b"], ["d", "c"]]),
    ):
        assert faults.repair(["x", "y", "z"], current, 2).nodes.tolist() == want


def test_domains_in_columns() -> None:
    pa, pd = map(pytest.importorskip, ("pyarrow", "pandas"))
    want = FaultSet(["a", "b", "c"], domains={"zone": ["eu", "eu", "us"]})
    for zones in (
        pa.array(["eu", "eu", "us"]),
        pa.chunked_array([["eu"], ["eu", "us"]]),
        pa.array(["eu", "eu", "us"]).dictionary_encode(),
        pd.Series(["eu", "eu", "us"]),
        pd.Series(["eu", "eu", "us"], dtype="category"),
        np.array(["eu", "eu", "us"]),
        iter(["eu", "eu", "us"]),
    ):
        assert FaultSet(["a", "b", "c"], domains={"zone": zones}) == want
    numbers = FaultSet(["a", "b"], domains={"rack": [1, 2]})
    for racks in (list(np.array([1, 2])), pd.Series([1, 2], dtype="Int64"), pa.array([1, 2])):
        assert FaultSet(["a", "b"], domains={"rack": racks}) == numbers


def test_it_is_a_value() -> None:
    faults = FaultSet(IDS, [n > 3 for n in range(16)], DOMAINS)
    again = pickle.loads(pickle.dumps(faults))
    assert again == faults
    assert hash(again) == hash(faults)
    assert faults != faults.with_alive([True] * 16)
    assert faults != "a"
    assert "alive=12 of 16" in repr(faults)
    assert faults.nodes.domains["zone"] == tuple(ZONES)
    with pytest.raises(ValueError, match="read-only"):
        faults.alive[0] = True


def test_the_mask_is_copied() -> None:
    alive = np.array([True, False])
    faults = FaultSet(["a", "b"], alive)
    alive[1] = True
    assert faults.alive.tolist() == [True, False]


def test_domains_are_added_to_those_of_the_set() -> None:
    nodes = rvh.NodeSet(IDS, domains={"zone": ZONES})
    faults = FaultSet(nodes, domains={"rack": RACKS})
    assert set(faults.nodes.domains) == {"zone", "rack"}
    assert faults.nodes.fingerprint == nodes.fingerprint


# -- fingerprints -------------------------------------------------------------------------------


def spread_by(*labels: Any) -> FaultSet:
    ids, alive = ["a", "b"][: len(labels)], [True, False][: len(labels)]
    return FaultSet(ids, alive, {"zone": list(labels)}).with_spread("zone")


def test_labels_that_differ_give_other_fingerprints() -> None:
    """Many of these have the same bytes."""
    texts = ["", "a", "\ue000", "eu-west1", "\x07\0\0\0\0\0\0\0", "\0", "\0\0", "us"]
    edges = [sign * 2**n + d for n in (0, 55, 56, 62, 63) for sign in (1, -1) for d in (-1, 0, 1)]
    edges += [7, 2**64 - 1, 2**64 - 2, int.from_bytes(b"eu-west1", "little")]
    whole = [n for n in dict.fromkeys(edges) if -(2**63) <= n < 2**64]
    as_bytes = [text.encode() for text in texts] + [rvh.keys.key_bytes(n) for n in whole]
    labels = [*texts, *whole, *dict.fromkeys(as_bytes)]
    assert len({spread_by(label).fingerprint for label in labels}) == len(labels)
    two = [(one, other) for one in labels[:4] + labels[-4:] for other in labels]
    assert len({spread_by(*pair).fingerprint for pair in two}) == len(two)


def test_fingerprints_of_most_labels_stay_as_they_are() -> None:
    texts, numbers = spread_by("eu-west1", "\xe9"), spread_by(7, -2)
    assert texts.fingerprint == "3f0aaa5737c1fdfa11ccf230c51cb3b2a5c6235612bbd0bafad9ace0425a6c84"
    assert numbers.fingerprint == "4707b25a14a0243458cd48ea7935bffff7a0c04f4aff5413805b8f18738c75f8"


def test_no_fingerprint_of_a_label_without_bytes() -> None:
    with pytest.raises(ValueError, match="the 'zone' label at position 1 is 18446744073709551616"):
        str(spread_by(1, 2**64).fingerprint)


# -- bad input ----------------------------------------------------------------------------------

FAULTS = FaultSet(IDS, [n < 12 for n in range(16)], DOMAINS)
WEIGHTED = rvh.NodeSet(["a", "b"], weights=[1, 0])


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: FAULTS.select_batch([1], 2, "row"), ValueError, "'row'; the set has 'zone'"),
        (lambda: FaultSet(IDS).select_batch([1], 2, "zone"), ValueError, "the set has none: give"),
        (lambda: FAULTS.select_batch([1], 2, ("zone", "zone")), ValueError, "'zone' twice"),
        (lambda: FAULTS.select_batch([1], 2, ()), ValueError, "names 0 domains: name 1 to 8"),
        (lambda: FAULTS.select_batch([1], 2, 7), TypeError, "spread is 7: pass"),
        (lambda: FAULTS.select_batch([1], 2, [["zone"]]), ValueError, r"the domain \['zone'\]"),
        (lambda: FAULTS.select_batch([1], 2, "zone", 0), ValueError, "max_per_domain is 0"),
        (lambda: FAULTS.select_batch([1], 2, "zone", "1"), TypeError, "max_per_domain is '1'"),
        (lambda: FAULTS.select_batch([1], 2, "zone", [1, 2]), ValueError, "2 values for 1 names"),
        (lambda: FAULTS.select_batch([1], 13), ValueError, "k is 13, but 12 of 16 nodes are alive"),
        (lambda: FAULTS.select_batch([1], 0), ValueError, "k is 0"),
        (lambda: FAULTS.select_batch([1], 5, "zone", strict=True), ValueError,
         "k is 5, but with at most 1 a zone the living nodes hold 4 replicas"),
        (lambda: FAULTS.select_batch([1, None], 2, "zone"), TypeError, "position 1"),
        (lambda: FAULTS.select(1.5), TypeError, "key is of type float"),
        (lambda: FAULTS.select_batch([1], 2, np.array("zone")), TypeError, "spread is array"),
        (lambda: FAULTS.select_batch([1], 2, max_per_domain=-7), ValueError, "per_domain is -7"),
        (lambda: FAULTS.select_batch([1], 2, "zone", strict="no"), TypeError, "strict is 'no'"),
        (lambda: FAULTS.select_batch([1], 2, "zone", strict=np.array([True])), TypeError, "strict"),
        (lambda: FaultSet(IDS, zone("eu")), TypeError, "alive is zone.'eu'.: call it with"),
        (lambda: FAULTS.nodes.subset(zone("eu")), TypeError, "mask is zone.'eu'.: call it"),
        (lambda: FaultSet(["a"], domains={"zone": {"a": "eu"}}), TypeError, "in the order of the"),
        (lambda: FaultSet(["a"], domains={"zone": {"eu"}}), TypeError, "domain 'zone' is {'eu'}"),
        (lambda: FaultSet(["a"], domains={"zone": np.array("a")}), TypeError, "domain 'zone' is"),
        (lambda: FAULTS.repair([1], np.array([[0, 1]]), 2), TypeError, "array of int64: pass"),
        (lambda: FAULTS.repair([1], [[0, 1]], 2), TypeError, "row 0, holds 0 of type int: pass"),
        (lambda: FAULTS.repair([1, 2], [["a"], [3.5]], 2), TypeError, "row 1, holds 3.5 of type"),
        (lambda: FAULTS.repair([1], {"x": ["a"]}, 2), TypeError, "current is of type dict"),
        (lambda: FAULTS.repair([1, 2], [["a"], 5], 2), TypeError, "row 1 of current is 5 of type"),
        (lambda: FaultSet(IDS, [True]), ValueError, r"alive has shape \(1,\): it needs \(16,\)"),
        (lambda: FaultSet(IDS, [1] * 16), TypeError, "alive is an array of int64"),
        (lambda: FaultSet(IDS, [False] * 16), ValueError, "no node is alive: there is nothing"),
        (lambda: FaultSet(WEIGHTED, [False, True]), ValueError, "no node with a weight above 0 is"),
        (lambda: FaultSet(WEIGHTED).select_batch([1], 2), ValueError, "alive with a weight above"),
        (lambda: FaultSet(IDS, domains={"zone": ["a"]}), ValueError, "1 labels for 16 nodes"),
        (lambda: FAULTS.repair([1], [["a"], ["b"]], 2), ValueError, r"it needs \(1, c\)"),
        (lambda: FAULTS.repair([1], 7, 2), TypeError, "current is of type int"),
        (lambda: FAULTS.repair([1], np.zeros((1, 2)), 2), TypeError, "current"),
        (lambda: FAULTS.repair([1], np.zeros((1, 2, 2), "U1"), 2), ValueError, "current has shape"),
        (lambda: FAULTS.repair([1], [["a"]], 9, "zone", strict=True), ValueError, "hold 4"),
        (lambda: FAULTS.repair([1.5], [["a"]], 2), TypeError, "position 0"),
        (lambda: FAULTS.argrepair([1], [["a"]], 2), TypeError, "array of <U1: pass positions"),
        (lambda: FAULTS.argrepair([1], [0, 1], 2), ValueError, r"shape \(2,\): it needs \(1, c\)"),
        (lambda: FAULTS.argrepair([1, 2], [[0], [16]], 2), ValueError, "row 1, has position 16"),
        (lambda: FAULTS.argrepair([1], [[-2]], 2), ValueError, "position -2: there are 16 nodes"),
    ],
)  # fmt: skip
def test_bad_input(call: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(rvh.RVHError, match=words) as caught:
        call()
    assert isinstance(caught.value, error)


# -- golden answers -----------------------------------------------------------------------------

RECORDED = json.loads((GOLDEN / "faultset.json").read_bytes())


@pytest.mark.parametrize("case", RECORDED["cases"])
def test_golden_answers(case: dict[str, Any]) -> None:
    alive = [node not in case["dead"] for node in range(16)]
    faults = FaultSet(IDS, alive, RECORDED["levels"])
    keys = [row["key"] for row in case["keys"]]
    answer = faults.argselect_batch(keys, case["k"], case["spread"] or None, case["most"] or 1)
    assert answer.nodes.tolist() == [row["nodes"] for row in case["keys"]]


@given(data=st.data(), scheme=st.sampled_from(["blake2b", "murmur"]), weighted=st.booleans())
def test_repair_gives_nothing_new_to_nodes_that_do_not_take(
    data: st.DataObject, scheme: str, weighted: bool
) -> None:
    count = data.draw(st.integers(3, 8))
    ids = [f"n{i}" for i in range(count)]
    weights = data.draw(st.lists(st.integers(1, 4), min_size=count, max_size=count))
    zones = data.draw(st.lists(st.sampled_from("xyz"), min_size=count, max_size=count))
    flags = st.lists(st.booleans(), min_size=count, max_size=count)
    alive, takes = data.draw(flags.filter(any)), data.draw(flags)
    k = data.draw(st.integers(1, 3))
    if sum(a and t for a, t in zip(alive, takes, strict=True)) < k:
        alive, takes = [True] * count, [True] * 3 + [False] * (count - 3)
    spread = data.draw(st.sampled_from([None, "zone"]))
    keys = np.arange(12)
    held = st.lists(st.sampled_from([*ids, "gone", None]), min_size=3, max_size=3)
    current = np.array([data.draw(held) for _ in keys], dtype=object)
    nodes = rvh.NodeSet(ids, weights if weighted else None, scheme=scheme, domains={"zone": zones})
    repair = FaultSet(nodes, alive).repair(keys, current, k, spread, taking=takes)
    # Each row by itself: it chooses among those that take, and those that it has.
    for row, key in enumerate(keys):
        among = [
            a and (t or node in current[row]) for node, a, t in zip(ids, alive, takes, strict=True)
        ]
        expected = FaultSet(nodes, among).repair([key], current[[row]], k, spread)
        assert repair.nodes[row].tolist() == expected.nodes[0].tolist()
        assert repair.added[row].tolist() == expected.added[0].tolist()
        assert repair.dropped[row].tolist() == expected.dropped[0].tolist()


def test_repair_names_the_key_that_is_wrong_where_not_all_nodes_take() -> None:
    faults = FaultSet(["a", "b", "c"])
    with pytest.raises(rvh.RVHError, match="position 1"):
        faults.repair(["x", None], [["a"], ["b"]], 1, taking=[True, False, True])
    with pytest.raises(rvh.RVHError, match="taking has shape"):
        faults.repair(["x"], [["a"]], 1, taking=[True])
    repair = faults.repair(["x", "y"], [["b"], [None]], 1, taking=[False, True, False])
    assert repair.nodes.tolist() == [["b"], ["b"]]
