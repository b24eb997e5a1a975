"""A million keys and where they belong; a HOME that the engines may write to."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from clusters import Million

import rvh

M = 1_000_000


@pytest.fixture(scope="session")
def million() -> Million:
    keys = [f"user:{n:08d}" for n in range(M)]
    nodes = rvh.NodeSet(["cache-a", "cache-b", "cache-c", "cache-d"], scheme="murmur")
    return Million(keys, nodes, nodes.select_batch(keys)[:, 0].tolist())


@pytest.fixture(scope="session", autouse=True)
def surroundings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Ray and Spark write to HOME and to the folder that they are started in."""
    if rvh.backend() != "native":
        pytest.skip("clusters are tested once, with the compiled backend")
    home = tmp_path_factory.mktemp("home")
    before = Path.cwd()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(home))
        os.chdir(home)
        yield home
        os.chdir(before)
