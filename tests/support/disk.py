"""Every writer on a disk that is full at its first byte, on its way, or has no name left.

The disk is a tmpfs; where none can be mounted, files have a limit of their size instead.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from writers import WRITERS, Writer, child, content, outcome

__all__ = ["empty", "run"]

PAGE = os.sysconf("SC_PAGE_SIZE")
PAGES, INODES = 400, 100


def run(folder: Path, every: int = 1) -> str:
    """Run all writers on all such disks, or every so manieth pair; return what that was."""
    disk, other = folder / "disk", folder / "out"
    size = f"size={PAGES * PAGE},nr_inodes={INODES}"
    mount = ["mount", "-t", "tmpfs", "-o", size, "none", str(disk)]
    is_mounted = not subprocess.run(mount, capture_output=True, check=False).returncode
    runs = 0
    try:
        for row, (name, writer) in enumerate(WRITERS.items()):
            made = whole(writer, other)
            disks = full_disks(writer, disk, made) if is_mounted else limits(writer, other, made)
            for n, (full, fill) in enumerate(disks):
                if (row + n) % every:
                    continue
                try:
                    check(writer, fill())
                except AssertionError as error:
                    print(f"{name}, {full}: {error}")
                runs += 1
    finally:
        if is_mounted:
            subprocess.run(["umount", disk], check=True)
    kind = "full disks" if is_mounted else "limits of the size of files (no disk can be mounted)"
    return f"{len(WRITERS)} writers, {runs} runs under {kind}"


class Done(NamedTuple):
    """A run: its status, what it said, and what was there before and after it."""

    status: int
    said: str
    before: dict[str, bytes | None]
    found: dict[str, bytes | None]


def whole(writer: Writer, folder: Path) -> dict[str, bytes]:
    """The files that a run writes where there is room."""
    empty(folder)
    writer.begin(folder)
    before = content(folder)
    done = outcome(*child(lambda: writer.run(folder)))
    assert done[0] == 0, done
    return {
        name: data for name, data in content(folder).items() if data and data != before.get(name)
    }


def empty(folder: Path) -> None:
    for path in folder.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def full_disks(
    writer: Writer, disk: Path, made: dict[str, bytes]
) -> Iterator[tuple[str, Callable[[], Done]]]:
    """The disks, and a call that runs the writer on each."""

    def on(fill: Callable[[], None]) -> Done:
        empty(disk)
        writer.begin(disk)
        before = content(disk)
        fill()
        done = outcome(*child(lambda: writer.run(disk)))
        for filler in disk.glob("filler*"):
            filler.unlink()
        return Done(*done, before, content(disk))

    def pages(left: int) -> None:
        free = os.statvfs(disk).f_bavail
        (disk / "filler").write_bytes(b"f" * PAGE * (free - left))

    def inodes() -> None:
        for n in range(os.statvfs(disk).f_ffree):
            (disk / f"filler{n}").touch()

    yield "no file more", lambda: on(inodes)
    needed = sum(-(-len(data) // PAGE) for data in made.values())
    # With one page less than all, the last of several files may still find that of an old one.
    for left in sorted({0, needed // 2, max(0, needed - 1 - len(made))}):
        yield f"{left} of {needed} pages left", lambda left=left: on(lambda: pages(left))


def limits(
    writer: Writer, folder: Path, made: dict[str, bytes]
) -> Iterator[tuple[str, Callable[[], Done]]]:
    """Limits of the size of a file, and a call that runs the writer under each."""

    def under(limit: int) -> Done:
        empty(folder)
        writer.begin(folder)
        before = content(folder)

        def run() -> object:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
            return writer.run(folder)

        return Done(*outcome(*child(run)), before, content(folder))

    largest = max(map(len, made.values()))
    for limit in (0, largest // 2, largest - 1):
        yield f"files of {limit} bytes", lambda limit=limit: under(limit)


def check(writer: Writer, done: Done) -> None:
    """A run that has failed: its status, its one line, and all as it was."""
    assert done.status == 1, (done.status, done.said)
    assert done.said.startswith("rvh: "), done.said
    assert done.said.count("\n") == 1, done.said
    assert any(name in done.said for name in writer.names), done.said
    full = ("No space left on device", "File too large")
    assert any(each in done.said for each in full), done.said
    assert done.found == done.before, (sorted(done.found), done.said)
