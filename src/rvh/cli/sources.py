"""Sources in --nodes: the nodes of a registry or a database at this moment, as a node list."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote, urlsplit

from rvh._nodelist.columns import Columns, no_column
from rvh._nodelist.entries import Entry
from rvh._nodelist.values import Untyped
from rvh.errors import RVHError, show

if TYPE_CHECKING:
    from rvh.membership import NodeMeta, Snapshot

#: the schemes of `rvh.membership.sources.SCHEMES`, to which a test holds them: to tell a list from
#: a source must not load what only sources need
SCHEMES = (
    *("file", "k8s", "srv", "dns", "http", "https", "etcd", "etcds", "redis", "rediss"),
    *("zk", "consul", "consuls"),
)
SOURCE = re.compile(rf"({'|'.join(SCHEMES)})://")
#: a server and nothing else: such URLs with commas between are a list of ids
SERVER = re.compile(r"[a-z][a-z0-9+.-]*://[^/?#@]+/?")


#: what to say of a URL of another scheme
NO_SOURCE = f"is not a source: there are {', '.join(SCHEMES)}"


class Taken(NamedTuple):
    """A snapshot that was taken of a source.

    Parameters
    ----------
    name : str
        The source, without secrets.
    snapshot : Snapshot
    epoch : int or None
        The source's own number of it.
    """

    name: str
    snapshot: Snapshot
    epoch: int | None

    @property
    def is_weighted(self) -> bool:
        """Whether the nodes have weights."""
        return self.snapshot.nodes.weights is not None

    def note(self, weight_column: str | None) -> str:
        """What to say of it, since nobody sees the nodes."""
        chosen, members = len(self.snapshot.nodes), len(self.snapshot.members)
        count = f"{chosen} of {members}" if chosen < members else f"{members}"
        epoch = "" if self.epoch is None else f" (epoch {self.epoch})"
        weights = "without weights"
        if weight_column is not None:
            weights = "weighted" if weight_column == "weight" else f"weighted by {weight_column}"
        return f"{count} node{'s' * (members != 1)} of {self.name}{epoch}, {weights}"


def source_url(text: str, is_alone: bool) -> str | None:
    """The URL of the source that a value of --nodes names; None for a list or a file.

    Raises
    ------
    RVHError
        It may be a source or a node. The message shows no more of it than the scheme, for the
        rest may be secret.

    Examples
    --------
    >>> source_url("redis://db/0?key=nodes", is_alone=True)
    'redis://db/0?key=nodes'
    >>> source_url("@etcd://a,b/nodes", is_alone=False)
    'etcd://a,b/nodes'
    >>> source_url("http://a:80,http://b:80", is_alone=True)
    """
    if text.startswith("@"):
        return text[1:] if SOURCE.match(text[1:]) else None
    scheme = SOURCE.match(text)
    if scheme is None:
        return None
    entries = text.split(",")
    if is_alone and len(entries) == 1:
        return text
    if len(entries) > 1 and all(map(SERVER.fullmatch, entries)):
        return None
    begin = f"{scheme[0]}..."
    why = "has a comma in it" if len(entries) > 1 else "is not alone"
    raise RVHError(
        f"--nodes {begin} {why}, so it could be a source or a node of that name: write --nodes "
        f"@{begin} for the nodes of the source, or JSON, --nodes {_as_json(begin)}"
        ", for a node"
    )


def no_source(text: str) -> str | None:
    """The scheme of a URL that is no source's; None for all else. The rest may be secret.

    Examples
    --------
    >>> no_source("redsi://user:password@db/0"), no_source("redis://db/0"), no_source("alpha")
    ('redsi://', None, None)
    """
    scheme = re.match(r"[a-z][a-z0-9+.-]*://", text)
    return None if scheme is None or SOURCE.match(text) else scheme[0]


def _as_json(node: str) -> str:
    return shlex.quote(json.dumps([node]))


def path_of(url: str) -> str | None:
    """The path of the file that a source reads, if it is one."""
    return unquote(urlsplit(url).path) if url.startswith("file://") else None


def take(text: str, url: str, is_weighing: bool) -> Taken:
    """Take the snapshot of a source.

    Parameters
    ----------
    text, url : str
        The value of --nodes, and the URL in it.
    is_weighing : bool
        Whether the weights that the nodes have count.
    """
    from rvh.membership import given_weights, open_source, take_snapshot
    from rvh.membership.listening import read_state

    source = open_source(url)
    try:
        state = read_state(source)
    except RVHError as error:
        if text == url and SERVER.fullmatch(url):
            raise RVHError(
                f"{error}; for a node of that name write JSON, --nodes {_as_json(url)}"
            ) from None
        raise
    try:
        snapshot = take_snapshot(
            state.nodes, weigh=given_weights if is_weighing else lambda nodes: None
        )
    except RVHError as error:
        raise RVHError(f"{source.name}: {error}") from None
    return Taken(source.name, snapshot, state.version)


def entries(taken: Taken, columns: Columns) -> Iterator[Entry]:
    """Make entries of the nodes that keys are placed on; fields and labels are their columns."""
    nodes = [taken.snapshot[node] for node in taken.snapshot.nodes]
    rows = [_columns(node) for node in nodes]
    known = {name: None for row in rows for name in row}
    for name in columns.others:
        if name not in known:
            raise no_column(taken.name, name, known)
    for node, row in zip(nodes, rows, strict=True):
        values = tuple(row.get(name) for name in columns.others)
        yield Entry(node.id, taken.name, f"node {show(node.id)}", values)


def _columns(node: NodeMeta) -> dict[str, object]:
    """What a node has, by the names of columns. A label may stand for a number."""
    fields = node.__struct_fields__[:-1]
    row = {name: getattr(node, name) for name in fields}
    row["status"] = node.status.value
    row = {name: value for name, value in row.items() if value is not None}
    for name, value in node.labels.items():
        if name not in fields:
            row[name] = Untyped(value)
        row[f"labels.{name}"] = Untyped(value)
    return row
