"""A worker of `rvh serve --processes`: ``python -m rvh.rpc.worker``, told everything by its stdin.

It follows the nodes of its parent as a client in local mode follows a server. When stdin ends, so
does the worker, in order: its parent drains, or is dead.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import IO, Any

import msgspec

from rvh.errors import RVHError
from rvh.membership import Membership
from rvh.membership.sources.protocol import Update
from rvh.rpc.access import AccessLog
from rvh.rpc.messages import message
from rvh.rpc.mirroring import Mirror
from rvh.rpc.pipes import GRACE, Settings, receive, send
from rvh.rpc.server import Server
from rvh.rpc.tls import ServerTls

#: seconds between two reports
EVERY = 1.0


class _FromParent:
    """The source of a worker: what its parent tells."""

    name = "the parent process"
    silence = 1e9  # the parent tells when its own source is heard

    def __init__(self, pipe: IO[bytes], scheme: str, grace: float) -> None:
        self._pipe = pipe
        self._mirror = Mirror(scheme)
        self.ended = threading.Event()
        self.grace = grace

    async def watch(self) -> AsyncIterator[Update]:
        """Tell the nodes of the parent."""
        loop = asyncio.get_running_loop()
        words: asyncio.Queue[bytes] = asyncio.Queue()
        # One word waits, and the parent merges what has changed since.
        taken = threading.Semaphore(0)

        def listen() -> None:
            while (content := receive(self._pipe)) is not None:
                if content.startswith(GRACE):
                    self.grace = float(content.removeprefix(GRACE))
                    break
                if loop.is_closed():
                    return
                loop.call_soon_threadsafe(words.put_nowait, content)
                taken.acquire()
            self.ended.set()

        threading.Thread(target=listen, name="rvh-parent", daemon=True).start()
        kind = message("rvh.v1.WatchNodesResponse")
        try:
            while True:
                content = await words.get()
                taken.release()
                yield self._mirror.hear(kind.FromString(content))
        finally:
            taken.release()


class _Server(Server):
    _shares_port = True


def main() -> None:
    """Serve until stdin ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    content = receive(sys.stdin.buffer)
    if content is None:
        raise SystemExit("rvh.rpc.worker: a part of `rvh serve`, which starts it")
    settings = msgspec.msgpack.decode(content, type=Settings)
    source = _FromParent(sys.stdin.buffer, settings.scheme, settings.drain)
    logging.basicConfig(format=f"rvh: worker {os.getpid()}: %(message)s", level=logging.ERROR)
    log = AccessLog(settings.access_log) if settings.access_log else None
    options: dict[str, Any] = {"scheme": settings.scheme, "secret": settings.secret}
    with Membership(source, timeout=60.0, **options) as membership:
        server = _Server(
            membership,
            host=settings.host,
            port=settings.port,
            limits=settings.limits,
            threads=settings.threads,
            tls=None if settings.tls is None else ServerTls(*settings.tls),
            tokens=settings.tokens,
            plaintext=True,  # the parent has looked
            access_log=log,
        )
        server.start()
        # What there was to say of the files so far, the parent has said.
        logging.getLogger().setLevel(logging.WARNING)
        logging.getLogger("rvh.rpc").setLevel(logging.INFO)
        report(server)
        while not source.ended.wait(EVERY):
            report(server)
        draining = threading.Thread(target=server.close, args=(source.grace,))
        draining.start()
        while draining.is_alive():
            report(server)
            draining.join(EVERY)
        report(server)
    if log is not None:
        log.close()


def report(server: Server) -> None:
    """Tell the parent what was counted, if it is still there."""
    with suppress(BrokenPipeError):
        send(sys.stdout.buffer, server.report().to_bytes())


if __name__ == "__main__":
    try:
        main()
    except RVHError as error:
        raise SystemExit(f"rvh: a worker: {error}") from None
