"""How much is tested: what a newcomer waits for, or, with RVH_TEST_SIZE=large, everything.

The large size has every case, the ones that once found a fault among them; the small one has
fewer of those that differ in little.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

import pytest

import rvh

SIZE = os.environ.get("RVH_TEST_SIZE", "small")
if SIZE not in ("small", "large"):
    raise pytest.UsageError(f"RVH_TEST_SIZE is {SIZE!r}: choose small or large")
LARGE = SIZE == "large"

#: what the small size leaves out
large = pytest.mark.skipif(not LARGE, reason="only in the large size")


def examples(number: int) -> int:
    """Of hypothesis: `number` in the large size, a quarter of them in the small one."""
    return number if LARGE else -(-number // 4)


def keys_of_a_test(native: int, python: int) -> int:
    """Return how many keys a test asks about: `native` in the large size, a tenth in the small one.

    The pure-Python backend is a hundredth as fast: it gets `python` in either.
    """
    if rvh.backend() == "python":
        return python
    return native if LARGE else native // 10


def some(cases: Iterable[Any], every: int) -> list[Any]:
    """For parametrize: each `every`-th case in the small size, all of them in the large one."""
    return [
        case if number % every == 0 else pytest.param(*_values(case), marks=large)
        for number, case in enumerate(cases)
    ]


def _values(case: Any) -> tuple[Any, ...]:
    return case if isinstance(case, tuple) else (case,)
