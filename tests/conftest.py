"""What every test shares: the header of a run, hypothesis profiles, a look at the other backend."""

from __future__ import annotations

import importlib
import os
import random
from types import ModuleType

import pytest
from hypothesis import settings

import rvh
import rvh.cpu

# The same examples in every run, so that a failure is there again when it is looked for;
# `--hypothesis-profile=wide` draws new ones, ten times as many, and prints how to repeat them.
settings.register_profile("suite", deadline=None, derandomize=True, database=None)
settings.register_profile("wide", deadline=None, max_examples=1000, print_blob=True, database=None)
settings.load_profile("suite")

#: what recorded the answers: no tests
collect_ignore_glob = ["vectors/*.py", "golden/*.py"]

#: random (node, key) pairs of test_many_pairs.py
PAIRS = int(os.environ.get("RVH_TEST_PAIRS", "200000"))
#: their seed
SEED = int(os.environ.get("RVH_TEST_SEED") or random.SystemRandom().randrange(2**32))


def pytest_report_header() -> list[str]:
    try:
        active = rvh.cpu.active()
    except rvh.RVHError as error:
        active = f"none ({error})"
    available = ", ".join(rvh.cpu.available()) or "none"
    return [
        f"rvh {rvh.__version__}: backend {rvh.backend()}, instruction set {active} "
        f"(available: {available})",
        f"RVH_TEST_PAIRS={PAIRS} RVH_TEST_SEED={SEED}",
    ]


@pytest.fixture(scope="session")
def pairs() -> int:
    return PAIRS


@pytest.fixture(scope="session")
def seed() -> int:
    return SEED


@pytest.fixture(scope="session")
def native() -> ModuleType:
    """The compiled backend, whichever is in use; without one, what needs it is skipped."""
    try:
        return importlib.import_module("rvh._backend._native")
    except ModuleNotFoundError as error:
        if error.name != "rvh._backend._native":
            raise
        pytest.skip("rvh was built without its compiled kernels")


@pytest.fixture
def native_in_use(native: ModuleType) -> ModuleType:
    """The compiled backend, where it is the one under test."""
    if rvh.backend() != "native":
        pytest.skip("the pure-Python backend is in use: there is nothing to compare it with")
    return native
