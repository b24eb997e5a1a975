"""The bytes of one value: what `docs/architecture.md`, "Bytes", says, in Python."""

from __future__ import annotations

import sys
from binascii import hexlify
from collections.abc import Sequence
from itertools import pairwise
from numbers import Number
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np
from numpy.typing import NDArray

from rvh.errors import RVHError, RVHTypeError, show

if TYPE_CHECKING:
    import uuid

BLOCK = 1 << 14  # elements that are worked on at a time
COMPLEX = (complex, np.complexfloating)
INT_MIN, INT_MAX = -(2**63), 2**64 - 1
PART_MAX = 2**32 - 1  # bytes of one str or bytes in a composite key: its length has 4 bytes


def key_bytes(value: Any, position: int | None = None, what: str = "key") -> bytes:
    r"""The bytes of one key, or an error that names its type, its position and the cast to use.

    Parameters
    ----------
    value : str, bytes-like, int or uuid.UUID
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
        return buffer_bytes(value, where)
    # NumPy's timedelta64 is a subclass of its integers.
    if isinstance(value, (int, np.integer)) and not isinstance(value, (bool, np.timedelta64)):
        number = int.__index__(value) if isinstance(value, int) else int(value)
        if INT_MIN <= number <= INT_MAX:
            return (number & INT_MAX).to_bytes(8, "little")
        raise RVHError(f"{where} is {show(value)}, outside -2^63 to 2^64-1: pass str(key) or bytes")
    if is_uuid(value):
        return uuid_text(value).encode()
    if is_void(value):
        return value.tobytes()
    if isinstance(value, (list, tuple, np.ndarray, set, dict)):
        advice = "keys have one dimension; for a key of several parts use a composite key"
    elif isinstance(value, (float, np.floating)):
        advice = f"{READ_INTEGERS}, or pass str(key) if it is meant as that text"
    else:
        number = isinstance(value, (Number, np.bool_)) and not isinstance(value, COMPLEX)
        casts = "str(key) or int(key)" if number else "str(key)"
        advice = f"keys are str, bytes or int; cast it first, for example {casts}"
    raise RVHTypeError(f"{where} is of type {type_name(value)} ({show(value)}): {advice}")


#: what to do about a column of floats
READ_INTEGERS = (
    "read ids as integers where they come from (beyond 2^53 a float has lost their last digits, "
    "and no cast brings them back)"
)


def is_uuid(value: object) -> TypeGuard[uuid.UUID]:
    """Whether a value is one of Python's UUIDs, whose module takes longer to import than rvh's."""
    module = sys.modules.get("uuid")
    return module is not None and isinstance(value, module.UUID)


def is_void(value: object) -> TypeGuard[np.void]:
    """Whether a value is one of NumPy's blocks of bytes, without fields."""
    return isinstance(value, np.void) and type(value) is np.void and value.dtype.names is None


def is_whole(value: object) -> TypeGuard[int]:
    """Whether a value is a whole number, Python's or NumPy's: no bool, and no span of time.

    Examples
    --------
    >>> is_whole(np.uint8(3)), is_whole(True), is_whole(np.timedelta64(3, "s"))
    (True, False, False)
    """
    whole = isinstance(value, (int, np.integer))
    return whole and not isinstance(value, (bool, np.timedelta64))


def is_one_id(value: object) -> bool:
    """Whether a value is a node id, and not several."""
    return isinstance(value, (str, bytes)) or is_uuid(value) or is_void(value)


def plain_id(value: Any) -> Any:
    """A UUID as its text and a block of bytes as bytes; other values as they are."""
    if is_uuid(value):
        return uuid_text(value)
    return value.tobytes() if is_void(value) else value


def uuid_text(value: uuid.UUID) -> str:
    """The 36 characters of a UUID in lower case (RFC 9562), whatever a subclass says of itself."""
    digits = f"{value.int:032x}"
    return "-".join(digits[a:b] for a, b in pairwise((0, 8, 12, 16, 20, 32)))


#: the digits of a UUID in pieces that NumPy copies at once, and with what stands between them
DIGITS = np.dtype("u8,u4,u4,u4,u8,u4")
WRITTEN = np.dtype("u8,V1,u4,V1,u4,V1,u4,V1,u8,u4")
PLACES = {"f0": "f0", "f1": "f2", "f2": "f4", "f3": "f6", "f4": "f8", "f5": "f9"}


def uuid_texts(data: NDArray[np.uint8]) -> NDArray[Any]:
    """The texts of UUIDs, shape (M,) of 36 bytes each (dtype V36), from their 16 bytes, (M, 16).

    Examples
    --------
    >>> uuid_texts(np.arange(16, dtype=np.uint8).reshape(1, 16)).tobytes()
    b'00010203-0405-0607-0809-0a0b0c0d0e0f'
    """
    texts = np.full((len(data), 36), ord("-"), dtype=np.uint8)
    fields = texts.view(WRITTEN)[:, 0]
    for start in range(0, len(data), BLOCK):  # a signal waits for one of them
        digits = np.frombuffer(hexlify(data[start : start + BLOCK].data), DIGITS)
        for piece, place in PLACES.items():
            fields[place][start : start + BLOCK] = digits[piece]
    return texts.view("V36")[:, 0]


def buffer_bytes(value: Any, where: str) -> bytes:
    """The bytes of something bytes-like themselves, whatever a subclass says.

    Raises
    ------
    RVHError
        A memoryview that was released, or has not one dimension.
    """
    try:
        view = memoryview(value)
    except ValueError:
        raise RVHError(f"{where} is a released memoryview: pass it before its release") from None
    if view.ndim != 1:
        raise RVHError(
            f"{where} is a memoryview of {view.ndim} dimensions: pass its bytes, for example "
            "view.tobytes()"
        )
    return view.tobytes()


def is_byte_view(view: memoryview) -> bool:
    """Whether a memoryview is one of bytes, in a row; False for one that was released."""
    try:
        return view.format in ("B", "b", "c") and view.ndim == 1
    except ValueError:
        return False


def of_view(values: Any, name: str) -> Any:
    """The array over a memoryview, which Python itself reads in few formats; others as they are.

    Raises
    ------
    RVHError
        It was released, or has a format that NumPy does not know.
    """
    if not isinstance(values, memoryview):
        return values
    try:
        _ = values.format  # of one that was released NumPy makes an object
        return np.asarray(values)
    except ValueError as error:
        raise RVHError(f"{name} is a memoryview that cannot be read: {error}") from None


def elements_of(values: Sequence[Any], name: str) -> Sequence[Any]:
    """The elements of a sequence, itself where it is a plain list or tuple.

    Raises
    ------
    RVHError
        Its length and what it iterates over do not agree: which of them is meant?
    """
    if type(values) in (list, tuple):
        return values
    found = list(values)
    if len(found) != len(values):
        raise RVHError(
            f"{name} is a {type_name(values)} of length {len(values)}, which iterates over "
            f"{len(found)} elements: pass a plain list that is not changed meanwhile"
        )
    return found


def objects_of(array: NDArray[Any], what: str = "value", first: int = 0) -> list[Any]:
    """A one-dimensional array as Python objects; `what` and `first` are for the message.

    Raises
    ------
    RVHError
        An element of a U array is no Unicode at all.
    """
    try:
        objects: list[Any] = array.tolist()
    except (SystemError, ValueError):
        if array.dtype.kind != "U":
            raise
        return [
            _numpy_str(element, f"{what} at position {position}")
            for position, element in enumerate(array.reshape(-1, 1), first)
        ]
    return objects


def _numpy_str(element: NDArray[Any], where: str) -> str:
    try:
        return str(element[0])
    except (SystemError, ValueError):
        raise RVHError(
            f"{where} holds a code point above U+10FFFF, so it is not text: "
            "repair the array it came from"
        ) from None


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
    from hashlib import blake2b  # 3 ms, OpenSSL's: the twin has it, and others need it rarely

    return int.from_bytes(blake2b(data, digest_size=16).digest()[:8], "big")


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


def type_name(value: object) -> str:
    kind = type(value)
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"
