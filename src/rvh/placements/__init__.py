"""The placements of other systems that are not rings, to the bit.

`Modulo` puts a key into a slot by its hash modulo the number of slots; a slot is on one node or on
several. `TypedModulo` does so by the hash of typed columns. The functions make what a system has:
`kafka` its partitions, `redis_cluster` its slots, `twemproxy` the servers of a pool, `spark` the
partitions of a shuffle, `elasticsearch` the shards of an index, `maglev` and
`haproxy_map` the tables of proxies. `TokenMap` has the ranges of a ring (`cassandra`), and
`Rendezvous` scores names (`pymemcache`, `clandestined`); `envoy_ring` and `haproxy` are rings.
"""

from rvh._backend.contract import SYSTEMS
from rvh._public import exported_by
from rvh.placements.bigquery import bigquery
from rvh.placements.cassandra import TokenMap, cassandra
from rvh.placements.databases import elasticsearch, postgresql
from rvh.placements.engines import hive, iceberg, spark
from rvh.placements.envoy import envoy_ring, maglev
from rvh.placements.haproxy import haproxy, haproxy_map
from rvh.placements.memcached import libmemcached_modula, python_memcached, twemproxy
from rvh.placements.modulo import HASHES, REDUCTIONS, Modulo
from rvh.placements.redis import redis_cluster
from rvh.placements.rendezvous import Rendezvous, clandestined, pymemcache
from rvh.placements.slots import SlotTable
from rvh.placements.streams import kafka
from rvh.placements.typed import TypedModulo

__all__ = [
    "HASHES",
    "REDUCTIONS",
    "SYSTEMS",
    "Modulo",
    "Rendezvous",
    "SlotTable",
    "TokenMap",
    "TypedModulo",
    "bigquery",
    "cassandra",
    "clandestined",
    "elasticsearch",
    "envoy_ring",
    "haproxy",
    "haproxy_map",
    "hive",
    "iceberg",
    "kafka",
    "libmemcached_modula",
    "maglev",
    "postgresql",
    "pymemcache",
    "python_memcached",
    "redis_cluster",
    "spark",
    "twemproxy",
]

exported_by(
    __name__,
    Modulo,
    Rendezvous,
    SlotTable,
    TokenMap,
    TypedModulo,
    bigquery,
    cassandra,
    clandestined,
    elasticsearch,
    envoy_ring,
    haproxy,
    haproxy_map,
    hive,
    iceberg,
    kafka,
    libmemcached_modula,
    maglev,
    postgresql,
    pymemcache,
    python_memcached,
    redis_cluster,
    spark,
    twemproxy,
)
