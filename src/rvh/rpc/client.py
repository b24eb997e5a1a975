"""The client: the methods of a NodeSet, answered by a service."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import Any, TypeVar

import grpc
import numpy as np
from numpy.typing import NDArray

from rvh._arguments.numbers import positive_seconds, whole_number
from rvh._runtime.slices import take
from rvh.errors import RVHError
from rvh.keys import key_bytes, open_keys
from rvh.membership import Membership
from rvh.rpc.answer import Answer, Ids
from rvh.rpc.channels import Tls, Ways
from rvh.rpc.chunks import Chunk, Response, chunks_of, read_response, request_of
from rvh.rpc.coalescing import Coalescing, Waiting, request_of_one
from rvh.rpc.messages import SELECTION
from rvh.rpc.problems import ServiceError, as_error, is_safe_to_try_again

__all__ = ["Client"]

T = TypeVar("T")

#: keys of one message of a stream: more or fewer are slower
CHUNK = 100_000
#: the seconds before a call is tried again: at first, and at most
WAIT = (0.02, 1.0)
K_MAX = 2**31 - 1


def channel_to(address: str, credentials: Any, options: Any) -> Any:
    """Make a channel of the synchronous API."""
    if credentials is None:
        return grpc.insecure_channel(address, options)
    return grpc.secure_channel(address, credentials, options)


class Client:
    """A service's nodes, asked from threads; all methods may be called by many at once.

    Where a process asks often, `rvh.rpc.follow` is better: it keeps the nodes here, and answers as
    fast as a NodeSet.

    Parameters
    ----------
    target : str, sequence of str, or Membership
        ``host:port`` of a server, several which are asked in turn, or a membership of servers,
        whose nodes have addresses.
    token : str or callable, optional
        Sent with every call. A callable is asked each time.
    tls : Tls or bool
        True for a certificate that the system trusts.
    plaintext : bool
        Send the token unencrypted, also to other machines.
    timeout : float
        Seconds that one call may take, with all that is tried again.
    chunk : int
        Keys of one message, from 1 to 1,000,000. More keys go as a stream.

    Raises
    ------
    RVHError, RVHTypeError
        Arguments that cannot be used. Nothing is connected yet.

    Examples
    --------
    >>> from rvh.membership import Membership, NodeMeta, State
    >>> from rvh.rpc import Client, Server
    >>> class Two:
    ...     name = "two"
    ...     async def watch(self):
    ...         yield State([NodeMeta("a"), NodeMeta("b")])
    ...         import asyncio; await asyncio.sleep(60)
    >>> with Membership(Two()) as nodes, Server(nodes) as server:
    ...     with Client(f"127.0.0.1:{server.port}") as client:
    ...         client.select("user:1").value, client.select_batch(["x", "y"]).epoch
    (['b'], 1)
    """

    def __init__(
        self,
        target: str | Sequence[str] | Membership,
        *,
        token: str | Callable[[], str] | None = None,
        tls: Tls | bool = False,
        plaintext: bool = False,
        timeout: float = 10.0,
        chunk: int = CHUNK,
    ) -> None:
        self._timeout = positive_seconds(timeout, "timeout")
        self._chunk = whole_number("chunk", chunk, 1_000_000)
        self._ways = Ways(target, channel_to, token, tls, plaintext)
        self._ids = Ids()
        self._coalescing = Coalescing(self._send)

    def select(self, key: Any, k: int = 1, *, timeout: float | None = None) -> Answer[list[str]]:
        """Select the best `k` nodes of one key, as `rvh.NodeSet.select`.

        What several threads ask for while two calls are under way goes together as the next one.

        Raises
        ------
        ServiceError
            The service does not answer.
        RVHError, RVHTypeError
            As `rvh.NodeSet.select`.
        """
        end = self._end(timeout)
        return self._coalescing.ask(Waiting(key_bytes(key), whole_number("k", k, K_MAX), end))

    def select_batch(
        self, keys: Any, k: int = 1, *, timeout: float | None = None
    ) -> Answer[NDArray[Any]]:
        """Select the best `k` nodes of every key, as `rvh.NodeSet.select_batch`.

        The whole answer is of one node set, however many messages it takes.
        """
        indices, ids, response = self._indices(keys, k, timeout)
        return Answer(take(ids, indices), response.epoch, response.fingerprint)

    def argselect_batch(
        self, keys: Any, k: int = 1, *, timeout: float | None = None
    ) -> Answer[NDArray[np.intp]]:
        """Select the best `k` nodes of every key, as positions in `ids`."""
        indices, _, response = self._indices(keys, k, timeout)
        return Answer(indices.astype(np.intp), response.epoch, response.fingerprint)

    def ids(self, *, timeout: float | None = None) -> Answer[NDArray[Any]]:
        """Ask for the ids of all nodes, shape (N,), in the order of indices."""
        response = self._ask_batch(next(chunks_of_one()), 1, self._end(timeout))
        return Answer(self._ids.learn(response), response.epoch, response.fingerprint)

    def score_batch(self, keys: Any, *, timeout: float | None = None) -> Answer[NDArray[Any]]:
        """Score every (key, node) pair, as `rvh.NodeSet.score_batch`."""
        end = self._end(timeout)
        scores: list[NDArray[Any]] = []
        response: Response | None = None
        with open_keys(keys) as column:
            for chunk in chunks_of(column, self._chunk):
                content = request_of(chunk, None, self._ids.known)
                before = response
                response = read_response(self._call("Score", content, end))
                if before is not None and before.fingerprint != response.fingerprint:
                    raise ServiceError("ABORTED", "the nodes have changed meanwhile: ask again")
                ids = self._ids.learn(response)
                scores.append(scores_of(response, chunk.rows, len(ids)))
        if response is None:
            return Answer(np.empty((0, 0)), 0, "")
        return Answer(np.concatenate(scores), response.epoch, response.fingerprint)

    def close(self) -> None:
        """Close all connections."""
        self._ways.gone(self._ways.all())

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Client({self._ways.name})"

    # -- calls ------------------------------------------------------------------------------------

    def _end(self, timeout: float | None) -> float:
        seconds = self._timeout if timeout is None else positive_seconds(timeout, "timeout")
        return time.monotonic() + seconds

    def _indices(
        self, keys: Any, k: int, timeout: float | None
    ) -> tuple[NDArray[Any], NDArray[Any], Response]:
        k, end = whole_number("k", k, K_MAX), self._end(timeout)
        with open_keys(keys) as column:
            if len(column) <= self._chunk:
                chunks = list(chunks_of(column, self._chunk))
                if not chunks:
                    response = self._ask_batch(next(chunks_of_one()), k, end)
                    return response.indices()[:0], self._ids.learn(response), response
                if len(chunks) == 1:
                    response = self._ask_batch(chunks[0], k, end)
                    return response.indices(), self._ids.learn(response), response
            return self._stream(lambda: chunks_of(column, self._chunk), k, end)

    def _ask_batch(self, chunk: Chunk, k: int, end: float) -> Response:
        content = request_of(chunk, k, self._ids.known)
        return read_response(self._call("SelectBatch", content, end))

    def _stream(
        self, chunks: Callable[[], Iterator[Chunk]], k: int, end: float
    ) -> tuple[NDArray[Any], NDArray[Any], Response]:
        def once(channel: Any, seconds: float) -> tuple[list[Response], NDArray[Any]]:
            known = self._ids.known
            answers: list[Response] = []
            call = _method(channel, "SelectStream", "stream_stream")(
                (request_of(chunk, k, known, pinned=True) for chunk in chunks()),
                timeout=seconds,
                metadata=self._ways.metadata(),
            )
            try:
                for content in call:
                    answers.append(read_response(content))
                    ids = self._ids.learn(answers[-1])
            except BaseException:
                call.cancel()
                raise
            return answers, ids

        answers, ids = self._retried(once, end)
        return np.concatenate([each.indices() for each in answers]), ids, answers[0]

    def _send(self, group: list[Waiting]) -> None:
        """Ask for single keys of one k together; each waiting one has its answer or error."""
        end = max(each.end for each in group)
        k = group[0].k
        if len(group) == 1:
            content = request_of_one(group[0], self._ids.known)
            response = read_response(self._call("Select", content, end))
        else:
            with open_keys([each.key for each in group]) as column:
                response = self._ask_batch(next(chunks_of(column, len(group))), k, end)
        names = take(self._ids.learn(response), response.indices()).tolist()
        for each, row in zip(group, names, strict=True):
            each.answer = Answer(row, response.epoch, response.fingerprint)

    def _call(self, method: str, content: bytes, end: float) -> bytes:
        def once(channel: Any, seconds: float) -> bytes:
            call = _method(channel, method, "unary_unary")
            return bytes(call(content, timeout=seconds, metadata=self._ways.metadata()))

        return self._retried(once, end)

    def _retried(self, once: Callable[[Any, float], T], end: float) -> T:
        """Call until it is answered, or may not be tried again, or the time is over."""
        wait, most = WAIT
        while True:
            address, channel = self._ways.next()
            left = end - time.monotonic()
            try:
                return once(channel, max(left, 0.001))
            except grpc.RpcError as error:
                pause = wait * random.uniform(0.5, 1.0)
                if not is_safe_to_try_again(error) or time.monotonic() + pause >= end:
                    raise as_error(error, address) from None
            time.sleep(pause)
            wait = min(2 * wait, most)


def _method(channel: Any, name: str, kind: str) -> Any:
    return getattr(channel, kind)(f"/{SELECTION}/{name}")


def chunks_of_one() -> Iterator[Chunk]:
    """A chunk of one empty key, to learn what only answers tell."""
    with open_keys([b""]) as column:
        yield from chunks_of(column, 1)


def scores_of(response: Response, rows: int, count: int) -> NDArray[Any]:
    """The scores of a response as `rvh.NodeSet.score_batch` has them."""
    kind = "<f8" if response.weighted else "<u8"
    scores = np.frombuffer(response.words, dtype=kind).astype(kind[1:])
    if not rows or scores.size not in (rows * count, 2 * rows * count):
        raise RVHError(f"the server has sent {scores.size} scores of {rows} keys and {count} nodes")
    shape = (rows, count) if scores.size == rows * count else (rows, count, 2)
    return scores.reshape(shape)
