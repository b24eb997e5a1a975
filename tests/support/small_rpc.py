"""A gRPC server in this process with a few handlers, and calls of it by the descriptor set."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc

from rvh.rpc.messages import methods

__all__ = ["calls", "serving"]


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


def calls(channel: grpc.Channel, service: str) -> dict[str, Callable[..., Any]]:
    """The methods of a service as functions, made of the descriptor set."""
    kinds = {
        (False, False): channel.unary_unary,
        (False, True): channel.unary_stream,
        (True, False): channel.stream_unary,
        (True, True): channel.stream_stream,
    }
    return {
        method.name: kinds[method.takes_stream, method.gives_stream](
            method.path, method.request.SerializeToString, method.response.FromString
        )
        for method in methods(service)
    }
