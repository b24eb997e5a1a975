"""Node lists: what ``--nodes`` names, as the ids in it, and their weights.

One reader for all commands and for ``--dead``. Plain text (a list on the command line, a file of
lines) may have been meant as something else, so there an id is refused that looks like it; a JSON
list, NDJSON, Parquet and Arrow say what they mean and are taken to the letter.
"""

from __future__ import annotations

import csv
import io
import json
import math
import os
import re
import shlex
import stat
import sys
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

import numpy as np

from rvh._arguments.weights import WEIGHT_MAX, WEIGHT_MIN
from rvh._tables import FORMATS, compression_of, format_of
from rvh._tables.jsontext import unique_members
from rvh._tables.plaintext import decoded
from rvh.cli.options import refuse_no_text
from rvh.errors import RVHError, show

if TYPE_CHECKING:
    from rvh._tables.base import Batch

NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")

#: names (in any case, with - for _) that a column of node ids has: a first line that begins with
#: one is a header, and a first column of such a name holds the ids
ID_NAMES = (
    "id", "ids", "node", "nodes", "node_id", "node_name", "name", "host", "hostname", "host_name",
    "server", "server_name", "address", "addr", "ip", "endpoint", "url", "uri", "instance",
    "member", "shard", "backend", "bucket", "broker", "worker", "peer", "machine",
)  # fmt: skip

#: the longest node file of text, which is read whole; and the bytes read at once
TEXT_BYTES, PIECE_BYTES = 1 << 28, 1 << 20

#: most ids, for which no character needs a look of its own
USUAL = re.compile(r"[A-Za-z0-9_.:/=+%~-]+")
#: what an id in plain text does not hold, and what it probably is
DOUBTFUL = {
    ",": "a comma",
    ";": "a semicolon",
    "|": "a bar",
    '"': "a quotation mark",
    "{": "a brace",
    "}": "a brace",
}


class Written(str):
    """Text of a format that knows nothing else: it may stand for a number."""

    __slots__ = ()


class Found(NamedTuple):
    """What should be an id, where it stands, for messages, and its values in the columns asked."""

    node: object
    source: str
    place: str
    values: tuple[object, ...] = ()

    @property
    def where(self) -> str:
        """How a message names the place."""
        entry = self.place.startswith("entry")  # of an option
        return f"{self.source}{'' if entry else ':'} {self.place}"


class NodeList(NamedTuple):
    """Ids that are not empty and not repeated, and where asked for a weight of each, and more."""

    ids: list[str]
    weights: list[float] | None
    attributes: dict[str, list[object]]


@dataclass(frozen=True)
class Columns:
    """How a node file is read, and the columns asked for with the option that asks for each."""

    option: str
    ids: str | None
    asked: dict[str, str]
    format_name: str | None = None
    header: bool = True

    def of_columns(self) -> Iterator[str]:
        """The options given that need a file with columns."""
        yield from ["--node-column"] * (self.ids is not None)
        yield from self.asked.values()
        yield from ["--no-node-header"] * (not self.header)

    def of_a_file(self) -> Iterator[str]:
        """The options given that need a file."""
        yield from self.of_columns()
        yield from ["--node-format"] * (self.format_name is not None)


def read_nodes(
    texts: Sequence[str],
    column: str | None = None,
    weight_column: str | None = None,
    *,
    also: Mapping[str, str] | None = None,
    option: str = "--nodes",
    format_name: str | None = None,
    header: bool = True,
) -> NodeList:
    """The nodes that a ``--nodes`` option, or one like it, names.

    Parameters
    ----------
    texts : sequence of str
        Each is ids separated by commas, a JSON list of them, or ``@`` and the path of a file
        (``@-`` is stdin). They add up.
    column : str, optional
        The files' column that holds the ids; the first one by default.
    weight_column : str, optional
        The files' column that holds the weights; without one there are none.
    also : mapping of str to str, optional
        Further columns, and the option that asks for each: what they hold are the attributes, as
        they are in the file.
    option : str
        What errors call the option. Where it is ``--nodes``, one name alone is an error: a file
        may be meant, and the name would be that of the node that gets every key.
    format_name : str, optional
        The files' format; by default their extensions tell it.
    header : bool
        Whether CSV and TSV have a header; else their columns are called 1, 2, ...

    Returns
    -------
    NodeList

    Raises
    ------
    RVHError
        An empty or repeated id, one that is doubtful, a wrong weight (with its place), a file or
        column that cannot be used.

    Examples
    --------
    >>> read_nodes(["node1,node2"]).ids
    ['node1', 'node2']
    >>> read_nodes(['["node 1", "b,c"]', "node2"]).ids
    ['node 1', 'b,c', 'node2']
    """
    asked = {} if weight_column is None else {weight_column: "--weight-column"}
    for name, asker in (also or {}).items():
        asked.setdefault(name, asker)  # weights that are asked for twice stay weights
    columns = Columns(option, column, asked, format_name, header)
    listed = [text for text in texts if not text.startswith("@")]
    for asker in columns.of_a_file() if listed else ():
        about = (
            "is about" if asker in ("--no-node-header", "--node-format") else "names a column of"
        )
        raise RVHError(
            f"{asker} {about} a node file, but {option} is a list: write the nodes into a file and "
            f"give {option} @FILE, or leave {asker} away"
        )
    alone = len(texts) == 1 and option == "--nodes"
    return _checked(_all(texts, columns, alone), option, weight_column, list(asked))


def inputs(texts: Sequence[str]) -> list[str]:
    """The paths that such an option names, ``-`` for stdin."""
    return [text[1:] for text in texts if text.startswith("@")]


def refuse_shared(named: Iterable[tuple[str, str]]) -> None:
    """Refuse stdin or a pipe that two options name: the second would find nothing in it.

    Parameters
    ----------
    named : iterable of (str, str)
        What names an input, as ``--nodes @-``, and its path, ``-`` for stdin.
    """
    seen: dict[object, str] = {}
    for what, path in named:
        about = _status(path)
        if about is None:
            continue
        flows = stat.S_ISFIFO(about.st_mode) or stat.S_ISSOCK(about.st_mode)
        if not flows and path != "-":
            continue
        same = (about.st_dev, about.st_ino) if flows else path
        if same in seen:
            raise RVHError(
                f"{seen[same]} and {what} are the same {'stdin' if path == '-' else 'pipe'}, which "
                "can be read only once: write one of them into a file"
            )
        seen[same] = what


def refuse_overwritten(out: str, named: Iterable[tuple[str, str]]) -> None:
    """Refuse an OUT that is one of the inputs: the rows would take the place of what it holds.

    Parameters
    ----------
    out : str
        The path of OUT.
    named : iterable of (str, str)
        As `refuse_shared` takes them.
    """
    written = _status(out)
    if written is None or not stat.S_ISREG(written.st_mode):
        return
    for what, path in named:
        read = _status(path)
        if read is not None and os.path.samestat(read, written):
            raise RVHError(
                f"--out {out} is the file that {what} reads, and the rows would take its place: "
                "choose another name"
            )


def _status(path: str) -> os.stat_result | None:
    """What is known of an input; None where it is not there, which is an error of who reads it."""
    try:
        return os.fstat(0) if path == "-" else os.stat(path)
    except (OSError, ValueError):
        return None


def _all(texts: Sequence[str], columns: Columns, alone: bool) -> Iterator[Found]:
    count = 0  # entries of lists, all through the option
    for text in texts:
        if text.startswith("@"):
            nobody = True
            path = text[1:]
            if not path:
                raise RVHError(f"{columns.option} @ names no file: write @FILE, or @- for stdin")
            for found in _from_file(path, columns):
                yield found
                nobody = False
            if nobody:
                raise _nobody(_name(path), columns.option)
            continue
        for node in _from_list(text, columns.option, count, alone):
            count += 1
            yield Found(node, columns.option, f"entry {count}")


def _name(path: str) -> str:
    return "stdin" if path == "-" else path


def _nobody(source: str, option: str) -> RVHError:
    what = "give at least one node id"
    if option == "--dead":
        what = "leave --dead away where none is dead"
    return RVHError(f"{source}: there are no nodes: {what}")


def _refuse_missing(path: str, option: str) -> None:
    """Raise the error about a file that is not there, with what may have been meant."""
    try:
        os.stat(path)
    except FileNotFoundError:
        pass
    except (OSError, ValueError):
        return  # an error of who reads it
    else:
        return
    hint = ""
    if path.startswith("~"):
        hint = f', and the shell leaves ~ as it is after @: write {option} @"$HOME"/...'
    elif "," in path:
        hint = f": give {option} once for each file or list"
    elif any(sign in path for sign in "*?["):
        hint = f", and no pattern is read here: give {option} once for each file"
    elif path != path.strip():
        hint = ", and there is a blank around the name"
    raise RVHError(f"{option} @{path}: No such file or directory{hint}") from None


def _from_list(text: str, option: str, before: int, alone: bool) -> list[str]:
    """The ids in a text of the command line."""
    if re.match(r"\s*\[\s*(\"|\]\s*$)", text):
        try:
            ids = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise RVHError(f"{option} begins as a JSON list, but is none: {error}") from None
        if not ids:
            raise _nobody(f"{option} []", option)
        return list(ids)
    entries = text.split(",")
    whole = json.dumps(entries, ensure_ascii=False)  # pasted, it has to be all of the list
    if len(whole) > 200:
        whole = json.dumps(["ID", "ID"])
    literally = f"{option} {shlex.quote(whole)}"

    for number, entry in enumerate(entries, before + 1):
        where = f"{option} entry {number}"
        if entry.startswith("@"):
            raise RVHError(
                f"{where} is {show(entry)}, which would be a file: give {option} once more for it, "
                f"as {option} {entry}"
            )
        refuse_no_text(entry, where)
        if doubt := doubtful(entry):
            raise RVHError(
                f"{where} is {show(entry)}, which {doubt}: separate ids by commas and nothing "
                f"else; to keep an id as it is, write JSON: {literally}"
            )
        if len(entries) > 1 and entry and _is_file(entry):
            raise RVHError(
                f"{where} is the name of a file, {entry}: write {option} @{entry} for the nodes in "
                f"it, and {option} once for each file; if it is a node, write JSON: {literally}"
            )
    if len(entries) == 1 and text:
        there = _is_file(text)
        looks = format_of(text) or compression_of(text) or text.startswith((".", "/", "~"))
        if alone and ("/" in text or os.sep in text) and "://" not in text:
            looks = True
        if there:
            what = f"{option} {text} is the name of a file"
        elif looks:
            what = f"{option} {text} looks like a file, but there is none of that name"
        elif alone:
            what = f"{option} {text} is one name alone, which could be a file or a node"
        else:
            return entries
        file = f"@{text}" if there or not looks else "@FILE"
        raise RVHError(
            f"{what}: write {option} {file} for the nodes in a file, or {literally} for the node "
            "of that name"
        )
    return entries


def _is_file(name: str) -> bool:
    """Whether it is there to be read: a file, or a pipe as ``<(...)`` is in a shell."""
    return os.path.exists(name) and not os.path.isdir(name)


def doubtful(node: str) -> str | None:
    """Why an id in plain text may be something else; the end of a sentence, or None.

    Examples
    --------
    >>> doubtful("cache-1.example.net:11211"), doubtful("# old")
    (None, "begins with '#' as a comment does")
    """
    if USUAL.fullmatch(node):
        return None
    if node.startswith("#"):
        return "begins with '#' as a comment does"
    if node.startswith("'"):
        return "begins with a quotation mark"
    for sign in node:
        if sign.isspace():
            what = "a tab" if sign == "\t" else "a blank" if [sign] == sign.splitlines() else None
            return f"has {what or 'a line break'} in it"
        if sign in DOUBTFUL:
            return f"has {DOUBTFUL[sign]} in it ({sign})"
        if not sign.isprintable():
            return _unprintable(sign)
    if node.count("[") != node.count("]"):
        return "has a bracket in it that has no other"
    return None


def _unprintable(sign: str) -> str:
    name = unicodedata.name(sign, "a control character")
    return f"has an invisible character in it (U+{ord(sign):04X}, {name})"


def _checked(
    found: Iterable[Found], option: str, weight_column: str | None, columns: list[str]
) -> NodeList:
    seen: dict[str, tuple[str, str]] = {}
    weights = []
    attributes: dict[str, list[object]] = {name: [] for name in columns}
    for each in found:
        node = each.node
        if not isinstance(node, str):
            what = f"{type(node).__name__} ({show(node)})"
            raise RVHError(f"{each.where}: a node id is text, not {what}")
        if not node:
            raise RVHError(f"{each.where} is empty: a node id has at least one character")
        spot = (each.source, each.place)  # a plain tuple: the garbage collector lets it be
        if (before := seen.setdefault(node, spot)) is not spot:
            first = Found(node, *before)
            of = first.place if first.source == each.source else first.where
            raise RVHError(f"{each.where} repeats node id {show(node)} of {of}: ids are unique")
        for name, value in zip(columns, each.values, strict=True):
            attributes[name].append(value)
            if name == weight_column:
                number = written_number(value) if isinstance(value, Written) else value
                weights.append(_weight(number, each))
    if weight_column is not None and not any(weights):
        sources = dict.fromkeys(source for source, _ in seen.values())
        raise RVHError(
            f"{', '.join(sources)}: every weight is 0: at least one node needs a weight above 0"
        )
    return NodeList(list(seen), None if weight_column is None else weights, attributes)


def _weight(value: object, of: Found) -> float:
    """A weight, or the error about it."""
    number = math.nan
    if not isinstance(value, bool) and hasattr(type(value), "__float__"):
        with suppress(OverflowError):
            number = float(value)  # type: ignore[arg-type]  # it has __float__
    if number == 0 or WEIGHT_MIN <= number <= WEIGHT_MAX:
        return number
    raise RVHError(
        f"{of.where}: the weight of node {show(of.node)} is {shown(value)}: a weight is a number, "
        "0 (never selected) or from 2^-1016 to 2^970"
    )


def shown(value: object) -> str:
    """How an error shows a value of a file.

    Examples
    --------
    >>> shown(None), shown(""), shown("8"), shown(8)
    ('null', 'empty', "the text '8'", '8')
    """
    if value is None:
        return "null"
    if isinstance(value, str):
        return f"the text {show(value)}" if value else "empty"
    return show(value)


def _from_file(path: str, columns: Columns) -> Iterator[Found]:
    if path != "-":
        _refuse_missing(path, columns.option)
    known = FORMATS[columns.format_name] if columns.format_name else format_of(path)
    name = "lines" if known is None else known.name
    if not columns.header and name not in ("csv", "tsv"):
        raise RVHError(
            f"--no-node-header is about CSV and TSV, and {_name(path)} is read as {name}: leave it "
            "away, or say --node-format csv"
        )
    if known is not None and not known.is_text:
        from rvh._tables.files import Source

        with Source(path) as source:
            reader = known.reader(source)
            ids = _pick(source.name, columns, reader.names or [])
            for batch in reader.batches():
                values = [_values(batch, name) for name in (ids, *columns.asked)]
                for row, (node, *more) in enumerate(zip(*values, strict=True)):
                    yield Found(_text(node), source.name, batch.where(row), tuple(more))
        return
    source_name, text = _name(path), decoded(_name(path), _bytes(path))
    read: Callable[[str, str, Columns], Iterator[Found]] = {
        "csv": _from_csv,
        "tsv": _from_tsv,
        "ndjson": _from_json,
        "lines": _from_lines,
    }[name]
    yield from read(source_name, text, columns)


def _bytes(path: str) -> bytes:
    """The whole of a text file, decompressed."""
    if path == "-":
        if sys.stdin is None:
            raise RVHError("stdin is closed, so @- cannot be read")
        return _whole(sys.stdin.buffer, "stdin")
    compression = compression_of(path)
    if compression is None:  # without pyarrow, which takes longer to load
        with open(path, "rb") as file:
            return _whole(file, path)
    from rvh._tables.base import naming
    from rvh._tables.files import Source

    with Source(path, compression) as source, naming(path):
        return _whole(source.stream, path)


def _whole(stream: BinaryIO, name: str) -> bytes:
    """All that a stream has, within `TEXT_BYTES`: one without end must not fill the memory."""
    pieces = iter(partial(stream.read, PIECE_BYTES), b"")
    data = b"".join(islice(pieces, TEXT_BYTES // PIECE_BYTES + 1))
    if len(data) > TEXT_BYTES:
        raise RVHError(
            f"{name} has more than {TEXT_BYTES >> 20} MiB of text: is it a list of nodes? One that "
            "is so long can be read as Parquet"
        )
    return data


def _from_lines(source: str, text: str, columns: Columns) -> Iterator[Found]:
    for option in columns.of_columns():
        raise RVHError(
            f"{source}: plain lines have no columns; drop {option}, or say --node-format csv if "
            "they are none"
        )
    first = True
    for number, line in enumerate(text.split("\n"), 1):
        if node := line.strip(" \t\r"):
            if first and _is_id_name(node):
                raise RVHError(
                    f"{source}: line {number} is {show(node)}, the name of a column: plain "
                    f"lines have no header, so take it out; {_or_as_json(node)}"
                )
            first = False
            if doubt := doubtful(node):
                table = ""
                if re.search("[,\t]", node) and columns.option == "--nodes":
                    table = "; if it is a table, give --node-format csv or tsv"
                raise RVHError(
                    f"{source}: line {number} is {show(node)}, which {doubt}: a line holds one id "
                    f"and nothing else; {_or_as_json(node)}{table}"
                )
            yield Found(node, source, f"line {number}")


def _or_as_json(node: str) -> str:
    return (
        f"an id like that is written {json.dumps(node, ensure_ascii=False)} in a file that ends "
        "in .ndjson"
    )


def _from_tsv(source: str, text: str, columns: Columns) -> Iterator[Found]:
    """TSV has no quotes in practice, and a parser that knows them may join lines by mistake."""
    rows = []
    for number, line in enumerate(text.split("\n"), 1):
        cells = line.removesuffix("\r").split("\t")
        for cell in cells:
            if cell.startswith('"'):
                raise RVHError(
                    f"{source}: line {number} has a field that begins with a quotation mark, "
                    f"{show(cell)}, which TSV does not know: write the file as .csv or .ndjson"
                )
        rows.append(cells)
    yield from _from_rows(source, (row for row in rows if row != [""]), columns, "\t")


def _from_csv(source: str, text: str, columns: Columns) -> Iterator[Found]:
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        yield from _from_rows(source, filter(None, rows), columns, ",")
    except csv.Error as error:
        raise RVHError(f"{source} is not CSV: line {rows.line_num}: {error}") from None


def _from_rows(
    source: str, rows: Iterator[list[str]], columns: Columns, delimiter: str
) -> Iterator[Found]:
    first = next(rows, None)
    if first is None:
        what = "a header and at least one row are" if columns.header else "at least one row is"
        raise RVHError(f"{source} is empty: {what} needed")
    header = first
    if columns.header:
        _refuse_other_delimiter(source, "line 1", first, delimiter)
        _refuse_no_header(source, first, columns)
    else:
        header = [str(number) for number in range(1, len(first) + 1)]
        rows = chain([first], rows)
    ids = header.index(_pick(source, columns, header))
    if not columns.header and _is_id_name(first[ids]):
        raise RVHError(
            f"{source}: the first line has {show(first[ids])}, the name of a column, where its id "
            f"would be: leave --no-node-header away; {_or_as_json(first[ids])}"
        )
    others = [header.index(name) for name in columns.asked]
    texts = [ids]  # a weight with a blank is an error as it is
    texts += [header.index(n) for n in columns.asked if columns.asked[n] != "--weight-column"]
    for number, row in enumerate(rows, 1):
        if len(row) != len(header):
            raise RVHError(
                f"{source}: row {number} has {len(row)} values for {len(header)} columns"
            )
        place = f"row {number}"
        if not all(USUAL.fullmatch(row[at]) for at in (0, *texts)):
            _refuse_doubtful_row(source, place, row, ids, texts)
            _refuse_other_delimiter(source, place, row, delimiter)
        yield Found(row[ids], source, place, tuple([Written(row[at]) for at in others]))


def _refuse_doubtful_row(
    source: str, place: str, row: list[str], ids: int, texts: list[int]
) -> None:
    """Refuse what is no row of a table, or not the text that it seems to be."""
    for cell in (row[0], row[ids]):
        if cell.startswith("#"):
            raise RVHError(
                f"{source}: {place} begins with '#' as a comment does, {show(cell)}: take it out; "
                f"{_or_as_json(cell)}"
            )
    for cell in (row[at] for at in texts):
        if cell != cell.strip():
            raise RVHError(
                f"{source}: {place} has a blank around the value {show(cell)}: take it out, or "
                "write the file as .ndjson if it belongs to it"
            )
    node = row[ids]
    if not node.isprintable():
        sign = next(sign for sign in node if not sign.isprintable())
        raise RVHError(
            f"{source}: {place} is {show(node)}, which {_unprintable(sign)}; {_or_as_json(node)}"
        )


def _refuse_other_delimiter(source: str, place: str, row: list[str], delimiter: str) -> None:
    """A row of one field with another delimiter in it is a row of several."""
    for sign in ",;|\t":
        if len(row) == 1 and sign in row[0] and sign != delimiter:
            raise RVHError(
                f"{source}: {place} is {show(row[0])}, with {show(sign)} between its values in "
                f"place of {show(delimiter)}: separate them by commas in a .csv, by tabs in a "
                ".tsv; an id with that in it is written as JSON, in a file that ends in .ndjson"
            )


def _refuse_no_header(source: str, first: list[str], columns: Columns) -> None:
    """Refuse a first line that may be a node: as a header it would be left out."""
    if columns.ids is not None or _is_id_name(first[0]) or columns.asked:
        return  # what is named and not there is an error of its own
    cell = show(first[0])
    if first[0].startswith("#"):
        raise RVHError(
            f"{source}: the first line begins with {cell}, as a comment does: take it out, or name "
            "the column of the ids with --node-column"
        )
    if columns.option == "--nodes":
        named = shlex.quote(next(filter(_is_id_name, first), first[0]))
        ways = (
            f"if it is a header, name the column of the ids, as --node-column {named}; if it is a "
            "node, say --no-node-header"
        )
    else:
        ways = "if it is a header, call the column id; if it is a node, write one id a line in .txt"
    raise RVHError(
        f"{source}: the first line begins with {cell}, which could be the name of a column or a "
        f"node: {ways}"
    )


def _is_id_name(name: str) -> bool:
    return name.casefold().replace("-", "_").replace(" ", "_") in ID_NAMES


def written_number(text: str) -> float | str:
    """The number that `text` writes in decimal digits; else the text, for others to refuse.

    Python's own `float` also takes ``4_2``, ``nan``, spaces and the digits of other scripts. And
    it makes 0 of ``1e-999``: a node that nobody meant to leave out would never be selected.
    """
    if not NUMBER.fullmatch(text):
        return text
    number = float(text)
    written = re.split("[eE]", text)[0].strip("+-0.") != ""
    return number if number or not written else text


def _from_json(source: str, text: str, columns: Columns) -> Iterator[Found]:
    asked = columns.asked
    weight_column = next((name for name in asked if asked[name] == "--weight-column"), None)
    known: dict[str, None] = {}
    ids: str | None = None
    empty = True
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line, object_pairs_hook=unique_members)
        except RVHError as error:
            raise RVHError(f"{source}: line {number}: {error}") from None
        except (ValueError, RecursionError) as error:
            if _is_json(text):
                raise _no_ndjson(source) from None
            raise RVHError(f"{source}: line {number} is not JSON: {error}") from None
        if isinstance(value, list):
            raise _no_ndjson(source)
        members = value if isinstance(value, dict) else {}
        if isinstance(value, dict):
            where = f"line {number}: "
            known.update(dict.fromkeys(value))
            there = {name: option for name, option in asked.items() if name in value}
            if ids is None:  # of the first object: in the others it may stand elsewhere
                ids = _pick(source, columns, list(value), where, there)
            elif ids not in value:
                raise _no_column(source, ids, value, where)
            value = value[ids]
            if weight_column is not None and weight_column not in there:
                raise RVHError(
                    f"{source}: {where}node {show(value)} has no weight: there is no member "
                    f"{show(weight_column)}"
                )
        elif weight_column is not None:
            raise RVHError(
                f"{source}: line {number} is {show(value)} alone, which has no weight: write an "
                f"object that has the id and the member {show(weight_column)}"
            )
        values = tuple(members.get(name) for name in asked)
        yield Found(value, source, f"line {number}", values)
        empty = False
    for name in asked:
        # One line may leave a member away; where all do, its name is mistyped.
        if name not in known and not empty:
            raise _no_column(source, name, known)


def _is_json(text: str) -> bool:
    with suppress(ValueError, RecursionError):
        json.loads(text)
        return True
    return False


def _no_ndjson(source: str) -> RVHError:
    return RVHError(
        f"{source} is one JSON value, and not a value a line: write it with an object or a string "
        "a line, as jq -c '.[]' does of a list"
    )


def _pick(
    source: str,
    columns: Columns,
    names: list[str],
    where: str = "",
    there: dict[str, str] | None = None,
) -> str:
    """The column of the ids; those that are asked for have to be there too."""
    asked = columns.asked if there is None else there
    if columns.ids is None and not names:
        raise RVHError(f"{source}: {where}there is no column to take node ids from")
    ids = names[0] if columns.ids is None else columns.ids
    for name in (ids, *asked):
        if name not in names:
            raise _no_column(source, name, names, where)
        if names.count(name) > 1:
            raise RVHError(f"{source}: {where}column {show(name)} is there more than once")
    if asked.get(ids) == "--weight-column":
        raise RVHError(
            f"{source}: {where}column {show(ids)} holds the ids, so it cannot hold the weights: "
            "name the column of the ids with --node-column"
        )
    better = next((name for name in names[:50] if _is_id_name(name)), ids)
    if columns.ids is None and better != ids and not _is_id_name(ids):
        name_it = (
            f"name the one you mean with --node-column {shlex.quote(better)}"
            if columns.option == "--nodes"
            else f"put {show(better)} first"
        )
        raise RVHError(
            f"{source}: {where}the ids could be in the first column, {show(ids)}, or in "
            f"{show(better)}: {name_it}"
        )
    return ids


def _no_column(source: str, name: str, names: Iterable[str], where: str = "") -> RVHError:
    listed = ", ".join(islice(names, 50)) or "none"
    return RVHError(f"{source}: {where}there is no column {show(name)}; there are: {listed}")


def _values(batch: Batch, name: str) -> Sequence[object]:
    values = batch.values(name)
    return values.tolist() if isinstance(values, np.ndarray) else values


def _text(node: object) -> object:
    """A node id of a binary column is the text whose UTF-8 it is: the same id in the contract."""
    if isinstance(node, bytes):
        with suppress(UnicodeDecodeError):
            return node.decode()
    return node
