"""Inputs and outputs as bytes: counted on the way in, all or nothing on the way out."""
# ruff: noqa: D102  (the methods are those of every file object)

from __future__ import annotations

import contextlib
import io
import os
import secrets
import shutil
import signal
import stat
import sys
import tempfile
from collections.abc import Iterator
from typing import Any, BinaryIO

import pyarrow as pa  # type: ignore[import-untyped]

from rvh.errors import RVHError


class Counted(io.RawIOBase):
    """A stream of bytes that knows how many were read."""

    def __init__(self, raw: BinaryIO) -> None:
        self._raw = raw
        self.count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        # read1 gives what a pipe has, where read would wait for more.
        data = getattr(self._raw, "read1", self._raw.read)(len(buffer))
        buffer[: len(data)] = data
        self.count += len(data)
        return len(data)


class Source:
    """An input, opened: its bytes in order, and how much of it has been read.

    Parameters
    ----------
    path : str
        A path, or ``-`` for stdin.
    compression : str, optional
        pyarrow's name for how the bytes are compressed.
    """

    def __init__(self, path: str, compression: str | None = None) -> None:
        self.name = "stdin" if path == "-" else path
        if path != "-":
            self._file: BinaryIO = open(path, "rb")  # noqa: SIM115  (closed by __exit__)
        elif sys.stdin is None:
            raise RVHError("stdin is closed, so - cannot be read")
        else:
            self._file = sys.stdin.buffer
        self._owned = path != "-"
        self.size: int | None = None
        with contextlib.suppress(OSError):  # a stand-in for stdin has no file number
            about = os.fstat(self._file.fileno())
            if stat.S_ISREG(about.st_mode):
                self.size = about.st_size
        self._counted = Counted(self._file)
        raw: Any = self._counted
        if compression:
            raw = pa.CompressedInputStream(pa.PythonFile(self._counted, "r"), compression)
        #: the bytes, decompressed, with ``peek`` and ``readline``
        self.stream = io.BufferedReader(raw, 1 << 20)

    def __enter__(self) -> Source:
        return self

    def __exit__(self, *exc: object) -> None:
        if self._owned:
            self._file.close()

    def fraction(self) -> float | None:
        """How much of the file is read, from 0 to 1; None for a pipe."""
        return self._counted.count / self.size if self.size else None

    def random_access(self, mapped: bool = False) -> Any:
        """The bytes as a file that pyarrow can seek in; those of a pipe go to disk for it.

        `mapped` lets the system page them in and out, for what is larger than memory in one piece.
        """
        if self.size is not None and self._owned:
            return pa.memory_map(self.name) if mapped else pa.OSFile(self.name)
        spool = tempfile.TemporaryFile()  # noqa: SIM115  (has no name: gone when it is closed)
        shutil.copyfileobj(self.stream, spool, 1 << 20)
        spool.seek(0)
        return pa.PythonFile(spool, "r")


class Sink:
    """Bytes on their way out; pyarrow's closing of it does not close the file below."""

    closed = False

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._file = file
        self._name = name

    def write(self, data: Any) -> int:
        rest = memoryview(data).cast("B")
        size = len(rest)
        try:
            while rest:  # an unbuffered stdout (PYTHONUNBUFFERED) may take a part at a time
                rest = rest[self._file.write(rest) :]
            return size
        except BrokenPipeError:
            raise
        except OSError as error:
            raise OSError(error.errno, error.strerror, self._name) from None

    def flush(self) -> None:
        self._file.flush()

    def close(self) -> None:
        self.flush()

    def writable(self) -> bool:
        return True

    def readable(self) -> bool:
        return False

    def seekable(self) -> bool:
        return False


@contextlib.contextmanager
def target(path: str, compression: str | None = None) -> Iterator[Any]:
    """Open an output that is there complete or not at all.

    The bytes go to a new file beside `path`, which takes its name when the block ends well and
    is deleted when it does not: an error, Ctrl-C, SIGTERM. A pipe or a device (``-`` is stdout)
    is written directly.

    Parameters
    ----------
    path : str
    compression : str, optional
        pyarrow's name for how to compress the bytes.
    """
    if path == "-":
        if sys.stdout is None:
            raise RVHError("stdout is closed, so - cannot be written")
        with _compressed(Sink(sys.stdout.buffer, "stdout"), compression) as sink:
            yield sink
        sys.stdout.buffer.flush()
        return
    place = os.path.realpath(path)  # a symbolic link stays one
    if os.path.isdir(place):
        raise RVHError(f"{path} is a directory: name a file in it")
    if os.path.exists(place):
        if not os.access(place, os.W_OK):
            raise RVHError(f"{path} cannot be written: permission denied")
        if not os.path.isfile(place):
            with open(place, "wb") as device, _compressed(Sink(device, path), compression) as sink:
                yield sink
            return
    part = os.path.join(os.path.dirname(place), f".rvh-{secrets.token_hex(8)}.part")
    with _stopped_by_signals():
        try:  # from before the file is there: a signal may come at any moment
            with _create(part, path) as file:
                if os.path.exists(place):
                    shutil.copymode(place, part)
                with _compressed(Sink(file, path), compression) as sink:
                    yield sink
            os.replace(part, place)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(part)
            raise


def _create(part: str, path: str) -> BinaryIO:
    try:
        return open(part, "xb")
    except OSError as error:
        raise RVHError(f"{path} cannot be written: {error.strerror}") from None


@contextlib.contextmanager
def _compressed(sink: Sink, compression: str | None) -> Iterator[Any]:
    if compression is None:
        yield sink
    else:
        with pa.CompressedOutputStream(pa.PythonFile(sink, "w"), compression) as stream:
            yield stream


@contextlib.contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end the block as an exception does, so that it can clean up."""

    def stop(number: int, frame: object) -> None:
        raise SystemExit(128 + number)

    before = {}
    with contextlib.suppress(ValueError):  # not the main thread: there signals never arrive
        for name in ("SIGTERM", "SIGHUP"):
            # A signal that the parent ignores (nohup) stays ignored.
            if hasattr(signal, name) and signal.getsignal(signal.Signals[name]) is signal.SIG_DFL:
                number = signal.Signals[name]
                before[number] = signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
