"""``rvh nodes``: the nodes of a source, at this moment."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rvh.cli.exits import emit, say
from rvh.cli.outputs import width
from rvh.cli.weighing import NodeSetOptions, Timeout, refuse_no_source
from rvh.errors import RVHError

if TYPE_CHECKING:
    from rvh.membership import NodeMeta, Snapshot, Source

SourceName = Annotated[
    str,
    typer.Argument(
        metavar="SOURCE",
        help="A URL that starts with redis://, etcd://, k8s://, srv://, dns://, http://, zk:// or "
        "consul://, or the path of a file.",
    ),
]


def nodes(
    source: SourceName,
    *,
    as_json: Annotated[
        bool,
        typer.Option("--json", help="Print one JSON object, which rvh nodes can read as a SOURCE."),
    ] = False,
    accept: Annotated[
        bool,
        typer.Option(
            "--accept",
            help="Accept the printed nodes for every membership that follows SOURCE, even if a "
            "guard holds them back.",
        ),
    ] = False,
    node_set: NodeSetOptions,
    timeout: Timeout = 10.0,
) -> None:
    """Print the nodes of a source and their attributes.

    \b
    Examples:
      rvh nodes redis://cache.example/0?key=nodes
      rvh nodes k8s://default/cache --json
      rvh nodes nodes.yaml --accept

    The number of nodes, the epoch, the fingerprint and the digest go to stderr. To read a file
    named publish, write ./publish.
    """
    refuse_no_source(source, "SOURCE")
    options = node_set.node_set()

    from rvh.membership import open_source, take_snapshot
    from rvh.membership.listening import read_state

    origin = open_source(source)
    if accept:
        refuse_no_accept(origin)
    state = read_state(origin, timeout)
    try:
        snapshot = take_snapshot(state.nodes, **options)
    except RVHError as error:
        raise RVHError(f"{origin.name}: {error}") from None
    members = weighed(snapshot) if node_set.weigh else snapshot.members
    emit(document(members, state.version) if as_json else table(members))
    say(f"{origin.name}: {facts(snapshot, state.version)}, digest {snapshot.digest}")
    if accept:
        import asyncio  # imported only where it is needed, as in select

        asyncio.run(origin.accept(snapshot.digest))  # type: ignore[attr-defined]
        say(
            f"every membership of {origin.name} accepts this state from now on, even if a guard "
            "holds it back"
        )


def facts(snapshot: Snapshot, version: int | None) -> str:
    """What there is to say of a snapshot, on one line; the epoch where the source counts."""
    members, selectable = len(snapshot.members), len(snapshot.nodes)
    epoch = "" if version is None else f"epoch {version}, "
    return (
        f"{members} node{'s' * (members != 1)}, {selectable} selectable, {epoch}"
        f"fingerprint {snapshot.fingerprint}"
    )


def refuse_no_accept(source: Source) -> None:
    """Refuse a source in which nothing can be left for memberships to find."""
    if not hasattr(source, "accept"):
        raise RVHError(
            f"{source.name} cannot be written, so nothing can be accepted there: call "
            "membership.accept() in each process that holds the change back, or start it anew. "
            "Files, etcd, Redis and ZooKeeper can be written"
        )


def weighed(snapshot: Snapshot) -> list[NodeMeta]:
    """The members, each with the weight that it has in the snapshot's node set."""
    from msgspec.structs import replace

    weights = snapshot._kept.weights
    made = {} if weights is None else dict(zip(snapshot._kept, weights.tolist(), strict=True))
    return [replace(node, weight=made.get(node.id)) for node in snapshot.members]


def document(members: Any, version: int | None) -> str:
    """The JSON of a document: the epoch, where the source counts, and the nodes."""
    import msgspec

    rows = []
    for node in members:
        known = msgspec.to_builtins(node)
        rows.append({"id": known.pop("id"), "status": node.status.value, **known})
    epoch = {} if version is None else {"epoch": version}
    return json.dumps({**epoch, "nodes": rows}, ensure_ascii=False)


def table(members: Any) -> str:
    """A table for people: the id, the status, and each column that some node has."""
    rows = [_cells(node) for node in members]
    columns = dict.fromkeys(("id", "status", *_fields()))
    columns.update(dict.fromkeys(sorted({name for row in rows for name in row})))
    names = [name for name in columns if any(name in row for row in rows)]
    lines = [names, *([row.get(name, "-") for name in names] for row in rows)]
    widths = [max(map(width, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(
            cell + " " * (wide - width(cell)) for cell, wide in zip(line, widths, strict=True)
        ).rstrip()
        for line in lines
    )


def _fields() -> tuple[str, ...]:
    from rvh.membership import NodeMeta

    return NodeMeta.__struct_fields__[:-1]  # labels are columns of their own


def _cells(node: NodeMeta) -> dict[str, str]:
    known = {name: getattr(node, name) for name in _fields()}
    known.update({f"labels.{name}": value for name, value in node.labels.items()})
    return {name: _shown(value) for name, value in known.items() if value is not None}


def _shown(value: object) -> str:
    """A value on one line: what would break it, or hide in it, is escaped."""
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return text if text.isprintable() else json.dumps(text)
