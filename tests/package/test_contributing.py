"""CONTRIBUTING.md names files and tasks that exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "CONTRIBUTING.md").read_text("utf-8")


def test_every_path_exists() -> None:
    """A word in capitals stands for what a reader adds: something has to be there of that form."""
    named = set(
        re.findall(r"(?:src|tests|docs|benchmarks|\.ci)/[\w./-]*\w|\b\w+\.(?:md|toml)\b", PAGE)
    )
    assert len(named) > 60
    forms = {path: re.sub(r"(?<![A-Z])[A-Z]{4,}(?=\.)", "*", path) for path in named}
    forms |= {path: path for path in named if "/" not in path}
    assert [path for path in sorted(named) if not any(ROOT.glob(forms[path]))] == []


def test_every_task_exists() -> None:
    tree = ast.parse((ROOT / "noxfile.py").read_text("utf-8"))
    tasks = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    named = set(re.findall(r"nox -s \W?(\w+)", PAGE))
    assert named
    assert named <= tasks
    run = (ROOT / ".ci" / "run").read_text("utf-8")
    assert set(re.findall(r"(?m)^tasks=\((.*)\)", run)[0].split()) <= tasks
