"""The algorithms, and for each that is another system's what it takes: a row of one table."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NamedTuple

__all__ = ["SYSTEMS", "Algorithm", "System"]


class Algorithm(StrEnum):
    """The algorithm that puts a key on nodes."""

    RENDEZVOUS = "rendezvous"
    JUMP = "jump"
    TABLE = "table"
    KETAMA = "ketama"
    LIBMEMCACHED = "libmemcached"
    LIBMEMCACHED_KETAMA = "libmemcached-ketama"
    LIBMEMCACHED_MD5 = "libmemcached-md5"
    LIBMEMCACHED_MODULA = "libmemcached-modula"
    UHASHRING = "uhashring"
    UHASHRING_KETAMA = "uhashring-ketama"
    HASH_RING = "hash-ring"
    NGINX = "nginx"
    TWEMPROXY = "twemproxy"
    TWEMPROXY_MODULA = "twemproxy-modula"
    PYTHON_MEMCACHED = "python-memcached"
    REDIS_CLUSTER = "redis-cluster"
    KAFKA = "kafka"
    KAFKA_CONSISTENT = "kafka-consistent"
    KAFKA_FNV1A = "kafka-fnv1a"
    BIGQUERY = "bigquery"
    ENVOY_RING = "envoy-ring"
    MAGLEV = "maglev"
    HAPROXY = "haproxy"
    HAPROXY_AVALANCHE = "haproxy-avalanche"
    HAPROXY_MAP = "haproxy-map"
    HAPROXY_MAP_AVALANCHE = "haproxy-map-avalanche"
    PYMEMCACHE = "pymemcache"
    CLANDESTINED = "clandestined"
    CASSANDRA = "cassandra"
    CASSANDRA_SIMPLE = "cassandra-simple"
    SPARK = "spark"
    ICEBERG = "iceberg"
    HIVE = "hive"
    HIVE_1 = "hive-1"
    POSTGRESQL = "postgresql"
    ELASTICSEARCH = "elasticsearch"
    MODULO = "modulo"


class System(NamedTuple):
    """Another system's placement, and which options of the command line it takes.

    Parameters
    ----------
    function : str
        What makes the placement of nodes: its module and its name.
    options : mapping
        What it gets beside the nodes.
    weights, integers : bool
        Whether it takes weights, and has to be told how integer keys are written.
    is_ordered : bool
        Whether the order of the nodes decides: then they come from no source.
    leaves_out : bool
        Whether nodes can be left out while keys of the others stay: a ring.
    hashes : str
        The argument for ``--hash``, or "".
    tag : str
        The argument for ``--hash-tag``, or "".
    columns : tuple of str
        The columns of the node file that it needs.
    types : str
        The argument for ``--types``, which it then needs, or "". Several types are a composite key.
    shards : str
        The argument for ``--routing-shards``, or "".
    replication : str
        The argument for ``--replication``, which it then needs, or "".
    """

    function: str
    options: Mapping[str, Any] = {}
    weights: bool = True
    integers: bool = True
    is_ordered: bool = False
    leaves_out: bool = True
    hashes: str = ""
    tag: str = ""
    columns: tuple[str, ...] = ()
    types: str = ""
    shards: str = ""
    replication: str = ""


def _modulo(function: str, **options: Any) -> System:
    """A system that numbers its nodes in their order."""
    fields = {"weights": False, "is_ordered": True, "leaves_out": False}
    return System(f"rvh.placements.{function}", **(fields | options))


def _typed(function: str, types: str = "types", **options: Any) -> System:
    """A system that hashes typed columns: nothing else says how it writes integers."""
    return _modulo(function, integers=False, types=types, **options)


#: what is another system's, by its name
SYSTEMS: dict[Algorithm, System] = {
    Algorithm.KETAMA: System("rvh.ring.ketama"),
    Algorithm.LIBMEMCACHED: System("rvh.ring.libmemcached"),
    Algorithm.LIBMEMCACHED_KETAMA: System("rvh.ring.libmemcached", {"behavior": "ketama"}),
    Algorithm.LIBMEMCACHED_MD5: System(
        "rvh.ring.libmemcached", {"behavior": "consistent", "hash_fn": "md5"}
    ),
    Algorithm.LIBMEMCACHED_MODULA: _modulo("libmemcached_modula", hashes="hash_fn"),
    Algorithm.UHASHRING: System("rvh.ring.uhashring"),
    Algorithm.UHASHRING_KETAMA: System("rvh.ring.uhashring", {"hash_fn": "ketama"}),
    Algorithm.HASH_RING: System("rvh.ring.hash_ring"),
    Algorithm.NGINX: System("rvh.ring.nginx"),
    Algorithm.TWEMPROXY: System("rvh.placements.twemproxy", hashes="hash_fn", tag="hash_tag"),
    Algorithm.TWEMPROXY_MODULA: System(
        "rvh.placements.twemproxy",
        {"distribution": "modula"},
        leaves_out=False,
        hashes="hash_fn",
        tag="hash_tag",
    ),
    Algorithm.PYTHON_MEMCACHED: _modulo("python_memcached", weights=True, hashes="hash_fn"),
    Algorithm.REDIS_CLUSTER: _modulo("redis_cluster", columns=("slots",)),
    Algorithm.KAFKA: _modulo("kafka"),
    Algorithm.KAFKA_CONSISTENT: _modulo("kafka", options={"partitioner": "consistent"}),
    Algorithm.KAFKA_FNV1A: _modulo("kafka", options={"partitioner": "fnv1a"}),
    Algorithm.BIGQUERY: _modulo("bigquery"),
    Algorithm.ENVOY_RING: System(
        "rvh.placements.envoy_ring", is_ordered=True, hashes="hash_function"
    ),
    Algorithm.MAGLEV: System("rvh.placements.maglev", leaves_out=False),
    Algorithm.HAPROXY: System("rvh.placements.haproxy", is_ordered=True, hashes="hash_fn"),
    Algorithm.HAPROXY_AVALANCHE: System(
        "rvh.placements.haproxy", {"avalanche": True}, is_ordered=True, hashes="hash_fn"
    ),
    Algorithm.HAPROXY_MAP: _modulo("haproxy_map", weights=True, hashes="hash_fn"),
    Algorithm.HAPROXY_MAP_AVALANCHE: _modulo(
        "haproxy_map", options={"avalanche": True}, weights=True, hashes="hash_fn"
    ),
    Algorithm.PYMEMCACHE: System("rvh.placements.pymemcache", weights=False),
    Algorithm.CLANDESTINED: System("rvh.placements.clandestined", weights=False),
    Algorithm.CASSANDRA: System(
        "rvh.placements.cassandra",
        weights=False,
        leaves_out=False,
        columns=("tokens", "datacenter", "rack"),
        replication="replication",
    ),
    Algorithm.CASSANDRA_SIMPLE: System(
        "rvh.placements.cassandra", weights=False, leaves_out=False, columns=("tokens",)
    ),
    Algorithm.SPARK: _typed("spark"),
    Algorithm.ICEBERG: _typed("iceberg", "type"),
    Algorithm.HIVE: _typed("hive"),
    Algorithm.HIVE_1: _typed("hive", options={"version": 1}),
    Algorithm.POSTGRESQL: _typed("postgresql"),
    Algorithm.ELASTICSEARCH: _modulo("elasticsearch", integers=False, shards="routing_shards"),
    Algorithm.MODULO: _modulo("Modulo", hashes="hash", tag="tag"),
}
