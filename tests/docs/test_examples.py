"""The front page and docs/explanation: the examples print what the pages say."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest
from pages import run_page

#: the page -> its blocks, and what they need
PAGES: dict[str, tuple[int, tuple[str, ...]]] = {
    "index.md": (1, ()),
    "explanation/why-rendezvous.md": (5, ()),
    "explanation/performance.md": (1, ("pandas", "pyarrow")),
}


@pytest.mark.parametrize("page", PAGES)
def test_the_examples_print_what_the_page_says(page: str, tmp_path: Path) -> None:
    blocks, needed = PAGES[page]
    for package in needed:
        if find_spec(package) is None:
            pytest.skip(f"{package} is not installed")
    assert run_page(page, tmp_path, {}) == blocks
