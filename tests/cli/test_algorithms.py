"""`--algorithm`, `--scheme`, `--weight-column`: the library's answers, and what is refused."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest

import rvh
from rvh import ring as rings
from rvh.cli.options import Algorithm, Scheme
from rvh.cli.placement import PARTITIONS
from rvh.nodes import SCHEMES
from rvh.partitions import PartitionTable
from rvh.ring import INTEGERS
from rvh.stable import StableSelector

IDS = ["n3", "n1", "n4", "n2"]  # an order of their own: jump keeps it
WEIGHTS = [0.5, 3.0, 0.0, 1e2]
KEYS = [f"k{n}" for n in range(200)]
SECRET = b"sixteen bytes!!!"
#: as documented: what each ring is in Python
RINGS = {
    Algorithm.KETAMA: rings.ketama(IDS),
    Algorithm.LIBMEMCACHED: rings.libmemcached(IDS),
    Algorithm.LIBMEMCACHED_KETAMA: rings.libmemcached(IDS, behavior="ketama"),
    Algorithm.LIBMEMCACHED_MD5: rings.libmemcached(IDS, behavior="consistent", hash_fn="md5"),
    Algorithm.UHASHRING: rings.uhashring(IDS),
    Algorithm.UHASHRING_KETAMA: rings.uhashring(IDS, hash_fn="ketama"),
    Algorithm.HASH_RING: rings.hash_ring(IDS),
    Algorithm.NGINX: rings.nginx(IDS),
}

#: those that are no other system's; tests/cli/test_systems.py has the rest
OWN = [Algorithm.RENDEZVOUS, Algorithm.JUMP, Algorithm.TABLE]

Write = Callable[[Path], object]


def parquet(ids: object = IDS, weights: object = WEIGHTS) -> Write:
    return lambda path: pq.write_table(pa.table({"id": ids, "w": weights}), path)


def text(content: str) -> Write:
    return lambda path: path.write_text(content, encoding="utf-8")


def lines(head: str, form: str) -> Write:
    pairs = zip(IDS, ["0.5", "3", "0", "1e2"], strict=True)
    return text(head + "".join(form % pair + "\n" for pair in pairs))


#: the same nodes and weights in every kind of file that has columns
NODE_FILES: dict[str, Write] = {
    "n.csv": lines("id,w\n", '%s,"%s"'),
    "n.tsv": lines("id\tw\n", "%s\t%s"),
    "n.ndjson": lines("", '{"id": "%s", "w": %s}'),
    "n.parquet": parquet(),
    "n.arrow": lambda path: pa.feather.write_feather(
        pa.table({"id": IDS, "w": pa.array(WEIGHTS, pa.float32())}), str(path)
    ),
    "decimal.parquet": parquet(weights=[Decimal(str(weight)) for weight in WEIGHTS]),
}


@pytest.fixture
def nodes(tmp_path):
    path = tmp_path / "nodes.csv"
    NODE_FILES["n.csv"](path)
    return path


@pytest.fixture
def secret(tmp_path):
    path = tmp_path / "secret"
    path.write_bytes(SECRET)
    return path


@pytest.fixture
def assigned(call, tmp_path):
    """`rvh assign` of `KEYS` with some options: the nodes of each key."""

    def run(*args: object, k: int = 2) -> list[list[str]]:
        keys, out = tmp_path / "keys.txt", tmp_path / "out.txt"
        keys.write_text("".join(f"{key}\n" for key in KEYS), encoding="utf-8")
        result = call("assign", keys, "-k", k, "-o", out, "--quiet", *args)
        assert (result.code, result.err) == (0, "")
        rows = [line.split("\t") for line in out.read_text(encoding="utf-8").splitlines()]
        assert [row[0] for row in rows] == KEYS
        return [row[1:] for row in rows]

    return run


def test_the_choices_are_the_librarys():
    assert tuple(Scheme) == SCHEMES
    assert PartitionTable(["a"]).partitions == PARTITIONS


# -- answers ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scheme", "with_secret"),
    [(Scheme.BLAKE2B, False), (Scheme.BLAKE2B, True), (Scheme.MURMUR, False)],
)
@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
@pytest.mark.parametrize("algorithm", [Algorithm.RENDEZVOUS, Algorithm.TABLE])
def test_assign_ranks_as_the_library(
    assigned, nodes, secret, scheme, with_secret, weighted, algorithm
):
    args = ["-n", f"@{nodes}", "--scheme", scheme, "--algorithm", algorithm]
    args += ["--weight-column", "w"] if weighted else []
    args += ["--secret-file", secret] if with_secret else []
    node_set = rvh.NodeSet(
        IDS, WEIGHTS if weighted else None, scheme.value, SECRET if with_secret else b""
    )
    if algorithm is Algorithm.TABLE:
        args += ["--partitions", 300]
        expected = PartitionTable(node_set, 300, 2).lookup_batch(KEYS)
    else:
        expected = node_set.select_batch(KEYS, 2)
    answers = assigned(*args)
    assert answers == expected.tolist()
    assert any("n4" in row for row in answers) is not weighted


@pytest.mark.parametrize("k", [1, 3, 4])
@pytest.mark.parametrize("order", [IDS, sorted(IDS)], ids=["one order", "another"])
def test_assign_jump_takes_the_nodes_in_their_order(assigned, k, order):
    answers = assigned("-n", ",".join(order), "--algorithm", "jump", k=k)
    assert answers == StableSelector(order).select_batch(KEYS, k).tolist()


def test_the_default_number_of_partitions(assigned):
    answers = assigned("-n", ",".join(IDS), "--algorithm", "table", "--threads", 2)
    assert answers == PartitionTable(IDS, k=2).lookup_batch(KEYS).tolist()


@pytest.mark.parametrize("algorithm", OWN)
def test_composite_keys_go_to_every_algorithm_but_rings(call, tmp_path, algorithm):
    keys, out = tmp_path / "keys.parquet", tmp_path / "out.ndjson"
    pq.write_table(pa.table({"a": KEYS, "b": range(200)}), keys)
    args = ["--algorithm", algorithm]
    args += ["--partitions", 64] if algorithm is Algorithm.TABLE else []
    assert call("assign", keys, "-n", ",".join(IDS), "-K", "a,b", *args, "-o", out).code == 0
    composed = [rvh.keys.composite(key, n) for n, key in enumerate(KEYS)]
    expected = {
        Algorithm.RENDEZVOUS: lambda: rvh.select_batch(IDS, composed),
        Algorithm.JUMP: lambda: StableSelector(IDS).select_batch(composed),
        Algorithm.TABLE: lambda: PartitionTable(IDS, 64).lookup_batch(composed),
    }[algorithm]()
    rows = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert [row["node"] for row in rows] == expected[:, 0].tolist()


@pytest.mark.parametrize("algorithm", RINGS)
def test_rings_have_no_composite_keys(call, tmp_path, algorithm):
    keys, out = tmp_path / "keys.csv", tmp_path / "out.csv"
    keys.write_text("a,b\n1,2\n", encoding="utf-8")
    result = call("assign", keys, "-n", "x,y", "-K", "a,b", "--algorithm", algorithm, "-o", out)
    assert result.code == 2
    assert "name one column" in result.err
    assert not out.exists()


@pytest.mark.parametrize("algorithm", RINGS)
@pytest.mark.parametrize("extension", ["parquet", "arrow", "ndjson"])
def test_integers_go_to_rings_as_they_are_told(call, tmp_path, algorithm, extension):
    keys, out = tmp_path / f"keys.{extension}", tmp_path / "out.txt"
    values = list(range(-50, 50))
    if extension == "ndjson":
        keys.write_text("".join(f'{{"id": {value}}}\n' for value in values), encoding="utf-8")
    elif extension == "arrow":
        pyarrow.feather.write_feather(pa.table({"id": pa.array(values, "i4")}), keys)
    else:
        pq.write_table(pa.table({"id": values}), keys)
    args = ["assign", keys, "-n", ",".join(IDS), "--algorithm", algorithm, "-o", out]
    result = call(*args)
    assert result.code == 1
    row = "line 1" if extension == "ndjson" else "row 1"
    assert f"{row}, column 'id': the key is the integer -50, and nothing says how" in result.err
    assert "give --integers one of text (its decimal digits), int32_be" in result.err
    assert not out.exists()
    for integers in INTEGERS:
        assert call(*args, "--integers", integers).code == 0
        found = [line.split("\t")[1] for line in out.read_text(encoding="utf-8").splitlines()]
        ring = RINGS[algorithm].with_integers(integers)
        assert found == ring.lookup_batch(values)[:, 0].tolist()
    assert call(*args, "--key-type", "text").code == 0
    found = [line.split("\t")[1] for line in out.read_text(encoding="utf-8").splitlines()]
    assert found == RINGS[algorithm].lookup_batch(list(map(str, values)))[:, 0].tolist()


def test_an_integer_that_does_not_fit_is_named_by_its_row(call, tmp_path):
    keys, out = tmp_path / "keys.parquet", tmp_path / "out.csv"
    pq.write_table(pa.table({"id": [1, 2, 2**31]}), keys)
    args = ["--algorithm", "ketama", "--integers", "int32_be"]
    result = call("assign", keys, "-n", "a,b", *args, "-o", out)
    assert result.code == 1
    assert "row 3, column 'id': the key is 2147483648, outside -2^31 to 2^31-1" in result.err


def test_integers_of_what_is_no_ring(call):
    for algorithm in OWN:
        args = ["--algorithm", algorithm, "--integers", "text"]
        result = call("select", "-n", "a,b", "-k", "x", *args)
        assert result.code == 2
        assert "has one way to write integers" in result.err


def test_integers_of_keys_that_are_text(call, tmp_path):
    args = ["-n", "a,b", "--algorithm", "nginx", "--integers", "text"]
    keys = tmp_path / "keys.csv"
    keys.write_text("id\n1\n2\n", encoding="utf-8")
    assign = ["assign", keys, *args, "-o", tmp_path / "out.csv"]
    for result in (
        call("select", "-k", "42", *args),
        call(*assign),
        call(*assign, "--key-type", "text"),
    ):
        assert result.code == 2
        assert "--integers" in result.err
        assert "all keys are text" in result.err
    assert call(*assign, "--key-type", "int").code == 0


def test_an_integer_for_a_ring_on_the_command_line(call):
    args = ["select", "-n", ",".join(IDS), "-k", "42", "--key-type", "int"]
    args += ["--algorithm", "uhashring"]
    result = call(*args)
    assert result.code == 1
    assert "the key is the integer 42, and nothing says how the system" in result.err
    answer = call(*args, "--integers", "text").out
    assert answer == f"{rings.uhashring(IDS).lookup('42')}\n".encode()


@pytest.mark.parametrize("algorithm", [*OWN, *RINGS])
@pytest.mark.parametrize("key_type", ["text", "int"])
def test_select_is_assign_of_one_key(call, algorithm, key_type):
    args = ["--algorithm", algorithm, "--key-type", key_type, "-c", "3"]
    args += ["--partitions", "64"] if algorithm is Algorithm.TABLE else []
    if algorithm in RINGS and key_type == "int":
        args += ["--integers", "contract"]
    for key in ("7", "42"):
        value = int(key) if key_type == "int" else key
        expected = {
            Algorithm.RENDEZVOUS: lambda value=value: rvh.rendezvous_hash(IDS, value, 3),
            Algorithm.JUMP: lambda value=value: StableSelector(IDS).select(value, 3),
            Algorithm.TABLE: lambda value=value: PartitionTable(IDS, 64, 3).lookup(value),
        }.get(
            algorithm,
            lambda value=value: RINGS[algorithm].with_integers("contract").lookup(value, 3),
        )()
        assert call("select", "-n", ",".join(IDS), "-k", key, *args).out == f"{expected}\n".encode()


@pytest.mark.parametrize("name", NODE_FILES)
def test_weights_of_every_kind_of_file(call, tmp_path, name):
    path = tmp_path / name
    NODE_FILES[name](path)
    node_set = rvh.NodeSet(IDS, WEIGHTS)
    for key in KEYS[:10]:
        args = ["-n", f"@{path}", "--weight-column", "w", "-k", key, "-c", "3"]
        result = call("select", *args)
        assert (result.out, result.err) == (f"{node_set.select(key, 3)}\n".encode(), "")
        assert call("select", *args, "--async").out == result.out


@pytest.mark.parametrize(
    "column", [pa.array([1, 2, 0, 7], pa.uint8()), pa.array([1, 2, 0, 7]).dictionary_encode()]
)
def test_weights_of_other_arrow_types(call, tmp_path, column):
    path = tmp_path / "n.parquet"
    parquet(weights=column)(path)
    answer = call("select", "-n", f"@{path}", "--weight-column", "w", "-k", "obj", "-c", "3").out
    assert answer == f"{rvh.rendezvous_hash(IDS, 'obj', 3, weights=[1, 2, 0, 7])}\n".encode()


@pytest.mark.parametrize("written", ["3", "+3", "3.", "03.00", "30e-1", ".3E+1"])
def test_weights_as_they_may_be_written(call, tmp_path, written):
    path = tmp_path / "n.csv"
    path.write_text(f"w,id,zone\n{written},a,x\n-0,b,y\n5e0,c,z\n", encoding="utf-8")
    args = ["-n", f"@{path}", "--weight-column", "w", "--node-column", "id", "--scores", "--json"]
    expected = rvh.rendezvous_scores(["a", "c"], "obj", weights=[3, 5])
    rows = json.loads(call("select", *args, "-k", "obj", "-c", "2").out)
    assert [(row["node"], row["score"]) for row in rows] == expected


@pytest.mark.parametrize("scheme", Scheme)
@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
def test_scores(call, nodes, scheme, weighted):
    args = ["-n", f"@{nodes}", "--scheme", scheme, "-k", "obj", "--scores"]
    args += ["--weight-column", "w"] if weighted else []
    ranked = rvh.NodeSet(IDS, WEIGHTS if weighted else None, scheme.value).scores("obj")
    assert len(ranked) == (3 if weighted else 4)
    args += ["-c", len(ranked)]
    shown = call("select", *args).out.decode()
    assert shown == "".join(f"{node}\t{score!r}\n" for node, score in ranked)
    rows = json.loads(call("select", *args, "--json").out)
    kind = float if weighted else str
    assert [(row["node"], row["score"]) for row in rows] == [(n, kind(s)) for n, s in ranked]
    assert {type(row["score"]) for row in rows} == {kind}


# -- what is refused --------------------------------------------------------------------------

RULE = "a weight is a number"

BAD_WEIGHTS: dict[str, tuple[str, Write, list[str]]] = {
    **{
        f"csv, {weight}": (
            "n.csv",
            text(f'id,w\na,1\n\nb,"{weight}"\n'),
            ["n.csv: row 2: the weight of node 'b' is ", shown, RULE],
        )
        for weight, shown in {
            "": "empty",
            "-1": "-1.0",
            "nan": "'nan'",
            "inf": "'inf'",
            "Infinity": "'Infinity'",
            " 1": "' 1'",
            "1_0": "'1_0'",
            "1,5": "'1,5'",
            "0x10": "'0x10'",
            "٤": "'٤'",
            ".": "'.'",
            "1e": "'1e'",
            "many": "'many'",
            "1e999": "inf",
            "1e300": "1e+300",
            "1e-320": "1e-320",
            "1e-999": "'1e-999'",
        }.items()
    },
    "csv, short row": ("n.csv", text("id,w\na,1\nb\n"), ["row 2 has 1 values for 2 columns"]),
    "csv, no column": ("n.csv", text("id,weight\na,1\n"), ["no column 'w'", "id, weight"]),
    "csv, repeated": ("n.csv", text("id,w,w\na,1,2\n"), ["column 'w'", "more than once"]),
    "csv, of the ids": ("n.csv", text("w,id\n1,a\n"), ["'w' holds the ids", "--node-column"]),
    "csv, all 0": ("n.csv", text("id,w\na,0\nb,0.0\n"), ["n.csv: every weight is 0"]),
    "csv, bad id first": ("n.csv", text("id,w\na,1\n,x\n"), ["row 2 is empty", "node id"]),
    **{
        f"ndjson, {weight}": (
            "n.ndjson",
            text(f'{{"id": "a", "w": 1}}\n\n{{"id": "b", "w": {weight}}}\n'),
            ["n.ndjson: line 3: the weight of node 'b' is ", shown, RULE],
        )
        for weight, shown in {
            "null": "null",
            "true": "True",
            '"2"': "the text '2'",
            '""': "empty",
            "[1]": "[1]",
            "{}": "{}",
            "-0.5": "-0.5",
            "NaN": "nan",
            "Infinity": "inf",
            "1e999": "inf",
            "1" * 999: "111...",
        }.items()
    },
    "ndjson, missing": (
        "n.ndjson",
        text('{"id": "a", "w": 1}\n{"id": "b", "x": 1}\n'),
        ["n.ndjson: line 2: node 'b' has no weight", "'w'"],
    ),
    "ndjson, a string": (
        "n.ndjson",
        text('{"id": "a", "w": 1}\n"b"\n'),
        ["n.ndjson: line 2 is 'b' alone", "no weight", "'w'"],
    ),
    "ndjson, of the ids": (
        "n.ndjson",
        text('{"w": 1, "id": "a"}\n'),
        ["line 1", "'w' holds the ids", "--node-column"],
    ),
    **{
        f"parquet, {name}": (
            "n.parquet",
            parquet(["a", "b"], weights),
            ["n.parquet: row 2: the weight of node 'b' is ", shown, RULE],
        )
        for name, weights, shown in (
            ("null", [1, None], "null"),
            ("null float", [1.5, None], "null"),
            ("NaN", [1.5, float("nan")], "nan"),
            ("infinite", [1.5, float("-inf")], "-inf"),
            ("negative", [1, -3], "-3"),
            ("negative decimal", [Decimal("1.5"), Decimal("-1.5")], "Decimal('-1.5')"),
        )
    },
    "parquet, text": ("n.parquet", parquet(["a"], ["1"]), ["row 1", "'a'", "the text '1'", RULE]),
    "parquet, bytes": ("n.parquet", parquet(["a"], [b"1"]), ["row 1", "'a'", "b'1'", RULE]),
    "parquet, bool": ("n.parquet", parquet(["a"], [True]), ["row 1", "'a'", "True", RULE]),
    "parquet, time": (
        "n.parquet",
        parquet(["a"], pa.array([1], pa.duration("ns"))),
        ["row 1", "'a'", RULE],
    ),
    "parquet, nulls": ("n.parquet", parquet(["a"], pa.nulls(1)), ["row 1", "'a'", "null", RULE]),
    "parquet, no column": (
        "n.parquet",
        lambda path: pq.write_table(pa.table({"id": ["a"], "x": [1]}), path),
        ["no column 'w'", "id, x"],
    ),
    "parquet, repeated": (
        "n.parquet",
        lambda path: pq.write_table(pa.table([["a"], [1], [2]], names=["id", "w", "w"]), path),
        ["column 'w'", "more than once"],
    ),
    "lines": ("n.txt", text("a\nb\n"), ["n.txt", "no columns", "--weight-column"]),
}


@pytest.mark.parametrize("name", BAD_WEIGHTS)
def test_bad_weights(fails, tmp_path, name):
    file_name, write, words = BAD_WEIGHTS[name]
    nodes, keys, out = tmp_path / file_name, tmp_path / "k.txt", tmp_path / "out" / "out.txt"
    write(nodes)
    keys.write_text("key\n", encoding="utf-8")
    out.parent.mkdir()
    out.write_bytes(b"before")
    message = fails("select", "-n", f"@{nodes}", "-k", "key", "--weight-column", "w")
    for word in words:
        assert word in message
    assert fails("assign", keys, "-n", f"@{nodes}", "--weight-column", "w", "-o", out) == message
    assert os.listdir(out.parent) == ["out.txt"]
    assert out.read_bytes() == b"before"


def test_the_column_of_the_ids_is_there_once(fails, tmp_path):
    path = tmp_path / "n.parquet"
    pq.write_table(pa.table([["a"], ["b"]], names=["id", "id"]), path)
    assert "'id' appears more than once" in fails("select", "-n", f"@{path}", "-k", "obj")


def test_weights_need_a_node_file(fails):
    message = fails("select", "-n", "a,b", "-k", "obj", "--weight-column", "w")
    for word in ("--weight-column", "is a list", "@FILE"):
        assert word in message


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--weight-column", "w", "-c", "4"], ["k is 4", "3 of them with a weight above 0"]),
        (["--algorithm", "jump", "-c", "5"], ["k is 5", "4"]),
        (["--algorithm", "table", "-c", "5"], ["k is 5", "4"]),
        (["--algorithm", "jump", "-c", "0"], ["k is 0"]),
        (["--algorithm", "table", "--weight-column", "w", "-c", "4"], ["k is 4", "3 of them"]),
        (["--algorithm", "table", "--partitions", "0"], ["partitions is 0"]),
        (["--algorithm", "table", "--partitions", str(2**24 + 1)], ["16777216"]),
    ],
)
def test_what_the_library_refuses_is_one_line(fails, tmp_path, nodes, options, words):
    keys, out = tmp_path / "k.txt", tmp_path / "out.txt"
    keys.write_text("key\n", encoding="utf-8")
    for message in (
        fails("select", "-n", f"@{nodes}", "-k", "obj", *options),
        fails("assign", keys, "-n", f"@{nodes}", "-o", out, *options),
    ):
        for word in words:
            assert word in message
    assert not out.exists()


@pytest.mark.parametrize("algorithm", ["jump", "table"])
def test_a_key_without_bytes_is_named_by_its_row(fails, tmp_path, algorithm):
    keys, out = tmp_path / "k.parquet", tmp_path / "out.csv"
    pq.write_table(pa.table({"id": ["a", None]}), keys)
    args = ["--algorithm", algorithm, "-n", "a,b", "-o", out]
    message = fails("assign", keys, *args)
    for word in ("row 2", "'id'", "null"):
        assert word in message
    assert not out.exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--scheme", "murmur", "--secret-file", "missing"], ["--secret-file", "murmur"]),
        (["--algorithm", "table", "--scheme", "murmur", "--secret-file", "missing"], ["murmur"]),
        (["--algorithm", "jump", "--scheme", "murmur"], ["--scheme", "ranks no nodes"]),
        (["--algorithm", "jump", "--weight-column", "w"], ["--weight-column", "same share"]),
        (["--algorithm", "jump", "--secret-file", "missing"], ["--secret-file", "no secret"]),
        (["--partitions", "64"], ["--partitions", "--algorithm table"]),
        (["--algorithm", "jump", "--partitions", "64"], ["--partitions", "jump"]),
        (["--algorithm", "ring"], ["rendezvous", "jump", "table"]),
        (["--scheme", "md5"], ["blake2b", "murmur"]),
        (["--algorithm", "table", "--partitions", "many"], ["--partitions"]),
    ],
)
@pytest.mark.parametrize("name", ["select", "assign"])
def test_options_that_do_not_go_together(call, tmp_path, name, options, words):
    """They are refused before a file is read: these are not there."""
    out = tmp_path / "out.txt"
    own = ["-k", "obj"] if name == "select" else [tmp_path / "missing.txt", "-o", out]
    result = call(name, *own, "-n", "@missing.csv", *options)
    assert result.code == 2
    assert result.out == b""
    assert "Traceback" not in result.err
    assert "missing.csv" not in result.err
    for word in words:
        assert word in result.err
    assert not out.exists()


@pytest.mark.parametrize("option", ["--scores", "--async"])
@pytest.mark.parametrize("algorithm", ["jump", "table"])
def test_what_only_rendezvous_has(call, option, algorithm):
    result = call("select", "-n", "a,b", "-k", "obj", "--algorithm", algorithm, option)
    assert result.code == 2
    assert option in result.err
    assert f"only --algorithm rendezvous has this, not {algorithm}" in result.err


# -- start-up ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "loaded"),
    [
        ([], []),
        (["--scheme", "murmur"], []),
        (["--weight-column", "w"], []),
        (["--algorithm", "jump"], ["rvh.stable"]),
        (["--algorithm", "table", "--partitions", "8"], ["rvh.partitions"]),
    ],
)
def test_select_loads_what_it_needs(spawn, nodes, options, loaded):
    args = ["select", "-n", f"@{nodes}", "-k", "obj", *options]
    code = f"""
import sys
from rvh.cli import main
assert main({args!r}) == 0
print(sorted({{"rvh.stable", "rvh.partitions", "pyarrow"}} & set(sys.modules)), file=sys.stderr)
"""
    assert spawn(argv=[sys.executable, "-c", code]).err == f"{loaded}\n"
