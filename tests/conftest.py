"""What every test shares: the header of a run, hypothesis profiles, a look at the other backend."""

from __future__ import annotations

import importlib
import os
import random
import re
from collections import Counter
from types import ModuleType

import pytest
from hypothesis import settings
from sizes import LARGE, SIZE, examples

import rvh
import rvh.cpu

# The same examples in every run, so that a failure is there again when it is looked for; but for
# constants of the modules that are loaded, which hypothesis tries, and which the order decides.
# `--hypothesis-profile=wide` draws new ones, many more of them, and prints how to repeat them.
settings.register_profile(
    "suite", deadline=None, max_examples=examples(100), derandomize=True, database=None
)
settings.register_profile("wide", deadline=None, max_examples=1000, print_blob=True, database=None)
settings.load_profile("suite")

#: what recorded the answers: no tests
collect_ignore_glob = ["vectors/*.py", "golden/*.py"]

#: random (node, key) pairs of test_many_pairs.py
PAIRS = int(
    os.environ.get("RVH_TEST_PAIRS")
    or (10_000_000 if LARGE and rvh.backend() == "native" else 100_000)
)
#: their seed, one for all workers: those of pytest-xdist inherit it
SEED = int(os.environ.get("RVH_TEST_SEED") or random.SystemRandom().randrange(2**32))
os.environ["RVH_TEST_SEED"] = str(SEED)

#: reasons to skip a test -> how to have it nevertheless
REMEDIES = {
    "only in the large size": "RVH_TEST_SIZE=large sh tests/run.sh",
    r"(avx2|avx512|neon) is not available": "a processor that has it",
    r"(Dask|Dask's cluster|Ray|Spark|dbt) is not installed|needs Java": (
        ".venv/bin/python -m pip install '.[clusters]', and a JRE"
    ),
    r"(.*) is not installed": "install it: .ci/run names the packages of Debian",
    "rvh was built without its compiled kernels": "a C compiler when rvh is installed",
    "the pure-Python backend": "without RVH_FORCE_PYTHON",
}


def pytest_report_header() -> list[str]:
    try:
        active = rvh.cpu.active()
    except rvh.RVHError as error:
        active = f"none ({error})"
    available = ", ".join(rvh.cpu.available()) or "none"
    return [
        f"rvh {rvh.__version__}: backend {rvh.backend()}, instruction set {active} "
        f"(available: {available})",
        f"RVH_TEST_SIZE={SIZE} RVH_TEST_PAIRS={PAIRS} RVH_TEST_SEED={SEED}",
    ]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was skipped and how to have it, one line for each reason."""
    skipped = terminalreporter.stats.get("skipped", [])
    reasons = Counter(report.longrepr[2].removeprefix("Skipped: ") for report in skipped)
    terminalreporter.section("not tested here, and how to have it")
    terminalreporter.write_line(
        "other instruction sets and processors, the pure-Python backend, wheels, the instruction "
        "gate -> .ci/run, or one by one: nox --list"
    )
    for reason, count in reasons.most_common():
        how = next((how for sign, how in REMEDIES.items() if re.search(sign, reason)), "")
        terminalreporter.write_line(f"{count} skipped: {reason}" + (how and f" -> {how}"))


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
