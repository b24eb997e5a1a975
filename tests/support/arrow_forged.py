"""Arrow exporters whose structs a test fills as it likes, and that count what is released.

Made with ctypes and two documents alone, so that rvh's structs are not tested by themselves:
https://arrow.apache.org/docs/format/CDataInterface.html and .../CStreamInterface.html
"""

from __future__ import annotations

import ctypes
from collections import Counter
from collections.abc import Sequence
from ctypes import CFUNCTYPE, PYFUNCTYPE, c_char_p, c_int, c_int64, c_void_p, py_object, pythonapi
from typing import Any


class Schema(ctypes.Structure):
    _fields_ = (
        ("format", c_char_p),
        ("name", c_char_p),
        ("metadata", c_char_p),
        ("flags", c_int64),
        ("n_children", c_int64),
        ("children", c_void_p),
        ("dictionary", c_void_p),
        ("release", c_void_p),
        ("private_data", c_void_p),
    )


class Array(ctypes.Structure):
    _fields_ = (
        ("length", c_int64),
        ("null_count", c_int64),
        ("offset", c_int64),
        ("n_buffers", c_int64),
        ("n_children", c_int64),
        ("buffers", c_void_p),
        ("children", c_void_p),
        ("dictionary", c_void_p),
        ("release", c_void_p),
        ("private_data", c_void_p),
    )


class Stream(ctypes.Structure):
    _fields_ = (
        ("get_schema", c_void_p),
        ("get_next", c_void_p),
        ("get_last_error", c_void_p),
        ("release", c_void_p),
        ("private_data", c_void_p),
    )


NAMES = {Schema: b"arrow_schema", Array: b"arrow_array", Stream: b"arrow_array_stream"}
RELEASE = CFUNCTYPE(None, c_void_p)
GET = CFUNCTYPE(c_int, c_void_p, c_void_p)
LAST_ERROR = CFUNCTYPE(c_void_p, c_void_p)
DESTRUCTOR = PYFUNCTYPE(None, c_void_p)

new_capsule = PYFUNCTYPE(py_object, c_void_p, c_char_p, c_void_p)(("PyCapsule_New", pythonapi))


def address(function: Any) -> int | None:
    return ctypes.cast(function, c_void_p).value


_forever: list[Any] = []  # a callback may be called as long as anybody has a struct


class Forge:
    """Makes structs, and knows which were handed out and how often each was released.

    What a struct points to is kept here, and overwritten when the struct is released: who still
    reads it gets something else.
    """

    def __init__(self) -> None:
        self.handed: Counter[str] = Counter()  # structs that somebody else is to release
        self.released: Counter[str] = Counter()
        self._made: dict[int, tuple[str, list[Any]]] = {}  # by address: a name, and its parts
        self._kept: list[Any] = []
        _forever.append(self._kept)

    def check(self) -> None:
        """Each struct that was handed out was released once, and no other was."""
        assert self.released == self.handed
        assert max(self.released.values(), default=1) == 1

    # -- structs ----------------------------------------------------------------------------------

    def schema(
        self,
        format_: bytes | None,
        children: Sequence[Schema | None] = (),
        dictionary: Schema | None = None,
        name: bytes | None = b"",
        **fields: Any,
    ) -> Schema:
        """A schema; `fields` replace what would be right."""
        return self._filled(Schema(format_, name, None, 2), children, dictionary, [], fields)

    def array(
        self,
        length: int,
        buffers: Sequence[bytes | int | None] = (),
        children: Sequence[Array | None] = (),
        dictionary: Array | None = None,
        **fields: Any,
    ) -> Array:
        """An array; a buffer is bytes, an address or None (NULL)."""
        memory = [(ctypes.c_char * len(each)).from_buffer_copy(each) if isinstance(each, bytes)
                  else each for each in buffers]  # fmt: skip
        places = [ctypes.addressof(each) if isinstance(each, ctypes.Array) else each
                  for each in memory]  # fmt: skip
        pointers = (c_void_p * max(1, len(places)))(*places)
        self._kept.append(pointers)
        struct = Array(length, 0, 0, len(buffers), 0, ctypes.addressof(pointers))
        return self._filled(struct, children, dictionary, memory, fields)

    def _filled(
        self, struct: Any, children: Sequence[Any], dictionary: Any, memory: list[Any], fields: Any
    ) -> Any:
        places = [None if each is None else ctypes.addressof(each) for each in children]
        pointers = (c_void_p * max(1, len(places)))(*places)
        self._kept.append(pointers)
        struct.n_children = len(children)
        struct.children = ctypes.addressof(pointers) if children else None
        struct.dictionary = None if dictionary is None else ctypes.addressof(dictionary)
        parts = [each for each in (*children, dictionary) if each is not None]
        return self._releasable(struct, parts, memory, fields)

    def _releasable(self, struct: Any, parts: list[Any], memory: list[Any], fields: Any) -> Any:
        kind = type(struct)
        name = f"{kind.__name__} {len(self._made)}"

        def release(at: int) -> None:
            self.released[name] += 1
            for part in parts:
                if part.release:
                    RELEASE(part.release)(ctypes.addressof(part))
            for each in memory:
                if isinstance(each, ctypes.Array):
                    ctypes.memset(each, 0xA5, len(each))
            kind.from_address(at).release = None

        function = RELEASE(release)
        struct.release = address(function)
        self._made[ctypes.addressof(struct)] = name, parts
        self._kept += [struct, memory, function]
        for field, value in fields.items():
            setattr(struct, field, value)
        return struct

    def _hand_out(self, struct: Any) -> None:
        name, parts = self._made[ctypes.addressof(struct)]
        if struct.release:
            self.handed[name] += 1
            for part in parts:
                self._hand_out(part)

    def stream(
        self,
        schema: Schema | int,
        arrays: Sequence[Array | int],
        reason: bytes | None = b"the disk is on fire",
        **fields: Any,
    ) -> Stream:
        """A stream; a number in the place of a struct is the errno that is returned there."""
        left = list(arrays)
        text = None if reason is None else ctypes.create_string_buffer(reason)

        def given(struct: Any, to: int) -> int:
            if isinstance(struct, int):
                return struct
            ctypes.memmove(to, ctypes.addressof(struct), ctypes.sizeof(struct))
            self._hand_out(struct)
            return 0

        def get_schema(_: int, to: int) -> int:
            return given(schema, to)

        def get_next(_: int, to: int) -> int:
            return given(left.pop(0) if left else self._end, to)

        def get_last_error(_: int) -> int | None:
            return None if text is None else ctypes.addressof(text)

        functions = [GET(get_schema), GET(get_next), LAST_ERROR(get_last_error)]
        self._kept += [functions, text, schema, *arrays]
        return self._releasable(Stream(*map(address, functions)), [], [], fields)

    @property
    def _end(self) -> Array:
        return self.array(0, release=None)

    # -- capsules and their objects ---------------------------------------------------------------

    def capsule(self, struct: Any, name: bytes | None = None, destructor: bool = True) -> object:
        """A capsule; its destructor releases what nobody took."""
        self._hand_out(struct)
        called = ctypes.create_string_buffer(name or NAMES[type(struct)])

        def destroy(_: int) -> None:
            if struct.release:
                RELEASE(struct.release)(ctypes.addressof(struct))

        function = DESTRUCTOR(destroy)
        self._kept += [called, function]
        return new_capsule(
            ctypes.addressof(struct),
            ctypes.cast(called, c_char_p),
            address(function) if destructor else None,
        )

    def exporter(self, *structs: Any, destructor: bool = True) -> Exporter:
        """An object with the Arrow method for a stream, or for a schema and an array."""
        give = tuple(self.capsule(struct, destructor=destructor) for struct in structs)
        return StreamExporter(give[0]) if len(structs) == 1 else ArrayExporter(give)

    # -- columns as they should be ----------------------------------------------------------------

    def strings(self, values: Sequence[str | bytes | None], **fields: Any) -> Array:
        """An array of the format "u", or "z"."""
        data = [each.encode() if isinstance(each, str) else each or b"" for each in values]
        offsets = b"".join(
            sum(map(len, data[:n])).to_bytes(4, "little") for n in range(len(data) + 1)
        )
        joined = b"".join(data) or b"\0"
        return self.array(len(data), [bitmap(values), offsets, joined],
                          **{"null_count": list(values).count(None), **fields})  # fmt: skip

    def numbers(self, values: Sequence[int | None], size: int = 8, **fields: Any) -> Array:
        """An array of signed integers of so many bytes."""
        data = b"".join((each or 0).to_bytes(size, "little", signed=True) for each in values)
        return self.array(len(values), [bitmap(values), data or b"\0"],
                          **{"null_count": list(values).count(None), **fields})  # fmt: skip


class Exporter:
    """Gives its capsules away once, and keeps none."""

    def __init__(self, given: Any) -> None:
        self._given = [given]
        self.asked = 0

    def _give(self) -> Any:
        self.asked += 1
        return self._given.pop()


class ArrayExporter(Exporter):
    def __arrow_c_array__(self, requested_schema: object = None) -> Any:
        return self._give()


class StreamExporter(Exporter):
    def __arrow_c_stream__(self, requested_schema: object = None) -> Any:
        return self._give()


def bitmap(values: Sequence[object]) -> bytes | None:
    """Which values are not None, as Arrow writes it; None where all are."""
    if None not in values:
        return None
    bits = sum(1 << n for n, each in enumerate(values) if each is not None)
    return bits.to_bytes(len(values) // 8 + 1, "little")
