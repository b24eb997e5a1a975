"""The same 100,000 keys of each kind have the same nodes in every engine and every file format.

One table: what each is given, with the cast that the pages give where it drops a type. The tests of
the clusters, tests/clusters, ask them for the same keys.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
pd = pytest.importorskip("pandas", reason="pandas is not installed")
pl = pytest.importorskip("polars", reason="Polars is not installed")
duckdb = pytest.importorskip("duckdb", reason="DuckDB is not installed")
datafusion = pytest.importorskip("datafusion", reason="DataFusion is not installed")

import pyarrow.feather  # noqa: E402
import pyarrow.parquet as pq  # noqa: E402
import reference  # noqa: E402
from same_keys import KINDS, NODES, Keys, keys, nodes  # noqa: E402

import rvh.integrations.datafusion as in_datafusion  # noqa: E402
import rvh.integrations.duckdb as in_duckdb  # noqa: E402
import rvh.integrations.pandas as in_pandas  # noqa: E402
import rvh.integrations.polars as in_polars  # noqa: E402
from rvh.cli import main  # noqa: E402
from rvh.multi import select_multi  # noqa: E402

Nodes = list[Any]


def by_arrow(given: Keys, kind: str) -> Nodes:
    table = given.table
    if kind == "date":
        table = table.cast(pa.schema({"day": pa.string()}))
    if kind == "composite":
        return select_multi(NODES, table.columns)[:, 0].tolist()
    return pa.array(NODES.select_arrow(table.column(0))).to_pylist()


def by_polars(given: Keys, kind: str) -> Nodes:
    frame = pl.from_arrow(given.table).lazy()
    if kind == "uuid":  # docs/how-to/engines/index.md, "UUIDs"
        digits = pl.col("id").bin.encode("hex")
        cuts = [(0, 8), (8, 4), (12, 4), (16, 4), (20, 12)]
        frame = frame.with_columns(
            id=pl.concat_str([digits.str.slice(*cut) for cut in cuts], separator="-")
        )
    elif kind == "date":
        frame = frame.with_columns(pl.col("day").cast(pl.String))
    return in_polars.with_node(frame, given.columns, NODES).collect()["node"].to_list()


def by_pandas(given: Keys, kind: str) -> Nodes:
    frame = given.table.to_pandas()
    if kind == "date":
        frame["day"] = frame["day"].astype(str)
    return in_pandas.with_node(frame, given.columns, NODES)["node"].tolist()


def by_duckdb(given: Keys, kind: str) -> Nodes:
    key = "day::VARCHAR" if kind == "date" else ", ".join(given.columns)
    with duckdb.connect() as con:
        in_duckdb.register(con, "node", NODES)
        con.register("t", given.table)
        return [row[0] for row in con.execute(f"SELECT node({key}) FROM t").fetchall()]


def by_datafusion(given: Keys, kind: str) -> Nodes:
    # With more partitions the order of the rows is not kept.
    ctx = datafusion.SessionContext(datafusion.SessionConfig().with_target_partitions(1))
    ctx.register_record_batches("t", [given.table.to_batches()])
    types = [pa.string()] if kind == "date" else given.table.schema.types
    in_datafusion.register(ctx, "node", NODES, key=types)
    key = "CAST(day AS VARCHAR)" if kind == "date" else ", ".join(given.columns)
    return ctx.sql(f"SELECT node({key}) AS node FROM t").to_pydict()["node"]


ENGINES: dict[str, Callable[[Keys, str], Nodes]] = {
    name.removeprefix("by_"): call for name, call in globals().items() if name.startswith("by_")
}


# -- files: the text of each value, or its type, where the format has types -----------------------


def write_delimited(path: Path, table: Any) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file, delimiter="\t" if path.suffix == ".tsv" else ",")
        rows.writerow(table.column_names)
        rows.writerows(zip(*(column.to_pylist() for column in table.columns), strict=True))


def read_delimited(path: Path) -> Nodes:
    with path.open(newline="", encoding="utf-8") as file:
        rows = csv.DictReader(file, delimiter="\t" if path.suffix == ".tsv" else ",")
        return [row["node"] for row in rows]


def write_ndjson(path: Path, table: Any) -> None:
    path.write_text("".join(json.dumps(row, default=str) + "\n" for row in table.to_pylist()))


def read_ndjson(path: Path) -> Nodes:
    return [json.loads(line)["node"] for line in path.read_text("utf-8").splitlines()]


def write_stream(path: Path, table: Any) -> None:
    with pa.ipc.new_stream(str(path), table.schema) as stream:
        stream.write_table(table)


def read_stream(path: Path) -> Nodes:
    with pa.ipc.open_stream(str(path)) as stream:
        return stream.read_all()["node"].to_pylist()


def write_lines(path: Path, table: Any) -> None:
    path.write_text("".join(f"{key}\n" for key in table.column(0).to_pylist()), "utf-8")


def read_lines(path: Path) -> Nodes:
    lines = path.read_text("utf-8").splitlines()
    return [line.rpartition("\t")[2] for line in lines]


#: the format's file -> how it is written, how its nodes are read, and whether it keeps types
FORMATS: dict[str, tuple[Callable[[Path, Any], object], Callable[[Path], Nodes], bool]] = {
    "keys.csv": (write_delimited, read_delimited, False),
    "keys.tsv": (write_delimited, read_delimited, False),
    "keys.ndjson": (write_ndjson, read_ndjson, False),
    "keys.parquet": (
        lambda path, table: pq.write_table(table, path),
        lambda path: pq.read_table(path)["node"].to_pylist(),
        True,
    ),
    "keys.arrow": (
        lambda path, table: pyarrow.feather.write_feather(table, str(path)),
        lambda path: pyarrow.feather.read_table(path)["node"].to_pylist(),
        True,
    ),
    "keys.arrows": (write_stream, read_stream, True),
    "keys.txt": (write_lines, read_lines, False),
}


def typed(name: str, given: Keys, kind: str) -> list[str]:
    """The options that say which columns are the key, and as what."""
    keeps_types = FORMATS[name][2]
    columns = ["key"] if name == "keys.txt" else given.columns
    if kind == "date" and keeps_types:
        columns = ["day:text"]
    elif not keeps_types and name != "keys.ndjson":  # where all is text
        kinds = map(pa.types.is_integer, given.table.schema.types)
        columns = [
            f"{each}:int" if whole else each for each, whole in zip(columns, kinds, strict=True)
        ]
    return ["--key-column", ",".join(columns)]


#: a line has one column
LINES_OF_TWO = ("composite", "keys.txt")
CASES = [(kind, name) for kind in KINDS for name in FORMATS if (kind, name) != LINES_OF_TWO]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("kind", KINDS)
def test_an_engine(kind: str, engine: str) -> None:
    assert ENGINES[engine](keys(kind), kind) == nodes(kind)


@pytest.mark.parametrize(("kind", "name"), CASES)
def test_a_file(kind: str, name: str, tmp_path: Path) -> None:
    write, read, _ = FORMATS[name]
    given = keys(kind)
    write(tmp_path / name, given.table)
    (tmp_path / "nodes.txt").write_text("".join(f"{node}\n" for node in NODES.ids))
    out = tmp_path / f"placed{Path(name).suffix}"
    asked = ["assign", tmp_path / name, "--nodes", f"@{tmp_path / 'nodes.txt'}", "-o", out]
    options = ["--scheme", "murmur", "--quiet", *typed(name, given, kind)]
    assert main([*map(str, asked), *options]) == 0
    assert read(out) == nodes(kind)


@pytest.mark.parametrize("kind", KINDS)
def test_the_table_has_what_hashlib_and_python_say(kind: str) -> None:
    """The first keys, by the contract written down again."""
    ids = NODES.ids.tolist()
    expected = [
        ids[reference.ranking(ids, key, scheme="murmur")[0]] for key in keys(kind).keys[:50]
    ]
    assert nodes(kind)[:50] == expected
