"""Text files, read whole: what their bytes say where that is not what their name says."""

from __future__ import annotations

import re

from rvh.errors import RVHError

#: how a file begins, what it then is, and what to do
SIGNATURES = (
    (b"\x1f\x8b", "gzip-compressed", "end its name in .gz, or decompress it"),
    (b"\x28\xb5\x2f\xfd", "Zstandard-compressed", "end its name in .zst, or decompress it"),
    (b"BZh", "bzip2-compressed", "end its name in .bz2, or decompress it"),
    (b"\xfd7zXZ", "xz-compressed", "decompress it"),
    (b"PK\x03\x04", "a zip archive, as .xlsx files are", "unpack it, or save it as CSV"),
    (b"PAR1", "a Parquet file", "end its name in .parquet"),
    (b"ARROW1", "an Arrow file", "end its name in .arrow"),
    (b"\xff\xfe\0\0", "UTF-32 text", "convert it to UTF-8, as iconv does"),
    (b"\0\0\xfe\xff", "UTF-32 text", "convert it to UTF-8, as iconv does"),
    (b"\xff\xfe", "UTF-16 text", "convert it to UTF-8, as iconv -f UTF-16 -t UTF-8 does"),
    (b"\xfe\xff", "UTF-16 text", "convert it to UTF-8, as iconv -f UTF-16 -t UTF-8 does"),
)
BOM = b"\xef\xbb\xbf"


def decoded(name: str, data: bytes) -> str:
    """The text of a file, without a byte order mark; each line ends with LF or CRLF.

    Parameters
    ----------
    name : str
        What errors call the file.
    data : bytes

    Raises
    ------
    RVHError
        Bytes of another format, text that is not UTF-8, CR alone as a line end, NUL, a byte order
        mark inside.

    Examples
    --------
    >>> decoded("nodes.txt", b"alpha\\nbeta\\n")
    'alpha\\nbeta\\n'
    """
    for start, what, advice in SIGNATURES:
        if data.startswith(start):
            raise RVHError(f"{name} is {what}: {advice}")
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
    if found := re.search(rb"\r(?!\n)", data):
        raise RVHError(
            f"{name}: {_line(data, found.start())} has a carriage return (CR) without a newline "
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
