"""pymemcache: ``HashClient(servers, hasher=RendezvousHasher)``.

>>> from pymemcache.client.hash import HashClient
>>> from rvh.integrations.pymemcache import RendezvousHasher
>>> servers = [("10.0.0.1", 11211), ("10.0.0.2", 11211), ("10.0.0.3", 11211)]
>>> client = HashClient(servers, hasher=RendezvousHasher)
>>> client.hasher.get_node("user:1")
'10.0.0.3:11211'

HashClient calls ``hasher`` without arguments, so options are given with `functools.partial`:

>>> from functools import partial
>>> client = HashClient(servers, hasher=partial(RendezvousHasher, scheme="murmur"))
"""

from __future__ import annotations

import threading
from collections.abc import Mapping

from rvh.errors import RVHError, show
from rvh.integrations._nodes import missing
from rvh.nodes import NodeSet

try:
    import pymemcache  # type: ignore[import-untyped]  # noqa: F401  (of no use without)
except ImportError as error:
    raise missing("pymemcache") from error

__all__ = ["RendezvousHasher"]


class RendezvousHasher:
    """Which server has a key, for ``HashClient``.

    Servers come and go, as HashClient finds them dead and tries them again: only keys of a server
    that goes move, and they come back with it. Threads may share one.

    Parameters
    ----------
    weights : mapping of str to number, optional
        The weight of each server by its name, ``"host:port"`` or the path of a socket. One of
        weight 0 is never selected.
    scheme, secret
        As for `rvh.NodeSet`.

    Raises
    ------
    RVHError, RVHTypeError
        As `rvh.NodeSet`.

    Examples
    --------
    >>> from functools import partial
    >>> from pymemcache.client.hash import HashClient
    >>> from rvh.integrations.pymemcache import RendezvousHasher
    >>> weights = {"10.0.0.1:11211": 3, "10.0.0.2:11211": 0}
    >>> hasher = partial(RendezvousHasher, weights=weights)
    >>> client = HashClient(["10.0.0.1:11211", "10.0.0.2:11211"], hasher=hasher)
    >>> {client.hasher.get_node(f"user:{i}") for i in range(100)}
    {'10.0.0.1:11211'}
    """

    def __init__(
        self,
        weights: Mapping[str, float] | None = None,
        scheme: str = "blake2b",
        secret: bytes = b"",
    ) -> None:
        self._weights = None if weights is None else dict(weights)
        self._scheme = scheme
        self._secret = secret
        self._build(["any"] if self._weights is None else list(self._weights))  # errors now
        self._servers: list[str] = []
        self._node_set: NodeSet | None = None
        self._lock = threading.Lock()

    def add_node(self, node: str) -> None:
        """A server that is there from now on; one that already is stays.

        Raises
        ------
        RVHError
            Other servers have weights and this one has none.
        """
        if self._weights is not None and node not in self._weights:
            raise RVHError(
                f"server {show(node)} has no weight: add it to weights=, which has "
                f"{', '.join(map(show, list(self._weights)[:3]))}, ..."
            )
        with self._lock:
            if node not in self._servers:
                self._change([*self._servers, node])

    def remove_node(self, node: str) -> None:
        """A server that is gone until it is added again.

        Raises
        ------
        RVHError
            It is not there.
        """
        with self._lock:
            if node not in self._servers:
                raise RVHError(f"server {show(node)} is not there, so it cannot be removed")
            self._change([server for server in self._servers if server != node])

    def get_node(self, key: str | bytes) -> str | None:
        """The server of a key; None where no server is left, which HashClient has an error for.

        Examples
        --------
        >>> hasher = RendezvousHasher()
        >>> hasher.get_node("user:1") is None
        True
        >>> hasher.add_node("10.0.0.1:11211")
        >>> hasher.get_node("user:1")
        '10.0.0.1:11211'
        """
        node_set = self._node_set  # once: another thread may change it
        if node_set is None:
            return None
        server: str = node_set.select(key)[0]
        return server

    def _change(self, servers: list[str]) -> None:
        usable = [server for server in servers if self._weights is None or self._weights[server]]
        self._node_set = self._build(usable) if usable else None
        self._servers = servers

    def _build(self, servers: list[str]) -> NodeSet:
        weights = None if self._weights is None else [self._weights[s] for s in servers]
        return NodeSet(servers, weights=weights, scheme=self._scheme, secret=self._secret)
