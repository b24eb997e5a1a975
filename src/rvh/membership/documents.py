"""Documents of nodes: JSON, TOML, YAML and CSV, each value checked and named by its path.

A document is a list of nodes, or an object with the members ``nodes`` and, where its publisher
counts, ``epoch``. A node is an object with the fields of `NodeMeta`, or the id alone.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from rvh._nodelist.columns import Columns
from rvh._nodelist.delimited import read_csv, read_tsv
from rvh._nodelist.values import as_number
from rvh._runtime.yielding import let_others_run
from rvh._tables.jsontext import unique_members
from rvh._tables.plaintext import decoded
from rvh.errors import RVHError, show
from rvh.membership.meta import NodeMeta, Status

__all__ = [
    *("FORMATS", "Document", "format_of", "numbered", "read_document", "read_node", "read_nodes"),
]

#: the largest document, in bytes: 100,000 nodes with all their labels have a tenth of that
MAX_BYTES = 1 << 28

#: what a value has to be, for the errors about it
EXPECTED = {
    "id": "a node id is text, not empty",
    "address": "an address is text",
    "status": f"a status is one of {', '.join(Status)}",
    "weight": "a weight is a number, 0 (never selected) or from 2^-1016 to 2^970",
    "stake": "stake is a number, 0 or more",
    "capacity": "capacity is a number, 0 or more",
    "rtt": "a round-trip time is a number of seconds above 0",
    "zone": "a zone is text, not empty",
    "rack": "a rack is text, not empty",
    "geohash": "a geohash is text, not empty",
    "labels": "labels are an object of texts; anything that is not text is written as text",
    "epoch": "an epoch is a whole number, 1 or more",
}
FIELDS = NodeMeta.__struct_fields__
NUMBERS = ("weight", "stake", "capacity", "rtt")


class Document(NamedTuple):
    """The nodes of a document, and the number that its publisher gave it, if any."""

    nodes: list[NodeMeta]
    epoch: int | None = None


class _Whole(Struct, forbid_unknown_fields=True):
    nodes: list[str | NodeMeta]
    epoch: int | None = None


def read_document(source: str, data: bytes, format_name: str = "json") -> Document:
    """Read the nodes of a document.

    Parameters
    ----------
    source : str
        What errors call the document.
    data : bytes
    format_name : str
        A key of `FORMATS`.

    Returns
    -------
    Document

    Raises
    ------
    RVHError
        A document that is malformed, has a member twice or a field that is not known, or a value
        that is wrong: the message has its path, as ``$.nodes[4711].rtt``.

    Examples
    --------
    >>> from rvh.membership import read_document
    >>> read_document("nodes.json", b'[{"id": "a", "zone": "eu-1"}, "b"]').nodes[0].zone
    'eu-1'
    >>> read_document("nodes.json", b'{"nodes": [{"id": "a", "rtt": "fast"}]}')
    Traceback (most recent call last):
    rvh.errors.RVHError: nodes.json: $.nodes[0].rtt is 'fast': a round-trip time is a number of \
seconds above 0
    """
    if len(data) > MAX_BYTES:
        raise RVHError(f"{source} has more than {MAX_BYTES >> 20} MiB: is it a list of nodes?")
    root = "row" if format_name in ("csv", "tsv") else None
    return _document(source, FORMATS[format_name](source, data), root)


def read_node(source: str, node: str, data: bytes) -> NodeMeta:
    """Read the metadata of one node, an object in JSON; empty bytes are no metadata.

    Parameters
    ----------
    source : str
        What errors call the place.
    node : str
        The id, which the object may repeat but not change.
    data : bytes

    Raises
    ------
    RVHError
        As `read_document`.

    Examples
    --------
    >>> from rvh.membership.documents import read_node
    >>> read_node("redis nodes", "a", b'{"zone": "eu-1"}').zone
    'eu-1'
    """
    place = f"{source}: node {show(node)}"
    value = _json(place, data) if data.strip() else {}
    if not isinstance(value, dict):
        raise RVHError(f"{place} is {show(value)}: its metadata is an object, such as {{}}")
    given = value.setdefault("id", node)
    if given != node:
        raise RVHError(f"{place} calls itself {show(given)}: leave the member id out")
    node_meta: NodeMeta = _convert(place, value, NodeMeta)
    return node_meta


def read_nodes(source: str, values: list[Any]) -> list[NodeMeta]:
    """Check nodes that are objects of Python already.

    Examples
    --------
    >>> from rvh.membership.documents import read_nodes
    >>> [node.id for node in read_nodes("mine", ["a", {"id": "b"}])]
    ['a', 'b']
    """
    return _document(source, {"nodes": values}).nodes


def format_of(name: str) -> str | None:
    """The format that the end of a file's name or a media type tells.

    Examples
    --------
    >>> from rvh.membership.documents import format_of
    >>> format_of("nodes.yml"), format_of("application/json; charset=utf-8"), format_of("nodes")
    ('yaml', 'json', None)
    """
    end = re.split(r"[./+]", name.partition(";")[0].strip().casefold())[-1]
    end = {"yml": "yaml", "x-yaml": "yaml", "tab-separated-values": "tsv"}.get(end, end)
    return end if end in FORMATS else None


def numbered(source: str, last: int, data: bytes) -> tuple[bytes, int]:
    """Give a document that is to be published its number.

    Parameters
    ----------
    source : str
        Where it is published, for errors.
    last : int
        The epoch that is there, 0 where there is none.
    data : bytes
        A document in JSON.

    Returns
    -------
    (bytes, int)
        The document and its epoch: its own, or the next one.

    Raises
    ------
    RVHError
        It is not a document, or its epoch is not above the last.

    Examples
    --------
    >>> from rvh.membership.documents import numbered
    >>> numbered("nodes.json", 6, b'["a"]')
    (b'{"epoch":7,"nodes":[{"id":"a"}]}', 7)
    """
    nodes, epoch = read_document("the document to publish", data)
    if epoch is None:
        return msgspec.json.encode({"epoch": last + 1, "nodes": nodes}), last + 1
    if epoch <= last:
        raise RVHError(
            f"{source} has epoch {last}: what is published has epoch {epoch}, and has to be higher"
        )
    return data, epoch


def _document(source: str, value: Any, root: str | None = None) -> Document:
    if isinstance(value, list):
        value = {"nodes": value}
        root = root or "$"
    root = root or "$.nodes"
    if not isinstance(value, dict):
        raise RVHError(
            f"{source}: $ is {show(value)}: a document is a list of nodes, or an object with the "
            "member nodes"
        )
    whole: _Whole = _convert(source, value, _Whole, root)
    nodes = [NodeMeta(node) if isinstance(node, str) else node for node in whole.nodes]
    seen: dict[str, int] = {}
    for place, node in enumerate(nodes):
        if (first := seen.setdefault(node.id, place)) != place:
            here, there = (_place(f"$.nodes[{each}]", root) for each in (place, first))
            raise RVHError(
                f"{source}: {here} repeats the id {show(node.id)} of {there}: ids are unique"
            )
    if "" in seen:  # the constructor checks nothing
        empty = _place(f"$.nodes[{seen['']}]", root)
        raise RVHError(f"{source}: {empty} is '': {EXPECTED['id']}")
    if whole.epoch is not None and whole.epoch < 1:
        raise RVHError(f"{source}: $.epoch is {whole.epoch}: {EXPECTED['epoch']}")
    return Document(nodes, whole.epoch)


def _convert(source: str, value: Any, kind: Any, root: str = "$.nodes") -> Any:
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise _explained(source, value, str(error), root, kind is _Whole) from None
    except UnicodeEncodeError as error:  # of the name of a member
        raise RVHError(
            f"{source}: the name {show(error.object)} has a lone surrogate, which no text has"
        ) from None


def _explained(source: str, value: Any, message: str, root: str, is_document: bool) -> RVHError:
    """The error about the value at the path that msgspec names, in words of our own."""
    message, _, path = (
        message.rpartition(" - at `") if " - at `" in message else (message, "", "$`")
    )
    path = path.removesuffix("`")
    if unknown := re.search("unknown field `(.*)`", message):
        known = f"{', '.join(FIELDS)}; anything else goes into labels"
        if is_document and path == "$":
            known = "nodes, epoch"
        return RVHError(
            f"{source}: {_place(path, root)} has the member {show(unknown[1])}, which is not "
            f"known: there are {known}"
        )
    if missing := re.search("missing required field `(.*)`", message):
        return RVHError(
            f"{source}: {_place(path, root)} has no member {missing[1]}: "
            + (EXPECTED["id"] if missing[1] == "id" else "it holds the list of nodes")
        )
    found = value
    field = ""
    for name, number in re.findall(r"\.(\w+)|\[(\d+|\.\.\.)\]", path):
        if name:
            field, found = name, found[name] if isinstance(found, dict) else found
        elif number == "...":  # a member of labels, which msgspec does not name
            key = next((key for key, each in found.items() if not isinstance(each, str)), "")
            path = path.removesuffix("[...]") + f".{key}"
            found = found.get(key)
        else:
            found = found[int(number)]
    expected = EXPECTED.get(field, "a node is an object with an id, or the id alone")
    if field == "nodes" and path == "$.nodes":
        expected = "nodes are a list"
    return RVHError(f"{source}: {_place(path, root)} is {show(found)}: {expected}")


def _place(path: str, root: str) -> str:
    """A path as the document has it: the list may stand alone, or be rows of a table."""
    if root == "row" and (row := re.fullmatch(r"\$\.nodes\[(\d+)\]\.?(.*)", path)):
        return f"row {int(row[1]) + 1}" + (f", column {row[2]}" if row[2] else "")
    return path.replace("$.nodes", root, 1)


def _json(source: str, data: bytes) -> Any:
    text = data.removeprefix(b"\xef\xbb\xbf")
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _read_slowly(source, text)
    let_others_run()
    # msgspec keeps the last of two members of one name. Then fewer colons are written than were
    # read; only an escaped colon could hide that.
    if b"\\u003" in text or text.count(b":") != msgspec.json.encode(value).count(b":"):
        try:
            json.loads(text, object_pairs_hook=unique_members)
        except RVHError as error:
            raise RVHError(f"{source}: {error}") from None
    let_others_run()
    return value


def _read_slowly(source: str, data: bytes) -> Any:
    """Raise the error about bytes that are not JSON, with the place.

    What Python can read all the same has a number that no double holds: its path says more.
    """
    if not data.strip():
        raise RVHError(f"{source} is empty: a list of nodes has at least one")
    text = decoded(source, data)  # has an error of its own for other encodings
    if text.lstrip().startswith("<"):
        raise RVHError(f"{source} is HTML or XML, and not JSON: it begins {show(text[:40])}")
    try:
        return json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=unique_members)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}: {error.msg}"
        raise RVHError(f"{source} is not JSON, or is cut off: {where}") from None
    except RecursionError:
        raise RVHError(f"{source} is nested too deeply to be a list of nodes") from None
    except RVHError as error:
        raise RVHError(f"{source} is not JSON: {error}") from None
    except ValueError as error:  # an integer of more digits than Python reads
        raise RVHError(f"{source} has a number that is too long: {error}") from None


def _refuse_constant(name: str) -> None:
    raise RVHError(f"it has {name}, which is not a number")


def _toml(source: str, data: bytes) -> Any:
    import tomllib

    try:
        return tomllib.loads(decoded(source, data))
    except (ValueError, RecursionError) as error:  # also of 5,000 digits, which it does not check
        raise RVHError(f"{source} is not TOML that can be read: {error}") from None


def _yaml(source: str, data: bytes) -> Any:
    try:
        import yaml
    except ImportError:
        raise RVHError(
            f"{source} is YAML, which needs PyYAML: pip install 'rvh[yaml]', or write it as JSON"
        ) from None

    class Strict(yaml.SafeLoader):  # type: ignore[misc]  # PyYAML has no types
        """Refuses members that are there twice, and aliases, which can stand for billions."""

        def compose_node(self, parent: Any, index: Any) -> Any:
            if self.check_event(yaml.AliasEvent):
                raise RVHError("it has an alias (*): write the value out")
            return super().compose_node(parent, index)

    def mapping(loader: Any, node: Any) -> Any:
        made = loader.construct_object
        return unique_members([(made(name, True), made(value, True)) for name, value in node.value])

    Strict.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, mapping)
    try:
        return yaml.load(decoded(source, data), Strict)  # it is a SafeLoader
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise RVHError(f"{source} is not YAML: {where}{getattr(error, 'problem', error)}") from None
    except Exception as error:  # what PyYAML makes values by fails in many ways: `!!timestamp x`
        raise RVHError(f"{source} is not YAML that can be read: {error}") from None


def _delimited(reader: Any, delimiter: str) -> Callable[[str, bytes], Any]:
    def read(source: str, data: bytes) -> Any:
        text = decoded(source, data)
        try:
            header = next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), [])
        except csv.Error as error:
            raise RVHError(f"{source}: the header cannot be read: {error}") from None
        known = {name: name for name in header if name in FIELDS or name.startswith("labels.")}
        for name in header:
            if name not in known:
                raise RVHError(
                    f"{source}: the column {show(name)} is not known: there are "
                    f"{', '.join(FIELDS[:-1])}, and labels.NAME for anything else"
                )
        known.pop("id", None)
        columns = Columns(source, "id", None, known)
        return [_row(entry.node, known, entry.values) for entry in reader(source, text, columns)]

    return read


def _row(node: object, names: dict[str, str], values: tuple[object, ...]) -> dict[str, Any]:
    row: dict[str, Any] = {"id": node}
    for name, value in zip(names, map(str, values), strict=True):
        if not value:
            continue  # CSV has no other way to say that a value is missing
        field, _, label = name.partition(".")
        if field == "labels":
            row.setdefault("labels", {})[label] = value
        else:
            row[field] = as_number(value) if field in NUMBERS else value
    return row


#: the formats of documents, and what makes objects of their bytes
FORMATS: dict[str, Callable[[str, bytes], Any]] = {
    "json": _json,
    "toml": _toml,
    "yaml": _yaml,
    "csv": _delimited(read_csv, ","),
    "tsv": _delimited(read_tsv, "\t"),
}
