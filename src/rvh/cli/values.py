"""Options and their values: how messages spell them, text, whole numbers, the secret."""

from __future__ import annotations

import contextlib
import re
import sys
from pathlib import Path

from rvh.errors import RVHError, show
from rvh.nodes import SECRET_MAX

#: the most that is read of a secret file: a longer one holds no secret
SECRET_BYTES = 1 << 16
WHOLE_NUMBER = re.compile(r"[+-]?[0-9]+")


def as_option(name: str, value: str) -> str:
    """An option as the command line has it, for the messages of readers and writers.

    Examples
    --------
    >>> as_option("encoding", "utf-16"), as_option("encoding", "")
    ('--encoding utf-16', '--encoding')
    """
    return f"--{name} {value}".rstrip()


def refuse_no_text(text: str, what: str) -> None:
    """Raise the error about `what` where the command line held bytes that are no text.

    Python passes such bytes on as lone surrogates.
    """
    if re.search("[\\ud800-\\udfff]", text):
        raise RVHError(
            f"{what} is {show(text)}, which is not UTF-8 text; if it is text, set a UTF-8 locale, "
            "such as LC_ALL=C.UTF-8"
        )


def whole_number(text: str) -> int:
    """The number that `text` writes in decimal digits, and nothing looser.

    Python's own `int` also takes ``4_2``, spaces and the digits of other scripts: two programs
    that read such a key would place it differently.

    Examples
    --------
    >>> whole_number("-042")
    -42
    """
    # No integer of the contract has more than 20 digits; far longer ones Python refuses to read.
    if not WHOLE_NUMBER.fullmatch(text) or len(text.lstrip("+-0")) > 20:
        raise RVHError(f"{show(text)} is not a whole number from -2^63 to 2^64-1")
    return int(text)


def read_secret(path: str | None) -> bytes:
    """The secret: a file's bytes, or stdin's (-), without one newline (LF, CRLF) at the end."""
    if path is None:
        return b""
    if not path:
        raise RVHError("--secret-file '' names no file: omit --secret-file to use no secret")
    if path == "-" and sys.stdin is None:
        raise RVHError("stdin is closed, so --secret-file - cannot be read")
    with contextlib.ExitStack() as stack:
        file = sys.stdin.buffer if path == "-" else stack.enter_context(Path(path).open("rb"))
        secret = file.read(SECRET_BYTES + 1)  # a device may have no end
    if len(secret) > SECRET_BYTES:
        raise RVHError(
            f"{path} has more than {SECRET_BYTES} bytes: a secret has at most {SECRET_MAX}; use a "
            "digest of it"
        )
    if secret.endswith(b"\n"):
        secret = secret[:-1].removesuffix(b"\r")
    if not secret.strip():
        raise RVHError(
            f"{path}: the secret is empty, or white space alone; omit --secret-file to use none"
        )
    return secret
