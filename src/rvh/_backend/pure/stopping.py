"""Stopping a running call."""

from __future__ import annotations


class Cancel:
    """A flag that another thread sets to stop a running call."""

    def __init__(self) -> None:
        self._set = False

    def set(self) -> None:
        self._set = True

    def is_set(self) -> bool:
        return self._set
