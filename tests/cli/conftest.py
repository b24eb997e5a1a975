"""How these tests call the command line: in this process, or as a process of its own."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from commandline import command, environment

from rvh.cli import main


@dataclass
class Result:
    code: int
    out: bytes
    err: str


Run = Callable[..., Result]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def call(capfdbinary: pytest.CaptureFixture[bytes]) -> Run:
    """`rvh ARGS` in this process."""

    def run(*args: object) -> Result:
        capfdbinary.readouterr()
        code = main([str(arg) for arg in args])
        captured = capfdbinary.readouterr()
        return Result(int(code), captured.out, captured.err.decode())

    return run


@pytest.fixture
def spawn() -> Run:
    """`rvh ARGS` in a process of its own, or any other command line as `argv`."""

    def run(*args: object, argv: Sequence[str] | None = None, **options: Any) -> Result:
        done = subprocess.run(
            argv or command(*args),
            capture_output=True,
            env=environment(),
            timeout=300,
            check=False,
            **options,
        )
        return Result(done.returncode, done.stdout, done.stderr.decode())

    return run


@pytest.fixture
def fails(call: Run) -> Callable[..., str]:
    """Call, expect exit status 1 and one line on stderr; give the line."""

    def run(*args: object) -> str:
        result = call(*args)
        assert result.code == 1, result
        assert result.out == b""
        assert result.err.startswith("rvh: ")
        assert result.err.count("\n") == 1, result.err
        assert result.err.endswith("\n")
        return result.err[5:-1]

    return run
