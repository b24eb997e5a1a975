"""What clients ask, and what they make of the responses; how these come is each client's own.

A method here is a generator: it yields calls, is sent the bytes of their responses, and returns an
`Answer`.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Any, NamedTuple, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from rvh._arguments.numbers import whole_number
from rvh._columns.column import KeyColumn
from rvh._runtime.slices import take
from rvh.keys import key_bytes, open_keys
from rvh.membership import NodeMeta
from rvh.membership.snapshot import in_order
from rvh.rpc.answer import NOTHING, Answer, Known
from rvh.rpc.chunks import (
    ONE,
    Chunk,
    Response,
    chunks_of,
    read_response,
    request_of,
    request_of_one,
)
from rvh.rpc.mirroring import node_of
from rvh.rpc.problems import ServiceError, malformed, parse

__all__ = ["CHUNK", "Asking", "Contents", "Question", "Questions", "Stream", "Unary", "nodes_told"]

T = TypeVar("T")
#: the requests of a stream
Contents: TypeAlias = Generator[bytes, None, None]

#: keys of one message of a stream: more or fewer are slower
CHUNK = 100_000
#: the bytes of an answer, about: servers send 64 MiB unless they are told otherwise
ANSWER_MAX = 32 << 20
K_MAX = 2**31 - 1


class Unary(NamedTuple):
    """A call whose response is the bytes of one message."""

    method: str
    content: bytes


class Stream(NamedTuple):
    """A call of SelectStream, whose response is a list of the bytes of messages.

    `contents` makes the requests, anew each time that the call is tried.
    """

    contents: Callable[[], Contents]


Question: TypeAlias = Unary | Stream
#: what a method here returns
Asking: TypeAlias = Generator[Question, Any, T]


class Questions:
    """The questions of one client.

    Parameters
    ----------
    chunk : int
        Keys of one message, at most.
    """

    def __init__(self, chunk: int) -> None:
        self._chunk = whole_number("chunk", chunk, 1_000_000)
        self._known = NOTHING

    def select(self, keys: Sequence[bytes], k: int) -> Asking[list[Answer[list[str]]]]:
        """The best k nodes of single keys that go together."""
        known = self._known
        if len(keys) == 1:
            content = yield Unary("Select", request_of_one(keys[0], k, known.fingerprint))
            # One key is quicker without NumPy.
            told = parse("SelectResponse", content)
            names = self._learn(known, told.fingerprint, told.nodes).names
            places = list(told.indices)
            if len(places) != k or max(places) >= len(names):
                raise _not_positions(len(places), 1, k, len(names))
            return [Answer([names[place] for place in places], told.epoch, told.fingerprint)]
        with open_keys(keys) as column:
            (chunk,) = chunks_of(column, len(keys))
        response = yield from self._ask_batch(chunk, k, known)
        ids = self._learn_of(known, response).ids
        indices = _checked(response.indices(), len(keys), k, len(ids))
        epoch, fingerprint = response.epoch, response.fingerprint
        return [Answer(row, epoch, fingerprint) for row in take(ids, indices).tolist()]

    def select_batch(self, keys: Any, k: int) -> Asking[Answer[NDArray[Any]]]:
        """The best k nodes of every key, as ids."""
        indices, known, epoch = yield from self._indices(keys, k)
        return Answer(take(known.ids, indices), epoch, known.fingerprint)

    def argselect_batch(self, keys: Any, k: int) -> Asking[Answer[NDArray[np.intp]]]:
        """The best k nodes of every key, as positions."""
        indices, known, epoch = yield from self._indices(keys, k)
        return Answer(indices.astype(np.intp), epoch, known.fingerprint)

    def ids(self) -> Asking[Answer[NDArray[Any]]]:
        """All ids, in the order of indices."""
        _, known, epoch = yield from self._indices([], 1)
        return Answer(known.ids, epoch, known.fingerprint)

    def nodes(self) -> Asking[Answer[tuple[NodeMeta, ...]]]:
        """All that is known of all nodes."""
        told = yield from nodes_told()
        members = in_order([node_of(each) for each in (*told.nodes, *told.others)])
        return Answer(members, told.epoch, told.fingerprint)

    def scores(self, key: Any) -> Asking[Answer[list[tuple[str, int | float]]]]:
        """Every node with its score for one key, best first."""
        scores, known, epoch = yield from self._scores([key_bytes(key)])
        row: list[Any] = scores[0].tolist()
        if scores.ndim == 3:
            row = [high << 64 | low for high, low in row]
        pairs = list(zip(known.ids.tolist(), row, strict=True))
        if scores.dtype.kind == "f":
            pairs = [(node, score) for node, score in pairs if score > 0]
        pairs.sort(key=lambda pair: (pair[1], pair[0].encode()), reverse=True)
        return Answer(pairs, epoch, known.fingerprint)

    def score_batch(self, keys: Any) -> Asking[Answer[NDArray[Any]]]:
        """The score of every node for every key."""
        scores, known, epoch = yield from self._scores(keys)
        return Answer(scores, epoch, known.fingerprint)

    # -- helpers ------------------------------------------------------------------------------

    def _learn(self, known: Known, fingerprint: str, nodes: Sequence[str]) -> Known:
        new = known.or_new(fingerprint, nodes)
        if new is not known:
            self._known = new
        return new

    def _learn_of(self, known: Known, response: Response) -> Known:
        return self._learn(known, response.fingerprint, response.nodes)

    def _ask_batch(self, chunk: Chunk, k: int, known: Known) -> Asking[Response]:
        content = request_of(chunk, k, known.fingerprint)
        return read_response((yield Unary("SelectBatch", content)))

    def _indices(self, keys: Any, k: int) -> Asking[tuple[NDArray[Any], Known, int]]:
        """The positions, shape (M, k), with their node set and its epoch."""
        k = whole_number("k", k, K_MAX)
        size = min(self._chunk, max(1, ANSWER_MAX // (4 * k)))
        known = self._known
        with open_keys(keys) as column:
            rows = len(column)
            chunks = list(chunks_of(column, size)) if 0 < rows <= size else [ONE] * (rows == 0)
            if len(chunks) == 1:
                response = yield from self._ask_batch(chunks[0], k, known)
                known = self._learn_of(known, response)
                indices = _checked(response.indices(), chunks[0].rows, k, len(known.ids))
                return indices[:rows], known, response.epoch
            contents = _pinned(column, size, k, known.fingerprint)
            responses = list(map(read_response, (yield Stream(contents))))
        if len({each.fingerprint for each in responses}) != 1:
            raise ServiceError("INTERNAL", "the server has not answered a stream by one node set")
        known = self._learn_of(known, responses[0])
        indices = np.concatenate([each.indices() for each in responses])
        return _checked(indices, rows, k, len(known.ids)), known, responses[0].epoch

    def _scores(self, keys: Any) -> Asking[tuple[NDArray[Any], Known, int]]:
        """The scores of all keys, with their node set and its epoch."""
        with open_keys(keys) as column:
            while True:
                if not self._known.fingerprint:
                    yield from self.ids()  # for the number of nodes
                size = min(self._chunk, max(1, ANSWER_MAX // (16 * len(self._known.ids))))
                found: list[NDArray[Any]] = []
                known = NOTHING
                for chunk in chunks_of(column, size) if len(column) else [ONE]:
                    before = self._known
                    content = request_of(chunk, None, before.fingerprint)
                    response = read_response((yield Unary("Score", content)))
                    if found and response.fingerprint != known.fingerprint:
                        break  # the nodes have changed meanwhile: once more, with all keys
                    known = self._learn_of(before, response)
                    found.append(_scores_of(response, chunk.rows, len(known.ids)))
                else:
                    scores = found[0] if len(found) == 1 else np.concatenate(found)
                    return scores[: len(column)], known, response.epoch


def nodes_told() -> Asking[Any]:
    """Ask for GetNodesResponse."""
    content = yield Unary("GetNodes", b"")
    return parse("GetNodesResponse", content)


def _pinned(column: KeyColumn, size: int, k: int, known: str) -> Callable[[], Contents]:
    """The requests of a stream that is answered by one node set; its ids come once."""

    def contents() -> Contents:
        for number, chunk in enumerate(chunks_of(column, size)):
            yield request_of(chunk, k, None if number else known, pinned=True)

    return contents


def _checked(indices: NDArray[Any], rows: int, k: int, count: int) -> NDArray[Any]:
    """Give indices their shape (M, k), if they are positions among so many nodes."""
    if indices.size != rows * k or (rows and indices.max() >= count):
        raise _not_positions(indices.size, rows, k, count)
    return indices.reshape(rows, k)


def _not_positions(size: int, rows: int, k: int, count: int) -> ServiceError:
    return malformed(
        f"{size} positions for {rows} keys with k={k}, or one that is none among {count} nodes"
    )


def _scores_of(response: Response, rows: int, count: int) -> NDArray[Any]:
    """The scores of a response as `rvh.NodeSet.score_batch` has them."""
    size, each = len(response.words), 8 * rows * count
    if size not in (each, 2 * each):
        raise malformed(f"{size} bytes of scores for {rows} keys and {count} nodes")
    kind = "<f8" if response.weighted else "<u8"
    scores = np.frombuffer(response.words, dtype=kind).astype(kind[1:])
    return scores.reshape((rows, count) if scores.size == rows * count else (rows, count, 2))
