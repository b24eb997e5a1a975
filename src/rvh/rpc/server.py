"""The server: a port, the handlers, and an orderly end."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from os import PathLike
from types import TracebackType
from typing import Any

import grpc

from rvh.errors import RVHError
from rvh.membership import Membership
from rvh.rpc import reflection
from rvh.rpc.access import AccessLog
from rvh.rpc.answering import Limits
from rvh.rpc.calls import Counting
from rvh.rpc.gate import Guard
from rvh.rpc.health import HEALTH, Health
from rvh.rpc.messages import FLAT, SELECTION
from rvh.rpc.metrics import Report
from rvh.rpc.ports import address, refuse_plaintext, reserve
from rvh.rpc.service import Service
from rvh.rpc.tls import Certificates, ServerTls
from rvh.rpc.tokens import Tokens

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
    tls : ServerTls, optional
        Encrypts, and with its ``client_ca`` asks clients for certificates too.
    tokens : path, optional
        A file of bearer tokens, one on each line, of which every call needs one.
    plaintext : bool
        Serve other machines without TLS.
    access_log : rvh.rpc.access.AccessLog, optional
        Where calls are written down: ``AccessLog(path)``. It stays open when the server is closed.

    Raises
    ------
    RVHError
        The port is taken, a file cannot be used, or other machines would be served unencrypted.
    """

    _shares_port = False  # with other workers of one parent

    def __init__(
        self,
        membership: Membership,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        limits: Limits = Limits(),  # noqa: B008  # it never changes
        threads: int | None = None,
        tls: ServerTls | None = None,
        tokens: str | PathLike[str] | None = None,
        plaintext: bool = False,
        access_log: AccessLog | None = None,
    ) -> None:
        limits = limits.checked()
        refuse_plaintext(host, port, tls is not None, plaintext)
        self._process = os.getpid()
        self._counting = Counting(limits.seconds, access_log)
        credentials = None if tls is None else Certificates(tls, self._note).credentials()
        self._health = Health()
        known = None if tokens is None else Tokens(tokens)
        self._service = Service(membership, limits, self._counting, threads)
        guards = [Guard(known, self._counting, self._service.paths)] if known else []
        limited = self._service.limited
        listed = (SELECTION, HEALTH, *reflection.REFLECTION)
        most = limits.calls + limits.streams + SPARE
        self._pool = ThreadPoolExecutor(most, thread_name_prefix="rvh-serve")
        self._server = grpc.server(
            self._pool,
            handlers=[
                self._service,
                self._health.handlers(limited),
                *reflection.handlers(listed, limited),
            ],
            interceptors=guards,
            options=[
                ("grpc.so_reuseport", int(self._shares_port)),
                ("grpc.max_receive_message_length", limits.message),
                ("grpc.max_send_message_length", -1),
                # Clients may ask every 10 s whether the server is there, and are asked themselves.
                ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
                ("grpc.keepalive_permit_without_calls", 1),
                ("grpc.keepalive_time_ms", 60_000),
                ("grpc.keepalive_timeout_ms", 20_000),
            ],
            maximum_concurrent_rpcs=most,
        )
        try:
            self._port = self._listen(host, port, credentials)
        except BaseException:
            self._service.news.end()  # the membership would keep it
            raise

    def _note(self, expires: float, has_failed: bool) -> None:
        """Count what becomes of certificates."""
        self._counting.expires = expires
        self._counting.failed_reloads += has_failed

    def _listen(self, host: str, port: int, credentials: Any) -> int:
        if not self._shares_port:
            with reserve(host, port) as taken:
                port = taken.port
        where = address(host, port)
        try:
            if credentials is None:
                return int(self._server.add_insecure_port(where))
            return int(self._server.add_secure_port(where, credentials))
        except RuntimeError as error:
            raise RVHError(f"cannot listen on {where}: {error}") from None

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return self._port

    @property
    def is_draining(self) -> bool:
        """True once it takes no more calls."""
        return self._counting.draining

    def report(self) -> Report:
        """What was counted so far, for `rvh.rpc.metrics.table`."""
        return self._counting.report()

    def start(self) -> None:
        """Answer from now on.

        Raises
        ------
        RVHError
            It is closed.
        """
        if self.is_draining:
            raise RVHError("the server is closed: make another")
        self._server.start()
        for service in ("", SELECTION, FLAT):
            self._health.set(service, True)

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until it has ended; True where it still runs."""
        return bool(self._server.wait_for_termination(seconds))

    def close(self, grace: float = 10.0) -> None:
        """Say that it is not serving, take no more calls, let those that run finish, and end.

        Parameters
        ----------
        grace : float
            Seconds after which calls that still run are ended.
        """
        if self._process != os.getpid():
            return  # a child of a fork, which has neither gRPC nor its threads
        self._counting.draining = True
        self._health.close()
        self._service.news.end()
        self._server.stop(grace).wait()
        self._pool.shutdown(wait=False)  # gRPC leaves the threads of its pool waiting for work

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
