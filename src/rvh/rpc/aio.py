"""The client for asyncio: what is asked for in one turn of the loop goes as one call."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from time import monotonic
from types import TracebackType
from typing import Any, TypeVar

import grpc
import grpc.aio
import numpy as np
from numpy.typing import NDArray

from rvh._arguments.numbers import positive_seconds, whole_number
from rvh.errors import RVHError
from rvh.keys import key_bytes
from rvh.membership import Membership, NodeMeta
from rvh.rpc.answer import Answer
from rvh.rpc.channels import Tls, Ways
from rvh.rpc.coalescing import CALLS_MAX, Waiting, take_group
from rvh.rpc.ending import Ending
from rvh.rpc.messages import SELECTION
from rvh.rpc.problems import closed, overdue
from rvh.rpc.questions import CHUNK, K_MAX, Asking, Question, Questions, Stream
from rvh.rpc.retrying import Tries

__all__ = ["AsyncClient"]

T = TypeVar("T")

#: seconds that calls on a channel have, whose server is there no more
GRACE = 600.0


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
        As for `Client`. Keys of a batch must not change until it is answered.

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
        self._questions = Questions(chunk)
        self._ways = _AsyncWays(target, channel_to, token, tls, plaintext)
        self._queue: list[Waiting] = []
        self._calls = 0  # for single keys, under way
        self._groups: dict[asyncio.Task[None], list[Waiting]] = {}  # those with a task
        self._is_called = False  # whether the queue is looked at in this turn of the loop
        self._timer: asyncio.TimerHandle | None = None
        self._timer_end = float("inf")
        self._loop: asyncio.AbstractEventLoop | None = None  # that of the first call

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
        k, end = whole_number("k", k, K_MAX), self._end(timeout)
        waiting = Waiting(key_bytes(key), k, end)
        if not self._calls and not self._queue:
            self._calls += 1  # nothing is under way: without a task, which takes a fifth more
            try:
                (answer,) = await self._ask(self._questions.select([waiting.key], k), end)
            finally:
                self._ended()
            return answer
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[Answer[list[str]]] = loop.create_future()
        waiting.turn = turn
        self._queue.append(waiting)
        if not self._is_called:
            self._is_called = True
            loop.call_soon(self._send_queue)
        if end < self._timer_end:
            self._set_timer(end)
        return await turn

    async def select_batch(
        self, keys: Any, k: int = 1, *, timeout: float | None = None
    ) -> Answer[NDArray[Any]]:
        """Select the best `k` nodes of every key, as `rvh.NodeSet.select_batch`.

        The whole answer is of one node set, however many messages it takes.
        """
        return await self._ask(self._questions.select_batch(keys, k), self._end(timeout))

    async def argselect_batch(
        self, keys: Any, k: int = 1, *, timeout: float | None = None
    ) -> Answer[NDArray[np.intp]]:
        """Select the best `k` nodes of every key, as positions in `ids`."""
        return await self._ask(self._questions.argselect_batch(keys, k), self._end(timeout))

    async def scores(
        self, key: Any, *, timeout: float | None = None
    ) -> Answer[list[tuple[str, int | float]]]:
        """List every node that can be selected with its score, as `rvh.NodeSet.scores`."""
        return await self._ask(self._questions.scores(key), self._end(timeout))

    async def score_batch(self, keys: Any, *, timeout: float | None = None) -> Answer[NDArray[Any]]:
        """Score every (key, node) pair, as `rvh.NodeSet.score_batch`."""
        return await self._ask(self._questions.score_batch(keys), self._end(timeout))

    async def ids(self, *, timeout: float | None = None) -> Answer[NDArray[Any]]:
        """Ask for the ids of all nodes that keys go to, shape (N,), in the order of indices."""
        return await self._ask(self._questions.ids(), self._end(timeout))

    async def nodes(self, *, timeout: float | None = None) -> Answer[tuple[NodeMeta, ...]]:
        """Ask for all that is known of all nodes, as `rvh.membership.Snapshot.members`.

        Weights are those by which keys are placed.
        """
        return await self._ask(self._questions.nodes(), self._end(timeout))

    async def close(self) -> None:
        """Close all connections; calls that are under way end with an error."""
        if self._timer is not None:
            self._timer.cancel()
        await self._ways.end()

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

    # -- single keys ------------------------------------------------------------------------------

    def _send_queue(self) -> None:
        self._is_called = False
        while self._queue and self._calls < CALLS_MAX:
            self._queue = [each for each in self._queue if not each.turn.done()]
            if self._queue:
                self._calls += 1
                group = take_group(self._queue)
                task = asyncio.ensure_future(self._send(group))
                self._groups[task] = group
                task.add_done_callback(self._sent)

    def _sent(self, task: asyncio.Task[None]) -> None:
        del self._groups[task]
        self._ended()

    def _ended(self) -> None:
        self._calls -= 1
        if self._queue and not self._is_called:
            self._send_queue()

    async def _send(self, group: list[Waiting]) -> None:
        end = max(each.end for each in group)
        asking = self._questions.select([each.key for each in group], group[0].k)
        try:
            answers = await self._ask(asking, end)
        except BaseException as error:
            for each in group:
                if not each.turn.done():
                    each.turn.set_exception(error)
            if not isinstance(error, Exception):
                raise
            return
        for each, answer in zip(group, answers, strict=True):
            if not each.turn.done():  # whoever waited may have been cancelled
                each.turn.set_result(answer)

    def _set_timer(self, end: float) -> None:
        """Look for those whose time is over when it is for the first of them: one timer for all."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer_end = end
        delay = max(end - monotonic(), 0)
        self._timer = asyncio.get_running_loop().call_later(delay, self._look_at_the_time)

    def _look_at_the_time(self) -> None:
        now = monotonic()
        waiting = [each for group in (self._queue, *self._groups.values()) for each in group]
        self._timer, self._timer_end = None, float("inf")
        for each in waiting:
            if not each.turn.done():
                if each.end <= now:
                    each.turn.set_exception(overdue(self._ways.name))
                else:
                    self._timer_end = min(self._timer_end, each.end)
        if self._timer_end < float("inf"):
            self._set_timer(self._timer_end)

    # -- calls ------------------------------------------------------------------------------------

    def _end(self, timeout: float | None) -> float:
        """When a call that begins now has to end; the error where it is not for this loop."""
        self._ways.refuse_child()
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            if self._loop is not None:
                raise RVHError(f"{self!r} was used in another event loop: make one for each loop")
            self._loop = loop
        seconds = self._timeout if timeout is None else positive_seconds(timeout, "timeout")
        return monotonic() + seconds

    async def _ask(self, asking: Asking[T], end: float) -> T:
        try:
            question = next(asking)
            while True:
                question = asking.send(await self._answer(question, end))
        except StopIteration as done:
            answer: T = done.value
            return answer
        finally:
            asking.close()

    async def _answer(self, question: Question, end: float) -> Any:
        """Call until it is answered, or may not be tried again, or the time is over."""
        tries = Tries(end)
        while True:
            if self._ways.is_closed:
                raise closed(self)
            address, channel = self._ways.next()
            left = tries.left(address)
            failure: Any = None
            try:
                return await self._call(channel, question, left)
            except grpc.RpcError as error:
                failure = error
            except grpc.aio.UsageError:  # the channel is closed
                if not self._ways.is_gone(address, channel):
                    raise
            except asyncio.CancelledError:
                # By the caller. Else by grpc.aio: with the channel, or since the call has ended
                # before all was written.
                task = asyncio.current_task()
                if task is None or task.cancelling():
                    raise
            if not self._ways.is_gone(address, channel):
                await asyncio.sleep(tries.after(failure, address))

    async def _call(self, channel: Any, question: Question, seconds: float) -> Any:
        metadata = self._ways.metadata()
        if not isinstance(question, Stream):
            method = channel.unary_unary(f"/{SELECTION}/{question.method}")
            return await method(question.content, timeout=seconds, metadata=metadata)
        made, failures = question.contents(), []

        async def contents() -> AsyncIterator[bytes]:
            try:
                for content in made:
                    yield content
            except Exception as error:  # about a key; grpc would swallow it
                failures.append(error)

        method = channel.stream_stream(f"/{SELECTION}/SelectStream")
        call = method(contents(), timeout=seconds, metadata=metadata)
        ending = Ending(call)
        try:
            answers = [content async for content in call]
        except grpc.RpcError:
            raise (failures or [await ending.error()])[0] from None
        finally:
            call.cancel()
            made.close()
        if failures:
            raise failures[0]
        return answers


class _AsyncWays(Ways):
    _closing: frozenset[asyncio.Task[None]] = frozenset()

    def gone(self, channels: list[Any]) -> None:
        """Close channels in tasks of their own, when the calls on them have ended."""
        tasks = {asyncio.ensure_future(channel.close(GRACE)) for channel in channels}
        self._closing = frozenset({task for task in self._closing if not task.done()} | tasks)

    async def end(self) -> None:
        """Close all channels now."""
        if self.is_of_parent:
            return
        for channel in self.take_all():
            await channel.close()
        for task in self._closing:
            task.cancel()
        await asyncio.gather(*self._closing, return_exceptions=True)
