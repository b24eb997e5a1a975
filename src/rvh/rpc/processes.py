"""Several processes behind one port: a parent that follows the nodes, and workers that answer.

The workers share the port by SO_REUSEPORT, so the kernel gives each new connection to one of them.
The parent holds the port before them, and while one is started anew.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
from contextlib import suppress
from types import TracebackType

import msgspec

from rvh.errors import RVHError, show
from rvh.membership import Membership, Snapshot
from rvh.rpc.metrics import Report, Reports
from rvh.rpc.mirroring import tell, tell_age
from rvh.rpc.pipes import GRACE, Settings, receive, send
from rvh.rpc.ports import reserve

__all__ = ["Processes"]

log = logging.getLogger("rvh.rpc")

#: seconds between two words to a worker where nothing has changed
BEAT = 1.0
#: seconds before a worker is started again: at first, and at most
WAIT = (0.1, 10.0)
#: seconds in which a worker must be ready, and beyond its drain must have ended
READY, LATE = 60.0, 2.0


class Processes:
    """Serves the nodes of a membership by several processes.

    Parameters
    ----------
    membership : Membership
        It stays open when this is closed.
    count : int
        Workers.
    settings : Settings
        Port 0 for any that is free.

    Raises
    ------
    RVHError
        The port is taken, or a worker does not start.
    """

    def __init__(self, membership: Membership, count: int, settings: Settings) -> None:
        if not (sys.executable and os.access(sys.executable, os.X_OK)):
            raise RVHError(
                f"sys.executable is {show(sys.executable)}, and no Python to start processes with: "
                "use one process"
            )
        if not sys.platform.startswith("linux"):
            raise RVHError("several processes can share a port on Linux alone: use one process")
        self._membership = membership
        self._drain = 0.0
        self._held = reserve(settings.host, settings.port, share=True)
        self.port = self._held.port
        settings.port = self.port
        self._settings = msgspec.msgpack.encode(settings)
        self._reports = Reports()
        self._is_over = threading.Event()
        self._changed = threading.Condition()
        self._unsubscribe = membership.subscribe(lambda change: self._wake())
        self._ready = threading.Semaphore(0)
        self._failure: str | None = None
        self._count = count
        self._running: set[subprocess.Popen[bytes]] = set()
        self._keepers = [
            threading.Thread(target=self._keep, name=f"rvh-worker-{n}") for n in range(count)
        ]

    def start(self) -> None:
        """Start the workers, and wait until all of them answer."""
        for keeper in self._keepers:
            keeper.start()
        end = time.monotonic() + READY
        for _ in self._keepers:
            while not self._ready.acquire(timeout=0.1):
                if self._failure is not None or time.monotonic() > end:
                    self.close(0)
                    raise RVHError(self._failure or f"a worker is not ready within {READY:g} s")

    @property
    def is_draining(self) -> bool:
        """Whether it takes no more calls."""
        return self._is_over.is_set()

    def report(self) -> Report:
        """What the workers have counted together."""
        return self._reports.read()

    def close(self, grace: float = 10.0) -> None:
        """Let the workers drain, for so many seconds at most, and end."""
        self._drain = grace
        self._is_over.set()
        self._unsubscribe()
        self._wake()
        end = time.monotonic() + grace + LATE
        started = [keeper for keeper in self._keepers if keeper.ident is not None]
        for keeper in started:
            keeper.join(max(0.0, end - time.monotonic()))
        while any(keeper.is_alive() for keeper in started):  # a worker hangs, or is stopped
            self.kill()
            time.sleep(0.01)
        self._held.close()

    def kill(self) -> None:
        """End the workers at once; `close` goes before or after."""
        for process in tuple(self._running):
            process.kill()

    def __enter__(self) -> Processes:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close(0)

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _keep(self) -> None:
        """Run a worker, and another one whenever it has ended by itself."""
        wait, most = WAIT
        is_first = True
        while not self._is_over.is_set():
            started = time.monotonic()
            status = self._run(is_first)
            if self._is_over.is_set():
                return
            if is_first and self._failure is not None:
                return
            is_first = False
            log.warning("a worker has ended (%s): another one is started", _words_of(status))
            if time.monotonic() - started > 2 * most:
                wait = WAIT[0]
            self._is_over.wait(wait)
            wait = min(2 * wait, most)

    def _run(self, is_first: bool) -> int:
        """Run a worker to its end."""
        # -P: what lies in the working folder must not be taken for modules.
        command = [sys.executable, "-P", "-m", "rvh.rpc.worker"]
        # What is imported here is imported there; Ctrl-C is for this process, which drains all.
        path = os.pathsep.join(filter(None, sys.path))
        try:
            process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                env={**os.environ, "PYTHONPATH": path}, process_group=0,
            )  # fmt: skip
        except OSError as error:  # no memory or no process is left, which may pass
            log.warning("a worker cannot be started: %s", error.strerror)
            if is_first:
                self._failure = f"a worker cannot be started: {error.strerror}"
            return 127
        self._running.add(process)
        feeder = threading.Thread(target=self._feed, args=(process,), daemon=True)
        feeder.start()
        assert process.stdout is not None
        is_ready = False
        while (content := receive(process.stdout)) is not None:
            self._reports.take(process.pid, content)
            if is_first and not is_ready:
                self._ready.release()
            is_ready = True
        process.stdout.close()
        if is_first and not is_ready and not self._is_over.is_set():
            self._failure = "a worker has ended before it answered: what it said is above"
        status = process.wait()
        self._running.discard(process)
        self._reports.ended(process.pid, restarted=not self._is_over.is_set())
        self._wake()  # the feeder looks whether its worker is alive
        feeder.join()
        return status

    def _feed(self, process: subprocess.Popen[bytes]) -> None:
        """Tell a worker the nodes, and what changes. One that is slow gets the newest alone."""
        assert process.stdin is not None
        try:
            send(process.stdin, self._settings)
            told: Snapshot | None = None
            while not self._is_over.is_set() and process.poll() is None:
                now = self._membership.snapshot
                words = tell_age(now) if now is told else tell(now, told)
                # An age that grows confirms nothing.
                if now is not told or now.age < 2 * BEAT:
                    send(process.stdin, words.SerializeToString())
                told = now
                with self._changed:
                    if self._membership.snapshot is told and not self._is_over.is_set():
                        self._changed.wait(BEAT)
        except BrokenPipeError:
            pass
        except Exception:  # another worker, and another try
            log.exception("a worker cannot be told its nodes")
            process.kill()
        finally:
            with suppress(BrokenPipeError):
                send(process.stdin, GRACE + str(self._drain).encode())
            with suppress(BrokenPipeError):
                process.stdin.close()


def _words_of(status: int) -> str:
    return f"signal {-status}" if status < 0 else f"status {status}"
