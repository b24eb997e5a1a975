"""Nodes in etcd: a key for each below a prefix, or one key that holds the published document.

Each connection lists the keys at one revision and watches from the next one, so no change is lost.
The list is made anew after a lost connection too: a cluster that was wiped and filled again cannot
be told by its revision from one that went on.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from rvh._arguments.numbers import positive_seconds
from rvh.errors import RVHError, show
from rvh.membership.documents import Document, numbered, read_document, read_node
from rvh.membership.meta import NodeMeta
from rvh.membership.sources import web
from rvh.membership.sources.etcd_gateway import Gateway, KeyValue, Range, Txn
from rvh.membership.sources.protocol import SAME, Refused, State, Update
from rvh.membership.sources.urls import parse, seconds, text

__all__ = ["EtcdSource", "from_url"]

FORM = (
    "etcd://[USER:PASSWORD@]HOST[:2379][,HOST...]/KEY, or /PREFIX/ with a slash at its end; "
    "etcds:// for TLS"
)

ENDPOINT = re.compile(r"https?://[^/?#@\s]+")


@dataclass
class _Seen:
    """The keys as far as they were told."""

    #: each node key, and what its value says
    entries: dict[bytes, NodeMeta | Document | RVHError]
    accepted: str | None
    #: the revision of the list, or of the last change of a node key: the same for everyone who has
    #: the same entries, and another for everyone who has others
    revision: int
    cluster: str
    #: the revision that wrote the document
    written: int = 0


class EtcdSource:
    """The nodes in etcd v3, by its JSON gateway (etcd 3.4 or later).

    A key that ends in ``/`` is a prefix: each key below it is a node, named by the rest of the key,
    with its metadata as a JSON object. Put it with a lease, and a node that dies leaves. Any other
    key holds the whole document, as a publisher writes it. Beside them is ``KEY.accepted``, outside
    the prefix, with the digest of a state that an operator has accepted.

    Parameters
    ----------
    endpoints : sequence of str
        ``http://HOST:PORT`` or ``https://HOST:PORT``, which are asked in turn.
    key : str
        The key, or the prefix.
    user, password : str, optional
        For a cluster with authentication.
    cacert, cert, cert_key : str, optional
        Files of PEM for https: the authorities to trust (by default the system's), and this
        client's certificate and key. They are read at each connection.
    interval : float
        Seconds between two questions whether the watch has missed anything.
    timeout : float
        Seconds to wait for an answer. A server that falls silent is found within `interval` and
        `timeout` together.

    Raises
    ------
    RVHError
        Arguments that do not fit.

    References
    ----------
    https://etcd.io/docs/v3.4/learning/api/

    Examples
    --------
    >>> from rvh.membership.sources.etcd import EtcdSource
    >>> EtcdSource(["http://etcd-1:2379", "http://etcd-2:2379"], "cache/").name
    'etcd://etcd-1:2379,etcd-2:2379/cache/'
    """

    def __init__(
        self,
        endpoints: Sequence[str],
        key: str,
        *,
        user: str | None = None,
        password: str | None = None,
        cacert: str | None = None,
        cert: str | None = None,
        cert_key: str | None = None,
        interval: float = 5.0,
        timeout: float = 5.0,
    ) -> None:
        schemes = {each.partition("://")[0] for each in endpoints}
        if schemes not in ({"http"}, {"https"}) or not all(map(ENDPOINT.fullmatch, endpoints)):
            raise RVHError(
                "endpoints are a list of http://HOST:PORT, or of https://HOST:PORT, with nothing "
                "after the port: the login goes into user= and password="
            )
        self._is_tls = schemes == {"https"}
        if not self._is_tls and (cacert or cert or cert_key):
            raise RVHError("certificates need https:// (in a URL of a source, etcds://)")
        if bool(cert) != bool(cert_key):
            raise RVHError("a client's certificate needs both cert and cert_key")
        if (user is None) != (password is None):
            raise RVHError("a login needs both a user and a password")
        if not key or key == "/":
            raise RVHError("the key is missing: name one, or a prefix that ends in /")
        self._endpoints = tuple(endpoints)
        self._turn = 0  # the endpoint that is asked first
        self._key, self._is_prefix = key.encode(), key.endswith("/")
        self._marker = self._key.removesuffix(b"/") + b".accepted"
        self._login = None if user is None or password is None else (user, password)
        self._files = cacert, cert, cert_key
        self._interval, self._timeout = (
            positive_seconds(interval, "interval"),
            positive_seconds(timeout, "timeout"),
        )
        self._shown = key

    @property
    def name(self) -> str:
        """The URL, without the login."""
        hosts = ",".join(each.partition("://")[2] for each in self._endpoints)
        return f"etcd{'s' if self._is_tls else ''}://{hosts}/{self._shown}"

    @property
    def silence(self) -> float:
        """Seconds after which something must have been said, whatever this is waiting for."""
        return 60 + self._interval + self._timeout * len(self._endpoints)

    async def watch(self) -> AsyncIterator[Update]:
        """Tell the nodes, and each change of them; all of a transaction are one change."""
        async with self._connected() as (gateway, seen):
            while True:
                yield self._state(seen)
                async with aclosing(self._follow(gateway, seen)) as updates:
                    async for update in updates:
                        yield update
                # Compacted: what was deleted meanwhile is missing in the new list.
                seen = await self._list(gateway)

    async def accept(self, digest: str) -> None:
        """Let every membership of these keys take the state of that digest."""
        async with self._connected() as (gateway, _):
            await gateway.ask("/v3/kv/put", {"key": self._marker, "value": digest.encode()}, Txn)

    async def publish(self, data: bytes, above: int = 0) -> int:
        """Replace the document, unless somebody else has done so meanwhile.

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
            The key is a prefix; it is not a document, or its epoch is not above that of the key;
            the key holds something else, which is not overwritten; another publisher was faster.
        """
        if self._is_prefix:
            raise RVHError(f"{self.name} is a prefix: a publisher writes one key, without the /")
        async with self._connected() as (gateway, seen):
            present = seen.entries.get(self._key)
            if isinstance(present, RVHError):
                raise RVHError(f"{present}; so it is not overwritten: delete the key")
            data, epoch = numbered(self.name, max(self._version(seen), above), data)
            unchanged = {
                "key": self._key,
                "target": "MOD",
                "result": "EQUAL",
                "mod_revision": seen.written,
            }
            put = {"request_put": {"key": self._key, "value": data}}
            done = await gateway.ask("/v3/kv/txn", {"compare": [unchanged], "success": [put]}, Txn)
            if not done.succeeded:
                raise RVHError(
                    f"{self.name} was written by another publisher meanwhile: let there be one"
                )
            return epoch

    # -- one endpoint -----------------------------------------------------------------------------

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[tuple[Gateway, _Seen]]:
        """Connect to the first endpoint that lists the keys."""
        tls = self._tls()
        errors: list[Exception] = []
        for _ in self._endpoints:
            endpoint = self._endpoints[self._turn % len(self._endpoints)]
            async with aclosing(Gateway(endpoint, self._login, tls, self._timeout)) as gateway:
                try:
                    seen = await self._list(gateway)
                except (OSError, RVHError) as error:
                    errors.append(error)
                    self._turn += 1
                    continue
                try:
                    yield gateway, seen
                except Exception:
                    self._turn += 1  # another is asked first
                    raise
                return
        if len(errors) == 1:
            raise errors[0]
        raise ConnectionError("no endpoint answers: " + "; ".join(map(str, errors)))

    def _tls(self) -> ssl.SSLContext | None:
        if not self._is_tls:
            return None
        try:
            return web.tls(*self._files)
        except FileNotFoundError as error:
            files = ", ".join(filter(None, self._files))
            raise RVHError(f"{self.name}: one of {files} is not there: {error.strerror}") from None

    def _range(self) -> dict[str, Any]:
        if not self._is_prefix:
            return {"key": self._key}
        return {"key": self._key, "range_end": self._key[:-1] + b"0"}  # 0 comes after /

    async def _list(self, gateway: Gateway) -> _Seen:
        ranges = [{"request_range": each} for each in (self._range(), {"key": self._marker})]
        found = await gateway.ask("/v3/kv/txn", {"success": ranges}, Txn)
        entries = [entry for part in found.responses for entry in part.response_range.kvs]
        seen = _Seen({}, None, found.header.revision, found.header.cluster_id)
        for entry in entries:
            self._put(seen, entry)
        return seen

    async def _follow(self, gateway: Gateway, seen: _Seen) -> AsyncGenerator[Update, None]:
        """Tell changes until the watch is compacted away."""
        ranges = self._range(), {"key": self._marker}
        async with aclosing(gateway.watch(ranges, seen.revision + 1)) as words:
            word = asyncio.ensure_future(anext(words))
            try:
                is_behind = False
                while True:
                    await asyncio.wait({word}, timeout=self._interval)
                    if not word.done():
                        if is_behind:
                            raise TimeoutError(
                                f"{gateway.endpoint}: the watch is silent, and the keys have "
                                f"changed since revision {seen.revision}"
                            )
                        is_behind = not await self._has_all(gateway, seen)
                        if not is_behind:
                            yield SAME
                        continue
                    answer = word.result()
                    word = asyncio.ensure_future(anext(words))
                    if answer.compact_revision:
                        return
                    if answer.canceled:
                        raise ConnectionError(
                            f"{gateway.endpoint} has canceled the watch: {answer.cancel_reason}"
                        )
                    is_behind = False
                    for event in answer.events:
                        if event.type == "DELETE":
                            self._delete(seen, event.kv)
                        else:
                            self._put(seen, event.kv)
                    if answer.events:
                        yield self._state(seen)
            finally:
                word.cancel()
                await asyncio.wait({word})  # awaiting the task itself could lose our own end
                if not word.cancelled():
                    word.exception()

    async def _has_all(self, gateway: Gateway, seen: _Seen) -> bool:
        """Whether nothing has changed since: a put would be newer, a deletion would be missing."""
        asked = {**self._range(), "min_mod_revision": seen.revision + 1, "keys_only": True}
        found = await gateway.ask("/v3/kv/range", asked, Range)
        if found.header.cluster_id != seen.cluster or found.header.revision < seen.revision:
            raise ConnectionError(
                f"{gateway.endpoint} has gone back from revision {seen.revision} to "
                f"{found.header.revision}: its data were wiped or restored"
            )
        return not found.kvs and found.count == len(seen.entries)

    # -- keys and what they say -------------------------------------------------------------------

    def _put(self, seen: _Seen, entry: KeyValue) -> None:
        if entry.key == self._marker:
            seen.accepted = entry.value.decode("ascii", "replace").strip()
            return
        seen.entries[entry.key] = self._entry(entry)
        seen.written = entry.mod_revision
        seen.revision = max(seen.revision, entry.mod_revision)

    def _delete(self, seen: _Seen, entry: KeyValue) -> None:
        if entry.key == self._marker:
            seen.accepted = None
            return
        seen.entries.pop(entry.key, None)
        seen.written = 0
        seen.revision = max(seen.revision, entry.mod_revision)

    def _entry(self, entry: KeyValue) -> NodeMeta | Document | RVHError:
        try:
            if not self._is_prefix:
                return read_document(self.name, entry.value)
            node = entry.key.removeprefix(self._key)
            if not node:
                raise RVHError(f"{self.name}: the key {show(self._shown)} itself names no node")
            try:
                return read_node(self.name, node.decode(), entry.value)
            except UnicodeDecodeError:
                raise RVHError(f"{self.name}: the key {show(entry.key)} is not UTF-8") from None
        except RVHError as error:
            return error

    def _state(self, seen: _Seen) -> Update:
        nodes: list[NodeMeta] = []
        for entry in seen.entries.values():
            if isinstance(entry, RVHError):
                return Refused(entry)
            nodes += entry.nodes if isinstance(entry, Document) else (entry,)
        if not self._is_prefix and not seen.entries:
            return Refused(
                RVHError(
                    f"{self.name}: there is no key {show(self._shown)}; a key that begins with / "
                    "has two of them in the URL"
                )
            )
        return State(nodes, self._version(seen), seen.accepted)

    def _version(self, seen: _Seen) -> int:
        if self._is_prefix:
            return seen.revision
        document = seen.entries.get(self._key)
        epoch = document.epoch if isinstance(document, Document) else None
        return epoch or seen.written


def from_url(url: str) -> EtcdSource:
    """Make the source of ``etcd://HOST/PREFIX/`` or ``etcd://HOST/KEY``."""
    files = ("cacert", "cert", "cert_key")
    allowed = {**dict.fromkeys(files, text), "interval": seconds, "timeout": seconds}
    parts = parse(url, FORM, port=2379, allowed=allowed, several=True, login=True)
    scheme = "https" if parts.scheme == "etcds" else "http"
    hosts = ((f"[{host}]" if ":" in host else host, port) for host, port in parts.hosts)
    try:
        return EtcdSource(
            [f"{scheme}://{host}:{port}" for host, port in hosts],
            unquote(parts.path.removeprefix("/")),
            user=parts.user,
            password=parts.password,
            **parts.query,
        )
    except RVHError as error:
        raise RVHError(f"{error}; the form of the URL is {FORM}") from None
