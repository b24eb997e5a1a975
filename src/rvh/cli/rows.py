"""The rows of KEYS with the nodes of each, a batch at a time: what assign and split share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray

from rvh._columns.column import Chunks, KeyColumn, Kind
from rvh._tables import Format
from rvh._tables.descriptors import STDIN, descriptor
from rvh.cli.formats import FormatOptions
from rvh.cli.hive import HiveColumns
from rvh.cli.inputs import refuse_twice
from rvh.cli.keyfiles import KeyFiles, is_rereadable
from rvh.cli.keyspec import (
    KeyOptions,
    KeyPart,
    KeySpec,
    NullKeys,
    key_columns,
    refuse_missing,
)
from rvh.cli.options import (
    SYSTEMS,
    BulkOptions,
    ConstraintOptions,
    MethodOptions,
    NodeFileOptions,
    Nodes,
    PlacementOptions,
    Precision,
    Scheme,
    SchemeName,
    WeightColumn,
)
from rvh.cli.outputs import counted
from rvh.cli.placement import Placement, placement
from rvh.errors import RVHError, show
from rvh.keys import column as key_column_of

if TYPE_CHECKING:
    from rvh._tables.base import Batch, Reader
    from rvh.cli.progress import Progress


@dataclass(frozen=True, kw_only=True)
class RowsOptions:
    """The options that say what the keys are and which nodes they get."""

    nodes: Nodes
    k: Annotated[
        int,
        typer.Option(
            "--k",
            "-k",
            "--count",
            "-c",
            metavar="N",
            help="How many nodes each key gets, best first (-k is not the key here).",
        ),
    ] = 1
    key: KeyOptions
    hive: HiveColumns = None
    formats: FormatOptions
    node_file: NodeFileOptions
    weight_column: WeightColumn = None
    scheme: SchemeName = Scheme.BLAKE2B
    method: MethodOptions
    constraints: ConstraintOptions
    precision: Precision = None
    bulk: BulkOptions

    def placement(self, keys: Sequence[str], read_as: Format, out: str | None) -> Placement:
        """Make the placement of the rows of KEYS, files of the format `read_as`.

        Raises
        ------
        typer.BadParameter
            Options that do not go together.
        RVHError
            As `rvh.cli.placement.placement`.
        """
        geohashes = self.key.key_geohash
        if self.constraints.node_geohash is not None and geohashes is None:
            raise typer.BadParameter(
                "give the geohashes of the keys: --key-geohash", param_hint="--node-geohash"
            )
        if self.bulk.load_factor is not None:
            for path in keys:
                _refuse_read_once(path)
        refuse_twice(keys)
        return placement(
            PlacementOptions(
                nodes=self.nodes,
                k=self.k,
                scheme=self.scheme,
                weight_column=self.weight_column,
                precision=self.precision,
                method=self.method,
                node_file=self.node_file,
                constraints=self.constraints,
                bulk=self.bulk,
                keys=["-" if descriptor(path) == STDIN else path for path in keys],
                out=out,
                text_keys=self.key.is_text(read_as),
                key_place=None if geohashes is None else "--key-geohash",
            )
        )


class PlacedRows:
    """The rows of an open KEYS with the positions of their nodes.

    Parameters
    ----------
    files : KeyFiles
    reader : Reader
        Of the files, opened.
    options : RowsOptions
    placed : Placement

    Raises
    ------
    typer.BadParameter, RVHError
        As `key_columns`; a composite key for the ring of another system.
    """

    def __init__(
        self, files: KeyFiles, reader: Reader, options: RowsOptions, placed: Placement
    ) -> None:
        parts = key_columns(options.key, reader)
        refuse_composite(parts, options.method)
        self._files, self._reader, self._placed = files, reader, placed
        self._spec = KeySpec(parts, placed.check, files.files[0].format.is_untyped)
        self._k, self._nulls = options.k, options.key.null_keys
        self._geohashes = options.key.key_geohash
        if self._geohashes is not None:
            refuse_missing([self._geohashes], reader)
        #: the key columns, and how each is read
        self.keys: dict[str, Any] = {
            "columns": [{"column": part.name, "type": part.type.value} for part in parts],
            "geohash": self._geohashes,
            "nulls": self._nulls.value,
        }
        self._ahead: NDArray[np.intp] | None = None
        #: how many rows have a node, and how many have a null key
        self._with_node = self._null = 0
        #: how many rows `batches` has given out and been asked for more after
        self.done = 0

    @property
    def ids(self) -> list[str | None]:
        """The ids at the positions: with ``--null-keys keep`` also None, at -1 and at the end."""
        return [*self._placed.ids, None] if self._nulls is NullKeys.KEEP else [*self._placed.ids]

    def look_ahead(self, bar: Progress) -> None:
        """Place all rows in a first reading, where the node of a key depends on all keys."""
        if not self._placed.whole:
            return
        parts = []
        rows = 0
        bar.phase("reading the keys")
        for batch in self._keyed():
            try:
                parts.append(key_column_of(self._spec.keys(batch)).plain())
            except RVHError:
                self._spec.explain(batch)
                raise
            rows += len(batch)
            bar.update(rows, None)
        bar.phase("balancing")
        bar.update(rows, None)
        try:
            self._ahead = self._placed.positions(KeyColumn(Kind.CHUNKS, Chunks(parts)))
        except RVHError:
            for batch in self._keyed():
                self._spec.explain(batch)
            raise
        bar.phase("")

    def batches(self) -> Iterator[tuple[Batch, NDArray[np.intp]]]:
        """The rows in order, each batch with the positions of its nodes, shape (rows, k).

        A row that is kept without a key has the position -1.

        Raises
        ------
        RVHError
            A value that is no key or no geohash; a file that is no longer what `look_ahead` read.
        """
        name = self._reader.name
        for whole, nulls in self._with_nulls(self._reader.batches()):
            batch = whole if nulls is None else whole.only(~nulls)
            try:
                chosen = self._positions(batch)
            except RVHError:
                self._spec.explain(batch)
                if self._geohashes is not None:
                    _explain_geohashes(batch, self._geohashes)
                raise
            if len(chosen) < len(batch):
                raise _changed("more", name)
            self._with_node += len(batch)
            if nulls is not None:
                self._null += int(nulls.sum())
                if self._nulls is NullKeys.KEEP:
                    batch, among = whole, chosen
                    chosen = np.full((len(whole), self._k), -1, np.intp)
                    chosen[~nulls] = among
            yield batch, chosen
            self.done += len(batch)
        if self._ahead is not None and self._with_node < len(self._ahead):
            raise _changed("fewer", name)

    @property
    def key(self) -> str:
        """The key columns, and what each was taken as."""
        return str(self._spec)

    def summary(self) -> str:
        """The rows, the nodes, and what each key column was taken as."""
        return (
            f"{counted(self.done, 'row')}{self._files} on {self._placed.counted()}, key {self.key}"
        )

    def facts(self, seconds: float) -> dict[str, Any]:
        """What `summary` and `note` say, for programs, and the time that it took."""
        return {
            "rows": self.done,
            "nodes": self._placed.usable,
            "key": self.key,
            "null_keys": self._null,
            "seconds": seconds,
            "keys_per_second": self.done / max(seconds, 1e-9),
            "notes": self._notes(),
        }

    def note(self) -> str:
        """The remarks about the run, or ""."""
        return "; ".join(self._notes())

    def _notes(self) -> list[str]:
        nulls = ""
        if self._nulls is not NullKeys.ERROR:
            what = "kept" if self._nulls is NullKeys.KEEP else "dropped"
            nulls = f"{counted(self._null, 'row')} with a null key {what}"
        return [each for each in (nulls, self._spec.mixed(), self._placed.note()) if each]

    def _with_nulls(
        self, batches: Iterator[Batch]
    ) -> Iterator[tuple[Batch, NDArray[np.bool_] | None]]:
        """Batches, each with the rows whose keys are null; None where there are none."""
        for batch in batches:
            nulls = None if self._nulls is NullKeys.ERROR else self._spec.nulls(batch)
            yield batch, None if nulls is None or not nulls.any() else nulls

    def _keyed(self) -> Iterator[Batch]:
        """The rows that have a key, read anew."""
        for batch, nulls in self._with_nulls(self._files.batches()):
            yield batch if nulls is None else batch.only(~nulls)

    def _positions(self, batch: Batch) -> NDArray[np.intp]:
        if not len(batch):
            return np.empty((0, self._k), np.intp)
        if self._ahead is not None:
            return self._ahead[self._with_node : self._with_node + len(batch)]
        if self._geohashes is not None:
            return self._placed.positions(self._spec.keys(batch), batch.values(self._geohashes))
        return self._placed.positions(self._spec.keys(batch))


def refuse_composite(parts: Sequence[KeyPart], method: MethodOptions) -> None:
    """Refuse a composite key for another system, unless it is one of so many typed columns."""
    algorithm = method.algorithm
    if method.types is not None:
        from rvh.cli.foreign import split_types

        count = len(split_types(method.types))
        if count != len(parts):
            raise typer.BadParameter(
                f"--types says {method.types}, and the key has {len(parts)} column"
                f"{'s' * (len(parts) != 1)}: give a type for each key column, in order",
                param_hint="--types",
            )
    elif len(parts) > 1 and algorithm in SYSTEMS:
        raise typer.BadParameter(
            f"--algorithm {algorithm} is another system's, which does not make rvh's "
            "composite keys: name one column, of the keys as that system has them",
            param_hint="--key-column",
        )


def _refuse_read_once(path: str) -> None:
    """Refuse KEYS that can be read only once; that a file is missing is found later."""
    if not is_rereadable(path):
        name = "stdin" if path == "-" else path
        raise typer.BadParameter(
            f"KEYS is read twice, which {name} cannot be: write it into a file",
            param_hint="--load-factor",
        )


def _changed(rows: str, name: str) -> RVHError:
    return RVHError(
        f"{name} has {rows} rows than when it was read first: it was changed meanwhile; "
        "run this again when nothing writes to it"
    )


def _explain_geohashes(batch: Batch, name: str) -> None:
    """Raise the error about the first row of `batch` whose place is no geohash, if any."""
    from rvh.cli.geohashes import refuse_no_geohash

    for row, value in enumerate(batch.values(name)):
        place = f"{batch.source}: {batch.where(row)}, column {show(name)}"
        refuse_no_geohash(value, f"{place}: the geohash of the key")
