"""The key columns of an input, and their values in the form that `rvh` ranks."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray

from rvh import keys
from rvh._tables.fields import field_path, parts, quoted
from rvh.cli.values import whole_number
from rvh.errors import RVHError, RVHTypeError, show
from rvh.multi import compose_keys

if TYPE_CHECKING:
    from rvh._tables.base import Batch, Reader


class KeyType(StrEnum):
    """The reading of values as keys."""

    AUTO = "auto"
    TEXT = "text"
    INT = "int"


@dataclass(frozen=True, kw_only=True)
class KeyOptions:
    """The columns of KEYS that say what the key is and where."""

    key_column: Annotated[
        list[str] | None,
        typer.Option(
            "--key-column",
            "-K",
            metavar="NAME",
            help="The column of the key. Several, repeated or separated by commas: a composite "
            "key [default: the only column].",
        ),
    ] = None
    key_type: Annotated[
        KeyType,
        typer.Option(
            help="text or int: read every key as that; auto: text in CSV, TSV and lines, "
            "the column's own type elsewhere."
        ),
    ] = KeyType.AUTO
    key_geohash: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The column of KEYS that holds the keys' geohashes."),
    ] = None


class KeySpec:
    """The key columns of an input, in order; several are a composite key.

    Parameters
    ----------
    names : list of str
        At least one column.
    key_type : KeyType
    check : callable
        Raises the error about one key that cannot be placed.
    """

    def __init__(
        self,
        names: list[str],
        key_type: KeyType,
        check: Callable[[Any], object] = keys.key_bytes,
    ) -> None:
        self._check = check
        self._names = names
        self._key_type = key_type

    def keys(self, batch: Batch) -> Sequence[Any] | NDArray[Any] | keys.KeyColumn:
        """The keys of a batch.

        Raises
        ------
        RVHError
            For the first row with a value that is no key; the message names it.
        """
        columns = [self._typed(self._values(batch, name)) for name in self._names]
        if len(columns) == 1:
            return columns[0]
        return compose_keys(*columns)

    def explain(self, batch: Batch) -> None:
        """Raise the error about the first row of `batch` with a value that is no key, if any.

        A ranking that failed counts its rows from 0 in the batch; a user counts them in the file.
        """
        columns = [self._values(batch, name) for name in self._names]
        for row in range(len(batch)):
            for name, column in zip(self._names, columns, strict=True):
                try:
                    value = column[row]
                    if value is None:
                        raise RVHTypeError("the key is null: every row needs one")
                    self._check(self._convert(value))
                except RVHError as error:
                    where = f"{batch.source}: {batch.where(row)}, column {show(name)}"
                    advice = self._advice(value, lambda: batch.texts(name)[row])  # noqa: B023
                    raise type(error)(f"{where}: {advice or error}") from None

    def _advice(self, value: Any, text: Callable[[], Any]) -> str | None:
        """The advice about a value of a type that is no key, where there is one."""
        what = f"the key is of type {type(value).__name__} ({show(value)})"
        if isinstance(value, (float, np.floating)):
            return (
                f"{what}: a float has no one text, and beyond 2^53 it has lost the last digits of "
                "ids (no cast brings them back): write the column as whole numbers or as text "
                "where it comes from"
            )
        is_key = isinstance(value, (str, bytes, int, np.integer)) and not isinstance(value, bool)
        if is_key or self._key_type is KeyType.TEXT:
            return None
        written = _as_text(text())
        if isinstance(written, str):
            return f"{what}: --key-type text places it by its text, {show(written)}"
        return None

    def _values(self, batch: Batch, name: str) -> Sequence[Any] | NDArray[Any]:
        try:
            return batch.texts(name) if self._key_type is KeyType.TEXT else batch.values(name)
        except RVHTypeError as error:  # about the column's type
            raise type(error)(f"{batch.source}: {error}") from None

    def _typed(self, column: Sequence[Any] | NDArray[Any]) -> Sequence[Any] | NDArray[Any]:
        kinds = {KeyType.AUTO: None, KeyType.INT: "iu", KeyType.TEXT: "O"}[self._key_type]
        # An array of objects that comes from a column of text holds only text and bytes.
        if kinds is None or (isinstance(column, np.ndarray) and column.dtype.kind in kinds):
            return column
        return [self._convert(value) for value in column]

    def _convert(self, value: Any) -> Any:
        """One value by the key type; what has no meaning in it stays, for `rvh.keys` to refuse."""
        if self._key_type is KeyType.INT and isinstance(value, (str, bytes)):
            return whole_number(value if isinstance(value, str) else value.decode("latin-1"))
        return _as_text(value) if self._key_type is KeyType.TEXT else value


def _as_text(value: Any) -> Any:
    """The text of a whole number, true or false; else the value.

    Examples
    --------
    >>> _as_text(42), _as_text(True), _as_text(None)
    ('42', 'true', None)
    """
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    return str(value) if isinstance(value, (int, np.integer)) else value


def key_columns(given: list[str] | None, reader: Reader) -> list[str]:
    """The columns that --key-column names, or the only one that there is.

    Raises
    ------
    typer.BadParameter
        A column that is named twice, or none where there are several.
    RVHError
        A column that is not there, or there more than once.
    """
    present = reader.names
    columns = [name for text in given or [] for name in _split(text, present or [])]
    if twice := [name for name, count in Counter(columns).items() if count > 1]:
        # Twice its value would be another key than once: it is more likely a mistake.
        raise typer.BadParameter(
            f"column {show(twice[0])} is named twice: name it once", param_hint="--key-column"
        )
    if present is None or columns:  # without rows, nothing is read
        refuse_missing(columns, reader)
        return columns
    if len(present) == 1:
        return present
    raise typer.BadParameter(
        f"{reader.source.name} has several columns, say which are the key: {_listed(present)}",
        param_hint="--key-column",
    )


def refuse_missing(columns: list[str], reader: Reader) -> None:
    """Refuse a column that the input does not have, or has more than once; so a field of one."""
    present, source = reader.names, reader.source.name
    if present is None:
        return
    for name in columns:
        column, *fields = path = field_path(name, present)
        if column not in present:
            raise RVHError(
                f"{source}: there is no column {show(name)}; there are: {_listed(present)}"
            )
        if present.count(column) > 1:
            raise RVHError(f"{source}: column {show(column)} is there more than once")
        if fields and not reader.has_field(path):
            within = ".".join(fields)
            raise RVHError(f"{source}: column {show(column)} has no field {show(within)}")
        if name == column and len(other := parts(name)) > 1 and reader.has_field(other):
            field = ".".join(other[1:])
            raise RVHError(
                f"{source} has a column {show(name)}, and a column {show(other[0])} with a field "
                f"{show(field)}: write -K {shlex.quote(quoted(name))} for the first, or -K "
                f"{shlex.quote(quoted(*other))} for the second"
            )


def _listed(names: list[str]) -> str:
    return ", ".join(names[:50]) or "none"


def _split(text: str, present: list[str]) -> list[str]:
    """The names in a list; a column whose own name has a comma in it is meant as it is."""
    return [text] if text in present else text.split(",")
