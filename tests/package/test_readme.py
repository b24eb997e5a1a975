"""The README: short, and its examples print what it says."""

from __future__ import annotations

import tomllib
from pathlib import Path

from folders import ROOT
from pages import run_page

README = ROOT / "README.md"


def test_it_is_short() -> None:
    assert len(README.read_text("utf-8").split()) < 700


def test_its_examples_print_what_it_says(tmp_path: Path) -> None:
    assert run_page("../README.md", tmp_path, {}) == 4


def test_it_installs_from_the_address_of_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    address = f"'rvh[cli] @ git+{project['urls']['Repository']}'"
    assert f"pip install {address}" in README.read_text("utf-8")
