"""An option given twice, and other command lines that can be read in two ways."""

from __future__ import annotations

import pytest

import rvh
from rvh.cli.app import command

COMMANDS = command().commands
#: a command line of each command that would do its work
GOOD = {
    "select": ["-n", "a,b", "-k", "x"],
    "assign": ["keys.txt", "-n", "a,b", "-o", "out.txt"],
    "plan": ["keys.txt", "-n", "a,b", "--add", "c"],
    "migrate plan": ["state.json", "-n", "a,b", "--add", "c"],
    "migrate status": ["state.json"],
    "migrate view": ["state.json"],
    "migrate workers": ["state.json", "web-1"],
    "migrate join": ["state.json", "web-1"],
    "migrate leave": ["state.json", "web-1"],
    "migrate acknowledge": ["state.json", "web-1", "1"],
    "migrate advance": ["state.json"],
    "migrate keys": ["state.json", "keys.txt", "-o", "out.csv"],
    "migrate finish": ["state.json", "1"],
    "migrate verify": ["state.json", "held.csv"],
    "migrate progress": ["state.json", "0.5"],
    "migrate lose": ["state.json", "a"],
    "migrate rollback": ["state.json"],
    "migrate leftovers": ["state.json", "keys.txt", "-o", "out.csv"],
    "migrate purged": ["state.json"],
    "repair": ["placed.csv", "-n", "a,b", "-o", "out.csv"],
    "split": ["keys.txt", "-n", "a,b", "-o", "shards"],
    "verify": ["shards"],
    "nodes": ["nodes.json"],
    "nodes publish": ["nodes.json", "--to", "out.json"],
    "watch": ["nodes.json"],
    "serve": ["nodes.json"],
    "bench": ["--list"],
    "info": [],
}
#: the options that name several things, and so add up
SEVERAL = {
    "select": {"nodes", "where", "dead", "spread", "max_per_domain"},
    "assign": {"nodes", "where", "dead", "spread", "max_per_domain", "key_column"},
    "plan": {"nodes", "to", "add", "remove", "set_weight", "where", "dead", "spread", "to_spread",
             "max_per_domain", "to_max_per_domain", "key_column", "zone_column"},
    "migrate plan": {"nodes", "to", "add", "remove", "set_weight", "where", "dead", "spread",
                     "to_spread", "max_per_domain", "to_max_per_domain"},
    "migrate status": set(),
    "migrate view": set(),
    "migrate workers": set(),
    "migrate join": set(),
    "migrate leave": set(),
    "migrate acknowledge": set(),
    "migrate advance": set(),
    "migrate keys": {"key_column"},
    "migrate finish": set(),
    "migrate verify": {"key_column"},
    "migrate progress": set(),
    "migrate lose": set(),
    "migrate rollback": set(),
    "migrate leftovers": {"key_column"},
    "migrate purged": set(),
    "repair": {"nodes", "where", "dead", "spread", "max_per_domain", "key_column"},
    "split": {"nodes", "where", "dead", "spread", "max_per_domain", "key_column"},
    "verify": {"nodes", "where", "dead"},
    "nodes": {"weigh", "exponent"},
    "nodes publish": {"weigh", "exponent", "smooth"},
    "watch": {"weigh", "exponent"},
    "serve": {"weigh", "exponent"},
    "bench": {"only"},
    "info": set(),
}  # fmt: skip
OPTIONS = [
    (name, param)
    for name in COMMANDS
    for param in COMMANDS[name].params
    if param.param_type_name == "option" and not param.is_eager
]


def refused(result):
    """The one line about a command line that is wrong."""
    assert (result.code, result.out) == (2, b""), result
    assert result.err.startswith("rvh: ")
    assert result.err.count("\n") == 1
    return result.err[5:-1]


def test_every_command_has_a_good_line():
    assert set(GOOD) == set(SEVERAL) == set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_which_options_add_up(name):
    params = [param for each, param in OPTIONS if each == name]
    assert {param.name for param in params if param.multiple} == SEVERAL[name]


@pytest.mark.parametrize(
    ("name", "param"),
    [(name, param) for name, param in OPTIONS if not param.multiple],
    ids=lambda each: getattr(each, "name", each),
)
def test_every_other_option_is_refused_the_second_time(call, tmp_path, monkeypatch, name, param):
    """In all spellings, before anything is read or written, whatever its values are."""
    monkeypatch.chdir(tmp_path)
    first, last = param.opts[0], param.opts[-1]
    given = [first, last] if param.is_flag else [first, "1", last, "1"]
    # What a good command line has of it already is left away.
    good = list(GOOD[name])
    for spelling in param.opts:
        if spelling in good:
            at = good.index(spelling)
            del good[at : at + (1 if param.is_flag else 2)]
    line = refused(call(*name.split(), *good, *given))
    assert " / ".join(param.opts) in line
    assert "is given 2 times: give it once" in line
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "twice",
    [["-c", "2", "--k=1"], ["--count=2", "-c1"], ["--json", "--scores", "--json"]],
)
def test_two_spellings_are_one_option(call, twice):
    assert "is given 2 times" in refused(call("select", "-n", "a,b", "-k", "x", *twice))


def test_flags_in_one_word(call, tmp_path):
    keys = tmp_path / "keys.txt"
    keys.write_text("x\n", encoding="utf-8")
    args = ["assign", keys, "-n", "a,b"]
    assert "--quiet / -q is given 2 times" in refused(call(*args, "-o", "-", "-qq"))
    assert call(*args, "-qo", "-").out == b"x\tb\n"


def test_help_is_told_in_any_case(call):
    result = call("select", "-n", "a,b", "-k", "x", "-k", "y", "--help", "-h")
    assert (result.code, result.out[:18]) == (0, b"Usage: rvh select ")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["-c", "two"], "two"),
        (["--scheme", "md5"], "'md5' is not one of 'blake2b', 'murmur'"),
        (["--precision", "1.5"], "1.5"),
    ],
)
def test_a_wrong_value_is_shown(call, given, words):
    """Whatever Typer reads it with."""
    line = refused(call("select", "-n", "a,b", "-k", "x", *given))
    assert words in line
    assert given[0] in line
    assert "Value error" not in line


def test_a_key_column_that_is_named_twice(call, tmp_path):
    """Its value twice would be another key."""
    keys = tmp_path / "keys.csv"
    keys.write_text("id,name\n1,x\n", encoding="utf-8")
    for columns in (["-K", "id", "-K", "id"], ["-K", "id,id"], ["-K", "id,name", "-K", "id"]):
        line = refused(call("assign", keys, "-n", "a,b", "-o", "-", *columns))
        assert "column 'id' is named twice: name it once" in line


def test_values_that_look_like_options_are_values(call):
    assert call("select", "-n", "a,b", "--key=--json").out == b"['a']\n"
    assert rvh.rendezvous_hash(["a", "b"], "--json") == ["a"]
    assert (
        call("select", "-n", "a,b", "-k-c").out
        == f"{rvh.rendezvous_hash(['a', 'b'], '-c')}\n".encode()
    )


def test_nodes_and_dead_add_up(call):
    ids = ["a", "b", "c", "d"]
    args = ["select", "-k", "obj", "-n", "a", "-n", "b,c", "--nodes=d"]
    assert call(*args, "-c", 4).out == f"{rvh.rendezvous_hash(ids, 'obj', 4)}\n".encode()
    left = rvh.rendezvous_hash(["a", "d"], "obj", 2)
    dead = ["--dead", "b", "--dead", "c"]
    assert call(*args, "-c", 2, *dead).out == f"{left}\n".encode()
    assert call(*args, "-c", 2, "--dead", "b,c").out == f"{left}\n".encode()


def test_repeated_ids_are_named_by_their_places(fails, tmp_path):
    path, other = tmp_path / "a.txt", tmp_path / "b.csv"
    path.write_text("x\ny\n", encoding="utf-8")
    other.write_text("id\nz\ny\n", encoding="utf-8")
    at = ["select", "-k", "obj"]
    assert fails(*at, "-n", "a,b", "-n", "a") == (
        "--nodes entry 3 repeats node id 'a' of entry 1: ids are unique"
    )
    assert fails(*at, "-n", f"@{path}", "-n", f"@{other}") == (
        f"{other}: row 2 repeats node id 'y' of {path}: line 2: ids are unique"
    )
    assert fails(*at, "-n", f"@{path}", "-n", "y") == (
        f"--nodes entry 1 repeats node id 'y' of {path}: line 2: ids are unique"
    )


def test_files_add_up_with_their_columns(call, tmp_path):
    rows = ["a,8,eu\nb,4,us\n", "c,8,eu\nd,4,us\n"]
    files = [tmp_path / f"{n}.csv" for n in range(2)]
    for path, text in zip(files, rows, strict=True):
        path.write_text(f"id,w,zone\n{text}", encoding="utf-8")
    args = ["select", "-k", "obj", "-n", f"@{files[0]}", "-n", f"@{files[1]}"]
    args += ["--weight-column", "w", "--where", "zone=eu", "-c", 2]
    expected = rvh.NodeSet(["a", "c"], [8.0, 8.0]).select("obj", 2)
    assert call(*args).out == f"{list(expected)}\n".encode()


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["select", "-n=a,b", "-k", "x"], ["a,b or =a,b", "write -n a,b or -n =a,b"]),
        (["select", "-n", "a,b", "-k=x"], ["x or =x", "-k x or -k =x"]),
        (["assign", "keys.txt", "-n", "a,b", "-o=x.csv"], ["-o x.csv"]),
        (["assign", "keys.txt", "-n", "a,b", "-qo=x.csv"], ["-o x.csv or -o =x.csv"]),
        (["assign", "keys.txt", "-n", "a,b", "-qo", "-K"], ["--out=-K"]),
        (["select", "-n", "a,b", "-k", "--json"], ["--key=--json"]),
        (["select", "-n", "a,b", "-k", "x", "--dead", "--where", "up"], ["--dead=--where"]),
        (["assign", "keys.txt", "-n", "a,b", "-o", "-q"], ["--out=-q"]),
        (["bench", "-o", "--list"], ["--out=--list"]),
    ],
)
def test_what_programs_read_in_two_ways(call, tmp_path, monkeypatch, args, words):
    monkeypatch.chdir(tmp_path)
    line = refused(call(*args))
    for word in words:
        assert word in line
    assert list(tmp_path.iterdir()) == []


def test_a_value_may_begin_with_an_equals_sign(call):
    expected = f"{rvh.rendezvous_hash(['a', 'b'], '=x')}\n".encode()
    assert call("select", "-n", "a,b", "-k", "=x").out == expected
    assert call("select", "-n", "a,b", "--key==x").out == expected


@pytest.mark.parametrize(
    ("args", "end"),
    [
        (["nope"], "see rvh --help"),
        (["select", "-n", "a,b"], "see rvh select --help"),
        (["select", "-n", "a,b", "-k", "x", "--nope"], "see rvh select --help"),
        (["select", "-n", "a,b", "-k", "x", "-c", "1\n2"], "see rvh select --help"),
        (["select", "-n", "a,b", "-k", "x", "y"], "see rvh select --help"),
        (["bench", "--fail-over", "1"], "see rvh bench --help"),
    ],
)
def test_an_error_about_the_command_line_is_one_line(call, args, end):
    assert refused(call(*args)).endswith(f"; {end}")


def test_no_command_at_all_shows_the_help(spawn):
    result = spawn()
    assert "Usage: rvh COMMAND" in result.out.decode() + result.err
