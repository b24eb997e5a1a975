"""The phases of a migration, and the nodes to read and write meanwhile."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Any, NamedTuple

__all__ = ["Phase", "Route", "new_route"]


class Phase(StrEnum):
    """The phases of a migration.

    ========== ==================================== ==========================================
    phase      a key that has not crossed           a key that has crossed
    ========== ==================================== ==========================================
    before     read and write old                   (no key has crossed)
    preparing  read and write old; remove from the  the same
               nodes that only new has
    copying    read old; write old and new          the same: existing data are being copied
    switching  read old; write old and new          read new, then old; write old and new
    after      (every key has crossed)              read and write new
    ========== ==================================== ==========================================

    All workers have left a phase before the next but one begins. In ``copying`` the progress is
    that of the copy and does not change a route. In ``switching`` a key crosses when the progress
    passes its point, and crosses back if the progress decreases. Data are deleted from old owners
    only in ``after``.
    """

    BEFORE = "before"
    PREPARING = "preparing"
    COPYING = "copying"
    SWITCHING = "switching"
    AFTER = "after"


class _ReadWrite(NamedTuple):
    read: list[Any]
    write: list[Any]


class Route(_ReadWrite):
    """The nodes to read a key from, and the nodes to write it to.

    It is a pair, ``read, write = route``, with one more attribute.

    Parameters
    ----------
    read : list
        Node ids; if a node does not have the key, read from the next.
    write : list
        Node ids; write to all of them.
    remove : list, optional
        Node ids; with each write and each delete, remove the key from all of them. Empty in all
        phases but ``preparing``.
    """

    def __new__(cls, read: list[Any], write: list[Any], remove: Iterable[Any] = ()) -> Route:
        """Make a route of lists."""
        return new_route(read, write, list(remove))

    @property
    def remove(self) -> list[Any]:
        """The nodes to remove the key from."""
        removed: list[Any] = self.__dict__.setdefault("_remove", [])
        return removed

    def __eq__(self, other: object) -> bool:
        return tuple.__eq__(self, other) and self.remove == getattr(other, "remove", [])

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        removed = f", remove={self.remove!r}" if self.remove else ""
        return f"Route(read={self.read!r}, write={self.write!r}{removed})"


def new_route(read: list[Any], write: list[Any], remove: list[Any] | None = None) -> Route:
    """Return a Route of lists that nobody else has."""
    route = tuple.__new__(Route, (read, write))
    if remove:
        route.__dict__["_remove"] = remove
    return route
