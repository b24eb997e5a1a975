"""Columns that the folder of a file says, as in ``date=2024-01-01/part-0.parquet``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]

from rvh._tables.base import Reader
from rvh._tables.ndjson import JsonReader
from rvh.errors import RVHError, show


def with_folders(reader: Reader, values: Mapping[str, str | int | None], schema: Any) -> Reader:
    """Add columns of one value to the rows of a reader, behind its own.

    A column that the rows have themselves stays what it is there.

    Parameters
    ----------
    reader : Reader
    values : mapping of str to str, int or None
    schema : pyarrow.Schema
        The types of the columns.
    """
    if isinstance(reader, JsonReader):
        reader.add_members(values, schema)
        return reader
    return FolderReader(reader, values, schema)


class FolderReader(Reader):
    """Reads what another reader does, and columns of one value beside."""

    names: list[str]

    def __init__(self, reader: Reader, values: Mapping[str, str | int | None], schema: Any) -> None:
        super().__init__(reader.source)
        self._reader = reader
        self._values = values
        own = reader.names or []
        self._fields = [field for field in schema if field.name not in own]
        self._same = [name for name in values if name in own]
        self.names = [*own, *(field.name for field in self._fields)]
        self.unit = reader.unit
        self.parquet = reader.parquet

    @property
    def schema(self) -> Any:
        schema = self._reader.schema
        for field in self._fields:
            schema = schema.append(field)
        return schema

    def records(self) -> Iterator[Any]:
        schema = self.schema
        for record in self._reader.counted():
            for name in self._same:
                self._refuse_other(name, record.column(name))
            columns = [
                pa.repeat(pa.scalar(self._values[field.name], field.type), record.num_rows)
                for field in self._fields
            ]
            yield pa.RecordBatch.from_arrays([*record.columns, *columns], schema=schema)

    def read_fraction(self) -> float | None:
        return self._reader.read_fraction()

    def _refuse_other(self, name: str, column: Any) -> None:
        """Refuse values of a column that are not those of the folder: which are right?"""
        value = self._values[name]
        texts = _texts(column)
        if texts is None:  # of a type that has many texts
            return
        row = pc.index(pc.equal(texts, "" if value is None else str(value)), False).as_py()
        if row >= 0:
            raise RVHError(
                f"{self.name}: column {show(name)} has the value {show(column[row].as_py())}, "
                f"but its folder says {show(value)}"
            )


def _texts(column: Any) -> Any | None:
    """A column as the names of folders have its values, null as nothing; None for other types."""
    kind, types = column.type, pa.types
    if types.is_dictionary(kind):
        return _texts(column.dictionary_decode())
    is_text = types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind)
    if is_text or types.is_integer(kind) or types.is_boolean(kind) or types.is_date(kind):
        return pc.fill_null(column.cast(pa.large_string()), "")
    return None
