"""What repeated keys cost to find, and whether `rvh._batch.dedupe` knows when that saves time.

    python benchmarks/dedupe.py

The first table is what the prices of `rvh._batch.dedupe` come from. The second judges its rule: for
columns of many shapes, each key at a price from 1 to 1,000 compressions of BLAKE2b, it takes the
measured time to find the distinct keys and that price for what is left, and says how much longer
the rule's choice takes, at worst, than scoring every row, and than the better of the two ways.
"""

from __future__ import annotations

import argparse
import platform
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

import rvh
import rvh.cpu
from rvh._backend import distinct
from rvh._batch import dedupe as _dedupe
from rvh.keys import KeyColumn, column

COMPRESSION = 22  # ns, with AVX-512
PRICES = np.geomspace(1, 1000, 31)


def best(work: Callable[[], Any], rounds: int = 5) -> float:
    """Seconds of the fastest run."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def find(keys: KeyColumn) -> float:
    """Nanoseconds a row to find the distinct keys."""
    return best(lambda: distinct(keys, 0, len(keys))) / len(keys) * 1e9


def kinds(numbers: np.ndarray) -> dict[str, Any]:
    text = np.char.add("key-", np.char.zfill(numbers.astype("U9"), 9))
    return {
        "S, 13 bytes": text.astype("S"),
        "U": text,
        "StringDType": text.astype(np.dtypes.StringDType()),
        "int64": numbers,
        "list of str": text.tolist(),
        "list of int": numbers.tolist(),
    }


def zipf(rng: np.random.Generator, rows: int, keys: int, power: float) -> np.ndarray:
    weights = np.arange(1, keys + 1) ** -power
    return rng.choice(keys, rows, p=weights / weights.sum())


def shapes(rng: np.random.Generator, rows: int) -> dict[str, np.ndarray]:
    every = np.arange(rows)
    few = rng.integers(0, rows // 20, rows)
    frequent = np.where(rng.random(rows) < 0.5, 0, every)
    return {
        "all different": every,
        "99% different": rng.integers(0, rows * 50, rows),
        "each twice, side by side": every // 2,
        "each twice, far apart": every % (rows // 2),
        "each 10 times, sorted": every // 10,
        "each 100 times, in turn": every % (rows // 100),
        "evenly of rows / 20": few,
        "evenly of rows": rng.integers(0, rows, rows),
        "Zipf 1.0 of rows / 20": zipf(rng, rows, rows // 20, 1.0),
        "Zipf 1.0 of rows * 10": zipf(rng, rows, rows * 10, 1.0),
        "Zipf 0.8 of rows": zipf(rng, rows, rows, 0.8),
        "Zipf 1.3 of rows": zipf(rng, rows, rows, 1.3),
        "half one key, others differ": frequent,
        "1% one key, others differ": np.where(rng.random(rows) < 0.01, 0, every),
        "half evenly of 1%, others differ": np.where(
            rng.random(rows) < 0.5, every, rows + rng.integers(0, rows // 100, rows)
        ),
        "5% ten times, others differ": np.where(every < rows // 20, every // 10, every),
    }


def judge(numbers: np.ndarray) -> tuple[float, float, float, float, float]:
    """Saved, saved as estimated, nanoseconds a row, and the rule's two worst losses."""
    rows, keys = len(numbers), column(numbers)
    nanoseconds = find(keys)
    codes = distinct(keys, 0, rows)[1]
    saved = 1 - (int(codes.max()) + 1) / rows
    drawn = _dedupe.sample_rows(rows, float(PRICES[-1]), _dedupe.SAMPLE_ROW)
    assert drawn is not None
    estimate = (
        1 - _dedupe.estimate_distinct(distinct(keys.take(drawn), 0, len(drawn))[1], rows) / rows
    )
    slower = missed = 0.0
    for price in PRICES.tolist():
        plain, deduped = price * COMPRESSION, nanoseconds + (1 - saved) * price * COMPRESSION
        chosen = deduped if _dedupe.saves_time(keys, price) else plain
        slower = max(slower, chosen / plain - 1)
        missed = max(missed, chosen / min(plain, deduped) - 1)
    return saved, estimate, nanoseconds, slower, missed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    rows = parser.parse_args().rows
    rng = np.random.default_rng(4)
    print(
        f"Instruction set {rvh.cpu.active()}, Python {platform.python_version()}, NumPy "
        f"{np.__version__}, {rows:,} rows.\n\n"
        "| nanoseconds a row | all different | Zipf 1.0 of rows / 20 | evenly of rows / 20 "
        "| a look, us |\n|---|---|---|---|---|"
    )
    columns = shapes(rng, rows)
    names = ["all different", "Zipf 1.0 of rows / 20", "evenly of rows / 20"]
    table = [kinds(columns[name]) for name in names]
    for kind in table[0]:
        found = [f"{find(column(of[kind])):.1f}" for of in table]
        look = best(partial(_dedupe.saves_time, column(table[0][kind]), 64.0))
        print(f"| {kind} | {' | '.join(found)} | {look * 1e6:.0f} |", flush=True)
    print("\n| int64 | saved | estimate | ns a row | slower | than the better |")
    print("|---|---|---|---|---|---|")
    for name, numbers in columns.items():
        saved, estimate, nanoseconds, slower, missed = judge(numbers)
        print(
            f"| {name} | {saved:.1%} | {estimate:.1%} | {nanoseconds:.1f} | {slower:.1%} "
            f"| {missed:.0%} |"
        )


if __name__ == "__main__":
    main()
