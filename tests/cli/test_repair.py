"""`rvh repair`: as `FaultSet.repair` on the same rows, in all formats; what it refuses."""

from __future__ import annotations

import json
import os

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pages import run_page
from sizes import examples

import rvh
from rvh.faultset import FaultSet

IDS = [f"n{i}" for i in range(8)]
LIST = ",".join(IDS)
ZONES = [f"z{i % 3}" for i in range(8)]
KEYS = [f"key-{i}" for i in range(300)]
FORMATS = ["csv", "csv.gz", "tsv", "ndjson", "parquet", "arrow", "arrows", "txt"]


@pytest.fixture
def fleet(tmp_path):
    path = tmp_path / "fleet.csv"
    rows = [
        f"{node},{zone},{1 + n % 3}" for n, (node, zone) in enumerate(zip(IDS, ZONES, strict=True))
    ]
    path.write_text("\n".join(["id,zone,w", *rows]) + "\n", encoding="utf-8")
    return path


def placed_as(call, folder, name, *options, keys=KEYS):
    source, path = folder / "keys.txt", folder / f"placed.{name}"
    source.write_text("".join(f"{key}\n" for key in keys), encoding="utf-8")
    assert call("assign", source, "-o", path, "-q", *options).code == 0
    return path


def read(call, path):
    """The rows of a file of any format, as lists."""
    as_lines = path.with_name("read.parquet")
    if path.name.endswith(".txt"):
        return [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()]
    args = ["-n", "x,y", "-K", "key", "--null-keys", "keep", "--column", "c", "-qo", as_lines]
    assert call("assign", path, *args).code == 0
    return [list(row.values())[:-1] for row in pq.read_table(as_lines).to_pylist()]


@pytest.mark.parametrize("name", FORMATS)
def test_it_is_the_fault_sets_repair_in_every_format(call, tmp_path, fleet, name):
    options = ["-n", f"@{fleet}", "--weight-column", "w", "--spread", "zone"]
    placed = placed_as(call, tmp_path, name, *options, "-k", 3)
    out, copies = tmp_path / f"out.{name}", tmp_path / f"copies.{name}"
    result = call("repair", placed, *options, "--dead", "n4,n2", "-o", out, "--copies", copies)
    assert result.code == 0, result.err

    nodes = rvh.NodeSet(IDS, [1.0 + n % 3 for n in range(8)], domains={"zone": ZONES})
    before = FaultSet(nodes).select_batch(KEYS, 3, "zone").nodes
    alive = [node not in ("n4", "n2") for node in IDS]
    faults = FaultSet(nodes, alive)
    repair = faults.repair(KEYS, before, 3, "zone")
    hit = ~np.isin(before, faults.nodes.ids[faults.alive]).all(axis=1)
    assert 0 < hit.sum() < len(KEYS)
    now = np.where(hit[:, None], repair.nodes, before)
    assert read(call, out) == [[key, *row] for key, row in zip(KEYS, now.tolist(), strict=True)]
    expected = [
        [KEYS[row], str(repair.nodes[row, 0]), str(repair.nodes[row, at])]
        for row, at in np.argwhere(repair.added & hit[:, None])
    ]
    assert read(call, copies) == expected
    assert f"{hit.sum()} rows repaired by {len(expected)} copies" in result.err


def test_columns_and_types_stay(call, tmp_path):
    nodes = rvh.select_batch(IDS, KEYS, 2)
    first = pa.array(nodes[:, 0].tolist())
    table = pa.table(
        {
            "node_2": pa.array(nodes[:, 1].tolist()).dictionary_encode(),
            "n": pa.array(range(300), pa.int16()),
            "key": KEYS,
            "node_1": first.cast(pa.large_string()),
        }
    )
    placed, out = tmp_path / "placed.parquet", tmp_path / "out.parquet"
    pq.write_table(table, placed)
    assert call("repair", placed, "-n", LIST, "--dead", "n3", "-K", "key", "-o", out).code == 0
    back = pq.read_table(out)
    assert back.schema.equals(pq.read_schema(placed))
    assert back["n"].to_pylist() == list(range(300))
    alive = [node for node in IDS if node != "n3"]
    rows = [
        list(row)
        for row in zip(back["node_1"].to_pylist(), back["node_2"].to_pylist(), strict=True)
    ]
    assert rows == rvh.select_batch(alive, KEYS, 2).tolist()


def test_ndjson_keeps_the_text_of_its_lines(call, tmp_path):
    nodes = rvh.select_batch(["a", "b", "c"], [1, 2, 3])[:, 0].tolist()
    lines = [
        f'{{"x\\"y": 1.50, "node" : "{node}", "id":{n}, "big": 1{"0" * 40}}}'
        for n, node in enumerate(nodes, 1)
    ]
    placed, out = tmp_path / "p.ndjson", tmp_path / "out.ndjson"
    placed.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    result = call("repair", placed, "-n", "a,b,c", "--dead", nodes[0], "-K", "id", "-o", out)
    assert result.code == 3  # with one node a key, its death is a loss
    left = [node for node in "abc" if node != nodes[0]]
    now = rvh.select_batch(left, [1, 2, 3])[:, 0].tolist()
    assert out.read_text(encoding="utf-8").splitlines() == [
        line.replace(f'"{old}"', f'"{new}"', 1)
        for line, old, new in zip(lines, nodes, now, strict=True)
    ]


@given(
    count=st.integers(2, 7),
    k=st.integers(1, 3),
    data=st.data(),
    scheme=st.sampled_from(["blake2b", "murmur"]),
)
@settings(max_examples=examples(25), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_holds_after_any_deaths(call, tmp_path, count, k, data, scheme):
    ids = [f"n{i}" for i in range(count)]
    k = min(k, count - 1)
    dead = data.draw(st.sets(st.sampled_from(ids), min_size=1, max_size=count - k))
    options = ["-n", json.dumps(ids), "--scheme", scheme]
    placed = placed_as(call, tmp_path, "csv", *options, "-k", k, keys=KEYS[:40])
    out, copies = tmp_path / "out.csv", tmp_path / "copies.csv"
    both = ["-o", out, "--copies", copies]
    code = call("repair", placed, *options, "--dead", json.dumps(sorted(dead)), *both).code
    old, new, todo = (
        [line.split(",") for line in path.read_text(encoding="utf-8").splitlines()[1:]]
        for path in (placed, out, copies)
    )
    assert [row[0] for row in new] == [row[0] for row in old]
    held = {row[0]: row[1:] for row in old}
    for row in new:
        assert len(set(row[1:])) == k
        assert not dead & set(row[1:])
        if not dead & set(held[row[0]]):
            assert row[1:] == held[row[0]]
    lost = [key for key, nodes in held.items() if set(nodes) <= dead]
    assert code == (3 if lost else 0)
    for key, source, _ in todo:
        assert source == "" if key in lost else source in set(held[key]) - dead
    made = {(key, node) for key, _, node in todo}
    assert made == {(row[0], node) for row in new for node in row[1:] if node not in held[row[0]]}
    again = call("repair", out, *options, "--dead", json.dumps(sorted(dead)), "-o", out)
    assert "nothing to repair: no row has a dead node" in again.err


@pytest.mark.parametrize("name", ["ndjson", "parquet"])
def test_a_key_within_a_struct(call, tmp_path, name):
    lines = "".join(f'{{"user": {{"id": {n}}}}}\n' for n in range(50))
    keys, placed = tmp_path / "keys.ndjson", tmp_path / f"placed.{name}"
    keys.write_text(lines, encoding="utf-8")
    options = ["-n", LIST, "-K", "user.id"]
    assert call("assign", keys, *options, "-k", 2, "-o", placed).code == 0
    copies = tmp_path / "copies.ndjson"
    assert call("repair", placed, *options, "--dead", "n1", "--copies", copies).code == 0
    rows = [json.loads(line) for line in copies.read_text(encoding="utf-8").splitlines()]
    hit = [n for n, row in enumerate(rvh.select_batch(IDS, range(50), 2).tolist()) if "n1" in row]
    assert [row["user.id"] for row in rows] == hit


def test_lost_keys_have_a_null_source(call, tmp_path):
    placed = placed_as(call, tmp_path, "parquet", "-n", LIST, "-k", 2)
    copies = tmp_path / "copies.parquet"
    dead = rvh.select_batch(IDS, KEYS[:1], 2)[0].tolist()
    args = ["repair", placed, "-n", LIST, "--dead", ",".join(dead), "--copies", copies]
    result = call(*args)
    lost = sum(set(row) == set(dead) for row in rvh.select_batch(IDS, KEYS, 2).tolist())
    assert (result.code, result.out) == (3, b"")
    words = (
        "1 row had no living node: its" if lost == 1 else f"{lost} rows had no living node: their"
    )
    words += " copies have no source"
    assert words in result.err
    assert pq.read_table(copies)["source"].null_count == 2 * lost
    assert call(*args, "-q").err == f"rvh: {words}\n"


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("source", ["csv", "ndjson", "parquet"])
def test_rows_that_were_kept_without_a_key_stay(call, tmp_path, source, name):
    """An empty key of CSV is empty text elsewhere; in NDJSON a null one may also be missing."""
    keys, rows = tmp_path / f"k.{source}", ["key-1", None, *KEYS, None]
    if source == "csv":
        keys.write_text("".join(f"{key or ''},x\n" for key in ["key", *rows]))
    elif source == "parquet":
        pq.write_table(pa.table({"key": rows, "x": ["x"] * len(rows)}), keys)
    else:
        members = [{"x": "x"} if key is None else {"key": key, "x": "x"} for key in rows]
        keys.write_text("".join(json.dumps(each) + "\n" for each in members))
    placed, out, copies, whole = (
        tmp_path / f"{each}.{name}" for each in ("placed", "out", "copies", "whole")
    )
    options = ["-n", LIST, "-K", "key"]
    assigned = ["assign", keys, *options, "--null-keys", "keep", "-c", 2, "-qo"]
    assert call(*assigned, placed).code == 0
    if name == "txt":  # its columns have no names, and that of x could be of nodes
        options = ["-n", LIST, "--column", "3,4", "-K", "1"]
    outputs = ["-o", out, "--copies", copies]
    result = call("repair", placed, *options, "--dead", "n4", *outputs)
    assert result.code == 0, result.err
    assert "; 2 rows without a key and without nodes stay as they are" in result.err
    assert call(*assigned, whole, "--dead", "n4").code == 0
    assert read(call, out) == read(call, whole)


def test_a_row_with_nodes_needs_a_key(fails, tmp_path):
    placed = tmp_path / "placed.ndjson"
    placed.write_text('{"key": null, "node": "n1"}\n')
    line = fails("repair", placed, "-n", LIST, "-K", "key", "-o", tmp_path / "out.ndjson")
    assert "line 1, column 'key': the key is null: a row without a key has no nodes" in line


def test_nodes_that_are_not_in_the_list_are_dead_and_named(call, tmp_path):
    placed = placed_as(call, tmp_path, "csv", "-n", LIST, "-k", 3)
    outs = [tmp_path / "a.csv", tmp_path / "b.csv"]
    left = ",".join(node for node in IDS if node != "n5")
    result = call("repair", placed, "-n", left, "-o", outs[0])
    had = sum("n5" in row for row in rvh.select_batch(IDS, KEYS, 3).tolist())
    assert f"taken as dead, because not in the list of nodes: 'n5' ({had} rows)" in result.err
    assert call("repair", placed, "-n", LIST, "--dead", "n5", "-o", outs[1]).code == 0
    assert outs[0].read_bytes() == outs[1].read_bytes()


@pytest.mark.parametrize(
    "other", [["--scheme", "murmur"], ["--spread", "zone"], ["--weight-column", "w"]]
)
def test_other_options_than_those_of_the_placement(call, fails, tmp_path, fleet, other):
    placed = placed_as(call, tmp_path, "csv", "-n", f"@{fleet}", "-k", 3)
    before = sorted(os.listdir(tmp_path))
    args = ["repair", placed, "-n", f"@{fleet}", "--dead", "n1", *other]
    out = tmp_path / "out.csv"
    line = fails(*args, "-o", out, "--copies", tmp_path / "copies.csv")
    assert "are misplaced: they have a living node that these options do not choose" in line
    assert sorted(os.listdir(tmp_path)) == before
    kept = call(*args, "-o", out, "--misplaced", "keep")
    assert kept.code == 0
    assert "misplaced, whose living nodes stay" in kept.err


@pytest.mark.parametrize(
    ("text", "args", "words"),
    [
        ("id,a\n1,n1\n", [], "there is no column 'node'; the columns are: id, a"),
        ("id,node_1,node_3\n1,n1,n2\n", [], "'node_3', but none called 'node_2'"),
        ("id,node,node_1\n1,n1,n2\n", [], "a column 'node' and a column 'node_1'"),
        ("id,node_1,node_1\n1,n1,n2\n", [], "column 'node_1' appears more than once"),
        ("id,node_1,node_2\n1,n1,n1\n", [], "row 1: node 'n1' is in column 'node_1' and in"),
        ("id,node_1,node_2\n1,n1,\n", [], "row 1, column 'node_2': there is no node"),
        ("id;node\n1;n1\n", [], "say --delimiter ';'"),
        ("id,node\n1,x\n2,y\n", [], "neither is any other node of the first 2 rows"),
        ("id,node\n1,n1\n", ["--dead", "zz"], "--dead names 'zz', which is not in the list"),
        (
            "id,node\n1,n1\n",
            ["-K", "node"],
            "column 'node' would be a column of the key and of nodes",
        ),
        ("source,node\n1,n1\n", [], "the key column 'source' has the name of a column of COPIES"),
        ("id,node_1,node_2\n1,n1,n2\n", ["--where", "up=yes"], "--where"),
    ],
)
def test_bad_input(fails, tmp_path, text, args, words):
    placed = tmp_path / "placed.csv"
    placed.write_text(text, encoding="utf-8")
    both = ["-o", tmp_path / "out.csv", "--copies", tmp_path / "copies.csv"]
    assert words in fails("repair", placed, "-n", LIST, *both, *args)
    assert os.listdir(tmp_path) == ["placed.csv"]


@pytest.mark.parametrize("value", [None, 3, 1.5])
def test_a_value_that_is_no_node(fails, tmp_path, value):
    placed = tmp_path / "placed.parquet"
    pq.write_table(pa.table({"id": ["a"], "node": [value]}), placed)
    line = fails("repair", placed, "-n", LIST, "-o", tmp_path / "out.parquet")
    assert "row 1, column 'node': " in line
    assert ("there is no node" if value is None else "is not a node id, which is text") in line


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ([], "say what to write"),
        (["--copies", "c.csv", "--output-format", "csv"], "it needs --out"),
        (["-o", "c.csv", "--copies-format", "csv"], "it needs --copies"),
        (["-o", "c.csv", "--copies", "./c.csv"], "--out and --copies are both c.csv"),
        (["-o", "-", "--copies", "-"], "--out and --copies are both stdout"),
    ],
)
def test_bad_command_lines(call, tmp_path, monkeypatch, args, words):
    monkeypatch.chdir(tmp_path)
    result = call("repair", "placed.csv", "-n", LIST, *args)
    assert (result.code, result.out) == (2, b"")
    assert words in result.err


def test_copies_take_the_place_of_no_input(call, fails, tmp_path):
    placed = placed_as(call, tmp_path, "csv", "-n", LIST, "-k", 2)
    before = placed.read_bytes()
    line = fails("repair", placed, "-n", LIST, "--dead", "n1", "--copies", placed)
    assert f"--copies {placed} is the file that KEYS" in line
    assert placed.read_bytes() == before


def test_the_page_runs(tmp_path):
    assert run_page("how-to/replicas.md", tmp_path, {}) == 4
    assert (tmp_path / "copies.csv").read_text(encoding="utf-8").startswith("user,source,target\n")
