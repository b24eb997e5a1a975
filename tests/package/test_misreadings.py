"""Wrong readings of the contract, one line each: the vectors tell every one of them.

Each is a change of `tests/golden/check.py` that a careful programmer may make in another language.
What the vectors would not notice, nobody would.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from folders import GOLDEN

SOURCE = (GOLDEN / "check.py").read_text()
#: the file that tells it, what is misread, the line's right words, and the wrong ones
MISREADINGS = (
    ("bytes", "integers are big-endian", 'to_bytes(8, "little")', 'to_bytes(8, "big")'),
    ("bytes", "text is UTF-16", 'encode("utf-8")', 'encode("utf-16-le")'),
    ("bytes", "a UUID's text is as it was written", "str(it).lower()", "str(it)"),
    ("bytes", "an integer part has a length", 'data if "int" in value else', "data if False else"),
    ("bytes", "lengths have 8 bytes", 'to_bytes(4, "little")', 'to_bytes(8, "little")'),
    ("hashes", "the length is not mixed in", "seed ^ len(data) * m % WORD", "seed"),
    ("hashes", "what is left is big-endian", 'data[whole:], "little"', 'data[whole:], "big"'),
    ("hashes", "low and high are swapped",
     'int(ask["low"]), int(ask["high"])', 'int(ask["high"]), int(ask["low"])'),
    ("hashes", "bytes have no sign", "byte - 256 if byte > 127 else byte", "byte"),
    ("hashes", "an empty key has murmur3's token", "    if not key:\n", "    if False:\n"),
    ("hashes", "-2^63 is a token like any other", "token == 2**63", "False"),
    ("hashes", "SplitMix64 counts from 0", "(seed + number *", "(seed + (number - 1) *"),
    ("hashes", "XXH64 takes stripes above 32 bytes", "if len(key) >= 32", "if len(key) > 32"),
    ("scores", "the node comes last", "blake2b(node + key, secret)", "blake2b(key + node, secret)"),
    ("scores", "the digest is little-endian", 'secret), "big")', 'secret), "little")'),
    ("scores", "the seeds are swapped",
     "KEY_SEED, NODE_SEED = 2718281828, 4193360111",
     "NODE_SEED, KEY_SEED = 2718281828, 4193360111"),
    ("scores", "m of murmur is the top bits", "found % 2**53", "found >> 11"),
    ("scores", "m of blake2b may be even", "found >> 64 >> 11 | 1", "found >> 64 >> 11"),
    ("logarithms", "the library's logarithm",
     "LN2_HIGH + ((half - low) - f)",
     "LN2_HIGH + ((half - low) - f) if m % 2 else -math.log(m / 2**53)"),
    ("logarithms", "a fused multiply-add",
     "s * (half + (even + odd)) - q * LN2_LOW",
     "float(Fraction(s) * Fraction(half + (even + odd)) - Fraction(q * LN2_LOW))"),
    ("logarithms", "fdlibm's second branch",
     "((half - low) - f)",
     "((half - low if 1.38 < x < 1.42 else s * (f - (even + odd)) + q * LN2_LOW) - f)"),
    ("logarithms", "a sum in another order", "half + (even + odd)", "(half + even) + odd"),
    ("logarithms", "x from 1 to 2", '< double("3fe6a09e667f3bcd")', "< 1"),
    ("logarithms", "m = 0 is 1", "if m else 0.0", "if m else weight / minus_ln(1)"),
    ("rankings", "of equal nodes the first in the list",
     "*rank(nodes, n, key), nodes.ids[n])", "*rank(nodes, n, key), -n)"),
    ("rankings", "bytes have signs in comparisons",
     "*rank(nodes, n, key), nodes.ids[n])", "*rank(nodes, n, key), signed_bytes(nodes.ids[n]))"),
    ("rankings", "texts are compared as UTF-16",
     "*rank(nodes, n, key), nodes.ids[n])",
     '*rank(nodes, n, key), nodes.ids[n].decode("utf-8", "replace").encode("utf-16-be"))'),
    ("rankings", "weight 0 comes last", "if weight_of(nodes, n) > 0", "if True"),
    ("rankings", "equal weighted scores are not decided by scores",
     "fraction(nodes.scheme, found)), found", "fraction(nodes.scheme, found)), 0"),
    ("rankings", "equal weights are no weights",
     "if nodes.weights is None:\n        return 0.0, found",
     "if nodes.weights is None or len(set(nodes.weights)) == 1:\n        return 0.0, found"),
    ("weights", "the median is the lower one", "low if low == high else low / 2 + high / 2", "low"),
    ("weights", "the middle two are added first", "low / 2 + high / 2", "(low + high) / 2"),
    ("weights", "powers in doubles",
     "float(DIGITS.exp(DIGITS.multiply(DIGITS.ln(ratio), Decimal(exponent))))",
     "float((value / middle) ** exponent)"),
    ("weights-2", "powers have more digits", "prec=40", "prec=60"),
    ("weights", "what is missing weighs 0", "1.0 if n is None", "0.0 if n is None"),
    ("weights", "the factors in another order",
     '"stake": 1.0, "capacity": 1.0, "rtt": -1.0}', '"rtt": -1.0, "capacity": 1.0, "stake": 1.0}'),
    ("partitions", "the remainder",
     "murmur64a(key, KEY_SEED) * partitions >> 64", "murmur64a(key, KEY_SEED) % partitions"),
    ("partitions", "the product in doubles",
     "murmur64a(key, KEY_SEED) * partitions >> 64",
     "int(murmur64a(key, KEY_SEED) / 2**64 * partitions)"),
    ("partitions", "a signed product",
     "murmur64a(key, KEY_SEED) * partitions >> 64",
     "(murmur64a(key, KEY_SEED) + 2**63) % WORD * partitions >> 64"),
    ("partitions", "the partition's digits",
     'bytes_of({"int": str(found)})', "str(found).encode()"),
    ("faultsets", "limits are left away from the innermost",
     "levels[left_away:], most[left_away:]",
     "levels[: len(levels) - left_away], most[: len(levels) - left_away]"),
    ("faultsets", "a degraded row is in the order of the ranking",
     "    return chosen, degraded", "    return sorted(chosen, key=ranked.index), degraded"),
    ("faultsets", "racks of two zones are one", "labels[: depth + 1]", "labels[depth : depth + 1]"),
    ("faultsets", 'label "a" is b"a"', "tuple(label.items())", "bytes_of(label)"),
    ("faultsets", "the dead take room", 'if n not in ask["dead"]]', "if True]"),
    ("faultsets", "a repaired row is in the order of the ranking",
     "key=lambda n: n not in current)", "key=lambda n: 0)"),
    ("faultsets", "a replica that stands twice is kept", "or n in current[:place]", ""),
    ("balanced", "the factor is a double",
     "Fraction(factor) * total", "Fraction(float(factor)) * total"),
    ("balanced", "bounds are rounded down",
     "room = list(map(math.ceil, full))", "room = [max(1, int(share)) for share in full]"),
    ("balanced", "capacities above the number of keys",
     "min(each, len(keys)) for each", "each for each"),
    ("balanced", "of equal keys the later row", "sizes[row], -row)", "sizes[row], row)"),
    ("balanced", "of equal keys the smaller", "keys[row], sizes[row]", "keys[row], -sizes[row]"),
    ("balanced", "of equal scores the lower row",
     "ranks[row][node], keys[row]", "ranks[row][node]"),
    ("balanced", "the last key has to fit",
     "if load < room[node]:", "if load + sizes[row] <= room[node]:"),
    ("balanced", "sizes are rounded down",
     "[math.ceil(Fraction(size)", "[math.floor(Fraction(size)"),
    ("balanced", "the unit is of 60 bits", "UNIT_BITS = 61", "UNIT_BITS = 60"),
    ("balanced", "a power of two has the lower x",
     "    _, x = math.frexp(max(sizes))", "    x = math.ceil(math.log2(max(sizes)))"),
    ("balanced", "what is held does not count",
     "sum(loads) + sum(new.values())", "sum(new.values())"),
    ("balanced", "the unit is by the new keys",
     "e, units = units_of(sizes)",
     "e, _ = units_of([s for s, k in zip(sizes, keys) if k not in self.held])\n"
     "        units = in_units(sizes, e)"),
    ("balanced", "rebalance takes all above the share",
     "loads[n] - Fraction(max(mine.values())) < share", "loads[n] <= share"),
    ("balanced", "a node at its share without its largest key is within the bound",
     "max(mine.values())) < share", "max(mine.values())) <= share"),
    ("balanced", "rebalance takes the highest off", "key), key), reverse=True)", "key), key))"),
    ("geohashes", "a border belongs to the lower half", "(at >= middle)", "(at > middle)"),
    ("geohashes", "longitude 180 is itself",
     "-180.0 if longitude == 180 else longitude", "longitude"),
    ("geohashes", "latitude comes first", "halves[bit % 2]\n", "halves[1 - bit % 2]\n"),
    ("geohashes", "precision cuts nothing",
     "len(one), len(other), precision", "len(one), len(other)"),
    ("buckets", "integers are hashed",
     'if "int" in value:\n        return int(value["int"]) % WORD', "if False:\n        return 0"),
    ("buckets", "the word is little-endian", '[:8], "big")', '[:8], "little")'),
    ("buckets", "jump hash divides in one step",
     "float(bucket + 1) * (2147483648.0 / float((word >> 33) + 1))",
     "(bucket + 1) * 2147483648 // ((word >> 33) + 1)"),
    ("buckets", "attempts begin with SplitMix64",
     "found = [jump(word, buckets)]", "found: list[int] = []"),
    ("buckets", "JumpBackHash without folding", "(v ^ v >> 32)", "v"),
    ("buckets", "the second draw is the high half of the first's",
     "bucket = (w >> 32) % (2 * q)", "bucket = (w >> 33) % (2 * q)"),
    ("rings", "32 bits are 8 bytes", "size = 4 if", "size = 8 if"),
    ("rings", "an empty tag is a key", "if start < end else key", "if 0 < start <= end else key"),
    ("rings", "ketama in doubles",
     "float32(share * 40 * len(weights))", "share * 40 * len(weights)"),
    ("rings", "libmemcached as libketama",
     "float32(float32(float32(share * 160) / 4) * len(weights))",
     "float32(share * 40 * len(weights))"),
    ("rings", "hash_ring has four points of a hash", '3 if system == "hash-ring" else 4', "4"),
    ("rings", "the default port is hashed", "int(port) == 11211", "False"),
    ("rings", "of nginx's equal points the last",
     "dict(points[::-1]).items()", "dict(points).items()"),
    ("rings", "of uhashring's equal points the first",
     "points = list(dict(points).items())", "points = list(dict(points[::-1]).items())"),
    ("rings", "equal points are one",
     "    return sorted(points, key=lambda point: point[0])",
     "    return sorted(dict(points[::-1]).items(), key=lambda point: point[0])"),
    ("rings", "of equal points the later node",
     "key=lambda point: point[0])", "key=lambda point: (point[0], -point[1]))"),
    ("rings", "a point's own token is the next one's",
     'token if hit != "next" else token + 1', "token + 1"),
    ("rings", "half-way is the later point's", "if ahead < behind", "if ahead <= behind"),
    ("rings", "the ring does not close",
     "(first + step) % len(points)", "min(first + step, len(points) - 1)"),
    ("rings", "a node counts twice", "if len(found) < k:", "if step < k:"),
    ("migrations", "a key at the progress has crossed",
     "crossed = crossing < math", "crossed = crossing <= math"),
    ("migrations", "progress in doubles",
     'crossing < math.ceil(Fraction(double(ask["progress_bits"])) * WORD)',
     'crossing / 2**64 < double(ask["progress_bits"])'),
    ("migrations", "a step from 32 bits", "crossing * ask", "(crossing >> 32 << 32) * ask"),
    ("migrations", "sources are paired from the last",
     "for turn, target in enumerate(targets)", "for turn, target in enumerate(targets[::-1])"),
    ("migrations", "what stays is no source",
     "sources = losing + [n for n in before if n not in losing]", "sources = losing or before"),
    ("fingerprints", "ids in the order of the set",
     "sorted(range(len(nodes.ids)), key=lambda n: nodes.ids[n])", "range(len(nodes.ids))"),
    ("fingerprints", "ids in the order of UTF-16",
     "key=lambda n: nodes.ids[n])",
     "key=lambda n: nodes.ids[n].decode('u8', 'replace').encode('utf-16-be'))"),
    ("fingerprints", "ids without lengths",
     'len(nodes.ids[n]).to_bytes(8, "little") + nodes.ids[n]', "nodes.ids[n]"),
    ("fingerprints", "no word about weights", "'' if nodes.weights is None else ' weighted'", "''"),
)  # fmt: skip


def differences(section: str, source: str) -> str:
    """The first difference that a checker finds in a section's file; empty if there is none."""
    names: dict[str, Any] = {"__name__": "misread"}
    exec(compile(source, "check.py", "exec"), names)
    file = json.loads((GOLDEN / "vectors" / f"{section}.json").read_bytes())
    try:
        return next(names["differences"](file["cases"]), "")
    except IndexError as error:  # a key that no node has room for
        return str(error)


@pytest.mark.parametrize(
    ("section", "right", "wrong"),
    [
        pytest.param(section, right, wrong, id=f"{section}: {what}")
        for section, what, right, wrong in MISREADINGS
    ],
)
def test_a_wrong_reading_is_told(section: str, right: str, wrong: str) -> None:
    assert SOURCE.count(right) >= 1, "the line is another now"
    assert differences(section, SOURCE.replace(right, wrong))
