"""Inputs and outputs as bytes: counted on the way in, all or nothing on the way out."""

from __future__ import annotations

import codecs
import contextlib
import io
import os
import secrets
import shutil
import signal
import stat
import sys
import tempfile
from collections.abc import Iterator
from itertools import chain
from pathlib import PurePath
from typing import Any, BinaryIO

import pyarrow as pa  # type: ignore[import-untyped]

from rvh._tables.content import HEAD_BYTES, MAGIC
from rvh._tables.descriptors import (
    STDOUT,
    descriptor,
    duplicate,
    is_stream,
    process_and_number,
)
from rvh.errors import RVHError

#: bytes read at once
PIECE_BYTES = 1 << 20
#: codecs of text that are no encodings of files, or whose result is not always text
NO_ENCODINGS = {"idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape", "utf-7"}


class Counted(io.RawIOBase):
    """A stream of bytes that knows how many were read, and in its errors its name."""

    def __init__(self, raw: BinaryIO, name: str) -> None:
        self._raw = raw
        self._name = name
        self.count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            # read1 gives what a pipe has, where read would wait for more.
            data = getattr(self._raw, "read1", self._raw.read)(len(buffer))
        except OSError as error:
            raise OSError(error.errno, error.strerror, self._name) from None
        buffer[: len(data)] = data
        self.count += len(data)
        return len(data)


class Pieces(io.RawIOBase):
    """Pieces of bytes, one after the other, as a stream."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._rest = memoryview(piece)
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size


def _headed(raw: Any) -> tuple[bytes, Pieces]:
    """The first bytes of a stream, and a stream that has them still."""
    head = b""
    while len(head) < HEAD_BYTES and (more := raw.read(HEAD_BYTES - len(head))):
        head += more
    return head, Pieces(chain([head], iter(lambda: raw.read(PIECE_BYTES), b"")))


def _decompressed(name: str, raw: Any, compression: str, head: bytes) -> Iterator[bytes]:
    """Decompressed pieces; an error says which end of the data is wrong."""
    if not head.startswith(MAGIC[compression]):
        raise RVHError(
            f"{name} is empty or not {compression}-compressed: drop {PurePath(name).suffix} from "
            "its name if it is plain"
        )
    stream = pa.CompressedInputStream(pa.PythonFile(raw, "r"), compression)
    while True:
        try:
            piece = stream.read(PIECE_BYTES)
        except OSError as error:
            if error.filename:  # of reading, not of what was read
                raise
            reason = str(error)
            if "runcated" in reason:
                what = f"its {compression} data ends too early: it is truncated"
            elif any(start in reason for start in NO_NEW_MEMBER):
                what = (
                    f"after its {compression} data there is something else, as padding: pipe it "
                    f"through {COMPRESS[compression]} -dc"
                )
            else:
                what = f"its {compression} data is damaged ({reason})"
            raise RVHError(f"{name}: {what}") from None
        if not piece:
            return
        yield piece


#: pyarrow about bytes that do not begin compressed data; that those of the file do is known
NO_NEW_MEMBER = (
    "incorrect header check",
    "unknown compression method",
    "no magic header",
    "Unknown frame descriptor",
)
#: the program of a compression
COMPRESS = {"gzip": "gzip", "zstd": "zstd", "bz2": "bzip2"}


def text_codec(name: str) -> codecs.CodecInfo | None:
    """The codec of a text encoding that a file can have, if `name` is one."""
    try:
        found = codecs.lookup(name)
    except (LookupError, ValueError):
        return None
    is_text = getattr(found, "_is_text_encoding", True)
    return found if is_text and found.name.replace("_", "-") not in NO_ENCODINGS else None


def _utf8(name: str, raw: Any, encoding: str, head: bytes) -> Iterator[bytes]:
    """Pieces of text in another encoding as UTF-8."""
    codec = text_codec(encoding)
    assert codec is not None
    assert codec.incrementaldecoder is not None
    if codec.name in ("utf-16", "utf-32") and head and not head.startswith(MARKS[codec.name]):
        raise RVHError(
            f"{name} has no byte order mark: say --encoding {codec.name}-le, or "
            f"{codec.name}-be where the first byte of a character is the high one"
        )
    decoder = codec.incrementaldecoder("strict")
    before = 0
    while True:
        piece = raw.read(PIECE_BYTES)
        pending = len(decoder.getstate()[0])
        try:
            text = decoder.decode(piece, final=not piece)
        except UnicodeDecodeError as error:
            raise RVHError(
                f"{name} is not {codec.name} text: {error.reason} at byte "
                f"{before - pending + error.start}"
            ) from None
        if text:
            yield text.encode()
        if not piece:
            return
        before += len(piece)


MARKS = {
    "utf-16": (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE),
    "utf-32": (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE),
}


class Source:
    """An input, opened: its bytes in order, and how much of it has been read.

    Parameters
    ----------
    path : str
        A path, or ``-`` for stdin. A name of a descriptor of this process, as ``/dev/stdin``, is
        that descriptor: what was read from it before is not read again.
    compression : str, optional
        pyarrow's name for how the bytes are compressed.
    encoding : str, optional
        Python's name for the encoding of text; the bytes become UTF-8.
    """

    def __init__(
        self, path: str, compression: str | None = None, encoding: str | None = None
    ) -> None:
        if not path:
            raise RVHError("the name of an input is empty: name a file, or - for stdin")
        self.name = "stdin" if path == "-" else path
        number = None if path == "-" else descriptor(path)
        self._owned = path != "-"
        self._by_name = self._owned and number is None
        self.compressed = compression is not None
        if number is not None:
            self._file: BinaryIO = os.fdopen(duplicate(number, path, os.O_WRONLY), "rb")
        elif path != "-":
            self._file = open(path, "rb")  # noqa: SIM115  (closed by __exit__)
        elif sys.stdin is None:
            raise RVHError("stdin is closed, so - cannot be read")
        else:
            self._file = sys.stdin.buffer
        try:
            self._open(compression, encoding)
        except BaseException:
            self.__exit__()
            raise

    def _open(self, compression: str | None, encoding: str | None) -> None:
        self.size: int | None = None
        with contextlib.suppress(OSError):  # a stand-in for stdin has no file number
            about = os.fstat(self._file.fileno())
            if stat.S_ISREG(about.st_mode):
                self.size = about.st_size
        self._counted = Counted(self._file, self.name)
        head, raw = _headed(self._counted)
        if compression:
            head, raw = _headed(Pieces(_decompressed(self.name, raw, compression, head)))
        if encoding:
            head, raw = _headed(Pieces(_utf8(self.name, raw, encoding, head)))
        #: the first bytes, as they come from the stream
        self.head = head
        #: the bytes, decompressed and decoded, with ``peek`` and ``readline``
        self.stream = io.BufferedReader(raw, PIECE_BYTES)

    def __enter__(self) -> Source:
        return self

    def __exit__(self, *exc: object) -> None:
        if self._owned:
            self._file.close()

    def is_behind(self, path: str) -> bool:
        """Whether an output that is written directly goes into the file that this one reads."""
        number = STDOUT if path == "-" else descriptor(path)
        if self.size is None or number is None or (path == "-" and sys.stdout is None):
            return False
        with contextlib.suppress(ImportError, OSError):
            import fcntl  # not everywhere

            writes = fcntl.fcntl(number, fcntl.F_GETFL) & (os.O_WRONLY | os.O_RDWR)
            return bool(writes) and os.path.sameopenfile(self._file.fileno(), number)
        return False

    def fraction(self) -> float | None:
        """How much of the file is read, from 0 to 1; None for a pipe."""
        return self._counted.count / self.size if self.size else None

    def random_access(self, mapped: bool = False) -> Any:
        """The bytes as a file that pyarrow can seek in; those of a pipe go to disk for it.

        `mapped` lets the system page them in and out, for what is larger than memory in one piece.
        """
        if self.size is not None and self._by_name:
            path = os.fsencode(self.name)  # a name need not be UTF-8
            return pa.memory_map(path) if mapped else pa.OSFile(path)
        spool = tempfile.TemporaryFile()  # noqa: SIM115  (has no name: gone when it is closed)
        shutil.copyfileobj(self.stream, spool, PIECE_BYTES)
        spool.seek(0)
        return pa.PythonFile(spool, "r")


class Sink:
    """Bytes on their way out; pyarrow's closing of it does not close the file below."""

    closed = False

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._file = file
        self._name = name
        self._abandoned = False

    def abandon(self) -> None:
        """Drop all that still comes: what ends a file properly must not follow a failure.

        pyarrow's writers write it whenever they are closed, by themselves at the latest.
        """
        self._abandoned = True

    def write(self, data: Any) -> int:
        rest = memoryview(data).cast("B")
        size = len(rest)
        if self._abandoned:
            return size
        try:
            while rest:  # an unbuffered stdout (PYTHONUNBUFFERED) may take a part at a time
                rest = rest[self._file.write(rest) :]
            return size
        except BrokenPipeError:
            raise
        except OSError as error:
            raise OSError(error.errno, error.strerror, self._name) from None

    def flush(self) -> None:
        if not self._abandoned:
            self._file.flush()

    def close(self) -> None:
        self.flush()

    def writable(self) -> bool:
        return True

    def readable(self) -> bool:
        return False

    def seekable(self) -> bool:
        return False


@contextlib.contextmanager
def target(path: str, compression: str | None = None, instead: str = "") -> Iterator[Any]:
    """Open an output that is there complete or not at all.

    The bytes go to a new file beside `path`, which takes its name when the block ends well and
    is deleted when it does not: an error, Ctrl-C, SIGTERM. What `is_stream` is written directly,
    and after a failure without what ends its format.

    Parameters
    ----------
    path : str
    compression : str, optional
        pyarrow's name for how to compress the bytes.
    instead : str
        What an error advises where no new file can take the place of `path`.
    """
    if is_stream(path):
        with (
            _stopped_by_signals(once_more=True),
            _stream(path) as (file, name),
            _open_sink(file, name, compression) as sink,
        ):
            yield sink
        return
    if not path:
        raise RVHError("the name of an output is empty: name a file, or - for stdout")
    try:
        os.stat(path)
    except FileNotFoundError:
        pass
    except OSError as error:  # too long, links in a circle: at the end the rows would be lost
        raise RVHError(f"{path} cannot be written: {error.strerror}") from None
    place = os.path.realpath(path)  # a symbolic link stays one
    if os.path.isdir(place):
        raise RVHError(f"{path} is a directory: name a file in it")
    if (found := process_and_number(path)) and os.path.exists(path):
        raise RVHError(
            f"{path} is a file that another process has open: let it pass its descriptor on "
            f"(-o - >&{found[1]})"
        )
    if os.path.exists(place):
        _refuse_irreplaceable(place, path, instead)
    part = os.path.join(os.path.dirname(place), f".rvh-{secrets.token_hex(8)}.part")
    with _stopped_by_signals():
        try:  # from before the file is there: a signal may come at any moment
            there = os.path.exists(place)
            with _create(part, path, instead if there else "") as file:
                if there:
                    _take_over(place, part)
                with _open_sink(file, path, compression) as sink:
                    yield sink
            os.replace(part, place)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(part)
            raise


@contextlib.contextmanager
def _stream(path: str) -> Iterator[tuple[BinaryIO, str]]:
    """The file to write directly, and its name in errors."""
    if path == "-":
        if sys.stdout is None:
            raise RVHError("stdout is closed, so - cannot be written")
        yield sys.stdout.buffer, "stdout"
        sys.stdout.buffer.flush()
        return
    number = descriptor(path)
    if number is None:
        file: BinaryIO = open(path, "wb")  # noqa: SIM115  (closed below)
    else:
        file = os.fdopen(duplicate(number, path, os.O_RDONLY), "wb")
    try:
        yield file, path
        file.flush()
    except OSError as error:
        if error.filename or isinstance(error, BrokenPipeError):
            raise
        raise OSError(error.errno, error.strerror, path) from None
    finally:
        with contextlib.suppress(OSError):  # what it could not write is known by now
            file.close()


def _refuse_irreplaceable(place: str, path: str, instead: str) -> None:
    """Refuse an existing file that may not be written, or that no other can take the place of."""
    if not os.access(place, os.W_OK):
        raise RVHError(f"{path} cannot be written: permission denied")
    folder = os.path.dirname(place)
    mounted = _mount(place)
    if mounted is not None and mounted != _mount(folder):
        raise RVHError(
            f"{path} is mounted by itself, so that no new file can take its place: {instead}"
        )
    try:
        # The system refuses this whatever comes, but gives a right that is missing as the reason
        # before it says that a file is no directory: in a folder of others (/tmp), for one.
        os.rmdir(place)
    except NotADirectoryError:
        return
    except OSError as error:
        raise RVHError(
            f"no new file can take the place of {path} ({error.strerror}): {instead}"
        ) from None


def _mount(path: str) -> str | None:
    """The number of the mount that `path` is in, where the system tells (Linux)."""
    try:
        opened = os.open(path, os.O_PATH)
    except (AttributeError, OSError):
        return None
    try:
        with open(f"/proc/self/fdinfo/{opened}", encoding="utf-8") as about:
            return next((line for line in about if line.startswith("mnt_id:")), None)
    except OSError:
        return None
    finally:
        os.close(opened)


def _take_over(place: str, part: str) -> None:
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
        with contextlib.suppress(OSError):  # of a file system without them
            for name in os.listxattr(place):
                with contextlib.suppress(OSError):  # that are for the system to set
                    os.setxattr(part, name, os.getxattr(place, name))


def _create(part: str, path: str, instead: str) -> BinaryIO:
    try:
        return open(part, "xb")
    except OSError as error:
        more = f"; {instead}" if instead else ""
        raise RVHError(f"{path} cannot be written: {error.strerror}{more}") from None


@contextlib.contextmanager
def _open_sink(file: BinaryIO, name: str, compression: str | None) -> Iterator[Any]:
    """What takes the bytes, compressed where asked for; after a failure it ends nothing."""
    sink = Sink(file, name)
    stream: Any = sink
    try:
        if compression is not None:
            stream = pa.CompressedOutputStream(pa.PythonFile(sink, "w"), compression)
        yield stream
        if compression is not None:
            stream.close()
    except BaseException as error:
        if compression is not None and not isinstance(error, BrokenPipeError):
            # With the rows so far; without an end to them, every decompressor complains.
            with contextlib.suppress(OSError):
                stream.flush()
        sink.abandon()
        raise


#: signals that end a process which does not ask for them
ENDING = (
    *("INT", "HUP", "QUIT", "TERM", "USR1", "USR2"),
    *("ALRM", "VTALRM", "PROF", "XCPU", "IO", "PWR", "STKFLT"),
)


@contextlib.contextmanager
def _stopped_by_signals(once_more: bool = False) -> Iterator[None]:
    """Let signals that would end the process end the block as an exception does.

    So it can clean up, which no second signal disturbs; with `once_more`, where it may wait for
    whoever reads a pipe, the second does what it does by default.
    """

    def stop(number: int, frame: object) -> None:
        for each, handler in before.items():
            signal.signal(each, handler if once_more else signal.SIG_IGN)
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        raise SystemExit(128 + number)

    before: dict[int, Any] = {}
    with contextlib.suppress(ValueError):  # not the main thread: there signals never arrive
        for number in signal.Signals:
            if number.name.removeprefix("SIG") not in ENDING:
                continue
            handler = signal.getsignal(number)
            # A signal that the parent ignores (nohup) stays ignored.
            if handler in (signal.SIG_DFL, signal.default_int_handler):
                before[number] = handler
                signal.signal(number, stop)
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
