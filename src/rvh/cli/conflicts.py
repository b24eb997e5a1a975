"""Options that do not go together: an error before any file is read."""

from __future__ import annotations

import typer

from rvh._tables import FORMATS
from rvh.cli.nodes import source_urls
from rvh.cli.options import SYSTEMS, Algorithm, PlacementOptions, Scheme
from rvh.errors import show


def refuse_conflicts(options: PlacementOptions) -> None:
    """Refuse an option that would change nothing: whoever gives it expects that it does."""
    method, constraints, bulk = options.method, options.constraints, options.bulk
    algorithm, node_format = method.algorithm, options.node_file.node_format
    other_scheme = options.scheme is not Scheme.BLAKE2B
    weighted, secret = options.weight_column is not None, method.secret_file is not None
    numbered = "numbers the nodes, so leaving some out moves all keys"
    if algorithm is Algorithm.JUMP:
        for option, given, why in (
            ("--scheme", other_scheme, "ranks no nodes, so it has no scheme"),
            ("--weight-column", weighted, "gives every node the same share"),
            ("--secret-file", secret, "has no secret"),
            ("--where", bool(constraints.where), numbered),
            ("--dead", bool(constraints.dead), numbered),
        ):
            if given:
                raise typer.BadParameter(
                    f"--algorithm jump {why}: omit {option}, or use rendezvous or table",
                    param_hint=option,
                )
        if source_urls(options.nodes):
            raise typer.BadParameter(
                "--algorithm jump numbers the nodes in their order, and the nodes of a source "
                "have no lasting order: use rendezvous or table",
                param_hint="--nodes",
            )
    system = SYSTEMS.get(algorithm)
    if method.integers is not None and (system is None or not system.integers):
        takers = ", ".join(name for name, each in SYSTEMS.items() if each.integers)
        raise typer.BadParameter(
            f"--algorithm {algorithm} has one way to write integers: omit it, or use one of "
            f"{takers}",
            param_hint="--integers",
        )
    if method.integers is not None and options.text_keys:
        raise typer.BadParameter(
            "all keys are text, which every system hashes as it is: omit it, or give "
            "--key-type int",
            param_hint="--integers",
        )
    if system is not None:
        if not system.is_ordered:
            numbered = "makes its table of all nodes, and leaving some out moves others' keys"
        for option, given, why in (
            ("--scheme", other_scheme, "has a hash of its own"),
            ("--secret-file", secret, "has no secret"),
            ("--weight-column", weighted and not system.weights, "has no weights"),
            ("--where", bool(constraints.where) and not system.leaves_out, numbered),
            ("--dead", bool(constraints.dead) and not system.leaves_out, numbered),
        ):
            if given:
                raise typer.BadParameter(
                    f"--algorithm {algorithm} {why}: omit {option}", param_hint=option
                )
        if system.is_ordered and not system.columns and source_urls(options.nodes):
            raise typer.BadParameter(
                f"--algorithm {algorithm} numbers the nodes in their order, and the nodes of a "
                "source have no lasting order: give them in a list or a file",
                param_hint="--nodes",
            )
    for option, given, takes in (
        ("--hash", method.hash is not None, "hashes"),
        ("--hash-tag", method.hash_tag is not None, "tag"),
        ("--types", method.types is not None, "types"),
        ("--routing-shards", method.routing_shards is not None, "shards"),
        ("--replication", method.replication is not None, "replication"),
    ):
        if given and not getattr(system, takes, ""):
            takers = ", ".join(name for name, each in SYSTEMS.items() if getattr(each, takes))
            raise typer.BadParameter(
                f"--algorithm {algorithm} does not have this: omit it, or use one of {takers}",
                param_hint=option,
            )
    if system is not None and system.types and method.types is None:
        raise typer.BadParameter(
            f"--algorithm {algorithm} needs the types of the key columns: give for example --types "
            "int, or two of them for two columns",
            param_hint="--types",
        )
    if system is not None and system.replication and method.replication is None:
        raise typer.BadParameter(
            f"--algorithm {algorithm} needs the replicas in each datacenter: give for example "
            "--replication dc1=3,dc2=2",
            param_hint="--replication",
        )
    if algorithm is Algorithm.MODULO and method.hash is None:
        raise typer.BadParameter(
            "--algorithm modulo needs to know the hash: give for example --hash crc32",
            param_hint="--hash",
        )
    if node_format is not None and node_format not in FORMATS:
        raise typer.BadParameter(
            f"{show(node_format)} is not one of {', '.join(FORMATS)}", param_hint="--node-format"
        )
    if method.partitions is not None and algorithm is not Algorithm.TABLE:
        raise typer.BadParameter(
            f"--algorithm {algorithm} has no partitions: omit it, or use --algorithm table",
            param_hint="--partitions",
        )
    if secret and options.scheme is Scheme.MURMUR:
        raise typer.BadParameter(
            "--scheme murmur has no secret and does not resist chosen keys: omit it, "
            "or use --scheme blake2b",
            param_hint="--secret-file",
        )
    ways = {
        "--spread": bool(constraints.spread),
        "--node-geohash": constraints.node_geohash is not None,
        "--load-factor": bulk.load_factor is not None,
        "--cache": bulk.cache is not None,
    }
    chosen = [option for option, given in ways.items() if given]
    if chosen and algorithm is not Algorithm.RENDEZVOUS:
        raise typer.BadParameter(
            f"only --algorithm rendezvous has this, not {algorithm}", param_hint=chosen[0]
        )
    if len(chosen) > 1:
        raise typer.BadParameter(
            f"{chosen[0]} and {chosen[1]} are two ways to choose: give one of them",
            param_hint=chosen[1],
        )
    for option, given, needs in (
        ("--max-per-domain", bool(constraints.max_per_domain), "--spread"),
        ("--strict", constraints.strict, "--spread"),
        ("--precision", options.precision is not None, "--node-geohash"),
        (str(options.key_place), options.key_place is not None, "--node-geohash"),
        ("--cache-policy", bulk.cache_policy is not None, "--cache"),
    ):
        if given and not ways[needs]:
            raise typer.BadParameter(f"it needs {needs}", param_hint=option)
    if ways["--load-factor"] and options.k != 1:
        raise typer.BadParameter(
            "with a bound on load a key gets one node: omit -c", param_hint="--load-factor"
        )
