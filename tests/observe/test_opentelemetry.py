"""Metrics and spans for OpenTelemetry: the same table, numbers only, and they arrive over OTLP."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from servers import until

from rvh import NodeSet, RVHError, observe
from rvh.cache import SelectionCache
from rvh.observe.metrics import METRICS
from rvh.observe.tally import BOUNDS
from rvh.partitions import PartitionTable

pytest.importorskip("opentelemetry.sdk", reason="opentelemetry-sdk is not installed")

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import (
    InMemoryMetricReader,
    PeriodicExportingMetricReader,
)
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import (
    InMemorySpanExporter,
)
from opentelemetry.trace import StatusCode

from rvh.observe import opentelemetry

NODES = NodeSet(["alpha", "beta", "gamma"], secret=b"what nobody may see")
KEYS = [f"customer-{i}" for i in range(5)]


@pytest.fixture
def reader() -> Iterator[InMemoryMetricReader]:
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader])
    opentelemetry.register(provider)
    yield reader
    provider.shutdown()


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    observe.instrument(tracer_provider=provider)
    yield exporter
    observe.uninstrument()
    provider.shutdown()


def collected(reader: InMemoryMetricReader) -> dict[str, Any]:
    data = reader.get_metrics_data()
    assert data is not None
    ((scope,),) = (resource.scope_metrics for resource in data.resource_metrics)
    assert scope.scope.name == "rvh"
    return {metric.name: metric for metric in scope.metrics}


def value(metric: Any, **attributes: str) -> Any:
    wanted = {name.replace("_", "."): text for name, text in attributes.items()}
    (found,) = (p.value for p in metric.data.data_points if dict(p.attributes) == wanted)
    return found


@pytest.mark.usefixtures("instrumented")
def test_metrics_are_those_of_the_table(reader: InMemoryMetricReader) -> None:
    cache = SelectionCache(NODES, 10)
    observe.watch(cache, "sessions")
    cache.select("x"), cache.select("x")
    NODES.select_batch(KEYS)
    with pytest.raises(RVHError):
        NODES.select("x", 9)
    found = collected(reader)
    for metric in METRICS:
        points = list(metric.read())
        if metric.kind == "histogram":
            assert found[f"{metric.name}.sum"].unit == metric.unit
            assert found[f"{metric.name}.bucket"].unit == "{call}"
        elif points:
            shown = found[metric.name]
            assert (shown.unit, shown.description) == (metric.unit, metric.text)
            assert type(shown.data).__name__ == {"counter": "Sum", "gauge": "Gauge"}[metric.kind]
            got = [
                (tuple(point.attributes[name] for name in metric.labels), point.value)
                for point in shown.data.data_points
            ]
            assert sorted(got) == sorted(points)
    assert value(found["rvh.cache.hits"], rvh_cache_name="sessions") == 1
    assert found["rvh.calls"].data.is_monotonic
    observe.unwatch(cache)


@pytest.mark.usefixtures("instrumented")
def test_durations_are_cumulative_buckets(reader: InMemoryMetricReader) -> None:
    NODES.select_batch(KEYS)
    found = collected(reader)
    method = {"rvh_method": "NodeSet.select_batch"}
    bounds = [*map(str, BOUNDS), "+Inf"]
    counts = [value(found["rvh.call.duration.bucket"], **method, le=bound) for bound in bounds]
    assert counts == sorted(counts)
    timed = observe.counts("NodeSet.select_batch").durations
    assert timed is not None
    assert counts[-1] == sum(timed.buckets)
    assert value(found["rvh.call.duration.sum"], **method) == timed.seconds


def finished(spans: InMemorySpanExporter) -> ReadableSpan:
    (span,) = spans.get_finished_spans()
    spans.clear()
    return span


def test_a_batch_is_a_span_with_numbers(spans: InMemorySpanExporter) -> None:
    NODES.select_batch(KEYS, 2)
    span = finished(spans)
    assert span.name == "rvh NodeSet.select_batch"
    method = {"rvh.method": "NodeSet.select_batch"}
    assert span.attributes == {**method, "rvh.nodes": 3, "rvh.scheme": "blake2b", "rvh.keys": 5}
    assert span.status.status_code is StatusCode.UNSET
    PartitionTable(NODES, 64).lookup_batch(keys=KEYS)
    assert finished(spans).name == "rvh PartitionTable.lookup_batch"


def test_calls_of_one_key_have_no_span(spans: InMemorySpanExporter) -> None:
    NODES.select("x"), NODES.scores("x"), PartitionTable(NODES, 64).lookup("x")
    assert spans.get_finished_spans() == ()


def test_an_error_is_told_without_its_message(spans: InMemorySpanExporter) -> None:
    with pytest.raises(RVHError, match="customer"):
        NODES.select_batch(["x", "customer-\ud800"])
    span = finished(spans)
    assert span.status.status_code is StatusCode.ERROR
    assert span.attributes is not None
    assert span.attributes["error.type"] == "RVHError"
    assert "rvh.keys" not in span.attributes
    assert span.events == ()
    assert "customer" not in span.to_json()


def test_no_key_id_or_secret_is_in_a_span(spans: InMemorySpanExporter) -> None:
    NODES.select_batch(KEYS)
    shown = finished(spans).to_json()
    assert not [word for word in ("customer", "alpha", "what nobody") if word in shown]


def test_spans_count_and_are_inside_those_of_the_caller(spans: InMemorySpanExporter) -> None:
    provider = TracerProvider()
    before = observe.counts("NodeSet.argselect_batch").calls
    with provider.get_tracer("caller").start_as_current_span("request") as request:
        NODES.argselect_batch(KEYS)
    assert observe.counts("NodeSet.argselect_batch").calls == before + 1
    parent = finished(spans).parent
    assert parent is not None
    assert parent.span_id == request.get_span_context().span_id


def test_spans_end_with_the_option(spans: InMemorySpanExporter) -> None:
    observe.instrument()
    NODES.select_batch(KEYS)
    assert spans.get_finished_spans() == ()


def test_metrics_and_spans_arrive_over_otlp(tmp_path: Path) -> None:
    reason = "opentelemetry-exporter-otlp-proto-grpc is not installed"
    package = "opentelemetry.exporter.otlp.proto.grpc"
    metric_exporter = pytest.importorskip(f"{package}.metric_exporter", reason=reason)
    trace_exporter = pytest.importorskip(f"{package}.trace_exporter", reason=reason)
    from otlp import Receiver, relay

    with ExitStack() as stack:
        receiver = stack.enter_context(closing(Receiver()))
        port = stack.enter_context(relay(receiver.port, tmp_path))
        to = {"endpoint": f"127.0.0.1:{port}", "insecure": True}
        tracers = TracerProvider()
        stack.callback(tracers.shutdown)
        tracers.add_span_processor(BatchSpanProcessor(trace_exporter.OTLPSpanExporter(**to)))
        meters = MeterProvider(
            [PeriodicExportingMetricReader(metric_exporter.OTLPMetricExporter(**to), 200)]
        )
        stack.callback(meters.shutdown)
        opentelemetry.register(meters)
        observe.instrument(tracer_provider=tracers)
        stack.callback(observe.uninstrument)

        NODES.select_batch(KEYS)
        tracers.force_flush()
        calls = observe.counts("NodeSet.select_batch").calls

        def arrived() -> int:
            points = receiver.metrics["rvh.calls"].sum.data_points
            numbers = {point.attributes[0].value.string_value: point.as_int for point in points}
            return int(numbers["NodeSet.select_batch"])

        until(lambda: "rvh.calls" in receiver.metrics and arrived() == calls, 15, "metrics arrive")
        until(lambda: receiver.spans, 15, "the span arrives")
        (span,) = receiver.spans
        numbers = {each.key: each.value.int_value for each in span.attributes}
        assert (span.name, numbers["rvh.keys"]) == ("rvh NodeSet.select_batch", 5)
        assert {"rvh.keys", "rvh.call.duration.bucket", "rvh.call.duration.sum"} <= set(
            receiver.metrics
        )
