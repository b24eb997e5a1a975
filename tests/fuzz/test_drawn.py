"""Calls of every public name, and command lines: an answer or an error in words, as the twin's.

`nox -s fuzz_python -- SECONDS calls commands` draws more.
"""

from __future__ import annotations

from fuzz import calls, commands
from fuzz.drawn import same
from fuzz.harness import Twin
from hypothesis import given, settings


@settings(max_examples=100)
@given(case=calls.CASES)
def test_calls(twin: Twin, case: calls.Case) -> None:
    same(calls.run, case, twin)


@settings(max_examples=12)
@given(case=commands.CASES)
def test_commands(twin: Twin, case: commands.Case) -> None:
    same(commands.run, case, twin)
