"""docs/explanation/reliability.md: each promise has a test that exists, a figure, and a command."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "explanation" / "reliability.md").read_text("utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in PAGE.splitlines()
    if line.startswith("|") and not line.startswith(("|---", "| promise |"))
]


def test_every_promise_has_a_test_a_figure_and_a_command() -> None:
    assert len(ROWS) > 30
    for row in ROWS:
        assert len(row) == 4, row
        assert all(row), row
        assert "`" in row[3], row


def test_what_the_page_names_exists() -> None:
    named = set(re.findall(r"(?:tests|src|benchmarks|\.ci|docs)/[\w./-]*\w", PAGE))
    assert len(named) > 30
    assert [path for path in sorted(named) if not (ROOT / path).exists()] == []
    tree = ast.parse((ROOT / "noxfile.py").read_text("utf-8"))
    tasks = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    asked = " ".join(re.findall(r"nox -s ([\"\w ()]+)", PAGE))
    assert set(re.findall(r"(?<!\()\b[a-z_]+\b(?!\))", asked)) <= tasks
