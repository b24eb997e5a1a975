"""JSON, read strictly: what Python's own reader passes over is an error."""

from __future__ import annotations

from typing import Any

from rvh.errors import RVHError, show


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
        raise RVHError(f"member {show(twice)} is there more than once")
    return made
