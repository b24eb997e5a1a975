"""Record where rvh.placements puts keys: python tests/golden/make_placements.py NAME.

The file is golden/placements/NAME.json, named for the commit whose rvh gave the answers; its
placements were held to the systems themselves (docs/reference/placements.md). A name is never
written again, and `placements/test_golden.py` asks for all of them.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rvh.multi import compose_keys
from rvh.placements import (
    HASHES,
    Modulo,
    Rendezvous,
    TokenMap,
    bigquery,
    cassandra,
    clandestined,
    elasticsearch,
    envoy_ring,
    haproxy,
    haproxy_map,
    hive,
    iceberg,
    kafka,
    libmemcached_modula,
    maglev,
    postgresql,
    pymemcache,
    python_memcached,
    redis_cluster,
    spark,
    twemproxy,
)

FOLDER = Path(__file__).parent / "placements"
IDS = ["a", "b", "c", "d", "e"]
WEIGHTS = [1, 2, 3, 1, 2]
#: texts of many lengths, some outside ASCII, some with a tag
TEXTS = ["", "é", "€uro", "{tag}x", "x{tag}", *(f"key-{n}" * (1 + n % 23) for n in range(45))]
#: numbers of 32 bits
NUMBERS = [0, 1, -1, 2**31 - 1, -(2**31), *(n * 7919 - 150_000 for n in range(45))]
TOKENS = {each: [n * 2**60 - 2**62, n * 2**61 - 2**62 + 5] for n, each in enumerate(IDS)}
TYPES = {
    "spark": ("string", "int", "bigint"),
    "iceberg": ("string", "int", "long"),
    "hive": ("string", "int", "bigint"),
    "postgresql": ("text", "integer", "bigint"),
}


def texts(placement: Any, k: int = 1) -> Any:
    return placement.lookup_batch(TEXTS, k).tolist()


def numbers(placement: Any) -> Any:
    return placement.lookup_batch(NUMBERS).tolist()


def slots() -> list[list[str]]:
    first = [n * 5 // 16384 for n in range(16384)]
    return [[IDS[n], IDS[(n + 1) % 5]] for n in first]


def typed(function: Callable[..., Any], kinds: tuple[str, ...], **options: Any) -> Any:
    text, *whole = kinds
    found = [texts(function(IDS, text, **options))]
    return found + [numbers(function(IDS, kind, **options)) for kind in whole]


#: name -> the answers, as JSON has them
ANSWERS: dict[str, Callable[[], Any]] = {
    **{
        f"Modulo, {name}": lambda name=name: texts(Modulo(IDS, name))  # type: ignore[misc]
        for name in HASHES
    },
    "Modulo, tag and integers": lambda: [
        texts(Modulo(IDS, "crc32", tag="{}")),
        *(numbers(Modulo(IDS, "crc32", integers=way)) for way in ("text", "int32_be", "int64_le")),
    ],
    "Modulo, reductions": lambda: [
        texts(Modulo(IDS, "murmur2_32", reduce=each)) for each in ("masked", "floor", "absolute")
    ],
    "Rendezvous": lambda: texts(Rendezvous(IDS, seed=7), 3),
    "TokenMap": lambda: texts(TokenMap([["a", "b"], ["b", "c"], ["c", "a"]], [-9, 0, 2**62]), 2),
    "bigquery": lambda: texts(bigquery(7)),
    "cassandra": lambda: [
        texts(cassandra(TOKENS, 3), 3),
        texts(
            cassandra(TOKENS, {"x": 2, "y": 1}, datacenters=list("xxxyy"), racks=list("12112")), 3
        ),
        numbers(cassandra(TOKENS, 1, integers="int64_be")),
    ],
    "clandestined": lambda: [
        texts(clandestined(IDS, seed=3)),
        texts(clandestined(IDS, zones=list("xxyyz")), 3),
    ],
    "elasticsearch": lambda: [
        texts(elasticsearch(IDS)),
        texts(elasticsearch(IDS, routing_shards=30)),
    ],
    "envoy_ring": lambda: [
        texts(envoy_ring(IDS, WEIGHTS, hash_function=each), 2)
        for each in ("XX_HASH", "MURMUR_HASH_2")
    ],
    "haproxy": lambda: [
        texts(haproxy(IDS, WEIGHTS, hash_fn=each, avalanche=mixed), 2)
        for each in ("sdbm", "djb2", "wt6", "crc32")
        for mixed in (False, True)
    ],
    "haproxy_map": lambda: texts(haproxy_map(IDS, WEIGHTS, hash_fn="sdbm")),
    "hive": lambda: typed(hive, TYPES["hive"]) + typed(hive, TYPES["hive"], version=1),
    "iceberg": lambda: typed(iceberg, TYPES["iceberg"]),
    "kafka": lambda: [
        texts(kafka(12, partitioner=each)) for each in ("murmur2", "consistent", "fnv1a")
    ],
    "libmemcached_modula": lambda: texts(libmemcached_modula(IDS)),
    "maglev": lambda: texts(maglev(IDS, WEIGHTS, table_size=1009)),
    "postgresql": lambda: [
        *typed(postgresql, TYPES["postgresql"]),
        postgresql(IDS, ("bigint", "text")).lookup_batch(compose_keys(NUMBERS, TEXTS)).tolist(),
    ],
    "pymemcache": lambda: texts(pymemcache(IDS), 2),
    "python_memcached": lambda: texts(python_memcached(IDS, WEIGHTS)),
    "redis_cluster": lambda: texts(redis_cluster(slots()), 2),
    "spark": lambda: [
        *typed(spark, TYPES["spark"]),
        spark(IDS, ("string", "int")).lookup_batch(compose_keys(TEXTS, NUMBERS)).tolist(),
    ],
    "twemproxy": lambda: [
        texts(twemproxy(IDS, WEIGHTS, distribution=each, hash_tag="{}"))
        for each in ("ketama", "modula")
    ],
}


def packed(answer: Any) -> Any:
    """Write rows of ids as one text, so that a difference can be read."""
    if isinstance(answer[0][0], str):
        return " ".join("+".join(row) for row in answer)
    return [packed(each) for each in answer]


def record(name: str) -> None:
    found = {what: packed(make()) for what, make in ANSWERS.items()}
    FOLDER.mkdir(exist_ok=True)
    with (FOLDER / f"{name}.json").open("x", encoding="ascii") as file:
        json.dump(found, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    record(*sys.argv[1:])
