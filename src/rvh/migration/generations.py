"""The new placements of a migration, one after another, as nodes die."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from rvh._placing import as_placement, id_bytes, ids_of, is_from_rvh
from rvh.errors import RVHError, RVHTypeError, show
from rvh.migration.migration import Migration
from rvh.migration.pair import fingerprint

__all__ = ["among", "as_placements", "following", "left"]


def left(placement: Any, node: Any) -> Any:
    """Return a placement without a node; RVHError if it cannot be made."""
    if is_from_rvh(placement):
        if hasattr(placement, "with_alive"):  # a FaultSet, whose nodes stay
            gone = np.array(
                [id_bytes(one) == id_bytes(node) for one in placement.nodes.ids.tolist()]
            )
            return placement.with_alive(placement.alive & ~gone)
        for name in ("without", "remove"):
            if callable(getattr(placement, name, None)):
                mine = next(one for one in ids_of(placement, "new").tolist() if same(one, node))
                return getattr(placement, name)([mine])
    raise RVHError(
        f"new, of type {type(placement).__name__}, cannot be made without node {show(node)}: pass "
        "the placement of the living as new="
    )


def same(one: Any, other: Any) -> bool:
    """Return whether two ids are of one node."""
    return id_bytes(one) == id_bytes(other)


def among(placement: Any, node: Any) -> bool:
    """Return whether a placement has a node; True where nothing says which it has."""
    nodes = getattr(placement, "ids", getattr(placement, "nodes", None))
    if nodes is None:
        return True
    return any(same(one, node) for one in ids_of(placement, "new").tolist())


def as_placements(placements: Any) -> list[Any]:
    """Return the placements that a caller knows besides those of the migration."""
    if not isinstance(placements, Iterable):
        raise RVHTypeError(f"placements is {show(placements)}: pass a list of placements")
    return [as_placement(one, f"placements[{at}]") for at, one in enumerate(placements)]


def following(
    first: Migration,
    kept: Sequence[str],
    new: str,
    dead: Sequence[Any],
    placements: Iterable[Any] = (),
) -> Migration:
    """Return the migration whose placements have the fingerprints of a view or a state.

    They are those of the first migration, those that the caller knows, and what is left of the
    first one's new placement as its nodes die one after another.
    """
    known = {fingerprint(one, "new"): one for one in (*first._kept, first._new)}
    for placement in placements:
        known[fingerprint(placement, "new")] = placement
    for placement in list(known.values()):
        for node in dead:
            if not among(placement, node):
                continue
            try:
                placement = left(placement, node)
            except RVHError:
                break
            known[fingerprint(placement, "new")] = placement
    wanted = [*kept, new]
    for one in wanted:
        if one not in known:
            raise RVHError(
                f"the migration has a new placement with the fingerprint {show(one)}, which is "
                "none of those known here: pass it in placements="
            )
    *between, last = (known[one] for one in wanted)
    return Migration(first._old, last, first._k, k_new=first._k_new, kept=between, dead=list(dead))
