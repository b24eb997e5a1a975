"""Functions around methods, with the methods' own parameters."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any

__all__ = ["Function", "wrapping"]

Function = Callable[..., Any]


def wrapping(method: Function, template: str, **names: Any) -> Function:
    """Compile `template` around `method`, as dataclasses compile their methods.

    A ``select`` takes 41 ns more in such a function. With ``*args`` it would take 185, and with
    names of a closure instead of globals 53.

    Parameters
    ----------
    method : function
        Its name, docstring, annotations and signature are kept.
    template : str
        The source of a function, with the fields ``name``, ``parameters`` and ``arguments``; it
        calls ``method``.
    names
        What else the source refers to.
    """
    signature = inspect.signature(method)
    plain = [p.replace(annotation=p.empty) for p in signature.parameters.values()]
    passed = (f"{p.name}={p.name}" if p.kind is p.KEYWORD_ONLY else p.name for p in plain)
    source = template.format(
        name=method.__name__, parameters=inspect.Signature(plain), arguments=", ".join(passed)
    )
    names["method"] = method
    exec(compile(source, "<rvh.observe>", "exec"), names)
    return wraps(method)(names[method.__name__])
