"""Colour and progress: on a terminal that has them, and elsewhere only where it is asked for."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pytest
from commandline import command, environment

from rvh.cli import main

PLAN = ["plan", "--sample", "1000", "-n", "a,b", "--add", "c", "-q"]
BENCH = ["bench", "--only", "table/lookup-n1024-k1", "--rounds", "1"]
ASSIGN = ["assign", "keys.txt", "-n", "a,b", "-o", "out.txt"]


class Stream(io.TextIOWrapper):
    """A standard stream that is a terminal, or is none."""

    def __init__(self, is_terminal: bool) -> None:
        self.taken = io.BytesIO()
        super().__init__(self.taken, "utf-8", write_through=True)
        self._is_terminal = is_terminal

    def isatty(self) -> bool:
        return self._is_terminal


@pytest.fixture
def streams(here: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Where `shown` puts its streams, without this terminal's own variables."""
    (here / "keys.txt").write_text("x\n", encoding="utf-8")
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    return monkeypatch


def shown(
    streams: pytest.MonkeyPatch, args: list[str], out: bool, err: bool, **given: str
) -> tuple[bytes, bytes]:
    """What `rvh ARGS` writes on stdout and stderr, each a terminal or none."""
    for name, value in given.items():
        streams.setenv(name, value)
    made = Stream(out), Stream(err)
    with streams.context() as patch:
        patch.setattr(sys, "stdout", made[0])
        patch.setattr(sys, "stderr", made[1])
        assert main(args) == 0
    return made[0].taken.getvalue(), made[1].taken.getvalue()


@pytest.mark.parametrize(
    ("is_terminal", "given", "is_colored"),
    [
        (True, {}, True),
        (True, {"NO_COLOR": ""}, True),
        (True, {"NO_COLOR": "1"}, False),
        (True, {"TERM": "dumb"}, False),
        (True, {"TERM": "dumb", "FORCE_COLOR": "1"}, True),
        (True, {"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
        (False, {}, False),
        (False, {"FORCE_COLOR": "1"}, True),
        (False, {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
    ],
    ids=str,
)
def test_color_on_a_terminal_and_in_a_pipe(
    streams: pytest.MonkeyPatch, is_terminal: bool, given: dict[str, str], is_colored: bool
) -> None:
    text, _ = shown(streams, PLAN, out=is_terminal, err=False, **given)
    assert b"max/mean" in text
    assert (b"\x1b" in text) is is_colored


@pytest.mark.parametrize("args", [BENCH, ASSIGN], ids=" ".join)
@pytest.mark.parametrize(
    ("term", "is_terminal", "is_shown"),
    [("xterm", True, True), ("dumb", True, False), ("xterm", False, False)],
)
def test_progress_where_a_line_can_be_overwritten(
    streams: pytest.MonkeyPatch, args: list[str], term: str, is_terminal: bool, is_shown: bool
) -> None:
    out, err = shown(streams, args, out=False, err=is_terminal, TERM=term, FORCE_COLOR="1")
    assert (b"\x1b[" in err) is is_shown
    assert b"\x1b" not in out


@pytest.mark.parametrize("line", ["--help", "plan --help", "select -n a", "info --json"])
def test_no_escape_in_a_pipe_of_libraries(line: str) -> None:
    """Typer and rich would follow FORCE_COLOR."""
    done = subprocess.run(
        command(*line.split()),
        env=environment(FORCE_COLOR="1", TERM="xterm"),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == (2 if line == "select -n a" else 0)
    assert b"\x1b" not in done.stdout + done.stderr
