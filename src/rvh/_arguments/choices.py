"""The check of an argument that is one of a few names."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rvh.errors import RVHError, show

__all__ = ["one_of"]


def one_of(name: str, value: Any, choices: Iterable[str]) -> str:
    """Return the value of the argument `name` if it is one of `choices`.

    Examples
    --------
    >>> one_of("policy", "lru", ("lru", "arc"))
    'lru'
    >>> one_of("policy", "LRU", ("lru", "arc"))
    Traceback (most recent call last):
    rvh.errors.RVHError: policy is 'LRU': choose one of lru, arc
    """
    if isinstance(value, str) and value in choices:
        return str(value)
    raise RVHError(f"{name} is {show(value)}: choose one of {', '.join(choices)}")
