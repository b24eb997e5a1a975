"""Bytes on their way in: decompressed, and text of another encoding as UTF-8."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from itertools import chain
from pathlib import PurePath
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]

from rvh._tables.content import COMPRESSORS, HEAD_BYTES, MAGIC
from rvh._tables.spelling import Spelling
from rvh.errors import RVHError

#: bytes read at once
PIECE_BYTES = 1 << 20
#: codecs of text that are not encodings of files, or that do not always give text
NO_ENCODINGS = {"idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape", "utf-7"}
#: pyarrow's errors about bytes that are not compressed data: they follow such data, because the
#: first bytes of the file were checked
NOT_COMPRESSED = (
    "incorrect header check",
    "unknown compression method",
    "no magic header",
    "Unknown frame descriptor",
)
#: the byte order marks of encodings that need one
MARKS = {
    "utf-16": (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE),
    "utf-32": (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE),
}


class Pieces(io.RawIOBase):
    """Pieces of bytes, one after the other, as a stream."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._rest = memoryview(piece)
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size


def read_head(raw: Any) -> tuple[bytes, Pieces]:
    """Read the first bytes of a stream; return them, and a stream that still has them."""
    head = b""
    while len(head) < HEAD_BYTES and (more := raw.read(HEAD_BYTES - len(head))):
        head += more
    return head, Pieces(chain([head], iter(lambda: raw.read(PIECE_BYTES), b"")))


def decompressed(name: str, raw: Any, compression: str, head: bytes) -> Iterator[bytes]:
    """Decompressed pieces; an error says which end of the data is wrong."""
    if not head.startswith(MAGIC[compression]):
        raise RVHError(
            f"{name} is empty or not {compression}-compressed: drop {PurePath(name).suffix} from "
            "its name if it is plain"
        )
    if compression == "xz":
        from rvh._tables.xz import XzInput  # here, because a Python may be built without lzma

        stream: Any = XzInput(raw)
    else:
        stream = pa.CompressedInputStream(pa.PythonFile(raw, "r"), compression)
    while True:
        try:
            piece = stream.read(PIECE_BYTES)
        except OSError as error:
            if error.filename:  # an error of the file, not of the data
                raise
            reason = str(error)
            if "runcated" in reason:
                what = f"its {compression} data ends too early: it is truncated"
            elif any(start in reason for start in NOT_COMPRESSED):
                program = COMPRESSORS[compression]
                if compression == "xz":  # which fails there too, unless told
                    program += " --single-stream"
                what = (
                    f"after its {compression} data there is something else, as padding: pipe it "
                    f"through {program} -dc"
                )
            else:
                what = f"its {compression} data is damaged ({reason})"
            raise RVHError(f"{name}: {what}") from None
        if not piece:
            return
        yield piece


def text_codec(name: str) -> codecs.CodecInfo | None:
    """The codec of a text encoding that a file can have, if `name` is one."""
    try:
        codec = codecs.lookup(name)
    except (LookupError, ValueError):
        return None
    is_text = getattr(codec, "_is_text_encoding", True)
    return codec if is_text and codec.name.replace("_", "-") not in NO_ENCODINGS else None


def as_utf8(name: str, raw: Any, encoding: str, head: bytes, spelling: Spelling) -> Iterator[bytes]:
    """Pieces of text in another encoding as UTF-8."""
    codec = text_codec(encoding)
    assert codec is not None
    assert codec.incrementaldecoder is not None
    if codec.name in ("utf-16", "utf-32") and head and not head.startswith(MARKS[codec.name]):
        raise RVHError(
            f"{name} has no byte order mark: say {spelling('encoding', f'{codec.name}-le')}, or "
            f"{codec.name}-be where the first byte of a character is the high one"
        )
    decoder = codec.incrementaldecoder("strict")
    before = 0
    while True:
        piece = raw.read(PIECE_BYTES)
        pending = len(decoder.getstate()[0])
        try:
            text = decoder.decode(piece, final=not piece)
        except UnicodeDecodeError as error:
            raise RVHError(
                f"{name} is not {codec.name} text: {error.reason} at byte "
                f"{before - pending + error.start}"
            ) from None
        if text:
            yield text.encode()
        if not piece:
            return
        before += len(piece)
