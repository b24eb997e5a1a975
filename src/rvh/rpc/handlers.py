"""Handlers of gRPC for a service of the descriptor set, without generated code."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import grpc
from google.protobuf.message import DecodeError

from rvh.rpc.messages import Method, methods

__all__ = ["KINDS", "Limited", "generic_handler"]

#: by whether requests and responses are streams
KINDS = {
    (False, False): grpc.unary_unary_rpc_method_handler,
    (False, True): grpc.unary_stream_rpc_method_handler,
    (True, False): grpc.stream_unary_rpc_method_handler,
    (True, True): grpc.stream_stream_rpc_method_handler,
}


#: answers a method: a message, or an iterator of messages, and the context
Behavior = Callable[[Any, Any], Any]
#: makes of a behavior one that refuses a call where there are too many
Limited = Callable[[Behavior], Behavior]


def generic_handler(
    service: str, behaviors: Mapping[str, Behavior], limited: Limited | None = None
) -> Any:
    """Make the handler of a service, for `grpc.Server.add_generic_rpc_handlers`.

    Parameters
    ----------
    service : str
        The full name.
    behaviors : mapping of str to callable
        What answers each method. Malformed bytes do not come this far: INVALID_ARGUMENT answers
        them.
    limited : callable, optional
        Applied to the methods that give a stream.
    """

    def behavior(method: Method) -> Behavior:
        parsing = _parsing(method, behaviors[method.name])
        return limited(parsing) if limited and method.gives_stream else parsing

    return grpc.method_handlers_generic_handler(
        service,
        {
            method.name: KINDS[method.takes_stream, method.gives_stream](
                behavior(method),
                response_serializer=method.response.SerializeToString,
            )
            for method in methods(service)
        },
    )


def _parsing(method: Method, behavior: Behavior) -> Behavior:
    """Parse before the behavior is called.

    Where grpc's own deserializer fails, it answers INTERNAL and logs a traceback.
    """

    def parse(data: bytes, context: Any) -> Any:
        try:
            return method.request.FromString(data)
        except DecodeError:
            name = method.request.DESCRIPTOR.full_name
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"these bytes are not a {name}")

    if method.takes_stream:
        return lambda each, context: behavior((parse(data, context) for data in each), context)
    return lambda data, context: behavior(parse(data, context), context)
