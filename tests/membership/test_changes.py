"""The share of keys that moves: the closed form against counting, and against itself."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sizes import keys_of_a_test

import rvh
from rvh.membership import Change, NodeMeta, Status, share_moved, take_snapshot

KEYS = np.arange(keys_of_a_test(10 << 17, 1 << 17))


def counted(before: rvh.NodeSet, after: rvh.NodeSet) -> float:
    return float((before.select_batch(KEYS) != after.select_batch(KEYS)).mean())


def by_definition(w: dict[str, float], v: dict[str, float]) -> float:
    both = w.keys() & v.keys()
    everyone = w.keys() | v.keys()
    stays = 0.0
    for i in both:
        if w[i] and v[i]:
            stays += 1 / sum(max(w.get(j, 0) / w[i], v.get(j, 0) / v[i]) for j in everyone)
    return 1 - stays


weights = st.dictionaries(
    st.sampled_from("abcdefgh"), st.sampled_from([0.25, 0.5, 1, 1.5, 3, 0]), min_size=1
).filter(lambda each: any(each.values()))


@given(w=weights, v=weights, scheme=st.sampled_from(["blake2b", "murmur"]))
def test_closed_form_is_the_sum_that_it_stands_for(
    w: dict[str, float], v: dict[str, float], scheme: str
) -> None:
    before = rvh.NodeSet([*w], [*w.values()], scheme=scheme)
    after = rvh.NodeSet([*v], [*v.values()], scheme=scheme)
    moved = share_moved(before, after)
    assert moved.is_exact
    assert math.isclose(moved.share, by_definition(w, v), abs_tol=1e-12)
    assert math.isclose(moved.share, share_moved(after, before).share, abs_tol=1e-12)


@pytest.mark.parametrize("scheme", ["blake2b", "murmur"])
@pytest.mark.parametrize(
    ("w", "v"),
    [
        ({"a": 1, "b": 1, "c": 1}, {"a": 1, "b": 1}),
        ({"a": 1, "b": 1, "c": 1}, {"a": 1, "b": 2, "c": 1}),
        ({"a": 1, "b": 5, "c": 2, "d": 0.1}, {"a": 2, "c": 2, "d": 0.3, "e": 1}),
        ({"a": 1, "b": 0}, {"a": 0, "b": 1}),
        ({"a": 1e-300, "b": 2e-300}, {"a": 1e280, "b": 1e280}),
    ],
)
def test_closed_form_is_what_is_counted(
    w: dict[str, float], v: dict[str, float], scheme: str
) -> None:
    before = rvh.NodeSet([*w], [*w.values()], scheme=scheme)
    after = rvh.NodeSet([*v], [*v.values()], scheme=scheme)
    share = share_moved(before, after).share
    assert abs(share - counted(before, after)) < 5 * math.sqrt((share + 1e-9) / len(KEYS))


def test_without_weights_and_counted() -> None:
    nodes = [f"n{i}" for i in range(9)]
    before, after = rvh.NodeSet(nodes), rvh.NodeSet([*nodes, "n9"])
    assert share_moved(before, after) == (pytest.approx(0.1), True)
    assert share_moved(before, before.remove("n0")) == (pytest.approx(1 / 9), True)
    several = share_moved(before, after, k=3)
    assert not several.is_exact
    assert several.share == pytest.approx(0.1, abs=0.01)
    other = share_moved(before, before.with_weights(np.ones(9)))
    assert other == (0.0, False)  # blake2b ranks equal weights as none
    assert share_moved(before, rvh.NodeSet(nodes, scheme="murmur")).share > 0.8
    assert share_moved(before, rvh.NodeSet(nodes[::-1])) == (0.0, True)
    with pytest.raises(rvh.RVHError, match="k is 0"):
        share_moved(before, after, k=0)


def test_more_replicas_than_nodes_are_left() -> None:
    before, after = rvh.NodeSet(["a", "b", "c"]), rvh.NodeSet(["a"])
    # Two of three keys had a among their two nodes. Then a is one node of two for two of three.
    assert share_moved(before, after, k=2).share == pytest.approx(1 / 3, abs=0.01)
    assert share_moved(after, before, k=2).share == pytest.approx(2 / 3, abs=0.01)


def test_ten_thousand_nodes() -> None:
    ids = [f"n{i}" for i in range(10_000)]
    moved = share_moved(rvh.NodeSet(ids), rvh.NodeSet(ids[1:]))
    assert moved == (pytest.approx(1e-4), True)


def test_what_a_change_says() -> None:
    before = take_snapshot(
        [NodeMeta("a", weight=1), NodeMeta("b", weight=1), NodeMeta("c", weight=2)]
    )
    after = take_snapshot(
        [
            NodeMeta("b", weight=3),
            NodeMeta("c", weight=2, status=Status.DRAINING),
            NodeMeta("d", weight=1),
        ]
    )
    change = Change(before, after)
    assert change.joined == ("d",)
    assert change.left == ("a",)
    assert change.statuses == {"c": ("alive", "draining")}
    assert change.weights == {"b": (1.0, 3.0)}
    assert change.moved.is_exact
    assert str(change).startswith(
        "epoch 1: joined d; left a; status c alive -> draining; weight b 1 -> 3; "
    )
    first = Change(None, after)
    assert (first.joined, first.left, first.moved) == (("b", "c", "d"), (), (0.0, True))
    many = Change(after, take_snapshot([NodeMeta(f"n{i}") for i in range(9)]))
    assert "joined n0, n1, n2, n3, n4 and 4 more" in str(many)


def test_a_change_of_metadata_moves_nothing() -> None:
    before = take_snapshot([NodeMeta("a", address="10.0.0.1"), NodeMeta("b")])
    after = take_snapshot([NodeMeta("a", address="10.0.0.2"), NodeMeta("b", status="suspect")])  # type: ignore[arg-type]
    assert before.digest != after.digest
    assert before.fingerprint == after.fingerprint
    assert Change(before, after).moved == (0.0, True)


def test_a_factor_that_most_weights_have_in_common_is_no_change_of_theirs() -> None:
    ids = "abcde"
    before = take_snapshot([NodeMeta(node, weight=2) for node in ids])
    after = take_snapshot([NodeMeta(node, weight=3 if node != "b" else 1) for node in ids])
    assert Change(before, after).weights == {"b": (2.0, 1.0)}
    half = take_snapshot([NodeMeta(node, weight=4 if node in "ab" else 2) for node in ids])
    assert Change(before, half).weights == {"a": (2.0, 4.0), "b": (2.0, 4.0)}
