"""Polars: eager, lazy and streaming queries give the answers of NumPy."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pytest

import rvh

pl = pytest.importorskip("polars", reason="Polars is not installed")

import keys_million  # noqa: E402
from keys_million import BYTES_NODES, NODES  # noqa: E402

import rvh.integrations.polars  # noqa: E402

ENGINES = ("in-memory", "streaming")


@pytest.fixture(scope="module")
def million() -> Any:
    return pl.DataFrame({"key": keys_million.keys()})


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("k", [1, 3])
def test_a_million_keys(million: Any, engine: str, k: int) -> None:
    query = million.lazy().with_columns(node=pl.col("key").rvh.select(NODES, k))
    assert query.collect_schema()["node"] == (pl.String if k == 1 else pl.Array(pl.String, k))
    found = query.collect(engine=engine)
    assert found["key"].equals(million["key"])
    expected = keys_million.answers(k)
    assert np.array_equal(found["node"].to_list(), expected if k > 1 else expected[:, 0])


def test_the_series_namespace(million: Any) -> None:
    found = million["key"].rvh.select(NODES)
    assert found.name == "key"
    assert np.array_equal(found.to_numpy(), keys_million.answers(1)[:, 0])


def test_inside_larger_queries(million: Any) -> None:
    moved = (
        million.lazy()
        .head(1000)
        .with_columns(
            before=pl.col("key").rvh.select(NODES),
            after=pl.col("key").rvh.select(NODES.remove("cache-3")),
        )
        .filter(pl.col("before") != pl.col("after"))
        .collect()
    )
    assert moved["before"].unique().to_list() == ["cache-3"]
    counts = million.lazy().group_by(pl.col("key").rvh.select(NODES)).len().collect()
    assert counts["len"].sum() == keys_million.ROWS
    assert sorted(counts["key"]) == sorted(NODES)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("k", [1, 2])
@pytest.mark.parametrize(
    "keys",
    [["a", None, "b", "c"], [None, "a"], [None, None], [], ["a", "b"]],
    ids=["middle", "first", "all", "empty", "none"],
)
def test_nulls(keys: list[str | None], k: int, engine: str) -> None:
    frame = pl.LazyFrame({"key": keys}, schema={"key": pl.String})
    found = frame.select(pl.col("key").rvh.select(NODES, k)).collect(engine=engine)["key"]
    expected = [None if key is None else NODES.select(key, k) for key in keys]
    if k == 1:
        expected = [None if ids is None else ids[0] for ids in expected]
    assert found.dtype == (pl.String if k == 1 else pl.Array(pl.String, k))
    assert found.to_list() == expected


INTEGERS = ("Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64")


@pytest.mark.parametrize("dtype", INTEGERS)
def test_integers_of_any_width(dtype: str) -> None:
    series = pl.Series([1, None, 100], dtype=getattr(pl, dtype))
    expected = [NODES.select(1)[0], None, NODES.select(100)[0]]
    assert series.rvh.select(NODES).to_list() == expected


@pytest.mark.parametrize("dtype", ["Binary", "Categorical", "Enum"])
def test_other_key_types(dtype: str) -> None:
    series = pl.Series(["x", "y", None, "x"])
    kind = pl.Enum(["y", "x", "z"]) if dtype == "Enum" else getattr(pl, dtype)
    assert series.cast(kind).rvh.select(NODES).equals(series.rvh.select(NODES))


def test_bytes_ids_answer_in_binary() -> None:
    keys = ["a", "b", None]
    found = pl.Series(keys).rvh.select(BYTES_NODES)
    assert found.dtype == pl.Binary
    assert found.to_list() == [*BYTES_NODES.select_batch(["a", "b"])[:, 0].tolist(), None]
    two = pl.LazyFrame({"key": keys}).select(pl.col("key").rvh.select(BYTES_NODES, 2))
    assert two.collect_schema()["key"] == pl.Array(pl.Binary, 2)
    assert two.collect()["key"][1].to_list() == BYTES_NODES.select("b", 2)


def test_options() -> None:
    series = pl.Series(["a", "b"])
    weights, secret = [1, 0, 2], b"a secret of 16 b"
    found = series.rvh.select(["x", "y", "z"], weights=weights, secret=secret)
    expected = rvh.select_batch(["x", "y", "z"], ["a", "b"], weights=weights, secret=secret)
    assert found.to_list() == expected[:, 0].tolist()


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("keys", "name"),
    [
        ([1.5], "double|[Ff]loat"),
        ([True], "bool"),
        ([datetime.date(2026, 1, 1)], "date"),
        ([[1, 2]], "list"),
    ],
    ids=["float", "bool", "date", "list"],
)
def test_a_column_without_bytes(keys: list[object], name: str, engine: str) -> None:
    query = pl.LazyFrame({"key": keys}).select(pl.col("key").rvh.select(NODES))
    with pytest.raises(rvh.RVHTypeError, match=name):
        query.collect(engine=engine)


def test_128_bit_integers_are_an_error() -> None:
    with pytest.raises(rvh.RVHError):
        pl.Series([1], dtype=pl.Int128).rvh.select(NODES)


def test_python_objects_are_an_error() -> None:
    series = pl.Series("key", [object()], dtype=pl.Object)
    with pytest.raises(rvh.RVHTypeError, match="column 'key' has the dtype Object"):
        series.rvh.select(NODES)


def test_bad_arguments_are_errors_before_the_query() -> None:
    column = pl.col("key")
    with pytest.raises(rvh.RVHError, match="k is 9"):
        column.rvh.select(NODES, 9)
    with pytest.raises(rvh.RVHError, match="k is 0"):
        column.rvh.select(NODES, 0)
    with pytest.raises(rvh.RVHTypeError):
        column.rvh.select([1, 2])
    with pytest.raises(rvh.RVHError, match="given with a NodeSet"):
        column.rvh.select(NODES, scheme="blake2b")
