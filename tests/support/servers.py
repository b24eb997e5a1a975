"""Servers that tests start: a free port, a process that is stopped in any case, and waiting."""

from __future__ import annotations

import contextlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

__all__ = ["Server", "free_port", "needed", "sockets", "until"]


def until(condition: Callable[[], object], seconds: float = 20.0, what: str = "") -> None:
    """Wait until a condition holds; fail if it does not in time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            pytest.fail(f"not within {seconds} s: {what or condition}")
        time.sleep(0.01)


def _ports() -> Iterator[int]:
    """Ports in random order, none that the system gives to connections."""
    try:
        low, high = map(int, Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
    except OSError:
        low, high = 49152, 65535  # RFC 6335
    ports = [port for port in range(10_000, 65_536) if not low <= port <= high]
    random.SystemRandom().shuffle(ports)  # another seed for each worker, whatever tests seed
    return iter(ports)


PORTS = _ports()


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nothing listens on; no port is given twice.

    ``bind`` to port 0 would not do: a connection of another test may take its port before the
    server does, and of 31 ports two were the same in 3 of 100 runs.
    """
    for port in PORTS:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("every port is taken, or was given before")


def needed(*programs: str) -> str:
    """The path of the first of these programs that is installed; skips the test where none is."""
    for program in programs:
        if found := shutil.which(program) or shutil.which(
            program, path=f"{Path(sys.executable).parent}:/usr/sbin:/usr/local/sbin"
        ):
            return found
    pytest.skip(f"{programs[0]} is not installed")


class Server:
    """A process that serves, and can be killed, stopped (SIGSTOP) and started again.

    Parameters
    ----------
    command : sequence of str
    is_ready : callable
        Tells whether it answers; exceptions are a no.
    folder : Path
        Its working folder, which keeps its log.
    """

    def __init__(
        self, command: Sequence[str], is_ready: Callable[[], object], folder: Path
    ) -> None:
        self.command, self.is_ready, self.folder = [*command], is_ready, folder
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                self.command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

        def answers() -> bool:
            assert self.process is not None
            if self.process.poll() is not None:
                pytest.fail(f"{self.command[0]} has ended: {(self.folder / 'log').read_text()}")
            with contextlib.suppress(Exception):
                return bool(self.is_ready())
            return False

        until(answers, 30, f"{self.command[0]} answers")

    def kill(self) -> None:
        """Kill it, as a crash would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def pause(self) -> None:
        """Stop the process while its connections stay: a silent partition."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    def restart(self) -> None:
        """Kill it and start it again."""
        self.kill()
        self.start()

    @contextlib.contextmanager
    def running(self) -> Iterator[Server]:
        """Start it for a block."""
        try:
            self.start()
            yield self
        finally:
            self.kill()


def sockets() -> int:
    """How many sockets this process has open."""
    count = 0
    for each in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            count += str(each.readlink()).startswith("socket:")
    return count
