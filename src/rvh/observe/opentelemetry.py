"""The metrics for OpenTelemetry: ``pip install 'rvh[otel]'``.

They are asynchronous instruments, which are read whenever the provider's reader collects. There is
no such histogram, so ``rvh.call.duration`` becomes two counters, ``.bucket`` and ``.sum``: as in
Prometheus, a bucket's attribute ``le`` is its upper bound, and it counts all calls up to that.

>>> from opentelemetry.sdk.metrics import MeterProvider
>>> from opentelemetry.sdk.metrics.export import InMemoryMetricReader
>>> from rvh.observe import opentelemetry
>>> reader = InMemoryMetricReader()
>>> provider = MeterProvider([reader])
>>> opentelemetry.register(provider)
>>> reader.get_metrics_data().resource_metrics[0].scope_metrics[0].metrics[0].name
'rvh.calls'
>>> provider.shutdown()
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from opentelemetry.metrics import CallbackOptions, MeterProvider, Observation, get_meter

from rvh._about import __version__
from rvh.observe.metrics import METRICS, Metric, cumulative

__all__ = ["register"]

Callback = Callable[[CallbackOptions], Iterator[Observation]]


def register(
    meter_provider: MeterProvider | None = None, metrics: Sequence[Metric] = METRICS
) -> None:
    """Add the metrics to a provider, once: instruments cannot be taken away again.

    Parameters
    ----------
    meter_provider : opentelemetry.metrics.MeterProvider, optional
        By default the global one.
    metrics : sequence of rvh.observe.metrics.Metric
        By default those of this process; those of a service are in `rvh.rpc.metrics`.
    """
    meter = get_meter("rvh", __version__, meter_provider)
    for metric in metrics:
        if metric.kind == "histogram":
            meter.create_observable_counter(
                f"{metric.name}.bucket", [_buckets(metric)], "{call}", metric.text
            )
            meter.create_observable_counter(
                f"{metric.name}.sum", [_sums(metric)], metric.unit, metric.text
            )
            continue
        create = {
            "counter": meter.create_observable_counter,
            "gauge": meter.create_observable_gauge,
        }[metric.kind]
        create(metric.name, [_numbers(metric)], metric.unit, metric.text)


def _numbers(metric: Metric) -> Callback:
    def observe(_: CallbackOptions) -> Iterator[Observation]:
        for values, value in metric.read():
            yield Observation(value, dict(zip(metric.labels, values, strict=True)))

    return observe


def _buckets(metric: Metric) -> Callback:
    def observe(_: CallbackOptions) -> Iterator[Observation]:
        for values, durations in metric.read():
            attributes = dict(zip(metric.labels, values, strict=True))
            for bound, count in cumulative(durations):
                yield Observation(count, {**attributes, "le": bound})

    return observe


def _sums(metric: Metric) -> Callback:
    def observe(_: CallbackOptions) -> Iterator[Observation]:
        for values, durations in metric.read():
            yield Observation(durations.seconds, dict(zip(metric.labels, values, strict=True)))

    return observe
