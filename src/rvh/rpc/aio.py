"""The client for asyncio: what is asked for in one turn of the loop goes as one call."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from types import TracebackType
from typing import Any, TypeVar

import grpc
import grpc.aio
import numpy as np
from numpy.typing import NDArray

from rvh._arguments.numbers import positive_seconds, whole_number
from rvh._runtime.slices import take
from rvh.keys import key_bytes, open_keys
from rvh.membership import Membership
from rvh.rpc.answer import Answer, Ids
from rvh.rpc.channels import Tls, Ways
from rvh.rpc.chunks import Response, chunks_of, read_response, request_of
from rvh.rpc.client import CHUNK, K_MAX, WAIT, chunks_of_one
from rvh.rpc.coalescing import CALLS_MAX, Waiting, groups_of, request_of_one
from rvh.rpc.messages import SELECTION
from rvh.rpc.problems import ServiceError, as_error, is_safe_to_try_again

__all__ = ["AsyncClient"]

T = TypeVar("T")


def channel_to(address: str, credentials: Any, options: Any) -> Any:
    """Make a channel of the API for asyncio."""
    if credentials is None:
        return grpc.aio.insecure_channel(address, options)
    return grpc.aio.secure_channel(address, credentials, options)


class AsyncClient:
    """A service's nodes, asked from the tasks of one event loop.

    Parameters
    ----------
    target, token, tls, plaintext, timeout, chunk
        As for `Client`.

    Raises
    ------
    RVHError, RVHTypeError
        Arguments that cannot be used. Nothing is connected yet.

    Examples
    --------
    >>> import asyncio
    >>> from rvh.membership import Membership, NodeMeta, State
    >>> from rvh.rpc import AsyncClient, Server
    >>> class Two:
    ...     name = "two"
    ...     async def watch(self):
    ...         yield State([NodeMeta("a"), NodeMeta("b")])
    ...         await asyncio.sleep(60)
    >>> async def ask(target):
    ...     async with AsyncClient(target) as client:
    ...         answers = await asyncio.gather(*map(client.select, ["x", "y", "z"]))
    ...         return [answer.value for answer in answers]
    >>> with Membership(Two()) as nodes, Server(nodes) as server:
    ...     asyncio.run(ask(f"127.0.0.1:{server.port}"))
    [['b'], ['b'], ['a']]
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
        self._ways = _AsyncWays(target, channel_to, token, tls, plaintext)
        self._ids = Ids()
        self._queue: list[Waiting] = []
        self._calls = 0
        self._is_called = False  # whether the queue is looked at in this turn of the loop
        self._tasks: set[asyncio.Task[None]] = set()

    async def select(
        self, key: Any, k: int = 1, *, timeout: float | None = None
    ) -> Answer[list[str]]:
        """Select the best `k` nodes of one key, as `rvh.NodeSet.select`.

        What is asked for in one turn of the event loop goes as one call, and at most two are under
        way.

        Raises
        ------
        ServiceError
            The service does not answer.
        RVHError, RVHTypeError
            As `rvh.NodeSet.select`.
        """
        waiting = Waiting(key_bytes(key), whole_number("k", k, K_MAX), self._end(timeout))
        if not self._calls and not self._queue:
            self._calls += 1  # nothing is under way: without a task, which takes a fifth more
            try:
                await self._ask([waiting])
            finally:
                self._ended()
            return waiting.result()
        loop = asyncio.get_running_loop()
        waiting.turn = loop.create_future()
        self._queue.append(waiting)
        if not self._is_called:
            self._is_called = True
            loop.call_soon(self._send_queue)
        await waiting.turn
        return waiting.result()

    def _send_queue(self) -> None:
        self._is_called = False
        while self._queue and self._calls < CALLS_MAX:
            queue = [each for each in self._queue if not each.turn.done()]
            self._queue = []
            for group in groups_of(queue):
                self._calls += 1
                task = asyncio.ensure_future(self._send(group))
                self._tasks.add(task)  # the loop keeps weak references alone
                task.add_done_callback(self._sent)

    def _sent(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._ended()

    def _ended(self) -> None:
        self._calls -= 1
        if self._queue and not self._is_called:
            self._send_queue()

    async def _send(self, group: list[Waiting]) -> None:
        try:
            await self._ask(group)
        except BaseException as error:
            for each in group:
                each.error = error
            if not isinstance(error, Exception):
                raise
        finally:
            for each in group:
                if not each.turn.done():  # whoever waited may have been cancelled
                    each.turn.set_result(None)

    async def _ask(self, group: list[Waiting]) -> None:
        """Ask for single keys of one k together, and set their answers."""
        end = max(each.end for each in group)
        if len(group) == 1:
            content = request_of_one(group[0], self._ids.known)
            response = read_response(await self._call("Select", content, end))
        else:
            with open_keys([each.key for each in group]) as column:
                (chunk,) = chunks_of(column, len(group))
                content = request_of(chunk, group[0].k, self._ids.known)
            response = await self._ask_batch(content, end)
        names = take(self._ids.learn(response), response.indices()).tolist()
        for each, row in zip(group, names, strict=True):
            each.answer = Answer(row, response.epoch, response.fingerprint)

    async def select_batch(
        self, keys: Any, k: int = 1, *, timeout: float | None = None
    ) -> Answer[NDArray[Any]]:
        """Select the best `k` nodes of every key, as `rvh.NodeSet.select_batch`.

        The whole answer is of one node set, however many messages it takes.
        """
        indices, ids, response = await self._indices(keys, k, timeout)
        return Answer(take(ids, indices), response.epoch, response.fingerprint)

    async def argselect_batch(
        self, keys: Any, k: int = 1, *, timeout: float | None = None
    ) -> Answer[NDArray[np.intp]]:
        """Select the best `k` nodes of every key, as positions in `ids`."""
        indices, _, response = await self._indices(keys, k, timeout)
        return Answer(indices.astype(np.intp), response.epoch, response.fingerprint)

    async def ids(self, *, timeout: float | None = None) -> Answer[NDArray[Any]]:
        """Ask for the ids of all nodes, shape (N,), in the order of indices."""
        response = await self._ask_one(1, self._end(timeout))
        return Answer(self._ids.learn(response), response.epoch, response.fingerprint)

    async def close(self) -> None:
        """Close all connections."""
        for channel in self._ways.all():
            await channel.close()

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"AsyncClient({self._ways.name})"

    # -- calls ------------------------------------------------------------------------------------

    def _end(self, timeout: float | None) -> float:
        seconds = self._timeout if timeout is None else positive_seconds(timeout, "timeout")
        return time.monotonic() + seconds

    async def _indices(
        self, keys: Any, k: int, timeout: float | None
    ) -> tuple[NDArray[Any], NDArray[Any], Response]:
        k, end = whole_number("k", k, K_MAX), self._end(timeout)
        with open_keys(keys) as column:
            if len(column) == 0:
                response = await self._ask_one(k, end)
                return response.indices()[:0], self._ids.learn(response), response
            # All of them now: the keys may change as soon as the loop runs on.
            chunks = list(chunks_of(column, self._chunk))
            known, is_stream = self._ids.known, len(chunks) > 1
            requests = [request_of(chunk, k, known, pinned=is_stream) for chunk in chunks]
        if not is_stream:
            response = await self._ask_batch(requests[0], end)
            return response.indices(), self._ids.learn(response), response
        return await self._stream(requests, end)

    async def _ask_one(self, k: int, end: float) -> Response:
        content = request_of(next(chunks_of_one()), k, self._ids.known)
        return await self._ask_batch(content, end)

    async def _ask_batch(self, content: bytes, end: float) -> Response:
        return read_response(await self._call("SelectBatch", content, end))

    async def _stream(
        self, contents: list[bytes], end: float
    ) -> tuple[NDArray[Any], NDArray[Any], Response]:
        async def once(channel: Any, seconds: float) -> tuple[list[Response], NDArray[Any]]:
            async def requests() -> AsyncIterator[bytes]:
                for content in contents:
                    yield content

            answers: list[Response] = []
            call = channel.stream_stream(f"/{SELECTION}/SelectStream")(
                requests(), timeout=seconds, metadata=self._ways.metadata()
            )
            try:
                async for content in call:
                    answers.append(read_response(content))
                    ids = self._ids.learn(answers[-1])
            finally:
                call.cancel()
            return answers, ids

        answers, ids = await self._retried(once, end)
        return np.concatenate([each.indices() for each in answers]), ids, answers[0]

    async def _call(self, method: str, content: bytes, end: float) -> bytes:
        async def once(channel: Any, seconds: float) -> bytes:
            call = channel.unary_unary(f"/{SELECTION}/{method}")
            return bytes(await call(content, timeout=seconds, metadata=self._ways.metadata()))

        return await self._retried(once, end)

    async def _retried(self, once: Callable[[Any, float], Awaitable[T]], end: float) -> T:
        """Call until it is answered, or may not be tried again, or the time is over."""
        wait, most = WAIT
        while True:
            address, channel = self._ways.next()
            left = end - time.monotonic()
            try:
                return await once(channel, max(left, 0.001))
            except grpc.RpcError as error:
                pause = wait * random.uniform(0.5, 1.0)
                if not is_safe_to_try_again(error) or time.monotonic() + pause >= end:
                    raise as_error(error, address) from None
            except grpc.aio.UsageError:
                raise ServiceError("CANCELLED", f"{self!r} is closed") from None
            await asyncio.sleep(pause)
            wait = min(2 * wait, most)


class _AsyncWays(Ways):
    def gone(self, channels: list[Any]) -> None:
        """Close channels in a task of their own; calls on them have a second to end."""
        if channels:
            self._closing = asyncio.gather(*(channel.close(1.0) for channel in channels))
