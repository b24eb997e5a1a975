"""Spark, local[2]: two Python workers give the answers of NumPy."""

from __future__ import annotations

import datetime
import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cloudpickle
import numpy as np
import pytest

pytest.importorskip("pyspark", reason="Spark is not installed: pip install 'rvh[spark]'")
if not (os.environ.get("JAVA_HOME") or shutil.which("java")):
    pytest.skip("Spark needs Java: install a JRE, 17 or newer", allow_module_level=True)

import same_keys
from clusters import REFUSALS, Million, asked
from pages import run_page
from placements import (
    GEO,
    GEOHASHES,
    IDS,
    NUMBERS,
    OF_OTHER_SYSTEMS,
    PLACEMENTS,
    TEXT,
    expected,
    near,
)
from pyspark import SparkContext
from pyspark.errors import PythonException
from pyspark.sql import SparkSession
from pyspark.sql import functions as sf
from splitting import manifest, split_by_hard_ids

import rvh
from rvh.integrations.spark import node, partition_by_node, register, with_node
from rvh.placements import spark as hash_partitions

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
    monkeypatch.setattr("rvh._pickles.FORMAT", 999)
    df = with_node(spark.range(10), "id", NODES)
    with pytest.raises(PythonException, match=r"RVHError: .* format 999 .*install the same rvh"):
        df.collect()


def test_a_worker_with_another_fingerprint_fails_loudly(
    spark: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rvh.NodeSet, "fingerprint", "0" * 64)
    df = with_node(spark.range(10), "id", NODES)
    with pytest.raises(PythonException, match=r"RVHError: .*fingerprint 0{64}.*install the same"):
        df.collect()


# -- the keys of tests/integrations/test_same_nodes.py -------------------------------------------


@pytest.mark.parametrize("kind", same_keys.KINDS)
def test_the_same_nodes_as_everywhere(spark: Any, kind: str, tmp_path: Path) -> None:
    # Spark refuses to read Parquet's type of UUIDs.
    df = spark.read.parquet(str(same_keys.parquet(kind, tmp_path, uuids=False)))
    if kind == "date":
        df = df.withColumn("day", sf.col("day").cast("string"))
    found = with_node(df, same_keys.key(kind), same_keys.NODES).select("row", "node").toArrow()
    rows, answers = (each.to_pylist() for each in found.columns)
    assert same_keys.in_order(rows, answers) == same_keys.nodes(kind)


# -- placements, composite keys, named columns, SQL -----------------------------------------------


@pytest.fixture(scope="module")
def table(spark: Any) -> Any:
    rows = list(zip(range(60), TEXT, NUMBERS, GEOHASHES, strict=True))
    df = spark.createDataFrame(rows, "row int, text string, number bigint, place string").cache()
    df.createOrReplaceTempView("t")
    return df


def lists(answers: list[Any], k: int) -> list[Any]:
    return [None if row is None else [row] if k == 1 else row for row in answers]


def in_order(df: Any, name: str = "node") -> list[Any]:
    return [row[name] for row in sorted(df.collect(), key=lambda row: row["row"])]


@pytest.mark.parametrize("name", [name for name in PLACEMENTS if "own" not in name])
def test_placements(table: Any, name: str) -> None:
    placement, k, options, answer = PLACEMENTS[name]
    df = with_node(table, "text", placement, k, "one", **options)
    composite = name not in OF_OTHER_SYSTEMS
    if composite:
        df = with_node(df, ["number", "text"], placement, k, "two", **options)
    assert lists(in_order(df, "one"), k) == expected(answer, TEXT)
    if composite:
        assert lists(in_order(df, "two"), k) == expected(answer, NUMBERS, TEXT)


@pytest.mark.parametrize("k", [1, 2])
def test_places(table: Any, k: int) -> None:
    assert lists(in_order(with_node(table, "text", GEO, k, geohash="place")), k) == near(k)


def test_a_column(table: Any) -> None:
    struct = sf.struct("number", "text")
    df = table.select(
        "row",
        node("text", IDS, 2).alias("two"),
        node([sf.col("number"), "text"], IDS).alias("composite"),
        node(struct, IDS).alias("struct"),
        node("text", GEO, geohash="place").alias("near"),
    )
    best = expected(lambda keys: rvh.select_batch(IDS, keys), NUMBERS, TEXT)
    assert lists(in_order(df, "composite"), 1) == lists(in_order(df, "struct"), 1) == best
    assert lists(in_order(df, "near"), 1) == near(1)
    assert in_order(df, "two") == expected(lambda keys: rvh.select_batch(IDS, keys, 2), TEXT)
    with pytest.raises(rvh.RVHTypeError, match="needs the place of each key"):
        node("text", GEO)


def test_a_function_of_sql(spark: Any, table: Any) -> None:
    register(spark, "node", IDS)
    register(spark, "nodes", IDS, 2)
    register(spark, "near", GEO, 2)
    register(spark, "raw", [b"\xff", b"b"])
    df = spark.sql(
        "SELECT row, node(text) one, nodes(text) two, node(number, text) composite, "
        "node(struct(number, text)) struct, near(text, place) near, raw(text) raw FROM t"
    )
    types = [field.dataType.simpleString() for field in df.schema]
    assert types == ["int", "string", "array<string>", *["string"] * 2, "array<string>", "binary"]
    best = expected(lambda keys: rvh.select_batch(IDS, keys), NUMBERS, TEXT)
    assert lists(in_order(df, "composite"), 1) == lists(in_order(df, "struct"), 1) == best
    assert in_order(df, "near") == near(2)
    assert in_order(df, "two") == expected(lambda keys: rvh.select_batch(IDS, keys, 2), TEXT)
    best = expected(lambda keys: rvh.select_batch([b"\xff", b"b"], keys), TEXT)
    assert lists(in_order(df, "raw"), 1) == best


def test_named_columns(table: Any) -> None:
    df = with_node(table, "text", IDS, 2, as_columns=True)
    assert df.columns == [*table.columns, "node_1", "node_2"]
    best = expected(lambda keys: rvh.select_batch(IDS, keys, 2), TEXT)
    for rank, name in enumerate(["node_1", "node_2"]):
        assert in_order(df, name) == [None if row is None else row[rank] for row in best]


# -- each node's rows in one partition ------------------------------------------------------------


def nodes_of_partitions(df: Any) -> list[list[Any]]:
    def nodes(number: int, rows: Any) -> Any:
        yield number, list({row["node"] for row in rows})

    return [found for _, found in sorted(df.rdd.mapPartitionsWithIndex(nodes).collect())]


def test_each_node_has_a_partition(spark: Any) -> None:
    nodes = [f"node-{n:02}" for n in range(12)]
    df = partition_by_node(spark.range(5000), "id", nodes)
    assert df.columns == ["id", "node"]
    assert nodes_of_partitions(df) == [[node] for node in nodes]
    found = {row["id"]: row["node"] for row in df.collect()}
    best = rvh.select_batch(nodes, np.arange(5000))[:, 0].tolist()
    assert [found[n] for n in range(5000)] == best


def test_a_node_without_keys_has_an_empty_partition(spark: Any) -> None:
    df = partition_by_node(spark.range(5), "id", NODES, weights=[0, 1, 0, 0, 0])
    assert nodes_of_partitions(df) == [[], ["b"], [], [], []]


@pytest.mark.parametrize("null_keys", ["keep", "drop"])
def test_rows_without_a_node(spark: Any, null_keys: Any) -> None:
    df = spark.createDataFrame([("x",), (None,), ("y",), (None,)], "key string")
    parts = nodes_of_partitions(partition_by_node(df, "key", NODES, null_keys=null_keys))
    nodes = {rvh.rendezvous_hash(NODES, key)[0] for key in "xy"}
    assert [node for part in parts[:5] for node in part] == sorted(nodes)
    assert parts[5:] == ([[None]] if null_keys == "keep" else [])


def test_rows_without_a_node_are_an_error(spark: Any) -> None:
    df = spark.createDataFrame([("x",), (None,)], "key string")
    with pytest.raises(PythonException, match=r"RVHError: .* is null, so it has no node: .*drop"):
        partition_by_node(df, "key", NODES).collect()


# -- the page -------------------------------------------------------------------------------------


def test_the_page(spark: Any, tmp_path: Path) -> None:
    """Its session is this one."""
    assert run_page("how-to/engines/spark.md", tmp_path, {}) == 4


# -- the Python of a worker -----------------------------------------------------------------------


def test_the_first_run_of_a_newcomer(tmp_path: Path) -> None:
    """The Python of an environment that is not activated: `python3` is another one."""
    elsewhere = tmp_path / "bin"
    elsewhere.mkdir()
    (elsewhere / "python3").write_text("#!/bin/sh\necho not this Python >&2\nexit 3\n")
    (elsewhere / "python3").chmod(0o755)
    code = """
        from pyspark.sql import SparkSession
        from rvh.integrations.spark import register, with_node
        spark = SparkSession.builder.master("local[1]").getOrCreate()
        before = spark.sparkContext.pythonExec
        df = spark.sql("SELECT * FROM VALUES ('ann'), ('bob') AS t(user)")
        register(spark, "node", ["a", "b", "c"])
        df = with_node(df, "user", ["a", "b", "c"]).selectExpr("node", "node(user) AS n")
        print([(row.node, row.n) for row in df.collect()], spark.sparkContext.pythonExec == before)
    """
    environment = {name: value for name, value in os.environ.items() if name != "PYSPARK_PYTHON"}
    environment |= {"PATH": f"{elsewhere}:{os.environ['PATH']}", "SPARK_LOCAL_IP": "127.0.0.1"}
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(code)],
        cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    best = [node for (node,) in rvh.select_batch(["a", "b", "c"], ["ann", "bob"]).tolist()]
    assert run.stdout.strip() == f"{[(node, node) for node in best]} True", run.stderr[-2000:]


def test_a_worker_without_rvh_says_what_to_do(tmp_path: Path) -> None:
    from rvh.integrations import spark as integration

    function = integration._in_worker(b"", "places")
    (tmp_path / "function").write_bytes(cloudpickle.dumps(function))
    code = """
        import sys
        sys.modules["rvh"] = None
        import cloudpickle
        try:
            cloudpickle.loads(open("function", "rb").read())("keys")
        except ImportError as error:
            print(error)
    """
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(code)],
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert f"this Spark worker, {sys.executable}, needs the same rvh" in run.stdout
    assert "set PYSPARK_PYTHON" in run.stdout


# -- what rvh split writes ------------------------------------------------------------------------


def test_the_ids_of_a_split_are_read_back(spark: Any, tmp_path: Path) -> None:
    folder = split_by_hard_ids(tmp_path)
    inference = "spark.sql.sources.partitionColumnTypeInference.enabled"
    spark.conf.set(inference, "false")
    try:
        counts = spark.read.parquet(str(folder)).groupBy("node").count().collect()
    finally:
        spark.conf.unset(inference)
    assert {row["node"]: row["count"] for row in counts} == {
        each["node"]: each["rows"] for each in manifest(folder)["files"]
    }


def test_hash_partitions(spark: Any) -> None:
    # More rows and types have been compared by hand: docs/reference/placements.md.
    types = ("bigint", "string", "int", "date", "binary")
    rows = [
        (
            n * 2654435761 - 2**40,
            None if n % 7 == 0 else "é" * (n % 5) + str(n),
            None if n % 5 == 0 else n - 500,
            datetime.date(1970, 1, 1) + datetime.timedelta(n - 500),
            bytes(range(n % 9)),
        )
        for n in range(1000)
    ]
    names = [f"c{n}" for n in range(len(types))]
    schema = ", ".join(f"{name} {kind}" for name, kind in zip(names, types, strict=True))
    df = spark.createDataFrame(rows, schema).coalesce(1)
    keys = [[0], [1], [2], [3], [4], [0, 1, 2, 3, 4]]
    hashes = df.select([sf.hash(*(names[n] for n in key)) for key in keys]).collect()
    for key, answers in zip(keys, zip(*hashes, strict=True), strict=True):
        placement = hash_partitions(7, [types[n] for n in key])
        columns = [[row[n] for row in rows] for n in key]
        assert placement.hash_columns(*columns).tolist() == [*answers]
    placed = df.repartition(7, *names).withColumn("p", sf.spark_partition_id()).collect()
    columns = [[row[name] for row in placed] for name in names]
    slots = hash_partitions(7, types).slot_columns(*columns)
    assert slots.tolist() == [row.p for row in placed]
