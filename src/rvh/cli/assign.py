"""``rvh assign``: the nodes of every key in a file, as columns added to it."""

from __future__ import annotations

import contextlib
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rvh.cli.keyspec import KeySpec, KeyType
from rvh.cli.options import (
    Algorithm,
    AlgorithmName,
    NodeColumn,
    Nodes,
    Partitions,
    Scheme,
    SchemeName,
    SecretFile,
    WeightColumn,
)
from rvh.cli.placement import placement
from rvh.cli.progress import progress
from rvh.cli.tables import FORMATS, Format, compression_of, format_of
from rvh.errors import RVHError, show

if TYPE_CHECKING:
    from rvh.cli.tables.base import Reader

FORMAT_NAMES = ", ".join(FORMATS)


def assign(
    keys: Annotated[str, typer.Argument(metavar="KEYS", help="The file of keys; - for stdin.")],
    nodes: Nodes,
    out: Annotated[
        str, typer.Option("--out", "-o", metavar="OUT", help="The file to write; - for stdout.")
    ],
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
    format_name: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="NAME",
            help=f"The format of KEYS: {FORMAT_NAMES} [default: by its extension].",
        ),
    ] = None,
    output_format: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="The format of OUT [default: by its extension, else as KEYS]."
        ),
    ] = None,
    node_column: NodeColumn = None,
    weight_column: WeightColumn = None,
    scheme: SchemeName = Scheme.BLAKE2B,
    algorithm: AlgorithmName = Algorithm.RENDEZVOUS,
    partitions: Partitions = None,
    secret_file: SecretFile = None,
    threads: Annotated[
        int | None,
        typer.Option(min=1, help="Threads [default: the cores, capped by RVH_NUM_THREADS]."),
    ] = None,
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
    read_as = _format("--format", format_name, keys, None)
    write_as = _format("--output-format", output_format, out, read_as)
    placed = placement(
        nodes,
        k,
        algorithm=algorithm,
        scheme=scheme,
        partitions=partitions,
        node_column=node_column,
        weight_column=weight_column,
        secret_file=secret_file,
        bare_path=True,
        threads=threads,
    )
    added = [column] if k == 1 else [f"{column}_{n}" for n in range(1, k + 1)]

    from rvh.cli.tables.base import naming
    from rvh.cli.tables.files import Source, target

    start = time.monotonic()
    rows = 0
    with contextlib.ExitStack() as stack:
        source = stack.enter_context(Source(keys, _compression(keys, read_as)))
        reader = read_as.reader(source)
        spec = KeySpec(source.name, _key_columns(key_column, reader), key_type)
        _refuse_clash(added, reader)
        # All imports are done before there is a file to clean up.
        make_writer, bar = write_as.writer(), progress(Path(source.name).name, quiet)
        sink = stack.enter_context(target(out, _compression(out, write_as)))
        stack.enter_context(naming(out))
        writer = stack.enter_context(make_writer(sink, reader, added, placed.ids))
        stack.enter_context(bar)
        for batch in reader.batches():
            try:
                chosen = placed.positions(spec.keys(batch))
            except RVHError:
                spec.explain(batch)
                raise
            writer.write(batch, chosen)
            rows += len(batch)
            bar.update(rows, reader.fraction())
    if not quiet:
        seconds = time.monotonic() - start
        rate = rows / max(seconds, 1e-9)
        print(f"rvh: {rows:,} rows in {seconds:.2f} s, {rate:,.0f} keys/s", file=sys.stderr)


def _format(option: str, name: str | None, path: str, otherwise: Format | None) -> Format:
    if name is not None:
        if name not in FORMATS:
            raise typer.BadParameter(f"{show(name)} is none of {FORMAT_NAMES}", param_hint=option)
        return FORMATS[name]
    found = (None if path == "-" else format_of(path)) or otherwise
    if found is None:
        what = "stdin" if path == "-" else f"the name {path}"
        raise typer.BadParameter(
            f"{what} does not tell a format: choose one of {FORMAT_NAMES}", param_hint=option
        )
    return found


def _compression(path: str, known: Format) -> str | None:
    compression = None if path == "-" else compression_of(path)
    if compression and not known.is_text:
        raise RVHError(
            f"{path}: {known.name} is never {compression}-compressed as a whole: decompress it, "
            f"or drop {Path(path).suffix} from the name"
        )
    return compression


def _key_columns(given: list[str] | None, reader: Reader) -> list[str]:
    there = reader.names
    asked = [name for text in given or [] for name in _split(text, there or [])]
    if there is None:  # no rows, so nobody will ask
        return asked
    listed = ", ".join(there[:50]) or "none"
    if not asked:
        if len(there) == 1:
            return there
        raise typer.BadParameter(
            f"{reader.source.name} has several columns, say which are the key: {listed}",
            param_hint="--key-column",
        )
    for name in asked:
        if name not in there:
            raise RVHError(
                f"{reader.source.name}: there is no column {show(name)}; there are: {listed}"
            )
        if there.count(name) > 1:
            raise RVHError(f"{reader.source.name}: column {show(name)} is there more than once")
    return asked


def _split(text: str, there: list[str]) -> list[str]:
    """A column whose own name has a comma in it is meant as it is."""
    return [text] if text in there else text.split(",")


def _refuse_clash(added: list[str], reader: Reader) -> None:
    for name in added:
        if name in (reader.names or []):
            raise RVHError(
                f"{reader.source.name} has a column {show(name)} already: choose another name "
                "for the new one with --column"
            )
