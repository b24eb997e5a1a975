"""Slots by a hash modulo their number: against Python's own arithmetic, and bad input."""

from __future__ import annotations

import hashlib
import pickle
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rvh
from rvh.placements import HASHES, REDUCTIONS, Modulo, kafka
from rvh.ring import Migration

KEYS = [f"user:{n}" for n in range(500)] + ["", "é", "x" * 300]


def crc32(key: bytes) -> int:
    return zlib.crc32(key)


def md5(key: bytes) -> int:
    return int(hashlib.md5(key, usedforsecurity=False).hexdigest(), 16)


@pytest.mark.parametrize("count", [1, 2, 7, 1000, 65537])
@pytest.mark.parametrize(("name", "of"), [("crc32", crc32), ("md5", md5)])
def test_a_hash_modulo_as_people_write_it(
    name: str, of: Callable[[bytes], int], count: int
) -> None:
    shards = Modulo(count, name)
    want = [of(key.encode()) % count for key in KEYS]
    assert shards.slot_batch(KEYS).tolist() == want
    assert [shards.slot(key) for key in KEYS] == want
    assert shards.lookup_batch(KEYS)[:, 0].tolist() == list(map(str, want))


def reduced(value: int, bits: int, reduce: str, count: int) -> int:
    signed = value - 2**bits if value >= 2 ** (bits - 1) else value
    number = {
        "unsigned": value,
        "masked": value & (2 ** (bits - 1) - 1),
        "floor": signed,
        "absolute": abs(signed),
    }[reduce]
    return number % count


@given(
    keys=st.lists(st.binary(max_size=40), max_size=40),
    name=st.sampled_from(sorted(set(HASHES) - {"md5"})),
    reduce=st.sampled_from(sorted(REDUCTIONS)),
    count=st.integers(1, 500),
)
def test_many_keys_as_one(keys: list[bytes], name: str, reduce: str, count: int) -> None:
    shards = Modulo(count, name, reduce=reduce)
    assert shards.slot_batch(keys).tolist() == [shards.slot(key) for key in keys]


@pytest.mark.parametrize("reduce", REDUCTIONS)
def test_the_sign_of_a_hash(reduce: str) -> None:
    for name, of in (("crc32", crc32), ("ketama", lambda key: md5_start(key))):
        for count in (1, 3, 12, 2**20 + 7):
            shards = Modulo(count, name, reduce=reduce)
            want = [reduced(of(key.encode()), 32, reduce, count) for key in KEYS]
            assert shards.slot_batch(KEYS).tolist() == want
            assert [shards.slot(key) for key in KEYS] == want


def md5_start(key: bytes) -> int:
    return int.from_bytes(hashlib.md5(key, usedforsecurity=False).digest()[:4], "little")


def test_a_table_of_slots() -> None:
    nodes = ["b", "a", "b", "c", "a"]
    table = Modulo(nodes, "crc32")
    assert table.ids.tolist() == ["b", "a", "c"]
    assert table.owners.tolist() == [[0], [1], [0], [2], [1]]
    assert len(table) == 5
    want = [nodes[crc32(key.encode()) % 5] for key in KEYS]
    assert table.lookup_batch(KEYS)[:, 0].tolist() == want
    assert [table.lookup(key) for key in KEYS] == [[node] for node in want]
    assert table.ids[table.arglookup_batch(KEYS)][:, 0].tolist() == want


@pytest.mark.parametrize("make", [list, tuple, np.array])
def test_replicas_of_slots(make: Callable[[Any], Any]) -> None:
    rows = [["a", "b", "c"], ["b", "c", "d"], ["c", "a", "b"], ["d", "a", "c"]]
    table = Modulo(make(rows), "crc32")
    want = [rows[crc32(key.encode()) % 4] for key in KEYS]
    for k in (1, 2, 3):
        assert table.lookup_batch(KEYS, k).tolist() == [row[:k] for row in want]
        assert table.lookup(KEYS[0], k) == want[0][:k]
    with pytest.raises(rvh.RVHError, match="k is 4, but a slot has 3 nodes: choose 1 <= k <= 3"):
        table.lookup_batch(KEYS, 4)


def test_ids_of_bytes_and_mixed_ids() -> None:
    assert Modulo([b"a\0", b"b"], "crc32").lookup_batch(KEYS).dtype == object
    mixed = Modulo(["a", b"b", "a"], "crc32")
    assert mixed.ids.tolist() == ["a", b"b"]
    assert mixed.lookup_batch(KEYS).ravel().tolist() == [mixed.lookup(key)[0] for key in KEYS]


def test_many_keys_on_several_threads() -> None:
    many = 600_000 if rvh.backend() == "native" else 2_000
    keys = np.arange(many).astype("S8")
    for table in (kafka([["a", "b"], ["b", "a"], ["c", "a"]]), Modulo(["a", "b", "c"], "md5")):
        one = table.lookup_batch(keys, threads=1)
        assert (table.lookup_batch(keys, threads=2) == one).all()
        assert one[:50, 0].tolist() == [table.lookup(key)[0] for key in keys[:50].tolist()]


def test_every_kind_of_keys() -> None:
    pa = pytest.importorskip("pyarrow")
    table = kafka(97)
    want = table.slot_batch(KEYS).tolist()
    for keys in (
        tuple(KEYS),
        np.array(KEYS),
        [key.encode() for key in KEYS],
        pa.array(KEYS),
        pa.chunked_array([KEYS[:7], KEYS[7:]]),
        pa.array(KEYS).dictionary_encode(),
    ):
        assert table.slot_batch(keys).tolist() == want
    assert table.slot_batch([]).shape == (0,)
    assert table.lookup_batch([], 1).shape == (0, 1)


def test_integers_are_written_as_the_system_writes_them() -> None:
    numbers = [0, 1, -1, 2**31 - 1, -(2**31), 12345]
    for integers, order, size in (("int32_le", "little", 4), ("int64_be", "big", 8)):
        table = kafka(1000, integers=integers)  # type: ignore[arg-type]
        written = [n.to_bytes(size, order, signed=True) for n in numbers]  # type: ignore[arg-type]
        assert table.slot_batch(numbers).tolist() == table.slot_batch(written).tolist()
        assert table.slot_batch(np.array(numbers)).tolist() == table.slot_batch(written).tolist()
        assert [table.slot(n) for n in numbers] == table.slot_batch(written).tolist()
    with pytest.raises(rvh.RVHError, match="key at position 1 is the integer 2, and nothing says"):
        kafka(3).slot_batch(["a", 2])
    with pytest.raises(rvh.RVHError, match=r"outside -2\^31 to 2\^31-1, .* int32_le"):
        kafka(3, integers="int32_le").slot_batch([2**31])
    with pytest.raises(rvh.RVHTypeError, match="of type tuple"):
        kafka(3).slot(("a", 1))  # type: ignore[arg-type]


def test_equality_and_pickles() -> None:
    rows = [["a", "b"], ["b", "a"]]
    table = Modulo(rows, "crc32", reduce="floor", integers="text")
    arrived = pickle.loads(pickle.dumps(table))
    assert arrived == table
    assert hash(arrived) == hash(table)
    assert (arrived.hash, arrived.reduce, arrived.integers) == ("crc32", "floor", "text")
    assert arrived.lookup_batch(KEYS, 2).tolist() == table.lookup_batch(KEYS, 2).tolist()
    others = [
        Modulo(rows[::-1], "crc32", reduce="floor", integers="text"),
        Modulo(rows, "xxh64", reduce="floor", integers="text"),
        Modulo(rows, "crc32", integers="text"),
        table.with_integers("int64_be"),
        Modulo(["a", "b"], "crc32", reduce="floor", integers="text"),
    ]
    assert len({table.fingerprint, *(other.fingerprint for other in others)}) == 6
    assert all(table != other for other in others)
    assert table != "table"


def test_what_is_given_out_is_read_only() -> None:
    table = kafka(3)
    for array in (table.ids, table.owners):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = array[1]


@pytest.mark.parametrize(
    ("nodes", "match"),
    [
        ([], "there are no nodes"),
        (0, "nodes is 0: choose 1 <= nodes <= 16777216"),
        ("abc", "nodes is one str"),
        (["a", ""], "the node id of slot 1 is empty"),
        (["a", 1], "node id at position 1"),
        ([["a", "b"], ["b"]], "slot 1 has 1 nodes, and slot 0 has 2"),
        ([[], []], "slot 0 has 0 nodes"),
        ([["a"], "b"], "slot 1 is 'b', and another slot has a list of nodes"),
        ([["a", "b"], ["c", "c"]], r"slot 1 has a node twice: \['c', 'c'\]"),
        ({"a": 1}, "nodes is of type dict"),
    ],
)
def test_bad_slots(nodes: Any, match: str) -> None:
    with pytest.raises(rvh.RVHError, match=match):
        Modulo(nodes, "crc32")


def test_bad_options() -> None:
    with pytest.raises(rvh.RVHError, match="hash is 'sha1': choose one of ketama, md5, crc32"):
        Modulo(3, "sha1")
    with pytest.raises(rvh.RVHError, match="reduce is 'mod': choose one of unsigned, masked"):
        Modulo(3, "crc32", reduce="mod")
    with pytest.raises(rvh.RVHError, match="a hash of 128 bits has no sign"):
        Modulo(3, "md5", reduce="masked")
    with pytest.raises(rvh.RVHError, match="integers is 'be': choose one of"):
        Modulo(3, "crc32", integers="be")  # type: ignore[arg-type]


def test_the_way_off_a_modulo() -> None:
    old = kafka(["a", "b", "c"])
    new = rvh.NodeSet(["a", "b", "c", "d"])
    migration = Migration(old, new)
    before = migration.owners_batch(KEYS, 0)
    assert before.tolist() == old.lookup_batch(KEYS).tolist()
    assert migration.owners_batch(KEYS, 1).tolist() == new.select_batch(KEYS).tolist()
    moved = migration.moves(KEYS)
    assert moved.source.tolist() == before[moved.row, 0].tolist()
