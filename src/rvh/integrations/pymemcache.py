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

from collections.abc import Mapping

from rvh import keys as _keys
from rvh._members import Member, Members
from rvh.errors import RVHError, show
from rvh.integrations._common import missing
from rvh.nodes import NodeSet
from rvh.typing import Scheme

try:
    import pymemcache  # type: ignore[import-untyped]  # noqa: F401  (of no use without)
except ImportError as error:
    raise missing("pymemcache") from error

__all__ = ["RendezvousHasher"]


class RendezvousHasher(Members):
    """The server of each key, for ``HashClient``.

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
        scheme: Scheme = "blake2b",
        secret: bytes = b"",
    ) -> None:
        self._weights: dict[bytes, float] | None = None
        if weights is not None:
            names = [_keys.node_id(server)[1] for server in weights]
            each = NodeSet(list(weights), list(weights.values())).weights
            assert each is not None
            self._weights = dict(zip(names, each.tolist(), strict=True))
        NodeSet(["any"], scheme=scheme, secret=secret)  # a wrong scheme or secret is an error now
        self._start(None, scheme=scheme, secret=secret)

    def add_node(self, node: str) -> None:
        """Add a server; one that is there already stays.

        Raises
        ------
        RVHError
            Other servers have weights and this one has none.
        """
        node, name = _keys.node_id(node)
        weight = None if self._weights is None else self._weights.get(name)
        if self._weights is not None and weight is None:
            listed = [key.decode(errors="replace") for key in self._weights][:3]
            raise RVHError(
                f"server {show(node)} has no weight: add it to weights=, which has "
                f"{', '.join(map(show, listed))}, ..."
            )
        with self._change_lock:
            if name not in self._by_name():
                self._put(name, Member(node, weight))

    def remove_node(self, node: str) -> None:
        """Remove a server, until it is added again.

        Raises
        ------
        RVHError
            It is not there.
        """
        name = _keys.node_id(node)[1]
        with self._change_lock:
            if name not in self._by_name():
                raise RVHError(f"server {show(node)} is not there, so it cannot be removed")
            self._put(name, None)

    def get_node(self, key: str | bytes) -> str | None:
        """The server of a key; None where no server is left, which HashClient has an error for.

        Examples
        --------
        >>> from rvh.integrations.pymemcache import RendezvousHasher
        >>> hasher = RendezvousHasher()
        >>> hasher.get_node("user:1") is None
        True
        >>> hasher.add_node("10.0.0.1:11211")
        >>> hasher.get_node("user:1")
        '10.0.0.1:11211'
        """
        node_set = self._current_set()
        if node_set is None:
            return None
        server: str = node_set.select(key)[0]
        return server
