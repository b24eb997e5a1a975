"""Public names of classes and functions, for pickles, tracebacks and documentation."""

from __future__ import annotations

from types import FunctionType
from typing import Any

__all__ = ["exported_by"]


def exported_by(module: str, *things: Any) -> None:
    """Name classes, their methods and functions by the module that exports them.

    Doctests of a method run only if its ``__module__`` is that of its class.
    """
    for thing in things:
        thing.__module__ = module
        for member in vars(thing).values() if isinstance(thing, type) else ():
            member = getattr(member, "__func__", member)
            if isinstance(member, FunctionType):
                member.__module__ = module
