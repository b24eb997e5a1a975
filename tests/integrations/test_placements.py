"""Whatever places keys, in every engine: the answers are those of the placement's own call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import rvh

pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
pd = pytest.importorskip("pandas", reason="pandas is not installed")
pl = pytest.importorskip("polars", reason="Polars is not installed")
duckdb = pytest.importorskip("duckdb", reason="DuckDB is not installed")
datafusion = pytest.importorskip("datafusion", reason="DataFusion is not installed")

from placements import (  # noqa: E402
    GEO,
    GEOHASHES,
    IDS,
    NODES,
    NUMBERS,
    OF_OTHER_SYSTEMS,
    PLACEMENTS,
    TEXT,
    expected,
    near,
)

import rvh.integrations.datafusion as in_datafusion  # noqa: E402
import rvh.integrations.duckdb as in_duckdb  # noqa: E402
import rvh.integrations.pandas as in_pandas  # noqa: E402
import rvh.integrations.polars as in_polars  # noqa: E402
from rvh.partitions import PartitionTable  # noqa: E402
from rvh.ring import ketama  # noqa: E402

COLUMNS = {"text": TEXT, "number": NUMBERS, "place": GEOHASHES}
TABLE = pa.table({**COLUMNS, "row": range(60)})
Answer = list[Any]


def lists(answers: Any, k: int) -> Answer:
    return [None if row is None else [row] if k == 1 else list(row) for row in answers]


def polars_frame(key: Any, nodes: Any, k: int, **options: Any) -> Answer:
    frame = in_polars.with_node(pl.DataFrame(COLUMNS), key, nodes, k, **options)
    return lists(frame["node"].to_list(), k)


def polars_streaming(key: Any, nodes: Any, k: int, **options: Any) -> Answer:
    frame = in_polars.with_node(pl.LazyFrame(COLUMNS), key, nodes, k, **options)
    return lists(frame.collect(engine="streaming")["node"].to_list(), k)


def polars_expression(key: Any, nodes: Any, k: int, **options: Any) -> Answer:
    expr = pl.col(key) if isinstance(key, str) else pl.struct(key)
    found = pl.DataFrame(COLUMNS).select(expr.rvh.select(nodes, k, **options).alias("node"))
    return lists(found["node"].to_list(), k)


def polars_series(key: Any, nodes: Any, k: int, geohash: Any = None, **options: Any) -> Answer:
    frame = pl.DataFrame(COLUMNS)
    keys = frame[key] if isinstance(key, str) else [frame[name] for name in key]
    place = None if geohash is None else frame[geohash]
    return lists(in_polars.select(keys, nodes, k, geohash=place, **options).to_list(), k)


def pandas_frame() -> Any:
    frame = pd.DataFrame(COLUMNS, index=range(100, 160))
    return frame.astype({"number": "Int64"})


def pandas_with_node(key: Any, nodes: Any, k: int, **options: Any) -> Answer:
    found = in_pandas.with_node(pandas_frame(), key, nodes, k, **options)["node"]
    return lists([None if value is None or value != value else value for value in found], k)


def pandas_accessor(key: Any, nodes: Any, k: int, geohash: Any = None, **options: Any) -> Answer:
    frame = pandas_frame()
    place = None if geohash is None else frame[geohash]
    found = frame[key].rvh.select(nodes, k, geohash=place, **options)
    rows = (found.to_frame() if k == 1 else found).itertuples(index=False)
    return [None if pd.isna(row[0]) else list(row) for row in rows]


def duckdb_arguments(key: Any, nodes: Any, k: int, geohash: Any = None, **options: Any) -> Answer:
    names = [key] if isinstance(key, str) else [*key]
    arguments = names if geohash is None else [*names, geohash]
    with duckdb.connect() as con:
        in_duckdb.register(con, "node", nodes, k, **options)
        con.register("t", TABLE)
        query = f"SELECT node({', '.join(arguments)}) FROM t ORDER BY row"
        return lists([row[0] for row in con.execute(query).fetchall()], k)


def duckdb_struct(key: Any, nodes: Any, k: int, **options: Any) -> Answer:
    struct = key if isinstance(key, str) else "{" + ", ".join(f"'{n}': {n}" for n in key) + "}"
    return duckdb_arguments(struct, nodes, k, **options)


def datafusion_frame(key: Any, nodes: Any, k: int, **options: Any) -> Answer:
    df = datafusion.SessionContext().from_arrow(TABLE)
    df = in_datafusion.with_node(df, key, nodes, k, **options)
    return lists(pa.table(df).sort_by("row")["node"].to_pylist(), k)


def datafusion_sql(key: Any, nodes: Any, k: int, geohash: Any = None, **options: Any) -> Answer:
    names = [key] if isinstance(key, str) else [*key]
    ctx = datafusion.SessionContext()
    ctx.from_arrow(TABLE, name="t")
    kinds = [ctx.table("t").schema().field(name).type for name in names]
    in_datafusion.register(ctx, "node", nodes, k, key=kinds, **options)
    arguments = names if geohash is None else [*names, geohash]
    query = ctx.sql(f"SELECT row, node({', '.join(arguments)}) AS node FROM t")
    return lists(pa.table(query).sort_by("row")["node"].to_pylist(), k)


ENGINES: list[Callable[..., Answer]] = [
    *(polars_frame, polars_streaming, polars_expression, polars_series),
    *(pandas_with_node, pandas_accessor),
    *(duckdb_arguments, duckdb_struct, datafusion_frame, datafusion_sql),
]
in_every_engine = pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.__name__)


@in_every_engine
@pytest.mark.parametrize("name", PLACEMENTS)
def test_one_column(name: str, engine: Callable[..., Answer]) -> None:
    placement, k, options, answer = PLACEMENTS[name]
    assert engine("text", placement, k, **options) == expected(answer, TEXT)
    if name != "one's own":
        assert engine("number", placement, k, **options) == expected(answer, NUMBERS)


@in_every_engine
@pytest.mark.parametrize("name", PLACEMENTS)
def test_composite_keys(name: str, engine: Callable[..., Answer]) -> None:
    placement, k, options, answer = PLACEMENTS[name]
    if name in OF_OTHER_SYSTEMS:
        with pytest.raises((rvh.RVHError, duckdb.Error), match="keys are composite keys"):
            engine(["text", "number"], placement, k, **options)
        return
    found = engine(["text", "number"], placement, k, **options)
    assert found == expected(answer, TEXT, NUMBERS)
    found = engine(["number", "text", "place"], placement, k, **options)
    assert found == expected(answer, NUMBERS, TEXT, GEOHASHES)


@in_every_engine
def test_a_list_of_one_column_is_that_column(engine: Callable[..., Answer]) -> None:
    assert engine(["text"], NODES, 1) == engine("text", NODES, 1)


@in_every_engine
@pytest.mark.parametrize("k", [1, 3])
def test_places(engine: Callable[..., Answer], k: int) -> None:
    assert engine("text", GEO, k, geohash="place") == near(k)


@in_every_engine
def test_what_does_not_go_together(engine: Callable[..., Answer]) -> None:
    ring = ketama(IDS)
    for options, message in (
        ({"weights": [1] * 20}, "weights= was given with a Ring, .*leave it out"),
        ({"spread": "zone"}, "spread= was given with a Ring, .*FaultSet"),
    ):
        with pytest.raises(rvh.RVHError, match=message):
            engine("text", ring, 1, **options)
    with pytest.raises(rvh.RVHError, match="gives every key 2: pass k=2"):
        engine("text", PartitionTable(IDS, 64, k=2), 1)
    with pytest.raises(rvh.RVHError, match="k is 21, but a Ring has 20 nodes"):
        engine("text", ring, 21)
    with pytest.raises(TypeError, match="no option wieghts=: choose from weights"):
        engine("text", IDS, 1, wieghts=[1] * 20)
    # DataFusion raises another error up to version 45.
    with pytest.raises(Exception, match=r"geohash|node\(Utf8, Utf8\)"):
        engine("text", GEO, 1)


@pytest.mark.parametrize(
    "engine", [polars_frame, polars_streaming, polars_series, pandas_with_node, datafusion_frame],
    ids=lambda engine: engine.__name__,
)  # fmt: skip
def test_a_geohash_that_has_no_use(engine: Callable[..., Answer]) -> None:
    with pytest.raises(rvh.RVHError, match="knows no places: leave it out, or pass a GeoSet"):
        engine("text", NODES, 1, geohash="place")


# -- a struct, and nulls in it ---------------------------------------------------------------------


def test_a_struct_is_its_fields() -> None:
    best = expected(lambda keys: NODES.select_batch(keys), TEXT, NUMBERS)
    structs = pa.StructArray.from_arrays(
        [TABLE["text"].combine_chunks(), TABLE["number"].combine_chunks()],
        names=["text", "number"],
        mask=pa.array([n == 0 for n in range(60)]),
    )
    best[0] = None  # the struct itself is null
    table = pa.table({"s": structs, "row": range(60)})
    assert lists(pl.from_arrow(table)["s"].rvh.select(NODES).to_list(), 1) == best
    df = datafusion.SessionContext().from_arrow(table)
    found = pa.table(in_datafusion.with_node(df, "s", NODES)).sort_by("row")
    assert lists(found["node"].to_pylist(), 1) == best
    series = pd.Series(pd.arrays.ArrowExtensionArray(structs))
    found = series.rvh.select(NODES)
    assert [None if value != value else [value] for value in found] == best
    with duckdb.connect() as con:
        in_duckdb.register(con, "node", NODES)
        con.register("t", table)
        rows = con.execute("SELECT node(s) FROM t ORDER BY row").fetchall()
        assert lists([row[0] for row in rows], 1) == best


def test_parts_without_bytes_are_named() -> None:
    frame = pl.LazyFrame({"a": ["x"], "b": [1.5]})
    with pytest.raises(rvh.RVHTypeError, match=r"column 'b' .*double.*cast"):
        in_polars.with_node(frame, ["a", "b"], NODES)
    with pytest.raises(rvh.RVHTypeError, match=r"series 'b' has the dtype float64"):
        in_pandas.with_node(frame.collect().to_pandas(), ["a", "b"], NODES)
    frame = pd.DataFrame({"a": ["x", "y"], "b": pd.Series(["x", 1.5], dtype=object)})
    with pytest.raises(rvh.RVHTypeError, match=r"column 'b' at position 1 is of type float"):
        in_pandas.with_node(frame, ["a", "b"], NODES)


def test_categories_in_composite_keys() -> None:
    best = expected(lambda keys: NODES.select_batch(keys), TEXT, NUMBERS)
    frame = pandas_frame().astype({"text": "category", "number": "category"})
    found = frame[["text", "number"]].rvh.select(NODES)
    assert [None if value != value else [value] for value in found] == best
    frame = pl.DataFrame(COLUMNS).cast({"text": pl.Categorical})
    assert lists(in_polars.with_node(frame, ["text", "number"], NODES)["node"], 1) == best


def test_a_literal_part_in_polars() -> None:
    best = expected(lambda keys: NODES.select_batch(keys), TEXT, [2024] * 60)
    frame = pl.DataFrame(COLUMNS)
    found = frame.select(in_polars.select([pl.col("text"), pl.lit(2024)], NODES))
    assert lists(found["text"].to_list(), 1) == best


# -- columns of one node each ----------------------------------------------------------------------


def test_named_columns() -> None:
    best = expected(lambda keys: NODES.select_batch(keys, 3), TEXT)
    names = ["node_1", "node_2", "node_3"]
    rows = [tuple(row or [None] * 3) for row in best]
    for frame in (pl.DataFrame(COLUMNS), pl.LazyFrame(COLUMNS)):
        found = in_polars.with_node(frame, "text", NODES, 3, as_columns=True).lazy().collect()
        assert found.columns == [*COLUMNS, *names]
        assert found.select(names).rows() == rows
    found = in_pandas.with_node(pandas_frame(), "text", NODES, 3, as_columns=True)
    assert [*found] == [*COLUMNS, *names]
    assert [tuple(None if v != v else v for v in row) for row in found[names].values] == rows
    df = datafusion.SessionContext().from_arrow(TABLE)
    found = pa.table(in_datafusion.with_node(df, "text", NODES, 3, as_columns=True))
    assert found.column_names == [*COLUMNS, "row", *names]
    found = found.sort_by("row").select(names).to_pydict()
    assert list(zip(*found.values(), strict=True)) == rows


def test_named_columns_take_their_name_from_column() -> None:
    frame = in_polars.with_node(pl.DataFrame(COLUMNS), "text", NODES, 2, "replica", as_columns=True)
    assert frame.columns[-2:] == ["replica_1", "replica_2"]
    with pytest.raises(rvh.RVHError, match="a column 'replica_2' already"):
        in_polars.with_node(frame.drop("replica_1"), "text", NODES, 2, "replica", as_columns=True)
    wrong: Any = "2"
    for with_node, table in ((in_polars.with_node, frame), (in_pandas.with_node, pandas_frame())):
        with pytest.raises(rvh.RVHTypeError, match="k is '2'"):
            with_node(table, "text", NODES, wrong, "other", as_columns=True)


def test_pandas_of_different_indexes() -> None:
    frame = pandas_frame()
    with pytest.raises(rvh.RVHError, match="different indexes"):
        in_pandas.select([frame["text"], frame["number"].reset_index(drop=True)], NODES)


def test_ids_are_found_where_a_placement_answers_with_ids() -> None:
    class Wrong:
        ids = ("a",)

        def select_batch(self, keys: Any, k: int) -> Any:
            return [["b"] for _ in keys]

    with pytest.raises(rvh.RVHError, match=r"in row 0 node 'b', which is not among its ids"):
        in_polars.select("key", Wrong())
