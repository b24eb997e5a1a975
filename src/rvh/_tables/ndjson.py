"""NDJSON: one JSON object a line. To NDJSON again, each line keeps its own text."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from itertools import compress
from typing import Any

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
from numpy.typing import NDArray

from rvh._tables.base import (
    BATCH_BYTES,
    BATCH_ROWS,
    LINE_BYTES,
    Batch,
    Reader,
    Writer,
    column_of,
    naming,
)
from rvh._tables.decoding import PIECE_BYTES
from rvh._tables.fields import field_path
from rvh._tables.jsonrows import JsonRows, json_rows
from rvh._tables.jsontext import opened, unique_members, with_member
from rvh._tables.pandas_import import use_pandas
from rvh._tables.source import Source
from rvh._tables.structure import LF
from rvh.errors import RVHError, show

#: bytes of lines that are only to be lengthened: a processor's cache holds what is made of them
CACHED_BYTES = 1 << 20

OBJECT = json.JSONDecoder(object_pairs_hook=unique_members)


class JsonBatch(Batch):
    """Lines with the objects in them; an Arrow record batch only where a writer asks for one."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.source = reader.source.name
        #: all lines at once, where they were read so and are as they were
        self.rows: JsonRows | None = None
        self.lines: list[bytes] = []
        self.objects: list[dict[str, Any]] = []
        self.numbers: list[int] = []

    def __len__(self) -> int:
        return len(self.numbers)

    def where(self, row: int) -> str:
        return f"line {self.numbers[row]}"

    def values(self, name: str) -> Sequence[Any]:
        path = self._path(name)
        values: list[Any] = []
        try:
            if len(path) == 1:
                return [each[path[0]] for each in self.objects]
            for each in self.objects:
                values.append(_member(each, path))
            return values
        except (KeyError, TypeError):
            row = len(values)
            if len(path) == 1:
                row = next(n for n, each in enumerate(self.objects) if path[0] not in each)
            raise self.error(row, f"there is no member {show(name)}") from None

    def found(self, name: str) -> list[Any]:
        """One member in all objects; None where it is not there."""
        path = self._path(name)
        values: list[Any] = [None] * len(self)
        for row, each in enumerate(self.objects):
            with suppress(KeyError, TypeError):
                values[row] = _member(each, path)
        return values

    def has_field(self, path: Sequence[str]) -> bool:
        """Check whether any of the objects has a member, and members within it."""
        if self.rows is not None and len(path) == 1:
            return path[0] in self.rows.members
        for each in self.objects:
            with suppress(KeyError, TypeError):
                _member(each, path)
                return True
        return False

    def _path(self, name: str) -> tuple[str, ...]:
        return field_path(name, self._reader.names or [])

    def only(self, rows: NDArray[np.bool_]) -> JsonBatch:
        batch = JsonBatch(self._reader)
        kept = rows.tolist()
        batch.lines = [*compress(self.lines, kept)]
        batch.objects = [*compress(self.objects, kept)]
        batch.numbers = [*compress(self.numbers, kept)]
        return batch

    def nulls(self, name: str, empty: bool = False) -> NDArray[np.bool_]:
        path = self._path(name)
        found = np.zeros(len(self), bool)
        for row, each in enumerate(self.objects):
            try:
                value = _member(each, path)
                found[row] = value is None or (empty and value == "")
            except KeyError:  # a member that is missing is null in every other format
                found[row] = True
            except TypeError:  # no object on the way: an error of `values`
                continue
        return found

    def keys(self, name: str) -> Any:
        column = None
        if self.rows is not None and name in self.rows.members:
            column = self.rows.column(name)
        return self.values(name) if column is None else column

    def texts(self, name: str) -> Sequence[Any]:
        return self.values(name)  # JSON's own kinds, which Arrow need not tell

    def taken(self, rows: NDArray[np.intp], reader: Reader) -> JsonBatch:
        batch = JsonBatch(reader)
        names = reader.names or []
        values = [self.values(name) for name in names]
        for row in rows.tolist():
            each = {name: column[row] for name, column in zip(names, values, strict=True)}
            batch.objects.append(each)
            batch.lines.append(_dumps(each).encode())
            batch.numbers.append(self.numbers[row])
        return batch

    def replaced(self, name: str, rows: NDArray[np.intp], texts: Sequence[str]) -> JsonBatch:
        batch = JsonBatch(self._reader)
        batch.lines, batch.objects = [*self.lines], [*self.objects]
        batch.numbers = self.numbers
        for row, text in zip(rows.tolist(), texts, strict=True):
            batch.lines[row] = with_member(self.lines[row].decode(), name, _dumps(text)).encode()
            batch.objects[row] = {**self.objects[row], name: text}
        return batch

    def error(self, row: int, what: str) -> RVHError:
        """An error about one line; it lists the members of its object."""
        members = ", ".join(self.objects[row]) or "none"
        return RVHError(f"{self.source}: {self.where(row)}: {what}; its members are: {members}")

    @property
    def record(self) -> Any:
        """The values as columns of the types that the reader's first batch has."""
        schema = self._reader.schema
        known = set(schema.names)
        for row, each in enumerate(self.objects):
            if not each.keys() <= known:
                new = next(name for name in each if name not in known)
                raise self.error(
                    row,
                    f"member {show(new)} was not there in the first {BATCH_ROWS} lines, which "
                    "decide the columns of the output: write .ndjson, or give it (null) earlier",
                )
        columns = [self.column(field.name, field.type) for field in schema]
        return pa.RecordBatch.from_arrays(columns, schema=schema)

    def column(self, name: str, kind: Any = None) -> Any:
        """One member as an Arrow array; where it is missing, null."""
        lines = f"lines {self.numbers[0]} to {self.numbers[-1]}"
        typed = "" if kind is None else f" ({kind} in the lines before)"
        return column_of(
            [each.get(name) for each in self.objects],
            kind,
            f"{self.source}: {lines}: member {show(name)}{typed}",
        )


class CheckedBatch(JsonBatch):
    """Lines that were checked all at once: what is in each is read where it is asked for."""

    def __init__(self, reader: JsonReader, rows: JsonRows, numbers: list[int]) -> None:
        self._reader: JsonReader = reader
        self.source = reader.source.name
        self.rows = rows
        self.numbers = numbers
        self._texts = rows

    @cached_property
    def lines(self) -> list[bytes]:  # type: ignore[override]
        return self._texts.lines()

    @cached_property
    def objects(self) -> list[dict[str, Any]]:  # type: ignore[override]
        return [
            self._reader.object_of(line, number)
            for line, number in zip(self._texts.lines(), self.numbers, strict=True)
        ]


class JsonReader(Reader):
    """Reads NDJSON; empty lines are skipped."""

    def __init__(self, source: Source) -> None:
        super().__init__(source)
        self._batch_bytes = BATCH_BYTES
        self._rest = self._parse()
        with naming(source.name):
            self._first = next(self._rest, None)
        self.names = None if self._first is None else _members(self._first)
        self._schema: Any = None
        self._leader: Reader | None = None
        self._added: Mapping[str, Any] = {}

    def follow(self, first: Reader) -> None:
        self._leader = first  # each line says for itself what its members are
        if isinstance(first, JsonReader):
            self._batch_bytes = first._batch_bytes

    def keep_text(self, *form: object) -> None:
        if form == ("ndjson",):  # no line of a batch depends on another
            self._batch_bytes = CACHED_BYTES

    def add_members(self, values: Mapping[str, Any], schema: Any) -> None:
        """Add members to each object, of the types in `schema`, unless it has them itself.

        Raises
        ------
        RVHError
            For an object that has one of another text: which is right?
        """
        self._added, self._added_types = values, schema
        if self._first is not None:
            self._add_to(self._first)
            self.names = _members(self._first)

    def _add_to(self, batch: JsonBatch) -> None:
        if not self._added:
            return
        batch.rows = None
        for row, each in enumerate(batch.objects):
            fresh = {name: value for name, value in self._added.items() if name not in each}
            for name in self._added.keys() - fresh.keys():
                if _text(each[name]) != _text(self._added[name]):
                    what = f"member {show(name)} is {show(each[name])}, but the folder of the file"
                    raise batch.error(row, f"{what} says {show(self._added[name])}")
            if fresh:
                line = opened(batch.lines[row].decode())
                batch.lines[row] = (line + _dumps(fresh)[1:]).encode()
                each.update(fresh)

    def has_field(self, path: Sequence[str]) -> bool:
        return self._first is not None and self._first.has_field(path)

    def schema_of(self, names: list[str]) -> Any:
        """The schema of some members, whatever the others are."""
        if self._first is None:
            return pa.schema([(name, pa.string()) for name in names])
        first = self._first
        columns = [(name, column_of(first.found(name), None, self.name)) for name in names]
        return pa.schema([(name, column.type) for name, column in columns])

    @property
    def schema(self) -> Any:
        if self._leader is not None:
            return self._leader.schema
        if self._schema is None:
            first = self._first
            names = self.names or []
            self._schema = pa.schema(
                [
                    self._added_types.field(name)
                    if name in self._added
                    else (name, first.column(name).type)
                    for name in names
                ]
                if first is not None
                else []
            )
        return self._schema

    def records(self) -> Iterator[Any]:
        return (batch.record for batch in self.batches())

    def batches(self) -> Iterator[Batch]:
        if self._first is None:
            return
        yield self._first
        with naming(self.source.name):
            for batch in self._rest:
                self._add_to(batch)
                yield batch

    def fraction(self) -> float | None:
        return self.source.fraction()

    def _parse(self) -> Iterator[JsonBatch]:
        for data, number in self._whole_lines():
            if number == 1:
                data = data.removeprefix(codecs.BOM_UTF8)
            found = json_rows(data) if len(data) <= LINE_BYTES else None
            if found is not None:
                rows, places = found
                yield CheckedBatch(self, rows, (places + number).tolist())
            elif len(batch := self._line_by_line(data, number)):
                yield batch

    def _whole_lines(self) -> Iterator[tuple[bytes, int]]:
        """The lines of a batch, each with a newline, and the number of the first of them."""
        rest, number, fresh = b"", 1, b"\n"
        # A batch of few bytes has few rows: it is enough to know of a newline.
        newlines_in = _newlines if self._batch_bytes > PIECE_BYTES else _has_newline
        while fresh:
            parts, size, newlines = [rest], len(rest), newlines_in(rest)
            while fresh and not self._is_full(newlines, size):
                fresh = self.source.stream.read(PIECE_BYTES)
                parts.append(fresh)
                size += len(fresh)
                newlines += newlines_in(fresh)
            data = b"".join(parts)
            if not fresh and data and not data.endswith(b"\n"):
                data += b"\n"
            rest = data
            while rest and (self._is_full(newlines, len(rest)) or not fresh):
                ends = np.flatnonzero(np.frombuffer(rest, np.uint8) == LF)
                if not len(ends):
                    raise self._too_long(number)
                last = min(
                    BATCH_ROWS - 1, int(np.searchsorted(ends, self._batch_bytes)), len(ends) - 1
                )
                end = int(ends[last]) + 1
                yield rest[:end], number
                rest, number = rest[end:], number + last + 1
                newlines = len(ends) - last - 1

    def _is_full(self, newlines: int, size: int) -> bool:
        """Check whether bytes are enough for a batch, or too many for one line."""
        enough = self._batch_bytes if newlines else LINE_BYTES + 1
        return newlines >= BATCH_ROWS or size >= enough

    def _too_long(self, number: int) -> RVHError:
        longest = f"{LINE_BYTES >> 20} MiB"
        return RVHError(f"{self.source.name}: line {number} is longer than {longest}")

    def _line_by_line(self, data: bytes, first: int) -> JsonBatch:
        """The objects in whole lines; an error about the first that is none."""
        batch = JsonBatch(self)
        for number, line in enumerate(data[:-1].split(b"\n"), first):
            if len(line) >= LINE_BYTES:
                raise self._too_long(number)
            if text := line.strip(b" \t\r\n"):
                batch.objects.append(self.object_of(text, number))
                batch.lines.append(text)
                batch.numbers.append(number)
        return batch

    def object_of(self, text: bytes, number: int) -> dict[str, Any]:
        """The object in a line; an error where it is none."""
        try:
            value = OBJECT.decode(text.decode())
        except RVHError as error:
            reason = f"can be read in two ways: {error}"
        except UnicodeDecodeError as error:
            reason = (
                f"is not UTF-8 text: {error.reason} at byte {error.start}; {self.other_encoding()}"
            )
        except json.JSONDecodeError as error:
            reason = f"is not JSON: {error.msg} at character {error.pos + 1}"
            if text in (b"{", b"["):
                reason += "; make one line of each object (jq -c . FILE)"
        except (ValueError, RecursionError) as error:  # an endless number, endless nesting
            reason = f"cannot be read: {error}"
        else:
            if isinstance(value, dict):
                return value
            reason = f"is a {type(value).__name__}, not a JSON object"
        raise RVHError(f"{self.source.name}: line {number} {reason}")


class JsonWriter(Writer):
    """Writes NDJSON: appends members to lines that are NDJSON already, else writes objects."""

    def __init__(self, sink: Any, reader: Reader, added: list[str], ids: list[str | None]) -> None:
        super().__init__(sink, reader, added, ids)
        names = reader.names or []
        repeated = next((name for name in names if names.count(name) > 1), None)
        if repeated is not None:
            raise RVHError(
                f"column {show(repeated)} appears twice, which a JSON object cannot have"
            )
        if not isinstance(reader, JsonReader) and any(map(_has_nanoseconds, reader.schema.types)):
            use_pandas()
        reader.keep_text("ndjson")
        #: _parts[j][n]: the text of added member j with node n
        self._parts = [
            [f"{json.dumps(name, ensure_ascii=False)}: {_dumps(node)}" for node in ids]
            for name in added
        ]
        self._marks = [
            pa.array([f", {part}" for part in parts], pa.string()) for parts in self._parts
        ]

    def write(self, batch: Batch, chosen: NDArray[np.intp]) -> None:
        rows = batch.rows if isinstance(batch, JsonBatch) else None
        if rows is not None and not set(self.added) & set(rows.members):
            marks = [
                texts.take(pa.array(column % len(texts)))
                for texts, column in zip(self._marks, chosen.T, strict=True)
            ]
            nothing = pa.scalar("", pa.string())
            text = pc.binary_join_element_wise(rows.texts, *marks, nothing).buffers()[2]
            self.sink.write(memoryview(text)[2:])  # each has the brace of the one before it
            self.sink.write(b"}\n")
            return
        bodies: Iterator[str]
        bodies = self._lines(batch) if isinstance(batch, JsonBatch) else _bodies(batch.record)
        columns = [
            [parts[n] for n in column.tolist()]
            for parts, column in zip(self._parts, chosen.T, strict=True)
        ]
        if not self.added:
            bodies = (body.removesuffix(", ") for body in bodies)
        lines = [
            f"{body}{', '.join(members)}}}\n"
            for body, *members in zip(bodies, *columns, strict=True)
        ]
        self.sink.write("".join(lines).encode())

    def _lines(self, batch: JsonBatch) -> Iterator[str]:
        """Each line's own text, open for more members."""
        for row, (line, each) in enumerate(zip(batch.lines, batch.objects, strict=True)):
            for name in self.added:
                if name in each:
                    use = self.spelling("column", "")
                    raise batch.error(row, f"member {show(name)} is there already: use {use}")
            yield opened(line.decode())


def _newlines(data: bytes) -> int:
    return data.count(b"\n")


def _has_newline(data: bytes) -> int:
    return b"\n" in data


def _member(each: dict[str, Any], path: Sequence[str]) -> Any:
    """A member within an object, by its path; null where one on the way is null.

    Raises
    ------
    KeyError, TypeError
        A member that is not there, or that is not an object.
    """
    value: Any = each
    for name in path:
        value = None if value is None else value[name]
    return value


def _text(value: Any) -> str:
    """The text of a member, as the names of folders have it."""
    if value is None or isinstance(value, str):
        return value or ""
    return _dumps(value)


def _members(batch: JsonBatch) -> list[str]:
    """The members of all objects of a batch, in order of appearance."""
    if batch.rows is not None:
        return batch.rows.members
    return list(dict.fromkeys(name for each in batch.objects for name in each))


def _bodies(record: Any) -> Iterator[str]:
    """The rows of an Arrow record batch as JSON objects, open for more members."""
    columns = [_jsonable(column).to_pylist() for column in record.columns]
    names = record.schema.names
    for row in zip(*columns, strict=True):
        text = _dumps(dict(zip(names, row, strict=True)))[:-1]
        yield f"{text}, " if names else text


def _jsonable(column: Any) -> Any:
    """A column of which JSON knows the values: dates and decimals as text, NaN as null."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _jsonable(column.dictionary_decode())
    if pa.types.is_floating(kind):
        return pc.if_else(pc.is_finite(column), column, pa.scalar(None, kind))
    if pa.types.is_temporal(kind) or pa.types.is_decimal(kind) or _is_binary(kind):
        return column.cast(pa.large_string())
    return column


def _has_nanoseconds(kind: Any) -> bool:
    """Check whether values within a list or struct become Python objects that count them."""
    parts = [kind.field(n).type for n in range(getattr(kind, "num_fields", 0))]
    return any(getattr(part, "unit", "") == "ns" or _has_nanoseconds(part) for part in parts)


def _is_binary(kind: Any) -> bool:
    types = pa.types
    return bool(
        types.is_binary(kind)
        or types.is_large_binary(kind)
        or types.is_binary_view(kind)
        or types.is_fixed_size_binary(kind)
    )


def _dumps(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


READERS = {"ndjson": JsonReader}
WRITERS = {"ndjson": JsonWriter}
