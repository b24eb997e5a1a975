"""Weights out of what is known of the nodes: a function of all of them, the same everywhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from rvh.errors import RVHError, show
from rvh.membership.meta import NodeMeta
from rvh.weighted import EXPONENTS, weights_from

__all__ = ["Weigh", "given_weights", "weigh_by"]

#: makes the weights of nodes, or None for nodes without
Weigh = Callable[[Sequence[NodeMeta]], "NDArray[np.float64] | None"]


def given_weights(nodes: Sequence[NodeMeta]) -> NDArray[np.float64] | None:
    """Take the weight that each node has; None where none of them has one.

    Raises
    ------
    RVHError
        Some nodes have a weight, and others have none.

    Examples
    --------
    >>> from rvh.membership import NodeMeta, given_weights
    >>> given_weights([NodeMeta("a", weight=2), NodeMeta("b", weight=1)])
    array([2., 1.])
    """
    weights = [node.weight for node in nodes]
    if None not in weights:
        return np.array(weights, dtype=np.float64)
    if any(weight is not None for weight in weights):
        without, having = (
            next(node.id for node in nodes if (node.weight is None) == is_without)
            for is_without in (True, False)
        )
        raise RVHError(
            f"node {show(without)} has no weight, and node {show(having)} has one: give a weight "
            "to every node, or to none"
        )
    return None


def weigh_by(
    *measures: str,
    exponents: Mapping[str, float] | None = None,
    bounds: tuple[float, float] | None = None,
) -> Weigh:
    """Weigh nodes by `rvh.weighted.weights_from` of their measures.

    Only for measures that everyone reads from the source, and that stay as they are for long: a
    round-trip time that each process measures gives each process another placement. Measurements
    belong to a publisher (`rvh nodes publish`).

    Parameters
    ----------
    *measures : {"stake", "capacity", "rtt"}
        The measures, at least one. A node without one counts as the median; a measure that no
        node has is an error.
    exponents, bounds
        As for `weights_from`.

    Returns
    -------
    callable
        For the `weigh` of a `Membership`.

    Raises
    ------
    RVHError
        No measure, or an unknown one.

    Examples
    --------
    >>> from rvh.membership import NodeMeta, weigh_by
    >>> weigh_by("capacity")([NodeMeta("a", capacity=8), NodeMeta("b", capacity=24)])
    array([0.5, 1.5])
    """
    for measure in measures:
        if measure not in EXPONENTS:
            raise RVHError(f"there is no measure {show(measure)}: choose of {', '.join(EXPONENTS)}")
    if not measures:
        raise RVHError(f"no measure is given: choose of {', '.join(EXPONENTS)}")

    def weigh(nodes: Sequence[NodeMeta]) -> NDArray[np.float64]:
        columns = {each: [getattr(node, each) for node in nodes] for each in measures}
        for each, values in columns.items():
            if nodes and not any(value is not None for value in values):
                raise RVHError(
                    f"no node has the measure {each}: leave it out, or give it to at least one node"
                )
        return weights_from(**columns, exponents=exponents, bounds=bounds)

    return weigh
