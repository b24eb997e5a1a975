"""Consoles, pipes and arguments whose encoding lacks a character: no traceback, and data whole."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from commandline import command, environment
from sizes import some

import rvh

IDS = ["ä", "漢", "c"]
LIST = ",".join(IDS)
RANKED = rvh.rendezvous_hash(IDS, "ü", 3)

#: surroundings whose stdout and stderr lack these characters, or all but ASCII; each with UTF-8
#: as the encoding of arguments and file names
ENCODINGS = {
    "ascii": {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "1"},
    "latin-1": {"PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "1"},
    "ascii, strict": {"PYTHONIOENCODING": "ascii:strict", "PYTHONUTF8": "1"},
    "utf-16": {"PYTHONIOENCODING": "utf-16", "PYTHONUTF8": "1"},
    "C": {"LC_ALL": "C"},
}
#: a locale in which an argument cannot be UTF-8 at all
BARE_C = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("漢.txt").write_text("ü\n", encoding="utf-8")
    Path("n.csv").write_text("id,漢\nä,1\nb,2\n", encoding="utf-8")
    return tmp_path


def run(variables, *args):
    done = subprocess.run(
        [os.fsencode(arg) for arg in command(*args)],
        capture_output=True,
        env=environment(**variables),
        timeout=300,
        check=False,
    )
    assert b"Traceback" not in done.stderr, done.stderr.decode(errors="replace")
    return done


@pytest.fixture(params=some(ENCODINGS, every=2))
def variables(request):
    return ENCODINGS[request.param]


def test_data_are_utf_8(variables):
    done = run(variables, "select", "-n", LIST, "-k", "ü", "-c", "3")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{RANKED}\n".encode(), b"")
    lines = run(variables, "select", "-n", LIST, "-k", "ü", "-c", "3", "--scores").stdout.decode()
    assert [line.split("\t")[0] for line in lines.splitlines()] == RANKED
    done = run(variables, "assign", "漢.txt", "-n", LIST, "-o", "-")
    assert done.stdout == f"ü\t{RANKED[0]}\n".encode()
    done = run(variables, "assign", "漢.txt", "-n", LIST, "-o", "漢.csv", "--column", "漢")
    assert done.returncode == 0
    assert Path("漢.csv").read_text(encoding="utf-8") == f"key,漢\nü,{RANKED[0]}\n"


@pytest.mark.parametrize(
    ("status", "args"),
    [
        (1, ["select", "-n", "@漢.csv", "-k", "x"]),
        (1, ["select", "-n", "a,漢,漢", "-k", "x"]),
        (1, ["select", "-n", "@n.csv", "-k", "x", "--node-column", "ß"]),
        (1, ["select", "-n", "@n.csv", "-k", "x", "--where", "漢>=漢"]),
        (1, ["select", "-n", "@n.csv", "-k", "x", "--dead", "漢"]),
        (2, ["select", "-n", "a,b", "-k", "x", "--漢"]),
        (2, ["select", "-n", "a,b", "-k", "漢", "--key-type", "int"]),
        (2, ["漢"]),
        (1, ["assign", "ß.txt", "-n", "a,b", "-o", "-"]),
        (2, ["bench", "--only", "漢"]),
    ],
)
@pytest.mark.parametrize("name", some(["ascii", "latin-1", "utf-16"], every=3))
def test_errors_are_one_line(name, status, args):
    variables = ENCODINGS[name]
    done = run(variables, *args)
    assert (done.returncode, done.stdout) == (status, b""), done
    text = done.stderr.decode(name)
    assert text.startswith("rvh: ")
    assert text.count("\n") == 1
    letter = next(letter for letter in "ß漢" if letter in "".join(args))
    assert letter.encode(name, "backslashreplace").removeprefix(b"\xff\xfe") in done.stderr


@pytest.mark.parametrize("args", [[], ["select"], ["assign"], ["bench"], ["info"]])
def test_help_is_ascii(args):
    done = run(ENCODINGS["ascii, strict"], *args, "--help")
    assert done.returncode == 0
    assert done.stdout.decode("ascii").startswith("Usage: rvh")


def test_information_and_figures(variables):
    assert f"version                 {rvh.__version__}\n".encode() in run(variables, "info").stdout
    assert b"table/lookup-n1024-k1\n" in run(variables, "bench", "--list").stdout


def test_notes_and_tables_name_what_they_must(variables):
    """A note of `select`; a table of `bench` with a scenario of a name that only OLD.csv has."""
    Path("z.csv").write_text("id,漢\nä,1\nb,1\n", encoding="utf-8")
    args = ["select", "-n", "@z.csv", "-k", "x", "-c", "2", "--spread", "漢"]
    done = run(variables, *args)
    assert done.returncode == 0
    assert b"are spread" in done.stderr.replace(b"\0", b"")
    only = ["--only", "table/build-murmur-n1024", "--only", "table/*漢", "--rounds", "1"]
    assert run(variables, "bench", *only[:2], *only[4:], "-o", "old.csv").returncode == 0
    old = Path("old.csv").read_text(encoding="utf-8")
    Path("old.csv").write_text(old.replace("table/build-murmur", "table/漢"), encoding="utf-8")
    options = ["bench", "--only", "table/*", "--rounds", "1", "--compare", "old.csv"]
    done = run(variables, *options)
    assert done.returncode == 0
    assert "table/漢-n1024" in done.stdout.decode()
    done = run(variables, *options, "-o", "-")
    assert done.returncode == 0
    assert done.stdout.startswith(b"name,call,")


@pytest.mark.parametrize(
    "locale", some([BARE_C, ENCODINGS["C"], {"PYTHONUTF8": "1"}], every=3), ids=str
)
def test_arguments_that_are_no_utf_8(locale):
    bad = os.fsdecode(b"\xff")
    for args, what in (
        (["select", "-n", f"a,{bad}", "-k", "x"], b"--nodes entry 2 is "),
        (["select", "-n", "a,b", "-k", bad], b"--key is "),
        (["select", "-n", "a,b", "-k", "x", "--dead", bad], b"--dead entry 1 is "),
        (["assign", "keys.txt", "-n", "a,b", "-o", "-", "--column", bad], b"--column is "),
    ):
        done = run(locale, *args)
        assert done.returncode == 1
        assert done.stderr.startswith(b"rvh: " + what)
        assert b"which is not UTF-8 text" in done.stderr
        assert done.stderr.count(b"\n") == 1
    for args, status in (
        (["select", "-n", f"@{bad}", "-k", "x"], 1),
        (["select", "-n", "@n.csv", "-k", "x", "--where", f"{bad}=1"], 1),
        (["select", "-n", "@n.csv", "-k", "x", "--node-column", bad], 1),
        (["select", "-n", "a,b", "-k", "x", "--secret-file", bad], 1),
        (["select", "-n", "a,b", "-k", "x", f"--{bad}"], 2),
        (["select", "-n", "a,b", "-k", "x", "--scheme", bad], 2),
        (["assign", f"{bad}.csv", "-n", "a,b", "-o", "-"], 1),
        (["assign", "n.csv", "-n", "a,b", "-K", bad, "-o", "-"], 1),
        (["bench", "--only", bad], 2),
        ([bad], 2),
    ):
        done = run(locale, *args)
        assert done.returncode == status, (args, done)
        assert done.stderr.startswith(b"rvh: ")
        assert done.stderr.count(b"\n") == 1


def test_a_file_whose_name_is_no_utf_8(here):
    nodes, keys, out = (os.fsdecode(b"\xff" + name) for name in (b".csv", b".txt", b".out.txt"))
    try:
        Path(nodes).write_text("id\na\nb\n", encoding="utf-8")
    except OSError as error:
        pytest.skip(f"this file system has no such names: {error}")
    Path(keys).write_text("x\n", encoding="utf-8")
    assert run({}, "select", "-n", f"@{nodes}", "-k", "x").stdout == b"['b']\n"
    assert run({}, "assign", keys, "-n", f"@{nodes}", "-o", out).returncode == 0
    assert Path(out).read_text(encoding="utf-8") == "x\tb\n"


def test_utf_8_under_a_locale_without_it_is_told_what_to_do():
    done = run(BARE_C, "select", "-n", LIST, "-k", "x")
    assert done.returncode == 1
    assert b"set a UTF-8 locale, such as LC_ALL=C.UTF-8" in done.stderr
    done = run({**BARE_C, "LC_ALL": "C.UTF-8"}, "select", "-n", LIST, "-k", "ü", "-c", "3")
    assert done.stdout == f"{RANKED}\n".encode()


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_the_bar_of_a_terminal(encoding):
    """stderr a terminal: the bar has the file's name in it."""
    ours, theirs = pty.openpty()
    try:
        done = subprocess.run(
            command("assign", "漢.txt", "-n", LIST, "-o", "out.txt"),
            stdout=subprocess.PIPE,
            stderr=theirs,
            env=environment(PYTHONIOENCODING=encoding, PYTHONUTF8="1", TERM="xterm"),
            timeout=300,
            check=False,
        )
        shown = os.read(ours, 1 << 16)
    finally:
        os.close(ours)
        os.close(theirs)
    assert done.returncode == 0
    assert b"Traceback" not in shown
    assert b"\\u6f22.txt" in shown
    assert b"rvh: 1 row on 3 nodes, " in shown


def test_closed_streams():
    """Messages never go to stdout, and data never nowhere."""
    rvh_ = [sys.executable, "-m", "rvh"]
    for redirect, args, status, out in (
        ("2>&-", "select -n a,b -k x", 0, b"['b']\n"),
        ("2>&-", "select -n a,a -k x", 1, b""),
        ("2>&-", "nope", 2, b""),
        ("2>&-", "assign 漢.txt -n a,b -o out.txt", 0, b""),
    ):
        done = subprocess.run(
            ["sh", "-c", f'exec "$@" {args} {redirect}', "sh", *rvh_],
            stdout=subprocess.PIPE,
            timeout=300,
            check=False,
        )
        assert (done.returncode, done.stdout) == (status, out), args
    for args in ("select -n a,b -k x", "select -n a,b -k x --scores", "info", "bench --list"):
        done = subprocess.run(
            ["sh", "-c", f'exec "$@" {args} >&-', "sh", *rvh_],
            stderr=subprocess.PIPE,
            timeout=300,
            check=False,
        )
        assert done.returncode == 1
        assert done.stderr == b"rvh: stdout is closed: there is nowhere to write the answer\n"


@pytest.mark.parametrize("id_", ["a\tb", "a\nb", "a\rb"])
def test_a_line_of_scores_is_one_node(call, fails, id_):
    import json

    at = ["select", "-n", json.dumps([id_]), "-k", "x", "--scores"]
    assert "has a tab or line break" in fails(*at)
    assert json.loads(call(*at, "--json").out)[0]["node"] == id_
