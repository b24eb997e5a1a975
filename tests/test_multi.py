"""Keys of several columns, and several columns of keys, against the contract written down again."""

from __future__ import annotations

import pickle
import random
import re
import struct
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st
from interrupting import interrupted, needs_sigint
from sizes import keys_of_a_test
from subprocesses import output

import rvh
from rvh import RVHError, RVHTypeError
from rvh._backend import pure as _pure
from rvh.keys import KeyColumn, Kind, Spans, composite
from rvh.multi import compose_keys, score_columns, select_columns, select_multi

NODES = ["alpha", "beta", "gamma", "δelta"]
SET = rvh.NodeSet(NODES)


def contract(row: Sequence[Any]) -> bytes:
    """The composite key of one row, from the words of the placement contract."""
    key = b""
    for part in row:
        if isinstance(part, int):
            key += struct.pack("<q" if part < 0 else "<Q", part)
        else:
            data = part.encode() if isinstance(part, str) else bytes(part)
            key += struct.pack("<I", len(data)) + data
    return key


def check(keys: KeyColumn, rows: Sequence[Sequence[Any]]) -> None:
    """`keys` are the composite keys of these rows of plain values."""
    expected = [contract(row) for row in rows]
    assert len(keys) == len(expected)
    assert list(keys.iter_bytes()) == expected


def objects(values: Sequence[object]) -> np.ndarray:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


# -- every kind of part beside every other ------------------------------------------------------

N = 60
TEXTS = [("é" * (n % 7) + "key€😀"[: n % 6]) for n in range(N)]
BLOBS = [bytes(range(1, 1 + n % 11)) for n in range(N)]
MIXED: list[Any] = [(n, f"t{n}", b"12345678", -n, "é")[n % 5] for n in range(N)]
NUMBERS = [(-1) ** n * 3**n % 2**63 for n in range(N)]
SMALL = [n - 30 for n in range(N)]


def unaligned(array: np.ndarray) -> np.ndarray:
    """The field of a packed record: neither aligned nor contiguous."""
    record = np.zeros(len(array), dtype=[("tag", "u1"), ("key", array.dtype), ("more", "u1")])
    record["key"] = array
    return record["key"]


#: what a part can be -> its column, and the plain values that it stands for
PARTS: dict[str, tuple[Any, Sequence[Any]]] = {
    "list of str": (TEXTS, TEXTS),
    "tuple of bytes": (tuple(BLOBS), BLOBS),
    "list of bytearray": ([bytearray(blob) for blob in BLOBS], BLOBS),
    "list of memoryview": ([memoryview(blob) for blob in BLOBS], BLOBS),
    "list of int": (NUMBERS, NUMBERS),
    "list of NumPy integers": ([np.int16(n) for n in SMALL], SMALL),
    "range": (range(N), range(N)),
    "mixed objects": (objects(MIXED), MIXED),
    "S": (np.array(BLOBS), BLOBS),
    "U": (np.array(TEXTS), TEXTS),
    "swapped U": (np.array(TEXTS).astype(np.array(TEXTS).dtype.newbyteorder()), TEXTS),
    "i1": (np.array(SMALL, "i1"), SMALL),
    ">i2": (np.array(SMALL, ">i2"), SMALL),
    "<i4": (np.array(SMALL, "<i4"), SMALL),
    ">i8": (np.array(NUMBERS, ">i8"), NUMBERS),
    "u8": (np.array([n + 2**63 for n in NUMBERS], "u8"), [n + 2**63 for n in NUMBERS]),
    "every third": (np.repeat(np.array(SMALL), 3)[::3], SMALL),
    "reversed": (np.array(TEXTS)[::-1], TEXTS[::-1]),
    "one repeated": (np.broadcast_to(np.array([b"abc"]), N), [b"abc"] * N),
    "unaligned": (unaligned(np.array(NUMBERS)), NUMBERS),
    "composed": (compose_keys(TEXTS, 1), [contract((text, 1)) for text in TEXTS]),
    "one str": ("é", ["é"] * N),
    "one bytes": (b"a\0\0", [b"a\0\0"] * N),
    "one int": (-7, [-7] * N),
    "one NumPy integer": (np.uint64(2**64 - 1), [2**64 - 1] * N),
    "one NumPy str": (np.str_("ü"), ["ü"] * N),
}
SINGLE = {name for name in PARTS if name.startswith("one ") and name != "one repeated"}


@pytest.mark.parametrize("second", PARTS)
@pytest.mark.parametrize("first", PARTS)
def test_every_kind_beside_every_other(first: str, second: str) -> None:
    if {first, second} <= SINGLE:
        with pytest.raises(RVHError, match="every part is a single value"):
            compose_keys(PARTS[first][0], PARTS[second][0])
        return
    (a, plain_a), (b, plain_b) = PARTS[first], PARTS[second]
    check(compose_keys(a, b), list(zip(plain_a, plain_b, strict=True)))


@pytest.mark.parametrize("name", sorted(set(PARTS) - SINGLE))
def test_one_part(name: str) -> None:
    part, plain = PARTS[name]
    check(compose_keys(part), [(value,) for value in plain])


def test_all_parts_at_once_and_many_times() -> None:
    columns, plain = zip(*PARTS.values(), strict=True)
    check(compose_keys(*columns * 5), list(zip(*plain * 5, strict=True)))


@pytest.mark.parametrize("name", sorted(set(PARTS) - SINGLE))
def test_no_rows(name: str) -> None:
    if name == "composed":
        part: Any = compose_keys([], 1)
    else:
        part = PARTS[name][0][:0]
    keys = compose_keys(part, "constant", [])
    assert len(keys) == 0
    assert SET.select_batch(keys, 2).shape == (0, 2)
    assert pickle.loads(pickle.dumps(keys)).values.data.size == 0


def test_trailing_nuls_are_padding_in_arrays_and_count_in_objects() -> None:
    blobs, texts = [b"a\0\0", b"\0", b"\0b\0"], ["a\0\0", "\0", "\0b\0"]
    rows = list(zip(blobs, texts, strict=True))
    check(compose_keys(blobs, texts), rows)
    check(compose_keys(objects(blobs), objects(texts)), rows)
    stripped = [(blob.rstrip(b"\0"), text.rstrip("\0")) for blob, text in rows]
    check(compose_keys(np.array(blobs), np.array(texts)), stripped)


def test_subclasses_are_what_they_extend() -> None:
    class Text(str):
        pass

    class Number(int):
        pass

    check(compose_keys([Text("é"), Number(-3)], Number(2)), [("é", 2), (-3, 2)])
    check(compose_keys([np.str_("é"), np.int64(-3), np.bytes_(b"b")]), [("é",), (-3,), (b"b",)])


PLAIN = {
    "text": st.text(max_size=20),
    "bytes": st.binary(max_size=20),
    "int": st.integers(-(2**63), 2**64 - 1),
}
ANY = st.one_of(*PLAIN.values())


def as_array(values: list[Any]) -> tuple[Any, list[Any]]:
    """One kind of values as an array, and what NumPy makes of them."""
    if all(isinstance(value, int) for value in values):
        fits = all(-(2**63) <= value < 2**63 for value in values)
        array = np.array(
            [value if fits else value % 2**64 for value in values], "i8" if fits else "u8"
        )
    else:
        array = np.array(values, np.str_ if isinstance(values[0], str) else np.bytes_)
    return array.astype(array.dtype.newbyteorder()), array.tolist()


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[Any], list[tuple[Any, ...]]]:
    """Columns of any kinds, and their rows as plain values."""
    rows = draw(st.integers(1, 12))
    columns: list[Any] = []
    plain: list[list[Any]] = []
    for number in range(draw(st.integers(1, 5))):
        kind = draw(st.sampled_from(["mixed", "single", *PLAIN]))
        if kind == "single" and number > 0:
            value = draw(ANY)
            columns.append(value)
            plain.append([value] * rows)
            continue
        values = draw(st.lists(PLAIN.get(kind, ANY), min_size=rows, max_size=rows))
        column: Any = values
        if kind in PLAIN and draw(st.booleans()):
            column, values = as_array(values)
        columns.append(column)
        plain.append(values)
    return columns, list(zip(*plain, strict=True))


@given(tables())
def test_any_table(table: tuple[list[Any], list[tuple[Any, ...]]]) -> None:
    columns, rows = table
    keys = compose_keys(*columns)
    check(keys, rows)
    assert list(keys.iter_bytes()) == [composite(*row) for row in rows]
    expected = reference.rankings(NODES, [contract(row) for row in rows])
    assert np.array_equal(SET.argselect_batch(keys, k=4), expected)


def test_rows_across_blocks_and_chunks() -> None:
    rng = random.Random(3)
    count = 10_000
    texts = ["é" * rng.randrange(9) + str(n) for n in range(count)]
    blobs = [rng.randbytes(rng.randrange(40)).replace(b"\0", b"0") for _ in range(count)]
    numbers = [rng.getrandbits(63) for _ in range(count)]
    rows = list(zip(texts, numbers, blobs, strict=True))
    check(compose_keys(texts, numbers, blobs), rows)
    check(compose_keys(np.array(texts), np.array(numbers), np.array(blobs)), rows)
    check(compose_keys(texts, np.array(numbers), np.array(blobs)), rows)


def test_large_parts_beside_small_ones() -> None:
    # More bytes than are turned into a buffer at a time.
    blobs = [b"x" * 3_000_000, b"a", b"y" * 3_000_000, b"", b"z"]
    check(
        compose_keys(blobs, range(5), np.arange(5)),
        list(zip(blobs, range(5), range(5), strict=True)),
    )
    wide = np.array(["€" * 300_000, "", "a"])
    check(compose_keys(wide, ["b"] * 3), [(text, "b") for text in wide.tolist()])


# -- what it gives ------------------------------------------------------------------------------


def test_a_million_integers_are_the_bytes_of_their_rows() -> None:
    count = keys_of_a_test(1_000_000, 20_000)
    rng = np.random.default_rng(5)
    table = rng.integers(-(2**63), 2**63, (count, 3), dtype="<i8")
    keys = compose_keys(*table.T)
    assert keys.values.data.tobytes() == table.tobytes()
    assert np.array_equal(keys.values.offsets, np.arange(count + 1, dtype=np.uint64) * 24)
    few = slice(0, count // 20)
    table[:, 2] |= 1 << 56  # so that no key ends in a NUL, which NumPy would take for padding
    ready = np.ascontiguousarray(table[few]).view("S24").ravel()
    assert np.array_equal(
        SET.argselect_batch(compose_keys(*table[few].T)), SET.argselect_batch(ready)
    )


@pytest.mark.parametrize("threads", [None, 1, 2, 3])
def test_every_call_that_takes_keys(threads: int | None) -> None:
    numbers, texts = np.arange(40_000) % 500, [f"é{n % 7}" for n in range(40_000)]
    keys = compose_keys(numbers, texts)
    plain = [contract(row) for row in zip(numbers.tolist(), texts, strict=True)]
    distinct = sorted(set(plain))
    place = {key: row for row, key in enumerate(distinct)}
    rows = np.array([place[key] for key in plain])
    expected = reference.rankings(NODES, distinct)[rows][:, :2]
    assert np.array_equal(SET.argselect_batch(keys, 2, threads=threads), expected)
    assert np.array_equal(SET.select_batch(keys, 2, threads=threads), SET.ids[expected])
    assert np.array_equal(rvh.argselect_batch(NODES, keys, 2, threads=threads), expected)
    few = compose_keys(numbers[:100], texts[:100])
    assert np.array_equal(
        SET.score_batch(few, threads=threads), reference.scores(NODES, plain[:100])
    )


def test_the_column_behaves() -> None:
    keys = compose_keys([1, 2, 3], "é")
    assert isinstance(keys, KeyColumn)
    assert keys.kind is Kind.SPANS
    assert isinstance(keys.values, Spans)
    assert repr(keys) == "KeyColumn(SPANS, 3 keys)"
    expected = [contract((n, "é")) for n in (1, 2, 3)]
    assert keys.slice(1, 3) == expected[1:]
    assert keys.bytes_at(2) == expected[2]
    assert list(keys.iter_bytes(1, 2)) == expected[1:2]
    copy = pickle.loads(pickle.dumps(keys))
    assert list(copy.iter_bytes()) == expected
    for column in (keys, copy):
        for array in (column.values.data, column.values.offsets):
            with pytest.raises(ValueError, match="read-only"):
                array[0] = 1


def test_the_columns_may_be_written_to_afterwards() -> None:
    numbers = np.arange(1000)
    keys = compose_keys(numbers, "a")
    numbers[:] = 0
    assert keys.bytes_at(999) == contract((999, "a"))
    data = keys.values.data
    del keys
    assert data[8:12].tobytes() == b"\1\0\0\0"


def test_composite_keys_are_no_node_ids() -> None:
    with pytest.raises(RVHTypeError, match="nodes is a column of composite keys"):
        rvh.NodeSet(compose_keys(["a"]))


# -- bad input ----------------------------------------------------------------------------------


def compose(*columns: Any) -> Callable[[], object]:
    return lambda: compose_keys(*columns)


def late(value: object) -> list[object]:
    return ["a"] * 5000 + [value, None]


#: a name, the call, the class, what the message names in this order
CASES: list[tuple[str, Callable[[], object], type[RVHError], list[str]]] = [
    ("no part", compose(), RVHError, ["at least one part"]),
    ("one value", compose("a"), RVHError, ["single value", "list", "composite"]),
    ("values only", compose("a", 1, b"b"), RVHError, ["single value", "list", "composite"]),
    ("lengths", compose([1], "a", [1, 2]), RVHError, ["[0] has 1", "[2] has 2", "each row"]),
    ("no rows and some", compose([], np.arange(3)), RVHError, ["[0] has 0", "[1] has 3"]),
    (
        "many lengths",
        compose(*[[0] * n for n in range(300)]),
        RVHError,
        ["[0] has 0", "[7] has 7, ..."],
    ),
    ("None", compose([1, 2], ["a", None]), RVHTypeError, ["[1] at position 1", "NoneType", "fill"]),
    ("float", compose(["a", 1.5], [1, 2]), RVHTypeError, ["[0] at position 1", "float (1.5)"]),
    ("bool", compose([1], [True]), RVHTypeError, ["[1] at position 0", "bool (True)"]),
    ("list", compose([1], [["a"]]), RVHTypeError, ["[1] at position 0", "list"]),
    ("surrogate", compose([1, 2], "x", ["a", "\ud800"]), RVHError, ["[2] at position 1", "U+D800"]),
    (
        "surrogate in U",
        compose([1, 2], np.array(["a", "\udfff"])),
        RVHError,
        ["[1] at position 1", "DFFF"],
    ),
    ("too large", compose([1], [2**64]), RVHError, ["[1] at position 0", "outside"]),
    ("too small", compose([-(2**63) - 1], [1]), RVHError, ["[0] at position 0", "outside"]),
    ("late", compose(np.arange(5002), late(1.5)), RVHTypeError, ["[1] at position 5000", "float"]),
    (
        "late, large",
        compose([b"x" * 9999] * 5002, late(1.5)),
        RVHTypeError,
        ["[1] at position 5000"],
    ),
    ("late in U", compose(np.array(late("\ud800")[:-1]), 1), RVHError, ["[0] at position 5000"]),
    ("first row", compose([1, 2, None], [1, None, 2]), RVHTypeError, ["[1] at position 1"]),
    ("first part", compose([1, None], [1, None]), RVHTypeError, ["[0] at position 1"]),
    (
        "first row, U",
        compose(np.array(["a", "b", "\ud800"]), np.array(["a", "\ud801", ""])),
        RVHError,
        ["[1] at position 1", "D801"],
    ),
    (
        "first part, U",
        compose(np.array(["a", "\ud800"]), np.array(["a", "\ud801"])),
        RVHError,
        ["[0] at position 1", "D800"],
    ),
    (
        "objects before U",
        compose(np.array(["a", "\ud800"]), [None, 1]),
        RVHTypeError,
        ["[1] at position 0"],
    ),
    (
        "U before objects",
        compose([1, None], np.array(["\ud800", "a"])),
        RVHError,
        ["[1] at position 0", "D800"],
    ),
    ("one None", compose([1], None), RVHTypeError, ["single value columns[1]", "NoneType", "fill"]),
    ("one float", compose(1.5, [1]), RVHTypeError, ["single value columns[0]", "float (1.5)"]),
    (
        "one NumPy float",
        compose([1], np.float64(2)),
        RVHTypeError,
        ["single value columns[1]", "float64"],
    ),
    ("one bool", compose([1], True), RVHTypeError, ["single value columns[1]", "bool"]),
    (
        "one span",
        compose([1], np.timedelta64(1, "s")),
        RVHTypeError,
        ["single value", "timedelta64"],
    ),
    ("one surrogate", compose("\ud800", [1]), RVHError, ["single value columns[0]", "U+D800"]),
    ("one too large", compose([1], 2**64), RVHError, ["single value columns[1]", "outside"]),
    (
        "2-D",
        compose([1], np.ones((2, 2), int)),
        RVHError,
        ["columns[1]", "(2, 2)", "one dimension"],
    ),
    ("0-D", compose([1], np.array(5)), RVHError, ["columns[1]", "()", "one dimension"]),
    ("floats", compose([1], np.ones(1)), RVHTypeError, ["columns[1]", "float64", "astype"]),
    ("dates", compose(np.array([1], "M8[s]")), RVHTypeError, ["columns[0]", "datetime64"]),
    (
        "masked",
        compose(np.ma.array([1, 2], mask=[0, 1])),
        RVHTypeError,
        ["columns[0]", "position 1"],
    ),
    (
        "generator",
        compose([1], (c for c in "a")),
        RVHTypeError,
        ["columns[1]", "generator", "list"],
    ),
    ("set", compose({"a"}), RVHTypeError, ["columns[0]", "set", "list"]),
    ("dict", compose({"a": [1]}), RVHTypeError, ["columns[0]", "dict", "list"]),
    (
        "multi: a table",
        lambda: select_multi(NODES, np.ones((2, 2), int)),
        RVHTypeError,
        ["columns", "ndarray", "tuple(table.T)"],
    ),
    (
        "multi: a dict",
        lambda: select_multi(NODES, {"a": [1]}),
        RVHTypeError,
        ["columns", "dict", "tuple"],
    ),
    (
        "multi: one str",
        lambda: select_multi(NODES, "ab"),
        RVHTypeError,
        ["columns", "str", "tuple"],
    ),
    ("multi: no part", lambda: select_multi(NODES, ()), RVHError, ["at least one part"]),
    (
        "multi: a bad part",
        lambda: select_multi(NODES, ([1], [None])),
        RVHTypeError,
        ["[1] at position 0"],
    ),
    ("multi: k", lambda: select_multi(NODES, ([1], [2]), 5), RVHError, ["k is 5", "1 <= k <= 4"]),
    ("multi: nodes", lambda: select_multi([], ([1], [2])), RVHError, ["no nodes"]),
    (
        "multi: twice",
        lambda: select_multi(SET, ([1],), secret=b"s"),
        RVHError,
        ["secret", "NodeSet"],
    ),
    (
        "columns: a str",
        lambda: select_columns(NODES, "ab"),
        RVHTypeError,
        ["columns", "str", "dict"],
    ),
    (
        "columns: an array",
        lambda: select_columns(NODES, np.arange(3)),
        RVHTypeError,
        ["columns", "ndarray"],
    ),
    (
        "columns: one key",
        lambda: select_columns(NODES, ["ab"]),
        RVHTypeError,
        ["columns[0]", "'ab'"],
    ),
    (
        "columns: floats",
        lambda: select_columns(NODES, {"x": np.ones(1)}),
        RVHTypeError,
        ["columns['x']", "float64"],
    ),
    (
        "columns: a key",
        lambda: select_columns(NODES, {"x": [1], "y": ["a", None]}),
        RVHTypeError,
        ["columns['y'] at position 1", "None"],
    ),
    (
        "columns: a key of U",
        lambda: select_columns(NODES, [[1], np.array(["\ud800"])]),
        RVHError,
        ["columns[1] at position 0", "U+D800"],
    ),
    (
        "a memoryview of numbers",
        lambda: compose_keys(["a", "b"], memoryview(np.array([1, 2]))),
        RVHTypeError,
        ["columns[1] is a memoryview of numbers", "numpy.asarray(columns[1])", "view.tobytes()"],
    ),
    ("columns: k", lambda: select_columns(NODES, [[1]], 0), RVHError, ["k is 0"]),
    ("columns: twice", lambda: score_columns(SET, [[1]], scheme="blake2b"), RVHError, ["scheme"]),
    (
        "scores: a key",
        lambda: score_columns(NODES, {"x": [True]}),
        RVHTypeError,
        ["columns['x'] at position 0", "bool"],
    ),
]


@pytest.mark.parametrize(
    ("call", "kind", "named"), [pytest.param(*case[1:], id=case[0]) for case in CASES]
)
def test_error(call: Callable[[], object], kind: type[RVHError], named: list[str]) -> None:
    with pytest.raises(RVHError) as caught:
        call()
    assert type(caught.value) is kind
    message = str(caught.value)
    assert re.search(".*".join(map(re.escape, named)), message, re.DOTALL), message
    assert len(message) < 400
    assert "\n" not in message


def test_names_of_cases_are_unique() -> None:
    assert len({name for name, *_ in CASES}) == len(CASES)


def test_a_part_with_more_bytes_than_its_length_can_say() -> None:
    try:
        blob = bytes(2**32)  # zeros that nobody has touched need no memory
    except MemoryError:
        pytest.skip("this system does not promise 4 GiB")
    if rvh.backend() == "native":
        with pytest.raises(RVHError, match=r"columns\[1\] at position 0 has 4294967296 bytes"):
            compose_keys([1], [blob])
    with pytest.raises(RVHError, match=r"single value columns\[1\] has 4294967296 bytes"):
        compose_keys([1], blob)
    with pytest.raises(RVHError, match="part at position 0 has 4294967296 bytes"):
        composite(blob)


# -- the other backend --------------------------------------------------------------------------


def both(native: ModuleType, monkeypatch: pytest.MonkeyPatch, call: Callable[[], Any]) -> list[Any]:
    """What a call gives or raises over each backend's composition."""
    answers: list[Any] = []
    for module in (native, _pure):
        monkeypatch.setattr("rvh.multi.compose", module.compose)
        try:
            keys = call()
            answers.append((keys.values.data.tobytes(), keys.values.offsets.tolist()))
        except RVHError as error:
            answers.append((type(error), str(error)))
    return answers


@pytest.mark.parametrize("name", PARTS)
def test_same_answers(native: ModuleType, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    fast, slow = both(native, monkeypatch, compose(PARTS[name][0], TEXTS, 7, np.array(NUMBERS)))
    assert fast == slow


COMPOSE_CASES = [(name, call) for name, call, *_ in CASES if ":" not in name]


@pytest.mark.parametrize(
    "call", [pytest.param(call, id=name) for name, call in COMPOSE_CASES if name != "generator"]
)
def test_same_errors(
    native: ModuleType, monkeypatch: pytest.MonkeyPatch, call: Callable[[], Any]
) -> None:
    fast, slow = both(native, monkeypatch, call)
    assert fast == slow
    assert issubclass(fast[0], RVHError)


def test_same_errors_about_text_that_is_none(
    native: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = np.array(["a", "b", "c"]).view(np.uint32).copy()
    words[1] = 0x110000
    call = compose(words.view("U1"), np.array(["a", "b", "\ud800"]))
    fast, slow = both(native, monkeypatch, call)
    assert fast == slow
    assert "columns[0] at position 1 holds a code point above U+10FFFF" in fast[1]


# -- several columns of keys --------------------------------------------------------------------


@pytest.mark.parametrize("nodes", [NODES, SET], ids=["ids", "NodeSet"])
def test_select_multi(nodes: Any) -> None:
    shard, tx, epoch = np.arange(100) % 3, np.arange(100) * 10**9, [f"e{n}" for n in range(100)]
    plain = [contract(row) for row in zip(shard.tolist(), tx.tolist(), epoch, strict=True)]
    expected = SET.ids[reference.rankings(NODES, plain)]
    for columns in ((shard, tx, epoch), [shard, tx, epoch]):
        answer = select_multi(nodes, columns, 4, threads=2)
        assert answer.dtype == SET.ids.dtype
        assert np.array_equal(answer, expected)
    assert np.array_equal(select_multi(nodes, (shard, tx, epoch)), expected[:, :1])


def test_select_multi_takes_a_secret() -> None:
    expected = reference.ranking(NODES, contract((1, "a")), b"secret")[:2]
    got = select_multi(NODES, ([1], "a"), 2, secret=b"secret", scheme="blake2b")
    assert got.tolist() == [[NODES[n] for n in expected]]


COLUMNS: dict[str, Any] = {
    "texts": TEXTS,
    "numbers": np.array(NUMBERS, ">i8"),
    "none": [],
    "composed": compose_keys(np.arange(5), "a"),
}


@pytest.mark.parametrize("nodes", [NODES, SET], ids=["ids", "NodeSet"])
def test_columns_by_name(nodes: Any) -> None:
    chosen = select_columns(nodes, COLUMNS, 2, threads=2)
    scores = score_columns(nodes, COLUMNS, threads=2)
    assert list(chosen) == list(scores) == list(COLUMNS)
    for name, keys in COLUMNS.items():
        assert np.array_equal(chosen[name], SET.select_batch(keys, 2))
        assert np.array_equal(scores[name], SET.score_batch(keys))


@pytest.mark.parametrize("make", [list, tuple])
def test_columns_in_order(make: Callable[[Any], Any]) -> None:
    columns = make(COLUMNS.values())
    chosen = select_columns(NODES, columns, secret=b"s")
    scores = score_columns(NODES, columns, secret=b"s")
    assert isinstance(chosen, list)
    assert isinstance(scores, list)
    keyed = rvh.NodeSet(NODES, secret=b"s")
    for keys, ids, words in zip(columns, chosen, scores, strict=True):
        assert np.array_equal(ids, keyed.select_batch(keys))
        assert np.array_equal(words, keyed.score_batch(keys))


def test_names_of_any_type_and_no_columns() -> None:
    assert list(select_columns(NODES, {3: ["a"], ("x", 1): ["b"]})) == [3, ("x", 1)]
    with pytest.raises(RVHTypeError, match=r"columns\[\('x', 1\)\] at position 0"):
        score_columns(NODES, {("x", 1): [None]})
    assert select_columns(NODES, {}) == {}
    assert select_columns(NODES, []) == score_columns(NODES, ()) == []


# -- memory, signals ----------------------------------------------------------------------------

LINUX = pytest.mark.skipif(
    not Path("/proc/self/clear_refs").exists(),
    reason="only Linux tells the peak of a process from a point on",
)


@LINUX
@pytest.mark.parametrize(
    "columns",
    [
        "np.arange(ROWS), np.arange(ROWS), 7",
        "np.arange(ROWS).astype('S16'), np.broadcast_to(np.array(['é' * 9]), ROWS)",
        "[str(n) for n in range(ROWS)], np.arange(ROWS)",
    ],
)
@pytest.mark.usefixtures("native_in_use")
def test_extra_memory(columns: str) -> None:
    code = f"""
        import numpy as np
        from rvh.multi import compose_keys
        def memory(name):
            with open("/proc/self/status") as status:
                (line,) = (line for line in status if line.startswith(name))
            return int(line.split()[1]) * 1024
        ROWS = 2_000_000
        columns = ({columns})
        compose_keys(["a"], 1)
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")  # the peak starts again from here
        before = memory("VmRSS:")
        keys = compose_keys(*columns)
        out = keys.values.data.nbytes + keys.values.offsets.nbytes
        print(memory("VmHWM:") - before - out)
    """
    extra = int(output(code))
    assert extra <= 16_000_000, f"{extra / 1e6:.1f} MB"


def test_nothing_is_leaked() -> None:
    if sys.platform == "win32":
        pytest.skip("Windows has no getrusage")
    code = """
        import gc, resource, numpy as np, rvh
        from rvh.multi import compose_keys
        def use():
            compose_keys(np.arange(5000), ["é"] * 5000, "constant", np.array(["x"] * 5000))
            for bad in (["a", None], np.array(["a", "\\ud800"])):
                try:
                    compose_keys(["x" * 10_000] * 2, bad)
                except rvh.RVHError:
                    pass
        def rounds(n):
            for _ in range(n):
                use()
            gc.collect()
            return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        before = rounds(20)
        print(rounds(300) - before)
    """
    grown = int(output(code))
    assert grown < 10_000, f"{grown} KiB"  # 300 times 200 KB would be seen


@needs_sigint
@pytest.mark.parametrize(
    "column",
    [
        "np.broadcast_to(np.zeros(1, 'S100000'), 10**8)",
        "np.broadcast_to(np.zeros(1, 'U100000'), 10**8)",
        "np.broadcast_to(np.array([np.bytes_(b'')], object), 10**9)",
    ],
    ids=["S", "U", "objects"],
)
def test_interrupt(column: str) -> None:
    setup = f"""
        import numpy as np
        from rvh.multi import compose_keys
        column = {column}
    """
    assert interrupted(setup, "compose_keys(column, 1)") == ""
