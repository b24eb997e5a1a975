"""Targets whose inputs hypothesis draws, in the tests and in the long run."""

from __future__ import annotations

import pickle
import random
from collections.abc import Callable
from importlib import import_module
from time import monotonic
from typing import Any

from fuzz.harness import Twin, differs, outcome
from hypothesis import HealthCheck, Phase, given, seed, settings

__all__ = ["draw", "same"]

LONG = settings(
    max_examples=200,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate, Phase.shrink],
)


def same(call: Callable[..., Any], case: Any, twin: Twin | None) -> str:
    """The outcome of a call, here and with the other backend; AssertionError for a fault."""
    try:
        sent = pickle.loads(pickle.dumps(case))  # as it is before anything is consumed
    except Exception:  # some objects stay where they are
        sent = None
    here = outcome(call, case)
    if twin is not None and sent is not None:
        there = twin.ask(f"{call.__module__}:{call.__qualname__}", sent)
        assert here == there, differs(here, there, sent)
    return here


def draw(name: str, seconds: float) -> None:
    """Try what hypothesis draws, for so many seconds."""
    module = import_module(f"fuzz.{name}")
    twin, count, start = Twin(), 0, monotonic()

    def one(case: Any) -> None:
        nonlocal count
        count += 1
        same(module.run, case, twin)

    number = random.SystemRandom().randrange(2**32)
    while monotonic() < start + seconds:
        number += 1
        drawn = given(case=module.CASES)(one)
        seed(number)(settings(parent=LONG)(drawn))()
    twin.close()
    print(f"{count} runs in {monotonic() - start:.0f} seconds", flush=True)
