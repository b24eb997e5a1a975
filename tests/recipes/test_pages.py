"""The recipes run as they stand in docs/recipes; long tables are shorter in the small size."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest
from folders import DOCS
from pages import run_page
from sizes import LARGE

import rvh

NIGHTLY = {"5_000_000": "200_000"}
# Fewer rows are less even.
NIGHTLY |= {f"is {each}% above": "is ...% above" for each in (8, 6, 3)}

#: the page -> the blocks that run, what is smaller in the small size, and what has to be installed
RECIPES: dict[str, tuple[int, dict[str, str], tuple[str, ...]]] = {
    "nightly.md": (3, NIGHTLY, ("polars", "uhashring")),
    "zones.md": (3, {}, ("polars", "airportsdata")),
    "experiments.md": (1, {}, ()),
    "prompts.md": (3, {}, ()),
    "tables.md": (2, {}, ("polars", "airportsdata", "deltalake", "pyiceberg")),
    "dbt.md": (2, {}, ("airportsdata", "dbt")),
}


def test_every_recipe_is_here() -> None:
    assert {path.name for path in (DOCS / "recipes").glob("*.md")} == set(RECIPES)


@pytest.mark.parametrize("page", RECIPES)
def test_the_recipe_prints_what_the_page_says(page: str, tmp_path: Path) -> None:
    blocks, smaller, needed = RECIPES[page]
    if rvh.backend() != "native":
        pytest.skip("recipes are run once, with the compiled backend")
    for package in needed:
        if find_spec(package) is None:
            pytest.skip(f"{package} is not installed")
    replaced = {} if LARGE else smaller
    assert run_page(f"recipes/{page}", tmp_path, replaced, timeout=300) == blocks
