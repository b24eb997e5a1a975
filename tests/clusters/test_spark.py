"""Spark, local[2]: two Python workers give the answers of NumPy."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("pyspark", reason="Spark is not installed: pip install 'rvh[spark]'")
if not (os.environ.get("JAVA_HOME") or shutil.which("java")):
    pytest.skip("Spark needs Java: install a JRE, 17 or newer", allow_module_level=True)

import same_keys
from clusters import REFUSALS, Million, asked
from pyspark import SparkContext
from pyspark.errors import PythonException
from pyspark.sql import SparkSession
from pyspark.sql import functions as sf

import rvh
from rvh.integrations.spark import with_node

NODES = ["a", "b", "c", "d", "e"]


@pytest.fixture(scope="module")
def spark(surroundings: Path) -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYSPARK_PYTHON", sys.executable)
        patch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
        session = (
            SparkSession.builder.master("local[2]")
            .config("spark.driver.host", "127.0.0.1")
            .config("spark.driver.memory", "1g")
            .config("spark.local.dir", str(surroundings))
            .config("spark.sql.warehouse.dir", str(surroundings / "warehouse"))
            .config("spark.ui.enabled", "false")
            .config("spark.ui.showConsoleProgress", "false")
            .getOrCreate()
        )
        session.sparkContext.setLogLevel("OFF")
        yield session
        gateway = SparkContext._gateway
        session.stop()
    # stop() leaves the JVM for the next session; it ends when nobody holds its stdin.
    gateway.shutdown()
    gateway.proc.stdin.close()
    gateway.proc.wait(60)
    SparkContext._gateway = SparkContext._jvm = None


def column(df: Any, name: str = "node") -> list[Any]:
    return [row[name] for row in df.collect()]


def test_a_million_keys_on_two_workers(spark: Any, million: Million) -> None:
    df = spark.range(0, len(million.keys), 1, 4)
    df = df.select(sf.format_string("user:%08d", "id").alias("key"))
    answer = with_node(df, "key", million.nodes).toArrow()
    assert answer["key"].to_pylist() == million.keys
    assert answer["node"].to_pylist() == million.best


def test_nulls(spark: Any) -> None:
    keys = ["x", None, "", None, "y"]
    df = spark.createDataFrame([(key,) for key in keys], "key string")
    for k in (1, 3):
        answer = column(with_node(df, "key", NODES, k))
        assert [row is None for row in answer] == [key is None for key in keys]
        best = rvh.select_batch(NODES, ["x", "", "y"], k).tolist()
        assert [answer[n] for n in (0, 2, 4)] == [row[0] if k == 1 else row for row in best]


def test_nothing_but_nulls(spark: Any) -> None:
    assert column(with_node(spark.sql("SELECT NULL AS key"), "key", NODES)) == [None]


@pytest.mark.parametrize("kind", ["tinyint", "smallint", "int", "bigint"])
def test_integer_keys(spark: Any, kind: str) -> None:
    df = spark.range(100).select(sf.col("id").cast(kind).alias("key"))
    best = rvh.select_batch(NODES, np.arange(100))[:, 0].tolist()
    assert column(with_node(df, "key", NODES)) == best


def test_binary_keys(spark: Any) -> None:
    keys = [b"x", b"\0\xff", None]
    df = spark.createDataFrame([(key,) for key in keys], "key binary")
    best = rvh.select_batch(NODES, keys[:2])[:, 0].tolist()
    assert column(with_node(df, "key", NODES)) == [*best, None]


def test_several_nodes_of_a_key_weights_and_a_secret(spark: Any) -> None:
    keys = [f"k{n}" for n in range(200)]
    options: dict[str, Any] = {"weights": [1, 2, 3, 4, 5], "secret": b"s"}
    df = spark.createDataFrame([(key,) for key in keys], "key string")
    df = with_node(df, "key", NODES, 3, "replicas", **options)
    assert df.schema["replicas"].dataType.simpleString() == "array<string>"
    assert column(df, "replicas") == rvh.select_batch(NODES, keys, 3, **options).tolist()


@pytest.mark.parametrize("k", [1, 2])
@pytest.mark.parametrize(
    "nodes",
    [
        ["quote\"'", "é\U0001f600", "line\n\\", " pad ", "nul\0"],
        [b"\xff\0", b"b", bytes(range(256))],
    ],
    ids=["text", "bytes"],
)
def test_ids_of_any_text_or_bytes(spark: Any, nodes: list[Any], k: int) -> None:
    keys = [f"k{n}" for n in range(50)]
    df = spark.createDataFrame([(key,) for key in keys], "key string")
    best = rvh.select_batch(nodes, keys, k).tolist()
    answer = column(with_node(df, "key", nodes, k))
    assert [[row] if k == 1 else row for row in answer] == best


def test_a_name_with_dots_and_backticks(spark: Any) -> None:
    df = spark.range(3).withColumnRenamed("id", "user.`id")
    best = rvh.select_batch(NODES, range(3))[:, 0].tolist()
    assert column(with_node(df, "user.`id", NODES)) == best


def test_with_large_arrow_types(spark: Any) -> None:
    spark.conf.set("spark.sql.execution.arrow.useLargeVarTypes", "true")
    try:
        df = spark.createDataFrame([("x",), (None,)], "key string")
        assert column(with_node(df, "key", NODES)) == [rvh.rendezvous_hash(NODES, "x")[0], None]
    finally:
        spark.conf.unset("spark.sql.execution.arrow.useLargeVarTypes")


@pytest.mark.parametrize(("options", "error", "message"), REFUSALS)
def test_refused_before_anything_runs(
    spark: Any, options: dict[str, Any], error: type[Exception], message: str
) -> None:
    schema = "user string, float double, flag boolean, time timestamp"
    with pytest.raises(error, match=message):
        with_node(spark.createDataFrame([], schema), **asked(options))


# A worker is of this rvh, so here the driver's is made to differ.


def test_an_older_worker_fails_loudly(spark: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rvh._version.__version__", "999.0")
    df = with_node(spark.range(10), "id", NODES)
    with pytest.raises(PythonException, match=r"RVHError: .* rvh 999\.0 .*install the same rvh"):
        df.collect()


def test_a_worker_with_another_fingerprint_fails_loudly(
    spark: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rvh.NodeSet, "fingerprint", "0" * 64)
    df = with_node(spark.range(10), "id", NODES)
    with pytest.raises(PythonException, match=r"RVHError: .*fingerprint 0{64}.*install the same"):
        df.collect()


# -- the keys of tests/integrations/test_same_nodes.py -------------------------------------------


@pytest.mark.parametrize("kind", [kind for kind in same_keys.KINDS if kind != "composite"])
def test_the_same_nodes_as_everywhere(spark: Any, kind: str, tmp_path: Path) -> None:
    # Spark refuses to read Parquet's type of UUIDs.
    df = spark.read.parquet(str(same_keys.parquet(kind, tmp_path, uuids=False)))
    if kind == "date":
        df = df.withColumn("day", sf.col("day").cast("string"))
    found = with_node(df, same_keys.key(kind), same_keys.NODES).select("row", "node").toArrow()
    rows, answers = (each.to_pylist() for each in found.columns)
    assert same_keys.in_order(rows, answers) == same_keys.nodes(kind)
