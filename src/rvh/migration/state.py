"""The state of a migration as a value, and as the JSON of its file."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rvh._arguments.numbers import whole_number
from rvh.errors import RVHError, RVHTypeError, show
from rvh.migration.migration import Migration
from rvh.migration.pair import fingerprint
from rvh.migration.phases import Phase
from rvh.migration.plan import STEPS_MAX
from rvh.migration.statefile import FORMAT
from rvh.migration.view import id_from_json, id_to_json, progress_from_json, progress_to_json

__all__ = ["Kept", "State", "from_json", "to_json", "worker_name"]

Flags = NDArray[np.bool_]


class Kept(NamedTuple):
    """A new placement that was given up, and the steps that had been copied to it."""

    fingerprint: str
    done: Flags


@dataclass(frozen=True)
class State:
    """All that a file holds; a change makes another."""

    phase: Phase
    epoch: int
    progress: float | Fraction
    done: Flags
    marks: bool = False
    rolling_back: bool = False
    to_purge: bool = False
    opened: bool = False  # all have acknowledged copying; who joins later has done nothing before
    generation: int = 0
    kept: tuple[Kept, ...] = ()
    dead: tuple[Any, ...] = ()
    workers: dict[str, int | None] | None = None
    revision: int = 0

    @property
    def waiting(self) -> list[str] | None:
        """The workers that have not acknowledged the epoch; None as long as they are not named."""
        if self.workers is None:
            return None
        return sorted(name for name, at in self.workers.items() if at != self.epoch)


def to_json(state: State, migration: Migration, about: Any) -> dict[str, Any]:
    """Return what a file holds: the state, the migration as it is now, and its maker's remarks."""
    return {
        "format": FORMAT,
        "revision": state.revision,
        "old": fingerprint(migration._old, "old"),
        "new": fingerprint(migration._new, "new"),
        "k": migration._k,
        "k_new": migration._k_new,
        "phase": str(state.phase),
        "epoch": state.epoch,
        "progress": progress_to_json(state.progress),
        "marks": state.marks,
        "rolling_back": state.rolling_back,
        "to_purge": state.to_purge,
        "opened": state.opened,
        "steps": len(state.done),
        "generation": state.generation,
        "done": _ranges(state.done),
        "kept": [{"new": one.fingerprint, "done": _ranges(one.done)} for one in state.kept],
        "dead": [id_to_json(node) for node in state.dead],
        "workers": state.workers,
        **({} if about is None else {"about": about}),
    }


#: the fields of a file, with their types in JSON
FIELDS: dict[str, tuple[type, ...]] = {
    "revision": (int,),
    "new": (str,),
    "phase": (str,),
    "epoch": (int,),
    "progress": (int, float, str),
    "marks": (bool,),
    "rolling_back": (bool,),
    "to_purge": (bool,),
    "opened": (bool,),
    "steps": (int,),
    "generation": (int,),
    "done": (list,),
    "kept": (list,),
    "dead": (list,),
    "workers": (dict, type(None)),
}


def from_json(saved: dict[str, Any]) -> tuple[State, str]:
    """Return the state that a file holds, and the fingerprint of its new placement."""
    for name, kinds in FIELDS.items():
        if type(saved[name]) not in kinds:
            raise RVHTypeError(f"{name} is {show(saved[name])}")
    steps = whole_number("steps", saved["steps"], STEPS_MAX)
    epoch = whole_number("epoch", saved["epoch"], 2**62)
    for worker, at in (saved["workers"] or {}).items():
        worker_name(worker)
        if at is not None and not (type(at) is int and 0 < at <= epoch):
            raise RVHError(f"worker {worker!r} acknowledged epoch {show(at)} of {epoch}")
    state = State(
        Phase(saved["phase"]),
        epoch,
        progress_from_json(saved["progress"]),
        _flags(saved["done"], steps),
        saved["marks"],
        saved["rolling_back"],
        saved["to_purge"],
        saved["opened"],
        saved["generation"],
        tuple(Kept(str(one["new"]), _flags(one["done"], steps)) for one in saved["kept"]),
        tuple(map(id_from_json, saved["dead"])),
        saved["workers"],
        saved["revision"],
    )
    return state, saved["new"]


def worker_name(worker: Any) -> str:
    """Return a worker's name; RVHTypeError for what is none."""
    if not isinstance(worker, str) or not worker:
        raise RVHTypeError(f"a worker's name is {show(worker)}: pass a str")
    return worker


def _ranges(done: Flags) -> list[list[int]]:
    """Return the runs of steps that are done: [first, one after the last]."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], done, [False]]).astype(np.int8)))
    ranges: list[list[int]] = edges.reshape(-1, 2).tolist()
    return ranges


def _flags(ranges: Any, steps: int) -> Flags:
    done = np.zeros(steps, dtype=np.bool_)
    for start, stop in ranges:
        if not 0 <= start < stop <= steps:
            raise RVHError(f"a range of steps is {show([start, stop])}, of {steps}")
        done[start:stop] = True
    return done
