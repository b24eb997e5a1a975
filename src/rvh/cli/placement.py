"""The options that say what puts keys on nodes, as one function from keys to nodes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import typer
from numpy.typing import NDArray

from rvh._columns.values import is_whole
from rvh._tables import FORMATS
from rvh.cli.nodes import NodeList, inputs, read_nodes, refuse_overwritten, refuse_shared
from rvh.cli.options import Algorithm, CachePolicy, Integers, Scheme, read_secret
from rvh.errors import RVHError, show
from rvh.keys import key_bytes
from rvh.nodes import NodeSet

#: of --algorithm table
PARTITIONS = 65536
#: the algorithms that are rings: the function of `rvh.ring` that makes it, and its options
RINGS: dict[Algorithm, tuple[str, dict[str, str]]] = {
    Algorithm.KETAMA: ("ketama", {}),
    Algorithm.LIBMEMCACHED: ("libmemcached", {}),
    Algorithm.LIBMEMCACHED_KETAMA: ("libmemcached", {"behavior": "ketama"}),
    Algorithm.LIBMEMCACHED_MD5: ("libmemcached", {"behavior": "consistent", "hash_fn": "md5"}),
    Algorithm.UHASHRING: ("uhashring", {}),
    Algorithm.UHASHRING_KETAMA: ("uhashring", {"hash_fn": "ketama"}),
    Algorithm.HASH_RING: ("hash_ring", {}),
    Algorithm.NGINX: ("nginx", {}),
}


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What the options ask for; each is that of the command line."""

    nodes: Sequence[str]
    k: int
    algorithm: Algorithm = Algorithm.RENDEZVOUS
    integers: Integers | None = None
    text_keys: bool = False  # no key is an integer
    scheme: Scheme = Scheme.BLAKE2B
    partitions: int | None = None
    node_column: str | None = None
    node_format: str | None = None
    node_header: bool = True
    weight_column: str | None = None
    secret_file: str | None = None
    where: Sequence[str] = ()
    dead: Sequence[str] = ()
    spread: Sequence[str] = ()
    max_per_domain: Sequence[int] = ()
    strict: bool = False
    node_geohash: str | None = None
    key_place: str | None = None  # the option that says where keys are
    precision: int | None = None
    load_factor: float | None = None
    cache: int | None = None
    cache_policy: CachePolicy | None = None
    keys: str | None = None  # the path of KEYS
    out: str | None = None  # that of OUT
    threads: int | None = None


class Placement(NamedTuple):
    """Nodes, and what puts keys on them.

    Parameters
    ----------
    ids : list of str
        The node ids, in the order of the node list.
    positions : callable
        Keys of any kind in `rvh.keys.KINDS`, and where asked for their geohashes, to an array of
        shape (keys, k): the positions in `ids` of the nodes of each, best first.
    node_set : NodeSet or None
        What ranks the nodes, where each key asks for that; None where it does not.
    whole : bool
        Whether a key's node depends on all keys, so that they have to come in one call.
    note : callable
        What there is to say when all is done, or nothing.
    check : callable
        Raises the error about one key, if it is none.
    """

    ids: list[str]
    positions: Callable[..., NDArray[np.intp]]
    node_set: NodeSet | None = None
    whole: bool = False
    note: Callable[[], str] = str
    check: Callable[[Any], object] = key_bytes


def placement(asked: Asked) -> Placement:
    """What the options ask for.

    Raises
    ------
    typer.BadParameter
        Options that do not go together, before any file is read.
    RVHError
        Nodes, weights or a secret that cannot be used, a number out of range.
    """
    _refuse_conflicts(asked)
    refuse_shared(_inputs(asked))
    if asked.out is not None:  # KEYS it may be
        refuse_overwritten(asked.out, _inputs(replace(asked, keys=None)))
    secret = read_secret(asked.secret_file)
    listed, mask = _listed(asked)
    if asked.algorithm in RINGS:
        return _on_ring(asked, listed, mask)
    listed = _left(listed, mask)
    ids, k, threads = listed.ids, asked.k, asked.threads
    if asked.algorithm is Algorithm.JUMP:
        from rvh.stable import StableSelector  # here and below: only who asks for it pays

        selector = StableSelector(ids)
        selector.argselect_batch([], k)  # refuses a wrong k
        return Placement(ids, lambda keys: selector.argselect_batch(keys, k, threads=threads))
    node_set = NodeSet(ids, weights=listed.weights, scheme=asked.scheme.value, secret=secret)
    if asked.algorithm is Algorithm.TABLE:
        from rvh.partitions import PartitionTable

        count = PARTITIONS if asked.partitions is None else asked.partitions
        table = PartitionTable(node_set, count, k, threads=threads)
        return Placement(ids, lambda keys: table.arglookup_batch(keys, threads=threads))
    node_set.argselect_batch([], k)
    if asked.spread:
        return _spread(asked, node_set, listed)
    if asked.node_geohash is not None:
        return _near(asked, node_set, listed)
    if asked.load_factor is not None:
        return _balanced(asked.load_factor, node_set, listed, threads)
    if asked.cache is not None:
        return _cached(asked, node_set, listed)
    return Placement(ids, lambda keys: node_set.argselect_batch(keys, k, threads=threads), node_set)


def _listed(asked: Asked) -> tuple[NodeList, NDArray[np.bool_] | None]:
    """The nodes, with what is needed to know of each, and which may be chosen (None: all)."""
    conditions = []
    if asked.where or asked.dead:
        from rvh.cli.conditions import left, parse

        conditions = [parse(text) for text in asked.where]
    also = {condition.name: "--where" for condition in conditions}
    also.update(dict.fromkeys(asked.spread, "--spread"))
    if asked.node_geohash is not None:
        also[asked.node_geohash] = "--node-geohash"
    listed = read_nodes(
        asked.nodes,
        asked.node_column,
        asked.weight_column,
        also=also,
        format_name=asked.node_format,
        header=asked.node_header,
    )
    if not (conditions or asked.dead):
        return listed, None
    return listed, left(listed.ids, listed.attributes, conditions, asked.dead)


def _left(listed: NodeList, mask: NDArray[np.bool_] | None) -> NodeList:
    if mask is None:
        return listed
    weights = listed.weights
    return NodeList(
        _kept(listed.ids, mask),
        None if weights is None else _kept(weights, mask),
        {name: _kept(values, mask) for name, values in listed.attributes.items()},
    )


def _inputs(asked: Asked) -> Iterator[tuple[str, str]]:
    """All that is read, for `refuse_shared`."""
    for option, texts in (("--nodes", asked.nodes), ("--dead", asked.dead)):
        for path in inputs(texts):
            yield f"{option} @{path}", path
    if asked.secret_file is not None:
        yield f"--secret-file {asked.secret_file}", asked.secret_file
    if asked.keys is not None:
        yield f"KEYS {asked.keys}", asked.keys


def _kept(values: list[Any], mask: NDArray[np.bool_]) -> list[Any]:
    return [value for value, stays in zip(values, mask.tolist(), strict=True) if stays]


def _on_ring(asked: Asked, listed: NodeList, mask: NDArray[np.bool_] | None) -> Placement:
    """Who may not be chosen leaves the walk, and the ring stays: its points depend on all nodes."""
    from rvh import ring as rings

    name, options = RINGS[asked.algorithm]
    integers = None if asked.integers is None else asked.integers.value
    ring: rings.Ring = getattr(rings, name)(
        listed.ids, listed.weights, integers=integers, **options
    )
    if mask is not None:
        ring = ring.without(_kept(listed.ids, ~mask))
    k, threads = asked.k, asked.threads
    ring.arglookup_batch([], k)

    def check(key: Any) -> None:
        if integers is None and is_whole(key):
            choices = ", ".join(f"{name} ({what})" for name, what in rings.INTEGERS.items())
            raise RVHError(
                f"the key is the integer {show(int(key))}, and nothing says how the system of the "
                f"ring writes integers: give --integers one of {choices}"
            )
        ring.token(key)

    def positions(keys: Any) -> NDArray[np.intp]:
        return ring.arglookup_batch(keys, k, threads=threads)

    return Placement(listed.ids, positions, check=check)


def _spread(asked: Asked, nodes: NodeSet, listed: NodeList) -> Placement:
    from rvh.cli.conditions import domain
    from rvh.faultset import FaultSet

    domains = {name: domain(listed.ids, name, listed.attributes[name]) for name in asked.spread}
    faults = FaultSet(nodes, domains=domains)
    limits = asked.max_per_domain
    most = limits[0] if len(limits) == 1 else tuple(limits) or 1
    k, spread, strict = asked.k, tuple(asked.spread), asked.strict
    faults.argselect_batch([], k, spread, most, strict=strict)
    held = faults.spread_max(spread, most)

    def positions(keys: Any) -> NDArray[np.intp]:
        return faults.argselect_batch(keys, k, spread, most, threads=asked.threads).nodes

    def note() -> str:
        return f"only {held} of {k} nodes of a key are spread as asked for" if held < k else ""

    return Placement(listed.ids, positions, nodes, note=note)


def _near(asked: Asked, nodes: NodeSet, listed: NodeList) -> Placement:
    from rvh.cli.conditions import labels
    from rvh.cli.geohashes import refuse_no_geohash
    from rvh.geohash import GeoSet

    assert asked.node_geohash is not None
    places = labels(listed.attributes[asked.node_geohash])
    precision = 12 if asked.precision is None else asked.precision
    try:
        geo = GeoSet(nodes, geohash=places, precision=precision)
    except RVHError:
        for node, place in zip(listed.ids, places, strict=True):
            refuse_no_geohash(place, f"--node-geohash: the geohash of node {show(node)}")
        raise
    k = asked.k

    def positions(keys: Any, places: Any) -> NDArray[np.intp]:
        return geo.argselect_batch(keys, k, geohash=places, threads=asked.threads)

    return Placement(listed.ids, positions, nodes)


def _balanced(
    load_factor: float, nodes: NodeSet, listed: NodeList, threads: int | None
) -> Placement:
    from rvh.balanced import argassign_balanced, capacities

    capacities(nodes, 0, load_factor)  # refuses a wrong factor

    def positions(keys: Any) -> NDArray[np.intp]:
        return argassign_balanced(nodes, keys, load_factor, threads=threads).reshape(-1, 1)

    return Placement(listed.ids, positions, nodes, whole=True)


def _cached(asked: Asked, nodes: NodeSet, listed: NodeList) -> Placement:
    from rvh.cache import SelectionCache

    assert asked.cache is not None
    policy = CachePolicy.LRU if asked.cache_policy is None else asked.cache_policy
    try:
        cache = SelectionCache(nodes, asked.cache, policy.value)
    except RVHError as error:
        raise RVHError(str(error).replace("maxsize", "--cache")) from None

    def positions(keys: Any) -> NDArray[np.intp]:
        return cache.argselect_batch(keys, asked.k, threads=asked.threads)

    def note() -> str:
        info = cache.info()
        share = info.hits / max(1, info.hits + info.misses)
        return f"{share:.1%} of the keys were in the cache"

    return Placement(listed.ids, positions, nodes, note=note)


def _refuse_conflicts(asked: Asked) -> None:
    """An option that would change nothing is refused: who gives it expects that it does."""
    algorithm = asked.algorithm
    if algorithm is Algorithm.JUMP:
        for option, given, why in (
            ("--scheme", asked.scheme is not Scheme.BLAKE2B, "ranks no nodes, so it has no scheme"),
            ("--weight-column", asked.weight_column is not None, "gives every node the same share"),
            ("--secret-file", asked.secret_file is not None, "has no secret"),
            ("--where", bool(asked.where), "numbers the nodes, and leaving some out moves all"),
            ("--dead", bool(asked.dead), "numbers the nodes, and leaving some out moves all"),
        ):
            if given:
                raise typer.BadParameter(
                    f"--algorithm jump {why}: leave {option} away, or use rendezvous or table",
                    param_hint=option,
                )
    if asked.integers is not None and algorithm not in RINGS:
        raise typer.BadParameter(
            f"--algorithm {algorithm} is no ring of another system: leave it away, or use one of "
            f"{', '.join(RINGS)}",
            param_hint="--integers",
        )
    if asked.integers is not None and asked.text_keys:
        raise typer.BadParameter(
            "all keys are text, which every system hashes as it is: leave it away, or give "
            "--key-type int",
            param_hint="--integers",
        )
    if algorithm in RINGS:
        for option, given, why in (
            ("--scheme", asked.scheme is not Scheme.BLAKE2B, "has a hash of its own"),
            ("--secret-file", asked.secret_file is not None, "has no secret"),
        ):
            if given:
                raise typer.BadParameter(
                    f"--algorithm {algorithm} {why}: leave {option} away", param_hint=option
                )
    if asked.node_format is not None and asked.node_format not in FORMATS:
        raise typer.BadParameter(
            f"{show(asked.node_format)} is none of {', '.join(FORMATS)}", param_hint="--node-format"
        )
    if asked.partitions is not None and algorithm is not Algorithm.TABLE:
        raise typer.BadParameter(
            f"--algorithm {algorithm} has no partitions: leave it away, or use --algorithm table",
            param_hint="--partitions",
        )
    if asked.secret_file is not None and asked.scheme is Scheme.MURMUR:
        raise typer.BadParameter(
            "--scheme murmur has no secret and is no defence against chosen keys: leave it away, "
            "or use --scheme blake2b",
            param_hint="--secret-file",
        )
    ways = {
        "--spread": bool(asked.spread),
        "--node-geohash": asked.node_geohash is not None,
        "--load-factor": asked.load_factor is not None,
        "--cache": asked.cache is not None,
    }
    chosen = [option for option, there in ways.items() if there]
    if chosen and algorithm is not Algorithm.RENDEZVOUS:
        raise typer.BadParameter(
            f"only --algorithm rendezvous has this, not {algorithm}", param_hint=chosen[0]
        )
    if len(chosen) > 1:
        raise typer.BadParameter(
            f"{chosen[0]} and {chosen[1]} are two ways to choose: give one of them",
            param_hint=chosen[1],
        )
    for option, there, needs in (
        ("--max-per-domain", bool(asked.max_per_domain), "--spread"),
        ("--strict", asked.strict, "--spread"),
        ("--precision", asked.precision is not None, "--node-geohash"),
        (str(asked.key_place), asked.key_place is not None, "--node-geohash"),
        ("--cache-policy", asked.cache_policy is not None, "--cache"),
    ):
        if there and not ways[needs]:
            raise typer.BadParameter(f"it needs {needs}", param_hint=option)
    if ways["--load-factor"] and asked.k != 1:
        raise typer.BadParameter(
            "with a bound on load a key gets one node: leave --k away", param_hint="--load-factor"
        )
