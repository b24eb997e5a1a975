"""The command that compares rvh with its peers: what it writes, and what it says of the missing."""

from __future__ import annotations

import csv
import importlib
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from folders import ROOT
from subprocesses import TIMEOUT, environment

import rvh
import rvh.cpu

BENCHMARKS = ROOT / "benchmarks"
COMMAND = BENCHMARKS / "peers"
IDS = [f"cache-{i:03d}.eu-west-1:11211" for i in range(64)]

pytestmark = pytest.mark.skipif(not COMMAND.exists(), reason="the tests run without the checkout")


def command(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(COMMAND), *options],
        env=environment(PYTHONUTF8="1"),
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=TIMEOUT,
        check=False,
    )


@pytest.fixture(scope="module")
def modules() -> Iterator[dict[str, ModuleType]]:
    names = ("peers_install", "peers_table", "peers_guarantees", "peers_measure")
    before = set(sys.modules)
    sys.path.insert(0, str(COMMAND))
    yield {name: importlib.import_module(name) for name in names}
    sys.path.remove(str(COMMAND))
    for name in set(sys.modules) - before:
        if name.startswith("peers"):
            del sys.modules[name]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """What a quick run prints of two peers that are there and one that could not be installed."""
    folder = tmp_path_factory.mktemp("peers")
    reasons = folder / "reasons.json"
    reasons.write_text('{"fastring": "needs Python >=3.13"}', encoding="utf-8")
    chosen = [f"--only={x}" for x in ("hashlib*", "fastring, batch", "rvh jump_batch")]
    out = folder / "results"
    done = command("--here", "--quick", f"--reasons={reasons}", f"--out={out}", *chosen)
    assert done.returncode == 0, done.stderr
    return done.stdout, out


def table(out: Path) -> list[dict[str, str]]:
    with (out / "peers.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


# -- the outputs -------------------------------------------------------------------------------


def test_the_csv_has_the_documented_columns_and_every_task(ran: tuple[str, Path]) -> None:
    rows = table(ran[1])
    documented = (COMMAND / "__main__.py").read_text(encoding="utf-8").split('"""')[1]
    for column in rows[0]:
        assert column in documented
    tasks = {(row["nodes"], row["k"], row["weighted"]) for row in rows}
    expected = [(n, k, w) for n in ("8", "64") for k, w in (("1", "0"), ("3", "0"), ("1", "1"))]
    assert tasks == set(expected)
    assert len(rows) == 3 * len(expected)


def test_a_missing_peer_is_a_row_that_says_why(ran: tuple[str, Path]) -> None:
    printed, out = ran
    rows = [row for row in table(out) if row["peer"] == "fastring, batch"]
    assert {row["status"] for row in rows} == {"not installed: fastring needs Python >=3.13"}
    assert {row["keys_per_s"] for row in rows} == {""}
    line = next(line for line in printed.splitlines() if line.startswith("| fastring, batch |"))
    assert "not installed: fastring needs Python >=3.13" in line


def test_what_is_there_has_figures_and_guarantees(ran: tuple[str, Path]) -> None:
    rows = {row["peer"]: row for row in table(ran[1]) if row["nodes"] == "64" and row["k"] == "1"}
    hashlib, jump = rows["hashlib loop"], rows["rvh jump_batch"]
    assert hashlib["status"] == "ok"
    assert float(hashlib["slowest"]) <= float(hashlib["keys_per_s"]) <= float(hashlib["fastest"])
    assert (hashlib["moved_add"], hashlib["moved_remove"], hashlib["leaves"]) == ("0", "0", "any")
    assert (hashlib["distinct"], jump["distinct"]) == ("1", "")
    # Bucket numbers: without one in the middle, those behind it stand for other nodes.
    assert float(jump["moved_remove"]) > 0.5
    assert (jump["moved_add"], jump["moved_remove_last"], jump["leaves"]) == ("0", "0", "last")
    assert jump["status"] == "no weights"


def test_the_markdown_is_one_table_and_what_is_printed(ran: tuple[str, Path]) -> None:
    printed, out = ran
    assert (out / "peers.md").read_text(encoding="utf-8") == printed
    lines = [line for line in printed.splitlines() if line.startswith("|")]
    assert len({line.replace("\\|", "").count("|") for line in lines}) == 1
    assert len(lines) == 2 + 3
    assert "| **rvh jump_batch** |" in printed
    assert f"instruction set {rvh.cpu.active()}, one thread" in printed
    assert str(Path.home()) not in printed


def test_the_chart_names_the_peers_that_were_measured(ran: tuple[str, Path]) -> None:
    pytest.importorskip("matplotlib", reason="the chart needs matplotlib")
    chart = ran[1] / "peers.svg"
    texts = {"".join(x.itertext()) for x in ElementTree.parse(chart).iter() if "text" in x.tag}
    assert {"hashlib loop", "rvh jump_batch", "8 nodes", "64 nodes"} <= texts
    assert "fastring, batch" not in texts


def test_no_such_peer() -> None:
    done = command("--here", "--only=nothing like it")
    assert done.returncode == 2
    assert "no peer is named like" in done.stderr


# -- the peers ---------------------------------------------------------------------------------


def test_hashlib_answers_what_rvh_does(modules: dict[str, ModuleType]) -> None:
    peers = modules["peers_table"]
    keys = peers.KEYS["list of bytes"](500)
    for k in (1, 3):
        answer = peers.hashlib_loop(peers.Task(IDS, k)).run(keys)
        mine = rvh.NodeSet(IDS).argselect_batch(keys, k)
        assert np.array_equal(peers.numbered(answer, IDS), mine)


def test_a_difference_from_hashlib_stops_the_run(modules: dict[str, ModuleType]) -> None:
    def wrong(task: object, count: int) -> list[str]:
        return [IDS[0]] * count

    with pytest.raises(AssertionError, match="differ from those of hashlib"):
        modules["peers_guarantees"].same_as_rvh(wrong, IDS, np.arange(100))


def test_a_peer_that_breaks_is_a_row(modules: dict[str, ModuleType]) -> None:
    peers, measuring = modules["peers_table"], modules["peers_measure"]

    def breaks(task: object) -> object:
        raise KeyError("renamed in this version")

    peer = peers.Peer("broken", breaks, "list of str", "names")
    (row,) = measuring.measure([peer], measuring.QUICK, 1, {})
    assert row.status == "failed: KeyError: 'renamed in this version'"


@pytest.mark.parametrize(
    "answer",
    [
        ["b", "a"],
        [b"b", b"a"],
        [["b"], ["a"]],
        np.array([["b"], ["a"]]),
        np.array([b"b", b"a"]),
        [1, 0],
        np.array([1, 0], dtype=np.int32),
    ],
    ids=repr,
)
def test_every_form_of_answer_is_read(modules: dict[str, ModuleType], answer: object) -> None:
    assert modules["peers_table"].numbered(answer, ["a", "b"]).tolist() == [[1], [0]]


def test_an_answer_that_is_no_node_is_refused(modules: dict[str, ModuleType]) -> None:
    with pytest.raises(AssertionError, match="not one of the nodes"):
        modules["peers_table"].numbered(["c"], ["a", "b"])


def test_rvh_moves_only_what_it_must(modules: dict[str, ModuleType]) -> None:
    peers, guarantees = modules["peers_table"], modules["peers_guarantees"]
    rows = peers.matching(["rvh select_batch*", "rvh PartitionTable*"])
    assert len(rows) == 5
    for peer in rows:

        def answers(task: object, count: int, peer: object = peer) -> object:
            return peer.make(task).run(peers.KEYS[peer.keys_as](count))

        seen = guarantees.look(answers, [*IDS, "new"], 500)
        assert (seen.moved_add, seen.moved_remove, seen.distinct) == (0, 0, 1), peer.name


# -- installing --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (
            "ERROR: Ignored the following versions that require a different python version: "
            "0.2.1 Requires-Python >=3.13\nERROR: No matching distribution found for fastring",
            "needs Python >=3.13",
        ),
        ("ERROR: No matching distribution found for x==9", "no such version for this Python"),
        (
            "  gcc -c x.c\n  x.c:3:10: fatal error: Python.h: No such file or directory\n"
            "ERROR: Failed building wheel for x",
            "does not build: x.c:3:10: fatal error: Python.h: No such file or directory",
        ),
        ("ERROR: cannot read https://index.example/x in /home/me/y", "ERROR: cannot read ... in"),
        ("", "no reason given"),
    ],
)
def test_the_reason_is_a_few_words(modules: dict[str, ModuleType], said: str, words: str) -> None:
    found = modules["peers_install"].reason(said)
    assert found.startswith(words)
    assert len(found) <= 120
    assert "example" not in found
    assert "/home" not in found


def test_every_peer_has_a_pin(modules: dict[str, ModuleType]) -> None:
    install = modules["peers_install"]
    assert all("==" in requirement for requirement in install.requirements())
    pinned = {install.name_of(requirement) for requirement in install.requirements()} | {"rvh"}
    assert {name for peer in modules["peers_table"].PEERS for name in peer.needs} <= pinned


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").write_text("precious", encoding="utf-8")
    for other in (tmp_path, tmp_path / "bin" / "python"):
        done = command(f"--venv={other}")
        assert done.returncode == 1
        assert "was not made by this command" in done.stderr
        assert "Traceback" not in done.stderr
    assert (tmp_path / "bin" / "python").read_text(encoding="utf-8") == "precious"
    assert [x.name for x in tmp_path.iterdir()] == ["bin"]


def test_results_that_cannot_be_written_are_told_before_anything_is_done(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("precious", encoding="utf-8")
    done = command(f"--out={tmp_path / 'file'}")
    assert done.returncode == 2
    assert "--out" in done.stderr
    assert "Traceback" not in done.stderr
    assert (tmp_path / "file").read_text(encoding="utf-8") == "precious"
