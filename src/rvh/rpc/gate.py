"""What stands before all calls: a token, but for health checks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import grpc

from rvh.rpc.health import HEALTH
from rvh.rpc.tokens import Tokens

__all__ = ["Guard"]


class Guard(grpc.ServerInterceptor):  # type: ignore[misc]
    """Refuses calls without a valid token; health checks need none.

    Parameters
    ----------
    tokens : Tokens
    refused : callable
        Told of each call that is refused.
    """

    def __init__(self, tokens: Tokens, refused: Callable[[str], None]) -> None:
        self._tokens = tokens
        self._refused = refused
        # A handler of a stream is called at once. Others are called when their message is there,
        # which may be large or never come.
        self._refusal = grpc.stream_stream_rpc_method_handler(self._refuse)

    def intercept_service(self, continuation: Any, details: Any) -> Any:
        """Find the handler of a call, or the one that refuses it."""
        is_open = details.method.startswith(f"/{HEALTH}/")
        if is_open or self._tokens.allows(details.invocation_metadata):
            return continuation(details)
        return self._refusal

    def _refuse(self, requests: Any, context: Any) -> Any:
        self._refused("token")
        text = "the call needs a bearer token that this server knows"
        context.abort(grpc.StatusCode.UNAUTHENTICATED, text)
