"""Batches on their way: columns of keys as requests, and what responses say.

Both are written and read here byte by byte, since protobuf makes a Python object of each key:
https://protobuf.dev/programming-guides/encoding/.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import index
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rvh._backend import pack
from rvh._columns.column import KeyColumn, Kind
from rvh.rpc.encoding import field, field_head, read_fields, varint
from rvh.rpc.problems import malformed

__all__ = ["ONE", "Chunk", "Response", "chunks_of", "read_response", "request_of", "request_of_one"]

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


#: one empty key, to learn what only answers tell
ONE = Chunk(1, [field(1, b"")])


def chunks_of(column: KeyColumn, size: int) -> Iterator[Chunk]:
    """Cut a column into chunks of at most so many keys.

    Raises
    ------
    RVHError, RVHTypeError
        A key without bytes.
    """
    column = column.with_plain_chunks()
    for start in range(0, len(column), size):
        stop = min(start + size, len(column))
        pieces = [(column, start, stop)]
        if column.kind is Kind.CHUNKS:
            pieces = [piece[:3] for piece in column.values.pieces(start, stop)]
        if all(piece.kind is Kind.INTEGERS and piece.rows is None for piece, _, _ in pieces):
            yield _integers([piece.values[a:b] for piece, a, b in pieces])
        else:
            yield from _spans(pieces)


def _integers(arrays: list[NDArray[Any]]) -> Chunk:
    words = [
        each.astype("<i8" if each.dtype.kind == "i" else "<u8", copy=False).view("<i8")
        for each in map(np.ascontiguousarray, arrays)
    ]
    content = _joined(words).view(np.uint8).data
    return Chunk(content.nbytes // 8, [field_head(3, content.nbytes), content])


def _spans(pieces: Sequence[tuple[KeyColumn, int, int]]) -> Iterator[Chunk]:
    packed = [pack(*piece) for piece in pieces]
    data = _joined([each.data for each in packed])
    sizes = [np.diff(each.offsets) for each in packed[1:]]
    offsets = packed[0].offsets
    if sizes:  # many short pieces, as some databases give
        offsets = np.concatenate([[0], np.cumsum(np.concatenate([np.diff(offsets), *sizes]))])
    rows, start = len(offsets) - 1, 0
    while start < rows:
        first = int(offsets[start])
        stop = rows
        if len(data) - first > BYTES_MAX:
            stop = int(np.searchsorted(offsets, first + BYTES_MAX, side="right")) - 1
            stop = min(max(stop, start + 1), rows)
        last = int(offsets[stop])
        ends = (offsets[start + 1 : stop + 1] - offsets.dtype.type(first)).astype("<u4")
        parts: list[Any] = []
        if last > first:
            parts += [field_head(4, last - first), data[first:last].data]
        parts += [field_head(5, ends.nbytes), ends.view(np.uint8).data]
        yield Chunk(stop - start, parts)
        start = stop


def _joined(arrays: list[NDArray[Any]]) -> NDArray[Any]:
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)


def request_of(chunk: Chunk, k: int | None, known: str | None, *, pinned: bool = False) -> bytes:
    """Make a request of encoded keys; without `known`, no ids come back."""
    parts = [*chunk.fields]
    if known is not None:
        parts.append(field(8, known.encode()))
    if k is not None:
        parts.append(b"\x30" + varint(k))
    if pinned:
        parts.append(b"\x48\x01")
    return b"".join(parts)


def request_of_one(key: bytes, k: int, known: str) -> bytes:
    """Make the SelectRequest of one key."""
    return b"".join((field(1, key), b"\x30", varint(k), field(8, known.encode())))


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
    nodes : list of str
        All ids; empty where they are those that were known.
    """

    epoch: int
    fingerprint: str
    k: int
    words: memoryview
    weighted: bool
    nodes: list[str]

    def indices(self) -> NDArray[Any]:
        """The positions, one after the other."""
        return np.frombuffer(self.words, dtype="<u4")


def read_response(content: bytes) -> Response:
    """Read SelectBatchResponse or ScoreResponse.

    Raises
    ------
    ServiceError
        It is none of them.
    """
    try:
        return _read(content)
    except (TypeError, ValueError):
        raise malformed("cut off, or with a field of another type or text") from None


def _read(content: bytes) -> Response:
    epoch, fingerprint, k, weighted = 0, "", 1, False
    words = memoryview(b"")
    nodes: list[str] = []
    for number, value in read_fields(content):
        if number == 1:
            epoch = index(value)
        elif number == 2:
            fingerprint = str(value, "utf-8")
        elif number == 3 and isinstance(value, int):
            k = value
        elif number in (3, 4):
            words, weighted = memoryview(value), number == 4
        elif number == 6:
            nodes.append(str(value, "utf-8"))
    if len(words) % 4:
        raise ValueError(f"{len(words)} bytes are not a list of indices or scores")
    return Response(epoch, fingerprint, k, words, weighted, nodes)
