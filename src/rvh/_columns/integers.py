"""An integer key as another system writes it.

rvh's bytes of an integer are its own (`docs/architecture.md`, "Bytes"): another system hashes its
digits, or some other bytes, and without being told which, each answer would be chance.
"""

from __future__ import annotations

from typing import Any

from rvh._columns.values import INT_MAX, INT_MIN, is_whole, key_bytes
from rvh.errors import RVHError, RVHTypeError, show

__all__ = ["BITS", "CONTRACT", "INTEGERS", "check_integers", "foreign_key"]

#: rvh's own way
CONTRACT = "contract"
#: how a system may write an integer key, and what that is
INTEGERS: dict[str, str] = {
    "text": "its decimal digits",
    "int32_be": "4 bytes, big-endian",
    "int64_be": "8 bytes, big-endian",
    CONTRACT: "rvh's 8 bytes, little-endian",
}
#: the bits of those that have fewer than keys
BITS = {"int32_be": 32, "int64_be": 64}


def check_integers(integers: Any) -> str | None:
    """One of `INTEGERS` or None, or the error that lists them."""
    if integers is None or (isinstance(integers, str) and integers in INTEGERS):
        return None if integers is None else str(integers)
    raise RVHError(f"integers is {show(integers)}: choose one of {_choices()}, or None")


def _choices() -> str:
    return ", ".join(f'"{name}" ({what})' for name, what in INTEGERS.items())


def foreign_key(key: Any, integers: str | None, position: int | None = None) -> Any:
    r"""A key whose bytes are those that another system hashes; what is no integer stays.

    Parameters
    ----------
    key : str, bytes-like or int
    integers : str, optional
        One of `INTEGERS`; None where nobody said.
    position : int, optional
        Where it stands among others, for the message.

    Raises
    ------
    RVHError
        An integer, where nobody said how it is written, or that does not fit.
    RVHTypeError
        Several parts.

    Examples
    --------
    >>> foreign_key(-1, "text"), foreign_key(-1, "int32_be"), foreign_key("-1", None)
    (b'-1', b'\xff\xff\xff\xff', '-1')
    """
    if type(key) is int and INT_MIN <= key <= INT_MAX:  # most of them, at once
        if integers == "text":
            return b"%d" % key
        bits = BITS.get(integers or "")
        if bits is not None and -1 << bits - 1 <= key < 1 << bits - 1:
            return key.to_bytes(bits // 8, "big", signed=True)
    where = "the key" if position is None else f"key at position {position}"
    if isinstance(key, (tuple, list)):  # what else is no key is `key_bytes`'s to refuse
        raise RVHTypeError(
            f"{where} is of type {type(key).__name__} ({show(key)}): pass the bytes or the text "
            "that the system of this ring makes of the parts"
        )
    if not is_whole(key):
        return key
    if integers is None:
        raise RVHError(
            f"{where} is the integer {show(int(key))}, and nothing says how the system of this "
            f"ring writes integers: make the ring with integers={_choices()}, or pass str or bytes"
        )
    data = key_bytes(key, position)
    number = int.__index__(key) if isinstance(key, int) else int(key)  # as `key_bytes` has it
    if integers == "text":
        return b"%d" % number
    if integers == CONTRACT:
        return data
    try:
        return number.to_bytes(BITS[integers] // 8, "big", signed=True)
    except OverflowError:
        raise RVHError(
            f"{where} is {number}, outside -2^{BITS[integers] - 1} to 2^{BITS[integers] - 1}-1, "
            f"the range of {integers}: pass text or bytes, or choose other integers"
        ) from None
