"""Spans of batch calls, for OpenTelemetry. They hold numbers, never keys, ids or secrets."""

from __future__ import annotations

from functools import wraps
from typing import Any

from opentelemetry.trace import Status, StatusCode, TracerProvider

from rvh._version import __version__
from rvh.nodes import NodeSet
from rvh.observe.wrapping import Function

__all__ = ["traced"]


def traced(method: Function, label: str, provider: TracerProvider) -> Function:
    """Make a function that does what `method` does, in a span."""
    tracer = provider.get_tracer("rvh", __version__)

    @wraps(method)
    def spanning(self: Any, *args: Any, **named: Any) -> Any:
        nodes = self if isinstance(self, NodeSet) else self.nodes
        # The messages of errors name keys, so an exception is not recorded.
        with tracer.start_as_current_span(
            f"rvh {label}",
            attributes={"rvh.method": label, "rvh.nodes": len(nodes), "rvh.scheme": nodes.scheme},
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                answer = method(self, *args, **named)
            except BaseException as error:
                span.set_attribute("error.type", type(error).__name__)
                span.set_status(Status(StatusCode.ERROR))
                raise
            span.set_attribute("rvh.keys", len(answer))
        return answer

    return spanning
