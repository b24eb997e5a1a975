"""docs/how-to/estimate.md, run from start to finish."""

from __future__ import annotations

from pathlib import Path

from pages import run_page


def test_the_page(tmp_path: Path) -> None:
    assert run_page("how-to/estimate.md", tmp_path, {}) == 7
    assert "A fourth cache" in (tmp_path / "report.html").read_text("utf-8")
