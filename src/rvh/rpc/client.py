"""The client for threads: the methods of a NodeSet, answered by a service."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import Any, TypeVar

import grpc
import numpy as np
from numpy.typing import NDArray

from rvh._arguments.numbers import positive_seconds, whole_number
from rvh.errors import RVHError
from rvh.keys import key_bytes
from rvh.membership import Membership, NodeMeta
from rvh.rpc.answer import Answer
from rvh.rpc.channels import Tls, Ways
from rvh.rpc.coalescing import Coalescing
from rvh.rpc.messages import SELECTION
from rvh.rpc.problems import closed
from rvh.rpc.questions import CHUNK, K_MAX, Asking, Contents, Question, Questions, Stream
from rvh.rpc.retrying import Tries

__all__ = ["Client", "channel_to"]

T = TypeVar("T")


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
        Seconds that one method may take, with all that is tried again.
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
        self._questions = Questions(chunk)
        self._ways = Ways(target, channel_to, token, tls, plaintext)
        self._coalescing = Coalescing(
            lambda keys, k, end: self._ask(self._questions.select(keys, k), end)
        )

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
        k = whole_number("k", k, K_MAX)
        return self._coalescing.ask(key_bytes(key), k, self._end(timeout))

    def select_batch(
        self, keys: Any, k: int = 1, *, timeout: float | None = None
    ) -> Answer[NDArray[Any]]:
        """Select the best `k` nodes of every key, as `rvh.NodeSet.select_batch`.

        The whole answer is of one node set, however many messages it takes.
        """
        return self._ask(self._questions.select_batch(keys, k), self._end(timeout))

    def argselect_batch(
        self, keys: Any, k: int = 1, *, timeout: float | None = None
    ) -> Answer[NDArray[np.intp]]:
        """Select the best `k` nodes of every key, as positions in `ids`."""
        return self._ask(self._questions.argselect_batch(keys, k), self._end(timeout))

    def scores(
        self, key: Any, *, timeout: float | None = None
    ) -> Answer[list[tuple[str, int | float]]]:
        """List every node that can be selected with its score, as `rvh.NodeSet.scores`."""
        return self._ask(self._questions.scores(key), self._end(timeout))

    def score_batch(self, keys: Any, *, timeout: float | None = None) -> Answer[NDArray[Any]]:
        """Score every (key, node) pair, as `rvh.NodeSet.score_batch`."""
        return self._ask(self._questions.score_batch(keys), self._end(timeout))

    def ids(self, *, timeout: float | None = None) -> Answer[NDArray[Any]]:
        """Ask for the ids of all nodes that keys go to, shape (N,), in the order of indices."""
        return self._ask(self._questions.ids(), self._end(timeout))

    def nodes(self, *, timeout: float | None = None) -> Answer[tuple[NodeMeta, ...]]:
        """Ask for all that is known of all nodes, as `rvh.membership.Snapshot.members`.

        Weights are those by which keys are placed.
        """
        return self._ask(self._questions.nodes(), self._end(timeout))

    def close(self) -> None:
        """Close all connections; calls that are under way end with an error."""
        self._ways.close()

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
        self._ways.refuse_child()
        seconds = self._timeout if timeout is None else positive_seconds(timeout, "timeout")
        return time.monotonic() + seconds

    def _ask(self, asking: Asking[T], end: float) -> T:
        try:
            question = next(asking)
            while True:
                question = asking.send(self._answer(question, end))
        except StopIteration as done:
            answer: T = done.value
            return answer
        finally:
            asking.close()

    def _answer(self, question: Question, end: float) -> Any:
        """Call until it is answered, or may not be tried again, or the time is over."""
        tries = Tries(end)
        while True:
            if self._ways.is_closed:
                raise closed(self)
            address, channel = self._ways.next()
            left = tries.left(address)
            try:
                return self._call(channel, question, left)
            except grpc.RpcError as error:
                if not self._ways.is_gone(address, channel):
                    time.sleep(tries.after(error, address))
            except ValueError as error:  # grpc's about a channel that is closed
                if isinstance(error, RVHError) or not self._ways.is_gone(address, channel):
                    raise

    def _call(self, channel: Any, question: Question, seconds: float) -> Any:
        metadata = self._ways.metadata()
        if not isinstance(question, Stream):
            method = channel.unary_unary(f"/{SELECTION}/{question.method}")
            return method(question.content, timeout=seconds, metadata=metadata)
        contents = _Contents(question.contents())
        method = channel.stream_stream(f"/{SELECTION}/SelectStream")
        call = method(contents, timeout=seconds, metadata=metadata)
        try:
            answers = list(call)
        except BaseException as error:
            call.cancel()
            contents.end()
            raise contents.error or error from None
        if contents.error is not None:
            raise contents.error
        return answers


class _Contents:
    """Requests that a thread of grpc's takes, which reads the caller's keys no more after `end`."""

    def __init__(self, contents: Contents) -> None:
        self._contents = contents
        self._lock = threading.Lock()
        self._is_over = False
        self.error: Exception | None = None  # about a key; grpc would swallow it

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        with self._lock:
            if self._is_over:
                raise StopIteration
            try:
                return next(self._contents)
            except StopIteration:
                raise
            except Exception as error:
                self.error = error
                raise StopIteration from None

    def end(self) -> None:
        """Wait until nothing is read, and give no more."""
        self._is_over = True
        with self._lock:
            self._contents.close()
