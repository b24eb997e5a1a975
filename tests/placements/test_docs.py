"""The page of the placements runs as it stands; its table has each placement by all its names."""

from __future__ import annotations

import re
from pathlib import Path

from folders import DOCS
from pages import run_page

import rvh.placements
from rvh.cli.options import SYSTEMS

TEXT = (DOCS / "reference/placements.md").read_text("utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in re.findall(r"^\|.*\|$", TEXT, re.MULTILINE)
][2:]


def test_the_page(tmp_path: Path) -> None:
    assert run_page("reference/placements.md", tmp_path, {}) == 3


def test_every_function_has_its_row() -> None:
    called = {name for _, placement, *_ in ROWS for name in re.findall(r"`(\w+)\(", placement)}
    functions = {name for name in rvh.placements.__all__ if name.islower()}
    assert called == functions | {"Modulo"}


def test_every_algorithm_has_its_row() -> None:
    named = [name for _, _, names, *_ in ROWS for name in re.findall(r"`([\w-]+)[^`]*`", names)]
    others = {name for name, each in SYSTEMS.items() if each.function.startswith("rvh.placements")}
    assert set(named) == others
    assert all(re.search(r"\d|zlib", held) for *_, held in ROWS)


def test_every_class_is_named() -> None:
    for name in rvh.placements.__all__:
        assert name in TEXT or name.isupper(), name
