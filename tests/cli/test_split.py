"""`rvh split`: the files together are the input, in a folder that is complete or not there."""

from __future__ import annotations

import gzip
import json
import os
import signal
import sys
from pathlib import Path

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from commandline import PEAK, limited
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from splitting import (
    HARD_IDS,
    LIST,
    NODES,
    ONE,
    SPLIT,
    content,
    hidden,
    manifest,
    rows_of,
    split_by_hard_ids,
    stopped,
    write_keys,
)

from rvh.cli.manifest import NAME

# -- the files are the input ----------------------------------------------------------------------


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    keys=st.lists(st.text("abcxyz", max_size=3), min_size=1, max_size=40),
    extension=st.sampled_from(["csv", "ndjson", "parquet", "arrow"]),
    to=st.sampled_from([None, "csv", "ndjson", "parquet", "arrow"]),
    k=st.integers(1, 3),
    layout=st.sampled_from(["hive", "files"]),
    run_bytes=st.sampled_from([1, 200, 1 << 26]),
)
def test_all_files_are_the_input_by_the_nodes_of_assign(
    call, tmp_path_factory, monkeypatch, keys, extension, to, k, layout, run_bytes
):
    """Whatever the format, the number of nodes and how much is sorted at once; the order stays."""
    monkeypatch.setattr("rvh._tables.runs.RUN_BYTES", run_bytes)
    folder = tmp_path_factory.mktemp("union")
    path, placed, out = folder / f"k.{extension}", folder / "placed.parquet", folder / "out"
    write_keys(path, keys)
    assert call("assign", path, "-qK", "id", "-n", LIST, "-c", k, "-o", placed).code == 0
    expected: dict[str, list[tuple]] = {node: [] for node in NODES}
    for row in pq.read_table(placed).to_pylist():
        for node in list(row.values())[2:]:
            expected[node].append((row["id"], row["n"]))
    more = [] if to is None else ["--output-format", to]
    args = ["-qK", "id", "-n", LIST, "-c", k, "--layout", layout, "-o", out, *more]
    assert call("split", path, *args).code == 0
    found: dict[str, list[tuple]] = {node: [] for node in NODES}
    for each in manifest(out)["files"]:
        found[each["node"]] += rows_of(out / each["path"])
        assert each["rows"] == len(found[each["node"]]) > 0
    assert found == expected
    assert len(content(out)) == 1 + sum(map(bool, expected.values()))
    assert call("verify", out, "-n", LIST).code == 0


def test_types_stay_also_those_that_arrow_cannot_reorder(call, tmp_path):
    words = pa.DictionaryArray.from_arrays([2, 0, None, 2], ["low", "middle", "high"], ordered=True)
    table = pa.table(
        {
            "id": pa.array(["k1", "k2", "k3", "k4"], pa.string_view()),
            "word": words,
            "at": pa.array([1, 2, None, 4], pa.timestamp("ns", "Europe/Berlin")),
            "views": pa.array([["x"], [], None, ["y", "z"]], pa.list_(pa.string_view())),
            "pair": pa.array(
                [["x", "y"], None, ["z", None], ["", "w"]], pa.list_(pa.string_view(), 2)
            ),
            "map": pa.array([[("x", "y")], [], None, []], pa.map_(pa.string(), pa.string_view())),
            "in": [{"a": 1, "b": "x"}, None, {"a": 2, "b": None}, {"a": 3, "b": "y"}],
            "runs": pa.RunEndEncodedArray.from_arrays(pa.array([3, 4], pa.int32()), [7, 8]),
            "price": pa.array([1, 2, 3, 4]).cast(pa.decimal128(22, 2)),
        }
    )
    keys, out = tmp_path / "k.arrow", tmp_path / "out"
    with pa.ipc.new_file(keys, table.schema) as writer:
        writer.write_table(table)
    assert call("split", keys, "-qK", "id", "-n", "a,b", "-o", out).code == 0
    parts = [pa.ipc.open_file(out / each["path"]).read_all() for each in manifest(out)["files"]]
    assert all(part.schema == table.schema for part in parts)
    rows = [row for part in parts for row in part.to_pylist()]
    assert sorted(rows, key=lambda row: row["id"]) == table.to_pylist()
    for part in parts:  # a file has the words that it needs, in their order
        own = part["word"].chunk(0).dictionary.to_pylist()
        assert own == [
            word for word in ("low", "middle", "high") if word in part["word"].to_pylist()
        ]


def test_lines_of_ndjson_keep_their_text(call, tmp_path):
    lines = ['{"id": "k1",  "n": 1.50, "big": 123456789012345678901234567890}', '{"id":"k2"}']
    keys = tmp_path / "k.ndjson"
    keys.write_text("\n".join([*lines, ""]), encoding="utf-8")
    assert call("split", keys, "-qK", "id", "-n", ONE, "-o", tmp_path / "out").code == 0
    assert content(tmp_path / "out")["node=a/part-0.ndjson"].decode().splitlines() == lines
    args = ["-qK", "id", "-n", "a,b", "-c", 2, "--rank-column", "rank"]
    assert call("split", keys, *args, "-o", tmp_path / "ranked").code == 0
    ranked = [
        line
        for text in content(tmp_path / "ranked").values()
        for line in text.decode().splitlines()
        if line.startswith('{"id"')
    ]
    assert sorted(ranked) == sorted(
        f'{line[:-1]}, "rank": {rank}}}' for line in lines for rank in (1, 2)
    )


def test_the_rank_column_selects_each_row_once(call, tmp_path):
    keys, out = tmp_path / "k.parquet", tmp_path / "out"
    write_keys(keys, [f"k{n}" for n in range(500)])
    args = ["-qK", "id", "-n", LIST, "--rank-column", "rank"]
    assert call("split", keys, *args, "-c", 3, "-o", out).code == 0
    assert call("verify", out, "-n", LIST).code == 0
    placed = tmp_path / "placed.parquet"
    assert call("assign", keys, "-qK", "id", "-n", LIST, "-o", placed).code == 0
    once = duckdb.sql(
        f"SELECT id, n, node FROM read_parquet('{out}/*/*.parquet', hive_partitioning = true)"
        " WHERE rank = 1"
    ).fetchall()
    assert sorted(once) == sorted(
        map(tuple, (r.values() for r in pq.read_table(placed).to_pylist()))
    )


def test_compression_of_text_is_kept(call, tmp_path):
    keys = tmp_path / "k.csv.gz"
    keys.write_bytes(gzip.compress(b"id\nk1\nk2\n"))
    assert call("split", keys, "-qn", ONE, "-o", tmp_path / "out").code == 0
    assert gzip.decompress((tmp_path / "out/node=a/part-0.csv.gz").read_bytes()) == b"id\nk1\nk2\n"
    assert manifest(tmp_path / "out")["compression"] == "gzip"
    args = ["--output-format", "parquet", "-o", tmp_path / "parquet"]
    assert call("split", keys, "-qn", ONE, *args).code == 0
    assert pq.read_table(tmp_path / "parquet/node=a/part-0.parquet")["id"].to_pylist() == [
        "k1",
        "k2",
    ]
    assert call("verify", tmp_path / "out").code == call("verify", tmp_path / "parquet").code == 0


def test_the_same_input_gives_the_same_bytes(call, tmp_path):
    keys = tmp_path / "k.csv"
    write_keys(keys, list(map(str, range(300))))
    for out in ("one", "two"):
        assert call("split", keys, "-qK", "id", "-n", LIST, "-o", tmp_path / out).code == 0
    assert content(tmp_path / "one") == content(tmp_path / "two")


def test_nodes_without_rows_are_in_the_manifest_alone(call, tmp_path):
    keys, out = tmp_path / "k.txt", tmp_path / "out"
    keys.write_text("k\n", encoding="utf-8")
    assert call("split", keys, "-qn", LIST, "-o", out).code == 0
    said = manifest(out)
    assert [each["node"] for each in said["nodes"]] == NODES
    assert sorted(each["rows"] for each in said["nodes"]) == [0, 0, 0, 1]
    assert len(content(out)) == 2
    empty = tmp_path / "empty.csv"
    empty.write_text("id\n", encoding="utf-8")
    assert call("split", empty, "-qn", LIST, "-o", tmp_path / "none").code == 0
    assert list(content(tmp_path / "none")) == [NAME]
    assert call("verify", tmp_path / "none", "-n", LIST).code == 0


@pytest.mark.parametrize("count", [1, 2])
def test_rows_without_a_key_are_in_the_partition_of_null(call, tmp_path, count):
    path, out = tmp_path / "k.parquet", tmp_path / "out"
    pq.write_table(pa.table({"id": ["k1", None, "k2", None], "n": [1, 2, 3, 4]}), path)
    args = ["-qK", "id", "-n", LIST, "-c", count, "-o"]
    assert call("split", path, *args, out, "--null-keys", "keep").code == 0
    files = f"read_parquet('{out}/*/*.parquet', hive_partitioning = true)"
    assert duckdb.sql(f"SELECT n FROM {files} WHERE node IS NULL ORDER BY n").fetchall() == [
        (2,),
        (4,),
    ]
    assert manifest(out)["totals"]["rows_out"] == 2 + 2 * count
    assert call("verify", out, "-n", LIST).code == 0
    dropped = tmp_path / "dropped"
    assert call("split", path, *args, dropped, "--null-keys", "drop").code == 0
    assert manifest(dropped)["totals"]["rows_out"] == 2 * count
    assert call("verify", dropped, "-n", LIST).code == 0
    files = ["--layout", "files", "--null-keys", "keep"]
    assert call("split", path, *args, tmp_path / "files", *files).code == 2


def test_typed_key_columns(call, tmp_path):
    path, out = tmp_path / "k.csv", tmp_path / "out"
    path.write_text("a,b\nx,1\ny,02\n", encoding="utf-8")
    args = ["-qK", "a,b:int", "-n", LIST, "-o", out, "--output-format", "parquet"]
    assert call("split", path, *args).code == 0
    assert manifest(out)["runs"][0]["key"] == "a (text) + b (int)"
    assert call("verify", out, "-n", LIST).code == 0


def test_several_inputs_and_stdin(call, spawn, tmp_path):
    for name in ("x.csv", "y.csv"):
        (tmp_path / name).write_text(f"id\n{name}1\n{name}2\n", encoding="utf-8")
    keys = [tmp_path / "x.csv", tmp_path / "y.csv"]
    assert call("split", *keys, "-qn", ONE, "-o", tmp_path / "out").code == 0
    assert (
        tmp_path / "out/node=a/part-0.csv"
    ).read_text() == "id\nx.csv1\nx.csv2\ny.csv1\ny.csv2\n"
    assert manifest(tmp_path / "out")["runs"][0]["inputs"] == list(map(str, keys))
    args = ["split", "-", "--format", "lines", "-qn", ONE, "-o", tmp_path / "piped"]
    assert spawn(*args, input=b"1\n2\n").code == 0
    assert (tmp_path / "piped/node=a/part-0.txt").read_bytes() == b"1\n2\n"


def test_the_summary(call, tmp_path):
    keys = tmp_path / "k.csv"
    write_keys(keys, list(map(str, range(300))))
    result = call("split", keys, "-K", "id", "-n", LIST, "-o", tmp_path / "out")
    assert result.out == b""
    assert result.err.count("\n") == 1
    assert result.err.startswith("rvh: 300 rows on 4 nodes, key id (text), 4 files of ")


def test_a_folder_is_not_named_as_another_format_than_its_files(call, tmp_path):
    write_keys(tmp_path / "k.csv", ["1", "2"])
    args = ["split", tmp_path / "k.csv", "-qK", "id", "-n", LIST, "-o", tmp_path / "out.parquet"]
    result = call(*args)
    assert result.code == 2
    assert "give --output-format parquet" in result.err
    assert not (tmp_path / "out.parquet").exists()
    assert call(*args, "--output-format", "parquet").code == 0


# -- names that engines read back -----------------------------------------------------------------


@pytest.fixture(scope="module")
def named(tmp_path_factory) -> Path:
    return split_by_hard_ids(tmp_path_factory.mktemp("named"))


def counts(folder: Path) -> dict[str, int]:
    return {each["node"]: each["rows"] for each in manifest(folder)["files"]}


def test_pyarrow_reads_the_ids_back(named):
    schema = pa.schema([("node", pa.string())])
    for parts in (ds.partitioning(schema, flavor="hive"), "hive"):
        table = ds.dataset(named, partitioning=parts).to_table()
        found = table.group_by("node").aggregate([([], "count_all")]).to_pydict()
        assert dict(zip(found["node"], found["count_all"], strict=True)) == counts(named)


def test_polars_reads_the_ids_back(named):
    by_pattern = pl.scan_parquet(
        named / "**/*.parquet", hive_partitioning=True, hive_schema={"node": pl.String}
    )
    by_folder = pl.scan_parquet(named, hive_partitioning=True, hidden_file_prefix=["_"])
    for frame in (by_pattern, by_folder):
        assert dict(frame.group_by("node").len().collect().iter_rows()) == counts(named)


def test_duckdb_reads_the_ids_back(named):
    for types in ("", ", hive_types = {'node': VARCHAR}"):
        files = f"read_parquet('{named}/*/*.parquet', hive_partitioning = true{types})"
        rows = duckdb.sql(f"SELECT node, count(*) FROM {files} GROUP BY node").fetchall()
        assert dict(rows) == counts(named)


def test_pandas_reads_the_ids_back(named):
    parts = ds.partitioning(pa.schema([("node", pa.string())]), flavor="hive")
    frame = pd.read_parquet(named, partitioning=parts)
    assert frame["node"].value_counts().to_dict() == counts(named)


@pytest.mark.filterwarnings("ignore:The inplace keyword")  # within Dask
def test_dask_reads_the_ids_back(named):
    dd = pytest.importorskip("dask.dataframe", reason="Dask is not installed")
    schema = pa.schema([("node", pa.string())])
    frame = dd.read_parquet(named, dataset={"partitioning": {"flavor": "hive", "schema": schema}})
    assert frame.compute(scheduler="sync")["node"].value_counts().to_dict() == counts(named)


def test_datafusion_reads_the_ids_back(named):
    datafusion = pytest.importorskip("datafusion", reason="DataFusion is not installed")
    ctx = datafusion.SessionContext()
    ctx.register_parquet("t", f"{named}/", table_partition_cols=[("node", pa.string())])
    found = ctx.sql("SELECT node, count(*) AS n FROM t GROUP BY node").to_pydict()
    assert dict(zip(found["node"], found["n"], strict=True)) == counts(named)


def test_names_fit_other_file_systems(named):
    names = [path.name for path in named.iterdir()]
    assert len({name.casefold() for name in names}) == len(names)
    for name in names:
        assert not set(name) & set('<>:"/\\|?*')
        assert name[-1] not in ". "


def test_names_of_files(call, tmp_path):
    write_keys(tmp_path / "k.csv", [f"k{n}" for n in range(3000)])
    out = tmp_path / "out"
    ids = json.dumps(HARD_IDS)
    args = ["-qK", "id", "-n", ids, "--layout", "files", "-o", out]
    assert call("split", tmp_path / "k.csv", *args).code == 0
    names = [path.name for path in out.iterdir()]
    assert len({name.casefold() for name in names}) == len(names) == len(HARD_IDS) + 1
    shown = [each for each in names if not each.startswith((".", "_"))]
    assert len(shown) == len(HARD_IDS)
    assert "con.csv" not in names
    assert call("verify", out, "-n", ids).code == 0


@pytest.mark.parametrize(
    ("ids", "word"),
    [
        (["ü", "Ü"], "ignore case"),
        (["é", "e\u0301"], "accents"),
        (["__HIVE_DEFAULT_PARTITION__", "b"], "null"),
        (["x" * 300, "b"], "305 bytes"),
        (["ü" * 126, "b"], "257 bytes"),
    ],
)
def test_ids_that_make_no_name(fails, tmp_path, ids, word):
    write_keys(tmp_path / "k.csv", ["1"])
    args = ["-K", "id", "-n", json.dumps(ids), "-o", tmp_path / "out"]
    assert word in fails("split", tmp_path / "k.csv", *args)
    assert os.listdir(tmp_path) == ["k.csv"]


# -- complete or not there ------------------------------------------------------------------------


@pytest.fixture
def keys(tmp_path) -> Path:
    path = tmp_path / "k.csv"
    write_keys(path, [f"k{n}" for n in range(1000)])
    return path


def test_what_is_there_is_not_touched(fails, call, keys, tmp_path, monkeypatch):
    out = tmp_path / "out"
    out.mkdir()
    args = ["split", keys, "-qK", "id", "-n", LIST, "-o"]
    assert call(*args, out).code == 0  # an empty folder
    before = content(out)
    assert "is not empty" in fails(*args, out)
    assert content(out) == before
    assert "is not a folder" in fails(*args, keys)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert "name one in it, as ./split" in fails(*args, ".")
    assert call(*args, "./split").code == 0
    assert "no folder" in fails(*args, tmp_path / "no" / "out")
    assert "name one" in fails(*args, "-")
    assert "name one" in fails(*args, "")
    assert sorted(os.listdir(tmp_path)) == ["here", "k.csv", "out"]


def test_a_folder_that_is_filled_meanwhile(fails, keys, tmp_path, monkeypatch):
    out = tmp_path / "out"
    out.mkdir()
    rename = os.rename

    def filled(path, place):
        if Path(place) == out:
            (out / "theirs").touch()
        rename(path, place)

    monkeypatch.setattr(os, "rename", filled)
    message = fails("split", keys, "-qK", "id", "-n", LIST, "-o", out)
    assert "something else was put there meanwhile" in message
    assert sorted(os.listdir(tmp_path)) == ["k.csv", "out"]
    assert os.listdir(out) == ["theirs"]


def test_an_error_in_a_late_row_leaves_nothing(fails, tmp_path):
    path = tmp_path / "k.parquet"
    pq.write_table(pa.table({"id": [*(f"k{n}" for n in range(100_000)), None]}), path)
    assert "row 100001" in fails("split", path, "-n", LIST, "-o", tmp_path / "out")
    assert os.listdir(tmp_path) == ["k.parquet"]


@pytest.mark.parametrize("extension", ["csv", "parquet"])
@pytest.mark.parametrize("nodes", [ONE, LIST])
def test_a_full_disk_leaves_nothing(spawn, tmp_path, extension, nodes):
    """The rows on their way are too large for a file, or a file at the end is."""
    path, out = tmp_path / f"k.{extension}", tmp_path / "out"
    write_keys(path, [f"{n * 7919 % 99991:07d}" * 3 for n in range(20_000)])
    args = ["-K", "id", "-n", nodes, "-o", out]
    result = spawn(argv=limited("RLIMIT_FSIZE", 100_000, "split", path, *args))
    assert (result.code, result.out) == (1, b"")
    assert result.err.count("\n") == 1
    assert "File too large" in result.err
    assert str(out) in result.err
    assert ".rvh-" not in result.err
    assert os.listdir(tmp_path) == [path.name]


@pytest.mark.parametrize("extension", ["csv.gz", "parquet"])
def test_many_nodes_need_few_open_files(spawn, call, tmp_path, extension):
    nodes, path, out = tmp_path / "nodes.txt", tmp_path / f"k.{extension}", tmp_path / "out"
    nodes.write_text("".join(f"node{n}\n" for n in range(300)), encoding="utf-8")
    if extension == "parquet":
        write_keys(path, [f"k{n}" for n in range(5000)])
    else:
        path.write_bytes(gzip.compress(b"id\n" + b"".join(b"k%d\n" % n for n in range(5000))))
    args = ["-qK", "id", "-n", f"@{nodes}", "--scheme", "murmur", "-o", out]
    assert spawn(argv=limited("RLIMIT_NOFILE", 64, "split", path, *args)).code == 0
    assert manifest(out)["totals"]["files"] == 300
    verify = ("verify", out, "-qn", f"@{nodes}")
    assert spawn(argv=limited("RLIMIT_NOFILE", 64, *verify)).code == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_leaves_nothing(tmp_path, number):
    done = stopped(number, tmp_path, "-o", tmp_path / "out")
    assert done.returncode == 128 + number
    assert done.stderr == (b"rvh: interrupted\n" if number == signal.SIGINT else b"")
    assert os.listdir(tmp_path) == []


def test_a_killed_run_leaves_no_folder_of_the_name(tmp_path, fails):
    out = tmp_path / "out"
    assert stopped(signal.SIGKILL, tmp_path, "-o", out).returncode == -signal.SIGKILL
    assert hidden(tmp_path) == os.listdir(tmp_path)
    assert "no such folder" in fails("verify", out)


def test_memory_does_not_grow_with_the_rows(spawn, tmp_path):
    """230 MB more of rows, over 50 nodes, take less than half of that in memory."""
    if not Path("/proc/self/status").exists():
        pytest.skip("this system has no /proc to read the peak memory of a process from")
    nodes = tmp_path / "nodes.txt"
    nodes.write_text("".join(f"node{n}\n" for n in range(50)), encoding="utf-8")
    peaks = []
    for count in (270, 500):
        path = tmp_path / f"{count}.parquet"
        schema = pa.schema([("id", pa.string()), ("text", pa.string())])
        with pq.ParquetWriter(path, schema, use_dictionary=False) as file:
            for start in range(0, count * 1000, 10_000):
                numbers = range(start, start + 10_000)
                texts = [f"{n:010d}" * 100 for n in numbers]
                file.write_table(pa.table({"id": [f"k{n}" for n in numbers], "text": texts}))
        args = ["-qK", "id", "-n", f"@{nodes}", "--scheme", "murmur", "-o", tmp_path / f"{count}"]
        argv = [sys.executable, "-c", PEAK, "split", path, *args]
        result = spawn(argv=list(map(str, argv)))
        assert result.code == 0, result
        peaks.append(int(result.out) * 1024)
    print(f"peak memory: {peaks}")
    assert peaks[1] - peaks[0] < 115_000_000


# -- options --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "word"),
    [
        (["--layout", "files", "--column", "x"], "--column"),
        (["--layout", "files", "--append"], "--append"),
        (["--rank-column", "rank"], "--rank-column"),
        (["--column", "a/b"], "--column"),
        (["--column", "_x"], "--column"),
        (["--column", ""], "--column"),
    ],
)
def test_options_that_do_not_go_together(call, keys, tmp_path, args, word):
    result = call("split", keys, *SPLIT, "-o", tmp_path / "out", *args)
    assert result.code == 2
    assert word in result.err
    assert result.err.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_column_that_is_there_already(fails, tmp_path):
    path = tmp_path / "k.csv"
    path.write_text("id,Node\n1,2\n", encoding="utf-8")
    args = ["split", path, *SPLIT, "-o", tmp_path / "out"]
    assert "'Node'" in fails(*args)
    assert "--rank-column" in fails(*args, "--column", "x", "-c", "2", "--rank-column", "ID")
    assert not (tmp_path / "out").exists()
