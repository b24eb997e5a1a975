"""Integer keys in the encodings of other systems.

rvh has its own bytes for an integer (`docs/reference/contract.md`, "Bytes"). Another system hashes
the decimal digits or some other bytes. With the wrong encoding every answer would be random.
"""

from __future__ import annotations

from typing import Any, Literal

from rvh._columns.values import INT_MAX, INT_MIN, is_whole, key_bytes, place
from rvh.errors import RVHError, RVHTypeError, show

__all__ = ["CONTRACT", "FIXED", "INTEGERS", "check_integers", "foreign_key"]

#: rvh's own encoding
CONTRACT = "contract"
#: the encodings of an integer key, each with its description
INTEGERS: dict[str, str] = {
    "text": "its decimal digits",
    "int32_be": "4 bytes, big-endian",
    "int64_be": "8 bytes, big-endian",
    "int32_le": "4 bytes, little-endian",
    "int64_le": "8 bytes, little-endian",
    CONTRACT: "rvh's 8 bytes, little-endian",
}
#: the encodings that hold fewer integers than keys can be, with their bits and the order of bytes
FIXED: dict[str, tuple[int, Literal["big", "little"]]] = {
    "int32_be": (32, "big"),
    "int64_be": (64, "big"),
    "int32_le": (32, "little"),
    "int64_le": (64, "little"),
}


def check_integers(integers: Any) -> str | None:
    """Return one of `INTEGERS` or None; for anything else raise the error that lists them."""
    if integers is None or (isinstance(integers, str) and integers in INTEGERS):
        return None if integers is None else str(integers)
    raise RVHError(f"integers is {show(integers)}: choose one of {_choices()}, or None")


def _choices() -> str:
    return ", ".join(f'"{name}" ({description})' for name, description in INTEGERS.items())


def foreign_key(key: Any, integers: str | None, position: int | None = None) -> Any:
    r"""Encode an integer key as another system does; other keys are returned as they are.

    Parameters
    ----------
    key : str, bytes-like or int
    integers : str, optional
        One of `INTEGERS`; None where the encoding is unknown.
    position : int, optional
        The key's position in its column, for the message.

    Raises
    ------
    RVHError
        An integer whose encoding is unknown, or that is out of the encoding's range.
    RVHTypeError
        A key of several parts.

    Examples
    --------
    >>> foreign_key(-1, "text"), foreign_key(-1, "int32_be"), foreign_key("-1", None)
    (b'-1', b'\xff\xff\xff\xff', '-1')
    """
    if type(key) is int and INT_MIN <= key <= INT_MAX:  # the fast path
        if integers == "text":
            return b"%d" % key
        if integers in FIXED:
            bits, order = FIXED[integers]
            if -1 << bits - 1 <= key < 1 << bits - 1:
                return key.to_bytes(bits // 8, order, signed=True)
    where = place("key", position)
    if isinstance(key, (tuple, list)):  # `key_bytes` refuses all other types that are not keys
        raise RVHTypeError(
            f"{where} is of type {type(key).__name__} ({show(key)}): pass the bytes or the text "
            "that the system of this ring makes of the parts"
        )
    if not is_whole(key):
        return key
    if integers is None:
        raise RVHError(
            f"{where} is the integer {show(int(key))}, and nothing says how the system of this "
            f"placement writes integers: make it with integers={_choices()}, or pass str or bytes"
        )
    data = key_bytes(key, position)
    number = int.__index__(key) if isinstance(key, int) else int(key)  # as in `key_bytes`
    if integers == "text":
        return b"%d" % number
    if integers == CONTRACT:
        return data
    bits, order = FIXED[integers]
    try:
        return number.to_bytes(bits // 8, order, signed=True)
    except OverflowError:
        raise RVHError(
            f"{where} is {number}, outside -2^{bits - 1} to 2^{bits - 1}-1, "
            f"the range of {integers}: pass text or bytes, or choose other integers"
        ) from None
