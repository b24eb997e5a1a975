"""Random questions in the form of `tests/golden/vectors`, without answers."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from asked import RINGS
from golden import check
from golden.values import tagged

Row = dict[str, Any]
#: the rows of a case
ROWS = 20


def text(rng: random.Random) -> str:
    alphabets = ("abc:/{}-01", "\0\x7fz\u00e9\u03bb\u20ac\uffff", "\U00010000\U0010ffff")
    return "".join(rng.choices(rng.choice(alphabets), k=rng.choice((0, 1, 5, 8, 15, 16, 33, 130))))


def plain(rng: random.Random) -> Any:
    """Text, bytes, or an integer of any size."""
    number = rng.getrandbits(rng.randint(0, 64))
    kinds = (text(rng), rng.randbytes(rng.randint(0, 40)), number, -(number >> 1))
    return rng.choice(kinds)


def key(rng: random.Random) -> Row:
    if rng.random() < 0.2:
        return {"parts": [tagged(plain(rng)) for _ in range(rng.randint(1, 3))]}
    return tagged(plain(rng))


def keys(rng: random.Random) -> list[Row]:
    return [{"key": key(rng)} for _ in range(ROWS)]


def a_set(rng: random.Random) -> Row:
    """Some nodes, with ids that are the start of each other among them."""
    ids: dict[bytes, Row] = {}
    while len(ids) < rng.randint(1, 9):
        node = rng.choice(
            (f"node-{rng.randrange(99)}", text(rng), rng.randbytes(rng.randint(1, 9)))
        )
        if node:
            ids[node.encode() if isinstance(node, str) else node] = tagged(node)
    found: Row = {"scheme": rng.choice(("blake2b", "murmur")), "nodes": list(ids.values())}
    if found["scheme"] == "blake2b" and rng.random() < 0.5:
        found["secret_hex"] = rng.randbytes(rng.randint(1, 64)).hex()
    if rng.random() < 0.6:
        extreme = 2.0 ** rng.randint(-1016, 970)
        drawn = [rng.choice((1.0, rng.random(), rng.randint(1, 9), extreme)) for _ in ids]
        drawn[1:] = [rng.choice((weight, weight, weight, 0.0)) for weight in drawn[1:]]
        found["weights_bits"] = [check.bits(float(weight)) for weight in drawn]
    return found


def size_of(given: Row) -> int:
    """The nodes that have a rank."""
    weights = given.get("weights_bits", ["1"] * len(given["nodes"]))
    return sum(weight != "0" * 16 for weight in weights)


def ranking(rng: random.Random) -> Row:
    return {"set": a_set(rng), "rows": keys(rng)}


def partition(rng: random.Random) -> Row:
    nodes = a_set(rng)
    count = rng.choice((1, 2, 1000, rng.randint(1, 1000), 2**24))
    return {
        "set": nodes,
        "partitions": count,
        "k": rng.randint(1, size_of(nodes)),
        "rows": keys(rng),
    }


def faults(rng: random.Random) -> Row:
    nodes = a_set(rng)
    spread = rng.choice(([], ["zone"], ["zone", "rack"]))
    labels = [tagged(label) for label in ("a", b"a", 1, "1", 2)]
    ranked = [n for n, w in enumerate(nodes.get("weights_bits", nodes["nodes"])) if w != "0" * 16]
    dead = [n for n in range(len(nodes["nodes"])) if rng.random() < 0.3 and n != ranked[0]]
    return {
        "set": nodes,
        "domains": {name: [rng.choice(labels) for _ in nodes["nodes"]] for name in spread},
        "spread": spread,
        "most": [rng.randint(1, 3) for _ in spread],
        "dead": dead,
        "k": rng.randint(1, len(set(ranked) - set(dead))),
    }


def replicas(rng: random.Random) -> Row:
    return {**faults(rng), "rows": keys(rng)}


def repair(rng: random.Random) -> Row:
    asked = faults(rng)
    places = [None, *range(len(asked["set"]["nodes"]))]
    return {**asked, "rows": [{**row, "current": rng.choices(places, k=3)} for row in keys(rng)]}


def sizes(rng: random.Random, count: int) -> Row:
    largest = rng.choice((5, 2**40, 2**62))
    return rng.choice((
        {},
        {"sizes": [str(rng.randint(1, largest)) for _ in range(count)]},
        {"sizes_bits": [check.bits(rng.random() * largest + 1e-9) for _ in range(count)]},
    ))  # fmt: skip


def batch(rng: random.Random) -> Row:
    rows = []
    for _ in range(3):
        count = rng.randint(1, 12)
        each = {"keys": [key(rng) for _ in range(count)], **sizes(rng, count)}
        rows.append({"load_factor": rng.choice(("1", "1.1", "1.05", "2.5")), **each})
    return {"set": a_set(rng), "rows": rows}


def buckets(rng: random.Random) -> Row:
    count = rng.choice((1, 2, 1000, rng.randint(1, 1000), rng.randint(1, 2**31 - 1)))
    return {"buckets": count, "k": rng.randint(1, min(count, 6)), "rows": keys(rng)}


def geohash(rng: random.Random) -> Row:
    return {
        "rows": [
            {
                "latitude_bits": check.bits(rng.uniform(-90, 90)),
                "longitude_bits": check.bits(
                    rng.choice((rng.uniform(-180, 180), 11.25 * rng.randint(-16, 16)))
                ),
                "precision": rng.randint(1, 12),
            }
            for _ in range(ROWS)
        ]
    }


def lookup(rng: random.Random) -> Row:
    rows = [{"key": tagged(plain(rng))} for _ in range(ROWS)]
    if rng.random() < 0.5:
        names = rng.sample([f"10.0.0.{n}:{port}" for n in range(9) for port in (11211, 80)], 4)
        weights = [check.bits(float(rng.randint(1, 3))) for _ in names]
        system = rng.choice(list(RINGS))
        nodes = [tagged(name) for name in names]
        return {"system": system, "nodes": nodes, "weights_bits": weights, "k": 2, "rows": rows}
    name = rng.choice(list(check.TOKENS))
    low = -(2**63) if name == "murmur3" else 0
    bits = 32 if name in ("ketama", "crc32", "one_at_a_time") else 64
    tokens = sorted({low + rng.getrandbits(bits) for _ in range(6)})
    points = [[str(token), at % 3] for at, token in enumerate(tokens)]
    hit = rng.choice(("point", "next", "nearest"))
    return {"hash": name, "hit": hit, "points": points, "k": rng.randint(1, 3), "rows": rows}


def crossing(rng: random.Random) -> Row:
    progress = rng.choice((0.0, 1.0, rng.random(), rng.random() ** 20))
    steps = rng.choice((1, 7, 4096))
    return {"progress_bits": check.bits(progress), "steps": steps, "rows": keys(rng)}


def moves(rng: random.Random) -> Row:
    old, new = a_set(rng), a_set(rng)
    counts = {"k": rng.randint(1, size_of(old)), "k_new": rng.randint(1, size_of(new))}
    return {"old": old, "new": new, **counts, "rows": keys(rng)}


def weights(rng: random.Random) -> Row:
    def measure(count: int) -> list[str | None]:
        drawn = [rng.choice((None, rng.random(), rng.uniform(1, 1e6))) for _ in range(count)]
        return [None if number is None else check.bits(number) for number in drawn]

    rows: list[Row] = []
    for _ in range(4):
        count = rng.randint(1, 6)
        names = rng.sample(list(check.MEASURES), rng.randint(1, 3))
        sign = {"rtt": -1.0}  # a larger one is worse
        drawn = {name: sign.get(name, 1.0) * rng.choice((0.0, 0.5, 1.0, 3.7)) for name in names}
        exponents = {name: check.bits(exponent) for name, exponent in drawn.items()}
        measured = {f"{name}_bits": measure(count) for name in check.MEASURES if name in names}
        bounds = [check.bits(2.0**-30), check.bits(2.0**30)]
        rows.append({**measured, "exponents_bits": exponents, "bounds_bits": bounds})
    return {"rows": rows}


def fingerprint(rng: random.Random) -> Row:
    return {"rows": [{"set": a_set(rng)} for _ in range(4)]}


DRAWN: tuple[Callable[[random.Random], Row], ...] = (
    *(ranking, ranking, ranking, partition, replicas, repair, batch, buckets, geohash, lookup),
    *(crossing, moves, weights, fingerprint),
)


def cases(seed: int, rows: int) -> list[Row]:
    """Cases of every kind, with this many rows together or a few more."""
    rng = random.Random(seed)
    found: list[Row] = []
    while rows > 0:
        draw = DRAWN[len(found) % len(DRAWN)]
        asked = draw(rng)
        found.append({"kind": draw.__name__, "name": f"{draw.__name__}, drawn", **asked})
        rows -= len(asked["rows"])
    return found
