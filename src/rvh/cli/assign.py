"""``rvh assign``: the nodes of every key in a file, as columns added to it."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rvh.cli.exits import emit_json, say
from rvh.cli.finding import find
from rvh.cli.keyfiles import KeyFiles
from rvh.cli.outputs import AsJson, advice, refuse_two_on_stdout, saying_how_far
from rvh.cli.packing import PackingOptions
from rvh.cli.progress import progress
from rvh.cli.rows import PlacedRows, RowsOptions
from rvh.cli.values import refuse_no_text
from rvh.errors import RVHError, show

if TYPE_CHECKING:
    from rvh._tables.base import Reader


def assign(
    keys: Annotated[
        list[str],
        typer.Argument(
            metavar="KEYS",
            help="Files of keys in one format, folders of such files, or quoted patterns; - is "
            "stdin.",
        ),
    ],
    out: Annotated[
        str, typer.Option("--out", "-o", metavar="OUT", help="The file to write; - is stdout.")
    ],
    *,
    options: RowsOptions,
    column: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="The name of the new column; with -c 2 or more, NAME_1, NAME_2 and so on.",
        ),
    ] = "node",
    packing: PackingOptions,
    as_json: AsJson = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print no progress bar and no summary.")
    ] = False,
) -> None:
    """Add the nodes of each key to a file of keys.

    \b
    Examples:
      rvh assign keys.txt --nodes node1,node2,node3 -o placed.txt
      rvh assign 'logs/*.csv.gz' -n @nodes.csv -K user -o placed.csv.gz
      rvh assign flights.csv -n @nodes.csv -K carrier,flight -c 3 -o placed.parquet
      zcat log.ndjson.gz | rvh assign - --format ndjson -n @nodes.txt -K user -o -

    OUT has the rows of KEYS with a column `node`, or `node_1` to `node_k`. The rows of several
    files follow one another.

    OUT appears only when it is complete. A run that fails or is interrupted leaves an existing OUT
    unchanged.
    """
    refuse_no_text(column, "--column")
    refuse_two_on_stdout(as_json, {"--out": out})
    found = find(keys)
    paths = [each.path for each in found]
    formats = options.formats
    read_as, write_as = formats.of_files(paths, out)
    reading, writing = formats.delimited(read_as, write_as)
    formats.refuse_encoding(read_as)
    packed = packing.of_file(out, write_as)
    placed = options.placement(paths, read_as, None if out == "-" else out)
    added = [column] if options.k == 1 else [f"{column}_{n}" for n in range(1, options.k + 1)]

    from rvh._tables.base import naming
    from rvh._tables.target import target

    files = KeyFiles.of(found, read_as, formats.encoding, reading, options.hive)
    start = time.monotonic()
    with contextlib.ExitStack() as stack:
        reader = stack.enter_context(files.open(out))
        rows = PlacedRows(files, reader, options, placed)
        _refuse_clash(added, reader)
        # All imports are done before there is a file to clean up.
        make_writer, bar = write_as.writer(), progress(Path(reader.name).name, quiet)
        replacing = advice(out, read_as, write_as, packed.compression)
        sink = stack.enter_context(target(out, packed.compression, replacing, packed.level))
        stack.enter_context(bar)
        rows.look_ahead(bar)
        stack.enter_context(saying_how_far(out, rows))
        stack.enter_context(naming(out))
        writer = stack.enter_context(
            make_writer(sink, reader, added, rows.ids, **writing, **packed.writing)
        )
        for batch, chosen in rows.batches():
            writer.write(batch, chosen)
            bar.update(rows.done + len(batch), reader.fraction())
    seconds = time.monotonic() - start
    rate = rows.done / max(seconds, 1e-9)
    if as_json:
        emit_json(rows.facts(seconds))
    elif not quiet:
        more = f"; {note}" if (note := rows.note()) else ""
        say(f"{rows.summary()}, in {seconds:.2f} s, {rate:,.0f} keys/s{more}")


def _refuse_clash(added: list[str], reader: Reader) -> None:
    for name in added:
        if name in (reader.names or []):
            raise RVHError(
                f"{reader.source.name} has a column {show(name)} already: choose another name "
                "for the new one with --column"
            )
