"""The options --where and --dead: the nodes of the list that may be chosen."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rvh._nodelist.entries import NodeList
from rvh._nodelist.values import Untyped, as_number, shown
from rvh.cli.nodes import read_nodes
from rvh.errors import RVHError, show
from rvh.filter import Filter, alive, capacity, label
from rvh.nodes import NodeSet

CONDITION = re.compile(r"(?P<name>[^=!<>]+?)(?:(?P<sign>=|!=|>=)(?P<value>.+))?")
TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


class Condition(NamedTuple):
    """The condition of one ``--where`` on a column, and the function that reads its values."""

    name: str
    holds: Filter
    read: Callable[[object], object]


def parse(text: str) -> Condition:
    """Read ``NAME``, ``NAME=PATTERN|PATTERN``, ``NAME!=PATTERN`` or ``NAME>=NUMBER``.

    Examples
    --------
    >>> parse("zone=eu-*|us-1").holds
    zone('eu-*', 'us-1')
    """
    parts = CONDITION.fullmatch(text)
    if parts is None:
        raise RVHError(
            f"--where {text!r} is not a condition: write NAME=PATTERN, NAME!=PATTERN, "
            "NAME>=NUMBER, or NAME alone for a column of true and false"
        )
    name, sign, value = parts["name"], parts["sign"], parts["value"]
    if sign is not None and value[0] in "=<>":
        # A sign of another language: as a pattern it would match no node, or with != every one.
        raise RVHError(
            f"--where {text!r}: {show(value)} begins with {value[0]!r}: write NAME=PATTERN, "
            f"NAME!=PATTERN or NAME>=NUMBER, and [{value[0]}] for that character in a pattern"
        )
    if sign is None:
        return Condition(name, alive(name), _truth)
    if sign == ">=":
        number = as_number(value)
        if isinstance(number, str):
            raise RVHError(f"--where {text!r}: {show(value)} is not a number")
        return Condition(name, capacity(number, name), _number)
    matches = label(name, *value.split("|"))
    return Condition(name, ~matches if sign == "!=" else matches, _label)


def usable(
    listed: NodeList,
    conditions: list[Condition],
    dead: Sequence[str],
) -> NDArray[np.bool_]:
    """Mark the nodes that meet all conditions and are not dead, shape (N,).

    Raises
    ------
    RVHError
        A value that a condition cannot read, a dead node that is not in the list, no node left.
    """
    ids = listed.ids
    mask = np.ones(len(ids), dtype=np.bool_)
    nodes = NodeSet(ids, scheme="murmur")
    for name, holds, read in conditions:
        values = []
        for node, value in zip(ids, listed.attributes[name], strict=True):
            try:
                values.append(read(value))
            except RVHError as error:
                what = f"the {name!r} value of node {show(node)}"
                raise RVHError(f"--where: {what} is {shown(value)}, {error}") from None
        mask &= holds(nodes, {name: values})
    if dead:
        places = {node: place for place, node in enumerate(ids)}
        for node in read_nodes(dead, option="--dead").ids:
            if node in listed.absent:
                continue  # its source has said so already
            if node not in places:
                raise RVHError(f"--dead names {show(node)}, which is not in the list of nodes")
            mask[places[node]] = False
    if not mask.any():
        raise RVHError(
            f"none of {len(ids)} nodes is left by --where and --dead: there is nothing to choose"
        )
    return mask


def labels(values: list[object]) -> list[Any]:
    """A column of labels as domains take them: text, whole numbers as they are."""
    return [str(value) if isinstance(value, Untyped) else value for value in values]


def domain(ids: list[str], name: str, values: list[object]) -> list[Any]:
    """A column as `labels`, one for each node: those without one would all be in one domain."""
    for node, value in zip(ids, values, strict=True):
        if value is None or (isinstance(value, Untyped) and not value):
            what = f"the {name!r} label of node {show(node)}"
            raise RVHError(f"--spread: {what} is {shown(value)}: every node needs one")
    return labels(values)


# The functions below raise the end of a sentence that begins with the node and its value.


def _truth(value: object) -> bool:
    truth = TRUTH.get(value.lower()) if isinstance(value, Untyped) else value
    if not isinstance(truth, bool):
        raise RVHError(
            f"neither true nor false: those are {', '.join(TRUTH)} in CSV and TSV, elsewhere a "
            "boolean"
        )
    return truth


def _number(value: object) -> float | None:
    if value is None or (isinstance(value, Untyped) and not value):
        return None
    number = as_number(value) if isinstance(value, Untyped) else value
    if not isinstance(number, (bool, str, bytes)) and hasattr(type(number), "__float__"):
        with suppress(OverflowError):
            return float(number)  # type: ignore[arg-type]  # it has __float__
    raise RVHError(
        "not a number: one is decimal digits in CSV and TSV, such as 8, 0.5 or 1e3, elsewhere a "
        "number that fits a double"
    )


def _label(value: object) -> str | bytes | None:
    """A value that a pattern can match: patterns are text, so whole numbers become digits."""
    if isinstance(value, (int, np.integer)) and not isinstance(value, bool):
        return str(value)
    if value is None or isinstance(value, (str, bytes)):
        return value
    raise RVHError("neither text nor a whole number: a pattern matches nothing else")
