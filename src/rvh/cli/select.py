"""``rvh select``: the nodes of one key."""

from __future__ import annotations

import json
import re
from enum import StrEnum
from typing import Annotated, Any

import typer

import rvh
from rvh.cli.exits import emit, say
from rvh.cli.options import (
    Algorithm,
    ConstraintOptions,
    Count,
    MethodOptions,
    NodeFileOptions,
    Nodes,
    PlacementOptions,
    Precision,
    Scheme,
    SchemeName,
    WeightColumn,
)
from rvh.cli.placement import placement
from rvh.cli.values import refuse_no_text, whole_number
from rvh.errors import show
from rvh.keys import key_bytes


class KeyType(StrEnum):
    """The type of the key on the command line."""

    TEXT = "text"
    INT = "int"


def select(
    nodes: Nodes,
    key: Annotated[
        str,
        typer.Option(
            "--key", "-k", "--name", metavar="KEY", help="The key (-c is how many nodes)."
        ),
    ],
    *,
    k: Count = 1,
    key_type: Annotated[
        KeyType,
        typer.Option(
            metavar="|".join(KeyType),
            help="How to read the key. int: a whole number, placed as an integer.",
        ),
    ] = KeyType.TEXT,
    scores: Annotated[
        bool,
        typer.Option("--scores", help="Print a line for each node: the node, a tab and its score."),
    ] = False,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json",
            help="Print JSON. A score is a string of digits; with weights, a number.",
        ),
    ] = False,
    use_async: Annotated[
        bool, typer.Option("--async", help="Use the asyncio function; the answer is the same.")
    ] = False,
    scheme: SchemeName = Scheme.BLAKE2B,
    weight_column: WeightColumn = None,
    method: MethodOptions,
    node_file: NodeFileOptions,
    constraints: ConstraintOptions,
    at: Annotated[
        str | None, typer.Option("--at", metavar="GEOHASH", help="The geohash of the key.")
    ] = None,
    precision: Precision = None,
) -> None:
    """Print the nodes of one key, best first.

    \b
    Examples:
      rvh select --nodes node1,node2,node3 --key obj -c 2
      rvh select -n @nodes.csv --weight-column weight -k txn-42 -c 3 --json
      rvh select -n alpha,beta,gamma -k 42 --key-type int --scores
    """
    if method.algorithm is not Algorithm.RENDEZVOUS:
        for option, given in (("--scores", scores), ("--async", use_async)):
            if given:
                raise typer.BadParameter(
                    f"only --algorithm rendezvous has this, not {method.algorithm}",
                    param_hint=option,
                )
    if constraints.node_geohash is not None and at is None:
        raise typer.BadParameter(
            "give the geohash of the key: --at GEOHASH", param_hint="--node-geohash"
        )
    value = _key(key, key_type)
    placed = placement(
        PlacementOptions(
            nodes=nodes,
            k=k,
            scheme=scheme,
            weight_column=weight_column,
            precision=precision,
            method=method,
            node_file=node_file,
            constraints=constraints,
            text_keys=key_type is KeyType.TEXT,
            key_place=None if at is None else "--at",
        )
    )
    placed.check(value)
    if at is not None:
        from rvh.cli.geohashes import refuse_no_geohash  # imported only where it is needed

        refuse_no_geohash(at, "--at")
    by_rank = not constraints.spread and constraints.node_geohash is None
    if placed.node_set is not None and use_async and by_rank:
        import asyncio  # imported only where it is needed: it doubles the start-up time

        chosen = asyncio.run(rvh.arendezvous_hash(placed.node_set, value, k))
    else:
        places = () if at is None else ([at],)
        chosen = [placed.ids[n] for n in placed.positions([value], *places)[0].tolist()]
    if note := placed.note():
        say(note)
    if placed.node_set is not None and scores:
        _print_scores(chosen, dict(placed.node_set.scores(value)), as_json)
    else:
        emit(json.dumps(chosen) if as_json else str(chosen))


def _print_scores(chosen: list[str], scores: dict[Any, int | float], as_json: bool) -> None:
    """Print the nodes with their scores.

    Integers are text in JSON: its readers lose digits of them, and none of a double.
    """
    if as_json:
        ranked = [(node, scores[node]) for node in chosen]
        rows = [{"node": n, "score": s if isinstance(s, float) else str(s)} for n, s in ranked]
        emit(json.dumps(rows))
        return
    for node in chosen:
        if re.search("[\t\r\n]", node):
            raise rvh.RVHError(
                f"node id {show(node)} has a tab or line break, which the lines of --scores cannot "
                "hold: add --json"
            )
    emit("\n".join(f"{node}\t{scores[node]!r}" for node in chosen))


def _key(text: str, key_type: KeyType) -> str | int:
    refuse_no_text(text, "--key")
    value: str | int = text
    if key_type is KeyType.INT:
        try:
            value = whole_number(text)
        except rvh.RVHError as error:
            raise typer.BadParameter(str(error), param_hint="--key") from None
    key_bytes(value)  # refuses a value that is no key, in the words for a single one
    return value
