"""RingFace, whose nodes come and go one at a time, against a NodeSet of the same nodes."""

from __future__ import annotations

import copy
import pickle
import sys
import threading
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rvh
from rvh.ring import RingFace

KEYS = [f"key{n}" for n in range(30)]
IDS = ["a", "b", b"b", "c", "d\0", "", 5, "\ud800"]


def changed(
    members: dict[bytes, tuple[Any, float]], name: str, node: Any, weight: Any
) -> dict[bytes, tuple[Any, float]]:
    """Make one change of the ids and weights by name, checked by NodeSets."""
    node = str(node) if isinstance(node, int) else node
    rvh.NodeSet(["?", node])
    key = rvh.keys.key_bytes(node)
    if name == "remove":
        if key not in members:
            raise rvh.RVHError("it is not there")
        after = {each: members[each] for each in members if each != key}
    else:
        id_, now = members.get(key, (node, 1.0))
        weights = rvh.NodeSet(["?", id_], [1, now if weight is None else weight]).weights
        assert weights is not None
        after = {**members, key: (id_, float(weights[1]))}
    if after:
        rvh.NodeSet(*zip(*after.values(), strict=True))  # of which one can be selected
    return after


@given(
    weighted=st.booleans(),
    changes=st.lists(
        st.tuples(
            st.sampled_from(["add", "add", "remove"]),
            st.sampled_from(IDS),
            st.sampled_from([None, 0, -0.0, 1, 2.5, -1, float("nan"), 1e300, "1"]),
            st.booleans(),
        ),
        max_size=12,
    ),
)
@settings(deadline=None)
def test_every_change_is_that_of_a_set(weighted: bool, changes: list[tuple[Any, ...]]) -> None:
    ring = RingFace({"a": 1, "z": 0} if weighted else ["a", "z"])
    members = {b"a": ("a", 1.0), b"z": ("z", float(not weighted))}

    def nodes() -> rvh.NodeSet | None:
        if not members:
            return None
        ids, weights = map(list, zip(*members.values(), strict=True))
        return rvh.NodeSet(ids, weights if weighted else None, "murmur")

    for name, node, weight, is_asked in changes:
        if not weighted:
            weight = None
        try:
            members = changed(members, name, node, weight)
        except rvh.RVHError:
            with pytest.raises(rvh.RVHError):
                ring.add_node(node, weight) if name == "add" else ring.remove_node(node)
        else:
            ring.add_node(node, weight) if name == "add" else ring.remove_node(node)
        assert len(ring) == len(members)
        if is_asked:
            now = nodes()
            answer = ring.get_node("key")
            asked = None if now is None else now.select("key")[0]
            assert answer == (5 if asked == "5" else asked)
    now = nodes()
    again = copy.copy(ring)
    assert again.get_nodes() == ring.get_nodes()
    if now is None:
        assert again.get_node("key") is None
    else:
        assert ring.nodes == again.nodes == now
        answers = [str(node) if node == 5 else node for node in map(ring.get_node, KEYS)]
        assert answers == now.select_batch(KEYS)[:, 0].tolist()


def test_many_changes_prepare_one_set(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    init = rvh.NodeSet.__init__

    def count(self: rvh.NodeSet, ids: Any, *options: Any, **more: Any) -> None:
        made.append(len(ids))
        init(self, ids, *options, **more)

    monkeypatch.setattr(rvh.NodeSet, "__init__", count)
    ring = RingFace(["first"])
    for n in range(2000):
        ring.add_node(f"node{n}")
    for n in range(1000):
        ring.remove_node(f"node{n}")
    assert len(ring) == 1001
    assert made == [1]
    ring.get_node("key")
    ring.get_nodes("key", 3)
    assert made == [1, 1001]


def test_ids_of_one_kind_answer_in_it_and_of_two_as_objects() -> None:
    objects = np.array(["a", "b"], dtype=object)
    ring = RingFace(rvh.NodeSet(objects))
    ring.add_node("c")
    assert ring.nodes.ids.dtype == object
    plain = RingFace(["a", "b"])
    plain.add_node("longer")
    assert plain.nodes.ids.dtype.kind == "U"


def test_domains_stay_with_their_nodes() -> None:
    nodes = rvh.NodeSet(["a", "b", "c"], weights=[1, 2, 3], domains={"zone": ["x", "y", "z"]})
    ring = RingFace(nodes)
    ring.remove_node("b")
    ring.add_node("a", 4)
    assert ring.nodes == rvh.NodeSet(["a", "c"], weights=[4, 3], domains={"zone": ["x", "z"]})
    with pytest.raises(rvh.RVHError, match=r"'d' has no labels .* RingFace of nodes.add"):
        ring.add_node("d", 1)
    again = RingFace(ring.nodes.add("d", weights=1, domains={"zone": "x"}))  # as it says
    assert again.get_nodes() == ["a", "c", "d"]


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda ring: ring.add_node(5.0), TypeError, "the node id is of type float"),
        (lambda ring: ring.add_node(True), TypeError, "the node id is of type bool"),
        (lambda ring: ring.add_node(""), ValueError, "the node id is empty"),
        (lambda ring: ring.add_node("\ud800"), ValueError, "lone surrogate"),
        (lambda ring: ring.add_node("c", -1), ValueError, "weight of node 'c' is -1.0: a weight"),
        (lambda ring: ring.add_node("c", "2"), TypeError, "weight of node 'c' is '2'"),
        (lambda ring: ring.add_node("c", {"weight": np.nan}), ValueError, "is nan: a weight is a"),
        (lambda ring: ring.add_node("a", 0), ValueError, "'a' is the last that keys can be placed"),
        (lambda ring: ring.remove_node("a"), ValueError, "'a' is the last that keys can be placed"),
        (lambda ring: ring.remove_node("c"), KeyError, "'c' is not in the set"),
        (lambda ring: ring.add_node("c", {"weight": "2"}), TypeError, "weight of node 'c' is '2'"),
        (lambda ring: ring.remove_node(None), TypeError, "the node id is of type NoneType"),
    ],
)  # fmt: skip
def test_errors_come_at_the_change_and_nothing_changes(
    call: Any, error: type[Exception], words: str
) -> None:
    ring = RingFace({"a": 1, "b": 0})
    before = ring.nodes
    with pytest.raises(rvh.RVHError, match=words) as caught:
        call(ring)
    assert isinstance(caught.value, error)
    assert ring.nodes is before
    ring.add_node("c")  # as it says
    ring.remove_node("a")
    assert ring.get_nodes() == ["b", "c"]


@given(st.lists(st.sampled_from(["a", "b", b"b", "é", "é".encode(), "a\0", "zz"]), max_size=8))
def test_ids_are_looked_up_by_their_bytes(asked: list[Any]) -> None:
    ids = ["a", b"b", "é"]
    nodes = rvh.NodeSet(ids)
    there = {rvh.keys.key_bytes(node) for node in ids}
    for node in asked:
        assert (node in nodes) == (rvh.keys.key_bytes(node) in there)
    assert list(nodes.remove(["a"])) == [b"b", "é"]
    with pytest.raises(rvh.RVHError, match="node id is of type int"):
        nodes.remove([5])


def test_the_face_of_a_ring() -> None:
    ring = RingFace([f"node{n}" for n in range(5)])
    nodes = rvh.NodeSet([f"node{n}" for n in range(5)], scheme="murmur")
    keys = [f"key-{n}" for n in range(200)]
    assert [ring.get_node(key) for key in keys] == nodes.select_batch(keys)[:, 0].tolist()
    assert ring.get_nodes() == list(nodes)
    assert ring.get_nodes("x", 3) == nodes.select("x", 3)
    assert list(ring.range("x")) == list(ring.iterate_nodes("x")) == nodes.select("x", 5)
    ring.remove_node("node3")
    assert [ring.get_node(key) for key in keys] == nodes.remove("node3").select_batch(keys)[
        :, 0
    ].tolist()
    ring.add_node("node3")
    assert [ring.get_node(key) for key in keys] == nodes.select_batch(keys)[:, 0].tolist()
    assert len(ring) == 5
    assert "RingFace(NodeSet" in repr(ring)
    assert ring.distribution == {
        "node0": 0.2, "node1": 0.2, "node2": 0.2, "node4": 0.2, "node3": 0.2
    }  # fmt: skip


def test_weights_of_the_face() -> None:
    ring = RingFace({"a": {"weight": 3}, "b": 1})
    ring.add_node("c", {"weight": 4})
    ring.add_node("d")
    assert ring.nodes.weights is not None
    assert ring.nodes.weights.tolist() == [3, 1, 4, 1]
    assert ring.distribution["c"] == 4 / 9
    own = rvh.NodeSet(["a", "b"], secret=b"s")
    assert RingFace(own).nodes is own
    plain = RingFace(["a"])
    plain.add_node("b", {"weight": 1})
    with pytest.raises(rvh.RVHError, match="node 'c' has the weight 2, but the nodes have none"):
        plain.add_node("c", 2)


def test_as_many_nodes_as_there_are() -> None:
    ring = RingFace(["a", "b", "c"])
    every = ring.get_nodes("x")
    for size in (None, 0, 3, 4, 10**9):
        assert ring.get_nodes("x", size) == list(ring.range("x", size)) == every
    assert list(ring.range("x", 2)) == every[:2]


def test_a_node_that_is_added_again() -> None:
    ring = RingFace(["a", "b"])
    before = ring.nodes
    ring.add_node("a")
    ring.add_node(b"b", {"weight": 1})
    assert ring.nodes is before
    weighted = RingFace({"a": 1, "b": 1})
    weighted.add_node("b", {"weight": 3})
    weighted.add_node("a")
    assert weighted.distribution == {"a": 0.25, "b": 0.75}


def test_a_face_travels_with_its_nodes() -> None:
    ring = RingFace({"a": 3, "b": 1})
    ring.add_node("c", 2)
    again = pickle.loads(pickle.dumps(ring))
    assert again.nodes == ring.nodes
    again.remove_node("a")
    assert ring.get_nodes() == ["a", "b", "c"]


def test_no_change_is_lost_where_several_threads_make_them() -> None:
    ring = RingFace(["first"])
    every = [f"node-{n}" for n in range(80)]

    def add_and_remove(part: list[str]) -> None:
        for node in part:
            ring.add_node(f"not {node}")
            ring.add_node(node)
            ring.remove_node(f"not {node}")

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=add_and_remove, args=(every[n::4],)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert sorted(ring.get_nodes()) == sorted(["first", *every])


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: RingFace(["a"]).add_node("b", np.array([1, 2])), ValueError, "weight"),
        (lambda: RingFace(["a"]).get_nodes("x", -1), ValueError, "size is -1"),
        (lambda: RingFace(["a"]).get_nodes("x", 1.5), TypeError, "size is 1.5"),
        (lambda: RingFace(["a"]).range(None), TypeError, "key is of type NoneType"),
        (lambda: RingFace([]).nodes, ValueError, "the ring has no nodes: add one"),
        (lambda: RingFace({"a": 0}), ValueError, "every weight is 0"),
        (lambda: RingFace(["a"]).remove_node("b"), KeyError, "'b' is not in the set"),
        (lambda: RingFace([4, "4"]), ValueError, "'4' appears at positions 0 and 1"),
        (lambda: RingFace([4, True]), TypeError, "position 1 is of type bool"),
        (lambda: RingFace({"a"}), TypeError, "nodes is of type set"),
        (lambda: RingFace({"a": 1}, {"a": 2}), ValueError, "weights= was given with nodes"),
        (lambda: RingFace([["a"], "b"], {"b": 2}), TypeError, "position 0 is of type list"),
        (lambda: RingFace(iter(["a"]), {"a": 2}), TypeError, "nodes is of type list_iterator"),
        (lambda: RingFace(["a"], [2]), TypeError, "weights is of type list"),
        (lambda: RingFace(rvh.NodeSet(["a"]), weight_fn=len), ValueError, "with a NodeSet"),
        (lambda: RingFace(["a"], weight_fn=12), TypeError, "weight_fn is 12: pass a function"),
        (lambda: RingFace(["a"], hash_fn="md5"), TypeError, "hash_fn is 'md5': .* or 'ketama'"),
        (lambda: RingFace(["a"], vnodes=1.5), TypeError, "vnodes is 1.5"),
    ],
)
def test_bad_input(call: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(rvh.RVHError, match=words) as caught:
        call()
    assert isinstance(caught.value, error)
