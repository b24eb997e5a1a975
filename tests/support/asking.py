"""Requests to a proxy, many over one connection, and which of its servers each was sent to."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Iterator
from itertools import islice

__all__ = ["hosts_of"]

#: requests on their way at a time: fewer bytes than the buffers of a socket hold
PIPELINED = 50


def hosts_of(port: int, heads: Iterable[bytes], header: bytes = b"x-host: ") -> list[str]:
    """What a header of the answers says, for each request: its path, and header lines behind it."""
    waiting = iter(heads)
    found: list[str] = []
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        lines = connection.makefile("rb")
        while some := list(islice(waiting, PIPELINED)):
            connection.sendall(b"".join(map(_request, some)))
            found += [_header(_answer(lines), header) for _ in some]
    return found


def _request(head: bytes) -> bytes:
    path, _, headers = head.partition(b"\n")
    rest = headers.replace(b"\n", b"\r\n") + b"\r\n" if headers else b""
    return b"GET " + path + b" HTTP/1.1\r\nhost: test\r\n" + rest + b"\r\n"


def _answer(lines: Iterable[bytes]) -> list[bytes]:
    return [line.rstrip() for line in _until_blank(iter(lines))]


def _until_blank(lines: Iterator[bytes]) -> Iterator[bytes]:
    for line in lines:
        if line == b"\r\n":
            return
        yield line
    raise ConnectionError("the proxy has closed the connection")


def _header(answer: list[bytes], header: bytes) -> str:
    values = [line[len(header) :] for line in answer if line.lower().startswith(header)]
    assert answer[0].startswith(b"HTTP/1.1 200"), answer
    assert len(values) == 1, answer
    return values[0].decode()
