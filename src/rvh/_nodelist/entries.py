"""Entries of a node list, and the list that they make: ids that are unique, weights, attributes."""

from __future__ import annotations

import math
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rvh._arguments.weights import WEIGHT_MAX, WEIGHT_MIN
from rvh._nodelist.columns import Columns
from rvh._nodelist.values import Untyped, as_number, shown
from rvh.errors import RVHError, show


class Entry(NamedTuple):
    """A value that should be an id, its place, for messages, and those of the other columns."""

    node: object
    source: str
    place: str
    values: tuple[object, ...] = ()

    @property
    def where(self) -> str:
        """The place as a message names it."""
        of_option = self.place.startswith("entry")
        return f"{self.source}{'' if of_option else ':'} {self.place}"


class NodeList(NamedTuple):
    """Ids, none empty or repeated, and in the same order weights, if any, and attributes.

    Of sources it also has a note of what was read, and the ids that are absent: known there, but
    no keys are placed on them.
    """

    ids: list[str]
    weights: list[float] | None
    attributes: dict[str, list[object]]
    note: str = ""
    absent: frozenset[str] = frozenset()

    def subset(self, mask: NDArray[np.bool_]) -> NodeList:
        """The nodes for which `mask`, shape (N,), is true."""
        chosen = np.flatnonzero(mask).tolist()

        def of(values: list[Any]) -> list[Any]:
            return [values[place] for place in chosen]

        return self._replace(
            ids=of(self.ids),
            weights=None if self.weights is None else of(self.weights),
            attributes={name: of(values) for name, values in self.attributes.items()},
        )


def node_list(entries: Iterable[Entry], columns: Columns) -> NodeList:
    """Make a list of entries.

    Raises
    ------
    RVHError
        An id that is not text, empty or repeated; a weight that is none, or no weight above 0.
    """
    seen: dict[str, tuple[str, str]] = {}
    weights: list[float] = []
    attributes: dict[str, list[object]] = {name: [] for name in columns.others}
    for entry in entries:
        node = entry.node
        if not isinstance(node, str):
            what = f"{type(node).__name__} ({show(node)})"
            raise RVHError(f"{entry.where}: a node id is text, not {what}")
        if not node:
            raise RVHError(f"{entry.where} is empty: a node id has at least one character")
        spot = (entry.source, entry.place)  # a plain tuple, which garbage collection skips
        if (before := seen.setdefault(node, spot)) is not spot:
            first = Entry(node, *before)
            of = first.place if first.source == entry.source else first.where
            raise RVHError(f"{entry.where} repeats node id {show(node)} of {of}: ids are unique")
        for name, value in zip(attributes, entry.values, strict=True):
            attributes[name].append(value)
            if name == columns.weight:
                weights.append(_weight(value, entry))
    if columns.weight is None:
        return NodeList(list(seen), None, attributes)
    if not any(weights):
        sources = dict.fromkeys(source for source, _ in seen.values())
        raise RVHError(
            f"{', '.join(sources)}: every weight is 0: at least one node needs a weight above 0"
        )
    return NodeList(list(seen), weights, attributes)


def _weight(value: object, entry: Entry) -> float:
    """A weight, or the error about it."""
    value = as_number(value) if isinstance(value, Untyped) else value
    number = math.nan
    if not isinstance(value, bool) and hasattr(type(value), "__float__"):
        with suppress(OverflowError):
            number = float(value)  # type: ignore[arg-type]  # it has __float__
    if number == 0 or WEIGHT_MIN <= number <= WEIGHT_MAX:
        return number
    raise RVHError(
        f"{entry.where}: the weight of node {show(entry.node)} is {shown(value)}: a weight is a "
        "number, 0 (never selected) or from 2^-1016 to 2^970"
    )
