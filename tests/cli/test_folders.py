"""Folders and patterns as KEYS: which files they are, in which order, and what folders say."""

from __future__ import annotations

import datetime
import json
import os
import re
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

import rvh

NODES = ["n1", "n2", "n3", "n4"]
LIST = ",".join(NODES)


def write(name: str, text: str) -> None:
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_text(text, encoding="utf-8")


def parts(folder: str, names: list[str]) -> None:
    """Parquet files of one row each, its name."""
    for name in names:
        path = Path(folder, f"{name}.parquet")
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table({"id": [name]}), path)


@pytest.fixture
def placed(call, here):
    """Assign, and give the rows back as a table."""

    def run(*args: object, key: str = "id") -> pa.Table:
        result = call("assign", *args, "-qn", LIST, "-K", key, "-o", "../out.parquet")
        assert (result.code, result.err) == (0, "")
        table = pq.read_table("../out.parquet")
        keys = table[key].to_pylist()
        assert table["node"].to_pylist() == rvh.select_batch(NODES, keys)[:, 0].tolist()
        return table.drop_columns(["node"])

    (here / "in").mkdir()
    os.chdir(here / "in")
    return run


NAMES = ["a/x", "a-b/x", "a/x10", "a/x2", "a/é", "B", "a.b", "a/deep/er/x"]


def test_the_order_is_that_of_the_engines(placed):
    parts("data", NAMES)
    ids = placed("data")["id"].to_pylist()
    assert ids == pl.read_parquet("data/**/*.parquet")["id"].to_list()
    assert ids == ds.dataset("data").to_table()["id"].to_pylist()
    assert ids == sorted(NAMES, key=lambda name: f"{name}.parquet".encode())
    for same in ("data/", "./data", Path("data").absolute(), "data/**", "data/**/*.parquet", "**"):
        assert placed(same)["id"].to_pylist() == ids


def test_what_engines_pass_over(placed):
    parts("data", ["x", "_y", ".z", "_temporary/x", ".hidden/x", "deep/_x"])
    for name in ("_SUCCESS", "_common_metadata", ".x.parquet.crc"):
        write(f"data/{name}", "")
    assert placed("data")["id"].to_pylist() == ["x"]
    assert placed("data/**/*.parquet")["id"].to_pylist() == ["_y", "deep/_x", "x"]


def test_a_pattern_matches_as_in_a_shell(placed, fails):
    parts("data", ["x1", "x2", "x10", "_x", ".x", "y/a", "y/b"])
    assert placed("data/x?.parquet")["id"].to_pylist() == ["x1", "x2"]
    assert placed("data/[!y]*.parquet")["id"].to_pylist() == ["_x", "x1", "x10", "x2"]
    assert placed("data/*")["id"].to_pylist() == ["_x", "x1", "x10", "x2", "y/a", "y/b"]
    assert placed("data/x2*", "data/x1*")["id"].to_pylist() == ["x2", "x1", "x10"]
    args = ["-n", LIST, "-o", "-"]
    assert fails("assign", "data/z*", *args) == "no file matches the pattern data/z*"
    error = fails("assign", "data/x1*", "data/x*", *args)
    assert error == "data/x1.parquet would be read twice: name it once"


def test_a_file_that_is_named_as_a_pattern(placed, fails):
    parts(".", ["x[1]", "y*"])
    assert placed("x[1].parquet")["id"].to_pylist() == ["x[1]"]
    assert placed("y*.parquet")["id"].to_pylist() == ["y*"]
    parts(".", ["x1", "y2"])
    for name, other, escaped in (
        ("x[1].parquet", "x1.parquet", "x[[]1].parquet"),
        ("y*.parquet", "y2.parquet", "y[*].parquet"),
    ):
        error = fails("assign", name, "-n", LIST, "-o", "-")
        assert error.startswith(f"{name} is the name of a file, and a pattern that also matches ")
        assert f"write {escaped} for that file alone" in error
        both = placed(escaped, other)["id"].to_pylist()
        assert both == [name.removesuffix(".parquet"), other.removesuffix(".parquet")]


@pytest.mark.parametrize("kind", ["csv.gz", "ndjson", "txt"])
def test_folders_of_other_formats(call, here, kind):
    for name in ("b/1", "a/2", "a/1"):
        write("one.txt", f"{name}\n")
        Path("data", name).parent.mkdir(parents=True, exist_ok=True)
        args = ["-qn", LIST, "--column", "x", "-o", f"data/{name}.{kind}"]
        assert call("assign", "one.txt", *args).code == 0
    column = [] if kind == "txt" else ["-K", "key"]
    assert call("assign", "data", "-qn", LIST, *column, "-o", "out.ndjson").code == 0
    keys = [json.loads(line)["key"][:3] for line in Path("out.ndjson").read_text().splitlines()]
    assert keys == ["a/1", "a/2", "b/1"]


@pytest.mark.parametrize(
    ("extra", "code", "message"),
    [
        ("data/README.md", 2, "data/README.md does not tell a format"),
        ("data/x.csv", 2, "data/a.parquet is parquet, but data/x.csv is csv"),
        ("data/_delta_log/0.json", 1, "data is a Delta table"),
        ("data/deep/_delta_log/0.json", 1, "data/deep is a Delta table"),
        ("data/metadata/v1.metadata.json", 1, "data is an Iceberg table"),
        ("data/.hoodie/x", 1, "data is a Hudi table"),
    ],
)
def test_folders_that_are_more_than_their_files(call, here, extra, code, message):
    parts("data", ["a", "deep/b"])
    write(extra, "")
    for given in ("data", "data/**") if code == 1 else ("data",):
        result = call("assign", given, "-n", LIST, "-o", "-")
        assert (result.code, result.out) == (code, b"")
        assert message in result.err
    assert call("assign", "data/a.parquet", "-qn", LIST, "-o", "out.csv").code == 0


def test_empty_folders_links_and_pipes(fails, placed):
    Path("data/deep").mkdir(parents=True)
    write("data/_SUCCESS", "")
    args = ["-n", LIST, "-o", "-"]
    assert fails("assign", "data", *args) == "there is no file in the folder data"
    parts("data", ["a"])
    parts("other", ["b"])
    Path("data/link.parquet").symlink_to("../other/b.parquet")
    assert placed("data")["id"].to_pylist() == ["a", "b"]
    Path("data/link").symlink_to("../other")
    error = fails("assign", "data", *args)
    assert error == (
        "data/link.parquet and data/link/b.parquet, one file, would be read twice: name it once"
    )
    Path("data/link.parquet").unlink()
    assert placed("data")["id"].to_pylist() == ["a", "b"]
    Path("data/deep/round").symlink_to("..")
    assert "the same folder, which would be read twice" in fails("assign", "data", *args)
    Path("data/deep/round").unlink()
    os.mkfifo("data/pipe.parquet")
    assert fails("assign", "data", *args).startswith("data/pipe.parquet is not a file")


# -- columns that folders say ---------------------------------------------------------------------

DAY = datetime.date(2024, 1, 2)
TABLE = pa.table(
    {
        "id": ["a", "b", "c", "d"],
        "day": [DAY, datetime.date(2024, 1, 3), None, DAY],
        "s": ["x y", "a/b", "", "é=%+"],
        "n": [1, -10, 2, None],
    }
)


def by_pyarrow(path: str, *names: str) -> None:
    pq.write_to_dataset(TABLE, path, partition_cols=list(names))


def by_polars(path: str, *names: str) -> None:
    pl.from_arrow(TABLE).write_parquet(path, partition_by=list(names), mkdir=True)


def by_polars_without(path: str, *names: str) -> None:
    way = pl.PartitionBy(path, key=list(names), include_key=False)
    pl.from_arrow(TABLE).lazy().sink_parquet(way, mkdir=True)


def by_duckdb(path: str, *names: str) -> None:
    rows = TABLE  # noqa: F841  (DuckDB finds it)
    duckdb.sql(f"copy rows to '{path}' (format parquet, partition_by ({', '.join(names)}))")


WITHOUT = [by_pyarrow, by_polars_without, by_duckdb]


@pytest.mark.parametrize("make", WITHOUT)
def test_columns_of_folders(placed, make):
    make("data", "day", "s")
    for given in (["data"], ["data/**/*.parquet"], ["data/day=*/*"], ["data", "--hive", "keep"]):
        table = placed(*given).sort_by("id")
        assert table.schema.names == ["id", "n", "day", "s"]
        assert [str(kind) for kind in table.schema.types[1:]] == ["int64", "string", "string"]
        days = [None if day is None else str(day) for day in TABLE["day"].to_pylist()]
        assert table["day"].to_pylist() == days
        assert table.drop_columns(["day"]).to_pydict() == (
            TABLE.select(["id", "n", "s"]).to_pydict()
        )
        engine = pl.read_parquet("data", try_parse_hive_dates=False).sort("id")
        assert engine.to_dict(as_series=False) == table.to_pydict()
    table = placed("data", "--hive", "drop")
    assert table.schema.names == ["id", "n"]


@pytest.mark.parametrize("make", WITHOUT)
def test_whole_numbers_of_folders_are_integers(placed, make):
    make("data", "n")
    table = placed("data").sort_by("id")
    assert table.schema.field("n").type == pa.int64()
    assert table["n"].to_pylist() == TABLE["n"].to_pylist()
    for folder, column in (("data/n=1", None), ("data/n=07", "07"), ("data/n=x", "x")):
        Path(folder).mkdir(exist_ok=True)
        if column is not None:
            pq.write_table(pq.read_table(next(Path("data/n=1").iterdir())), f"{folder}/1.parquet")
            table = placed("data")
            assert table.schema.field("n").type == pa.string()
            assert {"1", "-10", "2", None, column} <= set(table["n"].to_pylist())


def test_a_column_that_is_in_the_files_too_stays(placed, fails):
    by_polars("data", "day", "n")
    table = placed("data").sort_by("id")
    assert table.to_pydict() == TABLE.to_pydict()
    assert table.schema.field("day").type == pa.date32()
    os.rename("data/day=2024-01-03", "data/day=2024-01-04")
    error = fails("assign", "data", "-n", LIST, "-K", "id", "-o", "out.parquet")
    assert re.fullmatch(
        r"data/day=2024-01-04/n=-10/\S+.parquet: column 'day' has the value "
        r"datetime.date\(2024, 1, 3\), but its folder says '2024-01-04'",
        error,
    )


def test_a_key_that_the_folder_says(call, placed):
    by_duckdb("data", "n")
    os.rename("data/n=__HIVE_DEFAULT_PARTITION__", "data/n=7")
    assert placed("data", key="n")["n"].to_pylist() == [-10, 1, 2, 7]
    result = call("assign", "data", "-n", LIST, "-K", "n,id", "-o", "out.csv")
    assert "4 rows of 4 files with n (int) from their folders on " in result.err
    os.rename("data/n=7", "data/n=__HIVE_DEFAULT_PARTITION__")
    result = call("assign", "data", "-n", LIST, "-K", "n", "-o", "out.csv")
    assert "row 1, column 'n': the key is null" in result.err


@pytest.mark.parametrize("kind", ["csv", "tsv", "ndjson", "txt"])
def test_folders_of_text(call, here, kind):
    rows = {"csv": "id\n{}\n", "tsv": "id\n{}\n", "ndjson": '{{"id": "{}", "x": 1.50}}\n'}
    for key, folder in (("a", "n=1"), ("b", "n=2"), ("c", "n=__HIVE_DEFAULT_PARTITION__")):
        write(f"data/{folder}/x.{kind}", rows.get(kind, "{}\n").format(key))
    column = "key" if kind == "txt" else "id"
    assert call("assign", "data", "-qn", LIST, "-K", column, "-o", f"out.{kind}").code == 0
    a, b, c = rvh.select_batch(NODES, ["a", "b", "c"])[:, 0].tolist()
    assert (
        Path(f"out.{kind}").read_text(encoding="utf-8")
        == {
            "csv": f"id,n,node\na,1,{a}\nb,2,{b}\nc,,{c}\n",
            "tsv": f"id\tn\tnode\na\t1\t{a}\nb\t2\t{b}\nc\t\t{c}\n",
            "ndjson": f'{{"id": "a", "x": 1.50, "n": 1, "node": "{a}"}}\n'
            f'{{"id": "b", "x": 1.50, "n": 2, "node": "{b}"}}\n'
            f'{{"id": "c", "x": 1.50, "n": null, "node": "{c}"}}\n',
            "txt": f"a\t1\t{a}\nb\t2\t{b}\nc\t\t{c}\n",
        }[kind]
    )
    assert call("assign", "data", "-qn", LIST, "-K", column, "-o", "out.parquet").code == 0
    expected = pa.int64() if kind == "ndjson" else pa.string()
    assert pq.read_schema("out.parquet").field("n").type == expected


def test_objects_that_have_the_member_too(call, fails, here):
    write("data/n=1/x.ndjson", '{"n": 1, "id": "a"}\n{"n": "1", "id": "b"}\n')
    write("data/n=2/x.ndjson", '{}\n{"id": "c"}\n')
    result = call("assign", "data", "-qn", "n1,n2", "-K", "n", "--key-type", "text", "-o", "-")
    assert [json.loads(line) for line in result.out.splitlines()] == [
        {"n": n, **more, "node": rvh.rendezvous_hash(["n1", "n2"], str(n))[0]}
        for n, more in ((1, {"id": "a"}), ("1", {"id": "b"}), (2, {}), (2, {"id": "c"}))
    ]
    write("data/n=1/x.ndjson", "{}\n")
    write("data/n=2/x.ndjson", '{"id": "b"}\n{"n": 1, "id": "c"}\n')
    error = fails("assign", "data", "-n", LIST, "-K", "n", "-o", "out.csv")
    assert "data/n=2/x.ndjson: line 2: member 'n' is 1, but the folder of the file says 2" in error


def test_files_that_are_named_one_by_one(call, fails, here):
    by_duckdb("data", "n")
    files = sorted(map(str, Path("data").rglob("*.parquet")))
    args = ["-qn", LIST, "-K", "id", "-o", "out.parquet"]
    assert call("assign", files[0], *args).code == 0  # one file is that file
    assert "n" not in pq.read_schema("out.parquet").names
    error = fails("assign", *files, *args)
    assert error.startswith(f"{files[0]} and {files[1]} are in folders NAME=VALUE that differ: ")
    for say, names in (
        ("keep", ["id", "day", "s", "n", "node"]),
        ("drop", ["id", "day", "s", "node"]),
    ):
        assert call("assign", *files, *args, "--hive", say).code == 0
        assert pq.read_schema("out.parquet").names == names
    parts(".", ["a=1/a=2/x"])
    assert call("assign", "a=1/a=2/x.parquet", *args).code == 0
    result = call("assign", "out.parquet", "-n", LIST, "-K", "id", "--hive", "drop", "-o", "x.csv")
    assert result.code == 2
    assert "no folder of KEYS is named NAME=VALUE" in result.err


def test_folders_that_differ(fails, here):
    args = ["-n", LIST, "-K", "id", "-o", "-"]
    parts("data", ["a=1/x", "x"])
    assert fails("assign", "data", *args) == (
        "data/x.parquet is in folders without NAME=VALUE, but data/a=1/x.parquet in a=: all files "
        "need the same columns"
    )
    parts("more", ["a=1/b=1/x", "b=1/a=1/x"])
    assert "b=/a=, but more/a=1/b=1/x.parquet in a=/b=" in fails("assign", "more", *args)
    parts("twice", ["a=1/a=2/x"])
    assert fails("assign", "twice", *args) == "twice/a=1/a=2/x.parquet: two folders are named a="
