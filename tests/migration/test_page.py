"""docs/how-to/migrate.md, as a reader runs it."""

from __future__ import annotations

from pathlib import Path

from pages import run_page


def test_the_page(tmp_path: Path) -> None:
    assert run_page("how-to/migrate.md", tmp_path, {}) == 7
