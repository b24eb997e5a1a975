"""`rvh serve` as a process: what it says on stderr, its port, its children, and its end."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec
import pytest
from commandline import command
from servers import until

__all__ = ["Serve", "run_serve", "serve", "write_nodes"]


def write_nodes(path: Path, nodes: Sequence[str]) -> None:
    """Replace the file of nodes, whole."""
    new = path.with_suffix(".new")
    new.write_bytes(msgspec.json.encode({"nodes": [{"id": node} for node in nodes]}))
    new.replace(path)


class Serve:
    """A server that runs: `process`, its `port`, and the lines that it `said`."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self.process, self._log = process, log
        self.port = 0

    def text(self) -> str:
        return self._log.read_text()

    def said(self) -> list[str]:
        return self.text().splitlines()

    def ready(self) -> None:
        """Wait until it says that it serves."""

        def serves() -> bool:
            if self.process.poll() is not None:
                pytest.fail(f"rvh serve has ended: {self.text()}")
            found = re.search(r"^rvh: serving .* on \S+:(\d+) \(", self.text(), re.MULTILINE)
            self.port = int(found[1]) if found else 0
            return found is not None

        until(serves, 60, "rvh serve answers")

    def says(self, text: str) -> None:
        """Wait until it says this."""
        until(lambda: text in self.text(), what=f"{text!r} in {self.text()!r}")

    def ends(self) -> int:
        """Wait for its end; return its exit status."""
        return self.process.wait(30)

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and wait for its end."""
        self.process.send_signal(number)
        return self.ends()

    def workers(self) -> list[int]:
        """The process ids of its children."""
        found = []
        for task in Path(f"/proc/{self.process.pid}/task").iterdir():
            with suppress(OSError):
                found += [int(each) for each in (task / "children").read_text().split()]
        return found


@contextmanager
def serve(folder: Path, *args: object, source: str = "nodes.json") -> Iterator[Serve]:
    """Run `rvh serve` over a file of `folder`; it never prints a traceback."""
    log = folder / f"log-{len([*folder.glob('log-*')])}"
    port = () if "--port" in args else ("--port", 0)
    line = command("serve", source, *port, *args)
    with log.open("wb") as file:
        process = subprocess.Popen(
            line, cwd=folder, stdin=subprocess.DEVNULL, stdout=file, stderr=file
        )
    server = Serve(process, log)
    workers: list[int] = []
    try:
        server.ready()
        workers = server.workers()
        yield server
    finally:
        if process.poll() is None:
            workers += server.workers()
            process.kill()
        process.wait()
        for worker in workers:
            with suppress(ProcessLookupError):
                os.kill(worker, signal.SIGKILL)
    assert "Traceback" not in server.text()


def run_serve(folder: Path, *args: object, source: str = "nodes.json") -> tuple[int, str]:
    """Run `rvh serve` that does not start: its exit status, and what it said."""
    done = subprocess.run(
        command("serve", source, *args),
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    return done.returncode, done.stderr
