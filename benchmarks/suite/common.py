"""What the benchmarks share: asv's timer, forcing an instruction set, optional parts."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

#: every set there is; those that are not here are n/a
SETS = ["portable", "avx2", "avx512", "neon"]
SCHEMES = ["blake2b", "murmur"]


class Timed:
    """Calls take milliseconds: many short samples, in rounds that asv spreads over the run."""

    sample_time = 0.02
    warmup_time = 0.05
    repeat = (5, 20, 1.0)  # at least, at most, for so many seconds
    timeout = 60


def force(isa: str) -> None:
    """Make this process use `isa`: asv gives each set of parameters a process of its own."""
    os.environ["RVH_ISA"] = isa
    import rvh.cpu

    if isa not in rvh.cpu.available():
        raise NotImplementedError(f"no {isa} here")
    if rvh.cpu.active() != isa:
        raise RuntimeError(f"{rvh.cpu.active()} was chosen before {isa} could be")


def part(module: str, name: str) -> Any:
    """`name` of `module`, or n/a where this version has neither."""
    try:
        return getattr(import_module(module), name)
    except (ImportError, AttributeError):
        raise NotImplementedError(f"no {module}.{name} in this version") from None


def node_set(ids: list[str], scheme: str = "blake2b", **options: Any) -> Any:
    """A NodeSet, or n/a where this version's has no such scheme or option."""
    import rvh

    try:
        return rvh.NodeSet(ids, scheme=scheme, **options)
    except (TypeError, rvh.RVHError):
        raise NotImplementedError(f"no scheme {scheme} with {sorted(options)}") from None
