"""Every file format, in and out: values are kept, and the nodes are `rvh.select_batch`'s."""

from __future__ import annotations

import csv
import datetime
import decimal
import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sizes import examples

import rvh
from rvh._tables import COMPRESSIONS, FORMATS
from rvh.cli import main

NODES = ["n1", "n2", "n3", "nö4"]
LIST = ",".join(NODES)
KEYS = ["007", "a,b", 'quo"te', "ünï", " padded ", "NA", "null", "", *map(str, range(40))]
TABLES = [name for name in FORMATS if name != "lines"]


def quotes(*names: str) -> list[str]:
    """What lets TSV hold any value."""
    return ["--quote", "csv"] if "tsv" in names else []


def file_name(format_name: str) -> str:
    return "data" + FORMATS[format_name].extensions[0]


def write(path: Path, format_name: str, table: pa.Table) -> None:
    """Write a table of text with libraries that rvh's own writers do not use, where there are."""
    if format_name in ("csv", "tsv"):
        with path.open("w", newline="", encoding="utf-8") as file:
            rows = csv.writer(file, delimiter="," if format_name == "csv" else "\t")
            rows.writerow(table.column_names)
            rows.writerows(zip(*(column.to_pylist() for column in table.columns), strict=True))
    elif format_name == "ndjson":
        path.write_text(
            "".join(json.dumps(row) + "\n" for row in table.to_pylist()), encoding="utf-8"
        )
    elif format_name == "parquet":
        pq.write_table(table, path)
    elif format_name == "arrow":
        pa.feather.write_feather(table, str(path))
    elif format_name == "arrows":
        with pa.ipc.new_stream(str(path), table.schema) as stream:
            stream.write_table(table)
    else:
        path.write_text(
            "".join(f"{key}\n" for key in table.column(0).to_pylist()), encoding="utf-8"
        )


def read(path: Path, format_name: str) -> list[dict[str, Any]]:
    """Rows, again by other means than rvh's."""
    if format_name in ("csv", "tsv"):
        with path.open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file, delimiter="," if format_name == "csv" else "\t"))
    if format_name == "ndjson":
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    if format_name == "parquet":
        return pq.read_table(path).to_pylist()
    if format_name == "arrow":
        return pa.feather.read_table(str(path)).to_pylist()
    assert format_name == "arrows"
    return pa.ipc.open_stream(str(path)).read_all().to_pylist()


@pytest.mark.parametrize("format_in", TABLES)
@pytest.mark.parametrize("format_out", TABLES)
def test_every_pair_of_tables(call, tmp_path, format_in, format_out):
    keys, out = tmp_path / f"in_{file_name(format_in)}", tmp_path / file_name(format_out)
    more = [f'x"{n},\t\n\r\n{n}' for n in range(len(KEYS))]
    rows = [{"key": key, "more": value} for key, value in zip(KEYS, more, strict=True)]
    write(keys, format_in, pa.Table.from_pylist(rows))
    args = ["-n", LIST, "-K", "key", "-k", "2", "-o", out, *quotes(format_in, format_out)]
    result = call("assign", keys, *args)
    assert (result.code, result.out) == (0, b""), result
    answers = rvh.select_batch(NODES, KEYS, 2).tolist()
    assert read(out, format_out) == [
        {**row, "node_1": first, "node_2": second}
        for row, (first, second) in zip(rows, answers, strict=True)
    ]


@pytest.mark.parametrize("format_in", FORMATS)
def test_every_format_to_lines(call, tmp_path, format_in):
    keys, out = tmp_path / f"in_{file_name(format_in)}", tmp_path / "out.txt"
    write(keys, format_in, pa.table({"key": KEYS}))
    result = call("assign", keys, "-n", LIST, "-k", "3", "-o", out, *quotes(format_in))
    assert result.code == 0, result
    answers = rvh.select_batch(NODES, KEYS, 3).tolist()
    expected = ["\t".join([key, *nodes]) for key, nodes in zip(KEYS, answers, strict=True)]
    assert out.read_text(encoding="utf-8").split("\n") == [*expected, ""]


@pytest.mark.parametrize("format_out", TABLES)
def test_lines_to_every_table(call, tmp_path, format_out):
    keys, out = tmp_path / "in.lines", tmp_path / file_name(format_out)
    keys.write_bytes("\ufeff".encode() + "\r\n".join(KEYS).encode())
    assert call("assign", keys, "-n", LIST, "-o", out).code == 0
    answers = rvh.select_batch(NODES, KEYS)[:, 0].tolist()
    assert read(out, format_out) == [
        {"key": key, "node": node} for key, node in zip(KEYS, answers, strict=True)
    ]


@pytest.mark.parametrize("extension", [e for f in FORMATS.values() for e in f.extensions])
def test_every_extension(call, tmp_path, extension):
    name = next(f.name for f in FORMATS.values() if extension in f.extensions)
    keys, out = tmp_path / f"in{extension.upper()}", tmp_path / f"out{extension}"
    write(keys, name, pa.table({"key": KEYS}))
    assert call("assign", keys, "-n", LIST, "-o", out, *quotes(name)).code == 0
    explicit, out2 = tmp_path / "in.dat", tmp_path / "out"
    explicit.write_bytes(keys.read_bytes())
    args = ["-n", LIST, "-o", out2, *quotes(name)]
    assert call("assign", explicit, "--format", name, *args).code == 0
    assert out2.read_bytes() == out.read_bytes()


@pytest.mark.parametrize("compression", sorted({*COMPRESSIONS} - {".xz"}))  # see test_xz.py
@pytest.mark.parametrize("name", ["csv", "ndjson", "lines"])
def test_compressed_text(call, tmp_path, name, compression):
    plain = tmp_path / file_name(name)
    packed = Path(f"{plain}{compression}")
    write(plain, name, pa.table({"key": KEYS}))
    with pa.output_stream(str(packed), compression=COMPRESSIONS[compression]) as stream:
        stream.write(plain.read_bytes())
    out, packed_out = tmp_path / f"o_{plain.name}", tmp_path / f"o_{packed.name}"
    assert call("assign", plain, "-n", LIST, "-o", out).code == 0
    assert call("assign", packed, "-n", LIST, "-o", packed_out).code == 0
    with pa.input_stream(str(packed_out), compression=COMPRESSIONS[compression]) as stream:
        assert stream.read() == out.read_bytes()
    assert packed_out.read_bytes() != out.read_bytes()


def typed_table() -> pa.Table:
    day = datetime.datetime(2024, 2, 29, 12, 30, 15, 123456)
    return pa.table(
        {
            "id": pa.array([1, -2, 3], pa.int32()),
            "big": pa.array([2**64 - 1, 0, 2**53 + 1], pa.uint64()),
            "f": pa.array([0.1, None, -1e300]),
            "b": [True, False, None],
            "when": pa.array([day, None, day], pa.timestamp("us")),
            "day": pa.array([day.date(), None, day.date()]),
            "price": pa.array([decimal.Decimal("1.10"), None, decimal.Decimal("-2.25")]),
            "raw": pa.array([b"a", b"", None]),
            "word": pa.array(["x", "y", "x"]).dictionary_encode(),
            "none": pa.nulls(3),
        },
        metadata={"made by": "a test"},
    )


@pytest.mark.parametrize("format_in", ["parquet", "arrow", "arrows"])
@pytest.mark.parametrize("format_out", ["parquet", "arrow", "arrows"])
def test_types_and_metadata_are_kept(call, tmp_path, format_in, format_out):
    table = typed_table().append_column("list", pa.array([[1], [], None]))
    keys, out = tmp_path / f"in_{file_name(format_in)}", tmp_path / file_name(format_out)
    write(keys, format_in, table)
    assert call("assign", keys, "-n", LIST, "-K", "id", "-o", out).code == 0
    match format_out:
        case "parquet":
            back = pq.read_table(out)
        case "arrow":
            back = pa.feather.read_table(str(out))
        case "arrows":
            back = pa.ipc.open_stream(str(out)).read_all()
    assert back.drop_columns(["node"]).cast(table.schema).equals(table)
    assert back.schema.metadata[b"made by"] == b"a test"
    types = [str(field.type).replace("element", "item") for field in back.schema]  # Parquet's word
    assert types == [*(str(field.type) for field in table.schema), "string"]
    assert back["node"].to_pylist() == rvh.select_batch(NODES, [1, -2, 3])[:, 0].tolist()


def test_typed_columns_as_text(call, tmp_path):
    keys, out = tmp_path / "in.parquet", tmp_path / "out.csv"
    write(keys, "parquet", typed_table())
    assert call("assign", keys, "-n", LIST, "-K", "id", "-o", out).code == 0
    first, second, _ = read(out, "csv")
    del first["node"], second["node"]
    assert first == {
        "id": "1",
        "big": "18446744073709551615",
        "f": "0.1",
        "b": "true",
        "when": "2024-02-29 12:30:15.123456",
        "day": "2024-02-29",
        "price": "1.10",
        "raw": "a",
        "word": "x",
        "none": "",
    }
    assert (second["f"], second["when"], second["raw"]) == ("", "", "")


def test_typed_columns_as_json(call, tmp_path):
    keys, out = tmp_path / "in.parquet", tmp_path / "out.ndjson"
    write(
        keys,
        "parquet",
        typed_table()
        .append_column("nan", pa.array([float("nan"), float("inf"), 1.5]))
        .append_column("ns", pa.array([1, 2, 3], pa.timestamp("ns")))
        .append_column("list", pa.array([[1], [], None])),
    )
    assert call("assign", keys, "-n", LIST, "-K", "id", "-o", out).code == 0
    rows = read(out, "ndjson")
    assert [row.pop("node") for row in rows] == rvh.select_batch(NODES, [1, -2, 3])[:, 0].tolist()
    assert rows[0] == {
        "id": 1,
        "big": 2**64 - 1,
        "f": 0.1,
        "b": True,
        "when": "2024-02-29 12:30:15.123456",
        "day": "2024-02-29",
        "price": "1.10",
        "raw": "a",
        "word": "x",
        "none": None,
        "nan": None,
        "ns": "1970-01-01 00:00:00.000000001",
        "list": [1],
    }
    assert [row["nan"] for row in rows] == [None, None, 1.5]


def test_json_lines_keep_their_text(call, tmp_path):
    keys, out = tmp_path / "in.ndjson", tmp_path / "out.ndjson"
    keys.write_bytes(
        b'\xef\xbb\xbf{"id":"\\u00e9",  "n": 123456789012345678901234567890, "f": 1.0e+2 }\r\n'
        b"\n"
        b'  {"x": {"id": 1}, "id" : 18446744073709551615}\n'
        b'{"id": "\xc3\xa9", "lone": "\\ud800"}'
    )
    assert call("assign", keys, "-n", LIST, "-K", "id", "-o", out).code == 0
    one, two, three = rvh.select_batch(NODES, ["é", 2**64 - 1, "é"])[:, 0].tolist()
    assert out.read_text(encoding="utf-8").splitlines() == [
        f'{{"id":"\\u00e9",  "n": 123456789012345678901234567890, "f": 1.0e+2, "node": "{one}"}}',
        f'{{"x": {{"id": 1}}, "id" : 18446744073709551615, "node": "{two}"}}',
        f'{{"id": "é", "lone": "\\ud800", "node": "{three}"}}',
    ]


@pytest.mark.parametrize(
    "end", [b"}", b" }", b"\t}", b"\r}", b" \r }", b"} ", b"}\r", b"}\t\r", b"}\r\r"]
)
def test_json_lines_lose_blanks_at_their_end_alone(call, tmp_path, end):
    keys, out = tmp_path / "in.ndjson", tmp_path / "out.ndjson"
    keys.write_bytes(b'{"id": "a"' + end + b'\n{"id":\r"a"' + end)
    assert call("assign", keys, "-n", LIST, "-K", "id", "-o", out).code == 0
    node = rvh.select_batch(NODES, ["a"])[0, 0].encode()
    ends = b', "node": "' + node + b'"}\n'
    assert out.read_bytes() == b'{"id": "a"' + ends + b'{"id":\r"a"' + ends


def test_json_lines_longer_than_a_batch(call, fails, tmp_path):
    keys, out = tmp_path / "in.ndjson", tmp_path / "out.ndjson"
    lines = ['{"id": "a"}'] * 70_000 + [f'{{"id": "a", "x": "{"y" * (3 << 20)}"}}'] * 3
    keys.write_text("\n".join([*lines, '{"id": "a"}']))
    assert call("assign", keys, "-n", LIST, "-K", "id", "-o", out).code == 0
    node = rvh.select_batch(NODES, ["a"])[0, 0]
    with out.open() as written:
        for line in [*lines, lines[0]]:
            assert written.readline() == f'{line[:-1]}, "node": "{node}"}}\n'
    with keys.open("a") as more:
        more.write("\n" + "x" * (1 << 24))
    assert "line 70005 is longer than 16 MiB" in fails("assign", keys, "-n", LIST, "-o", out)


@pytest.mark.parametrize("number", ["-NaN", "Inf", "-Inf", "nan", "1.", "01"])
def test_numbers_that_are_none(fails, tmp_path, number):
    keys = tmp_path / "in.ndjson"
    keys.write_text(f'{{"id": "a"}}\n{{"id": "b", "x": [{number}]}}\n')
    message = fails("assign", keys, "-n", LIST, "-K", "id", "-o", tmp_path / "out.ndjson")
    assert "line 2 is not JSON" in message


def test_json_columns_are_those_of_the_first_lines(call, fails, tmp_path):
    keys, out = tmp_path / "in.ndjson", tmp_path / "out.parquet"
    keys.write_text(
        '{"id": 1, "a": null}\n{"id": 2, "b": [1]}\n{"id": 3, "c": 9223372036854775808}',
        encoding="utf-8",
    )
    assert call("assign", keys, "-n", LIST, "-K", "id", "-o", out).code == 0
    assert pq.read_table(out).drop_columns(["node"]).to_pylist() == [
        {"id": 1, "a": None, "b": None, "c": None},
        {"id": 2, "a": None, "b": [1], "c": None},
        {"id": 3, "a": None, "b": None, "c": 2**63},
    ]
    keys.write_text('{"id": 1}\n{"id": "two"}\n', encoding="utf-8")
    assert "member 'id'" in fails("assign", keys, "-n", LIST, "-K", "id", "-o", tmp_path / "x.csv")


def test_dictionaries_that_differ_between_batches(call, tmp_path):
    keys, out = tmp_path / "in.arrows", tmp_path / "out.arrow"
    words = [["a", "b"], ["b", "c", "a"], ["c"], ["d", "b"]]
    batches = [pa.record_batch({"word": pa.array(each).dictionary_encode()}) for each in words]
    with pa.ipc.new_stream(str(keys), batches[0].schema) as stream:
        for batch in batches:
            stream.write_batch(batch)
    assert call("assign", keys, "-n", LIST, "-o", out).code == 0
    back = pa.ipc.open_file(str(out)).read_all()
    flat = [word for each in words for word in each]
    assert back.schema.field("word").type == batches[0].schema.field("word").type
    assert back["word"].to_pylist() == flat
    assert back["node"].to_pylist() == rvh.select_batch(NODES, flat)[:, 0].tolist()


@pytest.mark.parametrize("format_in", FORMATS)
@pytest.mark.parametrize("format_out", FORMATS)
def test_no_rows_are_a_valid_output(call, tmp_path, format_in, format_out):
    keys, out = tmp_path / f"in_{file_name(format_in)}", tmp_path / file_name(format_out)
    write(keys, format_in, pa.table({"key": pa.array([], pa.string())}))
    result = call("assign", keys, "-n", LIST, "-k", "2", "-o", out)
    assert result.code == 0, result
    if format_out == "lines":
        assert out.read_bytes() == b""
        return
    assert read(out, format_out) == []
    if format_out in ("csv", "tsv") and format_in != "ndjson":
        header = out.read_text(encoding="utf-8").rstrip("\n").replace("\t", ",")
        assert header == "key,node_1,node_2"


def test_a_header_without_a_newline_has_no_rows(call, tmp_path):
    keys, out = tmp_path / "in.csv", tmp_path / "out.csv"
    keys.write_text("id,x", encoding="utf-8")
    assert call("assign", keys, "-n", LIST, "-K", "id", "-o", out).code == 0
    assert out.read_text(encoding="utf-8") == "id,x,node\n"


def test_csv_as_people_write_it(call, tmp_path):
    keys, out = tmp_path / "in.csv", tmp_path / "out.csv"
    keys.write_bytes(
        b'\xef\xbb\xbf\r\n"na\nme",id,id2,,\r\n\r\n\r\n'
        b'"two\nlines",007,"",,5" pipe\r\n\r\n"say ""hi""",1e3,  ,NA,\r\n'
    )
    assert call("assign", keys, "-n", LIST, "-K", "id", "-o", out).code == 0
    one, two = rvh.select_batch(NODES, ["007", "1e3"])[:, 0].tolist()
    assert out.read_bytes().decode() == (
        '"na\nme",id,id2,,,node\n'
        f'"two\nlines",007,,,"5"" pipe",{one}\n'
        f'"say ""hi""",1e3,  ,NA,,{two}\n'
    )


cell = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)


@settings(max_examples=examples(60), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.integers(1, 4).flatmap(
        lambda width: st.lists(st.lists(cell, min_size=width, max_size=width), min_size=1)
    )
)
def test_any_csv_comes_back(tmp_path, rows):
    keys, out = tmp_path / "any.csv", tmp_path / "any_out.csv"
    width = len(rows[0])
    text = io.StringIO(newline="")
    csv.writer(text).writerows([[f"c{n}" for n in range(width)], *rows])
    keys.write_bytes(text.getvalue().encode())
    assert main(["assign", str(keys), "-n", LIST, "-K", "c0", "-qo", str(out)]) == 0
    with out.open(newline="", encoding="utf-8") as file:
        back = list(csv.reader(file))
    answers = rvh.select_batch(NODES, [row[0] for row in rows])[:, 0].tolist()
    assert back[1:] == [[*row, node] for row, node in zip(rows, answers, strict=True)]


def test_more_rows_than_a_batch(call, tmp_path):
    from rvh._tables.base import BATCH_ROWS

    count = 2 * BATCH_ROWS + 17
    table = pa.table({"key": pa.array(range(count)).cast(pa.string())})
    expected = None
    for name in ("csv", "ndjson", "arrow", "lines"):
        keys, out = tmp_path / file_name(name), tmp_path / f"{name}.parquet"
        write(keys, name, table)
        assert call("assign", keys, "-n", "a,b", "-o", out).code == 0
        back = pq.read_table(out)
        assert back["key"].equals(table["key"])
        expected = expected or back["node"]
        assert back["node"].equals(expected)
    assert (
        expected.to_pylist()
        == rvh.select_batch(["a", "b"], table["key"].to_pylist())[:, 0].tolist()
    )
