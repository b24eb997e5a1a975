"""pymemcache: HashClient over real memcached servers, one of which dies and returns."""

from __future__ import annotations

import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from typing import Any

import pytest
from servers import free_port
from stopping import alone, at_every_line, fork

import rvh

pytest.importorskip("pymemcache", reason="pymemcache is not installed")

from pymemcache.client.base import Client
from pymemcache.client.hash import HashClient
from pymemcache.exceptions import MemcacheError

from rvh.integrations.pymemcache import RendezvousHasher

KEYS = [f"user:{i}" for i in range(300)]


class Server:
    """One memcached, on a port that is its own for good."""

    def __init__(self) -> None:
        self.address = ("127.0.0.1", free_port())
        self.name = ":".join(map(str, self.address))
        self.start()

    def start(self) -> None:
        binary = shutil.which("memcached")
        assert binary is not None
        host, port = self.address
        # -u is what root needs, and is ignored for others
        self.process = subprocess.Popen([binary, "-l", host, "-p", str(port), "-u", "nobody"])
        for _ in range(200):
            try:
                socket.create_connection(self.address, timeout=1).close()
                return
            except ConnectionRefusedError:
                assert self.process.poll() is None, "memcached did not start"
                time.sleep(0.05)
        raise AssertionError("memcached does not answer")

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()

    def keys(self) -> set[str]:
        with closing(Client(self.address)) as client:
            return {key for key in KEYS if client.get(key) is not None}


@pytest.fixture
def servers() -> Iterator[list[Server]]:
    if shutil.which("memcached") is None:
        pytest.skip("memcached is not installed: apt-get install memcached")
    started: list[Server] = []
    try:
        started.extend(Server() for _ in range(4))
        yield started
    finally:
        for server in started:
            server.stop()


def connect(servers: list[Server], **options: Any) -> HashClient:
    addresses = [server.address for server in servers]
    return HashClient(addresses, ignore_exc=True, retry_attempts=0, timeout=5, **options)


def homes(servers: list[Server]) -> dict[str, Server]:
    """Where each key should be, by a NodeSet over those servers."""
    by_name = {server.name: server for server in servers}
    owners = rvh.NodeSet(list(by_name)).select_batch(KEYS)[:, 0]
    return {key: by_name[owner] for key, owner in zip(KEYS, owners.tolist(), strict=True)}


def held(where: dict[str, Server], server: Server) -> set[str]:
    return {key for key, home in where.items() if home is server}


def test_one_server_dies_and_returns(servers: list[Server]) -> None:
    client = connect(servers, hasher=RendezvousHasher, dead_timeout=3600)
    before = homes(servers)
    assert client.set_many(dict.fromkeys(KEYS, "1"), noreply=False) == []
    for server in servers:
        assert server.keys() == held(before, server) != set()

    dead, *others = servers
    dead.stop()
    lost = held(before, dead)
    assert client.get(min(lost)) is None  # finds out
    assert set(client.get_many(KEYS)) == set(KEYS) - lost  # no other key has moved
    for key in lost:
        assert client.set(key, "2", noreply=False)
    during = homes(others)
    assert {key for key in KEYS if during[key] is not before[key]} == lost
    for server in others:
        assert server.keys() == held(during, server)

    dead.start()
    client.dead_timeout = 0  # its hour is over
    assert client.get(min(lost)) is None  # asked at home, which is empty now
    assert client.hasher.get_node(min(lost)) == dead.name
    for key in lost:
        assert client.set(key, "3", noreply=False)
    assert dead.keys() == lost
    assert set(client.get_many(KEYS)) == set(KEYS)
    client.close()


def test_a_client_of_many_threads(servers: list[Server]) -> None:
    client = connect(servers, hasher=partial(RendezvousHasher, scheme="murmur"), use_pooling=True)

    def work(mine: list[str]) -> None:
        for key in mine:
            client.set(key, key, noreply=False)

    threads = [threading.Thread(target=work, args=(KEYS[i::4],)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert client.get_many(KEYS) == {key: key.encode() for key in KEYS}
    client.close()


def test_without_servers() -> None:
    assert RendezvousHasher().get_node("a") is None
    with pytest.raises(MemcacheError, match="All servers"):
        HashClient([], hasher=RendezvousHasher).get("a")


def test_the_answers_are_those_of_a_node_set() -> None:
    names = [f"10.0.0.{i}:11211" for i in range(1, 6)]
    weights = dict(zip(names, [1, 2, 3, 0, 5], strict=True))
    for options in (
        {},
        {"scheme": "murmur"},
        {"secret": b"a secret of 16 b"},
        {"weights": weights},
        {"weights": weights, "scheme": "murmur"},
    ):
        client = HashClient(names, hasher=partial(RendezvousHasher, **options))
        each = {**options, "weights": list(weights.values()) if "weights" in options else None}
        nodes = rvh.NodeSet(names, **each)
        assert [[client.hasher.get_node(key)] for key in KEYS] == nodes.select_batch(KEYS).tolist()
        assert client.hasher.get_node(b"user:1") == client.hasher.get_node("user:1")


def test_adding_and_removing() -> None:
    hasher = RendezvousHasher()
    for name in ("a:1", "b:1", "a:1"):
        hasher.add_node(name)
    hasher.remove_node("a:1")
    assert {hasher.get_node(key) for key in KEYS} == {"b:1"}
    with pytest.raises(ValueError, match="server 'a:1' is not there"):
        hasher.remove_node("a:1")
    hasher.remove_node("b:1")
    assert hasher.get_node("user:1") is None


def test_servers_of_weight_0() -> None:
    hasher = RendezvousHasher(weights={"a:1": 0, "b:1": 1})
    hasher.add_node("a:1")
    assert hasher.get_node("user:1") is None
    hasher.add_node("b:1")
    assert {hasher.get_node(key) for key in KEYS} == {"b:1"}


def test_changes_while_others_ask() -> None:
    hasher = RendezvousHasher(scheme="murmur")
    hasher.add_node("a:1")
    done = threading.Event()
    found: set[str | None] = set()

    def ask() -> None:
        while not done.is_set():
            found.update(map(hasher.get_node, KEYS))

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(50):
        hasher.add_node("b:1")
        hasher.remove_node("b:1")
    done.set()
    for thread in threads:
        thread.join()
    assert found <= {"a:1", "b:1"}


def test_bad_options() -> None:
    with pytest.raises(rvh.RVHError, match="scheme is 'md5'"):
        RendezvousHasher(scheme="md5")
    with pytest.raises(rvh.RVHError, match="weight"):
        RendezvousHasher(weights={"a:1": -1})
    with pytest.raises(rvh.RVHError, match="server 'b:1' has no weight"):
        HashClient(["a:1", "b:1"], hasher=partial(RendezvousHasher, weights={"a:1": 1}))


@fork
@alone
def test_a_child_forked_while_servers_come_and_go() -> None:
    names = ["10.0.0.1:11211", "10.0.0.2:11211", "10.0.0.3:11211"]
    hasher = RendezvousHasher(weights=dict(zip(names, [1, 2, 0], strict=True)))
    hasher.add_node(names[0])
    assert hasher.get_node("user:1") == names[0]

    def change() -> None:
        hasher.add_node(names[2])
        hasher.add_node(names[1])
        hasher.get_node("user:1")
        hasher.remove_node(names[0])
        hasher.remove_node(names[1])

    def check() -> None:
        answers = [hasher.get_node(key) for key in KEYS]
        possible = [rvh.NodeSet(names[:2], [1, 2]).select_batch(KEYS)[:, 0].tolist()]
        possible += [[only] * len(KEYS) for only in (names[0], names[1], None)]
        assert answers in possible
        for name in names:
            hasher.add_node(name)
        assert [hasher.get_node(key) for key in KEYS] == possible[0]

    assert at_every_line(change, check) > 20


def test_many_servers_and_what_is_no_server() -> None:
    names = [f"10.0.{n // 256}.{n % 256}:11211" for n in range(2000)]
    hasher = RendezvousHasher(scheme="murmur")
    for name in names:
        hasher.add_node(name)
    hasher.add_node(names[0])
    nodes = rvh.NodeSet(names, scheme="murmur")
    assert [hasher.get_node(key) for key in KEYS] == nodes.select_batch(KEYS)[:, 0].tolist()
    for wrong in ("", 7, None, "\ud800"):
        with pytest.raises(rvh.RVHError, match="node id"):
            hasher.add_node(wrong)  # type: ignore[arg-type]
    assert hasher.get_node("user:1") == nodes.select("user:1")[0]
