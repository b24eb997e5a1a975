"""The distinct keys of a column and each row's number among them, by both backends."""

from __future__ import annotations

import random
from types import ModuleType
from typing import Any

import forged
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rvh import RVHError, RVHTypeError, _backend
from rvh._backend import pure as _pure
from rvh.keys import KeyColumn, Kind, Spans, column
from rvh.multi import compose_keys

BACKENDS = sorted({_backend._module, _pure}, key=lambda module: module.__name__)


def keys_of(spans: Spans) -> list[bytes]:
    return spans[0 : len(spans)]


def check(keys: KeyColumn, start: int = 0, stop: int | None = None) -> None:
    """Each backend says what a dict of the keys' bytes says."""
    stop = len(keys) if stop is None else stop
    plain = list(keys.iter_bytes(start, stop))
    different = list(dict.fromkeys(plain))
    for module in BACKENDS:
        spans, codes = module.distinct(keys, start, stop)
        assert keys_of(spans) == different
        assert codes.dtype == np.uint32
        assert codes.shape == (stop - start,)
        assert [different[code] for code in codes.tolist()] == plain


# -- every kind ---------------------------------------------------------------------------------

rng = random.Random(4)
NUMBERS = [rng.randrange(-60, 60) for _ in range(9000)]  # more than two chunks of objects
TEXTS = [f"é{n}" * (1 + n % 3) if n else "" for n in NUMBERS]
BLOBS = [text.encode() for text in TEXTS]
FIXED = [(b"%d" % n).ljust(4, b"\0") for n in NUMBERS]

#: of every kind that a backend reads
COLUMNS: dict[str, Any] = {
    "list of str": TEXTS,
    "list of bytes": BLOBS,
    "list of int": NUMBERS,
    "mixed list": [value for row in zip(NUMBERS, TEXTS, BLOBS, strict=True) for value in row],
    "S": np.array(BLOBS),
    "S backwards": np.array(BLOBS)[::-1],
    "U": np.array(TEXTS),
    "swapped U": np.array(TEXTS).astype(np.array(TEXTS).dtype.newbyteorder()),
    "StringDType": np.array(TEXTS, dtype=np.dtypes.StringDType()),
    "i1": np.array(NUMBERS, "i1"),
    ">i4": np.array(NUMBERS, ">i4"),
    "i8": np.array(NUMBERS),
    "composed": compose_keys(NUMBERS, TEXTS),
    "Arrow string": pa.array(TEXTS),
    "Arrow large_binary": pa.array(BLOBS, pa.large_binary()),
    "Arrow string_view": pa.array(TEXTS, pa.string_view()),
    "Arrow fixed_size_binary": pa.array(FIXED, pa.binary(4)),
    "Arrow chunks": pa.chunked_array([TEXTS[:5000], [], TEXTS[5000:]]),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_every_kind(name: str) -> None:
    keys = column(COLUMNS[name])
    check(keys)
    check(keys, 4995, 6200)
    check(keys, 7, 8)
    check(keys, 5, 5)


@pytest.mark.parametrize("name", COLUMNS)
def test_some_rows(name: str) -> None:
    keys = column(COLUMNS[name])
    some = keys.take(np.arange(11, 9000, 7))
    check(some)
    check(some, 100, 1200)


def test_every_kind_is_there() -> None:
    assert {column(keys).kind for keys in COLUMNS.values()} == set(Kind) - {Kind.CODES}


@pytest.mark.parametrize("keys", [[], np.array([], "S3"), np.array([], "U3"), np.array([], "i4")])
def test_no_rows(keys: Any) -> None:
    check(column(keys))


def test_an_empty_key_is_a_key() -> None:
    check(column(["", b"", "a", ""]))
    check(column(np.zeros(3, "S5")))


# -- any column ---------------------------------------------------------------------------------

ANY = st.text(max_size=3) | st.binary(max_size=3) | st.integers(0, 3) | st.integers(-(2**63), 2**64)


@given(st.lists(ANY.filter(lambda key: key != 2**64), max_size=50))
def test_any_objects(values: list[Any]) -> None:
    check(column(values))


@given(st.lists(st.binary(max_size=9) | st.sampled_from([b"", b"a", b"ab"]), max_size=50))
def test_any_bytes(values: list[bytes]) -> None:
    offsets = np.cumsum([0, *map(len, values)]).astype(np.uint64)
    spans = Spans(np.frombuffer(b"".join(values), np.uint8), offsets)
    check(KeyColumn(Kind.SPANS, spans))


@pytest.mark.parametrize("count", [1023, 1024, 1025, 4096, 5000, 70000])
def test_tables_of_any_size(count: int) -> None:
    check(column(np.tile(np.arange(count), 2)))


def test_keys_of_any_length() -> None:
    check(column([b"x" * size for size in (0, 1, 7, 8, 9, 127, 4096, 5 << 20, 3 << 20)] * 2))


# -- what it holds ------------------------------------------------------------------------------


def test_the_spans_outlive_the_column() -> None:
    for module in BACKENDS:
        spans, _ = module.distinct(column([str(n) for n in range(5000)]), 0, 5000)
        assert spans.offsets.dtype == np.uint64
        assert spans[4998:] == [b"4998", b"4999"]


# -- keys without bytes -------------------------------------------------------------------------


@pytest.mark.parametrize("position", [0, 1, 1024, 4095, 4096, 8999])
def test_the_first_key_without_bytes(position: int) -> None:
    text = np.array(TEXTS)
    text[position] = "\ud800"
    values: list[Any] = list(NUMBERS)
    values[position] = None
    for module in BACKENDS:
        with pytest.raises(RVHError, match=f"key at position {position} has a lone surrogate"):
            module.distinct(column(text), 0, 9000)
        with pytest.raises(RVHTypeError, match=f"key at position {position} is of type NoneType"):
            module.distinct(column(values), 0, 9000)
        with pytest.raises(RVHTypeError, match=f"key at position {position} is of type NoneType"):
            module.distinct(column(values).take(np.array([position])), 0, 1)


# -- keys that were made to have equal hashes ---------------------------------------------------


def test_equal_hashes() -> None:
    """The answer is right, whether or not a key was found again."""
    starts = [number.to_bytes(8, "little") for number in range(300)]
    keys = [forged.with_hash(42, forged.KEY_SEED, start) for start in starts] * 100
    for module in BACKENDS:
        spans, codes = module.distinct(column(keys), 0, len(keys))
        found = keys_of(spans)
        assert [found[code] for code in codes.tolist()] == keys
        assert len(set(found)) == 300


def test_the_backends_agree(native: ModuleType) -> None:
    keys = column(TEXTS)
    spans, codes = native.distinct(keys, 0, len(keys))
    plain_spans, plain_codes = _pure.distinct(keys, 0, len(keys))
    assert keys_of(spans) == keys_of(plain_spans)
    assert np.array_equal(codes, plain_codes)
