"""RVH_ISA: every set that is available can be forced, and no other."""

from __future__ import annotations

import os
import subprocess
from itertools import product

import pytest
from sizes import some
from subprocesses import output, python

import rvh
import rvh.cpu

NAMES = ("portable", "avx2", "avx512", "neon")

ANSWERS = """
    import numpy as np, random, rvh, rvh.cpu
    rng = random.Random(1)
    ns = rvh.NodeSet([f"node{n}" * (1 + n % 40) for n in range(45)], secret=b"s")
    keys = [rng.randbytes(rng.randrange(1200)) for _ in range(40)]
    print(rvh.cpu.active())
    for k in (1, 2, 3, 7, 16, 17, 45):
        print(ns.argselect_batch(keys, k).tolist())
    print(ns.score_batch(keys).tolist(), ns.select("key", 45))
"""


def default(code: str, **variables: str | None) -> str:
    return output(code, **{"RVH_FORCE_PYTHON": None, "RVH_ISA": None, **variables})


@pytest.fixture(scope="module")
def available(native: object) -> list[str]:
    return default("import rvh.cpu; print(*rvh.cpu.available())").split()


def test_portable_is_always_available(available: list[str]) -> None:
    assert available[0] == "portable"
    assert set(available) <= set(NAMES)
    assert len(set(available)) == len(available)


def test_the_last_is_the_default(available: list[str]) -> None:
    code = "import rvh.cpu; print(rvh.cpu.active())"
    assert default(code).strip() == available[-1]
    assert default(code, RVH_ISA="").strip() == available[-1]


@pytest.fixture(scope="module")
def expected() -> list[str]:
    first, *answers = output(ANSWERS, RVH_FORCE_PYTHON="1").splitlines()
    assert first == "python"
    return answers


@pytest.mark.parametrize("name", NAMES)
def test_a_forced_set_is_the_one_in_use(
    name: str, available: list[str], expected: list[str]
) -> None:
    if name not in available:
        pytest.skip(f"{name} is not available here")
    first, *answers = default(ANSWERS, RVH_ISA=name).splitlines()
    assert first == name
    assert answers == expected


def failing(name: str, use: str) -> subprocess.CompletedProcess[str]:
    code = f"import rvh, rvh.cpu\nprint('imported', *rvh.cpu.available())\n{use}"
    return python(code, RVH_ISA=name, RVH_FORCE_PYTHON=None)


UNKNOWN = ["sse9", "AVX2", "avx2 ", "1", "default"]
USES = [
    "rvh.NodeSet(['a'])",
    "rvh.select_batch(['a'], ['x'])",
    "rvh.rendezvous_hash(['a'], 'x')",
    "rvh.cpu.active()",
]


@pytest.mark.parametrize(("name", "use"), some(product(UNKNOWN, USES), every=3))
def test_an_unknown_set_is_an_error_at_first_use(name: str, use: str, available: list[str]) -> None:
    done = failing(name, use)
    assert done.stdout.split() == ["imported", *available]  # import and the question are fine
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith(f"rvh.errors.RVHError: RVH_ISA is {name!r}")
    assert all(choice in last for choice in available)


@pytest.mark.parametrize("name", NAMES)
def test_a_set_that_is_not_available_is_an_error(name: str, available: list[str]) -> None:
    if name in available:
        pytest.skip(f"{name} is available here")
    last = failing(name, "rvh.NodeSet(['a'])").stderr.splitlines()[-1]
    assert last.startswith(f"rvh.errors.RVHError: RVH_ISA is {name!r}")
    assert all(choice in last for choice in available)


def test_the_error_comes_again(native: object) -> None:
    code = """
        import rvh
        for _ in range(2):
            try:
                rvh.NodeSet(["a"])
            except rvh.RVHError as error:
                print("RVH_ISA" in str(error))
    """
    assert output(code, RVH_ISA="none", RVH_FORCE_PYTHON=None) == "True\nTrue\n"


def test_the_choice_is_made_once(native: object) -> None:
    code = """
        import os, rvh.cpu
        first = rvh.cpu.active()
        os.environ["RVH_ISA"] = "none"
        print(rvh.cpu.active() == first, rvh.NodeSet(["a"]).select("x"))
    """
    assert output(code, RVH_ISA=None, RVH_FORCE_PYTHON=None) == "True ['a']\n"


def test_python_has_none_and_asks_for_none() -> None:
    code = "import rvh.cpu; print(rvh.cpu.active(), rvh.cpu.available(), rvh.NodeSet(['a']))"
    said = output(code, RVH_ISA="none", RVH_FORCE_PYTHON="1")
    assert said.startswith("python () NodeSet")


def test_this_process_uses_what_it_was_told() -> None:
    forced = os.environ.get("RVH_ISA")
    if rvh.backend() == "python":
        assert rvh.cpu.active() == "python"
    elif forced:
        assert rvh.cpu.active() == forced
    else:
        assert rvh.cpu.active() == rvh.cpu.available()[-1]
