"""What stands before all calls: a token, but for health checks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import Any

import grpc

from rvh.rpc.calls import Call, Counting
from rvh.rpc.handlers import KINDS
from rvh.rpc.health import HEALTH
from rvh.rpc.tokens import Tokens

__all__ = ["Guard"]


class Guard(grpc.ServerInterceptor):  # type: ignore[misc]
    """Refuses calls without a valid token, and ends streams whose token is valid no more.

    Health checks need none.

    Parameters
    ----------
    tokens : Tokens
    counting : Counting
        Counts the calls that are refused.
    paths : iterable of str
        The methods whose calls are counted by their status, as gRPC names them.
    """

    def __init__(self, tokens: Tokens, counting: Counting, paths: Iterable[str]) -> None:
        self._tokens = tokens
        self._counting = counting
        # A handler of a stream is called at once. Others are called when their message is there,
        # which may be large or never come.
        make = grpc.stream_stream_rpc_method_handler
        self._refusal = make(lambda requests, context: self._refuse(context))
        self._refusals = {path: make(counting.stream(path, self._refuse_counted)) for path in paths}

    def intercept_service(self, continuation: Any, details: Any) -> Any:
        """Find the handler of a call, or the one that refuses it."""
        method, metadata = details.method, details.invocation_metadata
        if method.startswith(f"/{HEALTH}/"):
            return continuation(details)
        if not self._tokens.allows(metadata):
            return self._refusals.get(method, self._refusal)
        handler = continuation(details)
        if handler is None or not handler.response_streaming:
            return handler
        return self._watched(handler, metadata)

    def _watched(self, handler: Any, metadata: Any) -> Any:
        """Make of the handler of a stream one that looks at the token before each message."""
        answer = handler.stream_stream or handler.unary_stream

        def answers(requests: Any, context: Any) -> Iterator[Any]:
            with closing(answer(requests, context)) as given:
                for each in given:
                    if not self._tokens.allows(metadata):
                        self._refuse(context)
                    yield each

        make = KINDS[handler.request_streaming, True]
        return make(answers, handler.request_deserializer, handler.response_serializer)

    def _refuse_counted(self, requests: Any, call: Call) -> Any:
        self._refuse(call.context)

    def _refuse(self, context: Any) -> Any:
        self._counting.refused("token")
        text = "the call needs a bearer token that this server knows"
        context.abort(grpc.StatusCode.UNAUTHENTICATED, text)
