"""`--algorithm` for other systems that are no rings: the library's answers, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from rvh.cli.options import SYSTEMS, Algorithm
from rvh.placements import (
    Modulo,
    bigquery,
    cassandra,
    clandestined,
    envoy_ring,
    haproxy,
    haproxy_map,
    kafka,
    libmemcached_modula,
    maglev,
    pymemcache,
    python_memcached,
    redis_cluster,
    twemproxy,
)

IDS = ["n33", "n1", "n4", "n2"]
WEIGHTS = [1, 3, 2, 1]
KEYS = [f"{{user{n % 9}}}.{n}" for n in range(120)]
#: as documented: what each is in Python, with the options that a run gives
MADE: dict[str, Callable[[], Any]] = {
    "libmemcached-modula": lambda: libmemcached_modula(IDS),
    "libmemcached-modula --hash md5": lambda: libmemcached_modula(IDS, hash_fn="md5"),
    "twemproxy": lambda: twemproxy(IDS),
    "twemproxy --hash murmur --hash-tag {}": lambda: twemproxy(
        IDS, hash_fn="murmur", hash_tag="{}"
    ),
    "twemproxy --weight-column w": lambda: twemproxy(IDS, WEIGHTS),
    "twemproxy-modula": lambda: twemproxy(IDS, distribution="modula"),
    "twemproxy-modula --weight-column w --hash crc16": lambda: twemproxy(
        IDS, WEIGHTS, distribution="modula", hash_fn="crc16"
    ),
    "python-memcached": lambda: python_memcached(IDS),
    "python-memcached --weight-column w": lambda: python_memcached(IDS, WEIGHTS),
    "kafka": lambda: kafka(IDS),
    "kafka-consistent": lambda: kafka(IDS, partitioner="consistent"),
    "kafka-fnv1a": lambda: kafka(IDS, partitioner="fnv1a"),
    "bigquery": lambda: bigquery(IDS),
    "envoy-ring": lambda: envoy_ring(IDS),
    "envoy-ring --weight-column w --hash MURMUR_HASH_2": lambda: envoy_ring(
        IDS, WEIGHTS, hash_function="MURMUR_HASH_2"
    ),
    "envoy-ring --dead n1": lambda: envoy_ring(IDS).without("n1"),
    "maglev --weight-column w": lambda: maglev(IDS, WEIGHTS),
    "haproxy --weight-column w --hash wt6": lambda: haproxy(IDS, WEIGHTS, hash_fn="wt6"),
    "haproxy-avalanche": lambda: haproxy(IDS, avalanche=True),
    "haproxy-map --weight-column w": lambda: haproxy_map(IDS, WEIGHTS),
    "haproxy-map-avalanche --hash djb2": lambda: haproxy_map(IDS, hash_fn="djb2", avalanche=True),
    "pymemcache": lambda: pymemcache(IDS),
    "clandestined": lambda: clandestined(IDS),
    "clandestined --dead n4": lambda: clandestined(IDS).without("n4"),
    "modulo --hash crc32": lambda: Modulo(IDS, "crc32"),
    "modulo --hash md5 --hash-tag {}": lambda: Modulo(IDS, "md5", tag="{}"),
}
ROWS = [["n1", "n4"], ["n2", "n4"]]
SLOTS = [["n1", "0-8191"], ["n2", "8192-16382, 16383"], ["n4", "0-16383"], ["n9", ""]]


@pytest.fixture
def run(call: Any, tmp_path: Any) -> Callable[..., Any]:
    (tmp_path / "keys.txt").write_text("\n".join(KEYS) + "\n")
    rows = zip(IDS, WEIGHTS, strict=True)
    (tmp_path / "n.csv").write_text("id,w\n" + "".join(f"{i},{w}\n" for i, w in rows))
    (tmp_path / "slots.csv").write_text("id,slots\n" + "".join(f'{i},"{s}"\n' for i, s in SLOTS))

    def placed(*args: Any, nodes: str = "n.csv") -> Any:
        out = tmp_path / "out.txt"
        result = call(
            *("assign", tmp_path / "keys.txt", "--format", "lines"),
            *("--nodes", f"@{tmp_path / nodes}", "-o", out, *args),
        )
        if result.code:
            return result
        return [line.split("\t")[1:] for line in out.read_text().splitlines()]

    return placed


@pytest.mark.parametrize("options", MADE)
def test_the_answers_are_the_librarys(run: Callable[..., Any], options: str) -> None:
    assert run("--algorithm", *options.split()) == MADE[options]().lookup_batch(KEYS).tolist()


def test_every_system_is_tried_here_or_as_a_ring() -> None:
    rings = {name for name, each in SYSTEMS.items() if each.function.startswith("rvh.ring.")}
    tried = {options.split()[0] for options in MADE} | {"redis-cluster"}
    assert {name for name in SYSTEMS if name.startswith(("kafka", "twem", "redis"))} <= tried
    assert not rings & tried


@pytest.mark.parametrize("k", [1, 2])
def test_a_redis_cluster(run: Callable[..., Any], k: int) -> None:
    cluster = redis_cluster([ROWS[0]] * 8192 + [ROWS[1]] * 8192)
    found = run("--algorithm", "redis-cluster", "-c", k, nodes="slots.csv")
    assert found == cluster.lookup_batch(KEYS, k).tolist()


@pytest.mark.parametrize("k", [1, 2])
def test_cassandra(run: Callable[..., Any], tmp_path: Any, k: int) -> None:
    tokens = {"n1": [-(2**62), 7], "n2": [0, 2**62], "n3": []}
    rows = [f"{node},{' '.join(map(str, each))}" for node, each in tokens.items()]
    (tmp_path / "tokens.csv").write_text("\n".join(["id,tokens", *rows, ""]))
    found = run("--algorithm", "cassandra-simple", "-c", k, nodes="tokens.csv")
    assert found == cassandra(tokens, k).lookup_batch(KEYS, k).tolist()
    (tmp_path / "tokens.csv").write_text("id,tokens\nn1,0x7\n")
    refused = run("--algorithm", "cassandra-simple", nodes="tokens.csv")
    assert "column 'tokens' of node 'n1' has '0x7': give the node's" in " ".join(
        refused.err.split()
    )


#: node, tokens, datacenter, rack
CLUSTER = [
    ("n1", [-(2**62), 7], "dc1", "r1"),
    ("n2", [0, 2**62], "dc1", "r1"),
    ("n3", [-(2**61), 2**61], "dc1", "r2"),
    ("n4", [-(2**60)], "dc2", "r1"),
]


@pytest.fixture
def cluster(tmp_path: Any) -> Any:
    rows = [f"{node},{' '.join(map(str, each))},{dc},{rack}" for node, each, dc, rack in CLUSTER]
    path = tmp_path / "cluster.csv"
    path.write_text("\n".join(["id,tokens,datacenter,rack", *rows, ""]))
    return path


def made(**replication: int) -> Any:
    tokens = {node: each for node, each, *_ in CLUSTER}
    datacenters, racks = [row[2] for row in CLUSTER], [row[3] for row in CLUSTER]
    return cassandra(tokens, replication, datacenters=datacenters, racks=racks)


@pytest.mark.parametrize(
    ("given", "replication"),
    [("dc1=2,dc2=1", {"dc1": 2, "dc2": 1}), (" dc1=3 , dc2=0", {"dc1": 3, "dc2": 0})],
)
def test_cassandras_datacenters(
    run: Callable[..., Any], cluster: Any, given: str, replication: dict[str, int]
) -> None:
    for k in (1, 3):
        options = ("--algorithm", "cassandra", "--replication", given, "-c", k)
        found = run(*options, nodes=cluster.name)
        assert found == made(**replication).lookup_batch(KEYS, k).tolist()


def test_plan_between_datacenters(call: Any, cluster: Any, tmp_path: Any) -> None:
    keys = tmp_path / "keys.txt"
    keys.write_text("\n".join(KEYS) + "\n")
    args = ("plan", keys, "--format", "lines", "-n", f"@{cluster}", "--json", "-c", 2)
    options = ("--algorithm", "cassandra", "--replication", "dc1=2", "--to-replication", "dc1=3")
    said = json.loads(call(*args, *options, "--to-count", 3).out)
    before, after = (made(dc1=k).lookup_batch(KEYS, k) for k in (2, 3))
    copies = [set(new) - set(old) for old, new in zip(before, after, strict=True)]
    assert said["moved"]["copies"] == sum(map(len, copies))
    state = tmp_path / "state.json"
    planned = call("migrate", "plan", state, *args[4:6], "-c", 2, *options, "--to-count", 3)
    assert planned.code == 0, planned.err
    assert call("migrate", "status", state).code == 0  # it makes both placements again


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], "--algorithm cassandra needs the replicas in each datacenter: give for example --rep"),
        (["--replication", "3"], "--replication has '3': give the replicas in each datacenter"),
        (["--replication", "dc1=1,dc1=2"], "--replication has datacenter 'dc1' twice"),
        (["--replication", "dc3=1"], "--replication names datacenter 'dc3', in which no node"),
        (["--replication", "dc1=0"], "--replication leaves no replica"),
        (["--replication", "dc1=1", "-c", "2"], "k is 2, but a slot has 1 node"),
    ],
)
def test_wrong_replications(
    run: Callable[..., Any], cluster: Any, options: list[str], words: str
) -> None:
    result = run("--algorithm", "cassandra", *options, nodes=cluster.name)
    assert result.code in (1, 2)
    assert words in " ".join(result.err.split())


def test_a_node_without_a_rack(run: Callable[..., Any], cluster: Any) -> None:
    options = ("--algorithm", "cassandra", "--replication", "dc1=1")
    cluster.write_text("id,tokens,datacenter,rack\nn1,7,dc1,\n")
    assert "column 'rack' of node 'n1' is empty" in run(*options, nodes=cluster.name).err
    cluster.write_text("id,tokens,datacenter\nn1,7,dc1\n")
    assert "no column 'rack'" in run(*options, nodes=cluster.name).err


def test_select_and_its_integers(call: Any) -> None:
    args = ("select", "-n", "a,b,c", "-k", 42, "--key-type", "int", "--algorithm", "kafka")
    assert "give --integers one of text (its decimal digits)" in call(*args).err
    for integers in ("text", "int32_be", "int64_le"):
        found = call(*args, "--integers", integers, "--json")
        want = kafka(["a", "b", "c"], integers=integers).lookup(42)  # type: ignore[arg-type]
        assert json.loads(found.out) == want


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("kafka --weight-column w", "--algorithm kafka has no weights"),
        (
            "kafka --dead n1",
            "--algorithm kafka numbers the nodes, so leaving some out moves all keys",
        ),
        ("twemproxy-modula --where w>=2", "twemproxy-modula makes its table of all nodes"),
        ("kafka --scheme murmur", "--algorithm kafka has a hash of its own"),
        ("kafka --hash crc32", "--algorithm kafka does not have this: omit it, or use one"),
        ("ketama --hash-tag {}", "use one of twemproxy, twemproxy-modula, modulo"),
        ("rendezvous --hash crc32", "--algorithm rendezvous does not have this"),
        ("cassandra-simple --replication dc1=2", "use one of cassandra"),
        ("modulo", "--algorithm modulo needs to know the hash"),
        ("modulo --hash sha1", "--hash is 'sha1': choose one of"),
        ("twemproxy --hash sha1", "--hash is 'sha1': choose one of one_at_a_time, md5"),
        ("twemproxy --hash-tag {", "--hash-tag is '{': pass two ASCII characters"),
        ("redis-cluster", "slots"),
    ],
)
def test_what_is_refused(run: Callable[..., Any], options: str, words: str) -> None:
    result = run("--algorithm", *options.split())
    assert result.code in (1, 2)
    assert words in " ".join(result.err.replace("│", " ").split())


@pytest.mark.parametrize(
    ("slots", "words"),
    [
        ("0-16384", "column 'slots' of node 'n1' has '0-16384': give slots from 0 to 16383"),
        ("9-3", "column 'slots' of node 'n1' has '9-3'"),
        ("all", "column 'slots' of node 'n1' has 'all'"),
        ("0-16382", "1 of 16384 slots are in no row of column 'slots', the first of them slot 163"),
    ],
)
def test_bad_slots(call: Any, tmp_path: Any, slots: str, words: str) -> None:
    (tmp_path / "n.csv").write_text(f"id,slots\nn1,{slots}\n")
    args = ("-n", f"@{tmp_path / 'n.csv'}", "--algorithm", "redis-cluster")
    result = call("select", "-k", "x", *args)
    assert result.code == 1
    assert words in result.err


def test_a_source_has_no_order(call: Any) -> None:
    for algorithm in (Algorithm.KAFKA, Algorithm.PYTHON_MEMCACHED, Algorithm.BIGQUERY):
        result = call("select", "-n", "redis://127.0.0.1:1", "-k", "x", "--algorithm", algorithm)
        assert result.code == 2
        assert "numbers the nodes in their order" in " ".join(result.err.split())


def test_plan_takes_them(call: Any, tmp_path: Any) -> None:
    keys = tmp_path / "keys.txt"
    keys.write_text("\n".join(KEYS) + "\n")
    args = ("plan", keys, "--format", "lines", "-n", ",".join(IDS), "--json")
    options = ("--algorithm", "twemproxy-modula", "--hash", "md5", "--to-algorithm", "rendezvous")
    said = json.loads(call(*args, *options).out)
    assert said
    same = call(*args, *options[:4], "--to-hash", "crc32")
    assert same.code == 0, same.err
