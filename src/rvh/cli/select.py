"""``rvh select``: the nodes of one key."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Annotated, Any

import typer

import rvh
from rvh.cli.nodes import read_nodes
from rvh.cli.options import Count, NodeColumn, Nodes, SecretFile, read_secret, whole_number


class KeyType(StrEnum):
    """What the key on the command line is."""

    TEXT = "text"
    INT = "int"


def select(
    nodes: Nodes,
    key: Annotated[str, typer.Option("--key", "-k", "--name", help="The key.")],
    k: Count = 1,
    key_type: Annotated[
        KeyType, typer.Option(help="int: the key is a whole number, placed as an integer.")
    ] = KeyType.TEXT,
    scores: Annotated[
        bool, typer.Option("--scores", help="Print the scores too: node, tab, 128-bit score.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON; a score is a string of digits in it.")
    ] = False,
    use_async: Annotated[
        bool, typer.Option("--async", help="Ask through the asyncio call (the same answer).")
    ] = False,
    secret_file: SecretFile = None,
    node_column: NodeColumn = None,
) -> None:
    """Print the nodes of one key, best first.

    \b
    Examples:
      rvh select --nodes node1,node2,node3 --key obj --k 2
      rvh select -n @nodes.csv -k txn-42 -c 3 --json
      rvh select -n alpha,beta,gamma -k 42 --key-type int --scores
    """
    value = _key(key, key_type)
    node_set = rvh.NodeSet(read_nodes(nodes, node_column), secret=read_secret(secret_file))
    chosen = _chosen(node_set, value, k, use_async)
    if scores:
        by_node = dict(rvh.rendezvous_scores(node_set, value))
        ranked = [(node, str(by_node[node])) for node in chosen]
        if as_json:
            typer.echo(json.dumps([{"node": node, "score": score} for node, score in ranked]))
        else:
            for line in ranked:
                typer.echo("\t".join(line))
    else:
        typer.echo(json.dumps(chosen) if as_json else chosen)


def _key(text: str, key_type: KeyType) -> str | int:
    if key_type is KeyType.TEXT:
        return text
    try:
        return whole_number(text)
    except rvh.RVHError as error:
        raise typer.BadParameter(str(error), param_hint="--key") from None


def _chosen(node_set: rvh.NodeSet, key: str | int, k: int, use_async: bool) -> list[Any]:
    if not use_async:
        return rvh.rendezvous_hash(node_set, key, k)
    import asyncio  # only where it is asked for: it doubles the start-up time

    return asyncio.run(rvh.arendezvous_hash(node_set, key, k))
