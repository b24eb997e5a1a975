"""The pages of engines run as they are; those with workers are run in tests/clusters."""

from __future__ import annotations

from pathlib import Path

import pytest
from pages import run_page

#: the page -> its blocks, and what it needs
PAGES = {
    "index": (5, ("polars",)),
    "polars": (5, ("polars",)),
    "pandas": (3, ("pandas",)),
    "duckdb": (3, ("duckdb", "pyarrow")),
    "datafusion": (4, ("datafusion", "pyarrow")),
    "arrow": (4, ("pyarrow", "polars")),
    "pymemcache": (2, ("pymemcache",)),
    "workers": (1, ()),
}


@pytest.mark.parametrize("page", PAGES)
def test_the_page(page: str, tmp_path: Path) -> None:
    blocks, needed = PAGES[page]
    for package in needed:
        pytest.importorskip(package, reason=f"{package} is not installed")
    assert run_page(f"how-to/engines/{page}.md", tmp_path, {}) == blocks
