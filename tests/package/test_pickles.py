"""Pickles of earlier commits go on being read, whatever file a class has moved to."""

from __future__ import annotations

import base64
import json
import pickle
import pickletools

import pytest
from golden.make_pickles import FOLDER, PICKLED

RECORDED = {
    path.stem: json.loads(path.read_text("utf-8")) for path in sorted(FOLDER.glob("*.json"))
}
assert RECORDED


@pytest.mark.parametrize(
    ("commit", "what"), [(commit, what) for commit, found in RECORDED.items() for what in found]
)
def test_an_earlier_pickle_answers_the_same(commit: str, what: str) -> None:
    make, answers = PICKLED[what]
    arrived = pickle.loads(base64.b64decode(RECORDED[commit][what]))
    assert type(arrived) is type(make())
    assert answers(arrived) == answers(make())


@pytest.mark.parametrize("what", PICKLED)
def test_a_pickle_arrives(what: str) -> None:
    make, answers = PICKLED[what]
    assert answers(pickle.loads(pickle.dumps(make()))) == answers(make())


@pytest.mark.parametrize("what", PICKLED)
def test_a_pickle_names_public_modules(what: str) -> None:
    """So that files can move: nothing but what users import is named, and helpers beside it."""
    named = [
        str(argument)
        for code, argument, _ in pickletools.genops(pickle.dumps(PICKLED[what][0](), protocol=2))
        if code.name == "GLOBAL"
    ]
    assert [module for module in named if module.startswith("rvh._")] == []


def test_all_is_recorded() -> None:
    assert set().union(*RECORDED.values()) == set(PICKLED)
