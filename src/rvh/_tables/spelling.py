"""The options of whoever reads or writes a table, as messages spell them.

The command line says ``--encoding utf-16``, a call in Python ``encoding=utf-16``.
"""

from __future__ import annotations

from collections.abc import Callable

#: a function from an option's name and value ("": the name alone) to the text in a message
Spelling = Callable[[str, str], str]


def as_keyword(name: str, value: str) -> str:
    """An option as an argument of a call.

    Examples
    --------
    >>> as_keyword("encoding", "utf-16"), as_keyword("encoding", "")
    ('encoding=utf-16', 'encoding=')
    """
    return f"{name}={value}"
