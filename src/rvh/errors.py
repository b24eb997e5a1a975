"""The exceptions of rvh, which cover every mistake of a caller.

================  =======================  ===========================================
raised            is also a                when
================  =======================  ===========================================
RVHError          ValueError               a value is wrong: k out of range, a duplicate
                                           id, a lone surrogate, a file that is damaged
RVHTypeError      RVHError and TypeError   a value is of a type that has no bytes in the
                                           placement contract: bool, float, None, ...
MissingNodeError  RVHError and KeyError    a node is not there: `RingFace.remove_node`
MessageError      RVHError                 a message of `rvh.rpc` is malformed, or a field
                                           of it is wrong
================  =======================  ===========================================

Each message names the mistake, its place (position, name, value) and the remedy.
"""

from __future__ import annotations

from typing import Any

__all__ = ["MessageError", "MissingNodeError", "RVHError", "RVHTypeError", "keys_changed", "show"]


class RVHError(ValueError):
    """An unusable value from the caller; the message names the mistake, its place and a remedy."""


class RVHTypeError(RVHError, TypeError):
    """A value of a type that rvh cannot turn into bytes."""


class MissingNodeError(RVHError, KeyError):
    """A node that is not there; a KeyError too, as in Python's ring libraries."""

    __str__ = Exception.__str__  # a KeyError shows the repr of its text


class MessageError(RVHError):
    """A message that cannot be answered.

    Parameters
    ----------
    field : str
        The field that is wrong, with the position in it: ``k``, ``texts[3]``; empty where it is the
        message itself.
    text : str
        What is wrong with it, and what to do.
    """

    def __init__(self, field: str, text: str) -> None:
        super().__init__(f"{field}: {text}" if field else text)
        self.field, self.text = field, text

    def __reduce__(self) -> tuple[Any, ...]:
        return MessageError, (self.field, self.text)


def keys_changed() -> RVHError:
    """Return the error about keys that were not the same when they were read again."""
    return RVHError(
        "the keys were changed while they were read: let nothing change them until the call is "
        "over, or pass a copy"
    )


def show(value: object, limit: int = 60) -> str:
    """Return ``repr(value)``, shortened so that an error stays one readable line."""
    try:
        text = repr(value)
    except Exception:  # a value whose own repr fails must not hide the error about it
        text = f"<{type(value).__name__}>"
    return text if len(text) <= limit else text[: limit - 3] + "..."
