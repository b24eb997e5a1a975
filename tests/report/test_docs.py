"""docs/how-to/report.md, run from start to finish."""

from __future__ import annotations

from pathlib import Path

from pages import run_page


def test_the_page(tmp_path: Path) -> None:
    assert run_page("how-to/report.md", tmp_path, {}) == 1
    assert "From ketama to rendezvous" in (tmp_path / "report.html").read_text("utf-8")
