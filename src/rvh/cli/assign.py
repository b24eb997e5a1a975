"""``rvh assign``: the nodes of every key in a file, as columns added to it."""

from __future__ import annotations

import contextlib
import os
import shlex
import stat
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray

from rvh._columns.column import Chunks, KeyColumn, Kind
from rvh._tables import Format
from rvh._tables.content import COMPRESSORS
from rvh._tables.descriptors import STDIN, descriptor, is_stream
from rvh.cli.exits import say
from rvh.cli.formats import FormatOptions, compression
from rvh.cli.keyspec import KeySpec, KeyType, key_columns, refuse_missing
from rvh.cli.options import (
    RINGS,
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
from rvh.cli.placement import Placement, placement
from rvh.cli.progress import progress
from rvh.cli.values import as_option, refuse_no_text
from rvh.errors import RVHError, show
from rvh.keys import column as key_column_of

if TYPE_CHECKING:
    from rvh._tables.base import Batch, Reader
    from rvh._tables.source import Source


def assign(
    keys: Annotated[str, typer.Argument(metavar="KEYS", help="The file of keys; - for stdin.")],
    nodes: Nodes,
    out: Annotated[
        str, typer.Option("--out", "-o", metavar="OUT", help="The file to write; - for stdout.")
    ],
    *,
    k: Annotated[
        int, typer.Option("--k", "-k", "--count", "-c", help="How many nodes, best first.")
    ] = 1,
    key_column: Annotated[
        list[str] | None,
        typer.Option(
            "--key-column",
            "-K",
            metavar="NAME",
            help="The column of the key. Several, repeated or separated by commas: a composite "
            "key [default: the only column].",
        ),
    ] = None,
    key_type: Annotated[
        KeyType,
        typer.Option(
            help="text or int: read every key as that; auto: text in CSV, TSV and lines, "
            "the column's own type elsewhere."
        ),
    ] = KeyType.AUTO,
    column: Annotated[
        str, typer.Option(metavar="NAME", help="The added column; NAME_1 to NAME_k where k > 1.")
    ] = "node",
    formats: FormatOptions,
    node_file: NodeFileOptions,
    weight_column: WeightColumn = None,
    scheme: SchemeName = Scheme.BLAKE2B,
    method: MethodOptions,
    constraints: ConstraintOptions,
    key_geohash: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The column of KEYS that holds the keys' geohashes."),
    ] = None,
    precision: Precision = None,
    bulk: BulkOptions,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="No progress bar and no summary.")
    ] = False,
) -> None:
    """Add the nodes of every key to a file: a column `node`, or `node_1` to `node_k`.

    OUT appears when it is complete; a run that fails or is interrupted leaves no OUT, and an
    existing one as it was.

    \b
    Examples:
      rvh assign keys.txt --nodes node1,node2,node3 -o placed.txt
      rvh assign flights.csv -n @nodes.csv -K carrier,flight -k 3 -o placed.parquet
      zcat log.ndjson.gz | rvh assign - --format ndjson -n @nodes.txt -K user -o - | head
    """
    refuse_no_text(column, "--column")
    read_as, write_as = formats.of_files(keys, out)
    reading, writing = formats.delimited(read_as, write_as)
    formats.refuse_encoding(read_as)
    if constraints.node_geohash is not None and key_geohash is None:
        raise typer.BadParameter("say where keys are: --key-geohash", param_hint="--node-geohash")
    if bulk.load_factor is not None:
        _refuse_read_once(keys)
    placed = placement(
        PlacementOptions(
            nodes=nodes,
            k=k,
            scheme=scheme,
            weight_column=weight_column,
            precision=precision,
            method=method,
            node_file=node_file,
            constraints=constraints,
            bulk=bulk,
            keys="-" if descriptor(keys) == STDIN else keys,
            out=None if out == "-" else out,
            text_keys=key_type is KeyType.TEXT or (key_type is KeyType.AUTO and read_as.is_untyped),
            key_place=None if key_geohash is None else "--key-geohash",
        )
    )
    added = [column] if k == 1 else [f"{column}_{n}" for n in range(1, k + 1)]

    from rvh._tables.base import naming
    from rvh._tables.source import Source
    from rvh._tables.target import target

    source_of = partial(Source, keys, compression(keys, read_as), formats.encoding, as_option)
    packing = compression(out, write_as)
    start = time.monotonic()
    rows = 0
    with contextlib.ExitStack() as stack:
        source = stack.enter_context(source_of())
        if source.is_behind(out):
            raise RVHError(
                f"{'stdout' if out == '-' else out} is the file that {source.name} reads, which "
                "would never end: write -o FILE, which may be KEYS itself and is replaced at the "
                "end"
            )
        reader = read_as.reader(source, **reading)
        columns = key_columns(key_column, reader)
        if len(columns) > 1 and method.algorithm in RINGS:
            raise typer.BadParameter(
                f"--algorithm {method.algorithm} is another system's, which does not make rvh's "
                "composite keys: name one column, of the keys as that system has them",
                param_hint="--key-column",
            )
        spec = KeySpec(source.name, columns, key_type, placed.check)
        if key_geohash is not None:
            refuse_missing([key_geohash], reader)
        _refuse_clash(added, reader)
        # All imports are done before there is a file to clean up.
        make_writer, bar = write_as.writer(), progress(Path(source.name).name, quiet)
        advice = _advice(out, read_as, write_as, packing)
        sink = stack.enter_context(target(out, packing, advice))
        ahead = _all_at_once(placed, source_of, read_as, reading, spec) if placed.whole else None
        stack.enter_context(_saying_how_far(out, lambda: rows))
        stack.enter_context(naming(out))
        writer = stack.enter_context(make_writer(sink, reader, added, placed.ids, **writing))
        stack.enter_context(bar)
        for batch in reader.batches():
            try:
                if ahead is not None:
                    chosen = ahead[rows : rows + len(batch)]
                    if len(chosen) < len(batch):
                        raise _changed("more", source.name)
                elif key_geohash is not None:
                    chosen = placed.positions(spec.keys(batch), batch.values(key_geohash))
                else:
                    chosen = placed.positions(spec.keys(batch))
            except RVHError:
                spec.explain(batch)
                if key_geohash is not None:
                    _explain_geohashes(batch, key_geohash, source.name)
                raise
            writer.write(batch, chosen)
            rows += len(batch)
            bar.update(rows, reader.fraction())
        if ahead is not None and rows < len(ahead):
            raise _changed("fewer", source.name)
    if not quiet:
        seconds = time.monotonic() - start
        rate = rows / max(seconds, 1e-9)
        note = placed.note()
        more = f"; {note}" if note else ""
        say(f"{rows:,} rows in {seconds:.2f} s, {rate:,.0f} keys/s{more}")


def _all_at_once(
    placed: Placement,
    source_of: Callable[[], Source],
    read_as: Format,
    options: dict[str, Any],
    spec: KeySpec,
) -> NDArray[np.intp]:
    """The nodes of all rows, from a first reading of the file."""

    def batches() -> Iterator[Batch]:
        with source_of() as source:
            yield from read_as.reader(source, **options).batches()

    parts = []
    for batch in batches():
        try:
            parts.append(key_column_of(spec.keys(batch)).plain())
        except RVHError:
            spec.explain(batch)
            raise
    try:
        return placed.positions(KeyColumn(Kind.CHUNKS, Chunks(parts)))
    except RVHError:
        for batch in batches():
            spec.explain(batch)
        raise


def _refuse_read_once(path: str) -> None:
    """Refuse KEYS that can be read only once; that a file is missing is found later."""
    with contextlib.suppress(OSError):
        once = path == "-" or descriptor(path) is not None
        if once or not stat.S_ISREG(os.stat(path).st_mode):
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


def _explain_geohashes(batch: Batch, name: str, source: str) -> None:
    """Raise the error about the first row of `batch` whose place is no geohash, if any."""
    from rvh.cli.geohashes import refuse_no_geohash

    for row, value in enumerate(batch.values(name)):
        place = f"{source}: {batch.where(row)}, column {show(name)}"
        refuse_no_geohash(value, f"{place}: the geohash of the key")


def _advice(out: str, read_as: Format, write_as: Format, compression: str | None) -> str:
    """The advice where no new file can take the place of OUT: the shell writes into the old one."""
    format_name = "" if write_as is read_as else f" --output-format {write_as.name}"
    packed = "" if compression is None else f" | {COMPRESSORS[compression]}"
    return f"write -o -{format_name}{packed} > {shlex.quote(out)}"


@contextlib.contextmanager
def _saying_how_far(out: str, rows: Callable[[], int]) -> Iterator[None]:
    """Let an error say how much of an output is written that cannot be taken back."""
    streamed = is_stream(out)
    try:
        yield
    except RVHError as error:
        if not streamed:
            raise
        name = "stdout" if out == "-" else out
        raise type(error)(f"{error}; {name} is incomplete, it ends after {rows():,} rows") from None


def _refuse_clash(added: list[str], reader: Reader) -> None:
    for name in added:
        if name in (reader.names or []):
            raise RVHError(
                f"{reader.source.name} has a column {show(name)} already: choose another name "
                "for the new one with --column"
            )
