"""docs/how-to/engines/index.md runs as it stands."""

from __future__ import annotations

from pathlib import Path

import pytest
from pages import run_page

for _engine in ("pyarrow", "pandas", "polars", "duckdb", "datafusion"):
    pytest.importorskip(_engine, reason=f"{_engine} is not installed")


def test_the_page(tmp_path: Path) -> None:
    assert run_page("how-to/engines/index.md", tmp_path, {}) == 10
