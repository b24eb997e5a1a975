"""The port of a server: one owner at a time, and nobody else's by mistake."""

from __future__ import annotations

import errno
import ipaddress
import socket
import sys
from contextlib import ExitStack
from typing import Any

from rvh.errors import RVHError

__all__ = ["Reserved", "address", "is_loopback", "refusal", "refuse_plaintext", "reserve"]

#: errors of an address that a name has, but not this machine: localhost's ::1 in a container
NOT_HERE = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)


def address(host: str, port: int) -> str:
    """Write host and port as one text."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def is_loopback(host: str) -> bool:
    """Tell whether only this machine reaches an address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def refuse_plaintext(host: str, port: int, is_encrypted: bool, plaintext: bool) -> None:
    """Refuse to serve other machines unencrypted, unless that is asked for.

    Raises
    ------
    RVHError
        It is refused, or the host has no address.
    """
    if is_encrypted or plaintext:
        return
    if not all(is_loopback(where[0]) for _, where in _addresses(host, port)):
        raise RVHError(
            f"{host} is reached from other machines, and calls would be unencrypted: give a "
            "certificate and a key (--tls-cert, --tls-key), or say --plaintext where the network "
            "is trusted"
        )


class Reserved(ExitStack):
    """A port of all addresses of a host, held until this is closed."""

    port = 0


def reserve(host: str, port: int, *, share: bool = False) -> Reserved:
    """Take a port, so that a second server on it is an error; nothing listens yet.

    gRPC itself binds with SO_REUSEPORT by default, and two servers that know nothing of each other
    would share the calls.

    Parameters
    ----------
    host, port
        Of a host with several addresses, as localhost may be, all that this machine has are
        taken. Port 0 for any that is free.
    share : bool
        Let other sockets of this user have it too, from now on: the workers'.

    Raises
    ------
    RVHError
        The port is taken, or the host is none of this machine.
    """
    taken, missing = Reserved(), None
    try:
        for family, where in _addresses(host, port):
            try:
                each = _take(family, (where[0], taken.port or port, *where[2:]), share)
            except OSError as error:
                if error.errno not in NOT_HERE:
                    raise
                missing = error
            else:
                taken.enter_context(each)
                taken.port = each.getsockname()[1]
        if missing is not None and not taken.port:
            raise missing
    except OSError as error:
        taken.close()
        if error.errno == errno.EADDRINUSE and taken.port and not port:
            return reserve(host, 0, share=share)  # free at one address alone: another
        raise refusal(host, port, error) from None
    return taken


def _addresses(host: str, port: int) -> list[tuple[int, Any]]:
    """Return the family and the address of each that a host has."""
    if not host:
        raise RVHError("the host is empty: 127.0.0.1 is this machine alone, 0.0.0.0 and :: are all")
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise refusal(host, port, error) from None
    return list(dict.fromkeys((family, where) for family, *_, where in found))


def _take(family: int, where: Any, share: bool) -> socket.socket:
    taken = socket.socket(family, socket.SOCK_STREAM)
    try:
        if family == socket.AF_INET6:
            taken.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        _bind(taken, where)
        if share:
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    except OSError:
        taken.close()
        raise
    return taken


def _bind(taken: socket.socket, where: Any) -> None:
    """Bind a port, also where connections of a server that has just ended still have it.

    That needs SO_REUSEADDR, by which Linux lets everyone bind a port that nobody listens on. Who
    has listened there once, and has then taken that back, is alone.
    """
    if not where[1] or sys.platform == "win32":
        taken.bind(where)
        return
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    taken.bind(where)
    if sys.platform.startswith("linux"):
        taken.listen(1)
        taken.shutdown(socket.SHUT_RD)
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)


def refusal(host: str, port: int, error: OSError, what: str = "") -> RVHError:
    """Return the error about a port that cannot be had, for something."""
    advice = {
        errno.EADDRINUSE: "another server has it: end that, or choose another port",
        errno.EADDRNOTAVAIL: "this machine has no such address",
        errno.EACCES: "ports below 1024 need a privilege (CAP_NET_BIND_SERVICE)",
    }.get(error.errno or 0)
    if isinstance(error, socket.gaierror):
        advice = "give an address of this machine, or a name of one"
    told = f"{error.strerror}; {advice}" if advice else error.strerror
    return RVHError(f"cannot listen on {address(host, port)}{what}: {told}")
