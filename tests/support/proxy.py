"""A TCP proxy between a client and a server, to cut, silence or look into their connections."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

__all__ = ["Proxy"]


class Proxy:
    """Forwards connections to a port of 127.0.0.1.

    Parameters
    ----------
    port : int
        The server's; it can be changed for connections to come.
    heard : callable, optional
        Called with each piece that a client sends, before it is forwarded.
    silenced : callable, optional
        Tells, by the last piece that a client has sent, whether the server's answers are swallowed.
    """

    def __init__(
        self,
        port: int,
        heard: Callable[[bytes], object] = lambda piece: None,
        silenced: Callable[[bytes], bool] = lambda piece: False,
    ) -> None:
        self.target, self.heard, self.silenced = port, heard, silenced
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._open: list[tuple[bytearray, socket.socket, socket.socket]] = []
        self._threads: list[threading.Thread] = []

    def cut(self, which: Callable[[bytes], bool] = lambda last: True) -> None:
        """Close the connections of which the client's last piece is such."""
        for last, *ends in self._open:
            if which(bytes(last)):
                for end in ends:
                    _shut(end)

    @contextlib.contextmanager
    def running(self) -> Iterator[Proxy]:
        """Forward for a block."""
        self._run(self._accept)
        try:
            yield self
        finally:
            _shut(self._listener)
            self.cut()
            for thread in self._threads:
                thread.join()

    def _run(self, target: Callable[..., object], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError), self._listener:
            while True:
                client, _ = self._listener.accept()
                try:
                    server = socket.create_connection(("127.0.0.1", self.target))
                except OSError:
                    client.close()
                    continue
                last = bytearray()
                self._open.append((last, client, server))
                self._run(self._forward, client, server, last, self._from_client)
                self._run(self._forward, server, client, last, self._from_server)

    def _from_client(self, piece: bytes, last: bytearray) -> bytes:
        last[:] = piece
        self.heard(piece)
        return piece

    def _from_server(self, piece: bytes, last: bytearray) -> bytes:
        return b"" if self.silenced(bytes(last)) else piece

    def _forward(
        self,
        source: socket.socket,
        sink: socket.socket,
        last: bytearray,
        changed: Callable[[bytes, bytearray], bytes],
    ) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(1 << 16):
                sink.sendall(changed(piece, last))
        _shut(sink)
        source.close()


def _shut(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
