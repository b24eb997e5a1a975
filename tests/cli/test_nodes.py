"""`--nodes` and `--dead`: one reader for all commands, and what could be either is an error."""

from __future__ import annotations

import bz2
import gzip
import json
import os
import re
import shlex
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from folders import DOCS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sizes import examples

import rvh
from rvh._nodelist.doubts import ID_NAMES
from rvh.cli.nodes import read_nodes
from rvh.errors import RVHError

IDS = ["alpha", "beta", "gamma"]
CSV = "id,zone\nalpha,eu\nbeta,eu\ngamma,us\n"
RANKED = f"{rvh.rendezvous_hash(IDS, 'obj', 3)}\n".encode()
SELECT = ["select", "-k", "obj", "-c", 3]


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty working directory with a file of keys."""
    monkeypatch.chdir(tmp_path)
    Path("keys.txt").write_text("obj\n", encoding="utf-8")
    return tmp_path


@pytest.fixture
def both_fail(fails, here):
    """The error about a node list, which is the same in both commands; nothing is written."""

    def run(*args: object) -> str:
        line = fails("select", "-k", "obj", *args)
        assert fails("assign", "keys.txt", "-o", "out.txt", *args) == line
        assert not Path("out.txt").exists()
        return line

    return run


@pytest.fixture
def both(call, here):
    """The nodes of the key `obj`, which are the same from both commands."""

    def run(*args: object, count: int = 3) -> list[str]:
        result = call("select", "-k", "obj", "-c", count, "--json", *args)
        assert (result.code, result.err) == (0, ""), result
        ids: list[str] = json.loads(result.out)
        options = ["-k", count, "-o", "out.ndjson", "--output-format", "ndjson", "-q"]
        result = call("assign", "keys.txt", *options, *args)
        assert (result.code, result.err) == (0, ""), result
        _, *nodes = json.loads(Path("out.ndjson").read_text(encoding="utf-8")).values()
        assert nodes == ids
        return ids

    return run


def advised(line: str) -> list[list[str]]:
    """The values of --nodes that an error advises, as a shell reads them."""
    found = []
    for rest in re.split("(?:write|or|JSON:) --nodes ", line)[1:]:
        words = shlex.shlex(rest, posix=True)
        words.whitespace_split, words.commenters = True, ""
        found.append(["-n", words.get_token() or ""])
    return found


# -- one name, and what looks like a file -----------------------------------------------------


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("flet", "is one name alone, which could be a file or a node"),
        ("nodes.lst", "is one name alone"),
        ("file:nodes.json", "could be a source or a node: write --nodes file:///"),
        ("nodes.csv", "looks like a file, but there is none of that name"),
        ("./nodes", "looks like a file, but there is none"),
        ("dir/nodes", "looks like a file, but there is none"),
        ("~/nodes", "looks like a file, but there is none"),
        ("nodes.txt.gz", "looks like a file, but there is none"),
    ],
)
def test_one_name_alone(both_fail, both, name, words):
    line = both_fail("-n", name)
    assert f"--nodes {name} {words}" in line
    *_, literally = advised(line)
    assert both(*literally, count=1) == [name]


@pytest.mark.parametrize("name", ["fleet", "n.csv", "dir/fleet"])
def test_the_name_of_a_file_that_exists(both_fail, both, here, name):
    path = here / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(CSV if name.endswith("csv") else "alpha\nbeta\ngamma\n", encoding="utf-8")
    line = both_fail("-n", name)
    assert line.startswith(f"--nodes {name} is the name of a file: write --nodes @{name} for the")
    file, literally = advised(line)
    assert sorted(both(*file)) == IDS
    assert both(*literally, count=1) == [name]
    # Repeated, too: a list of two such names would take all keys.
    assert "is the name of a file" in both_fail("-n", name, "-n", "beta")
    line = both_fail("-n", f"beta,{name}")
    assert line.startswith(f"--nodes entry 2 is the name of a file, {name}: write --nodes @{name}")
    *_, literally = advised(line)
    assert sorted(both(*literally, count=2)) == sorted(["beta", name])


def test_a_folder_is_no_file_of_nodes(both, here):
    for name in IDS:
        (here / name).mkdir()
    assert sorted(both("-n", ",".join(IDS))) == IDS


def test_a_url_does_not_look_like_a_file(both_fail):
    assert "is one name alone, which could be" in both_fail("-n", "tcp://a:80")


@pytest.mark.parametrize("sign", ["", "@"])
def test_a_misspelt_scheme_names_the_known_ones(both_fail, sign):
    line = both_fail("-n", f"{sign}redsi://app:hunter2@db/0?key=nodes")
    assert "redsi://" in line
    assert "is not a source: there are file, k8s" in line
    assert "hunter2" not in line


def test_a_pipe_without_its_sign(both_fail, here):
    """``-n <(...)`` gives the name of a pipe."""
    os.mkfifo("pipe")
    assert "--nodes ./pipe is the name of a file: write --nodes @./pipe" in both_fail(
        "-n", "./pipe"
    )


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("flet", ""),
        ("~/n.csv", ', and the shell does not expand ~ after @: write --nodes @"$HOME"/...'),
        ("n.csv,more", ": give --nodes once for each file or list"),
        ("*.csv", ", and patterns are not expanded here: give --nodes once for each file"),
        ("n.csv ", ", and the name begins or ends with a blank"),
    ],
)
def test_a_file_that_is_not_there(both_fail, here, path, hint):
    Path("n.csv").write_text(CSV, encoding="utf-8")
    assert both_fail("-n", f"@{path}") == f"--nodes @{path}: No such file or directory{hint}"


@pytest.mark.parametrize(
    ("out", "options"),
    [
        ("n.txt", ["-n", "@n.txt"]),
        ("link.txt", ["-n", "x,y", "-n", "@n.txt"]),
        ("./n.txt", ["-n", "alpha,beta", "--dead", "@n.txt"]),
        ("n.txt", ["-n", "alpha,beta", "--secret-file", "n.txt"]),
    ],
)
def test_what_is_read_is_not_overwritten(call, fails, here, out, options):
    """OUT took the place of the node file, without a word."""
    Path("n.txt").write_text("alpha\n", encoding="utf-8")
    Path("link.txt").symlink_to("n.txt")
    line = fails("assign", "keys.txt", "-o", out, *options)
    assert line.startswith(f"--out {out} is the file that {options[-2].replace('-n', '--nodes')} ")
    assert Path("n.txt").read_text(encoding="utf-8") == "alpha\n"
    result = call("assign", "keys.txt", "-n", "@n.txt", "-o", "keys.txt", "-q")
    assert (result.code, Path("keys.txt").read_text(encoding="utf-8")) == (0, "obj\talpha\n")


def test_nobody_is_dead(fails, here):
    Path("dead.txt").write_text("\n", encoding="utf-8")
    for dead in ("@dead.txt", "[]"):
        line = fails("select", "-k", "obj", "-n", "a,b", "--dead", dead)
        assert line.endswith("there are no nodes: omit --dead if no node is dead")


def test_files_in_a_list(both_fail, here):
    Path("a.csv").write_text(CSV, encoding="utf-8")
    assert "--nodes entry 1 is the name of a file, a.csv: write --nodes @a.csv" in both_fail(
        "-n", "a.csv,b.csv"
    )
    assert "would be a file: give --nodes once more for it, as --nodes @a.csv" in both_fail(
        "-n", "beta,@a.csv"
    )
    assert "names no file" in both_fail("-n", "@")


def test_a_name_in_dead_is_one_of_the_list(call, fails, here):
    args = ["select", "-k", "obj", "-n", "a,b"]
    assert call(*args, "--dead", "b").out == b"['a']\n"
    assert "--dead names 'flet', which is not in the list" in fails(*args, "--dead", "flet")
    Path("b").write_text("a\n", encoding="utf-8")
    args[-1] = '["a", "b"]'
    line = fails(*args, "--dead", "b")
    assert line.startswith(
        "--dead b is the name of a file: write --dead @b for the nodes in a file"
    )
    assert call(*args, "--dead", "@b").out == b"['b']\n"
    assert call(*args, "--dead", '["b"]').out == b"['a']\n"


# -- lists ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "entry", "words"),
    [
        ("alpha, beta", 2, "' beta', which has a blank in it"),
        ("alpha ,beta", 1, "'alpha ', which has a blank in it"),
        ("alpha beta", 1, "a blank"),
        ("alpha\tbeta,c", 1, "a tab"),
        ("alpha\nbeta", 1, "a line break"),
        ("alpha,beta\r", 2, "a line break"),
        ("alpha;beta", 1, "a semicolon in it (;)"),
        ("alpha|beta", 1, "a bar"),
        ('"alpha","beta"', 1, "a quotation mark"),
        ("'alpha','beta'", 1, "a quotation mark"),
        ("['alpha','beta']", 1, "a bracket"),
        ("node{1,2}", 1, "a brace"),
        ("alpha,#beta", 2, "begins with '#' as a comment does"),
        ("alpha,\ufeffbeta", 2, "(U+FEFF, ZERO WIDTH NO-BREAK SPACE)"),
        ("alpha,be\u200bta", 2, "(U+200B, ZERO WIDTH SPACE)"),
        ("alpha,beta\xa0", 2, "a blank"),
        ("alpha,\x07", 2, "(U+0007, a control character)"),
    ],
)
def test_doubtful_entries(both_fail, both, text, entry, words):
    line = both_fail("-n", text)
    assert line.startswith(f"--nodes entry {entry} is ")
    assert words in line
    *_, literally = advised(line)
    # Pasted, it is the whole list: the one entry alone would be the node that gets every key.
    ids = text.split(",")
    assert both(*literally, count=len(ids)) == rvh.rendezvous_hash(ids, "obj", len(ids))


def test_advice_about_a_long_list_is_short(both_fail):
    ids = [f"node{number}" for number in range(1000)]
    *_, literally = advised(both_fail("-n", ",".join([*ids, "a b"])))
    assert literally == ["-n", '["ID", "ID"]']


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('["alpha"', "begins like a JSON list, but is not one"),
        ('["alpha",]', "begins like a JSON list, but is not one"),
        ("[]", "there are no nodes"),
        ('["alpha", 7]', "entry 2: a node id is text, not int (7)"),
        ('["alpha", "alpha"]', "entry 2 repeats node id 'alpha' of entry 1"),
        ('["alpha", ""]', "entry 2 is empty"),
        ("alpha,beta,", "entry 3 is empty"),
        ("alpha,", "entry 2 is empty"),
    ],
)
def test_bad_lists(both_fail, text, words):
    assert words in both_fail("-n", text)


@pytest.mark.parametrize(
    "ids",
    [
        ["[::1]:11211", "[fe80::1]:11211"],
        ["a.example.net:1", "http://b/"],
        ["ä", "漢字"],
        ["%41", "b@c"],
    ],
)
def test_ids_that_are_plain(both, ids):
    assert both("-n", ",".join(ids), count=2) == rvh.rendezvous_hash(ids, "obj", 2)


@settings(max_examples=examples(100), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), min_size=1, unique=True)
)
def test_a_json_list_takes_any_id(ids):
    for ascii_ in (True, False):
        assert read_nodes([json.dumps(ids, ensure_ascii=ascii_)]).ids == ids


@settings(max_examples=examples(300))
@given(
    st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=6), min_size=2, unique=True)
)
def test_a_list_is_its_ids_or_an_error(ids):
    """Whatever the ids are: a list joined by commas gives the same ones, or none."""
    text = ",".join(ids)
    try:
        read = read_nodes([text]).ids
    except (RVHError, OSError):
        return
    assert ids == read


# -- files ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("n.txt", "alpha\n# comment\n", "n.txt: line 2 is '# comment', which begins with '#'"),
        ("n.txt", "alpha\nbeta gamma\n", "line 2 is 'beta gamma', which has a blank"),
        ("n.txt", "alpha,eu\n", "line 1 is 'alpha,eu', which has a comma"),
        ("n.txt", "alpha;eu\n", "a semicolon"),
        ("n.txt", "alpha\teu\n", "a tab"),
        ("n.txt", "alpha|eu\n", "a bar"),
        ("n.txt", '"alpha"\n', "a quotation mark"),
        ("n.txt", '{"id":"alpha"}\n', "a brace"),
        ("n.txt", "\n host \nalpha\n", "line 2 is 'host', the name of a column"),
        ("n.lst", "alpha\nbe\u200bta\n", "line 2"),
        ("n.csv", "id;zone\nalpha;eu\n", "line 1 is 'id;zone', with ';' between its values"),
        ("n.csv", "id\nalpha;eu\n", "row 1 is 'alpha;eu', with ';' between its values"),
        ("n.csv", "id\tzone\nalpha\teu\n", "with '\\t' between its values in place of ','"),
        ("n.tsv", "id,zone\nalpha,eu\n", "with ',' between its values in place of '\\t'"),
        ("n.csv", "# fleet\nid,zone\n", "the first line begins with '# fleet', as a comment does"),
        ("n.csv", "id,zone\n#alpha,eu\nbeta,eu\n", "row 1 begins with '#' as a comment does"),
        ("n.csv", "zone,id\n# old: eu,alpha\n", "'zone'"),
        ("n.csv", "id,zone\n alpha,eu\n", "row 1 has a blank around the value ' alpha'"),
        ("n.csv", "id,zone\nalpha ,eu\n", "row 1 has a blank around the value 'alpha '"),
        ("n.csv", 'id\n"al\npha"\n', "row 1 is 'al\\npha', which has an invisible character"),
        ("n.csv", 'id\n"alpha"x\n', "is not CSV: line 2"),
        (
            "n.tsv",
            'id\tx\nalpha\t"q\nbeta\tr"\n',
            "line 2 has a field that begins with a quotation",
        ),
        ("n.ndjson", '["alpha","beta"]\n', "is one JSON value, not one value per line"),
        ("n.json", '{"epoch": 1, "nodes": ["alpha"]}', "read it as a source, --nodes file:///"),
        ("n.json", '{\n  "nodes": ["alpha"]\n}', "read it as a source, --nodes file:///"),
        ("n.json", '[\n  "alpha",\n  "beta"\n]\n', "is one JSON value"),
        (
            "n.json",
            '[{"id": "alpha"},\n {"id": "beta"}]\n',
            "read it as a source, --nodes file:///",
        ),
        ("n.json", '{\n  "id": "alpha"\n}\n', "is one JSON value"),
        ("n.ndjson", '{"id": "a", "id": "b"}\n', "line 1: member 'id' appears more than once"),
        ("n.ndjson", '{"id": "a", "z": 1}\n{"z": "b"}\n', "line 2: there is no column 'id'"),
        ("n.ndjson", '{"z": "b", "id": "a"}\n', "could be in the first column, 'z', or in 'id'"),
    ],
)
def test_what_a_file_may_hold_by_mistake(both_fail, name, content, words):
    Path(name).write_text(content, encoding="utf-8")
    line = both_fail("-n", f"@{name}")
    assert line.startswith(name)
    assert words in line


UTF16 = "id,zone\nalpha,eu\n"


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("n.csv", UTF16.encode("utf-16"), ["is UTF-16 text", "iconv"]),
        ("n.txt", UTF16.encode("utf-16-be"), ["line 1 has a NUL byte"]),
        ("n.csv", UTF16.encode("utf-32"), ["is UTF-32 text"]),
        (
            "n.csv",
            gzip.compress(CSV.encode(), mtime=0),
            ["is gzip-compressed: decompress it (gzip -dc), or name it .gz"],
        ),
        ("n.ndjson", bz2.compress(b'"a"\n'), ["is bzip2-compressed"]),
        ("n.txt", b"PK\x03\x04rest", ["a ZIP archive or a spreadsheet"]),
        (
            "n.csv",
            b"PAR1\x15\x04rest",
            ["is a Parquet file: name it .parquet, or say --node-format"],
        ),
        ("n.txt", b"ARROW1\0\0", ["is an Arrow IPC file"]),
        ("n.csv", b"id\ralpha\rbeta\r", ["line 1 has a carriage return", "tr '\\r' '\\n'"]),
        ("n.txt", b"alpha\rbeta\n", ["line 1 has a carriage return"]),
        ("n.txt", b"alpha\n\xef\xbb\xbfbeta\n", ["line 2 has a byte order mark"]),
        ("n.csv", b"\xef\xbb\xbf\xef\xbb\xbfid\nalpha\n", ["line 1 has a byte order mark"]),
        ("n.csv", b"id\nalpha\nb\xe4ta\n", ["line 3 is not UTF-8 text", "iconv"]),
        ("n.csv.gz", b"id\nalpha\n", ["n.csv.gz"]),
        ("n.csv.gz", gzip.compress(CSV.encode() * 99, mtime=0)[:40], ["n.csv.gz"]),
        ("n.parquet", b"id\nalpha\n", ["n.parquet"]),
        (
            "n.parquet",
            b"ARROW1\0\0rest",
            ["is an Arrow IPC file, not parquet: name it .arrow, or say --node-format arrow"],
        ),
    ],
)
def test_a_file_that_is_not_what_its_name_says(both_fail, name, data, words):
    Path(name).write_bytes(data)
    line = both_fail("-n", f"@{name}")
    assert line.startswith(name)
    for word in words:
        assert word in line
    assert "--dead" not in line
    for word in words:  # and as a file of dead nodes
        assert word in both_fail("-n", "alpha,beta", "--dead", f"@{name}")


@pytest.mark.parametrize("name", ["n.csv.gz", "n.txt.bz2", "n.ndjson.gz", "n.tsv.gz"])
def test_compressed_files(both, here, name):
    text = {"csv": CSV, "txt": "alpha\nbeta\ngamma\n", "tsv": CSV.replace(",", "\t")}.get(
        name.split(".")[1], "".join(f'{{"id": "{node}"}}\n' for node in IDS)
    )
    pack = bz2.compress if name.endswith("bz2") else gzip.compress
    (here / name).write_bytes(pack(text.encode()))
    assert both("-n", f"@{name}") == rvh.rendezvous_hash(IDS, "obj", 3)


# -- headers ----------------------------------------------------------------------------------


@pytest.mark.parametrize("delimiter", [",", "\t"])
@pytest.mark.parametrize("rows", ["alpha\nbeta\ngamma\n", "alpha,8\nbeta,8\ngamma,8\n"])
def test_a_file_without_a_header_loses_no_node(both_fail, both, rows, delimiter):
    name = "n.csv" if delimiter == "," else "n.tsv"
    Path(name).write_text(rows.replace(",", delimiter), encoding="utf-8")
    line = both_fail("-n", f"@{name}")
    assert line == (
        f"{name}: the first line begins with 'alpha', which could be the name of a column or a "
        "node: if it is a header, name the column of the ids, as --node-column alpha; if it is a "
        "node, say --no-node-header"
    )
    assert sorted(both("-n", f"@{name}", "--no-node-header")) == IDS
    assert sorted(both("-n", f"@{name}", "--node-column", "alpha", count=2)) == ["beta", "gamma"]


@pytest.mark.parametrize("column", [[], ["--node-column", 2]])
def test_a_header_that_was_said_not_to_be_there(both_fail, here, column):
    """It would be a node."""
    Path("n.csv").write_text("Host,host\nalpha,beta\n", encoding="utf-8")
    line = both_fail("-n", "@n.csv", "--no-node-header", *column)
    name = "host" if column else "Host"
    assert line.startswith(f"n.csv: the first line has '{name}', the name of a column")
    assert "omit --no-node-header" in line


def test_columns_by_number(both, here):
    Path("n.csv").write_text("eu,alpha,1\neu,beta,0\nus,gamma,2\n", encoding="utf-8")
    args = ["-n", "@n.csv", "--no-node-header", "--node-column", 2]
    assert sorted(both(*args)) == IDS
    assert both(*args, "--where", "1=us", count=1) == ["gamma"]
    assert sorted(both(*args, "--weight-column", 3, count=2)) == ["alpha", "gamma"]


@pytest.mark.parametrize("name", ID_NAMES)
def test_names_of_id_columns(both, here, name):
    for spelling in (name, name.upper(), name.replace("_", "-"), name.replace("_", " ")):
        Path("n.csv").write_text(f"{spelling},w\nalpha,1\nbeta,1\ngamma,1\n", encoding="utf-8")
        assert read_nodes(["@n.csv"]).ids == IDS


@pytest.mark.parametrize(
    "options",
    [["--weight-column", "w"], ["--where", "w>=0"], ["--spread", "z"], ["--node-column", "n1"]],
)
def test_an_option_makes_a_header_certain(both, here, options):
    Path("n.csv").write_text("n1,w,z\nalpha,1,eu\nbeta,1,us\ngamma,1,as\n", encoding="utf-8")
    assert sorted(both("-n", "@n.csv", *options)) == IDS


def test_the_page_lists_the_names_of_id_columns():
    page = (DOCS / "reference/cli.md").read_text(encoding="utf-8")
    listed = re.search(r"Names of columns of ids, in any case: (.*?)\. A file", page, re.DOTALL)
    assert listed is not None
    assert tuple(re.findall("`(.*?)`", listed[1])) == ID_NAMES


@pytest.mark.parametrize("kind", ["parquet", "ndjson", "csv"])
def test_ids_in_a_later_column(both_fail, both, here, kind):
    path = here / f"n.{kind}"
    table = pa.table({"zone": ["eu", "us", "as"], "id": IDS})
    if kind == "parquet":
        pq.write_table(table, path)
    elif kind == "csv":
        path.write_text("zone,id\neu,alpha\nus,beta\nas,gamma\n", encoding="utf-8")
    else:
        path.write_text(
            "".join(json.dumps(row) + "\n" for row in table.to_pylist()), encoding="utf-8"
        )
    line = both_fail("-n", f"@{path}")
    assert "'zone'" in line
    assert "--node-column id" in line
    assert sorted(both("-n", f"@{path}", "--node-column", "id")) == IDS
    assert sorted(both("-n", f"@{path}", "--node-column", "zone")) == ["as", "eu", "us"]


def test_the_first_object_decides_the_member(both, here):
    rows = [{"id": "alpha", "zone": "x"}, {"zone": "y", "id": "beta"}, {"id": "gamma"}]
    Path("n.ndjson").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    assert sorted(both("-n", "@n.ndjson")) == IDS


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["-n", "alpha,beta", "--no-node-header"], "--no-node-header is about a node file"),
        (["-n", "alpha,beta", "--node-format", "csv"], "--node-format is about a node file"),
        (["-n", "@keys.txt", "--no-node-header"], "keys.txt is read as lines"),
        (["-n", "@keys.txt", "--node-column", "id"], "plain lines have no columns"),
        (["-n", "@keys.txt", "-n", "b", "--node-column", "id"], "--nodes is a list"),
        (["-n", "@empty.txt", "-n", "a,b"], "empty.txt: there are no nodes"),
    ],
)
def test_options_of_node_files(both_fail, args, words):
    Path("empty.txt").write_text("\n", encoding="utf-8")
    assert words in both_fail(*args)


def test_an_unknown_format(call, here):
    result = call("select", "-k", "x", "-n", "@keys.txt", "--node-format", "xlsx")
    assert result.code == 2
    assert "'xlsx' is not one of csv, tsv" in result.err


# -- stdin ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "options"),
    [
        (b"alpha\nbeta\r\n gamma\n", []),
        (CSV.encode(), ["--node-format", "csv"]),
        (CSV.encode(), ["--node-format", "csv", "--where", "zone=*"]),
        (b'"alpha"\n{"id": "beta"}\n"gamma"\n', ["--node-format", "ndjson"]),
    ],
)
def test_nodes_from_stdin(spawn, here, content, options):
    result = spawn(*SELECT, "-n", "@-", *options, input=content)
    assert (result.out, result.err) == (RANKED, "")
    args = ["assign", "keys.txt", "-n", "@-", "-k", 3, "-o", "-", "-q", *options]
    assert spawn(*args, input=content).out.decode().split()[1:] == rvh.rendezvous_hash(
        IDS, "obj", 3
    )


def test_parquet_from_stdin(spawn, here):
    pq.write_table(pa.table({"id": IDS}), "n.parquet")
    data = Path("n.parquet").read_bytes()
    result = spawn(*SELECT, "-n", "@-", "--node-format", "parquet", input=data)
    assert (result.out, result.err) == (RANKED, "")
    assert "is a Parquet file" in spawn(*SELECT, "-n", "@-", input=data).err


def test_dead_nodes_and_a_secret_from_stdin(spawn, here):
    args = ["select", "-n", "alpha,beta,gamma", "-k", "obj", "-c", 2]
    result = spawn(*args, "--dead", "@-", input=b"beta\n")
    assert result.out == f"{rvh.rendezvous_hash(['alpha', 'gamma'], 'obj', 2)}\n".encode()
    result = spawn(*args, "--secret-file", "-", input=b"s3cret\n")
    assert result.out == f"{rvh.rendezvous_hash(IDS, 'obj', 2, secret=b's3cret')}\n".encode()


@pytest.mark.parametrize(
    ("args", "names"),
    [
        (["select", "-k", "x", "-n", "@-", "--dead", "@-"], "--nodes @- and --dead @-"),
        (["select", "-k", "x", "-n", "@-", "-n", "@-"], "--nodes @- and --nodes @-"),
        (["select", "-k", "x", "-n", "@-", "--secret-file", "-"], "--nodes @- and --secret-file -"),
        (["assign", "-", "--format", "lines", "-o", "o.txt", "-n", "@-"], "--nodes @- and KEYS -"),
        (
            ["assign", "-", "--format", "lines", "-o", "o.txt", "-n", "@/dev/stdin"],
            "--nodes @/dev/stdin and KEYS -",
        ),
    ],
)
def test_stdin_is_read_once(spawn, here, args, names):
    if "/dev/stdin" in names and not Path("/dev/stdin").exists():
        pytest.skip("this system has no /dev/stdin")
    result = spawn(*args, input=b"alpha\nbeta\n")
    assert result.code == 1
    assert result.err == (
        f"rvh: {names} are the same stdin, which can be read only once: write one of them into a "
        "file\n"
    )
    assert not Path("o.txt").exists()


def test_a_pipe_is_read_once(fails, here):
    if not hasattr(os, "mkfifo"):
        pytest.skip("this system has no named pipes")
    os.mkfifo("pipe")
    assert fails("select", "-k", "x", "-n", "@pipe", "--dead", "@./pipe") == (
        "--nodes @pipe and --dead @./pipe are the same pipe, which can be read only once: write "
        "one of them into a file"
    )


def test_no_stdin_at_all(spawn, here):
    args = ["sh", "-c", 'exec "$0" -m rvh select -k x "$@" <&-', sys.executable]
    assert spawn(argv=[*args, "-n", "@-"]).err == "rvh: stdin is closed, so @- cannot be read\n"
    argv = [*args, "-n", "a,b", "--secret-file", "-"]
    assert spawn(argv=argv).err == "rvh: stdin is closed, so --secret-file - cannot be read\n"


@pytest.mark.parametrize(
    ("name", "text"),
    [("n.csv", "id,weight\na,1\nb,2\n"), ("n.ndjson", '{"id": "a", "weight": 1}\n"b"\n')],
)
def test_a_column_of_weights_that_is_not_named_is_not_used_silently(call, here, name, text):
    Path(name).write_text(text, "utf-8")
    said = f"column weight of {name} is not used (--weight-column weight)"
    assert said in call("select", "-n", f"@{name}", "-k", "x").err
    if name == "n.csv":
        named = call("select", "-n", f"@{name}", "-k", "x", "--weight-column", "weight")
        assert named.err == ""
