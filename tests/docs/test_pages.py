"""A test runs the blocks of every page that has some."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from folders import DOCS, ROOT

RUNNABLE = re.compile(r"^```(?:sh|console|pycon|python)$", re.MULTILINE)
#: its commands are tried one by one, in tests/cli/test_docs.py
APART = {"reference/cli.md"}


def with_blocks() -> dict[str, str]:
    """The pages that have blocks to run, and what they say."""
    pages = {path.relative_to(DOCS).as_posix(): path for path in DOCS.rglob("*.md")}
    pages["../README.md"] = ROOT / "README.md"
    texts = {name: path.read_text("utf-8") for name, path in pages.items()}
    return {name: text for name, text in texts.items() if RUNNABLE.search(text)}


def run_by(path: Path) -> Iterator[str]:
    """Patterns of the pages that a test file runs: `{page}` is any string that the file has."""
    text = path.read_text("utf-8")
    if "run_page(" not in text:
        return
    tree = ast.parse(text)
    strings = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "run_page":
            page = call.args[0]
            parts = page.values if isinstance(page, ast.JoinedStr) else [page]
            ends = [each.value if isinstance(each, ast.Constant) else None for each in parts]
            fixed = "".join(end if end is not None else "\0" for end in ends)
            yield from (fixed.replace("\0", each) for each in strings if isinstance(each, str))
        elif isinstance(call, ast.Constant) and "run_page(" in str(call.value):
            yield from re.findall(r'run_page\("([^"]+)"', str(call.value))


PAGES = with_blocks()


def test_a_test_runs_every_page() -> None:
    run = {page for path in ROOT.glob("tests/**/test_*.py") for page in run_by(path)}
    assert {page for page in PAGES if page not in run} == APART


@pytest.mark.parametrize("page", PAGES)
def test_blocks_are_fenced(page: str) -> None:
    """What is indented or in `text` is not run: no example of Python hides there."""
    run = re.compile(r"^```(?:pycon|console)\n.*?^```$", re.MULTILINE | re.DOTALL)
    assert re.findall(r"(?m)^(?: {4})?>>> .*", run.sub("", PAGES[page])) == []
