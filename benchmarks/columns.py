"""Keys of every kind: turning them into the kernel's input, Arrow end to end, repeated keys.

    python benchmarks/columns.py [--keys 1000000] [--rounds 7]

Single thread; each figure is the median over rounds in which both sides run one after the other.
`RVH_ISA` chooses the instruction set. Prints Markdown. Needs pyarrow.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa

import rvh
import rvh.cpu
from rvh._backend import _native
from rvh.keys import column

PAIRS = 1 << 23  # hashes of the bare kernel a round
IDS = [f"cache-{n:03d}.eu-west-1:11211" for n in range(64)]

Work = tuple[Callable[[], object], int]  # what to run, and how many keys or pairs that is


def rate(work: Work) -> float:
    call, amount = work
    start = time.perf_counter()
    call()
    return amount / (time.perf_counter() - start)


def both(a: Work, b: Work, rounds: int) -> tuple[float, float]:
    """Medians of rate(a) / rate(b), the two alternating, and of rate(a)."""
    rate(a), rate(b)  # warm up
    pairs = [(rate(a), rate(b)) for _ in range(rounds)]
    return statistics.median(x / y for x, y in pairs), statistics.median(x for x, _ in pairs)


def spans(keys: Any) -> Work:
    """Turning keys into the kernel's input, and nothing else."""
    return lambda: _native.bare_spans(column(keys)), len(keys)


def select(nodes: rvh.NodeSet, keys: Any, **options: Any) -> Work:
    return lambda: nodes.argselect_batch(keys, threads=1, **options), len(keys)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--keys", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    rows, rounds = arguments.keys, arguments.rounds

    def show(what: str, least: object, ratio: float, speed: float) -> None:
        print(f"| {what} | {least} | {ratio:.3g} | {speed / 1e6:.3g} |", flush=True)

    print(
        f"Instruction set {rvh.cpu.active()}, Python {platform.python_version()}, NumPy "
        f"{np.__version__}, pyarrow {pa.__version__}, {rows:,} keys (`user:%08d`, 13 bytes), "
        f"median of {rounds}.\n"
    )
    bare: Work = (lambda: _native.bare_hashes(4, PAIRS), PAIRS)
    texts = [f"user:{n:08d}" for n in range(rows)]
    arrow, padded = pa.array(texts), np.array(texts, "S")
    kinds: list[tuple[str, float, Any]] = [
        ("Arrow string", 80, arrow),
        ("NumPy S", 80, padded),
        ("Arrow string_view", 80, arrow.cast(pa.string_view())),
        ("NumPy StringDType", 30, np.array(texts, np.dtypes.StringDType())),
        ("NumPy U, ASCII", 40, np.array(texts)),
        ("list of str", 15, texts),
    ]
    print("| keys into kernel input | at least, keys for each pair | measured | million keys/s |")
    print("|---|---|---|---|")
    for what, million, keys in kinds:
        show(what, f"{million / 45:.2f}", *both(spans(keys), bare, rounds))

    blake2b, murmur = rvh.NodeSet(IDS), rvh.NodeSet(IDS, scheme="murmur")
    rng = np.random.default_rng(4)
    print("\n| what | at least | measured | million keys/s |\n|---|---|---|---|")
    for what, keys in (("string", arrow), ("string_view", kinds[2][2])):
        found = both(select(murmur, keys), select(murmur, padded), rounds)
        show(f"Arrow {what}, murmur, N=64, against S", 0.9, *found)

    many = pa.array([f"user:{n:08d}" for n in range(10_000)])
    codes = pa.array(rng.integers(0, len(many), 10 * rows), pa.int32())
    coded = pa.DictionaryArray.from_arrays(codes, many)
    few = many.take(codes[: rows // 10])
    plain = select(blake2b, few, dedupe=False)
    found = both(select(blake2b, coded), plain, rounds)
    show(f"dictionary, 10k categories, {len(codes):,} rows, blake2b, N=64", 100, *found)
    answer: Work = (lambda: blake2b.select_arrow(coded, threads=1), len(codes))
    show("the same by select_arrow", 100, *both(answer, plain, rounds))

    weights = 1 / np.arange(1, 50_001)
    zipf = padded[rng.choice(50_000, rows, p=weights / weights.sum())]
    off = select(blake2b, zipf, dedupe=False)
    show("Zipf, 50k distinct, blake2b, N=64, dedupe", 8, *both(select(blake2b, zipf), off, rounds))
    for ns in (blake2b, murmur):
        found = both(select(ns, padded), select(ns, padded, dedupe=False), rounds)
        show(f"distinct keys, {ns.scheme}, N=64, dedupe", 0.95, *found)


if __name__ == "__main__":
    main()
