"""``rvh serve``: the nodes of a source as a service."""

from __future__ import annotations

import os
import queue
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rvh.cli.exits import leave, say
from rvh.cli.listing import SourceName, facts
from rvh.cli.pages import PagesOptions
from rvh.cli.serving import AccessOptions, LimitOptions
from rvh.cli.weighing import GuardOptions, NodeSetOptions, Timeout, refuse_no_source

if TYPE_CHECKING:
    from rvh.membership import Membership
    from rvh.rpc.processes import Processes
    from rvh.rpc.server import Server

#: the port where none is given
PORT = 8470


def serve(
    source: SourceName,
    *,
    host: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS", help="The address to listen on; 0.0.0.0 or :: is every address."
        ),
    ] = "127.0.0.1",
    port: Annotated[
        int,
        typer.Option(
            min=0, max=65535, metavar="N", help="The port to listen on; 0 takes any free port."
        ),
    ] = PORT,
    processes: Annotated[
        int,
        typer.Option(min=1, metavar="N", help="How many processes answer; best one for each core."),
    ] = 1,
    threads: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="How many threads work on a large batch. [default: the cores divided by the "
            "processes]",
        ),
    ] = None,
    drain: Annotated[
        float,
        typer.Option(min=0, metavar="SECONDS", help="How long calls may finish after SIGTERM."),
    ] = 10.0,
    access: AccessOptions,
    limiting: LimitOptions,
    node_set: NodeSetOptions,
    guards: GuardOptions,
    pages: PagesOptions,
    timeout: Timeout = 10.0,
) -> None:
    """Answer over gRPC which nodes keys belong to.

    \b
    Examples:
      rvh serve nodes.json
      rvh serve etcd://etcd.example:2379/cache/ --processes 4 --scheme murmur
      rvh serve k8s://default/cache --host :: --tls-cert tls.crt --tls-key tls.key

    SIGTERM or Ctrl-C stops it in order: it reports that it is not serving, takes no more calls, and
    answers those that run. A second signal stops it immediately.
    """
    refuse_no_source(source, "SOURCE")
    # A handshake that fails is a client's mistake, which gRPC would print on stderr.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    tls = access.tls()
    options = {**node_set.node_set(), **guards.keywords()}

    from rvh._batch.threads import available_threads
    from rvh._tables.signals import stopped_by_signals
    from rvh.cli.following import changes_said, following, logged
    from rvh.membership import open_source
    from rvh.rpc.ports import address, refuse_plaintext

    refuse_plaintext(host, port, tls is not None, access.plaintext)
    origin = open_source(source)
    if processes > 1 and threads is None:
        threads = max(1, available_threads() // processes)
    shared = {"host": host, "port": port, "limits": limiting.limits(), "threads": threads}
    with (
        stopped_by_signals(),  # also while the source is waited for, as process 1 of a container
        logged("rvh.rpc"),
        pages.log() as log,
        following(origin, timeout=timeout, **options) as membership,
    ):
        server: Server | Processes = (
            _one(membership, access, tls, {**shared, "access_log": log})
            if processes == 1
            else _several(
                membership,
                processes,
                access,
                tls,
                {**shared, "access_log": pages.path, "drain": drain},
            )
        )
        with (
            _ending(server) as ending,
            pages.pages(membership, server.report, lambda: server.is_draining),
            changes_said(membership),
        ):
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
                ending.get()
                say("stopping: running calls are answered")
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
    from rvh.rpc.pipes import Settings
    from rvh.rpc.processes import Processes
    from rvh.rpc.tls import Certificates
    from rvh.rpc.tokens import Tokens

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
        **shared,
    )
    return Processes(membership, count, settings)


@contextmanager
def _ending(server: Server | Processes) -> Iterator[queue.SimpleQueue[int]]:
    """What the first SIGTERM or Ctrl-C is put into; the second ends everything at once.

    A thread hears them. The system may give a signal to any thread, and then nothing wakes the main
    thread, where Python calls its handlers, from the lock that it waits for.
    """
    ending: queue.SimpleQueue[int] = queue.SimpleQueue()
    here, there = socket.socketpair()
    there.setblocking(False)
    numbers = (signal.SIGTERM, signal.SIGINT)

    def hear() -> None:
        has_begun = False
        while told := here.recv(1):
            number = told[0]
            if has_begun and number in numbers:
                if kill := getattr(server, "kill", None):
                    kill()
                leave(128 + number)
            has_begun = has_begun or number in numbers
            ending.put(number)  # it wakes the main thread for the handlers of other signals too

    hearing = threading.Thread(target=hear, name="rvh-signals", daemon=True)
    hearing.start()
    before_fd = signal.set_wakeup_fd(there.fileno())
    before = {each: signal.signal(each, lambda number, frame: None) for each in numbers}
    try:
        yield ending
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
        signal.set_wakeup_fd(before_fd)
        there.close()
        hearing.join()
        here.close()
