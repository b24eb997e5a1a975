"""The options of what a service tells of itself: the pages of a second port, and the access log."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rvh.cli.exits import say

if TYPE_CHECKING:
    from rvh.membership import Membership
    from rvh.rpc.access import AccessLog
    from rvh.rpc.metrics import Report


@dataclass(frozen=True, kw_only=True)
class PagesOptions:
    """What is told of the service, and where."""

    http_port: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=65535,
            metavar="N",
            help="The port of /metrics, /healthz and /livez; 0 takes any free port. [default: "
            "none]",
        ),
    ] = None
    http_host: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="With --http-port: the address to listen on. [default: 127.0.0.1]",
        ),
    ] = None
    max_age: Annotated[
        float | None,
        typer.Option(
            min=0.001,
            metavar="SECONDS",
            help="With --http-port: report not ready if the source last confirmed the nodes longer "
            "ago than this.",
        ),
    ] = None
    access_log: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="Write one JSON object a line for every call; - is stderr."
        ),
    ] = None

    def __post_init__(self) -> None:
        if self.http_port is None:
            for option, given in (("--max-age", self.max_age), ("--http-host", self.http_host)):
                if given is not None:
                    raise typer.BadParameter("it needs --http-port", param_hint=option)

    @property
    def path(self) -> str | None:
        """The access log as other processes find it."""
        if self.access_log is None or self.access_log == "-":
            return self.access_log
        return str(Path(self.access_log).absolute())

    @contextmanager
    def log(self) -> Iterator[AccessLog | None]:
        """Open the access log, where one is wanted, for as long as the block runs."""
        if self.access_log is None:
            yield None
            return
        from rvh.rpc.access import AccessLog

        opened = AccessLog(self.access_log)
        try:
            yield opened
        finally:
            opened.close()

    @contextmanager
    def pages(
        self,
        membership: Membership,
        report: Callable[[], Report],
        is_draining: Callable[[], bool],
    ) -> Iterator[None]:
        """Serve the pages, where they are wanted, for as long as the block runs."""
        if self.http_port is None:
            yield
            return
        from rvh.observe import unwatch, watch
        from rvh.rpc.pages import Pages
        from rvh.rpc.ports import address

        host = self.http_host or "127.0.0.1"
        watch(membership)
        try:
            with Pages(
                report,
                lambda: membership.snapshot,
                is_draining,
                source=membership.name,
                host=host,
                port=self.http_port,
                max_age=self.max_age,
            ) as served:
                say(f"metrics and health on {address(host, served.port)}")
                yield
        finally:
            unwatch(membership)
