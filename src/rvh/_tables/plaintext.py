"""Text files, read whole: their bytes as text, or the reason why they are none."""

from __future__ import annotations

import re

from rvh._tables.content import ENCODINGS, OTHER_KINDS
from rvh._tables.spelling import Spelling, as_keyword
from rvh.errors import RVHError

BOM = b"\xef\xbb\xbf"


def decoded(name: str, data: bytes, spelling: Spelling = as_keyword) -> str:
    r"""The text of a file, without a byte order mark; each line ends with LF or CRLF.

    Parameters
    ----------
    name : str
        What errors call the file.
    data : bytes
    spelling : callable
        How messages name the option ``format``.

    Raises
    ------
    RVHError
        Bytes of another format, text that is not UTF-8, CR alone as a line end, NUL, a byte order
        mark inside.

    Examples
    --------
    >>> decoded("nodes.txt", b"alpha\nbeta\n")
    'alpha\nbeta\n'
    """
    for start, what, advice, reads in OTHER_KINDS:
        if data.startswith(start):
            more = "" if reads is None else f", or say {spelling('format', reads)}"
            raise RVHError(f"{name} is {what}: {advice}{more}")
    for start, encoding in ENCODINGS:
        if data.startswith(start):
            source = encoding.upper()
            raise RVHError(
                f"{name} is {source} text: convert it to UTF-8, as iconv -f {source} -t UTF-8 does"
            )
    data = data.removeprefix(BOM)
    if (at := data.find(0)) >= 0:
        # A word in UTF-16 without its mark has a NUL in each second byte.
        what = f"{name}: {_line(data, at)} has a NUL byte, as UTF-16 text and binary files do"
        raise RVHError(f"{what}: write it as UTF-8 text")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise RVHError(
            f"{name}: {_line(data, error.start)} is not UTF-8 text: {error.reason} at byte "
            f"{error.start}; convert it, as iconv -f latin1 -t UTF-8 does"
        ) from None
    if lone := re.search(rb"\r(?!\n)", data):
        raise RVHError(
            f"{name}: {_line(data, lone.start())} has a carriage return (CR) without a newline "
            "after it: end lines with LF or CRLF, as tr '\\r' '\\n' does for files of CR alone"
        )
    if (at := data.find(BOM)) >= 0:
        raise RVHError(
            f"{name}: {_line(data, at)} has a byte order mark (U+FEFF) in it, as where files were "
            "joined: take it out"
        )
    return text


def _line(data: bytes, at: int) -> str:
    return f"line {data.count(10, 0, at) + 1}"
