"""Columns that a caller makes or changes: right answers or an error, and never foreign memory.

Were one of these calls to read outside of its arrays, this process would end, or the bytes would
not be those that are expected.
"""

from __future__ import annotations

import copy
import pickle
import threading
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import rvh
from rvh import RVHError, RVHTypeError
from rvh._columns.column import Chunks, Codes
from rvh.geohash import GeoSet
from rvh.keys import KeyColumn, Kind, Spans, Views, column
from rvh.multi import compose_keys
from rvh.partitions import PartitionTable
from rvh.ring import ketama
from rvh.stable import jump_batch

SET = rvh.NodeSet(["alpha", "beta", "gamma"])
FAR = 10**12


def words(*values: bytes) -> Spans:
    offsets = np.cumsum([0, *map(len, values)])
    return Spans(np.frombuffer(b"".join(values), np.uint8), offsets)


def use(keys: KeyColumn) -> list[bytes]:
    """Every way in which C reads a column; its bytes."""
    found = list(keys.iter_bytes())
    plain = keys.slice(0, len(keys))
    assert SET.argselect_batch(keys).tolist() == SET.argselect_batch(found).tolist()
    assert np.array_equal(SET.score_batch(keys), SET.score_batch(found))
    assert SET.select_batch(keys, dedupe=True).tolist() == SET.select_batch(found).tolist()
    assert list(compose_keys(keys, 1).iter_bytes()) == list(compose_keys(plain, 1).iter_bytes())
    assert jump_batch(keys, 99).tolist() == jump_batch(plain, 99).tolist()
    table = PartitionTable(SET, 64)
    assert table.lookup_batch(keys).tolist() == table.lookup_batch(found).tolist()
    assert pa.array(SET.select_arrow(keys)).to_pylist() == SET.select_batch(found)[:, 0].tolist()
    return found


BYTES = np.frombuffer(b"abcdef", np.uint8)
VIEW = np.frombuffer(b"\x02\0\0\0ab".ljust(16, b"\0"), np.int32).reshape(1, 4)
LONG = np.array([[13, 0, 0, 0]], np.int32)


def spans(*offsets: int, data: Any = BYTES, dtype: Any = np.int64) -> Callable[[], object]:
    return lambda: Spans(data, np.array(offsets, dtype))


def made(kind: Any, values: Any, *args: Any, **options: Any) -> Callable[[], object]:
    return lambda: KeyColumn(kind, values, *args, **options)


OF_THREE = np.array(["a", "b", "c"])

REFUSED: dict[str, Callable[[], object]] = {
    "offsets beyond the data": spans(0, FAR),
    "offsets a byte beyond the data": spans(0, 7),
    "offsets that go back": spans(0, 5, 2, 6),
    "offsets that go back after the end": spans(0, FAR, 2),
    "offsets below 0": spans(-1, 3),
    "offsets that begin beyond": spans(FAR, FAR),
    "no offsets": spans(),
    "offsets of 16 bits": spans(0, 3, dtype=np.int16),
    "offsets of 8 bits": spans(0, 3, dtype=np.uint8),
    "offsets as floats": spans(0, 3, dtype=np.float64),
    "offsets as spans of time": spans(0, 3, dtype="m8[s]"),
    "offsets as objects": spans(0, 3, dtype=object),
    "offsets in two dimensions": lambda: Spans(BYTES, np.array([[0], [3]])),
    "offsets in none": lambda: Spans(BYTES, np.array(0)),
    "offsets as a list": lambda: Spans(BYTES, [0, 3]),  # type: ignore[arg-type]
    "data of 64 bits": spans(0, 3, data=np.arange(6)),
    "data as signed bytes": spans(0, 3, data=np.zeros(6, np.int8)),
    "data in two dimensions": spans(0, 3, data=BYTES.reshape(2, 3)),
    "data as bytes": spans(0, 3, data=b"abcdef"),
    "no data": spans(0, 1, data=BYTES[:0]),
    "views of 64 bits": lambda: Views(VIEW.astype(np.int64), []),  # type: ignore[arg-type]
    "views in the other byte order": lambda: Views(VIEW.astype(VIEW.dtype.newbyteorder()), []),
    "views of three": lambda: Views(VIEW[:, :3], []),
    "views in one dimension": lambda: Views(VIEW.ravel(), []),
    "buffers of 64 bits": lambda: Views(VIEW, [np.arange(9)]),  # type: ignore[list-item]
    "buffers as a generator": lambda: Views(VIEW, (b for b in [BYTES])),  # type: ignore[arg-type]
    "codes beyond": lambda: Codes(column(["a", "b"]), np.array([0, 2])),
    "codes below 0": lambda: Codes(column(["a", "b"]), np.array([0, -1])),
    "codes that wrap": lambda: Codes(column(["a"]), np.array([2**64 - 1], np.uint64)),
    "codes of nothing": lambda: Codes(column([]), np.array([0])),
    "codes as floats": lambda: Codes(column(["a"]), np.array([0.0])),
    "codes in two dimensions": lambda: Codes(column(["a"]), np.array([[0]])),
    "codes of a list": lambda: Codes(["a"], np.array([0])),  # type: ignore[arg-type]
    "codes of chunks": lambda: Codes(
        KeyColumn(Kind.CHUNKS, Chunks([column(["a"]), column(["b"])])), np.array([0])
    ),
    "chunks of lists": lambda: Chunks([["a"]]),  # type: ignore[list-item]
    "an integer as kind": made(4, words(b"a")),
    "a kind beyond": made(99, words(b"a")),
    "spans of an array": made(Kind.SPANS, BYTES),
    "spans of views": made(Kind.SPANS, Views(VIEW, [])),
    "views of spans": made(Kind.VIEWS, words(b"a")),
    "chunks of a list": made(Kind.CHUNKS, [column(["a"])]),
    "codes of an array": made(Kind.CODES, np.array([0])),
    "integers of text": made(Kind.INTEGERS, OF_THREE),
    "integers of floats": made(Kind.INTEGERS, np.ones(3)),
    "integers of bools": made(Kind.INTEGERS, np.ones(3, bool)),
    "integers of spans of time": made(Kind.INTEGERS, np.ones(3, "m8[s]")),
    "integers in two dimensions": made(Kind.INTEGERS, np.ones((2, 2), int)),
    "integers in none": made(Kind.INTEGERS, np.array(1)),
    "integers of a list": made(Kind.INTEGERS, [1, 2]),
    "text of integers": made(Kind.STRINGS, np.arange(3)),
    "text of bytes": made(Kind.STRINGS, np.array([b"a"])),
    "bytes of text": made(Kind.BYTES, OF_THREE),
    "StringDType of text": made(Kind.TEXT, OF_THREE),
    "StringDType of a list": made(Kind.TEXT, ["a"]),
    "bytes of one size of text": made(Kind.FIXED, OF_THREE),
    "bytes of one size with fields": made(Kind.FIXED, np.zeros(2, "i4,i4")),
    "bytes of one size with objects": made(Kind.FIXED, np.zeros(2, [("x", object)])),
    "objects of integers": made(Kind.OBJECTS, np.arange(3)),
    "objects of one str": made(Kind.OBJECTS, "abc"),
    "objects of a dict": made(Kind.OBJECTS, {"a": 1}),
    "rows beyond": made(Kind.STRINGS, OF_THREE, rows=np.array([3])),
    "rows far beyond": made(Kind.STRINGS, OF_THREE, rows=np.array([FAR])),
    "rows below 0": made(Kind.STRINGS, OF_THREE, rows=np.array([-1])),
    "rows that wrap": made(Kind.STRINGS, OF_THREE, rows=np.array([2**64 - 1], np.uint64)),
    "rows as floats": made(Kind.STRINGS, OF_THREE, rows=np.array([1.0])),
    "rows as bools": made(Kind.STRINGS, OF_THREE, rows=np.array([True, False, True])),
    "rows in two dimensions": made(Kind.STRINGS, OF_THREE, rows=np.array([[0]])),
    "rows as a list": made(Kind.STRINGS, OF_THREE, rows=[0]),
    "rows of spans beyond": made(Kind.SPANS, words(b"a"), rows=np.array([1])),
    "rows of views beyond": made(Kind.VIEWS, Views(VIEW, []), rows=np.array([1])),
    "rows of nothing": made(Kind.OBJECTS, [], rows=np.array([0])),
    "rows of chunks": made(Kind.CHUNKS, Chunks([column(["a"])]), rows=np.array([0])),
    "a name that is none": made(Kind.OBJECTS, ["a"], 7),
    "a first that is not a number": made(Kind.OBJECTS, ["a"], first="0"),
    "a first below 0": made(Kind.OBJECTS, ["a"], first=-1),
    "a first that no position fits": made(Kind.OBJECTS, ["a"], first=2**63 - 1),
    "take beyond": lambda: column(["a", "b"]).take(np.array([2])),
    "take far beyond": lambda: column(np.array([1, 2])).take(np.array([FAR])),
    "take below 0": lambda: column(np.array([1, 2])).take(np.array([-1])),
    "take of floats": lambda: column(["a", "b"]).take(np.array([0.0])),
    "take that descends": lambda: column(["a", "b"]).take(np.array([1, 0])),
    "take of a list": lambda: column(["a", "b"]).take([0]),  # type: ignore[arg-type]
    "take of a take": lambda: column(np.arange(9)).take(np.array([1, 2])).take(np.array([2])),
    "take of codes": lambda: column(pa.array(["a"]).dictionary_encode()).take(np.array([1])),
    "take of chunks": lambda: column(pa.chunked_array([["a"], ["b"]])).take(np.array([2])),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str) -> None:
    with pytest.raises(RVHError):
        REFUSED[case]()


@st.composite
def arrays(draw: st.DrawFn) -> Any:
    dtype = draw(st.sampled_from(["i4", "u4", "i8", "u8", ">i4", ">u8", "i2", "f8", "U1", "V8"]))
    shape = draw(st.sampled_from([(0,), (1,), (2,), (3,), (2, 2), ()]))
    if np.dtype(dtype).kind in "iu":
        limits = np.iinfo(dtype)
        small = st.integers(0, 8)
        far = st.sampled_from([int(limits.min), int(limits.max), -1, 9, 10**9])
        inside = small | far.filter(lambda n: limits.min <= n <= limits.max)
        return draw(hnp.arrays(dtype, shape, elements=inside))
    return np.zeros(shape, dtype)


@given(data=arrays() | st.binary(max_size=9).map(lambda b: np.frombuffer(b, "u1")), to=arrays())
def test_any_spans(data: Any, to: Any) -> None:
    before = data.flags.writeable, to.flags.writeable
    try:
        keys = KeyColumn(Kind.SPANS, Spans(data, to))
    except RVHError:
        return
    finally:
        assert (data.flags.writeable, to.flags.writeable) == before
    assert use(keys) == [data.tobytes()[a:b] for a, b in pairwise(to.tolist())]


@given(kind=st.sampled_from(Kind), values=arrays(), rows=st.none() | arrays())
def test_any_column(kind: Kind, values: Any, rows: Any) -> None:
    try:
        keys = KeyColumn(kind, values, rows=rows)
    except RVHError:
        return
    expected = KeyColumn(kind, values).slice(0, len(values))
    if rows is not None:
        expected = [expected[row] for row in rows.tolist()]
    assert keys.slice(0, len(keys)) == expected
    if kind is not Kind.OBJECTS:
        use(keys)


@given(st.lists(st.binary(max_size=20), max_size=9), st.data())
def test_any_take(values: list[bytes], data: st.DataObject) -> None:
    rows = data.draw(hnp.arrays("i8", st.integers(0, 5), elements=st.integers(-1, 10)))
    halves = [column(pa.array(part, pa.binary())) for part in (values[:4], values[4:])]
    for keys in (
        column(values),
        column(np.array(values, object)),
        column(pa.array(values, pa.binary())),
        column(pa.array(values, pa.binary_view())),
        column(pa.array(values, pa.binary()).dictionary_encode()),
        KeyColumn(Kind.CHUNKS, Chunks(halves)),
    ):
        if ((rows < 0) | (rows >= len(values))).any() or (np.diff(rows) < 0).any():
            with pytest.raises(RVHError):
                keys.take(rows)
        else:
            taken = keys.take(rows)
            rows_now, rows[:] = rows.copy(), FAR  # the caller's own array is not used any more
            assert use(taken) == [values[row] for row in rows_now.tolist()]
            rows[:] = rows_now


def test_views_that_point_outside() -> None:
    keys = KeyColumn(Kind.VIEWS, Views(LONG, [np.zeros(12, np.uint8)]))
    with pytest.raises(RVHError, match="outside of its buffers"):
        SET.select_batch(keys)
    assert use(KeyColumn(Kind.VIEWS, Views(LONG, [np.zeros(13, np.uint8)]))) == [bytes(13)]


# -- what the caller does afterwards --------------------------------------------------------------


def test_the_callers_arrays_stay_as_they_are() -> None:
    data, offsets = np.frombuffer(bytearray(b"abcdef"), np.uint8), np.array([0, 2, 6])
    views, rows = VIEW.copy(), np.array([1, 0])
    keys = KeyColumn(Kind.SPANS, Spans(data, offsets), rows=rows)
    seen = KeyColumn(Kind.VIEWS, Views(views, [data]))
    for each in (data, offsets, views, rows):
        assert each.flags.writeable
    offsets[:] = FAR
    rows[:] = FAR
    views[:] = [[FAR % 2**31, 0, 0, FAR % 2**31]]
    assert use(keys) == [b"cdef", b"ab"]
    assert use(seen) == [b"ab"]


@pytest.mark.parametrize(
    ("keys", "names"),
    [
        (lambda: compose_keys(["a", "b"], 1), ["values.data", "values.offsets"]),
        (lambda: KeyColumn(Kind.SPANS, words(b"a", b"b")), ["values.data", "values.offsets"]),
        (lambda: column(pa.array(["a"])), ["values.data", "values.offsets"]),
        (lambda: column(pa.array(["a"], pa.string_view())), ["values.views", "values.addresses"]),
        (lambda: column(pa.array(["a"]).dictionary_encode()), ["values.codes"]),
        (lambda: column(pa.chunked_array([["a"], ["b"]])), ["values.starts", "values.columns"]),
        (lambda: column(np.arange(3)).take(np.array([1])), ["rows"]),
        (lambda: KeyColumn(Kind.OBJECTS, ["a"], rows=np.array([0])), ["rows", "kind", "what"]),
    ],
)
def test_a_column_does_not_change(keys: Callable[[], KeyColumn], names: list[str]) -> None:
    made = keys()
    before = use(made)
    for name in names:
        *path, last = name.split(".")
        holder: Any = made
        for each in path:
            holder = getattr(holder, each)
        with pytest.raises(AttributeError, match="never changes"):
            setattr(holder, last, np.array([FAR]))
        with pytest.raises(AttributeError, match="never changes"):
            delattr(holder, last)
        value = getattr(holder, last)
        if isinstance(value, np.ndarray):
            with pytest.raises(ValueError, match="read-only"):
                value[:] = 0
            with pytest.raises(ValueError, match="WRITEABLE"):
                value.flags.writeable = True
    assert use(made) == before


RESHAPED: dict[str, tuple[Callable[[], Any], Callable[[KeyColumn], Any]]] = {
    "integers": (lambda: np.arange(6), lambda keys: keys.values),
    "text": (lambda: np.array(list("abcdef")), lambda keys: keys.values),
    "digests": (lambda: np.zeros(6, "V4"), lambda keys: keys.values),
    "StringDType": (
        lambda: np.array(list("abcdef"), np.dtypes.StringDType()),
        lambda keys: keys.values,
    ),
    "offsets": (lambda: pa.array(list("abcde"), pa.large_string()), lambda k: k.values.offsets),
}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("case", RESHAPED)
def test_a_shape_that_is_set_afterwards(case: str) -> None:
    make, array_of = RESHAPED[case]
    given = make()
    keys = column(given)
    before = use(keys)
    if isinstance(given, np.ndarray):  # the caller's own array, of which the column has a view
        given.shape = (2, 3)
        assert use(keys) == before
    array_of(keys).shape = (3, 2)
    if rvh.backend() == "native":
        for call in (SET.argselect_batch, SET.score_batch, lambda keys: compose_keys(keys, 1)):
            with pytest.raises(RVHError):
                call(keys)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("rows", [None, np.array([4, 0])])
@pytest.mark.parametrize("dtype", [np.int8, np.float64, "m8[s]"])
def test_a_dtype_of_integers_that_is_set_afterwards(dtype: Any, rows: Any) -> None:
    ring = ketama(["a", "b"], integers="text")
    for way in ("text", "int32_be", "int64_le"):
        keys = KeyColumn(Kind.INTEGERS, np.arange(6), rows=rows)
        keys.values.dtype = dtype
        if rows is not None and dtype is np.int8:  # in range, and numbers
            assert len(ring.with_integers(way).lookup_batch(keys)) == len(rows)
            continue
        for call in (ring.with_integers(way).arglookup_batch, ring.with_integers(way).token_batch):
            with pytest.raises(RVHError, match="the keys were changed"):
                call(keys)


def test_a_second_init_changes_nothing() -> None:
    inner = column(["a", "b", "c"])
    for kind, values, arguments in (
        (Kind.SPANS, words(b"a", b"bc"), (BYTES[:1], np.array([0, 1]))),
        (Kind.VIEWS, Views(VIEW, [BYTES]), (LONG, [])),
        (Kind.CHUNKS, Chunks([inner, column(["d"])]), ([column(["e"] * 99)],)),
        (Kind.CHUNKS, Chunks([inner, column(["d"])]), ([],)),
        (Kind.CODES, Codes(inner, np.array([2, 1])), (column(["e"]), np.array([0] * 99))),
    ):
        keys = KeyColumn(kind, values)
        before = use(keys)
        values.__init__(*arguments)  # type: ignore[misc]
        assert use(keys) == before


def test_subclasses_are_no_columns() -> None:
    class Liar(KeyColumn):
        kind = Kind.SPANS  # type: ignore[assignment]
        values = BYTES

        def __len__(self) -> int:
            return FAR

    liar = object.__new__(Liar)
    with pytest.raises(RVHTypeError):
        SET.select_batch(liar)
    with pytest.raises(RVHTypeError, match="no subclasses"):
        Liar(Kind.OBJECTS, ["a"])

    class Wrong(Spans):
        @property
        def offsets(self) -> Any:
            return np.array([0, FAR])

    with pytest.raises((RVHTypeError, AttributeError)):
        KeyColumn(Kind.SPANS, Wrong(BYTES, np.array([0, 1])))


@pytest.mark.parametrize(
    "again", [lambda o: pickle.loads(pickle.dumps(o)), copy.copy, copy.deepcopy]
)
def test_copies(again: Callable[[Any], Any]) -> None:
    halves = pa.chunked_array([["a", "b"], ["c"]])
    for keys in (
        compose_keys(["a", "b"], 1),
        column(["a", 7, b"x"]),
        column(np.arange(5)[::-2]),
        column(pa.array(["a", "a much longer text"], pa.string_view())),
        column(pa.array(["a", "b", "a"]).dictionary_encode()),
        column(halves),
        column(np.arange(5)).take(np.array([1, 3])),
        column(np.zeros(2, "V3")),
    ):
        found = again(keys)
        assert found.kind is keys.kind
        assert use(found) == use(keys)


def test_a_pickle_is_checked() -> None:
    data = pickle.dumps(KeyColumn(Kind.SPANS, words(b"abc", b"defg")), protocol=0)
    offsets = np.array([0, 3, 7]).tobytes()
    good = pickle.dumps(KeyColumn(Kind.SPANS, words(b"abc", b"defg")))
    assert data
    assert offsets in good
    with pytest.raises(RVHError, match="not beyond the 7 bytes"):
        pickle.loads(good.replace(offsets, np.array([0, 3, FAR]).tobytes()))


# -- lists ----------------------------------------------------------------------------------------


def changed_meanwhile(
    change: Callable[[list[Any]], object],
) -> Iterator[tuple[Any, threading.Thread]]:
    keys: list[Any] = [f"user:{n}" for n in range(200_000)]
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            change(keys)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield keys, thread
    finally:
        stop.set()
        thread.join()


@pytest.mark.parametrize(
    "call",
    [
        lambda keys: SET.argselect_batch(keys, threads=2),
        lambda keys: SET.score_batch(keys),
        lambda keys: SET.select_arrow(keys).indices,
        lambda keys: jump_batch(keys, 99),
        lambda keys: list(compose_keys(keys, 1).iter_bytes()),
    ],
)
def test_a_list_that_grows_and_shrinks(call: Callable[[Any], Any]) -> None:
    # Whatever the moment: all rows of the list as it was, or the error about it.
    def change(keys: list[Any]) -> None:
        keys.append("more")
        del keys[-1]

    sizes = {200_000, 200_001}
    for keys, _ in changed_meanwhile(change):
        for _ in range(3 if rvh.backend() == "native" else 1):
            try:
                assert len(call(keys)) in sizes
            except RVHError as error:
                assert "were changed while they were read" in str(error)  # noqa: PT017


def test_a_list_that_got_shorter_or_longer() -> None:
    for change in (
        lambda keys: keys.pop(),
        lambda keys: keys.append("x"),
        lambda keys: keys.clear(),
    ):
        keys = ["a", "b", "c"]
        held = column(keys)
        change(keys)
        for call in (SET.argselect_batch, SET.select_arrow, lambda c: compose_keys(c, 1)):
            with pytest.raises(RVHError, match="were changed while they were read"):
                call(held)
        with pytest.raises(RVHError, match="were changed while they were read"):
            SET.argselect_batch(held.take(np.array([0, 2])))


def lying(of: type[Any], **methods: Any) -> Any:
    return type("Liar", (of,), methods)(["a", "b"])


LIARS = {
    "iterates as empty": lambda of: lying(of, __iter__=lambda self: iter(())),
    "iterates over more": lambda of: lying(of, __iter__=lambda self: iter("abc")),
    "too long": lambda of: lying(of, __len__=lambda self: 5),
    "too short": lambda of: lying(of, __len__=lambda self: 1),
    "empty": lambda of: lying(of, __len__=lambda self: 0),
}


@pytest.mark.parametrize("of", [list, tuple])
@pytest.mark.parametrize("lie", LIARS)
def test_a_list_that_is_of_two_minds(lie: str, of: type[Any]) -> None:
    liar = LIARS[lie](of)
    nodes = GeoSet(SET, ["u0", "u1", "gc"])
    for call in (
        rvh.NodeSet,
        SET.select_batch,
        SET.select_arrow,
        SET.score_batch,
        lambda keys: jump_batch(keys, 9),
        lambda keys: compose_keys(keys, 1),
        lambda keys: nodes.select_batch(["x", "y"], geohash=keys),
        lambda keys: rvh.NodeSet(["a", "b"]).add(keys),
    ):
        with pytest.raises(RVHError):
            call(liar)


def test_an_honest_subclass() -> None:
    class Doubled(list[str]):
        """Lazy: what it gives is made when it is asked for."""

        def __iter__(self) -> Iterator[str]:
            return (f"{value}{value}" for value in super().__iter__())

    keys = Doubled(["a", "b"])
    assert SET.select_batch(keys).tolist() == SET.select_batch(["aa", "bb"]).tolist()
    assert list(rvh.NodeSet(keys)) == ["aa", "bb"]
