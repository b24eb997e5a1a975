"""UUIDs in Parquet and Arrow files are their text; other extension types are errors."""

from __future__ import annotations

import csv
import json
import uuid
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest

import rvh
from rvh.cli import main
from rvh.multi import compose_keys

NODES = [f"n{n}" for n in range(50)]
UUIDS = [uuid.UUID(int=n) for n in (0, 1, 0x1234567890ABCDEF << 64, 2**128 - 1)]
TEXTS = [str(value) for value in UUIDS]
EXPECTED = rvh.select_batch(NODES, TEXTS)[:, 0].tolist()


def table() -> pa.Table:
    return pa.table({"key": pa.array([u.bytes for u in UUIDS], pa.uuid()), "row": range(4)})


def write(path: Path, how: str) -> str:
    if how == "parquet by DuckDB":  # without the schema of Arrow
        rows = ", ".join(f"('{text}'::UUID, {row})" for row, text in enumerate(TEXTS))
        duckdb.execute(f"COPY (SELECT * FROM (VALUES {rows}) t(key, row)) TO '{path}.parquet'")
        return f"{path}.parquet"
    if how == "parquet":
        pq.write_table(table(), f"{path}.parquet")
    elif how == "arrow":
        pa.feather.write_feather(table(), f"{path}.arrow")
    else:
        with pa.ipc.new_stream(f"{path}.arrows", table().schema) as stream:
            stream.write_table(table())
    return f"{path}.{how}"


def assign(*args: object) -> int:
    return main(["assign", *map(str, args), "-n", ",".join(NODES)])


@pytest.mark.parametrize("how", ["parquet", "parquet by DuckDB", "arrow", "arrows"])
@pytest.mark.parametrize("to", ["csv", "ndjson", "parquet"])
@pytest.mark.parametrize("key_type", ["auto", "text"])
def test_a_file_of_uuids(how: str, to: str, key_type: str, tmp_path: Path) -> None:
    source, out = write(tmp_path / "keys", how), tmp_path / f"out.{to}"
    assert assign(source, "-K", "key", "--key-type", key_type, "-o", out) == 0
    rows: list[dict[str, Any]]
    if to == "csv":
        rows = list(csv.DictReader(out.read_text(encoding="utf-8").splitlines()))
    elif to == "ndjson":
        rows = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    else:
        assert pq.read_schema(out).field("key").type == pa.uuid()
        rows = pq.read_table(out).to_pylist()
    assert [str(row["key"]) for row in rows] == TEXTS
    assert [row["node"] for row in rows] == EXPECTED


def test_composite_keys_and_a_file_of_nodes(tmp_path: Path) -> None:
    source, out = write(tmp_path / "keys", "parquet"), tmp_path / "out.parquet"
    assert assign(source, "-K", "key,row", "-o", out) == 0
    expected = rvh.select_batch(NODES, compose_keys(TEXTS, range(4)))[:, 0].tolist()
    assert pq.read_table(out)["node"].to_pylist() == expected
    args = ["assign", source, "-K", "row", "-n", f"@{source}", "-o", str(out)]
    assert main(args) == 0
    expected = rvh.select_batch(TEXTS, range(4))[:, 0].tolist()
    assert pq.read_table(out)["node"].to_pylist() == expected


def test_a_null_is_named_with_its_row(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keys = pa.array([UUIDS[0].bytes, None], pa.uuid())
    pq.write_table(pa.table({"key": keys}), tmp_path / "keys.parquet")
    assert assign(tmp_path / "keys.parquet", "-o", tmp_path / "out.csv") != 0
    assert "row 2, column 'key': the key is null" in capsys.readouterr().err


#: what a file says of a type besides its name
ABOUT = {
    "geoarrow.wkb": "",
    "arrow.opaque": '{"type_name": "bit", "vendor_name": "DuckDB"}',
    "test.period": '{"freq": "D"}',
}


@pytest.mark.parametrize("name", ABOUT)
@pytest.mark.parametrize("suffix", ["parquet", "arrow"])
def test_an_unknown_type(
    name: str, suffix: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    about = {"ARROW:extension:name": name, "ARROW:extension:metadata": ABOUT[name]}
    field = pa.field("key", pa.binary(), metadata=about)
    keys = pa.table([pa.array([b"\1\2"]), pa.array([7])], schema=pa.schema([field, ("n", "int64")]))
    source, out = tmp_path / f"keys.{suffix}", tmp_path / "out.parquet"
    if suffix == "parquet":
        pq.write_table(keys, source)
    else:
        with pa.ipc.new_file(str(source), keys.schema) as file:
            file.write_table(keys)
    assert assign(source, "-K", "key", "-o", out) != 0
    (line,) = capsys.readouterr().err.splitlines()
    assert str(source) in line
    assert f"column 'key' is an Arrow column of the extension type '{name}'" in line
    assert not out.exists()
    assert assign(source, "-K", "n", "-o", out) == 0  # as another column it is just kept
    kept = pq.read_table(out)["key"].combine_chunks()
    assert getattr(kept, "storage", kept).to_pylist() == [b"\1\2"]


@pytest.mark.parametrize("suffix", ["parquet", "arrow"])
def test_a_type_of_pandas_that_is_damaged(
    suffix: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pa.array(pd.period_range("2024", periods=1, freq="M"))  # pandas tells pyarrow of its types
    about = {"ARROW:extension:name": "pandas.period", "ARROW:extension:metadata": '{"x": 1}'}
    schema = pa.schema([pa.field("key", pa.int64(), metadata=about)])
    keys, source = pa.table([pa.array([7])], schema=schema), tmp_path / f"keys.{suffix}"
    if suffix == "parquet":
        pq.write_table(keys, source)
    else:
        with pa.ipc.new_file(str(source), schema) as file:
            file.write_table(keys)
    assert assign(source, "-o", tmp_path / "out.csv") != 0
    (line,) = capsys.readouterr().err.splitlines()
    assert str(source) in line


def test_floats(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pq.write_table(pa.table({"key": [1.0, 2.0]}), tmp_path / "keys.parquet")
    assert assign(tmp_path / "keys.parquet", "-o", tmp_path / "out.csv") != 0
    error = capsys.readouterr().err
    assert "row 1, column 'key'" in error
    assert "no cast restores them" in error
