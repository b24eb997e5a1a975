"""The one place where values become bytes: node ids and keys of every accepted kind.

`KINDS` is the table of what is accepted; the documentation and the tests read it. `column`
sorts a caller's keys into one of its kinds without touching the elements; the backend then
walks the `KeyColumn` in blocks. The rules themselves are `docs/architecture.md`, "Bytes".
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise
from typing import Any

import numpy as np

from rvh.errors import RVHError, RVHTypeError, show

__all__ = [
    "KINDS",
    "KeyColumn",
    "Kind",
    "Spans",
    "check_unique",
    "column",
    "composite",
    "duplicate_id_error",
    "empty_id_error",
    "key_bytes",
    "key_word",
    "node_column",
    "object_array",
    "part_bytes",
    "part_too_long",
]

INT_MIN, INT_MAX = -(2**63), 2**64 - 1
PART_MAX = 2**32 - 1  # bytes of one str or bytes in a composite key: its length has 4 bytes


class Kind(IntEnum):
    """How the elements of a column are laid out (the native backend has one reader for each)."""

    OBJECTS = 0  # Python objects, one after the other
    BYTES = 1  # NumPy S
    STRINGS = 2  # NumPy U
    INTEGERS = 3  # NumPy integers
    SPANS = 4  # bytes one after another, and where each begins


#: (kind, what the caller passes, the bytes of one element)
KINDS: tuple[tuple[Kind, str, str], ...] = (
    (Kind.OBJECTS, "list, tuple or object array of str", "its UTF-8; a lone surrogate is an error"),
    (Kind.OBJECTS, "list, tuple or object array of bytes, bytearray, memoryview", "as they are"),
    (
        Kind.OBJECTS,
        "list, tuple or object array of int (any NumPy integer too)",
        "8 bytes, little-endian two's complement; -2^63 to 2^64-1",
    ),
    (Kind.BYTES, "NumPy S array", "as NumPy returns the element (trailing NULs are padding)"),
    (Kind.STRINGS, "NumPy U array, either byte order", "UTF-8 of what NumPy returns"),
    (
        Kind.INTEGERS,
        "NumPy integer array, any width, sign and byte order",
        "8 bytes, little-endian two's complement",
    ),
    (Kind.SPANS, "what rvh.multi.compose_keys returns", "the parts of the composite key, in order"),
)


class Spans:
    """Byte strings one after another: number i is ``data[offsets[i]:offsets[i + 1]]``.

    Parameters
    ----------
    data : ndarray of uint8
    offsets : ndarray of uint64, shape (M + 1,)
        Ascending. Both arrays become read-only: C reads them unchecked.
    """

    __slots__ = ("data", "offsets")

    def __init__(self, data: np.ndarray, offsets: np.ndarray) -> None:
        self.data = np.ascontiguousarray(data, dtype=np.uint8)
        self.offsets = np.ascontiguousarray(offsets, dtype=np.uint64)
        self.data.flags.writeable = False
        self.offsets.flags.writeable = False

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, part: slice) -> list[bytes]:
        start, stop, _ = part.indices(len(self))
        data = self.data.data
        return [bytes(data[a:b]) for a, b in pairwise(self.offsets[start : stop + 1].tolist())]

    def __repr__(self) -> str:
        return f"Spans({len(self)} keys, {self.data.nbytes} bytes)"

    def __reduce__(self) -> tuple[Any, ...]:
        return Spans, (self.data, self.offsets)  # read-only again where it is unpickled


@dataclass(frozen=True, slots=True)
class KeyColumn:
    """Values of one kind, not copied: ``values`` is the caller's own list or array."""

    kind: Kind
    values: Any
    what: str = "key"  # what an error calls one of them

    def __len__(self) -> int:
        return len(self.values)

    def slice(self, start: int, stop: int) -> list[Any]:
        """Elements ``start`` to ``stop`` as Python objects."""
        part = self.values[start:stop]
        if not isinstance(part, np.ndarray):
            part = list(part)
            if len(part) != stop - start:
                raise RVHError("the keys were changed while they were read")
            return part
        try:
            objects: list[Any] = part.tolist()
        except (SystemError, ValueError):  # a U element that holds no Unicode at all
            objects = [
                _numpy_str(element, f"{self.what} at position {position}")
                for position, element in enumerate(part.reshape(-1, 1), start)
            ]
        return objects

    def bytes_at(self, position: int) -> bytes:
        """The bytes of one element (the native backend asks here when its fast path declines)."""
        (value,) = self.slice(position, position + 1)
        return key_bytes(value, position, self.what)

    def part_at(self, position: int) -> bytes:
        """The bytes of one element as a part of a composite key."""
        (value,) = self.slice(position, position + 1)
        return part_bytes(value, position, self.what)

    def iter_bytes(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """The bytes of each element, a block at a time."""
        stop = len(self) if stop is None else stop
        for first in range(start, stop, 4096):
            last = min(first + 4096, stop)
            for position, value in enumerate(self.slice(first, last), first):
                yield key_bytes(value, position, self.what)

    def iter_words(self, start: int = 0, stop: int | None = None) -> Iterator[int]:
        """The word of each element (`key_word`), a block at a time."""
        stop = len(self) if stop is None else stop
        for first in range(start, stop, 4096):
            last = min(first + 4096, stop)
            for position, value in enumerate(self.slice(first, last), first):
                yield key_word(value, position, self.what)


def column(keys: Any, name: str = "keys") -> KeyColumn:
    """Classify a caller's keys.

    Parameters
    ----------
    keys : sequence of str, bytes or int, or one-dimensional array
        One of the kinds in `KINDS`. Anything else with ``__array__`` is converted by NumPy first.
    name : str
        What the messages call it.

    Raises
    ------
    RVHTypeError
        For one key instead of many, an unordered collection, or an array type without bytes.
    RVHError
        For arrays that are not one-dimensional.

    Examples
    --------
    >>> column(["a", "b"]).kind
    <Kind.OBJECTS: 0>
    >>> len(column(np.arange(3, dtype=">i2")))
    3
    """
    if isinstance(keys, KeyColumn):
        return keys
    if isinstance(keys, (list, tuple)):
        return KeyColumn(Kind.OBJECTS, keys)
    if isinstance(keys, (str, bytes, bytearray, memoryview)):
        raise RVHTypeError(
            f"{name} is one {type(keys).__name__} ({show(keys)}), not a sequence of keys: "
            "wrap it in a list, or use select(), rendezvous_hash() or jump_hash() for a single key"
        )
    if not isinstance(keys, np.ndarray):
        if hasattr(keys, "__array__"):
            keys = np.asarray(keys)
        elif isinstance(keys, Sequence):
            return KeyColumn(Kind.OBJECTS, list(keys))
        else:
            raise RVHTypeError(
                f"{name} is a {type(keys).__name__}: pass a list, a tuple or a one-dimensional "
                f"array, for example list({name})"
            )
    return _array_column(keys, name)


def _array_column(array: np.ndarray, name: str) -> KeyColumn:
    if array.ndim != 1:
        raise RVHError(
            f"{name} has shape {array.shape}: one dimension is needed; use {name}.ravel() for one "
            "an element, or a composite key for one key a row"
        )
    if np.ma.is_masked(array):
        position = int(np.flatnonzero(np.ma.getmaskarray(array))[0])
        raise RVHError(
            f"{name} has a masked element at position {position}, which has no bytes: "
            f"fill it, {name}.filled(...), or leave it out, {name}.compressed()"
        )
    array = np.asarray(array)  # matrix and other subclasses: plain indexing from here on
    match array.dtype.kind:
        case "S":
            return KeyColumn(Kind.BYTES, array)
        case "U":
            return KeyColumn(Kind.STRINGS, array)
        case "i" | "u":
            return KeyColumn(Kind.INTEGERS, array)
        case "O":
            return KeyColumn(Kind.OBJECTS, array)
    raise RVHTypeError(
        f"{name} is an array of {array.dtype}, which has no bytes of its own in rvh: "
        f"cast it first, for example {name}{_CASTS.get(array.dtype.kind, '.astype(str)')}"
    )


#: what to write behind the name of an array of that dtype kind
_CASTS = {
    "b": ".astype(np.int64)",
    "f": ".astype(np.int64) for whole numbers, or .astype(str)",
    "M": ".astype(np.int64) or .astype(str)",
    "m": ".astype(np.int64)",
    "T": ".astype('U') or .tolist()",
    "V": "['field'] for one field of it, or .view('S16') for raw bytes",
}


def key_bytes(value: Any, position: int | None = None, what: str = "key") -> bytes:
    r"""The bytes of one key, or an error that names its type, its position and the cast to use.

    Parameters
    ----------
    value : str, bytes-like or int
    position : int, optional
        Where the value stands in its column, for the message.
    what : str
        What the message calls the value.

    Raises
    ------
    RVHTypeError
        For bool, float, None and every other type without bytes in the contract.
    RVHError
        For a lone surrogate, and for an integer below -2^63 or above 2^64-1.

    Examples
    --------
    >>> key_bytes("é"), key_bytes(-1)
    (b'\xc3\xa9', b'\xff\xff\xff\xff\xff\xff\xff\xff')
    """
    where = f"the {what}" if position is None else f"{what} at position {position}"
    if isinstance(value, str):
        try:
            return str.encode(value, "utf-8")
        except UnicodeEncodeError as error:
            raise RVHError(
                f"{where} has a lone surrogate (U+{ord(value[error.start]):04X} at "
                f"character {error.start}) and so no UTF-8: {show(value)}; repair the text, or "
                "pass bytes, for example key.encode('utf-8', 'surrogatepass')"
            ) from None
    if type(value) is bytes:
        return value
    if isinstance(value, (bytes, bytearray, memoryview)):
        try:
            return memoryview(value).tobytes()  # the bytes themselves, whatever a subclass says
        except ValueError:
            raise RVHError(
                f"{where} is a released memoryview: pass it before its release"
            ) from None
    # NumPy's timedelta64 is a subclass of its integers.
    if isinstance(value, (int, np.integer)) and not isinstance(value, (bool, np.timedelta64)):
        number = int.__index__(value) if isinstance(value, int) else int(value)
        if INT_MIN <= number <= INT_MAX:
            return (number & INT_MAX).to_bytes(8, "little")
        raise RVHError(f"{where} is {show(value)}, outside -2^63 to 2^64-1: pass str(key) or bytes")
    if isinstance(value, (list, tuple, np.ndarray, set, dict)):
        advice = "keys have one dimension; for a key of several parts use a composite key"
    else:
        advice = "keys are str, bytes or int; cast it first, for example str(key) or int(key)"
    raise RVHTypeError(f"{where} is of type {_type_name(value)} ({show(value)}): {advice}")


def key_word(value: Any, position: int | None = None, what: str = "key") -> int:
    """A key as one 64-bit word, for hashes of integers such as jump hash.

    An integer is its 64 bits (two's complement); any other key is the first 8 bytes, big-endian,
    of the BLAKE2b-128 digest of its bytes.

    Parameters
    ----------
    value, position, what
        As for `key_bytes`, with the same errors.

    Examples
    --------
    >>> key_word(42), key_word(-1) == 2**64 - 1
    (42, True)
    >>> hex(key_word("obj"))
    '0x431f673805f91bc0'
    """
    data = key_bytes(value, position, what)
    if isinstance(value, (int, np.integer)):
        return int.from_bytes(data, "little")
    return int.from_bytes(hashlib.blake2b(data, digest_size=16).digest()[:8], "big")


def composite(*parts: Any) -> bytes:
    """One key of several parts, as the contract concatenates them.

    An integer part is its 8 bytes; a str or bytes part is its length as 4 bytes little-endian,
    then its bytes.

    Examples
    --------
    >>> composite("ab", 1).hex()
    '0200000061620100000000000000'
    """
    if not parts:
        raise RVHError("a composite key needs at least one part")
    return b"".join(
        part_bytes(part, position, "composite key's part") for position, part in enumerate(parts)
    )


def part_bytes(value: Any, position: int | None = None, what: str = "key") -> bytes:
    """The bytes of one value as a part of a composite key; parameters and errors of `key_bytes`.

    Examples
    --------
    >>> part_bytes("ab").hex(), part_bytes(1).hex()
    ('020000006162', '0100000000000000')
    """
    data = key_bytes(value, position, what)
    if isinstance(value, (int, np.integer)):
        return data
    if len(data) > PART_MAX:
        raise part_too_long(len(data), position, what)
    return len(data).to_bytes(4, "little") + data


def part_too_long(size: int, position: int | None, what: str) -> RVHError:
    """The error of every backend for a part whose length does not fit its 4 bytes."""
    where = f"the {what}" if position is None else f"{what} at position {position}"
    return RVHError(
        f"{where} has {size} bytes: a part of a composite key has at most {PART_MAX}; "
        "pass a digest of it, for example hashlib.blake2b(part).digest()"
    )


def node_column(ids: Any) -> tuple[KeyColumn, np.ndarray]:
    """Node ids as a column, and as the array in whose dtype answers are given.

    A list of only str becomes a ``U`` array and a list of only bytes an ``S`` array; where that
    would lose something (mixed types, trailing NULs) the array has dtype object.
    """
    if isinstance(ids, (str, bytes, bytearray)):
        raise RVHTypeError(
            f"nodes is one {type(ids).__name__} ({show(ids)}): pass a list of ids, "
            "for example ['node1', 'node2']"
        )
    if isinstance(ids, (set, frozenset, dict)) or not hasattr(ids, "__len__"):
        raise RVHTypeError(
            f"nodes is a {type(ids).__name__}: pass a list, a tuple or a one-dimensional array, "
            "for example sorted(nodes)"
        )
    nodes = column(ids, "nodes")
    if len(nodes) == 0:
        raise RVHError("there are no nodes: pass at least one node id")
    if nodes.kind is Kind.SPANS:
        raise RVHTypeError(
            "nodes is a column of composite keys: pass node ids, a list of non-empty str or bytes"
        )
    if nodes.kind is Kind.INTEGERS:
        raise RVHTypeError(
            f"nodes is an array of {nodes.values.dtype}: a node id is a non-empty str or bytes; "
            "cast it first, for example nodes.astype(str)"
        )
    if nodes.kind is Kind.OBJECTS:
        for position, value in enumerate(nodes.values):
            if not isinstance(value, (str, bytes)):
                raise RVHTypeError(
                    f"node id at position {position} is of type {_type_name(value)} "
                    f"({show(value)}): a node id is a non-empty str or bytes"
                )
        array = _answer_array(nodes.values)
        return KeyColumn(Kind.OBJECTS, list(nodes.values), "node id"), array
    array = nodes.values.copy()
    return KeyColumn(nodes.kind, array, "node id"), array


def check_unique(ids: Sequence[bytes]) -> None:
    """Refuse empty and repeated node ids."""
    if b"" in ids:
        raise empty_id_error(ids.index(b""))
    seen: dict[bytes, int] = {}
    for position, node in enumerate(ids):
        first = seen.setdefault(node, position)
        if first != position:
            raise duplicate_id_error(node, first, position)


def empty_id_error(position: int) -> RVHError:
    """The error of every backend for an empty node id."""
    return RVHError(
        f"node id at position {position} is empty: a node id is a non-empty str or bytes"
    )


def duplicate_id_error(node: bytes, first: int, second: int) -> RVHError:
    """The error of every backend for a node id that stands twice."""
    return RVHError(
        f"node id {show(node.decode('utf-8', 'backslashreplace'))} stands at positions {first} "
        f"and {second}: ids are unique in their set (a str and its UTF-8 bytes are the same id)"
    )


def _answer_array(values: Sequence[Any]) -> np.ndarray:
    if not isinstance(values, np.ndarray):
        for kinds, nul in (((str, np.str_), "\0"), ((bytes, np.bytes_), b"\0")):
            # NumPy would take trailing NULs for padding: such ids stay Python objects.
            if all(type(value) in kinds and value[-1:] != nul for value in values):
                return np.array(values)
    return object_array(values)


def object_array(values: Sequence[Any]) -> np.ndarray:
    """An array of dtype object, whatever the values are."""
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def _type_name(value: object) -> str:
    kind = type(value)
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"


def _numpy_str(element: np.ndarray, where: str) -> str:
    try:
        return str(element[0])
    except (SystemError, ValueError):
        raise RVHError(
            f"{where} holds a code point above U+10FFFF, so it is not text: "
            "repair the array it came from"
        ) from None
