"""The estimate of a migration: what moves, from whom to whom, and what each node holds then."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from rvh._columns.values import is_whole
from rvh.errors import RVHError, RVHTypeError, show
from rvh.migration.loads import PEAKS, Counts, Loads

__all__ = ["Estimate", "Seconds", "Steps"]

#: the format of `Estimate.to_dict`
FORMAT = "rvh estimate 1"
#: fewer keys than this say nothing about chance
FEW_KEYS = 100
#: two placements have nothing in common where they move this share of what chance would move
AS_CHANCE = 0.9


class Steps(NamedTuple):
    """The copies to make in each step of a `Plan` of as many steps.

    Parameters
    ----------
    keys, bytes : ndarrays of int64, shape (steps,)
        The number of copies and their bytes. ``bytes`` is None without sizes.
    """

    keys: Counts
    bytes: Counts | None


class Seconds(NamedTuple):
    """The time that all copies take at a bandwidth, by what the bandwidth is that of.

    Parameters
    ----------
    whole : float
        All copies go through one link, one after the other.
    source, target : float
        Each node sends (receives) at the bandwidth by itself: the time of the busiest node.
    source_name, target_name : str or bytes or None
        The busiest node; None if nothing moves.
    """

    whole: float
    source: float
    target: float
    source_name: Any
    target_name: Any


@dataclass(frozen=True, eq=False, kw_only=True)
class Estimate:
    """What a migration moves. `Migration.estimate` makes it.

    A *copy* is one key on one node: with k = 1 there are as many copies as keys. Bytes are None
    without sizes. Of a sample, every number is scaled to `keys` and rounded.

    Parameters
    ----------
    k, k_new : int
        The number of nodes of each key before and after.
    keys : int
        The number of keys that the estimate is about.
    counted : int
        The number of keys that were looked at: fewer, if they are a sample.
    bytes : int or None
        The sizes of all keys, each key once.
    nodes : Loads
        Before and after for each node, and the flows between nodes.
    domains : mapping of str to Loads
        The same for each kind of failure domain.
    moved_keys : int
        The keys of which at least one copy is made.
    moved_copies, moved_bytes : int
        The copies to make, and their bytes.
    moved_keys_error, moved_copies_error, moved_bytes_error : float or None
        The standard errors of these, if the keys are a sample; else None.
    minimum_copies, minimum_bytes : int
        A lower bound: what any way from the old loads to these new loads has to copy, because a
        node whose load grows has to receive what it grows by. That is the sum of what the nodes
        grow by; for k equal to ``k_new``, half the sum of all absolute differences. For k = 1 and
        in keys, a placement that reaches the new loads with exactly so many copies exists. In
        bytes and for k > 1 it need not exist, since keys cannot be divided, and a node cannot have
        two copies of one key.
    chance_copies, chance_bytes : int
        What is expected to be copied between two placements of these loads that have nothing in
        common. For N equal nodes before and after, and k copies, that is 1 - k/N of all copies.
    steps : Steps or None
        The copies of each step, if a number of steps was given.

    Examples
    --------
    >>> from rvh import NodeSet
    >>> from rvh.migration import Migration
    >>> migration = Migration(NodeSet(["a", "b"]), NodeSet(["a", "b", "c"]))
    >>> estimate = migration.estimate(range(3000), sizes=100)
    >>> estimate.moved_keys, estimate.moved_bytes, estimate.minimum_copies
    (970, 97000, 970)
    >>> estimate.nodes.keys_before, estimate.nodes.keys_after
    (array([1463, 1537,    0]), array([1015, 1015,  970]))
    """

    k: int
    k_new: int
    keys: int
    counted: int
    bytes: int | None
    nodes: Loads
    domains: Mapping[str, Loads]
    moved_keys: int
    moved_copies: int
    moved_bytes: int | None
    moved_keys_error: float | None = None
    moved_copies_error: float | None = None
    moved_bytes_error: float | None = None
    minimum_copies: int
    minimum_bytes: int | None
    chance_copies: int
    chance_bytes: int | None
    steps: Steps | None = None

    @property
    def copies(self) -> int:
        """The number of copies after the migration."""
        return self.keys * self.k_new

    @property
    def deleted_copies(self) -> int:
        """The copies that are deleted at the end, since their nodes are no longer the key's."""
        return self.keys * self.k + self.moved_copies - self.copies

    @property
    def remarks(self) -> tuple[str, ...]:
        """What to know before the migration is begun, in sentences; mostly empty.

        Examples
        --------
        >>> from rvh import NodeSet
        >>> from rvh.migration import Migration
        >>> from rvh.ring import ketama
        >>> nodes = ["a", "b", "c", "d"]
        >>> estimate = Migration(ketama(nodes), NodeSet(nodes)).estimate(sample=10_000)
        >>> print(*estimate.remarks)
        The two placements have nothing in common: 74.6% of all copies move, as between any two \
that know nothing of each other (1 - 1/N with N equal nodes); the new loads need 5.06%.
        """
        moved, least = self.moved_copies, self.minimum_copies
        is_chance = moved >= AS_CHANCE * self.chance_copies and moved > 2 * least
        if self.counted < FEW_KEYS or not is_chance:
            return ()
        return (
            f"The two placements have nothing in common: {_percent(moved, self.copies)} of all "
            "copies move, as between any two that know nothing of each other "
            f"(1 - {self.k}/N with N equal nodes); the new loads need "
            f"{_percent(least, self.copies)}.",
        )

    def _repr_html_(self) -> str:
        """Return a table for notebooks: what each node holds, sends and receives."""
        from rvh._html import ROWS_MAX, counted, small_table

        columns: list[tuple[str, str, Any]] = [("node", "", self.nodes.names[:ROWS_MAX].tolist())]
        for unit in ("keys", "bytes"):
            for side in ("before", "after", "sent", "received"):
                values = getattr(self.nodes, f"{unit}_{side}")
                if values is not None:
                    columns.append((f"{unit} {side}", ",", values[:ROWS_MAX].tolist()))
        caption = (
            f"Estimate of {counted(self.keys, 'key')}: {self.moved_copies:,} of {self.copies:,} "
            f"copies move ({_percent(self.moved_copies, self.copies)}), at the least "
            f"{_percent(self.minimum_copies, self.copies)}"
        )
        return small_table(caption, columns, of=len(self.nodes))

    def seconds(self, bandwidth: float) -> Seconds:
        """The time that all copies take.

        Parameters
        ----------
        bandwidth : float
            In bytes a second. (1 Gbit/s is 125e6.)

        Returns
        -------
        Seconds

        Raises
        ------
        RVHError
            A bandwidth that is not finite and above 0; an estimate without sizes.
        RVHTypeError
            A bandwidth that is not a number.

        Examples
        --------
        >>> from rvh import NodeSet
        >>> from rvh.migration import Migration
        >>> migration = Migration(NodeSet(["a"]), NodeSet(["b", "c"]))
        >>> migration.estimate(range(1000), sizes=10**6).seconds(125e6)
        Seconds(whole=8.0, source=8.0, target=4.0, source_name='a', target_name='b')
        """
        if not is_whole(bandwidth) and not isinstance(bandwidth, (float, np.floating)):
            raise RVHTypeError(f"bandwidth is {show(bandwidth)}: pass the bytes of a second")
        if not (math.isfinite(bandwidth) and bandwidth > 0):
            raise RVHError(
                f"bandwidth is {show(bandwidth)}: pass the bytes of a second, a finite number "
                "above 0"
            )
        sent, received = self.nodes.bytes_sent, self.nodes.bytes_received
        if self.moved_bytes is None or sent is None or received is None:
            raise RVHError(
                "the estimate has no bytes, and so no time: pass sizes= to Migration.estimate"
            )
        names = self.nodes.names.tolist() if self.moved_bytes else [None] * len(self.nodes)
        return Seconds(
            self.moved_bytes / bandwidth,
            int(sent.max(initial=0)) / bandwidth,
            int(received.max(initial=0)) / bandwidth,
            names[int(sent.argmax())],
            names[int(received.argmax())],
        )

    def to_dict(self, bandwidth: float | None = None) -> dict[str, Any]:
        r"""The estimate as a dict that JSON can write.

        Parameters
        ----------
        bandwidth : float, optional
            As for `seconds`, which are added to the dict.

        Returns
        -------
        dict
            Without sizes, nothing in it is about bytes. A node id that is bytes is its UTF-8, with
            ``\xNN`` for what is none.

        Examples
        --------
        >>> from rvh import NodeSet
        >>> from rvh.migration import Migration
        >>> estimate = Migration(NodeSet(["a"]), NodeSet(["b"])).estimate(range(5))
        >>> estimate.to_dict()["flows"]
        [{'source': 'a', 'target': 'b', 'keys': 5}]
        """
        made: dict[str, Any] = {
            "format": FORMAT,
            "k": self.k,
            "k_new": self.k_new,
            "keys": self.keys,
            "counted": self.counted,
            "bytes": self.bytes,
            "moved": {
                "keys": self.moved_keys,
                "copies": self.moved_copies,
                "bytes": self.moved_bytes,
            },
            "minimum": {"copies": self.minimum_copies, "bytes": self.minimum_bytes},
            "chance": {"copies": self.chance_copies, "bytes": self.chance_bytes},
        }
        if self.moved_keys_error is not None:
            made["standard_error"] = {
                "keys": self.moved_keys_error,
                "copies": self.moved_copies_error,
                "bytes": self.moved_bytes_error,
            }
        made |= _loads_dict(self.nodes, "node", "nodes")
        made["domains"] = {
            kind: _loads_dict(loads, "label", "labels") for kind, loads in self.domains.items()
        }
        if self.steps is not None:
            made["steps"] = _rows({"keys": self.steps.keys, "bytes": self.steps.bytes})
        if bandwidth is not None:
            made["seconds"] = {
                name: _text(value) for name, value in self.seconds(bandwidth)._asdict().items()
            } | {"bandwidth": float(bandwidth)}
        made["remarks"] = list(self.remarks)
        without: dict[str, Any] = _without_none(made)
        return without


def _loads_dict(loads: Loads, name: str, listed: str) -> dict[str, Any]:
    names = [_text(each) for each in loads.names.tolist()]
    columns: dict[str, Any] = {name: names}
    for unit in ("keys", "bytes"):
        for side in ("before", "after", "sent", "received"):
            columns[f"{unit}_{side}"] = getattr(loads, f"{unit}_{side}")
    flows = loads.flows
    peaks = {what: loads.max_mean(what) for what in PEAKS}
    return {
        listed: _rows(columns),
        "max_mean": {what: None if math.isnan(peak) else peak for what, peak in peaks.items()},
        "flows": _rows(
            {
                "source": [names[at] for at in flows.source.tolist()],
                "target": [names[at] for at in flows.target.tolist()],
                "keys": flows.keys,
                "bytes": flows.bytes,
            }
        ),
    }


def _rows(columns: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Columns as a list of rows; those that are None are left out."""
    listed = {
        name: values.tolist() if isinstance(values, np.ndarray) else values
        for name, values in columns.items()
        if values is not None
    }
    return [dict(zip(listed, row, strict=True)) for row in zip(*listed.values(), strict=True)]


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_none(each) for name, each in value.items() if each is not None}
    return value


def _text(value: Any) -> Any:
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else value


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / max(1, whole):.3g}%"
