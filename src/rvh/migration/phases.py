"""The phases of a migration, and the nodes to read and write meanwhile."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, NamedTuple

__all__ = ["Phase", "Route"]


class Phase(StrEnum):
    """The phases of a migration.

    ========== ==================================== ==========================================
    phase      a key that has not crossed           a key that has crossed
    ========== ==================================== ==========================================
    before     read and write old                   (no key has crossed)
    copying    read old; write old and new          the same: existing data are being copied
    switching  read old; write old and new          read new, then old; write old and new
    after      (every key has crossed)              read and write new
    ========== ==================================== ==========================================

    In ``copying`` the progress is that of the copy and does not change a route. In ``switching``
    a key crosses when the progress passes its point, and crosses back if the progress decreases.
    Data are deleted from old owners only in ``after``.
    """

    BEFORE = "before"
    COPYING = "copying"
    SWITCHING = "switching"
    AFTER = "after"


class Route(NamedTuple):
    """The nodes to read a key from, and the nodes to write it to.

    Parameters
    ----------
    read : list
        Node ids; if a node does not have the key, read from the next.
    write : list
        Node ids; write to all of them.
    """

    read: list[Any]
    write: list[Any]
