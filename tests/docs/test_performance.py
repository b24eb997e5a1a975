"""docs/explanation/performance.md: its example prints what the page says."""

from __future__ import annotations

from pathlib import Path

import pytest
from pages import run_page


def test_the_example_prints_what_the_page_says(tmp_path: Path) -> None:
    for module in ("pandas", "pyarrow"):
        pytest.importorskip(module, reason=f"the example needs {module}")
    assert run_page("explanation/performance.md", tmp_path, {}) == 1
