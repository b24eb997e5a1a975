"""Local mode: the nodes of a service kept in this process, where keys are placed without a call."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import grpc

from rvh._arguments.numbers import positive_seconds
from rvh.errors import RVHError, RVHTypeError
from rvh.membership import Membership
from rvh.membership.sources.protocol import SAME, Update
from rvh.rpc.channels import Tls, Ways
from rvh.rpc.client import Client, channel_to
from rvh.rpc.messages import SELECTION, message
from rvh.rpc.mirroring import Mirror
from rvh.rpc.problems import ServiceError, as_error, parse
from rvh.rpc.questions import nodes_told
from rvh.rpc.service import BEAT

__all__ = ["WatchNodes", "follow"]

#: seconds by which a message may be late
JITTER = 1.0
#: the options of `rvh.membership.Membership` that are not the service's own
OPTIONS = ("min_nodes", "max_change", "backoff", "domains")


def follow(
    target: str | Sequence[str] | Membership,
    *,
    secret: bytes = b"",
    token: str | Callable[[], str] | None = None,
    tls: Tls | bool = False,
    plaintext: bool = False,
    timeout: float = 10.0,
    **options: Any,
) -> Membership:
    """Keep the nodes of a service in this process: the way to ask often.

    Keys are placed here, by the same rules and at the speed of a NodeSet; only changes of the nodes
    are sent. While the service is away, the last nodes stay.

    Parameters
    ----------
    target, token, tls, plaintext
        As for `Client`.
    secret : bytes
        That of the service where it has one: it is never sent. A newline at the end counts, and
        ``rvh serve --secret-file`` takes one off.
    timeout : float
        Seconds to wait for the first nodes.
    **options
        Of `rvh.membership.Membership`: ``min_nodes``, ``max_change``, ``backoff``, ``domains``.

    Returns
    -------
    rvh.membership.Membership
        `nodes` are always the present ones, `snapshot` has the epoch and the fingerprint. A process
        that forks afterwards must not use it in the child, as gRPC does not allow it.

    Raises
    ------
    ServiceError
        The service does not answer.
    RVHError
        The secret is missing or is another one, or arguments that cannot be used.

    Examples
    --------
    >>> from rvh.membership import Membership, NodeMeta, State
    >>> from rvh.rpc import Server, follow
    >>> class Two:
    ...     name = "two"
    ...     async def watch(self):
    ...         yield State([NodeMeta("a"), NodeMeta("b")])
    ...         import asyncio; await asyncio.sleep(60)
    >>> with Membership(Two()) as nodes, Server(nodes) as server:
    ...     with follow(f"127.0.0.1:{server.port}") as here:
    ...         here.nodes.select("user:1"), here.snapshot.epoch
    (['b'], 1)
    """
    for name in options:
        if name not in OPTIONS:
            raise RVHTypeError(
                f"follow has no {name}=: it takes {', '.join(OPTIONS)}, and the service decides "
                "the scheme and the weights"
            )
    with Client(target, token=token, tls=tls, plaintext=plaintext, timeout=timeout) as client:
        told = client._ask(nodes_told(), client._end(None))
    if told.keyed != bool(secret):
        raise RVHError(
            f"{client._ways.name} places keys "
            + (
                "with a secret, which it does not send: pass it as secret="
                if told.keyed
                else "without a secret, and one is given: omit secret="
            )
        )
    source = WatchNodes(target, told.scheme, token=token, tls=tls, plaintext=plaintext)
    try:
        return Membership(source, scheme=told.scheme, secret=secret, timeout=timeout, **options)
    except RVHError as error:
        if source._lost is None or str(source._lost) not in str(error):
            raise
        raise source._lost from None


class WatchNodes:
    """A source (`rvh.membership.Source`) that tells the nodes of a service.

    Parameters
    ----------
    target, token, tls, plaintext
        As for `Client`.
    scheme : str
        The scheme of the membership that listens.
    silence : float
        Seconds without a word after which the connection is given up; a service says something
        every 10 s.
    """

    def __init__(
        self,
        target: str | Sequence[str] | Membership,
        scheme: str,
        *,
        token: str | Callable[[], str] | None = None,
        tls: Tls | bool = False,
        plaintext: bool = False,
        silence: float = 3 * BEAT,
    ) -> None:
        self._ways = target, channel_to, token, tls, plaintext
        ways = Ways(*self._ways)  # it raises the error about them
        self._turn, self.name = ways.turn, f"grpc:{ways.name}"
        self.heard = positive_seconds(silence, "silence")
        # A server that has lost its own source goes on to speak, but confirms nothing.
        self.silence = 1e9
        self._lost: ServiceError | None = None  # how the last connection has ended
        self._mirror = Mirror(scheme)
        self._confirmed = float("-inf")  # when the server's own source last confirmed the nodes

    async def watch(self) -> AsyncIterator[Update]:
        """Tell the nodes, and every change, until it is closed."""
        try:
            ways = Ways(*self._ways)  # files of TLS may be others by now
            ways.turn = self._turn = self._turn + 1  # another server each time
            metadata = ways.metadata()
            address, channel = ways.next()
        except RVHError as error:
            if not self._mirror.digest:
                raise
            raise ConnectionError(str(error)) from None  # no nodes are refused
        loop = asyncio.get_running_loop()
        words: asyncio.Queue[Any] = asyncio.Queue()
        taken = threading.Semaphore(0)  # one word waits here: the server merges all that follow
        request = message("rvh.v1.WatchNodesRequest")(known_digest=self._mirror.digest)
        watching: Any = channel.unary_stream(f"/{SELECTION}/WatchNodes")
        call = watching(request.SerializeToString(), metadata=metadata)

        def put(word: Any) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(words.put_nowait, word)

        def listen() -> None:
            # The API for asyncio is for one event loop of a process, which may be the user's.
            try:
                for content in call:
                    put(content)
                    taken.acquire()
                put(ConnectionError("the server has ended the stream"))
            except grpc.RpcError as error:
                put(error)
            except RuntimeError:
                pass  # the loop was closed meanwhile

        listener = threading.Thread(target=listen, name="rvh-watch-nodes", daemon=True)
        listener.start()
        try:
            while True:
                try:
                    async with asyncio.timeout(self.heard):
                        word = await words.get()
                except TimeoutError:
                    raise ConnectionError(
                        f"{address} has said nothing for {self.heard:g} s"
                    ) from None
                taken.release()
                if isinstance(word, grpc.RpcError):
                    self._lost = as_error(word, address)
                    raise ConnectionError(str(self._lost))
                if isinstance(word, Exception):
                    raise word
                self._lost = None
                told = parse("WatchNodesResponse", word)
                update = self._mirror.hear(told)
                confirmed = loop.time() - told.age
                # A message is a little late each time: less than JITTER is not confirmation.
                if update is not SAME or confirmed > self._confirmed + JITTER:
                    self._confirmed = confirmed
                    yield update
        finally:
            call.cancel()
            taken.release()
            channel.close()
            await asyncio.to_thread(listener.join)
