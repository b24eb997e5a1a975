"""Envoy's ring hash and Maglev: where a running Envoy sends requests, and bad input."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from asking import hosts_of
from servers import Server, free_port, needed

import rvh
from rvh.placements import envoy_ring, maglev
from rvh.ring import Migration

HOSTS = 7
WEIGHTS = [1, 2, 3, 5, 8, 1, 13]
NAMES = [f"shard-{n}" for n in range(HOSTS)]
KEYS = [f"user:{n}{'x' * (n % 50)}" for n in range(1500)] + ["é", "a b", '{"id": 7}']

MURMUR = {"hash_function": "MURMUR_HASH_2", "minimum_ring_size": 100, "maximum_ring_size": 500}
SMALL = {"minimum_ring_size": 10, "maximum_ring_size": 10}


@dataclass
class Case:
    """A cluster in Envoy's words, and the same as a placement of the hosts' addresses."""

    make: Callable[..., Any]
    policy: str = "RING_HASH"
    options: Any = None
    weights: list[int] | None = None
    hash_keys: list[str] | None = None
    by_name: bool = False

    def cluster(self, name: str, addresses: list[tuple[str, int]]) -> dict[str, Any]:
        """The cluster, as in Envoy's configuration."""
        hosts: list[dict[str, Any]] = [
            {"endpoint": {"address": address(*each)}} for each in addresses
        ]
        for place, host in enumerate(hosts):
            if self.weights:
                host["load_balancing_weight"] = self.weights[place]
            if self.hash_keys:
                key = {"hash_key": self.hash_keys[place]}
                host["metadata"] = {"filter_metadata": {"envoy.lb": key}}
        cluster: dict[str, Any] = {
            "name": name,
            "type": "STATIC",
            "lb_policy": self.policy,
            "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": hosts}]},
        }
        if self.options:
            cluster[f"{self.policy.lower()}_lb_config"] = self.options
        if self.by_name:
            cluster["type"] = "STRICT_DNS"
            cluster["common_lb_config"] = {
                "consistent_hashing_lb_config": {"use_hostname_for_hashing": True}
            }
        return cluster

    def placement(self, hosts: list[str]) -> Any:
        """The placement that answers as the cluster."""
        hash_keys = [host.partition(":")[0] for host in hosts] if self.by_name else self.hash_keys
        return self.make(hosts, self.weights, hash_keys=hash_keys, **(self.options or {}))


CASES = {
    "ring": Case(envoy_ring),
    "ring-weights": Case(envoy_ring, weights=WEIGHTS),
    "ring-murmur": Case(envoy_ring, options=MURMUR, weights=WEIGHTS),
    "ring-small": Case(envoy_ring, options=SMALL),
    "ring-hash-keys": Case(envoy_ring, weights=WEIGHTS, hash_keys=NAMES),
    "ring-host-names": Case(envoy_ring, by_name=True),
    "maglev": Case(maglev, "MAGLEV"),
    "maglev-weights": Case(maglev, "MAGLEV", {"table_size": 1009}, WEIGHTS),
    "maglev-hash-keys": Case(maglev, "MAGLEV", {"table_size": 65537}, WEIGHTS, NAMES[::-1]),
}


def address(host: str, port: int) -> dict[str, Any]:
    return {"socket_address": {"address": host, "port_value": port}}


def listener(name: str, addresses: list[tuple[str, int]], route: dict[str, Any]) -> dict[str, Any]:
    types = "type.googleapis.com/envoy.extensions.filters"
    hosts = [{"name": name, "domains": ["*"], "routes": [{"match": {"prefix": "/"}, **route}]}]
    router = {"@type": f"{types}.http.router.v3.Router"}
    manager = {
        "@type": f"{types}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": name,
        "http_filters": [{"name": "envoy.filters.http.router", "typed_config": router}],
        "route_config": {"virtual_hosts": hosts},
    }
    filters = [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]
    more = [{"address": address(*each)} for each in addresses[1:]]
    return {
        "name": name,
        "address": address(*addresses[0]),
        "additional_addresses": more,
        "filter_chains": [{"filters": filters}],
    }


@pytest.fixture(scope="module")
def envoy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, list[str]]]:
    """An Envoy with all cases, and its own hosts; gives its port, and the hosts' addresses."""
    folder: Path = tmp_path_factory.mktemp("envoy")
    port, upstream = free_port(), free_port()
    addresses = [(f"127.0.0.{n + 1}", upstream) for n in range(HOSTS)]
    policy = [{"header": {"header_name": "x-key"}}]
    says = {"header": {"key": "x-host", "value": "%UPSTREAM_REMOTE_ADDRESS%"}}
    sent = {
        "route": {"cluster_header": "x-cluster", "hash_policy": policy},
        "response_headers_to_add": [says],
    }
    listeners = [
        listener("in", [("127.0.0.1", port)], sent),
        listener("hosts", addresses, {"direct_response": {"status": 200}}),
    ]
    clusters = [case.cluster(name, addresses) for name, case in CASES.items()]
    path = folder / "envoy.json"
    path.write_text(
        json.dumps({"static_resources": {"listeners": listeners, "clusters": clusters}})
    )
    command = [needed("envoy"), "-c", str(path), "--use-dynamic-base-id", "--concurrency", "1"]

    def answers() -> bool:
        return all(hosts_of(port, [head(name, "")]) for name in CASES)

    with Server([*command, "--log-level", "warning"], answers, folder).running():
        yield port, [f"{host}:{upstream}" for host, _ in addresses]


def head(cluster: str, key: str) -> bytes:
    return f"/\nx-cluster: {cluster}\nx-key: {key}".encode()


@pytest.mark.parametrize("name", CASES)
def test_hosts_of_a_running_envoy(envoy: tuple[int, list[str]], name: str) -> None:
    port, hosts = envoy
    placement = CASES[name].placement(hosts)
    want = hosts_of(port, [head(name, key) for key in KEYS])
    assert placement.lookup_batch(KEYS)[:, 0].tolist() == want
    assert [placement.lookup(key)[0] for key in KEYS[:50]] == want[:50]


# -- what does not need it ----------------------------------------------------------------------


def test_the_table_of_the_paper() -> None:
    """Every node has as many entries as any other, to within one, and a lost one's move."""
    nodes = [f"10.0.0.{n}:80" for n in range(10)]
    table = maglev(nodes)
    counts = np.bincount(table.owners[:, 0])
    assert counts.max() - counts.min() <= 1
    fewer = maglev(nodes[:-1])
    before, after = table.ids[table.owners[:, 0]], fewer.ids[fewer.owners[:, 0]]
    stays = before != nodes[-1]
    assert (before[stays] == after[stays]).mean() > 0.9


def test_the_order_of_hosts() -> None:
    """It decides who has one point more on a small ring; Maglev sorts the hosts itself."""
    nodes, keys = NAMES[:5], [f"key-{n}" for n in range(500)]
    small = {"minimum_ring_size": 8, "maximum_ring_size": 8}
    counts = np.bincount(envoy_ring(nodes, **small).owners)
    assert counts.tolist() == [2, 2, 1, 2, 1]
    turned = envoy_ring(nodes[::-1], **small)
    assert (turned.lookup_batch(keys) != envoy_ring(nodes, **small).lookup_batch(keys)).any()
    table = maglev(nodes, WEIGHTS[:5], table_size=1009)
    turned_table = maglev(nodes[::-1], WEIGHTS[:5][::-1], table_size=1009)
    assert (turned_table.lookup_batch(keys) == table.lookup_batch(keys)).all()
    assert maglev(nodes, dict(zip(nodes, WEIGHTS, strict=False)), table_size=1009) == table


def test_they_lead_into_a_migration() -> None:
    nodes = NAMES[:3]
    keys = [f"key-{n}" for n in range(200)]
    for old in (envoy_ring(nodes), maglev(nodes, table_size=101)):
        moved = Migration(old, rvh.NodeSet(nodes)).moves(keys)
        stays = old.lookup_batch(keys) == rvh.NodeSet(nodes).select_batch(keys, 1)
        assert moved.row.tolist() == np.flatnonzero(~stays[:, 0]).tolist()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: envoy_ring(["a", "b"], [1, 0]), "weight of node 'b' .position 1. is 0.0: Envoy"),
        (lambda: envoy_ring(["a"], [1.5]), "Envoy takes whole numbers from 1 to 4294967295"),
        (lambda: envoy_ring(["a", "b"], [2**32 - 1, 1]), "together: Envoy takes up to 4294967295"),
        (lambda: envoy_ring(["a"], hash_function="MD5"), "hash_function is 'MD5': choose one of"),
        (
            lambda: envoy_ring(["a"], minimum_ring_size=9, maximum_ring_size=8),
            "ring_size is 9, but",
        ),
        (lambda: envoy_ring(["a"], maximum_ring_size=2**23 + 1), "maximum_ring_size is 8388609"),
        (lambda: envoy_ring(["a", "a"]), "same"),
        (lambda: envoy_ring(["a", "b"], hash_keys=["x"]), "hash_keys has 1 elements for 2 nodes"),
        (lambda: envoy_ring(["a"], hash_keys=[7]), "the hash key at position 0 is 7: pass str"),
        (lambda: envoy_ring(["a"], hash_keys="x"), "hash_keys is 'x': pass one value for each"),
        (lambda: envoy_ring(["a"]).lookup(7), "the integer 7, and nothing says"),
        (lambda: maglev(["a"], table_size=65536), "table_size is 65536: Envoy takes primes"),
        (lambda: maglev(["a"], table_size=5_000_012), "table_size is 5000012"),
        (lambda: maglev(["a", "b", "c"], table_size=2), "table_size is 2, with 3 nodes"),
        (lambda: maglev(["a"], table_size=1), "table_size is 1: Envoy takes primes"),
        (lambda: maglev(["a"], [0]), "every weight is 0"),
    ],
)
def test_bad_input(call: Callable[[], Any], words: str) -> None:
    with pytest.raises(rvh.RVHError, match=words):
        call()
