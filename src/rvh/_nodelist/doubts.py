"""Doubts about plain text: it may be something else than the node id that it would be."""

from __future__ import annotations

import json
import re
import unicodedata

#: names (in any case, with - for _) that a column of node ids has: a first line that begins with
#: one is a header, and a first column of such a name holds the ids
ID_NAMES = (
    "id", "ids", "node", "nodes", "node_id", "node_name", "name", "host", "hostname", "host_name",
    "server", "server_name", "address", "addr", "ip", "endpoint", "url", "uri", "instance",
    "member", "shard", "backend", "bucket", "broker", "worker", "peer", "machine",
)  # fmt: skip

#: an id whose characters need no closer look, as most do not
PLAIN = re.compile(r"[A-Za-z0-9_.:/=+%~-]+")
#: characters that an id in plain text may not hold, and their names
SEPARATORS = {
    ",": "a comma",
    ";": "a semicolon",
    "|": "a bar",
    '"': "a quotation mark",
    "{": "a brace",
    "}": "a brace",
}


def doubt(node: str) -> str | None:
    """The reason why an id in plain text may be something else: the end of a sentence, or None.

    Examples
    --------
    >>> doubt("cache-1.example.net:11211"), doubt("# old")
    (None, "begins with '#' as a comment does")
    """
    if PLAIN.fullmatch(node):
        return None
    if node.startswith("#"):
        return "begins with '#' as a comment does"
    if node.startswith("'"):
        return "begins with a quotation mark"
    for sign in node:
        if sign.isspace():
            what = "a tab" if sign == "\t" else "a blank" if [sign] == sign.splitlines() else None
            return f"has {what or 'a line break'} in it"
        if sign in SEPARATORS:
            return f"has {SEPARATORS[sign]} in it ({sign})"
        if not sign.isprintable():
            return unprintable(sign)
    if node.count("[") != node.count("]"):
        return "has a bracket in it that has no other"
    return None


def unprintable(sign: str) -> str:
    """The end of a sentence about an id that has `sign` in it, which nobody sees."""
    name = unicodedata.name(sign, "a control character")
    return f"has an invisible character in it (U+{ord(sign):04X}, {name})"


def is_id_name(name: str) -> bool:
    """Check whether `name` is one that a column of node ids has."""
    return name.casefold().replace("-", "_").replace(" ", "_") in ID_NAMES


def as_json(node: str) -> str:
    """The advice for a doubtful text that is an id after all."""
    return (
        f"an id like that is written {json.dumps(node, ensure_ascii=False)} in a file that ends "
        "in .ndjson"
    )
