"""A file of nodes, read again whenever it changes.

The file is looked at every quarter of a second rather than watched: that also sees a file that is
replaced, a link that is turned (as Kubernetes does with a ConfigMap) and a network's file system,
and a look costs some microseconds.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import unquote

from rvh._arguments.numbers import positive_seconds
from rvh._runtime.replacing import replacing
from rvh._runtime.versions import Version, version_of
from rvh.errors import RVHError, show
from rvh.membership.documents import FORMATS, MAX_BYTES, format_of, numbered, read_document
from rvh.membership.sources.protocol import SAME, Refused, State, Update

__all__ = ["FileSource", "from_url"]

#: clocks of file systems may be this coarse, in seconds: what was changed so recently may have
#: been changed again within the same tick
COARSE = 2.0


class FileSource:
    """The nodes in a file of JSON, TOML, YAML, CSV or TSV.

    Replace the file atomically (write another, then rename it): of a file that is written in place
    a part may be read, which is refused, and read again when it changes.

    Parameters
    ----------
    path : path-like
    format_name : str, optional
        ``json``, ``toml``, ``yaml``, ``csv`` or ``tsv``; by default the extension tells it.
    interval : float
        The seconds between two looks.

    Raises
    ------
    RVHError
        A format that is not known.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from rvh.membership import Membership
    >>> from rvh.membership.sources.file import FileSource
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "nodes.json")
    ...     _ = path.write_text('["a", "b", "c"]')
    ...     with Membership(FileSource(path)) as membership:
    ...         membership.nodes.select("user:1")
    ['c']
    """

    def __init__(
        self, path: str | os.PathLike[str], format_name: str | None = None, interval: float = 0.25
    ) -> None:
        self.shown = str(path)
        self.path = Path(path).absolute()  # the program may change its folder
        found = format_of(self.path.name) if format_name is None else format_name
        if found not in FORMATS:
            what = f"the format {show(found)} is not known" if found else "its name tells no format"
            raise RVHError(
                f"{self.shown}: {what}: name it .json, .toml, .yaml, .csv or .tsv, or "
                "in Python pass FileSource(path, format_name=...)"
            )
        self.format = found
        self.interval = positive_seconds(interval, "interval")

    @property
    def name(self) -> str:
        """``file:`` and the path as it was given."""
        return f"file:{self.shown}"

    async def watch(self) -> AsyncIterator[Update]:
        """Tell the nodes of the file, and again when it changes."""
        before: tuple[Version | None, Version | None, bytes | None] | None = None
        while True:
            files = (self.path, accepted_path(self.path))
            looks = tuple(map(version_of, files))
            if before is None or looks != before[:2] or _may_be_changing(looks):
                data, accepted = map(_read, files)
                if data is None:
                    raise FileNotFoundError(f"{self.shown}: No such file or directory")
                content = data + b"\0" + (accepted or b"")
                if before is None or content != before[2]:
                    yield self._state(data, accepted)
                else:
                    yield SAME
                before = (looks[0], looks[1], content)
            else:
                yield SAME
            await asyncio.sleep(self.interval)

    def _state(self, data: bytes, accepted: bytes | None) -> Update:
        try:
            nodes, epoch = read_document(self.shown, data, self.format)
        except RVHError as error:
            return Refused(error)
        return State(
            nodes, epoch, None if accepted is None else accepted.decode("ascii", "replace").strip()
        )

    async def accept(self, digest: str) -> None:
        """Let every membership of this file take the state of that digest."""
        with replacing(accepted_path(self.path)) as file:
            file.write(digest.encode() + b"\n")

    async def publish(self, data: bytes, above: int = 0) -> int:
        """Replace the file as a whole.

        Parameters
        ----------
        data : bytes
            A document in JSON. One without an epoch gets the next number.
        above : int
            An epoch that the next number is above in any case.

        Returns
        -------
        int
            The epoch that it was written with.

        Raises
        ------
        RVHError
            It is not a document, its epoch is not above that of the file; an existing file holds
            something else, which is not overwritten.
        """
        if self.format != "json":
            raise RVHError(f"{self.shown}: a publisher writes JSON: name the file .json")
        last = 0
        if present := _read(self.path):
            try:
                last = read_document(self.shown, present).epoch or 0
            except RVHError as error:
                raise RVHError(f"{error}; so it is not overwritten: move it away") from None
        data, epoch = numbered(self.shown, max(last, above), data)
        with replacing(self.path) as file:
            file.write(data + b"\n" * (not data.endswith(b"\n")))
        return epoch


def from_url(url: str) -> FileSource:
    """Make the source of ``file:PATH``, ``file:///PATH`` or a path."""
    if not url.startswith("file:"):
        return FileSource(url)
    rest = url.removeprefix("file:")
    if rest.startswith("//"):
        host, _, path = rest[2:].partition("/")
        if host not in ("", "localhost"):
            raise RVHError(
                f"{url} is on the host {show(host)}: a file is on this one, file:///PATH"
            )
        return FileSource(unquote("/" + path))
    return FileSource(rest)


def accepted_path(path: Path) -> Path:
    """Where the digest of a state that was accepted is kept, beside the file."""
    return path.with_name(path.name + ".accepted")


def _may_be_changing(looks: tuple[Version | None, ...]) -> bool:
    now = time.time()
    return any(look is not None and abs(now - look[3] / 1e9) < COARSE for look in looks)


def _read(path: Path) -> bytes | None:
    try:
        if path.is_fifo() or path.is_char_device():  # they make the reader wait, or never end
            raise RVHError(f"{path} is not a regular file, which can be read again")
        with open(path, "rb") as file:
            return file.read(MAX_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
