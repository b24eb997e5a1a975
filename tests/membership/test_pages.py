"""The pages about memberships and files; those of other sources run beside their servers."""

from __future__ import annotations

from pathlib import Path

from pages import run_page


def test_the_page_of_files(tmp_path: Path) -> None:
    assert run_page("how-to/membership/file.md", tmp_path, {}) == 4


def test_the_page_of_memberships(tmp_path: Path) -> None:
    assert run_page("how-to/membership/index.md", tmp_path, {}) == 5
