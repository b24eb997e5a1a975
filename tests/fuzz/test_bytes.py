"""Bytes that nobody meant, in every reader: read, or refused in words; and as the twin has it.

`nox -s fuzz_python -- SECONDS` does the same for longer, led by the code that is reached.
"""

from __future__ import annotations

import random

import pytest
from fuzz.harness import Twin, mutated, target

#: the targets that take bytes, and how many mutations of each
CASES = {"documents": 200, "saved": 60, "tables": 60, "wire": 200}


@pytest.mark.parametrize("name", CASES)
def test_the_corpus(name: str, twin: Twin) -> None:
    for kind, data in target(name).corpus():
        target(name).try_it(kind, data, twin)


@pytest.mark.parametrize("name", CASES)
def test_mutations(name: str, twin: Twin) -> None:
    made = target(name)
    sound = [*made.corpus()]
    for number in range(CASES[name]):
        draw = random.Random(f"{name} {number}")
        kind, data = draw.choice(sound)
        made.try_it(kind, mutated(data, draw), twin)
