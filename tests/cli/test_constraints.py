"""`--where`, `--dead`, `--spread`, `--node-geohash`, `--load-factor`, `--cache`: as the library."""

from __future__ import annotations

import csv
import json
import os
from collections import Counter
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sizes import some

import rvh
from rvh import ring
from rvh.balanced import assign_balanced
from rvh.faultset import FaultSet
from rvh.geohash import GeoSet

IDS = [f"n{i}" for i in range(9)]
ZONES = [f"zone-{i % 3}" for i in range(9)]
RACKS = [i // 3 for i in range(9)]
PLACES = ["u09", "u05", "r3g", "9q8", "9q9", "gcp", "u0", "xn7", "ezs"]
UP = [i != 4 for i in range(9)]
CORES = [4, 8, 16] * 3
COLUMNS = {"id": IDS, "zone": ZONES, "rack": RACKS, "place": PLACES, "up": UP, "cores": CORES}
KEYS = [f"key-{i}" for i in range(500)]
AT = [PLACES[i % 9] + "0" for i in range(500)]


@pytest.fixture(params=["csv", "tsv", "ndjson", "parquet"])
def fleet(request, tmp_path):
    """The same nodes in every kind of file."""
    path = tmp_path / f"fleet.{request.param}"
    rows = [dict(zip(COLUMNS, row, strict=True)) for row in zip(*COLUMNS.values(), strict=True)]
    if request.param == "parquet":
        pq.write_table(pa.table(COLUMNS), path)
    elif request.param == "ndjson":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    else:
        sign = "," if request.param == "csv" else "\t"
        lines = [sign.join(str(v).lower() for v in row.values()) for row in rows]
        path.write_text("\n".join([sign.join(COLUMNS), *lines]) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def keys(tmp_path):
    path = tmp_path / "keys.csv"
    rows = [f"{key},{at}" for key, at in zip(KEYS, AT, strict=True)]
    path.write_text("\n".join(["key,at", *rows]) + "\n", encoding="utf-8")
    return path


def assigned(call, keys: Path, fleet: Path, *options: object) -> tuple[list[list[str]], str]:
    out = keys.with_name("out.csv")
    result = call("assign", keys, "-n", f"@{fleet}", "-K", "key", "-o", out, *options)
    assert result.code == 0, result.err
    with out.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["key"] for row in rows] == KEYS
    return [[row[name] for name in row if name.startswith("node")] for row in rows], result.err


@pytest.mark.parametrize(
    ("conditions", "mask"),
    [
        (["zone=zone-1"], [zone == "zone-1" for zone in ZONES]),
        (["zone=zone-[12]"], [zone != "zone-0" for zone in ZONES]),
        (["zone=zone-1|zone-2"], [zone != "zone-0" for zone in ZONES]),
        (["zone!=zone-1"], [zone != "zone-1" for zone in ZONES]),
        (["cores>=8"], [cores >= 8 for cores in CORES]),
        (["cores=16"], [cores == 16 for cores in CORES]),
        (["up"], UP),
        (["up", "rack=1", "zone=*-[02]"], [i in (3, 5) for i in range(9)]),
    ],
)  # fmt: skip
def test_where(call, keys, fleet, conditions, mask):
    options = [part for each in conditions for part in ("--where", each)]
    rows, _ = assigned(call, keys, fleet, *options)
    among = rvh.NodeSet(IDS).subset(mask)
    assert rows == among.select_batch(KEYS).tolist()
    one = call("select", "-n", f"@{fleet}", "-k", "key-7", *options)
    assert one.out.decode() == f"{among.select('key-7')}\n"


def test_dead(call, keys, fleet, tmp_path):
    alive = rvh.NodeSet(IDS).remove(["n2", "n7"])
    rows, _ = assigned(call, keys, fleet, "--dead", "n7,n2", "-k", 2)
    assert rows == alive.select_batch(KEYS, 2).tolist()
    (tmp_path / "dead.txt").write_text("n2\nn7\n", encoding="utf-8")
    again, _ = assigned(call, keys, fleet, "--dead", f"@{tmp_path / 'dead.txt'}", "-k", 2)
    assert again == rows


def test_spread(call, keys, fleet):
    domains = {"zone": ZONES, "rack": RACKS}
    faults = FaultSet(IDS, UP, domains)
    rows, err = assigned(call, keys, fleet, "--where", "up", "--spread", "zone", "-k", 3)
    assert rows == faults.select_batch(KEYS, 3, "zone").nodes.tolist()
    assert "spread" not in err
    options = ["--spread", "zone", "--spread", "rack", "--max-per-domain", 2, "--max-per-domain", 1]
    rows, err = assigned(call, keys, fleet, *options, "-k", 7)
    expected = FaultSet(IDS, domains=domains).select_batch(KEYS, 7, ("zone", "rack"), (2, 1))
    assert rows == expected.nodes.tolist()
    assert "only 6 of 7 nodes of a key are spread as asked for" in err


def test_strict_writes_nothing(call, keys, fleet, tmp_path):
    out = tmp_path / "out.csv"
    out.write_text("old", encoding="utf-8")
    args = ["assign", keys, "-n", f"@{fleet}", "-K", "key", "-o", out, "-k", 4, "--spread", "zone"]
    result = call(*args, "--strict")
    assert result.code == 1
    assert "at most 1 a zone the living nodes hold 3" in result.err
    assert out.read_text(encoding="utf-8") == "old"


def test_near(call, keys, fleet):
    options = ["--node-geohash", "place", "--precision", 2, "-k", 2]
    rows, _ = assigned(call, keys, fleet, *options, "--key-geohash", "at")
    geo = GeoSet(IDS, geohash=PLACES, precision=2)
    assert rows == geo.select_batch(KEYS, 2, geohash=AT).tolist()
    one = call("select", "-n", f"@{fleet}", "-k", "key-7", "-c", 2, *options[:4], "--at", AT[7])
    assert one.out.decode() == f"{geo.select('key-7', 2, geohash=AT[7])}\n"


def test_bounded_load(call, keys, fleet):
    rows, _ = assigned(call, keys, fleet, "--load-factor", 1.01)
    assert [node for (node,) in rows] == assign_balanced(IDS, KEYS, 1.01).tolist()
    assert max(Counter(node for (node,) in rows).values()) == 57


def test_bounded_load_over_many_batches(call, tmp_path):
    path, out = tmp_path / "keys.txt", tmp_path / "out.txt"
    names = [f"k{i}" for i in range(150_000)]
    path.write_text("\n".join(names) + "\n", encoding="utf-8")
    options = ["--load-factor", 1, "--scheme", "murmur", "-q"]
    assert call("assign", path, "-n", ",".join(IDS), "-o", out, *options).code == 0
    rows = [line.split("\t") for line in out.read_text(encoding="utf-8").splitlines()]
    nodes = rvh.NodeSet(IDS, scheme="murmur")
    assert rows == [list(row) for row in zip(names, assign_balanced(nodes, names, 1), strict=True)]


@pytest.mark.parametrize("policy", [[], ["--cache-policy", "arc"]])
def test_cache(call, keys, fleet, policy):
    rows, err = assigned(call, keys, fleet, "--cache", 100, *policy, "-k", 2)
    assert rows == rvh.NodeSet(IDS).select_batch(KEYS, 2).tolist()
    assert "0.0% of the keys were in the cache" in err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--where", "colour=red"], ["no column 'colour'", "zone"]),
        (["--where", "zone>=3"], ["--where", "'zone' value of node 'n0'", "not a number"]),
        (["--where", "zone"], ["--where: the 'zone' value of node 'n0'", "neither true nor false"]),
        (["--where", "cores>=many"], ["'many' is not a number"]),
        (["--where", "=x"], ["not a condition", "NAME=PATTERN"]),
        (["--where", "zone=nowhere"], ["none of 9 nodes is left"]),
        (["--dead", "n3,n99"], ["--dead names 'n99'", "not in the list"]),
        (["--dead", ",".join(IDS)], ["none of 9 nodes is left"]),
        (["--spread", "row", "-k", "2"], ["no column 'row'"]),
        (["--spread", "zone", "-k", "2", "--max-per-domain", "0"], ["max_per_domain is 0"]),
        (["--spread", "zone", "-k", "10"], ["k is 10"]),
        (["--node-geohash", "zone", "--key-geohash", "at"], ["geohash", "'zone-0'"]),
        (["--node-geohash", "place", "--key-geohash", "key"], ["row 1, column 'key'", "'key-0'"]),
        (["--node-geohash", "place", "--key-geohash", "from"], ["no column 'from'"]),
        (["--load-factor", "0.5"], ["load_factor is 0.5", "of 500 keys"]),
        (["--cache", "0"], ["--cache is 0"]),
    ],
)
def test_bad_input(call, keys, tmp_path, options, words):
    fleet, out = tmp_path / "fleet.csv", tmp_path / "out.csv"
    lines = [",".join(map(str, row)) for row in zip(IDS, ZONES, PLACES, CORES, strict=True)]
    fleet.write_text("\n".join(["id,zone,place,cores", *lines]) + "\n", encoding="utf-8")
    result = call("assign", keys, "-n", f"@{fleet}", "-K", "key", "-o", out, *options)
    assert result.code == 1, result
    assert "Traceback" not in result.err
    for word in words:
        assert word in result.err
    assert not out.exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--algorithm", "jump", "--where", "up"], ["--where", "numbers the nodes"]),
        (["--algorithm", "jump", "--dead", "a"], ["--dead", "numbers the nodes"]),
        (["--algorithm", "table", "--spread", "zone"], ["--spread", "only --algorithm rendezvous"]),
        (["--spread", "zone", "--node-geohash", "g"], ["--node-geohash", "two ways to choose"]),
        (["--max-per-domain", "2"], ["--max-per-domain", "needs --spread"]),
        (["--strict"], ["--strict", "needs --spread"]),
        (["--precision", "3"], ["--precision", "needs --node-geohash"]),
    ],
)
@pytest.mark.parametrize("name", ["select", "assign"])
def test_options_that_do_not_go_together(call, tmp_path, name, options, words):
    place = ["--at", "u0"] if name == "select" else ["--key-geohash", "at"]
    place = place if "--node-geohash" in options else []
    own = ["-k", "x"] if name == "select" else [tmp_path / "missing.txt", "-o", tmp_path / "out"]
    result = call(name, *own, "-n", "@missing.csv", *options, *place)
    assert result.code == 2, result
    assert "missing.csv" not in result.err
    for word in words:
        assert word in result.err


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["select", "-k", "x", "--node-geohash", "g"], ["--at GEOHASH"]),
        (["select", "-k", "x", "--at", "u0"], ["--at", "needs --node-geohash"]),
        (["assign", "keys.txt", "-o", "o.txt", "--node-geohash", "g"], ["--key-geohash"]),
        (["assign", "keys.txt", "-o", "o.txt", "--key-geohash", "g"], ["needs --node-geohash"]),
        (["assign", "keys.txt", "-o", "o.txt", "--cache-policy", "arc"], ["needs --cache"]),
        (["assign", "keys.txt", "-o", "o.txt", "--load-factor", "1", "-k", "2"], ["omit -c"]),
        (["assign", "-", "--format", "lines", "-o", "-", "--load-factor", "1"], ["read twice"]),
    ],
)
def test_what_an_option_needs(call, args, words):
    result = call(*args, "-n", "@missing.csv")
    assert result.code == 2, result
    for word in words:
        assert word in result.err


RINGS = {
    "ketama": ring.ketama,
    "libmemcached": ring.libmemcached,
    "libmemcached-ketama": partial(ring.libmemcached, behavior="ketama"),
    "libmemcached-md5": partial(ring.libmemcached, behavior="consistent", hash_fn="md5"),
    "uhashring": ring.uhashring,
    "uhashring-ketama": partial(ring.uhashring, hash_fn="ketama"),
    "hash-ring": ring.hash_ring,
    "nginx": ring.nginx,
}


@pytest.mark.parametrize("algorithm", RINGS)
def test_nodes_that_are_left_out_of_a_ring_move_their_own_keys_alone(call, keys, fleet, algorithm):
    options = ["--algorithm", algorithm, "-k", 2]
    rows, _ = assigned(call, keys, fleet, *options)
    assert rows == RINGS[algorithm](IDS).lookup_batch(KEYS, 2).tolist()
    options += ["--weight-column", "cores"]
    every = RINGS[algorithm](IDS, CORES).lookup_batch(KEYS, 9).tolist()
    for chosen, left in (
        (["--dead", "n3"], {"n3"}),
        (["--dead", "n3,n5"], {"n3", "n5"}),
        (["--where", "up"], {"n4"}),
        (["--where", "zone=zone-1", "--dead", "n1"], set(IDS) - {"n4", "n7"}),
    ):
        rows, _ = assigned(call, keys, fleet, *options, *chosen)
        want = [[node for node in row if node not in left][:2] for row in every]
        assert rows == want
        args = ["-n", f"@{fleet}", "-k", KEYS[0], "-c", 2, "--json"]
        args += ["--algorithm", algorithm, "--weight-column", "cores"]
        assert json.loads(call("select", *args, *chosen).out) == want[0]


def test_weights_whose_counts_depend_on_all_nodes(call, tmp_path):
    """What a smaller ring would move: libketama computes in 32 bits."""
    nodes, keys = tmp_path / "nodes.csv", tmp_path / "keys.txt"
    nodes.write_text("id,w\na,600\nb,401\nc,300\nd,7\n", encoding="utf-8")
    keys.write_text("".join(f"key-{n}\n" for n in range(2000)), encoding="utf-8")
    options = ["-n", f"@{nodes}", "--weight-column", "w", "--algorithm", "ketama", "--quiet"]
    options += ["-o", "-", "--output-format", "lines"]
    before = call("assign", keys, *options).out.decode().splitlines()
    after = call("assign", keys, *options, "--dead", "b").out.decode().splitlines()
    assert len(before) == len(after) == 2000
    for old, new in zip(before, after, strict=True):
        assert new == old or old.endswith("\tb")
        assert not new.endswith("\tb")
    smaller = ring.ketama(["a", "c", "d"], [600, 300, 7])
    own = smaller.lookup_batch([line.split("\t")[0] for line in after])[:, 0].tolist()
    assert own != [line.split("\t")[1] for line in after]


def test_no_node_with_a_point_is_left(fails, tmp_path):
    nodes = tmp_path / "nodes.csv"
    nodes.write_text("id,w\na,600\nb,1\n", encoding="utf-8")
    args = ["-n", f"@{nodes}", "--weight-column", "w", "--algorithm", "ketama"]
    line = fails("select", *args, "-k", "x", "--dead", "a")
    assert "no node with a point is left on the ring" in line


@pytest.mark.parametrize("option", [["--scheme", "murmur"], ["--secret-file", "missing"]])
def test_what_rings_do_not_have(call, option):
    result = call("select", "-n", "a,b", "-k", "x", "--algorithm", "ketama", *option)
    assert result.code == 2
    assert option[0] in result.err


def test_columns_need_a_file(fails):
    for options in (["--where", "up"], ["--spread", "zone"]):
        line = fails("select", "-n", "a,b", "-k", "x", "-c", 2, *options)
        assert f"{options[0]} names a column of a node file, but --nodes is a list" in line


def test_a_bad_key_of_a_bounded_load_is_named_by_its_row(fails, tmp_path):
    path = tmp_path / "keys.ndjson"
    path.write_text('{"key": "x"}\n{"key": null}\n', encoding="utf-8")
    line = fails("assign", path, "-n", "a,b", "-o", tmp_path / "out.csv", "--load-factor", 1)
    assert "line 2" in line


@pytest.mark.parametrize("kind", ["pipe", "fifo"])
def test_a_bounded_load_reads_only_regular_files(spawn, tmp_path, kind):
    if not hasattr(os, "mkfifo") or not Path("/dev/stdin").exists():
        pytest.skip("this system has no such files")
    path, out = Path("/dev/stdin"), tmp_path / "out.txt"
    if kind == "fifo":
        path = tmp_path / "keys.fifo"
        os.mkfifo(path)
    out.write_text("old", encoding="utf-8")
    options = ["--format", "lines", "-n", "a,b", "--load-factor", 1]
    result = spawn("assign", path, "-o", out, *options, input=b"x\ny\n")
    assert result.code == 2, result
    assert f"KEYS is read twice, which {path} cannot be" in " ".join(result.err.split())
    assert out.read_text(encoding="utf-8") == "old"


@pytest.mark.parametrize(("first", "word"), [("x\ny\nz\nlast\n", "fewer"), ("x\n", "more")])
def test_keys_that_change_while_they_are_read(fails, tmp_path, monkeypatch, first, word):
    from rvh.cli.rows import PlacedRows

    path, out = tmp_path / "keys.txt", tmp_path / "out.txt"
    path.write_text("x\ny\nz\n", encoding="utf-8")
    out.write_text("old", encoding="utf-8")
    read = PlacedRows.look_ahead

    def changed(rows, bar):
        path.write_text(first, encoding="utf-8")
        try:
            return read(rows, bar)
        finally:
            path.write_text("x\ny\nz\n", encoding="utf-8")

    monkeypatch.setattr(PlacedRows, "look_ahead", changed)
    line = fails("assign", path, "-n", "a,b", "-o", out, "--load-factor", 1)
    assert line.startswith(f"{path} has {word} rows than when it was read first")
    assert out.read_text(encoding="utf-8") == "old"


def test_an_empty_name_is_a_name(fails, fleet):
    at = ["select", "-n", f"@{fleet}", "-k", "x"]
    assert "no column ''" in fails(*at, "--node-geohash", "", "--at", "u0")
    line = fails(*at, "--dead", "")
    assert line == "--dead entry 1 is empty: a node id has at least one character"


def test_errors_in_the_list_of_dead_nodes_name_it(fails, tmp_path):
    at = ["select", "-n", "a,b", "-k", "x", "--dead"]
    assert fails(*at, "a,a").startswith("--dead entry 2 repeats node id 'a' of entry 1")
    assert fails(*at, "dead.csv") == (
        "--dead dead.csv looks like a file, but there is none of that name: write --dead @FILE for "
        "the nodes in a file, or --dead '[\"dead.csv\"]' for the node of that name"
    )
    assert "dead.txt" in fails(*at, f"@{tmp_path / 'dead.txt'}")


@pytest.mark.parametrize(
    ("condition", "value"),
    [
        ("zone!==eu-1", "'=eu-1' begins with '='"),
        ("zone==eu-1", "'=eu-1' begins with '='"),
        ("cores=>8", "'>8' begins with '>'"),
        ("cores=<8", "'<8' begins with '<'"),
        ("cores>==8", "'=8' begins with '='"),
    ],
)
def test_a_sign_that_is_none(fails, condition, value):
    line = fails("select", "-n", "@missing.csv", "-k", "x", "--where", condition)
    assert line.startswith(f"--where {condition!r}: {value}: write NAME=PATTERN")


def test_a_value_may_begin_with_a_sign(call, tmp_path):
    path = tmp_path / "n.csv"
    path.write_text("id,zone\na,=eu\nb,us\n", encoding="utf-8")
    result = call("select", "-n", f"@{path}", "-k", "x", "--where", "zone=[=]eu")
    assert result.out == b"['a']\n"


@pytest.mark.parametrize(
    "options",
    [
        ["--where", "zoen!=eu"],
        ["--spread", "zoen", "-c", "2"],
        ["--node-geohash", "zoen", "--at", "u0"],
    ],
)
@pytest.mark.parametrize(
    ("lines", "listed"),
    [('{"id": "a", "zone": "eu"}\n{"id": "b", "rack": 1}\n', "id, zone, rack"), ('"a"\n', "none")],
)
def test_a_member_that_no_line_has(fails, tmp_path, options, lines, listed):
    path = tmp_path / "n.ndjson"
    path.write_text(lines, encoding="utf-8")
    line = fails("select", "-n", f"@{path}", "-k", "x", *options)
    assert line == f"{path}: there is no column 'zoen'; the columns are: {listed}"


def test_no_line_at_all_is_no_nodes(fails, tmp_path):
    path = tmp_path / "n.ndjson"
    path.write_text("\n", encoding="utf-8")
    line = fails("select", "-n", f"@{path}", "-k", "x", "--where", "up")
    assert line == f"{path}: there are no nodes: give at least one node id"


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ('{"id": "a", "w": 1}\n{"id": "b"}\n', "line 2: node 'b' has no weight"),
        ('{"w": "a", "id": "b"}\n', "column 'w' holds the ids, so it cannot hold the weights"),
    ],
)
def test_the_column_of_weights_stays_that_where_it_is_asked_for_twice(
    fails, tmp_path, lines, words
):
    path = tmp_path / "n.ndjson"
    path.write_text(lines, encoding="utf-8")
    options = ["--weight-column", "w", "--where", "w>=0"]
    assert words in fails("select", "-n", f"@{path}", "-k", "x", *options)


@pytest.mark.parametrize(
    ("name", "lines", "condition", "words"),
    [
        ("n.csv", "id,up\na,yes\nb,on\n", "up", "is the text 'on', neither true nor false: "),
        ("n.csv", "id,up\na,yes\nb,on\n", "up", ": those are true, yes, 1, false, no, 0 in CSV"),
        ("n.csv", "id,up\na,yes\nb,\n", "up", "is empty, neither true nor false"),
        ("n.ndjson", '"a"\n{"id": "b", "up": "true"}\n', "up", "'a' is null, neither true"),
        ("n.ndjson", '{"id": "b", "up": "true"}\n', "up", "the text 'true', neither true"),
        ("n.ndjson", '{"id": "b", "up": 1}\n', "up", "'b' is 1, neither true nor false"),
        ("n.csv", "id,up\na,8\nb,8GB\n", "up>=8", "'b' is the text '8GB', not a number"),
        ("n.ndjson", '{"id": "b", "up": "8"}\n', "up>=8", "'b' is the text '8', not a number"),
        ("n.ndjson", '{"id": "b", "up": true}\n', "up>=8", "'b' is True, not a number"),
        ("n.ndjson", '{"id": "b", "up": 1%s}\n' % ("0" * 400), "up>=8", "not a number"),
        ("n.ndjson", '{"id": "b", "up": [1]}\n', "up=8", "'b' is [1], neither text nor a whole"),
        ("n.ndjson", '{"id": "b", "up": 0.5}\n', "up=8", "'b' is 0.5, neither text nor a whole"),
    ],
)
def test_a_value_that_a_condition_cannot_read(fails, tmp_path, name, lines, condition, words):
    path = tmp_path / name
    path.write_text(lines, encoding="utf-8")
    line = fails("select", "-n", f"@{path}", "-k", "x", "--where", condition)
    assert line.startswith("--where: the 'up' value of node ")
    assert words in line
    assert "position" not in line


GEOHASH = "a geohash is text, 1 to 12 characters of 0123456789bcdefghjkmnpqrstuvwxyz"


@pytest.mark.parametrize(
    "value", some(["", "U0", "u0a", "\ud800", "u" * 13, None, 5, 0.5], every=2)
)
def test_a_wrong_geohash_of_a_key_is_named_by_its_row(fails, tmp_path, value):
    nodes, path = tmp_path / "n.csv", tmp_path / "keys.ndjson"
    nodes.write_text("id,g\na,u0\nb,u1\n", encoding="utf-8")
    rows = [{"key": "x", "at": "u0"}] * 70_000 + [{"key": "y", "at": value}]
    path.write_text("\n" + "".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    options = ["-n", f"@{nodes}", "-K", "key", "--node-geohash", "g", "--key-geohash", "at"]
    line = fails("assign", path, "-o", tmp_path / "out.csv", *options)
    shown = {"": "empty", None: "null"}.get(
        value
    ) or f"{'the text ' * isinstance(value, str)}{value!r}"
    assert line == f"{path}: line 70002, column 'at': the geohash of the key is {shown}: {GEOHASH}"


def test_a_wrong_key_comes_before_its_geohash(fails, tmp_path):
    nodes, path = tmp_path / "n.csv", tmp_path / "keys.ndjson"
    nodes.write_text("id,g\na,u0\nb,u1\n", encoding="utf-8")
    path.write_text('{"key": null, "at": "u0"}\n', encoding="utf-8")
    options = ["-n", f"@{nodes}", "-K", "key", "--node-geohash", "g", "--key-geohash", "at"]
    line = fails("assign", path, "-o", tmp_path / "out.csv", *options)
    assert line.startswith(f"{path}: line 1, column 'key': the key is null")


@pytest.mark.parametrize("value", ["", "U0", "0a"])
def test_a_wrong_geohash_of_a_node_is_named_by_its_id(fails, tmp_path, value):
    path = tmp_path / "n.csv"
    path.write_text(f"id,g\na,none\nb,u1\nc,{value}\n", encoding="utf-8")
    options = ["--dead", "a", "--node-geohash", "g", "--at", "u0"]
    line = fails("select", "-n", f"@{path}", "-k", "x", *options)
    shown = f"the text {value!r}" if value else "empty"
    assert line == f"--node-geohash: the geohash of node 'c' is {shown}: {GEOHASH}"


def test_a_wrong_geohash_of_the_one_key(fails, tmp_path):
    path = tmp_path / "n.csv"
    path.write_text("id,g\na,u0\nb,u1\n", encoding="utf-8")
    line = fails("select", "-n", f"@{path}", "-k", "x", "--node-geohash", "g", "--at", "U0")
    assert line == f"--at is the text 'U0': {GEOHASH}"


@pytest.mark.parametrize(
    ("name", "lines", "shown"),
    [
        ("n.csv", "id,zone,up\na,eu,1\nb,,1\nc,,0\n", "empty"),
        ("n.tsv", "id\tzone\tup\na\teu\t1\nb\t\t1\nc\t\t0\n", "empty"),
        ("n.ndjson", '{"id": "a", "zone": 1, "up": true}\n{"id": "b", "up": true}\n', "null"),
    ],
)
def test_every_node_needs_a_label(fails, call, tmp_path, name, lines, shown):
    path = tmp_path / name
    path.write_text(lines, encoding="utf-8")
    options = ["--where", "up", "--spread", "zone", "-c", 1]
    line = fails("select", "-n", f"@{path}", "-k", "x", *options)
    assert line == f"--spread: the 'zone' label of node 'b' is {shown}: every node needs one"
    assert call("select", "-n", f"@{path}", "-k", "x", *options, "--dead", "b").out == b"['a']\n"
