"""Where users find a thing: its name in pickles, tracebacks and pages, wherever its file stands."""

from __future__ import annotations

from types import FunctionType
from typing import Any

__all__ = ["exported_by"]


def exported_by(module: str, *things: Any) -> None:
    """Name classes and functions by the module that exports them, methods too.

    A class alone would leave its methods behind, and with them their doctests, which run where
    the names of both agree.
    """
    for thing in things:
        thing.__module__ = module
        for member in vars(thing).values() if isinstance(thing, type) else ():
            member = getattr(member, "__func__", member)
            if isinstance(member, FunctionType):
                member.__module__ = module
