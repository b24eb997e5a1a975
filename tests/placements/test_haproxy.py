"""HAProxy's hashes of servers: where a running HAProxy sends requests, and bad input."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import pytest
from asking import hosts_of
from folders import VECTORS
from servers import Server, free_port, needed

import rvh
from rvh.placements import haproxy, haproxy_map

SERVERS = [f"web{n}" for n in range(6)]
WEIGHTS = [1, 2, 30, 256, 100, 0]
IDS = [10, 7, 1, 300, 2, 2**31 - 1]
KEYS = [f"user:{n}{'x' * (n % 50)}" for n in range(400)] + ["é", "/a/b.html"]

FUNCTIONS = list(product(["sdbm", "djb2", "wt6", "crc32"], [False, True]))
#: a backend's name, what it balances by, the kind of its hash, and whether it has weights
BACKENDS = {
    "consistent": ("hdr(x-key)", "consistent", False),
    "weights": ("hdr(x-key)", "consistent", True),
    "paths": ("uri", "consistent", False),
    "map": ("hdr(x-key)", "map-based", True),
}


def configuration(port: int, upstream: int) -> str:
    lines = [
        "global",
        "  maxconn 200",
        "defaults",
        "  mode http",
        *(f"  timeout {what} 20s" for what in ("connect", "client", "server")),
        "frontend in",
        f"  bind 127.0.0.1:{port}",
        "  use_backend %[req.hdr(x-backend)]",
        "frontend servers",
        f"  bind 127.0.0.1:{upstream}",
        "  http-request return status 200",
    ]
    for (name, (by, kind, weighted)), (function, avalanche) in product(BACKENDS.items(), FUNCTIONS):
        lines += [
            f"backend {name}-{function}-{avalanche}",
            f"  balance {by}",
            f"  hash-type {kind} {function} {'avalanche' if avalanche else ''}",
            "  http-response set-header x-host %[srv_name]",
        ]
        for server, weight, number in zip(SERVERS, WEIGHTS, IDS, strict=True):
            options = f"weight {weight} id {number}" if weighted else ""
            lines.append(f"  server {server} 127.0.0.1:{upstream} {options}")
    return "\n".join([*lines, ""])


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A HAProxy with all backends; gives its port."""
    folder = tmp_path_factory.mktemp("haproxy")
    port = free_port()
    path = folder / "haproxy.cfg"
    path.write_text(configuration(port, free_port()))

    def answers() -> list[str]:
        return hosts_of(port, [head("consistent-sdbm-False", "key")])

    with Server([needed("haproxy"), "-db", "-f", str(path)], answers, folder).running():
        yield port


def head(backend: str, key: str) -> bytes:
    path = f"/{key}?not hashed".encode().replace(b" ", b"+") if key.isascii() else b"/other"
    return path + f"\nx-backend: {backend}\nx-key: {key}".encode()


@pytest.mark.parametrize(("function", "avalanche"), FUNCTIONS)
def test_servers_of_a_running_haproxy(proxy: int, function: str, avalanche: bool) -> None:
    options: dict[str, Any] = {"hash_fn": function, "avalanche": avalanche}
    plain = haproxy(SERVERS, **options)
    weighted = haproxy(SERVERS, WEIGHTS, server_ids=IDS, **options)
    table = haproxy_map(SERVERS, WEIGHTS, **options)
    paths = [f"/{key}" if key.isascii() else "/other" for key in KEYS]
    for name, placement, keys in (
        ("consistent", plain, KEYS),
        ("weights", weighted, KEYS),
        ("paths", plain, paths),
        ("map", table, KEYS),
    ):
        want = hosts_of(proxy, [head(f"{name}-{function}-{avalanche}", key) for key in KEYS])
        assert placement.lookup_batch(keys)[:, 0].tolist() == want
        assert [placement.lookup(key)[0] for key in keys[:50]] == want[:50]


# -- what does not need it ----------------------------------------------------------------------


def test_a_server_without_weight_is_one_that_is_left_out() -> None:
    ring, fewer = haproxy(SERVERS), haproxy(SERVERS, [0, 1, 1, 1, 1, 1])
    assert fewer.lookup_batch(KEYS).tolist() == ring.without("web0").lookup_batch(KEYS).tolist()


def test_points_are_the_servers_ids() -> None:
    assert haproxy(["a", "b"]) == haproxy(["a", "b"], server_ids=[1, 2])
    assert haproxy(["a", "b"]) != haproxy(["b", "a"])
    assert len(haproxy(SERVERS, WEIGHTS)) == 16 * sum(WEIGHTS)
    assert haproxy_map(["a", "b", "c"], [4, 2, 2]) == haproxy_map(["a", "b", "c"], [2, 1, 1])
    assert haproxy_map(["a", "b"]).owners.tolist() == [[0], [1]]
    assert haproxy_map(["a", "b"], [0, 5]).ids.tolist() == ["b"]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: haproxy(["a"], [257]), "HAProxy takes whole numbers from 0 to 256"),
        (lambda: haproxy(["a"], [0.5]), "HAProxy takes whole numbers from 0 to 256"),
        (lambda: haproxy(["a"], [0]), "every weight is 0"),
        (lambda: haproxy(["a"], hash_fn="md5"), "hash_fn is 'md5': choose one of sdbm, djb2, wt6"),
        (lambda: haproxy_map(["a"], hash_fn="md5"), "hash_fn is 'md5': choose one of sdbm, djb2"),
        (lambda: haproxy(["a"], hash_key="guid"), "hash_key is 'guid': choose one of id, addr"),
        (lambda: haproxy(["a"], server_ids=[0]), "the server id at position 0 is 0: HAProxy takes"),
        (lambda: haproxy(["a"], server_ids=["1"]), "server id at position 0 is '1': pass integers"),
        (lambda: haproxy(["a", "b"], server_ids=[3, 3]), "two servers have the id 3"),
        (lambda: haproxy(["a", "b"], server_ids=[3]), "server_ids has 1 elements for 2 nodes"),
        (lambda: haproxy(["a"], hash_key="addr"), "the address at position 0 is 'a': pass an IP"),
        (
            lambda: haproxy(["10.0.0.1"], hash_key="addr-port"),
            "at position 0 is '10.0.0.1': pass an IP address:port",
        ),
        (
            lambda: haproxy(["a", "b"], hash_key="addr", addresses=["10.0.0.1"]),
            "addresses has 1 elements for 2 nodes",
        ),
        (
            lambda: haproxy(["a"], addresses=["10.0.0.1"]),
            'addresses change nothing where hash_key is "id"',
        ),
        (lambda: haproxy(["a"], avalanche="no"), "avalanche is 'no': pass True or False"),
        (lambda: haproxy(["a"]).lookup(1), "the integer 1, and nothing says"),
    ],
)
def test_bad_input(call: Callable[[], Any], words: str) -> None:
    with pytest.raises(rvh.RVHError, match=words):
        call()


@pytest.mark.parametrize("hash_key", ["id", "addr", "addr-port"])
def test_hash_keys_of_servers(hash_key: str) -> None:
    recorded = json.loads((VECTORS / "haproxy_hash_key.json").read_bytes())
    addresses, weights = recorded["addresses"], recorded["weights"]
    ring = haproxy(addresses, weights, hash_fn="crc32", hash_key=hash_key)
    assert ring.arglookup_batch(recorded["keys"])[:, 0].tolist() == recorded["owners"][hash_key]
    if hash_key != "id":
        names = [f"web{n}" for n in range(len(addresses))]
        named = haproxy(names, weights, hash_fn="crc32", hash_key=hash_key, addresses=addresses)
        assert named.tokens.tolist() == ring.tokens.tolist()
