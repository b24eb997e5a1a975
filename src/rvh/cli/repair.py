"""``rvh repair``: a placement after nodes died, and the copies that it needs."""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer

from rvh._tables import FORMATS, Format, Quote
from rvh._tables.descriptors import STDIN, descriptor, is_stream
from rvh.cli.exits import ExitStatus, emit_json, say
from rvh.cli.formats import FormatOptions, compression, format_of_copies
from rvh.cli.inputs import refuse_overwritten
from rvh.cli.keyfiles import KeyFile
from rvh.cli.keyspec import KeyColumnOptions, KeySpec, key_columns
from rvh.cli.options import (
    ConstraintOptions,
    FaultOptions,
    MethodOptions,
    NodeFileOptions,
    Nodes,
    PlacementOptions,
    Scheme,
    SchemeName,
    SecretFile,
    Threads,
    WeightColumn,
)
from rvh.cli.outputs import AsJson, advice, counted, refuse_two_on_stdout, saying_how_far
from rvh.cli.placement import choosable, fault_set, named_inputs, unspread
from rvh.cli.progress import progress
from rvh.cli.values import refuse_no_text
from rvh.errors import RVHError, show
from rvh.nodes import as_node_set

if TYPE_CHECKING:
    from rvh._tables.base import Reader
    from rvh.cli.repairing import Repairs

#: the columns of COPIES after those of the key
SOURCE, TARGET = "source", "target"

#: what is to be done about a row with nodes and without a key
NULL = "a row without a key has no nodes either; name the columns of the key with --key-column"


class Misplaced(StrEnum):
    """The fate of rows with a living node that the options do not choose."""

    ERROR = "error"
    KEEP = "keep"


def repair(
    placed: Annotated[
        str, typer.Argument(metavar="PLACED", help="The file that rvh assign wrote; - is stdin.")
    ],
    *,
    nodes: Nodes,
    out: Annotated[
        str | None,
        typer.Option(
            "--out",
            "-o",
            metavar="OUT",
            help="The file to write the new placement to; - is stdout.",
        ),
    ] = None,
    copies: Annotated[
        str | None,
        typer.Option(
            metavar="COPIES",
            help="The file to write the copies to (key, source and target); - is stdout.",
        ),
    ] = None,
    copies_format: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="The format of COPIES. [default: from its extension, otherwise the format of "
            "PLACED]",
        ),
    ] = None,
    column: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="The columns with the nodes: NAME, NAME_1 to NAME_k, or all names separated by "
            "commas.",
        ),
    ] = "node",
    misplaced: Annotated[
        Misplaced,
        typer.Option(
            metavar="|".join(Misplaced),
            help="What to do with a row that has a living node which these options do not choose: "
            "stop, or keep the node.",
        ),
    ] = Misplaced.ERROR,
    key: KeyColumnOptions,
    formats: FormatOptions,
    node_file: NodeFileOptions,
    weight_column: WeightColumn = None,
    scheme: SchemeName = Scheme.BLAKE2B,
    faults: FaultOptions,
    secret_file: SecretFile = None,
    threads: Threads = None,
    as_json: AsJson = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print no progress bar and no summary.")
    ] = False,
) -> None:
    """Replace dead nodes in a placement and list the copies.

    \b
    Examples:
      rvh repair placed.csv -n @nodes.csv --dead b -K id -o new.csv --copies c.csv
      rvh repair placed.parquet -n @nodes.csv --dead @down.txt -K id --copies c.csv

    Living nodes keep their keys. OUT is PLACED with new nodes; COPIES has a row for each copy. Give
    one or both. They appear together, when they are complete.
    """
    paths = [path for path in (out, copies) if path is not None]
    _refuse_outputs(out, copies, formats, copies_format)
    refuse_two_on_stdout(as_json, {"--out": out, "--copies": copies})
    refuse_no_text(column, "--column")
    read_as, write_as = formats.of_files([placed], out or placed)
    copy_as = format_of_copies(copies_format, copies or placed, read_as)
    formats.refuse_encoding(read_as)
    is_lines = read_as.name == "lines"
    if is_lines:  # what assign writes so has tabs between its columns, which have no names
        read_as = FORMATS["tsv"]
        formats = replace(formats, no_header=True, quote=Quote.NONE)
    write_formats = [write_as] * (out is not None) + [copy_as] * (copies is not None)
    writing = _delimited(formats, read_as, write_formats)
    reading = formats.delimited(read_as, read_as)[0] if read_as.is_delimited else {}
    options = PlacementOptions(
        nodes=nodes,
        k=1,
        scheme=scheme,
        weight_column=weight_column,
        precision=None,
        method=MethodOptions(secret_file=secret_file),
        node_file=node_file,
        constraints=ConstraintOptions(**vars(faults)),
        keys=["-" if descriptor(placed) == STDIN else placed],
        out=None if out == "-" else out,
        text_keys=False,
        key_place=None,
    )
    if copies is not None and copies != "-":
        refuse_overwritten(copies, named_inputs(options), "--copies")
    listed, mask, secret = choosable(options)
    living = listed if mask is None else listed.subset(mask)
    node_set = as_node_set(living.ids, living.weights, scheme.value, secret)
    faultset, spread = fault_set(faults, node_set, living)

    from rvh._tables.base import Part, naming
    from rvh._tables.target import Output, targets
    from rvh.cli.repairing import Repairs, node_columns

    file = KeyFile(path=placed, format=read_as, encoding=formats.encoding, options=reading)
    start = time.monotonic()
    with contextlib.ExitStack() as stack:
        reader = stack.enter_context(file.open(next(filter(is_stream, paths), None)))
        if is_lines and column == "node":
            column = ",".join(_all_but(key.key_column or ["1"], reader))
        columns = node_columns(column, reader)
        parts = key_columns(key, reader, columns)
        key_names = [each.name for each in parts]
        _refuse_clash(key_names, columns, reader, copies is not None)
        faultset.argselect_batch([], len(columns), **spread, strict=faults.strict)
        repairs = Repairs(
            faultset,
            sorted({*listed.ids, *listed.absent} - {*living.ids}),
            columns,
            misplaced is Misplaced.KEEP,
            {**spread, "threads": threads},
        )
        # Where assign kept an empty key of CSV, it is empty text in any other format too.
        spec = KeySpec(parts, is_untyped=True, null=NULL)
        part = Part(reader, key_names)
        makers, bar = [each.writer() for each in write_formats], progress(Path(placed).name, quiet)
        outputs = []
        for path, known, names in zip(paths, write_formats, _options(out, copies), strict=True):
            packing = compression(path, known)
            outputs.append(Output(path, packing, advice(path, read_as, known, packing, names)))
        sinks = stack.enter_context(targets(outputs))
        writers = []
        for path, sink, make, more in zip(paths, sinks, makers, writing, strict=True):
            stack.enter_context(saying_how_far(path, repairs))
            stack.enter_context(naming(path))
            of_copies = path == copies
            added, ids = ([SOURCE, TARGET], [*repairs.ids, None]) if of_copies else ([], [])
            made = make(sink, part if of_copies else reader, added, ids, **more)
            writers.append((of_copies, stack.enter_context(made)))
        stack.enter_context(bar)
        for whole in reader.batches():
            placed_rows = repairs.have_nodes(whole, spec)
            batch = whole if placed_rows.all() else whole.only(placed_rows)
            try:
                repaired = repairs.batch(batch, spec.keys(batch))
            except RVHError:
                spec.explain(batch)
                raise
            for of_copies, writer in writers:
                if not of_copies:
                    rows = np.flatnonzero(placed_rows)[repaired.rows]
                    written = repairs.written(whole, repaired._replace(rows=rows))
                    writer.write(written, np.empty((len(whole), 0), np.intp))
                elif len(repaired.copied):
                    writer.write(batch.taken(repaired.copied, part), repaired.copies)
            repairs.done += len(whole)
            bar.update(repairs.done, reader.fraction())
    seconds = time.monotonic() - start
    notes = [each for each in (listed.note, unspread(faultset, len(columns), spread)) if each]
    if as_json:
        facts = {
            "rows": repairs.done,
            "repaired": repairs.repaired,
            "copies": repairs.copies,
            "lost": repairs.lost,
            "without_key": repairs.keyless,
            "misplaced": repairs.misplaced,
            "unknown_nodes": dict(repairs.unknown.most_common()),
            "key": str(spec),
            "columns": columns,
            "seconds": seconds,
            "notes": notes,
        }
        emit_json(facts)
    elif not quiet:
        taken = f"key {spec}, nodes {_range(columns)}"
        say("; ".join([_summary(repairs, seconds, taken), *notes]))
    if repairs.lost:
        if quiet and not as_json:
            say(_lost(repairs))
        raise SystemExit(ExitStatus.LOST)


def _refuse_outputs(
    out: str | None, copies: str | None, formats: FormatOptions, copies_format: str | None
) -> None:
    if out is None and copies is None:
        raise typer.BadParameter(
            "say what to write: the new placement with -o OUT, what to copy with --copies COPIES, "
            "or both",
            param_hint="--out",
        )
    for option, given, needs, output in (
        ("--output-format", formats.output_format, "--out", out),
        ("--copies-format", copies_format, "--copies", copies),
    ):
        if given is not None and output is None:
            raise typer.BadParameter(f"it needs {needs}", param_hint=option)
    if out and copies and (out == copies or os.path.realpath(out) == os.path.realpath(copies)):
        raise typer.BadParameter(
            f"--out and --copies are both {'stdout' if out == '-' else out}: write two files",
            param_hint="--copies",
        )


def _delimited(formats: FormatOptions, read_as: Format, writes: list[Format]) -> list[Any]:
    """The options about delimited text of each output; an error where no file is delimited."""
    if not any(each.is_delimited for each in (read_as, *writes)):
        formats.delimited(read_as, writes[0])
        return [{} for _ in writes]
    return [formats.delimited(read_as, each)[1] if each.is_delimited else {} for each in writes]


def _options(out: str | None, copies: str | None) -> list[tuple[str, str]]:
    """The options that name each output and its format."""
    return [("-o", "--output-format")] * (out is not None) + [("--copies", "--copies-format")] * (
        copies is not None
    )


def _all_but(keys: list[str], reader: Reader) -> list[str]:
    names = {name for text in keys for name in text.split(",")}
    return [name for name in reader.names or [] if name not in names]


def _refuse_clash(keys: list[str], columns: list[str], reader: Reader, has_copies: bool) -> None:
    for name in keys:
        if name in columns:
            raise RVHError(
                f"{reader.name}: column {show(name)} would be a column of the key and of nodes: "
                "choose with --key-column and --column"
            )
        if has_copies and name in (SOURCE, TARGET):
            raise RVHError(
                f"{reader.name}: the key column {show(name)} has the name of a column of COPIES: "
                "rename it"
            )


def _range(columns: list[str]) -> str:
    return columns[0] if len(columns) == 1 else f"{columns[0]} to {columns[-1]}"


def _lost(repairs: Repairs) -> str:
    whose = "its" if repairs.lost == 1 else "their"
    return f"{counted(repairs.lost, 'row')} had no living node: {whose} copies have no source"


def _summary(repairs: Repairs, seconds: float, taken: str) -> str:
    parts = [f"{counted(repairs.done, 'row')} in {seconds:.2f} s ({taken})"]
    if repairs.repaired:
        copies = f"{repairs.copies:,} cop{'ies' if repairs.copies != 1 else 'y'}"
        parts.append(f"{counted(repairs.repaired, 'row')} repaired by {copies}")
    else:
        parts.append("nothing to repair: no row has a dead node")
    if repairs.lost:
        parts.append(_lost(repairs))
    if repairs.keyless:
        parts.append(
            f"{counted(repairs.keyless, 'row')} without a key and without nodes stay as they are"
        )
    if repairs.unknown:
        named = [
            f"{show(node)} ({counted(n, 'row')})" for node, n in repairs.unknown.most_common(3)
        ]
        more = len(repairs.unknown) - len(named)
        rest = f" and {more:,} more" if more else ""
        parts.append(f"taken as dead, because not in the list of nodes: {', '.join(named)}{rest}")
    if repairs.misplaced:
        parts.append(f"{counted(repairs.misplaced, 'row')} misplaced, whose living nodes stay")
    return "; ".join(parts)
