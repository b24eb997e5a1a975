"""What is wrong with a user's files: one line, exit status 1, and OUT as it was."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest

LIST = "n1,n2,n3"


def parquet(*columns: object, names: tuple[str, ...] = ("id",)) -> Callable[[Path], None]:
    return lambda path: pq.write_table(pa.table(list(columns), names=list(names)), path)


def text(content: bytes) -> Callable[[Path], None]:
    return lambda path: path.write_bytes(content) and None


def truncated(name: str, keep: float) -> Callable[[Path], None]:
    """A file of a table with its end cut off."""

    def write(path: Path) -> None:
        table = pa.table({"id": [f"k{n}" for n in range(5000)]})
        if name == "parquet":
            pq.write_table(table, path)
        elif name == "arrow":
            pa.feather.write_feather(table, str(path))
        elif name == "arrows":
            with pa.ipc.new_stream(str(path), table.schema) as stream:
                stream.write_table(table, 100)
        else:
            path.write_bytes(gzip.compress("".join(f"k{n}\n" for n in range(5000)).encode()))
        data = path.read_bytes()
        path.write_bytes(data[: int(len(data) * keep) if keep < 1 else -int(keep)])

    return write


def damaged_parquet(path: Path) -> None:
    """A whole file but for the bytes of its pages."""
    parquet([f"k{n}" for n in range(5000)])(path)
    data = bytearray(path.read_bytes())
    data[8:2000] = bytes(1992)
    path.write_bytes(data)


BAD_FILES: dict[str, tuple[str, Callable[[Path], None], list[str]]] = {
    "empty csv": ("k.csv", text(b""), ["is empty", "header"]),
    "blank csv": ("k.csv", text(b"\n\n"), ["is empty"]),
    "empty parquet": ("k.parquet", text(b""), ["k.parquet"]),
    "empty arrow": ("k.arrow", text(b""), ["is empty"]),
    "empty gz": ("k.csv.gz", text(b""), ["k.csv.gz"]),
    "ragged, short": (
        "k.csv",
        text(b"id,x\n1,2\n\n3\n4,5\n"),
        ["row 2 has 1 value, but there are 2 columns"],
    ),
    "ragged, long": (
        "k.csv",
        text(b"id,x\n1,2\n3,4,5\n"),
        ["row 2 has 3 values, but there are 2", "needs quotes around it"],
    ),
    "ragged, late": (
        "k.csv",
        text(b"id,x\n" + b"some text to fill a block with,2\n" * 200_000 + b"3\n"),
        ["row 200001 has 1 value"],
    ),
    "csv, open quote": ("k.csv", text(b'id,x\n1,2\n3,"4\n5,6\n'), ["within quotes"]),
    "csv, open quote at the end": ("k.csv", text(b'id,x\n1,2\n3,"4'), ["within quotes"]),
    "csv, open quote in the header": ("k.csv", text(b'"id,x\n' + b"1,2\n" * 99999), ["closed"]),
    "csv, endless row": ("k.csv", text(b"id\n" + b"x" * 9_000_000), ["row of more than"]),
    "csv, not UTF-8": (
        "k.csv",
        text(b"id\na\nb\nc\xff\nd\n"),
        ["row 3, column 'id'", "not UTF-8 text", "--encoding"],
    ),
    "csv, header not UTF-8": ("k.csv", text(b"id,\xfc\n1,2\n"), ["header is not", "--encoding"]),
    "lines, not UTF-8": ("k.txt", text(b"a\nb\n\xc3(\n"), ["line 3", "UTF-8"]),
    "ndjson, not UTF-8": (
        "k.ndjson",
        text(b'{"id": "a"}\n\n{"id": "\xff"}\n'),
        ["line 3", "UTF-8"],
    ),
    "ndjson, not JSON": ("k.ndjson", text(b'{"id": 1}\n\n{"id": }\n'), ["line 3", "not JSON"]),
    "ndjson, member twice": (
        "k.ndjson",
        text(b'{"id": "a"}\n{"id": "a", "x": {}, "i\\u0064": "b"}\n'),
        ["line 2", "two ways", "'id' appears more than once"],
    ),
    "ndjson, cut off": ("k.ndjson", text(b'{"id": 1}\n{"id": "a'), ["line 2", "not JSON"]),
    "ndjson, no object": ("k.ndjson", text(b'{"id": 1}\n[1]\n'), ["line 2", "list"]),
    "ndjson, deep": ("k.ndjson", text(b'{"id": ' + b"[" * 200_000), ["line 1"]),
    "ndjson, endless number": ("k.ndjson", text(b'{"id": ' + b"1" * 9999 + b"}"), ["line 1"]),
    "ndjson, no member": ("k.ndjson", text(b'{"id": 1}\n{"x": 2}\n'), ["line 2", "'id'", "x"]),
    "ndjson, null": ("k.ndjson", text(b'{"id": 1}\n{"id": null}\n'), ["line 2", "null"]),
    "ndjson, float": ("k.ndjson", text(b'{"id": 1}\n\n{"id": 1.0}\n'), ["line 3", "float (1.0)"]),
    "ndjson, bool": ("k.ndjson", text(b'{"id": true}\n'), ["line 1", "bool (True)"]),
    "ndjson, list": ("k.ndjson", text(b'{"id": [1]}\n'), ["line 1", "list"]),
    "ndjson, huge": ("k.ndjson", text(b'{"id": 18446744073709551616}\n'), ["line 1", "2^64"]),
    "ndjson, surrogate": ("k.ndjson", text(b'{"id": "\\udc00"}\n'), ["line 1", "lone surrogate"]),
    "ndjson, node": ("k.ndjson", text(b'{"id": 1}\n{"id": 2, "node": 1}'), ["'node'", "--column"]),
    "csv, node": ("k.csv", text(b"id,node\n1,2\n"), ["'node'", "--column"]),
    "not parquet": ("k.parquet", text(b"id\n1\n2\n" * 9), ["k.parquet is text", "--format csv"]),
    "not arrow": ("k.arrow", text(b"id\n1\n2\n" * 9), ["k.arrow is text", "--format csv"]),
    "not gzip": ("k.txt.gz", text(b"id\n1\n2\n" * 9), ["k.txt.gz"]),
    "parquet.gz": ("k.parquet.gz", text(b"PAR1"), ["parquet", "gzip"]),
    "parquet as csv": ("k.csv", parquet(["a"] * 9), ["k.csv"]),
    "parquet as lines": ("k.txt", parquet(["\xff"] * 9), ["k.txt", "--format parquet"]),
    "truncated parquet": (
        "k.parquet",
        truncated("parquet", 0.5),
        ["k.parquet is not a complete Parquet file"],
    ),
    "damaged parquet": ("k.parquet", damaged_parquet, ["k.parquet"]),
    "truncated arrow": ("k.arrow", truncated("arrow", 0.5), ["k.arrow"]),
    "truncated stream": ("k.arrows", truncated("arrows", 0.5), ["k.arrows"]),
    "stream without its end": ("k.arrows", truncated("arrows", 8), ["k.arrows", "truncated"]),
    "truncated gz": ("k.txt.gz", truncated("gz", 0.5), ["k.txt.gz", "runcated"]),
    "null text": ("k.parquet", parquet(["a", None, "b"]), ["row 2", "'id'", "null"]),
    "null int": ("k.parquet", parquet([1, 2, None]), ["row 3", "'id'", "null"]),
    "null type": ("k.parquet", parquet(pa.nulls(3)), ["row 1", "null"]),
    "null category": (
        "k.parquet",
        parquet(pa.array(["a", None]).dictionary_encode()),
        ["row 2", "null"],
    ),
    "late null": ("k.parquet", parquet(["a"] * 70_000 + [None]), ["row 70001", "null"]),
    "float": ("k.parquet", parquet([1.5, 2.5]), ["row 1", "float (1.5)"]),
    "bool": ("k.parquet", parquet([True]), ["row 1", "bool (True)"]),
    "timestamp": ("k.parquet", parquet(pa.array([1], pa.timestamp("us"))), ["row 1", "datetime"]),
    "nanoseconds": ("k.parquet", parquet(pa.array([1], pa.timestamp("ns"))), ["row 1"]),
    "list of ids": ("k.parquet", parquet([["a"]]), ["row 1", "list"]),
}


@pytest.mark.parametrize("name", BAD_FILES)
@pytest.mark.parametrize("exists", [True, False], ids=["over a file", "new"])
def test_bad_files(fails, tmp_path, name, exists):
    file_name, write, words = BAD_FILES[name]
    keys, out = tmp_path / file_name, tmp_path / "out" / "out"
    out.parent.mkdir()
    if exists:
        out.write_bytes(b"before")
    write(keys)
    column = [] if ".txt" in file_name else ["-K", "id"]
    message = fails("assign", keys, "-n", LIST, *column, "-o", out)
    for word in words:
        assert word in message
    assert os.listdir(out.parent) == (["out"] if exists else [])
    assert not exists or out.read_bytes() == b"before"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("x7", ["row 3", "'x7'", "whole number"]),
        ("", ["row 3", "''", "whole number"]),
        ("1.0", ["row 3", "'1.0'"]),
        ("99999999999999999999", ["row 3", "2^64"]),
        ("-9223372036854775809", ["row 3", "2^63"]),
    ],
)
def test_text_that_is_no_whole_number(fails, tmp_path, value, words):
    keys = tmp_path / "keys.csv"
    keys.write_text(f"x,id\n,1\n,2\n,{value}\n", encoding="utf-8")
    args = ["-n", LIST, "-K", "id", "--key-type", "int", "-o", tmp_path / "out.csv"]
    message = fails("assign", keys, *args)
    for word in words:
        assert word in message


def test_a_bad_part_of_a_composite_key(fails, tmp_path):
    keys = tmp_path / "keys.parquet"
    parquet(["a", "b"], [1, None], names=("x", "y"))(keys)
    message = fails("assign", keys, "-n", LIST, "-K", "x,y", "-o", tmp_path / "out.csv")
    for word in ("row 2", "'y'", "null"):
        assert word in message


def test_key_columns_that_are_not_there(call, fails, tmp_path):
    keys, out = tmp_path / "keys.csv", tmp_path / "out.csv"
    keys.write_text("carrier,flight,flight\nUA,1,2\n", encoding="utf-8")
    message = fails("assign", keys, "-n", LIST, "-K", "carrier,nope", "-o", out)
    for word in ("'nope'", "carrier, flight"):
        assert word in message
    assert "more than once" in fails("assign", keys, "-n", LIST, "-K", "flight", "-o", out)
    result = call("assign", keys, "-n", LIST, "-o", out)
    assert result.code == 2
    assert "carrier, flight" in result.err
    lines = tmp_path / "keys.txt"
    lines.write_text("a\n", encoding="utf-8")
    assert "the columns are: key" in fails("assign", lines, "-n", LIST, "-K", "id", "-o", out)


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["missing.csv", "-n", LIST, "-o", "out.csv"], ["missing.csv", "No such file"]),
        (["missing/", "-n", LIST, "-o", "out.csv"], ["missing: No such file"]),
        (["k.txt", "missing", "-n", LIST, "-o", "out.csv"], ["missing: No such file"]),
        (["k.txt", "-n", "nodes.csv", "-o", "out.csv"], ["nodes.csv", "looks like a file"]),
        (["k.txt", "-n", "@nodes", "-o", "out.csv"], ["nodes", "No such file"]),
        (["k.txt", "-n", LIST, "-k", "4", "-o", "out.csv"], ["k is 4"]),
        (["k.txt", "-n", LIST, "-k", "0", "-o", "out.csv"], ["k is 0"]),
        (["k.txt", "-n", LIST, "-o", "out.parquet.gz"], ["parquet", "gzip"]),
        (["missing.csv", "-n", LIST, "-o", "no/out.csv"], ["missing.csv"]),
        (["bad.txt", "-n", LIST, "-o", "no/out.csv"], ["no/out.csv", "cannot be written"]),
        (["bad.txt", "-n", LIST, "-o", "folder"], ["folder", "is a directory"]),
        (["bad.txt", "-n", LIST, "-o", "k.txt/out.csv"], ["k.txt/out.csv", "cannot be written"]),
    ],
)
def test_bad_arguments_are_found_before_the_work(fails, tmp_path, monkeypatch, args, words):
    monkeypatch.chdir(tmp_path)
    Path("k.txt").write_text("a\n", encoding="utf-8")
    Path("bad.txt").write_bytes(b"\xff\n")  # reading it would be the first error
    Path("folder").mkdir()
    message = fails("assign", *args)
    for word in words:
        assert word in message
    assert sorted(os.listdir()) == ["bad.txt", "folder", "k.txt"]


def test_a_table_without_columns(fails, tmp_path):
    keys = tmp_path / "k.ndjson"
    keys.write_text("{}\n{}\n")
    assert "k.ndjson has no columns" in fails("assign", keys, "-n", "a,b", "-o", tmp_path / "o.csv")


def test_an_output_that_may_not_be_written(fails, tmp_path):
    keys, out = tmp_path / "keys.txt", tmp_path / "out.txt"
    keys.write_text("a\n", encoding="utf-8")
    out.write_text("before", encoding="utf-8")
    out.chmod(0o400)
    if os.access(out, os.W_OK):
        pytest.skip("no permission stops this user (root)")
    assert "permission denied" in fails("assign", keys, "-n", LIST, "-o", out).lower()
    out.unlink()
    tmp_path.chmod(0o500)
    try:
        assert "permission denied" in fails("assign", keys, "-n", LIST, "-o", out).lower()
    finally:
        tmp_path.chmod(0o700)


def test_values_that_an_output_cannot_hold(fails, tmp_path):
    keys = tmp_path / "keys.parquet"
    parquet(["a", "b"], [[1], [2]], names=("id", "more"))(keys)
    args = ["-n", LIST, "-K", "id", "-o"]
    assert "'more'" in fails("assign", keys, *args, tmp_path / "out.csv")
    parquet(["a", "b"], ["x", "y\tz"], names=("id", "more"))(keys)
    assert "'more'" in fails("assign", keys, *args, tmp_path / "out.txt")
    interval = pa.array([(1, 2, 3), None], pa.month_day_nano_interval())
    pa.feather.write_feather(pa.table({"id": ["a", "b"], "i": interval}), str(tmp_path / "i.arrow"))
    assert "out.parquet" in fails("assign", tmp_path / "i.arrow", *args, tmp_path / "out.parquet")
    repeated = tmp_path / "keys.csv"
    repeated.write_text("id,x,x\n1,2,3\n", encoding="utf-8")
    assert "'x'" in fails("assign", repeated, *args, tmp_path / "out.ndjson")
    late = tmp_path / "keys.ndjson"
    late.write_text('{"id": "a"}\n' * 65536 + '{"id": "b", "new": 1}\n', encoding="utf-8")
    message = fails("assign", late, *args, tmp_path / "out.parquet")
    assert "line 65537" in message
    assert "'new'" in message
    late.write_text('{"id": "a", "n": 1}\n' * 65536 + '{"id": "b", "n": "x"}\n', encoding="utf-8")
    assert "'n'" in fails("assign", late, *args, tmp_path / "out.parquet")
