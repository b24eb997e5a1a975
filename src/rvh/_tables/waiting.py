"""Descriptors that were set not to block, as other programs set their pipes: calls of them wait."""

from __future__ import annotations

import io
import os
import select
from typing import Any, BinaryIO, cast

__all__ = ["blocks", "opened"]


def blocks(number: int) -> bool:
    """Tell whether the system itself waits for a descriptor; True where it does not tell."""
    if not hasattr(select, "poll"):
        return True
    try:
        return os.get_blocking(number)
    except OSError:
        return True


def opened(number: int, mode: str) -> BinaryIO:
    """Open a descriptor, ``rb`` or ``wb``, for calls that wait in any case.

    It is not set to block instead: other processes that have it would block too.
    """
    if blocks(number):
        return cast("BinaryIO", os.fdopen(number, mode))
    buffered: Any = io.BufferedReader if mode == "rb" else io.BufferedWriter
    return cast("BinaryIO", buffered(_Waiting(number, mode)))


class _Waiting(io.FileIO):
    """A descriptor whose calls wait until something can be read or written."""

    def readinto(self, buffer: Any) -> int:
        while (size := cast("int | None", super().readinto(buffer))) is None:
            self._wait(select.POLLIN)
        return size

    def read(self, size: int | None = -1) -> bytes:
        if size is None or size < 0:
            return self.readall()
        data = bytearray(size)
        return bytes(data[: self.readinto(data)])

    def readall(self) -> bytes:
        parts = []
        while part := self.read(io.DEFAULT_BUFFER_SIZE):
            parts.append(part)
        return b"".join(parts)

    def write(self, data: Any) -> int:
        while (size := cast("int | None", super().write(data))) is None:
            self._wait(select.POLLOUT)
        return size

    def _wait(self, event: int) -> None:
        ready = select.poll()
        ready.register(self.fileno(), event)
        ready.poll()
