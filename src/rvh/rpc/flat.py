"""Batches as FlatBuffers, which are read without being parsed: ``protos/rvh/v1/batch.fbs``.

The backend verifies and reads requests. The library writes responses, and is loaded for the first
of them: https://flatbuffers.dev/internals/.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rvh._backend import decode_flat_batch
from rvh.rpc.answering import MissingError, Told, Wire

__all__ = ["FLATBUFFERS"]

#: bytes of a response beside its vectors
ROOM = 512


def _builder(size: int) -> Any:
    try:
        import flatbuffers
    except ImportError:
        raise MissingError(
            "this server has no library for FlatBuffers: pip install 'rvh[rpc]' there, or call "
            "rvh.v1.Selection"
        ) from None
    return flatbuffers.Builder(size)


def _read(request: bytes, limit: int) -> Any:
    _builder(0)  # what cannot be answered need not be read
    return decode_flat_batch(request, limit)


def _write(told: Told, batch: Any, chosen: NDArray[Any]) -> bytes:
    flat = chosen.reshape(-1)
    builder = _builder(ROOM + flat.nbytes * (1 + batch.with_ids))
    fingerprint = builder.CreateString(told.fingerprint)
    nodes = ids = 0
    if told.is_news_to(batch.known):
        nodes = _texts(builder, [*told.snapshot.nodes], told.positions)
    if batch.with_ids:
        places, rows = np.unique(flat, return_inverse=True)
        ids = _texts(builder, told.snapshot.nodes.ids[places].tolist(), rows.reshape(-1))
    indices = builder.CreateNumpyVector(flat)
    builder.StartObject(6)
    builder.PrependUint64Slot(0, told.snapshot.epoch, 0)
    builder.PrependUOffsetTRelativeSlot(1, fingerprint, 0)
    builder.PrependUint32Slot(2, chosen.shape[1], 0)
    builder.PrependUOffsetTRelativeSlot(3, indices, 0)
    builder.PrependUOffsetTRelativeSlot(4, ids, 0)
    builder.PrependUOffsetTRelativeSlot(5, nodes, 0)
    builder.Finish(builder.EndObject())
    return bytes(memoryview(builder.Bytes)[builder.Head() :])


def _texts(builder: Any, texts: Sequence[str], rows: NDArray[Any]) -> int:
    """Write each text once, and the vector that refers to the text of each row.

    The library counts from the end of the buffer, and an element refers forward by the distance.
    """
    ends = np.array([builder.CreateString(text) for text in texts], dtype=np.int64)
    builder.Prep(4, 4 * len(rows))  # as CreateNumpyVector does, to know where the elements are
    places = builder.Offset() + 4 * np.arange(len(rows), 0, -1)
    return int(builder.CreateNumpyVector((places - ends[rows]).astype("<u4")))


FLATBUFFERS = Wire(_read, _write)
