"""The pages of the second port: /metrics for Prometheus, /healthz and /livez for probes."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http import HTTPStatus
from types import TracebackType
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, ProcessCollector, make_wsgi_app

from rvh.observe.metrics import METRICS
from rvh.observe.prometheus import register
from rvh.rpc.metrics import Report, table
from rvh.rpc.plain_http import JSON, TEXT, Page, PlainServer, Request
from rvh.rpc.ports import refusal

if TYPE_CHECKING:
    from rvh.membership import Snapshot

__all__ = ["Pages"]


class Pages:
    """Serves the pages, on threads of this process.

    ``/metrics`` has what `report` counts, the ``rvh.membership.*`` metrics of memberships that
    `rvh.observe.watch` was told of, and memory, files and processor time of this process.
    ``/healthz`` tells whether to send clients here: status 503 if not. ``/livez`` tells that the
    process runs, and nothing else: a source that is away is no reason to start it anew.

    Parameters
    ----------
    report : callable
        Gives what the server has counted, and how many processes answer.
    snapshot : callable
        Gives the current snapshot.
    is_draining : callable
        Tells whether the server takes no more calls.
    source : str
        The name of the source, without secrets.
    host : str
        An address of this machine. Only this machine reaches the default.
    port : int
        0 for any that is free.
    max_age : float, optional
        Seconds. A snapshot that the source has confirmed longer ago is too old to be ready.

    Raises
    ------
    RVHError
        It cannot listen on the port.
    """

    def __init__(
        self,
        report: Callable[[], Report],
        snapshot: Callable[[], Snapshot],
        is_draining: Callable[[], bool],
        *,
        source: str,
        host: str = "127.0.0.1",
        port: int = 0,
        max_age: float | None = None,
    ) -> None:
        self._report, self._snapshot, self._is_draining = report, snapshot, is_draining
        self._source, self._max_age = source, max_age
        registry = CollectorRegistry()
        of_memberships = (each for each in METRICS if each.name.startswith("rvh.membership."))
        register(registry, (*table(report), *of_memberships))
        ProcessCollector(registry=registry)
        self._metrics_app = make_wsgi_app(registry)
        routes = {"/metrics": self._metrics, "/healthz": self._health, "/livez": _alive}
        try:
            self._server = PlainServer(host, port, routes)
        except OSError as error:
            raise refusal(host, port, error, " for pages (--http-port)") from None
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            args=(0.1,),  # seconds that `close` may take
            name="rvh-pages",
            daemon=True,
        )
        self._thread.start()

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self._server.server_address[1])

    def close(self) -> None:
        """Stop listening; answers that are being written are not waited for."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def __enter__(self) -> Pages:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _metrics(self, request: Request) -> Page:
        begun: list[Any] = []  # what the application says of its answer: status and headers
        environ = {
            "REQUEST_METHOD": "GET",
            "PATH_INFO": "/metrics",
            "QUERY_STRING": request.query,
            "HTTP_ACCEPT": request.accept,
            "HTTP_ACCEPT_ENCODING": request.accept_encoding,
        }
        body = b"".join(self._metrics_app(environ, lambda *told: begun.extend(told)))
        status, headers = begun
        return Page(body, tuple(headers), HTTPStatus(int(status.split()[0])))

    def _health(self, request: Request) -> Page:
        snapshot = self._snapshot()
        age = snapshot.age
        if self._is_draining():
            status = "draining"
        elif not self._report().workers:
            status = "no workers"
        elif self._max_age is not None and age > self._max_age:
            status = "stale"
        else:
            status = "serving"
        told = {
            "status": status,
            "epoch": snapshot.epoch,
            "fingerprint": snapshot.fingerprint,
            "nodes": len(snapshot.nodes),
            "age": round(age, 3),
            "source": self._source,
        }
        code = HTTPStatus.OK if status == "serving" else HTTPStatus.SERVICE_UNAVAILABLE
        return Page(json.dumps(told).encode() + b"\n", (("Content-Type", JSON),), code)


def _alive(request: Request) -> Page:
    return Page(b"alive\n", (("Content-Type", TEXT),))
