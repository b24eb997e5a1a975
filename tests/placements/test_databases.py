"""PostgreSQL's hash partitions beside a running server; Elasticsearch's shards by its own tests."""

from __future__ import annotations

import datetime
import json
import os
import random
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rvh.errors import RVHError, RVHTypeError
from rvh.keys import composite
from rvh.placements import elasticsearch, postgresql

VECTORS = Path(__file__).parents[1] / "vectors"
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789-_ÄÖéß€中文😀"
ROWS = 500

# -- PostgreSQL -------------------------------------------------------------------------------


class Postgres:
    """A server with a socket in a folder of its own, which its user owns: it refuses root."""

    def __init__(self, programs: Path, folder: str) -> None:
        self.programs, self.folder = programs, folder
        self.user = "postgres" if os.geteuid() == 0 else None

    def run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [str(self.programs / program), *arguments],
            user=self.user,
            cwd=self.folder,
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )

    def start(self) -> None:
        self.run(
            "initdb",
            "-D",
            "data",
            "-A",
            "trust",
            "-U",
            "rvh",
            "-E",
            "UTF8",
            "--no-sync",
            "--locale=C",
        )
        options = f"-c listen_addresses='' -c fsync=off -k {self.folder}"
        self.run("pg_ctl", "-D", "data", "-w", "-l", "log", "-o", options, "start")

    def stop(self) -> None:
        self.run("pg_ctl", "-D", "data", "-w", "-m", "immediate", "stop")

    def ask(self, script: str) -> list[str]:
        """Run statements; return the lines that they print."""
        command = [str(self.programs / "psql"), "-h", self.folder, "-U", "rvh", "-d", "postgres"]
        done = subprocess.run(
            [*command, "-qAt", "-v", "ON_ERROR_STOP=1"],
            input=script,
            capture_output=True,
            encoding="utf-8",
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    program = str(found[-1]) if found else shutil.which("initdb")
    if program is None:
        pytest.skip("postgresql is not installed")
    # The path of a socket has fewer than 108 characters, which pytest's own folders can exceed.
    with tempfile.TemporaryDirectory(prefix="rvh-pg-") as folder:
        server = Postgres(Path(program).parent, folder)
        if server.user is not None:
            shutil.chown(folder, server.user)
        server.start()
        try:
            yield server
        finally:
            server.stop()


def some(rng: random.Random, kind: str) -> Any:
    bits = {"smallint": 16, "integer": 32, "bigint": 64}.get(kind)
    if bits is not None:
        return rng.choice([rng.randrange(-1 << bits - 1, 1 << bits - 1), rng.randrange(-9, 9)])
    if kind == "boolean":
        return rng.random() < 0.5
    if kind in ("text", "varchar"):
        return "".join(rng.choices(LETTERS, k=rng.randrange(30)))
    if kind == "bytea":
        return rng.randbytes(rng.randrange(30))
    if kind == "uuid":
        return uuid.UUID(bytes=rng.randbytes(16))
    micros = datetime.timedelta(microseconds=rng.randrange(10**17))
    moment = datetime.datetime(1800, 1, 1) + micros
    if kind == "timestamptz":
        moment = moment.replace(tzinfo=datetime.timezone(datetime.timedelta(hours=5)))
    return moment.date() if kind == "date" else moment


def written(value: Any) -> str:
    """A value in the format of COPY."""
    if value is None:
        return r"\N"
    return r"\\x" + value.hex() if isinstance(value, bytes) else str(value)


Bounds = dict[str, tuple[int, int]]
TABLES: list[tuple[tuple[str, ...], Bounds]] = [
    *(
        ((kind,), {f"p{n}": (7, n) for n in range(7)})
        for kind in ("boolean", "smallint", "integer", "bigint", "text", "varchar")
    ),
    *(
        ((kind,), {"a": (2, 0), "b": (4, 1), "c": (8, 3), "d": (8, 7)})
        for kind in ("bytea", "date", "timestamp", "timestamptz", "uuid")
    ),
    (("integer", "text"), {f"p{n}": (16, n) for n in range(16)}),
    (
        ("uuid", "bigint", "date", "bytea"),
        {"a": (3, 0), "b": (3, 1), "c": (6, 2), "d": (12, 5), "e": (12, 11)},
    ),
]


@pytest.mark.parametrize(("types", "bounds"), TABLES, ids=["-".join(types) for types, _ in TABLES])
def test_the_partitions_of_a_server(
    postgres: Postgres, types: tuple[str, ...], bounds: Bounds
) -> None:
    rng = random.Random(3)
    rows = [
        [None if rng.random() < 0.1 else some(rng, kind) for kind in types] for _ in range(ROWS)
    ]
    names = [f"c{n}" for n in range(len(types))]
    columns = ", ".join(f"{name} {kind}" for name, kind in zip(names, types, strict=True))
    script = [
        "SET client_min_messages = warning; DROP TABLE IF EXISTS t;",
        f"CREATE TABLE t (n int, {columns}) PARTITION BY HASH ({', '.join(names)});",
    ]
    for name, (modulus, remainder) in bounds.items():
        bound = f"MODULUS {modulus}, REMAINDER {remainder}"
        script.append(f"CREATE TABLE {name} PARTITION OF t FOR VALUES WITH ({bound});")
    script.append("COPY t FROM STDIN;")
    script += ["\t".join([str(n), *map(written, row)]) for n, row in enumerate(rows)]
    script += ["\\.", "SELECT tableoid::regclass FROM t ORDER BY n;", ""]
    partitions = postgres.ask("\n".join(script))
    placement = postgresql(bounds, types)
    answer = placement.lookup_columns(*map(list, zip(*rows, strict=True)))
    assert answer[:, 0].tolist() == partitions


WRONG: list[tuple[Any, str]] = [
    ({}, "there are no partitions"),
    ({"a": (2, 0)}, "rows whose hash is 1 modulo 2 have no partition"),
    ({"a": (2, 0), "b": (2, 2)}, "'b' has the remainder 2 and the modulus 2"),
    ({"a": (2, 0), "b": (3, 1)}, "the modulus 2 is not a factor of 3"),
    ({"a": (2, 0), "b": (4, 2)}, "'a' and 'b' overlap: both have the hash 2 modulo 4"),
    ({"a": 2}, "pass its modulus and its remainder"),
]


@pytest.mark.parametrize(("partitions", "message"), WRONG, ids=[message for _, message in WRONG])
def test_partitions_that_no_table_has(partitions: Any, message: str) -> None:
    with pytest.raises(RVHError, match=message):
        postgresql(partitions, "integer")


# -- Elasticsearch ----------------------------------------------------------------------------


def test_the_shards_in_elasticsearchs_tests() -> None:
    known = json.loads((VECTORS / "elasticsearch.json").read_text())
    routings = known["shards_of_8"]
    # These tests make an index whose shards are its routing shards.
    shards = elasticsearch(8, routing_shards=8)
    assert shards.slot_batch(list(routings)).tolist() == list(routings.values())
    for case in known["partitioned"]:
        shards = elasticsearch(
            case["shards"],
            routing_shards=case["routing_shards"],
            partition_size=case["partition_size"],
        )
        for routing, expected in case["routings"].items():
            ids = list(expected)
            slots = shards.slot_columns(ids, [routing] * len(ids))
            assert slots.tolist() == list(expected.values())
            keys = [composite(each, routing) for each in ids]
            assert shards.slot_batch(keys).tolist() == slots.tolist()
            assert shards.slot((ids[0], routing)) == slots[0]
    for text, hashed in known["hashes"].items():
        assert elasticsearch(1).hash_columns([text])[0] & 0xFFFFFFFF == hashed


def test_routing_shards() -> None:
    keys = [f"doc-{n}" for n in range(2000)]
    # 5 * 2^7 = 640; 1025 shards can be split once (MetadataCreateIndexService)
    for shards, routing_shards in ((1, 1024), (5, 640), (8, 1024), (1024, 2048), (1025, 2050)):
        default = elasticsearch(shards)
        assert default == elasticsearch(shards, routing_shards=routing_shards)
        assert default != elasticsearch(shards, routing_shards=3 * routing_shards)
    # Shrinking an index merges shards, splitting it splits them.
    eight, two = elasticsearch(8, routing_shards=16), elasticsearch(2, routing_shards=16)
    assert (eight.slot_batch(keys) // 4).tolist() == two.slot_batch(keys).tolist()


def test_what_elasticsearch_refuses() -> None:
    with pytest.raises(
        RVHError, match="routing_shards is 8, which is not a multiple of the 3 shards"
    ):
        elasticsearch(3, routing_shards=8)
    with pytest.raises(RVHError, match="partition_size is 4, and there are 4 routing shards"):
        elasticsearch(2, routing_shards=4, partition_size=4)
    with pytest.raises(RVHTypeError, match="is 7 of type int, and its column is of type text"):
        elasticsearch(3).slot(7)
    with pytest.raises(
        RVHError, match=r"columns\[1\] has a null at position 0, and a document has"
    ):
        elasticsearch(3, partition_size=2).slot_columns(["a"], [None])
