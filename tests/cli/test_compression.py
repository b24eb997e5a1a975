"""--compression and --level, and what Parquet keeps of its input."""

from __future__ import annotations

import bz2
import gzip
import lzma
import sys
import zlib
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

LIST = "node1,node2,node3"


@pytest.fixture
def keys(tmp_path):
    (tmp_path / "keys.csv").write_text("key\na\nb\n", encoding="utf-8")
    return tmp_path / "keys.csv"


def unzstd(data: bytes) -> bytes:
    return bytes(pa.CompressedInputStream(pa.py_buffer(data), "zstd").read())


@pytest.mark.parametrize("level", [[], ["--level", "1"], ["--level", "9"]])
@pytest.mark.parametrize(
    ("name", "extension", "read"),
    [
        ("gzip", ".gz", gzip.decompress),
        ("zstd", ".zst", unzstd),
        ("bz2", ".bz2", bz2.decompress),
        ("xz", ".xz", lzma.decompress),
    ],
)
def test_text(call, keys, tmp_path, name, extension, read, level):
    plain = call("assign", keys, "-n", LIST, "-o", "-", "-q").out
    out = tmp_path / f"out.csv{extension}"
    assert call("assign", keys, "-n", LIST, "-o", out, "-q", *level).code == 0
    assert read(out.read_bytes()) == plain
    stream = call("assign", keys, "-n", LIST, "-o", "-", "-q", "--compression", name, *level)
    assert read(stream.out) == plain


def test_a_higher_level_is_smaller(call, tmp_path):
    keys = tmp_path / "keys.txt"
    keys.write_text("".join(f"user:{n * 7919 % 10**6}\n" for n in range(50_000)), encoding="utf-8")
    sizes = []
    for level in ("1", "9"):
        args = ("assign", keys, "-n", LIST, "-o", "-", "-q", "--compression", "gzip")
        sizes.append(len(call(*args, "--level", level).out))
    assert sizes[1] < sizes[0]


def test_many_frames_of_zstd_are_one_file(call, tmp_path):
    keys = tmp_path / "keys.txt"
    keys.write_text("".join(f"user-{n:020d}\n" for n in range(300_000)), encoding="utf-8")
    result = call("assign", keys, "-n", '["n"]', "-o", "-", "-q", "--compression", "zstd")
    assert unzstd(result.out).count(b"\n") == 300_000


@pytest.mark.parametrize("codec", ["snappy", "gzip", "zstd", "brotli", "lz4", "none"])
def test_parquet_is_compressed_as_asked_for(call, keys, tmp_path, codec):
    out = tmp_path / "out.parquet"
    assert call("assign", keys, "-n", LIST, "-o", out, "-q", "--compression", codec).code == 0
    group = parquet.ParquetFile(out).metadata.row_group(0)
    wanted = {"none": "UNCOMPRESSED"}.get(codec, codec.upper())
    assert {group.column(n).compression for n in range(2)} == {wanted}


def test_parquet_keeps_codecs_dictionaries_and_row_groups(call, tmp_path):
    source, out = tmp_path / "keys.parquet", tmp_path / "out.parquet"
    table = pa.table(
        {
            "key": [f"k{n}" for n in range(2000)],
            "of": [n % 3 for n in range(2000)],
            "in": [[n] for n in range(2000)],
        },
        metadata={"made": "by hand"},
    )
    options = {"key": "zstd", "of": "none", "in.list.element": "gzip"}
    parquet.write_table(
        table, source, compression=options, use_dictionary=["of"], row_group_size=700
    )
    assert call("assign", source, "-K", "key", "-n", LIST, "-o", out, "-q").code == 0
    written = parquet.ParquetFile(out)
    about = written.metadata
    assert [about.row_group(n).num_rows for n in range(3)] == [700, 700, 600]
    columns = [about.row_group(0).column(n) for n in range(4)]
    assert [each.compression for each in columns] == ["ZSTD", "UNCOMPRESSED", "GZIP", "ZSTD"]
    assert [each.has_dictionary_page for each in columns] == [False, True, False, True]
    assert written.schema_arrow.metadata[b"made"] == b"by hand"
    assert written.read().drop_columns("node").equals(table)
    # Another codec is for all columns, and the rest stays.
    assert call(
        *("assign", source, "-K", "key", "-n", LIST, "-o", out, "-q"),
        *("--compression", "brotli", "--level", "5"),
    ).code == 0  # fmt: skip
    about = parquet.ParquetFile(out).metadata
    assert {about.row_group(0).column(n).compression for n in range(4)} == {"BROTLI"}
    assert about.num_row_groups == 3


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()])
def test_texts_in_dictionaries_are_texts_again(call, tmp_path, kind):
    """Each row group has its own dictionary, and the row groups do not end where batches do."""
    source, out = tmp_path / "keys.parquet", tmp_path / "out.parquet"
    rows = 150_000
    words = [None if n % 7 == 0 else f"wörd {n // 40_000} {n % 5}" for n in range(rows)]
    table = pa.table(
        {
            "key": [f"k{n}" for n in range(rows)],
            "word": pa.array(words, kind),
            "none": pa.nulls(rows, kind),
        }
    )
    parquet.write_table(table, source, row_group_size=40_000, use_dictionary=["word", "none"])
    args = ("assign", source, "-K", "key", "-n", LIST, "-q", "-o")
    assert call(*args, out).code == 0
    found = parquet.read_table(out)
    assert found.drop_columns("node").equals(table)
    assert found.schema.field("node").type == pa.string()
    assert call(*args, tmp_path / "out.csv").code == 0
    nodes = (tmp_path / "out.csv").read_text(encoding="utf-8").splitlines()[1:]
    assert found["node"].to_pylist() == [line.rpartition(",")[2] for line in nodes]
    about = parquet.ParquetFile(out).metadata
    has = [about.row_group(0).column(n).has_dictionary_page for n in (0, 1, 3)]
    assert has == [False, True, True]


def codecs(path: Path) -> tuple[list[str], int]:
    about = parquet.ParquetFile(path).metadata
    group = about.row_group(0)
    return [group.column(n).compression for n in range(group.num_columns)], about.num_row_groups


def test_parquet_keeps_them_beside_columns_that_are_added(call, tmp_path):
    """Columns of folders, and that of ranks, are written as the first of the input."""
    source = tmp_path / "days" / "day=1" / "keys.parquet"
    source.parent.mkdir(parents=True)
    table = pa.table({"key": [f"k{n}" for n in range(2000)], "of": range(2000)})
    parquet.write_table(
        table, source, compression={"key": "zstd", "of": "gzip"}, row_group_size=700
    )
    out = tmp_path / "out.parquet"
    args = ("-K", "key", "-n", LIST, "-q")
    assert call("assign", tmp_path / "days", *args, "-o", out).code == 0
    assert codecs(out) == (["ZSTD", "GZIP", "ZSTD", "ZSTD"], 3)
    shards = tmp_path / "shards"
    assert call("split", source, *args, "-c", "2", "--rank-column", "r", "-o", shards).code == 0
    assert codecs(shards / "node=node1" / "part-0.parquet") == (["ZSTD", "GZIP", "ZSTD"], 2)


def test_row_groups_that_hold_too_much_are_smaller(call, tmp_path):
    source, out = tmp_path / "keys.parquet", tmp_path / "out.parquet"
    table = pa.table({"key": [f"k{n}" for n in range(3000)], "body": ["x" * 40_000] * 3000})
    parquet.write_table(table, source, row_group_size=3000)
    assert call("assign", source, "-K", "key", "-n", LIST, "-o", out, "-q").code == 0
    about = parquet.ParquetFile(out).metadata
    assert about.num_row_groups > 1
    assert parquet.read_table(out, columns=["key"]).equals(table.select(["key"]))


@pytest.mark.parametrize(
    ("args", "names"),
    [
        (("-o", "out.parquet", "--compression", "xz"), ["snappy", "gzip", "zstd", "brotli", "lz4"]),
        (("-o", "-", "--compression", "snappy"), ["gzip", "zstd", "bz2", "xz", "none"]),
        (("-o", "out.arrow", "--compression", "zstd"), ["arrow", "not compressed"]),
        (("-o", "out.csv", "--compression", "gzip"), ["out.csv", "none", "gzip"]),
        (("-o", "out.csv.gz", "--compression", "zstd"), ["out.csv.gz", "gzip", "zstd"]),
        (("-o", "-", "--level", "3"), ["gzip (1 to 9)", "zstd (1 to 22)", "xz (0 to 9)"]),
        (("-o", "out.csv.gz", "--level", "10"), ["10", "gzip", "1 to 9"]),
        (("-o", "out.parquet", "--level", "3"), ["zstd (1 to 22)", "brotli (0 to 11)"]),
        (("-o", "out.parquet", "--compression", "lz4", "--level", "3"), ["lz4", "zstd (1 to 22)"]),
        (("-o", "out.parquet", "--compression", "zstd", "--level", "23"), ["23", "1 to 22"]),
    ],
)
def test_what_there_is_not(call, keys, tmp_path, monkeypatch, args, names):
    monkeypatch.chdir(tmp_path)
    result = call("assign", keys, "-n", LIST, "-q", *args)
    assert result.code == 2
    assert result.err.count("\n") == 1
    assert [name for name in names if name not in result.err] == []
    assert [each.name for each in tmp_path.iterdir()] == ["keys.csv"]


def test_without_isal_it_is_zlib(call, keys, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "isal", None)
    plain = call("assign", keys, "-n", LIST, "-o", "-", "-q").out
    out = tmp_path / "out.csv.gz"
    assert call("assign", keys, "-n", LIST, "-o", out, "-q").code == 0
    assert gzip.decompress(out.read_bytes()) == plain
    level_6 = zlib.compressobj(6, zlib.DEFLATED, 31)
    assert out.read_bytes() == level_6.compress(plain) + level_6.flush()  # ISA-L writes others
