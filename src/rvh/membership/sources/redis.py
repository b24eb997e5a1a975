"""Nodes in Redis: one key, whose changes are told on a channel.

What is published while nobody listens is lost, and a Redis that restarts forgets who listened. So
a message is only a hint to look: the key is also read after each subscription, and now and then.
Keyspace notifications are not needed.

Source: https://redis.io/docs/latest/develop/pubsub/ and
https://redis.io/docs/latest/develop/using-commands/transactions/.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, NamedTuple
from urllib.parse import quote

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    NoPermissionError,
    ReadOnlyError,
    RedisError,
    WatchError,
)

from rvh._arguments.numbers import positive_seconds
from rvh.errors import RVHError, show
from rvh.membership.documents import MAX_BYTES, numbered, read_document, read_node
from rvh.membership.meta import NodeMeta
from rvh.membership.sources import without_secrets
from rvh.membership.sources.protocol import SAME, Refused, State, Update
from rvh.membership.sources.urls import parse, seconds, text

__all__ = ["RedisSource", "from_url"]

FORM = "redis://[USER:PASSWORD@]HOST[:PORT][/DB][?key=rvh:nodes]"
KEY = "rvh:nodes"
#: the most bytes of a string and the most fields of a hash: what has more is not a list of nodes,
#: and to read it would hold up a Redis that others use
MOST = (MAX_BYTES, 1_000_000)
#: parameters of the URL that name files of TLS, and what redis-py calls them
FILES = {"ca": "ssl_ca_certs", "cert": "ssl_certfile", "cert_key": "ssl_keyfile"}


class RedisSource:
    """The nodes in one key of Redis: a hash with a node in each field, or a document in a string.

    Two keys beside it are read in the same transaction: ``KEY:epoch``, a number that whoever
    writes the nodes increments with each change, and ``KEY:accepted``, the digest of a state that
    an operator has accepted.

    Parameters
    ----------
    key : str
    channel : str, optional
        Where changes are told, whatever the message says; by default the name of the key.
    interval : float
        The seconds between two readings while no change is told.
    timeout : float
        The seconds after which a server that does not answer is lost.
    host : str
    port : int
    db : int
    **options
        Other keywords of `redis.asyncio.Redis`: ``username``, ``password``,
        ``credential_provider``, ``unix_socket_path``, ``ssl``, ``ssl_ca_certs``, ... With
        ``ssl=True`` the certificate and the host's name are checked.

    Raises
    ------
    RVHError
        A number that is not above 0, an option that redis-py does not know.

    Examples
    --------
    >>> from rvh.membership.sources.redis import RedisSource
    >>> RedisSource("cache:nodes", host="redis.example", password="secret").name
    'redis://redis.example:6379/0?key=cache:nodes'
    """

    def __init__(
        self,
        key: str = KEY,
        *,
        channel: str | None = None,
        interval: float = 5.0,
        timeout: float = 5.0,
        host: str = "localhost",
        port: int = 6379,
        db: int = 0,
        **options: Any,
    ) -> None:
        self.interval = positive_seconds(interval, "interval")
        self.timeout = positive_seconds(timeout, "timeout")
        self.key, self.channel = key, key if channel is None else channel
        #: seconds without a word, beyond what each of the steps may take
        self.silence = interval + 5 * timeout
        scheme = "rediss" if options.get("ssl") else "redis"
        where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        if options.get("unix_socket_path"):
            where = quote(str(options["unix_socket_path"]), safe="")
        self._name = f"{scheme}://{where}/{db}?key={key}"
        if options.get("ssl"):
            options = {"ssl_cert_reqs": "required", "ssl_check_hostname": True, **options}
        self._options = {
            **options,
            "host": host,
            "port": port,
            "db": db,
            # redis-py would keep it by asyncio.wait_for, which loses a cancellation now and then
            # (https://github.com/python/cpython/issues/81839): see `_in_time`.
            "socket_timeout": None,
            "socket_connect_timeout": timeout,
            "protocol": 2,
            # A lost connection is reported to the membership, which waits and asks anew.
            "retry": Retry(NoBackoff(), 0),
        }
        try:
            Redis(**self._options)  # connects to nothing yet
        except TypeError:
            known = "the page of redis-py's class Redis lists them"
            raise RVHError(f"an option of {', '.join(options)} is not known: {known}") from None

    @property
    def name(self) -> str:
        """The URL of the key, without user and password."""
        return self._name

    async def watch(self) -> AsyncIterator[Update]:
        """Tell the nodes of the key, and again when it changes."""
        last: Answer | None = None
        async with self._connected() as redis, redis.pubsub() as channel:
            # Its confirmation is the first message: what is published from now on is heard.
            async with self._in_time():
                await channel.subscribe(self.channel)
            while True:
                await self._wait(channel)
                answer = await self._read(redis)
                if answer == last:
                    yield SAME
                else:
                    yield self._told(answer)
                last = answer

    async def accept(self, digest: str) -> None:
        """Let every membership of this key take the state of that digest."""
        async with self._connected() as redis, redis.pipeline() as both, self._in_time():
            both.set(f"{self.key}:accepted", digest)
            both.publish(self.channel, "accepted")
            await both.execute()

    async def publish(self, data: bytes, above: int = 0) -> int:
        """Replace the document, number it and tell the channel, in one transaction.

        Parameters
        ----------
        data : bytes
            A document in JSON. One without an epoch gets the next number.
        above : int
            An epoch that the next number is above in any case.

        Returns
        -------
        int
            The epoch that it was written with.

        Raises
        ------
        RVHError
            It is not a document, its epoch is not above that at the key, another publisher wrote at
            the same time, the key holds something else, which is not overwritten.
        """
        async with self._connected() as redis, redis.pipeline() as all_, self._in_time():
            await all_.watch(self.key, f"{self.key}:epoch")
            if await all_.type(self.key) not in (b"none", b"string"):
                raise RVHError(
                    f"{self.name}: is not a string but has a node in each field: publish to "
                    "another key"
                )
            last = self._epoch(await all_.get(f"{self.key}:epoch")) or 0
            if present := await all_.get(self.key):
                try:
                    last = max(last, read_document(self.name, present).epoch or 0)
                except RVHError as error:
                    raise RVHError(f"{error}; so it is not overwritten: delete the key") from None
            data, epoch = numbered(self.name, max(last, above), data)
            all_.multi()
            all_.set(self.key, data)
            all_.set(f"{self.key}:epoch", epoch)
            all_.publish(self.channel, epoch)
            try:
                await all_.execute()
            except WatchError:
                raise RVHError(
                    f"{self.name}: another publisher wrote at the same time: read it again, and "
                    "let one publisher write"
                ) from None
            return epoch

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[Any]:
        redis = Redis(**self._options)
        try:
            yield redis
        except (AuthenticationError, AuthorizationError, NoPermissionError, ReadOnlyError) as error:
            # No secret is in what the server says.
            raise RVHError(
                f"{self.name}: Redis refuses it: {str(error).rstrip('.')}: look at the user, the "
                "password and what they may do"
            ) from None
        finally:
            with suppress(RedisError, OSError):
                await redis.aclose()

    @asynccontextmanager
    async def _in_time(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self.timeout):
                yield
        except TimeoutError:
            raise TimeoutError(f"no answer within {self.timeout:g} s") from None

    async def _wait(self, channel: Any) -> None:
        """Wait for a message, or for the time to look again."""
        if await channel.get_message(timeout=self.interval) is None:
            # A connection on which nothing comes may be dead; then the answer does not come.
            async with self._in_time():
                await channel.ping()
                while await channel.get_message(timeout=self.timeout) is None:
                    pass
        while await channel.get_message(timeout=0) is not None:
            pass  # one reading is enough for all that has come

    async def _read(self, redis: Any) -> Answer:
        async with self._in_time():
            sizes = redis.pipeline(transaction=False).strlen(self.key).hlen(self.key)
            # One of two is of the wrong type: an error that stands in its place.
            for size, most in zip(await sizes.execute(False), MOST, strict=True):
                if isinstance(size, int) and size > most:
                    return Answer(b"large", size, None, None)
            both = redis.pipeline().type(self.key).get(self.key).hgetall(self.key)
            both.get(f"{self.key}:epoch").get(f"{self.key}:accepted")
            kind, string, fields, *beside = await both.execute(False)
        value = {b"string": string, b"hash": fields}.get(kind)
        return Answer(
            kind, value, *(b"no text" if isinstance(x, RedisError) else x for x in beside)
        )

    def _told(self, answer: Answer) -> Update:
        try:
            nodes, version = self._nodes(answer)
        except RVHError as error:
            return Refused(error)
        accepted = answer.accepted
        return State(
            nodes, version, None if accepted is None else accepted.decode("ascii", "replace")
        )

    def _nodes(self, answer: Answer) -> tuple[list[NodeMeta], int | None]:
        if answer.kind == b"none":
            raise RVHError(
                f"{self.name}: there is no such key: a Redis that restarted without persistence "
                "has lost it, or it has another name or database"
            )
        if answer.kind == b"large":
            raise RVHError(
                f"{self.name}: has {answer.value} fields or bytes: is it a list of nodes?"
            )
        epoch = self._epoch(answer.epoch)
        if answer.kind == b"string":
            document = read_document(self.name, answer.value)
            return document.nodes, max(epoch or 0, document.epoch or 0) or None
        if answer.kind == b"hash":
            return [self._node(*each) for each in answer.value.items()], epoch
        raise RVHError(
            f"{self.name}: is a {answer.kind.decode()}: nodes are in a hash, one in each field, or "
            "in a string, as a document"
        )

    def _node(self, field: bytes, value: bytes) -> NodeMeta:
        try:
            return read_node(self.name, field.decode(), value)
        except UnicodeDecodeError:
            raise RVHError(f"{self.name}: the field {show(field)} is not UTF-8") from None

    def _epoch(self, value: bytes | None) -> int | None:
        if value is None:
            return None
        if not re.fullmatch(rb"[1-9]\d{0,17}", value):
            raise RVHError(
                f"{self.name}: the key {self.key}:epoch holds {show(value)}: INCR makes it a "
                "whole number, 1 or more"
            )
        return int(value)


class Answer(NamedTuple):
    """All that was read at one moment."""

    kind: bytes
    value: Any
    epoch: bytes | None
    accepted: bytes | None


def from_url(url: str) -> RedisSource:
    """Make the source of ``redis://...``, or ``rediss://...`` over TLS.

    A host that begins with ``/``, written ``%2F``, is a Unix socket.
    """
    named = {**dict.fromkeys(("key", "channel"), text), "interval": seconds, "timeout": seconds}
    over_tls = url.startswith("rediss:")
    if over_tls:
        named |= dict.fromkeys(FILES, text)
    parts = parse(url, FORM, port=6379, allowed=named, login=True)
    if not re.fullmatch(r"/?|/\d{1,9}", parts.path, re.ASCII):
        place = without_secrets(url).rpartition("@")[2]  # no password with a / in it
        raise RVHError(
            f"the source {show(place, 200)}: the path is the number of a database; its form is "
            f"{FORM}"
        )
    options = {FILES.get(name, name): value for name, value in parts.query.items()}
    if parts.host.startswith("/"):
        options["unix_socket_path"] = parts.host
    if over_tls:
        options["ssl"] = True
    return RedisSource(
        host=parts.host,
        port=parts.port,
        db=int(parts.path.strip("/") or 0),
        username=parts.user,
        password=parts.password,
        **options,
    )
