"""`.ci/*.txt` have what `pyproject.toml` asks for: `nox -s lock` writes them."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def asked_for(extra: str) -> Iterator[Requirement]:
    for each in map(Requirement, PROJECT["project"]["optional-dependencies"][extra]):
        if each.name == "rvh":
            for further in each.extras:
                yield from asked_for(further)
        else:
            yield each


@pytest.mark.parametrize("extra", ["dev", "clusters"])
def test_every_requirement_is_locked(extra: str) -> None:
    text = (ROOT / ".ci" / f"{extra}.txt").read_text("utf-8")
    pinned = re.findall(r"(?m)^([\w.-]+)==(\S+).*\\\n    --hash=sha256:[0-9a-f]{64}", text)
    assert len(pinned) > 100
    versions: dict[str, set[str]] = {}
    for name, version in pinned:
        versions.setdefault(canonicalize_name(name), set()).add(version)
    requirements = [*asked_for(extra), *map(Requirement, PROJECT["project"]["dependencies"])]
    if extra == "dev":  # which builds rvh
        requirements += map(Requirement, PROJECT["build-system"]["requires"])
    for each in requirements:
        found = versions.get(canonicalize_name(each.name), set())
        assert found, f"{each.name} is not in .ci/{extra}.txt: nox -s lock"
        assert all(each.specifier.contains(version) for version in found), f"{each}: nox -s lock"


@pytest.mark.parametrize("extra", ["dev", "clusters"])
def test_no_index_is_named(extra: str) -> None:
    """Each machine has its own."""
    assert "://" not in (ROOT / ".ci" / f"{extra}.txt").read_text("utf-8")
