"""The options that say what puts keys on nodes, as one function from keys to nodes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import typer
from numpy.typing import NDArray

from rvh.cli.nodes import read_nodes
from rvh.cli.options import Algorithm, Scheme, read_secret
from rvh.nodes import NodeSet

#: of --algorithm table
PARTITIONS = 65536


class Placement(NamedTuple):
    """Nodes, and what puts keys on them.

    Parameters
    ----------
    ids : list of str
        The node ids, in the order of the node list.
    positions : callable
        Keys of any kind in `rvh.keys.KINDS` to an array of shape (keys, k): the positions in
        `ids` of the nodes of each, best first.
    node_set : NodeSet or None
        What ranks the nodes, where each key asks for that; None where it does not.
    """

    ids: list[str]
    positions: Callable[[Any], NDArray[np.intp]]
    node_set: NodeSet | None


def placement(
    nodes: str,
    k: int,
    *,
    algorithm: Algorithm,
    scheme: Scheme,
    partitions: int | None,
    node_column: str | None,
    weight_column: str | None,
    secret_file: Path | None,
    bare_path: bool = False,
    threads: int | None = None,
) -> Placement:
    """What the options ask for; each is that of the command line.

    Raises
    ------
    typer.BadParameter
        Options that do not go together, before any file is read.
    RVHError
        Nodes, weights or a secret that cannot be used, `k` or `partitions` out of range.
    """
    _refuse_conflicts(algorithm, scheme, partitions, weight_column, secret_file)
    secret = read_secret(secret_file)
    ids, weights, _ = read_nodes(nodes, node_column, weight_column, bare_path=bare_path)
    if algorithm is Algorithm.JUMP:
        from rvh.stable import StableSelector  # here and below: only who asks for it pays

        selector = StableSelector(ids)
        selector.argselect_batch([], k)  # refuses a wrong k
        return Placement(ids, lambda keys: selector.argselect_batch(keys, k, threads=threads), None)
    node_set = NodeSet(ids, weights=weights, scheme=scheme.value, secret=secret)
    if algorithm is Algorithm.TABLE:
        from rvh.partitions import PartitionTable

        count = PARTITIONS if partitions is None else partitions
        table = PartitionTable(node_set, count, k, threads=threads)
        return Placement(ids, lambda keys: table.arglookup_batch(keys, threads=threads), None)
    node_set.argselect_batch([], k)
    return Placement(ids, lambda keys: node_set.argselect_batch(keys, k, threads=threads), node_set)


def _refuse_conflicts(
    algorithm: Algorithm,
    scheme: Scheme,
    partitions: int | None,
    weight_column: str | None,
    secret_file: Path | None,
) -> None:
    """An option that would change nothing is refused: who gives it expects that it does."""
    if algorithm is Algorithm.JUMP:
        for option, given, why in (
            ("--scheme", scheme is not Scheme.BLAKE2B, "ranks no nodes, so it has no scheme"),
            ("--weight-column", weight_column is not None, "gives every node the same share"),
            ("--secret-file", secret_file is not None, "has no secret"),
        ):
            if given:
                raise typer.BadParameter(
                    f"--algorithm jump {why}: leave {option} away, or use rendezvous or table",
                    param_hint=option,
                )
    if partitions is not None and algorithm is not Algorithm.TABLE:
        raise typer.BadParameter(
            f"--algorithm {algorithm} has no partitions: leave it away, or use --algorithm table",
            param_hint="--partitions",
        )
    if secret_file is not None and scheme is Scheme.MURMUR:
        raise typer.BadParameter(
            "--scheme murmur has no secret and is no defence against chosen keys: leave it away, "
            "or use --scheme blake2b",
            param_hint="--secret-file",
        )
