"""The floors of rvh, as docs/explanation/architecture.md has them."""

from __future__ import annotations

import re

from folders import ROOT

PAGE = ROOT / "docs" / "explanation" / "architecture.md"


def floors() -> dict[str, int]:
    """Part -> floor."""
    section = PAGE.read_text("utf-8").partition("## The floors")[2]
    rows = re.findall(r"(?m)^\| (\d+) \| `(\w+)` \|", section)
    assert rows
    assert len(rows) == len({part for _, part in rows}), "a part is on two floors"
    return {part: int(floor) for floor, part in rows}
