"""A receiver of OTLP in this process, and a relay that is a program of its own."""

from __future__ import annotations

import contextlib
import importlib.util
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import pytest
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2 as metrics
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2_grpc as metrics_grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as trace
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc as trace_grpc
from servers import Server, free_port

__all__ = ["Receiver", "relay"]


class Receiver:
    """Keeps the spans and metrics that arrive."""

    def __init__(self) -> None:
        self.spans: list[Any] = []
        self.metrics: dict[str, Any] = {}  # by name, the last of each
        self._server = grpc.server(ThreadPoolExecutor(2))
        metrics_grpc.add_MetricsServiceServicer_to_server(_Metrics(self), self._server)
        trace_grpc.add_TraceServiceServicer_to_server(_Spans(self), self._server)
        self.port = self._server.add_insecure_port("127.0.0.1:0")
        self._server.start()

    def close(self) -> None:
        self._server.stop(None).wait()


class _Metrics(metrics_grpc.MetricsServiceServicer):
    def __init__(self, receiver: Receiver) -> None:
        self.receiver = receiver

    def Export(self, request: Any, context: Any) -> Any:  # noqa: N802
        for resource in request.resource_metrics:
            for scope in resource.scope_metrics:
                self.receiver.metrics |= {metric.name: metric for metric in scope.metrics}
        return metrics.ExportMetricsServiceResponse()


class _Spans(trace_grpc.TraceServiceServicer):
    def __init__(self, receiver: Receiver) -> None:
        self.receiver = receiver

    def Export(self, request: Any, context: Any) -> Any:  # noqa: N802
        for resource in request.resource_spans:
            for scope in resource.scope_spans:
                self.receiver.spans += scope.spans
        return trace.ExportTraceServiceResponse()


@contextlib.contextmanager
def relay(to: int, folder: Path) -> Iterator[int]:
    """Start a relay that passes OTLP on to a port, and give its own; skips where there is none."""
    found = importlib.util.find_spec("rotel")
    if found is None or found.origin is None:
        pytest.skip("rotel is not installed")
    port = free_port()
    command = [
        *(str(Path(found.origin).parent / "rotel-agent"), "start"),
        f"--otlp-grpc-endpoint=127.0.0.1:{port}",
        f"--otlp-http-endpoint=127.0.0.1:{free_port()}",
        "--exporter=otlp",
        f"--otlp-exporter-endpoint=http://127.0.0.1:{to}",
        "--otlp-exporter-protocol=grpc",
        "--batch-timeout=100ms",
    ]

    def listens() -> bool:
        with socket.create_connection(("127.0.0.1", port), 1):
            return True

    with Server(command, listens, folder).running():
        yield port
