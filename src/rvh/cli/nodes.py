"""Node lists: what ``--nodes`` names, as the ids in it, and their weights."""

from __future__ import annotations

import csv
import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rvh._weights import WEIGHT_MAX, WEIGHT_MIN
from rvh.cli.tables import compression_of, format_of
from rvh.errors import RVHError, show

if TYPE_CHECKING:
    from rvh.cli.tables.base import Batch

#: what should be an id, where it stands, for messages, and its values in the columns asked for
Found = tuple[object, str, tuple[object, ...]]

NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


class Written(str):
    """Text of a format that knows nothing else: it may stand for a number."""

    __slots__ = ()


class NodeList(NamedTuple):
    """Ids that are not empty and not repeated, and where asked for a weight of each, and more."""

    ids: list[str]
    weights: list[float] | None
    attributes: dict[str, list[object]]


def read_nodes(
    text: str,
    column: str | None = None,
    weight_column: str | None = None,
    *,
    also: Mapping[str, str] | None = None,
    bare_path: bool = False,
    option: str = "--nodes",
) -> NodeList:
    """The nodes that a ``--nodes`` option, or one like it, names.

    Parameters
    ----------
    text : str
        Ids separated by commas, or ``@`` and the path of a file.
    column : str, optional
        The file's column that holds the ids; the first one by default.
    weight_column : str, optional
        The file's column that holds the weights; without one there are none.
    also : mapping of str to str, optional
        Further columns, and the option that asks for each: what they hold are the attributes, as
        they are in the file.
    bare_path : bool
        Whether the path of an existing file needs no ``@``.
    option : str
        What errors call the option.

    Returns
    -------
    NodeList

    Raises
    ------
    RVHError
        An empty or repeated id, a wrong weight (with its place), a file or column that cannot be
        used.

    Examples
    --------
    >>> read_nodes("node1,node2").ids
    ['node1', 'node2']
    """
    path = text.removeprefix("@")
    asked = {} if weight_column is None else {weight_column: "--weight-column"}
    for name, asker in (also or {}).items():
        asked.setdefault(name, asker)  # weights that are asked for twice stay weights
    if text.startswith("@") or (bare_path and Path(text).is_file()):
        found = _from_file(Path(path), column, asked)
        return _checked(found, f"{path}: ", weight_column, list(asked))
    options = {} if column is None else {"--node-column": column}
    for asker in (*options, *asked.values()):
        raise RVHError(
            f"{asker} names a column of a node file, but {option} is a list: "
            f"write the nodes into a file and give {option} @FILE, or leave {asker} away"
        )
    if "," not in text and format_of(text) is not None:
        # A mistyped path would otherwise be the name of the one node that gets every key.
        raise RVHError(
            f"{option} {text} looks like a file, but there is none: write @{text} for one"
        )
    entries = text.split(",")
    listed = ((node, f"entry {n}", ()) for n, node in enumerate(entries, 1))
    return _checked(listed, f"{option} ", None, [])


def _checked(
    found: Iterable[Found], source: str, weight_column: str | None, columns: list[str]
) -> NodeList:
    seen: dict[str, str] = {}
    weights = []
    attributes: dict[str, list[object]] = {name: [] for name in columns}
    for node, place, values in found:
        if not isinstance(node, str):
            raise RVHError(
                f"{source}{place}: a node id is text, not {type(node).__name__} ({show(node)})"
            )
        if not node:
            raise RVHError(f"{source}{place} is empty: a node id has at least one character")
        if node in seen:
            raise RVHError(
                f"{source}{place} repeats node id {show(node)} of {seen[node]}: ids are unique"
            )
        seen[node] = place
        for name, value in zip(columns, values, strict=True):
            attributes[name].append(value)
            if name == weight_column:
                number = written_number(value) if isinstance(value, Written) else value
                where = f"{source}{place}: the weight of node {show(node)}"
                weights.append(_weight(number, where))
    if not seen:
        raise RVHError(f"{source}there are no nodes: give at least one node id")
    if weight_column is not None and not any(weights):
        raise RVHError(f"{source}every weight is 0: at least one node needs a weight above 0")
    return NodeList(list(seen), None if weight_column is None else weights, attributes)


def _weight(value: object, what: str) -> float:
    """A weight, or the error about `what` it is of."""
    number = math.nan
    if not isinstance(value, bool) and hasattr(type(value), "__float__"):
        with suppress(OverflowError):
            number = float(value)  # type: ignore[arg-type]  # it has __float__
    if number == 0 or WEIGHT_MIN <= number <= WEIGHT_MAX:
        return number
    raise RVHError(
        f"{what} is {shown(value)}: a weight is a number, 0 (never selected) or from 2^-1016 to "
        "2^970"
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


def _from_file(path: Path, column: str | None, asked: dict[str, str]) -> Iterator[Found]:
    known = format_of(path.name)
    name = "lines" if known is None or compression_of(path.name) else known.name
    if name in ("parquet", "arrow", "arrows"):
        assert known is not None
        from rvh.cli.tables.files import Source

        with Source(str(path)) as source:
            reader = known.reader(source)
            ids = _pick(path, column, asked, reader.names or [])
            for batch in reader.batches():
                columns = [_values(batch, name) for name in (ids, *asked)]
                for row, (node, *values) in enumerate(zip(*columns, strict=True)):
                    yield _text(node), batch.where(row), tuple(values)
        return
    try:
        with path.open(
            encoding="utf-8-sig", newline="" if name in ("csv", "tsv") else None
        ) as file:
            if name == "lines":
                options = [] if column is None else ["--node-column"]
                for option in (*options, *asked.values()):
                    raise RVHError(f"{path}: plain lines have no columns; drop {option}")
                for number, line in enumerate(file, 1):
                    if line.strip():
                        yield line.strip(), f"line {number}", ()
            elif name == "ndjson":
                yield from _from_json(path, file, column, asked)
            else:
                delimiter = "," if name == "csv" else "\t"
                yield from _from_csv(path, file, column, asked, delimiter)
    except UnicodeDecodeError as error:
        raise RVHError(f"{path} is not UTF-8 text: {error.reason} at byte {error.start}") from None
    except csv.Error as error:
        raise RVHError(f"{path} is not CSV: {error}") from None


def _from_csv(
    path: Path, file: Iterable[str], column: str | None, asked: dict[str, str], delimiter: str
) -> Iterator[Found]:
    rows = filter(None, csv.reader(file, delimiter=delimiter, strict=True))
    header = next(rows, None)
    if header is None:
        raise RVHError(f"{path} is empty: a header and at least one row are needed")
    id_at = header.index(_pick(path, column, asked, header))
    others = [header.index(name) for name in asked]
    for number, row in enumerate(rows, 1):
        if len(row) != len(header):
            raise RVHError(f"{path}: row {number} has {len(row)} values for {len(header)} columns")
        yield row[id_at], f"row {number}", tuple(Written(row[at]) for at in others)


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


def _from_json(
    path: Path, file: Iterable[str], column: str | None, asked: dict[str, str]
) -> Iterator[Found]:
    weight_column = next((name for name in asked if asked[name] == "--weight-column"), None)
    known: dict[str, None] = {}
    empty = True
    for number, line in enumerate(file, 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise RVHError(f"{path}: line {number} is not JSON: {error}") from None
        members = value if isinstance(value, dict) else {}
        if isinstance(value, dict):
            where = f"line {number}: "
            known.update(dict.fromkeys(value))
            there = {name: option for name, option in asked.items() if name in value}
            value = value[_pick(path, column, there, list(value), where)]
            if weight_column is not None and weight_column not in there:
                raise RVHError(
                    f"{path}: {where}node {show(value)} has no weight: there is no member "
                    f"{show(weight_column)}"
                )
        elif weight_column is not None:
            raise RVHError(
                f"{path}: line {number} is {show(value)} alone, which has no weight: write an "
                f"object that has the id and the member {show(weight_column)}"
            )
        yield value, f"line {number}", tuple(members.get(name) for name in asked)
        empty = False
    for name in asked:
        # One line may leave a member away; where all do, its name is mistyped.
        if name not in known and not empty:
            raise _no_column(path, name, known)


def _pick(
    path: Path, column: str | None, asked: dict[str, str], names: list[str], where: str = ""
) -> str:
    """The column of the ids; those that are asked for have to be there too."""
    if column is None and not names:
        raise RVHError(f"{path}: {where}there is no column to take node ids from")
    ids = names[0] if column is None else column
    for name in (ids, *asked):
        if name not in names:
            raise _no_column(path, name, names, where)
        if names.count(name) > 1:
            raise RVHError(f"{path}: {where}column {show(name)} is there more than once")
    if asked.get(ids) == "--weight-column":
        raise RVHError(
            f"{path}: {where}column {show(ids)} holds the ids, so it cannot hold the weights: "
            "name the column of the ids with --node-column"
        )
    return ids


def _no_column(path: Path, name: str, names: Iterable[str], where: str = "") -> RVHError:
    listed = ", ".join(islice(names, 50)) or "none"
    return RVHError(f"{path}: {where}there is no column {show(name)}; there are: {listed}")


def _values(batch: Batch, name: str) -> Sequence[object]:
    values = batch.values(name)
    return values.tolist() if isinstance(values, np.ndarray) else values


def _text(node: object) -> object:
    """A node id of a binary column is the text whose UTF-8 it is: the same id in the contract."""
    if isinstance(node, bytes):
        with suppress(UnicodeDecodeError):
            return node.decode()
    return node
