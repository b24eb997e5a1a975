"""The two exceptions of rvh: everything a caller can get wrong is one of them.

================  =======================  ===========================================
raised            is also a                when
================  =======================  ===========================================
RVHError          ValueError               a value is wrong: k out of range, a duplicate
                                           id, a lone surrogate, a file that is damaged
RVHTypeError      RVHError and TypeError   a value has a type that has no bytes in the
                                           placement contract: bool, float, None, ...
================  =======================  ===========================================

Each message says what was wrong, where (position, name, value) and what to do.
"""

from __future__ import annotations

__all__ = ["RVHError", "RVHTypeError", "keys_changed", "show"]


class RVHError(ValueError):
    """Something the caller passed cannot be used; the message says what, where and what to do."""


class RVHTypeError(RVHError, TypeError):
    """A value of a type that rvh cannot turn into bytes."""


def keys_changed() -> RVHError:
    """The error where one look at a caller's keys contradicts another."""
    return RVHError(
        "the keys were changed while they were read: let nothing change them until the call is "
        "over, or pass a copy"
    )


def show(value: object, limit: int = 60) -> str:
    """``repr(value)``, shortened so that an error stays one readable line."""
    try:
        text = repr(value)
    except Exception:  # a value whose own repr fails must not hide the error about it
        text = f"<{type(value).__name__}>"
    return text if len(text) <= limit else text[: limit - 3] + "..."
