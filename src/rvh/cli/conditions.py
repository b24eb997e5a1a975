"""``--where`` and ``--dead``: which nodes of the list are left to choose from."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rvh.cli.nodes import Written, read_nodes, written_number
from rvh.errors import RVHError, show
from rvh.filter import Filter, alive, capacity, label
from rvh.nodes import NodeSet

CONDITION = re.compile(r"(?P<name>[^=!<>]+?)(?:(?P<sign>=|!=|>=)(?P<value>.+))?")
TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


class Condition(NamedTuple):
    """What one ``--where`` asks of a column, and how its values are read."""

    name: str
    holds: Filter
    read: Callable[[object], object]


def parse(text: str) -> Condition:
    """``NAME``, ``NAME=PATTERN|PATTERN``, ``NAME!=PATTERN`` or ``NAME>=NUMBER``.

    Examples
    --------
    >>> parse("zone=eu-*|us-1").holds
    zone('eu-*', 'us-1')
    """
    found = CONDITION.fullmatch(text)
    if found is None:
        raise RVHError(
            f"--where {text!r} is no condition: write NAME=PATTERN, NAME!=PATTERN, NAME>=NUMBER, "
            "or NAME alone for a column of true and false"
        )
    name, sign, value = found["name"], found["sign"], found["value"]
    if sign is None:
        return Condition(name, alive(name), _truth)
    if sign == ">=":
        number = written_number(value)
        if isinstance(number, str):
            raise RVHError(f"--where {text!r}: {show(value)} is not a number")
        return Condition(name, capacity(number, name), _number)
    matches = label(name, *value.split("|"))
    return Condition(name, ~matches if sign == "!=" else matches, _label)


def left(
    ids: list[str],
    attributes: dict[str, list[object]],
    conditions: list[Condition],
    dead: str | None,
) -> NDArray[np.bool_]:
    """Which nodes meet all conditions and are not dead, shape (N,).

    Raises
    ------
    RVHError
        A value that a condition cannot read, a dead node that is not in the list, nobody left.
    """
    mask = np.ones(len(ids), dtype=np.bool_)
    nodes = NodeSet(ids, scheme="murmur")
    for name, holds, read in conditions:
        try:
            mask &= holds(nodes, {name: [read(value) for value in attributes[name]]})
        except RVHError as error:
            raise RVHError(f"--where: {error}") from None
    if dead is not None:
        places = {node: place for place, node in enumerate(ids)}
        for node in read_nodes(dead).ids:
            if node not in places:
                raise RVHError(f"--dead names {show(node)}, which is not in the list of nodes")
            mask[places[node]] = False
    if not mask.any():
        raise RVHError(
            f"none of {len(ids)} nodes is left by --where and --dead: there is nothing to choose"
        )
    return mask


def labels(values: list[object]) -> list[Any]:
    """A column of labels as domains take it: text, whole numbers as they are."""
    return [str(value) if isinstance(value, Written) else value for value in values]


def _truth(value: object) -> object:
    return TRUTH.get(value.lower(), value) if isinstance(value, Written) else value


def _number(value: object) -> object:
    if isinstance(value, Written):
        return written_number(value) if value else None
    return value


def _label(value: object) -> object:
    """Patterns are text, so whole numbers are their digits."""
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    return str(value) if whole or isinstance(value, Written) else value
