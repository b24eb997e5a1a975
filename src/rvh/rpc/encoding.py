"""The few rules of protobuf's encoding that batches need on both sides.

https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rvh.errors import MessageError

__all__ = ["field", "field_head", "read_fields", "varint"]


def varint(number: int) -> bytes:
    """Encode a number of 0 or more.

    Examples
    --------
    >>> from rvh.rpc.encoding import varint
    >>> varint(300).hex()
    'ac02'
    """
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def field_head(number: int, size: int) -> bytes:
    """Begin a field whose content has a size."""
    return varint(number << 3 | 2) + varint(size)


def field(number: int, content: bytes) -> bytes:
    """Encode a field of bytes or text."""
    return field_head(number, len(content)) + content


def read_fields(content: bytes) -> Iterator[tuple[int, Any]]:
    """Read the fields of a message: number, and an int or a view of the bytes.

    Raises
    ------
    MessageError
        It is cut off, or has a field of another type.
    """
    view, at, end = memoryview(content), 0, len(content)

    def number() -> int:
        nonlocal at
        value = shift = 0
        while True:
            if at >= end or shift > 63:
                raise MessageError("", f"the response is malformed at byte {at}")
            byte = content[at]
            at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7

    while at < end:
        tag = number()
        if tag & 7 == 0:
            yield tag >> 3, number()
            continue
        size = number() if tag & 7 == 2 else {1: 8, 5: 4}.get(tag & 7, end)
        if size > end - at:
            raise MessageError("", f"the response is malformed at byte {at}")
        yield tag >> 3, view[at : at + size]
        at += size
