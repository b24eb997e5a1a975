"""Arrow data that are not what they say: an error that names what is wrong, and everything is
released; never a crash."""

from __future__ import annotations

import gc
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from arrow_forged import Array, ArrayExporter, Exporter, Forge, StreamExporter

import rvh

NODES = rvh.NodeSet(["alpha", "beta", "gamma"])
GOOD = ["ann", "bob", "cy"]
OFFSETS = struct.pack("=4i", 0, 3, 6, 8)


def text(forge: Forge, **fields: Any) -> Exporter:
    return forge.exporter(forge.schema(b"u"), strings(forge, **fields))


def strings(forge: Forge, **fields: Any) -> Array:
    """Good strings, of whose struct the given fields are replaced."""
    array = forge.strings(GOOD)
    for field, value in fields.items():
        setattr(array, field, value)
    return array


def plain(format_: bytes | None, length: int, *buffers: Any, **fields: Any) -> Any:
    return lambda f: f.exporter(f.schema(format_), f.array(length, buffers, **fields))


def coded(codes: list[int], categories: Any = GOOD, **fields: Any) -> Any:
    def make(forge: Forge) -> Exporter:
        schema = forge.schema(b"l", dictionary=forge.schema(b"u"))
        dictionary = None if categories is None else forge.strings(categories)
        data = np.array(codes, np.int64).tobytes()
        return forge.exporter(
            schema, forge.array(len(codes), [None, data], dictionary=dictionary, **fields)
        )

    return make


def runs(ends: list[int | None], length: int, of: bytes = b"l", **fields: Any) -> Any:
    def make(forge: Forge) -> Exporter:
        schema = forge.schema(b"+r", [forge.schema(of), forge.schema(b"u")])
        children = [forge.numbers(ends), forge.strings(GOOD)]
        return forge.exporter(schema, forge.array(length, [], children, **fields))

    return make


def view(size: int, buffer: int = 0, at: int = 0, sizes: tuple[int, ...] = (20,)) -> Any:
    """Two good views and one that is given, with buffers of 20 bytes that claim to have `sizes`."""
    views = struct.pack("=i12s", 3, b"ann") + struct.pack("=i4sii", 20, b"0123", 0, 0)
    views += struct.pack("=i4sii", size, b"0123", buffer, at)
    claims = struct.pack(f"={len(sizes)}q", *sizes)
    return plain(b"vu", 3, None, views, *([b"0123456789" * 2] * len(sizes)), claims)


def struct_of(count: int, missing: bool = False) -> Any:
    def make(forge: Forge) -> Exporter:
        schema = forge.schema(
            b"+s", [forge.schema(b"u", name=b"ab"[n : n + 1]) for n in range(count)]
        )
        children: list[Array | None] = [forge.strings(GOOD) for _ in range(count)]
        return forge.exporter(schema, forge.array(3, [None], [None] if missing else children))

    return make


def nested(forge: Forge) -> Exporter:
    schema, array = forge.schema(b"u"), forge.strings(GOOD)
    for _ in range(40):
        schema, array = forge.schema(b"+s", [schema]), forge.array(3, [None], [array])
    return forge.exporter(schema, array)


def stream(forge: Forge, *arrays: Any, schema: Any = None, **fields: Any) -> Exporter:
    return forge.exporter(forge.stream(schema or forge.schema(b"u"), arrays, **fields))


CASES: dict[str, tuple[Callable[[Forge], Exporter], list[str]]] = {
    "no format": (plain(None, 1, None, b"abcdefgh"), ["no format"]),
    "an empty format": (plain(b"", 1, None, b"abcdefgh"), ["format ''"]),
    "an unknown format": (plain(b"?", 1, None, b"abcdefgh"), ["format '?'", "cast"]),
    "a format that is not UTF-8": (plain(b"\xff\xfe", 1, None, b"abcdefgh"), ["format", "cast"]),
    "a width that is not a number": (plain(b"w:x", 1, None, b"abcdefgh"), ["w:x"]),
    "a negative width": (plain(b"w:-8", 1, None, b"abcdefgh"), ["w:-8"]),
    "a negative length": (lambda f: text(f, length=-1), ["length of -1"]),
    "a negative offset": (lambda f: text(f, offset=-1), ["offset of -1"]),
    "a length beyond memory": (lambda f: text(f, length=1 << 60), ["elements"]),
    "an offset beyond memory": (lambda f: text(f, offset=1 << 60), ["elements"]),
    "too few nulls": (lambda f: text(f, null_count=-2), ["-2 nulls"]),
    "more nulls than elements": (lambda f: text(f, null_count=4), ["4 nulls"]),
    "nulls and no bitmap": (lambda f: text(f, null_count=1), ["1 nulls", "nothing says where"]),
    "no buffers": (lambda f: text(f, buffers=None), ["buffers"]),
    "too few buffers": (lambda f: text(f, n_buffers=2), ["2 buffers", "3"]),
    "a negative number of buffers": (lambda f: text(f, n_buffers=-1), ["-1 buffers"]),
    "no offsets": (plain(b"u", 3, None, None, b"annbobcy"), ["buffer 1", "missing"]),
    "no data": (plain(b"u", 3, None, OFFSETS, None), ["buffer 2", "missing"]),
    "no integers": (plain(b"l", 3, None, None), ["buffer 1", "missing"]),
    "no fixed-size bytes": (plain(b"w:4", 3, None, None), ["buffer 1", "missing"]),
    "offsets that go back": (
        plain(b"u", 3, None, struct.pack("=4i", 0, 5, 3, 8), b"annbobcy"),
        ["element 1", "5 to 3"],
    ),
    "a negative offset of an element": (
        plain(b"u", 3, None, struct.pack("=4i", -4, 3, 6, 8), b"annbobcy"),
        ["element 0", "-4"],
    ),
    "large offsets that go back": (
        plain(b"U", 2, None, struct.pack("=3q", 0, 1 << 40, 8), b"annbobcy"),
        ["element 1"],
    ),
    "a code that is too large": (coded([0, 1, 3]), ["code 3", "3 categories"]),
    "a negative code": (coded([0, -1, 2]), ["code -1"]),
    "codes without categories": (coded([0], []), ["code 0", "0 categories"]),
    "no dictionary": (coded([0, 1], None), ["dictionary is missing"]),
    "run ends that stand still": (runs([1, 1, 3], 3), ["do not ascend"]),
    "run ends that begin at 0": (runs([0, 1, 3], 3), ["do not ascend"]),
    "null run ends": (runs([1, None, 3], 3), ["ascend"]),
    "runs that are too short": (runs([1, 2, 3], 4), ["before element 4"]),
    "too few run ends": (runs([1, 3], 3), ["one for each run"]),
    "run ends of text": (runs([1, 2, 3], 3, of=b"u"), ["run ends"]),
    "a run-end column without children": (runs([1, 2, 3], 3, n_children=0), ["0 children"]),
    "a size below 0": (view(-5), ["position 2", "view"]),
    "a buffer that is not there": (view(13, buffer=1), ["position 2", "view"]),
    "a buffer below 0": (view(13, buffer=-1), ["position 2", "view"]),
    "a view beyond its buffer": (view(13, at=8), ["position 2", "view"]),
    "a view that begins below 0": (view(13, at=-1), ["position 2", "view"]),
    "a buffer of less than nothing": (view(3, sizes=(-20,)), ["-20 bytes"]),
    "no columns": (struct_of(0), ["0 columns"]),
    "two columns": (struct_of(2), ["2 columns", "'a', 'b'", "compose_keys"]),
    "a child that is missing": (struct_of(1, missing=True), ["missing"]),
    "types without end": (nested, ["nested"]),
    "an array of a float": (plain(b"g", 1, None, b"abcdefgh"), ["double", "cast"]),
    "a schema that fails": (lambda f: stream(f, schema=5), ["error 5", "on fire"]),
    "an array that fails": (
        lambda f: stream(f, f.strings(GOOD), 22),
        ["error 22", "the disk is on fire"],
    ),
    "a failure without a reason": (lambda f: stream(f, 22, reason=None), ["error 22", "not say"]),
    "a stream without get_next": (lambda f: stream(f, get_next=None), ["no get_next"]),
    "a second chunk that is damaged": (
        lambda f: stream(f, f.strings(GOOD), strings(f, length=-1)),
        ["length of -1"],
    ),
    "a tuple of one": (lambda f: ArrayExporter((f.capsule(f.schema(b"u")),)), ["arrow_array"]),
    "no capsule": (lambda f: StreamExporter(object()), ["arrow_array_stream", "object"]),
    "a capsule of another name": (
        lambda f: StreamExporter(f.capsule(f.strings(GOOD))),
        ["arrow_array_stream"],
    ),
    "nothing to give": (lambda f: StreamExporter.__new__(StreamExporter), ["__arrow_c_stream__"]),
}  # fmt: skip


#: cases whose capsules are not those that were asked for, so that nothing is taken out of them
UNTAKEN = ("a tuple of one", "a capsule of another name")


@pytest.mark.parametrize("case", CASES)
def test_it_is_an_error(case: str) -> None:
    make, words = CASES[case]
    for call in (NODES.select_batch, NODES.select_arrow, lambda keys: rvh.NodeSet(keys)):
        forge = Forge()
        with pytest.raises(rvh.RVHError) as caught:
            call(make(forge))
        if call != NODES.select_batch:
            continue
        for word in words:
            assert word in str(caught.value), str(caught.value)


@pytest.mark.parametrize("case", CASES)
def test_everything_is_released_while_the_error_is_still_held(case: str) -> None:
    make, _ = CASES[case]
    forge = Forge()
    source = make(forge)
    with pytest.raises(rvh.RVHError) as caught:
        NODES.select_batch(source)
    del source
    if case in UNTAKEN:  # the traceback holds the capsule, whose destructor releases it
        del caught
        gc.collect()
    forge.check()


def test_a_capsule_that_was_taken_before() -> None:
    forge = Forge()
    capsules = forge.capsule(forge.schema(b"u")), forge.capsule(forge.strings(GOOD))
    assert NODES.select_batch(ArrayExporter(capsules)).tolist() == NODES.select_batch(GOOD).tolist()
    with pytest.raises(rvh.RVHError, match="taken before"):
        NODES.select_batch(ArrayExporter(capsules))
    forge.check()


@pytest.mark.parametrize("destructor", [True, False])
def test_answers_are_right_and_everything_is_released(destructor: bool) -> None:
    forge = Forge()
    arrays = forge.schema(b"u"), forge.strings(GOOD)
    found = NODES.select_batch(forge.exporter(*arrays, destructor=destructor))
    assert found.tolist() == NODES.select_batch(GOOD).tolist()
    forge.check()
    chunks = forge.stream(forge.schema(b"u"), [forge.strings(GOOD), forge.strings(["dee", None])])
    answer = NODES.select_arrow(forge.exporter(chunks, destructor=destructor), k=2)
    assert answer.valid is not None
    assert answer.valid.tolist() == [True, True, True, True, False]
    expected = NODES.argselect_batch([*GOOD, "dee"], 2)
    assert answer.indices.tolist() == [*expected.tolist(), [0, 0]]
    forge.check()


def test_unknown_null_count() -> None:
    forge = Forge()
    keys = forge.strings(["ann", None, "cy"], null_count=-1)
    with pytest.raises(rvh.RVHTypeError, match="null at position 1"):
        NODES.select_batch(forge.exporter(forge.schema(b"u"), keys))
    forge.check()


def test_it_is_released_with_the_column() -> None:
    forge = Forge()
    kept = rvh.keys.column(text(forge))
    assert [name for name in forge.released if name.startswith("Array")] == []
    assert NODES.select_batch(kept).tolist() == NODES.select_batch(GOOD).tolist()
    del kept
    forge.check()


def test_bytes_that_stand_for_something_else() -> None:
    bools = pa.ExtensionArray.from_storage(pa.bool8(), pa.array([0, 1], pa.int8()))
    with pytest.raises(rvh.RVHTypeError, match="bool8"):
        NODES.select_batch(bools)
    polars = pytest.importorskip("polars", reason="polars is not installed")
    with pytest.raises(rvh.RVHTypeError, match="Object"):
        NODES.select_arrow(polars.Series([object()]))


# -- damaged files, which pyarrow reads as they are -----------------------------------------------


def damaged(type_: pa.DataType, right: bytes, wrong: bytes) -> pa.Table:
    """Three texts as pyarrow reads them from an IPC file with a few other bytes."""
    column = pa.chunked_array([pa.array(GOOD).cast(type_)])
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, pa.schema({"key": type_})) as file:
        file.write_table(pa.table({"key": column}))
    data = sink.getvalue().to_pybytes()
    assert data.count(right) == 1
    return pa.ipc.open_file(pa.py_buffer(data.replace(right, wrong))).read_all()


FORMS: dict[str, Callable[[pa.Table], Any]] = {
    "a table": lambda table: table,
    "a record batch": lambda table: table.to_batches()[0],
    "a chunked array": lambda table: table.column(0),
    "an array": lambda table: table.column(0).chunk(0),
    "a slice": lambda table: table.column(0).chunk(0).slice(2),
    "a reader": lambda table: table.to_reader(),
    "pandas": lambda table: pd.Series(table.column(0), dtype=pd.ArrowDtype(table.column(0).type)),
}


@pytest.mark.parametrize("form", FORMS)
def test_offsets_beyond_the_data_of_a_damaged_file(form: str) -> None:
    for type_, width in ((pa.string(), "4i"), (pa.large_binary(), "4q")):
        right = struct.pack(f"={width}", 0, 3, 6, 8)
        table = damaged(type_, right, struct.pack(f"={width}", 0, 3, 6, 1 << 28))
        for call in (NODES.select_batch, NODES.select_arrow, rvh.NodeSet):
            with pytest.raises(rvh.RVHError, match="binary offsets"):
                call(FORMS[form](table))


@pytest.mark.parametrize("form", FORMS)
def test_a_file_that_is_not_damaged(form: str) -> None:
    right = struct.pack("=4i", 0, 3, 6, 8)
    found = NODES.select_batch(FORMS[form](damaged(pa.string(), right, right)))
    assert found.tolist() == NODES.select_batch(GOOD).tolist()[-len(found) :]
