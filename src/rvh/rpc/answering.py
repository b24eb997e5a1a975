"""Answers to messages: the bytes of a request in, the bytes of the response out, without gRPC.

Requests of keys are decoded by the backend. Their responses are written here, since the answer for
a batch is one copy of an array that way; the rules of the encoding are at
https://protobuf.dev/programming-guides/encoding/.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rvh._arguments.numbers import positive_seconds, whole_number
from rvh._backend import Cancel, decode_batch, decode_key
from rvh._batch.answers import fill
from rvh._columns.column import KeyColumn
from rvh.errors import MessageError, RVHError
from rvh.membership import Snapshot
from rvh.rpc.calls import Call
from rvh.rpc.encoding import field, field_head, varint
from rvh.rpc.messages import message
from rvh.rpc.mirroring import node_message

__all__ = ["PROTOBUF", "Answering", "Limits", "MissingError", "Told", "UnwantedError", "Wire"]

MIB = 1 << 20


class Limits(NamedTuple):
    """What a server takes at most.

    Parameters
    ----------
    keys : int
        Keys in one message.
    message : int
        Bytes of a message, in either direction.
    calls : int
        Calls with one answer that are worked on at once.
    streams : int
        Streams that are open at once, those of `WatchNodes` and of health checks too.
    seconds : float
        How long one answer may take, whatever deadline the client has.
    """

    keys: int = 1_000_000
    message: int = 64 * MIB
    calls: int = 64
    streams: int = 256
    seconds: float = 30.0

    def checked(self) -> Limits:
        """Return the limits; raise the error about one that cannot be."""
        most = 2**31 - 1
        keys, message, calls, streams = (
            whole_number(name, getattr(self, name), most) for name in self._fields[:-1]
        )
        return Limits(keys, message, calls, streams, positive_seconds(self.seconds, "seconds"))


class UnwantedError(Exception):
    """The caller has gone, or the time for the answer is over."""


class MissingError(Exception):
    """A library is not installed, without which there is no answer."""


#: tells whether the answer is still wanted
Wanted = Callable[[], bool]


class Told:
    """What answers of one snapshot have in common, encoded once."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        nodes = snapshot.nodes
        self.fingerprint = snapshot.fingerprint
        self.ranking = nodes._ranking
        self.positions = np.arange(len(nodes), dtype=np.uint32)
        self.places = self.positions.tolist()
        self.head = b"\x08" + varint(snapshot.epoch) + field(2, self.fingerprint.encode())

    # Most answers have indices alone, and the first one after a change waits for what is made here.

    @cached_property
    def ids(self) -> list[bytes]:
        """The field `ids` with the id of each node."""
        return [field(5, node.encode()) for node in self.snapshot.nodes]

    @cached_property
    def longest(self) -> int:
        """The bytes of the longest of them."""
        return max(map(len, self.ids))

    @cached_property
    def nodes(self) -> bytes:
        """The field `nodes` with all ids."""
        return b"".join(field(6, node.encode()) for node in self.snapshot.nodes)

    def is_news_to(self, known: str | None) -> bool:
        """Tell whether a caller with the ids of this fingerprint needs them all."""
        return known is not None and known != self.fingerprint

    def names(self, known: str | None) -> bytes:
        """All ids, for a caller who has those of another fingerprint."""
        return self.nodes if self.is_news_to(known) else b""


class Wire(NamedTuple):
    """An encoding of the messages of batches.

    Parameters
    ----------
    read : callable
        Decodes a request of at most so many keys.
    write : callable
        Encodes the response to a batch: positions of shape (M, k), little-endian.
    """

    read: Callable[[bytes, int], Any]
    write: Callable[[Told, Any, NDArray[Any]], bytes]


def _write(told: Told, batch: Any, chosen: NDArray[Any]) -> bytes:
    places = chosen.reshape(-1)
    head = told.head + b"\x18" + varint(chosen.shape[1]) + field_head(4, places.nbytes)
    ids = [told.ids[place] for place in places.tolist()] if batch.with_ids else []
    return b"".join((head, places.view(np.uint8).data, *ids, told.names(batch.known)))


PROTOBUF = Wire(decode_batch, _write)


class Answering:
    """Answers requests by the current snapshot.

    Parameters
    ----------
    current : callable
        Gives the current snapshot.
    limits : Limits
    threads : int, optional
        Of one batch, as for `rvh.NodeSet.select_batch`.
    """

    def __init__(
        self, current: Callable[[], Snapshot], limits: Limits, threads: int | None = None
    ) -> None:
        self._current = current
        self._limits = limits
        self._threads = threads
        self._told = Told(current())

    def told(self) -> Told:
        """Return the encoded parts of the current snapshot."""
        snapshot = self._current()
        told = self._told
        if told.snapshot is not snapshot:
            self._told = told = Told(snapshot)
        return told

    def select(self, request: bytes, call: Call) -> bytes:
        """Answer SelectRequest."""
        key, k, with_ids, known = decode_key(request)
        told = self.told()
        ranking = told.ranking
        k = _checked_k(told, k)
        chosen = ranking.nodes.select_one(key, k, told.places)
        words = b"".join([place.to_bytes(4, "little") for place in chosen])
        parts = [told.head, b"\x18", varint(k), field(4, words)]
        if with_ids:
            parts += [told.ids[place] for place in chosen]
        if known is not None:
            parts.append(told.names(known))
        call.answered(1, told.snapshot.epoch)
        return b"".join(parts)

    def select_batch(self, request: bytes, call: Call, *, wire: Wire = PROTOBUF) -> bytes:
        """Answer SelectBatchRequest."""
        return self.answer_batch(wire.read(request, self._limits.keys), call, wire=wire)

    def answer_batch(
        self, batch: Any, call: Call, pinned: Told | None = None, *, wire: Wire = PROTOBUF
    ) -> bytes:
        """Answer a decoded batch, by the current snapshot or the one that a stream is pinned to."""
        told = pinned or self.told()
        chosen = self.indices(told, batch, call)
        call.answered(len(batch.keys), told.snapshot.epoch)
        return wire.write(told, batch, chosen)

    def indices(self, told: Told, batch: Any, call: Call) -> NDArray[Any]:
        """The positions of the best k nodes of each key, shape (M, k), little-endian uint32."""
        k = _checked_k(told, batch.k)
        keys: KeyColumn = batch.keys
        each = 4 + (told.longest if batch.with_ids else 0)
        self._check_size(len(keys) * k * each, f"{len(keys)} keys with k={k}")
        ranking = told.ranking
        out = np.empty((len(keys), k), dtype=np.uint32)
        work = _while(call.is_wanted, partial(ranking.nodes.select, told.positions))
        ranking.fill(work, keys, out, k, self._threads, "auto")
        return out.astype("<u4", copy=False)

    def score(self, request: bytes, call: Call) -> bytes:
        """Answer ScoreRequest."""
        batch = decode_batch(request, self._limits.keys)
        for name, is_there in (
            ("k", batch.k is not None),
            ("with_ids", batch.with_ids),
            ("pinned", batch.pinned),
        ):
            if is_there:
                raise MessageError(name, "a ScoreRequest has no such field: omit it")
        told = self.told()
        nodes, ranking, count = told.snapshot.nodes, told.ranking, len(told.places)
        words = 2 if nodes.weights is None and nodes.scheme == "blake2b" else 1
        self._check_size(len(batch.keys) * count * words * 8, f"{len(batch.keys)} keys")
        out = np.empty((len(batch.keys), count, words), dtype=np.uint64)
        work = _while(call.is_wanted, ranking.nodes.scores)
        fill(work, batch.keys, out, ranking.cost(count), self._threads)
        scores = out.astype("<u8", copy=False).reshape(-1).view(np.uint8)
        head = field_head(3 if nodes.weights is None else 4, scores.nbytes)
        call.answered(len(batch.keys), told.snapshot.epoch)
        return b"".join((told.head, head, scores.data, told.names(batch.known)))

    def get_nodes(self, request: bytes, call: Call) -> bytes:
        """Answer GetNodesRequest."""
        refuse_unknown(message("rvh.v1.GetNodesRequest"), request)
        snapshot = self._current()
        weights = snapshot.weights or {}
        answer = message("rvh.v1.GetNodesResponse")(
            epoch=snapshot.epoch,
            fingerprint=snapshot.fingerprint,
            scheme=snapshot.nodes.scheme,
            keyed=bool(snapshot.nodes.secret),
        )
        for node in snapshot.members:
            told = answer.nodes if node.rule.selectable else answer.others
            told.append(node_message(node, weights.get(node.id)))
        return bytes(answer.SerializeToString())

    def _check_size(self, size: int, what: str) -> None:
        if size > self._limits.message:
            raise MessageError(
                "", f"{what} have an answer of {size >> 20} MiB, and {self._limits.message >> 20} "
                "MiB is the most: ask for fewer keys at a time"
            )  # fmt: skip


def _checked_k(told: Told, k: int | None) -> int:
    if k is None:
        return 1
    try:
        return told.ranking.check_k(k)
    except RVHError as error:
        raise MessageError("k", str(error)) from None


def _while(wanted: Wanted, work: Any) -> Any:
    """Do work on blocks of rows as long as somebody waits for it."""

    def blocks(keys: Any, start: int, stop: int, out: NDArray[Any], cancel: Cancel) -> None:
        if not wanted():
            raise UnwantedError
        work(keys, start, stop, out, cancel)

    return blocks


def refuse_unknown(kind: Any, request: bytes) -> Any:
    """Parse a message without keys, and refuse fields that this version does not know.

    Raises
    ------
    MessageError
        A field that is unknown, or bytes that are not a message.
    """
    from google.protobuf.message import DecodeError
    from google.protobuf.unknown_fields import UnknownFieldSet

    try:
        parsed = kind.FromString(request)
    except DecodeError:
        raise MessageError("", f"the bytes are not a {kind.DESCRIPTOR.name}") from None
    for unknown in UnknownFieldSet(parsed):
        raise MessageError("", f"field {unknown.field_number} is not known to this version of rvh")
    return parsed
