"""The placements of a migration, and what is asked of all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

from numpy.typing import NDArray

from rvh import keys as _keys
from rvh._arguments.numbers import whole_number
from rvh._placing import (
    Keys,
    as_placement,
    check_shape,
    id_bytes,
    is_from_rvh,
    select,
    select_one,
)
from rvh.errors import RVHError, RVHTypeError, show

__all__ = ["Pair", "fingerprint", "union", "without"]

K_MAX = 2**31 - 1


class Pair:
    """An old placement and a new one, new ones that were given up, and the nodes that are dead."""

    def __init__(
        self,
        old: Any,
        new: Any,
        k: int = 1,
        *,
        k_new: int | None = None,
        kept: Sequence[Any] = (),
        dead: Sequence[Any] = (),
    ) -> None:
        self._old, self._new = as_placement(old, "old"), as_placement(new, "new")
        self._k = whole_number("k", k, K_MAX)
        self._k_new = self._k if k_new is None else whole_number("k_new", k_new, K_MAX)
        if isinstance(kept, str) or not isinstance(kept, Sequence):
            raise RVHTypeError(f"kept is {show(kept)}: pass a list of placements")
        self._kept = tuple(as_placement(one, f"kept[{at}]") for at, one in enumerate(kept))
        self._dead = _as_dead(dead)
        for role, name, k, placement in self._placements():
            _check_k(role, name, placement, k)
        self._prepare()

    def _prepare(self) -> None:
        """Make what is not pickled: for a new migration, and for one from a pickle."""
        #: functions that give the nodes of one key, in the order of `_select`
        self._ones = [_one_selector(role, k, one) for role, _, k, one in self._placements()]
        self._dead_bytes = set(map(id_bytes, self._dead))

    def __getstate__(self) -> dict[str, Any]:
        # Migrations of before k_new had the first three alone; a simple one still has.
        state = {"_old": self._old, "_new": self._new, "_k": self._k}
        if not self._is_plain():
            state |= {"_k_new": self._k_new, "_kept": self._kept, "_dead": self._dead}
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update({"_k_new": state["_k"], "_kept": (), "_dead": (), **state})
        self._prepare()

    def _is_plain(self) -> bool:
        """Return whether all keys have as many nodes as before and every node lives."""
        return self._k == self._k_new and not self._kept and not self._dead

    def _placements(self) -> list[tuple[str, str, int, Any]]:
        """Return each placement with its role, the name of its number of nodes, and the number."""
        kept = [(f"kept[{at}]", "k_new", self._k_new, one) for at, one in enumerate(self._kept)]
        new_name = "k" if self._k == self._k_new else "k_new"
        return [
            ("old", "k", self._k, self._old),
            *kept,
            ("new", new_name, self._k_new, self._new),
        ]

    def _select(self, opened: Keys, threads: int | None) -> list[NDArray[Any]]:
        """Return the nodes of every key in the old placement, in those kept, and in the new."""
        return [
            select(placement, role, opened, k, threads)
            for role, _, k, placement in self._placements()
        ]

    def _fingerprints(self) -> tuple[str, str]:
        """Return the fingerprints of both placements; RVHError if one has none."""
        return fingerprint(self._old, "old"), fingerprint(self._new, "new")


def _one_selector(role: str, k: int, placement: Any) -> Callable[[Any], list[Any]]:
    if is_from_rvh(placement) and not hasattr(placement, "partitions"):
        method = getattr(placement, "select", None) or getattr(placement, "lookup", None)
        if method is not None:
            one: Callable[[Any], list[Any]] = method if k == 1 else partial(method, k=k)
            return one
    return lambda key: select_one(placement, role, key, k)


def _check_k(role: str, name: str, placement: Any, k: int) -> None:
    """Check that a placement gives k nodes, by a key that it may not know.

    rvh's own are asked for no key: those of typed columns do not take every one.
    """
    keys = [] if is_from_rvh(placement) else ["any key"]
    try:
        with _keys.open_keys_with_objects(keys) as opened:
            nodes = select(placement, role, opened, k)
    except RVHError:
        raise
    except Exception:
        if is_from_rvh(placement):
            raise
        return  # a table of one's own without that key: real keys are checked when they come
    if nodes.ndim == 2 and nodes.shape[1] != k and name == "k_new":
        raise RVHError(
            f"{role} gives every key {nodes.shape[1]} nodes, but k_new is {k}: pass "
            f"k_new={nodes.shape[1]}"
        )
    check_shape(placement, role, nodes, len(keys), k)


def _as_dead(dead: Any) -> tuple[Any, ...]:
    """Return the ids of dead nodes, each once."""
    if not isinstance(dead, Iterable):
        raise RVHTypeError(f"dead is {show(dead)}: pass a list of node ids")
    nodes = [dead] if _keys.is_one_id(dead) else list(dead)
    return tuple(union([], [_keys.node_id(node)[0] for node in nodes]))


def fingerprint(placement: Any, role: str) -> str:
    """Return what tells a placement from others; RVHError if nothing does."""
    if is_from_rvh(placement) and hasattr(placement, "partitions"):
        return f"{placement.nodes.fingerprint} in {placement.partitions} partitions"
    fingerprint = getattr(placement, "fingerprint", None)
    if not isinstance(fingerprint, str):
        raise RVHError(
            f"{role} has no fingerprint, so its plans cannot be told apart from others: pass a "
            "NodeSet, a Ring or a PartitionTable"
        )
    return fingerprint


def union(first: list[Any], second: list[Any]) -> list[Any]:
    """Return the nodes of both lists, each once; a str and its UTF-8 are one node."""
    seen, nodes = set(map(id_bytes, first)), list(first)
    for node in second:
        if id_bytes(node) not in seen:
            seen.add(id_bytes(node))
            nodes.append(node)
    return nodes


def without(nodes: list[Any], dead: set[bytes]) -> list[Any]:
    """Return the nodes that are not dead."""
    return [node for node in nodes if id_bytes(node) not in dead]
