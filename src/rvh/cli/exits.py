"""The end of the command line: its exit statuses, and the one line that an error becomes."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Callable
from enum import IntEnum
from functools import wraps
from typing import Any, NoReturn, ParamSpec

from rvh._tables.descriptors import named_in_errors
from rvh.errors import RVHError

P = ParamSpec("P")

#: top-level modules of the packages in the extras, and the message where one is missing
EXTRA = dict.fromkeys(
    ("typer", "click", "rich", "pyarrow"),
    "the command line needs its extra: pip install 'rvh[cli]'",
) | {
    "matplotlib": "--plot needs its extra: pip install 'rvh[bench]'",
    "grpc": "rvh serve needs its extra: pip install 'rvh[rpc]'",
    "google": "rvh serve needs its extra: pip install 'rvh[rpc]'",
    "msgspec": "sources of nodes need their extra: pip install 'rvh[membership]'",
}


class ExitStatus(IntEnum):
    """The status that the shell sees. A signal N gives 128 + N, as it does for any program."""

    OK = 0
    ERROR = 1  # it cannot be done, bench is slower than it may be, verify finds faults: stderr says
    USAGE = 2  # the command line itself is wrong
    LOST = 3  # repair is done, but some keys had lost all of their nodes: stderr says how many
    INTERRUPTED = 130  # Ctrl-C
    PIPE_CLOSED = 141  # the reader of stdout went away, as `head` does
    TERMINATED = 143  # SIGTERM


def guard(run: Callable[[], None]) -> None:
    """Call `run` and turn what a user can cause into one line on stderr and a SystemExit.

    Anything else is a defect of rvh and keeps its traceback.
    """
    try:
        run()
        if sys.stdout is not None:
            with named_in_errors("stdout"):
                sys.stdout.flush()  # here, where a closed pipe or a full disk can be reported
    except RVHError as error:
        _fail(str(error))
    except BrokenPipeError:
        _settle_stdout()
        raise SystemExit(ExitStatus.PIPE_CLOSED) from None
    except OSError as error:
        _settle_stdout()
        reason = error.strerror or str(error)
        _fail(f"{error.filename}: {reason}" if error.filename else reason)
    except MemoryError:
        _fail("not enough memory for this input")
    except KeyboardInterrupt:
        say("interrupted")
        raise SystemExit(ExitStatus.INTERRUPTED) from None
    except ModuleNotFoundError as error:
        module = (error.name or "").partition(".")[0]
        if module not in EXTRA:
            raise
        _fail(EXTRA[module])


def guarded(command: Callable[P, None]) -> Callable[P, None]:
    """`guard` as a decorator: each command has it, because Typer has its own idea of Ctrl-C."""

    @wraps(command)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> None:
        guard(lambda: command(*args, **kwargs))

    return wrapper


def _fail(message: str) -> None:
    say(message)
    raise SystemExit(ExitStatus.ERROR) from None


def say(message: str) -> None:
    """Print a message on stderr as one line, whatever is in it."""
    tell(f"rvh: {' '.join(message.splitlines())}")


def tell(text: str) -> None:
    """Print text on stderr, for people; characters that its encoding lacks become escapes.

    stderr may be closed: Python would then print on stdout, among the data.
    """
    if sys.stderr is None:
        return
    encoding = getattr(sys.stderr, "encoding", None) or "utf-8"
    with contextlib.suppress(OSError):
        # In one piece: another thread may speak at the same time.
        sys.stderr.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")


def emit(text: str) -> None:
    """Print lines of data on stdout: UTF-8 in every locale, as in every file that rvh writes."""
    if sys.stdout is None:
        raise RVHError("stdout is closed: there is nowhere to write the answer")
    binary = getattr(sys.stdout, "buffer", None)
    if binary is None:  # a stand-in that takes text alone, as that of doctest
        print(text)
        return
    with named_in_errors("stdout"):
        sys.stdout.flush()
        rest = memoryview(f"{text}\n".encode())
        while rest:  # an unbuffered stdout may take a part at a time
            rest = rest[binary.write(rest) :]
        binary.flush()  # before anything is said on stderr of what is then written


def emit_json(value: Any) -> None:
    """Print a JSON document on one line of stdout.

    What is not UTF-8 in the name of a file is a surrogate in Python, and JSON can escape it.
    """
    text = json.dumps(value, ensure_ascii=False)
    emit(text.encode(errors="backslashreplace").decode())


def leave(status: int) -> NoReturn:
    """End the process here, with all that was written, and without the interpreter's own end.

    A thread in which pyarrow reads ahead may outlive the last row by a moment. Where it then asks
    for the GIL of an interpreter that is being taken down, the process aborts: under load one run
    of some hundreds did.
    """
    _settle_stdout()
    if sys.stderr is not None:
        with contextlib.suppress(OSError):
            sys.stderr.flush()
    os._exit(status)


def _settle_stdout() -> None:
    """Discard what stdout no longer takes, so that the interpreter's last flush stays silent."""
    if sys.stdout is None:
        return
    try:
        sys.stdout.flush()
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
