"""rvh.stable: jump hash, JumpBackHash and named buckets, through their public names."""

from __future__ import annotations

import itertools
import json
import math
import pickle
import re
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import reference
from folders import VECTORS
from hypothesis import given
from hypothesis import strategies as st
from sizes import keys_of_a_test
from subprocesses import output

from rvh import RVHError, RVHTypeError, _backend, stable
from rvh._backend import pure as _pure
from rvh._batch import threads as _threads
from rvh.keys import KeyColumn, column
from rvh.stable import StableSelector, jump_batch, jump_hash, jumpback_batch, jumpback_hash

JUMP = json.loads((VECTORS / "jump.json").read_bytes())
JUMPBACK = json.loads((VECTORS / "jumpback_hash4j.json").read_bytes())
MOST = 2**31 - 1
COUNTS = (1, 2, 3, 4, 5, 10, 31, 32, 33, 1000, 1023, 1024, 1025, 10**6, 2**30, 2**30 + 1, MOST)
#: keys of the statistical tests: the pure-Python backend takes thousands of times as long
MANY = keys_of_a_test(1_000_000, 20_000)


def number(key: int) -> np.ndarray:
    return np.array([key], dtype=np.uint64 if key >= 0 else np.int64)


# -- answers from elsewhere ---------------------------------------------------------------------


def published() -> list[tuple[int, int, int]]:
    rows = [(int(key), n, bucket) for key, n, bucket in JUMP["generated"]]
    for source in JUMP["published"]:
        rows += [tuple(row) for row in source.get("triples", [])]
        for case in source.get("cases", []):
            rows += [(case["key"], n, bucket) for n, bucket in enumerate(case["buckets"], 1)]
    return rows


def test_jump_of_other_implementations() -> None:
    rows = published()
    assert len(rows) > 200
    for key, buckets, bucket in rows:
        assert jump_hash(key, buckets) == bucket
        assert jump_batch(number(key), buckets).tolist() == [bucket]


def test_jump_errors_of_other_implementations() -> None:
    rows = [row for source in JUMP["published"] for row in source.get("errors", [])]
    assert rows
    for key, buckets in rows:
        with pytest.raises(RVHError, match=f"buckets is {buckets}: choose 1 <= buckets"):
            jump_hash(key, buckets)


def test_jumpback_of_hash4j() -> None:
    rows = [(int(key), int(n), b) for key, row in JUMPBACK["splitmix64"] for n, b in row.items()]
    assert len(rows) > 200
    for key, buckets, bucket in rows:
        assert jumpback_hash(key, buckets) == bucket
        assert jumpback_batch(number(key), buckets).tolist() == [bucket]


# -- the reference ------------------------------------------------------------------------------

any_key = (
    st.integers(-(2**63), 2**64 - 1)
    | st.sampled_from([0, -1, 2**63, 2**64 - 1])
    | st.text(max_size=20)
    | st.binary(max_size=140)
)
any_count = st.integers(1, MOST) | st.integers(1, 70) | st.sampled_from(COUNTS)


@given(keys=st.lists(any_key, max_size=70), buckets=any_count)
def test_any_keys(keys: list[Any], buckets: int) -> None:
    words = [reference.key_word(key) for key in keys]
    jumps = [reference.jump(word, buckets) for word in words]
    backs = [reference.jumpback(word, buckets) for word in words]
    assert jump_batch(keys, buckets).tolist() == jumps
    assert jumpback_batch(keys, buckets).tolist() == backs
    assert [jump_hash(key, buckets) for key in keys] == jumps
    assert [jumpback_hash(key, buckets) for key in keys] == backs


@given(keys=st.lists(any_key, max_size=40), buckets=st.integers(1, 60), data=st.data())
def test_any_selector(keys: list[Any], buckets: int, data: st.DataObject) -> None:
    k = data.draw(st.integers(1, buckets))
    names = [f"bucket {n}" for n in range(buckets)]
    selector = StableSelector(names)
    rows = [reference.distinct_jumps(reference.key_word(key), buckets, k) for key in keys]
    chosen = selector.argselect_batch(keys, k)
    assert (chosen.dtype, chosen.shape) == (np.intp, (len(keys), k))
    assert chosen.tolist() == rows
    assert selector.select_batch(keys, k).tolist() == [[names[n] for n in row] for row in rows]
    assert [selector.select(key, k) for key in keys] == [[names[n] for n in row] for row in rows]


@pytest.mark.parametrize("buckets", COUNTS)
def test_every_length(buckets: int) -> None:
    # Every tail of a group of lanes and of a strip of 1024.
    words = np.random.default_rng(5).integers(0, 2**64, 2100, dtype=np.uint64)
    jumps = [reference.jump(word, buckets) for word in words.tolist()]
    backs = [reference.jumpback(word, buckets) for word in words.tolist()]
    for length in (*range(40), 1023, 1024, 1025, 1056, 2048, 2100):
        assert jump_batch(words[:length], buckets).tolist() == jumps[:length]
        assert jumpback_batch(words[:length], buckets).tolist() == backs[:length]


@pytest.mark.parametrize("k", [1, 2, 100, 1023, 1024, 1025, 1200])
def test_many_distinct_buckets(k: int) -> None:
    selector = StableSelector([f"b{n}" for n in range(1200)])
    keys = range(7) if k <= 100 else range(2)
    expected = [reference.distinct_jumps(key, 1200, k) for key in keys]
    assert selector.argselect_batch(keys, k).tolist() == expected


# -- kinds of keys ------------------------------------------------------------------------------

RNG = np.random.default_rng(11)
TEXTS = ["", "a", "é", "€uro", "key " * 9, "\0x"] * 30
KINDS: dict[str, Any] = {
    "list": [1, "a", b"12345678", -1, 2**64 - 1, "", b"", "é", np.int8(-3), np.str_("s")] * 600,
    "tuple": ("a", 7, bytearray(b"x"), memoryview(b"abcd")[::2]),
    "list of int": list(range(-5000, 5000, 7)),
    "list of one int in a crowd": ["x"] * 5000 + [3] + ["y" * 2000] * 5000,
    "object array": np.array([1, "a", b"b", 2**64 - 1], dtype=object),
    "range": range(-5, 50),
    "S": np.array([text.encode() for text in TEXTS]),
    "S, every third, backwards": np.array([text.encode() for text in TEXTS])[::-3],
    "S, long": np.array([b"x" * size for size in range(0, 3000, 83)]),
    "U": np.array(TEXTS),
    "U, swapped": np.array(TEXTS).astype(">U36"),
    "a broadcast integer": np.broadcast_to(np.int32(-7), 50),
    "no keys": [],
    "no integers": np.array([], dtype=np.int16),
    "no text": np.array([], dtype="U4"),
}
for size, sign, order in itertools.product((1, 2, 4, 8), "iu", "<>"):
    numbers = RNG.integers(-(2**63), 2**63 - 1, 130).astype(f"{order}{sign}{size}")
    KINDS[numbers.dtype.str] = numbers
    KINDS[f"{numbers.dtype.str}, every second"] = numbers[::2]
    KINDS[f"{numbers.dtype.str}, backwards"] = numbers[::-1]
    packed = np.zeros(130, dtype=[("pad", "u1"), ("key", numbers.dtype)])
    packed["key"] = numbers
    KINDS[f"{numbers.dtype.str}, not aligned"] = packed["key"]


def plain(key: Any) -> Any:
    if isinstance(key, np.integer):
        return int(key)
    return bytes(key) if isinstance(key, (bytearray, memoryview)) else key


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_key(kind: str) -> None:
    keys = KINDS[kind]
    elements = keys.tolist() if isinstance(keys, np.ndarray) else [plain(key) for key in keys]
    words = [reference.key_word(key) for key in elements]
    for got, expected in (
        (jump_batch(keys, 1000), [reference.jump(word, 1000) for word in words]),
        (jumpback_batch(keys, 1000), [reference.jumpback(word, 1000) for word in words]),
    ):
        assert (got.dtype, got.shape) == (np.intp, (len(words),))
        assert got.tolist() == expected
    selector = StableSelector([f"b{n}" for n in range(50)])
    rows = [reference.distinct_jumps(word, 50, 3) for word in words[:100]]
    assert selector.argselect_batch(keys[:100], 3).tolist() == rows


def test_an_integer_is_its_bits_whatever_its_width() -> None:
    assert jump_hash(-1, 10**6) == jump_hash(2**64 - 1, 10**6) == jump_hash(np.int8(-1), 10**6)
    assert jump_hash("é", 10**6) == jump_hash("é".encode(), 10**6)
    # The 8 bytes of an integer are another key.
    assert jump_hash(5, 10**6) != jump_hash((5).to_bytes(8, "little"), 10**6)


# -- threads and backends -----------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["list", "S", "U", "<i8", ">i2, every second"])
def test_threads_decide_nothing(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_threads, "PAIRS_PER_BLOCK", 60)
    monkeypatch.setattr(_threads, "PAIRS_PER_THREAD", 60)
    keys = KINDS[kind]
    selector = StableSelector(["a", "b", "c", "d"])
    calls: list[Callable[..., np.ndarray]] = [
        lambda **options: jump_batch(keys, 99, **options),
        lambda **options: jumpback_batch(keys, 99, **options),
        lambda **options: selector.argselect_batch(keys, 3, **options),
        lambda **options: selector.select_batch(keys, 3, **options),
    ]
    for call in calls:
        expected = call(threads=1)
        for threads in (None, 2, 3, 8):
            assert np.array_equal(call(threads=threads), expected)


@pytest.mark.parametrize("kind", KINDS)
def test_twins_agree(native_in_use: ModuleType, kind: str) -> None:
    keys = column(KINDS[kind])
    for start, stop in [(0, len(keys)), (len(keys) // 3, len(keys) // 2)]:
        for buckets, k in ((1, 1), (9, 1), (9, 9), (MOST, 2)):
            got, expected = (np.full((stop - start, k), -1, dtype=np.intp) for _ in range(2))
            native_in_use.jump(buckets, None, keys, start, stop, got, None)
            _pure.jump(buckets, None, keys, start, stop, expected, None)
            assert np.array_equal(got, expected)
            one, other = (np.full(stop - start, -1, dtype=np.intp) for _ in range(2))
            native_in_use.jumpback(buckets, keys, start, stop, one, None)
            _pure.jumpback(buckets, keys, start, stop, other, None)
            assert np.array_equal(one, other)


@pytest.mark.parametrize("keys", [np.arange(100), ["a"] * 100, np.array([b"a"] * 100)], ids=len)
def test_a_set_flag_ends_the_call(keys: Any) -> None:
    flag = _backend.Cancel()
    flag.set()
    rows: KeyColumn = column(keys)
    for k in (1, 2):
        out = np.full((100, k), -1, dtype=np.intp)
        _backend.jump(9, None, rows, 0, 100, out, flag)
        assert (out == -1).all()
    line = np.full(100, -1, dtype=np.intp)
    _backend.jumpback(9, rows, 0, 100, line, flag)
    assert (line == -1).all()


@pytest.mark.parametrize("isa", ["portable", "avx2", "avx512", "neon"])
def test_every_instruction_set(isa: str, native: ModuleType) -> None:
    code = """
        import numpy as np, rvh.cpu
        from rvh.stable import *
        keys = np.random.default_rng(3).integers(-2**63, 2**63 - 1, 2000)
        names = StableSelector([f"b{n}" for n in range(40)])
        for n in (1, 2, 10, 33, 1000, 65537, 2**31 - 1):
            print(jump_batch(keys, n).tolist(), jumpback_batch(keys, n).tolist())
        print(names.argselect_batch(keys[:300], 5).tolist(), jump_batch(["a", 1] * 99, 50).tolist())
    """
    if isa not in native.isa_available():
        pytest.skip(f"{isa} is not available here")
    expected = output(code, RVH_FORCE_PYTHON="1")
    assert output(code, RVH_ISA=isa, RVH_FORCE_PYTHON=None) == expected


# -- errors -------------------------------------------------------------------------------------

SELECTOR = StableSelector(["a", "b", "c"])
VALUE, TYPE = RVHError, RVHTypeError


def buckets(value: Any) -> Callable[[], object]:
    def call() -> None:
        messages = set()
        for function, keys in (
            (jump_hash, 1),
            (jumpback_hash, 1),
            (jump_batch, []),
            (jumpback_batch, [1]),
        ):
            with pytest.raises(RVHError) as caught:
                function(keys, value)
            messages.add((caught.type, str(caught.value)))
        assert len(messages) == 1
        raise caught.value

    return call


#: a name, the call, the class, what the message names in this order
CASES: list[tuple[str, Callable[[], object], type[RVHError], list[str]]] = [
    ("no buckets", buckets(0), VALUE, ["buckets is 0", "1 <= buckets <= 2147483647"]),
    ("fewer than none", buckets(-1), VALUE, ["buckets is -1", "1 <= buckets"]),
    ("too many", buckets(2**31), VALUE, ["buckets is 2147483648", "<= 2147483647"]),
    ("far too many", buckets(10**400), VALUE, ["buckets is 1000", "..."]),
    ("a bool", buckets(True), TYPE, ["buckets is True", "whole number"]),
    ("a NumPy bool", buckets(np.True_), TYPE, ["buckets is", "whole number"]),
    ("a float", buckets(10.0), TYPE, ["buckets is 10.0", "whole number"]),
    ("a str", buckets("10"), TYPE, ["buckets is '10'", "whole number"]),
    ("None", buckets(None), TYPE, ["buckets is None", "whole number"]),
    ("a bool key", lambda: jump_hash(True, 9), TYPE, ["the key", "bool", "cast"]),
    ("a float key", lambda: jumpback_hash(1.5, 9), TYPE, ["the key", "float", "1.5"]),
    ("a span", lambda: jump_hash(np.timedelta64(1), 9), TYPE, ["the key", "timedelta64"]),
    ("too large", lambda: jump_hash(2**64, 9), VALUE, ["the key", "18446744073709551616"]),
    ("too small", lambda: jump_hash(-(2**63) - 1, 9), VALUE, ["the key", "outside"]),
    ("a surrogate", lambda: jump_hash("\ud800", 9), VALUE, ["the key", "U+D800"]),
    ("None among keys", lambda: jump_batch(["a", 1, None], 9), TYPE, ["position 2", "NoneType"]),
    ("a bool among ints", lambda: jump_batch([1, 2, True], 9), TYPE, ["position 2", "bool"]),
    ("a NumPy bool", lambda: jump_batch([np.False_], 9), TYPE, ["position 0", "bool"]),
    ("a span among keys", lambda: jump_batch([1, np.timedelta64(1)], 9), TYPE, ["position 1"]),
    ("too large among ints", lambda: jump_batch([1, 2**64], 9), VALUE, ["position 1", "outside"]),
    ("too small", lambda: jumpback_batch([-(2**63) - 1], 9), VALUE, ["position 0", "outside"]),
    ("a surrogate in U", lambda: jump_batch(np.array(["a", "\ud800"]), 9), VALUE, ["position 1"]),
    ("floats", lambda: jump_batch(np.ones(3), 9), TYPE, ["array of float64", "cast"]),
    ("two dimensions", lambda: jump_batch(np.ones((2, 2), int), 9), VALUE, ["shape (2, 2)"]),
    ("one str", lambda: jump_batch("key", 9), TYPE, ["one str", "list", "jump_hash()"]),
    ("one int", lambda: jumpback_batch(7, 9), TYPE, ["int", "list"]),
    ("threads of 0", lambda: jump_batch([], 9, threads=0), VALUE, ["threads is 0", "from 1"]),
    ("threads", lambda: jumpback_batch([1], 9, threads=True), TYPE, ["threads is True"]),
    ("no names", lambda: StableSelector([]), VALUE, ["at least one"]),
    ("one name", lambda: StableSelector("abc"), TYPE, ["str", "'abc'", "list"]),
    ("a number", lambda: StableSelector(10), TYPE, ["int", "list"]),
    ("numbers", lambda: StableSelector(np.arange(3)), TYPE, ["int64", "astype(str)"]),
    ("a number among names", lambda: StableSelector(["a", 1]), TYPE, ["position 1", "int"]),
    ("a name twice", lambda: StableSelector(["a", "b", b"a"]), VALUE, ["'a'", "0", "2", "unique"]),
    ("an empty name", lambda: StableSelector(["a", ""]), VALUE, ["position 1", "empty"]),
    ("a surrogate", lambda: StableSelector(["a", "\ud800"]), VALUE, ["position 1", "U+D800"]),
    ("k of 0", lambda: SELECTOR.select(1, 0), VALUE, ["k is 0", "1 <= k <= 3"]),
    ("k above N", lambda: SELECTOR.select_batch([], 4), VALUE, ["k is 4", "1 <= k <= 3"]),
    ("k as float", lambda: SELECTOR.argselect_batch([1], 1.0), TYPE, ["k is 1.0", "whole"]),
    ("k as bool", lambda: SELECTOR.select(1, True), TYPE, ["k is True", "whole"]),
    ("a key, k of 3", lambda: SELECTOR.select(1.5, 3), TYPE, ["the key", "float"]),
    ("keys", lambda: SELECTOR.select_batch([1, None]), TYPE, ["position 1", "NoneType"]),
    ("pop all", lambda: SELECTOR.pop(3), VALUE, ["count is 3", "1 <= count <= 2"]),
    ("pop none", lambda: SELECTOR.pop(0), VALUE, ["count is 0", "1 <= count"]),
    ("pop a float", lambda: SELECTOR.pop(1.0), TYPE, ["count is 1.0", "whole"]),
    ("pop the last", lambda: StableSelector(["a"]).pop(), VALUE, ["one bucket", "has to stay"]),
    ("append one again", lambda: SELECTOR.append("b"), VALUE, ["'b'", "1", "3"]),
    ("append nothing", lambda: SELECTOR.append([]), VALUE, ["at least one"]),
    ("append a number", lambda: SELECTOR.append(5), TYPE, ["int"]),
]  # fmt: skip


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


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("kind", ["list", "U"])
def test_the_first_bad_position(kind: str, threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_threads, "PAIRS_PER_BLOCK", 300)
    keys: Any = [f"key{n}" if n % 3 else n for n in range(9000)]
    for position in (4500, 5001, 8999):
        keys[position] = "\ud800"
    if kind == "U":
        keys = np.array([str(key) for key in keys])
    for call in (
        lambda: jump_batch(keys, 9, threads=threads),
        lambda: jumpback_batch(keys, 9, threads=threads),
        lambda: SELECTOR.select_batch(keys, 2, threads=threads),
    ):
        with pytest.raises(RVHError, match=r"position 4500 .*U\+D800"):
            call()


# -- what they are for --------------------------------------------------------------------------


def chi_squared_z(counts: np.ndarray) -> float:
    """Pearson's statistic for equal shares as a normal deviate (Wilson and Hilferty, 1931)."""
    expected = counts.sum() / len(counts)
    statistic = float(((counts - expected) ** 2).sum() / expected)
    freedom = len(counts) - 1
    spread = 2 / (9 * freedom)
    return ((statistic / freedom) ** (1 / 3) - (1 - spread)) / math.sqrt(spread)


#: one-sided p = 10^-6
UNLIKELY = 4.753


@pytest.mark.parametrize("method", [jump_batch, jumpback_batch])
@pytest.mark.parametrize("n", [2, 3, 10, 33, 100, 128, 129])
def test_every_bucket_gets_its_share(method: Callable[..., np.ndarray], n: int) -> None:
    counts = np.bincount(method(np.arange(MANY), n), minlength=n)
    assert len(counts) == n
    assert chi_squared_z(counts) < UNLIKELY


def test_every_named_bucket_gets_its_share_of_each_place() -> None:
    rows = StableSelector([f"b{n}" for n in range(20)]).argselect_batch(np.arange(MANY // 4), 3)
    for place in rows.T:
        assert chi_squared_z(np.bincount(place, minlength=20)) < UNLIKELY
    ordered = np.sort(rows, axis=1)
    assert (ordered[:, 1:] != ordered[:, :-1]).all()


def test_the_balance_test_sees_what_is_not_balanced() -> None:
    skewed = np.arange(MANY) % 51 % 10  # bucket 0 has 6 of 51, the others 5
    assert chi_squared_z(np.bincount(skewed)) > UNLIKELY


@pytest.mark.parametrize("method", [jump_batch, jumpback_batch])
@pytest.mark.parametrize("n", [1, 2, 7, 32, 100, 1024])
def test_another_bucket_takes_its_share_and_moves_nothing_else(
    method: Callable[..., np.ndarray], n: int
) -> None:
    keys = np.arange(MANY)
    before, after = method(keys, n), method(keys, n + 1)
    moved = before != after
    assert (after[moved] == n).all()
    share = 1 / (n + 1)
    assert abs(moved.mean() - share) < 5 * math.sqrt(share * (1 - share) / MANY)


@pytest.mark.parametrize(("n", "k"), [(10, 2), (30, 3), (100, 3), (50, 8)])
def test_an_appended_bucket_enters_rows_and_changes_little_else(n: int, k: int) -> None:
    selector = StableSelector([f"b{i}" for i in range(n)])
    keys = np.arange(MANY // 4)
    before = selector.argselect_batch(keys, k)
    after = selector.append("new").argselect_batch(keys, k)
    entered = (after == n).sum(axis=1)
    assert entered.max() == 1
    changed = (before != after).any(axis=1)
    assert np.array_equal(changed, entered == 1)  # no other row, not even its order
    share = k / (n + 1)
    assert abs(changed.mean() - share) < 5 * math.sqrt(share / len(keys))
    # Old buckets that came in as well.
    came = (after[:, :, None] != before[:, None, :]).all(axis=2) & (after != n)
    others = came.any(axis=1)
    # Two of about k attempts have to go to the new bucket.
    attempts = sum(n / (n - i) for i in range(k))
    expected = len(keys) * attempts * attempts / 2 / (n + 1) ** 2
    assert others.sum() < expected + 5 * math.sqrt(expected)
    assert others.any() or MANY < 1_000_000
    assert np.array_equal(selector.append("new").pop().argselect_batch(keys, k), before)


def test_a_row_is_the_start_of_a_longer_one() -> None:
    selector = StableSelector([f"b{n}" for n in range(12)])
    full = selector.argselect_batch(range(300), 12)
    assert (np.sort(full, axis=1) == np.arange(12)).all()
    for k in range(1, 12):
        assert np.array_equal(selector.argselect_batch(range(300), k), full[:, :k])
    assert np.array_equal(full[:, 0], jump_batch(range(300), 12))


# -- StableSelector as an object ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "dtype"),
    [
        (["a", "bc"], "<U2"),
        ([b"a", b"bc"], "S2"),
        (["a", b"b"], "O"),
        (["a\0", "b"], "O"),
        (np.array(["a", "b"], ">U3"), ">U3"),
        (np.array(["a", "b"], object), "O"),
        (("x", "y", "z"), "<U1"),
    ],
)
def test_answers_are_in_the_names_own_dtype(names: Any, dtype: str) -> None:
    selector = StableSelector(names)
    assert selector.ids.dtype == np.dtype(dtype)
    assert list(selector) == list(names) == selector.ids.tolist()
    assert len(selector) == len(names)
    chosen = selector.select_batch(range(50), 2)
    assert (chosen.dtype, chosen.shape) == (selector.ids.dtype, (50, 2))
    assert chosen.tolist() == [selector.select(key, 2) for key in range(50)]
    assert selector.select_batch([], 2).shape == (0, 2)


def test_it_never_changes() -> None:
    names = np.array(["a", "b"])
    selector = StableSelector(names)
    names[0] = "z"
    assert list(selector) == ["a", "b"]
    with pytest.raises(ValueError, match="read-only"):
        selector.ids[0] = "z"
    with pytest.raises(AttributeError):
        selector.ids = names  # type: ignore[misc]
    selector.append("c"), selector.pop()
    assert list(selector) == ["a", "b"]


def test_append_and_pop() -> None:
    selector = StableSelector(["a"])
    assert list(selector.append("long name")) == ["a", "long name"]
    assert list(selector.append(np.array(["b", "c"])).append(["d"])) == ["a", "b", "c", "d"]
    assert list(selector.append(b"b")) == ["a", b"b"]
    assert selector.append(["b", "c", "d"]).pop(2) == selector.append("b")
    mixed = selector.append(b"b").pop()
    assert mixed.ids.dtype == object
    assert mixed.append("c").ids.dtype == object


def test_equality_hash_repr_and_pickle() -> None:
    selector = StableSelector(["a", "b", "c", "d"])
    assert selector == StableSelector(np.array(["a", "b", "c", "d"]))
    assert hash(selector) == hash(StableSelector(("a", "b", "c", "d")))
    assert selector != StableSelector(["b", "a", "c", "d"])  # the order decides
    assert selector != StableSelector([b"a", b"b", b"c", b"d"])
    assert selector != ["a", "b", "c", "d"]
    assert repr(selector) == "StableSelector(['a', 'b', 'c', ...], n=4)"
    assert repr(StableSelector([b"a"])) == "StableSelector([b'a'], n=1)"
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        again = pickle.loads(pickle.dumps(selector, protocol))
        assert again == selector
        assert np.array_equal(
            again.argselect_batch(range(9), 2), selector.argselect_batch(range(9), 2)
        )


def test_it_is_imported_only_where_it_is_asked_for() -> None:
    assert output("import sys, rvh; print('rvh.stable' in sys.modules)") == "False\n"


def test_all_names_exist_and_are_sorted() -> None:
    assert stable.__all__ == sorted(stable.__all__)
    assert all(hasattr(stable, name) for name in stable.__all__)
