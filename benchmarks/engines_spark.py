"""rvh inside Spark, local[1], against rendezvous hashing written in Spark's own expressions.

    pip install '.[spark]'                   and a JRE, 17 or newer
    python benchmarks/engines_spark.py [--keys 2000000] [--rounds 5]

64 nodes, `murmur`, keys held in memory by Spark, the answer into Spark's `noop` sink: a row counts
from the cached key to the finished row. Spark's own expression runs on a quarter of the keys, or
on a twentieth where it is slow.
Rows without a bound hash no node name: what they place depends on how the nodes are numbered.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
from collections.abc import Callable, Iterator
from typing import Any

from measure import Work, rate

import rvh

NODES = [f"cache-{i:03d}.eu-west-1:11211" for i in range(64)]
NODE_SET = rvh.NodeSet(NODES, scheme="murmur")
Row = tuple[str, str, Work, Work]  # what, at least, rvh, the other side


def spark(m: int) -> Iterator[Row]:
    os.environ.update(PYSPARK_PYTHON=sys.executable, SPARK_LOCAL_IP="127.0.0.1")
    from pyspark.sql import Column, DataFrame, SparkSession
    from pyspark.sql import functions as sf

    from rvh.integrations.spark import with_node

    session = (
        SparkSession.builder.master("local[1]")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.memory", "2g")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("ERROR")

    def keys(count: int) -> DataFrame:
        made = session.range(0, count, 1, 1).select(sf.format_string("user:%08d", "id").alias("k"))
        made = made.persist()
        made.count()
        return made

    frame, few, fewer = keys(m), keys(m // 4), keys(m // 20)

    def run(df: DataFrame, count: int) -> Work:
        return lambda: df.write.format("noop").mode("overwrite").save(), count

    def in_array(score: Callable[[Any], Column]) -> Work:
        pairs = sf.transform(sf.lit(NODES), lambda n: sf.struct(score(n).alias("s"), n.alias("n")))
        return run(few.withColumn("node", sf.array_max(pairs)["n"]), m // 4)

    def in_greatest(score: Callable[[Any], Column]) -> Work:
        pairs = (sf.struct(score(sf.lit(n)).alias("s"), sf.lit(n).alias("n")) for n in NODES)
        return run(fewer.withColumn("node", sf.greatest(*pairs)["n"]), m // 20)

    def best(score: Callable[[int], Column]) -> Column:
        """The node's number in the low bits of its score."""
        scores = (score(n).bitwiseAND(-64).bitwiseOR(n) for n in range(64))
        return sf.get(sf.lit(NODES), sf.greatest(*scores).bitwiseAND(63).cast("int"))

    ours = run(with_node(frame, "k", NODE_SET), m)
    for _ in range(8):  # until the JVM has compiled what it runs
        rate(ours)
    joined, chained = (lambda n: sf.xxhash64(sf.concat(n, "k"))), (lambda n: sf.xxhash64(n, "k"))
    yield "array_max, xxhash64(concat(node, k))", "20", ours, in_array(joined)
    yield "array_max, xxhash64(node, k)", "20", ours, in_array(chained)
    yield "array_max, xxhash64(k, node)", "20", ours, in_array(lambda n: sf.xxhash64("k", n))
    yield "greatest of structs, xxhash64(concat(node, k))", "20", ours, in_greatest(joined)
    yield "greatest of structs, xxhash64(node, k)", "20", ours, in_greatest(chained)
    named = fewer.withColumn("node", best(lambda n: chained(sf.lit(NODES[n]))))
    yield "greatest of numbered, xxhash64(node, k)", "20", ours, run(named, m // 20)
    seeded = few.withColumn("node", best(lambda n: sf.xxhash64("k", sf.lit(n))))
    yield "greatest of numbered, xxhash64(k, number)", "", ours, run(seeded, m // 4)
    once = few.withColumn("h", sf.xxhash64("k"))
    once = once.withColumn("node", best(lambda n: sf.xxhash64("h", sf.lit(n))))
    yield "greatest of numbered, xxhash64(xxhash64(k), number)", "", ours, run(once, m // 4)
    yield "the keys alone, nothing placed", "", ours, run(frame, m)
    session.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keys", type=int, default=2_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    print("| rvh in Spark against | at least | measured | rvh, million keys a second | other |")
    print("|---|---|---|---|---|")
    for what, least, ours, theirs in spark(args.keys):
        for _ in range(2):  # the JVM compiles what it has run for a while
            rate(ours), rate(theirs)
        rates = [(rate(ours), rate(theirs)) for _ in range(args.rounds)]
        factor = statistics.median(a / b for a, b in rates)
        a, b = (statistics.median(side) / 1e6 for side in zip(*rates, strict=True))
        print(f"| {what} | {least} | {factor:.1f}x | {a:.2f} | {b:.3f} |", flush=True)


if __name__ == "__main__":
    main()
