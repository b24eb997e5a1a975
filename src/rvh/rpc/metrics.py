"""The numbers of the service: reports of processes, their sums, and the table of metrics.

Names and units are those of OpenTelemetry's semantic conventions; ``rpc.server.call.duration`` is
one of them (https://opentelemetry.io/docs/specs/semconv/rpc/rpc-metrics/).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import msgspec

from rvh.observe.metrics import Metric
from rvh.observe.tally import Histogram

__all__ = ["Report", "Reports", "merged", "table"]


class Report(msgspec.Struct):
    """What a process has counted so far, and its state now; of several processes, their sums.

    Parameters
    ----------
    durations : dict
        By method and status code: how long the calls took that have ended.
    keys : dict
        By method: keys that were answered.
    refused : dict
        By reason: calls that were refused to protect the server.
    under_way : dict
        By method: calls that have begun and not ended.
    lost_lines, failed_reloads, restarts : int
        Lines of the access log that could not be written, certificates that could not be loaded
        anew, workers that ended by themselves.
    workers, draining : int
        Processes that answer, and those of them that take no new calls.
    expires : float, optional
        When the certificate expires, in seconds since 1970; the first of several.
    """

    durations: dict[str, dict[str, Histogram]] = {}
    keys: dict[str, int] = {}
    refused: dict[str, int] = {}
    under_way: dict[str, int] = {}
    lost_lines: int = 0
    failed_reloads: int = 0
    restarts: int = 0
    workers: int = 0
    draining: int = 0
    expires: float | None = None

    def to_bytes(self) -> bytes:
        """Encode it, for `from_bytes`."""
        return msgspec.msgpack.encode(self)

    @classmethod
    def from_bytes(cls, data: bytes) -> Report:
        """Decode what `to_bytes` gave."""
        return msgspec.msgpack.decode(data, type=cls)

    def counts(self) -> Report:
        """Return the counts alone, which stay when the process has ended."""
        return msgspec.structs.replace(self, under_way={}, workers=0, draining=0, expires=None)


def merged(reports: Iterable[Report]) -> Report:
    """Add up reports of several processes.

    Examples
    --------
    >>> from rvh.rpc.metrics import Report, merged
    >>> merged([Report(keys={"a": 1}), Report(keys={"a": 2, "b": 3})]).keys
    {'a': 3, 'b': 3}
    """
    total = Report()
    for report in reports:
        for field in Report.__struct_fields__:
            setattr(total, field, _sum(getattr(total, field), getattr(report, field), field))
    return total


def _sum(one: Any, other: Any, field: str = "") -> Any:
    if field == "expires":
        return min((each for each in (one, other) if each is not None), default=None)
    if isinstance(one, Histogram):
        buckets = zip(one.buckets, other.buckets, strict=True)
        return Histogram(tuple(map(sum, buckets)), one.seconds + other.seconds)
    if isinstance(one, Mapping):
        mine = dict(one)
        for key, value in other.items():
            mine[key] = _sum(mine[key], value) if key in mine else value
        return mine
    return one + other


class Reports:
    """The reports of the workers of one server; no count goes back when a worker ends."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._past = Report()
        self._last: dict[int, Report] = {}

    def take(self, worker: int, report: bytes) -> None:
        """Take a worker's report, in place of the one before.

        Parameters
        ----------
        worker : int
            Another one for each worker that was ever started, such as its process id.
        report : bytes
            As `Report.to_bytes` gave it.
        """
        latest = Report.from_bytes(report)
        with self._lock:
            self._last[worker] = latest

    def ended(self, worker: int, *, restarted: bool) -> None:
        """Note that a worker has ended.

        Parameters
        ----------
        worker : int
        restarted : bool
            True where it was not told to, and another takes its place.
        """
        with self._lock:
            last = self._last.pop(worker, Report())
            self._past = merged((self._past, last.counts(), Report(restarts=restarted)))

    def read(self) -> Report:
        """Return the sums so far."""
        with self._lock:
            return merged((self._past, *self._last.values()))


SYSTEM, METHOD, CODE = "rpc.system.name", "rpc.method", "rpc.response.status_code"
REASON = "rvh.service.reason"


def table(read: Callable[[], Report]) -> tuple[Metric, ...]:
    """Return the metrics of a service.

    Parameters
    ----------
    read : callable
        Gives its current report.
    """

    def durations() -> Iterator[tuple[tuple[str, ...], Histogram]]:
        for method, codes in sorted(read().durations.items()):
            for code, found in sorted(codes.items()):
                yield ("grpc", method, code), found

    def each(field: str) -> Callable[[], Any]:
        return lambda: (((name,), count) for name, count in sorted(getattr(read(), field).items()))

    def one(field: str) -> Callable[[], Any]:
        return lambda: (((), value) for value in [getattr(read(), field)] if value is not None)

    return (
        Metric(
            *("rpc.server.call.duration", "s", "histogram", (SYSTEM, METHOD, CODE)),
            "How long calls took, streams from their first message to their end.",
            durations,
        ),
        Metric(
            *("rvh.service.active_calls", "{call}", "gauge", (METHOD,)),
            "Calls and streams under way.",
            each("under_way"),
        ),
        Metric(
            *("rvh.service.keys", "{key}", "counter", (METHOD,)),
            "Keys that were answered.",
            each("keys"),
        ),
        Metric(
            *("rvh.service.refused", "{call}", "counter", (REASON,)),
            "Calls that were refused at once, to protect the server, by reason.",
            each("refused"),
        ),
        Metric(
            *("rvh.service.workers", "{process}", "gauge", ()),
            "Processes that answer calls.",
            one("workers"),
        ),
        Metric(
            *("rvh.service.restarts", "{process}", "counter", ()),
            "Workers that ended by themselves and were replaced.",
            one("restarts"),
        ),
        Metric(
            *("rvh.service.draining", "{process}", "gauge", ()),
            "Processes that answer what is under way and take no new calls.",
            one("draining"),
        ),
        Metric(
            *("rvh.service.certificate.expiration_timestamp", "s", "gauge", ()),
            "When the certificate that is served expires, in seconds since 1970; with TLS.",
            one("expires"),
        ),
        Metric(
            *("rvh.service.certificate.failed_reloads", "{reload}", "counter", ()),
            "Changed certificates that could not be loaded; the one before is still served.",
            one("failed_reloads"),
        ),
        Metric(
            *("rvh.service.access_log.lost", "{line}", "counter", ()),
            "Lines of the access log that could not be written.",
            one("lost_lines"),
        ),
    )
