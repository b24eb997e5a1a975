"""The same values in every engine: the same nodes, or an error; where an engine drops a type before
rvh sees it, what arrives, and the cast that the page gives.

One table of values; each engine is given them in its own way, and asked in each of its ways.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import date, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rvh

pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
pd = pytest.importorskip("pandas", reason="pandas is not installed")
pl = pytest.importorskip("polars", reason="Polars is not installed")
duckdb = pytest.importorskip("duckdb", reason="DuckDB is not installed")
datafusion = pytest.importorskip("datafusion", reason="DataFusion is not installed")

import pyarrow.parquet as pq  # noqa: E402

import rvh.integrations.datafusion as in_datafusion  # noqa: E402
import rvh.integrations.duckdb as in_duckdb  # noqa: E402
import rvh.integrations.pandas  # noqa: E402
import rvh.integrations.polars  # noqa: E402

NODES = rvh.NodeSet([f"n{n:03}" for n in range(200)])  # so many that chance does not agree
UUIDS = [uuid.UUID(int=n) for n in (0, 1, 0x1234567890ABCDEF << 64, 2**128 - 1)]
TEXTS = [str(value) for value in UUIDS]
Answer = Any

#: a kind of values -> how Arrow has them, and the Python keys that they are (None: an error)
VALUES: dict[str, tuple[Any, list[Any] | None]] = {
    "text": (pa.array(["a", "é", "42"]), ["a", "é", "42"]),
    "large text": (pa.array(["a", "é"], pa.large_string()), ["a", "é"]),
    "bytes": (pa.array([b"a", b"\xff\0"]), [b"a", b"\xff\0"]),
    **{
        str(kind): (pa.array([0, 42, 127], kind), [0, 42, 127])
        for kind in (
            *(pa.int8(), pa.int16(), pa.int32(), pa.int64()),
            *(pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()),
        )
    },
    "uint64 beyond int64": (pa.array([2**63, 2**64 - 1], pa.uint64()), [2**63, 2**64 - 1]),
    "int64 beyond 2^53": (pa.array([2**53 + 1, -(2**53) - 1]), [2**53 + 1, -(2**53) - 1]),
    "UUID": (pa.array([value.bytes for value in UUIDS], pa.uuid()), TEXTS),
    "dictionary of text": (pa.array(["a", "b", "a"]).dictionary_encode(), ["a", "b", "a"]),
    "bool": (pa.array([True, False]), None),
    "float32": (pa.array([1.0, 2.0], pa.float32()), None),
    "float64": (pa.array([1.0, 2.0]), None),
    "decimal": (pa.array([Decimal("1.00"), Decimal("2.50")]), None),
    "a whole decimal": (pa.array([Decimal(1), Decimal(2)], pa.decimal128(38, 0)), None),
    "date": (pa.array([date(2024, 1, 2)]), None),
    "time": (pa.array([time(1, 2, 3)]), None),
    "timestamp": (pa.array([0, 10**15], pa.timestamp("us")), None),
    "timestamp with a zone": (pa.array([0], pa.timestamp("us", "UTC")), None),
    "duration": (pa.array([timedelta(days=1)], pa.duration("us")), None),
    "list": (pa.array([[1, 2]]), None),
}


def by_pyarrow(column: Any, _: Path) -> Answer:
    return NODES.select_batch(column)[:, 0].tolist()


def by_objects(column: Any, _: Path) -> Answer:
    return NODES.select_batch(column.to_pylist())[:, 0].tolist()


def by_series(column: Any, _: Path) -> Answer:
    return NODES.select_batch(column.to_pandas())[:, 0].tolist()


def by_pandas(column: Any, _: Path) -> Answer:
    return column.to_pandas().rvh.select(NODES).tolist()


def by_pandas_objects(column: Any, _: Path) -> Answer:
    return pd.Series(column.to_pylist(), dtype=object).rvh.select(NODES).tolist()


def by_pandas_arrow(column: Any, _: Path) -> Answer:
    return pd.Series(pd.arrays.ArrowExtensionArray(column)).rvh.select(NODES).tolist()


def by_pandas_parquet(column: Any, folder: Path) -> Answer:
    pq.write_table(pa.table({"key": column}), folder / "keys.parquet")
    return pd.read_parquet(folder / "keys.parquet")["key"].rvh.select(NODES).tolist()


def by_polars(column: Any, _: Path) -> Answer:
    return pl.from_arrow(pa.table({"key": column}))["key"].rvh.select(NODES).to_list()


def by_polars_lazily(column: Any, _: Path) -> Answer:
    frame = pl.from_arrow(pa.table({"key": column})).lazy()
    return frame.select(pl.col("key").rvh.select(NODES)).collect()["key"].to_list()


def by_duckdb(column: Any, _: Path, lossless: bool = False) -> Answer:
    with duckdb.connect() as con:
        con.execute(f"SET arrow_lossless_conversion = {lossless}")
        in_duckdb.register(con, "node", NODES)
        con.register("t", pa.table({"key": column}))
        return [row[0] for row in con.execute("SELECT node(key) FROM t").fetchall()]


def by_duckdb_lossless(column: Any, folder: Path) -> Answer:
    return by_duckdb(column, folder, lossless=True)


def by_duckdb_to_arrow(column: Any, _: Path) -> Answer:
    with duckdb.connect() as con:
        con.execute("SET arrow_lossless_conversion = true")
        con.register("t", pa.table({"key": column}))
        return NODES.select_batch(con.sql("SELECT key FROM t").to_arrow_table())[:, 0].tolist()


def by_duckdb_to_pandas(column: Any, _: Path) -> Answer:
    with duckdb.connect() as con:
        con.register("t", pa.table({"key": column}))
        return con.sql("SELECT key FROM t").df()["key"].rvh.select(NODES).tolist()


def by_datafusion(column: Any, _: Path) -> Answer:
    ctx = datafusion.SessionContext()
    ctx.register_record_batches("t", [[pa.record_batch({"key": column})]])
    kind = ctx.sql("SELECT key FROM t").schema().field("key").type
    in_datafusion.register(ctx, "node", NODES, key=kind)
    return ctx.sql("SELECT node(key) AS n FROM t").to_pydict()["n"]


ENGINES: dict[str, Callable[[Any, Path], Answer]] = {
    name.removeprefix("by_"): call for name, call in globals().items() if name.startswith("by_")
}

#: where an engine drops the type before rvh sees it: what arrives; tests of the casts are below
DROPPED: dict[tuple[str, str], list[Any]] = {
    ("polars", "UUID"): [value.bytes for value in UUIDS],
    ("polars_lazily", "UUID"): [value.bytes for value in UUIDS],
}


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("kind", VALUES)
def test_the_same_nodes_or_an_error(kind: str, engine: str, tmp_path: Path) -> None:
    column, keys = VALUES[kind]
    keys = DROPPED.get((engine, kind), keys)
    if keys is not None:
        expected = NODES.select_batch(keys)[:, 0].tolist()
        assert ENGINES[engine](column, tmp_path) == expected
        return
    with pytest.raises((rvh.RVHTypeError, duckdb.InvalidInputException)) as caught:
        ENGINES[engine](column, tmp_path)
    assert "RVHTypeError" in repr(caught.value)
    assert any(word in str(caught.value) for word in ("cast", "one dimension"))


# -- one Parquet file of UUIDs, in every engine ----------------------------------------------------


@pytest.fixture(params=["with Arrow's schema", "without"])
def parquet(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A file with Parquet's own UUID type; DuckDB writes it without the schema of Arrow."""
    file = str(tmp_path / "keys.parquet")
    if request.param == "without":
        rows = ", ".join(f"('{text}'::UUID)" for text in TEXTS)
        duckdb.execute(f"COPY (SELECT * FROM (VALUES {rows}) t(key)) TO '{file}'")
    else:
        pq.write_table(pa.table({"key": pa.array([u.bytes for u in UUIDS], pa.uuid())}), file)
    return file


EXPECTED = NODES.select_batch(TEXTS)[:, 0].tolist()


def test_a_file_in_pyarrow_and_pandas(parquet: str) -> None:
    assert NODES.select_batch(pq.read_table(parquet))[:, 0].tolist() == EXPECTED
    assert pd.read_parquet(parquet)["key"].rvh.select(NODES).tolist() == EXPECTED
    arrow = pd.read_parquet(parquet, dtype_backend="pyarrow")
    assert arrow["key"].rvh.select(NODES).tolist() == EXPECTED


@pytest.mark.parametrize("lossless", [False, True])
def test_a_file_in_duckdb(parquet: str, lossless: bool) -> None:
    with duckdb.connect() as con:
        con.execute(f"SET arrow_lossless_conversion = {lossless}")
        in_duckdb.register(con, "node", NODES)
        rows = con.execute(f"SELECT node(key) FROM '{parquet}'").fetchall()
        assert [row[0] for row in rows] == EXPECTED
        in_duckdb.register(con, "nodes", NODES, 2)
        rows = con.execute(f"SELECT nodes(key) FROM '{parquet}'").fetchall()
        assert [row[0] for row in rows] == NODES.select_batch(TEXTS, 2).tolist()


def test_a_file_in_polars_is_bytes_and_the_cast(parquet: str) -> None:
    frame = pl.read_parquet(parquet)
    assert frame.schema == {"key": pl.Binary}  # nothing tells that they were UUIDs
    arrived = NODES.select_batch([value.bytes for value in UUIDS])[:, 0].tolist()
    assert frame["key"].rvh.select(NODES).to_list() == arrived
    # docs/how-to/engines/index.md, "UUIDs"
    digits = pl.col("key").bin.encode("hex")
    cuts = [(0, 8), (8, 4), (12, 4), (16, 4), (20, 12)]
    text = pl.concat_str([digits.str.slice(*cut) for cut in cuts], separator="-")
    assert frame.select(text.rvh.select(NODES)).to_series().to_list() == EXPECTED


def test_a_file_in_datafusion_is_bytes_and_the_cast(parquet: str) -> None:
    ctx = datafusion.SessionContext()
    ctx.register_parquet("t", parquet)
    kind = ctx.sql("SELECT key FROM t").schema().field("key").type
    assert kind in (pa.binary(16), pa.uuid())
    # docs/how-to/engines/index.md, "UUIDs": the type is said, whatever arrives
    in_datafusion.register(ctx, "node", NODES, key=pa.uuid())
    assert ctx.sql("SELECT node(key) AS n FROM t").to_pydict()["n"] == EXPECTED
    if kind == pa.binary(16):
        in_datafusion.register(ctx, "raw", NODES, key=kind)
        arrived = NODES.select_batch([value.bytes for value in UUIDS])[:, 0].tolist()
        assert ctx.sql("SELECT raw(key) AS n FROM t").to_pydict()["n"] == arrived


# -- DuckDB's own types ----------------------------------------------------------------------------

#: a type, a value of it, and the key that it is by default, and with arrow_lossless_conversion
DUCKDB: list[tuple[str, str, Any, Any]] = [
    ("UUID", TEXTS[2], TEXTS[2], TEXTS[2]),
    ("JSON", '{"a": 1}', '{"a": 1}', '{"a": 1}'),
    ("VARCHAR", "x", "x", "x"),
    ("BLOB", "ab", b"ab", b"ab"),
    ("ENUM('a', 'b')", "b", "b", "b"),
    ("TINYINT", "-5", -5, -5),
    ("UBIGINT", "18446744073709551615", 2**64 - 1, 2**64 - 1),
    ("BOOLEAN", "true", None, None),
    ("HUGEINT", "5", None, None),
    ("UHUGEINT", "5", None, None),
    ("BIGNUM", "5", None, None),
    ("DECIMAL(5, 2)", "1.5", None, None),
    ("FLOAT", "1.5", None, None),
    ("DOUBLE", "1.5", None, None),
    ("DATE", "2024-01-02", None, None),
    ("TIME", "10:00:00", None, None),
    ("TIMETZ", "10:00:00+01", None, None),
    ("TIMESTAMP", "2024-01-02", None, None),
    ("TIMESTAMPTZ", "2024-01-02", None, None),
    ("INTERVAL", "1 day", None, None),
    # Without the option DuckDB exports its own bytes (the padding, then the bits) as binary.
    ("BIT", "0101", b"\x04\xf5", None),
]


@pytest.mark.parametrize("k", [1, 2])
@pytest.mark.parametrize("lossless", [False, True])
@pytest.mark.parametrize(("kind", "value", "plain", "exact"), DUCKDB)
def test_types_of_duckdb(
    kind: str, value: str, plain: Any, exact: Any, lossless: bool, k: int
) -> None:
    key = exact if lossless else plain
    with duckdb.connect() as con:
        con.execute(f"SET arrow_lossless_conversion = {lossless}")
        in_duckdb.register(con, "node", NODES, k)
        query = f"SELECT node('{value}'::{kind})"
        if key is None:
            with pytest.raises(duckdb.InvalidInputException, match=r"RVHTypeError.*cast it"):
                con.execute(query).fetchall()
        else:
            chosen = NODES.select(key, k)
            assert con.execute(query).fetchall() == [(chosen if k > 1 else chosen[0],)]
        # The cast that the errors and the page give.
        text = con.execute(f"SELECT '{value}'::{kind}::VARCHAR").fetchall()[0][0]
        chosen = NODES.select(text, k)
        cast = con.execute(f"SELECT node('{value}'::{kind}::VARCHAR)").fetchall()
        assert cast == [(chosen if k > 1 else chosen[0],)]


# -- pandas ----------------------------------------------------------------------------------------

PANDAS: dict[str, tuple[Callable[[], Any], list[Any] | None]] = {
    "periods": (lambda: pd.Series(pd.period_range("2024", periods=2, freq="M")), None),
    "intervals": (lambda: pd.Series(pd.interval_range(0, 2)), None),
    "a category of periods": (
        lambda: pd.Series(pd.period_range("2024", periods=2, freq="M")).astype("category"),
        None,
    ),
    "UUIDs": (lambda: pd.Series(UUIDS), TEXTS),
    "a category of UUIDs": (lambda: pd.Series(UUIDS).astype("category"), TEXTS),
    "integers as objects": (
        lambda: pd.Series([1, 2**64 - 1, -(2**63)], dtype=object),
        [1, 2**64 - 1, -(2**63)],
    ),
    "integers and text": (lambda: pd.Series([1, "1", b"x"], dtype=object), [1, "1", b"x"]),
    "Int64": (lambda: pd.Series([2**53 + 1, 7], dtype="Int64"), [2**53 + 1, 7]),
    "UInt8": (lambda: pd.Series([255, 7], dtype="UInt8"), [255, 7]),
    "boolean": (lambda: pd.Series([True, False], dtype="boolean"), None),
    "Float64": (lambda: pd.Series([1.0, 2.0], dtype="Float64"), None),
    "floats of integers": (lambda: pd.Series([1, None, 2]), None),
    "timestamps": (lambda: pd.Series(pd.date_range("2024", periods=2)), None),
    "dates as objects": (lambda: pd.Series([date(2024, 1, 2)], dtype=object), None),
    "decimals as objects": (lambda: pd.Series([Decimal(1)], dtype=object), None),
    "floats as objects": (lambda: pd.Series([1.0], dtype=object), None),
    "bools as objects": (lambda: pd.Series([True], dtype=object), None),
}


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("kind", PANDAS)
def test_types_of_pandas(kind: str, missing: bool) -> None:
    make, keys = PANDAS[kind]
    series = make()
    if missing:
        series = series.reindex(range(-1, len(series)))
    calls = [lambda: series.rvh.select(NODES)]
    if not (missing and kind in ("integers as objects", "integers and text")):
        # Those have no type in Arrow, and NaN among objects is a float.
        calls.append(lambda: pd.Series(pa.array(NODES.select_arrow(series)).to_pylist()))
    for call in calls:
        if keys is None:
            with pytest.raises(rvh.RVHTypeError, match=r"\bcast|astype"):
                call()
        else:
            expected = NODES.select_batch(keys)[:, 0].tolist()
            found = call()
            assert found.tolist()[missing:] == expected
            assert found.isna().sum() == missing


def test_floats_say_that_no_cast_brings_ids_back() -> None:
    ids = [2**53 + 1, 7]
    lost = np.array(ids, dtype=np.float64)
    assert lost.astype(np.int64).tolist() != ids  # which the advice was once
    columns: list[Any] = [lost, lost.tolist(), pa.array(lost), pd.Series(lost), pl.Series(lost)]
    for column in columns:
        with pytest.raises(rvh.RVHTypeError, match=r"read ids as integers .*no cast brings"):
            NODES.select_batch(column)
    with pytest.raises(rvh.RVHTypeError, match=r"read ids as integers .*no cast brings.*Int64"):
        pd.Series(lost).rvh.select(NODES)
    with pytest.raises(rvh.RVHTypeError, match=r"read ids as integers .*no cast brings"):
        NODES.select(lost[0])
