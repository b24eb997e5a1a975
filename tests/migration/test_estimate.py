"""What a migration moves, by an own count in plain Python; the minimum by trying all placements."""

from __future__ import annotations

import json
import math
from collections import Counter
from itertools import combinations, product
from typing import Any

import numpy as np
import pytest

from rvh import NodeSet
from rvh.errors import RVHError, RVHTypeError
from rvh.faultset import FaultSet
from rvh.migration import Estimate, Estimator, Migration
from rvh.partitions import PartitionTable
from rvh.ring import ketama, nginx

NODES = ["a", "b", "c", "d", "e"]
ZONES = {"a": "eu", "b": "eu", "c": "us", "d": "us", "e": "us", "f": "asia"}
KEYS = [f"key {n}" for n in range(2000)]
SIZES = [n * 37 % 1009 for n in range(2000)]
MIGRATIONS = {
    "a node comes": (NodeSet(NODES), NodeSet([*NODES, "f"]), 1, 1),
    "a node goes": (NodeSet(NODES), NodeSet(NODES[1:]), 2, 2),
    "in another order": (NodeSet(NODES), NodeSet(["f", *NODES[::-1]]), 3, 3),
    "a weight changes": (
        NodeSet(NODES, weights=[1, 2, 3, 4, 0]),
        NodeSet(NODES, weights=[1, 5, 3, 4, 1]),
        2,
        2,
    ),
    "from a ring": (ketama(NODES), NodeSet(NODES, scheme="murmur"), 1, 1),
    "to a table": (nginx(NODES), PartitionTable(NodeSet(NODES), 64, 2), 2, 2),
    "to fewer nodes a key": (NodeSet(NODES), NodeSet(NODES), 3, 1),
    "to more nodes a key": (NodeSet(NODES), NodeSet([*NODES[1:], "f"]), 1, 3),
    "with bytes and str": (NodeSet([b"a", b"b"]), NodeSet(["b", "c"]), 1, 1),
}


def nodes_of(placement: Any, k: int) -> list[list[str]]:
    if isinstance(placement, NodeSet):
        rows = placement.select_batch(KEYS, k)
    elif isinstance(placement, PartitionTable):
        rows = placement.lookup_batch(KEYS)
    else:
        rows = placement.lookup_batch(KEYS, k)
    return [[as_text(node) for node in row] for row in rows.tolist()]


def as_text(node: str | bytes) -> str:
    return node.decode() if isinstance(node, bytes) else node


def by_name(loads: Any, values: Any) -> dict[Any, int]:
    """The values that are not 0, by name."""
    names = map(as_text, loads.names.tolist())
    return {name: value for name, value in zip(names, values.tolist(), strict=True) if value}


def flows_of(loads: Any) -> dict[tuple[str, str], tuple[int, int]]:
    names = list(map(as_text, loads.names.tolist()))
    columns = (each.tolist() for each in loads.flows)
    return {(names[s], names[t]): (keys, size) for s, t, keys, size in zip(*columns, strict=True)}


def counted(pairs: Any) -> dict[Any, int]:
    counts: Counter[Any] = Counter()
    for name, value in pairs:
        counts[name] += value
    return {name: value for name, value in counts.items() if value}


@pytest.mark.parametrize("name", MIGRATIONS)
def test_an_own_count(name: str) -> None:
    old, new, k, k_new = MIGRATIONS[name]
    migration = Migration(old, new, k, k_new=k_new)
    estimate = migration.estimate(KEYS, sizes=SIZES, domains={"zone": ZONES}, steps=7)
    before, after = nodes_of(old, k), nodes_of(new, k_new)
    moved = migration.moves(KEYS)
    copies = [
        (row, as_text(source), as_text(target))
        for row, source, target in zip(*(each.tolist() for each in moved), strict=True)
    ]
    assert sorted((row, target) for row, _, target in copies) == sorted(
        (row, node)
        for row, (had, has) in enumerate(zip(before, after, strict=True))
        for node in {*has} - {*had}
    )
    assert estimate.keys == estimate.counted == len(KEYS)
    assert estimate.bytes == sum(SIZES)
    assert estimate.moved_keys == len({row for row, *_ in copies})
    assert estimate.moved_copies == len(copies)
    assert estimate.moved_bytes == sum(SIZES[row] for row, *_ in copies)
    assert estimate.copies == sum(map(len, after))
    assert estimate.deleted_copies == sum(
        len({*had} - {*has}) for had, has in zip(before, after, strict=True)
    )
    for loads, label in ((estimate.nodes, str), (estimate.domains["zone"], ZONES.get)):
        sides: dict[str, list[tuple[Any, int]]] = {
            "before": [(label(n), row) for row, nodes in enumerate(before) for n in nodes],
            "after": [(label(n), row) for row, nodes in enumerate(after) for n in nodes],
            "sent": [(label(source), row) for row, source, _ in copies],
            "received": [(label(target), row) for row, _, target in copies],
        }
        for side, pairs in sides.items():
            keys = counted((node, 1) for node, _ in pairs)
            size = counted((node, SIZES[row]) for node, row in pairs)
            assert by_name(loads, getattr(loads, f"keys_{side}")) == keys
            assert by_name(loads, getattr(loads, f"bytes_{side}")) == size
        flows = [((label(source), label(target)), row) for row, source, target in copies]
        keys = counted((flow, 1) for flow, _ in flows)
        size = counted((flow, SIZES[row]) for flow, row in flows)
        assert flows_of(loads) == {flow: (keys[flow], size.get(flow, 0)) for flow in keys}
    growth = [
        max(0, estimate.nodes.keys_after[at] - estimate.nodes.keys_before[at])
        for at in range(len(estimate.nodes))
    ]
    assert estimate.minimum_copies == sum(growth)
    in_step = migration.plan(7).steps_of(KEYS)
    assert estimate.steps is not None
    assert estimate.steps.keys.tolist() == [
        sum(in_step[row] == step for row, *_ in copies) for step in range(7)
    ]
    assert estimate.steps.bytes is not None
    assert estimate.steps.bytes.sum() == estimate.moved_bytes


def test_batches_add_up() -> None:
    migration = Migration(ketama(NODES), NodeSet([*NODES[1:], "f"]), 2)
    whole = migration.estimate(KEYS, sizes=SIZES, steps=5)
    estimator = Estimator(migration, steps=5)
    for start in range(0, len(KEYS), 300):
        part = slice(start, start + 300)
        moves, moved = estimator.add(KEYS[part], SIZES[part]), migration.moves(KEYS[part])
        assert moves.row.tolist() == moved.row.tolist()
        assert estimator.ids[moves.source].tolist() == moved.source.tolist()
        assert estimator.ids[moves.target].tolist() == moved.target.tolist()
    assert estimator.estimate().to_dict() == whole.to_dict()


def test_sizes_come_in_any_kind_of_numbers() -> None:
    migration = Migration(NodeSet(["a"]), NodeSet(["b"]))
    for sizes in ([1, 2, 3], (1, 2, 3), np.array([1, 2, 3], np.uint8), np.array([1.0, 2.0, 3.0])):
        assert migration.estimate(["x", "y", "z"], sizes=sizes).moved_bytes == 6
    assert migration.estimate(["x", "y", "z"], sizes=2).moved_bytes == 6
    assert migration.estimate(["x", "y"], sizes=[0, 0]).moved_bytes == 0
    assert migration.estimate([], sizes=[]).moved_bytes == 0
    assert migration.estimate(["x"]).moved_bytes is None


class Table:
    """A placement that is written down: the key is the number of its row."""

    def __init__(self, rows: list[list[str]]) -> None:
        self.ids, self._rows = ["a", "b", "c"], rows

    def select_batch(self, keys: Any, k: int) -> list[list[str]]:
        return [self._rows[key] if isinstance(key, int) else self.ids[:k] for key in keys]


def loads(rows: list[list[str]], sizes: list[int]) -> list[int]:
    return [
        sum(size for row, size in zip(rows, sizes, strict=True) if node in row) for node in "abc"
    ]


def copies_between(old: list[list[str]], new: list[list[str]], sizes: list[int]) -> int:
    return sum(size * len({*has} - {*had}) for had, has, size in zip(old, new, sizes, strict=True))


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("sizes", [[1] * 6, [5, 1, 2, 9, 4, 3]], ids=["keys", "bytes"])
def test_the_minimum_is_what_the_best_of_all_placements_moves(seed: int, sizes: list[int]) -> None:
    """With one node a key, in keys: all 3^6 placements are tried. In bytes it is a bound."""
    random = np.random.default_rng(seed)
    old, new = ([[str(random.choice(["a", "b", "c"]))] for _ in sizes] for _ in range(2))
    estimate = Migration(Table(old), Table(new)).estimate(list(range(6)), sizes=sizes)
    wanted = loads(new, sizes)
    every = ([[node] for node in each] for each in product("abc", repeat=6))
    best = min(copies_between(old, rows, sizes) for rows in every if loads(rows, sizes) == wanted)
    assert estimate.minimum_bytes is not None
    assert estimate.minimum_bytes <= best <= copies_between(old, new, sizes)
    half = sum(abs(a - b) for a, b in zip(loads(old, sizes), wanted, strict=True)) / 2
    assert estimate.minimum_bytes == half
    if sizes == [1] * 6:
        assert best == estimate.minimum_copies == estimate.minimum_bytes


@pytest.mark.parametrize("seed", range(6))
def test_with_several_nodes_a_key_the_minimum_is_a_bound(seed: int) -> None:
    random = np.random.default_rng(seed)
    pairs = [list(each) for each in combinations("abc", 2)]
    old, new = ([pairs[n] for n in random.integers(3, size=5)] for _ in range(2))
    estimate = Migration(Table(old), Table(new), 2).estimate(list(range(5)))
    wanted = loads(new, [1] * 5)
    best = min(
        copies_between(old, list(rows), [1] * 5)
        for rows in product(pairs, repeat=5)
        if loads(list(rows), [1] * 5) == wanted
    )
    assert estimate.minimum_copies <= best <= estimate.moved_copies


@pytest.mark.parametrize(
    ("old", "new", "k", "stays"),
    [
        (ketama(NODES), NodeSet(NODES), 1, 1 / 5),
        (ketama(NODES), NodeSet(NODES, scheme="murmur"), 3, 3 / 5),
        (NodeSet(NODES), NodeSet(NODES, secret=b"another"), 2, 2 / 5),
        (NodeSet(NODES, scheme="murmur"), NodeSet(NODES, scheme="murmur", weights=[1] * 5), 1, 0.2),
    ],
)
def test_leaving_one_kind_for_another_is_told(old: Any, new: Any, k: int, stays: float) -> None:
    estimate = Migration(old, new, k).estimate(KEYS)
    (remark,) = estimate.remarks
    assert f"1 - {k}/N" in remark
    assert f"{100 * estimate.moved_copies / estimate.copies:.3g}%" in remark
    assert estimate.moved_copies == pytest.approx((1 - stays) * estimate.copies, rel=0.05)
    # of a ring with its own, uneven loads
    assert estimate.chance_copies == pytest.approx(estimate.moved_copies, rel=0.05)
    assert estimate.to_dict()["remarks"] == [remark]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (NodeSet(NODES), NodeSet([*NODES, "f"])),
        (NodeSet(NODES), NodeSet(NODES[1:])),
        (ketama(NODES), ketama(NODES[1:])),
        (NodeSet(["a"]), NodeSet(["b"])),  # everything moves, and has to
        (NodeSet(["a", "b"]), NodeSet(["c", "d"])),
    ],
)
def test_a_change_that_moves_what_it_has_to_is_not(old: Any, new: Any) -> None:
    assert Migration(old, new).estimate(KEYS).remarks == ()


def test_few_keys_tell_nothing_about_chance() -> None:
    migration = Migration(ketama(NODES), NodeSet(NODES))
    assert migration.estimate(KEYS[:99]).remarks == ()
    assert len(migration.estimate(KEYS[:100]).remarks) == 1


def test_the_standard_error_is_what_samples_differ_by() -> None:
    migration = Migration(NodeSet(NODES), NodeSet([*NODES[1:], "f"]), 2)
    whole = migration.estimate(KEYS, sizes=SIZES)
    random, off = np.random.default_rng(5), []
    for _ in range(200):
        rows = random.choice(len(KEYS), 400, replace=False)
        part = migration.estimate(
            [KEYS[row] for row in rows], sizes=[SIZES[row] for row in rows], total=len(KEYS)
        )
        assert (part.keys, part.counted) == (len(KEYS), 400)
        assert part.moved_keys_error
        assert part.moved_copies_error
        assert part.moved_bytes_error
        off.append(
            [
                (part.moved_keys - whole.moved_keys) / part.moved_keys_error,
                (part.moved_copies - whole.moved_copies) / part.moved_copies_error,
                ((part.moved_bytes or 0) - (whole.moved_bytes or 0)) / part.moved_bytes_error,
            ]
        )
    assert np.abs(np.mean(off, axis=0)).max() < 0.25
    assert np.std(off, axis=0) == pytest.approx([1, 1, 1], abs=0.2)


def test_all_keys_as_a_sample_have_no_error() -> None:
    migration = Migration(NodeSet(["a", "b"]), NodeSet(["b", "c"]))
    estimate = migration.estimate(KEYS, total=len(KEYS))
    assert estimate.moved_copies_error == 0
    assert migration.estimate(KEYS).moved_copies_error is None


def test_drawn_keys() -> None:
    migration = Migration(NodeSet(NODES), NodeSet([*NODES, "f"]))
    estimate = migration.estimate(sample=50_000, total=6 * 10**12, sizes=1000)
    assert (
        estimate.to_dict()
        == migration.estimate(sample=50_000, total=6 * 10**12, sizes=1000).to_dict()
    )
    assert (estimate.keys, estimate.counted) == (6 * 10**12, 50_000)
    error = estimate.moved_copies_error
    assert error == pytest.approx(6e12 * math.sqrt(1 / 6 * 5 / 6 / 50_000), rel=0.05)
    assert abs(estimate.moved_copies - 1e12) < 4 * error
    assert estimate.moved_bytes == pytest.approx(1000 * estimate.moved_copies)
    assert estimate.nodes.keys_after.sum() == pytest.approx(6 * 10**12)


def test_weights_make_the_share_of_a_node() -> None:
    new = NodeSet(["a", "b", "c"], weights=[1, 3, 0])
    estimate = Migration(NodeSet(["a", "b"]), new).estimate(range(20_000))
    a, b, c = estimate.nodes.keys_after.tolist()
    assert c == 0
    assert estimate.nodes.max_mean("keys_after") == pytest.approx(max(a, b / 3) / (20_000 / 4))
    before = estimate.nodes.keys_before.tolist()
    assert estimate.nodes.max_mean("keys_before") == max(before) / 10_000
    assert math.isnan(estimate.nodes.max_mean("bytes_after"))


def test_domains_of_the_placements_themselves() -> None:
    zones = [ZONES[node] for node in NODES]
    old = FaultSet(NODES, domains={"zone": zones, "rack": [1, 2, 3, 4, 5]})
    new = NodeSet([*NODES, "f"], domains={"zone": [*zones, "asia"]})
    estimate = Migration(old, new).estimate(KEYS)
    assert set(estimate.domains) == {"zone"}  # of f, nobody knows the rack
    zone = estimate.domains["zone"]
    assert zone.names.tolist() == ["eu", "us", "asia"]
    assert (zone.in_old.tolist(), zone.in_new.tolist()) == ([True, True, False], [True] * 3)
    assert zone.keys_before.sum() == zone.keys_after.sum() == len(KEYS)


def test_seconds() -> None:
    estimate = Migration(NodeSet(["a", "b"]), NodeSet(["c"])).estimate(KEYS, sizes=1000)
    sent = estimate.nodes.bytes_sent
    assert sent is not None
    times = estimate.seconds(1e6)
    assert times[:3] == (2.0, sent.max() / 1e6, 2.0)
    assert times[3:] == (["a", "b"][int(sent.argmax())], "c")
    same = Migration(NodeSet(["a"]), NodeSet(["a"])).estimate(KEYS, sizes=1000)
    assert same.seconds(10) == (0, 0, 0, None, None)
    assert estimate.to_dict(bandwidth=1e6)["seconds"]["whole"] == 2.0


def test_json() -> None:
    old, new = NodeSet([b"a\xff", b"b"]), NodeSet(["b", "c"])
    estimate = Migration(old, new).estimate(KEYS, sizes=SIZES, steps=3, total=10**6)
    said = json.loads(json.dumps(estimate.to_dict(bandwidth=1)))
    assert [node["node"] for node in said["nodes"]] == ["a\\xff", "b", "c"]
    assert said["moved"]["copies"] == estimate.moved_copies
    assert sum(flow["keys"] for flow in said["flows"]) == pytest.approx(said["moved"]["copies"], 3)
    assert [step["keys"] for step in said["steps"]] == estimate.steps.keys.tolist()
    assert set(said["standard_error"]) == {"keys", "copies", "bytes"}
    assert "bytes" not in json.dumps(Migration(old, new).estimate(KEYS).to_dict())


def estimate_of(**options: Any) -> Estimate:
    return Migration(NodeSet(["a"]), NodeSet(["b"])).estimate(["x", "y"], **options)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"sample": 3}, "keys or sample="),
        ({"sizes": [1, -1]}, "the size at position 1 is -1"),
        ({"sizes": [1, 1.5]}, "the size at position 1 is 1.5"),
        ({"sizes": [1, math.nan]}, "the size at position 1 is nan"),
        ({"sizes": [1]}, r"sizes has shape \(1,\): it needs \(2,\)"),
        ({"sizes": -1}, "the size of a key is -1"),
        ({"sizes": 1 << 62}, "2\\^62 or more"),
        ({"total": 1}, "total is 1, but there are 2 keys"),
        ({"total": 0}, "total is 0"),
        ({"steps": 0}, "steps is 0"),
        ({"domains": {"zone": {"a": "eu"}}}, "no 'zone' label of node 'b'"),
    ],
)
def test_wrong_values(options: dict[str, Any], words: str) -> None:
    with pytest.raises(RVHError, match=words):
        estimate_of(**options)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"sizes": "12"}, "sizes is '12'"),
        ({"sizes": ["1", "2"]}, "the size at position 0"),
        ({"domains": {"zone": ["eu", "us"]}}, "a mapping of ids to labels"),
        ({"domains": ["zone"]}, "a mapping of ids to labels"),
        ({"domains": {"zone": {"a": 1.5, "b": "eu"}}}, "a label is a str, bytes or int"),
    ],
)
def test_wrong_types(options: dict[str, Any], words: str) -> None:
    with pytest.raises(RVHTypeError, match=words):
        estimate_of(**options)


def test_neither_keys_nor_a_sample() -> None:
    with pytest.raises(RVHError, match="keys or sample="):
        Migration(NodeSet(["a"]), NodeSet(["b"])).estimate()


@pytest.mark.parametrize("bandwidth", [0, -1, math.inf, math.nan])
def test_no_bandwidth(bandwidth: float) -> None:
    with pytest.raises(RVHError, match="bandwidth is"):
        estimate_of(sizes=1).seconds(bandwidth)
    with pytest.raises(RVHTypeError, match="bandwidth is '1'"):
        estimate_of(sizes=1).seconds("1")  # type: ignore[arg-type]
    with pytest.raises(RVHError, match="no bytes"):
        estimate_of().seconds(1)


def test_a_batch_that_is_refused_is_not_counted() -> None:
    estimator = Estimator(Migration(NodeSet(["a"]), NodeSet(["b"])))
    estimator.add(["x"], [3])
    for keys, sizes in ((["y", None], [1, 1]), (["y"], [-1]), (["y"], None)):
        with pytest.raises(RVHError):
            estimator.add(keys, sizes)
    assert (estimator.estimate().keys, estimator.estimate().moved_bytes) == (1, 3)


def test_a_migration_that_has_begun_is_refused() -> None:
    with pytest.raises(RVHError, match="dead nodes"):
        Migration(NodeSet(["a", "b"]), NodeSet(["b", "c"]), dead=["a"]).estimate(KEYS)


def test_a_placement_without_ids_is_refused() -> None:
    class Nameless:
        def select_batch(self, keys: Any, k: int) -> list[list[str]]:
            return [["a"] for _ in keys]

    with pytest.raises(RVHTypeError, match="neither ids nor nodes"):
        Migration(Nameless(), NodeSet(["b"])).estimate(KEYS)
