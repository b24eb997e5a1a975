"""The interface of all file formats: a reader yields batches, a writer takes them.

A `Batch` is some rows of the input, in order, with the number that each has in the whole file.
A batch comes with its nodes as positions in the list of ids; a `TableWriter` appends them as
columns, whatever the format.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Self

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
from numpy.typing import NDArray

from rvh._columns.arrow.reader import check_extensions
from rvh._columns.values import is_uuid, uuid_text
from rvh._tables.fields import field_path
from rvh._tables.source import Source
from rvh._tables.text import key_text
from rvh.errors import RVHError, show

#: rows and bytes of a batch: enough to keep all threads busy, little enough to hold in memory
BATCH_ROWS = 1 << 16
BATCH_BYTES = 1 << 24
#: the longest line of NDJSON and plain lines: one without end must not fill the memory
LINE_BYTES = 1 << 24

# With its first array pyarrow imports pandas, where that is installed and not left out
# (`rvh._tables.pandas_import`). Now, rather than in the middle of a run: Python loses a Ctrl-C that
# comes at the wrong moment of an import.
pa.array([None])


class Batch:
    """Consecutive rows of an input as an Arrow record batch.

    Parameters
    ----------
    record : pyarrow.RecordBatch
    first : int
        The number of the first row in the whole input, counted from 1.
    source : str
        What errors call the input.
    """

    #: the word for a row of this input
    unit = "row"

    def __init__(self, record: Any, first: int, source: str) -> None:
        self.record = record
        self.first = first
        self.source = source
        self._rows: NDArray[np.intp] | None = None

    def __len__(self) -> int:
        return int(self.record.num_rows)

    def where(self, row: int) -> str:
        """Row number `row` (from 0) of this batch, as a message names it."""
        return f"{self.unit} {self.first + (row if self._rows is None else int(self._rows[row]))}"

    def only(self, rows: NDArray[np.bool_]) -> Batch:
        """Some of the rows, each with the number that it has."""
        batch = Batch(self.record.filter(pa.array(rows)), self.first, self.source)
        batch.unit = self.unit
        batch._rows = np.flatnonzero(rows)
        return batch

    def nulls(self, name: str, empty: bool = False) -> NDArray[np.bool_]:
        """The rows that are null in one column, shape (rows,); where asked for, also empty text."""
        column = self._column(name)
        found = column.is_null()
        if empty and is_bytes(column.type):
            found = pc.or_kleene(found, pc.equal(pc.binary_length(column), 0))
        array: NDArray[np.bool_] = found.to_numpy(zero_copy_only=False)
        return array

    def values(self, name: str) -> Sequence[Any] | NDArray[Any]:
        """One column in a form that `rvh` takes: text, bytes and integers as they are.

        UUIDs come as their text. Anything else (null, bool, float, dates) comes as the Python
        objects that `rvh.keys` refuses with a reason.

        Raises
        ------
        RVHTypeError
            A column of an extension type whose values are not known to be what their storage is.
        """
        column = self._column(name)
        kind = column.type
        if column.null_count == 0 and (pa.types.is_integer(kind) or is_bytes(kind)):
            array: NDArray[Any] = column.to_numpy(zero_copy_only=False)
            return array
        try:
            objects: list[Any] = list(map(_as_text, column.to_pylist()))
        except ValueError:  # nanoseconds, which no Python object holds
            objects = list(column)
        return objects

    def keys(self, name: str) -> Any:
        """`values`, but text without null as the Arrow array itself, which `rvh.keys` reads."""
        column = self._column(name)
        return column if column.null_count == 0 and is_bytes(column.type) else self.values(name)

    def texts(self, name: str) -> Sequence[Any] | NDArray[Any]:
        """`values`, but numbers, dates and others that have a text (`key_text`) as that."""
        text = key_text(self._column(name))
        if text is None:
            return self.values(name)
        if text.null_count:
            return list(text.to_pylist())
        array: NDArray[Any] = text.to_numpy(zero_copy_only=False)
        return array

    def taken(self, rows: NDArray[np.intp], reader: Reader) -> Batch:
        """Some rows, each as often as it is named, with the columns of `reader` alone."""
        own, picked = self.record.schema.names, pa.array(rows)
        columns = [
            pc.take(
                self.record.column(field.name) if field.name in own else self._column(field.name),
                picked,
            ).cast(field.type)
            for field in reader.schema
        ]
        return Batch(
            pa.RecordBatch.from_arrays(columns, schema=reader.schema), self.first, self.source
        )

    def replaced(self, name: str, rows: NDArray[np.intp], texts: Sequence[str]) -> Batch:
        """The batch with other text in some rows of one column, whose type stays."""
        at = self.record.schema.get_field_index(name)
        where = np.zeros(len(self), dtype=np.bool_)
        where[rows] = True
        # Text, and not the column's own type, which may be a dictionary without the new text.
        texts_now = self.record.column(at).cast(pa.large_string())
        changed = pc.replace_with_mask(
            texts_now, pa.array(where), pa.array(texts, pa.large_string())
        )
        kind = self.record.schema.field(at).type
        if pa.types.is_dictionary(kind):
            changed = changed.cast(kind.value_type).dictionary_encode()
        columns = self.record.columns
        columns[at] = changed.cast(kind)
        record = pa.RecordBatch.from_arrays(columns, schema=self.record.schema)
        batch = Batch(record, self.first, self.source)
        batch.unit = self.unit
        return batch

    def _column(self, name: str) -> Any:
        first, *rest = field_path(name, self.record.schema.names)
        # A record batch: it still has the metadata of a type that pyarrow does not know.
        record = self.record.select([first])
        if rest:
            field = _field(record.schema, [first, *rest]).with_name(name)
            column = pc.struct_field(record.column(0), rest)
            record = pa.RecordBatch.from_arrays([column], schema=pa.schema([field]))
        check_extensions(record, f"column {show(name)}")
        column = record.column(0)
        return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column


def _as_text(value: Any) -> Any:
    return uuid_text(value) if is_uuid(value) else value


def is_bytes(kind: Any) -> bool:
    """Check whether the values of an Arrow type are text or bytes."""
    return any(
        test(kind)
        for test in (
            pa.types.is_string,
            pa.types.is_large_string,
            pa.types.is_string_view,
            pa.types.is_binary,
            pa.types.is_large_binary,
            pa.types.is_binary_view,
            pa.types.is_fixed_size_binary,
        )
    )


class Reader(ABC):
    """An input: its columns, then its rows.

    Parameters
    ----------
    source : Source
        Opened by the caller, who closes it.
    """

    #: the columns; None where they are those of the rows and there are none
    names: list[str] | None
    #: True where record batches come from a file as they are: they may be damaged in any way
    from_file = False
    #: the word for a row
    unit = "row"
    #: the metadata of a Parquet file, where these are rows of one
    parquet: Any = None

    def __init__(self, source: Source) -> None:
        self.source = source
        #: what errors call all of the input
        self.name = source.name
        self._rows_in = self._rows_out = 0

    @property
    @abstractmethod
    def schema(self) -> Any:
        """The Arrow schema of the rows."""

    @abstractmethod
    def records(self) -> Iterator[Any]:
        """The rows as Arrow record batches of any size."""

    def schema_of(self, names: list[str]) -> Any:
        """The schema of some columns."""
        own = self.schema.names
        return pa.schema(
            [_field(self.schema, field_path(name, own)).with_name(name) for name in names]
        )

    def follow(self, first: Reader) -> None:
        """Take the columns of `first`, an input whose rows come before those of this one.

        Raises
        ------
        RVHError
            Other columns; the message names the first that differs.
        """
        if difference := _difference(self.schema, first.schema):
            raise RVHError(
                f"{self.name}: {difference.format(name=first.name)}; all inputs need the same "
                "columns"
            )

    def has_field(self, path: Sequence[str]) -> bool:
        """Check whether there is a column, and the fields within it that `path` goes on with."""
        return _field(self.schema, path) is not None

    def keep_text(self, *form: object) -> None:  # noqa: B027
        """Let batches have the text of their rows, where it is of the form that will be written."""

    def other_encoding(self) -> str:
        """The advice in errors about bytes that are not UTF-8."""
        option = self.source.spelling("encoding", "")
        return f"if it is of another encoding, name it with {option}"

    def batches(self) -> Iterator[Batch]:
        """The rows in batches of about `BATCH_ROWS` or `BATCH_BYTES`; errors name the input."""
        with naming(self.source.name):
            for record in regrouped(self.counted()):
                first = self._rows_out + 1
                self._rows_out += record.num_rows
                batch = Batch(record, first, self.source.name)
                batch.unit = self.unit
                yield batch

    def counted(self) -> Iterator[Any]:
        """`records`, checked, for `read_fraction` to know how many came out."""
        for record in self.records():
            if self.from_file:
                # Offsets that point beyond their buffer would crash the process later.
                record.validate(full=True)
            self._rows_in += record.num_rows
            yield record

    def fraction(self) -> float | None:
        """The part of the input that came out as batches, from 0 to 1; None if it is not known."""
        part = self.read_fraction()
        return None if part is None else part * self._rows_out / max(1, self._rows_in)

    def read_fraction(self) -> float | None:
        """The part of the input that came out of `records`, from 0 to 1."""
        return self.source.fraction()


class Part(Reader):
    """Some columns of an input, for the writer of an output that has no others.

    Parameters
    ----------
    reader : Reader
    names : list of str
    schema : pyarrow.Schema, optional
        Of the columns, where some are not those of the input.
    """

    def __init__(self, reader: Reader, names: list[str], schema: Any = None) -> None:
        super().__init__(reader.source)
        self.names = names
        self.parquet = reader.parquet
        self._reader = reader
        self._schema = schema

    @property
    def schema(self) -> Any:
        if self._schema is None:
            self._schema = self._reader.schema_of(self.names or [])
        return self._schema

    def records(self) -> Iterator[Any]:
        for record in self._reader.records():
            yield record.select(self.names)


class Writer(ABC):
    """An output.

    Parameters
    ----------
    sink : file-like
        Where the bytes go.
    reader : Reader
        The input, for its columns.
    added : list of str
        The names of the k columns to add.
    ids : list of str
        The node ids; where rows may have no node, then None.
    """

    def __init__(self, sink: Any, reader: Reader, added: list[str], ids: list[str | None]) -> None:
        self.sink = sink
        self.added = added
        self.spelling = reader.source.spelling

    @abstractmethod
    def write(self, batch: Batch, chosen: NDArray[np.intp]) -> None:
        """Write rows and the positions of their nodes in the list of ids, shape (rows, k).

        The position -1 is that of None, the last.
        """

    def close(self) -> None:  # noqa: B027  (most formats need nothing)
        """Write what ends the file."""

    def give_up(self) -> None:  # noqa: B027  (most formats need nothing)
        """Leave an output that has failed without what would end it properly."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *rest: object) -> None:
        if kind is None:
            self.close()
        else:
            self.give_up()


class TableWriter(Writer):
    """An output that takes Arrow record batches of one schema."""

    def __init__(self, sink: Any, reader: Reader, added: list[str], ids: list[str | None]) -> None:
        super().__init__(sink, reader, added, ids)
        self.ids = pa.array(ids, pa.string())
        self.schema = reader.schema
        for name in added:
            self.schema = self.schema.append(pa.field(name, pa.string(), nullable=None in ids))

    def write(self, batch: Batch, chosen: NDArray[np.intp]) -> None:
        """Write rows with the ids of their nodes as columns of text."""
        answers = [self.ids.take(pa.array(column % len(self.ids))) for column in chosen.T]
        self.write_record(
            pa.RecordBatch.from_arrays([*batch.record.columns, *answers], schema=self.schema)
        )

    @abstractmethod
    def write_record(self, record: Any) -> None:
        """Write some rows."""


def _field(schema: Any, path: Sequence[str]) -> Any:
    """The field that a path leads to; None where there is none, or more than one."""
    field, fields = None, schema
    for name in path:
        at = fields.get_field_index(name) if fields is not None else -1
        if at < 0:
            return None
        field = fields.field(at)
        fields = field.type if pa.types.is_struct(field.type) else None
    return field


def _difference(this: Any, first: Any) -> str:
    """The first difference of columns to those of the first input, {name}, or ""."""
    for field in first:
        if field.name not in this.names:
            return f"there is no column {show(field.name)}, which {{name}} has"
    for field in this:
        if field.name not in first.names:
            return f"column {show(field.name)} is not in {{name}}"
    if this.names != first.names:
        at = next(n for n, name in enumerate(this.names) if name != first.names[n])
        return (
            f"column {at + 1} is {show(this.names[at])}, but {show(first.names[at])} in {{name}}: "
            "the order is another"
        )
    for here, there in zip(this, first, strict=True):
        if here.type != there.type:
            return f"column {show(here.name)} is {here.type}, but {there.type} in {{name}}"
        if here.nullable and not there.nullable:
            return f"column {show(here.name)} may be null, but not in {{name}}"
    return ""


def regrouped(records: Iterator[Any]) -> Iterator[Any]:
    """The same rows in record batches of a good size: large ones are cut, small ones joined."""
    group: list[Any] = []
    rows, size = 0, 0.0
    for record in records:
        row_size = size_of(record) / max(1, record.num_rows)
        step = max(1, min(BATCH_ROWS, int(BATCH_BYTES / max(1, row_size))))
        for start in range(0, record.num_rows, step):
            part = record.slice(start, step)
            more = row_size * part.num_rows
            if group and (rows + part.num_rows > BATCH_ROWS or size + more > BATCH_BYTES):
                yield _joined(group)
                group, rows, size = [], 0, 0.0
            group.append(part)
            rows += part.num_rows
            size += more
    if group:
        yield _joined(group)


def size_of(record: Any) -> int:
    """Bytes of a record batch."""
    try:
        return int(record.nbytes)
    except pa.ArrowException:  # string views, in pyarrow 18
        return int(record.get_total_buffer_size())


def _joined(group: list[Any]) -> Any:
    if len(group) == 1:
        return group[0]
    (whole,) = pa.Table.from_batches(group).combine_chunks().to_batches()
    return whole


@contextmanager
def naming(name: str) -> Iterator[None]:
    """Turn what pyarrow makes of a damaged file or an impossible column into an error about it."""
    try:
        yield
    except (RVHError, BrokenPipeError):
        raise
    except UnicodeDecodeError:  # pyarrow takes the names of columns as they are in the file
        raise RVHError(f"{name}: a column has a name that is not UTF-8 text: rename it") from None
    # pandas makes its own types from the metadata of a file, and raises its own errors.
    except (pa.ArrowException, OSError, OverflowError, ValueError, KeyError, TypeError) as error:
        if isinstance(error, OSError) and error.filename:
            raise
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        if isinstance(error, KeyError):  # which says no more than the key
            reason = f"its types lack {reason}"
        raise RVHError(f"{name}: {reason.strip().splitlines()[0]}") from None


def column_of(values: Any, kind: Any, what: str) -> Any:
    """An Arrow array of `values`; a value that does not fit raises an RVHError about `what`."""
    try:
        try:
            return pa.array(values, kind)
        except OverflowError:  # pyarrow only infers int64
            return pa.array(values, pa.uint64())
    except (pa.ArrowException, OverflowError, UnicodeError) as error:
        reason = str(error).splitlines()[0]
        raise RVHError(f"{what} does not fit one type of column: {show(reason, 120)}") from None
