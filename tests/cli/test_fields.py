"""Keys within structs and objects: `-K user.id`."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import rvh

NODES = ["n1", "n2", "n3", "n4"]
LIST = ",".join(NODES)
IDS = ["a", "b", "c"]
ROWS = [
    {"user": {"id": key, "more": {"n": n, "a.b": key * 2}}, "x": 1.5}
    for n, key in enumerate(IDS, -1)
]


def write(name: str, rows: list[object] | pa.Table) -> None:
    if name.endswith("ndjson"):
        objects = rows.to_pylist() if isinstance(rows, pa.Table) else rows
        Path(name).write_text("".join(f"{json.dumps(each)}\n" for each in objects), "utf-8")
        return
    table = rows if isinstance(rows, pa.Table) else pa.Table.from_pylist(rows)
    if name.endswith("parquet"):
        pq.write_table(table, name)
    else:
        with pa.ipc.new_file(name, table.schema) as file:
            file.write_table(table)


FILES = ["k.ndjson", "k.parquet", "k.arrow"]


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(
    ("column", "keys"),
    [
        ("user.id", IDS),
        ("user.more.n", [-1, 0, 1]),
        ('user.more."a.b"', ["aa", "bb", "cc"]),
        ('"user"."id"', IDS),
        ("user.id,user.more.n", [rvh.keys.composite(key, n) for n, key in enumerate(IDS, -1)]),
    ],
)
def test_a_field_at_any_depth(call, here, name, column, keys):
    write(name, ROWS)
    for given in ([name], [name, "copy_" + name]):
        write("copy_" + name, ROWS)
        assert call("assign", *given, "-qn", LIST, "-K", column, "-o", "out.ndjson").code == 0
        rows = [json.loads(line) for line in Path("out.ndjson").read_text("utf-8").splitlines()]
        expected = rvh.select_batch(NODES, keys * len(given))[:, 0].tolist()
        assert [row.pop("node") for row in rows] == expected
        assert rows == ROWS * len(given)  # structs stay what they are


@pytest.mark.parametrize("name", FILES)
def test_key_types_and_engines(call, here, name):
    write(name, ROWS)
    args = ["-qn", LIST, "-K", "user.more.n", "--key-type", "text", "-o", "out.parquet"]
    assert call("assign", name, *args).code == 0
    table = pl.read_parquet("out.parquet").select(pl.col("user").struct.field("more"), "node")
    numbers = table.select(pl.col("more").struct.field("n").cast(str))["n"].to_list()
    assert numbers == ["-1", "0", "1"]
    assert table["node"].to_list() == rvh.select_batch(NODES, numbers)[:, 0].tolist()


@pytest.mark.parametrize("name", FILES)
def test_null_on_the_way(fails, here, name):
    kind = pa.struct([("id", pa.string())])
    for column in ([{"id": "a"}, None], [{"id": "a"}, {"id": None}]):
        write(name, pa.table({"user": pa.array(column, kind)}))
        error = fails("assign", name, "-n", LIST, "-K", "user.id", "-o", "out.csv")
        row = "line" if name.endswith("ndjson") else "row"
        assert error.startswith(f"{name}: {row} 2, column 'user.id': the key is null")


@pytest.mark.parametrize("name", FILES)
def test_fields_that_are_not_there(fails, here, name):
    write(name, ROWS)
    args = ["-n", LIST, "-o", "out.ndjson"]
    for column, message in (
        ("user.idd", "column 'user' has no field 'idd'"),
        ("user.more.x.y", "column 'user' has no field 'more.x.y'"),
        ("user.id.x", "column 'user' has no field 'id.x'"),
        ("usr.id", "there is no column 'usr.id'; the columns are: user, x"),
        ("user..id", "there is no column 'user..id'; the columns are: user, x"),
    ):
        assert fails("assign", name, "-K", column, *args) == f"{name}: {message}"


@pytest.mark.parametrize("name", FILES)
def test_a_column_whose_own_name_has_a_dot(call, fails, here, name):
    write(name, [{"user.id": "x", "user": {"name": "y"}}])
    args = ["-qn", LIST, "-o", "out.ndjson"]
    assert call("assign", name, "-K", "user.id", *args).code == 0  # it means one thing
    write(name, [{"user.id": "x", "user": {"id": "y"}}])
    error = fails("assign", name, "-K", "user.id", *args)
    assert error == (
        f"{name} has a column 'user.id', and a column 'user' with a field 'id': write -K "
        """'"user.id"' for the first, or -K '"user"."id"' for the second"""
    )
    for column, key in (('"user.id"', "x"), ('"user"."id"', "y")):
        assert call("assign", name, "-K", column, *args).code == 0
        assert (
            json.loads(Path("out.ndjson").read_text("utf-8"))["node"]
            == (rvh.rendezvous_hash(NODES, key)[0])
        )


def test_objects_without_the_member(fails, here):
    for bad in ("{}", '{"user": {}}', '{"user": "x"}', '{"user": [1]}'):
        Path("k.ndjson").write_text('{"user": {"id": "a"}}\n' + bad + "\n", "utf-8")
        error = fails("assign", "k.ndjson", "-n", LIST, "-K", "user.id", "-o", "out.ndjson")
        assert error.startswith("k.ndjson: line 2: ")


def test_the_place_of_the_key_within_a_struct(call, here):
    Path("nodes.csv").write_text("id,geohash\nparis,u09t\nsydney,r3gx\n", "utf-8")
    write("k.parquet", [{"id": "a", "at": {"geohash": "r3gx"}}])
    args = ["-n", "@nodes.csv", "--node-geohash", "geohash", "--key-geohash", "at.geohash"]
    assert call("assign", "k.parquet", *args, "-qK", "id", "-o", "out.ndjson").code == 0
    assert json.loads(Path("out.ndjson").read_text("utf-8"))["node"] == "sydney"


def test_a_uuid_and_other_extension_types_within_a_struct(call, fails, here):
    raw = pa.array([bytes(range(16))], pa.binary(16))
    for kind, expected in ((pa.uuid(), True), (pa.opaque(pa.binary(16), "x", "y"), False)):
        column = pa.ExtensionArray.from_storage(kind, raw)
        write("k.arrow", pa.table({"user": pa.StructArray.from_arrays([column], ["id"])}))
        if expected:
            assert (
                call("assign", "k.arrow", "-qn", LIST, "-K", "user.id", "-o", "o.arrow").code == 0
            )
            node = pa.ipc.open_file("o.arrow").read_all()["node"].to_pylist()
            text = "00010203-0405-0607-0809-0a0b0c0d0e0f"
            assert node == rvh.rendezvous_hash(NODES, text)
        else:
            error = fails("assign", "k.arrow", "-n", LIST, "-K", "user.id", "-o", "o.arrow")
            assert "column 'user.id'" in error
            assert "arrow.opaque" in error
