"""rvh inside the engines, against rendezvous hashing written in the engine's own expressions.

    pip install '.[polars,duckdb]' polars-hash
    python benchmarks/engines.py [--keys 1000000] [--rounds 7] [--engine polars]

64 nodes, `murmur`, one thread on both sides. Each row is the median ratio over rounds in which
both sides run one after the other; the engine's own expression runs on a tenth of the keys. Rows
with a bound hash node and key joined. Those without combine them otherwise: by a hash of two
arguments, or by a seed that is the node's number. Prints Markdown.
"""

from __future__ import annotations

import os

os.environ["POLARS_MAX_THREADS"] = "1"  # read when Polars is imported

import argparse
import importlib.metadata
import platform
from collections.abc import Iterator

import numpy as np
from measure import Work, rate, ratio

import rvh
import rvh.cpu
from rvh.bench.environment import processor

NODES = [f"cache-{i:03d}.eu-west-1:11211" for i in range(64)]
NODE_SET = rvh.NodeSet(NODES, scheme="murmur")
Row = tuple[str, str, Work, Work]  # what, at least, rvh, the other side


def names(count: int) -> list[str]:
    return [f"user:{i:08d}" for i in range(count)]


def polars(m: int) -> Iterator[Row]:
    import polars as pl
    import polars_hash as plh

    import rvh.integrations.polars  # noqa: F401  (registers the namespace)

    frame, few = pl.DataFrame({"k": names(m)}), pl.DataFrame({"k": names(m // 10)})
    key, ids = pl.col("k"), pl.lit(pl.Series(NODES))

    def query(expression: pl.Expr, data: pl.DataFrame) -> Work:
        return lambda: data.select(expression), len(data)

    def unsigned(value: int) -> pl.Expr:
        return pl.lit(value, dtype=pl.UInt64)

    def best(scores: list[pl.Expr]) -> pl.Expr:
        """Six times as fast as concat_list().list.arg_max(): the node's number in the low bits."""
        numbered = [(score & unsigned(2**64 - 64)) | unsigned(n) for n, score in enumerate(scores)]
        return ids.gather(pl.max_horizontal(numbered) & unsigned(63))

    ours = query(key.rvh.select(NODE_SET, threads=1), frame)
    lazy = key.rvh.select(NODE_SET, threads=1)
    streaming = (lambda: frame.lazy().select(lazy).collect(engine="streaming"), m)
    pairs = [plh.concat_str([pl.lit(node), key]).nchash for node in NODES]
    wyhash = [pair.wyhash() for pair in pairs]
    in_list = ids.gather(pl.concat_list(wyhash).list.arg_max())
    yield "polars-hash, wyhash(node, key), list.arg_max", "20", ours, query(in_list, few)
    yield "polars-hash, wyhash(node, key), max_horizontal", "20", ours, query(best(wyhash), few)
    yield "the same, streaming", "20", streaming, query(best(wyhash), few)
    xxh3 = [pair.xxh3_64() for pair in pairs]
    yield "polars-hash, xxh3_64(node, key), max_horizontal", "20", ours, query(best(xxh3), few)
    seeded = [plh.col("k").nchash.xxh3_64(seed=n + 1) for n in range(64)]
    yield "polars-hash, xxh3_64(key, seed), max_horizontal", "", ours, query(best(seeded), few)
    # Differs between versions of Polars, so it places nothing that outlives a process.
    own = [key.hash(n) for n in range(64)]
    yield "Polars, hash(key, seed), max_horizontal", "", ours, query(best(own), few)


def duckdb(m: int) -> Iterator[Row]:
    import duckdb
    import pyarrow as pa

    from rvh.integrations.duckdb import register

    con = duckdb.connect()
    con.execute("SET threads = 1")
    con.register("arrow_keys", pa.table({"k": names(m)}))
    con.execute("CREATE TABLE keys AS FROM arrow_keys")
    con.execute(f"CREATE TABLE few AS FROM keys LIMIT {m // 10}")
    con.execute("CREATE TABLE nodes AS SELECT unnest(?) AS n", [NODES])
    register(con, "node", NODE_SET)

    def query(sql: str, count: int) -> Work:  # counted, so that no table is written
        return lambda: con.execute(f"SELECT count(n) FROM ({sql})").fetchall(), count

    def greatest(scores: list[str], source: str) -> str:
        numbered = ", ".join(f"({s} & {2**64 - 64}) | {n}" for n, s in enumerate(scores))
        return f"SELECT k, {NODES}[1 + (greatest({numbered}) & 63)::BIGINT] AS n FROM {source}"

    ours = query("SELECT k, node(k) AS n FROM keys", m)
    for what, sql in [
        (
            "arg_max(n, hash(n \\|\\| k)), cross join",
            "SELECT k, arg_max(n, hash(n || k)) AS n FROM few, nodes GROUP BY k",
        ),
        (
            "hash(n \\|\\| k), list_position(list_max)",
            f"SELECT k, {NODES}[list_position(s, list_max(s))] AS n FROM (SELECT k, "
            f"[{', '.join(f'hash({n!r} || k)' for n in NODES)}] AS s FROM few)",
        ),
        (
            "arg_max(n, hash(n, k)), cross join",
            "SELECT k, arg_max(n, hash(n, k)) AS n FROM few, nodes GROUP BY k",
        ),
        ("hash(n, k), greatest", greatest([f"hash({n!r}, k)" for n in NODES], "few")),
    ]:
        least = "20" if "||" in sql else ""
        yield f"DuckDB, {what}", least, ours, query(sql, m // 10)
    once = "(SELECT k, hash(k) AS h FROM few)"
    numbers = greatest([f"hash(h, {n})" for n in range(64)], once)
    yield "DuckDB, hash(hash(k), number), greatest", "", ours, query(numbers, m // 10)


#: the engines, by the name that chooses them on the command line
ENGINES = {"polars": polars, "duckdb": duckdb}
PACKAGES = ("polars", "polars-hash", "duckdb")


def table(m: int, rounds: int, engines: list[str]) -> None:
    keys = np.array(names(m), dtype="S")
    array: Work = (lambda: NODE_SET.argselect_batch(keys, threads=1), m)
    print("| rvh in the engine against | at least | measured | rvh, million keys a second |")
    print("|---|---|---|---|")
    for engine in engines:
        for what, least, ours, theirs in ENGINES[engine](m):
            factor = ratio(ours, theirs, rounds)
            fast = max(rate(ours) for _ in range(3)) / 1e6
            print(f"| {what} | {least} | {factor:.1f}x | {fast:.1f} |", flush=True)
        share = ratio(ours, array, rounds)
        print(f"| {engine}: argselect_batch over an `S` array |  | {share:.2f} | {fast:.1f} |")


def versions() -> Iterator[str]:
    for package in PACKAGES:
        try:
            yield f"{package} {importlib.metadata.version(package)}"
        except importlib.metadata.PackageNotFoundError:
            yield f"no {package}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keys", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--engine", action="append", choices=ENGINES, help="default: all")
    options = parser.parse_args()
    print(
        f"{processor()}, instruction set {rvh.cpu.active()}, Python {platform.python_version()}, "
        f"{', '.join(versions())}, {options.keys:,} keys, median of {options.rounds}\n"
    )
    table(options.keys, options.rounds, options.engine or list(ENGINES))


if __name__ == "__main__":
    main()
