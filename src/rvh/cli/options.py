"""The options that `rvh select` and `rvh assign` share: each is declared here alone.

What stands together in the help of both is a group; `rvh.cli.groups` spreads it out for Typer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated

import typer

from rvh._tables import FORMATS
from rvh.cli.systems import SYSTEMS as SYSTEMS
from rvh.cli.systems import Algorithm as Algorithm
from rvh.nodes import SCHEMES


class Scheme(StrEnum):
    """The scheme that makes a score of a node and a key."""

    BLAKE2B, MURMUR = SCHEMES


class Integers(StrEnum):
    """The form in which another system writes an integer key: `rvh.ring.INTEGERS`."""

    TEXT = "text"
    INT32_BE = "int32_be"
    INT64_BE = "int64_be"
    INT32_LE = "int32_le"
    INT64_LE = "int64_le"
    CONTRACT = "contract"


class CachePolicy(StrEnum):
    """The rule by which a cache forgets keys: `rvh.cache`."""

    LRU = "lru"
    ARC = "arc"


Nodes = Annotated[
    list[str],
    typer.Option(
        "--nodes",
        "-n",
        metavar="LIST|@FILE|URL",
        help="Node ids separated by commas or as a JSON list, or @ and a file of them (.csv .tsv "
        ".ndjson .parquet .arrow; any other name: one id a line; @- is stdin), or the URL of a "
        "source as redis:// (@redis:// where it is one of several). Repeated: all of them.",
    ),
]
SchemeName = Annotated[
    Scheme,
    typer.Option("--scheme", help="murmur: far faster, but no defence against chosen keys."),
]
WeightColumn = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="The column of the node file that holds the nodes' weights [default, of a source: "
        "weight, where they have it].",
    ),
]
Precision = Annotated[
    int | None,
    typer.Option(
        metavar="N", help="How many characters of a geohash count, 1 to 12 [default: 12]."
    ),
]
SecretFile = Annotated[
    str | None,
    typer.Option(
        metavar="FILE",
        help="File with the secret (- is stdin): its bytes, without one newline at the end. At "
        "most 64.",
    ),
]
Threads = Annotated[
    int | None,
    typer.Option(min=1, help="Threads [default: the cores, capped by RVH_NUM_THREADS]."),
]
Count = Annotated[
    int,
    typer.Option("--k", "--count", "-c", help="How many nodes, best first (-k is the key here)."),
]


@dataclass(frozen=True, kw_only=True)
class NodeFileOptions:
    """The columns and the format of a node file."""

    node_column: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="The column of the node file that holds the ids [default: the first].",
        ),
    ] = None
    node_format: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help=f"The format of the node file: {', '.join(FORMATS)} [default: by its extension, "
            "else lines].",
        ),
    ] = None
    no_node_header: Annotated[
        bool,
        typer.Option(
            "--no-node-header",
            help="The node file (CSV or TSV) has no header: its columns are called 1, 2, ...",
        ),
    ] = False


@dataclass(frozen=True, kw_only=True)
class MethodOptions:
    """The algorithm, and what it needs to know."""

    algorithm: Annotated[
        Algorithm,
        typer.Option(
            "--algorithm",
            metavar="NAME",  # all of the names are too long for a line
            help="rendezvous; jump: the nodes are buckets, and their order counts; table: a table "
            "of partitions, made once and looked up; or another system's: "
            f"{', '.join(SYSTEMS)}. Each has answers of its own.",
        ),
    ] = Algorithm.RENDEZVOUS
    integers: Annotated[
        Integers | None,
        typer.Option(
            "--integers",
            help="With another system's algorithm: how that writes integer keys, as digits, as 4 "
            "or 8 bytes big-endian or little-endian, or as rvh's own bytes.",
        ),
    ] = None
    hash: Annotated[
        str | None,
        typer.Option(
            "--hash",
            metavar="NAME",
            help="The hash of --algorithm modulo, or of a system that has several: twemproxy, "
            "twemproxy-modula, python-memcached, libmemcached-modula, envoy-ring, haproxy and its "
            "kin [default: the system's].",
        ),
    ] = None
    hash_tag: Annotated[
        str | None,
        typer.Option(
            "--hash-tag",
            metavar="CC",
            help="The two characters around the part of a key that counts, as {} (twemproxy, "
            "twemproxy-modula, modulo).",
        ),
    ] = None
    types: Annotated[
        str | None,
        typer.Option(
            "--types",
            metavar="TYPE,...",
            help="The types of the key columns, as the system calls them, in order (spark, "
            "iceberg, hive, hive-1, postgresql): bigint or string,int.",
        ),
    ] = None
    routing_shards: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="The number_of_routing_shards of an index (elasticsearch) [default: "
            "Elasticsearch's own].",
        ),
    ] = None
    replication: Annotated[
        str | None,
        typer.Option(
            "--replication",
            metavar="NAME=N,...",
            help="The replicas in each datacenter, as the keyspace has them (cassandra): "
            "dc1=3,dc2=2.",
        ),
    ] = None
    partitions: Annotated[
        int | None,
        typer.Option(metavar="P", help="The partitions of --algorithm table [default: 65536]."),
    ] = None
    secret_file: SecretFile = None


@dataclass(frozen=True, kw_only=True)
class FaultOptions:
    """The nodes that may be chosen, and how those of a key are spread."""

    where: Annotated[
        list[str],
        typer.Option(
            "--where",
            metavar="COND",
            help="Only nodes whose columns meet COND: NAME=PATTERN, NAME!=PATTERN, NAME>=NUMBER, "
            "or NAME alone for true. Repeated: all of them.",
        ),
    ] = field(default_factory=list)
    dead: Annotated[
        list[str],
        typer.Option(
            "--dead",
            metavar="LIST|@FILE",
            help="Nodes that are dead: their keys go to the next in rank. Repeated: all of them.",
        ),
    ] = field(default_factory=list)
    spread: Annotated[
        list[str],
        typer.Option(
            "--spread",
            metavar="NAME",
            help="Spread the nodes of a key over the domains in this column of the node file. "
            "Repeated: nested, from the outermost in.",
        ),
    ] = field(default_factory=list)
    max_per_domain: Annotated[
        list[int],
        typer.Option(
            "--max-per-domain",
            metavar="N",
            help="How many nodes of a key may be in one domain; one for all, or one for each "
            "--spread [default: 1].",
        ),
    ] = field(default_factory=list)
    strict: Annotated[
        bool,
        typer.Option("--strict", help="Fail where --spread cannot be held to, and top up nothing."),
    ] = False


@dataclass(frozen=True, kw_only=True)
class ConstraintOptions(FaultOptions):
    """Limits on the nodes that a key may have."""

    node_geohash: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="The column of the node file that holds geohashes: nodes of the key's region "
            "first.",
        ),
    ] = None


@dataclass(frozen=True, kw_only=True)
class BulkOptions:
    """Options that only a run over many keys has."""

    load_factor: Annotated[
        float | None,
        typer.Option(
            metavar="F",
            help="No node gets more than F times its share of all keys; KEYS is read twice.",
        ),
    ] = None
    cache: Annotated[
        int | None,
        typer.Option(metavar="N", help="Remember the nodes of N keys that were asked for."),
    ] = None
    cache_policy: Annotated[
        CachePolicy | None,
        typer.Option(help="Which key gives way in the cache [default: lru]."),
    ] = None
    threads: Threads = None


@dataclass(frozen=True, kw_only=True)
class PlacementOptions:
    """All options that decide which nodes a key gets.

    Parameters
    ----------
    keys : sequence of str
        The paths of KEYS.
    out : str, optional
        The path of OUT.
    text_keys : bool
        Whether no key is an integer.
    key_place : str, optional
        The option given that says where keys are.
    """

    nodes: list[str]
    k: int
    scheme: Scheme
    weight_column: str | None
    precision: int | None
    method: MethodOptions
    node_file: NodeFileOptions
    constraints: ConstraintOptions
    bulk: BulkOptions = field(default_factory=BulkOptions)
    keys: Sequence[str] = ()
    out: str | None = None
    text_keys: bool
    key_place: str | None
