"""The two placements of a migration, and what is asked of both."""

from __future__ import annotations

from typing import Any

from rvh import keys as _keys
from rvh._arguments.numbers import whole_number
from rvh._placing import as_placement, check_shape, id_bytes, is_from_rvh, select
from rvh.errors import RVHError

__all__ = ["Pair", "fingerprint", "union"]


class Pair:
    """An old placement and a new one."""

    def __init__(self, old: Any, new: Any, k: int = 1) -> None:
        self._old, self._new = as_placement(old, "old"), as_placement(new, "new")
        self._k = whole_number("k", k, 2**31 - 1)
        for role, placement in (("old", self._old), ("new", self._new)):
            with _keys.open_keys_with_objects(["any key"]) as opened:
                nodes = select(placement, role, opened, self._k)
            check_shape(placement, role, nodes, 1, self._k)

    def _fingerprints(self) -> tuple[str, str]:
        """Return the fingerprints of both placements; RVHError if one has none."""
        return fingerprint(self._old, "old"), fingerprint(self._new, "new")


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
    """The nodes of both lists, each once."""
    seen = set(map(id_bytes, first))
    return [*first, *(node for node in second if id_bytes(node) not in seen)]
