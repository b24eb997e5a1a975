"""`--key-type text`: decimals, UUIDs, dates, times and truth values are placed by their text."""

from __future__ import annotations

import csv
import datetime
import json
import re
import uuid
from decimal import Decimal

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest

import rvh

NODES = ["n1", "n2", "n3", "n4"]
LIST = ",".join(NODES)
MOMENT = datetime.datetime(2013, 1, 1, 5, 0, 7, 120_000)
#: columns that have a text, and that of their first value, written out by hand
COLUMNS = {
    "int": (pa.array([-42, 7]), "-42"),
    "uint64": (pa.array([2**64 - 1, 7], pa.uint64()), "18446744073709551615"),
    "decimal": (pa.array([Decimal("1.50"), Decimal("-2.00")]), "1.50"),
    "decimal256": (pa.array([Decimal("1.5"), Decimal(2)], pa.decimal256(50, 3)), "1.500"),
    "bool": (pa.array([True, False]), "true"),
    "date32": (pa.array([MOMENT.date()] * 2), "2013-01-01"),
    "date64": (pa.array([MOMENT.date()] * 2, pa.date64()), "2013-01-01"),
    "time": (pa.array([MOMENT.time()] * 2, pa.time64("us")), "05:00:07.120000"),
    "seconds": (pa.array([1357016407, 0], pa.timestamp("s")), "2013-01-01 05:00:07"),
    "millis": (pa.array([MOMENT] * 2, pa.timestamp("ms")), "2013-01-01 05:00:07.120"),
    "nanos": (pa.array([MOMENT] * 2, pa.timestamp("ns")), "2013-01-01 05:00:07.120000000"),
    "utc": (pa.array([MOMENT] * 2, pa.timestamp("ms", "UTC")), "2013-01-01 05:00:07.120Z"),
    "uuid": (
        pa.ExtensionArray.from_storage(
            pa.uuid(), pa.array([uuid.UUID(int=5).bytes, uuid.UUID(int=6).bytes], pa.binary(16))
        ),
        "00000000-0000-0000-0000-000000000005",
    ),
    "category": (pa.array([Decimal("1.5"), Decimal("2.5")]).dictionary_encode(), "1.5"),
    "text": (pa.array(["007", "x"]), "007"),
    "bytes": (pa.array([b"007", b"x"]), "007"),
}  # fmt: skip


def write(column: pa.Array, path) -> None:
    table = pa.table({"id": column, "n": range(len(column))})
    if path.suffix == ".parquet":
        pq.write_table(table, path)
    else:
        pa.feather.write_feather(table, str(path), compression="uncompressed")


def assigned(call, tmp_path, column, *options, out="out.csv", kind="arrow"):
    path = tmp_path / f"keys.{kind}"
    write(column, path)
    args = ["assign", path, "-n", LIST, "-K", "id", "-o", tmp_path / out, "-q", *options]
    result = call(*args)
    assert (result.code, result.err) == (0, ""), result
    with (tmp_path / out).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file)) if out.endswith("csv") else [*map(json.loads, file)]


@pytest.mark.parametrize("name", COLUMNS)
@pytest.mark.parametrize("kind", ["arrow", "parquet"])
def test_a_column_is_placed_by_the_text_that_csv_shows(call, tmp_path, name, kind):
    column, first = COLUMNS[name]
    rows = assigned(call, tmp_path, column, "--key-type", "text", kind=kind)
    if (name, kind) == ("seconds", "parquet"):
        first += ".000"  # Parquet has no such unit: they are milliseconds in it
    assert rows[0]["id"] == first
    texts = [row["id"] for row in rows]
    assert [row["node"] for row in rows] == rvh.select_batch(NODES, texts)[:, 0].tolist()
    # What reads that CSV again places the rows alike.
    again = tmp_path / "again.csv"
    args = ["-n", LIST, "-K", "id", "--column", "more", "-o", again, "-q"]
    assert call("assign", tmp_path / "out.csv", *args).code == 0
    with again.open(newline="", encoding="utf-8") as file:
        assert all(row["node"] == row["more"] for row in csv.DictReader(file))


@pytest.mark.parametrize("out", ["out.csv", "out.ndjson"])
def test_a_uuid_is_written_as_its_36_characters(call, tmp_path, out):
    column, first = COLUMNS["uuid"]
    assert assigned(call, tmp_path, column, "--key-type", "text", out=out)[0]["id"] == first


def test_a_composite_key_of_texts(call, tmp_path):
    path, out = tmp_path / "keys.parquet", tmp_path / "out.ndjson"
    days = [MOMENT.date() + datetime.timedelta(n) for n in range(20)]
    pq.write_table(pa.table({"day": days, "n": range(20)}), path)
    args = ["-n", LIST, "-K", "day,n", "--key-type", "text", "-o", out]
    assert call("assign", path, *args).code == 0
    keys = [rvh.keys.composite(str(day), str(n)) for n, day in enumerate(days)]
    rows = [json.loads(line)["node"] for line in out.read_text(encoding="utf-8").splitlines()]
    assert rows == rvh.select_batch(NODES, keys)[:, 0].tolist()


def test_a_bounded_load_of_texts(call, tmp_path):
    path, out = tmp_path / "keys.parquet", tmp_path / "out.ndjson"
    days = [MOMENT.date() + datetime.timedelta(n) for n in range(200)]
    pq.write_table(pa.table({"day": days}), path)
    args = ["-n", LIST, "--key-type", "text", "-o", out, "--load-factor", 1]
    assert call("assign", path, *args).code == 0
    rows = [json.loads(line)["node"] for line in out.read_text(encoding="utf-8").splitlines()]
    assert {rows.count(node) for node in NODES} == {50}


def test_json_values(call, fails, tmp_path):
    path, out = tmp_path / "keys.ndjson", tmp_path / "out.ndjson"
    path.write_text('{"id": true}\n{"id": 18446744073709551616}\n{"id": "x"}\n', encoding="utf-8")
    args = ["-n", LIST, "--key-type", "text", "-o", out]
    assert call("assign", path, *args).code == 0
    rows = [json.loads(line)["node"] for line in out.read_text(encoding="utf-8").splitlines()]
    texts = ["true", "18446744073709551616", "x"]
    assert rows == rvh.select_batch(NODES, texts)[:, 0].tolist()
    path.write_text('{"id": 1}\n{"id": 1.0}\n', encoding="utf-8")
    assert (
        "line 2, column 'id': the key is of type float (1.0): a float has several texts"
        in fails("assign", path, *args)
    )


@pytest.mark.parametrize(
    "name", sorted(COLUMNS.keys() - {"int", "uint64", "text", "bytes", "uuid"})
)
@pytest.mark.parametrize("key_type", ["auto", "int"])
def test_the_advice_works(call, fails, tmp_path, name, key_type):
    """An error about a column with a text advises a type, and the text is that."""
    column, first = COLUMNS[name]
    path, out = tmp_path / "keys.arrow", tmp_path / "out.csv"
    write(column, path)
    args = ["assign", path, "-n", LIST, "-K", "id", "-o", out]
    line = fails(*args, "--key-type", key_type)
    found = re.search(r"row 1, column 'id': .*: (-.*) places it by its text, '(.*)'$", line)
    assert found is not None, line
    assert found[2] == first
    assert (
        call(*args[:4], *found[1].split(), *["-K", "id"] * (key_type == "auto"), *args[6:]).code
        == 0
    )


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"u": 1}, "name a field in it, for example -K id.u"),
        ([1, 2], "a list is not a key; name columns of text or whole numbers with -K"),
    ],
)
def test_advice_about_values_of_several_parts(call, fails, tmp_path, value, words):
    path = tmp_path / "keys.parquet"
    pq.write_table(pa.table({"id": [value]}), path)
    args = ["assign", path, "-n", LIST, "-o", tmp_path / "out.parquet"]
    assert words in fails(*args, "-K", "id")
    if isinstance(value, dict):
        assert call(*args, *words.split()[-2:]).code == 0


@pytest.mark.parametrize(
    ("column", "words"),
    [
        (pa.array([1.5, 2.0]), "type float (1.5): a float has several texts"),
        (pa.array([2.0**53]), "beyond 2^53 it has lost the last digits of ids (no cast"),
        (pa.array([datetime.timedelta(1)]), "timedelta"),
        (pa.array([[1]]), "list"),
        (pa.array([Decimal("1.5"), None]), "row 2, column 'id': the key is null"),
        (pa.array([None, MOMENT]), "row 1, column 'id': the key is null"),
        (pa.array([None, 7]), "row 1, column 'id': the key is null"),
    ],
)  # fmt: skip
def test_what_has_no_text(fails, tmp_path, column, words):
    path, out = tmp_path / "keys.arrow", tmp_path / "out.csv"
    write(column, path)
    args = ["assign", path, "-n", LIST, "-K", "id", "-o", out, "--key-type", "text"]
    assert words in fails(*args)
    assert not out.exists()
