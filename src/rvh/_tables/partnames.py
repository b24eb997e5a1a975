"""Names of partitions: a node id as part of a path, as Hive writes it and engines read it back."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from urllib.parse import unquote

from rvh.errors import RVHError, show

#: the folder, after ``=``, of the rows without a node
NO_NODE = "__HIVE_DEFAULT_PARTITION__"
#: what stands as %XX: what Spark and Hive write so, and what Windows or a shell's patterns lack.
#: Only ASCII may: Spark reads %C3%BC as two characters.
ESCAPED = re.compile(r"[\x00-\x1f\x7f\"#%'*/:<=>?\\\[\]^{|}]|[. ]\Z")
#: names of devices, which no file on Windows may have, whatever its extension
RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])\Z", re.IGNORECASE)
#: names of files that engines skip begin so
HIDDEN = re.compile(r"\A[._]")
#: the longest name of a file, in bytes of UTF-8
NAME_BYTES = 255


def hive_names(column: str, ids: Sequence[str | None]) -> list[str]:
    """The folder of each node id: ``column=id``; None is null.

    Raises
    ------
    RVHError
        An id of which no folder can be made that every engine reads back.

    Examples
    --------
    >>> hive_names("node", ["eu/1", "B", "b"])
    ['node=eu%2F1', 'node=%42', 'node=b']
    """
    if NO_NODE in ids:
        raise RVHError(
            f"the node id {NO_NODE} is how Hive writes null, so no engine reads it back: rename it"
        )
    apart = iter(_apart([node for node in ids if node is not None]))
    names = [f"{column}={NO_NODE if node is None else next(apart)}" for node in ids]
    return _fitting(names, ids)


def from_hive_name(folder: str) -> tuple[str, str | None] | None:
    """The name and the value of a folder ``NAME=VALUE``, whoever wrote it; None for another folder.

    Examples
    --------
    >>> from_hive_name("node=eu%2F1"), from_hive_name(f"node={NO_NODE}"), from_hive_name("2024")
    (('node', 'eu/1'), ('node', None), None)
    """
    name, sign, value = folder.partition("=")
    if not (sign and name):
        return None
    return unquote(name), None if value == NO_NODE else unquote(value)


def file_names(ids: Sequence[str], extension: str) -> list[str]:
    """The file of each node id: ``id.extension``.

    Raises
    ------
    RVHError
        An id of which no file name can be made.

    Examples
    --------
    >>> file_names(["eu/1", "..", "_b", "nul"], ".csv")
    ['eu%2F1.csv', '%2E%2E.csv', '%5Fb.csv', '%6Eul.csv']
    """
    names = []
    for name in _apart(ids):
        if HIDDEN.match(name) or RESERVED.match(name.partition(".")[0]):
            name = _escaped(name[0]) + name[1:]
        names.append(name + extension)
    return _fitting(names, ids)


def _apart(ids: Sequence[str]) -> list[str]:
    """The ids, escaped, and no two of them one name where case does not count."""
    seen: dict[str, list[int]] = {}
    for place, node in enumerate(ids):
        seen.setdefault(_folded(node), []).append(place)
    names = [ESCAPED.sub(lambda match: _escaped(match[0]), node) for node in ids]
    for places in seen.values():
        if len(places) > 1:
            for place in places:
                # The digits of an escape that is there already are not letters of the id.
                names[place] = re.sub(
                    r"%..|[A-Z]",
                    lambda match: match[0] if len(match[0]) > 1 else _escaped(match[0]),
                    names[place],
                )
            if len({_folded(names[place]) for place in places}) < len(places):
                alike = " and ".join(show(ids[place]) for place in places[:2])
                raise RVHError(
                    f"the node ids {alike} are one name to file systems that ignore case or the "
                    "form of accents, and the escapes that keep others apart are for ASCII alone: "
                    "rename one"
                )
    return names


def _escaped(character: str) -> str:
    return f"%{ord(character):02X}"


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def _fitting(names: list[str], ids: Sequence[str | None]) -> list[str]:
    for name, node in zip(names, ids, strict=True):
        if (size := len(name.encode())) > NAME_BYTES:
            raise RVHError(
                f"the node id {show(node)} makes a name of {size} bytes, and file systems take "
                f"{NAME_BYTES}: shorten it"
            )
    return names
