"""What uhashring's own tests ask of a HashRing, asked of RingFace, beside uhashring itself.

The cases are those of uhashring 2.4's tests/test_implementation.py, test_distribution.py and
monkey.py, and hash_ring's interface. Answers that depend on where keys are placed are compared by
what they have in common: the node they tell of, their type, how many there are.
"""

from __future__ import annotations

import copy
import pickle
import types
from collections import Counter
from itertools import pairwise
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import pytest
import uhashring

import rvh
from rvh.ring import Migration, RingFace, ketama

KEYS = [f"key{n}" for n in range(300)]
NODES = {
    "node1": {"hostname": "one.local", "instance": object(), "port": 6379, "vnodes": 40},
    "node2": {"hostname": "two.local", "instance": object(), "weight": 2},
    "node3": {"instance": None, "port": 6381, "colour": "red"},
}
BOTH = pytest.mark.parametrize("kind", [RingFace, uhashring.HashRing])


def last_digit(**conf: Any) -> int:
    return int(conf["nodename"][-1])


@BOTH
@pytest.mark.parametrize("options", [{}, {"hash_fn": "ketama"}, {"compat": False}])
def test_size_counts_the_points(kind: Any, options: Any) -> None:
    ring = kind(nodes={"node1": 1, "node2": 1, "node3": 1}, **options)
    assert ring.size == len(ring.ring) == len(ring.get_points())
    assert ring.size % len(ring.get_nodes()) == 0
    assert set(ring.ring.values()) == {node for _, node in ring.get_points()} == set(ring.conf)
    positions = [position for position, _ in ring.get_points()]
    assert all(one < next_ for one, next_ in pairwise(positions))


@BOTH
def test_a_node_that_leaves_and_comes_back_has_its_keys_again(kind: Any) -> None:
    ring = kind({"node1": 1, "node2": 1, "node3": 1}, hash_fn="ketama")
    before = {key: ring.get(key) for key in KEYS}
    del ring["node3"]
    with pytest.raises(KeyError, match="node3"):
        del ring["node3"]
    for key, conf in before.items():
        assert (ring.get(key) == conf) == (conf["nodename"] != "node3")
    ring.add_node("node3", 1)
    assert {key: ring.get(key) for key in KEYS} == before


def test_aliases() -> None:
    ring = RingFace(NODES)
    assert ring.add_node == ring.__setitem__
    assert ring.get_node_instance == ring.__getitem__
    assert ring.remove_node == ring.__delitem__
    assert ring.continuum == ring.ring
    assert list(ring.nodes) == list(ring.conf) == ring.get_nodes()


@pytest.mark.parametrize("options", [{}, {"hash_fn": "ketama"}, {"hash_fn": lambda k: k + "_hash"}])
def test_hashes_of_keys_are_the_same(options: Any) -> None:
    ring, other = RingFace(["a"], **options), uhashring.HashRing(["a"], **options)
    for key in ["test", "coconut", "", "ü"]:
        assert ring.hashi(key) == ring.get_key(key) == other.hashi(key) == other.get_key(key)
    assert ring.gen_key("test") == 3446378249


@BOTH
def test_range_gives_each_node_at_most_once(kind: Any) -> None:
    ring = kind(NODES)
    every = list(ring.range("test"))
    assert sorted(conf["nodename"] for conf in every) == sorted(NODES)
    assert every[0] is ring.get("test")
    for unique in (True, False):
        assert len(list(ring.range("test", size=2, unique=unique))) == 2
    assert list(ring.iterate_nodes("test")) == [conf["nodename"] for conf in every]
    assert list(kind().iterate_nodes("test")) == [None]
    assert list(kind().range("test")) == []


@BOTH
def test_the_ways_to_say_one_node(kind: Any) -> None:
    rings = [kind({"node1": 1}), kind("node1"), kind(["node1"]), kind({"node1": {"weight": 1}})]
    for ring in rings:
        assert ring.ring == rings[0].ring
        assert ring.conf == rings[0].conf
    for wrong in ({"node1": "fail"}, None):
        with pytest.raises(ValueError, match="node"):
            kind(wrong)


@BOTH
@pytest.mark.parametrize("options", [{}, {"hash_fn": "ketama"}])
def test_an_empty_ring_has_no_answers(kind: Any, options: Any, capsys: Any) -> None:
    emptied = kind(["172.31.1.0", "172.31.1.125", "172.31.1.202"], **options)
    for node in list(emptied.get_nodes()):
        emptied.remove_node(node)
    for ring in (kind(**options), kind([]), kind({}), emptied):
        assert (ring.ring, ring.conf, ring.get_points(), ring.get_instances()) == ({}, {}, [], [])
        assert (ring.size, len(ring.distribution), list(ring.get_nodes())) == (0, 0, [])
        for name in (
            "get", "get_node", "get_node_hostname", "get_node_instance", "get_node_port",
            "get_node_pos", "get_node_weight", "get_server",
        ):  # fmt: skip
            assert getattr(ring, name)("test") is None
        assert ring["test"] is None
        ring.print_continuum()
        assert capsys.readouterr().out == "Continuum empty\n"
        ring["node1"] = {"instance": "a client"}
        assert ring["test"] == "a client"


@BOTH
def test_answers_have_the_types_that_code_relies_on(kind: Any, capsys: Any) -> None:
    ring = kind({"node1": 1, "node2": 1, "node3": 1}, hash_fn="ketama")
    assert ring["test"] is None
    assert isinstance(ring.get("test"), dict)
    assert isinstance(ring.get_instances(), list)
    assert isinstance(ring.get_node("test"), str)
    assert sorted(ring.get_nodes()) == ["node1", "node2", "node3"]
    assert isinstance(ring.get_node_hostname("test"), str)
    assert ring.get_node_port("test") is None
    assert isinstance(ring.get_node_pos("test"), int)
    assert isinstance(ring.get_node_weight("test"), int)
    assert isinstance(ring.get_points(), list)
    assert isinstance(ring.get_server("test"), tuple)
    assert isinstance(ring.iterate_nodes("test"), types.GeneratorType)
    assert isinstance(ring.range("test"), types.GeneratorType)
    assert isinstance(ring.distribution, Counter)
    assert isinstance(ring.conf, dict)
    ring.print_continuum()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"Numpoints in continuum: {ring.size}"
    assert lines[1:] == [f"{node} ({position})" for position, node in ring.get_points()]


@BOTH
def test_all_that_is_known_of_the_node_of_a_key(kind: Any) -> None:
    ring = kind(NODES)
    for key in KEYS:
        node, conf = ring.get_node(key), ring.get(key)
        assert conf is ring.conf[node]
        assert conf["nodename"] == node
        assert ring[key] is ring.get_node_instance(key) is conf["instance"]
        assert ring.get_node_hostname(key) == conf["hostname"] == NODES[node].get("hostname", node)
        assert ring.get_node_port(key) == conf["port"] == NODES[node].get("port")
        assert ring.get_node_weight(key) == conf["weight"] == NODES[node].get("weight", 1)
        assert ring.get_server(key)[1] == node
        points = ring.get_points()
        assert points[ring.get_node_pos(key)] == ring.get_server(key)
    assert ring.get_instances() == [NODES["node1"]["instance"], NODES["node2"]["instance"]]
    assert ring.conf == uhashring.HashRing(NODES).conf


@BOTH
def test_an_instance_that_is_put_into_a_configuration_stays(kind: Any) -> None:
    ring = kind({"node1": {"port": 1}, "node2": {"port": 2}})
    for key in KEYS:
        conf = ring.get(key)
        if conf["instance"] is None:
            conf["instance"] = f"client of {conf['nodename']}"
    ring.add_node("node3")
    assert ring.get_instances() == ["client of node1", "client of node2"]


@BOTH
def test_weights_by_a_function(kind: Any) -> None:
    ring = kind({"node1": 1, "node2": 1}, vnodes=40, hash_fn="ketama", weight_fn=last_digit)
    ring.add_node("node3")
    for _ in range(2):
        each = ring.distribution
        total = sum(each.values())
        assert [each[f"node{n}"] / total for n in (1, 2, 3)] == pytest.approx([1 / 6, 1 / 3, 1 / 2])
        assert [ring.conf[f"node{n}"]["weight"] for n in (1, 2, 3)] == [1, 2, 3]
        ring.regenerate()
    for wrong in (12, "coconut"):
        with pytest.raises(TypeError, match="weight_fn"):
            kind({"node1": 1}, weight_fn=wrong)


@BOTH
@pytest.mark.parametrize("options", [{"hash_fn": "ketama"}, {"compat": False}])
def test_a_ring_that_grows_is_that_which_is_made_at_once(kind: Any, options: Any) -> None:
    ring = kind({"node1": 1, "node2": 1, "node3": 1}, **options)
    grown = kind(**options)
    for node in ring.conf:
        grown.add_node(node)
    assert (grown.conf, grown.ring) == (ring.conf, ring.ring)
    assert grown.distribution == ring.distribution
    by_weight = kind(**options)
    for node in ring.conf:
        by_weight[node] = {"weight": 1}
    assert [by_weight.get_node(key) for key in KEYS] == [ring.get_node(key) for key in KEYS]


@BOTH
def test_keys_and_ids_that_are_no_text(kind: Any) -> None:
    ring = kind([1, 2, 3, 4], hash_fn="ketama", replicas=3)
    assert sorted(set(map(ring.get_node, KEYS))) == [1, 2, 3, 4]
    assert ring.get_node(uuid4()) in ring.conf
    ring.remove_node(2)
    uid = uuid4()
    ring.add_node(uid)
    assert list(ring.get_nodes()) == [1, 3, 4, uid]
    assert {type(node) for node in map(ring.get_node, KEYS)} == {int, UUID}
    assert set(ring.iterate_nodes("key")) == {1, 3, 4, uid}


def test_thousand_hits_use_every_node_about_as_often() -> None:
    ring = RingFace()
    for n in range(1, 11):
        ring[f"node{n}"] = {"instance": f"node_value{n}"}
    hits = Counter(ring[str(n)] for n in range(1, 1001))
    assert set(hits) == {f"node_value{n}" for n in range(1, 11)}
    assert np.std(list(hits.values())) <= 20


@BOTH
def test_a_client_that_tries_the_servers_of_a_key(kind: Any) -> None:
    """What uhashring's patch of python-memcached does."""
    down = {"10.0.0.1"}
    servers = [f"10.0.0.{n}" for n in range(1, 4)]
    ring = kind(
        {server: {"hostname": server, "instance": [server], "weight": 1} for server in servers}
    )
    for key in KEYS:
        tried = (node["instance"][0] for node in ring.range(key))
        assert next(server for server in tried if server not in down) in servers[1:]


# -- what RingFace says besides --------------------------------------------------------------------


def test_an_id_that_is_no_text_is_placed_by_its_text() -> None:
    uid = UUID(int=7)
    ring, texts = RingFace([4, uid, "x"]), RingFace(["4", str(uid), "x"])
    assert [str(ring.get_node(key)) for key in KEYS] == [texts.get_node(key) for key in KEYS]
    assert ring.nodes == texts.nodes
    assert Migration(ring, texts).moves(KEYS).row.tolist() == []
    assert ring.get_nodes("key", 2) == [
        {"4": 4, str(uid): uid, "x": "x"}[node] for node in texts.get_nodes("key", 2)
    ]
    assert RingFace(np.array([4, 5])).get_nodes() == RingFace(range(4, 6)).get_nodes() == [4, 5]
    assert RingFace({4: {"port": 1}}).get("key") == {
        "hostname": 4, "instance": None, "nodename": 4, "port": 1, "vnodes": 160, "weight": 1
    }  # fmt: skip
    ring["4"] = {"port": 5}
    assert ring.conf[4]["port"] == 5
    assert ring.distribution == pytest.approx({4: 1 / 3, uid: 1 / 3, "x": 1 / 3})


def test_keys_with_one_hash_stay_together() -> None:
    ring = RingFace([f"node{n}" for n in range(9)], hash_fn=lambda key: key.partition(":")[0])
    assert len({ring.get_node(f"a:{n}") for n in range(99)}) == 1
    assert ring.get_node("a:1") == RingFace([f"node{n}" for n in range(9)]).get_node("a")
    assert len({ring.get_nodes(f"{n}:", 1)[0] for n in range(99)}) == 9


def test_a_configuration_replaces_and_a_number_weighs() -> None:
    ring = RingFace(NODES)
    before = ring.nodes
    ring.add_node("node1")
    ring["node1"] = {"port": 1}
    assert ring.nodes is before  # nothing was prepared anew
    assert ring.conf["node1"] == RingFace({"node1": {"port": 1}}).conf["node1"]
    ring["node1"] = 3
    assert (ring.conf["node1"]["port"], ring.weights["node1"]) == (1, 3)
    assert ring.distribution["node1"] == 0.5
    ring.conf["node2"]["weight"] = -1
    with pytest.raises(rvh.RVHError, match=r"weight of node 'node2' is -1.0"):
        ring.regenerate()
    for node in NODES:
        ring.conf[node]["weight"] = 0
    with pytest.raises(rvh.RVHError, match="every weight is 0"):
        ring.regenerate()
    assert ring.distribution["node1"] == 0.5


def test_who_decides_whether_a_ring_that_begins_empty_has_weights() -> None:
    ring, weighted = RingFace(), RingFace()
    for node in "abc":
        ring.add_node(node)
        weighted.add_node(node, 1)
    assert ring.nodes == RingFace(["a", "b", "c"]).nodes
    assert weighted.nodes == RingFace({"a": 1, "b": 1, "c": 1}).nodes
    with pytest.raises(rvh.RVHError, match="'d' has the weight 2, but the nodes have none"):
        ring["d"] = {"weight": 2}


def test_weights_as_hash_ring_takes_them() -> None:
    ring = RingFace(["a", "b", "c"], {"a": 2, "b": 5, "gone": 7})
    assert ring.weights == {"a": 2, "b": 5, "c": 1}
    assert ring.nodes == RingFace({"a": 2, "b": 5, "c": 1}).nodes
    assert ring.get_node_pos("key") == ring.get_nodes().index(ring.get_node("key"))
    assert RingFace(["a", "b"], None).nodes == RingFace(["a", "b"], {}).nodes
    assert RingFace(["a", "b"]).weights == {"a": 1, "b": 1}
    old = ketama(["a"])
    assert all(ring.gen_key(key) == old.token(key) for key in KEYS)


def test_a_ring_is_no_sequence() -> None:
    ring = RingFace(["a"])
    for call in (lambda: list(ring), lambda: "a" in ring):
        with pytest.raises(TypeError, match="iterable"):
            call()


@pytest.mark.parametrize(
    "again", [copy.copy, copy.deepcopy, lambda ring: pickle.loads(pickle.dumps(ring))]
)
def test_configurations_travel(again: Any) -> None:
    rings: list[RingFace] = [
        RingFace({"a": {"instance": ["a client"], "weight": 2}, 7: {"port": 1}}),
        RingFace(hash_fn="ketama"),
        RingFace([1, "b"], hash_fn=len, weight_fn=abs_of),
    ]
    for ring in rings:
        other = again(ring)
        assert (other.conf, other.distribution) == (ring.conf, ring.distribution)
        assert list(map(other.get_node, KEYS)) == list(map(ring.get_node, KEYS))
        assert other.hashi("test") == ring.hashi("test")
        other["new"] = {"port": 4}
        assert "new" not in ring.conf
        assert other.conf["new"]["vnodes"] == (160 if len(ring) else 40)


def abs_of(**conf: Any) -> int:
    return 1 + len(str(conf["nodename"]))
