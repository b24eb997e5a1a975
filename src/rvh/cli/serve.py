"""``rvh serve``: the nodes of a source as a service."""

from __future__ import annotations

from typing import Annotated

import typer

from rvh.cli.exits import say
from rvh.cli.listing import SourceName, facts
from rvh.cli.weighing import GuardOptions, NodeSetOptions, Timeout, refuse_no_source

#: the port where none is given
PORT = 8470


def serve(
    source: SourceName,
    *,
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="The address to listen on.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, metavar="N", help="The port; 0 for any that is free.")
    ] = PORT,
    node_set: NodeSetOptions,
    guards: GuardOptions,
    timeout: Timeout = 10.0,
) -> None:
    """Answer by gRPC which nodes keys belong to, for programs in any language.

    SIGTERM ends it in order: no new calls, and those that run are answered.

    \b
    Examples:
      rvh serve nodes.json
      rvh serve etcd://etcd.example:2379/cache/ --port 9000
    """
    refuse_no_source(source, "SOURCE")
    options = {**node_set.node_set(), **guards.keywords()}

    from rvh._tables.signals import stopped_by_signals
    from rvh.cli.following import following
    from rvh.membership import open_source
    from rvh.rpc import Server

    origin = open_source(source)
    with following(origin, timeout=timeout, **options) as membership:
        server = Server(membership, host=host, port=port)
        snapshot = membership.snapshot
        server.start()
        say(f"serving {membership.name} on {host}:{server.port}: {facts(snapshot, snapshot.epoch)}")
        try:
            with stopped_by_signals(once_more=True):
                server.wait()
        finally:
            server.close()
