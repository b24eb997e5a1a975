"""Batches on their way: columns of keys as requests, and what responses say.

Both are written and read here byte by byte, since protobuf makes a Python object of each key:
https://protobuf.dev/programming-guides/encoding/.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rvh._backend import pack
from rvh._columns.column import KeyColumn, Kind
from rvh.rpc.encoding import field, field_head, read_fields, varint

__all__ = ["Chunk", "Response", "chunks_of", "read_response", "request_of"]

#: the bytes of keys after which a chunk ends, however few they are
BYTES_MAX = 16 << 20


class Chunk(NamedTuple):
    """Keys of a request, encoded.

    Parameters
    ----------
    rows : int
        How many.
    fields : list of bytes and memoryview
        The fields of the keys, in parts that are joined once, by `request_of`. They may be views of
        the column.
    """

    rows: int
    fields: list[Any]


def chunks_of(column: KeyColumn, size: int) -> Iterator[Chunk]:
    """Cut a column into chunks of at most so many keys.

    Raises
    ------
    RVHError, RVHTypeError
        A key without bytes.
    """
    for piece, _ in column.pieces():
        start = 0
        while start < len(piece):
            stop = min(start + size, len(piece))
            if piece.kind is Kind.INTEGERS and piece.rows is None:
                yield _integers(piece.values[start:stop])
            else:
                yield from _spans(piece, start, stop)
            start = stop


def _integers(values: NDArray[Any]) -> Chunk:
    words = values.astype("<i8" if values.dtype.kind == "i" else "<u8", copy=False)
    content = np.ascontiguousarray(words).view(np.uint8).data
    return Chunk(len(values), [field_head(3, content.nbytes), content])


def _spans(piece: KeyColumn, start: int, stop: int) -> Iterator[Chunk]:
    spans = pack(piece, start, stop)
    if spans.data.nbytes > BYTES_MAX and stop - start > 1:
        middle = (start + stop) // 2
        yield from _spans(piece, start, middle)
        yield from _spans(piece, middle, stop)
        return
    ends = spans.offsets[1:].astype("<u4")
    parts: list[Any] = []
    if spans.data.nbytes:
        parts += [field_head(4, spans.data.nbytes), spans.data.data]
    parts += [field_head(5, ends.nbytes), ends.view(np.uint8).data]
    yield Chunk(stop - start, parts)


def request_of(chunk: Chunk, k: int | None, known: str, *, pinned: bool = False) -> bytes:
    """Make a request of encoded keys."""
    parts = [*chunk.fields, field(8, known.encode())]
    if k is not None:
        parts.append(b"\x30" + varint(k))
    if pinned:
        parts.append(b"\x48\x01")
    return b"".join(parts)


class Response(NamedTuple):
    """What a response says.

    Parameters
    ----------
    epoch : int
    fingerprint : str
    k : int
    words : memoryview
        Of the indices, or of scores: field 4, or 3.
    weighted : bool
        Whether scores are weighted.
    nodes : list of str or None
        All ids; None where they are those that were known.
    """

    epoch: int
    fingerprint: str
    k: int
    words: memoryview
    weighted: bool
    nodes: list[str] | None

    def indices(self) -> NDArray[Any]:
        """The positions, shape (M, k)."""
        return np.frombuffer(self.words, dtype="<u4").reshape(-1, self.k)


def read_response(content: bytes) -> Response:
    """Read SelectResponse, SelectBatchResponse or ScoreResponse."""
    epoch, fingerprint, k, weighted = 0, "", 1, False
    words = memoryview(b"")
    nodes: list[str] = []
    for number, value in read_fields(content):
        if number == 1:
            epoch = value
        elif number == 2:
            fingerprint = str(value, "utf-8")
        elif number == 3 and isinstance(value, int):
            k = value
        elif number in (3, 4):
            words, weighted = value, number == 4
        elif number == 6:
            nodes.append(str(value, "utf-8"))
    return Response(epoch, fingerprint, k, words, weighted, nodes or None)
