"""``--help``: a screen for all commands, whole texts in any width, sections of options."""

from __future__ import annotations

import re
import subprocess

import pytest
from commandline import environment, programs

from rvh.cli.app import command
from rvh.cli.help import EXAMPLES, GROUPS, SECTIONS, sections_of

COMMANDS = command().commands
SCREEN = (80, 24)
LISTS = [[], ["migrate"]]


@pytest.fixture(params=[60, 80, 120])
def columns(request, monkeypatch):
    """A terminal of so many columns."""
    monkeypatch.setenv("COLUMNS", str(request.param))
    return request.param


def shown(call, *name: str) -> str:
    result = call(*name, "--help")
    assert (result.code, result.err) == (0, "")
    return result.out.decode()


@pytest.mark.parametrize("name", LISTS, ids=str)
def test_a_list_of_commands_fits_on_a_screen(call, monkeypatch, name):
    monkeypatch.setenv("COLUMNS", str(SCREEN[0]))
    lines = shown(call, *name).splitlines()
    assert len(lines) < SCREEN[1]  # the prompt has a line of its own
    assert max(map(len, lines)) <= SCREEN[0]


def test_every_command_is_in_one_group():
    grouped = [
        f"{word} {name}".strip()
        for word, groups in GROUPS.items()
        for names in groups.values()
        for name in names
    ]
    assert sorted(grouped) == sorted([*COMMANDS, "migrate"])


@pytest.mark.parametrize("name", [*LISTS, *map(str.split, COMMANDS)], ids=str)
def test_nothing_is_cut_off_and_no_line_is_too_long(call, columns, name):
    text = shown(call, *name)
    examples = re.search(r"^Examples:\n((?:  .*\n)+)", text, re.MULTILINE)
    assert examples, text
    assert max(map(len, examples[1].splitlines())) <= 80  # in any width, to be pasted
    rest = text.replace(examples[1], "")
    assert not re.search(r"[a-z]\.\.\.$", rest, re.MULTILINE)
    assert max(map(len, rest.splitlines())) <= columns
    words = " ".join(rest.split())
    if not name or name == ["migrate"]:
        texts = [each.help.partition("\n")[0] for full, each in COMMANDS.items()
                 if (full.split()[:-1] or [""]) == (name or [""])]  # fmt: skip
    else:
        params = COMMANDS[" ".join(name)].params
        texts = [each.help for each in params if each.name != "help"]
    assert len(texts) > (1 if name in LISTS else 0)
    for each in texts:
        assert " ".join(each.split()) in words


@pytest.mark.parametrize("name", COMMANDS)
def test_one_sentence_then_examples_then_arguments_and_options(call, name):
    usage, sentence, examples, *rest = shown(call, *name.split()).split("\n\n")
    assert usage.startswith(f"Usage: rvh {name} ")
    assert re.fullmatch(r"[A-Z][^.]*\.", sentence)
    assert examples.startswith("Examples:\n  rvh ")
    titles = [title for part in rest if (title := part.partition("\n")[0]).endswith(":")]
    known = ["Commands:", "Arguments:", *(f"{each}:" for each in SECTIONS)]
    assert titles == sorted(titles, key=known.index)
    assert len(set(titles)) == len(titles)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_in_one_section(name):
    placed = [each for params in sections_of(COMMANDS[name].params).values() for each in params]
    options = [each for each in COMMANDS[name].params if each.param_type_name == "option"]
    assert len(placed) == len(options)
    assert {id(each) for each in placed} == {id(each) for each in options}


def test_no_section_has_an_option_that_is_not_there():
    there = {"--version", "--install-completion", "--show-completion", "--help"}
    for each in COMMANDS.values():
        for param in each.params:
            there |= {param.opts[0], f"{param.opts[0]} {param.metavar}"}
    assert {name for names in SECTIONS.values() for name in names} <= there


@pytest.mark.parametrize("name", COMMANDS)
def test_every_value_has_a_name(name):
    for each in COMMANDS[name].params:
        assert each.metavar or each.is_flag or each.name == "help", each.name


EXPECTED = {
    "rvh select": "['node1', 'node2']\n",
    "seq 3 | rvh assign": "1\tnode3\n2\tnode2\n3\tnode2\n",
    "rvh plan": "rendezvous (blake2b), 3 nodes to 4\n\n             keys\nmoves      24,898  24.9%",
}


@pytest.mark.parametrize("line", [each for lines in EXAMPLES.values() for each in lines])
def test_the_examples_of_the_lists_run_as_pasted(tmp_path, line):
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", line],
        capture_output=True, text=True, cwd=tmp_path, env=environment(PATH=programs()),
        timeout=60, check=True,
    )  # fmt: skip
    if "migrate" in line:
        assert "name all workers" in done.stderr
        assert (tmp_path / "state.json").exists()
        return
    (expected,) = [output for start, output in EXPECTED.items() if line.startswith(start)]
    assert done.stdout.startswith(expected)


@pytest.mark.parametrize("name", ["select", "migrate status"])
def test_a_help_is_plain_text_everywhere(call, monkeypatch, name):
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b" not in shown(call, *name.split())
