"""Nodes in ZooKeeper: the children of a node of it, such as the ephemerals of a group's members.

kazoo runs threads of its own. They say that something has changed; what has, is read off the event
loop by `_Reader`.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from time import monotonic
from typing import Any, TypeVar
from urllib.parse import unquote

from kazoo.client import KazooClient
from kazoo.exceptions import KazooException, NoAuthError, NodeExistsError, NoNodeError
from kazoo.handlers.threading import KazooTimeoutError
from kazoo.protocol.states import Callback, KazooState
from kazoo.security import CREATOR_ALL_ACL, READ_ACL_UNSAFE

from rvh._arguments.numbers import positive_seconds
from rvh.errors import RVHError, show
from rvh.membership.documents import read_node
from rvh.membership.meta import NodeMeta
from rvh.membership.sources.protocol import SAME, Refused, State, Update
from rvh.membership.sources.urls import parse, seconds

__all__ = ["ZooKeeperSource", "from_url"]

FORM = "zk://[USER:PASSWORD@]HOST[:2181][,HOST...]/PATH[?timeout=SECONDS&interval=SECONDS]"

Made = TypeVar("Made")


class ZooKeeperSource:
    """The children of a path of ZooKeeper 3.4 or later.

    Each child is a node, named by the child, with its metadata as a JSON object. Let a member make
    an ephemeral of its own name, and it leaves when its session ends. Do not make it sequential: a
    member would have another number, and so be another node, after each restart. Beside the path is
    ``PATH.accepted``, with the digest of a state that an operator has accepted.

    Parameters
    ----------
    hosts : sequence of str
        ``HOST:PORT`` of each server, tried in random order.
    path : str
    user, password : str, optional
        For ACLs of the scheme ``digest``.
    interval : float
        Seconds between two questions whether the server is there and nothing has changed.
    timeout : float
        Seconds to wait for an answer; also asked of the server as the timeout of the session. A
        server that falls silent is found within `interval` and `timeout` together, and to close a
        connection to it takes up to `timeout` as well.

    Raises
    ------
    RVHError
        Arguments that do not fit.

    References
    ----------
    https://zookeeper.apache.org/doc/current/zookeeperProgrammers.html

    Examples
    --------
    >>> from rvh.membership.sources.zookeeper import ZooKeeperSource
    >>> ZooKeeperSource(["zk-1:2181", "zk-2:2181"], "/cache").name
    'zk://zk-1:2181,zk-2:2181/cache'
    """

    def __init__(
        self,
        hosts: Sequence[str],
        path: str,
        *,
        user: str | None = None,
        password: str | None = None,
        interval: float = 5.0,
        timeout: float = 5.0,
    ) -> None:
        if isinstance(hosts, str) or not hosts:
            raise RVHError('hosts are a list of HOST:PORT, such as ["zk-1:2181", "zk-2:2181"]')
        if path == "/" or not path.startswith("/") or path.endswith("/") or "//" in path:
            raise RVHError(f"the path is {show(path)}: a path such as /cache, below the root")
        if (user is None) != (password is None):
            raise RVHError("a login needs both a user and a password")
        self._hosts, self._path = ",".join(hosts), path
        self._login = None if user is None else f"{user}:{password}"
        self._interval = positive_seconds(interval, "interval")
        self._timeout = positive_seconds(timeout, "timeout")
        self._patience = self._timeout * len(hosts)  # kazoo gives each host that long

    @property
    def name(self) -> str:
        """The URL, without the login."""
        return f"zk://{self._hosts}{self._path}"

    @property
    def silence(self) -> float:
        """Seconds after which something must have been said, whatever this is waiting for."""
        return 60 + self._interval + self._patience

    async def watch(self) -> AsyncIterator[Update]:
        """Tell the nodes, and each change of them; all of a transaction are one change."""
        news = asyncio.Event()
        async with self._connected(news) as session:
            reader = _Reader(session, self.name, self._path, self._timeout)
            while True:
                news.clear()
                update = await session.call(reader.read)
                if update is not None:
                    yield update
                while not news.is_set():
                    try:
                        async with asyncio.timeout(self._interval):
                            await news.wait()
                    except TimeoutError:
                        if await session.call(reader.is_current):
                            yield SAME
                        else:
                            news.set()
                session.check()

    async def accept(self, digest: str) -> None:
        """Let every membership of this path take the state of that digest."""
        path, data = _marker(self._path), digest.encode()

        async with self._connected(asyncio.Event()) as session:

            def write() -> None:
                try:
                    session.client.create(path, data)
                except NodeExistsError:
                    session.client.set(path, data)

            await session.call(write)

    @asynccontextmanager
    async def _connected(self, news: asyncio.Event) -> AsyncIterator[_Session]:
        """Connect; `news` is set whenever a watch fires or the connection is lost."""
        session = _Session(self.name, self._hosts, self._login, self._timeout, news)
        try:
            session.client.start_async()
            try:
                async with asyncio.timeout(self._patience):
                    while not session.client.connected:
                        await news.wait()
                        news.clear()
            except TimeoutError:
                raise TimeoutError(
                    f"{self._hosts}: no connection within {self._patience:g} s{session.reason}"
                ) from None
            yield session
        finally:
            await session.end()


class _Session:
    """A client of kazoo, and what is heard from its threads."""

    def __init__(
        self, name: str, hosts: str, login: str | None, timeout: float, news: asyncio.Event
    ) -> None:
        self._name, self._hosts, self._is_lost = name, hosts, False
        self._news, self._loop = news, asyncio.get_running_loop()
        # kazoo logs each reason why it has no connection, which no exception has, and in messages
        # for debugging also the password. This logger belongs to nobody: it keeps the last warning.
        logger = logging.Logger("kazoo", logging.WARNING)
        self._warnings = _Last()
        logger.addHandler(self._warnings)
        self.client = KazooClient(
            hosts,
            timeout=timeout,
            auth_data=[("digest", login)] if login else None,
            default_acl=[*CREATOR_ALL_ACL, *READ_ACL_UNSAFE] if login else None,
            connection_retry={"max_tries": -1, "max_delay": 1.0},
            logger=logger,
        )
        self.client.add_listener(self._heard)

    @property
    def reason(self) -> str:
        """Why there is no connection, as the end of a message."""
        return f": {self._warnings.text}" if self._warnings.text else ""

    def check(self) -> None:
        """Raise an error if the connection was lost, though it may be back: watches are gone."""
        if self._is_lost:
            raise ConnectionError(f"{self._hosts}: the connection is lost{self.reason}")

    def wake(self) -> None:
        """Tell the event loop that there is something to read."""
        with suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(self._news.set)

    async def call(self, function: Callable[[], Made]) -> Made:
        """Call what waits for answers off the event loop."""
        try:
            return await asyncio.to_thread(function)
        except NoAuthError:
            raise PermissionError(
                f"{self._name} may not be read, or PATH.accepted not be written: name a user and a "
                "password that its ACL knows"
            ) from None
        except KazooTimeoutError:
            raise TimeoutError(f"{self._hosts}: no answer in time") from None
        except KazooException as error:
            self.check()
            what = str(error) or type(error).__name__
            raise ConnectionError(f"{self._hosts}: {what}{self.reason}") from None

    async def end(self) -> None:
        """Stop the threads and close the connection, off the event loop."""
        try:
            await asyncio.shield(asyncio.to_thread(self._end))
        except RuntimeError:  # the interpreter is about to end, and starts no thread any more
            self._end()

    def _end(self) -> None:
        self.client.remove_listener(self._heard)
        self.client.stop()
        self.client.close()

    def _heard(self, state: KazooState) -> None:
        self._is_lost = self._is_lost or state != KazooState.CONNECTED
        self.wake()


class _Reader:
    """Reads the children, and again what has changed.

    A state is no mixture of two moments: everything read is watched, and the server tells a change
    before it answers anything later. So when all answers are here and no watch has fired until
    then, all that was read is what there is at this moment; else it is read again.
    """

    def __init__(self, session: _Session, name: str, path: str, timeout: float) -> None:
        self._session, self._client = session, session.client
        self._name, self._path, self._timeout = name, path, timeout
        self._fired = deque([path, _marker(path)])
        self._nodes: dict[str, tuple[NodeMeta | RVHError, int]] = {}
        self._children_zxid = 0
        self._is_there = False
        self._accepted: str | None = None

    def read(self) -> Update | None:
        """Read what has changed; None where nothing has."""
        if not self._fired:
            return None
        end = monotonic() + self._timeout
        while self._fired:
            if monotonic() > end:
                raise TimeoutError(f"{self._name} changes faster than it can be read")
            fired = set()
            while self._fired:
                fired.add(self._fired.popleft())
            if _marker(self._path) in fired:
                self._read_accepted()
            if self._path in fired:
                fired |= self._read_children()
            self._read_nodes(fired)
            self._hear_all()
        return self._state()

    def is_current(self) -> bool:
        """Ask the server whether the children are those that are known."""
        found = self._client.exists_async(self._path).get(timeout=self._timeout)
        if (found.pzxid if found else 0) == self._children_zxid:
            return True
        self._fired.append(self._path)
        return False

    def _on_event(self, event: Any) -> None:
        self._fired.append(event.path)
        self._session.wake()

    def _hear_all(self) -> None:
        """Wait until all events that came before the last answer have been heard."""
        heard = threading.Event()
        self._client.handler.dispatch_callback(Callback("watch", heard.set, ()))
        if not heard.wait(self._timeout):
            raise KazooTimeoutError

    def _read_children(self) -> set[str]:
        """Read which children there are; return the paths of those that are new."""
        try:
            names, stat = self._client.get_children_async(
                self._path, watch=self._on_event, include_data=True
            ).get(timeout=self._timeout)
        except NoNodeError:
            self._nodes, self._children_zxid, self._is_there = {}, 0, False
            if self._watch_for(self._path):
                self._fired.append(self._path)
            return set()
        self._children_zxid, self._is_there = stat.pzxid, True
        for name in self._nodes.keys() - set(names):
            del self._nodes[name]
        return {f"{self._path}/{name}" for name in set(names) - self._nodes.keys()}

    def _read_nodes(self, paths: set[str]) -> None:
        asked = {
            path.removeprefix(f"{self._path}/"): self._client.get_async(path, watch=self._on_event)
            for path in sorted(paths)
            if path.startswith(f"{self._path}/")
        }
        for name, answer in asked.items():
            try:
                data, stat = answer.get(timeout=self._timeout)
            except NoNodeError:  # the watch of the children tells it too
                self._nodes.pop(name, None)
                continue
            try:
                entry: NodeMeta | RVHError = read_node(self._name, name, data)
            except RVHError as error:
                entry = error
            self._nodes[name] = entry, stat.mzxid

    def _read_accepted(self) -> None:
        path = _marker(self._path)
        try:
            data, _ = self._client.get_async(path, watch=self._on_event).get(timeout=self._timeout)
        except NoNodeError:
            self._accepted = None
            if self._watch_for(path):
                self._fired.append(path)
            return
        self._accepted = data.decode("ascii", "replace").strip()

    def _watch_for(self, path: str) -> bool:
        """Watch for a node that is not there; whether it is by now."""
        found = self._client.exists_async(path, watch=self._on_event).get(timeout=self._timeout)
        return found is not None

    def _state(self) -> Update:
        if not self._is_there:
            return Refused(RVHError(f"{self._name}: there is no node {self._path} in ZooKeeper"))
        nodes: list[NodeMeta] = []
        version = self._children_zxid
        for entry, zxid in self._nodes.values():
            if isinstance(entry, RVHError):
                return Refused(entry)
            nodes.append(entry)
            version = max(version, zxid)
        return State(nodes, version, self._accepted)


class _Last(logging.Handler):
    """Keeps the text of the last record."""

    text = ""

    def emit(self, record: logging.LogRecord) -> None:
        if not record.getMessage().startswith("Transition to"):
            self.text = record.getMessage()


def from_url(url: str) -> ZooKeeperSource:
    """Make the source of ``zk://HOST,HOST/PATH``."""
    allowed = {"interval": seconds, "timeout": seconds}
    parts = parse(url, FORM, port=2181, allowed=allowed, several=True, login=True)
    hosts = (f"[{host}]" if ":" in host else host for host, _ in parts.hosts)
    servers = [f"{host}:{port}" for host, (_, port) in zip(hosts, parts.hosts, strict=True)]
    try:
        return ZooKeeperSource(
            servers,
            unquote(parts.path),
            user=parts.user,
            password=parts.password,
            **parts.query,
        )
    except RVHError as error:
        raise RVHError(f"{error}; the form of the URL is {FORM}") from None


def _marker(path: str) -> str:
    return path + ".accepted"
