"""Ways to servers: addresses, TLS, tokens, and which server is asked next."""

from __future__ import annotations

import os
import random
import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from os import PathLike
from typing import Any

import grpc

from rvh.errors import RVHError, RVHTypeError, show
from rvh.membership import Membership, NodeMeta
from rvh.rpc.pem import check_authorities, check_pair, content_of
from rvh.rpc.ports import is_loopback

__all__ = ["OPTIONS", "Tls", "Ways"]

#: of every channel: answers of any size; a server that is back is found soon, one that is gone too
OPTIONS: tuple[tuple[str, Any], ...] = (
    ("grpc.max_receive_message_length", -1),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 2000),  # what one attempt may take
    ("grpc.max_reconnect_backoff_ms", 2000),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.enable_retries", 0),  # rvh tries again itself, at the next server
    ("grpc.use_local_subchannel_pool", 1),
)


#: host:port, as grpc takes it without a resolver's scheme
ADDRESS = re.compile(r"(?P<host>[\w.-]+|\[[\w:.%-]+\]):(?P<port>[0-9]{1,5})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Tls:
    """The files of an encrypted connection, in PEM.

    Parameters
    ----------
    ca : path, optional
        Who may have signed the server's certificate: by default whom the system trusts.
    certificate, key : path, optional
        Those of the client, for servers that ask for them. Both or none.
    server_name : str, optional
        The name in the server's certificate, where it is not the host that is asked: as for
        servers that are asked by their addresses.
    """

    ca: str | PathLike[str] | None = None
    certificate: str | PathLike[str] | None = None
    key: str | PathLike[str] | None = None
    server_name: str | None = None

    def credentials(self) -> Any:
        """Read the files, and check that they can be used."""
        if self.ca is not None:
            check_authorities(self.ca)
        if self.certificate is not None and self.key is not None:
            check_pair(self.certificate, self.key)
        elif self.certificate is not None or self.key is not None:
            raise RVHError("Tls has a certificate or a key alone: give both, or none")
        files = (self.ca, self.key, self.certificate)
        return grpc.ssl_channel_credentials(
            *[None if path is None else content_of(path) for path in files]
        )


class Ways:
    """Channels to the servers of a client, asked in turn.

    Parameters
    ----------
    target : str, sequence of str, or Membership
        ``host:port``, several of them, or a membership of servers, whose nodes have addresses.
    make : callable
        Makes a channel of an address, credentials or None, and options.
    token : str or callable, optional
        Sent with every call; a callable is asked each time.
    tls : Tls or bool
    plaintext : bool
        Whether a token may be sent unencrypted to other machines.
    """

    def __init__(
        self,
        target: str | Sequence[str] | Membership,
        make: Callable[[str, Any, Any], Any],
        token: str | Callable[[], str] | None,
        tls: Tls | bool,
        plaintext: bool,
    ) -> None:
        if not isinstance(target, (str, Membership, list, tuple)) or not target:
            raise RVHTypeError(
                f"target is {show(target)}: pass host:port, a list of them, or a Membership"
            )
        self._membership = target if isinstance(target, Membership) else None
        self._make = make
        self._token = token
        self._metadata = () if token is None or callable(token) else _bearer(token)
        given = Tls() if tls is True else tls or None
        if not isinstance(given, Tls | None):
            # What is given is not told: it may be a key.
            name = type(tls).__name__
            raise RVHTypeError(f"tls is a {name}: pass True, or Tls(ca=...) with files")
        self._credentials = None if given is None else given.credentials()
        self._options = [*OPTIONS]
        if given is not None and given.server_name is not None:
            self._options.append(("grpc.ssl_target_name_override", given.server_name))
        self._is_open_to_all = token is not None and given is None and not plaintext
        self._process = os.getpid()
        self._lock = threading.Lock()
        self._channels: dict[str, Any] = {}  # None: not asked yet
        self.turn = random.randrange(1 << 16)  # clients of a list do not all begin with one server
        self.is_closed = False
        self._snapshot: Any = None
        if self._membership is None:
            addresses = [target] if isinstance(target, str) else list(target)  # type: ignore[arg-type]
            self._set(addresses)

    @property
    def name(self) -> str:
        """The servers, for messages."""
        if self._membership is not None:
            return self._membership.name
        return ", ".join(self._channels)

    def metadata(self) -> tuple[tuple[str, str], ...]:
        """What is sent with every call."""
        return _bearer(self._token()) if callable(self._token) else self._metadata

    @property
    def is_of_parent(self) -> bool:
        """Whether this process was forked since: channels are dead, and locks may be held."""
        return self._process != os.getpid()

    def refuse_child(self) -> None:
        """Refuse to be used in the child of a fork.

        Raises
        ------
        RVHError
            This process is one.
        """
        if self.is_of_parent:
            raise RVHError(
                "the client was made before this process was forked, which gRPC does not survive: "
                "make another one here"
            )

    def next(self) -> tuple[str, Any]:
        """Return the server whose turn it is: address and channel."""
        with self._lock:
            if self._membership is not None and self._snapshot is not self._membership.snapshot:
                snapshot = self._membership.snapshot
                self._set([self._address(snapshot[node]) for node in snapshot.nodes])
                self._snapshot = snapshot
            addresses = tuple(self._channels)
            self.turn += 1
            address = addresses[self.turn % len(addresses)]
            channel = self._channels[address]
            if channel is None:  # made here, since those for asyncio belong to the loop that runs
                channel = self._make(address, self._credentials, self._options)
                self._channels[address] = channel
            return address, channel

    def __len__(self) -> int:
        return len(self._channels)

    def _address(self, node: NodeMeta) -> str:
        if node.address is None:
            raise RVHError(f"node {show(node.id)} of {self._membership!r} has no address to ask")
        return node.address

    def _set(self, addresses: list[str]) -> None:
        """Keep the channels of these addresses, and no others."""
        for address in addresses:
            _check(address, self._is_open_to_all)
        before = self._channels
        self._channels = {address: before.get(address) for address in addresses}
        self.gone([each for address, each in before.items() if each and address not in addresses])

    def gone(self, channels: list[Any]) -> None:
        """Close channels to servers that are there no more: calls on them are tried elsewhere."""
        for channel in channels:
            channel.close()

    def is_gone(self, address: str, channel: Any) -> bool:
        """Tell whether a channel was closed since `next` gave it."""
        return self.is_closed or self._channels.get(address) is not channel

    def take_all(self) -> list[Any]:
        """Give all channels away, to be closed; there is no other call from now on."""
        with self._lock:
            self.is_closed = True
            return [channel for channel in self._channels.values() if channel is not None]

    def close(self) -> None:
        """Close all channels; in the child of a fork they are the parent's."""
        if not self.is_of_parent:
            self.gone(self.take_all())


def _bearer(token: Any) -> tuple[tuple[str, str], ...]:
    """The header of a token; grpc's own message about one that cannot be sent would contain it."""
    if not isinstance(token, str):
        raise RVHTypeError(f"token is a {type(token).__name__}: pass a str, or a function of none")
    if not token:
        raise RVHError("token is empty: pass one that the service knows, or omit token=")
    if token.endswith("\n"):
        raise RVHError("token ends in a newline, as the text of a file does: strip it")
    if not token.isascii() or not token.isprintable() or " " in token:
        raise RVHError(
            "token has characters that no header may have: pass one token of printable ASCII, "
            "without spaces"
        )
    return (("authorization", f"Bearer {token}"),)


def _check(address: Any, is_loopback_alone: bool) -> None:
    is_unix = isinstance(address, str) and address.startswith("unix:")
    found = ADDRESS.fullmatch(address) if isinstance(address, str) else None
    if not is_unix and (found is None or not 0 < int(found["port"]) < 65536):
        kind = RVHError if isinstance(address, str) else RVHTypeError
        raise kind(
            f"the server is {show(address)}: pass host:port, as 10.0.0.7:8470 or [fd00::7]:8470, "
            "and a list of them for several"
        )
    host = "" if found is None else found["host"]
    if is_loopback_alone and not is_unix and not is_loopback(host.strip("[]")):
        raise RVHError(
            f"the token would go to {address} unencrypted: pass tls=, or plaintext=True where the "
            "network is trusted"
        )
