"""The README: short, and its examples print what it says."""

from __future__ import annotations

from pathlib import Path

from folders import ROOT
from pages import run_page

README = ROOT / "README.md"


def test_it_is_short() -> None:
    assert len(README.read_text("utf-8").split()) < 700


def test_its_examples_print_what_it_says(tmp_path: Path) -> None:
    assert run_page("../README.md", tmp_path, {}) == 4
