"""Spans of batch calls, for OpenTelemetry. They hold numbers, never keys, ids or secrets."""

from __future__ import annotations

from functools import wraps
from typing import Any

from opentelemetry.trace import Status, StatusCode, TracerProvider

from rvh._about import __version__
from rvh.nodes import NodeSet
from rvh.observe.wrapping import Function

__all__ = ["traced"]


def traced(method: Function, label: str, provider: TracerProvider) -> Function:
    """Make a function that does what `method` does, in a span."""
    tracer, name = provider.get_tracer("rvh", __version__), f"rvh {label}"

    @wraps(method)
    def spanning(self: Any, *args: Any, **named: Any) -> Any:
        nodes = self if isinstance(self, NodeSet) else self.nodes
        # It is not made the current span, which would take 5 us: nothing below makes spans.
        span = tracer.start_span(
            name,
            attributes={"rvh.method": label, "rvh.nodes": len(nodes), "rvh.scheme": nodes.scheme},
        )
        try:
            answer = method(self, *args, **named)
            span.set_attribute("rvh.keys", len(answer))
        except BaseException as error:  # recorded without its message, which may name keys
            span.set_attribute("error.type", type(error).__name__)
            span.set_status(Status(StatusCode.ERROR))
            raise
        finally:
            span.end()
        return answer

    return spanning
