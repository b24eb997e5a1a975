"""Real memcached servers, and which of them a key was put on."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator, Sequence
from pathlib import Path

from servers import Server, needed

__all__ = ["holders", "memcached_servers"]

PORT = 11211  # some clients and proxies leave this one out of a server's name
TOGETHER = 50  # keys asked for in one line


@contextlib.contextmanager
def memcached_servers(count: int, folder: Path) -> Iterator[list[str]]:
    """Start servers, half of them on port 11211, each on a loopback address of its own.

    Parameters
    ----------
    count : int
    folder : Path
        Of this test.

    Returns
    -------
    context manager, of a list of str
        Their addresses, ``"host:port"``.
    """
    program = needed("memcached")
    with contextlib.ExitStack() as stack:
        names = []
        for number in range(count):
            host = _free_host()
            port = PORT + number % 2
            own = folder / f"memcached-{number}"
            own.mkdir()
            command = [program, "-l", host, "-p", str(port), "-U", "0", "-m", "8", "-t", "1"]
            command += ["-u", "nobody"] if os.getuid() == 0 else []

            def answers(host: str = host, port: int = port) -> bool:
                socket.create_connection((host, port), timeout=1).close()
                return True

            stack.enter_context(Server(command, answers, own).running())
            names.append(f"{host}:{port}")
        yield names


def _free_host() -> str:
    """A loopback address on which nobody listens on the ports of memcached."""
    while True:
        host = "127." + ".".join(str(1 + byte % 254) for byte in os.urandom(3))
        with contextlib.suppress(OSError), socket.socket() as one, socket.socket() as other:
            one.bind((host, PORT))
            other.bind((host, PORT + 1))
            return host


def holders(servers: Sequence[str], keys: Sequence[bytes], value: bytes) -> list[str | None]:
    """The server on which each key has this value."""
    found: dict[bytes, str] = {}
    for server in servers:
        host, _, port = server.rpartition(":")
        with socket.create_connection((host, int(port)), timeout=20) as connection:
            lines = connection.makefile("rb")
            for at in range(0, len(keys), TOGETHER):
                connection.sendall(b"get " + b" ".join(keys[at : at + TOGETHER]) + b"\r\n")
                while (line := lines.readline()) != b"END\r\n":
                    _, key, _, size = line.split(b" ")
                    if lines.read(int(size) + 2)[:-2] == value:
                        assert key not in found, f"{key!r} is on {found[key]} and on {server}"
                        found[key] = server
    return [found.get(key) for key in keys]
