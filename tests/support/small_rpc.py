"""A gRPC server in this process with a few handlers."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc

__all__ = ["serving"]


@contextlib.contextmanager
def serving(handlers: Iterable[Any], threads: int = 8) -> Iterator[str]:
    """Serve for a block; gives the address. The end cancels the calls that are still running."""
    server = grpc.server(ThreadPoolExecutor(threads), options=[("grpc.so_reuseport", 0)])
    server.add_generic_rpc_handlers(tuple(handlers))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(None).wait(20)
