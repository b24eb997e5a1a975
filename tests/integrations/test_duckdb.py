"""DuckDB: the function that `register` makes gives the answers of NumPy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import rvh

duckdb = pytest.importorskip("duckdb", reason="DuckDB is not installed")
pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed")

import keys_million  # noqa: E402
from keys_million import BYTES_NODES, NODES  # noqa: E402

from rvh.integrations.duckdb import register  # noqa: E402


@pytest.fixture
def con() -> Iterator[Any]:
    with duckdb.connect() as connection:
        yield connection


def column(con: Any, query: str) -> list[Any]:
    return [row[0] for row in con.execute(query).fetchall()]


@pytest.mark.parametrize("k", [1, 3])
def test_a_million_keys(con: Any, k: int) -> None:
    register(con, "node", NODES, k)
    con.register("million", pa.table({"key": keys_million.keys()}))
    found = column(con, "SELECT node(key) FROM million")
    expected = keys_million.answers(k)
    assert np.array_equal(found, expected if k > 1 else expected[:, 0])


def test_a_million_keys_on_several_threads(con: Any) -> None:
    con.execute("SET threads = 4")
    con.execute(
        "CREATE TABLE million AS SELECT format('user:{:08d}', i) AS key "
        f"FROM range({keys_million.ROWS}) t(i)"
    )
    register(con, "node", NODES)
    found = dict(con.execute("SELECT node(key), count(*) FROM million GROUP BY ALL").fetchall())
    ids, counts = np.unique(keys_million.answers(1), return_counts=True)
    assert found == dict(zip(ids.tolist(), counts.tolist(), strict=True))


def test_types_of_the_answers(con: Any) -> None:
    for name, nodes, k in [
        ("one", NODES, 1),
        ("three", NODES, 3),
        ("raw", BYTES_NODES, 1),
        ("raws", BYTES_NODES, 2),
    ]:
        register(con, name, nodes, k)
    relation = con.sql("SELECT one('a'), three('a'), raw('a'), raws('a')")
    assert [str(kind) for kind in relation.types] == ["VARCHAR", "VARCHAR[]", "BLOB", "BLOB[]"]
    ((one, three, raw, raws),) = relation.fetchall()
    assert [one] == NODES.select("a")
    assert three == NODES.select("a", 3)
    assert [raw] == BYTES_NODES.select("a")
    assert raws == BYTES_NODES.select("a", 2)


@pytest.mark.parametrize("k", [1, 2])
def test_nulls(con: Any, k: int) -> None:
    register(con, "node", NODES, k)
    values = "(VALUES (0, 'a'), (1, NULL), (2, 'b')) t(i, key)"
    found = column(con, f"SELECT node(key) FROM {values} ORDER BY i")
    expected: list[Any] = [NODES.select("a", k), None, NODES.select("b", k)]
    assert found == [ids if ids is None or k > 1 else ids[0] for ids in expected]
    assert column(con, "SELECT node(NULL)") == [None]
    assert column(con, f"SELECT node(key) FROM {values} WHERE key IS NULL") == [None]
    assert column(con, f"SELECT node(key) FROM {values} WHERE i > 5") == []


@pytest.mark.parametrize("k", [1, 3])
def test_nulls_between_many_keys(con: Any, k: int) -> None:
    register(con, "node", NODES, k)
    keys: list[str | None] = [*keys_million.keys()[:10_000]]
    keys[::3] = [None] * len(keys[::3])
    con.register("t", pa.table({"key": keys}))
    expected = keys_million.answers(k)[:10_000].tolist()
    assert column(con, "SELECT node(key) FROM t") == [
        None if key is None else ids if k > 1 else ids[0]
        for key, ids in zip(keys, expected, strict=True)
    ]


INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT")


@pytest.mark.parametrize("kind", [*INTEGERS, *(f"U{kind}" for kind in INTEGERS)])
def test_integers_of_any_width(con: Any, kind: str) -> None:
    register(con, "node", NODES)
    assert column(con, f"SELECT node(42::{kind})") == NODES.select(42)
    assert column(con, f"SELECT node(i::{kind}) FROM range(9) t(i)") == [
        NODES.select(i)[0] for i in range(9)
    ]


def test_a_key_keeps_its_type(con: Any) -> None:
    nodes = rvh.NodeSet([f"n{i}" for i in range(1000)])
    register(con, "node", nodes)
    assert nodes.select(42) != nodes.select("42")
    assert column(con, "SELECT node(42)") == nodes.select(42)
    assert column(con, "SELECT node('42')") == nodes.select("42")
    assert column(con, r"SELECT node('\xFF'::BLOB)") == nodes.select(b"\xff")
    assert column(con, "SELECT node('b'::ENUM('a', 'b'))") == nodes.select("b")
    assert column(con, "SELECT node(18446744073709551615::UBIGINT)") == nodes.select(2**64 - 1)


def test_options(con: Any) -> None:
    weights, secret = [1, 0, 2], b"a secret of 16 b"
    register(con, "node", ["x", "y", "z"], weights=weights, secret=secret)
    expected = rvh.rendezvous_hash(["x", "y", "z"], "a", weights=weights, secret=secret)
    assert column(con, "SELECT node('a')") == expected


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("1.5", "decimal"),
        ("1.5::DOUBLE", "double|float"),
        ("true", "bool"),
        ("DATE '2026-01-01'", "date"),
        ("1::HUGEINT", "decimal"),
        ("[1, 2]", "list"),
    ],
)
def test_a_key_without_bytes(con: Any, key: str, name: str) -> None:
    register(con, "node", NODES)
    with pytest.raises(duckdb.InvalidInputException, match=f"RVHTypeError.*({name})"):
        con.execute(f"SELECT node({key})")
    assert column(con, "SELECT node('a')") == NODES.select("a")  # it goes on


def test_bad_arguments(con: Any) -> None:
    with pytest.raises(rvh.RVHError, match="k is 9"):
        register(con, "node", NODES, 9)
    with pytest.raises(rvh.RVHTypeError):
        register(con, "node", [1, 2])
    with pytest.raises(rvh.RVHError, match="given with a NodeSet"):
        register(con, "node", NODES, scheme="blake2b")


def test_other_nodes_under_the_same_name(con: Any) -> None:
    register(con, "node", ["a"])
    with pytest.raises(duckdb.Error, match="already created"):
        register(con, "node", ["b"])
    con.remove_function("node")
    register(con, "node", ["b"])
    assert column(con, "SELECT node(1)") == ["b"]
