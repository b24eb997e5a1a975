"""Every option of every command with wrong values: one line of this program's own words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import Any, get_args

import pytest

from rvh.cli import app
from rvh.cli.groups import ungrouped

COMMANDS = app.command().commands
#: a command line of each command that ends by itself
GOOD = {
    "select": ["-n", "a,b", "-k", "x"],
    "assign": ["keys.txt", "-n", "a,b", "-o", "out.txt"],
    "plan": ["keys.txt", "-n", "a,b", "--add", "c"],
    "migrate plan": ["state.json", "-n", "a,b", "--add", "c"],
    "nodes": ["fleet.json"],
    "nodes publish": ["fleet.json", "--to", "out.json"],
    "bench": ["--list"],
}
WRONG = ["", "-1", "0", "1.5", "x y", "nan", "1e400", "9" * 30, "@nofile", "{}", ",", "é", "a=b"]
OPTIONS = [
    (name, param)
    for name in COMMANDS
    for param in COMMANDS[name].params
    if param.param_type_name == "option" and not (param.is_eager or param.is_flag)
]
#: the words of the libraries beneath, and names of rvh's own functions and keywords
FOREIGN = re.compile(
    "Input should|unable to parse|Value error|valid (integer|number|string)|pydantic|[Cc]lick"
    "|Errno|codec can't|Arrow[A-Z]|Traceback|argselect|load_factor|maxsize|Error:|[╭│]"
)


def line_of(result) -> str:
    """The one line on stderr of a command that failed."""
    assert result.code in (1, 2), result
    assert result.out == b""
    assert re.fullmatch(r"rvh: .+\n", result.err), result.err
    assert not FOREIGN.search(result.err), result.err
    return result.err[5:-1]


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("keys.txt").write_text("a\nb\n", encoding="utf-8")
    Path("fleet.json").write_text('[{"id": "a"}, {"id": "b"}]', encoding="utf-8")
    return tmp_path


def line(name: str, param, value: str) -> list[str]:
    good = list(GOOD.get(name, ["fleet.json"] if name in ("watch", "serve") else []))
    for spelling in param.opts:
        if spelling in good:
            at = good.index(spelling)
            del good[at : at + 2]
    long = next((each for each in param.opts if each.startswith("--")), None)
    return [*name.split(), *good, *([f"{long}={value}"] if long else [param.opts[0] + value])]


@pytest.mark.parametrize(
    ("name", "param"),
    [(name, param) for name, param in OPTIONS if name in GOOD],
    ids=lambda each: getattr(each, "name", each),
)
def test_wrong_values(call, here, name, param):
    for value in WRONG:
        result = call(*line(name, param, value))
        if result.code:
            line_of(result)


def numeric() -> Iterator[tuple[str, Any, str]]:
    """The options that take numbers, with the word for the kind."""
    for name, param in OPTIONS:
        module, function = app.COMMANDS[name]
        made = ungrouped(getattr(import_module(f"rvh.cli.{module}"), function))
        hint, *_ = get_args(signature(made).parameters[param.name].annotation)
        kinds = {hint, *get_args(hint)}
        for kind, what in ((int, "whole number"), (float, "number")):
            if kind in kinds:
                yield name, param, what


@pytest.mark.parametrize(
    ("name", "param", "what"), [*numeric()], ids=lambda each: getattr(each, "name", each)
)
def test_what_is_no_number_is_said_so(call, here, name, param, what):
    """Also of commands that would run for ever: the value is read before anything is done."""
    error = line_of(call(*line(name, param, "two")))
    names = " / ".join(param.opts)
    assert error == f"Invalid value for {names}: 'two' is not a {what}; see rvh {name} --help"


def test_there_are_options_that_take_numbers():
    assert len(list(numeric())) > 30


@pytest.mark.parametrize(
    ("args", "error"),
    [
        (
            ["bench", "--rounds", "0"],
            "Invalid value for --rounds: '0' is below 1; see rvh bench --help",
        ),
        (
            ["serve", "x.json", "--port", "70000"],
            "Invalid value for --port: '70000' is above 65535; see rvh serve --help",
        ),
        (
            ["select", "-n", "a,b", "-k", "x", "--scheme", "md5"],
            "Invalid value for --scheme: 'md5' is not one of 'blake2b', 'murmur'; see rvh select "
            "--help",
        ),
        (
            ["assign", "keys.txt", "-n", "a,b", "-o", "o.txt", "--load-factor", "-1"],
            "--load-factor is -1: give a finite number above 0 (with 1 or more there is always "
            "room), or omit it for no bound",
        ),
        (
            ["select", "-n", "a,b", "-k", "x", "--secret-file", ""],
            "--secret-file '' names no file: omit --secret-file to use no secret",
        ),
        (
            ["nodes", "fleet.json", "--timeout", "1e400"],
            "timeout is inf: pass a number of seconds above 0, at most 1,000,000,000",
        ),
        (["select", "-k", "x"], "Missing option '--nodes' / '-n'; see rvh select --help"),
        (["slect"], "No such command 'slect'."),
    ],
)
def test_the_words(call, here, args, error):
    assert line_of(call(*args)).split(" Did you mean")[0] == error
