"""`rvh select`, `rvh info`, `rvh --version` and what they load."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

import rvh
from rvh import cpu
from rvh.cli.exits import ExitStatus

NODES = ["node1", "node2", "node3"]
LIST = ",".join(NODES)


def test_the_documented_example(spawn):
    result = spawn("select", "-n", "node1,node2,node3", "-k", "obj", "-c", "2")
    assert (result.code, result.out, result.err) == (0, b"['node1', 'node2']\n", "")


@pytest.mark.parametrize("key", ["--key", "-k", "--name"])
@pytest.mark.parametrize("count", ["--k", "--count", "-c"])
@pytest.mark.parametrize("nodes", ["--nodes", "-n"])
def test_every_spelling_of_an_option(call, nodes, key, count):
    result = call("select", nodes, LIST, key, "obj", count, "2")
    assert result.out == b"['node1', 'node2']\n"


def test_k_is_1_by_default_and_async_gives_the_same(call):
    assert call("select", "-n", LIST, "-k", "obj").out == b"['node1']\n"
    assert call("select", "-n", LIST, "-k", "obj", "--async").out == b"['node1']\n"


def test_json(call):
    result = call("select", "-n", LIST, "-k", "é", "-c", "3", "--json")
    assert json.loads(result.out) == rvh.rendezvous_hash(NODES, "é", 3)


def test_scores(call):
    expected = [(node, str(score)) for node, score in rvh.rendezvous_scores(NODES, "obj")][:2]
    lines = call("select", "-n", LIST, "-k", "obj", "-c", "2", "--scores").out.decode()
    assert [tuple(line.split("\t")) for line in lines.splitlines()] == expected
    out = call("select", "-n", LIST, "-k", "obj", "-c", "2", "--scores", "--json").out
    assert [(each["node"], each["score"]) for each in json.loads(out)] == expected


def test_a_key_of_type_int_is_placed_as_an_integer(call):
    keys = range(20)
    text = [call("select", "-n", LIST, "-k", key).out for key in keys]
    whole = [call("select", "-n", LIST, "-k", key, "--key-type", "int").out for key in keys]
    assert text == [f"{rvh.rendezvous_hash(NODES, str(key))}\n".encode() for key in keys]
    assert whole == [f"{rvh.rendezvous_hash(NODES, key)}\n".encode() for key in keys]
    assert text != whole


@pytest.mark.parametrize("key", ["4_2", " 42", "٤٢", "4.0", "", "0x2a", "9" * 5000])
def test_a_key_of_type_int_is_digits(call, key):
    result = call("select", "-n", LIST, "--key", key, "--key-type", "int")
    assert result.code == 2
    assert "is not a whole number" in result.err


@pytest.mark.parametrize("ending", [b"", b"\n", b"\r\n"])
def test_secret_file(call, tmp_path, ending):
    secret = b"\x00\xff s3cret\n"
    path = tmp_path / "secret"
    path.write_bytes(secret + ending)
    expected = secret if ending else secret[:-1]  # one newline, not all of them
    keys = [str(n) for n in range(16)]
    answers = [call("select", "-n", LIST, "-k", key, "--secret-file", path).out for key in keys]
    assert answers == [
        f"{rvh.rendezvous_hash(NODES, key, secret=expected)}\n".encode() for key in keys
    ]


NODE_FILES: dict[str, Callable[[Path], object]] = {
    "nodes.txt": lambda path: path.write_text("node1\n\n  node2 \r\nnode3\n\n", encoding="utf-8"),
    "nodes": lambda path: path.write_text("\ufeffnode1\nnode2\nnode3", encoding="utf-8"),
    "nodes.csv": lambda path: path.write_text(
        'id,zone\n"node1",a\nnode2,b\n\nnode3,"c\nd"\n', encoding="utf-8"
    ),
    "nodes.tsv": lambda path: path.write_text(
        "id\tzone\nnode1\ta,\nnode2\tb\nnode3\tc\n", encoding="utf-8"
    ),
    "nodes.ndjson": lambda path: path.write_text(
        '{"id": "node1"}\n{"id":"node2"}\n\n"node3"\n', encoding="utf-8"
    ),
    "nodes.parquet": lambda path: pq.write_table(pa.table({"id": NODES, "n": [1, 2, 3]}), path),
    "nodes.arrow": lambda path: pa.feather.write_feather(
        pa.table({"id": pa.array(NODES).dictionary_encode()}), str(path)
    ),
    "bytes.parquet": lambda path: pq.write_table(
        pa.table({"id": [node.encode() for node in NODES]}), path
    ),
}


@pytest.mark.parametrize("name", NODE_FILES)
def test_nodes_from_a_file(call, tmp_path, name):
    path = tmp_path / name
    NODE_FILES[name](path)
    result = call("select", "-n", f"@{path}", "-k", "obj", "-c", "3")
    assert (result.out, result.err) == (b"['node1', 'node2', 'node3']\n", "")


@pytest.mark.parametrize("name", ["nodes.csv", "nodes.ndjson", "nodes.parquet"])
def test_node_column(call, fails, tmp_path, name):
    path = tmp_path / name
    rows = [{"zone": "z", "id": node} for node in NODES]
    if name.endswith("csv"):
        path.write_text(
            "".join(f"{a},{b}\n" for a, b in [("zone", "id"), ("z", "node1")]), encoding="utf-8"
        )
    elif name.endswith("ndjson"):
        path.write_text("".join(json.dumps(row) + "\n" for row in rows[:1]), encoding="utf-8")
    else:
        pq.write_table(pa.Table.from_pylist(rows[:1]), path)
    asked = ("select", "-n", f"@{path}", "-k", "obj")
    assert call(*asked, "--node-column", "id").out == b"['node1']\n"
    line = fails(*asked)
    assert "'zone'" in line
    assert "--node-column id" in line
    message = fails(*asked, "--node-column", "nope")
    assert "no column 'nope'" in message
    assert "zone, id" in message


@pytest.mark.parametrize(
    ("nodes", "words"),
    [
        ("a,,b", ["entry 2", "empty"]),
        ("", ["entry 1", "empty"]),
        ("a,b,a", ["entry 3", "'a'", "entry 1"]),
        ("nodes.csv", ["looks like a file", "@FILE", """'["nodes.csv"]'"""]),
        ("@missing.csv", ["missing.csv", "No such file"]),
        ("@.", ["directory"]),
    ],
)
def test_bad_node_lists(fails, nodes, words):
    message = fails("select", "-n", nodes, "-k", "obj")
    for word in words:
        assert word in message


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("n.txt", b"\n\n", ["no nodes"]),
        ("n.txt", b"a\n\nb\na\n", ["line 4", "'a'", "line 1"]),
        ("n.txt", b"a\n\xff\n", ["not UTF-8"]),
        ("n.csv", b"", ["is empty"]),
        ("n.csv", b"id\n", ["no nodes"]),
        ("n.csv", b"id,z\na,1\nb\n", ["row 2", "1 values for 2 columns"]),
        ("n.csv", b"id,z\na,1\n,2\n", ["row 2", "is empty"]),
        ("n.csv", b'id\n"a', ["not CSV"]),
        ("n.ndjson", b'{"id": "a"}\n{"id": 7}\n', ["line 2", "int"]),
        ("n.ndjson", b'"a"\n{"id"\n', ["line 2", "not JSON"]),
        ("n.ndjson", b"{}\n", ["line 1", "no column"]),
        ("n.parquet", b"", ["n.parquet"]),
        ("n.parquet", b"PAR1 nonsense", ["n.parquet"]),
        ("n.arrow", b"ARROW1\0\0 nonsense", ["n.arrow"]),
    ],
)
def test_bad_node_files(fails, tmp_path, name, content, words):
    path = tmp_path / name
    path.write_bytes(content)
    message = fails("select", "-n", f"@{path}", "-k", "obj")
    for word in words:
        assert word in message


@pytest.mark.parametrize("values", [[1, 2], ["a", None], [1.5], [b"\xff"]])
def test_node_ids_of_another_type(fails, tmp_path, values):
    path = tmp_path / "n.parquet"
    pq.write_table(pa.table({"id": values}), path)
    assert "n.parquet" in fails("select", "-n", f"@{path}", "-k", "obj")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["-k", "obj", "-c", "4"], ["k is 4", "3 nodes"]),
        (["-k", "obj", "-c", "0"], ["k is 0"]),
        (["-k", "\udcff"], ["--key", "not UTF-8 text"]),
        (["-k", "99999999999999999999", "--key-type", "int"], ["2^64"]),
        (["-k", "obj", "--secret-file", "missing"], ["missing", "No such file"]),
        (["-k", "obj", "--node-column", "id"], ["--node-column"]),
    ],
)
def test_what_the_library_refuses_is_one_line(fails, options, words):
    message = fails("select", "-n", LIST, *options)
    for word in words:
        assert word in message


@pytest.mark.parametrize("content", [b"", b"\n", b"\n\n", b" \r\n", b"x" * 65])
def test_bad_secrets(fails, tmp_path, content):
    path = tmp_path / "secret"
    path.write_bytes(content)
    assert "secret" in fails("select", "-n", LIST, "-k", "obj", "--secret-file", path)


def test_a_secret_without_end(fails):
    message = fails("select", "-n", LIST, "-k", "obj", "--secret-file", "/dev/zero")
    assert "/dev/zero has more than 65536 bytes: a secret has at most 64" in message


@pytest.mark.parametrize(
    "args",
    [
        ["nope"],
        ["select"],
        ["select", "-n", LIST],
        ["select", "-n", LIST, "-k", "obj", "-c", "many"],
        ["select", "-n", LIST, "-k", "obj", "--key-type", "float"],
        ["select", "--nope"],
        ["assign", "keys.txt", "-n", LIST],
        ["assign", "keys.txt", "-n", LIST, "-o", "x", "--threads", "0"],
        ["assign", __file__, "-n", LIST, "-o", "x.csv"],  # an extension that tells no format
        ["assign", "-", "-n", LIST, "-o", "x.csv"],
        ["assign", "keys.txt", "-n", LIST, "-o", "x", "--format", "xlsx"],
        ["assign", "keys.txt", "-n", LIST, "-o", "x", "--output-format", "xlsx"],
    ],
)
def test_usage_errors_exit_2(call, args):
    result = call(*args)
    assert result.code == ExitStatus.USAGE
    assert result.out == b""
    assert "Traceback" not in result.err


def test_info(call):
    facts = json.loads(call("info", "--json").out)
    assert facts["version"] == rvh.__version__
    assert facts["backend"] == rvh.backend()
    assert facts["instruction_sets"] == list(cpu.available())
    assert facts["instruction_set_in_use"] == cpu.active()
    assert facts["threads"] >= 1
    text = call("info").out.decode()
    for value in (rvh.__version__, rvh.backend(), cpu.active(), *cpu.available()):
        assert value in text


def test_info_reports_a_wrong_environment(fails, monkeypatch):
    monkeypatch.setenv("RVH_NUM_THREADS", "many")
    assert "RVH_NUM_THREADS" in fails("info")


def test_version_and_help(call):
    assert call("--version").out == f"rvh {rvh.__version__}\n".encode()
    for args in (["--help"], ["select", "--help"], ["assign", "-h"], ["info", "-h"]):
        result = call(*args)
        assert result.code == 0
        assert b"Usage: rvh" in result.out
    assert b"rvh select --nodes" in call("select", "-h").out


def test_typers_own_runner_sees_the_same_statuses():
    from rvh.cli.app import application

    app, runner = application(), CliRunner()
    good = runner.invoke(app, ["select", "-n", LIST, "-k", "obj"])
    assert (good.exit_code, good.stdout) == (0, "['node1']\n")
    assert runner.invoke(app, ["select", "-n", "a,,b", "-k", "obj"]).exit_code == 1
    assert runner.invoke(app, ["select"]).exit_code == 2


WHAT_IS_LOADED = """
import sys
{code}
print(sorted({{"typer", "rich", "pyarrow", "click"}} & set(sys.modules)), file=sys.stderr)
"""


@pytest.mark.parametrize(
    ("code", "same_as"),
    [
        ("import rvh", "pass"),
        ("import rvh.cli", "pass"),
        # Releases of Typer differ in what they load themselves.
        (f"from rvh.cli import main; main(['select', '-n', '{LIST}', '-k', 'x'])", "import typer"),
        ("from rvh.cli import main; main(['info'])", "import typer"),
    ],
)
def test_what_is_loaded(spawn, code, same_as):
    loaded, expected = (
        spawn(argv=[sys.executable, "-c", WHAT_IS_LOADED.format(code=each)]).err.splitlines()[-1]
        for each in (code, same_as)
    )
    assert loaded == expected
    assert "pyarrow" not in loaded


@pytest.mark.parametrize(
    ("missing", "args"),
    [
        ("typer", ["select", "-n", LIST, "-k", "x"]),
        ("pyarrow", ["assign", "keys.txt", "-n", LIST, "-o", "x.txt"]),
    ],
)
def test_without_the_extra(spawn, missing, args):
    code = f"import sys; sys.modules[{missing!r}] = None\n"
    code += f"from rvh.cli import main; sys.exit(main({args!r}))"
    result = spawn(argv=[sys.executable, "-c", code])
    assert result.code == 1
    assert result.err == "rvh: the command line needs its extra: pip install 'rvh[cli]'\n"


def test_select_does_without_pyarrow(spawn):
    code = "import sys; sys.modules['pyarrow'] = sys.modules['rich'] = None\n"
    code += f"from rvh.cli import main; sys.exit(main(['select', '-n', {LIST!r}, '-k', 'obj']))"
    assert spawn(argv=[sys.executable, "-c", code]).out == b"['node1']\n"


def test_the_end_waits_for_no_thread(spawn):
    """A thread that pyarrow reads in must not meet an interpreter that is being taken down."""
    code = "import sys, threading, time; threading.Thread(target=time.sleep, args=(600,)).start()\n"
    code += "sys.argv = ['rvh', 'select', '-n', '[\"a\"]', '-k', 'x']\n"
    code += "from rvh.cli import script; script()"
    result = spawn(argv=[sys.executable, "-c", code])
    assert (result.code, result.out, result.err) == (0, b"['a']\n", "")


def test_help_into_a_pipe_that_nobody_reads(spawn):
    argv = ["sh", "-c", '"$0" -m rvh --help | true; echo done', sys.executable]
    result = spawn(argv=argv)
    assert (result.out, result.err) == (b"done\n", "")
