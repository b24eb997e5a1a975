"""Cassandra's replicas: those of DataStax's driver over random clusters, and bad input."""

from __future__ import annotations

import pickle
import random
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

import rvh
from rvh.placements import TokenMap, cassandra
from rvh.ring import Migration, Ring

KEYS = [f"user:{n}" for n in range(1000)]


def the_driver() -> Any:
    return pytest.importorskip("cassandra.metadata", reason="cassandra-driver is not installed")


class Host(NamedTuple):
    name: str
    datacenter: str
    rack: str


class Cluster(NamedTuple):
    """Nodes with tokens, datacenters and racks, drawn at random."""

    tokens: dict[str, list[int]]
    hosts: dict[str, Host]
    factors: dict[str, int]

    @classmethod
    def of(cls, seed: int) -> Cluster:
        """A cluster of 1 to 3 datacenters of 1 to 12 nodes, on racks of uneven sizes."""
        rng = random.Random(seed)
        vnodes = rng.choice([1, 3, 16])
        names = [f"dc{n}" for n in range(rng.randint(1, 3))]
        hosts: dict[str, Host] = {}
        for name in names:
            racks = rng.randint(1, 5)
            for number in range(rng.randint(1, 12)):
                node = f"{name}-{number}"
                hosts[node] = Host(node, name, f"rack{min(rng.randrange(racks), rng.randrange(9))}")
        taken: set[int] = set()
        while len(taken) < vnodes * len(hosts):
            taken.add(rng.randint(-(2**63), 2**63 - 1))
        free = rng.sample(sorted(taken), len(taken))
        tokens = {node: [free.pop() for _ in range(vnodes)] for node in hosts}
        factors = {name: rng.choice([0, 1, 2, 3, 5]) for name in names}
        factors[names[0]] = max(1, factors[names[0]])
        return cls(tokens, hosts, factors)

    def placement(self) -> TokenMap:
        """The replicas by NetworkTopologyStrategy."""
        return cassandra(
            self.tokens,
            self.factors,
            datacenters={node: host.datacenter for node, host in self.hosts.items()},
            racks=[host.rack for host in self.hosts.values()],
        )

    def map_of_the_driver(self, strategy: Any) -> list[list[str]]:
        """The driver's replicas of each range, in its order."""
        metadata = pytest.importorskip(
            "cassandra.metadata", reason="cassandra-driver is not installed"
        )
        owners = {
            metadata.Murmur3Token(token): self.hosts[node]
            for node, tokens in self.tokens.items()
            for token in tokens
        }
        ring = sorted(owners)
        map_of = metadata.TokenMap(metadata.Murmur3Token, owners, ring, None)
        keyspace = type("Keyspace", (), {"replication_strategy": strategy})
        found = map_of.replica_map_for_keyspace(keyspace)
        return [[host.name for host in found[token]] for token in ring]


def strategy_of_the_driver(name: str, options: Any) -> Any:
    return getattr(the_driver(), name)(options)


@pytest.mark.parametrize("seeds", [range(start, start + 25) for start in (0, 25, 50, 75)])
def test_network_topology_strategy_of_the_driver(seeds: range) -> None:
    """The driver has the same nodes; where it has one twice, we have its nodes and others."""
    compared = ordered = doubled = 0
    for seed in seeds:
        cluster = Cluster.of(seed)
        strategy = strategy_of_the_driver("NetworkTopologyStrategy", cluster.factors)
        placement = cluster.placement()
        names = placement.ids[placement.owners].tolist()
        sizes = {
            name: sum(host.datacenter == name for host in cluster.hosts.values())
            for name in cluster.factors
        }
        count = sum(min(factor, sizes[name]) for name, factor in cluster.factors.items())
        for ours, theirs in zip(names, cluster.map_of_the_driver(strategy), strict=True):
            assert len(set(ours)) == len(ours) == count
            if len(set(theirs)) < count:
                assert len(set(theirs)) < len(theirs) or len(theirs) < count
                doubled += 1
                assert set(theirs) <= set(ours)
            else:
                assert set(theirs) == set(ours)
            compared += 1
            ordered += ours == theirs
    assert compared > 1000 > doubled * 5
    assert ordered > 100


def test_simple_strategy_of_the_driver() -> None:
    for seed in range(30):
        cluster = Cluster.of(seed)
        factor = 1 + seed % min(4, len(cluster.hosts))
        strategy = strategy_of_the_driver("SimpleStrategy", {"replication_factor": str(factor)})
        placement = cassandra(cluster.tokens, factor)
        theirs = cluster.map_of_the_driver(strategy)
        assert placement.ids[placement.owners].tolist() == theirs
        ring = Ring.from_tokens(cluster.tokens, "murmur3")
        assert (
            placement.lookup_batch(KEYS, factor).tolist()
            == ring.lookup_batch(KEYS, factor).tolist()
        )


def test_keys_of_the_driver() -> None:
    """Its token of a key, and its search of the range."""
    metadata = the_driver()
    cluster = Cluster.of(3)
    strategy = strategy_of_the_driver("NetworkTopologyStrategy", cluster.factors)
    theirs = cluster.map_of_the_driver(strategy)
    placement = cluster.placement()
    k = placement.owners.shape[1]
    found = placement.lookup_batch(KEYS, k).tolist()
    owners = {
        metadata.Murmur3Token(token): cluster.hosts[node]
        for node, tokens in cluster.tokens.items()
        for token in tokens
    }
    by_token = dict(zip(sorted(owners), theirs, strict=True))
    keyspace = type("Keyspace", (), {"replication_strategy": strategy})
    whole = type("Metadata", (), {"keyspaces": {"ks": keyspace}})
    map_of = metadata.TokenMap(metadata.Murmur3Token, owners, sorted(owners), whole)
    for key, ours in zip(KEYS, found, strict=True):
        hosts = map_of.get_replicas("ks", metadata.Murmur3Token.from_key(key.encode()))
        assert sorted(host.name for host in hosts) == sorted(ours)
        assert placement.lookup(key, k) == ours
    assert len(by_token) == len(placement)


# -- what does not need the driver --------------------------------------------------------------


def test_a_rack_again_only_where_there_are_too_few() -> None:
    """By Cassandra's rule: with 3 replicas of 2 racks, one rack is repeated, the first time."""
    tokens = {"a": [0], "b": [10], "c": [20], "d": [30], "e": [40]}
    racks = ["1", "1", "1", "2", "1"]
    where: dict[str, Any] = {"datacenters": ["eu"] * 5, "racks": racks}
    replicas = cassandra(tokens, {"eu": 3}, **where)
    assert replicas.ids[replicas.owners].tolist() == [
        ["a", "b", "d"],
        ["b", "c", "d"],
        ["c", "d", "e"],
        ["d", "e", "a"],
        ["e", "a", "d"],
    ]
    everywhere = cassandra(tokens, {"eu": 9}, **where)
    assert everywhere.owners.shape == (5, 5)
    one_each = cassandra(tokens, {"eu": 2}, datacenters=where["datacenters"])
    assert one_each == cassandra(tokens, 2)


def test_it_is_a_value_that_leads_into_a_migration() -> None:
    placement = cassandra({"a": [-(2**62), 5], "b": [0, 2**62], "c": [7]}, 2)
    again = pickle.loads(pickle.dumps(placement))
    assert again == placement
    assert hash(again) == hash(placement)
    assert again.tokens.tolist() == [-(2**62), 0, 5, 7, 2**62]
    assert placement != placement.with_integers("int64_be")
    assert placement.with_integers("int64_be").with_integers(None) == placement
    assert repr(placement) == "TokenMap(3 nodes, 5 ranges of 2 replicas)"
    bigint = placement.with_integers("int64_be")
    assert bigint.lookup_batch([1, -7], 2).tolist() == [bigint.lookup(1, 2), bigint.lookup(-7, 2)]
    with pytest.raises(rvh.RVHError, match="the integer 1, and nothing says"):
        placement.lookup_batch([1])
    nodes = rvh.NodeSet(["a", "b", "c"])
    moved = Migration(placement, nodes, k=2).moves(KEYS)
    old, new = placement.lookup_batch(KEYS, 2), nodes.select_batch(KEYS, 2)
    want = sum(len(set(b) - set(a)) for a, b in zip(old.tolist(), new.tolist(), strict=True))
    assert len(moved.row) == want


TWO: dict[str, list[int]] = {"a": [1], "b": [2]}
WHERE = ["eu", "us"]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: cassandra([1], 2), "tokens is of type list: pass a mapping"),
        (lambda: cassandra({"a": [1], "b": [1]}, 2), "token 1 belongs to node 'a' and again to"),
        (lambda: cassandra(TWO, 0), "replication is 0: choose 1 <="),
        (lambda: cassandra(TWO, 1.5), "replication is 1.5: pass a whole number"),
        (lambda: cassandra(TWO, 2, datacenters=WHERE), "replication is 2, which is SimpleStrat"),
        (lambda: cassandra(TWO, 2, racks=["1", "2"]), 'in each datacenter, as {"dc1": 2}'),
        (lambda: cassandra(TWO, {"eu": 1}), "names datacenters, and nothing says where the nodes"),
        (lambda: cassandra(TWO, {"eu": -1}, datacenters=WHERE), "datacenter 'eu' is -1: pass 0"),
        (
            lambda: cassandra(TWO, {"eu": "1"}, datacenters=WHERE),
            "'eu' is '1': pass a whole",
        ),
        (
            lambda: cassandra(TWO, {"asia": 1}, datacenters=WHERE),
            "no node with a token is: .* eu, u",
        ),
        (lambda: cassandra(TWO, {"eu": 0}, datacenters=WHERE), "replication leaves no replica"),
        (
            lambda: cassandra(TWO, {"eu": 1}, datacenters=["eu"]),
            "datacenters has 1 names for 2",
        ),
        (lambda: cassandra(TWO, {"eu": 1}, datacenters={"a": "eu"}), "no name for node 'b': give"),
        (
            lambda: cassandra(TWO, {"eu": 1}, datacenters=WHERE, racks=[1, 2]),
            "racks: .* 'a' is 1",
        ),
        (lambda: TokenMap(["a", "b"], [1]), "there are 1 tokens for 2 ranges"),
        (
            lambda: TokenMap(["a", "b"], [2, 1]),
            "token at position 1 is not above the one before",
        ),
        (
            lambda: TokenMap(["a"], [2**63]),
            "token at position 0 is 9223372036854775808: those",
        ),
        (lambda: TokenMap([["a", "a"]], [1]), "slot 0 has a node twice"),
        (lambda: cassandra(TWO, 2).lookup("x", 3), "k is 3, but a slot has 2 nodes"),
        (lambda: cassandra(TWO, 2, integers="big"), "integers is 'big': choose one of"),
    ],
)
def test_bad_input(call: Callable[[], Any], words: str) -> None:
    with pytest.raises(rvh.RVHError, match=words):
        call()
