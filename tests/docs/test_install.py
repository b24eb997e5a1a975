"""docs/how-to/install.md has every extra, and extras that pages and messages name exist."""

from __future__ import annotations

import re
import tomllib

from folders import DOCS, ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
EXTRAS = set(PROJECT["optional-dependencies"])
#: extras for work on rvh
OURS = {"clusters", "dev", "lint", "site", "test"}
PAGES = [ROOT / "README.md", *DOCS.rglob("*.md")]


def test_the_table_has_every_extra() -> None:
    rows = re.findall(r"(?m)^\| (`.*?) \|", (DOCS / "how-to" / "install.md").read_text("utf-8"))
    named = [name for row in rows for name in re.findall(r"`([a-z]+)`", row)]
    assert sorted(named) == sorted(EXTRAS - OURS)


def named_by(extra: str) -> set[str]:
    """The extras that an extra includes."""
    lists = re.findall(r"rvh\[(.*?)\]", " ".join(PROJECT["optional-dependencies"][extra]))
    names = {name for each in lists for name in each.split(",")}
    return names.union(*map(named_by, names))


def test_all_has_what_the_page_says() -> None:
    assert EXTRAS - OURS - named_by("all") == {"all", "dask", "spark", "ray"}


def test_extras_that_pages_and_messages_name_exist() -> None:
    files = [*PAGES, *(ROOT / "src" / "rvh").rglob("*.py")]
    named = re.findall(r"(?:\brvh|')\.?\[([a-z,]+)\]", "".join(f.read_text("utf-8") for f in files))
    assert len(named) > 30
    assert {name for each in named for name in each.split(",")} <= EXTRAS


def test_the_repository_has_one_address() -> None:
    addresses = {
        address
        for page in PAGES
        for address in re.findall(r"git\+(https://[^\s'`@]+)", page.read_text("utf-8"))
    }
    assert addresses == {PROJECT["urls"]["Repository"]}
