"""The page of the contract runs as it stands; its functions give rvh's answers to random questions.

What the page defines uses nothing of rvh, so each test asks both.
"""

from __future__ import annotations

import math
import random
import re
from collections.abc import Callable
from fractions import Fraction
from functools import partial, reduce
from operator import xor
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from folders import DOCS
from pages import run_page

import rvh
from rvh import _backend, ring, stable
from rvh.balanced import BalancedAssigner, argassign_balanced, capacities
from rvh.faultset import FaultSet
from rvh.geohash import GeoSet, encode
from rvh.migration import Migration
from rvh.migration.moves import moves
from rvh.migration.pair import Pair
from rvh.partitions import PartitionTable
from rvh.weighted import weights_from

SCHEMES = ("blake2b", "murmur")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """What the page defines."""
    names: dict[str, Any] = {}
    folder = tmp_path_factory.mktemp("page")
    assert run_page("reference/contract.md", folder, {}, names=names) == 45
    assert run_page("reference/contract-pitfalls.md", folder, {}, names=names) == 1
    return SimpleNamespace(**names)


def some_bytes(rng: random.Random, longest: int = 40) -> bytes:
    return rng.randbytes(rng.randrange(1, longest))


def some_nodes(rng: random.Random, most: int = 12) -> list[bytes]:
    return list({some_bytes(rng, 20): None for _ in range(rng.randrange(2, most))})


def some_weights(rng: random.Random, count: int) -> list[float] | None:
    if rng.random() < 0.4:
        return None
    return [1.5, *(rng.choice([0.0, 1.0, rng.uniform(0.1, 9)]) for _ in range(count - 1))]


def test_bytes(page: SimpleNamespace) -> None:
    for value in ("é", "", b"\xff", 0, -1, 2**64 - 1, -(2**63)):
        assert page.key_bytes(value) == rvh.keys.key_bytes(value)
    parts = ("ann", 7, b"", -3, "é")
    assert page.composite(*parts) == rvh.keys.composite(*parts)


def test_rankings_and_fingerprints(page: SimpleNamespace) -> None:
    rng = random.Random(1)
    for _ in range(300):
        nodes, scheme, key = some_nodes(rng), rng.choice(SCHEMES), some_bytes(rng)
        weights = some_weights(rng, len(nodes))
        secret = rng.randbytes(rng.randrange(65)) if scheme == "blake2b" else b""
        node_set = rvh.NodeSet(nodes, weights=weights, scheme=scheme, secret=secret)
        ranked = page.ranking(nodes, key, scheme, weights, secret)
        assert node_set.select(key, len(ranked)) == ranked
        assert node_set.fingerprint == page.fingerprint(nodes, scheme, weights, secret)


def test_logarithms(page: SimpleNamespace) -> None:
    rng = random.Random(2)
    numbers = [1, 2, 2**52, 2**53 - 1, *(rng.randrange(1, 2**53) for _ in range(2000))]
    out = np.empty(len(numbers))
    _backend.neg_log(np.array(numbers, dtype=np.uint64), out)
    assert out.tolist() == [page.minus_ln(m) for m in numbers]


def test_weights_from(page: SimpleNamespace) -> None:
    rng = random.Random(3)
    for _ in range(200):
        count = rng.randrange(1, 9)
        exponents = {"stake": rng.choice([0, 0.5, 1, 3.7]), "capacity": 1.0, "rtt": -rng.random()}
        measures = {
            name: [
                rng.choice([None, 5.0, rng.lognormvariate(0, 3), 0.0 if name == "stake" else 5.0])
                for _ in range(count)
            ]
            for name in exponents
        }
        bounds = (0.25, 4.0) if rng.random() < 0.5 else None
        stakes = [value for value in measures["stake"] if value is not None]
        if exponents["stake"] and stakes and page.median(stakes) == 0:
            continue  # an error
        own = page.weights_from(
            [(measures[name], exponents[name]) for name in exponents], bounds or (0, math.inf)
        )
        ours = weights_from(**measures, exponents=exponents, bounds=bounds).tolist()
        assert [page.bits(w) for w in ours] == [page.bits(w) for w in own]


def test_partitions(page: SimpleNamespace) -> None:
    rng = random.Random(4)
    for partitions in (1, 3, 1000):
        table = PartitionTable(["a", "b", "c"], partitions)
        keys = [some_bytes(rng) for _ in range(200)]
        assert table.partition_batch(keys).tolist() == [
            page.partition(key, partitions) for key in keys
        ]
        other = PartitionTable(["b", "c", "d"], partitions)
        moves, (before, after) = table.moved(other), (table.owners.tolist(), other.owners.tolist())
        expected = [
            (p, *pair)
            for p in range(partitions)
            for pair in page.moved(
                [["a", "b", "c"][n] for n in before[p]], [["b", "c", "d"][n] for n in after[p]]
            )
        ]
        assert list(zip(*(column.tolist() for column in moves), strict=True)) == expected


def test_fault_sets_and_repair(page: SimpleNamespace) -> None:
    rng, kinds = random.Random(5), ("zone", "rack")
    for _ in range(300):
        nodes = some_nodes(rng)
        labels = [
            [rng.choice(["a", b"a", 1, "1", -1, 2**64 - 1]) for _ in nodes],
            [rng.randrange(2) for _ in nodes],
        ]
        weights = some_weights(rng, len(nodes))
        alive = [True, *(rng.random() < 0.8 for _ in nodes[1:])]
        node_set = rvh.NodeSet(
            nodes, weights=weights, scheme="murmur", domains=dict(zip(kinds, labels, strict=True))
        )
        faults, limits = FaultSet(node_set, alive), [rng.randrange(1, 3), rng.randrange(1, 3)]
        key, domains = some_bytes(rng), dict(zip(nodes, zip(*labels, strict=True), strict=True))
        lives = dict(zip(nodes, alive, strict=True))
        ranked = [node for node in page.ranking(nodes, key, "murmur", weights) if lives[node]]
        k = rng.randrange(1, len(ranked) + 1)
        placed = faults.select_batch([key], k, kinds, limits)
        row = placed.nodes[0].tolist(), placed.degraded[0]
        assert row == page.walk(ranked, k, domains, limits)
        current = rng.sample(nodes, rng.randrange(1, len(nodes) + 1))
        repair = faults.repair([key], [current], k, kinds, limits)
        living = [node for node in current if lives[node]]
        expected = page.repaired(ranked, living, k, domains, limits)
        assert repair.nodes[0].tolist() == expected[0]
        assert repair.added[0].tolist() == expected[1]
        assert repair.degraded[0] == expected[2]


def test_repair_where_some_nodes_take_no_new_keys(page: SimpleNamespace) -> None:
    rng, changed = random.Random(13), 0
    for _ in range(300):
        nodes, key = some_nodes(rng), some_bytes(rng)
        labels = [rng.randrange(3) for _ in nodes]
        domains = {node: (label,) for node, label in zip(nodes, labels, strict=True)}
        faults = FaultSet(rvh.NodeSet(nodes, domains={"zone": labels}))
        takes = {node: rng.random() < 0.7 for node in nodes}
        current, ranked = rng.sample(nodes, rng.randrange(1, len(nodes))), page.ranking(nodes, key)
        row = page.repaired(ranked, current, 2, domains, [1])
        if any(new and not takes[node] for node, new in zip(*row[:2], strict=True)):
            ranked = [node for node in ranked if takes[node] or node in current]
            if len(ranked) < 2:
                continue  # an error
            row, changed = page.repaired(ranked, current, 2, domains, [1]), changed + 1
        repair = faults.repair([key], [current], 2, "zone", taking=list(takes.values()))
        assert repair.nodes[0].tolist() == row[0]
        assert (repair.added[0].tolist(), repair.degraded[0]) == row[1:]
    assert changed > 0


def test_bounded_load(page: SimpleNamespace) -> None:
    rng = random.Random(6)
    for _ in range(60):
        nodes, scheme = some_nodes(rng, 6), rng.choice(SCHEMES)
        weights = some_weights(rng, len(nodes))
        node_set = rvh.NodeSet(nodes, weights=weights, scheme=scheme)
        keys = [some_bytes(rng, 3) for _ in range(rng.randrange(1, 40))]  # some are equal
        factor = rng.choice([1.0, 1.05, 1.1, 3.0])
        sizes: list[Any] | None = rng.choice(
            [
                None,
                [rng.randrange(1, 50) for _ in keys],
                [rng.randrange(1, 2**62) for _ in keys],
                [rng.lognormvariate(0, 20) for _ in keys],
                [rng.choice([rng.randrange(1, 2**62), rng.lognormvariate(40, 1)]) for _ in keys],
                [rng.choice([rng.randrange(1, 2**62), 2**70 + 1]) for _ in keys],
            ]
        )
        found = argassign_balanced(node_set, keys, factor, sizes=sizes)
        expected = page.assigned(nodes, keys, factor, weights, sizes, scheme)
        assert [nodes[n] for n in found] == expected
        most = page.shares(weights or [1.0] * len(nodes), len(keys), factor)
        assert capacities(node_set, len(keys), factor).tolist() == [
            min(len(keys), -(-load.numerator // load.denominator)) for load in most
        ]


def placed_anew(
    page: SimpleNamespace,
    nodes: list[bytes],
    new: dict[bytes, int],
    held: dict[bytes, tuple[bytes, int]],
) -> None:
    """Match keys with the room that those which are held leave."""
    keys, sizes = list(new), list(new.values())
    loads = {n: sum(size for node, size in held.values() if node == n) for n in nodes}
    marks = page.shares([1.0] * len(nodes), sum(loads.values()) + sum(sizes), 1.05)
    room = {n: max(0, math.ceil(mark - loads[n])) for n, mark in zip(nodes, marks, strict=True)}

    def order(i: int, node: bytes) -> tuple[Any, ...]:
        return page.score("blake2b", node, keys[i]), keys[i]

    owners = page.match([page.ranking(nodes, key) for key in keys], order, room, sizes)
    held |= dict(zip(keys, zip(owners, sizes, strict=True), strict=True))


def test_the_assigner(page: SimpleNamespace) -> None:
    rng, names, moved = random.Random(7), [b"a", b"b", b"c", b"d"], 0
    assigner = BalancedAssigner(names[:3], 1.05)
    held: dict[bytes, tuple[bytes, int]] = {}

    def assert_same() -> None:
        keys = list(held)
        assert assigner.assign_batch(keys).tolist() == [held[key][0] for key in keys]

    for batch in range(12):
        nodes = rng.sample(names, 3)
        assigner.update(nodes)
        homeless = {key: size for key, (node, size) in held.items() if node not in nodes}
        for key in homeless:
            del held[key]
        placed_anew(page, nodes, homeless, held)
        assert_same()
        new = {b"%d-%d" % (batch, i): rng.randrange(1, 4) for i in range(rng.randrange(5, 20))}
        assigner.assign_batch(list(new), sizes=list(new.values()))
        placed_anew(page, nodes, new, held)
        assert_same()
        for key in [key for key, (node, _) in held.items() if node != nodes[0]]:
            if rng.random() < 0.5:  # so that one node has more than its share
                assigner.release([key])
                del held[key]
        (mark, *_) = page.shares([1.0] * 3, sum(size for _, size in held.values()), 1.05)
        taken = {}
        for node in nodes:
            here = [key for key, (owner, _) in held.items() if owner == node]
            here.sort(key=lambda key: (page.score("blake2b", node, key), key), reverse=True)
            sizes = [held[key][1] for key in here]
            if here and sum(sizes) - max(sizes) >= mark:
                taken |= {
                    key: size
                    for at, (key, size) in enumerate(zip(here, sizes, strict=True))
                    if sum(sizes[:at]) >= mark
                }
        for key in taken:
            del held[key]
        placed_anew(page, nodes, taken, held)
        assert len(assigner.rebalance().key) == len(taken)
        moved += len(taken)
        assert_same()
    assert moved > 0


def test_geohashes(page: SimpleNamespace) -> None:
    pytest.importorskip("pygeohash", reason="degrees need pygeohash")
    rng = random.Random(8)
    for _ in range(1000):
        latitude = rng.choice([rng.uniform(-90, 90), rng.randint(-512, 512) * 90 / 512])
        longitude = rng.choice([rng.uniform(-180, 180), rng.randint(-512, 512) * 180 / 512])
        precision = rng.randint(1, 12)
        own = page.geohash(latitude, longitude, precision)
        assert encode(latitude, longitude, precision) == own


def test_the_same_region_first(page: SimpleNamespace) -> None:
    rng = random.Random(12)
    for _ in range(200):
        nodes = some_nodes(rng)
        places = {node: "".join(rng.choices("0z", k=rng.randint(1, 5))) for node in nodes}
        place, precision = "".join(rng.choices("0z", k=rng.randint(1, 5))), rng.randint(1, 5)
        geo = GeoSet(nodes, geohash=list(places.values()), precision=precision)
        key = some_bytes(rng)
        assert geo.select(key, len(nodes), geohash=place) == page.nearest(
            page.ranking(nodes, key), places, place, precision
        )


def test_buckets(page: SimpleNamespace) -> None:
    rng = random.Random(9)
    for _ in range(500):
        key = rng.choice([some_bytes(rng), rng.randrange(-(2**63), 2**64)])
        n = rng.choice([1, 2, 3, 10, 1000, 2**31 - 1])
        word = page.word_of(key)
        assert stable.jump_hash(key, n) == page.jump(word, n)
        assert stable.jumpback_hash(key, n) == page.jumpback(word, n)
        count = rng.randrange(1, 9)
        k = rng.randrange(1, count + 1)
        selector = stable.StableSelector([str(i) for i in range(count)])
        assert list(map(int, selector.select(key, k))) == page.distinct_jumps(word, count, k)


def test_rings(page: SimpleNamespace) -> None:
    rng = random.Random(10)
    hashes = {
        "ketama": page.ketama,
        "md5": page.md5,
        "murmur3": page.murmur3,
        "one_at_a_time": page.one_at_a_time,
    }
    for name, hashed in hashes.items():
        one = ring.Ring.from_tokens({"a": [0]}, name)
        keys = [b"", *(some_bytes(rng) for _ in range(300))]
        assert one.token_batch(keys).tolist() == [hashed(key) for key in keys]
    for _ in range(300):
        hit = rng.choice(["point", "next", "nearest"])
        few = rng.sample(range(2**32 - 20, 2**32), 4) + rng.sample(range(20), 4)
        tokens = {"a": few[:3], "b": few[3:5], "c": few[5:]}
        points = sorted((token, node) for node, each in tokens.items() for token in each)
        token, k = rng.choice([rng.randrange(2**32), *range(20)]), rng.randrange(1, 4)
        made = ring.Ring.from_tokens(tokens, "crc32", hit=hit)
        found = made.lookup_tokens([token], k)[0].tolist()
        assert found == page.owners(points, token, k, hit)


def points_of(page: SimpleNamespace, system: str, nodes: list[bytes], weights: list[Any]) -> Any:
    """The points of a system's ring, as the page has them."""

    def hashed(hash_of: Callable[[bytes], int], counts: list[int]) -> dict[bytes, list[int]]:
        return {
            name: [hash_of(b"%s-%d" % (name, i)) for i in range(count)]
            for name, count in zip(nodes, counts, strict=True)
        }

    def digests(counts: list[int], each: int) -> dict[bytes, list[int]]:
        return {
            name: page.md5_tokens(name, count, each)
            for name, count in zip(nodes, counts, strict=True)
        }

    if system == "ketama":
        return page.ring_points(digests(page.libketama_counts(weights), 4))
    if system == "libmemcached":
        return page.ring_points(digests(page.libmemcached_counts(weights), 4))
    if system == "libmemcached, equal":
        return page.ring_points(hashed(page.one_at_a_time, [100] * len(nodes)))
    if system == "nginx":
        tokens = {
            name: page.nginx_tokens(name, b"80", w) for name, w in zip(nodes, weights, strict=True)
        }
        return page.ring_points(tokens, "earlier")
    if system == "uhashring":
        return page.ring_points(hashed(page.md5, [160 * w for w in weights]), "later")
    if system == "uhashring, ketama":
        return page.ring_points(digests(page.whole_counts(weights), 4), "later")
    return page.ring_points(digests(page.hash_ring_counts(weights), 3), "later")


RINGS: dict[str, Callable[..., ring.Ring]] = {
    "ketama": ring.ketama,
    "libmemcached": ring.libmemcached,
    "libmemcached, equal": lambda nodes, _: ring.libmemcached(nodes, behavior="ketama"),
    "nginx": lambda nodes, weights: ring.nginx([node + b":80" for node in nodes], weights),
    "uhashring": ring.uhashring,
    "uhashring, ketama": partial(ring.uhashring, hash_fn="ketama"),
    "hash_ring": ring.hash_ring,
}


@pytest.mark.parametrize("system", RINGS)
def test_points_of_other_systems(page: SimpleNamespace, system: str) -> None:
    rng = random.Random(system)
    for fractions in (False, True, False, True):
        nodes = [b"n%d" % n for n in rng.sample(range(10**6), rng.randrange(1, 9))]
        weights: list[Any] = [rng.randrange(1, 9) for _ in nodes]
        if fractions and system in ("ketama", "hash_ring"):
            weights = [round(rng.uniform(0.1, 9), 1) for _ in nodes]
        own, made = points_of(page, system, nodes, weights), RINGS[system](nodes, weights)
        assert made.tokens.tolist() == [token for token, _ in own]
        assert [nodes[n] for n in made.owners] == [node for _, node in own]


@pytest.mark.parametrize(
    ("system", "one", "other", "points"),
    [
        ("ketama", 574, 113, 320),
        ("libmemcached", 590, 659, 320),
        ("libmemcached, equal", 262, 22, 200),
        ("nginx", 285, 45, 319),
        ("uhashring, ketama", 113, 574, 319),
        ("hash_ring", 838, 327, 239),
    ],
)
def test_a_point_that_two_nodes_share(
    page: SimpleNamespace, system: str, one: int, other: int, points: int
) -> None:
    names = [b"server-%d" % one, b"server-%d" % other]
    for nodes in (names, names[::-1]):
        own, made = points_of(page, system, nodes, [1, 1]), RINGS[system](nodes, [1, 1])
        assert len(made) == points
        assert made.tokens.tolist() == [token for token, _ in own]
        assert [nodes[n] for n in made.owners] == [node for _, node in own]


def test_equal_points(page: SimpleNamespace) -> None:
    points = np.array([20, 10, 20], dtype=np.uint64)
    made = ring.Ring(["a", "b", "c"], "crc32", points, np.array([2, 1, 0], dtype=np.uint32))
    own = [(10, "b"), (20, "c"), (20, "a")]
    for token in (5, 15, 20, 25):
        assert made.lookup_tokens([token], 3)[0].tolist() == page.owners(own, token, 3)


def test_migrations(page: SimpleNamespace) -> None:
    rng = random.Random(11)
    for _ in range(100):
        old, new = some_nodes(rng), some_nodes(rng)
        new = list(dict.fromkeys(new + old[: rng.randrange(len(old) + 1)]))
        k, k_new = rng.randint(1, len(old)), rng.randint(1, len(new))
        migration = Migration(rvh.NodeSet(old), rvh.NodeSet(new), k, k_new=k_new)
        key, progress = some_bytes(rng), rng.choice([0, 1, rng.random()])
        both = page.ranking(old, key)[:k], page.ranking(new, key)[:k_new]
        found = migration.moves([key])
        pairs = list(zip(found.source.tolist(), found.target.tolist(), strict=True))
        assert pairs == page.moved(*both)
        nodes = [node for node in migration.owners_batch([key], progress)[0] if node is not None]
        assert nodes == both[page.crossed(key, progress)]
        steps = rng.randrange(1, 5000)
        step = page.murmur64a(key, page.KEY_SEED) * steps >> 64
        assert migration.plan(steps).steps_of([key]).tolist() == [step]


def test_sources_where_nodes_are_dead(page: SimpleNamespace) -> None:
    """Old, given up and new placements, as a coordinator has them after deaths."""
    rng, names, lost = random.Random(14), [b"%d" % n for n in range(8)], 0
    for _ in range(300):
        old, given_up, new = (rng.sample(names, 4) for _ in range(3))
        dead, key = rng.sample(names, rng.randrange(6)), some_bytes(rng)
        kept = [rvh.NodeSet(given_up)]
        pair = Pair(rvh.NodeSet(old), rvh.NodeSet(new), 2, kept=kept, dead=dead)
        living = [
            [node for node in page.ranking(nodes, key)[:2] if node not in dead]
            for nodes in (old, given_up, new)
        ]
        expected = (
            page.moved(living[0], living[2])
            if living[0]
            else [
                (next((node for node in living[1] if node != target), None), target)
                for target in living[2]
            ]
        )
        found = moves(pair, [key])
        assert list(zip(found.source.tolist(), found.target.tolist(), strict=True)) == expected
        lost += None in found.source.tolist()
    assert lost > 0


def fma(x: float, y: float, z: float) -> float:
    return float(Fraction(x) * Fraction(y) + Fraction(z))


def misread(page: SimpleNamespace, function: str, *changes: tuple[str, str]) -> Any:
    """A function of the page with some of its words changed."""
    text = (DOCS / "reference/contract.md").read_text("utf-8")
    text = text[text.index(f"\ndef {function}(") :]
    text = text[: re.search(r"\n(\n\n|```)", text).start()]  # type: ignore[union-attr]
    for right, wrong in changes:
        assert right in text
        text = text.replace(right, wrong)
    names = {**vars(page), "reduce": reduce, "xor": xor, "fma": fma}
    exec(text, names)
    return names[function]


def test_what_misreadings_of_the_pitfalls_give(page: SimpleNamespace) -> None:
    """Each wrong value of the table but the last, which is as the C library has it."""
    key, seed = "user:\xe9".encode(), page.KEY_SEED
    kh, nh = page.murmur64a(b"user:1", seed), page.murmur64a(b"alpha", page.NODE_SEED)
    signed_bytes = misread(
        page, "murmur64a",
        ('int.from_bytes(data[whole:], "little")',
         "reduce(xor, ((b ^ 128) - 128 << 8 * at & WORD for at, b in enumerate(data[whole:])))"),
    )  # fmt: skip
    signed_shifts = misread(
        page, "murmur64a",
        ("block >> 47", "(block - (block >> 63 << 64) >> 47 & WORD)"),
        ("h ^ h >> 47", "h ^ (h - (h >> 63 << 64) >> 47 & WORD)"),
    )  # fmt: skip
    fdlibm = misread(
        page, "minus_ln", ("((half - low) - f)", "((s * (f - (even + odd)) + q * LN2_LOW) - f)")
    )
    fused = misread(page, "minus_ln", ("((half - low) - f)", "(fma(0.5 * f, f, -low) - f)"))
    first, second = 7222209650546943, 8198219959711757
    table = (DOCS / "reference/contract-pitfalls.md").read_text("utf-8")
    for row in (
        f"hash of the key {signed_bytes(key, seed):#x} | bytes entered with their sign",
        f"{signed_shifts(key, seed):#x} | shifts filled with the sign bit",
        f"hash of the node {page.murmur64a(b'alpha', page.NODE_SEED - 2**32 & page.WORD):#x} |",
        f"score {page.hash128to64(nh, kh):#x} | low and high half",
        f"partition {(kh - 2**64) * 4096 >> 64} | the high half of a signed product",
        f"partition {(kh * 4096 & page.WORD) >> 64} | the product had 64 bits",
        f"first logarithm {page.bits(fdlibm(first))} | `StrictMath.log`",
        f"second {page.bits(fused(second))} | products and sums were fused; or the same",
        f"second {page.bits(fdlibm(second))} |",
    ):
        assert f"| {row}" in table
