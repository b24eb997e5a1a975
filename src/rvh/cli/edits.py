"""The options --add, --remove and --set-weight: a list of nodes, changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

import typer

from rvh._arguments.weights import WEIGHT_MAX, WEIGHT_MIN
from rvh._nodelist.entries import NodeList
from rvh._nodelist.values import as_number
from rvh.cli.nodes import read_nodes
from rvh.errors import RVHError, show


@dataclass(frozen=True, kw_only=True)
class EditOptions:
    """The changes to the nodes of the second placement."""

    add: Annotated[
        list[str],
        typer.Option(
            "--add",
            metavar="ID[=WEIGHT]",
            help="Add a node after the others, with its weight if the nodes have weights. Several: "
            "repeat the option or separate them by commas.",
        ),
    ] = field(default_factory=list)
    remove: Annotated[
        list[str],
        typer.Option(
            "--remove",
            metavar="LIST|@FILE",
            help="Remove these nodes; written as for --dead. May be repeated.",
        ),
    ] = field(default_factory=list)
    set_weight: Annotated[
        list[str],
        typer.Option(
            "--set-weight",
            metavar="ID=WEIGHT",
            help="Give a node another weight. If nodes have no weights, the others weigh 1. May be "
            "repeated.",
        ),
    ] = field(default_factory=list)

    def __bool__(self) -> bool:
        """Whether anything changes."""
        return bool(self.add or self.remove or self.set_weight)

    def edited(self, nodes: NodeList) -> NodeList:
        """Change a list: remove, then set weights, then add at the end.

        Raises
        ------
        RVHError
            A node that is added and there already, or named and not there; a wrong weight, or none
            for a node beside others that have one; no node left.

        Examples
        --------
        >>> nodes = NodeList(["a", "b", "c"], [1.0, 1.0, 2.0], {})
        >>> EditOptions(add=["d=4"], remove=["a"], set_weight=["b=3"]).edited(nodes)[:2]
        (['b', 'c', 'd'], [3.0, 2.0, 4.0])
        """
        gone = read_nodes(self.remove, option="--remove").ids if self.remove else []
        for node in gone:
            _refuse_unknown(node, nodes.ids, "--remove")
        weights = dict(zip(nodes.ids, nodes.weights or [], strict=False))
        kept = [node for node in nodes.ids if node not in gone]
        for text in self.set_weight:
            node, weight = _with_weight(text, "--set-weight")
            _refuse_unknown(node, kept, "--set-weight")
            if weight is None:
                raise RVHError(f"--set-weight {text} has no weight: write --set-weight ID=WEIGHT")
            weights[node] = weight
        came = []
        for text in read_nodes(self.add, option="--add").ids if self.add else []:
            node, weight = _with_weight(text, "--add")
            if node in kept or node in came:
                raise RVHError(f"--add names {show(node)}, which is in the list of nodes already")
            came.append(node)
            if weight is not None:
                weights[node] = weight
            elif nodes.weights is not None:
                raise RVHError(
                    f"--add {node} has no weight, but the other nodes have one: write {node}=1"
                )
        ids = [*kept, *came]
        if not ids:
            raise RVHError("--remove leaves no node: there is nothing to place keys on")
        at = {node: place for place, node in enumerate(nodes.ids)}
        attributes: dict[str, list[Any]] = {
            name: [values[at[node]] if node in at else None for node in ids]
            for name, values in nodes.attributes.items()
        }
        return nodes._replace(
            ids=ids,
            weights=[weights.get(node, 1.0) for node in ids] if weights else None,
            attributes=attributes,
        )


def _refuse_unknown(node: str, ids: Sequence[str], option: str) -> None:
    if node not in ids:
        raise RVHError(f"{option} names {show(node)}, which is not in the list of nodes")


def _with_weight(text: str, option: str) -> tuple[str, float | None]:
    """Read ``ID=WEIGHT``; what follows the last = is a weight wherever it is a number."""
    node, sign, digits = text.rpartition("=")
    number = as_number(digits)
    if not sign or isinstance(number, str):
        if sign and option == "--set-weight":
            raise RVHError(f"{option} {text}: {show(digits)} is not a number")
        return text, None
    if not node:
        raise RVHError(f"{option} {text} names no node: write ID=WEIGHT")
    if number != 0 and not WEIGHT_MIN <= number <= WEIGHT_MAX:
        raise RVHError(
            f"{option} {text}: a weight is a number, 0 (never selected) or from 2^-1016 to 2^970"
        )
    return node, number
