"""The .xz format, which pyarrow lacks: streams as those of `pyarrow` for other compressions."""

from __future__ import annotations

import lzma
from collections.abc import Iterator
from typing import Any

from rvh._tables.content import XZ

#: compressed bytes read at once
PIECE_BYTES = 1 << 16


class XzInput:
    """A stream of the bytes that an .xz file holds: of all of its streams, as `xz` reads them.

    Python's `lzma.open` ends in silence where something else follows the first stream.

    Parameters
    ----------
    raw : file-like
    """

    def __init__(self, raw: Any) -> None:
        self._raw = raw
        self._rest = b""
        self._pieces: Iterator[bytes] | None = None

    def read(self, size: int) -> bytes:
        """Read `size` bytes or fewer, none at the end.

        Raises
        ------
        OSError
            Without a file name: data that is truncated, damaged or followed by something else.
        """
        if self._pieces is None:
            self._pieces = self._decompressed(size)
        return next(self._pieces, b"")

    def _decompressed(self, size: int) -> Iterator[bytes]:
        while self._next_stream():
            stream = lzma.LZMADecompressor(lzma.FORMAT_XZ)
            while not stream.eof:
                data = b""
                if stream.needs_input:
                    data, self._rest = self._rest or self._raw.read(PIECE_BYTES), b""
                    if not data:
                        raise OSError("truncated")
                try:
                    piece = stream.decompress(data, size)
                except lzma.LZMAError as error:
                    raise OSError(str(error)) from None
                if piece:
                    yield piece
            self._rest = stream.unused_data

    def _next_stream(self) -> bool:
        """Skip the padding before a stream, zeros in fours; False at the end."""
        padding = 0
        while True:
            stripped = self._rest.lstrip(b"\0")
            padding += len(self._rest) - len(stripped)
            self._rest = stripped
            if len(stripped) >= len(XZ) or not (more := self._raw.read(PIECE_BYTES)):
                break
            self._rest += more
        if padding % 4 or (self._rest and not self._rest.startswith(XZ)):
            raise OSError("no magic header")
        return bool(self._rest)
