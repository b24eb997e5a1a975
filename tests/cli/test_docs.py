"""`docs/reference/cli.md` has every command, option and format; its examples are true."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from folders import DOCS

from rvh._tables import COMPRESSIONS, FORMATS
from rvh.cli.app import command
from rvh.cli.exits import ExitStatus

PAGE = DOCS / "reference/cli.md"
TEXT = PAGE.read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## rvh ([\w ]+)\n(.*?)(?=^## |\Z)", TEXT, re.MULTILINE | re.DOTALL))
COMMANDS = command().commands


def options(name: str) -> set[str]:
    """The spellings of a command's options, from the parser itself."""
    params = [each for each in COMMANDS[name].params if each.param_type_name == "option"]
    return {spelling for each in params for spelling in each.opts} - {"--help", "-h"}


def test_every_command_has_a_section():
    assert set(SECTIONS) == set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_in_the_table_of_its_command_and_no_other(name):
    cells = re.findall(r"^\| (`-.*?) \|", SECTIONS[name], re.MULTILINE)
    documented = {spelling for cell in cells for spelling in re.findall(r"`(-[^`]*)`", cell)}
    assert documented == options(name)
    assert len(cells) == len(set(cells))


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_has_help(call, name):
    shown = call(*name.split(), "--help").out.decode()
    assert "Examples:" in shown
    for each in COMMANDS[name].params:
        assert each.param_type_name == "argument" or each.name == "help" or each.help, each.name


def test_every_format_and_extension():
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*?) \|", SECTIONS["assign"], re.MULTILINE))
    assert rows == {
        each.name: ", ".join(f"`{extension}`" for extension in each.extensions)
        for each in FORMATS.values()
    }
    for extension in COMPRESSIONS:
        assert f"`{extension}`" in SECTIONS["assign"]


def test_every_exit_status():
    cells = re.findall(r"^\| ([0-9, ]+) \|", TEXT, re.MULTILINE)
    documented = {int(number) for cell in cells for number in cell.split(",")}
    assert documented == {*map(int, ExitStatus), 129, 131}


Files = dict[str, str]


def examples() -> list[tuple[str, str, Files]]:
    """Commands of the page that show their output and need no file but those that `cat` shows."""
    found = []
    for block in re.findall(r"```console\n(.*?)```", TEXT, re.DOTALL):
        files: Files = {}
        for line, output in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE):
            if line.startswith("cat "):
                files[line.removeprefix("cat ")] = output
            elif output and (".csv" not in line or any(name in line for name in files)):
                found.append((line, output, files))
    return found


def test_examples_with_output_are_there():
    assert len(examples()) >= 8


@pytest.mark.parametrize(("line", "output", "files"), examples())
def test_examples_print_what_the_page_says(spawn, call, tmp_path, monkeypatch, line, output, files):
    monkeypatch.chdir(tmp_path)
    for name, content in files.items():
        Path(name).write_text(content, encoding="utf-8")
    *before, own = line.split(" | ")
    args = shlex.split(own)
    assert args.pop(0) == "rvh"
    if before:
        assert before == ["seq 3"]
        assert spawn(*args, input=b"1\n2\n3\n").out.decode() == output
    else:
        assert call(*args).out.decode() == output
