"""The placement that the options name: nodes, and a function from keys to them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rvh._nodelist.entries import NodeList
from rvh.cli.conflicts import refuse_conflicts
from rvh.cli.inputs import refuse_overwritten, refuse_shared
from rvh.cli.nodes import paths, read_nodes
from rvh.cli.options import (
    SYSTEMS,
    Algorithm,
    CachePolicy,
    FaultOptions,
    PlacementOptions,
)
from rvh.cli.outputs import counted
from rvh.cli.values import read_secret
from rvh.errors import RVHError, show
from rvh.keys import key_bytes
from rvh.nodes import NodeSet, as_node_set

if TYPE_CHECKING:
    from rvh.cli.conditions import Condition
    from rvh.faultset import FaultSet

#: the default of --partitions
PARTITIONS = 65536


class Placement(NamedTuple):
    """Nodes, and the function that puts keys on them.

    Parameters
    ----------
    ids : list of str
        The node ids, in the order of the node list.
    positions : callable
        Keys of any kind in `rvh.keys.KINDS`, and where asked for their geohashes, to an array of
        shape (keys, k): the positions in `ids` of the nodes of each, best first.
    node_set : NodeSet or None
        The ranking, where the key's nodes come from one; else None.
    whole : bool
        Whether a key's node depends on all keys, so that they have to come in one call.
    note : callable
        Makes the remark at the end of the run, or "".
    check : callable
        Raises the error about one key, if it is none.
    read, usable : int
        How many nodes were read, and how many of them `--where` and `--dead` leave.
    identity : callable
        Makes what says whether another placement is the same: options and a fingerprint.
    made : placement, optional
        The library's placement that answers alike.
    """

    ids: list[str]
    positions: Callable[..., NDArray[np.intp]]
    node_set: NodeSet | None = None
    whole: bool = False
    note: Callable[[], str] = str
    check: Callable[[Any], object] = key_bytes
    read: int = 0
    usable: int = 0
    identity: Callable[[], dict[str, Any]] = dict
    made: Any = None

    def counted(self) -> str:
        """The number of nodes in the words of a summary."""
        some = "" if self.usable == self.read else f"{self.usable:,} of "
        return some + counted(self.read, "node")


def placement(options: PlacementOptions) -> Placement:
    """Make the placement that the options name.

    Raises
    ------
    typer.BadParameter
        Options that do not go together, before any file is read.
    RVHError
        Nodes, weights or a secret that cannot be used, a number out of range.
    """
    nodes, mask, secret = choosable(options)
    return placement_of(options, nodes, mask, secret)


def placement_of(
    options: PlacementOptions, nodes: NodeList, mask: NDArray[np.bool_] | None, secret: bytes
) -> Placement:
    """Make the placement that the options name, of nodes that were read already."""
    placed = _placed(options, secret, nodes, mask)

    def note() -> str:
        return "; ".join(filter(None, (nodes.note, placed.note())))

    read = len(nodes.ids)
    usable = read if mask is None else int(mask.sum())

    def identity() -> dict[str, Any]:
        from rvh.cli.identity import described, fingerprint

        return described(options) | {"fingerprint": fingerprint(options, secret, nodes, mask)}

    return placed._replace(note=note, read=read, usable=usable, identity=identity)


def choosable(options: PlacementOptions) -> tuple[NodeList, NDArray[np.bool_] | None, bytes]:
    """Read the nodes, the mask of those that may be chosen (None: all), and the secret.

    Raises
    ------
    typer.BadParameter, RVHError
        As `placement`.
    """
    refuse_conflicts(options)
    refuse_shared(named_inputs(options))
    if options.out is not None:
        others = replace(options, keys=()) if len(options.keys) == 1 else options  # it may be KEYS
        refuse_overwritten(options.out, named_inputs(others))
    secret = read_secret(options.method.secret_file)
    return *_nodes(options), secret


def _placed(
    options: PlacementOptions, secret: bytes, nodes: NodeList, mask: NDArray[np.bool_] | None
) -> Placement:
    method, constraints, bulk = options.method, options.constraints, options.bulk
    if method.algorithm in SYSTEMS:
        from rvh.cli.foreign import foreign  # imported, here and below, where it is needed

        system = foreign(options, nodes, mask)
        return Placement(nodes.ids, system.positions, check=system.check, made=system.made)
    if mask is not None:
        nodes = nodes.subset(mask)
    ids, k, threads = nodes.ids, options.k, bulk.threads
    if method.algorithm is Algorithm.JUMP:
        from rvh.stable import StableSelector

        selector = StableSelector(ids)
        selector.argselect_batch([], k)  # refuses a wrong k
        return Placement(ids, lambda keys: selector.argselect_batch(keys, k, threads=threads))
    node_set = as_node_set(ids, nodes.weights, options.scheme.value, secret)
    if method.algorithm is Algorithm.TABLE:
        from rvh.partitions import PartitionTable

        count = PARTITIONS if method.partitions is None else method.partitions
        table = PartitionTable(node_set, count, k, threads=threads)
        return Placement(ids, lambda keys: table.arglookup_batch(keys, threads=threads), made=table)
    node_set.argselect_batch([], k)
    if constraints.spread:
        return _spread(options, node_set, nodes)
    if constraints.node_geohash is not None:
        return _near(options, constraints.node_geohash, node_set, nodes)
    if bulk.load_factor is not None:
        return _balanced(bulk.load_factor, node_set, nodes, threads)
    if bulk.cache is not None:
        return _cached(options, bulk.cache, node_set, nodes)
    return Placement(
        ids,
        lambda keys: node_set.argselect_batch(keys, k, threads=threads),
        node_set,
        made=node_set,
    )


def _nodes(options: PlacementOptions) -> tuple[NodeList, NDArray[np.bool_] | None]:
    """Read the nodes, and decide which of them may be chosen (None: all)."""
    file = options.node_file
    nodes = read_nodes(
        options.nodes,
        file.node_column,
        options.weight_column,
        attributes=attributes(options),
        format_name=file.node_format,
        header=not file.no_node_header,
    )
    return nodes, choosable_of(nodes, options.constraints)


def attributes(options: PlacementOptions) -> dict[str, str]:
    """The columns of the node list that a placement needs, and the option that names each."""
    constraints, algorithm = options.constraints, options.method.algorithm
    columns = {condition.name: "--where" for condition in _conditions(constraints)}
    columns.update(dict.fromkeys(constraints.spread, "--spread"))
    if constraints.node_geohash is not None:
        columns[constraints.node_geohash] = "--node-geohash"
    if algorithm in SYSTEMS:
        columns.update(dict.fromkeys(SYSTEMS[algorithm].columns, f"--algorithm {algorithm}"))
    return columns


def choosable_of(nodes: NodeList, constraints: FaultOptions) -> NDArray[np.bool_] | None:
    """The mask of the nodes that may be chosen; None for all."""
    if not (constraints.where or constraints.dead):
        return None
    from rvh.cli.conditions import usable

    return usable(nodes, _conditions(constraints), constraints.dead)


def _conditions(constraints: FaultOptions) -> list[Condition]:
    if not constraints.where:
        return []
    from rvh.cli.conditions import parse

    return [parse(text) for text in constraints.where]


def named_inputs(options: PlacementOptions) -> Iterator[tuple[str, str]]:
    """Name all that is read, for `refuse_shared`."""
    for option, texts in (("--nodes", options.nodes), ("--dead", options.constraints.dead)):
        for path in paths(texts, option):
            yield f"{option} @{path}", path
    if options.method.secret_file is not None:
        yield f"--secret-file {options.method.secret_file}", options.method.secret_file
    for path in options.keys:
        yield f"KEYS {path}", path


def fault_set(
    constraints: FaultOptions, node_set: NodeSet, nodes: NodeList
) -> tuple[FaultSet, dict[str, Any]]:
    """The nodes with their domains, and the arguments about the spread of a call."""
    from rvh.cli.conditions import domain
    from rvh.faultset import FaultSet

    names = constraints.spread
    domains = {name: domain(nodes.ids, name, nodes.attributes[name]) for name in names}
    faults = FaultSet(node_set, domains=domains)
    limits = constraints.max_per_domain
    limit = limits[0] if len(limits) == 1 else tuple(limits) or 1
    return faults, {"spread": tuple(names), "max_per_domain": limit} if names else {}


def unspread(faults: FaultSet, k: int, spread: dict[str, Any]) -> str:
    """The remark about too few domains, or ""."""
    reached = faults.spread_max(**spread) if spread else k
    if reached >= k:
        return ""
    return f"only {reached} of {k} nodes of a key are spread as asked for"


def _spread(options: PlacementOptions, node_set: NodeSet, nodes: NodeList) -> Placement:
    k = options.k
    faults, spread = fault_set(options.constraints, node_set, nodes)
    faults.argselect_batch([], k, **spread, strict=options.constraints.strict)

    def positions(keys: Any) -> NDArray[np.intp]:
        return faults.argselect_batch(keys, k, **spread, threads=options.bulk.threads).nodes

    made = faults.with_spread(**spread, strict=options.constraints.strict)
    note = partial(unspread, faults, k, spread)
    return Placement(nodes.ids, positions, node_set, note=note, made=made)


def _near(options: PlacementOptions, column: str, node_set: NodeSet, nodes: NodeList) -> Placement:
    from rvh.cli.conditions import labels
    from rvh.cli.geohashes import refuse_no_geohash
    from rvh.geohash import GeoSet

    places = labels(nodes.attributes[column])
    precision = 12 if options.precision is None else options.precision
    try:
        geo = GeoSet(node_set, geohash=places, precision=precision)
    except RVHError:
        for node, place in zip(nodes.ids, places, strict=True):
            refuse_no_geohash(place, f"--node-geohash: the geohash of node {show(node)}")
        raise
    k = options.k

    def positions(keys: Any, places: Any) -> NDArray[np.intp]:
        return geo.argselect_batch(keys, k, geohash=places, threads=options.bulk.threads)

    return Placement(nodes.ids, positions, node_set)


def _balanced(
    load_factor: float, node_set: NodeSet, nodes: NodeList, threads: int | None
) -> Placement:
    from rvh.balanced import argassign_balanced, capacities

    try:
        capacities(node_set, 0, load_factor)
    except RVHError:
        if math.isfinite(load_factor) and load_factor > 0:
            raise  # about the nodes
        raise RVHError(
            f"--load-factor is {load_factor:g}: give a finite number above 0 (with 1 or more there "
            "is always room), or omit it for no bound"
        ) from None

    def positions(keys: Any) -> NDArray[np.intp]:
        return argassign_balanced(node_set, keys, load_factor, threads=threads).reshape(-1, 1)

    return Placement(nodes.ids, positions, node_set, whole=True)


def _cached(options: PlacementOptions, size: int, node_set: NodeSet, nodes: NodeList) -> Placement:
    from rvh.cache import SelectionCache

    policy = CachePolicy.LRU if options.bulk.cache_policy is None else options.bulk.cache_policy
    try:
        cache = SelectionCache(node_set, size, policy.value)
    except RVHError as error:
        raise RVHError(str(error).replace("maxsize", "--cache")) from None

    def positions(keys: Any) -> NDArray[np.intp]:
        return cache.argselect_batch(keys, options.k, threads=options.bulk.threads)

    def note() -> str:
        info = cache.info()
        share = info.hits / max(1, info.hits + info.misses)
        return f"{share:.1%} of the keys were in the cache"

    return Placement(nodes.ids, positions, node_set, note=note)
