"""The options that decide where keys go, written down to be compared and repeated."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rvh._nodelist.entries import NodeList
from rvh.cli.options import (
    SYSTEMS,
    Algorithm,
    ConstraintOptions,
    Integers,
    MethodOptions,
    PlacementOptions,
)
from rvh.nodes import as_node_set


def described(options: PlacementOptions) -> dict[str, Any]:
    """The options that decide where keys go, without those that say what the nodes are."""
    method, constraints, bulk = options.method, options.constraints, options.bulk
    said: dict[str, Any] = {"algorithm": method.algorithm.value, "k": options.k}
    if method.algorithm in (Algorithm.RENDEZVOUS, Algorithm.TABLE):
        said["scheme"] = options.scheme.value
    for name, value in {
        "partitions": method.partitions,
        "integers": None if method.integers is None else method.integers.value,
        "hash": method.hash,
        "hash_tag": method.hash_tag,
        "types": method.types,
        "routing_shards": method.routing_shards,
        "replication": method.replication,
        "spread": constraints.spread,
        "max_per_domain": constraints.max_per_domain,
        "strict": constraints.strict,
        "node_geohash": constraints.node_geohash,
        "precision": options.precision,
        "load_factor": bulk.load_factor,
    }.items():
        if value not in (None, [], False):
            said[name] = value
    return said


def fingerprint(
    options: PlacementOptions, secret: bytes, nodes: NodeList, mask: NDArray[np.bool_] | None
) -> str:
    """Hex digest of the nodes, which with `described` decides where keys go.

    That of `rvh.NodeSet`, where the algorithm ranks its nodes; of jump the ids in order, of a ring
    the ids, weights and those left out. With the domains or geohashes of nodes, where they count.
    """
    algorithm, constraints = options.method.algorithm, options.constraints
    if algorithm in SYSTEMS or algorithm is Algorithm.JUMP:
        left_out = [] if mask is None else sorted(nodes.subset(~mask).ids)
        what = [algorithm.value, nodes.ids, nodes.weights, left_out]
        columns = SYSTEMS[algorithm].columns if algorithm in SYSTEMS else ()
        return _digest([*what, *(list(map(str, nodes.attributes[name])) for name in columns)])
    if mask is not None:
        nodes = nodes.subset(mask)
    ranked = as_node_set(nodes.ids, nodes.weights, options.scheme.value, secret).fingerprint
    names = [*constraints.spread]
    if constraints.node_geohash is not None:
        names.append(constraints.node_geohash)
    if not names:
        return ranked
    labels = [list(map(str, nodes.attributes[name])) for name in names]
    return _digest([ranked, sorted(zip(nodes.ids, *labels, strict=True))])


def _digest(parts: Sequence[Any]) -> str:
    text = json.dumps(parts, ensure_ascii=False, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=32, person=b"rvh split nodes").hexdigest()


def method_of(said: dict[str, Any], secret_file: str | None) -> MethodOptions:
    """The method that `described` has written down."""
    integers = said.get("integers")
    return MethodOptions(
        algorithm=Algorithm(said["algorithm"]),
        integers=None if integers is None else Integers(integers),
        hash=said.get("hash"),
        hash_tag=said.get("hash_tag"),
        types=said.get("types"),
        routing_shards=said.get("routing_shards"),
        replication=said.get("replication"),
        partitions=said.get("partitions"),
        secret_file=secret_file,
    )


def constraints_of(said: dict[str, Any], where: list[str], dead: list[str]) -> ConstraintOptions:
    """The constraints that `described` has written down, and those on which nodes there are."""
    return ConstraintOptions(
        where=where,
        dead=dead,
        spread=said.get("spread", []),
        max_per_domain=said.get("max_per_domain", []),
        strict=said.get("strict", False),
        node_geohash=said.get("node_geohash"),
    )
