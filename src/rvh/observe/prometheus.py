"""The metrics for Prometheus: ``pip install 'rvh[prometheus]'``.

>>> from prometheus_client import CollectorRegistry, generate_latest
>>> from rvh.observe import prometheus
>>> registry = CollectorRegistry()
>>> _ = prometheus.register(registry)
>>> b"rvh_calls_total" in generate_latest(registry)
True
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from prometheus_client import REGISTRY
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import CollectorRegistry

from rvh.observe.metrics import METRICS, Metric, cumulative, label, prometheus_name

__all__ = ["Collector", "register"]

_FAMILIES = {
    "counter": CounterMetricFamily,
    "gauge": GaugeMetricFamily,
    "histogram": HistogramMetricFamily,
}


class Collector:
    """Reads metrics whenever Prometheus asks.

    Parameters
    ----------
    metrics : sequence of rvh.observe.metrics.Metric
    """

    def __init__(self, metrics: Sequence[Metric] = METRICS) -> None:
        self._metrics = metrics

    def describe(self) -> list[Any]:
        """Return the metrics without values, so that a registry can tell clashes of names."""
        return [_family(metric) for metric in self._metrics]

    def collect(self) -> Iterator[Any]:
        """Return the metrics."""
        for metric in self._metrics:
            family = _family(metric)
            for values, value in metric.read():
                if metric.kind == "histogram":
                    family.add_metric(values, cumulative(value), value.seconds)
                else:
                    family.add_metric(values, value)
            yield family


def _family(metric: Metric) -> Any:
    make = _FAMILIES[metric.kind]
    return make(prometheus_name(metric), metric.text, labels=[*map(label, metric.labels)])


def register(
    registry: CollectorRegistry | None = None, metrics: Sequence[Metric] = METRICS
) -> Collector:
    """Add the metrics to a registry.

    Parameters
    ----------
    registry : prometheus_client.CollectorRegistry, optional
        By default ``prometheus_client.REGISTRY``, which its servers show.
    metrics : sequence of rvh.observe.metrics.Metric
        By default those of this process; those of a service are in `rvh.rpc.metrics`.

    Returns
    -------
    Collector
        For ``registry.unregister``.

    Raises
    ------
    ValueError
        The registry has the metrics already.
    """
    collector = Collector(metrics)
    (REGISTRY if registry is None else registry).register(collector)
    return collector
