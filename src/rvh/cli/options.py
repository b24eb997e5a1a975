"""Options that several commands share, and what their values mean."""

from __future__ import annotations

import contextlib
import re
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from rvh._tables import FORMATS
from rvh.errors import RVHError, show
from rvh.nodes import SCHEMES, SECRET_MAX

#: of a secret file that is read: so much tells that it is none
SECRET_BYTES = 1 << 16
WHOLE_NUMBER = re.compile(r"[+-]?[0-9]+")

Nodes = Annotated[
    list[str],
    typer.Option(
        "--nodes",
        "-n",
        metavar="LIST|@FILE",
        help="Node ids separated by commas or as a JSON list, or @ and a file of them (.csv .tsv "
        ".ndjson .parquet .arrow; any other name: one id a line; @- is stdin). Repeated: all of "
        "them.",
    ),
]
NodeColumn = Annotated[
    str | None,
    typer.Option(
        metavar="NAME", help="The column of the node file that holds the ids [default: the first]."
    ),
]
NodeFormat = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help=f"The format of the node file: {', '.join(FORMATS)} [default: by its extension, "
        "else lines].",
    ),
]
NoNodeHeader = Annotated[
    bool,
    typer.Option(
        "--no-node-header",
        help="The node file (CSV or TSV) has no header: its columns are called 1, 2, ...",
    ),
]
Count = Annotated[int, typer.Option("--k", "--count", "-c", help="How many nodes, best first.")]
SecretFile = Annotated[
    str | None,
    typer.Option(
        metavar="FILE",
        help="File with the secret (- is stdin): its bytes, without one newline at the end. At "
        "most 64.",
    ),
]
WeightColumn = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="The column of the node file that holds the nodes' weights."),
]


class Scheme(StrEnum):
    """How a node and a key make a score."""

    BLAKE2B, MURMUR = SCHEMES


class Algorithm(StrEnum):
    """What puts a key on nodes."""

    RENDEZVOUS = "rendezvous"
    JUMP = "jump"
    TABLE = "table"
    KETAMA = "ketama"
    LIBMEMCACHED = "libmemcached"
    LIBMEMCACHED_KETAMA = "libmemcached-ketama"
    LIBMEMCACHED_MD5 = "libmemcached-md5"
    UHASHRING = "uhashring"
    UHASHRING_KETAMA = "uhashring-ketama"
    HASH_RING = "hash-ring"
    NGINX = "nginx"


class Integers(StrEnum):
    """How the system of a ring writes an integer key: `rvh.ring.INTEGERS`."""

    TEXT = "text"
    INT32_BE = "int32_be"
    INT64_BE = "int64_be"
    CONTRACT = "contract"


SchemeName = Annotated[
    Scheme,
    typer.Option("--scheme", help="murmur: far faster, but no defence against chosen keys."),
]
AlgorithmName = Annotated[
    Algorithm,
    typer.Option(
        "--algorithm",
        metavar="NAME",  # all of the names are too long for a line
        help="rendezvous; jump: the nodes are buckets, and their order counts; table: a table of "
        "partitions, made once and looked up; or the ring of another system: "
        f"{', '.join(list(Algorithm)[3:])}. Each has answers of its own.",
    ),
]
IntegersName = Annotated[
    Integers | None,
    typer.Option(
        "--integers",
        help="With a ring of another system: how that writes integer keys, as digits, as 4 or 8 "
        "bytes big-endian, or as rvh's own bytes.",
    ),
]
Partitions = Annotated[
    int | None,
    typer.Option(metavar="P", help="The partitions of --algorithm table [default: 65536]."),
]


class CachePolicy(StrEnum):
    """Which key a cache forgets: `rvh.cache`."""

    LRU = "lru"
    ARC = "arc"


Where = Annotated[
    list[str] | None,
    typer.Option(
        "--where",
        metavar="COND",
        help="Only nodes whose columns meet COND: NAME=PATTERN, NAME!=PATTERN, NAME>=NUMBER, or "
        "NAME alone for true. Repeated: all of them.",
    ),
]
Dead = Annotated[
    list[str] | None,
    typer.Option(
        "--dead",
        metavar="LIST|@FILE",
        help="Nodes that are dead: their keys go to the next in rank. Repeated: all of them.",
    ),
]
Spread = Annotated[
    list[str] | None,
    typer.Option(
        "--spread",
        metavar="NAME",
        help="Spread the nodes of a key over the domains in this column of the node file. "
        "Repeated: nested, from the outermost in.",
    ),
]
MaxPerDomain = Annotated[
    list[int] | None,
    typer.Option(
        "--max-per-domain",
        metavar="N",
        help="How many nodes of a key may be in one domain; one for all, or one for each --spread "
        "[default: 1].",
    ),
]
Strict = Annotated[
    bool,
    typer.Option("--strict", help="Fail where --spread cannot be held to, and top up nothing."),
]
NodeGeohash = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="The column of the node file that holds geohashes: nodes of the key's region first.",
    ),
]
Precision = Annotated[
    int | None,
    typer.Option(
        metavar="N", help="How many characters of a geohash count, 1 to 12 [default: 12]."
    ),
]


def refuse_no_text(text: str, what: str) -> None:
    """Raise the error about `what` where the command line held bytes that are no text.

    Python passes such bytes on as lone surrogates.
    """
    if re.search("[\\ud800-\\udfff]", text):
        raise RVHError(
            f"{what} is {show(text)}, which is not UTF-8 text; where it is text, set a locale of "
            "UTF-8, as LC_ALL=C.UTF-8 is"
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
    if not secret:
        raise RVHError(f"{path}: the secret is empty; leave --secret-file away to use none")
    return secret
