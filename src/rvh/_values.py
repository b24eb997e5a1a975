"""The bytes of one value: what `docs/architecture.md`, "Bytes", says, in Python."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from rvh.errors import RVHError, RVHTypeError, show

INT_MIN, INT_MAX = -(2**63), 2**64 - 1
PART_MAX = 2**32 - 1  # bytes of one str or bytes in a composite key: its length has 4 bytes


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
    raise RVHTypeError(f"{where} is of type {type_name(value)} ({show(value)}): {advice}")


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


def type_name(value: object) -> str:
    kind = type(value)
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"
