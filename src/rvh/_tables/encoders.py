"""Bytes on their way out, compressed."""

from __future__ import annotations

import bz2
import zlib
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]

#: bytes that zstd compresses together
FRAME_BYTES = 1 << 22


class _Gzip:
    """gzip by ISA-L where it is installed and no level is asked for: 10 to 20 times as fast."""

    def __init__(self, level: int | None) -> None:
        self._data: Any = None
        if level is None:
            try:
                from isal import isal_zlib  # type: ignore[import-not-found, unused-ignore]
            except ImportError:
                level = 6
            else:
                self._data = isal_zlib.compressobj(3, isal_zlib.DEFLATED, 31)
        if level is not None:
            self._data = zlib.compressobj(level, zlib.DEFLATED, 31)
        self.compress, self.flush = self._data.compress, self._data.flush


class _Zstd:
    """zstd in frames that decompressors read one after the other."""

    def __init__(self, level: int | None) -> None:
        self._codec = pa.Codec("zstd", 1 if level is None else level)
        self._waiting = bytearray()

    def compress(self, data: Any) -> bytes:
        self._waiting += data
        return self.flush() if len(self._waiting) >= FRAME_BYTES else b""

    def flush(self) -> bytes:
        data, self._waiting = bytes(self._waiting), bytearray()
        made: bytes = self._codec.compress(data, asbytes=True) if data else b""
        return made


class Encoder:
    """A stream that compresses what is written to it; closing it leaves the sink open.

    Parameters
    ----------
    sink : file-like
    compression : str
        A key of `rvh._tables.levels.LEVELS`.
    level : int, optional

    Examples
    --------
    >>> import gzip, io
    >>> sink = io.BytesIO()
    >>> stream = Encoder(sink, "gzip", 9)
    >>> stream.write(b"text"), stream.close(), gzip.decompress(sink.getvalue())
    (4, None, b'text')
    """

    closed = False

    def __init__(self, sink: Any, compression: str, level: int | None = None) -> None:
        self._sink = sink
        if compression == "xz":
            import lzma  # here, because a Python may be built without it

            self._data: Any = lzma.LZMACompressor(lzma.FORMAT_XZ, preset=level)
        elif compression == "bz2":
            self._data = bz2.BZ2Compressor(9 if level is None else level)
        else:
            self._data = {"gzip": _Gzip, "zstd": _Zstd}[compression](level)

    def write(self, data: Any) -> int:
        view = memoryview(data).cast("B")
        if made := self._data.compress(view):
            self._sink.write(made)
        return len(view)

    def flush(self) -> None:
        """Write nothing: what is not yet compressed has no form but as the end of the stream."""

    def close(self) -> None:
        """Write the end of the stream."""
        self._sink.write(self._data.flush())

    def writable(self) -> bool:
        return True

    def readable(self) -> bool:
        return False

    def seekable(self) -> bool:
        return False
