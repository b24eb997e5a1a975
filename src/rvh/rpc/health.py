"""The health of a server and of each of its services, for load balancers and probes.

The protocol: https://github.com/grpc/grpc/blob/master/doc/health-checking.md
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import grpc

from rvh.errors import show
from rvh.rpc.handlers import Limited, generic_handler
from rvh.rpc.messages import message

__all__ = ["HEALTH", "Health"]

HEALTH = "grpc.health.v1.Health"


class Health:
    """The service grpc.health.v1.Health.

    The name of the server as a whole is empty. It is not serving until `set` says so.

    Notes
    -----
    Each Watch holds one thread of the server's pool, so that a client that does not read delays
    nobody but itself.

    Examples
    --------
    >>> from rvh.rpc.health import Health
    >>> health = Health()
    >>> health.set("", True)
    >>> health.set("rvh.v1.Selection", True)
    """

    def __init__(self) -> None:
        self._response = message("grpc.health.v1.HealthCheckResponse")
        self._changed = threading.Condition()
        self._serving = {"": False}
        self._is_draining = self._is_closed = False

    def set(self, service: str, serving: bool) -> None:
        """Say whether a service can be called; once it drains, this changes nothing.

        Parameters
        ----------
        service : str
            The full name; empty for the server as a whole.
        serving : bool
        """
        with self._changed:
            self._serving[service] = serving and not self._is_draining
            self._changed.notify_all()

    def drain(self) -> None:
        """Say for good that nothing is serving; those who watch are told, and go on watching."""
        with self._changed:
            self._is_draining = True
            self._serving = dict.fromkeys(self._serving, False)
            self._changed.notify_all()

    def close(self) -> None:
        """Drain, and end every Watch: a server that waits for its calls would wait for these."""
        self.drain()
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def handlers(self, limited: Limited | None = None) -> Any:
        """Return the handler for `grpc.Server.add_generic_rpc_handlers`.

        Parameters
        ----------
        limited : callable, optional
            Makes of Watch a method that refuses a call where there are too many streams.
        """
        return generic_handler(HEALTH, {"Check": self._check, "Watch": self._watch}, limited)

    def _status(self, service: str) -> int:
        serving = self._serving.get(service)
        if serving is None:
            return int(self._response.SERVICE_UNKNOWN)
        return int(self._response.SERVING if serving else self._response.NOT_SERVING)

    def _check(self, request: Any, context: Any) -> Any:
        with self._changed:
            status = self._status(request.service)
        if status == self._response.SERVICE_UNKNOWN:
            text = f"service: this server has no {show(request.service)}"
            context.abort(grpc.StatusCode.NOT_FOUND, text)
        return self._response(status=status)

    def _watch(self, request: Any, context: Any) -> Iterator[Any]:
        left = False

        def leave() -> None:
            nonlocal left
            with self._changed:
                left = True
                self._changed.notify_all()

        if not context.add_callback(leave):  # the client has gone already
            return
        told = None
        while not left:
            with self._changed:
                while not (left or self._is_closed) and self._status(request.service) == told:
                    self._changed.wait()
                status, is_last = self._status(request.service), self._is_closed
            if status != told:
                yield self._response(status=status)
                told = status
            if is_last:
                return
