"""Names of columns, and of fields within them: ``user.id``."""

from __future__ import annotations

import re
from collections.abc import Sequence

#: one name on the way to a field: in quotes it may have dots in it
PART = re.compile(r'"((?:[^"]|"")+)"|([^".]+)')


def field_path(name: str, columns: Sequence[str]) -> tuple[str, ...]:
    """The column that `name` means, and the fields from there on.

    Parameters
    ----------
    name : str
        A column's own name, whatever is in it; else names with dots between, each of which may
        stand in quotes.
    columns : sequence of str
        The columns that there are.

    Examples
    --------
    >>> field_path("user.id", ["user"]), field_path("user.id", ["user", "user.id"])
    (('user', 'id'), ('user.id',))
    >>> field_path('"user.id"', ["user.id"]), field_path('user."a.b"', ["user"])
    (('user.id',), ('user', 'a.b'))
    """
    return (name,) if name in columns else parts(name)


def parts(name: str) -> tuple[str, ...]:
    """The names between the dots; all of `name` where it is not so written.

    Examples
    --------
    >>> parts("user.id"), parts("a..b")
    (('user', 'id'), ('a..b',))
    """
    found, at = [], 0
    while match := PART.match(name, at):
        quoted, plain = match.groups()
        found.append(plain if quoted is None else quoted.replace('""', '"'))
        at = match.end()
        if at == len(name):
            return tuple(found)
        if name[at] != ".":
            break
        at += 1
    return (name,)


def quoted(*names: str) -> str:
    """Names as `parts` reads them, in quotes.

    Examples
    --------
    >>> quoted("user", "id")
    '"user"."id"'
    """
    return ".".join('"{}"'.format(name.replace('"', '""')) for name in names)
