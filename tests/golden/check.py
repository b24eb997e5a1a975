"""The placement contract in plain Python, and a check of recorded vectors against it.

    python check.py [FOLDER]

Each section below is one of the contract's, in its order. The functions at the end of a section
answer a row of a file: they take what the row asks and return what it has to say, stage by stage.
Nothing here imports rvh; it is written to be read, not to be fast.
"""

from __future__ import annotations

import hashlib
import json
import math
import struct
import sys
import zlib
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from decimal import Context, Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal, NamedTuple

Row = dict[str, Any]
WORD = 2**64

# -- how the files write numbers ------------------------------------------------------------------


def bits(number: float) -> str:
    """A double as the 16 hex digits of its bits."""
    return struct.pack(">d", number).hex()


def double(text: str) -> float:
    (number,) = struct.unpack(">d", bytes.fromhex(text))
    return float(number)


def decimals(numbers: Sequence[int]) -> list[str]:
    return list(map(str, numbers))


# -- 1 Bytes --------------------------------------------------------------------------------------


def bytes_of(value: dict[str, Any]) -> bytes:
    """The bytes of a node id or a key."""
    ((kind, it),) = value.items()
    if kind == "str":
        return str(it).encode("utf-8")
    if kind == "bytes":
        return bytes.fromhex(it)
    if kind == "int":  # two's complement, so -1 and 2^64 - 1 are one key
        return (int(it) % WORD).to_bytes(8, "little")
    if kind == "uuid":
        return str(it).lower().encode("ascii")
    return b"".join(map(part_of, it))


def part_of(value: dict[str, Any]) -> bytes:
    """The bytes of one part of a composite key: an integer has no length before it."""
    data = bytes_of(value)
    return data if "int" in value else len(data).to_bytes(4, "little") + data


def answer_value(ask: Row) -> Row:
    return {"key_hex": bytes_of(ask["value"]).hex()}


# -- 2 Hashes -------------------------------------------------------------------------------------

KEY_SEED, NODE_SEED = 2718281828, 4193360111


def murmur64a(data: bytes, seed: int) -> int:
    """MurmurHash64A. Blocks are little-endian, and so is what is left at the end."""
    m = 0xC6A4A7935BD1E995
    h = seed ^ len(data) * m % WORD
    whole = len(data) // 8 * 8
    for at in range(0, whole, 8):
        block = int.from_bytes(data[at : at + 8], "little") * m % WORD
        block = (block ^ block >> 47) * m % WORD
        h = (h ^ block) * m % WORD
    if len(data) > whole:
        h = (h ^ int.from_bytes(data[whole:], "little")) * m % WORD
    h = (h ^ h >> 47) * m % WORD
    return h ^ h >> 47


def hash128to64(low: int, high: int) -> int:
    """CityHash's Hash128to64."""
    mul = 0x9DDFEA08EB382D69
    a = (low ^ high) * mul % WORD
    a ^= a >> 47
    b = (high ^ a) * mul % WORD
    b ^= b >> 47
    return b * mul % WORD


def blake2b(data: bytes, secret: bytes = b"", size: int = 16, person: bytes = b"") -> bytes:
    """BLAKE2b with a digest of so many bytes, and a personalisation that is padded with NULs."""
    return hashlib.blake2b(data, digest_size=size, key=secret, person=person).digest()


def splitmix64(seed: int, number: int) -> int:
    """The output of SplitMix64 of that number, from 1."""
    z = (seed + number * 0x9E3779B97F4A7C15) % WORD
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 % WORD
    z = (z ^ z >> 27) * 0x94D049BB133111EB % WORD
    return z ^ z >> 31


def rotated(x: int, n: int) -> int:
    return (x << n | x >> 64 - n) % WORD


def signed_bytes(data: bytes) -> list[int]:
    return [byte - 256 if byte > 127 else byte for byte in data]


def murmur3(key: bytes) -> int:
    """Cassandra's token: half of MurmurHash3_x64_128, the last block's bytes with their sign."""
    if not key:
        return -(2**63)
    c1, c2 = 0x87C37B91114253D5, 0x4CF5AD432745937F
    h1 = h2 = 0
    whole = len(key) // 16 * 16
    for at in range(0, whole, 16):
        k1, k2 = struct.unpack_from("<QQ", key, at)
        h1 ^= rotated(k1 * c1 % WORD, 31) * c2 % WORD
        h1 = ((rotated(h1, 27) + h2) * 5 + 0x52DCE729) % WORD
        h2 ^= rotated(k2 * c2 % WORD, 33) * c1 % WORD
        h2 = ((rotated(h2, 31) + h1) * 5 + 0x38495AB5) % WORD
    k1 = k2 = 0
    for at, byte in enumerate(signed_bytes(key[whole:])):
        if at < 8:
            k1 ^= (byte << 8 * at) % WORD
        else:
            k2 ^= (byte << 8 * (at - 8)) % WORD
    h2 ^= rotated(k2 * c2 % WORD, 33) * c1 % WORD
    h1 ^= rotated(k1 * c1 % WORD, 31) * c2 % WORD
    h1, h2 = h1 ^ len(key), h2 ^ len(key)
    h1 = (h1 + h2) % WORD
    h2 = (h2 + h1) % WORD
    token = (murmur3_mixed(h1) + murmur3_mixed(h2)) % WORD
    if token == 2**63:  # -2^63 is the empty key's alone
        return 2**63 - 1
    return token - WORD if token > 2**63 else token


def murmur3_mixed(h: int) -> int:
    h = (h ^ h >> 33) * 0xFF51AFD7ED558CCD % WORD
    h = (h ^ h >> 33) * 0xC4CEB9FE1A85EC53 % WORD
    return h ^ h >> 33


def xxh64(key: bytes) -> int:
    """XXH64 with seed 0."""
    p1, p2, p3 = 0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9
    p4, p5 = 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5

    def rounded(total: int, lane: int) -> int:
        return rotated((total + lane * p2) % WORD, 31) * p1 % WORD

    at, h = 0, p5
    if len(key) >= 32:
        lanes = [(p1 + p2) % WORD, p2, 0, -p1 % WORD]
        for at in range(0, len(key) - 31, 32):
            four = struct.unpack_from("<4Q", key, at)
            lanes = [rounded(total, lane) for total, lane in zip(lanes, four, strict=True)]
        at += 32
        h = sum(map(rotated, lanes, (1, 7, 12, 18))) % WORD
        for lane in lanes:
            h = ((h ^ rounded(0, lane)) * p1 + p4) % WORD
    h = (h + len(key)) % WORD
    while len(key) - at >= 8:
        h ^= rounded(0, int.from_bytes(key[at : at + 8], "little"))
        h = (rotated(h, 27) * p1 + p4) % WORD
        at += 8
    if len(key) - at >= 4:
        h ^= int.from_bytes(key[at : at + 4], "little") * p1 % WORD
        h = (rotated(h, 23) * p2 + p3) % WORD
        at += 4
    for byte in key[at:]:
        h = rotated(h ^ byte * p5 % WORD, 11) * p1 % WORD
    h = (h ^ h >> 33) * p2 % WORD
    h = (h ^ h >> 29) * p3 % WORD
    return h ^ h >> 32


def one_at_a_time(key: bytes) -> int:
    """Bob Jenkins's hash, of bytes with their sign."""
    h = 0
    for byte in signed_bytes(key):
        h = (h + byte) * 1025 % 2**32
        h ^= h >> 6
    h = h * 9 % 2**32
    h ^= h >> 11
    return h * 32769 % 2**32


def md5(key: bytes) -> bytes:
    return hashlib.md5(key, usedforsecurity=False).digest()


#: a key's token on a ring
TOKENS: dict[str, Callable[[bytes], int]] = {
    "ketama": lambda key: int.from_bytes(md5(key)[:4], "little"),
    "md5": lambda key: int.from_bytes(md5(key)[:8], "big"),
    "crc32": zlib.crc32,
    "murmur3": murmur3,
    "xxh64": xxh64,
    "one_at_a_time": one_at_a_time,
}


def answer_hash(ask: Row) -> Row:
    name = ask["hash"]
    if name == "hash128to64":
        return {"hash_value": str(hash128to64(int(ask["low"]), int(ask["high"])))}
    if name == "splitmix64":
        return {"hash_value": str(splitmix64(int(ask["seed"]), ask["number"]))}
    data = bytes.fromhex(ask["data_hex"])
    if name == "murmur64a":
        return {"hash_value": str(murmur64a(data, int(ask["seed"])))}
    if name == "blake2b":
        secret, person = bytes.fromhex(ask["secret_hex"]), ask.get("person", "").encode()
        return {"digest_hex": blake2b(data, secret, ask.get("digest_size", 16), person).hex()}
    return {"hash_value": str(TOKENS[name](data))}


# -- 3 Scores -------------------------------------------------------------------------------------


def score(scheme: str, node: bytes, key: bytes, secret: bytes = b"") -> int:
    """The score of one pair: 64 bits of murmur, 128 of blake2b."""
    if scheme == "murmur":
        return hash128to64(murmur64a(key, KEY_SEED), murmur64a(node, NODE_SEED))
    return int.from_bytes(blake2b(node + key, secret), "big")


def answer_score(ask: Row) -> Row:
    node, key = bytes_of(ask["node"]), bytes_of(ask["key"])
    secret = bytes.fromhex(ask.get("secret_hex", ""))
    found = score(ask["scheme"], node, key, secret)
    stages = {"score": str(found), "m": str(fraction(ask["scheme"], found))}
    if ask["scheme"] == "murmur":
        hashes = {"kh": str(murmur64a(key, KEY_SEED)), "nh": str(murmur64a(node, NODE_SEED))}
        return {**hashes, **stages}
    return {"message_hex": (node + key).hex(), **stages}


# -- 4 The logarithm ------------------------------------------------------------------------------


def fraction(scheme: str, found: int) -> int:
    """The m of a score; u = m / 2^53."""
    if scheme == "murmur":
        return found % 2**53
    return found >> 64 >> 11 | 1


def reduced(m: int) -> tuple[int, float]:
    """The e and x of m = x * 2^e, sqrt(1/2) <= x < sqrt(2)."""
    x, e = math.frexp(m)
    return (e - 1, 2 * x) if x < double("3fe6a09e667f3bcd") else (e, x)


LN2_HIGH, LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
L1, L3 = 6.666666666666735130e-01, 2.857142874366239149e-01
L5, L7 = 1.818357216161805012e-01, 1.479819860511658591e-01
L2, L4, L6 = 3.999999999940941908e-01, 2.222219843214978396e-01, 1.531383769920937332e-01


def minus_ln(m: int) -> float:
    """-ln(m / 2^53): each line's operations from left to right, each rounded to a double."""
    e, x = reduced(m)
    f = x - 1.0
    q = float(53 - e)
    s = f / (2.0 + f)
    z = s * s
    y = z * z
    even = y * (L2 + y * (L4 + y * L6))
    odd = z * (L1 + y * (L3 + y * (L5 + y * L7)))
    half = (0.5 * f) * f
    low = s * (half + (even + odd)) - q * LN2_LOW
    return q * LN2_HIGH + ((half - low) - f)


def weighted(weight: float, m: int) -> float:
    return weight / minus_ln(m) if m else 0.0


def answer_logarithm(ask: Row) -> Row:
    m = int(ask["m"])
    last = {"weighted_bits": bits(weighted(double(ask["weight_bits"]), m))}
    if m == 0:  # it has no logarithm
        return last
    e, x = reduced(m)
    return {"e": e, "x_bits": bits(x), "minus_ln_bits": bits(minus_ln(m)), **last}


# -- 5 Rankings -----------------------------------------------------------------------------------


class NodeSet(NamedTuple):
    """Nodes by the bytes of their ids; without weights all are None."""

    ids: list[bytes]
    scheme: str
    secret: bytes
    weights: list[float] | None


def node_set(given: Row) -> NodeSet:
    weights = given.get("weights_bits")
    return NodeSet(
        list(map(bytes_of, given["nodes"])),
        given["scheme"],
        bytes.fromhex(given.get("secret_hex", "")),
        None if weights is None else [double(weight) + 0.0 for weight in weights],  # -0.0 is 0
    )


def rank(nodes: NodeSet, n: int, key: bytes) -> tuple[float, int]:
    """What ranks node n for a key, before its bytes: the weighted score, then the score."""
    found = score(nodes.scheme, nodes.ids[n], key, nodes.secret)
    if nodes.weights is None:
        return 0.0, found
    return weighted(nodes.weights[n], fraction(nodes.scheme, found)), found


def weight_of(nodes: NodeSet, n: int) -> float:
    return 1.0 if nodes.weights is None else nodes.weights[n]


def ranking(nodes: NodeSet, key: bytes) -> list[int]:
    """Positions of all nodes but those of weight 0, best first."""
    places = [n for n in range(len(nodes.ids)) if weight_of(nodes, n) > 0]
    return sorted(places, key=lambda n: (*rank(nodes, n, key), nodes.ids[n]), reverse=True)


def answer_ranking(ask: Row) -> Row:
    nodes, key = node_set(ask["set"]), bytes_of(ask["key"])
    ranks = [rank(nodes, n, key) for n in range(len(nodes.ids))]
    stages: Row = {"scores": [str(found) for _, found in ranks]}
    if nodes.weights is not None:
        stages["m"] = [str(fraction(nodes.scheme, found)) for _, found in ranks]
        stages["weighted_bits"] = [bits(first) for first, _ in ranks]
    return {**stages, "ranking": ranking(nodes, key)}


# -- 6 Weights from measures ----------------------------------------------------------------------

MEASURES = {"stake": 1.0, "capacity": 1.0, "rtt": -1.0}  # and their exponents
DIGITS = Context(prec=40)


def median(numbers: list[float]) -> float:
    ordered = sorted(numbers)
    low, high = ordered[(len(ordered) - 1) // 2], ordered[len(ordered) // 2]
    return low if low == high else low / 2 + high / 2


def power(value: float, middle: float, exponent: float) -> float:
    """(value / middle)^exponent in steps of 40 digits, rounded to a double at the end."""
    if value == 0 or exponent in (1, -1):
        return value / middle if exponent > 0 else middle / value
    ratio = DIGITS.divide(Decimal(value), Decimal(middle))
    return float(DIGITS.exp(DIGITS.multiply(DIGITS.ln(ratio), Decimal(exponent))))


def factors(numbers: list[float | None], exponent: float) -> tuple[float | None, list[float]]:
    """The median of a measure and each node's factor; what is missing has the factor 1."""
    present = [number for number in numbers if number is not None]
    if exponent == 0 or not present:
        return None, [1.0] * len(numbers)
    middle = median(present)
    return middle, [1.0 if n is None else power(n, middle, exponent) for n in numbers]


def answer_weights(ask: Row) -> Row:
    exponents = {name: double(it) for name, it in ask.get("exponents_bits", {}).items()}
    medians: Row = {}
    found: Row = {}
    product = None
    for name, exponent in {**MEASURES, **exponents}.items():
        if f"{name}_bits" not in ask:
            continue
        numbers = [None if it is None else double(it) + 0.0 for it in ask[f"{name}_bits"]]
        middle, each = factors(numbers, exponent)
        product = each if product is None else list(map(float.__mul__, product, each))
        product = [0.0 if weight != weight else weight for weight in product]  # 0 times infinity
        medians[name] = None if middle is None else bits(middle)
        found[name] = list(map(bits, each))
    assert product is not None
    if "bounds_bits" in ask:
        low, high = map(double, ask["bounds_bits"])
        product = [min(max(weight, low), high) for weight in product]
    return {
        "medians_bits": medians,
        "factors_bits": found,
        "weights_bits": list(map(bits, product)),
    }


# -- 7 Partition tables ---------------------------------------------------------------------------


def partition(key: bytes, partitions: int) -> int:
    return murmur64a(key, KEY_SEED) * partitions >> 64


def answer_partition(ask: Row) -> Row:
    key = bytes_of(ask["key"])
    found = partition(key, ask["partitions"])
    owners = ranking(node_set(ask["set"]), bytes_of({"int": str(found)}))[: ask["k"]]
    return {"hash_value": str(murmur64a(key, KEY_SEED)), "partition": found, "owners": owners}


# -- 8 Fault sets and repair ----------------------------------------------------------------------


def walk(
    ranked: list[int], k: int, levels: list[list[Any]], most: list[int]
) -> tuple[list[int], bool]:
    """The first k nodes that no full domain holds, and whether limits had to be dropped.

    Levels and limits are from the outermost in; each walk drops one more, from the outermost.
    """
    chosen: list[int] = []
    degraded = False
    for left_out in range(len(levels) + 1):
        for node in ranked:
            full = any(
                sum(level[other] == level[node] for other in chosen) >= limit
                for level, limit in zip(levels[left_out:], most[left_out:], strict=True)
            )
            if len(chosen) < k and node not in chosen and not full:
                chosen.append(node)
                degraded = left_out > 0
    return chosen, degraded


def nested(domains: Row, spread: list[str], nodes: int) -> list[list[Any]]:
    """For each level the domain of each node: its label together with those around it."""
    labels = [[tuple(typed(label).items()) for label in domains[name]] for name in spread]
    return [
        [tuple(level[n] for level in labels[: depth + 1]) for n in range(nodes)]
        for depth in range(len(spread))
    ]


def typed(label: dict[str, Any]) -> dict[str, Any]:
    """A label as it is compared: a UUID is its text."""
    return {"str": bytes_of(label).decode()} if "uuid" in label else label


def living(ask: Row) -> list[int]:
    ranked = ranking(node_set(ask["set"]), bytes_of(ask["key"]))
    return [n for n in ranked if n not in ask["dead"]]


def answer_replicas(ask: Row) -> Row:
    levels = nested(ask["domains"], ask["spread"], len(ask["set"]["nodes"]))
    ranked = living(ask)
    nodes, degraded = walk(ranked, ask["k"], levels, ask["most"])
    return {"living": ranked, "nodes": nodes, "degraded": degraded}


def answer_repair(ask: Row) -> Row:
    current = ask["current"]
    levels = nested(ask["domains"], ask["spread"], len(ask["set"]["nodes"]))
    ranked = sorted(living(ask), key=lambda n: n not in current)  # as they are, but those first
    nodes, degraded = walk(ranked, ask["k"], levels, ask["most"])
    added = [n not in current for n in nodes]
    dropped = [
        n is not None and (n not in nodes or n in current[:place])
        for place, n in enumerate(current)
    ]
    return {"nodes": nodes, "degraded": degraded, "added": added, "dropped": dropped}


# -- 9 Bounded load, sizes, the assigner ----------------------------------------------------------


def shares(nodes: NodeSet, total: int | Fraction, factor: str) -> list[Fraction]:
    """The load with which each node is full; nothing is rounded."""
    weights = [Fraction(weight_of(nodes, n)) for n in range(len(nodes.ids))]
    return [Fraction(factor) * total * weight / sum(weights) for weight in weights]


def match(nodes: NodeSet, keys: list[bytes], sizes: list[int], room: list[int]) -> list[int]:
    """The stable matching: keys propose, full nodes keep those that rank highest on them."""
    ranks = [[rank(nodes, n, key) for n in range(len(nodes.ids))] for key in keys]
    wishes = [ranking(nodes, key)[::-1] for key in keys]  # best last
    held: list[list[int]] = [[] for _ in nodes.ids]
    free = list(range(len(keys)))
    while free:
        proposing = free.pop()
        node = wishes[proposing].pop()
        rows = [*held[node], proposing]
        rows.sort(key=lambda row: (ranks[row][node], keys[row], sizes[row], -row), reverse=True)
        held[node], load = [], 0
        for row in rows:
            if load < room[node]:
                held[node].append(row)
                load += sizes[row]
            else:
                free.append(row)
    owner = {row: node for node, rows in enumerate(held) for row in rows}
    return [owner[row] for row in range(len(keys))]


UNIT_BITS = 61


def units_of(sizes: Sequence[int | float]) -> tuple[int, list[int]]:
    """The e of the unit 2^e, and sizes in whole units, each rounded up.

    It is by the total, for doubles in two steps: that of sizes in units by the largest, first.
    """
    if not any(isinstance(size, float) for size in sizes):
        e = max(0, sum(map(int, sizes)).bit_length() - UNIT_BITS)
        return e, in_units(sizes, e)
    sizes = list(map(float, sizes))  # integers among doubles, of an assigner's keys, too
    _, x = math.frexp(max(sizes))
    e = x + len(sizes).bit_length() - UNIT_BITS
    e += sum(in_units(sizes, e)).bit_length() - UNIT_BITS
    return e, in_units(sizes, e)


def in_units(sizes: Sequence[int | float], e: int) -> list[int]:
    return [math.ceil(Fraction(size) / Fraction(2) ** e) for size in sizes]


def sizes_of(given: Row) -> Sequence[int | float] | None:
    if "sizes_bits" in given:
        return list(map(double, given["sizes_bits"]))
    return list(map(int, given["sizes"])) if "sizes" in given else None


def answer_batch(ask: Row) -> Row:
    nodes, keys = node_set(ask["set"]), list(map(bytes_of, ask["keys"]))
    given = sizes_of(ask)
    e, sizes = units_of(given or [1] * len(keys))
    stages: Row = {} if given is None else {"unit_exponent": e}
    full = shares(nodes, sum(sizes), ask["load_factor"])
    stages["shares"] = list(map(str, full))
    room = list(map(math.ceil, full))
    if given is None:
        stages["capacities"] = decimals([min(each, len(keys)) for each in room])
    owners = match(nodes, keys, sizes, room)
    loads = [
        sum(size for owner, size in zip(owners, sizes, strict=True) if owner == n)
        for n in range(len(room))
    ]
    return {**stages, "owners": owners, "loads": decimals(loads)}


class Assigner:
    """Keys that stay where they are until they are released or their node leaves."""

    def __init__(self, nodes: NodeSet, factor: str) -> None:
        self.nodes, self.factor = nodes, factor
        self.held: dict[bytes, tuple[bytes, int | float]] = {}  # key -> node and size

    def loads(self) -> list[Fraction]:
        """The sizes on each node, added up exactly."""
        return [
            sum((Fraction(size) for node, size in self.held.values() if node == n), Fraction(0))
            for n in self.nodes.ids
        ]

    def assign(self, keys: list[bytes], sizes: Sequence[int | float]) -> None:
        """Place keys that are not held; the unit is by the sizes of all keys of the call."""
        e, units = units_of(sizes)
        given = dict(zip(keys, units, strict=True))
        self.place(e, {key: size for key, size in given.items() if key not in self.held})

    def place(self, e: int, new: dict[bytes, int]) -> None:
        """Match keys without a node with the room that is left; their sizes are in units of 2^e."""
        loads, unit = self.loads(), Fraction(2) ** e
        full = shares(self.nodes, sum(loads) + sum(new.values()) * unit, self.factor)
        room = [
            max(0, math.ceil((share - load) / unit))
            for share, load in zip(full, loads, strict=True)
        ]
        owners = match(self.nodes, list(new), list(new.values()), room)
        for (key, size), owner in zip(new.items(), owners, strict=True):
            self.held[key] = self.nodes.ids[owner], size << e if e >= 0 else float(size * unit)

    def move(self, keys: list[bytes], before: list[bytes]) -> list[list[Any]]:
        """Take keys off their nodes and place them anew."""
        taken = {key: self.held.pop(key) for key in keys}
        self.assign(keys, [size for _, size in taken.values()])
        return [
            [key.hex(), before.index(taken[key][0]), self.nodes.ids.index(self.held[key][0])]
            for key in sorted(keys)
        ]

    def update(self, nodes: NodeSet) -> list[list[Any]]:
        before, self.nodes = self.nodes.ids, nodes
        return self.move([key for key, (n, _) in self.held.items() if n not in nodes.ids], before)

    def rebalance(self) -> list[list[Any]]:
        """Take off each node that is beyond its bound what ranks lowest, down to its share."""
        loads = self.loads()
        moving: list[bytes] = []
        for n, share in enumerate(shares(self.nodes, sum(loads), self.factor)):
            mine = {
                key: size for key, (node, size) in self.held.items() if node == self.nodes.ids[n]
            }
            if not mine or loads[n] - Fraction(max(mine.values())) < share:
                continue
            kept = Fraction(0)
            for key in sorted(mine, key=lambda key: (rank(self.nodes, n, key), key), reverse=True):
                if kept < share:
                    kept += Fraction(mine[key])
                else:
                    moving.append(key)
        return self.move(moving, self.nodes.ids)


def answer_assigner(ask: Row) -> Row:
    assigner = Assigner(node_set(ask["set"]), ask["load_factor"])
    answers: list[Row] = []
    for step in ask["steps"]:
        said: Row = {}
        if "assign" in step:
            keys = list(map(bytes_of, step["assign"]))
            assigner.assign(keys, sizes_of(step) or [1] * len(keys))
            said["owners"] = [assigner.nodes.ids.index(assigner.held[key][0]) for key in keys]
        elif "release" in step:
            for key in map(bytes_of, step["release"]):
                del assigner.held[key]
        elif "update" in step:
            said["moves"] = assigner.update(node_set(step["update"]))
        else:
            said["moves"] = assigner.rebalance()
        answers.append({**said, "loads": list(map(str, assigner.loads()))})
    return {"answers": answers}


# -- 10 Same region first -------------------------------------------------------------------------

LETTERS = "0123456789bcdefghjkmnpqrstuvwxyz"


def geohash(latitude: float, longitude: float, precision: int) -> str:
    """Halve longitude and latitude in turn; a place on a border is in the upper half."""
    halves = [[-180.0, 180.0, -180.0 if longitude == 180 else longitude], [-90.0, 90.0, latitude]]
    number = 0
    for bit in range(5 * precision):
        low, high, at = halves[bit % 2]
        middle = (low + high) / 2
        number = 2 * number + (at >= middle)
        halves[bit % 2][0 if at >= middle else 1] = middle
    return "".join(LETTERS[number >> 5 * place & 31] for place in reversed(range(precision)))


def common(one: str, other: str, precision: int) -> int:
    """The length of the common prefix, of so many characters at most."""
    length = 0
    while length < min(len(one), len(other), precision) and one[length] == other[length]:
        length += 1
    return length


def answer_geohash(ask: Row) -> Row:
    place = double(ask["latitude_bits"]), double(ask["longitude_bits"])
    return {"geohash": geohash(*place, ask["precision"])}


def answer_nearest(ask: Row) -> Row:
    near = [common(each, ask["geohash"], ask["precision"]) for each in ask["geohashes"]]
    ranked = ranking(node_set(ask["set"]), bytes_of(ask["key"]))
    return {"common": near, "ranking": sorted(ranked, key=lambda n: -near[n])}


# -- 11 Buckets -----------------------------------------------------------------------------------


def word_of(value: dict[str, Any]) -> int:
    """The 64 bits that a key is to these hashes."""
    if "int" in value:
        return int(value["int"]) % WORD
    return int.from_bytes(blake2b(bytes_of(value))[:8], "big")


def jump(word: int, buckets: int) -> int:
    """Lamping and Veach's jump hash, with doubles as they have them."""
    bucket, following = -1, 0
    while following < buckets:
        bucket = following
        word = (word * 2862933555777941757 + 1) % WORD
        following = int(float(bucket + 1) * (2147483648.0 / float((word >> 33) + 1)))
    return bucket


def distinct_jumps(word: int, buckets: int, k: int) -> list[int]:
    """The first k distinct buckets of the word and of SplitMix64's outputs from it."""
    found = [jump(word, buckets)]
    attempt = 0
    while len(found) < k:
        attempt += 1
        bucket = jump(splitmix64(word, attempt), buckets)
        if bucket not in found:
            found.append(bucket)
    return found


def jumpback(word: int, buckets: int) -> int:
    """Ertl's JumpBackHash: set bits, from the highest down, offer a bucket each."""
    number = 1
    v = splitmix64(word, number)
    offers = (v ^ v >> 32) % (1 << (buckets - 1).bit_length())
    while offers:
        q = 1 << offers.bit_length() - 1
        bucket = q + (v >> 32 * (offers.bit_count() % 2)) % q
        while True:
            if bucket < buckets:
                return bucket
            number += 1
            w = splitmix64(word, number)
            bucket = w % (2 * q)
            if bucket < q:
                break
            if bucket < buckets:
                return bucket
            bucket = (w >> 32) % (2 * q)
            if bucket < q:
                break
        offers -= q
    return 0


def answer_buckets(ask: Row) -> Row:
    word, buckets = word_of(ask["key"]), ask["buckets"]
    stages = {"word": str(word), "jump": distinct_jumps(word, buckets, ask["k"])}
    return {**stages, "jumpback": jumpback(word, buckets)}


# -- 12 Rings -------------------------------------------------------------------------------------

Point = tuple[int, int]  # a token, and the position of its node

#: system -> the hash of keys, and which point is a key's
SYSTEMS = {
    "ketama": ("ketama", "point"),
    "libmemcached": ("ketama", "point"),
    "libmemcached-ketama": ("one_at_a_time", "point"),
    "libmemcached-md5": ("ketama", "point"),
    "nginx": ("crc32", "point"),
    "uhashring": ("md5", "next"),
    "uhashring-ketama": ("ketama", "next"),
    "hash-ring": ("ketama", "next"),
}


def float32(number: float) -> float:
    (rounded,) = struct.unpack("<f", struct.pack("<f", number))
    return float(rounded)


def added(weights: list[float]) -> float:
    """Their sum from the first on, each step rounded; `sum` has been more exact since 3.12."""
    total = 0.0
    for weight in weights:
        total += weight
    return total


def libketama_count(weight: float, weights: list[float]) -> int:
    share = float32(float32(weight) / float32(added(weights)))
    return math.floor(float32(share * 40 * len(weights)))


def libmemcached_count(weight: float, weights: list[float]) -> int:
    share = float32(float32(weight) / float32(added(weights)))
    return math.floor(float32(float32(float32(share * 160) / 4) * len(weights)))


def counts(system: str, weights: list[float]) -> list[int]:
    """How many hashes each node has."""
    whole = [int(weight) for weight in weights]
    n, is_whole = len(weights), whole == weights
    if system == "ketama":
        return [libketama_count(weight, weights) for weight in weights]
    if system == "libmemcached" or (system.startswith("libmemcached") and max(weights) > 1):
        return [libmemcached_count(weight, weights) for weight in weights]
    if system.startswith("libmemcached"):
        return [100] * n
    if system in ("nginx", "uhashring"):
        return [160 * weight for weight in whole]
    if system == "uhashring-ketama" or is_whole:
        return [40 * n * weight // sum(whole) for weight in whole]
    return [math.floor(40 * n * weight / added(weights)) for weight in weights]


def ring_points(system: str, names: list[bytes], weights: list[float]) -> list[Point]:
    """All points, ascending; equal ones in the order of the nodes."""
    points: list[Point] = []
    for node, (name, count) in enumerate(zip(names, counts(system, weights), strict=True)):
        if system == "nginx":
            tokens = nginx_tokens(name, count)
        elif system == "uhashring":
            tokens = [TOKENS["md5"](b"%s-%d" % (name, n)) for n in range(count)]
        else:
            server = libmemcached_name(name) if system.startswith("libmemcached") else name
            hashed = [b"%s-%d" % (server, n) for n in range(count)]
            if system.startswith("libmemcached-") and max(weights) <= 1:
                tokens = [TOKENS[SYSTEMS[system][0]](each) for each in hashed]
            else:
                each_of = 3 if system == "hash-ring" else 4
                tokens = [t for each in hashed for t in struct.unpack("<4I", md5(each))[:each_of]]
        points += [(token, node) for token in tokens]
    if system == "nginx":  # of equal points the first is kept
        points = [(token, node) for token, node in dict(points[::-1]).items()]
    elif SYSTEMS[system][1] == "next":  # of equal points the last is kept
        points = list(dict(points).items())
    return sorted(points, key=lambda point: point[0])


def nginx_tokens(name: bytes, count: int) -> list[int]:
    """Each point is the CRC-32 of host, a zero byte, port and the point before."""
    host, colon, port = name.rpartition(b":")
    if name[:5].lower() == b"unix:":
        host, port = name[5:], b""
    elif not colon or (port and not port.isdigit()):
        host, port = name, b""
    base, token, tokens = zlib.crc32(host + b"\0" + port), 0, []
    for _ in range(count):
        token = zlib.crc32(token.to_bytes(4, "little"), base)
        tokens.append(token)
    return tokens


def libmemcached_name(name: bytes) -> bytes:
    """A server without the default port; the path of a socket has port 0."""
    if name.startswith(b"/"):
        return name + b":0"
    host, colon, port = name.rpartition(b":")
    if not colon or not port.isdigit():
        return name
    return host if int(port) == 11211 else b"%s:%d" % (host, int(port))


def written(value: dict[str, Any], integers: str) -> bytes:
    """What the system of a ring hashes of a key: each writes integers in its own way."""
    if "int" not in value or integers == "contract":
        return bytes_of(value)
    if integers == "text":
        return str(value["int"]).encode("ascii")
    size = 4 if integers.startswith("int32") else 8
    order: Literal["little", "big"] = "big" if integers.endswith("be") else "little"
    return int(value["int"]).to_bytes(size, order, signed=True)


def between(key: bytes, tag: bytes) -> bytes:
    """What is between the first of the tag's characters and the next second, if it is not empty."""
    start = key.find(tag[:1]) + 1
    end = key.find(tag[1:], start) if start else 0
    return key[start:end] if start < end else key


def ring_size(hash_name: str) -> int:
    """How many tokens there are."""
    return 2**64 if hash_name in ("md5", "murmur3", "xxh64") else 2**32


def first_point(points: list[Point], token: int, hit: str, size: int) -> int:
    """The number of a token's point, on a ring of so many tokens."""
    tokens = [each for each, _ in points]
    after = bisect_left(tokens, token if hit != "next" else token + 1)
    if hit != "nearest":
        return after % len(tokens)
    before = after - 1
    behind = (token - tokens[before]) % size
    ahead = (tokens[after % len(tokens)] - token) % size
    return after % len(tokens) if ahead < behind else before % len(tokens)


def owners_from(points: list[Point], first: int, k: int) -> list[int]:
    """The nodes of the points from one on, round the ring, each once."""
    found: dict[int, None] = {}
    for step in range(len(points)):
        if len(found) < k:
            found[points[(first + step) % len(points)][1]] = None
    return list(found)


def answer_counts(ask: Row) -> Row:
    return {"counts": counts(ask["system"], list(map(double, ask["weights_bits"])))}


def answer_points(ask: Row) -> Row:
    names, weights = list(map(bytes_of, ask["nodes"])), list(map(double, ask["weights_bits"]))
    points = ring_points(ask["system"], names, weights)
    return {
        "counts": counts(ask["system"], weights),
        "points": [[str(token), node] for token, node in points],
    }


def answer_ring_key(ask: Row) -> Row:
    data = written(ask["key"], ask["integers"])
    return {"data_hex": (between(data, ask["tag"].encode()) if "tag" in ask else data).hex()}


def answer_lookup(ask: Row) -> Row:
    if "system" in ask:
        hash_name, hit = SYSTEMS[ask["system"]]
        names, weights = list(map(bytes_of, ask["nodes"])), list(map(double, ask["weights_bits"]))
        points = ring_points(ask["system"], names, weights)
    else:
        hash_name, hit = ask["hash"], ask["hit"]
        points = [(int(token), node) for token, node in ask["points"]]
    token = TOKENS[hash_name](bytes_of(ask["key"])) if "key" in ask else int(ask["token"])
    first = first_point(points, token, hit, ring_size(hash_name))
    return {"token": str(token), "owners": owners_from(points, first, ask["k"])}


# -- 13 Migrations --------------------------------------------------------------------------------


def answer_crossing(ask: Row) -> Row:
    crossing = murmur64a(bytes_of(ask["key"]), KEY_SEED)
    crossed = crossing < math.ceil(Fraction(double(ask["progress_bits"])) * WORD)
    return {"crossing": str(crossing), "crossed": crossed, "step": crossing * ask["steps"] >> 64}


def answer_moves(ask: Row) -> Row:
    """Each new node of a key, with a node that loses the key, then with the other old ones."""
    key, old, new = bytes_of(ask["key"]), node_set(ask["old"]), node_set(ask["new"])
    before, after = ranking(old, key)[: ask["k"]], ranking(new, key)[: ask["k_new"]]
    ids_before, ids_after = [old.ids[n] for n in before], [new.ids[n] for n in after]
    losing = [n for n in before if old.ids[n] not in ids_after]
    sources = losing + [n for n in before if n not in losing]
    targets = [n for n in after if new.ids[n] not in ids_before]
    moves = [[sources[turn % len(sources)], target] for turn, target in enumerate(targets)]
    return {"old_owners": before, "new_owners": after, "moves": moves}


# -- 14 Fingerprints ------------------------------------------------------------------------------


def digest_of(name: str, message: bytes, secret: bytes = b"") -> str:
    return blake2b(message, secret, 32, name.encode()).hex()


def set_message(nodes: NodeSet) -> bytes:
    """Scheme, ids by their bytes, and weights."""
    data = f"scheme={nodes.scheme}{'' if nodes.weights is None else ' weighted'}\n".encode()
    for n in sorted(range(len(nodes.ids)), key=lambda n: nodes.ids[n]):
        data += len(nodes.ids[n]).to_bytes(8, "little") + nodes.ids[n]
        if nodes.weights is not None:
            data += struct.pack("<d", nodes.weights[n])
    return data


def fingerprint(nodes: NodeSet) -> str:
    return digest_of("rvh NodeSet", set_message(nodes), nodes.secret)


def answer_fingerprint(ask: Row) -> Row:
    return {"fingerprint_hex": fingerprint(node_set(ask["set"]))}


def ring_message(ask: Row) -> bytes:
    """The hash, what else decides answers, and the points in ascending order."""
    text = f"hash={ask['hash']}"
    if ask.get("integers", "contract") != "contract":
        text += f" integers={ask['integers']}"
    if ask["hit"] != "point":
        text += f" hit={ask['hit']}"
    if "tag" in ask:
        text += f" tag={ask['tag']}"
    data, lowest = f"{text}\n".encode(), -(2**63) if ask["hash"] == "murmur3" else 0
    for token, n in sorted((int(token), n) for token, n in ask["points"]):
        node = bytes_of(ask["nodes"][n])
        data += struct.pack("<QQ", token - lowest, len(node)) + node
    return data


def answer_ring_fingerprint(ask: Row) -> Row:
    return {"fingerprint_hex": digest_of("rvh Ring", ring_message(ask))}


def faultset_message(ask: Row) -> bytes:
    """The set's fingerprint, the spread, and of each node whether it lives, and its labels."""
    nodes = node_set(ask["set"])
    labels = [list(map(typed, ask["domains"][name])) for name in ask["spread"]]
    spread = f"{tuple(ask['spread'])} {tuple(ask['most'])}"
    data = f"nodes={fingerprint(nodes)}\nspread={spread}\n".encode()
    order = sorted(range(len(nodes.ids)), key=lambda n: nodes.ids[n])
    for n in order:
        alive = b"\0" if n in ask["dead"] else b"\1"
        for part in (nodes.ids[n], alive, *(bytes_of(kind[n]) for kind in labels)):
            data += len(part).to_bytes(4, "little") + part
    if not all(is_plain(label) for kind in labels for label in kind):
        data += b"types=" + b"".join(letter(kind[n]) for n in order for kind in labels)
    return data


def answer_faultset_fingerprint(ask: Row) -> Row:
    return {"fingerprint_hex": digest_of("rvh FaultSet", faultset_message(ask))}


def is_plain(label: dict[str, Any]) -> bool:
    """Whether no other plain label has the same bytes."""
    if "int" in label:
        return abs(int(label["int"])) < 2**56
    return "str" in label and "\0" not in label["str"]


def letter(label: dict[str, Any]) -> bytes:
    if "int" in label:
        return b"u" if int(label["int"]) >= 2**63 else b"i"
    return b"s" if "str" in label else b"b"


def migration_message(ask: Row) -> bytes:
    """The fingerprints of both sets, k, and the first hash that has not crossed."""
    old, new = fingerprint(node_set(ask["old"])), fingerprint(node_set(ask["new"]))
    limit = math.ceil(Fraction(double(ask["progress_bits"])) * WORD)
    return f"old={old}\nnew={new}\nk={ask['k']} crossed={limit}".encode()


def answer_migration_fingerprint(ask: Row) -> Row:
    return {"fingerprint_hex": digest_of("rvh Migration", migration_message(ask))}


# -- what is refused ------------------------------------------------------------------------------


def fits(value: dict[str, Any]) -> bool:
    """Whether a key has bytes: integers have 64 bits, and a composite key has a part."""
    if "int" in value:
        return -(2**63) <= int(value["int"]) < 2**64
    return "parts" not in value or (bool(value["parts"]) and all(map(fits, value["parts"])))


def ranked_nodes(given: Row) -> int:
    """How many nodes of a set have a rank; 0 if there is no such set."""
    nodes, secret = given["nodes"], given.get("secret_hex", "")
    weights = list(map(double, given.get("weights_bits", [bits(1.0)] * len(nodes))))
    allowed = (
        not any("int" in node for node in nodes)
        and all(map(bytes_of, nodes))
        and len(set(map(bytes_of, nodes))) == len(nodes) == len(weights)
        and len(secret) <= 2 * 64
        and not (secret and given["scheme"] == "murmur")
        and all(weight == 0 or 2.0**-1016 <= weight <= 2.0**970 for weight in weights)
    )
    return sum(weight > 0 for weight in weights) if allowed else 0


def ring_takes(ask: Row) -> bool:
    """Whether no two points have one token, each is on the ring, and so many nodes have points."""
    low = -(2**63) if ask["hash"] == "murmur3" else 0
    tokens = [int(token) for token, _ in ask["points"]]
    on_ring = all(low <= token < low + ring_size(ask["hash"]) for token in tokens)
    distinct = len(set(tokens)) == len(tokens)
    return on_ring and distinct and 1 <= ask["k"] <= len({n for _, n in ask["points"]})


def writes(ask: Row) -> bool:
    """Whether a ring's system can write a key: integers have its width."""
    if "int" in ask["key"] and ask["integers"] not in ("text", "contract"):
        width = 31 if ask["integers"].startswith("int32") else 63
        return -(2**width) <= int(ask["key"]["int"]) < 2**width
    return True


def is_place(ask: Row) -> bool:
    latitude, longitude = double(ask["latitude_bits"]), double(ask["longitude_bits"])
    return -90 <= latitude <= 90 and -180 <= longitude <= 180 and 1 <= ask["precision"] <= 12


def has_room(ask: Row) -> bool:
    """Whether sizes are finite and above 0, and the nodes can hold all keys."""
    sizes = sizes_of(ask) or [1] * len(ask["keys"])
    if not all(0 < size < math.inf for size in sizes) or Fraction(ask["load_factor"]) <= 0:
        return False
    room = sum(map(math.ceil, shares(node_set(ask["set"]), sum(sizes), ask["load_factor"])))
    return "sizes_bits" in ask or "sizes" in ask or room >= len(sizes)


#: the kind that a question would be -> whether there is an answer
ANSWERABLE: dict[str, Callable[[Row], bool]] = {
    "value": lambda ask: fits(ask["value"]),
    "ranking": lambda ask: fits(ask["key"]) and 1 <= ask["k"] <= ranked_nodes(ask["set"]),
    "partition": lambda ask: 1 <= ask["partitions"] <= 2**24,
    "lookup": ring_takes,
    "ring_key": writes,
    "geohash": is_place,
    "batch": has_room,
}


def answer_refused(ask: Row) -> Row:
    return {"refused": not ANSWERABLE[ask["as"]](ask)}


# -- the check ------------------------------------------------------------------------------------

#: the kind of a case -> what answers its rows
ANSWERS: dict[str, Callable[[Row], Row]] = {
    name.removeprefix("answer_"): found
    for name, found in list(globals().items())
    if name.startswith("answer_")
}


def differences(cases: list[Row]) -> Iterator[str]:
    """What rows say and the contract does not, with case, row and stage."""
    for each in cases:
        shared = {name: value for name, value in each.items() if name != "rows"}
        for number, row in enumerate(each["rows"]):
            for stage, value in ANSWERS[each["kind"]]({**shared, **row}).items():
                if row.get(stage) != value:
                    where = f"case {each['name']!r}, row {number}, {stage}"
                    yield f"{where}: recorded {row.get(stage)!r}, by the contract {value!r}"


def main(arguments: list[str]) -> int:
    """Check every file of a folder; show each one's first difference."""
    folder = Path(arguments[0]) if arguments else Path(__file__).parent / "vectors"
    files = sorted(path for path in folder.glob("*.json") if path.name != "schema.json")
    if not files:
        print(f"{folder}: there are no vectors here, pass their folder", file=sys.stderr)
        return 2
    failed = 0
    for path in files:
        cases = json.loads(path.read_bytes())["cases"]
        print(f"{path.name}: {sum(len(each['rows']) for each in cases)} rows")
        for difference in differences(cases):
            print(f"{path.name}: {difference}")
            failed = 1
            break
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
