"""The kind of a file by its first bytes, where its name or its reader says something else."""

from __future__ import annotations

import re

from rvh._tables.spelling import Spelling
from rvh.errors import RVHError

#: how many of the first bytes are looked at
HEAD_BYTES = 64
GZIP, ZSTD, BZ2, XZ = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"BZh", b"\xfd7zXZ\0"
#: compressions, and how their files begin
MAGIC = {"gzip": GZIP, "zstd": ZSTD, "bz2": BZ2, "xz": XZ}
#: the programs for these compressions
COMPRESSORS = {"gzip": "gzip", "zstd": "zstd", "bz2": "bzip2", "xz": "xz"}
#: bzip2 with what follows its letters: the size of its blocks, then the mark of the first block
BLOCKS_BZ2 = tuple(b"%s%d1AY&SY" % (BZ2, size) for size in range(1, 10))
PARQUET, ARROW_FILE, ARROW_STREAM = b"PAR1", b"ARROW1", b"\xff\xff\xff\xff"

#: how files of another kind begin, what they are, what to do, and the format that reads them;
#: a mark of letters alone has the bytes behind it too: a key may be `BZh` or `PAR1`
OTHER_KINDS: tuple[tuple[bytes | tuple[bytes, ...], str, str, str | None], ...] = (
    (GZIP, "gzip-compressed", "decompress it (gzip -dc), or name it .gz", None),
    (ZSTD, "zstd-compressed", "decompress it (zstd -dc), or name it .zst", None),
    (BLOCKS_BZ2, "bzip2-compressed", "decompress it (bzip2 -dc), or name it .bz2", None),
    (XZ, "xz-compressed", "decompress it (xz -dc), or name it .xz", None),
    (b"\x04\x22\x4d\x18", "LZ4-compressed", "decompress it (lz4 -dc)", None),
    (b"PK\x03\x04", "a ZIP archive or a spreadsheet", "unpack it, or export it as CSV", None),
    (PARQUET + b"\x15", "a Parquet file", "name it .parquet", "parquet"),
    (ARROW_FILE + b"\0\0", "an Arrow IPC file", "name it .arrow", "arrow"),
    (ARROW_STREAM, "an Arrow IPC stream", "name it .arrows", "arrows"),
)
#: how text of another encoding begins, and its name
ENCODINGS = (
    (b"\xff\xfe\0\0", "utf-32"),
    (b"\0\0\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
#: what no text begins with, while files of the other formats soon have it
CONTROL = re.compile(rb"[\0-\x08\x0e-\x1f]")
#: of the formats that are not text: how their files begin
OWN = {"parquet": (PARQUET,), "arrow": (ARROW_FILE, ARROW_STREAM)}
OWN["arrows"] = OWN["arrow"]


def refuse_other_kind(
    name: str, head: bytes, format_name: str, compressed: bool, spelling: Spelling
) -> None:
    """Refuse a file that plainly is of another kind than its format.

    Parameters
    ----------
    name : str
        What errors call the file.
    head : bytes
        Its first bytes, decompressed and decoded.
    format_name : str
        A key of `rvh._tables.FORMATS`.
    compressed : bool
        Whether it was decompressed.
    spelling : callable
        How messages name the options ``format`` and ``encoding``.
    """
    if head.startswith(OWN.get(format_name, ())):
        return
    for magic, what, advice, reads in OTHER_KINDS:
        if head.startswith(magic):
            if compressed:  # its name has an extension already
                advice = advice.split(",")[0]
            if reads is not None:
                advice += f", or say {spelling('format', reads)}"
            raise RVHError(f"{name} is {what}, not {format_name}: {advice}")
    for magic, encoding in ENCODINGS:
        if head.startswith(magic):
            raise RVHError(
                f"{name} is {encoding.upper()} text, not {format_name}: say "
                f"{spelling('encoding', encoding)}"
            )
    if format_name in OWN:
        if head.isascii() and not CONTROL.search(head) and head:
            raise RVHError(
                f"{name} is text, not {format_name}: name it by the format that it has, or say "
                f"{spelling('format', 'csv')} or another"
            )
        return  # pyarrow says what is missing
    # In UTF-16, every second byte of most languages' first words is 0; text in UTF-8 has none.
    if len(head) >= 4:
        for at, order in ((1, "le"), (0, "be")):
            if not any(head[at::2]) and all(head[1 - at :: 2]):
                nul = ", or if its lines end with NUL, tr '\\0' '\\n'" * (format_name == "lines")
                say = spelling("encoding", f"utf-16-{order}")
                raise RVHError(f"{name} is UTF-16 text: say {say}{nul}")
    text = head.removeprefix(b"\xef\xbb\xbf")
    if text.startswith(b"\xef\xbb\xbf"):
        raise RVHError(f"{name} begins with two byte order marks: remove one")
    if format_name == "ndjson" and text.lstrip(b" \t\r\n").startswith(b"["):
        raise RVHError(
            f"{name} begins with a JSON array, not with one object a line: make lines of it "
            "(jq -c '.[]' FILE)"
        )
