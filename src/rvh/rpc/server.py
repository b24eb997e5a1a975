"""The server: a port, the handlers, and an orderly end."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType

import grpc

from rvh.errors import RVHError
from rvh.membership import Membership
from rvh.rpc import reflection
from rvh.rpc.access import AccessLog
from rvh.rpc.answering import Limits
from rvh.rpc.calls import Counting
from rvh.rpc.health import HEALTH, Health
from rvh.rpc.messages import SELECTION
from rvh.rpc.metrics import Report
from rvh.rpc.service import Service

__all__ = ["Server"]

#: calls beside those of the limits: health checks, and refusals
SPARE = 16


class Server:
    """Serves the nodes of a membership by gRPC, on threads of this process.

    Parameters
    ----------
    membership : Membership
        It stays open when the server is closed.
    host : str
        An address of this machine. Only this machine reaches the default.
    port : int
        0 for any that is free.
    limits : Limits
    threads : int, optional
        Of one batch, as for `rvh.NodeSet.select_batch`.
    access_log : AccessLog, optional
        Where calls are written down; it stays open when the server is closed.
    """

    def __init__(
        self,
        membership: Membership,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        limits: Limits = Limits(),  # noqa: B008  # it never changes
        threads: int | None = None,
        access_log: AccessLog | None = None,
    ) -> None:
        limits = limits.checked()
        self._counting = Counting(limits.seconds, access_log)
        self._service = Service(membership, limits, self._counting, threads)
        self._health = Health()
        limited = self._service.limited
        listed = (SELECTION, HEALTH, *reflection.REFLECTION)
        most = limits.calls + limits.streams + SPARE
        self._server = grpc.server(
            ThreadPoolExecutor(most, thread_name_prefix="rvh-serve"),
            handlers=[
                self._service,
                self._health.handlers(limited),
                *reflection.handlers(listed, limited),
            ],
            options=[
                ("grpc.so_reuseport", 0),
                ("grpc.max_receive_message_length", limits.message),
                ("grpc.max_send_message_length", -1),
            ],
            maximum_concurrent_rpcs=most,
        )
        self._port = self._listen(host, port)

    def _listen(self, host: str, port: int) -> int:
        name = f"[{host}]" if ":" in host else host
        try:
            with socket.create_server((host, port), reuse_port=False):
                pass
            return int(self._server.add_insecure_port(f"{name}:{port}"))
        except (OSError, RuntimeError) as error:
            raise RVHError(f"cannot listen on {name}:{port}: {error}") from None

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return self._port

    def report(self) -> Report:
        """What was counted so far, for `rvh.rpc.metrics.table`."""
        return self._counting.report()

    def start(self) -> None:
        """Answer from now on."""
        self._server.start()
        for service in ("", SELECTION):
            self._health.set(service, True)

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until it has ended; True where it still runs."""
        return bool(self._server.wait_for_termination(seconds))

    def close(self, grace: float = 10.0) -> None:
        """Take no more calls, let those that run finish for so many seconds, and end."""
        self._counting.draining = True
        self._health.close()
        self._service.news.end()
        self._server.stop(grace).wait()

    def __enter__(self) -> Server:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close(0)
