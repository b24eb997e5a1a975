"""The two characters around the part of a key that counts, as in ``{user1}.name``."""

from __future__ import annotations

from typing import Any

from rvh.errors import RVHError, show

__all__ = ["as_tag"]


def as_tag(tag: Any) -> bytes:
    """Return the two characters as bytes, or no bytes for None.

    Examples
    --------
    >>> as_tag("{}"), as_tag(None)
    (b'{}', b'')
    >>> as_tag("{")
    Traceback (most recent call last):
    rvh.errors.RVHError: tag is '{': pass two ASCII characters, for example "{}", or None
    """
    if tag is None:
        return b""
    if isinstance(tag, str) and len(tag) == 2 and tag.isascii() and "\0" not in tag:
        return tag.encode()
    raise RVHError(f'tag is {show(tag)}: pass two ASCII characters, for example "{{}}", or None')
