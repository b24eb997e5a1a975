"""docs/migration.md, as a reader runs it."""

from __future__ import annotations

from pathlib import Path

from pages import run_page


def test_the_page(tmp_path: Path) -> None:
    assert run_page("migration.md", tmp_path, {}) == 6
