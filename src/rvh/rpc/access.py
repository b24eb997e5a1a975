"""The access log: a JSON object a line for every call that has ended, without keys and secrets.

Calls hand their line to a thread and never wait for the disk. Lines that cannot be written, or
come faster than that, are counted and lost.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec

from rvh.errors import RVHError

__all__ = ["AccessLog", "Line"]

#: lines that wait to be written at most
WAITING_MAX = 10_000
#: lines that are written at once at most
LINES_MAX = 1000


class Line(NamedTuple):
    """What is told of a call.

    Parameters
    ----------
    time : float
        When it ended, in seconds since 1970; written as in RFC 3339.
    method : str
    peer : str
        The address of the caller, as gRPC writes it.
    code : str
        The status code.
    keys : int
        Keys that were answered.
    seconds : float
        How long it took.
    epoch : int
        That of the nodes in the last answer; 0 without an answer.
    """

    time: float
    method: str
    peer: str
    code: str
    keys: int
    seconds: float
    epoch: int

    def encode(self) -> bytes:
        """Return the line, with its end."""
        told = self._asdict()
        at = datetime.fromtimestamp(self.time, UTC).isoformat(timespec="microseconds")
        told["time"] = at.replace("+00:00", "Z")
        told["seconds"] = round(self.seconds, 6)
        return msgspec.json.encode(told) + b"\n"


class AccessLog:
    """Writes lines to a file, which several processes may share, or to stderr.

    A file that was renamed or removed, as logrotate does it, is made anew with the next line.

    Parameters
    ----------
    path : str
        ``"-"`` for stderr.

    Raises
    ------
    RVHError
        The file cannot be opened.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._lost = 0
        self._is_torn = False
        try:
            self._file = self._open()
        except OSError as error:
            raise RVHError(f"access log {path!r} cannot be opened: {error.strerror}") from None
        self._lines: queue.SimpleQueue[Line | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="rvh-access-log", daemon=True)
        self._thread.start()

    def _open(self) -> int:
        if self._path == "-":
            return os.dup(sys.stderr.fileno())
        return os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)

    @property
    def lost(self) -> int:
        """How many lines could not be written."""
        return self._lost

    def write(self, line: Line) -> None:
        """Write a line soon."""
        if self._lines.qsize() < WAITING_MAX:
            self._lines.put(line)
        else:
            self._lost += 1

    def close(self, seconds: float = 2.0) -> None:
        """Write what waits, for so many seconds at most."""
        self._lines.put(None)
        self._thread.join(seconds)

    def _run(self) -> None:
        while (first := self._lines.get()) is not None:
            lines, is_last = [first], False
            while len(lines) < LINES_MAX and not self._lines.empty():
                if (line := self._lines.get()) is None:
                    is_last = True
                    break
                lines.append(line)
            try:
                self._write(lines)
            except OSError:
                self._lost += len(lines)
            if is_last:
                break
        os.close(self._file)

    def _write(self, lines: Iterable[Line]) -> None:
        if self._path != "-" and not self._is_in_place():
            file = self._open()
            os.close(self._file)
            self._file = file
            self._is_torn = False
        data = b"".join(line.encode() for line in lines)
        if self._is_torn:  # the disk was full in the middle of a line
            data = b"\n" + data
        view = memoryview(data)
        while view:
            size = os.write(self._file, view)
            self._is_torn = size < len(view)
            view = view[size:]

    def _is_in_place(self) -> bool:
        try:
            return os.path.samestat(os.stat(self._path), os.fstat(self._file))
        except FileNotFoundError:
            return False
