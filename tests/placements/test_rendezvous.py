"""Rendezvous by the hash of ``node-key``: the packages themselves, and bad input."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sizes import examples

import rvh
from rvh.placements import Rendezvous, clandestined, pymemcache
from rvh.ring import Migration

SERVERS = [f"10.0.0.{n}:11211" for n in range(8)]
KEYS = [f"user:{n}{'x' * (n % 40)}" for n in range(300)] + ["", "é", "ключ", "😀" * 3, "a€"]
ZONES = ["us", "eu", "eu", "asia", "us", "eu", "z", "us"]

names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12).filter(
    lambda name: not name.endswith("\0")
)
nodes_of = st.lists(names, min_size=1, max_size=7, unique=True)
keys_of = st.lists(st.text(st.characters(codec="utf-8"), max_size=40), max_size=20)


def packages() -> tuple[Any, Any]:
    its = pytest.importorskip("clandestined", reason="clandestined is not installed")
    hashes = pytest.importorskip(
        "pymemcache.client.rendezvous", reason="pymemcache is not installed"
    )
    return hashes, its


@given(nodes=nodes_of, keys=keys_of, seed=st.integers(0, 2**31 - 1))
@settings(max_examples=examples(60))
def test_the_packages_themselves(nodes: list[str], keys: list[str], seed: int) -> None:
    hashes, its = packages()
    for theirs, find, ours in (
        (hashes.RendezvousHash(list(nodes), seed), "get_node", pymemcache(nodes, seed=seed)),
        (its.RendezvousHash(list(nodes), seed), "find_node", clandestined(nodes, seed=seed)),
    ):
        want = [getattr(theirs, find)(key) for key in keys]
        assert ours.lookup_batch(keys)[:, 0].tolist() == want
        assert [ours.lookup(key)[0] for key in keys] == want


def test_the_next_nodes_win_without_those_before() -> None:
    hashes, _ = packages()
    ours = pymemcache(SERVERS)
    for key, row in zip(
        KEYS[:60], ours.lookup_batch(KEYS[:60], len(SERVERS)).tolist(), strict=True
    ):
        theirs = hashes.RendezvousHash(list(SERVERS))
        for node in row:
            assert theirs.get_node(key) == node
            theirs.remove_node(node)
        assert ours.lookup(key, 3) == row[:3]


def test_of_equal_scores_the_greatest_id_wins() -> None:
    hashes, its = packages()
    from clandestined.murmur3 import murmur3_32

    first: dict[int, str] = {}
    tied = []
    for number in range(300_000):
        score = murmur3_32(f"n{number}-key")
        if first.setdefault(score, f"n{number}") != f"n{number}":
            tied.append((first[score], f"n{number}"))
    assert len(tied) > 3
    for pair in tied:
        for nodes in (list(pair), list(pair[::-1])):
            want = its.RendezvousHash(list(nodes)).find_node("key")
            assert hashes.RendezvousHash(list(nodes)).get_node("key") == want == max(pair)
            for make in (pymemcache, clandestined):
                assert make(nodes).lookup("key", 2) == sorted(pair, reverse=True)


@given(zones=st.lists(names, min_size=1, max_size=8), keys=keys_of)
@settings(max_examples=examples(40))
def test_a_cluster_with_zones(zones: list[str], keys: list[str]) -> None:
    _, its = packages()
    nodes = [f"node{n}" for n in range(len(zones))]
    k = len(set(zones))
    cluster = its.Cluster(
        {node: {"name": node, "zone": zone} for node, zone in zip(nodes, zones, strict=True)},
        replicas=k,
    )
    ours = clandestined(nodes, zones=zones)
    want = [cluster.find_nodes(key) for key in keys]
    assert ours.lookup_batch(keys, k).tolist() == want
    assert [ours.lookup(key, k) for key in keys] == want


# -- what does not need them --------------------------------------------------------------------


def test_keys_of_every_kind_and_threads() -> None:
    pa = pytest.importorskip("pyarrow")
    for ours in (pymemcache(SERVERS), clandestined(SERVERS, zones=ZONES)):
        want = ours.arglookup_batch(KEYS, 3)
        chunks = pa.chunked_array([KEYS[:100], KEYS[100:]])
        for keys in (np.array(KEYS), chunks, chunks.dictionary_encode()):
            assert (ours.arglookup_batch(keys, 3) == want).all()
        assert (ours.arglookup_batch(KEYS, 3, threads=2) == want).all()
        assert ours.lookup_batch([], 2).shape == (0, 2)
        digits = ours.with_integers("text")
        assert digits.lookup_batch(range(20)).tolist() == [ours.lookup(str(n)) for n in range(20)]
        assert digits.lookup(7) == ours.lookup("7")


def test_only_keys_of_nodes_that_are_left_out_move() -> None:
    ours = pymemcache(SERVERS)
    order = ours.lookup_batch(KEYS, 3).tolist()
    left = ours.without(SERVERS[:2])
    assert left == pymemcache(SERVERS[2:])
    want = [next(node for node in row if node not in SERVERS[:2]) for row in order]
    assert left.lookup_batch(KEYS)[:, 0].tolist() == want
    zones = clandestined(SERVERS, zones=ZONES)
    assert zones.without([]) == zones
    assert zones.without(SERVERS[0]) == clandestined(SERVERS[1:], zones=ZONES[1:])
    with pytest.raises(rvh.RVHError, match="no node of zone 'asia' is left: leave one of each"):
        zones.without(SERVERS[3])
    with pytest.raises(rvh.RVHError, match="node id 'x' is not in the placement"):
        ours.without(["x"])
    with pytest.raises(rvh.RVHError, match="no node is left"):
        ours.without(SERVERS)


def test_it_is_a_value_that_leads_into_a_migration() -> None:
    ours = clandestined(SERVERS, zones=ZONES, seed=3)
    again = pickle.loads(pickle.dumps(ours))
    assert again == ours
    assert hash(again) == hash(ours)
    assert again.lookup_batch(KEYS, 4).tolist() == ours.lookup_batch(KEYS, 4).tolist()
    others = [
        clandestined(SERVERS, zones=ZONES),
        clandestined(SERVERS, seed=3),
        clandestined(SERVERS, zones=[*ZONES[1:], "us"], seed=3),
        ours.with_integers("text"),
        pymemcache(SERVERS, seed=3),
    ]
    assert len({ours, *others}) == 6
    assert pymemcache(SERVERS) != pymemcache(SERVERS[::-1])
    assert pymemcache(SERVERS).fingerprint == pymemcache(SERVERS[::-1]).fingerprint
    assert repr(ours) == "Rendezvous(8 nodes, 4 zones, seed=3)"
    new = rvh.NodeSet(SERVERS)
    moved = Migration(pymemcache(SERVERS), new).moves(KEYS)
    stays = pymemcache(SERVERS).lookup_batch(KEYS) == new.select_batch(KEYS, 1)
    assert moved.row.tolist() == np.flatnonzero(~stays[:, 0]).tolist()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: pymemcache([]), "at least one|no nodes|empty"),
        (lambda: pymemcache(["a", "a"]), "same"),
        (lambda: pymemcache(["a"], seed=-1), "seed is -1: pass a whole number from 0"),
        (lambda: pymemcache(["a"], seed=2**32), "seed is 4294967296: pass a whole number"),
        (lambda: pymemcache(["a"], seed="x"), "seed is 'x': pass a whole number"),
        (lambda: pymemcache(["a"]).lookup(7), "the key is the integer 7, and nothing says"),
        (lambda: pymemcache(["a"]).lookup_batch([7]), "position 0 is the integer 7, and nothing"),
        (lambda: pymemcache(["a"]).lookup("x", 2), "k is 2, but there are 1 nodes"),
        (lambda: clandestined(["a", "b"], zones=["x"]), "zones has 1 names for 2 nodes"),
        (lambda: clandestined(["a"], zones=[3]), "the zone at position 0 is 3: pass str"),
        (
            lambda: clandestined(["a", "b"], zones=["x", "x"]).lookup("k", 2),
            "k is 2, but there are 1 zones, and one node of each",
        ),
        (lambda: clandestined(["a"]).lookup(("x", 1)), "the key is of type tuple"),
        (lambda: Rendezvous(["a"], integers="big"), "integers is 'big': choose one of"),
    ],
)
def test_bad_input(call: Callable[[], Any], words: str) -> None:
    with pytest.raises(rvh.RVHError, match=words):
        call()
