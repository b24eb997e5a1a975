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
        help="Node ids separated by commas or as a JSON list; @FILE for a file of nodes (.csv, "
        ".tsv, .ndjson, .parquet, .arrow; otherwise one id a line), @- for stdin; or the URL "
        "of a source such as redis:// (@redis:// for one of several). May be repeated.",
    ),
]
SchemeName = Annotated[
    Scheme,
    typer.Option(
        "--scheme",
        metavar="|".join(Scheme),
        help="How scores are made. murmur is much faster but does not resist chosen keys.",
    ),
]
WeightColumn = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="The column of the node file with the weights. [default: none; for a source, the "
        "weights of its nodes, if any]",
    ),
]
Precision = Annotated[
    int | None,
    typer.Option(
        metavar="N", help="How many characters of a geohash count, 1 to 12. [default: 12]"
    ),
]
SecretFile = Annotated[
    str | None,
    typer.Option(
        metavar="FILE",
        help="A file with the secret, at most 64 bytes; one newline at its end does not count. - "
        "is stdin.",
    ),
]
Threads = Annotated[
    int | None,
    typer.Option(
        min=1,
        metavar="N",
        help="How many threads to use. [default: one for each core, at most RVH_NUM_THREADS]",
    ),
]
Count = Annotated[
    int,
    typer.Option(
        "--k",
        "--count",
        "-c",
        metavar="N",
        help="How many nodes to print, best first (-k is the key here).",
    ),
]


@dataclass(frozen=True, kw_only=True)
class NodeFileOptions:
    """The columns and the format of a node file."""

    node_column: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="The column of the node file with the ids. [default: the first]",
        ),
    ] = None
    node_format: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help=f"The format of the node file: {', '.join(FORMATS)}. [default: from its "
            "extension, otherwise lines]",
        ),
    ] = None
    no_node_header: Annotated[
        bool,
        typer.Option(
            "--no-node-header",
            help="The node file (csv or tsv) has no header; its columns are named 1, 2, 3 and so "
            "on.",
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
            help="How nodes are chosen: rendezvous; jump (nodes are numbered buckets, so their "
            "order matters); table (a table of partitions); or the algorithm of another system: "
            f"{', '.join(SYSTEMS)}.",
        ),
    ] = Algorithm.RENDEZVOUS
    integers: Annotated[
        Integers | None,
        typer.Option(
            "--integers",
            metavar="FORM",
            help="How the other system writes integer keys: text (digits), int32_be, int64_be, "
            "int32_le, int64_le, or contract (as rvh).",
        ),
    ] = None
    hash: Annotated[
        str | None,
        typer.Option(
            "--hash",
            metavar="NAME",
            help="The hash of modulo, or of a system with several: twemproxy, twemproxy-modula, "
            "python-memcached, libmemcached-modula, envoy-ring and the haproxy algorithms. "
            "[default: the system's own]",
        ),
    ] = None
    hash_tag: Annotated[
        str | None,
        typer.Option(
            "--hash-tag",
            metavar="CC",
            help="Hash only the part of a key between these two characters, such as {} (twemproxy, "
            "twemproxy-modula, modulo).",
        ),
    ] = None
    types: Annotated[
        str | None,
        typer.Option(
            "--types",
            metavar="TYPE,...",
            help="The types of the key columns in order, by the system's names, such as bigint or "
            "string,int (spark, iceberg, hive, hive-1, postgresql).",
        ),
    ] = None
    routing_shards: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="The index's number_of_routing_shards (elasticsearch). [default: what "
            "Elasticsearch uses]",
        ),
    ] = None
    replication: Annotated[
        str | None,
        typer.Option(
            "--replication",
            metavar="NAME=N,...",
            help="The replicas in each datacenter, as in the keyspace, such as dc1=3,dc2=2 "
            "(cassandra).",
        ),
    ] = None
    partitions: Annotated[
        int | None,
        typer.Option(
            metavar="P", help="How many partitions --algorithm table has. [default: 65536]"
        ),
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
            help="Use only nodes that meet COND: NAME=PATTERN, NAME!=PATTERN, NAME>=NUMBER, or "
            "NAME if the column is true. May be repeated; nodes must meet all.",
        ),
    ] = field(default_factory=list)
    dead: Annotated[
        list[str],
        typer.Option(
            "--dead",
            metavar="LIST|@FILE",
            help="Nodes that are dead; their keys go to the next node in rank. May be repeated.",
        ),
    ] = field(default_factory=list)
    spread: Annotated[
        list[str],
        typer.Option(
            "--spread",
            metavar="NAME",
            help="Spread the nodes of a key over the failure domains in this column of the node "
            "file. Repeat it for nested domains, outermost first.",
        ),
    ] = field(default_factory=list)
    max_per_domain: Annotated[
        list[int],
        typer.Option(
            "--max-per-domain",
            metavar="N",
            help="How many nodes of a key may share a domain; one number for all, or one for each "
            "--spread. [default: 1]",
        ),
    ] = field(default_factory=list)
    strict: Annotated[
        bool,
        typer.Option(
            "--strict",
            help="Fail if --spread cannot be satisfied, instead of filling up from used domains.",
        ),
    ] = False


@dataclass(frozen=True, kw_only=True)
class ConstraintOptions(FaultOptions):
    """Limits on the nodes that a key may have."""

    node_geohash: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="The column of the node file with geohashes; nodes in the key's region come "
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
            help="Give no node more than F times its share of all keys. KEYS is read twice.",
        ),
    ] = None
    cache: Annotated[
        int | None,
        typer.Option(metavar="N", help="Remember the nodes of the last N keys."),
    ] = None
    cache_policy: Annotated[
        CachePolicy | None,
        typer.Option(
            metavar="|".join(CachePolicy), help="Which key a full cache forgets. [default: lru]"
        ),
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
