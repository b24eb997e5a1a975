"""The bytes of one value, as `docs/reference/contract.md`, "Bytes", defines them."""

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

BLOCK = 1 << 14  # UUIDs that are converted at a time
COMPLEX = (complex, np.complexfloating)
INT_MIN, INT_MAX = -(2**63), 2**64 - 1
PART_MAX = 2**32 - 1  # bytes of a str or bytes in a composite key: 4 bytes hold its length


def key_bytes(value: Any, position: int | None = None, what: str = "key") -> bytes:
    r"""Return the bytes of one key, or raise an error with its type, its position and a cast.

    Parameters
    ----------
    value : str, bytes-like, int or uuid.UUID
    position : int, optional
        The value's position in its column, for the message.
    what : str
        The name of the value in the message.

    Raises
    ------
    RVHTypeError
        The value is a bool, a float, None, or of another type without bytes in the contract.
    RVHError
        The value has a lone surrogate, or is an integer below -2^63 or above 2^64-1.

    Examples
    --------
    >>> key_bytes("é"), key_bytes(-1)
    (b'\xc3\xa9', b'\xff\xff\xff\xff\xff\xff\xff\xff')
    """
    if isinstance(value, str):
        try:
            return str.encode(value, "utf-8")
        except UnicodeEncodeError as error:
            raise RVHError(
                f"{place(what, position)} has a lone surrogate (U+{ord(value[error.start]):04X} at "
                f"character {error.start}) and so no UTF-8: {show(value)}; repair the text, or "
                "pass bytes, for example key.encode('utf-8', 'surrogatepass')"
            ) from None
    if type(value) is bytes:
        return value
    if isinstance(value, (bytes, bytearray, memoryview)):
        return buffer_bytes(value, place(what, position))
    # timedelta64 is a subclass of NumPy's integers.
    if isinstance(value, (int, np.integer)) and not isinstance(value, (bool, np.timedelta64)):
        number = int.__index__(value) if isinstance(value, int) else int(value)
        if INT_MIN <= number <= INT_MAX:
            return (number & INT_MAX).to_bytes(8, "little")
        raise RVHError(
            f"{place(what, position)} is {show(value)}, outside -2^63 to 2^64-1: pass str(key) or "
            "bytes"
        )
    if is_uuid(value):
        return uuid_text(value).encode()
    if is_void(value):
        return value.tobytes()
    if is_missing(value) or _is_not_a_value(value):
        advice = "a missing value has no bytes: fill it or leave it out"
        if position is not None and what == "key" and is_missing(value):
            advice += ", or use rvh.select_arrow(), which gives null for null"
        if isinstance(value, (float, np.floating)):
            advice += f"; {READ_INTEGERS}"
    elif isinstance(value, (list, tuple, np.ndarray, set, dict)):
        advice = (
            "keys have one dimension; a key of several parts is a composite key, for example "
            "rvh.keys.composite('ann', 7)"
        )
    elif isinstance(value, (float, np.floating)):
        advice = f"{READ_INTEGERS}, or pass str(key) if it is meant as that text"
    else:
        number = isinstance(value, (Number, np.bool_)) and not isinstance(value, COMPLEX)
        casts = "str(key) or int(key)" if number else "str(key)"
        advice = f"keys are str, bytes or int; cast it first, for example {casts}"
    raise RVHTypeError(
        f"{place(what, position)} is of type {type_name(value)} ({show(value)}): {advice}"
    )


def place(what: str, position: int | None) -> str:
    """Name one value in a message: ``the key``, or ``key at position 3``."""
    return f"the {what}" if position is None else f"{what} at position {position}"


#: the advice about a column of floats
READ_INTEGERS = (
    "read ids as integers where they come from (beyond 2^53 a float has lost their last digits, "
    "and no cast brings them back)"
)


def is_missing(value: object) -> bool:
    """Tell None, NumPy's masked and pandas's NA, without an import of pandas."""
    return value is None or value is np.ma.masked or type(value).__name__ == "NAType"


def _is_not_a_value(value: Any) -> bool:
    """Tell NaN and NaT, of which a cast would make the text "nan"."""
    try:
        return bool(value != value) and np.ndim(value) == 0
    except Exception:  # a value may compare in any way
        return False


def is_uuid(value: object) -> TypeGuard[uuid.UUID]:
    """Tell whether a value is a `uuid.UUID`, without an import of that module, which is slow."""
    module = sys.modules.get("uuid")
    return module is not None and isinstance(value, module.UUID)


def is_void(value: object) -> TypeGuard[np.void]:
    """Tell whether a value is a `numpy.void` without fields."""
    return isinstance(value, np.void) and type(value) is np.void and value.dtype.names is None


def is_whole(value: object) -> TypeGuard[int]:
    """Tell whether a value is an integer of Python or NumPy; a bool and a timedelta64 are not.

    Examples
    --------
    >>> is_whole(np.uint8(3)), is_whole(True), is_whole(np.timedelta64(3, "s"))
    (True, False, False)
    """
    whole = isinstance(value, (int, np.integer))
    return whole and not isinstance(value, (bool, np.timedelta64))


def is_one_id(value: object) -> bool:
    """Tell whether a value is one node id, and not several."""
    return isinstance(value, (str, bytes)) or is_uuid(value) or is_void(value)


def plain_id(value: Any) -> Any:
    """Return a UUID as its text, a `numpy.void` as bytes, and other values as they are."""
    if is_uuid(value):
        return uuid_text(value)
    return value.tobytes() if is_void(value) else value


def uuid_text(value: uuid.UUID) -> str:
    """Return the 36 characters of a UUID in lower case (RFC 9562), ignoring subclass overrides."""
    digits = f"{value.int:032x}"
    return "-".join(digits[a:b] for a, b in pairwise((0, 8, 12, 16, 20, 32)))


#: the 32 digits of a UUID in fields that NumPy copies at once, the same with hyphens in between,
#: and the field of the second for each of the first
DIGITS = np.dtype("u8,u4,u4,u4,u8,u4")
HYPHENATED = np.dtype("u8,V1,u4,V1,u4,V1,u4,V1,u8,u4")
HYPHENATED_FIELDS = {"f0": "f0", "f1": "f2", "f2": "f4", "f3": "f6", "f4": "f8", "f5": "f9"}


def uuid_texts(data: NDArray[np.uint8]) -> NDArray[Any]:
    """Return the texts of UUIDs, dtype V36 and shape (M,), from their bytes, shape (M, 16).

    Examples
    --------
    >>> uuid_texts(np.arange(16, dtype=np.uint8).reshape(1, 16)).tobytes()
    b'00010203-0405-0607-0809-0a0b0c0d0e0f'
    """
    texts = np.full((len(data), 36), ord("-"), dtype=np.uint8)
    fields = texts.view(HYPHENATED)[:, 0]
    for start in range(0, len(data), BLOCK):  # a signal waits for one block
        digits = np.frombuffer(hexlify(data[start : start + BLOCK].data), DIGITS)
        for source, target in HYPHENATED_FIELDS.items():
            fields[target][start : start + BLOCK] = digits[source]
    return texts.view("V36")[:, 0]


def buffer_bytes(value: Any, where: str) -> bytes:
    """Return the bytes of a bytes-like value, whatever a subclass overrides.

    Raises
    ------
    RVHError
        A memoryview that was released, or that is not one-dimensional.
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
    """Tell whether a memoryview is one-dimensional and of bytes; False for a released one."""
    try:
        return view.format in ("B", "b", "c") and view.ndim == 1
    except ValueError:
        return False


def of_view(values: Any, name: str) -> Any:
    """Return the NumPy array over a memoryview, and other values as they are.

    Python itself reads a memoryview in few formats only.

    Raises
    ------
    RVHError
        It was released, or has a format that NumPy does not know.
    """
    if not isinstance(values, memoryview):
        return values
    try:
        _ = values.format  # raises for a released one, of which NumPy makes an object array
        return np.asarray(values)
    except ValueError as error:
        raise RVHError(f"{name} is a memoryview that cannot be read: {error}") from None


def elements_of(values: Sequence[Any], name: str) -> Sequence[Any]:
    """Return a plain list or tuple as it is, and another sequence as the list of its elements.

    Raises
    ------
    RVHError
        The sequence iterates over more or fewer elements than its length says.
    """
    if type(values) in (list, tuple):
        return values
    elements = list(values)
    if len(elements) != len(values):
        raise RVHError(
            f"{name} is a {type_name(values)} of length {len(values)}, which iterates over "
            f"{len(elements)} elements: pass a plain list that is not changed meanwhile"
        )
    return elements


def objects_of(array: NDArray[Any], what: str = "value", first: int = 0) -> list[Any]:
    """Return a one-dimensional array as Python objects; `what` and `first` are for the message.

    Raises
    ------
    RVHError
        An element of a U array is not Unicode.
    """
    if array.dtype.kind == "U" and array.dtype.itemsize > 0:
        # NumPy makes an error of some code points, and of others a str that Python could not make.
        points = np.ascontiguousarray(array).view(f"{array.dtype.byteorder}u4")
        if points.size > 0 and points.max() > sys.maxunicode:
            wrong = (points.reshape(len(array), -1) > sys.maxunicode).any(axis=1)
            raise RVHError(
                f"{what} at position {first + int(wrong.argmax())} holds a code point above "
                "U+10FFFF, so it is not text: repair the array it came from"
            )
    objects: list[Any] = array.tolist()
    return objects


def key_word(value: Any, position: int | None = None, what: str = "key") -> int:
    """Return a key as one 64-bit word, for hashes of integers such as jump hash.

    The word of an integer is its 64 bits (two's complement). The word of any other key is the first
    8 bytes, big-endian, of the BLAKE2b-128 digest of its bytes.

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
    from hashlib import blake2b  # takes 3 ms to import, and few callers come here

    return int.from_bytes(blake2b(data, digest_size=16).digest()[:8], "big")


def composite(*parts: Any) -> bytes:
    """Return one key of several parts, concatenated as the contract says.

    An integer part is its 8 bytes. A str or bytes part is its length as 4 bytes little-endian,
    followed by its bytes.

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
    """Return the bytes of one part of a composite key; parameters and errors of `key_bytes`.

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
    """Return every backend's error about a part whose length does not fit in 4 bytes."""
    return RVHError(
        f"{place(what, position)} has {size} bytes: a part of a composite key has at most "
        f"{PART_MAX}; pass a digest of it, for example hashlib.blake2b(part).digest()"
    )


def type_name(value: object) -> str:
    kind = type(value)
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"
