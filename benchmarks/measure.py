"""The measured table: rvh against its own bare kernel and against a loop over hashlib.

    python benchmarks/measure.py [--keys 1000000] [--rounds 7]

Ratios only, each the median over rounds in which both sides run one after the other, single
thread unless the row says otherwise. `RVH_ISA` chooses the instruction set. Prints Markdown.
"""

from __future__ import annotations

import argparse
import hashlib
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np

import rvh
import rvh.cpu
from rvh._backend import _native
from rvh.bench.environment import processor

PAIRS = 1 << 24  # hashes of the bare kernel a round

Choose = Callable[[list[bytes], bytes], bytes | None]
Work = tuple[Callable[[], object], int]  # what to run, and how many pairs or calls that is


def rate(work: Work) -> float:
    call, amount = work
    start = time.perf_counter()
    call()
    return amount / (time.perf_counter() - start)


def ratio(a: Work, b: Work, rounds: int) -> float:
    """Median of rate(a) / rate(b), the two alternating."""
    rate(a), rate(b)  # warm up
    return statistics.median(rate(a) / rate(b) for _ in range(rounds))


def batch(nodes: int, keys: object, k: int = 1, threads: int = 1) -> Work:
    ns = rvh.NodeSet([f"nd-{i:04d}" for i in range(nodes)])
    return lambda: ns.argselect_batch(keys, k, threads=threads), len(keys) * nodes


def hashlib_max(nodes: list[bytes], key: bytes) -> bytes:
    """Rendezvous hashing as it is written in Python."""
    return max(nodes, key=lambda node: hashlib.blake2b(node + key, digest_size=16).digest())


def hashlib_loop(nodes: list[bytes], key: bytes) -> bytes | None:
    """The same, unrolled by hand: as fast as Python gets it."""
    best, chosen = b"", None
    for node in nodes:
        digest = hashlib.blake2b(node + key, digest_size=16).digest()
        if digest > best:
            best, chosen = digest, node
    return chosen


def python_loop(choose: Choose, nodes: int, keys: list[bytes]) -> Work:
    ids = [b"nd-%04d" % i for i in range(nodes)]
    return lambda: [choose(ids, key) for key in keys], len(keys) * nodes


# -- in processes of their own -----------------------------------------------------------------

MEMORY = """
import sys, numpy as np, rvh
rows, nodes, k = map(int, sys.argv[1:])
keys = np.arange(rows, dtype=np.int64)
ns = rvh.NodeSet(np.char.add("nd-", np.arange(nodes).astype("U8")))
ns.argselect_batch(keys[:1], 1)
def peak():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) << 10
with open("/proc/self/clear_refs", "w") as refs:
    refs.write("5")  # the peak starts anew from here
before = peak()
out = getattr(ns, "select_batch")(keys, k)
print(peak() - before - out.nbytes)
"""

IMPORT = """
import time, numpy
start = time.perf_counter()
import rvh
print(time.perf_counter() - start)
"""


def in_process(code: str, *arguments: int) -> float:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


# -- the table ---------------------------------------------------------------------------------


def rows(m: int, rounds: int) -> list[tuple[str, str, str]]:
    numbers = np.arange(10**14, 10**14 + m)
    keys = np.char.add(b"k", numbers.astype("S15"))
    assert keys.dtype.itemsize == 16
    few = keys[: max(1, m // 10)]
    sizes = np.random.default_rng(1).integers(8, 121, m).tolist()
    mixed = np.array([b"%0*d" % (size, i) for i, size in enumerate(sizes)])
    long = np.array([b"%0100d" % i for i in range(m)])
    text = keys.astype("U16")
    bare = (lambda: _native.bare_hashes(4, PAIRS), PAIRS)
    base = batch(64, keys)
    isa = rvh.cpu.active()
    against_hashlib = {"avx512": "18", "avx2": "11", "portable": "4"}.get(isa, "")

    table = []

    def add(what: str, least: str, measured: float, digits: int = 3, unit: str = "") -> None:
        row = (what, least, f"{measured:.{digits}f}{unit}")
        print(f"| {' | '.join(row)} |", flush=True)
        table.append(row)

    print("| what | at least | measured |\n|---|---|---|")
    add("bare kernel, million hashes a second", "", max(rate(bare) for _ in range(9)) / 1e6, 1)
    for nodes, least in ((8, "0.75"), (64, "0.90"), (1024, "0.93")):
        work = batch(nodes, few if nodes > 64 else keys)
        add(
            f"argselect_batch, N={nodes}, against the bare kernel", least, ratio(work, bare, rounds)
        )
    for what, choose in (
        ("max() over hashlib", hashlib_max),
        ("a loop unrolled by hand", hashlib_loop),
    ):
        loop = python_loop(choose, 64, keys[:2000].tolist())
        name = f"argselect_batch, N=64, against Python: {what}"
        add(name, against_hashlib, ratio(base, loop, rounds), 1, "x")
    add(
        "two threads against one, N=64",
        "1.85",
        ratio(batch(64, keys, threads=2), base, rounds),
        2,
        "x",
    )
    for what, other, least in (
        ("keys of 100 bytes", long, "0.85"),
        ("keys of 8 to 120 bytes", mixed, "0.80"),
        ("U keys", text, "0.90"),
        ("list of str", text.tolist(), "0.80"),
    ):
        add(f"{what} against 16-byte S keys, N=64", least, ratio(batch(64, other), base, rounds))
    for k, least in ((3, "0.95"), (10, "0.85")):
        add(f"k={k} against k=1, N=64", least, ratio(batch(64, keys, k), base, rounds))
    ns = rvh.NodeSet([f"nd-{i:04d}" for i in range(16)])
    single = (lambda: [ns.select("user:1234567") for _ in range(20_000)], 20_000 * 16)
    for what, choose in (
        ("max() over hashlib", hashlib_max),
        ("a loop unrolled by hand", hashlib_loop),
    ):
        loop = python_loop(choose, 16, [b"user:1234567"] * 2000)
        name = f"one select(key), N=16, against Python: {what}"
        add(name, "6", ratio(single, loop, rounds), 1, "x")
    for m_, n_, k_ in ((10**7, 8, 1), (10**6, 64, 10), (2000, 10**5, 1), (50, 10**5, 10**5)):
        extra = in_process(MEMORY, m_, n_, k_) / 2**20
        add(
            f"extra memory, select_batch, M={m_:,}, N={n_:,}, k={k_:,}",
            "at most 32 MB",
            extra,
            1,
            " MB",
        )
    seconds = statistics.median(in_process(IMPORT) for _ in range(11))
    add("import rvh over import numpy", "at most 25 ms", seconds * 1e3, 1, " ms")
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keys", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    print(
        f"{processor()}, instruction set {rvh.cpu.active()}, Python {platform.python_version()}, "
        f"NumPy {np.__version__}, {options.keys:,} keys, median of {options.rounds}\n"
    )
    rows(options.keys, options.rounds)


if __name__ == "__main__":
    main()
