"""`-K NAME:TYPE` and `--null-keys`: one table has the same nodes in every format of file."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pyarrow as pa
import pyarrow.feather
import pyarrow.ipc
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import rvh
from rvh.keys import composite

NODES = ["n1", "n2", "n3", "n4", "n5"]
LIST = ",".join(NODES)
ROWS = [("UA", 1545), ("AA", -3), ("B6", 2**40), ("é", 0), ("x,y", 7)]
KINDS = ["csv", "tsv", "ndjson", "parquet", "arrow", "arrows"]


def write(path: Path, rows: list[tuple[str | None, int | None]], number: type = int) -> None:
    """A table of the columns carrier and flight, whose numbers are of one type where there are."""
    rows = [(text, n if n is None else number(n)) for text, n in rows]
    flights = pa.int64() if number is int else pa.string()
    table = pa.table(
        {
            "carrier": pa.array([text for text, _ in rows], pa.string()),
            "flight": pa.array([n for _, n in rows], flights),
        }
    )
    match path.suffix:
        case ".ndjson":
            lines = [json.dumps(each, ensure_ascii=False) for each in table.to_pylist()]
            path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        case ".parquet":
            pq.write_table(table, path)
        case ".arrow":
            pa.feather.write_feather(table, str(path))
        case ".arrows":
            with pa.ipc.new_stream(str(path), table.schema) as stream:
                stream.write_table(table)
        case _:
            sign = "," if path.suffix == ".csv" else "\t"
            lines = [f"carrier{sign}flight"]
            for text, n in rows:
                quoted = f'"{text}"' if sign in (text or "") else text or ""
                lines.append(f"{quoted}{sign}{'' if n is None else n}")
            path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def nodes_of(path: Path) -> list[str | None]:
    lines = path.read_bytes().split(b"\n")[:-1]
    return [json.loads(line)["node"] for line in lines]


def best(keys: list[object]) -> list[str]:
    return rvh.select_batch(NODES, keys)[:, 0].tolist()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("number", [int, str])
@pytest.mark.parametrize(
    "columns",
    [
        ["-K", "carrier:text,flight:int"],
        ["-K", "carrier", "-K", "flight:int", "--key-type", "text"],
        ["-K", "carrier:auto", "-K", "flight", "--key-type", "int"],
    ],
)
def test_a_typed_column_is_one_key_in_every_format(call, tmp_path, kind, number, columns):
    keys, out = tmp_path / f"keys.{kind}", tmp_path / "out.ndjson"
    write(keys, ROWS, number)
    result = call("assign", keys, "-n", LIST, *columns, "-o", out)
    assert result.code == 0, result
    assert nodes_of(out) == best([composite(text, n) for text, n in ROWS])
    assert result.err.startswith("rvh: 5 rows on 5 nodes, key carrier (text) + flight (int), in ")


@pytest.mark.parametrize("kind", KINDS)
def test_digits_of_a_column_of_integers(call, tmp_path, kind):
    keys, out = tmp_path / f"keys.{kind}", tmp_path / "out.ndjson"
    write(keys, ROWS)
    assert call("assign", keys, "-n", LIST, "-K", "flight:text", "-o", out).code == 0
    assert nodes_of(out) == best([str(n) for _, n in ROWS])


@pytest.mark.parametrize(
    ("kind", "found"), [("csv", "text"), ("ndjson", "int"), ("parquet", "int"), ("arrow", "int")]
)
def test_the_summary_says_what_was_found(call, tmp_path, kind, found):
    keys = tmp_path / f"keys.{kind}"
    write(keys, ROWS)
    err = call("assign", keys, "-n", LIST, "-K", "flight", "-o", tmp_path / "o.csv").err
    assert re.fullmatch(
        rf"rvh: 5 rows on 5 nodes, key flight \({found}\), in \d+\.\d\d s, [\d,]+ keys/s\n", err
    )


def test_the_summary_counts_one_row_and_bytes_and_no_rows(call, tmp_path):
    keys, out = tmp_path / "keys.parquet", tmp_path / "out.parquet"
    pq.write_table(pa.table({"id": [b"\xff"]}), keys)
    args = ["assign", keys, "-n", '["n1"]', "-o", out]
    assert call(*args).err.startswith("rvh: 1 row on 1 node, key id (bytes), in ")
    pq.write_table(pa.table({"id": pa.array([], pa.int64())}), keys)
    assert call(*args).err.startswith("rvh: 0 rows on 1 node, key id, in ")
    assert call(*args, "--key-type", "text").err.startswith(
        "rvh: 0 rows on 1 node, key id (text), in "
    )


def test_the_summary_counts_the_nodes_that_may_be_chosen(call, tmp_path):
    keys, nodes = tmp_path / "keys.txt", tmp_path / "nodes.csv"
    keys.write_text("a\n", encoding="utf-8")
    nodes.write_text("id,zone\nn1,eu\nn2,us\nn3,eu\n", encoding="utf-8")
    args = ["assign", keys, "-n", f"@{nodes}", "-o", tmp_path / "out.txt", "--where", "zone=eu"]
    assert "1 row on 2 of 3 nodes, key key (text)" in call(*args).err
    assert "1 row on 2 of 3 nodes" in call(*args, "--algorithm", "ketama").err


def test_lines_with_keys_of_two_kinds_are_told(call, tmp_path):
    """They are two keys, as they always were, and the summary says so."""
    keys, out = tmp_path / "keys.ndjson", tmp_path / "out.ndjson"
    keys.write_text('{"id": 7}\n{"id": "7"}\n{"id": "x"}\n', encoding="utf-8")
    err = call("assign", keys, "-n", LIST, "-o", out).err
    assert "key id (int and text), in " in err
    assert err.endswith("""; 'id' has keys of several kinds, and 1 and "1" are two keys: \
-K id:text makes them one\n""")
    assert nodes_of(out) == best([7, "7", "x"])
    err = call("assign", keys, "-n", LIST, "-o", out, "-K", "id:text").err
    assert "key id (text), in " in err
    assert err.endswith(" keys/s\n")
    assert nodes_of(out) == best(["7", "7", "x"])


# -- what a name with a colon means -----------------------------------------------------------


def test_a_column_whose_own_name_ends_so(call, tmp_path):
    keys, out = tmp_path / "keys.csv", tmp_path / "out.ndjson"
    keys.write_text("a:int,b:text:int,b\n1,2,3\n", encoding="utf-8")
    args = ["assign", keys, "-n", LIST, "-o", out, "-q", "-K"]
    for name, key in (
        ("a:int", "1"),
        ("a:int:auto", "1"),
        ("a:int:int", 1),
        ("b:text:int", "2"),
        ("b:text:int:int", 2),
        ("b:int", 3),
    ):
        assert call(*args, name).code == 0, name
        assert nodes_of(out) == best([key]), name


@pytest.mark.parametrize("column", ["a:int", "b,a:int"])
def test_a_name_with_two_readings_is_refused_and_each_can_be_written(call, tmp_path, column):
    keys, out = tmp_path / "keys.csv", tmp_path / "out.ndjson"
    keys.write_text("a,a:int,b\n1,2,3\n", encoding="utf-8")
    args = ["assign", keys, "-n", LIST, "-o", out, "-q"]
    result = call(*args, "-K", column)
    assert result.code == 2
    assert "write -K a:int:auto for the first, or -K a with --key-type int for the second" in (
        result.err
    )
    assert call(*args, "-K", "a:int:auto").code == 0
    assert nodes_of(out) == best(["2"])
    assert call(*args, "-K", "a", "--key-type", "int").code == 0
    assert nodes_of(out) == best([1])


def test_a_name_with_a_comma_and_a_type(call, tmp_path):
    keys, out = tmp_path / "keys.csv", tmp_path / "out.ndjson"
    keys.write_text('"a,b",c\n1,2\n', encoding="utf-8")
    args = ["assign", keys, "-n", LIST, "-o", out, "-q"]
    assert call(*args, "-K", "a,b:int").code == 0
    assert nodes_of(out) == best([1])
    keys.write_text('"a,b",a,b\n1,2,3\n', encoding="utf-8")
    result = call(*args, "-K", "a,b:int")
    assert result.code == 2
    assert "write a,b with --key-type int for the first, or each with a -K of its own" in result.err
    assert call(*args, "-K", "a,b", "--key-type", "int").code == 0
    assert nodes_of(out) == best([1])
    assert call(*args, "-K", "a", "-K", "b:int").code == 0
    assert nodes_of(out) == best([composite("2", 3)])


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (["-K", "a:integer"], 2, "'integer' is not a type of key, for column 'a'"),
        (["-K", "a:"], 2, "'' is not a type of key"),
        (["-K", "x:int"], 1, "there is no column 'x'; the columns are: a, b"),
        (["-K", "x:y"], 1, "there is no column 'x:y'"),
        (["-K", "a:int,a:text"], 2, "column 'a' is named twice"),
        (["-K", "a:int,b:text", "--key-type", "int"], 2, "has a type of its own: omit --key-type"),
        (["-K", "a:int", "--key-type", "int"], 2, "has a type of its own: omit --key-type"),
        (["-K", "b:int"], 1, "row 1, column 'b': 'x' is not a whole number"),
    ],
)
def test_wrong_types(call, tmp_path, args, code, words):
    keys = tmp_path / "keys.csv"
    keys.write_text("a,b\n1,x\n", encoding="utf-8")
    result = call("assign", keys, "-n", LIST, "-o", tmp_path / "out.csv", *args)
    assert result.code == code
    assert words in result.err
    assert result.err.count("\n") == 1


def test_a_ring_takes_the_type_of_the_column(call, tmp_path):
    keys, out = tmp_path / "keys.csv", tmp_path / "out.ndjson"
    keys.write_text("id\n42\n007\n", encoding="utf-8")
    args = ["assign", keys, "-n", LIST, "-o", out, "--algorithm", "uhashring", "-q"]
    assert call(*args, "-K", "id:text", "--integers", "text").code == 2
    assert call(*args, "-K", "id:int", "--integers", "text").code == 0
    assert nodes_of(out) == rvh.ring.uhashring(NODES).lookup_batch(["42", "7"])[:, 0].tolist()


# -- rows without a key -----------------------------------------------------------------------

SOME_NULL = [("UA", 1), (None, 2), ("AA", None), ("é", 4), (None, None), ("B6", 6)]
HAVING_A_KEY = [0, 3, 5]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("out_kind", ["csv", "ndjson", "parquet", "arrow", "txt"])
@pytest.mark.parametrize("what", ["keep", "drop"])
@pytest.mark.parametrize("k", [1, 2])
def test_rows_without_a_key(call, tmp_path, kind, out_kind, what, k):
    keys, out = tmp_path / f"keys.{kind}", tmp_path / f"out.{out_kind}"
    write(keys, SOME_NULL)
    args = ["assign", keys, "-n", LIST, "-K", "carrier,flight:int", "-k", k, "-o", out]
    result = call(*args, "--null-keys", what)
    assert result.code == 0, result
    there = 6 if what == "keep" else 3
    assert result.err.startswith(f"rvh: {there} rows on 5 nodes, ")
    assert f"; 3 rows with a null key {'kept' if what == 'keep' else 'dropped'}\n" in result.err
    chosen = rvh.select_batch(NODES, [composite(*SOME_NULL[n]) for n in HAVING_A_KEY], k).tolist()
    rows = dict(zip(HAVING_A_KEY, chosen, strict=True))
    expected = [rows.get(n, [None] * k) for n in range(6) if what == "keep" or n in rows]
    added = ["node"] if k == 1 else ["node_1", "node_2"]
    if out_kind in ("parquet", "arrow"):
        table = pq.read_table(out) if out_kind == "parquet" else pa.feather.read_table(str(out))
        assert [[row[name] for name in added] for row in table.to_pylist()] == expected
        assert all(table.schema.field(name).nullable == (what == "keep") for name in added)
        return
    lines = out.read_text(encoding="utf-8").splitlines()[out_kind == "csv" :]
    if out_kind == "ndjson":
        answers = [[json.loads(line)[name] for name in added] for line in lines]
    else:
        split = [line.split("," if out_kind == "csv" else "\t")[-k:] for line in lines]
        answers = [[each or None for each in row] for row in split]
    assert answers == expected


def test_an_empty_line_is_a_key_until_nulls_are_asked_for(call, tmp_path):
    keys, out = tmp_path / "keys.txt", tmp_path / "out.ndjson"
    keys.write_text("a\n\nb\n", encoding="utf-8")
    args = ["assign", keys, "-n", LIST, "-o", out]
    for more, expected in (
        ([], best(["a", "", "b"])),
        (["--null-keys", "error"], best(["a", "", "b"])),
        (["--null-keys", "drop"], best(["a", "b"])),
    ):
        assert call(*args, *more).code == 0
        assert nodes_of(out) == expected
    assert call(*args, "--null-keys", "keep").code == 0
    assert nodes_of(out) == [*best(["a"]), None, *best(["b"])]


def test_a_missing_member_is_null(call, fails, tmp_path):
    keys, out = tmp_path / "keys.ndjson", tmp_path / "out.ndjson"
    keys.write_text('{"id": "a"}\n{"x": 1}\n{"id": null}\n{"id": ""}\n', encoding="utf-8")
    args = ["assign", keys, "-n", LIST, "-K", "id", "-o", out]
    assert "line 2" in fails(*args)
    assert call(*args, "--null-keys", "keep").code == 0
    assert nodes_of(out) == [*best(["a"]), None, None, *best([""])]
    assert out.read_text(encoding="utf-8").splitlines()[1] == '{"x": 1, "node": null}'


def test_a_column_of_nulls_and_a_count_of_none(call, tmp_path):
    keys, out = tmp_path / "keys.parquet", tmp_path / "out.parquet"
    pq.write_table(pa.table({"id": pa.nulls(3), "n": [1, 2, 3]}), keys)
    args = ["assign", keys, "-n", LIST, "-o", out]
    result = call(*args, "-K", "id", "--null-keys", "drop")
    assert "rvh: 0 rows on 5 nodes, key id, in" in result.err
    assert "; 3 rows with a null key dropped" in result.err
    assert pq.read_table(out).num_rows == 0
    assert call(*args, "-K", "id", "--null-keys", "keep").code == 0
    assert pq.read_table(out)["node"].to_pylist() == [None] * 3
    assert "; 0 rows with a null key kept" in call(*args, "-K", "n", "--null-keys", "keep").err


@pytest.mark.parametrize(
    "options",
    [
        ["--load-factor", "1"],
        ["--cache", "2"],
        ["--algorithm", "ketama", "--integers", "text"],
        ["--algorithm", "jump"],
        ["--algorithm", "table", "--partitions", "64"],
        ["--spread", "zone", "-k", "2"],
        ["--node-geohash", "geohash", "--key-geohash", "place"],
        ["--scheme", "murmur", "--threads", "2"],
        ["--dead", "n1"],
    ],
    ids=lambda options: options[0] + options[1],
)
def test_every_way_to_choose_leaves_null_keys_out(call, tmp_path, options):
    """The other rows have the nodes that they have in a file of their own."""
    nodes, keys, own = (tmp_path / name for name in ("nodes.csv", "keys.parquet", "own.parquet"))
    rows = [(f"n{n}", f"z{n % 3}", "u09t"[: n % 4 + 1]) for n in range(6)]
    nodes.write_text(
        "id,zone,geohash\n" + "".join(",".join(row) + "\n" for row in rows), encoding="utf-8"
    )
    ids = [None if n % 7 == 3 else n * n for n in range(500)]
    table = pa.table({"id": ids, "place": ["u09tvw"] * 500})
    pq.write_table(table, keys)
    pq.write_table(table.filter(table["id"].is_valid()), own)
    answers = {}
    for path, nulls in ((keys, "keep"), (keys, "drop"), (own, "error")):
        out = tmp_path / f"{nulls}.ndjson"
        args = ["-n", f"@{nodes}", "-K", "id", "-o", out, "--null-keys", nulls, *options]
        result = call("assign", path, *args)
        assert result.code == 0, result
        lines = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
        added = [name for name in lines[0] if name.startswith("node")]
        answers[nulls] = {row["id"]: [row[name] for name in added] for row in lines}
    assert answers["drop"] == answers["error"]
    assert answers["keep"].pop(None) in ([None], [None, None])
    assert answers["keep"] == answers["error"]


def test_rows_are_counted_as_they_are_in_the_file(fails, tmp_path):
    """Also where rows before them are left out."""
    keys = tmp_path / "keys.parquet"
    args = ["-n", LIST, "-K", "id", "-o", tmp_path / "out.csv", "--null-keys"]
    values = pa.array([1.0, None, 2.0, 2.5], pa.float64()).cast(pa.decimal128(5, 1))
    pq.write_table(pa.table({"id": [None, None, "a"], "n": values[:3]}), keys)
    for what in ("keep", "drop"):
        assert "row 1, column 'n'" in fails("assign", keys, *args[:2], "-K", "n", *args[4:], what)
        pq.write_table(pa.table({"id": values[1:]}), keys)
        assert "row 2, column 'id'" in fails("assign", keys, *args, what)
        pq.write_table(pa.table({"id": [None, None, "a"], "n": values[:3]}), keys)
    lines = tmp_path / "keys.ndjson"
    lines.write_text('{"id": null}\n\n{"id": 1.5}\n', encoding="utf-8")
    assert "line 3, column 'id'" in fails("assign", lines, *args, "drop")
    nulls = fails("assign", lines, *args[:-1])
    assert "line 1, column 'id': the key is null: with --null-keys keep the row stays" in nulls


def test_a_null_place_stays_an_error(call, fails, tmp_path):
    """The key is there, and nobody knows where."""
    nodes, keys = tmp_path / "nodes.csv", tmp_path / "keys.parquet"
    nodes.write_text("id,geohash\na,u09t\nb,r3gx\n", encoding="utf-8")
    pq.write_table(pa.table({"id": [None, "x", "y"], "place": [None, "u09", None]}), keys)
    args = ["assign", keys, "-n", f"@{nodes}", "--node-geohash", "geohash", "-K", "id"]
    args += ["--key-geohash", "place", "-o", tmp_path / "out.csv", "--null-keys", "drop"]
    assert "row 3, column 'place': the geohash of the key is null" in fails(*args)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(
        st.tuples(
            st.none()
            | st.text(st.characters(codec="utf-8", exclude_characters='"\r\n\t\0'), min_size=1),
            st.none() | st.integers(-(2**63), 2**63 - 1),
        ),
        min_size=1,
        max_size=8,
    ),
    st.sampled_from(["carrier", "flight", "carrier,flight", "flight,carrier"]),
    st.sampled_from([int, str]),
)
def test_any_table_has_the_same_nodes_in_every_format(call, tmp_path, rows, columns, number):
    types = {"carrier": "text", "flight": "int"}
    names = columns.split(",")
    typed = ",".join(f"{name}:{types[name]}" for name in names)
    parts = [tuple(row[["carrier", "flight"].index(name)] for name in names) for row in rows]
    expected = [
        None if None in part else best([part[0] if len(part) == 1 else composite(*part)])[0]
        for part in parts
    ]
    for kind in KINDS:
        keys, out = tmp_path / f"keys.{kind}", tmp_path / "out.ndjson"
        write(keys, rows, number)
        args = ["assign", keys, "-n", LIST, "-K", typed, "-o", out, "--null-keys", "keep", "-q"]
        result = call(*args)
        assert result.code == 0, (kind, result)
        assert nodes_of(out) == expected, kind
