"""The pictures of docs/pictures are what its script draws, and pages show them."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from folders import DOCS, ROOT

PICTURES = DOCS / "pictures"


def test_the_script_draws_the_files(tmp_path: Path) -> None:
    subprocess.run([sys.executable, str(PICTURES / "draw.py"), str(tmp_path)], check=True)
    drawn = {path.name: path.read_text("utf-8") for path in tmp_path.iterdir()}
    assert drawn == {path.name: path.read_text("utf-8") for path in PICTURES.glob("*.svg")}


def test_each_is_shown_and_said_in_words() -> None:
    pages = [ROOT / "README.md", *DOCS.rglob("*.md")]
    shown = [
        (alt, target)
        for page in pages
        for alt, target in re.findall(r"!\[([^\]]*)\]\(([^)]+\.svg)\)", page.read_text("utf-8"))
    ]
    assert all(len(alt) > 20 for alt, _ in shown)
    names = {Path(target).name for _, target in shown}
    assert {path.name for path in PICTURES.glob("*.svg")} <= names
