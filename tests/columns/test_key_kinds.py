"""Every kind of keys that rvh.keys.KINDS promises to take: the same bytes, the same place."""

from __future__ import annotations

import hashlib
import random
import uuid
from array import array
from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import rvh
from rvh.keys import KINDS, Kind, column, composite
from rvh.multi import compose_keys
from rvh.stable import jump_batch, jump_hash

NODES = ["alpha", "beta", "gamma", "δelta"]
SET = rvh.NodeSet(NODES)

INTEGERS = ["i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"]
TEXTS = [
    "",
    "a",
    "txn-42",
    "0123456789abcdef",
    "é",
    "ßü",
    "€",
    "漢字",
    "😀",
    "a€😀é",
    "x\0y",
    "\x7f",
]
UUIDS = [0, 1, 0x1234567890ABCDEF << 64, 2**128 - 1]
BLOBS = [b"", b"a", b"\xff", b"\0a", b"a\0b", b"0123456789abcdef", b"\x80" * 30]


def check(keys: Any, plain: Sequence[object]) -> None:
    """`keys`, whatever it is, is placed as the Python values `plain` are by the reference."""
    expected = reference.rankings(NODES, plain)
    assert np.array_equal(SET.score_batch(keys), reference.scores(NODES, plain))
    assert np.array_equal(SET.argselect_batch(keys, k=len(NODES)), expected)
    assert np.array_equal(SET.argselect_batch(keys), expected[:, :1])


class Tagged(uuid.UUID):
    """Of another text, and of the same number."""

    def __str__(self) -> str:
        return f"<{self.hex}>"


# -- the table ----------------------------------------------------------------------------------


def objects(values: Sequence[object]) -> np.ndarray:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def both_orders(array: np.ndarray) -> list[np.ndarray]:
    return [array, array.astype(array.dtype.newbyteorder())]


LONG = [text * (n % 4 + 1) for n, text in enumerate([*TEXTS, "0123456789ab", "0123456789abc"])]


def sliced(keys: Any) -> list[Any]:
    """The same Arrow array, and as a slice that starts and ends within another one."""
    around = pa.concat_arrays([keys[:3], keys, keys[:2]])
    return [keys, around[3 : 3 + len(keys)]]


#: what the caller passes, in the words of KINDS -> arguments, each with its plain Python values
EXERCISED: dict[str, list[tuple[Any, Sequence[object]]]] = {
    "list, tuple or object array of str": [(make(TEXTS), TEXTS) for make in (list, tuple, objects)],
    "list, tuple or object array of bytes, bytearray, memoryview": [
        (make([kind(blob) for blob in BLOBS]), BLOBS)
        for make in (list, tuple, objects)
        for kind in (bytes, bytearray, memoryview)
    ],
    "list, tuple or object array of uuid.UUID": [
        (make([kind(int=n) for n in UUIDS]), [str(uuid.UUID(int=n)) for n in UUIDS])
        for make in (list, tuple, objects)
        for kind in (uuid.UUID, Tagged)
    ],
    "list, tuple or object array of int (any NumPy integer too)": [
        (make([kind(n) for n in (0, 1, 42, 127)]), (0, 1, 42, 127))
        for make in (list, tuple, objects)
        for kind in (int, *(np.dtype(code).type for code in INTEGERS))
    ],
    "NumPy S array": [(np.array(BLOBS), BLOBS)],
    "NumPy V array without fields": [
        (array, [bytes(each) for each in array])
        for array in (
            np.array([b"ab\0\0", b"\0\0\0\0", b"abcd"], "V4"),
            np.array([b"ab\0\0", b"\0\0\0\0", b"abcd"], "V4")[::-2],
            np.frombuffer(bytes(range(64)), "V16"),
            np.empty(3, "V0"),
        )
    ],
    "NumPy U array, either byte order": [(keys, TEXTS) for keys in both_orders(np.array(TEXTS))],
    "NumPy integer array, any width, sign and byte order": [
        (keys, list(range(100)))
        for code in INTEGERS
        for keys in both_orders(np.arange(100, dtype=code))
    ],
    "NumPy StringDType array": [
        (np.array(TEXTS, np.dtypes.StringDType()), TEXTS),
        (np.array(TEXTS, np.dtypes.StringDType())[::-2], TEXTS[::-2]),
    ],
    "array.array or memoryview of integers wider than a byte": [
        (memoryview(array(code, range(100))), range(100)) for code in "hHiIlLqQ"
    ]
    + [(array(code, range(100)), range(100)) for code in "bBhHiIlLqQ"],
    "Arrow integers": [
        (pa.array(range(100), pa.from_numpy_dtype(np.dtype(code))), range(100)) for code in INTEGERS
    ],
    "Arrow string, large_string, binary, large_binary": [
        (keys, TEXTS)
        for kind in (pa.string(), pa.large_string(), pa.binary(), pa.large_binary())
        for keys in sliced(pa.array(TEXTS, kind))
    ],
    "Arrow string_view, binary_view": [
        (keys, LONG)
        for kind in (pa.string_view(), pa.binary_view())
        for keys in sliced(pa.array(LONG, kind))
    ],
    "Arrow fixed_size_binary": [
        (pa.array([b"a\0", b"\0\0", b"xy"], pa.binary(2)), [b"a\0", b"\0\0", b"xy"]),
        (pa.array([b"", b""], pa.binary(0)), [b"", b""]),
    ],
    "Arrow extension type arrow.uuid": [
        (keys, [str(uuid.UUID(int=n)) for n in UUIDS])
        for keys in sliced(pa.array([uuid.UUID(int=n).bytes for n in UUIDS], pa.uuid()))
    ],
    "Arrow extension type arrow.json": [
        (keys, ['{"a": 1}', "[]", '"é"'])
        for kind in (pa.string(), pa.large_string())
        for keys in sliced(pa.array(['{"a": 1}', "[]", '"é"'], pa.json_(kind)))
    ],
    "Arrow dictionary": [
        (keys, TEXTS * 3) for keys in sliced(pa.array(TEXTS * 3).dictionary_encode())
    ],
    "Arrow run_end_encoded": [
        (keys, sorted(TEXTS * 3)) for keys in sliced(pc.run_end_encode(pa.array(sorted(TEXTS * 3))))
    ],
    "an Arrow stream of several chunks": [
        (pa.chunked_array([TEXTS[:3], [], TEXTS[3:]]), TEXTS),
        (pa.table({"key": pa.chunked_array([TEXTS[:3], TEXTS[3:]])}), TEXTS),
    ],
    "an Arrow struct or table of one column": [
        (make({"key": TEXTS}), TEXTS) for make in (pa.table, pa.record_batch)
    ]
    + [(pa.array([{"key": text} for text in TEXTS]), TEXTS)],
    "what rvh.multi.compose_keys returns": [
        (compose_keys(TEXTS, 7), [composite(text, 7) for text in TEXTS])
    ],
}


@pytest.mark.parametrize(("kind", "what", "how"), KINDS)
def test_every_row_of_the_table(kind: Kind, what: str, how: str) -> None:
    assert how
    for keys, plain in EXERCISED[what]:
        assert column(keys).kind is kind
        check(keys, plain)


def test_the_table_has_every_kind() -> None:
    assert {kind for kind, _, _ in KINDS} == set(Kind)
    assert {what for _, what, _ in KINDS} == set(EXERCISED)


# -- integers -----------------------------------------------------------------------------------


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("code", INTEGERS)
def test_limits_of_integers(code: str, order: str) -> None:
    limits = np.iinfo(code)
    values = [limits.min, limits.min + 1, 0, 1, limits.max - 1, limits.max]
    check(np.array(values, dtype=order + code), values)
    check([np.dtype(code).type(value) for value in values], values)
    check(objects([np.dtype(code).type(value) for value in values]), values)


@pytest.mark.parametrize("value", [0, 1, 42, 127])
def test_a_number_has_one_place_whatever_its_width(value: int) -> None:
    expected = SET.argselect_batch([value], k=4)
    for code in INTEGERS:
        for order in "<>":
            assert np.array_equal(SET.argselect_batch(np.array([value], order + code), 4), expected)


@pytest.mark.parametrize("code", ["i1", "i2", "i4", "i8"])
def test_a_negative_number_has_one_place_whatever_its_width(code: str) -> None:
    assert np.array_equal(SET.score_batch(np.array([-7], code)), SET.score_batch([-7]))


@given(st.lists(st.integers(-(2**63), 2**64 - 1), max_size=20))
def test_any_integers(values: list[int]) -> None:
    check(values, values)


@given(
    hnp.arrays(hnp.integer_dtypes(endianness="?") | hnp.unsigned_integer_dtypes(endianness="?"), 20)
)
def test_any_integer_array(keys: np.ndarray) -> None:
    check(keys, keys.tolist())


def test_a_range() -> None:
    check(range(-3, 20, 2), list(range(-3, 20, 2)))


# -- text and bytes -----------------------------------------------------------------------------


@given(st.lists(st.text(max_size=40), max_size=20))
def test_any_text(values: list[str]) -> None:
    check(values, values)
    array = np.array(values, dtype=np.str_)
    for keys in both_orders(array):
        check(keys, [value.rstrip("\0") for value in values])


@given(st.lists(st.binary(max_size=40), max_size=20))
def test_any_bytes(values: list[bytes]) -> None:
    check(values, values)
    check(np.array(values, dtype=np.bytes_), [value.rstrip(b"\0") for value in values])


@pytest.mark.parametrize("low", [0x7F, 0x7FF, 0xD7FF, 0xFFFF])
def test_borders_of_utf8(low: int) -> None:
    high = 0xE000 if low == 0xD7FF else low + 1
    values = [chr(low), chr(high), chr(low) + chr(high), chr(high) * 9]
    check(values, values)
    for keys in both_orders(np.array(values)):
        check(keys, values)


def test_the_last_code_point() -> None:
    check(["\U0010ffff"], ["\U0010ffff"])
    check(np.array(["\U0010ffff"]), ["\U0010ffff"])


def test_trailing_nuls_are_padding_in_arrays_and_count_in_lists() -> None:
    blobs, texts = [b"a\0\0", b"\0", b"\0b\0"], ["a\0\0", "\0", "\0b\0"]
    check(blobs, blobs)
    check(texts, texts)
    check(objects(texts), texts)
    check(np.array(blobs), [b"a", b"", b"\0b"])
    for keys in both_orders(np.array(texts)):
        check(keys, ["a", "", "\0b"])
    check(np.array([b"a", b""], dtype="S300"), [b"a", b""])
    check(np.array(["a", ""], dtype="U300"), ["a", ""])


@pytest.mark.parametrize("size", [1, 7, 8, 9, 15, 16, 17, 64, 128, 129, 1024, 1025, 5000])
def test_arrays_of_every_width(size: int) -> None:
    rng = random.Random(size)
    lengths = [0, 1, size // 2, size - 1, size]
    blobs = [rng.randbytes(length).replace(b"\0", b"x") for length in lengths]
    check(np.array(blobs, dtype=f"S{size}"), blobs)
    texts = ["".join(rng.choices("aé€😀", k=length)) for length in lengths]
    for keys in both_orders(np.array(texts, dtype=f"U{size}")):
        check(keys, texts)


def test_arrays_wider_than_the_memory_for_one_batch_of_them() -> None:
    texts = ["a" * 300_000, "", "€" * 300_000]
    check(np.array(texts), texts)


@pytest.mark.parametrize("code", ["S0", "U0"])
def test_arrays_without_width(code: str) -> None:
    keys = np.zeros(20, dtype=[("empty", code), ("n", "i4")])["empty"]
    assert keys.dtype.itemsize == 0
    check(keys, [""] * 20)


# -- where the elements stand -------------------------------------------------------------------


ARRAYS = {
    "S": np.array([b"key-%d" % n for n in range(60)]),
    "U": np.array([f"schlüssel-{n}" for n in range(60)]),
    "swapped U": np.array([f"key-{n}" for n in range(60)]).astype(">U8"),
    "integers": np.arange(60, dtype="i4") - 30,
    "swapped integers": np.arange(60, dtype=">u2"),
    "objects": objects([f"key-{n}" if n % 2 else n for n in range(60)]),
}


def unaligned(array: np.ndarray) -> np.ndarray:
    """The field of a packed record: neither aligned nor contiguous."""
    record = np.zeros(len(array), dtype=[("tag", "u1"), ("key", array.dtype), ("more", "u1")])
    record["key"] = array
    return record["key"]


def read_only(array: np.ndarray) -> np.ndarray:
    array = array.copy()
    array.flags.writeable = False
    return array


VIEWS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "every third": lambda array: array[::3],
    "reversed": lambda array: array[::-1],
    "every second, reversed": lambda array: array[-2::-2],
    "a part": lambda array: array[7:31],
    "empty": lambda array: array[:0],
    "one": lambda array: array[5:6],
    "one repeated": lambda array: np.broadcast_to(array[3:4], 40),
    "column of a table": lambda array: array.reshape(-1, 4)[:, 1],
    "unaligned": unaligned,
    "read-only": read_only,
    "a subclass": lambda array: array.view(np.recarray) if array.dtype.kind != "O" else array,
}


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("name", ARRAYS)
def test_views(name: str, view: str) -> None:
    keys = VIEWS[view](ARRAYS[name])
    check(keys, keys.tolist())


@pytest.mark.parametrize("name", ARRAYS)
def test_nothing_is_written_to_the_keys(name: str) -> None:
    keys = ARRAYS[name].copy()
    SET.argselect_batch(keys)
    assert np.array_equal(keys, ARRAYS[name])


def test_lists_longer_than_the_chunks_they_are_read_in() -> None:
    keys: list[object] = [f"é{n}" if n % 3 else n for n in range(9000)]
    check(keys, keys)


def test_large_keys_beside_small_ones() -> None:
    # More bytes than are turned into a buffer at a time.
    keys = [b"x" * 3_000_000, "a", b"y" * 3_000_000, "b", 7]
    check(keys, keys)


# -- other elements and containers --------------------------------------------------------------


class Text(str):
    """A str of the caller's own."""


class Number(int):
    """An int of the caller's own."""


class Level(IntEnum):
    LOW = 1
    HIGH = 2**40


def test_subclasses_are_what_they_extend() -> None:
    check([Text("é"), Number(-3), Level.HIGH, Level.LOW], ["é", -3, 2**40, 1])
    check([np.str_("é"), np.bytes_(b"b"), np.int64(-3)], ["é", b"b", -3])
    for key, plain in [(Text("é"), "é"), (Number(-3), -3), (Level.HIGH, 2**40)]:
        assert SET.select(key, 4) == SET.select(plain, 4)


def test_memoryviews_of_one_dimension_are_their_bytes() -> None:
    words = np.arange(6, dtype="<u2")
    check([memoryview(words), memoryview(words)[::2]], [words.tobytes(), words[::2].tobytes()])
    check([memoryview(b"ab").cast("c"), memoryview(b"abcd")[::-1]], [b"ab", b"dcba"])


def test_void_scalars_are_their_bytes() -> None:
    digests = np.array([b"ab\0\0", b"\0\0\0\0"], "V4")
    check(list(digests), [b"ab\0\0", b"\0\0\0\0"])
    assert SET.select(digests[0]) == SET.select(b"ab\0\0")
    assert jump_hash(digests[0], 99) == jump_hash(b"ab\0\0", 99)
    assert np.array_equal(jump_batch(digests, 99), jump_batch(list(digests), 99))
    keys = compose_keys(digests, 7, digests[0])
    check(keys, [composite(bytes(each), 7, b"ab\0\0") for each in digests])


def test_digests_as_node_ids() -> None:
    digests = [hashlib.sha256(bytes([n])).digest() for n in range(5)]
    digests[2] = digests[2][:-1] + b"\0"
    nodes = rvh.NodeSet(np.array(digests, "V32"))
    assert list(nodes) == digests
    assert nodes == rvh.NodeSet(digests)


# -- UUIDs --------------------------------------------------------------------------------------

uuids = st.lists(st.uuids(), max_size=8)


@given(uuids)
def test_a_uuid_is_its_text(keys: list[uuid.UUID]) -> None:
    texts = [str(key) for key in keys]
    check(keys, texts)
    check(objects(keys), texts)
    check(pa.array([key.bytes for key in keys], pa.uuid()), texts)
    assert [SET.select(key, 4) for key in keys] == [SET.select(text, 4) for text in texts]
    words = [Tagged(int=key.int) for key in keys]
    assert np.array_equal(jump_batch(words, 99), jump_batch(texts, 99))
    parts = [composite(text, 1, str(uuid.UUID(int=7))) for text in texts]
    for each in (keys, pa.array([key.bytes for key in keys], pa.uuid())):
        check(compose_keys(each, 1, uuid.UUID(int=7)), parts)


def test_uuids_as_node_ids_and_labels() -> None:
    keys = [uuid.UUID(int=n << 64) for n in range(1, 5)]
    texts = [str(key) for key in keys]
    column = pa.array([key.bytes for key in keys], pa.uuid())
    expected = rvh.NodeSet(texts, domains={"rack": texts})
    for ids in (keys, column, objects(keys)):
        nodes = rvh.NodeSet(ids, domains={"rack": ids})
        assert list(nodes) == texts
        assert nodes == expected
        assert nodes.domains == expected.domains
    assert rvh.NodeSet(keys).ids.dtype == np.dtype("U36")
    assert list(expected.remove(keys[0])) == texts[1:]


def test_kinds_mixed_in_one_list() -> None:
    plain = ["42", 42, b"42", -42, "é", b"\0"]
    check(["42", np.uint16(42), bytearray(b"42"), -42, np.str_("é"), memoryview(b"\0")], plain)


def test_an_object_with_an_array_of_its_own() -> None:
    class Series:
        def __array__(self, dtype: object = None, copy: object = None) -> np.ndarray:
            return np.array(["a", "b"])

    check(Series(), ["a", "b"])


@pytest.mark.parametrize(
    "keys",
    [
        [],
        (),
        range(0),
        np.array([], dtype="S4"),
        np.array([], dtype="U4"),
        np.array([], dtype="i8"),
        np.array([], dtype=object),
    ],
    ids=repr,
)
def test_no_keys(keys: Any) -> None:
    assert SET.argselect_batch(keys, k=2).shape == (0, 2)
    assert SET.select_batch(keys, k=2).shape == (0, 2)
    assert SET.score_batch(keys).shape == (0, 4, 2)
