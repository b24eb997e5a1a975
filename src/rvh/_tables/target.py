"""An output that is there complete or not at all."""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO, NamedTuple

from rvh._tables.descriptors import (
    descriptor,
    duplicate,
    is_stream,
    named_in_errors,
    process_and_number,
)
from rvh._tables.encoders import Encoder
from rvh._tables.signals import signals_held, stopped_by_signals
from rvh._tables.unfinished import unfinished
from rvh._tables.waiting import opened
from rvh.errors import RVHError


class Sink:
    """Bytes on their way out; pyarrow's closing of it does not close the file below."""

    closed = False

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._file = file
        self._name = name
        self._abandoned = False

    def abandon(self) -> None:
        """Drop all that still comes: after a failure, nothing may end the file properly.

        pyarrow's writers write such an end when they are closed, if by nobody then by themselves.
        """
        self._abandoned = True

    def write(self, data: Any) -> int:
        rest = memoryview(data).cast("B")
        size = len(rest)
        if self._abandoned:
            return size
        with named_in_errors(self._name):
            while rest:  # an unbuffered stdout (PYTHONUNBUFFERED) may take a part at a time
                rest = rest[self._file.write(rest) :]
        return size

    def flush(self) -> None:
        if not self._abandoned:
            with named_in_errors(self._name):
                self._file.flush()

    def close(self) -> None:
        self.flush()

    def writable(self) -> bool:
        return True

    def readable(self) -> bool:
        return False

    def seekable(self) -> bool:
        return False


class Output(NamedTuple):
    """An output to open.

    Parameters
    ----------
    path : str
    compression : str, optional
        A value of `rvh._tables.COMPRESSIONS`.
    advice : str
        The end of an error where no new file can take the place of `path`.
    level : int, optional
        Of the compression.
    """

    path: str
    compression: str | None = None
    advice: str = ""
    level: int | None = None


@contextlib.contextmanager
def target(
    path: str, compression: str | None = None, advice: str = "", level: int | None = None
) -> Iterator[Any]:
    """Open an output that is there complete or not at all: `targets` for one."""
    with targets([Output(path, compression, advice, level)]) as (sink,):
        yield sink


@contextlib.contextmanager
def targets(outputs: Sequence[Output]) -> Iterator[list[Any]]:
    """Open outputs that are all there complete or none of them.

    The bytes go to new files beside the paths, which take their names when the block ends well and
    are deleted when it does not: an error, Ctrl-C, SIGTERM. What `is_stream` names is written
    directly, and after a failure without the end of its format.
    """
    moves: list[tuple[str, str]] = []
    # Where whoever reads a stream may keep the run waiting, a second signal ends it.
    with stopped_by_signals(once_more=any(is_stream(each.path) for each in outputs)):
        try:
            with contextlib.ExitStack() as stack:
                yield [stack.enter_context(_opened(each, moves)) for each in outputs]
            with signals_held():
                for part, place in moves:
                    os.replace(part, place)
        except BaseException:
            for part, _ in moves:
                with contextlib.suppress(OSError):
                    os.unlink(part)
            raise


@contextlib.contextmanager
def _opened(output: Output, moves: list[tuple[str, str]]) -> Iterator[Any]:
    """The sink of one output; of a file, what has to be renamed at the end is added to `moves`."""
    path, compression, advice, level = output
    if is_stream(path):
        with _stream(path) as (file, name), _open_sink(file, name, compression, level) as sink:
            yield sink
        return
    if not path:
        raise RVHError("the name of an output is empty: name a file, or - for stdout")
    try:
        os.stat(path)
    except FileNotFoundError:
        pass
    except OSError as error:  # too long, links in a circle: later the rows would be lost
        raise RVHError(f"{path} cannot be written: {error.strerror}") from None
    place = os.path.realpath(path)  # a symbolic link stays one
    if os.path.isdir(place):
        raise RVHError(f"{path} is a directory: name a file in it")
    if (other := process_and_number(path)) and os.path.exists(path):
        raise RVHError(
            f"{path} is a file that another process has open: let it pass its descriptor on "
            f"(-o - >&{other[1]})"
        )
    exists = os.path.exists(place)
    if exists:
        _refuse_irreplaceable(place, path, advice)
    part = unfinished(os.path.dirname(place))
    moves.append((part, place))  # before the file exists: a signal may come at any moment
    file = _create(part, path, advice if exists else "")
    try:
        if exists:
            _copy_attributes(place, part)
        with _open_sink(file, path, compression, level) as sink:
            yield sink
        with named_in_errors(path):
            file.close()
    finally:
        with contextlib.suppress(OSError):  # it has failed already
            file.close()


@contextlib.contextmanager
def _stream(path: str) -> Iterator[tuple[BinaryIO, str]]:
    """The file to write directly, and its name in errors."""
    if path == "-":
        if sys.stdout is None:
            raise RVHError("stdout is closed, so - cannot be written")
        yield sys.stdout.buffer, "stdout"
        with named_in_errors("stdout"):
            sys.stdout.buffer.flush()
        return
    number = descriptor(path)
    if number is None:
        file: BinaryIO = open(path, "wb")  # noqa: SIM115  (closed below)
    else:
        file = opened(duplicate(number, path, os.O_RDONLY), "wb")
    try:
        yield file, path
        with named_in_errors(path):
            file.flush()
    finally:
        with contextlib.suppress(OSError):  # what it could not write is known by now
            file.close()


def _refuse_irreplaceable(place: str, path: str, advice: str) -> None:
    """Refuse an existing file that may not be written, or that no other can take the place of."""
    if not os.access(place, os.W_OK):
        raise RVHError(f"{path} cannot be written: permission denied")
    folder = os.path.dirname(place)
    mounted = _mount(place)
    if mounted is not None and mounted != _mount(folder):
        raise RVHError(
            f"{path} is mounted by itself, so that no new file can take its place: {advice}"
        )
    try:
        # This always fails, but a missing right is reported before the fact that a file is no
        # directory: in a folder of others (/tmp), for example.
        os.rmdir(place)
    except NotADirectoryError:
        return
    except OSError as error:
        raise RVHError(
            f"no new file can take the place of {path} ({error.strerror}): {advice}"
        ) from None


def _mount(path: str) -> str | None:
    """The number of the mount that `path` is in, where the system tells (Linux)."""
    try:
        number = os.open(path, os.O_PATH)
    except (AttributeError, OSError):
        return None
    try:
        with open(f"/proc/self/fdinfo/{number}", encoding="utf-8") as about:
            return next((line for line in about if line.startswith("mnt_id:")), None)
    except OSError:
        return None
    finally:
        os.close(number)


def _copy_attributes(place: str, part: str) -> None:
    """Give a new file the owner, the mode, the access list and the attributes of the old one.

    Only root may give the owner; others keep the group, where it is one of their own.
    """
    about = os.stat(place)
    if hasattr(os, "chown"):
        for owner in (about.st_uid, -1):
            with contextlib.suppress(OSError):
                os.chown(part, owner, about.st_gid)
                break
    os.chmod(part, stat.S_IMODE(about.st_mode))  # after the owner, whose change takes bits away
    if hasattr(os, "listxattr"):
        with contextlib.suppress(OSError):  # a file system without them
            for name in os.listxattr(place):
                with contextlib.suppress(OSError):  # those that only the system sets
                    os.setxattr(part, name, os.getxattr(place, name))


def _create(part: str, path: str, advice: str) -> BinaryIO:
    try:
        return open(part, "xb")
    except OSError as error:
        more = f"; {advice}" if advice else ""
        raise RVHError(f"{path} cannot be written: {error.strerror}{more}") from None


@contextlib.contextmanager
def _open_sink(
    file: BinaryIO, name: str, compression: str | None, level: int | None
) -> Iterator[Any]:
    """The sink, compressing if need be; after a failure it writes nothing that ends a file."""
    sink = Sink(file, name)
    stream: Any = sink
    try:
        if compression is not None:
            stream = Encoder(sink, compression, level)
        yield stream
        if compression is not None:
            stream.close()
    except BaseException as error:
        if compression is not None and not isinstance(error, BrokenPipeError):
            # Keep the rows so far; without an end to them, every decompressor complains.
            with contextlib.suppress(OSError):
                stream.flush()
        sink.abandon()
        raise
