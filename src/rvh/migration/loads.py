"""What nodes and domains hold before and after a migration, and what goes from whom to whom."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rvh._arguments.choices import one_of
from rvh.keys import object_array

__all__ = ["PEAKS", "Counts", "Flows", "Loads", "added", "grouped", "ordered"]

Counts = NDArray[np.int64]

#: what `Loads.max_mean` tells
PEAKS = ("keys_before", "keys_after", "bytes_before", "bytes_after")


class Flows(NamedTuple):
    """The copies to make between each pair of nodes, the largest flow first.

    Parameters
    ----------
    source, target : ndarrays of intp, shape (F,)
        Positions in the `Loads.names` that the flows belong to. Between domains, they may be equal.
    keys, bytes : ndarrays of int64, shape (F,)
        The number of copies and their bytes. ``bytes`` is None without sizes.
    """

    source: NDArray[np.intp]
    target: NDArray[np.intp]
    keys: Counts
    bytes: Counts | None


@dataclass(frozen=True, eq=False, kw_only=True)
class Loads:
    """What each node, or each domain, holds before and after, and what it sends and receives.

    Parameters
    ----------
    names : ndarray, shape (N,)
        The node ids: those of the old placement, then those that only the new one has. Of domains,
        the labels, in the order of their first node.
    in_old, in_new : ndarrays of bool, shape (N,)
        True if the old (new) placement has the node.
    weights_old, weights_new : ndarrays of float64, shape (N,), or None
        The weights in the placement, 0 outside it; None if it has none.
    keys_before, keys_after : ndarrays of int64, shape (N,)
        The number of keys of which the node has a copy. Of a domain, the copies on all its nodes.
    keys_sent, keys_received : ndarrays of int64, shape (N,)
        The number of copies of which the node is the source (target). Of a domain, with those
        between its own nodes.
    bytes_before, bytes_after, bytes_sent, bytes_received : ndarrays of int64, shape (N,), or None
        The same in bytes; None without sizes.
    flows : Flows
    """

    names: NDArray[Any]
    in_old: NDArray[np.bool_]
    in_new: NDArray[np.bool_]
    weights_old: NDArray[np.float64] | None
    weights_new: NDArray[np.float64] | None
    keys_before: Counts
    keys_after: Counts
    keys_sent: Counts
    keys_received: Counts
    bytes_before: Counts | None
    bytes_after: Counts | None
    bytes_sent: Counts | None
    bytes_received: Counts | None
    flows: Flows

    def __len__(self) -> int:
        return len(self.names)

    def max_mean(self, what: str) -> float:
        """The load of the busiest node over the mean; 1 is a perfect balance.

        If the placement has weights, loads are taken per weight: the busiest node is the one that
        is the furthest above its share.

        Parameters
        ----------
        what : str
            ``"keys_before"``, ``"keys_after"``, ``"bytes_before"`` or ``"bytes_after"``.

        Returns
        -------
        float
            NaN without any load, and for bytes without sizes.

        Examples
        --------
        >>> from rvh import NodeSet
        >>> from rvh.migration import Migration
        >>> migration = Migration(NodeSet(["a"]), NodeSet(["a", "b"]))
        >>> migration.estimate(range(1000)).nodes.max_mean("keys_after")
        1.004
        """
        loads = getattr(self, one_of("what", what, PEAKS))
        present, weights = (
            (self.in_old, self.weights_old)
            if what.endswith("before")
            else (self.in_new, self.weights_new)
        )
        if loads is None or not loads.any():
            return math.nan
        shares = present.astype(np.float64) if weights is None else weights
        counted = shares > 0
        mean = loads[counted].sum() / shares[counted].sum()
        return float((loads[counted] / shares[counted]).max() / mean)


def grouped(loads: Loads, numbers: NDArray[np.intp], labels: Sequence[Any]) -> Loads:
    """Return the loads of domains: the node at each position is in the domain of that number."""
    count, flows = len(labels), loads.flows
    codes = numbers[flows.source] * count + numbers[flows.target]
    codes, places = np.unique(codes, return_inverse=True)
    keys, sizes = (added(places, each, len(codes)) for each in (flows.keys, flows.bytes))
    sums = {
        each.name: added(numbers, getattr(loads, each.name), count)
        for each in fields(loads)
        if each.name not in ("names", "flows")
    }
    return Loads(
        names=object_array(labels),
        flows=ordered(codes // count, codes % count, keys, sizes),
        **sums,
    )


def ordered(source: NDArray[np.intp], target: NDArray[np.intp], keys: Any, sizes: Any) -> Flows:
    """Return flows, the largest first: by bytes, then keys, then positions."""
    order = np.lexsort((target, source, -keys, -(keys if sizes is None else sizes)))
    return Flows(source[order], target[order], keys[order], None if sizes is None else sizes[order])


def added(places: NDArray[np.intp], values: Any, count: int) -> Any:
    """Return the sum of the values at each place (of bool: any of them); None of None."""
    if values is None:
        return None
    sums = np.zeros(count, dtype=values.dtype)
    np.add.at(sums, places, values)
    return sums
