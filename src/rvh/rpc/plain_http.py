"""A small HTTP server for a few pages, which takes all clients for hostile.

There are not many connections, and each has a few seconds for all that it does, whether its bytes
come one by one or its answer is not read.
"""

from __future__ import annotations

import io
import logging
import socket
import sys
import threading
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer, ThreadingMixIn
from time import monotonic
from typing import Any, NamedTuple

__all__ = ["JSON", "TEXT", "Page", "PlainServer", "Request"]

#: connections at once; one more is closed
CONNECTIONS = 64
#: seconds that a connection has, from its first byte to the last of the answer
SECONDS = 5.0
#: bytes of a request line and its headers
HEAD = 16 << 10

TEXT, JSON = "text/plain; charset=utf-8", "application/json"

log = logging.getLogger("rvh.rpc")


class Request(NamedTuple):
    """What a page may ask of its request."""

    query: str
    accept: str | None
    accept_encoding: str | None


class Page(NamedTuple):
    """An answer."""

    body: bytes
    headers: tuple[tuple[str, str], ...]
    status: HTTPStatus = HTTPStatus.OK


Routes = Mapping[str, Callable[[Request], Page]]


class PlainServer(ThreadingMixIn, TCPServer):
    """Answers by paths. `http.server.HTTPServer` would ask a name server for its own name."""

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = CONNECTIONS

    def __init__(self, host: str, port: int, routes: Routes) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.routes = routes
        self._free = threading.Semaphore(CONNECTIONS)
        super().__init__((host, port), _Connection)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer on a thread, where there are not too many."""
        if not self._free.acquire(blocking=False):
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except BaseException:  # no thread could be started
            self._free.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer, and make room."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log errors, but not those of clients that disconnect or are slow."""
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            log.exception("a request of %s cannot be answered: %r", client_address[0], error)


class _Connection(BaseHTTPRequestHandler):
    """One connection, with one request. All of its head is there before any of it is read."""

    protocol_version = default_request_version = "HTTP/1.0"
    error_content_type = TEXT
    error_message_format = "%(code)d %(message)s: %(explain)s\n"
    server: PlainServer

    def setup(self) -> None:
        self._end = monotonic() + SECONDS
        self.connection = self.request
        self.wfile = self._answered = io.BytesIO()

    def handle(self) -> None:
        head = self._read_head()
        self.requestline, self.request_version, self.command = "", self.protocol_version, ""
        if len(head) > HEAD:
            text = f"the head of a request has {HEAD} bytes at most"
            self.send_error(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, explain=text)
        elif head:
            self.rfile = io.BytesIO(head)
            self.raw_requestline = self.rfile.readline()
            if self.parse_request():
                self._answer()

    def finish(self) -> None:
        self._hurry()
        self.connection.sendall(self._answered.getvalue())  # its timeout is that of all of it
        self.connection.shutdown(socket.SHUT_WR)
        # Bytes that nobody has read would make the system take the answer back.
        left = HEAD
        while left > 0:
            self._hurry()
            data = self.connection.recv(left)
            left = left - len(data) if data else 0

    def _hurry(self) -> None:
        """Let the next step take no longer than what is left."""
        left = self._end - monotonic()
        if left <= 0:
            raise TimeoutError
        self.connection.settimeout(left)

    def _read_head(self) -> bytes:
        """Read until an empty line, the end, or more than is allowed."""
        head = b""
        while b"\r\n\r\n" not in head and b"\n\n" not in head and len(head) <= HEAD:
            self._hurry()
            if not (data := self.connection.recv(HEAD)):
                break
            head += data
        return head

    def _answer(self) -> None:
        path, _, query = self.path.partition("?")
        routes = self.server.routes
        if (route := routes.get(path)) is None:
            self.send_error(HTTPStatus.NOT_FOUND, explain=f"there is {', '.join(routes)}")
            return
        if self.command not in ("GET", "HEAD"):
            told = (("Allow", "GET, HEAD"), ("Content-Type", TEXT))
            self._send(Page(b"405: ask with GET\n", told, HTTPStatus.METHOD_NOT_ALLOWED))
            return
        accept, encoding = self.headers.get("Accept"), self.headers.get("Accept-Encoding")
        try:
            page = route(Request(query, accept, encoding))
        except Exception as error:
            log.exception("%s cannot be answered: %r", path, error)
            text = "the log of the server says more"
            self.send_error(HTTPStatus.INTERNAL_SERVER_ERROR, explain=text)
        else:
            self._send(page)

    def _send(self, page: Page) -> None:
        self.send_response(page.status)
        length = ("Content-Length", str(len(page.body)))
        for name, value in (*page.headers, length, ("Cache-Control", "no-store")):
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(page.body)

    def version_string(self) -> str:
        return "rvh"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # as the base names it
        """Say nothing: probes ask every few seconds."""
