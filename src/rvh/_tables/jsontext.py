"""JSON, read strictly: what Python's own reader passes over is an error."""

from __future__ import annotations

import json
import re
from typing import Any

from rvh.errors import RVHError, show

SPACE = re.compile(r"[ \t\r\n]*")
VALUE = json.JSONDecoder()


def unique_members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object of its members (an `object_pairs_hook`); Python keeps the last of two.

    Raises
    ------
    RVHError
        A member that is there twice.

    Examples
    --------
    >>> unique_members([("id", "a"), ("zone", "eu")])
    {'id': 'a', 'zone': 'eu'}
    """
    made = dict(pairs)
    if len(made) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise RVHError(f"member {show(twice)} appears more than once")
    return made


def opened(text: str) -> str:
    """An object's own text, open for one more member.

    Examples
    --------
    >>> opened('{"n": 1.50 }'), opened("{}")
    ('{"n": 1.50, ', '{')
    """
    body = text[:-1].rstrip()
    return body if body == "{" else f"{body}, "


def with_member(text: str, name: str, value: str) -> str:
    """An object's own text with another value for one member, which it has once.

    Parameters
    ----------
    text : str
        One JSON object.
    name : str
    value : str
        The text of the new value.

    Examples
    --------
    >>> with_member('{"n": 1.50, "node": "a"}', "node", '"b"')
    '{"n": 1.50, "node": "b"}'
    """
    at = SPACE.match(text, text.index("{") + 1).end()  # type: ignore[union-attr]  # it may be empty
    while True:
        member, at = VALUE.raw_decode(text, at)
        start = SPACE.match(text, text.index(":", at) + 1).end()  # type: ignore[union-attr]
        _, end = VALUE.raw_decode(text, start)
        if member == name:
            return f"{text[:start]}{value}{text[end:]}"
        at = SPACE.match(text, text.index(",", end) + 1).end()  # type: ignore[union-attr]
