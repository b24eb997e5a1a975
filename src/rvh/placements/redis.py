"""The slots of a Redis Cluster, read from what the cluster says of itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from rvh.errors import RVHError, RVHTypeError, show
from rvh.placements.modulo import Modulo

if TYPE_CHECKING:
    from rvh.typing import Integers

__all__ = ["redis_cluster"]

#: https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/
SLOTS = 16384


def redis_cluster(slots: Any, *, integers: Integers | None = None) -> Modulo:
    """The slots of a Redis or Valkey Cluster: CRC-16 of the key, or of its ``{tag}``.

    Parameters
    ----------
    slots : answer of CLUSTER SLOTS or CLUSTER SHARDS, or sequence of 16384 ids or rows of ids
        The answer as redis-py or another client returns it, decoded or not. Nodes are called
        ``"host:port"``; a slot's first node is its primary, and replicas follow.
    integers : one of `INTEGERS`, optional
        How the program writes integer keys; clients of Redis send their digits, ``"text"``.

    Returns
    -------
    Modulo
        Of 16384 slots. `k` goes up to the number of nodes of the slot that has fewest.

    Raises
    ------
    RVHError
        A slot without a node, or given twice; a node without an address.
    RVHTypeError
        Another form.

    Notes
    -----
    Replicas that are not ``online`` are left out of CLUSTER SHARDS, as CLUSTER SLOTS leaves them
    out. Slots that are being moved to another node count as their old node's.

    Examples
    --------
    >>> from rvh.placements import redis_cluster
    >>> answer = [[0, 8191, ["10.0.0.1", 6379, "id1"]], [8192, 16383, ["10.0.0.2", 6379, "id2"]]]
    >>> cluster = redis_cluster(answer)
    >>> cluster.slot("user:1"), cluster.slot("{user:1}.name"), cluster.lookup("user:1")
    (10778, 10778, ['10.0.0.2:6379'])
    """
    nodes = slots if _is_table(slots) else _table(slots)
    return Modulo(nodes, "crc16", tag="{}", integers=integers)


def _is_table(slots: Any) -> bool:
    try:
        return not isinstance(slots, Mapping) and len(slots) == SLOTS
    except TypeError:  # it has no length, as an array of no dimension
        return False


def _table(answer: Any) -> list[list[str]]:
    """Return the nodes of every slot, as many for each as the slot with the fewest has."""
    table: list[list[str]] = [[] for _ in range(SLOTS)]
    try:
        ranges = list(_ranges(answer))
    except RVHError:
        raise
    except (KeyError, TypeError, ValueError):
        raise RVHTypeError(
            f"slots is {show(answer)}: pass what CLUSTER SLOTS or CLUSTER SHARDS answers, or a "
            f"list of {SLOTS} nodes"
        ) from None
    for first, last, nodes in ranges:
        if not 0 <= first <= last < SLOTS:
            raise RVHError(f"slots {first} to {last} are not among 0 to {SLOTS - 1}")
        for slot in range(first, last + 1):
            if table[slot]:
                raise RVHError(f"slot {slot} is on {table[slot][0]}, and again on {nodes[0]}")
            table[slot] = nodes
    missing = [slot for slot, nodes in enumerate(table) if not nodes]
    if missing:
        raise RVHError(
            f"{len(missing)} of {SLOTS} slots have no node, the first of them slot {missing[0]}: "
            "wait until CLUSTER INFO says cluster_state:ok"
        )
    fewest = min(map(len, table))
    return [nodes[:fewest] for nodes in table]


def _ranges(answer: Any) -> Iterator[tuple[int, int, list[str]]]:
    """Yield (first slot, last slot, nodes) of any form of the answers."""
    if isinstance(answer, Mapping):  # redis-py's CLUSTER SLOTS
        for (first, last), nodes in answer.items():
            replicas = [_address(*node) for node in nodes["replicas"]]
            yield int(first), int(last), [_address(*nodes["primary"]), *replicas]
        return
    for entry in answer:
        shard = _named(entry)
        if "slots" in shard and "nodes" in shard:
            nodes = _shard_nodes([_named(node) for node in shard["nodes"]])
            pairs = shard["slots"]
            if pairs and not isinstance(pairs[0], int):
                pairs = [slot for pair in pairs for slot in pair]
            for first, last in zip(pairs[::2], pairs[1::2], strict=True):
                yield int(first), int(last), nodes
        else:
            first, last, *nodes = entry
            yield int(first), int(last), [_address(*node[:2]) for node in nodes]


def _named(entry: Any) -> Mapping[str, Any]:
    """Return what RESP3 gives as a map and RESP2 as a flat list of names and values."""
    if isinstance(entry, Mapping):
        pairs: Iterable[tuple[Any, Any]] = entry.items()
    elif len(entry) % 2 == 0 and all(isinstance(name, (str, bytes)) for name in entry[::2]):
        pairs = zip(entry[::2], entry[1::2], strict=True)
    else:
        return {}
    return {_text(name): value for name, value in pairs}


def _shard_nodes(nodes: list[Mapping[str, Any]]) -> list[str]:
    """Return a shard's primary, and then its replicas that are online."""
    primaries = [node for node in nodes if _text(node["role"]) == "master"]
    replicas = [node for node in nodes if _text(node["role"]) != "master"]
    online = [node for node in replicas if _text(node.get("health", "online")) == "online"]
    return [
        _address(_host(node), node.get("port", node.get("tls-port"))) for node in primaries + online
    ]


def _host(node: Mapping[str, Any]) -> Any:
    endpoint = node.get("endpoint")
    return node["ip"] if not endpoint or _text(endpoint) == "?" else endpoint


def _address(host: Any, port: Any) -> str:
    if not host:
        raise RVHError(
            f"a node on port {port} has no address: the client that asked the cluster knows it, "
            "so put it into the answer"
        )
    return f"{_text(host)}:{int(port)}"


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
