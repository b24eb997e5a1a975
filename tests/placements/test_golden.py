"""The placements of other systems stay where earlier commits of rvh had them."""

from __future__ import annotations

import json

import pytest
from golden.make_placements import ANSWERS, FOLDER, packed

import rvh.placements

RECORDED = {
    path.stem: json.loads(path.read_text("ascii")) for path in sorted(FOLDER.glob("*.json"))
}
assert RECORDED


@pytest.mark.parametrize(
    ("commit", "what"), [(commit, what) for commit, found in RECORDED.items() for what in found]
)
def test_placements_stay(commit: str, what: str) -> None:
    assert packed(ANSWERS[what]()) == RECORDED[commit][what]


def test_every_function_is_recorded() -> None:
    functions = {name for name in rvh.placements.__all__ if name.islower()}
    hashes = {f"Modulo, {name}" for name in rvh.placements.HASHES}
    recorded = set().union(*RECORDED.values())
    assert functions | hashes | {"Rendezvous", "TokenMap"} <= recorded == set(ANSWERS)
