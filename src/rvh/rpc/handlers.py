"""Handlers of gRPC for a service of the descriptor set, without generated code."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import grpc
from google.protobuf.message import DecodeError

from rvh.rpc.messages import Method, methods

__all__ = ["generic_handler"]

#: by whether requests and responses are streams
KINDS = {
    (False, False): grpc.unary_unary_rpc_method_handler,
    (False, True): grpc.unary_stream_rpc_method_handler,
    (True, False): grpc.stream_unary_rpc_method_handler,
    (True, True): grpc.stream_stream_rpc_method_handler,
}


def generic_handler(service: str, behaviors: Mapping[str, Callable[..., Any]]) -> Any:
    """Make the handler of a service, for `grpc.Server.add_generic_rpc_handlers`.

    Parameters
    ----------
    service : str
        The full name.
    behaviors : mapping of str to callable
        What answers each method: called with the message, or with an iterator of messages, and the
        context. Malformed bytes do not come this far: they are answered by INVALID_ARGUMENT.
    """
    return grpc.method_handlers_generic_handler(
        service,
        {
            method.name: KINDS[method.takes_stream, method.gives_stream](
                _parsing(method, behaviors[method.name]),
                response_serializer=method.response.SerializeToString,
            )
            for method in methods(service)
        },
    )


def _parsing(method: Method, behavior: Callable[..., Any]) -> Callable[..., Any]:
    """Parse before the behavior is called.

    Where grpc's own deserializer fails, it answers INTERNAL and logs a traceback.
    """

    def parse(data: bytes, context: Any) -> Any:
        try:
            return method.request.FromString(data)
        except DecodeError:
            name = method.request.DESCRIPTOR.full_name
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"these bytes are no {name}")

    if method.takes_stream:
        return lambda each, context: behavior((parse(data, context) for data in each), context)
    return lambda data, context: behavior(parse(data, context), context)
