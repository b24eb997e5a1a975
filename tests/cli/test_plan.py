"""`rvh plan`: held to what `rvh assign` answers for both placements, counted in plain Python."""

from __future__ import annotations

import csv
import json
import re
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from commandline import command, environment

NODES = "id,w,zone\na,1,eu\nb,2,eu\nc,3,us\nd,4,us\n"
ROWS = [(f"key {n}", n, n * 31 % 257) for n in range(900)]


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("nodes.csv").write_text(NODES, encoding="utf-8")
    Path("new.csv").write_text("id,w,zone\nb,2,eu\nd,1,us\ne,9,asia\n", encoding="utf-8")
    with open("keys.csv", "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("id", "number", "size"), *ROWS])
    return tmp_path


def planned(call, *args: object) -> dict[str, Any]:
    result = call("plan", *args, "--json", "--quiet")
    assert result.code == 0, result.err
    return json.loads(result.out)


def assigned(call, keys: str, *args: object) -> list[tuple[str, ...]]:
    """The nodes of each row."""
    result = call("assign", keys, *args, "-o", "placed.csv", "--quiet")
    assert result.code == 0, result.err
    with open("placed.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [tuple(value for name, value in row.items() if name.startswith("node")) for row in rows]


KETAMA = ["--algorithm", "ketama"]
WEIGHTED = ["-n", "@nodes.csv", "--weight-column", "w"]
#: options of plan, those of assign for the old and for the new placement
CHANGES = {
    "add": (["-n", "a,b,c", "--add", "d,e"], ["-n", "a,b,c"], ["-n", "a,b,c,d,e"]),
    "remove": (
        ["-n", "@nodes.csv", "--remove", "b", "-c", "2"],
        ["-n", "@nodes.csv", "-c", "2"],
        ["-n", "a,c,d", "-c", "2"],
    ),
    "all edits": (
        [*WEIGHTED, "--add", "e=1.5", "--remove", "a", "--set-weight", "b=0.25"],
        WEIGHTED,
        ["-n", "@edited.csv", "--weight-column", "w"],
    ),
    "a new list": (
        ["-n", "@nodes.csv", "--to", "@new.csv", "--weight-column", "w"],
        WEIGHTED,
        ["-n", "@new.csv", "--weight-column", "w"],
    ),
    "a list after a file": (
        [*WEIGHTED, "--to", "b,c,x"],
        WEIGHTED,
        ["-n", "b,c,x"],
    ),
    "weights of one placement alone": (
        ["-n", "@nodes.csv", "--to-weight-column", "w"],
        ["-n", "@nodes.csv"],
        WEIGHTED,
    ),
    "from a ring": (
        ["-n", "@nodes.csv", *KETAMA, "--to-algorithm", "rendezvous", "--to-scheme", "murmur"],
        ["-n", "@nodes.csv", *KETAMA],
        ["-n", "@nodes.csv", "--scheme", "murmur"],
    ),
    "a ring without one": (
        ["-n", "@nodes.csv", *KETAMA, "--remove", "d"],
        ["-n", "@nodes.csv", *KETAMA],
        ["-n", "a,b,c", *KETAMA],
    ),
    "to jump": (
        [*WEIGHTED, "--to-algorithm", "jump"],
        WEIGHTED,
        ["-n", "@nodes.csv", "--algorithm", "jump"],
    ),
    "a table of other size": (
        ["-n", "a,b,c", "--algorithm", "table", "--partitions", "64", "--to-partitions", "96"],
        ["-n", "a,b,c", "--algorithm", "table", "--partitions", "64"],
        ["-n", "a,b,c", "--algorithm", "table", "--partitions", "96"],
    ),
    "more nodes a key": (
        ["-n", "@nodes.csv", "--to-count", "3"],
        ["-n", "@nodes.csv"],
        ["-n", "@nodes.csv", "-c", "3"],
    ),
    "spread": (
        ["-n", "@nodes.csv", "-c", "2", "--to-spread", "zone", "--dead", "a"],
        ["-n", "@nodes.csv", "-c", "2", "--dead", "a"],
        ["-n", "@nodes.csv", "-c", "2", "--spread", "zone", "--dead", "a"],
    ),
    "a secret": (
        ["-n", "a,b,c", "--to-secret-file", "secret"],
        ["-n", "a,b,c"],
        ["-n", "a,b,c", "--secret-file", "secret"],
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_assign_says(call, here, name):
    Path("edited.csv").write_text("id,w\nb,0.25\nc,3\nd,4\ne,1.5\n", encoding="utf-8")
    Path("secret").write_text("sixteen bytes or more\n", encoding="utf-8")
    options, *both = CHANGES[name]
    said = planned(call, "keys.csv", "-K", "id", "--size-column", "size", "--steps", "4", *options)
    old, new = (assigned(call, "keys.csv", "-K", "id", *each) for each in both)
    copies = [
        (row, node)
        for row, (had, has) in enumerate(zip(old, new, strict=True))
        for node in {*has} - {*had}
    ]
    assert said["keys"] == len(ROWS)
    assert said["moved"] == {
        "keys": len({row for row, _ in copies}),
        "copies": len(copies),
        "bytes": sum(ROWS[row][2] for row, _ in copies),
    }
    received = Counter(node for _, node in copies)
    for node in said["nodes"]:
        assert node["keys_before"] == sum(node["node"] in nodes for nodes in old)
        assert node["keys_after"] == sum(node["node"] in nodes for nodes in new)
        assert node["keys_received"] == received[node["node"]]
        assert node["bytes_after"] == sum(
            size for nodes, (*_, size) in zip(new, ROWS, strict=True) if node["node"] in nodes
        )
    assert {n["node"] for n in said["nodes"]} >= {n for rows in (old, new) for r in rows for n in r}
    assert sum(step["keys"] for step in said["steps"]) == len(copies)


def test_zones(call, here):
    said = planned(
        call, "keys.csv", "-K", "id", "-n", "@nodes.csv", "--zone-column", "zone", "--add", "e"
    )
    zone = said["domains"]["zone"]
    assert [each["label"] for each in zone["labels"]] == ["eu", "us", "(none)"]
    of = {"a": "eu", "b": "eu", "c": "us", "d": "us", "e": "(none)"}
    for label in zone["labels"]:
        for what in ("keys_before", "keys_after", "keys_sent", "keys_received"):
            own = [node[what] for node in said["nodes"] if of[node["node"]] == label["label"]]
            assert label[what] == sum(own)
    assert {flow["target"] for flow in zone["flows"]} == {"(none)"}
    # of a list that has no columns, the labels are those that are known
    listed = planned(
        call, "keys.csv", "-K", "id", "-n", "@nodes.csv", "--zone-column", "zone", "--to", "a,d,e"
    )
    labels = [each["label"] for each in listed["domains"]["zone"]["labels"]]
    assert labels == ["eu", "us", "(none)"]
    spread = planned(
        call, "keys.csv", "-K", "id", "-n", "@nodes.csv", "--spread", "zone", "--remove", "d"
    )
    assert set(spread["domains"]) == {"zone"}


@pytest.mark.parametrize("extension", ["csv", "tsv", "ndjson", "parquet", "arrow", "csv.gz"])
def test_moves(call, here, extension):
    args = ["keys.csv", "-K", "id,number:int", "-n", "a,b", "--add", "c", "--steps", "5"]
    said = planned(call, *args, "--size-column", "size", "--moves", f"moves.{extension}")
    result = call("plan", *args, "--size", "7", "--moves", "sized.csv", "-q")
    assert result.code == 0, result.err
    if extension == "parquet":
        rows = pq.read_table("moves.parquet").to_pylist()
    elif extension == "arrow":
        rows = pa.ipc.open_file("moves.arrow").read_all().to_pylist()
    elif extension == "ndjson":
        rows = list(map(json.loads, Path("moves.ndjson").read_text(encoding="utf-8").splitlines()))
    else:
        options = pa.csv.ParseOptions(delimiter="\t" if extension == "tsv" else ",")
        rows = pa.csv.read_csv(f"moves.{extension}", parse_options=options).to_pylist()
    old, new = (
        assigned(call, "keys.csv", "-K", "id,number:int", "-n", nodes) for nodes in ("a,b", "a,b,c")
    )
    moving = [
        (*ROWS[row], had, has)
        for row, ((had,), (has,)) in enumerate(zip(old, new, strict=True))
        if had != has
    ]
    assert [tuple(map(str, row.values()))[:5] for row in rows] == [
        (key, str(number), had, has, str(size)) for key, number, size, had, has in moving
    ]
    assert [*rows[0]] == ["id", "number", "source", "target", "size", "step"]
    assert Counter(int(row["step"]) for row in rows) == {
        at: step["keys"] for at, step in enumerate(said["steps"])
    }
    with open("sized.csv", encoding="utf-8", newline="") as file:
        assert {row["size"] for row in csv.DictReader(file)} == {"7"}


@pytest.mark.parametrize(
    "column",
    [
        pa.array(range(100), pa.int16()),
        pa.array([f"k{n}" for n in range(100)], pa.large_string()),
        pa.array([f"k{n % 50}" for n in range(100)]).dictionary_encode(),
        pa.array([n.to_bytes(4, "big") for n in range(100)], pa.binary(4)),
    ],
    ids=lambda column: str(column.type)[:10],
)
def test_keys_keep_their_type_in_moves(call, here, column):
    pq.write_table(pa.table({"key": column, "other": [1.5] * 100}), "keys.parquet")
    result = call(
        "plan", "keys.parquet", "-K", "key", "-n", "a,b", "--add", "c", "--moves", "m.parquet"
    )
    assert result.code == 0, result.err
    table = pq.read_table("m.parquet")
    assert table.schema.field("key").type == column.type
    assert table.schema.names == ["key", "source", "target"]
    assert {*table["key"].to_pylist()} < {*column.to_pylist()}


def test_moves_are_there_complete_or_not_at_all(call, here):
    Path("moves.csv").write_text("old\n", encoding="utf-8")
    lines = [f"k{n},{'x' if n == 150_000 else n}\n" for n in range(150_001)]
    Path("late.csv").write_text("key,size\n" + "".join(lines), encoding="utf-8")
    result = call(
        "plan", "late.csv", "-K", "key", "--size-column", "size", "-n", "a,b", "--add", "c",
        "--moves", "moves.csv",
    )  # fmt: skip
    assert (result.code, result.out) == (1, b"")
    assert result.err == (
        "rvh: late.csv: row 150001, column 'size': the size is 'x': every key needs one, a whole "
        "number of bytes, 0 or more\n"
    )
    assert Path("moves.csv").read_text(encoding="utf-8") == "old\n"
    assert sorted(each.name for each in here.iterdir()) == [
        "keys.csv", "late.csv", "moves.csv", "new.csv", "nodes.csv",
    ]  # fmt: skip


def test_the_report_is_of_the_same_estimate(call, here):
    args = ["keys.csv", "-K", "id", "-n", "@nodes.csv", "--size", "1kB", "--bandwidth", "1MB/s"]
    said = planned(call, *args, "--add", "e", "--html", "report.html")
    page = Path("report.html").read_text(encoding="utf-8")
    assert "What moves: rendezvous (blake2b), 4 nodes to 5" in page
    assert f"{said['moved']['copies']:,}" in page
    assert not re.search(r"(?:src|href)=.?http", page)


def test_no_moves_are_a_table_without_rows(call, here):
    args = ["keys.csv", "-K", "id", "-n", "a,b", "--to", "b,a", "--moves", "moves.csv"]
    assert planned(call, *args)["moved"] == {"keys": 0, "copies": 0}
    assert Path("moves.csv").read_text(encoding="utf-8") == "id,source,target\n"
    assert call("plan", *args, "-q").code == 0


def test_leaving_a_ring_is_told_before_a_key_is_read(call, here):
    """In words, by the numbers of the nodes alone: the keys do not even exist."""
    args = ["-n", "@nodes.csv", *KETAMA, "--to-algorithm", "rendezvous"]
    result = call("plan", "--sample", "1000", *args)
    first, _summary = result.err.splitlines()
    assert first == (
        "rvh: from ketama to rendezvous (blake2b), nearly all moves: two placements of different "
        "kinds agree by chance alone, so 1 - 1/4 = 75.0% of all copies move if the nodes are alike"
    )
    assert "The two placements have nothing in common" in result.out.decode()
    assert result.err in (call("plan", "--sample", "1000", *args, "-q").err + _summary + "\n")


@pytest.mark.parametrize(
    ("args", "formula"),
    [
        (["--to-scheme", "murmur", "-c", "2"], "1 - 2/4 = 50.0%"),
        (["--to-algorithm", "table", "--add", "e"], "1 - 1/5 = 80.0%"),
        (["--to-algorithm", "jump", "--remove", "a"], "1 - 3 x 1/(4 x 3) = 75.0%"),
        (["--scheme", "murmur", "--to-weight-column", "w"], "1 - 1/4 = 75.0%"),
        (["--to-secret-file", "nodes.csv"], "with another secret, nearly all moves"),
    ],
)
def test_other_changes_of_kind_are_told(call, here, args, formula):
    if "--to-secret-file" in args:
        Path("secret").write_text("a secret of many bytes", encoding="utf-8")
        args = ["--to-secret-file", "secret"]
    result = call("plan", "--sample", "2000", "-n", "@nodes.csv", *args)
    assert formula in result.err.splitlines()[0], result.err


@pytest.mark.parametrize(
    "args",
    [["--add", "e"], ["--to-weight-column", "w"], ["--to-count", "2"], ["--to-spread", "zone"]],
)
def test_a_change_of_nodes_is_not(call, here, args):
    result = call("plan", "--sample", "2000", "-n", "@nodes.csv", *args)
    assert (result.code, result.err.count("\n")) == (0, 1)
    assert result.err.startswith("rvh: 2,000 keys drawn, in ")
    assert "nothing in common:" not in result.out.decode()


def test_a_sample_stands_for_all_keys(call, here):
    said = planned(
        call, "--sample", "20000", "--total", "5000000000", "--size", "2kB", "-n", "a,b,c,d",
        "--add", "e", "--bandwidth", "10Gbit/s",
    )  # fmt: skip
    assert (said["keys"], said["counted"]) == (5 * 10**9, 20_000)
    error = said["standard_error"]["copies"]
    assert abs(said["moved"]["copies"] - 10**9) < 4 * error
    assert said["moved"]["bytes"] == pytest.approx(2000 * said["moved"]["copies"])
    assert said["seconds"]["whole"] == pytest.approx(said["moved"]["bytes"] / 1.25e9)
    part = planned(call, "keys.csv", "-K", "id", "--total", "900000", "-n", "a,b", "--add", "c")
    all_of = planned(call, "keys.csv", "-K", "id", "-n", "a,b", "--add", "c")
    assert part["moved"]["copies"] == 1000 * all_of["moved"]["copies"]
    assert "standard_error" not in all_of


def test_nodes_from_stdin_are_read_once(spawn, here):
    args = ["plan", "keys.csv", "-K", "id", "-n", "@-", "--add", "z", "--json", "-q"]
    result = spawn(*args, input=b"a\nb\n")
    assert result.code == 0, result.err
    assert [each["node"] for each in json.loads(result.out)["nodes"]] == ["a", "b", "z"]


def test_null_keys(call, here):
    lines = ['{"key": "x", "n": 1}', '{"key": null, "n": 2}', '{"key": "y", "n": 3}']
    Path("null.ndjson").write_text("\n".join(lines), encoding="utf-8")
    args = ["plan", "null.ndjson", "-K", "key", "--size-column", "n", "-n", "a,b", "--to", "c,d"]
    result = call(*args)
    assert result.code == 1
    assert "null.ndjson: line 2, column 'key': the key is null: with --null-keys drop" in result.err
    result = call(*args, "--null-keys", "drop", "--json")
    assert json.loads(result.out)["moved"] == {"keys": 2, "copies": 2, "bytes": 4}
    assert "3 rows, key key (text); 1 row with a null key dropped, in " in result.err


@pytest.mark.parametrize("kind", ["csv", "ndjson", "parquet"])
@pytest.mark.parametrize("value", [None, -1, 1.5, True, "12a", " 1", "1_0"])
def test_sizes_that_are_none(call, here, kind, value):
    if kind == "csv":
        text = "" if value is None else str(value)
        Path("keys.csv").write_text(f"key,size\nx,1\ny,{text}\n", encoding="utf-8")
    elif kind == "ndjson":
        lines = [{"key": "x", "size": 1}, {"key": "y", "size": value}]
        Path("keys.ndjson").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    else:
        first = {bool: False, str: "1", float: 1.0}.get(type(value), 1)
        pq.write_table(pa.table({"key": ["x", "y"], "size": [first, value]}), "keys.parquet")
    row = 1 if (kind, value) == ("parquet", True) else 2
    result = call(
        "plan", f"keys.{kind}", "-K", "key", "--size-column", "size", "-n", "a,b", "--add", "c"
    )
    assert (result.code, result.out) == (1, b"")
    where = (
        f"keys.{kind}: {'line' if kind == 'ndjson' else 'row'} {row}, column 'size': the size is "
    )
    assert result.err.startswith(f"rvh: {where}"), result.err
    assert result.err.endswith("every key needs one, a whole number of bytes, 0 or more\n")


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ([], "nothing says what changes"),
        (["--add", "b"], "--add names 'b', which is in the list of nodes already"),
        (["--add", "x,x"], "ids are unique"),
        (["--remove", "x"], "--remove names 'x', which is not in the list of nodes"),
        (["--remove", "a,b,c,d"], "--remove leaves no node"),
        (["--set-weight", "a"], "has no weight"),
        (["--set-weight", "a=heavy"], "'heavy' is not a number"),
        (["--set-weight", "x=1"], "--set-weight names 'x'"),
        (["--set-weight", "a=-1"], "a weight is a number, 0"),
        (["--remove", "a", "--set-weight", "a=2"], "--set-weight names 'a'"),
        (["--add", "e", "--weight-column", "w"], "--add e has no weight, but the other"),
        (["--to-algorithm", "jump", "--to-scheme", "murmur"], "--to-scheme: --to-algorithm jump"),
        (["--to-algorithm", "nginx", "--to-partitions", "8"], "--to-partitions: --to-algorithm"),
        (["--to-algorithm", "jump", "--to-spread", "zone"], "--to-spread: only --to-algorithm"),
        (["--algorithm", "jump", "--add", "e=2"], "--add: --algorithm jump gives every node"),
        (["--to-algorithm", "jump", "--set-weight", "a=2"], "the same share: name no weights"),
        (["--to-integers", "text"], "--to-integers: --algorithm rendezvous has one way"),
        (["--to-count", "5"], "k is 5"),
        (["--to-count", "0"], "k is 0"),
        (["--to-partitions", "0"], "--to-partitions: --algorithm rendezvous has no partitions"),
        (["--to-secret-file", ""], "--to-secret-file '' names no file"),
        (["--add", "e", "--size-column", ""], "there is no column ''"),
        (["--to", "@none.csv"], "--to @none.csv: No such file"),
        (["--to", "e"], "one name alone"),
        (["--weight-column", "w", "--to-weight-column", "id"], "read once"),
        (["--add", "e", "--size", "2x"], "--size '2x' is not a number of bytes"),
        (["--add", "e", "--size", "1.0001B"], "is not a whole number"),
        (["--add", "e", "--size", "1", "--bandwidth", "10"], "is not a bandwidth"),
        (["--add", "e", "--size", "1", "--bandwidth", "1Gbit"], "is not a bandwidth"),
        (["--add", "e", "--size", "1", "--bandwidth", "0B/s"], "a bandwidth is above 0"),
        (["--add", "e", "--bandwidth", "1GB/s"], "it needs --size or --size-column"),
        (["--add", "e", "--size", "1", "--size-column", "size"], "--size is given too"),
        (["--add", "e", "--null-keys", "keep"], "has no nodes to move between"),
        (["--add", "e", "--moves", "-"], "stdout has the plan"),
        (["--add", "e", "--html", "-"], "stdout has the plan"),
        (["--add", "e", "--moves", "x.csv", "--html", "x.csv"], "--moves names the same file"),
        (["--add", "e", "--html", "nodes.csv"], "--html nodes.csv is the file that --nodes"),
        (["--add", "e", "--moves", "nodes.csv"], "--moves nodes.csv is the file that --nodes"),
        (["--add", "e", "--moves", "keys.csv"], "--moves keys.csv is the file that KEYS"),
        (["--add", "e", "--moves", "x.jpg"], "--moves: '.jpg' is not one of the extensions"),
        (["--add", "e", "--output-format", "csv"], "it needs --moves"),
        (["--add", "e", "--level", "1"], "it needs --moves"),
        (["--add", "e", "--total", "10"], "total is 10, but there are 900 keys"),
        (["--add", "e", "--sample", "10"], "KEYS and --sample are two ways"),
        (["--add", "e", "--zone-column", "none"], "none"),
    ],
)  # fmt: skip
def test_what_is_wrong(call, here, args, words):
    result = call("plan", "keys.csv", "-K", "id", "-n", "@nodes.csv", *args)
    assert result.code in (1, 2)
    assert (result.out, result.err.count("\n")) == (b"", 1)
    assert words in result.err


@pytest.mark.parametrize(
    "args",
    [
        ["-K", "id"], ["--key-type", "int"], ["--null-keys", "drop"], ["--hive", "drop"],
        ["--format", "csv"], ["--delimiter", ";"], ["--no-header"], ["--quote", "none"],
        ["--encoding", "latin-1"], ["--size-column", "size"], ["--moves", "x.csv"],
    ],
)  # fmt: skip
def test_what_is_about_keys_that_are_drawn(call, here, args):
    result = call("plan", "--sample", "9", "-n", "a,b", "--add", "c", *args)
    assert (result.code, result.out) == (2, b"")
    assert "it is about KEYS, but --sample draws keys of its own" in result.err


def test_keys_that_the_new_placement_cannot_take(call, here):
    """The error names the options that would help."""
    args = ["plan", "keys.csv", "-n", "a,b,c", "--to-algorithm", "ketama"]
    composite = call(*args, "-K", "id,number").err
    assert "--key-column: --to-algorithm ketama is another system's" in composite
    integer = call(*args, "-K", "number:int").err.splitlines()[-1]
    assert integer.startswith("rvh: keys.csv: row 1, column 'number': the key is the integer 0")
    assert "give --to-integers one of" in integer
    taken = call(*args, "-K", "number:int", "--to-integers", "text", "-q")
    assert taken.code == 0, taken.err


def test_dead_nodes_are_no_nodes_of_a_ring(call, here):
    said = planned(
        call, "keys.csv", "-K", "id", "-n", "a,b,c", *KETAMA, "--dead", "a", "--add", "d"
    )
    assert [node["node"] for node in said["nodes"]] == ["b", "c", "d"]
    before = [node["keys_before"] for node in said["nodes"]]
    assert said["max_mean"]["keys_before"] == pytest.approx(max(before) / (len(ROWS) / 2))
    placed = assigned(call, "keys.csv", "-K", "id", "-n", "a,b,c", *KETAMA, "--dead", "a")
    assert before[:2] == [placed.count(("b",)), placed.count(("c",))]


def test_neither_keys_nor_a_sample(call, here):
    result = call("plan", "-n", "a,b", "--add", "c")
    assert result.code == 2
    assert "give KEYS, files of keys, or --sample N" in result.err


def test_a_column_of_moves_that_is_the_key(call, here):
    Path("keys.csv").write_text("source\nx\n", encoding="utf-8")
    result = call("plan", "keys.csv", "-n", "a,b", "--add", "c", "--moves", "m.csv")
    assert "the key column 'source' has the name of a column of MOVES: rename it" in result.err
    assert not Path("m.csv").exists()


SIZED = [
    "keys.csv", "-K", "id", "--size-column", "size", "-n", "@nodes.csv", "--zone-column", "zone",
    "--to", "@new.csv", "--steps", "3", "--bandwidth", "1MB/s",
]  # fmt: skip


@pytest.fixture
def table(call, monkeypatch):
    """The text for a terminal of so many columns."""

    def run(columns: int, *args: str) -> str:
        monkeypatch.setenv("COLUMNS", str(columns))
        return call("plan", *args).out.decode()

    return run


@pytest.mark.parametrize("columns", [40, 60, 80, 120, 300])
def test_the_table_fits_the_terminal(table, here, columns):
    text = table(columns, *SIZED)
    assert max(map(len, text.splitlines())) <= max(40, min(columns, 120))
    for words in ("moves", "at least", "by chance", "max/mean", "at 1MB/s", "3 steps:", "asia"):
        assert words in text
    if columns >= 80:
        assert re.search(r"^a .*█", text, re.MULTILINE)
        assert re.search(r"^at least .* for the new loads$", text, re.MULTILINE)


def test_more_nodes_than_a_table_shows(table, here):
    ids = ",".join(
        f"cache-{n:02}.a-name-that-is-longer-than-any-column-would-show" for n in range(50)
    )
    text = table(80, "keys.csv", "-K", "id", "-n", ids, "--add", "x")
    assert "... 31 more, which change less: see --json" in text
    assert "more flows: see --json" in text
    assert re.search(r"^x +0 ", text, re.MULTILINE)
    assert max(map(len, text.splitlines())) <= 80


def test_bars_of_an_encoding_without_blocks(here):
    env = {**environment(), "PYTHONIOENCODING": "ascii", "COLUMNS": "80"}
    done = subprocess.run(command("plan", *SIZED), capture_output=True, env=env, check=True)
    text = done.stdout.decode()
    assert "\x1b" not in text
    assert text.isascii()
    assert re.search(r"^a .*  #+", text, re.MULTILINE)
