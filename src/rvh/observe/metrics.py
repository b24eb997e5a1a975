"""The one table of metrics: names, units, labels, meanings, and how each is read.

Names and units are those of OpenTelemetry's semantic conventions. Prometheus' names follow by its
rules: dots become underscores, the unit and ``_total`` are added.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Literal, NamedTuple

from rvh.observe import load
from rvh.observe.calls import counts_of_all
from rvh.observe.tally import BOUNDS, Histogram
from rvh.observe.watched import caches, memberships

__all__ = ["METRICS", "Metric", "cumulative", "label", "prometheus_name"]

Values = tuple[str, ...]
#: values of the labels, and the number or durations
Point = tuple[Values, Any]


class Metric(NamedTuple):
    """A metric.

    Parameters
    ----------
    name : str
        OpenTelemetry's: parts with dots between them.
    unit : str
        Of UCUM; in braces what is counted.
    kind : {"counter", "gauge", "histogram"}
    labels : tuple of str
        OpenTelemetry's attributes.
    text : str
        The meaning, one sentence.
    read : callable
        Gives a value for each combination of labels: a number, or of a histogram a `Histogram`.
    """

    name: str
    unit: str
    kind: Literal["counter", "gauge", "histogram"]
    labels: Values
    text: str
    read: Callable[[], Iterable[Point]]


def _of_calls(value: Callable[[Any], Any]) -> Callable[[], Iterator[Point]]:
    return lambda: (((method,), value(counts)) for method, counts in counts_of_all().items())


def _durations() -> Iterator[Point]:
    for method, counts in counts_of_all().items():
        if counts.durations is not None:
            yield (method,), counts.durations


def _errors() -> Iterator[Point]:
    for method, counts in counts_of_all().items():
        for error, count in sorted(counts.errors.items()):
            yield (method, error), count


def _of_caches(field: str) -> Callable[[], Iterator[Point]]:
    return lambda: (((name,), getattr(cache.info(), field)) for name, cache in caches())


def _of_memberships(value: Callable[[Any], float]) -> Callable[[], Iterator[Point]]:
    return lambda: (((name,), value(membership)) for name, membership in memberships())


def _nodes() -> Iterator[Point]:
    for name, membership in memberships():
        found = Counter(str(member.status) for member in membership.snapshot.members)
        for status in ("alive", "suspect", "draining", "dead"):
            yield (name, status), found[status]


METHOD, CACHE, MEMBERSHIP = ("rvh.method",), ("rvh.cache.name",), ("rvh.membership.name",)
NODE = ("rvh.node.id",)

METRICS = (
    Metric(
        *("rvh.calls", "{call}", "counter", METHOD),
        "Calls of a method, including those that raise.",
        _of_calls(lambda counts: counts.calls),
    ),
    Metric(
        *("rvh.keys", "{key}", "counter", METHOD),
        "Keys that calls have answered.",
        _of_calls(lambda counts: counts.keys),
    ),
    Metric(
        *("rvh.errors", "{error}", "counter", (*METHOD, "error.type")),
        "Calls that raised, by the class of the exception.",
        _errors,
    ),
    Metric(
        *("rvh.call.duration", "s", "histogram", METHOD),
        "The duration of batch calls that were answered.",
        _durations,
    ),
    Metric(
        *("rvh.node.keys", "{key}", "counter", NODE),
        "Keys of a sample, by the node that they go to first; with instrument(load=True).",
        lambda: (((node,), count) for node, count in load.observed().items()),
    ),
    Metric(
        *("rvh.node.expected_keys", "{key}", "counter", NODE),
        "Keys of that sample that would go to the node by the weights alone.",
        lambda: (((node,), count) for node, count in load.expected().items()),
    ),
    Metric(
        *("rvh.cache.hits", "{key}", "counter", CACHE),
        "Keys that the cache has answered from memory.",
        _of_caches("hits"),
    ),
    Metric(
        *("rvh.cache.misses", "{key}", "counter", CACHE),
        "Keys that the cache had to score.",
        _of_caches("misses"),
    ),
    Metric(
        *("rvh.cache.evictions", "{key}", "counter", CACHE),
        "Answers that the cache has dropped to make room.",
        _of_caches("evictions"),
    ),
    Metric(
        *("rvh.cache.entries", "{key}", "gauge", CACHE),
        "Keys in the cache.",
        _of_caches("entries"),
    ),
    Metric(
        *("rvh.cache.size", "By", "gauge", CACHE),
        "The size of the cache, as max_bytes counts it.",
        _of_caches("bytes"),
    ),
    Metric(
        *("rvh.membership.nodes", "{node}", "gauge", (*MEMBERSHIP, "rvh.node.status")),
        "Nodes of the current snapshot, by status.",
        _nodes,
    ),
    Metric(
        *("rvh.membership.epoch", "{epoch}", "gauge", MEMBERSHIP),
        "The epoch of the current snapshot.",
        _of_memberships(lambda membership: membership.snapshot.epoch),
    ),
    Metric(
        *("rvh.membership.age", "s", "gauge", MEMBERSHIP),
        "Time since the source last confirmed the current snapshot.",
        _of_memberships(lambda membership: membership.age),
    ),
    Metric(
        *("rvh.membership.connected", "{connection}", "gauge", MEMBERSHIP),
        "1 while the source answers, 0 after its connection was lost.",
        _of_memberships(lambda membership: int(membership.stats.connected)),
    ),
    Metric(
        *("rvh.membership.held", "{update}", "gauge", MEMBERSHIP),
        "1 while an update is held back by min_nodes or max_change, and waits for accept().",
        _of_memberships(lambda membership: int(membership.held is not None)),
    ),
    Metric(
        *("rvh.membership.updates", "{update}", "counter", MEMBERSHIP),
        "Snapshots taken.",
        _of_memberships(lambda membership: membership.stats.updates),
    ),
    Metric(
        *("rvh.membership.refused", "{update}", "counter", MEMBERSHIP),
        "Updates refused: malformed, or held back.",
        _of_memberships(lambda membership: membership.stats.refused),
    ),
    Metric(
        *("rvh.membership.reconnects", "{connection}", "counter", MEMBERSHIP),
        "Lost connections that were tried again.",
        _of_memberships(lambda membership: membership.stats.reconnects),
    ),
    Metric(
        *("rvh.membership.moved", "1", "counter", MEMBERSHIP),
        "The sum of the shares of keys that updates have moved: 1 is as many as all keys.",
        _of_memberships(lambda membership: membership.stats.moved),
    ),
)

_SUFFIXES = {"s": "_seconds", "By": "_bytes"}


def prometheus_name(metric: Metric) -> str:
    """Return the name that Prometheus has for a metric."""
    name = metric.name.replace(".", "_") + _SUFFIXES.get(metric.unit, "")
    return name + "_total" if metric.kind == "counter" else name


def label(attribute: str) -> str:
    """Return the name that Prometheus has for an attribute."""
    return attribute.replace(".", "_")


def cumulative(durations: Histogram) -> list[tuple[str, int]]:
    """Return each bucket's upper bound, and the number of calls that were not above it."""
    found, total = [], 0
    for bound, count in zip((*BOUNDS, float("inf")), durations.buckets, strict=True):
        total += count
        found.append(("+Inf" if bound == float("inf") else str(bound), total))
    return found
