"""What a change of the nodes means: who came, who went, and the share of the keys that moves."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from rvh._batch.replicas import find_absent, number_ids
from rvh.errors import RVHError
from rvh.membership.meta import Status
from rvh.membership.snapshot import Snapshot
from rvh.nodes import NodeSet

__all__ = ["Change", "Moved", "share_moved"]

#: the keys that are counted where there is no closed form: the share is known to about 0.2%
SAMPLE = 1 << 16


class Moved(NamedTuple):
    """The share of the replicas of all keys that change their node.

    Parameters
    ----------
    share : float
        From 0 to 1.
    is_exact : bool
        Whether it is in closed form, or counted on a sample of keys.
    """

    share: float
    is_exact: bool


@dataclass(frozen=True)
class Change:
    """The way from one snapshot to the next.

    Parameters
    ----------
    before : Snapshot or None
        None for the first snapshot of a membership.
    after : Snapshot
    """

    before: Snapshot | None
    after: Snapshot

    @cached_property
    def joined(self) -> tuple[str, ...]:
        """The ids of the members that were not there before."""
        before = self.before
        return tuple(n.id for n in self.after.members if before is None or n.id not in before)

    @cached_property
    def left(self) -> tuple[str, ...]:
        """The ids of the members that are not there any more."""
        if self.before is None:
            return ()
        return tuple(node.id for node in self.before.members if node.id not in self.after)

    @cached_property
    def statuses(self) -> dict[str, tuple[Status, Status]]:
        """Of members whose status changed: id to (before, after)."""
        pairs = ((node.id, old.status, node.status) for old, node in self._both())
        return {node: (old, new) for node, old, new in pairs if old != new}

    @cached_property
    def weights(self) -> dict[str, tuple[float, float]]:
        """Of selectable nodes whose weight changed: id to (before, after); 1 without weights.

        Only ratios matter. Where most weights changed by one factor, as all do when their median
        does, those are not listed.
        """
        if self.before is None:
            return {}
        old = dict(zip(self.before.nodes, _weights(self.before.nodes).tolist(), strict=True))
        new = zip(self.after.nodes, _weights(self.after.nodes).tolist(), strict=True)
        both = {node: (old[node], w) for node, w in new if node in old and old[node] != w}
        factors = {node: float(f"{w / v:.12g}") for node, (v, w) in both.items() if v}
        common, count = max(Counter(factors.values()).items(), key=itemgetter(1), default=(1.0, 0))
        if 2 * count <= len(old):
            return both
        return {node: pair for node, pair in both.items() if factors.get(node) != common}

    @cached_property
    def others(self) -> tuple[str, ...]:
        """The ids of members of which something else changed: an address, a zone, a label."""
        ids = (
            node.id
            for old, node in self._both()
            if old != replace(node, status=old.status, weight=old.weight)
        )
        return tuple(ids)

    @cached_property
    def moved(self) -> Moved:
        """The share of all keys whose node changes, for k=1."""
        return self.moved_of(1)

    def moved_of(self, k: int) -> Moved:
        """The share of the replicas of all keys that change their node.

        Parameters
        ----------
        k : int
            The number of nodes of each key.

        Returns
        -------
        Moved
            0 for the first snapshot.
        """
        if self.before is None:
            return Moved(0.0, True)
        return share_moved(self.before.nodes, self.after.nodes, k)

    def _both(self) -> list[tuple[Any, Any]]:
        before = self.before
        if before is None:
            return []
        return [(before[node.id], node) for node in self.after.members if node.id in before]

    def __str__(self) -> str:
        """One line: ``epoch 7: joined c; left a; status b alive -> dead; 33.3% of keys move``."""
        return self.told(1)

    def told(self, k: int) -> str:
        """One line about the change, with the share of the replicas of all keys that moves.

        Parameters
        ----------
        k : int
            The number of nodes of each key.
        """
        parts = [
            f"{name} {_listed(ids)}"
            for name, ids in (("joined", self.joined), ("left", self.left))
            if ids
        ]
        if self.statuses:
            parts.append(
                "status " + _listed([f"{n} {a} -> {b}" for n, (a, b) in self.statuses.items()])
            )
        if self.weights:
            parts.append(
                "weight " + _listed([f"{n} {a:g} -> {b:g}" for n, (a, b) in self.weights.items()])
            )
        if self.others:
            parts.append(f"metadata {_listed(self.others)}")
        share, is_exact = self.moved if k == 1 else self.moved_of(k)
        keys = "keys move" if k == 1 else f"replicas move for k={k}"
        parts.append(f"{'' if is_exact else 'about '}{share:.4%} of {keys}")
        return f"epoch {self.after.epoch}: " + "; ".join(parts)


def _listed(items: Any) -> str:
    shown = ", ".join(items[:5])
    return shown + (f" and {len(items) - 5} more" if len(items) > 5 else "")


def _weights(nodes: NodeSet) -> NDArray[np.float64]:
    return np.ones(len(nodes)) if nodes.weights is None else nodes.weights


def share_moved(before: NodeSet, after: NodeSet, k: int = 1) -> Moved:
    r"""The share of the replicas of all keys that change their node from one set to another.

    For k=1 and sets of one scheme and secret, both with weights or both without, it is

    .. math:: 1 - \sum_i \frac{1}{\sum_j \max(w_j / w_i, v_j / v_i)}

    with the weights w before and v after, 0 for a node that is not there: a key stays on node i
    where i is best in both rankings. Otherwise it is counted, on 65,536 integer keys.

    Parameters
    ----------
    before, after : NodeSet
    k : int
        The number of nodes of each key; a row has min(k, selectable nodes) of them.

    Returns
    -------
    Moved

    Raises
    ------
    RVHError
        ``k`` below 1.

    Examples
    --------
    >>> import rvh
    >>> from rvh.membership import share_moved
    >>> three = rvh.NodeSet(["a", "b", "c"])
    >>> share_moved(three, three.add("d"))
    Moved(share=0.25, is_exact=True)
    """
    if k < 1:
        raise RVHError(f"k is {k}: at least one node is asked for")
    if before.fingerprint == after.fingerprint:
        return Moved(0.0, True)
    same_hash = (before.scheme, before.secret) == (after.scheme, after.secret)
    if k == 1 and same_hash and (before.weights is None) == (after.weights is None):
        (mine, theirs), count = number_ids(before.ids, after.ids)
        w, v = np.zeros(count), np.zeros(count)
        w[mine], v[theirs] = _weights(before), _weights(after)
        return Moved(_closed_form(w, v), True)
    keys = np.arange(SAMPLE)
    rows = [
        nodes.argselect_batch(keys, min(k, nodes._ranking.selectable)) for nodes in (before, after)
    ]
    numbers, count = number_ids(before.ids, after.ids)
    old, new = (number[row] for number, row in zip(numbers, rows, strict=True))
    return Moved(float(find_absent(new, old, count).mean()), False)


def _closed_form(w: NDArray[np.float64], v: NDArray[np.float64]) -> float:
    """The share that moves where node i has weight ``w[i]`` before and ``v[i]`` after.

    ``max(w_j / w_i, v_j / v_i)`` is the first where ``w_j / v_j`` is higher than ``w_i / v_i``. So
    in the order of that ratio the sums over j are sums over the nodes before and after i.
    """
    w, v = w / w.max(), v / v.max()  # no sum overflows
    with np.errstate(divide="ignore", invalid="ignore"):
        order = np.argsort(np.where(v == 0, np.inf, w / v), kind="stable")
    w, v = w[order], v[order]
    above = np.cumsum(w[::-1])[::-1]  # of w, from i on
    below = np.concatenate([[0.0], np.cumsum(v)[:-1]])  # of v, before i
    stays = np.flatnonzero((w > 0) & (v > 0))
    share = np.sum(1 / (above[stays] / w[stays] + below[stays] / v[stays]))
    return float(min(max(1 - share, 0.0), 1.0))
