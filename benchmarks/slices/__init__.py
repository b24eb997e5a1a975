"""Calls of the kernels as short slices of work, with the clock read between them (slices.c).

For cycles.py and versus.py. Needs CMake and a C compiler, which `CC` chooses.
"""

from __future__ import annotations

import ctypes
import statistics
import subprocess
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
LEAST_ROUNDS = 11


@dataclass(frozen=True)
class Figure:
    """What a pair of key and node takes (or a call of one key): medians."""

    ns: float
    cycles: float


class Tree:
    """The calls over the kernels of a checkout, built in `folder`."""

    def __init__(self, checkout: Path, folder: Path) -> None:
        run("cmake", "-S", HERE, "-B", folder, f"-DRVH_TREE={checkout}")
        run("cmake", "--build", folder, "--parallel")
        self.calls, self.clock = (ctypes.CDLL(f"{folder}/{x}.so") for x in ("calls", "slices"))
        self.calls.calls_name.argtypes = self.calls.calls_start.argtypes = [ctypes.c_size_t]
        self.calls.calls_name.restype = ctypes.c_char_p
        self.calls.calls_count.restype = self.calls.calls_start.restype = ctypes.c_size_t
        self.calls.calls_answers.restype = ctypes.c_uint64

    def named(self, patterns: list[str] | None) -> list[tuple[int, str]]:
        """The calls that a pattern names, with their numbers; without patterns all."""
        names = [self.calls.calls_name(n).decode() for n in range(self.calls.calls_count())]
        wanted = [
            (number, name)
            for number, name in enumerate(names)
            if any(fnmatch(name, pattern) for pattern in patterns or ["*"])
        ]
        if not wanted:
            raise SystemExit(f"--only names none of: {'; '.join(names)}")
        return wanted

    def start(self, number: int) -> int:
        """Prepare a call; returns how many pairs a run of it has."""
        pairs: int = self.calls.calls_start(number)
        if pairs == 0:
            raise SystemExit("RVH_ISA names an instruction set that this processor does not have")
        return pairs


def shown(figure: float) -> str:
    """Three digits, or all before the point."""
    return f"{figure:.3g}" if figure < 999.5 else f"{figure:,.0f}"


def run(*command: str | Path) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")


def measure(trees: list[Tree], number: int, seconds: float) -> list[Figure]:
    """One call of each tree, taking turns for so many seconds each; answers must be equal."""
    pairs = [tree.start(number) for tree in trees]
    pointers = [ctypes.cast(tree.calls.calls_run, ctypes.c_void_p) for tree in trees]
    turns = (ctypes.c_void_p * len(trees))(*pointers)

    def rounds(count: int) -> list[list[list[float]]]:
        """Nanoseconds and cycles of each tree."""
        taken = [((ctypes.c_double * count) * len(trees))() for _ in range(2)]
        trees[0].clock.slices(turns, ctypes.c_size_t(len(trees)), ctypes.c_size_t(count), *taken)
        return [[list(of_tree) for of_tree in of_all] for of_all in taken]

    once = statistics.mean(of_tree[0] for of_tree in rounds(1)[0])
    count = max(LEAST_ROUNDS, int(seconds * 1e9 / once))
    ns, cycles = ([statistics.median(x) for x in of_all] for of_all in rounds(count))
    if len({tree.calls.calls_answers() for tree in trees}) > 1:
        raise SystemExit(f"the trees differ in their answers to call {number}")
    return [
        Figure(*(x / n for x in of_tree)) for *of_tree, n in zip(ns, cycles, pairs, strict=True)
    ]
