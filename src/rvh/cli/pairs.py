"""Two placements, an old one and a new one, by options: what plan and migrate share.

The new placement is the old one, changed: whatever no option beginning with --to says stays, where
the new algorithm has it at all.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, TypeVar

import numpy as np
import typer
from numpy.typing import NDArray

from rvh._nodelist.entries import NodeList
from rvh.cli.conflicts import refuse_conflicts
from rvh.cli.edits import EditOptions
from rvh.cli.inputs import refuse_overwritten, refuse_shared
from rvh.cli.nodes import read_nodes
from rvh.cli.options import (
    SYSTEMS,
    Algorithm,
    BulkOptions,
    ConstraintOptions,
    FaultOptions,
    Integers,
    MethodOptions,
    NodeFileOptions,
    Nodes,
    PlacementOptions,
    Scheme,
    SchemeName,
    Threads,
    WeightColumn,
)
from rvh.cli.outputs import counted
from rvh.cli.placement import (
    PARTITIONS,
    attributes,
    choosable_of,
    named_inputs,
    placement_of,
)
from rvh.cli.rows import refuse_composite
from rvh.cli.systems import System
from rvh.cli.values import read_secret
from rvh.errors import RVHError

if TYPE_CHECKING:
    from rvh.cli.keyspec import KeyPart
    from rvh.migration import Migration

T = TypeVar("T")

#: the algorithms that rank the nodes of a NodeSet
RANKED = (Algorithm.RENDEZVOUS, Algorithm.TABLE)
#: what rvh's own algorithms take of the options that are for other systems
OWN = System("", integers=False)
#: the label of a node about which nothing says which it is
NO_LABEL = "(none)"


@dataclass(frozen=True, kw_only=True)
class PairOptions:
    """The options of both placements: those of the old one as in assign, and what changes."""

    nodes: Nodes
    to: Annotated[
        list[str],
        typer.Option(
            "--to",
            metavar="LIST|@FILE|URL",
            help="The nodes of the new placement, written as for --nodes. [default: the nodes of "
            "--nodes]",
        ),
    ] = field(default_factory=list)
    edits: EditOptions
    k: Annotated[
        int,
        typer.Option(
            "--k",
            "-k",
            "--count",
            "-c",
            metavar="N",
            help="How many nodes each key has (-k is not the key here).",
        ),
    ] = 1
    to_count: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="How many nodes each key has in the new placement. [default: as --count]",
        ),
    ] = None
    node_file: NodeFileOptions
    weight_column: WeightColumn = None
    to_weight_column: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="The column of weights for the new placement. [default: as --weight-column]",
        ),
    ] = None
    scheme: SchemeName = Scheme.BLAKE2B
    to_scheme: Annotated[
        Scheme | None,
        typer.Option(
            metavar="|".join(Scheme), help="The scheme of the new placement. [default: as --scheme]"
        ),
    ] = None
    method: MethodOptions
    to_algorithm: Annotated[
        Algorithm | None,
        typer.Option(
            "--to-algorithm",
            metavar="NAME",
            help="The algorithm of the new placement. [default: as --algorithm]",
        ),
    ] = None
    to_integers: Annotated[
        Integers | None,
        typer.Option(
            "--to-integers",
            metavar="FORM",
            help="How the new system writes integer keys. [default: as --integers]",
        ),
    ] = None
    to_hash: Annotated[
        str | None,
        typer.Option(
            "--to-hash", metavar="NAME", help="The hash of the new placement. [default: as --hash]"
        ),
    ] = None
    to_hash_tag: Annotated[
        str | None,
        typer.Option(
            "--to-hash-tag",
            metavar="CC",
            help="The hash tag of the new placement. [default: as --hash-tag]",
        ),
    ] = None
    to_types: Annotated[
        str | None,
        typer.Option(
            "--to-types",
            metavar="TYPE,...",
            help="The types of the key columns in the new placement. [default: as --types]",
        ),
    ] = None
    to_routing_shards: Annotated[
        int | None,
        typer.Option(
            "--to-routing-shards",
            metavar="N",
            help="The routing shards of the new placement. [default: what Elasticsearch uses]",
        ),
    ] = None
    to_replication: Annotated[
        str | None,
        typer.Option(
            "--to-replication",
            metavar="NAME=N,...",
            help="The replication of the new placement. [default: as --replication]",
        ),
    ] = None
    to_partitions: Annotated[
        int | None,
        typer.Option(
            metavar="P", help="How many partitions the new table has. [default: as --partitions]"
        ),
    ] = None
    to_secret_file: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="A file with the secret of the new placement. [default: as --secret-file]",
        ),
    ] = None
    faults: FaultOptions
    to_spread: Annotated[
        list[str],
        typer.Option(
            "--to-spread",
            metavar="NAME",
            help="The failure domains of the new placement. [default: as --spread]",
        ),
    ] = field(default_factory=list)
    to_max_per_domain: Annotated[
        list[int],
        typer.Option(
            "--to-max-per-domain",
            metavar="N",
            help="How many nodes of a key may share a domain in the new placement. [default: as "
            "--max-per-domain]",
        ),
    ] = field(default_factory=list)
    threads: Threads = None

    def pair(
        self,
        keys: Sequence[str] = (),
        *,
        text_keys: bool = False,
        labels: Sequence[str] = (),
        outputs: Sequence[tuple[str, str]] = (),
    ) -> Pair:
        """Read the nodes and make both placements.

        Parameters
        ----------
        keys : sequence of str
            The paths of KEYS.
        text_keys : bool
            Whether no key is an integer.
        labels : sequence of str
            Columns of the node lists that hold labels of domains: for `Pair.labels`.
        outputs : sequence of (str, str)
            The files to write: the option that names each, and its path.

        Raises
        ------
        typer.BadParameter
            Options that do not go together, before any file is read; none that changes anything.
        RVHError
            As `rvh.cli.placement.placement`, and as `EditOptions.edited`.
        """
        self._refuse_nothing()
        old = self._old(keys, text_keys)
        new = self._new(old)
        refuse_conflicts(old)
        with self._renaming():
            refuse_conflicts(new)
        inputs = [*named_inputs(old), *self._named_inputs(new)]
        refuse_shared(inputs)
        for option, path in outputs:
            refuse_overwritten(path, inputs, option)
        wanted = dict.fromkeys(labels, "--zone-column")
        old_nodes, new_nodes = self._lists(old, new, wanted)
        if new.method.algorithm is Algorithm.JUMP and new_nodes.weights is not None:
            raise typer.BadParameter(
                "--algorithm jump gives every node the same share: name no weights",
                param_hint="--set-weight" if self.edits.set_weight else "--add",
            )
        secret = read_secret(old.method.secret_file)
        new_secret = secret
        if new.method.secret_file != old.method.secret_file:
            with self._renaming():
                new_secret = read_secret(new.method.secret_file)
        made = _made(old, old_nodes, secret)
        made_new = _made(new, new_nodes, new_secret, self._renaming)
        return Pair(made, made_new, {name: _labels(name, old_nodes, new_nodes) for name in labels})

    def _refuse_nothing(self) -> None:
        lists = (self.to, self.edits, self.to_spread, self.to_max_per_domain)
        values = (
            self.to_count, self.to_weight_column, self.to_scheme, self.to_algorithm,
            self.to_integers, self.to_partitions, self.to_secret_file, self.to_hash,
            self.to_hash_tag, self.to_types, self.to_routing_shards, self.to_replication,
        )  # fmt: skip
        if not any(lists) and all(value is None for value in values):
            raise typer.BadParameter(
                "nothing says what changes: give --add, --remove, --set-weight, --to, or another "
                "option that begins with --to-",
                param_hint="--to",
            )

    def _old(self, keys: Sequence[str], text_keys: bool) -> PlacementOptions:
        return PlacementOptions(
            nodes=self.nodes,
            k=self.k,
            scheme=self.scheme,
            weight_column=self.weight_column,
            precision=None,
            method=self.method,
            node_file=self.node_file,
            constraints=ConstraintOptions(**vars(self.faults)),
            bulk=BulkOptions(threads=self.threads),
            keys=keys,
            text_keys=text_keys,
            key_place=None,
        )

    def _new(self, old: PlacementOptions) -> PlacementOptions:
        """The options of the new placement: of the old one, what the new algorithm has too."""
        method, faults = self.method, self.faults
        algorithm = _first(self.to_algorithm, method.algorithm)
        ranked, rendezvous = algorithm in RANKED, algorithm is Algorithm.RENDEZVOUS
        scheme = _first(self.to_scheme, self.scheme if ranked else Scheme.BLAKE2B)
        has_secret = ranked and scheme is Scheme.BLAKE2B
        has_columns = not self.to or any(text.startswith("@") for text in self.to)
        system = SYSTEMS.get(algorithm, OWN)
        is_same = algorithm is method.algorithm  # names of hashes are each system's own
        has_weights = has_columns and algorithm is not Algorithm.JUMP and system.weights
        weight_column = self.weight_column if has_weights else None
        is_table = algorithm is Algorithm.TABLE
        spread = self.to_spread or (faults.spread if rendezvous else [])
        limits = faults.max_per_domain if spread == faults.spread else []
        return replace(
            old,
            nodes=self.to or self.nodes,
            k=_first(self.to_count, self.k),
            scheme=scheme,
            weight_column=_first(self.to_weight_column, weight_column),
            method=replace(
                method if algorithm is method.algorithm else MethodOptions(),
                algorithm=algorithm,
                integers=_first(self.to_integers, method.integers if system.integers else None),
                hash=_first(self.to_hash, method.hash if is_same and system.hashes else None),
                hash_tag=_first(self.to_hash_tag, method.hash_tag if system.tag else None),
                types=_first(self.to_types, method.types if is_same else None),
                routing_shards=self.to_routing_shards,
                replication=_first(self.to_replication, method.replication if is_same else None),
                partitions=_first(self.to_partitions, method.partitions if is_table else None),
                secret_file=_first(self.to_secret_file, method.secret_file if has_secret else None),
            ),
            constraints=ConstraintOptions(
                where=faults.where,
                dead=faults.dead,
                spread=spread,
                max_per_domain=self.to_max_per_domain or limits,
                strict=faults.strict and bool(spread),
            ),
        )

    def _lists(
        self, old: PlacementOptions, new: PlacementOptions, wanted: dict[str, str]
    ) -> tuple[NodeList, NodeList]:
        """The nodes of both placements; what is not named anew is read once."""
        needed = attributes(old) | wanted
        both = needed | attributes(new)
        if self.to:
            nodes = self._read(old, needed, "--nodes")
            named = any(text.startswith("@") for text in self.to)
            there = self._read(new, both if named else attributes(new), "--to")
            known = dict(zip(nodes.ids, zip(*nodes.attributes.values(), strict=True), strict=False))
            for name in wanted.keys() - there.attributes.keys():  # of a list, which has no columns
                at = list(nodes.attributes).index(name)
                there.attributes[name] = [
                    known[node][at] if node in known else None for node in there.ids
                ]
            return nodes, self.edits.edited(there)
        columns = {old.weight_column, new.weight_column} - {None}
        if len(columns) > 1:
            raise typer.BadParameter(
                "--nodes is read once, with one column of weights: name the list with --to too",
                param_hint="--to-weight-column",
            )
        weight_column = next(iter(columns), None)
        nodes = self._read(replace(old, weight_column=weight_column), both, "--nodes")
        bare = nodes._replace(weights=None)
        return (
            nodes if weight_column == old.weight_column else bare,
            self.edits.edited(nodes if weight_column == new.weight_column else bare),
        )

    def _read(self, options: PlacementOptions, columns: dict[str, str], option: str) -> NodeList:
        file = options.node_file
        if option == "--to" and not any(text.startswith("@") for text in options.nodes):
            file = NodeFileOptions()
        return read_nodes(
            options.nodes,
            file.node_column,
            options.weight_column,
            attributes=columns,
            option=option,
            format_name=file.node_format,
            header=not file.no_node_header,
        )

    def _named_inputs(self, new: PlacementOptions) -> Iterator[tuple[str, str]]:
        """What only the new placement reads."""
        own = replace(new, nodes=self.to, keys=(), constraints=ConstraintOptions())
        if self.to_secret_file is None:
            own = replace(own, method=replace(new.method, secret_file=None))
        for what, path in named_inputs(own):
            yield re.sub("^--(nodes|secret-file)", _renamed, what), path

    @contextmanager
    def _renaming(self) -> Iterator[None]:
        """Let errors about the new placement name the options that begin with --to."""
        given = {
            "algorithm": self.to_algorithm,
            "scheme": self.to_scheme,
            "integers": _first(self.to_integers, self.to_algorithm),
            "hash": self.to_hash,
            "hash-tag": self.to_hash_tag,
            "types": self.to_types,
            "routing-shards": self.to_routing_shards,
            "replication": self.to_replication,
            "partitions": self.to_partitions,
            "secret-file": self.to_secret_file,
            "weight-column": self.to_weight_column,
            "spread": self.to_spread,
            "max-per-domain": self.to_max_per_domain,
            "nodes": self.to,
        }
        names = "|".join(name for name, value in given.items() if value not in (None, []))
        if not names:
            names = "(?!)"  # none
        pattern = re.compile(rf"(?<!\S)--({names})(?![\w-])")
        try:
            yield
        except typer.BadParameter as error:
            hint = pattern.sub(_renamed, str(error.param_hint))
            raise typer.BadParameter(
                pattern.sub(_renamed, error.message), param_hint=hint
            ) from None
        except RVHError as error:
            raise type(error)(pattern.sub(_renamed, str(error))) from None


def _first(given: T | None, otherwise: T) -> T:
    """What was given, if anything was."""
    return otherwise if given is None else given


def _renamed(option: re.Match[str]) -> str:
    return "--to" if option[1] == "nodes" else f"--to-{option[1]}"


class Placed:
    """A placement of options, as `rvh.migration` takes one.

    Parameters
    ----------
    options : PlacementOptions
    nodes : NodeList
        All that were read.
    mask : ndarray of bool, shape (N,), or None
        Those that may be chosen: the others are no nodes of this placement.
    secret : bytes
    renaming : callable
        Makes the context in which errors name the options of this placement.
    """

    def __init__(
        self,
        options: PlacementOptions,
        nodes: NodeList,
        mask: NDArray[np.bool_] | None,
        secret: bytes,
        renaming: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        self._nodes, self._mask, self._secret, self._renaming = nodes, mask, secret, renaming
        with renaming():
            made = placement_of(options, nodes, mask, secret)
        self.options, self.placement = options, made
        living = nodes if mask is None else nodes.subset(mask)
        self.ids = living.ids
        #: where the nodes of the placement are among the ids; a ring has the others too
        self._places = None
        if len(made.ids) > len(living.ids):
            places = {node: place for place, node in enumerate(living.ids)}
            self._places = np.array([places.get(node, -1) for node in made.ids], dtype=np.intp)
        is_weighted = living.weights is not None and options.method.algorithm is not Algorithm.JUMP
        self.weights = np.array(living.weights, dtype=np.float64) if is_weighted else None

    @property
    def k(self) -> int:
        """The number of nodes of a key."""
        return self.options.k

    @property
    def fingerprint(self) -> str:
        """What tells this placement from others, as the library's does that answers alike.

        So a `rvh.migration.Worker` made with that one takes what ``rvh migrate view`` prints.
        """
        if self.placement.made is not None:
            from rvh.migration.pair import fingerprint

            return fingerprint(self.placement.made, "the placement")
        said = json.dumps(self.placement.identity(), sort_keys=True, ensure_ascii=False)
        return hashlib.blake2b(said.encode(), digest_size=32, person=b"rvh options").hexdigest()

    def arglookup_batch(self, keys: Any) -> NDArray[np.intp]:
        """The positions in `ids` of the nodes of keys, best first, shape (M, k)."""
        positions = self.placement.positions(keys)
        return positions if self._places is None else self._places[positions]

    def check(self, key: Any) -> None:
        """Raise the error about a key that this placement cannot take, if any."""
        with self._renaming():
            self.placement.check(key)

    def refuse_composite(self, parts: Sequence[KeyPart]) -> None:
        """Refuse a composite key where this placement takes none."""
        with self._renaming():
            refuse_composite(parts, self.options.method)

    def without(self, ids: Sequence[str]) -> Placed:
        """The same placement with some nodes dead: their keys go to the next in rank."""
        living = ~np.isin(np.array(self._nodes.ids, dtype=object), list(ids))
        mask = living if self._mask is None else self._mask & living
        return Placed(self.options, self._nodes, mask, self._secret, self._renaming)

    def __str__(self) -> str:
        """The algorithm in words."""
        algorithm, weighted = self.options.method.algorithm, self.weights is not None
        scheme = f" ({self.options.scheme})" if algorithm in RANKED else ""
        return f"{'weighted ' * weighted}{algorithm}{scheme}"


class Pair(NamedTuple):
    """Both placements, and the labels of domains: by column, the label of each node."""

    old: Placed
    new: Placed
    labels: Mapping[str, Mapping[str, str | int]]

    def __str__(self) -> str:
        """Both placements in words."""
        old, new = self.old, self.new
        nodes = f"{counted(len(old.ids), 'node')} to {len(new.ids):,}"
        kinds = str(old) if str(old) == str(new) else f"{old} to {new}"
        copies = "" if old.k == new.k == 1 else f", {old.k} to {new.k} copies"
        return f"{kinds}, {nodes}{copies if old.k != new.k else copies and f', {old.k} copies'}"

    def migration(self) -> Migration:
        """The migration from the one to the other."""
        from rvh.migration import Migration

        if self.old.k == self.new.k:
            return Migration(self.old, self.new, self.old.k)
        return Migration(self.old, self.new, self.old.k, k_new=self.new.k)

    def check(self, key: Any) -> None:
        """Raise the error about a key that one of the placements cannot take, if any."""
        self.old.check(key)
        self.new.check(key)

    def warning(self) -> str:
        """What is known before any key is read: placements of two kinds agree by chance alone.

        "" for placements of one kind, of which a change moves the keys that it has to.
        """
        old, new = self.old.options, self.new.options
        secrets = old.method.secret_file, new.method.secret_file
        kinds = [
            (
                each.options.method.algorithm,
                each.options.method.hash,
                each.options.method.hash_tag,
                each.options.method.types,
                each.options.scheme,
                (each.options.method.partitions or PARTITIONS)
                if each.options.method.algorithm is Algorithm.TABLE
                else None,
                # with murmur, equal weights rank otherwise than no weights
                each.options.scheme is Scheme.MURMUR and each.weights is not None,
            )
            for each in (self.old, self.new)
        ]
        if kinds[0] == kinds[1] and secrets[0] == secrets[1]:
            return ""
        what = f"from {self.old} to {self.new}"
        if kinds[0] == kinds[1]:
            what += ", with another secret"
        common = len({*self.old.ids} & {*self.new.ids})
        stays = common * self.old.k / (len(self.old.ids) * len(self.new.ids))
        formula = f"1 - {self.old.k}/{len(self.new.ids)}"
        if common != len(self.old.ids):
            formula = f"1 - {common} x {self.old.k}/({len(self.old.ids)} x {len(self.new.ids)})"
        return (
            f"{what}, nearly all moves: two placements of different kinds agree by chance alone, "
            f"so {formula} = {1 - stays:.1%} of all copies move if the nodes are alike"
        )


def _made(
    options: PlacementOptions,
    nodes: NodeList,
    secret: bytes,
    renaming: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> Placed:
    with renaming():
        mask = choosable_of(nodes, options.constraints)
    return Placed(options, nodes, mask, secret, renaming)


def _labels(name: str, *lists: NodeList) -> dict[str, str | int]:
    """The labels of all nodes in a column; where lists differ, the last one's word counts."""
    from rvh.cli.conditions import labels

    known: dict[str, str | int] = {}
    for nodes in lists:
        for node, label in zip(nodes.ids, labels(nodes.attributes[name]), strict=True):
            if label not in (None, ""):
                known[node] = label
            known.setdefault(node, NO_LABEL)
    return known
