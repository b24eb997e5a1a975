"""Mistakes of the first hour: the message says what to do instead."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest

import rvh

pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
pd = pytest.importorskip("pandas", reason="pandas is not installed")
pl = pytest.importorskip("polars", reason="Polars is not installed")
datafusion = pytest.importorskip("datafusion", reason="DataFusion is not installed")

import rvh.integrations.datafusion as in_datafusion  # noqa: E402
import rvh.integrations.pandas as in_pandas  # noqa: E402
import rvh.integrations.polars as in_polars  # noqa: E402
from rvh.partitions import PartitionTable  # noqa: E402
from rvh.ring import Migration, ketama  # noqa: E402

NODES = ["a", "b", "c"]
ROWS = {"user": ["x", "y"], "price": [1.5, 2.5]}
in_each = pytest.mark.parametrize(
    ("with_node", "frame"),
    [
        (in_polars.with_node, lambda: pl.DataFrame(ROWS)),
        (in_polars.with_node, lambda: pl.LazyFrame(ROWS)),
        (in_pandas.with_node, lambda: pd.DataFrame(ROWS)),
        (in_datafusion.with_node, lambda: datafusion.SessionContext().from_pydict(ROWS)),
    ],
    ids=["polars", "polars lazy", "pandas", "datafusion"],
)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: in_pandas.with_node(pl.DataFrame(ROWS), "user", NODES),
            r"frame is of type polars\.DataFrame: .* use rvh\.integrations\.polars",
        ),
        (
            lambda: in_polars.with_node(pd.DataFrame(ROWS), "user", NODES),
            r"frame is of type pandas\.DataFrame: .* use rvh\.integrations\.pandas",
        ),
        (
            lambda: in_datafusion.with_node(pl.LazyFrame(ROWS), "user", NODES),
            r"df is of type polars\.LazyFrame: .* use rvh\.integrations\.polars",
        ),
        (
            lambda: in_polars.with_node(pa.table(ROWS), "user", NODES),
            r"frame is of type pyarrow\.Table: pass one of polars$",
        ),
        (
            lambda: in_polars.with_node("user", pl.DataFrame(ROWS), NODES),
            r"frame is of type str: pass one of polars$",
        ),
        (
            lambda: in_polars.select(pd.Series(["x"]), NODES),
            r"key is of type pandas\.Series: .* use rvh\.integrations\.pandas",
        ),
        (
            lambda: in_pandas.select(pl.Series(["x"]), NODES),
            r"key is of type polars\.Series: .* use rvh\.integrations\.polars",
        ),
    ],
)
def test_a_frame_of_another_engine(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(rvh.RVHTypeError, match=message):
        call()


@pytest.mark.parametrize("part", [None, 5, uuid.UUID(int=1), ["user"]])
@in_each
def test_a_key_that_names_no_column(with_node: Any, frame: Any, part: object) -> None:
    for key in (part, ["user", part]):
        if key != ["user"]:
            with pytest.raises(rvh.RVHError, match=r"key|column"):
                with_node(frame(), key, NODES)


def test_an_expression_of_no_column() -> None:
    for part in (None, 5, uuid.UUID(int=1), [["user"]]):
        with pytest.raises(rvh.RVHTypeError, match="key is"):
            in_polars.select(part, NODES)  # type: ignore[call-overload]
        with pytest.raises(rvh.RVHTypeError, match="geohash is"):
            in_polars.select("user", NODES, geohash=part or 1)  # type: ignore[call-overload]


def test_a_class_derived_from_a_frame() -> None:
    class Visits(pd.DataFrame):  # type: ignore[misc]
        pass

    assert in_pandas.with_node(Visits(ROWS), "user", NODES)["node"].notna().all()


@in_each
def test_a_migration_without_its_progress(with_node: Any, frame: Any) -> None:
    migration = Migration(ketama(NODES), rvh.NodeSet(NODES))
    with pytest.raises(rvh.RVHTypeError, match=r"pass nodes\.at\(progress\)"):
        with_node(frame(), "user", migration)
    with_node(frame(), "user", migration.at(0.25))


@in_each
def test_another_k_than_the_placement_was_made_with(with_node: Any, frame: Any) -> None:
    with pytest.raises(rvh.RVHError, match="gives every key 1: pass k=1, or make it with k=3"):
        with_node(frame(), "user", PartitionTable(NODES, 64), 3)
    with_node(frame(), "user", PartitionTable(NODES, 64, k=3), 3)


@in_each
@pytest.mark.parametrize("nodes", [NODES, PartitionTable(NODES, 64)], ids=["ids", "table"])
@pytest.mark.parametrize("key", ["price", ["user", "price"]], ids=["one", "composite"])
def test_the_column_that_is_no_key_is_named(
    with_node: Any, frame: Any, nodes: Any, key: Any
) -> None:
    with pytest.raises(rvh.RVHTypeError, match=r"(column|series) 'price'"):
        with_node(frame(), key, nodes)
