"""`-c` is the number of nodes in every command, and the documentation writes it so."""

from __future__ import annotations

import re

import pytest
from folders import DOCS

from rvh.cli.app import command

COMMANDS = command().commands
#: the commands that take a number of nodes for each key
WITH_COUNT = [
    name for name in COMMANDS if any("--k" in param.opts for param in COMMANDS[name].params)
]


def test_the_commands_with_a_number_of_nodes():
    assert {"select", "assign", "watch"} <= set(WITH_COUNT)


@pytest.mark.parametrize("name", COMMANDS)
def test_c_is_the_number_of_nodes_and_nothing_else(name):
    having = [param for param in COMMANDS[name].params if "-c" in param.opts]
    assert all("--k" in param.opts for param in having)
    assert bool(having) == (name in WITH_COUNT)


@pytest.mark.parametrize("name", WITH_COUNT)
def test_k_keeps_its_meaning_and_the_help_says_which(call, name):
    (param,) = [param for param in COMMANDS[name].params if "-k" in param.opts]
    assert param.name == ("key" if name == "select" else "k")
    if name == "watch":
        return
    shown = " ".join(call(*name.split(), "--help").out.decode().split())
    assert ("-k is the key here" if name == "select" else "-k is not the key here") in shown


def test_one_answer(call, tmp_path):
    keys = tmp_path / "keys.txt"
    keys.write_text("x\n", encoding="utf-8")
    answers = {
        call("assign", keys, "-n", "a,b,c", "-o", "-", "-q", option, "2").out
        for option in ("-c", "-k", "--k", "--count")
    }
    assert len(answers) == 1
    assert answers.pop().count(b"\t") == 2


def test_examples_write_it_so(call):
    pages = [path.read_text("utf-8") for path in [*DOCS.rglob("*.md"), DOCS.parent / "README.md"]]
    helps = [call(*name.split(), "--help").out.decode() for name in COMMANDS]
    lines = [line for text in pages + helps for line in re.findall(r"rvh (?:\w+ )+.*", text)]
    assert len(lines) > 50
    assert [line for line in lines if re.search(r" (-k|--k|--count) ?=?\d+\b(?! changes)", line)
            and not re.search(r"rvh (select .* -k|watch .*--count)", line)] == []  # fmt: skip
