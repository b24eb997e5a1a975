"""Where the files stand that tests read."""

from __future__ import annotations

from pathlib import Path

TESTS = Path(__file__).parents[1]
ROOT = TESTS.parent
DOCS = ROOT / "docs"
#: answers of rvh that hold for ever
GOLDEN = TESTS / "golden"
#: answers of other systems
VECTORS = TESTS / "vectors"
