"""``rvh assign``: the nodes of every key in a file, as columns added to it."""

from __future__ import annotations

import contextlib
import os
import shlex
import stat
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray

from rvh._columns.column import Chunks, KeyColumn, Kind
from rvh._tables import (
    EXTENSIONS,
    FORMATS,
    Format,
    Quote,
    compression_of,
    extension_of,
    format_of,
)
from rvh._tables.descriptors import STDIN, descriptor, is_stream
from rvh.cli.exits import say
from rvh.cli.keyspec import KeySpec, KeyType
from rvh.cli.options import (
    Algorithm,
    AlgorithmName,
    CachePolicy,
    Dead,
    IntegersName,
    MaxPerDomain,
    NodeColumn,
    NodeFormat,
    NodeGeohash,
    Nodes,
    NoNodeHeader,
    Partitions,
    Precision,
    Scheme,
    SchemeName,
    SecretFile,
    Spread,
    Strict,
    WeightColumn,
    Where,
    refuse_no_text,
)
from rvh.cli.placement import RINGS, Asked, Placement, placement
from rvh.cli.progress import progress
from rvh.errors import RVHError, show
from rvh.keys import column as key_column_of

if TYPE_CHECKING:
    from rvh._tables.base import Batch, Reader
    from rvh._tables.files import Source

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
    delimiter: Annotated[
        str | None,
        typer.Option(
            metavar="CHAR",
            help="What separates the values of csv and tsv: one character, or \\t. For KEYS and "
            "an OUT of the same format; where KEYS is of another kind, for OUT.",
        ),
    ] = None,
    no_header: Annotated[
        bool,
        typer.Option(
            "--no-header",
            help="csv and tsv have no header; the columns of KEYS are named 1, 2, 3, ...",
        ),
    ] = False,
    quote: Annotated[
        Quote | None,
        typer.Option(
            help="Quotes in csv and tsv. csv: around a value, as RFC 4180 says; none: a quote is "
            "a character as others [default: csv in csv; in tsv no value may begin with one].",
        ),
    ] = None,
    encoding: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="The encoding of KEYS, by Python's name, as utf-16 or latin-1; OUT is UTF-8 "
            "[default: utf-8].",
        ),
    ] = None,
    node_column: NodeColumn = None,
    node_format: NodeFormat = None,
    no_node_header: NoNodeHeader = False,
    weight_column: WeightColumn = None,
    scheme: SchemeName = Scheme.BLAKE2B,
    algorithm: AlgorithmName = Algorithm.RENDEZVOUS,
    integers: IntegersName = None,
    partitions: Partitions = None,
    secret_file: SecretFile = None,
    where: Where = None,
    dead: Dead = None,
    spread: Spread = None,
    max_per_domain: MaxPerDomain = None,
    strict: Strict = False,
    node_geohash: NodeGeohash = None,
    key_geohash: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The column of KEYS that holds the keys' geohashes."),
    ] = None,
    precision: Precision = None,
    load_factor: Annotated[
        float | None,
        typer.Option(
            metavar="F",
            help="No node gets more than F times its share of all keys; KEYS is read twice.",
        ),
    ] = None,
    cache: Annotated[
        int | None,
        typer.Option(metavar="N", help="Remember the nodes of N keys that were asked for."),
    ] = None,
    cache_policy: Annotated[
        CachePolicy | None,
        typer.Option(help="Which key gives way in the cache [default: lru]."),
    ] = None,
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
    refuse_no_text(column, "--column")
    read_as = _format("--format", format_name, keys, None)
    write_as = _format("--output-format", output_format, out, read_as)
    reading, writing = _delimited(read_as, write_as, delimiter, no_header, quote)
    _refuse_encoding(encoding, read_as)
    if node_geohash is not None and key_geohash is None:
        raise typer.BadParameter("say where keys are: --key-geohash", param_hint="--node-geohash")
    if load_factor is not None:
        _refuse_read_once(keys)
    asked = Asked(
        nodes=nodes,
        k=k,
        algorithm=algorithm,
        integers=integers,
        text_keys=key_type is KeyType.TEXT or (key_type is KeyType.AUTO and read_as.is_untyped),
        scheme=scheme,
        partitions=partitions,
        node_column=node_column,
        node_format=node_format,
        node_header=not no_node_header,
        weight_column=weight_column,
        secret_file=secret_file,
        where=where or (),
        dead=dead or (),
        spread=spread or (),
        max_per_domain=max_per_domain or (),
        strict=strict,
        node_geohash=node_geohash,
        key_place=None if key_geohash is None else "--key-geohash",
        precision=precision,
        load_factor=load_factor,
        cache=cache,
        cache_policy=cache_policy,
        keys="-" if descriptor(keys) == STDIN else keys,
        out=None if out == "-" else out,
        threads=threads,
    )
    placed = placement(asked)
    added = [column] if k == 1 else [f"{column}_{n}" for n in range(1, k + 1)]

    from rvh._tables.base import naming
    from rvh._tables.files import Source, target

    source_of = partial(Source, keys, _compression(keys, read_as), encoding)
    packing = _compression(out, write_as)
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
        columns = _key_columns(key_column, reader)
        if len(columns) > 1 and algorithm in RINGS:
            raise typer.BadParameter(
                f"--algorithm {algorithm} is another system's, which does not make rvh's composite "
                "keys: name one column, of the keys as that system has them",
                param_hint="--key-column",
            )
        spec = KeySpec(source.name, columns, key_type, placed.check)
        if key_geohash is not None:
            _refuse_missing([key_geohash], reader)
        _refuse_clash(added, reader)
        # All imports are done before there is a file to clean up.
        make_writer, bar = write_as.writer(), progress(Path(source.name).name, quiet)
        instead = _instead(out, read_as, write_as, packing)
        sink = stack.enter_context(target(out, packing, instead))
        ahead = _all_at_once(placed, source_of, read_as, reading, spec) if placed.whole else None
        stack.enter_context(_telling_what_is_there(out, lambda: rows))
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
    known: Format,
    options: dict[str, Any],
    spec: KeySpec,
) -> NDArray[np.intp]:
    """The nodes of all rows, from a first reading of the file."""

    def batches() -> Iterator[Batch]:
        with source_of() as source:
            yield from known.reader(source, **options).batches()

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
    """Refuse KEYS that has nothing left to give in a second reading; a missing file comes later."""
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


def _format(option: str, name: str | None, path: str, otherwise: Format | None) -> Format:
    if name is not None:
        if name not in FORMATS:
            raise typer.BadParameter(f"{show(name)} is none of {FORMAT_NAMES}", param_hint=option)
        return FORMATS[name]
    found = None if path == "-" else format_of(path)
    if found is None and otherwise is not None:
        extension = "" if path == "-" else extension_of(path)
        if extension:
            raise typer.BadParameter(
                f"{show(extension)} is no known extension, which are {EXTENSIONS}: choose one, or "
                "name the format with --output-format",
                param_hint="--out",
            )
        return otherwise
    if found is None:
        what = "stdin" if path == "-" else f"the name {path}"
        raise typer.BadParameter(
            f"{what} does not tell a format: choose one of {FORMAT_NAMES}", param_hint=option
        )
    return found


def _delimited(
    read_as: Format,
    write_as: Format,
    delimiter: str | None,
    no_header: bool,
    quote: Quote | None,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the user says about delimited text, as options of the reader and the writer."""
    both: dict[str, Any] = {}
    if quote is not None:
        both["quote"] = quote
    if no_header:
        both["header"] = False
    if delimiter is not None:
        both["delimiter"] = _one_character(delimiter)
    names = {"quote": "--quote", "header": "--no-header", "delimiter": "--delimiter"}
    if both and not (read_as.is_delimited or write_as.is_delimited):
        raise typer.BadParameter(
            f"it is for csv and tsv, but KEYS is {read_as.name} and OUT is {write_as.name}",
            param_hint=names[next(iter(both))],
        )
    reading = {**both, "chosen": delimiter is not None} if read_as.is_delimited else {}
    writing = both if write_as.is_delimited else {}
    if read_as.is_delimited and write_as is not read_as:  # which has a delimiter of its own
        writing = {name: value for name, value in writing.items() if name != "delimiter"}
    return reading, writing


def _one_character(text: str) -> str:
    character = {"\\t": "\t", "tab": "\t"}.get(text, text)
    if len(character) != 1 or not character.isascii() or character in '"\r\n\0':
        raise typer.BadParameter(
            f"{show(text)} is not one ASCII character other than a quote and a line end; "
            "\\t is a tab",
            param_hint="--delimiter",
        )
    return character


def _refuse_encoding(encoding: str | None, read_as: Format) -> None:
    if encoding is None:
        return
    from rvh._tables.files import text_codec

    if not read_as.is_text:
        raise typer.BadParameter(
            f"it is for text, but KEYS is {read_as.name}", param_hint="--encoding"
        )
    if text_codec(encoding) is None:
        raise typer.BadParameter(
            f"{show(encoding)} is no encoding that Python knows, as utf-8, utf-16, latin-1, "
            "cp1252 or shift_jis",
            param_hint="--encoding",
        )


def _instead(out: str, read_as: Format, write_as: Format, compression: str | None) -> str:
    """What to do where no new file can take the place of OUT: the shell writes into the old one."""
    from rvh._tables.files import COMPRESS

    format_name = "" if write_as is read_as else f" --output-format {write_as.name}"
    packed = "" if compression is None else f" | {COMPRESS[compression]}"
    return f"write -o -{format_name}{packed} > {shlex.quote(out)}"


@contextlib.contextmanager
def _telling_what_is_there(out: str, rows: Callable[[], int]) -> Iterator[None]:
    """Let an error say what an output has that cannot be taken back."""
    streamed = is_stream(out)
    try:
        yield
    except RVHError as error:
        if not streamed:
            raise
        name = "stdout" if out == "-" else out
        raise type(error)(f"{error}; {name} is incomplete, it ends after {rows():,} rows") from None


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
    if twice := [name for name, count in Counter(asked).items() if count > 1]:
        # Its value twice is another key than once: rather an option that is there by mistake.
        raise typer.BadParameter(
            f"column {show(twice[0])} is named twice: name it once", param_hint="--key-column"
        )
    if there is None:  # no rows, so nobody will ask
        return asked
    if not asked:
        if len(there) == 1:
            return there
        raise typer.BadParameter(
            f"{reader.source.name} has several columns, say which are the key: {_listed(there)}",
            param_hint="--key-column",
        )
    _refuse_missing(asked, reader)
    return asked


def _listed(names: list[str]) -> str:
    return ", ".join(names[:50]) or "none"


def _refuse_missing(asked: list[str], reader: Reader) -> None:
    there = reader.names
    for name in asked if there is not None else []:
        if name not in (there or []):
            raise RVHError(
                f"{reader.source.name}: there is no column {show(name)}; "
                f"there are: {_listed(there or [])}"
            )
        if (there or []).count(name) > 1:
            raise RVHError(f"{reader.source.name}: column {show(name)} is there more than once")


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
