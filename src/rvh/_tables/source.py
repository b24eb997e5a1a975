"""An input, opened: its bytes in order, and how much of it has been read."""

from __future__ import annotations

import contextlib
import io
import os
import stat
import sys
import tempfile
from typing import Any, BinaryIO

import pyarrow as pa  # type: ignore[import-untyped]

from rvh._tables.decoding import PIECE_BYTES, Pieces, as_utf8, decompressed, read_head
from rvh._tables.descriptors import STDOUT, descriptor, duplicate
from rvh._tables.spelling import Spelling, as_keyword
from rvh._tables.waiting import opened
from rvh.errors import RVHError


class Counted(io.RawIOBase):
    """A stream of bytes that counts what was read and gives its errors a name."""

    def __init__(self, raw: BinaryIO, name: str) -> None:
        self._raw = raw
        self._name = name
        self.count = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        try:
            # read1 gives what a pipe has, where read would wait for more.
            data: bytes = getattr(self._raw, "read1", self._raw.read)(size)
        except OSError as error:
            raise OSError(error.errno, error.strerror, self._name) from None
        self.count += len(data)
        return data

    def readinto(self, buffer: Any) -> int:
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


class Source:
    """An input, opened: its bytes in order, and how much of it has been read.

    Parameters
    ----------
    path : str
        A path, or ``-`` for stdin. A name of a descriptor of this process, as ``/dev/stdin``, is
        that descriptor: what was read from it before is not read again.
    compression : str, optional
        A value of `rvh._tables.COMPRESSIONS`.
    encoding : str, optional
        Python's name for the encoding of text; the bytes become UTF-8.
    spelling : callable
        How messages name the options of whoever reads.
    """

    def __init__(
        self,
        path: str,
        compression: str | None = None,
        encoding: str | None = None,
        spelling: Spelling = as_keyword,
    ) -> None:
        if not path:
            raise RVHError("the name of an input is empty: name a file, or - for stdin")
        self.name = "stdin" if path == "-" else path
        self.spelling = spelling
        number = None if path == "-" else descriptor(path)
        self._owned = path != "-"
        self._by_name = self._owned and number is None
        self.compressed = compression is not None
        if number is not None:
            self._file: BinaryIO = opened(duplicate(number, path, os.O_WRONLY), "rb")
        elif path != "-":
            self._file = open(path, "rb")  # noqa: SIM115  (closed by __exit__)
        elif sys.stdin is None:
            raise RVHError("stdin is closed, so - cannot be read")
        else:
            self._file = sys.stdin.buffer
        try:
            self._open(compression, encoding)
        except BaseException:
            self.__exit__()
            raise

    def _open(self, compression: str | None, encoding: str | None) -> None:
        self.size: int | None = None
        with contextlib.suppress(OSError):  # a stand-in for stdin has no file number
            about = os.fstat(self._file.fileno())
            if stat.S_ISREG(about.st_mode):
                self.size = about.st_size
        self._counted = Counted(self._file, self.name)
        head, raw = read_head(self._counted)
        if compression:
            head, raw = read_head(Pieces(decompressed(self.name, raw, compression, head)))
        if encoding:
            head, raw = read_head(Pieces(as_utf8(self.name, raw, encoding, head, self.spelling)))
        #: the first bytes, as they come from the stream
        self.head = head
        #: the bytes, decompressed and decoded, with ``peek`` and ``readline``
        self.stream = io.BufferedReader(raw, PIECE_BYTES)

    def __enter__(self) -> Source:
        return self

    def __exit__(self, *exc: object) -> None:
        if self._owned:
            self._file.close()

    def is_behind(self, path: str) -> bool:
        """Check whether an output that is written directly goes into the file of this input."""
        number = STDOUT if path == "-" else descriptor(path)
        if self.size is None or number is None or (path == "-" and sys.stdout is None):
            return False
        with contextlib.suppress(ImportError, OSError):
            import fcntl  # not everywhere

            writes = fcntl.fcntl(number, fcntl.F_GETFL) & (os.O_WRONLY | os.O_RDWR)
            return bool(writes) and os.path.sameopenfile(self._file.fileno(), number)
        return False

    def fraction(self) -> float | None:
        """The part of the file that is read, from 0 to 1; None for a pipe."""
        return self._counted.count / self.size if self.size else None

    def random_access(self, mapped: bool = False) -> Any:
        """The bytes as a file that pyarrow can seek in; those of a pipe go to disk for it.

        `mapped` lets the system page them in and out, for what is larger than memory in one piece.
        """
        if self.size is not None and self._by_name:
            path = os.fsencode(self.name)  # a name need not be UTF-8
            return pa.memory_map(path) if mapped else pa.OSFile(path)
        spool = tempfile.TemporaryFile()  # noqa: SIM115  (has no name: gone when it is closed)
        while piece := self.stream.read(PIECE_BYTES):
            try:
                spool.write(piece)
                spool.flush()
            except OSError as error:
                raise RVHError(
                    f"{self.name}: its bytes are kept in {tempfile.gettempdir()} meanwhile, which "
                    f"cannot be written: {error.strerror}; set TMPDIR to a folder with room"
                ) from None
        spool.seek(0)
        return pa.PythonFile(spool, "r")
