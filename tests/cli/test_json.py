"""``--json``: every command that reports has it, with the fields that the page names."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from folders import DOCS

from rvh.cli import main
from rvh.cli.app import COMMANDS

PAGE = (DOCS / "reference/cli.md").read_text("utf-8")
#: the commands without --json: view prints JSON in any case, and a service reports in its logs
WITHOUT = {"migrate view", "serve"}
STATUS = {
    *("old", "new", "phase", "rolling_back", "epoch", "progress", "steps", "left", "generation"),
    *("dead", "waiting", "workers"),
}
#: command lines in an order in which each can do its work, and the fields of what it prints
LINES: list[tuple[str, set[str]]] = [
    (
        "assign keys.txt -n a,b,c -c 2 -o placed.txt",
        {"rows", "nodes", "key", "null_keys", "seconds", "keys_per_second", "notes"},
    ),
    (
        "split keys.txt -n a,b,c -o shards",
        {
            *("rows", "nodes", "key", "null_keys", "seconds", "keys_per_second", "notes"),
            *("files", "rows_written", "bytes"),
        },
    ),
    ("verify shards", {"ok", "files", "rows", "bytes", "checked", "faults"}),
    (
        "repair placed.txt -n a,b,c --dead b -o new.txt",
        {
            *("rows", "repaired", "copies", "lost", "without_key", "misplaced", "unknown_nodes"),
            *("key", "columns", "seconds", "notes"),
        },
    ),
    ("migrate plan state.json -n a,b --add c --steps 2", STATUS),
    ("migrate workers state.json w v", STATUS),
    ("migrate join state.json x", STATUS),
    ("migrate acknowledge state.json x 1", STATUS),
    ("migrate leave state.json x", STATUS),
    ("migrate workers state.json --none", STATUS),
    ("migrate advance state.json", STATUS),
    ("migrate advance state.json", STATUS),
    ("migrate status state.json", STATUS),
    (
        "migrate keys state.json keys.txt -o copies.csv",
        {"rows", "key", "null_keys", "copies", "seconds", "without_source", "generation"},
    ),
    ("migrate finish state.json 0-1", STATUS),
    (
        "migrate verify state.json held.csv -K key",
        {"ok", "phase", "keys", "copies", "missing", "different", "others", "strays", "faults"},
    ),
    ("migrate advance state.json", STATUS),
    ("migrate progress state.json 0.5", STATUS),
    ("migrate rollback state.json", STATUS),
    ("migrate advance state.json", STATUS),
    (
        "migrate leftovers state.json keys.txt -o remove.csv",
        {"rows", "key", "null_keys", "copies", "seconds"},
    ),
    ("migrate purged state.json", STATUS),
    ("migrate lose state.json c", STATUS),
    (
        "nodes publish fleet.json --to nodes.json",
        {"target", "is_new", "epoch", "nodes", "selectable", "moved"},
    ),
    ("nodes nodes.json", {"epoch", "nodes"}),
    ("info", {"version", "backend", "instruction_sets", "instruction_set_in_use", "threads"}),
    (
        "bench --only table/lookup-n1024-k1 --rounds 1 -o new.csv",
        {"environment", "scenarios", "gone"},
    ),
]  # fmt: skip
#: commands whose documents other tests hold
ELSEWHERE = {"select", "plan", "watch"}


#: the fields of each command
NAMED = {
    next(name for name in sorted(COMMANDS, reverse=True) if f"{line} ".startswith(f"{name} ")): each
    for line, each in LINES
}


def test_every_command_that_reports_has_it() -> None:
    assert {*NAMED, *ELSEWHERE, *WITHOUT} == set(COMMANDS)


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, str, str]]:
    """What each line printed, in a folder of their own."""
    folder = tmp_path_factory.mktemp("json")
    (folder / "keys.txt").write_text("x\ny\nz\n", encoding="utf-8")
    (folder / "fleet.json").write_text('[{"id": "a"}, {"id": "b"}]', encoding="utf-8")
    (folder / "held.csv").write_text("key,node\nx,a\n", encoding="utf-8")
    found = {}
    with contextlib.chdir(folder):
        for line, _ in LINES:
            out, err = io.StringIO(), io.StringIO()
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                code = main([*line.split(), "--json"])
            found[line] = (code, out.getvalue(), err.getvalue())
    return found


@pytest.mark.parametrize(("line", "fields"), LINES, ids=[line[:40] for line, _ in LINES])
def test_one_document_with_these_fields(
    printed: dict[str, tuple[int, str, str]], line: str, fields: set[str]
) -> None:
    code, out, err = printed[line]
    assert code == 0, (line, err)
    assert out.count("\n") == 1
    document = json.loads(out)
    assert set(document) == fields
    for name, value in document.items():
        if name in ("rows", "copies", "files", "bytes", "epoch", "generation", "seconds"):
            assert type(value) in (int, float), name


@pytest.mark.parametrize(("name", "fields"), NAMED.items(), ids=NAMED)
def test_the_page_names_every_field(name: str, fields: set[str]) -> None:
    section = re.search(rf"^## rvh {name}\n.*?(?=^## )", PAGE, re.MULTILINE | re.DOTALL)
    assert section is not None
    if fields == STATUS and name != "migrate status":
        assert "(#rvh-migrate-status) `--json`" in section[0]
        return
    if name == "split":
        assert "(#rvh-assign) `--json`" in section[0]
        fields = {"files", "rows_written", "bytes"}
    assert [each for each in fields if not re.search(f'["`]{each}["`]', section[0])] == []


def test_bench(printed: dict[str, tuple[int, str, str]]) -> None:
    line = next(line for line, _ in LINES if line.startswith("bench"))
    document = json.loads(printed[line][1])
    (scenario,) = document["scenarios"]
    assert scenario["name"] == "table/lookup-n1024-k1"
    assert scenario["weighted"] is False
    assert scenario["keys_per_second"] > 0
    assert document["environment"]["backend"] in ("native", "python")


def test_bench_compared(call: Any, tmp_path: Path) -> None:
    old = tmp_path / "old.csv"
    line = ["bench", "--only", "table/lookup-n1024-k1", "--rounds", 1, "--json"]
    assert "slowdown" not in json.loads(call(*line, "-o", old).out)["scenarios"][0]
    (scenario,) = json.loads(call(*line, "--compare", old).out)["scenarios"]
    assert scenario["slowdown"] > -1
    names = json.loads(call("bench", "--list", "--json", "--only", "table/lookup*").out)
    assert names == ["table/lookup-n1024-k1", "table/lookup-n1024-k3"]


@pytest.mark.parametrize(
    "line",
    [
        "assign keys.txt -n a,b -o -",
        "assign keys.txt -n a,b -o /dev/stdout",
        "repair keys.txt -n a,b --copies -",
        "migrate keys state.json keys.txt -o -",
        "migrate leftovers state.json keys.txt -o -",
        "bench -o -",
    ],
)
def test_stdout_has_one_thing(call: Any, here: Path, line: str) -> None:
    (here / "keys.txt").write_text("x\n", encoding="utf-8")
    result = call(*line.split(), "--json")
    assert (result.code, result.out) == (2, b"")
    assert re.search(
        "stdout has the rows of --(out|copies): give --(out|copies) a file", result.err
    )


def test_quiet_leaves_the_document(call: Any, here: Path) -> None:
    (here / "keys.txt").write_text("x\n", encoding="utf-8")
    result = call("assign", "keys.txt", "-n", "a,b", "-o", "o.txt", "--json", "--quiet")
    assert (result.code, result.err) == (0, "")
    assert json.loads(result.out)["rows"] == 1


@pytest.mark.skipif(sys.platform in ("darwin", "win32"), reason="names of files are UTF-8 here")
def test_a_name_that_is_not_utf8(call: Any, here: Path) -> None:
    """In a document it is escaped; a worker cannot have it."""
    name = os.fsdecode(b"\xff")
    (here / "keys.txt").write_text("x\n", encoding="utf-8")
    assert call("split", "keys.txt", "-n", "a,b", "-o", "shards").code == 0
    (folder,) = (here / "shards").glob("node=*")
    (folder / name).touch()
    (fault,) = json.loads(call("verify", "shards", "--json").out)["faults"]
    assert fault["path"] == f"{folder.name}/{name}"
    assert call("migrate", "plan", "state.json", "-n", "a,b", "--add", "c").code == 0
    for command in ("workers", "join"):
        result = call("migrate", command, "state.json", name, "--json")
        assert (result.code, result.out) == (1, b"")
        assert "WORKER is '\\udcff', which is not UTF-8 text" in result.err


def test_lost_rows_are_counted(call: Any, here: Path) -> None:
    (here / "placed.txt").write_text("x\tb\n", encoding="utf-8")
    line = ("repair", "placed.txt", "-n", "a,b", "--dead", "b", "-o", "new.txt", "--json")
    result = call(*line)
    assert (result.code, result.err) == (3, "")
    assert json.loads(result.out)["lost"] == 1
