"""``rvh split``: the rows of a file as one file for each node, in a folder with a manifest."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer

from rvh._tables import format_of
from rvh._tables.partnames import ESCAPED, HIDDEN
from rvh.cli import manifest as manifests
from rvh.cli.exits import emit_json, say
from rvh.cli.finding import find
from rvh.cli.formats import compression
from rvh.cli.keyfiles import KeyFiles
from rvh.cli.keyspec import NullKeys
from rvh.cli.manifest import File, Manifest, Run
from rvh.cli.outputs import AsJson, counted
from rvh.cli.packing import PackingOptions
from rvh.cli.progress import progress
from rvh.cli.rows import PlacedRows, RowsOptions
from rvh.cli.values import refuse_no_text
from rvh.errors import RVHError, show

if TYPE_CHECKING:
    from rvh._tables.base import Reader
    from rvh._tables.parts import Parts
    from rvh._tables.runs import Runs

#: the part of a run that reading and placing take, for the bar
READING = 0.6


class Layout(StrEnum):
    """The way from a node id to its file."""

    HIVE = manifests.HIVE
    FILES = manifests.FILES


def split(
    keys: Annotated[
        list[str],
        typer.Argument(
            metavar="KEYS...",
            help="Files of keys in one format, folders of such files, or quoted patterns; - is "
            "stdin.",
        ),
    ],
    out: Annotated[str, typer.Option("--out", "-o", metavar="DIR", help="The folder to create.")],
    *,
    options: RowsOptions,
    layout: Annotated[
        Layout,
        typer.Option(
            metavar="|".join(Layout),
            help="hive: DIR/node=ID/part-0.EXT, which query engines read; files: DIR/ID.EXT.",
        ),
    ] = Layout.HIVE,
    column: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="The name before = in the folders of hive. [default: node]"
        ),
    ] = None,
    rank_column: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Add a column with the rank of the file's node among the nodes of the row; 1 is "
            "the best.",
        ),
    ] = None,
    packing: PackingOptions,
    append: Annotated[
        bool,
        typer.Option(
            "--append", help="Add files to a DIR that rvh split created with the same options."
        ),
    ] = False,
    as_json: AsJson = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print no progress bar and no summary.")
    ] = False,
) -> None:
    """Split a file of keys into one file for each node.

    \b
    Examples:
      rvh split events.parquet --nodes node1,node2,node3 -K user -o shards
      rvh split flights.csv.gz -n @nodes.csv -K id -c 3 --rank-column rank -o shards
      rvh split more.parquet --nodes node1,node2,node3 -K user -o shards --append
      rvh split events.ndjson -n a,b -K user --layout files -o shards

    DIR appears only when it is complete, with a manifest that rvh verify checks. With -c 3, each
    row is in the files of its three nodes.
    """
    formats = options.formats
    found = find(keys)
    paths = [each.path for each in found]
    read_as, write_as = formats.of_files(paths, "-")
    reading, writing = formats.delimited(read_as, write_as)
    formats.refuse_encoding(read_as)
    packed = packing.of_file("-", write_as)
    if write_as.is_text and packing.compression is None:
        packed = packed._replace(compression=compression(paths[0], read_as))
    column = _column(column, layout)
    _refuse_options(options, layout, rank_column, append)
    refuse_no_text(out, "--out")
    if (said := format_of(out)) not in (None, write_as):
        raise typer.BadParameter(
            f"{show(out)} is to be a folder of {write_as.name} files, but is named as "
            f"{said.name}: choose another name, or give --output-format {said.name}",
            param_hint="--out",
        )

    from rvh._tables.base import naming
    from rvh._tables.newfolder import added_files, new_folder, refuse_folder
    from rvh._tables.parts import Parts
    from rvh._tables.runs import Runs

    before = manifests.read(out) if append else None
    if before is None:
        refuse_folder(out)
    else:
        _refuse_within(paths, out)
    placed = options.placement(paths, read_as, None)
    files = KeyFiles.of(found, read_as, formats.encoding, reading, options.hive)
    start = time.monotonic()
    with contextlib.ExitStack() as stack:
        reader = stack.enter_context(files.open())
        rows = PlacedRows(files, reader, options, placed)
        _refuse_clash([rank_column, column if layout is Layout.HIVE else None], reader)
        parts = Parts(
            reader,
            read_as,
            write_as,
            packed.compression,
            packed.level,
            {**writing, **packed.writing},
        )
        about = Manifest(
            layout=layout.value,
            column=column,
            format=write_as.name,
            compression=packed.compression,
            options={name: getattr(value, "value", value) for name, value in writing.items()},
            columns=None
            if parts.keeps_lines
            else [{"name": each.name, "type": str(each.type)} for each in parts.schema],
            rank_column=rank_column,
            placement=placed.identity(),
            keys=rows.keys,
            nodes=rows.ids,
        )
        if before is not None:
            about.continue_from(before, out)
        names = about.paths()
        bar = progress(Path(reader.name).name, quiet)
        stack.enter_context(bar)
        rows.look_ahead(bar)
        folder = stack.enter_context(
            new_folder(out) if before is None else added_files(out, manifests.NAME)
        )
        if before is not None and manifests.read(out) != before:
            raise RVHError(f"{out} was added to meanwhile: run this again")
        stack.enter_context(naming(out))
        rows_path = os.path.join(folder, ".rows")
        with Runs(rows_path, parts.schema, len(about.nodes), rank_column) as runs:
            for batch, chosen in rows.batches():
                if about.nodes[-1] is None:  # of a row without a node there is one copy
                    chosen[:, 0] = np.where(chosen[:, 0] < 0, len(about.nodes) - 1, chosen[:, 0])
                runs.add(parts.record(batch), chosen)
                fraction = reader.fraction()
                done = rows.done + len(batch)
                bar.update(done, None if fraction is None else READING * fraction)
            runs.finish()
            made = []
            for each in _written(runs, parts, folder, out, names, about):
                made.append(each)
                share = len(made) / max(1, len(runs.nodes()))
                bar.update(rows.done, READING + (1 - READING) * share)
        os.unlink(rows_path)
        about.files += made
        about.runs.append(Run([*keys], rows.key, rows.done, sum(each.rows for each in made)))
        Path(folder, manifests.NAME).write_text(about.text(), encoding="utf-8")
    seconds = time.monotonic() - start
    rate = rows.done / max(seconds, 1e-9)
    total = sum(each.bytes for each in made)
    if as_json:
        facts = rows.facts(seconds) | {
            "files": len(made),
            "rows_written": sum(each.rows for each in made),
            "bytes": total,
        }
        emit_json(facts)
    elif not quiet:
        written = counted(len(made), "file")
        size = manifests.size_text(total)
        more = f"; {note}" if (note := rows.note()) else ""
        say(f"{rows.summary()}, {written} of {size}, in {seconds:.2f} s, {rate:,.0f} keys/s{more}")


def _written(
    runs: Runs, parts: Parts, folder: str, out: str, names: list[str], about: Manifest
) -> Iterator[File]:
    """Write the file of each node that has rows."""
    for node in runs.nodes():
        path = os.path.join(folder, *names[node].split("/"))
        name = os.path.join(out, *names[node].split("/"))
        rows, size, digest = parts.write(path, name, runs.schema, runs.of_node(node))
        yield File(names[node], about.nodes[node], rows, size, digest)


def _column(given: str | None, layout: Layout) -> str:
    """The name before = in the folders of hive."""
    if given is None:
        return "node"
    if layout is not Layout.HIVE:
        raise typer.BadParameter(
            "the files of --layout files have their nodes' names alone: omit it",
            param_hint="--column",
        )
    refuse_no_text(given, "--column")
    if not given or HIDDEN.match(given) or ESCAPED.search(given):
        raise typer.BadParameter(
            f"{show(given)} is not a folder name that every engine reads: use letters, digits and "
            "_, and do not begin with _",
            param_hint="--column",
        )
    return given


def _refuse_options(
    options: RowsOptions, layout: Layout, rank_column: str | None, append: bool
) -> None:
    """Refuse options that do not go together."""
    if rank_column is not None:
        refuse_no_text(rank_column, "--rank-column")
        if options.k == 1:
            raise typer.BadParameter(
                "with one node for each row, every rank is 1: omit it, or give -c",
                param_hint="--rank-column",
            )
    if options.key.null_keys is NullKeys.KEEP and layout is Layout.FILES:
        raise typer.BadParameter(
            "with --layout files, rows without a node have no file: drop them, or use hive",
            param_hint="--null-keys",
        )
    if append and layout is Layout.FILES:
        raise typer.BadParameter(
            "with --layout files a node has one file, which is complete: split into another "
            "folder, or use --layout hive",
            param_hint="--append",
        )


def _refuse_within(keys: Sequence[str], out: str) -> None:
    """Refuse to add a folder's own rows to it."""
    folder = os.path.realpath(out)
    for path in keys:
        if path != "-" and os.path.realpath(path).startswith(folder + os.sep):
            raise RVHError(
                f"KEYS {path} is in {out}, and would be added to itself: name another file"
            )


def _refuse_clash(added: list[str | None], reader: Reader) -> None:
    """Refuse a name that the input has: engines take names in one case or the other for one."""
    present = {name.casefold(): name for name in reader.names or []}
    options = ("--rank-column", "--column")
    for option, name in zip(options, added, strict=True):
        if name is not None and (clash := present.get(name.casefold())) is not None:
            raise RVHError(
                f"{reader.name} has a column {show(clash)} already: choose another name "
                f"for the new one with {option}"
            )
        if name is not None:
            present[name.casefold()] = name
