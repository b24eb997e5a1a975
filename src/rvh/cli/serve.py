"""``rvh serve``: the nodes of a source as a service."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rvh.cli.exits import say
from rvh.cli.following import following
from rvh.cli.listing import SourceName, facts
from rvh.cli.weighing import GuardOptions, NodeSetOptions, Timeout, refuse_no_source

if TYPE_CHECKING:
    from rvh.membership import Membership
    from rvh.rpc import Limits, ServerTls
    from rvh.rpc.processes import Processes
    from rvh.rpc.server import Server

#: the port where none is given
PORT = 8470


@dataclass(frozen=True, kw_only=True)
class LimitOptions:
    """What the server takes at most; the defaults are those of `rvh.rpc.Limits`."""

    max_keys: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Keys in one message [default: 1000000]."),
    ] = None
    max_message: Annotated[
        int | None,
        typer.Option(min=1, metavar="MIB", help="The size of a message, in MiB [default: 64]."),
    ] = None
    max_calls: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="Calls that are worked on at once, in each process; more are refused at once "
            "[default: 64].",
        ),
    ] = None
    max_streams: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Open streams, in each process [default: 256]."),
    ] = None
    max_seconds: Annotated[
        float | None,
        typer.Option(min=0.001, metavar="SECONDS", help="The time for one answer [default: 30]."),
    ] = None

    def limits(self) -> Limits:
        """The options as `rvh.rpc.Limits`."""
        from rvh.rpc import Limits

        given: dict[str, Any] = {
            "keys": self.max_keys,
            "message": None if self.max_message is None else self.max_message << 20,
            "calls": self.max_calls,
            "streams": self.max_streams,
            "seconds": self.max_seconds,
        }
        return Limits(**{name: value for name, value in given.items() if value is not None})


@dataclass(frozen=True, kw_only=True)
class AccessOptions:
    """Who may call, and who can listen."""

    tls_cert: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="The server's certificate, PEM; read again when it changes."
        ),
    ] = None
    tls_key: Annotated[Path | None, typer.Option(metavar="FILE", help="Its private key, PEM.")] = (
        None
    )
    tls_client_ca: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Who must have signed the certificate of each client."),
    ] = None
    token_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Bearer tokens, one on each line, of which each call needs one; read again when "
            "it changes.",
        ),
    ] = None
    plaintext: Annotated[
        bool, typer.Option("--plaintext", help="Serve other machines without TLS.")
    ] = False

    def tls(self) -> ServerTls | None:
        """The files of TLS.

        Raises
        ------
        typer.BadParameter
            One without the other.
        """
        given = {
            "--tls-cert": self.tls_cert,
            "--tls-key": self.tls_key,
            "--tls-client-ca": self.tls_client_ca,
        }
        there = [name for name, path in given.items() if path is not None]
        for name in ("--tls-cert", "--tls-key"):
            if there and given[name] is None:
                raise typer.BadParameter(f"{there[0]} needs it too", param_hint=name)
        if self.tls_cert is None or self.tls_key is None:
            return None
        if self.plaintext:
            raise typer.BadParameter("--tls-cert says the opposite", param_hint="--plaintext")
        from rvh.rpc import ServerTls

        return ServerTls(self.tls_cert, self.tls_key, self.tls_client_ca)


def serve(
    source: SourceName,
    *,
    host: Annotated[
        str,
        typer.Option(metavar="ADDRESS", help="The address to listen on; 0.0.0.0 or :: is all."),
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, metavar="N", help="The port; 0 for any that is free.")
    ] = PORT,
    processes: Annotated[
        int, typer.Option(min=1, metavar="N", help="Processes that answer; one for each core.")
    ] = 1,
    threads: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="Threads of one large batch [default: the cores, divided by the processes].",
        ),
    ] = None,
    drain: Annotated[
        float,
        typer.Option(min=0, metavar="SECONDS", help="The time for calls that run at the end."),
    ] = 10.0,
    access: AccessOptions,
    limiting: LimitOptions,
    node_set: NodeSetOptions,
    guards: GuardOptions,
    timeout: Timeout = 10.0,
) -> None:
    """Answer by gRPC which nodes keys belong to, for programs in any language.

    SIGTERM or Ctrl-C ends it in order: it says that it is not serving, takes no more calls, and
    answers those that run. A second one ends it at once.

    \b
    Examples:
      rvh serve nodes.json
      rvh serve etcd://etcd.example:2379/cache/ --processes 4 --scheme murmur
      rvh serve k8s://default/cache --host 0.0.0.0 --tls-cert tls.crt --tls-key tls.key
    """
    refuse_no_source(source, "SOURCE")
    tls = access.tls()
    options = {**node_set.node_set(), **guards.keywords()}

    from rvh.membership import open_source
    from rvh.rpc.ports import address, refuse_plaintext

    refuse_plaintext(host, tls is not None, access.plaintext)
    origin = open_source(source)
    if processes > 1 and threads is None:
        threads = max(1, _cores() // processes)
    with _logged(), following(origin, timeout=timeout, **options) as membership:
        shared = {"host": host, "port": port, "limits": limiting.limits(), "threads": threads}
        server: Server | Processes = (
            _one(membership, access, tls, shared)
            if processes == 1
            else _several(membership, processes, access, tls, shared)
        )
        with _ending() as ending:
            server.start()
            try:
                snapshot = membership.snapshot
                how = "TLS" if tls is not None else "plaintext"
                how = f"mutual {how}" if access.tls_client_ca is not None else how
                how += ", tokens" if access.token_file is not None else ", no tokens"
                how += f", {processes} processes" if processes > 1 else ""
                say(
                    f"serving {membership.name} on {address(host, server.port)} ({how}): "
                    f"{facts(snapshot, snapshot.epoch)}"
                )
                while not ending.wait(3600):
                    pass
                say("ending: calls that run are answered")
            finally:
                server.close(drain)


def _one(membership: Membership, access: AccessOptions, tls: Any, shared: Any) -> Server:
    from rvh.rpc import Server

    return Server(
        membership, tls=tls, tokens=access.token_file, plaintext=access.plaintext, **shared
    )


def _several(
    membership: Membership, count: int, access: AccessOptions, tls: Any, shared: Any
) -> Processes:
    from rvh.rpc.processes import Processes
    from rvh.rpc.tls import Certificates
    from rvh.rpc.tokens import Tokens
    from rvh.rpc.worker import Settings

    # Here, so that the error about a file is this command's own.
    if access.token_file is not None:
        Tokens(access.token_file)
    if tls is not None:
        Certificates(tls, lambda expires, has_failed: None)
    paths = None
    if tls is not None:
        client_ca = None if tls.client_ca is None else str(Path(tls.client_ca).absolute())
        paths = (
            str(Path(tls.certificate).absolute()),
            str(Path(tls.key).absolute()),
            client_ca,
        )
    tokens = None if access.token_file is None else str(access.token_file.absolute())
    nodes = membership.nodes
    settings = Settings(
        scheme=nodes.scheme,
        secret=nodes.secret,
        tls=paths,
        tokens=tokens,
        access_log=None,
        **shared,
    )
    return Processes(membership, count, settings)


@contextmanager
def _ending() -> Iterator[threading.Event]:
    """An event that SIGTERM and Ctrl-C set; the second of them does what it does by default."""
    ending = threading.Event()

    def end(number: int, frame: object) -> None:
        for each in before:
            signal.signal(each, signal.SIG_DFL)
        ending.set()

    before = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)}
    for each in before:
        signal.signal(each, end)
    try:
        yield ending
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


class _Said(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        say(record.getMessage())


@contextmanager
def _logged() -> Iterator[None]:
    """Say what the server has to say of itself."""
    log = logging.getLogger("rvh.rpc")
    handler, level = _Said(), log.level
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.setLevel(level)


def _cores() -> int:
    from rvh._batch.threads import available_threads

    return available_threads()
