"""The options of whoever reads or writes a table, as messages spell them.

The command line says ``--encoding utf-16``, a call in Python ``encoding=utf-16``.
"""

from __future__ import annotations

from collections.abc import Callable

#: the name of an option and a value for it, or "" for the name alone, to what a message says
Spelling = Callable[[str, str], str]


def as_keyword(name: str, value: str) -> str:
    """An option as an argument of a call.

    Examples
    --------
    >>> as_keyword("encoding", "utf-16"), as_keyword("encoding", "")
    ('encoding=utf-16', 'encoding=')
    """
    return f"{name}={value}"
