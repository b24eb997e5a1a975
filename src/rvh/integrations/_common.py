"""The work that all integrations share: the import that fails, nodes prepared once, their ids."""

from __future__ import annotations

from typing import Any

from numpy.typing import ArrayLike

from rvh.nodes import NodeSet, as_node_set


def missing(engine: str) -> ImportError:
    """The error about an engine that cannot be imported."""
    return ImportError(
        f"rvh.integrations.{engine} needs {engine}, which cannot be imported: "
        f"pip install 'rvh[{engine}]'",
        name=engine,
    )


def prepare(
    nodes: Any,
    k: int,
    weights: ArrayLike | None,
    scheme: str | None,
    secret: bytes | None,
) -> tuple[NodeSet, int]:
    """Make the NodeSet, and check `k` against it: now, not at the first row of a query."""
    node_set = as_node_set(nodes, weights, scheme, secret)
    return node_set, node_set._ranking.check_k(k)


def column_ids(node_set: NodeSet) -> list[str] | list[bytes]:
    """The ids as values of one type: str, or where one of them is bytes, all as bytes."""
    ids = list(node_set)
    if all(isinstance(node, str) for node in ids):
        return ids
    return [node.encode() if isinstance(node, str) else node for node in ids]
