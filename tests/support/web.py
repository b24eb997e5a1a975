"""A web server in this process that answers as a test tells it to."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

__all__ = ["Handler", "answering"]


class Handler(BaseHTTPRequestHandler):
    """One request, and short ways to answer it."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""

    def answer(self, status: int, data: bytes, headers: dict[str, str] | None = None) -> None:
        """Answer with a body of known length."""
        self.send_response(status)
        for name, value in {"Content-Length": str(len(data)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def begin(self, headers: dict[str, str] | None = None) -> None:
        """Begin an answer whose length nobody knows."""
        self.send_response(200)
        for name, value in {"Transfer-Encoding": "chunked", **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()

    def chunk(self, data: bytes) -> None:
        """Send one part of it; no bytes are its end."""
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()


@contextlib.contextmanager
def answering(do_get: Callable[[Handler], None], port: int = 0) -> Iterator[str]:
    """Serve on 127.0.0.1 while a block runs, and give it the URL; a GET calls the function."""

    class Asked(Handler):
        def do_GET(self) -> None:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                do_get(self)

    server = ThreadingHTTPServer(("127.0.0.1", port), Asked)
    server.daemon_threads = True
    server.block_on_close = False
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
