"""The slots of a Redis Cluster: against running servers, and every form of their answers."""

from __future__ import annotations

import os
import random
import socket
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from servers import Server, free_port, needed, until

import rvh
from rvh.placements import Modulo, redis_cluster

COUNT = int(os.environ.get("RVH_TEST_KEYS", "1500"))
HALVES = [8192, 16384]


def make_keys(count: int) -> list[bytes]:
    rng = random.Random(2)
    keys = [b"", b"{}", b"{", b"}", b"{}x", b"a{}{b}", b"a{b}{c}", b"{{b}}", b"a}{b}", b"\xff{\0}"]
    keys += [b"x" * size for size in range(300)]
    keys += [b"{user%d}.%d" % (n % 99, n) for n in range(count // 4)]
    while len(keys) < count:
        key = rng.randbytes(rng.randrange(40))
        keys.append(key.replace(b"\x01", b"{").replace(b"\x02", b"}"))
    return keys


KEYS = make_keys(COUNT)


class Cluster:
    """Primaries with half of the slots each, and a replica of the first."""

    def __init__(self, servers: list[Server], ports: list[int]) -> None:
        self.servers, self.ports = servers, ports

    def ask(self, *words: Any, node: int = 0, **options: Any) -> Any:
        redis = pytest.importorskip("redis", reason="redis-py is not installed")
        client = redis.Redis("127.0.0.1", self.ports[node], **options)
        try:
            return client.execute_command(*words)
        finally:
            client.close()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    pytest.importorskip("redis", reason="redis-py is not installed")
    program = needed("redis-server")
    servers, ports = [], []
    for number in range(3):
        folder = tmp_path_factory.mktemp(f"redis-{number}")
        port, bus = free_port(), free_port()
        command = [program, "--port", str(port), "--cluster-port", str(bus)]
        command += ["--cluster-enabled", "yes", "--bind", "127.0.0.1", "--save", ""]
        command += ["--cluster-node-timeout", "1000", "--repl-ping-replica-period", "1"]
        command += ["--repl-diskless-sync-delay", "0"]

        def answers(port: int = port) -> bool:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return True

        servers.append((Server(command, answers, folder), bus))
        ports.append(port)
    started = []
    try:
        for server, _ in servers:
            started.append(server)
            server.start()
        made = Cluster(started, ports)
        for number in range(3):
            for other in range(3):
                meet = ("CLUSTER", "MEET", "127.0.0.1", ports[other], servers[other][1])
                made.ask(*meet, node=number)
        made.ask("CLUSTER", "ADDSLOTSRANGE", 0, HALVES[0] - 1)
        made.ask("CLUSTER", "ADDSLOTSRANGE", HALVES[0], HALVES[1] - 1, node=1)
        primary = made.ask("CLUSTER", "MYID")

        def follows() -> bool:
            try:
                made.ask("CLUSTER", "REPLICATE", primary, node=2)
            except Exception:  # not met yet
                return False
            return True

        until(follows, 30, "the third server replicates the first")

        def is_whole() -> bool:
            found = made.ask("CLUSTER", "SLOTS")
            told = [made.ask("CLUSTER INFO", node=number) for number in range(3)]
            # A primary takes keys some seconds after it has its slots.
            takes_keys = all(each["cluster_state"] == "ok" for each in told)
            return takes_keys and len(found) == 2 and len(found[0]) == 4

        until(is_whole, 30, "all slots and the replica are known, and keys are taken")
        yield made
    finally:
        for server in started:
            server.kill()


def test_slots_of_keys(cluster: Cluster) -> None:
    redis = pytest.importorskip("redis", reason="redis-py is not installed")
    client = redis.Redis("127.0.0.1", cluster.ports[0])
    pipeline = client.pipeline(transaction=False)
    for key in KEYS:
        pipeline.execute_command("CLUSTER KEYSLOT", key)
    said = pipeline.execute()
    client.close()
    placed = redis_cluster(cluster.ask("CLUSTER SLOTS"))
    assert placed.slot_batch(KEYS).tolist() == said
    assert [placed.slot(key) for key in KEYS] == said
    crc = pytest.importorskip("redis.crc", reason="redis-py is not installed")
    assert [crc.key_slot(key) for key in KEYS] == said


def test_a_key_is_where_it_was_put(cluster: Cluster) -> None:
    redis = pytest.importorskip("redis", reason="redis-py is not installed")
    client = redis.RedisCluster(host="127.0.0.1", port=cluster.ports[0])
    keys = KEYS[:300]
    for key in keys:
        client.set(key, b"x")
    placed = redis_cluster(client.cluster_slots())
    client.close()
    owners = dict(zip(keys, placed.lookup_batch(keys)[:, 0].tolist(), strict=True))
    for node in range(2):
        held = set(cluster.ask("KEYS", "*", node=node))
        name = f"127.0.0.1:{cluster.ports[node]}"
        assert held == {key for key, owner in owners.items() if owner == name}


def test_every_form_of_the_answers(cluster: Cluster) -> None:
    redis = pytest.importorskip("redis", reason="redis-py is not installed")
    names = [f"127.0.0.1:{port}" for port in cluster.ports]
    want = redis_cluster([[names[0]]] * HALVES[0] + [[names[1]]] * HALVES[0])
    client = redis.RedisCluster(host="127.0.0.1", port=cluster.ports[0])
    forms = [client.cluster_slots(), client.cluster_shards()]
    client.close()
    for words in (("CLUSTER SLOTS",), ("CLUSTER SHARDS",)):
        for options in ({"protocol": 2}, {"protocol": 3}, {"decode_responses": True}):
            forms.append(cluster.ask(*words, **options))
    for answer in forms:
        assert redis_cluster(answer) == want  # the second half has no replica, so k is 1


NODES = [["10.0.0.1", 6379, "id1"], ["10.0.0.2", 6380, "id2"], ["10.0.0.3", 6381, "id3"]]
SHARD = {"port": 6379, "ip": "10.0.0.1", "endpoint": "10.0.0.1", "role": "master"}


def test_replicas() -> None:
    answer = [[0, 99, *NODES], [100, 16383, NODES[2], NODES[0]]]
    placed = redis_cluster(answer)
    first, second = (f"{host}:{port}" for host, port, _ in (NODES[0], NODES[2]))
    assert placed.owners.shape == (16384, 2)
    key = next(f"{n}" for n in range(10**6) if placed.slot(f"{n}") < 100)
    assert placed.lookup(key, 2) == [first, "10.0.0.2:6380"]
    assert placed.lookup("user:1", 2) == [second, first]


def test_replicas_that_are_not_online() -> None:
    shard = {
        "slots": [0, 5, 6, 16383],
        "nodes": [
            SHARD | {"role": "replica", "port": 1, "health": "online"},
            SHARD | {"role": "replica", "port": 2, "health": "loading"},
            SHARD | {"health": "online", "endpoint": "?"},
            {"tls-port": 3, "ip": "10.0.0.1", "endpoint": "db.test", "role": "replica"},
        ],
    }
    placed = redis_cluster([shard, {"slots": [], "nodes": [SHARD]}])
    assert placed.lookup("a", 3) == ["10.0.0.1:6379", "10.0.0.1:1", "db.test:3"]


def test_a_table_of_nodes() -> None:
    table = ["a", "b"] * HALVES[0]
    assert redis_cluster(table, integers="text") == Modulo(
        table, "crc16", tag="{}", integers="text"
    )


@pytest.mark.parametrize(
    ("answer", "match"),
    [
        ([], "16384 of 16384 slots have no node, the first of them slot 0"),
        ([[0, 16382, NODES[0]]], "1 of 16384 slots have no node, the first of them slot 16383"),
        ([[0, 16383, NODES[0]], [7, 7, NODES[1]]], "slot 7 is on 10.0.0.1:6379, and again on 10"),
        ([[0, 16384, NODES[0]]], "slots 0 to 16384 are not among 0 to 16383"),
        ([[0, 16383, ["", 6379]]], "a node on port 6379 has no address"),
        ([[0, 16383]], "16384 of 16384 slots have no node"),
        ({"a": 1}, "slots is .*: pass what CLUSTER SLOTS or CLUSTER SHARDS answers"),
        (["a", "b"], "slots is .*: pass what CLUSTER SLOTS or CLUSTER SHARDS answers"),
        ([["a", "a"]], "slots is .*: pass what CLUSTER SLOTS or CLUSTER SHARDS answers"),
        (np.array(3), r"slots is array\(3\): pass what CLUSTER SLOTS or CLUSTER SHARDS answers"),
        (16384, "slots is 16384: pass what CLUSTER SLOTS or CLUSTER SHARDS answers"),
    ],
)
def test_bad_answers(answer: Any, match: str) -> None:
    with pytest.raises(rvh.RVHError, match=match):
        redis_cluster(answer)
