"""A way to a server that a test opens and shuts, and that counts the calls with one answer."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc
from rpc_server import serving

from rvh.membership import Snapshot

__all__ = ["Gated", "gated"]


class Gated(grpc.GenericRpcHandler):
    """Hands calls on to a server while `gate` is set."""

    def __init__(self, server: str, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.gate = threading.Event()
        self.gate.set()
        self.target = ""
        self.calls: list[str] = []
        self.under_way = self.most = 0
        self._channel = grpc.insecure_channel(server)
        self._lock = threading.Lock()

    def service(self, details: Any) -> Any:
        method = self._channel.unary_unary(details.method)

        def handle(request: bytes, context: Any) -> bytes:
            with self._lock:
                self.calls.append(details.method.rpartition("/")[2])
                self.under_way += 1
                self.most = max(self.most, self.under_way)
            try:
                while not self.gate.wait(0.01) and context.is_active():
                    pass
                return bytes(method(request))
            finally:
                with self._lock:
                    self.under_way -= 1

        return grpc.unary_unary_rpc_method_handler(handle)

    def close(self) -> None:
        self.gate.set()
        self._channel.close()


@contextmanager
def gated() -> Iterator[Gated]:
    with serving() as (server, membership, _):
        service = Gated(f"127.0.0.1:{server.port}", membership.snapshot)
        proxy = grpc.server(
            ThreadPoolExecutor(32), handlers=[service], options=[("grpc.so_reuseport", 0)]
        )
        service.target = f"127.0.0.1:{proxy.add_insecure_port('127.0.0.1:0')}"
        proxy.start()
        try:
            yield service
        finally:
            service.gate.set()
            proxy.stop(1).wait()
            service.close()
