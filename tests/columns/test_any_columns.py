"""Columns of any content: every call fails, or has the answers of the elements one by one.

`nox -s asan -- tests/columns/test_any_columns.py` runs this where a sanitizer sees each byte that
is read beyond a column's memory; `--hypothesis-profile=wide` draws more of them.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from arrow_forged import Forge
from hypothesis import given
from hypothesis import strategies as st

import rvh
from rvh.keys import column
from rvh.multi import compose_keys

NODES = rvh.NodeSet([f"n{i}" for i in range(7)], scheme="murmur")
INTEGERS = dict(zip("cCsSiIlL", [1, 1, 2, 2, 4, 4, 8, 8], strict=True))

seeds = given(st.integers(0, 2**64 - 1))


def check(make: Callable[[], Any]) -> None:
    """Compare what C reads of a column with what Python reads of it, or all calls fail."""
    try:
        read = column(make())
        elements = list(read.iter_bytes())
    except rvh.RVHError:
        for call in (NODES.select_batch, compose_keys, rvh.NodeSet):
            with pytest.raises(rvh.RVHError):
                call(make())
        return
    expected = NODES.argselect_batch(elements, 2).tolist()
    assert NODES.argselect_batch(read, 2).tolist() == expected
    assert NODES.argselect_batch(make(), 2, dedupe=True).tolist() == expected
    parts = compose_keys(read.slice(0, len(read)), "x")
    assert list(compose_keys(read, "x").iter_bytes()) == list(parts.iter_bytes())
    rows = np.flatnonzero(np.arange(len(read)) % 3 != 1)
    found = NODES.argselect_batch(read.take(rows), 2).tolist()
    assert found == [expected[row] for row in rows]


def make_arrow(chance: random.Random, forge: Forge, depth: int = 0) -> tuple[Any, Any]:
    """A schema and an array: its buffers are as long as it says, with almost anything in them."""
    room = chance.randrange(10)  # elements that there is memory for
    first = chance.randint(0, room)
    length = chance.choice([room - first] * 4 + [chance.randint(-1, room - first)])
    bitmap = chance.choice([None, None, chance.randbytes(3)])
    fields = {"offset": first, "null_count": chance.choice([0, 0, -1, chance.randint(-2, 9)])}
    nested = ["dictionary", "run ends", "struct"] if depth < 2 else []
    kind = chance.choice([*"uZulL", *INTEGERS, "w:3", "vu", "vz", *nested])

    def array(*buffers: Any, children: Any = (), dictionary: Any = None) -> Any:
        return forge.array(length, buffers, children, dictionary, **fields)

    if kind in INTEGERS:
        return forge.schema(kind.encode()), array(bitmap, chance.randbytes(INTEGERS[kind] * room))
    if kind == "w:3":
        return forge.schema(b"w:3"), array(bitmap, chance.randbytes(3 * room))
    if kind in "uZ":
        text = "aé€😀".encode() * 2
        ends = [chance.randint(-(depth == 0), len(text)) for _ in range(room + 1)]
        if chance.random() < 0.8:
            ends = sorted(chance.choice([0, 1, 3, 6, 10, 11, 13, 16, 20]) for _ in ends)
        offsets = struct.pack(f"={room + 1}{'i' if kind == 'u' else 'q'}", *ends)
        return forge.schema(kind.encode()), array(bitmap, offsets, text)
    if kind.startswith("v"):
        sizes = [0, 3, 12, 13, 20]
        wild = (
            depth == 0 and chance.random() < 0.3
        )  # a wrong category is an error without a row too
        views = [
            struct.pack(
                "=i4sii", chance.choice([*sizes, *([-1, 21] * wild)]), b"0123",
                chance.randint(-wild, 1 + wild), chance.randint(-wild, 9 * wild),
            )
            for _ in range(room)
        ]  # fmt: skip
        data = (b"0123456789" * 2, b"a" * 20, struct.pack("=2q", 20, 20))
        return forge.schema(kind.encode()), array(bitmap, b"".join(views), *data)
    inner_schema, inner = make_arrow(chance, forge, depth + 1)
    if kind == "struct":
        return forge.schema(b"+s", [inner_schema]), array(bitmap, children=[inner])
    if kind == "dictionary":
        most = max(0, inner.length - 1) + (chance.random() < 0.1)
        codes = struct.pack(f"={room}i", *(chance.randint(0, most) for _ in range(room)))
        schema = forge.schema(b"i", dictionary=inner_schema)
        return schema, array(bitmap, codes, dictionary=inner)
    ends = sorted(chance.sample(range(1, 30), max(0, inner.length)))
    if chance.random() < 0.2:
        chance.shuffle(ends)
    run_ends = forge.numbers(ends, 4)
    schema = forge.schema(b"+r", [forge.schema(b"i"), inner_schema])
    return schema, array(children=[run_ends, inner])


@seeds
def test_arrow(seed: int) -> None:
    def make() -> Any:
        forge = Forge()
        forges.append(forge)
        return forge.exporter(*make_arrow(random.Random(seed), forge))

    forges: list[Forge] = []
    check(make)


TEXTS = ["", "a", "é" * 9]
OTHERS = [b"", b"\0\xff", bytearray(b"x"), 0, -(2**63)]
WRONG = ["\ud800", 2**64, 1.5, None]


def make_numpy(chance: random.Random) -> Any:
    """An array of any dtype that keys may have, with steps, backwards, and from any byte on."""
    count, step = chance.randrange(12), chance.choice([1, 1, 2, -1, -3])
    kind = chance.choice(["S", "U", "V", "i", "O", "T"])
    if kind == "T" and hasattr(np.dtypes, "StringDType"):
        return np.array(chance.choices(TEXTS, k=count), dtype=np.dtypes.StringDType())[::step]
    if kind in "OT":
        array = np.empty(count, dtype=object)
        array[:] = chance.choices(TEXTS + OTHERS + WRONG * (chance.random() < 0.2), k=count)
        return array[::step]
    order = chance.choice("<>")
    width = 2 ** chance.randrange(4) if kind == "i" else chance.randrange(1, 9)
    dtype = np.dtype(f"{order}{chance.choice('iu') if kind == 'i' else kind}{width}")
    gap, start = chance.randrange(3), chance.randrange(4)
    size = dtype.itemsize
    memory = bytearray(start + count * (size + gap))
    for at in range(start, len(memory), size + gap):
        if kind == "U":
            points = [chance.choice([0, 97, 233, 8364, 128512]) for _ in range(width)]
            if chance.random() < 0.05:
                points[0] = chance.choice([0xD800, 0x110000, 2**32 - 1])
            memory[at : at + size] = struct.pack(f"{order}{width}I", *points)
        else:
            memory[at : at + size] = bytes(chance.choice([0, 1, 97, 255]) for _ in range(size))
    array = np.ndarray((count,), dtype, memory, start, (size + gap,))
    return array[::step]


@seeds
def test_numpy(seed: int) -> None:
    check(lambda: make_numpy(random.Random(seed)))


@pytest.mark.parametrize("point", [0x110000, 0x7FFFFFFF, 2**32 - 1])
def test_code_points_above_the_last(point: int) -> None:
    """NumPy makes a str of some of them, whose UTF-8 would be bytes that are none."""
    texts = np.array([97, 128512, 0x10FFFF, point], np.uint32).view("U2")
    for keys in (texts, texts.astype(texts.dtype.newbyteorder()), texts[::-1][:1]):
        for call in (NODES.select_batch, NODES.select_arrow, compose_keys, rvh.NodeSet):
            with pytest.raises(rvh.RVHError, match=r"above U\+10FFFF"):
                call(keys)
