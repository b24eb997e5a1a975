"""Record the vectors: questions of this file, answered by `check.py`, without rvh.

    python tests/golden/make_vectors.py SECTION NEW_FILE

A released file never changes: rows that are missing are then a new file of the section.
`tests/package/test_vectors.py` asks rvh what the rows ask.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import struct
import sys
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
if __name__ == "__main__":
    sys.path += [str(HERE.parent), str(HERE.parent / "support")]

from golden import check  # noqa: E402
from golden.values import NUMBERS, TEXTS, every_kind, tagged  # noqa: E402

Row = dict[str, Any]
SECRET = b"\0\xff\x10"
FIVE = ["node1", "n\u0153ud2", "\u03bb3", b"\xff\0", "a\0"]
UNEVEN = [1.0, 2.5, 0.0, 0.3, 7.0]


def case(kind: str, name: str, rows: Iterable[Row], **shared: Any) -> Row:
    """A case with its answers; what its rows share stands once."""
    asked = [{**row, **check.ANSWERS[kind]({**shared, **row})} for row in rows]
    return {"kind": kind, "name": name, **shared, "rows": asked}


def restated(file: str, name: str) -> str:
    """The name of a case that stands in an older file too."""
    return f"{file}: {name}"


def old(file: str) -> Any:
    return json.loads((HERE / file).read_bytes())


def a_set(
    nodes: list[Any], scheme: str = "blake2b", secret: bytes = b"", weights: Any = None
) -> Row:
    found: Row = {
        "scheme": scheme,
        "nodes": [n if isinstance(n, dict) else tagged(n) for n in nodes],
    }
    if secret:
        found["secret_hex"] = secret.hex()
    if weights is not None:
        found["weights_bits"] = [check.bits(weight) for weight in weights]
    return found


def sets(nodes: list[Any], weights: list[float]) -> Iterator[tuple[str, Row]]:
    """The nodes as a set of each scheme, without weights and with them."""
    for scheme, secret in (("blake2b", b""), ("blake2b", SECRET), ("murmur", b"")):
        for each in (None, weights):
            name = scheme + (", a secret" if secret else "") + (", weights" if each else "")
            yield name, a_set(nodes, scheme, secret, each)


# -- 1 Bytes, 2 Hashes, 3 Scores, 4 The logarithm -------------------------------------------------


def bytes_() -> Iterator[Row]:
    rng = random.Random(1)
    values = [
        tagged(value)
        for value in every_kind(rng)
        if not isinstance(value, bytes) or len(value) < 200
    ]
    powers = [sign * 2**n for n in (7, 8, 15, 16, 31, 32, 53, 63) for sign in (1, -1)]
    around = [power + d for power in powers for d in (-1, 0, 1)]
    values += [{"int": str(number)} for number in around if number >= -(2**63)]
    values += [
        {"str": text} for text in ("\ue000", "\uffff", "\U00010000", "\U0010ffff", "e\u0301", "-1")
    ]
    values += [
        {"uuid": "F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6"},
        {"uuid": "0" * 8 + "-0000" * 3 + "-" + "0" * 12},
    ]
    yield case("value", "one value", [{"value": value} for value in values])
    composite = [
        [{"str": "aaaa"}],
        [{"int": "7016996765293437956"}],  # with the same bytes
        [{"str": ""}, {"int": "-1"}],
        [{"int": "18446744073709551615"}, {"bytes": ""}],
    ]
    yield case("value", "composite keys", [{"value": {"parts": parts}} for parts in composite])
    for each in old("composite.json")["cases"]:
        rows = [{"value": {"parts": row["parts"]}} for row in each["keys"]]
        yield case("value", restated("composite.json", each["name"]), rows)


def key_of_murmur3(token: int) -> bytes:
    """The 16 bytes with that MurmurHash3: for one block each of its steps can be undone."""
    c1, c2 = 0x87C37B91114253D5, 0x4CF5AD432745937F
    h2 = 1  # any number
    h1 = unmixed((token - check.murmur3_mixed(h2)) % 2**64)
    h2 = (h2 - h1) % 2**64
    h1 = (h1 - h2) % 2**64 ^ 16
    h2 ^= 16
    k2 = check.rotated(((h2 - 0x38495AB5) * pow(5, -1, 2**64) - h1) % 2**64, 33)
    k1 = check.rotated((h1 - 0x52DCE729) * pow(5, -1, 2**64) % 2**64, 37)
    k2 = check.rotated(k2 * pow(c1, -1, 2**64) % 2**64, 31) * pow(c2, -1, 2**64) % 2**64
    k1 = check.rotated(k1 * pow(c2, -1, 2**64) % 2**64, 33) * pow(c1, -1, 2**64) % 2**64
    return struct.pack("<QQ", k1, k2)


def unmixed(h: int) -> int:
    h = (h ^ h >> 33) * pow(0xC4CEB9FE1A85EC53, -1, 2**64) % 2**64
    h = (h ^ h >> 33) * pow(0xFF51AFD7ED558CCD, -1, 2**64) % 2**64
    return h ^ h >> 33


def hashes() -> Iterator[Row]:
    rng = random.Random(2)
    data = [rng.randbytes(n) for n in (*range(50), 63, 64, 65, 127, 128, 129, 256)]
    data += [b"\x80" * n for n in range(1, 34)] + [b"\xff" * n for n in range(1, 34)]
    data += [key_of_murmur3(token) for token in (2**63, 2**63 - 1, 2**63 + 1, 0, 1, 2**64 - 1)]
    data += [b"a", b"123", b"key-1", "\u20ac".encode(), b"\x7f\x80", b"\0", b"\0\0"]
    texts = [{"data_hex": each.hex()} for each in data]
    for name, seed in (
        ("of keys", check.KEY_SEED),
        ("of nodes", check.NODE_SEED),
        ("seed 0", 0),
        ("the largest seed", 2**64 - 1),
    ):
        yield case("hash", f"MurmurHash64A, {name}", texts, hash="murmur64a", seed=str(seed))
    for secret in (b"", b"s", bytes(range(64))):
        name = f"BLAKE2b, a secret of {len(secret)} bytes"
        yield case("hash", name, texts, hash="blake2b", secret_hex=secret.hex())
    words = [0, 1, 2**32, 2**47, 2**63, 2**64 - 1, *(rng.getrandbits(64) for _ in range(60))]
    pairs = [(low, high) for low in words[:6] for high in words[:6]]
    pairs += [(low, rng.choice(words)) for low in words]
    rows = [{"low": str(low), "high": str(high)} for low, high in pairs]
    yield case("hash", "Hash128to64", rows, hash="hash128to64")
    rows = [{"seed": str(seed), "number": n} for seed in words[:30] for n in (1, 2, 3)]
    yield case("hash", "SplitMix64", rows, hash="splitmix64")
    for name in check.TOKENS:
        yield case("hash", f"tokens of {name}", texts, hash=name)
    keys = [{"data_hex": row["key"].encode().hex()} for row in old("ring.json")["keys"]]
    for name in ("ketama", "md5", "crc32"):
        yield case("hash", restated("ring.json", name), keys, hash=name)


def scores() -> Iterator[Row]:
    rng = random.Random(3)
    nodes = [*FIVE, rng.randbytes(127), rng.randbytes(129)]
    keys = [*TEXTS, *NUMBERS, b"", b"\xff" * 7, *(rng.randbytes(n) for n in (8, 9, 120, 128, 129))]
    pairs = [{"node": tagged(node), "key": tagged(key)} for node in nodes for key in keys]
    parts = {"parts": [{"str": "a"}, {"int": "-1"}]}
    pairs += [{"node": tagged(node), "key": parts} for node in FIVE]
    # Nothing is between node and key, so these are one message.
    pairs += [
        {"node": {"str": "ab"}, "key": {"str": "c"}},
        {"node": {"str": "a"}, "key": {"str": "bc"}},
    ]
    yield case("score", "blake2b", pairs, scheme="blake2b")
    yield case("score", "blake2b, a secret", pairs, scheme="blake2b", secret_hex=SECRET.hex())
    yield case("score", "murmur", pairs, scheme="murmur")


def logarithms() -> Iterator[Row]:
    rng = random.Random(4)
    root = int(check.double("3fe6a09e667f3bcd") * 2**53)
    ms = {0, 1, 2, 3, 2**53 - 1, 2**53 - 2, 2**52}
    ms |= {2**n + d for n in range(2, 53) for d in (-1, 0, 1)}
    ms |= {(root >> n) + d for n in range(53) for d in (-1, 0, 1, 2) if (root >> n) + d > 0}
    ms |= {2**53 - 2**n for n in range(1, 50, 3)}
    ms |= {rng.getrandbits(rng.randint(1, 53)) for _ in range(600)}
    ms |= {rng.getrandbits(53) for _ in range(600)}
    weights = [1.0, 3.0, 0.1, 2.0**-1016, 2.0**970, 5e-3, 0.0]
    rows = [
        {"m": str(m), "weight_bits": check.bits(weights[i % 7])} for i, m in enumerate(sorted(ms))
    ]
    yield case("logarithm", "every size of m", rows)


def personal_hashes() -> Iterator[Row]:
    """The messages of some fingerprints, whose digests are the fingerprints."""

    def of(kind: str) -> list[Row]:
        cases = [each for each in other_fingerprints() if each["kind"] == kind]
        return [{**each, **row} for each in cases for row in each["rows"]]

    plain = [each for _, each in sets(FIVE, [0.1, 2.0, 1.0, 2.0**-1016, 2.0**970])]
    for name, kind, message, asked in (
        ("rvh Ring", "ring_fingerprint", check.ring_message, slice(0, None, 6)),
        ("rvh FaultSet", "faultset_fingerprint", check.faultset_message, slice(1, None, 9)),
        ("rvh Migration", "migration_fingerprint", check.migration_message, slice(3, None, 25)),
    ):
        rows = [{"data_hex": message(each).hex()} for each in of(kind)[asked]]
        shared = {"hash": "blake2b", "secret_hex": "", "digest_size": 32, "person": name}
        yield case("hash", f"BLAKE2b of 32 bytes, {name}", rows, **shared)
    for secret in (b"", SECRET):
        nodes = [each for each in map(check.node_set, plain) if each.secret == secret]
        rows = [{"data_hex": check.set_message(each).hex()} for each in nodes]
        shared = {"hash": "blake2b", "secret_hex": secret.hex(), "digest_size": 32}
        title = f"BLAKE2b of 32 bytes, rvh NodeSet, a secret of {len(secret)} bytes"
        yield case("hash", title, rows, **shared, person="rvh NodeSet")


# -- 5 Rankings -----------------------------------------------------------------------------------


def inverse_murmur64a(hashed: int, seed: int, first: bytes = b"") -> bytes:
    """The 8 bytes after `first` that give that MurmurHash64A: each step of a block can be undone.

    First are not bytes, or 8.
    """
    m = 0xC6A4A7935BD1E995
    back = pow(m, -1, 2**64)
    state = seed ^ (8 + len(first)) * m % 2**64
    if first:
        block = int.from_bytes(first, "little") * m % 2**64
        state = (state ^ (block ^ block >> 47) * m % 2**64) * m % 2**64
    h = hashed ^ hashed >> 47
    h = h * back % 2**64
    h ^= h >> 47
    block = h * back % 2**64 ^ state
    block = block * back % 2**64
    block ^= block >> 47
    return (block * back % 2**64).to_bytes(8, "little")


def inverse_hash128to64(score: int, high: int) -> int:
    """The low half that has that score with the high half."""
    back = pow(0x9DDFEA08EB382D69, -1, 2**64)
    b = score * back % 2**64
    b ^= b >> 47
    a = b * back % 2**64 ^ high
    a ^= a >> 47
    return a * back % 2**64 ^ high


def key_scoring(node: bytes, score: int) -> bytes:
    """A key of 8 bytes whose murmur score on the node is that."""
    high = check.murmur64a(node, check.NODE_SEED)
    return inverse_murmur64a(inverse_hash128to64(score, high), check.KEY_SEED)


def twin_of(node: bytes) -> bytes:
    """An id of 8 bytes with the node's hash, so with its murmur scores for every key."""
    return inverse_murmur64a(check.murmur64a(node, check.NODE_SEED), check.NODE_SEED)


def text_with_hash(start: str, hashed: int, seed: int) -> str:
    """A text of 16 bytes that begins so and has that MurmurHash64A."""
    for number in range(10**6):
        first = f"{start}{number:0{8 - len(start.encode())}}".encode()
        last = inverse_murmur64a(hashed, seed, first)
        if last.isascii():
            return (first + last).decode()
    raise AssertionError("there is none")


#: texts whose order by code units of UTF-16 is not that of their bytes, with one hash as node ids
WIDE = [text_with_hash(start, 2**40, check.NODE_SEED) for start in ("\uffff", "\U00010000", "z")]
TWINS: list[Any] = ["a", twin_of(b"a"), "zz", twin_of(b"zz"), "node1", "node2"]


def rankings() -> Iterator[Row]:
    rng = random.Random(5)
    keys = [*TEXTS, *NUMBERS, *(rng.randbytes(n) for n in (0, 1, 7, 8, 9, 15, 16, 17, 129))]
    keys += [f"key-{n}" for n in range(120)] + [rng.getrandbits(64) for _ in range(60)]
    rows = [{"key": tagged(key)} for key in keys]
    for name, nodes in sets(FIVE, UNEVEN):
        yield case("ranking", name, rows, set=nodes)
    for name, nodes in sets(["a", "b", "c"], [1.0, 1.0, 1.0]):
        yield case("ranking", f"three nodes: {name}", rows, set=nodes)
    order = ["\uffff", "\U00010000", b"\x7f", b"\x80", "a", "a\0", "aa"]  # by bytes, unsigned
    for name, nodes in sets(order, [0.1, 2.0**970, 2.0**-1016, 1.0, 1.0, 3.0, 0.7]):
        yield case("ranking", f"ids of many kinds: {name}", rows[:60], set=nodes)
    for weights in (None, [1.0] * 6, [2.0, 2.0, 1.0, 3.0, 0.5, 0.0]):
        name = "ties" + ("" if weights is None else f", weights {weights}")
        yield case(
            "ranking", f"murmur: {name}", rows[:120], set=a_set(TWINS, "murmur", b"", weights)
        )
    for weights in (None, [1.0] * 3):
        name = "ties of texts" + ("" if weights is None else ", weights")
        nodes = a_set(WIDE, "murmur", b"", weights)
        yield case("ranking", f"murmur: {name}", rows[:40], set=nodes)
    # A score of 0, 1 and the largest; m = 0 from scores that are 0 mod 2^53; two nodes with m = 0.
    edges = [0, 1, 2**53, 3 * 2**53, 2**64 - 2**53, 2**53 - 1, 2**64 - 1, 2**63]
    made = [
        {"key": {"bytes": key_scoring(node, score).hex()}}
        for node in (b"a", b"zz", b"node1")
        for score in edges
    ]
    for weights in (None, [1.0] * 6, [2.0, 2.0, 0.0, 0.0, 1.0, 2.0**-1016]):
        name = "made scores, m = 0" + ("" if weights is None else f", weights {weights}")
        yield case("ranking", f"murmur: {name}", made, set=a_set(TWINS, "murmur", b"", weights))
    alone = [twin_of(b"a"), "a"]
    yield case(
        "ranking",
        "murmur: nothing but m = 0",
        made[:8],
        set=a_set(alone, "murmur", b"", [1.0, 5.0]),
    )
    for file in ("blake2b.json", "murmur.json", "weighted.json", "composite.json"):
        yield from restated_rankings(file)


def minus_zero() -> Iterator[Row]:
    rows = [{"key": tagged(key)} for key in ("a", 1, b"\xff")]
    for scheme in ("blake2b", "murmur"):
        nodes = a_set(["a", "b", "c"], scheme, b"", [-0.0, 1.0, 2.0])
        yield case("ranking", f"a weight of -0.0: {scheme}", rows, set=nodes)


def restated_rankings(file: str) -> Iterator[Row]:
    recorded = old(file)
    for each in recorded["cases"]:
        scheme = each.get("scheme") or recorded["scheme"]
        weights = (
            [float.fromhex(weight) for weight in each["weights"]] if "weights" in each else None
        )
        nodes = a_set(each["nodes"], scheme, bytes.fromhex(each.get("secret", "")), weights)
        rows = [
            {"key": row["key"] if "key" in row else {"parts": row["parts"]}} for row in each["keys"]
        ]
        name = f"{scheme}, {each['name']}" if "scheme" in each else each["name"]
        yield case("ranking", restated(file, name), rows, set=nodes)


# -- 6 Weights from measures ----------------------------------------------------------------------


def weights() -> Iterator[Row]:
    rng = random.Random(6)

    def measure(n: int, low: float, high: float, missing: float = 0.1) -> list[str | None]:
        drawn = [None if rng.random() < missing else rng.uniform(low, high) for _ in range(n)]
        return [None if number is None else check.bits(number) for number in drawn]

    def written_bits(numbers: Iterable[float | None]) -> list[str | None]:
        return [None if number is None else check.bits(number) for number in numbers]

    rows: list[Row] = []
    for n in (1, 2, 3, 4, 7, 12) * 4:
        for exponent in (None, 0.5, 2.0, 0.0, 0.3, 1 / 3, 1.7, 7.5):
            row: Row = {
                "stake_bits": measure(n, 0, 1e6),
                "capacity_bits": measure(n, 1, 64),
                "rtt_bits": measure(n, 0.1, 300),
            }
            for name in rng.sample(list(row), rng.randrange(3)):
                del row[name]
            if exponent is not None:
                both = {"stake": exponent, "capacity": exponent / 2, "rtt": -exponent}
                row["exponents_bits"] = {name: check.bits(it) for name, it in both.items()}
            if rng.random() < 0.4:
                row["bounds_bits"] = written_bits([0.25, 4.0])
            rows.append(row)
    yield case("weights", "drawn measures", rows)
    edges: list[Row] = [
        {"capacity_bits": written_bits([8, 16, 32]), "rtt_bits": written_bits([10, 20, None])},
        {"stake_bits": written_bits([0, 0, 1, 2, 3])},  # a stake of 0 is a weight of 0
        {"stake_bits": written_bits([0, 1]), "bounds_bits": written_bits([0.25, 4.0])},
        {"stake_bits": written_bits([None, None])},
        {"stake_bits": written_bits([1.7e308, 1.6e308])},  # a median that must not overflow
        {"stake_bits": written_bits([5e-324, 1e-323, 1.5e-323])},
        {"stake_bits": written_bits([5e-324, 1.5e-323])},
        {"rtt_bits": written_bits([0.1, 0.2, 0.3])},
        {"stake_bits": written_bits([0, 1, 1]), "rtt_bits": written_bits([5e-324, 1, 1])},
        {
            "stake_bits": written_bits([1e308, 1e-308, 1e-308]),
            "bounds_bits": written_bits([0.25, 4.0]),
        },
        {
            "stake_bits": written_bits([3, 1]),
            "capacity_bits": written_bits([1, 3]),
            "rtt_bits": written_bits([0.1, 0.7]),
        },  # the order of the factors counts
    ]
    yield case("weights", "rare cases", edges)


def powers() -> Iterator[Row]:
    """Powers in the middle of two doubles, where the steps of 40 digits decide, beside others."""
    rng = random.Random(7)
    rows: list[Row] = []
    for exponent, low, high in ((2, 94906267, 2**27), (3, 208065, 2**18), (4, 9742, 11585)):
        for _ in range(8):  # odd numbers whose power has 54 bits
            scale = 2.0 ** rng.choice([0, 0, 3, -60, 200])
            value = rng.randrange(low | 1, high, 2) * scale
            stake = [value, scale, 1.5 * scale, scale / 3, scale]
            row = {"stake_bits": list(map(check.bits, stake))}
            rows.append({**row, "exponents_bits": {"stake": check.bits(float(exponent))}})
    for _ in range(8):
        value = rng.randrange(94906267, 2**27, 2) * 1.0
        row = {"rtt_bits": list(map(check.bits, [1.0, value, value, 3 * value, 2.0]))}
        rows.append({**row, "exponents_bits": {"rtt": check.bits(-2.0)}})
    subnormal = [n * 2.0**-215 for n in (1, 3, 5, 7, 9, 11)]
    row = {"stake_bits": list(map(check.bits, [*subnormal, *[1.0] * 7]))}
    rows.append({**row, "exponents_bits": {"stake": check.bits(5.0)}})
    yield case("weights", "powers in the middle of two doubles", rows)


#: values whose quotient with the median 1 has 41 digits, of which the last is a 5, and exponents
TIED = (
    *((float.fromhex("0x1.ddedb14p-20"), 2.0), (float.fromhex("0x1.aa89884p-20"), 2.0)),
    *((float.fromhex("0x1.f0f7eb4p-20"), 2.0), (float.fromhex("0x1.fba85e4p-20"), 2.0)),
    *((float.fromhex("0x1.cec28p-33"), 3.0), (float.fromhex("0x1.e9628p-33"), 3.0)),
)


def tied_powers() -> Iterator[Row]:
    rows: list[Row] = []
    for value, exponent in TIED:
        stake = list(map(check.bits, [value, 1.0, 1.5]))
        rows.append(
            {"stake_bits": [*stake, stake[1]], "exponents_bits": {"stake": check.bits(exponent)}}
        )
    yield case("weights", "quotients on a tie of 40 digits", rows)
    rows = [
        {
            "stake_bits": list(map(check.bits, [-0.0, 1.0, 3.0])),
            "exponents_bits": {"stake": check.bits(exponent)},
        }
        for exponent in (1.0, 2.0, 0.5, 0.0)
    ]
    yield case("weights", "a stake of -0.0", rows)


# -- 7 Partition tables ---------------------------------------------------------------------------


#: numbers of parts, and a part of each whose first hash has low bits
BORDERS = ((1, 3), (2, 3), (1, 1000), (333, 1000), (999, 1000))


def border(part: int, parts: int) -> int:
    """The first hash in a part."""
    return -(-part * 2**64 // parts)


def partitions() -> Iterator[Row]:
    keys = [*TEXTS, *NUMBERS, *(f"key-{n}" for n in range(12))]
    rows = [{"key": tagged(key)} for key in keys]
    # Keys at both ends of the hashes, and on both sides of borders between partitions.
    made = [0, 1, 2**63 - 1, 2**63, 2**64 - 1]
    made += [border(number, count) + d for number, count in BORDERS for d in (-1, 0)]
    rows += [{"key": {"bytes": inverse_murmur64a(end, check.KEY_SEED).hex()}} for end in made]
    for count in (1, 2, 3, 1000, 2**24):
        for name, nodes in sets(FIVE, UNEVEN):
            k = 4 if "weights" in name else 5
            yield case(
                "partition", f"{count} partitions: {name}", rows, set=nodes, partitions=count, k=k
            )
    twins = a_set(TWINS, "murmur", b"", [1.0] * 6)
    yield case("partition", "murmur: ties", rows, set=twins, partitions=64, k=6)
    for each in old("partitions.json")["cases"]:
        yield case(
            "partition",
            restated("partitions.json", each["name"]),
            [{"key": row["key"]} for row in each["keys"]],
            set=a_set(each["nodes"], "blake2b", bytes.fromhex(each["secret"])),
            partitions=each["partitions"],
            k=len(each["nodes"]),
        )


# -- 8 Fault sets and repair ----------------------------------------------------------------------

TWELVE = [f"node-{n}" for n in range(12)]
UNEVEN_TWELVE = [1.0, 2.0, 0.5, 0.0, 1.0, 3.0, 1.0, 1.0, 0.1, 2.0, 0.0, 1.0]
#: a label is told from one of another type; rack 1 of one zone is not rack 1 of another
DOMAINS: Row = {
    "zone": [
        {kind: it} for kind, it in (("str", "a"), ("bytes", "61"), ("int", "1")) for _ in range(4)
    ],
    "rack": [{"int": str(n // 2 % 2)} for n in range(12)],
    "row": [{"str": "1" if n < 7 else "2"} for n in range(12)],
}
ASKED: tuple[tuple[int, list[int], list[str], list[int]], ...] = (
    (3, [], [], []),
    (3, [1, 6, 11], [], []),
    (3, [], ["zone"], [1]),
    (5, [2], ["zone"], [1]),
    (5, [0, 1, 2], ["zone"], [2]),
    (6, [], ["zone", "rack"], [2, 1]),
    (8, [5], ["zone", "rack"], [1, 1]),
    (7, [], ["row", "zone", "rack"], [3, 1, 1]),
    (2, [0, 1, 2, 4, 5, 6, 7], ["zone", "rack"], [1, 1]),
)


def faultsets() -> Iterator[Row]:
    rng = random.Random(8)
    asked = [tagged(key) for key in (*(f"key-{n}" for n in range(10)), -1, b"\x80", "")]
    for name, nodes in sets(TWELVE, UNEVEN_TWELVE):
        for k, dead, spread, most in ASKED:
            title = f"k={k}, dead {dead}, {' and '.join(spread) or 'no'} spread: {name}"
            shared = {
                "set": nodes,
                "domains": DOMAINS,
                "spread": spread,
                "most": most,
                "dead": dead,
            }
            yield case("replicas", title, [{"key": key} for key in asked], **shared, k=k)
            rows = []
            for key in asked:
                held: list[int | None] = rng.sample(range(12), rng.randrange(k + 2))
                held += rng.choice([[], [None], held[:1]])
                rng.shuffle(held)
                rows.append({"key": key, "current": held})
            yield case("repair", f"repair, {title}", rows, **shared, k=k)
    twins = a_set(TWINS, "murmur")
    zones = {"zone": [{"int": str(n // 2)} for n in range(6)]}
    shared = {"set": twins, "domains": zones, "spread": ["zone"], "most": [1], "dead": []}
    yield case("replicas", "murmur: ties", [{"key": key} for key in asked], **shared, k=4)
    recorded = old("faultset.json")
    names = [f"node-{n}" for n in range(16)]
    labels = {name: [{"int": str(it)} for it in each] for name, each in recorded["levels"].items()}
    for number, each in enumerate(recorded["cases"]):
        yield case(
            "replicas",
            restated("faultset.json", str(number)),
            [{"key": {"str": row["key"]}} for row in each["keys"]],
            set=a_set(names),
            domains=labels,
            **{name: each[name] for name in ("spread", "most", "dead", "k")},
        )


#: labels of which just the last two are one domain, though some have the same bytes or digits
ALIKE: list[Row] = [
    *({"int": "1"}, {"str": "1"}, {"int": "-1"}, {"int": "18446744073709551615"}),
    *({"uuid": "F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6"},),
    *({"str": "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"},),
]


def labels_alike() -> Iterator[Row]:
    rows = [{"key": tagged(f"key-{n}")} for n in range(6)]
    shared: Row = {"set": a_set(TWELVE[:6]), "domains": {"zone": ALIKE}}
    for k in (5, 6):
        title = f"labels that look alike, k={k}"
        yield case("replicas", title, rows, **shared, spread=["zone"], most=[1], dead=[], k=k)


# -- 9 Bounded load, sizes, the assigner ----------------------------------------------------------


#: the largest is a power of two, and what is rounded up takes the total over another
BORDERLINE = [
    check.bits(size) for size in (1.0, 1 - 2.0**-50, 2.0**-50 - 3 * 2.0**-57, *[2.0**-100] * 4)
]


def balanced() -> Iterator[Row]:
    rng = random.Random(9)
    for name, nodes in sets(FIVE, UNEVEN):
        rows: list[Row] = []
        for factor, many in (
            ("1", 1),
            ("1", 24),
            ("1.05", 40),
            ("1.25", 30),
            ("2", 20),
            ("10", 4),
            ("0.9", 3),
        ):
            keys = [tagged(f"key-{n * n % many}") for n in range(many)]  # some stand several times
            rows.append({"load_factor": factor, "keys": keys})
        for factor in ("1", "1.05", "1.3"):
            keys = [tagged(n * n % 30) for n in range(32)]
            whole = [rng.randint(1, 1000) for _ in keys]
            rows.append({"load_factor": factor, "keys": keys, "sizes": check.decimals(whole)})
            halves = [check.bits(rng.randint(1, 99) / 8) for _ in keys]
            rows.append({"load_factor": factor, "keys": keys, "sizes_bits": halves})
        large = [rng.getrandbits(62) + 1 for _ in keys]
        rows.append({"load_factor": "1", "keys": keys, "sizes": check.decimals(large)})
        wide = [check.bits(10.0 ** rng.uniform(-30, 30)) for _ in keys]
        rows.append({"load_factor": "1.1", "keys": keys, "sizes_bits": wide})
        power = [check.bits(2.0 ** rng.randint(-3, 3)) for _ in keys]
        rows.append({"load_factor": "1.1", "keys": keys, "sizes_bits": power})
        one = [check.bits(1e6), *[check.bits(0.1)] * 31]  # a key larger than any share
        rows.append({"load_factor": "1", "keys": keys, "sizes_bits": one})
        rows.append({"load_factor": "1", "keys": keys[:7], "sizes_bits": BORDERLINE})
        yield case("batch", f"bounded load: {name}", rows, set=nodes)
    twins = [
        tagged(inverse_murmur64a(check.murmur64a(key, check.KEY_SEED), check.KEY_SEED))
        for key in (b"a", b"b", b"cc")
    ]
    tied = [{"str": "a"}, {"str": "b"}, {"str": "cc"}, *twins] * 3  # keys with equal scores
    for name, each in (("", None), (", weights", [2.0, 2.0, 1.0, 3.0, 0.5, 0.0])):
        ties: list[Row] = [
            {"load_factor": factor, "keys": tied, **sizes}
            for factor in ("1", "1.2")
            for sizes in ({}, {"sizes": check.decimals([1 + n % 4 for n in range(18)])})
        ]
        yield case("batch", f"murmur: ties{name}", ties, set=a_set(TWINS, "murmur", b"", each))
    for file in ("balanced.json", "balanced_sizes.json"):
        for number, each in enumerate(old(file)["cases"]):
            row: Row = {
                "load_factor": each["load_factor"],
                "keys": [tagged(key) for key in each["keys"]],
            }
            if any(isinstance(size, float) for size in each.get("sizes", [])):
                row["sizes_bits"] = [check.bits(size) for size in each["sizes"]]
            elif "sizes" in each:
                row["sizes"] = check.decimals(each["sizes"])
            yield case("batch", restated(file, str(number)), [row], set=a_set(each["nodes"]))
    yield from histories()


def named(numbers: Iterable[int]) -> list[Row]:
    return [tagged(n if n % 3 else f"key-{n}") for n in numbers]


def assigned(numbers: Iterable[int], sized: str) -> Row:
    keys = list(numbers)
    each = [1 + n * n * 7919 % 50 for n in keys]
    sizes: Row = {
        "no": {},
        "whole": {"sizes": check.decimals(each)},
        "large": {"sizes": check.decimals([size * 2**60 // 49 for size in each])},
        "tenths": {"sizes_bits": [check.bits(size / 10) for size in each]},
    }[sized]
    return {"assign": named(keys), **sizes}


def histories() -> Iterator[Row]:
    """An assigner's keys come and go, and so do its nodes."""
    # Two nodes of three keys each, then a third one: without a key each is just at its share of 2.
    for (name, two), (_, three) in zip(
        sets(["a", "b"], [1.0, 1.0]), sets(["a", "b", "c"], [1.0, 1.0, 1.0]), strict=True
    ):
        steps = [assigned(range(6), "no"), {"update": three}, {"rebalance": True}]
        title = f"loads just at the share: {name}"
        yield case("assigner", title, [{"steps": steps}], set=two, load_factor="1")
    for (name, nodes), (_, fewer), (_, more) in zip(
        sets(["a", "b", "c", "d"], [1.0, 2.0, 1.0, 4.0]),
        sets(["a", "d", "c"], [1.0, 1.0, 0.0]),
        sets(["e", "a", "d", "c", "f"], [2.0, 1.0, 0.5, 1.0, 0.0]),
        strict=True,
    ):
        rows: list[Row] = []
        for sized in ("no", "whole", "large", "tenths"):
            steps = [
                assigned(range(30), sized),
                assigned([*range(0, 30, 7), *range(60, 64), 60], sized),  # some are held
                {"release": named(range(2, 20, 2))},
                assigned(range(30, 45), sized),
                {"update": fewer},
                {"rebalance": True},
                {"update": more},
                assigned(range(45, 50), sized),
                {"rebalance": True},
                {"rebalance": True},
                {"update": nodes},
                {"rebalance": True},
            ]
            rows.append({"steps": steps})
        for factor in ("1", "1.25"):
            yield case("assigner", f"factor {factor}: {name}", rows, set=nodes, load_factor=factor)


def mixed_sizes() -> Iterator[Row]:
    """Keys that lose their node, some with sizes that are integers and some with doubles."""
    rng = random.Random(10)
    for name, two in sets(["a", "b"], [1.0, 2.0]):
        rows: list[Row] = []
        for _ in range(4):
            whole = [str(rng.randrange(2**54, 2**57)) for _ in range(8)]
            doubles = [rng.uniform(2.0**54, 2.0**57) for _ in range(7)] + [0.5]
            steps = [
                {"assign": named(range(8)), "sizes": whole},
                {"assign": named(range(8, 16)), "sizes_bits": list(map(check.bits, doubles))},
                {"update": a_set(["c"])},
                {"update": a_set(["c", "d", "e"])},
                {"rebalance": True},
            ]
            rows.append({"steps": steps})
        yield case("assigner", f"sizes of both kinds: {name}", rows, set=two, load_factor="1.05")


# -- 10 Same region first -------------------------------------------------------------------------


def places(*pairs: tuple[float, float]) -> list[Row]:
    return [
        {"latitude_bits": check.bits(latitude), "longitude_bits": check.bits(longitude)}
        for latitude, longitude in pairs
    ]


def geohashes() -> Iterator[Row]:
    rng = random.Random(2008)
    borders = [
        (
            latitude + d * abs(latitude or 1) * 2.0**-52,
            longitude + e * abs(longitude or 1) * 2.0**-52,
        )
        for latitude in (0.0, 45.0, -45.0, 22.5, 11.25, 0.17578125)
        for longitude in (0.0, 90.0, -90.0, 45.0, 11.25, -0.3515625)
        for d, e in ((0, 0), (-1, 0), (0, -1), (1, 1))
    ]
    corners = [(y, x) for y in (-90.0, 0.0, -0.0, 90.0) for x in (-180.0, -0.0, 0.0, 180.0)]
    inner = [(89.99999999999999, 179.99999999999997), (-89.99999999999999, -179.99999999999997)]
    anywhere = [(rng.uniform(-90, 90), rng.uniform(-180, 180)) for _ in range(60)]
    rows = [{**place, "precision": 12} for place in places(*borders, *corners, *inner, *anywhere)]
    rows += [
        {**place, "precision": precision}
        for precision in range(1, 12)
        for place in places(*anywhere[:3], (0.0, 0.0), (90.0, 180.0))
    ]
    yield case("geohash", "places, borders among them", rows)
    hashes = ["u0", "u09t", "u09tvqxnnuph", "u09tvqxnnupj", "u1", "gcpv", "s0nd", "u"]
    keys = [
        "u09tvqxnnuph",
        "u09tv",
        "u",
        "u1zzzz",
        "gcpvj",
        "s",
        "zzzzzzzzzzzz",
        "0",
        "u0bbbbbbbbbb",
    ]
    asked = [
        {"key": tagged(n if n % 2 else f"key-{n}"), "geohash": keys[n % len(keys)]}
        for n in range(27)
    ]
    nodes = [f"node-{n}" for n in range(8)]
    for precision in (1, 2, 4, 12):
        for name, each in sets(nodes, [1.0, 2.0, 0.5, 0.0, 1.0, 3.0, 1.0, 0.1]):
            yield case(
                "nearest",
                f"precision {precision}: {name}",
                asked,
                set=each,
                precision=precision,
                geohashes=hashes,
            )
    yield case(
        "nearest",
        "murmur: ties",
        asked,
        set=a_set(TWINS, "murmur"),
        precision=2,
        geohashes=hashes[:6],
    )
    for each in old("geohash.json")["cases"]:
        name = restated("geohash.json", f"{each['name']}, {each['scheme']}, {each['precision']}")
        nodes = a_set(each["nodes"], each["scheme"], b"", each["weights"])
        asked = [{"key": row["key"], "geohash": row["geohash"]} for row in each["keys"]]
        yield case(
            "nearest",
            name,
            asked,
            set=nodes,
            precision=each["precision"],
            geohashes=each["geohashes"],
        )
        spots = places(*((row["latitude"], row["longitude"]) for row in each["keys"]))
        yield case("geohash", name, [{**spot, "precision": 12} for spot in spots])


# -- 11 Buckets -----------------------------------------------------------------------------------


#: words with a step of jump hash from bucket 48 by 2^31 / (49 * 2^11): with doubles it ends below
#: 2^20, where whole numbers give just that
ROUNDED = (
    *(9968603423934817576, 17711814466743671727, 15213814043661673041),
    *(14572699984082226030, 17633255906273777172, 2405319832826279374),
)


def buckets() -> Iterator[Row]:
    rng = random.Random(11)
    keys = [
        *TEXTS,
        *NUMBERS,
        *(rng.getrandbits(64) for _ in range(12)),
        *(rng.randbytes(n) for n in (0, 8, 129)),
    ]
    rows = [{"key": tagged(key)} for key in keys]
    for count, k in (
        *((1, 1), (2, 2), (3, 3), (4, 2), (5, 5), (7, 3), (16, 4), (17, 3), (100, 10)),
        *((2**16, 3), (2**20 + 1, 3), (2**30, 2), (2**31 - 1, 3)),
    ):
        yield case("buckets", f"{count} buckets, k={k}", rows, buckets=count, k=k)
    made = [{"key": {"int": str(word)}} for word in ROUNDED]
    yield case("buckets", "jump hash's doubles", made, buckets=2**20 + 1, k=1)
    for each in old("stable.json")["cases"]:
        asked = [{"key": row["key"]} for row in each["keys"]]
        name = restated("stable.json", str(each["buckets"]))
        yield case("buckets", name, asked, buckets=each["buckets"], k=each["k"])


def words() -> Iterator[Row]:
    """A composite key, and bytes, have another word than the integer with the same bytes."""
    keys: list[Row] = [
        *({"int": "5"}, {"parts": [{"int": "5"}]}, {"bytes": "0500000000000000"}),
        *({"parts": [{"str": "a"}, {"int": "-1"}]}, {"parts": [{"str": ""}]}),
        {"uuid": "F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6"},
    ]
    rows = [{"key": key} for key in keys]
    for count in (10, 1000):
        yield case("buckets", f"words of {count} buckets", rows, buckets=count, k=3)


# -- 12 Rings -------------------------------------------------------------------------------------

#: nodes of which the first two share a point, which is before one of the third's; and that point
MEETING: tuple[tuple[str, list[str], int], ...] = (
    ("ketama", ["server-574", "server-113", "third-5"], 421945743),
    ("libmemcached", ["server-590", "server-659", "third-3"], 714752673),
    ("libmemcached-ketama", ["server-262", "server-22", "third-0"], 200770983),
    ("nginx", ["server-285:80", "server-45:80", "third-5:80"], 555846642),
    ("uhashring-ketama", ["server-113", "server-574", "third-5"], 421945743),
    ("hash-ring", ["server-838", "server-327", "third-5"], 4282959707),
)


def rings() -> Iterator[Row]:
    rng = random.Random(12)
    even = [[1.0] * n for n in (1, 2, 3, 7, 24, 25, 26, 61, 100, 122, 237, 244, 300)]
    uneven = [[float(rng.randint(1, 9)) for _ in range(n)] for n in (2, 3, 5, 8, 33)]
    uneven += [[600.0, 400.0], [1.0, 1000.0], [1.0, 2.0, 4.0]]
    odd = [[0.1, 0.2, 0.3], [rng.uniform(0.1, 9) for _ in range(9)], [1 / 3, 2 / 3], [1e-3, 1e3]]
    for system in check.SYSTEMS:
        asked = [*even, *uneven, *(odd if system in ("ketama", "hash-ring") else [])]
        rows = [{"weights_bits": list(map(check.bits, each))} for each in asked]
        yield case("counts", f"hashes of each node: {system}", rows, system=system)
    servers = ["10.0.0.1:11211", "10.0.0.2:11212", "10.0.0.3", "/var/run/m.sock", "n:011211", "n:x"]
    hosts = ["10.0.0.1:443", "unix:/a:1", "UNIX:b", "plain", "host:", "host:x", "[::1]:80"]
    for system in check.SYSTEMS:
        names = hosts if system == "nginx" else servers
        if not system.startswith("libmemcached"):
            names = [*names, "\u03bb3"]
        shapes = [(names[:2], [1.0, 1.0]), (names[2:], [1.0] * len(names[2:]))]
        shapes += [] if system == "libmemcached-ketama" else [(names[:2], [1.0, 3.0])]
        rows = [
            {"nodes": list(map(tagged, ids)), "weights_bits": list(map(check.bits, each))}
            for ids, each in shapes
        ]
        yield case("points", f"points: {system}", rows, system=system)
        ids = {"nodes": list(map(tagged, names)), "weights_bits": [check.bits(1.0)] * len(names)}
        keys = [
            {"key": tagged(key)} for key in [*TEXTS, *(f"key-{n}" for n in range(20)), b"\x80\xff"]
        ]
        yield case("lookup", f"keys: {system}", keys, system=system, **ids, k=3)
    for system, names, token in MEETING:
        ids = {
            "nodes": list(map(tagged, names)),
            "weights_bits": [check.bits(1.0)] * len(names),
        }
        around = [{"token": str(token + d)} for d in (-1, 0, 1)]
        name = f"nodes that share a point: {system}"
        yield case("lookup", name, around, system=system, **ids, k=2)
    yield from ring_keys()
    yield from lookups(rng)


def counts_by_floats() -> Iterator[Row]:
    """Numbers of nodes that have another count if the last product is not rounded to a float."""
    rows = [{"weights_bits": [check.bits(1.0)] * n} for n in (29, 31, 41, 43, 49, 58, 62, 67, 73)]
    for system in ("ketama", "libmemcached"):
        yield case("counts", f"equal nodes: {system}", rows, system=system)


def counts_by_order() -> Iterator[Row]:
    """Weights of hash_ring whose counts are others if the share is computed first."""
    asked = [[4.8, 1.2], [0.5, 1.2, 6.8], [4.3, 3.9, 3.6, 3.4, 3.8], [5.2, 4.2, 3.2]]
    rows = [{"weights_bits": list(map(check.bits, each))} for each in asked]
    yield case("counts", "the order of operations: hash-ring", rows, system="hash-ring")


def across_the_ends() -> Iterator[Row]:
    """The nearest of the last and the first point, beside the end, the start and half-way."""
    for name in check.TOKENS:
        size = check.ring_size(name)
        lowest = -(2**63) if name == "murmur3" else 0
        for first, last in ((10, size - 30), (30, size - 9)):
            points = [[str(lowest + token), n] for n, token in enumerate((first, size // 2, last))]
            middle = (first + last - size) // 2
            tokens = [last + 1, size - 1, 0, first - 1, middle, middle + 1]
            rows: list[Row] = [{"key": tagged("a")}]
            rows += [{"token": str(lowest + token % size)} for token in tokens]
            shared: Row = {"hash": name, "hit": "nearest", "points": points, "k": 2}
            yield case("lookup", f"nearest across the ends, {first}: {name}", rows, **shared)


def ring_keys() -> Iterator[Row]:
    """What is hashed of a key: integers as a system writes them, and what is between braces."""
    numbers = [0, 1, -1, 127, 128, -128, 255, 256, 2**31 - 1, -(2**31)]
    wide = [2**31, 2**63 - 1, -(2**63), -(2**31) - 1]
    for integers in ("text", "int32_be", "int64_be", "int32_le", "int64_le", "contract"):
        beyond = [] if "32" in integers else [*wide, *([] if "64" in integers else [2**64 - 1])]
        keys = [*numbers, *beyond, "1", b"\x01"]
        rows = [{"key": tagged(key)} for key in keys]
        yield case("ring_key", f"integers: {integers}", rows, integers=integers)
    texts = ["a{b}c", "a{}c", "{b}", "a{b", "a}b{c}", "a{b}{c}", "a{{b}}c", "{}{b}", "", "{", "a"]
    for tag in ("{}", "||"):
        rows = [{"key": tagged(key)} for key in [*texts, "a|b|c", "||b|", "a|b"]]
        yield case("ring_key", f"tag {tag}", rows, integers="contract", tag=tag)


def lookups(rng: random.Random) -> Iterator[Row]:
    """Rings of tokens: every hash, every way of hitting a point."""
    keys = [*TEXTS, b"", b"\x80" * 9, *(f"key-{n}" for n in range(12)), rng.randbytes(40)]
    for name in check.TOKENS:
        size = check.ring_size(name)
        lowest = -(2**63) if name == "murmur3" else 0
        inner = sorted(rng.randrange(size) for _ in range(9))
        inner += [inner[-1] + 2, inner[-1] + 5]
        for title, tokens in (
            ("one point", inner[:1]),
            ("no point at the ends", inner),
            ("points at both ends", [0, *inner, size - 1]),
        ):
            points = [[str(lowest + token), n * n % 5 % 4] for n, token in enumerate(tokens)]
            k = min(2, len({node for _, node in points}))
            asked = [{"key": tagged(key)} for key in keys]
            asked += [{"token": str(lowest + token)} for token in telling(tokens, size)]
            for hit in ("point", "next", "nearest"):
                name_of_case = f"{title}: {name}, {hit}"
                shared: Row = {"hash": name, "hit": hit, "points": points, "k": k}
                yield case("lookup", name_of_case, asked, **shared)


def telling(tokens: list[int], size: int) -> list[int]:
    """Tokens that tell one rule from another: at points, beside them, and half-way between two."""
    found = {token + d for token in tokens for d in (-1, 0, 1)}
    for one, two in zip(tokens, [*tokens[1:], tokens[0] + size], strict=True):
        found |= {(one + two) // 2 + d for d in (0, 1)}
    return sorted({token % size for token in found})


# -- 13 Migrations --------------------------------------------------------------------------------


def migrations() -> Iterator[Row]:
    made = [0, 1, 2**53, 2**63 - 1, 2**63, 2**63 + 1, 2**64 - 2**11, 2**64 - 1]
    made += [border(number, steps) + d for number, steps in BORDERS for d in (-1, 0)]
    made += [math.ceil(Fraction(0.1) * 2**64) + d for d in (-1, 0)]
    keys = [{"bytes": inverse_murmur64a(end, check.KEY_SEED).hex()} for end in made]
    keys += [tagged(key) for key in (*TEXTS, *NUMBERS)]
    for progress in (0.0, 5e-324, 2.0**-64, 0.1, 0.5, 0.5000000000000001, 1 - 2.0**-53, 1.0):
        shared = {"progress_bits": check.bits(progress), "steps": 1000}
        yield case("crossing", f"progress {progress}", [{"key": key} for key in keys], **shared)
    for steps in (1, 3, 2**24):
        shared = {"progress_bits": check.bits(0.25), "steps": steps}
        yield case("crossing", f"{steps} steps", [{"key": key} for key in keys], **shared)
    recorded = [{"key": {"str": row["key"]}} for row in old("ring.json")["keys"]]
    shared = {"progress_bits": check.bits(0.5), "steps": 16}
    yield case("crossing", restated("ring.json", "crossing"), recorded, **shared)
    asked = [{"key": tagged(key)} for key in (*(f"key-{n}" for n in range(20)), 7, b"\xff")]
    before = list(sets(["a", "b", "c", "d"], [1.0, 2.0, 0.0, 1.0]))
    after = list(sets(["e", "c", "b", b"a", "f"], [1.0, 1.0, 3.0, 0.5, 0.0]))
    for at, (name, one) in enumerate(before):
        # to the same scheme, and to the next one
        for other, two in (after[at], after[(at + 3) % len(after)]):
            for k, k_new in ((1, 1), (2, 2), (3, 3), (1, 3), (2, 4), (3, 1)):
                title = f"{name} to {other}, k={k}, k_new={k_new}"
                yield case("moves", title, asked[:10], old=one, new=two, k=k, k_new=k_new)


def limits() -> Iterator[Row]:
    """Keys around a progress that is not a whole number of 2^-64."""
    for progress in (0.1 * 2.0**-12, 1e-9, 1e-15, 1e-18):
        limit = math.ceil(Fraction(progress) * 2**64)
        hashes = [inverse_murmur64a(limit + d, check.KEY_SEED) for d in (-2, -1, 0)]
        shared = {"progress_bits": check.bits(progress), "steps": 1000}
        rows = [{"key": {"bytes": key.hex()}} for key in hashes]
        yield case("crossing", f"around the progress {progress}", rows, **shared)


# -- 14 Fingerprints ------------------------------------------------------------------------------


def fingerprints() -> Iterator[Row]:
    found = []
    for ids in (
        FIVE,
        FIVE[::-1],
        ["a"],
        ["ab", "c"],
        ["a", "bc"],
        ["\u00e9"],
        [b"\xc3\xa9"],
        [b"\x80", b"\x7f"],
        ["\U00010000", "\uffff", "z"],
    ):
        each = [0.1, 2.0, 1.0, 2.0**-1016, 2.0**970][: len(ids)]
        found += [{"set": nodes} for _, nodes in sets(ids, each)]
    found += [
        {"set": a_set(["a"], "blake2b", bytes(range(64)))},
        {"set": a_set(["a", "b"], "murmur", b"", [1.0, 1.0])},
    ]
    yield case("fingerprint", "sets of nodes", found)
    for file in ("blake2b.json", "murmur.json", "weighted.json"):
        rows = [{"set": each["set"]} for each in restated_rankings(file)]
        yield case("fingerprint", restated(file, "fingerprints"), rows)


def other_fingerprints() -> Iterator[Row]:
    """Of rings, fault sets and migrations."""
    ids = {"nodes": list(map(tagged, ["b", "\u03bb3", b"a\xff"]))}
    rows: list[Row] = []
    for name in check.TOKENS:
        low = -(2**63) if name == "murmur3" else 0
        last = low + check.ring_size(name) - 1
        points = [
            [str(token), n] for token, n in ((low, 1), (low + 10, 0), (last - 1, 2), (last, 1))
        ]
        for hit in ("point", "next", "nearest"):
            rows.append({"hash": name, "hit": hit, "points": points})
        rows.append({"hash": name, "hit": "point", "points": points[1:2]})
    for integers in ("text", "int32_be", "int64_be", "int32_le", "int64_le", "contract"):
        rows.append({"hash": "md5", "hit": "next", "integers": integers, "points": [["7", 0]]})
    rows.append({"hash": "crc32", "hit": "point", "tag": "{}", "points": [["7", 0], ["9", 2]]})
    rows.append({**rows[-1], "hit": "nearest", "integers": "text"})
    yield case("ring_fingerprint", "rings of tokens", rows, **ids)
    labels = {
        "text and small numbers": ["eu", 7, -1, "eu", 2**56 - 1],
        "text and bytes": ["a", b"a", "a", "b", b""],
        "a NUL in text": ["a\0", "a", "a", "a", "a"],
        "signs": [-1, 2**64 - 1, -1, 2**63, 2**63 - 1],
        "large numbers": [2**56, 1 - 2**56, -(2**56), 0, 1],
    }
    for name, zones in labels.items():
        domains = {
            "zone": list(map(tagged, zones)),
            "rack": list(map(tagged, [1, 2, 1, 2, 1])),
        }
        shapes: list[Row] = [
            {"spread": [], "most": [], "dead": []},
            {"spread": ["zone"], "most": [1], "dead": [0]},
            {"spread": ["rack"], "most": [3], "dead": []},
            {"spread": ["zone", "rack"], "most": [2, 1], "dead": [1, 3]},
        ]
        for title, nodes in list(sets(FIVE, UNEVEN))[::3]:
            shared = {"set": nodes, "domains": domains}
            yield case("faultset_fingerprint", f"{name}: {title}", shapes, **shared)
    before, after = (
        list(sets(["a", "b"], [1.0, 2.0])),
        list(sets(["b", "c", b"a"], [1.0, 1.0, 3.0])),
    )
    progresses = (0.0, 5e-324, 2.0**-64, 0.1, 0.5, 1 - 2.0**-53, 1.0)
    for (name, one), (other, two) in zip(before, after[::-1], strict=True):
        rows = [
            {"k": k, "progress_bits": check.bits(progress)}
            for k in (1, 2)
            for progress in progresses
        ]
        yield case("migration_fingerprint", f"{name} to {other}", rows, old=one, new=two)


def rare_fingerprints() -> Iterator[Row]:
    weights = ([-0.0, 1.0], [0.0, 1.0])
    rows = [{"set": a_set(["a", "b"], "blake2b", b"", each)} for each in weights]
    yield case("fingerprint", "a weight of -0.0", rows)
    shapes: list[Row] = [{"spread": ["zone"], "most": [1], "dead": [n]} for n in (0, 5)]
    shared: Row = {"set": a_set(TWELVE[:6]), "domains": {"zone": ALIKE}}
    yield case("faultset_fingerprint", "labels that look alike", shapes, **shared)
    two: Row = {"set": a_set(["a", "b"]), "domains": {"zone": ALIKE[4:]}}
    yield case("faultset_fingerprint", "a UUID and its text", shapes[:1], **two)


# -- what is refused ------------------------------------------------------------------------------


def refused() -> Iterator[Row]:
    """Questions without an answer, each beside the nearest one that has an answer."""

    def asked(kind: str, name: str, rows: Iterable[Row], **shared: Any) -> Row:
        return case("refused", name, rows, **{"as": kind}, **shared)

    numbers = [-(2**63) - 1, -(2**63), 2**64 - 1, 2**64, 10**30, -(10**30)]
    values: list[Row] = [{"int": str(number)} for number in numbers]
    values += [{"parts": [{"str": "a"}, value]} for value in values]
    values += [{"parts": []}, {"str": ""}, {"bytes": ""}]
    yield asked("value", "keys", [{"value": value} for value in values])

    murmur, blake2b = a_set(["a", "b"], "murmur"), a_set(["a", "b"])
    wrong: list[Row] = [a_set(ids) for ids in ([], ["a", ""], ["a", "a"], ["a", b"a"], ["a", 1])]
    wrong += [{**blake2b, "secret_hex": "00" * n} for n in (64, 65)]
    wrong += [{**murmur, "secret_hex": "00"}, murmur]
    limits = [
        2.0**-1016,
        2.0**970,
        math.nextafter(2.0**-1016, 0),
        math.nextafter(2.0**970, math.inf),
    ]
    for weights in (
        *([limit, 1.0] for limit in limits),
        *([1.0, weight] for weight in (-1.0, -0.0, math.inf, -math.inf, math.nan, 5e-324)),
        *([0.0, 0.0], [1.0], [1.0, 1.0, 1.0]),
    ):
        written = [check.bits(weight) for weight in weights]
        wrong += [{**murmur, "weights_bits": written}, {**blake2b, "weights_bits": written}]
    rows = [{"set": each, "k": 1} for each in wrong]
    rows += [{"set": blake2b, "k": k} for k in (0, 2, 3)]
    one = a_set(["a", "b"], "murmur", b"", [1.0, 0.0])
    rows += [{"set": one, "k": k} for k in (1, 2)]
    yield asked("ranking", "sets of nodes", rows, key={"str": "key"})

    counts = [0, 1, 2**24, 2**24 + 1]
    yield asked("partition", "partitions", [{"partitions": count} for count in counts])

    rows = []
    for name in check.TOKENS:
        low = -(2**63) if name == "murmur3" else 0
        last = low + check.ring_size(name) - 1
        for tokens in ([low, last], [low, low], [low - 1, last], [low, last + 1]):
            points = [[str(token), n] for n, token in enumerate(tokens)]
            rows.append({"hash": name, "points": points, "k": 2})
        points = [[str(low), 0], [str(last), 0]]
        rows += [{"hash": name, "points": points, "k": k} for k in (0, 1, 2)]
    yield asked("lookup", "rings", rows, hit="point")

    ends = [2**31 - 1, 2**31, -(2**31), -(2**31) - 1, 2**63 - 1, 2**63, -(2**63)]
    keys: list[Row] = [{"str": "1"}, *({"int": str(number)} for number in ends)]
    for integers in ("text", "int32_be", "int64_be", "int32_le", "int64_le", "contract"):
        rows = [{"key": key} for key in keys]
        yield asked("ring_key", f"keys of rings, {integers}", rows, integers=integers)

    places = [(90.0, 180.0), (-90.0, -180.0), (math.nextafter(90, 91), 0.0), (math.nan, 0.0)]
    places += [(math.nextafter(-90, -91), 0.0), (0.0, math.nextafter(180, 181)), (0.0, math.inf)]
    places += [(0.0, math.nextafter(-180, -181)), (0.0, math.nan)]
    rows = [
        {"latitude_bits": check.bits(one), "longitude_bits": check.bits(two), "precision": 12}
        for one, two in places
    ]
    rows += [{**rows[0], "precision": precision} for precision in (0, 1, 13)]
    yield asked("geohash", "places", rows)

    three = {"keys": [tagged(n) for n in range(3)]}
    rows = [{**three, "load_factor": factor} for factor in ("0", "0.1", "0.66", "0.67", "1")]
    sizes: list[list[float]] = [[1.0, 5e-324, 2.0], [1.0, 0.0, 2.0], [1.0, -1.0, 2.0]]
    sizes += [[1.0, math.inf, 2.0], [1.0, math.nan, 2.0]]
    rows += [
        {**three, "load_factor": "1", "sizes_bits": list(map(check.bits, each))} for each in sizes
    ]
    rows += [
        {**three, "load_factor": "1", "sizes": list(map(str, each))}
        for each in ([1, 1, 1], [1, 0, 1], [1, -1, 1])
    ]
    yield asked("batch", "bounded load", rows, set=blake2b)


#: section -> what it is about, and what makes its cases, in the order in which they were recorded
SECTIONS: dict[str, tuple[Any, ...]] = {
    "bytes": ("The bytes of node ids and keys.", bytes_),
    "hashes": (
        "The hashes that the other sections use, and tokens of rings.",
        hashes,
        personal_hashes,
    ),
    "scores": ("The score of one node for one key.", scores),
    "logarithms": ("m, its logarithm, and the weighted score.", logarithms),
    "rankings": (
        "The ranking of the nodes of a set for a key, ties and m = 0 too.",
        rankings,
        minus_zero,
    ),
    "weights": ("Weights of nodes from stake, capacity and rtt.", weights, powers, tied_powers),
    "partitions": ("The partition of a key and the partition's owners.", partitions),
    "faultsets": (
        "Replicas among the living, spread over domains, and their repair.",
        faultsets,
        labels_alike,
    ),
    "balanced": (
        "Bounded load by keys and by sizes, and an assigner's history.",
        balanced,
        mixed_sizes,
    ),
    "geohashes": ("Geohashes of places, and rankings by nearness.", geohashes),
    "buckets": ("Buckets by number: jump hash, JumpBackHash, k distinct ones.", buckets, words),
    "rings": (
        "Points of rings, and the nodes of keys and tokens.",
        rings,
        counts_by_floats,
        counts_by_order,
        across_the_ends,
    ),
    "migrations": ("Where keys cross, and what moves from one set to another.", migrations, limits),
    "fingerprints": (
        "Fingerprints of node sets, rings, fault sets and migrations.",
        fingerprints,
        other_fingerprints,
        rare_fingerprints,
    ),
    "refused": ("What has no answer, beside what just has one.", refused),
}


def written(section: str) -> str:
    """A file's text: one row a line."""
    about, *makers = SECTIONS[section]
    said = {"format": 1, "section": section, "about": about}
    head = json.dumps(said)[:-1]
    cases = [written_case(found) for maker in makers for found in maker()]
    return head + ', "cases": [\n' + ",\n".join(cases) + "\n]}\n"


def written_case(found: Row) -> str:
    *head, (_, rows) = found.items()
    lines = ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows)
    return f'{json.dumps(dict(head))[:-1]}, "rows": [\n{lines}\n]}}'


def main() -> None:
    parser = argparse.ArgumentParser(prog="python tests/golden/make_vectors.py")
    parser.add_argument("section", choices=SECTIONS)
    parser.add_argument("new_file", type=Path)
    asked = parser.parse_args()
    with asked.new_file.open("x", encoding="ascii") as file:
        file.write(written(asked.section))


if __name__ == "__main__":
    main()
