"""The key columns of an input, and their values in the form that `rvh` ranks."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import numpy as np
import typer
from numpy.typing import NDArray

from rvh import keys
from rvh._tables.fields import field_path, parts, quoted
from rvh.cli.values import whole_number
from rvh.errors import RVHError, RVHTypeError, show
from rvh.multi import compose_keys

if TYPE_CHECKING:
    from rvh._tables import Format
    from rvh._tables.base import Batch, Reader


class KeyType(StrEnum):
    """The reading of values as keys."""

    AUTO = "auto"
    TEXT = "text"
    INT = "int"


class NullKeys(StrEnum):
    """The fate of a row without a key."""

    ERROR = "error"
    KEEP = "keep"
    DROP = "drop"


class KeyPart(NamedTuple):
    """A key column, and the type that its values are read as."""

    name: str
    type: KeyType


@dataclass(frozen=True, kw_only=True)
class KeyColumnOptions:
    """The columns of KEYS that say what the key is."""

    key_column: Annotated[
        list[str] | None,
        typer.Option(
            "--key-column",
            "-K",
            metavar="NAME[:TYPE]",
            help="The column of the key and its type: text, int or auto. For a composite key, "
            "repeat the option or separate columns by commas. [default: the only column]",
        ),
    ] = None
    key_type: Annotated[
        KeyType,
        typer.Option(
            metavar="|".join(KeyType),
            help="The type of key columns without a TYPE. text, int: read every key so; auto: text "
            "in csv, tsv and lines, otherwise the type of the column.",
        ),
    ] = KeyType.AUTO

    def is_text(self, read_as: Format) -> bool:
        """Check whether no key can be an integer, by the options and the format alone."""
        texts = [name for text in self.key_column or [""] for name in text.split(",")]
        types = {_type_of(text) or self.key_type for text in texts}
        return types == {KeyType.TEXT} or (KeyType.INT not in types and read_as.is_untyped)


@dataclass(frozen=True, kw_only=True)
class KeyOptions(KeyColumnOptions):
    """The columns of KEYS that say what the key is and where."""

    null_keys: Annotated[
        NullKeys,
        typer.Option(
            metavar="|".join(NullKeys),
            help="What to do with a row whose key is null (empty in csv, tsv and lines): stop, "
            "keep it with null as its node, or drop it.",
        ),
    ] = NullKeys.ERROR
    key_geohash: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The column of KEYS with the geohashes of the keys."),
    ] = None


class KeySpec:
    """The key columns of an input, in order; several are a composite key.

    Parameters
    ----------
    parts : list of KeyPart
        At least one column.
    check : callable
        Raises the error about one key that cannot be placed.
    is_untyped : bool
        Whether every value of the input is text, so that an empty one is all that null can be.
    null : str
        What is to be done about a null key.
    """

    def __init__(
        self,
        parts: list[KeyPart],
        check: Callable[[Any], object] = keys.key_bytes,
        is_untyped: bool = False,
        null: str = "with --null-keys keep the row stays without a node, with --null-keys drop it "
        "is left out",
    ) -> None:
        self._check = check
        self._null = null
        self._parts = parts
        self._is_untyped = is_untyped
        #: the kinds of values that `keys` found in each part
        self._found: list[set[str]] = [set() for _ in parts]

    def __str__(self) -> str:
        """The columns, and what each was taken as."""
        return " + ".join(map(self._shown, self._parts, self._found))

    def keys(self, batch: Batch) -> Sequence[Any] | NDArray[Any] | keys.KeyColumn:
        """The keys of a batch.

        Raises
        ------
        RVHError
            For the first row with a value that is no key; the message names it.
        """
        columns: list[Any] = [self._column(batch, part) for part in self._parts]
        for column, found in zip(columns, self._found, strict=True):
            found |= _kinds(column)
        return columns[0] if len(columns) == 1 else compose_keys(*columns)

    def nulls(self, batch: Batch) -> NDArray[np.bool_]:
        """The rows of a batch without a key: any part of a composite one is null."""
        found = np.zeros(len(batch), bool)
        for part in self._parts:
            found |= batch.nulls(part.name, self._is_untyped)
        return found

    def mixed(self) -> str:
        """The remark about columns with values of two kinds, or ""."""
        for part, found in zip(self._parts, self._found, strict=True):
            if len(found) > 1:
                return (
                    f'{show(part.name)} has keys of several kinds, and 1 and "1" are two keys: '
                    f"-K {part.name}:text makes them one"
                )
        return ""

    def explain(self, batch: Batch) -> None:
        """Raise the error about the first row of `batch` with a value that is no key, if any.

        A ranking that failed counts its rows from 0 in the batch; a user counts them in the file.
        """
        columns = [self._values(batch, part) for part in self._parts]
        for row in range(len(batch)):
            for part, column in zip(self._parts, columns, strict=True):
                try:
                    value = column[row]
                    if value is None:
                        raise RVHTypeError(f"the key is null: {self._null}")
                    self._check(_converted(value, part.type))
                except RVHError as error:
                    where = f"{batch.source}: {batch.where(row)}, column {show(part.name)}"
                    advice = _advice(value, part, lambda: batch.texts(part.name)[row])  # noqa: B023
                    raise type(error)(f"{where}: {advice or error}") from None

    def _column(self, batch: Batch, part: KeyPart) -> Any:  # a kind that `rvh.keys` reads
        if part.type is not KeyType.AUTO:
            return _typed(self._values(batch, part), part.type)
        try:
            return batch.keys(part.name)
        except RVHTypeError as error:
            raise type(error)(f"{batch.source}: {error}") from None

    def _values(self, batch: Batch, part: KeyPart) -> Sequence[Any] | NDArray[Any]:
        try:
            read = batch.texts if part.type is KeyType.TEXT else batch.values
            return read(part.name)
        except RVHTypeError as error:  # about the column's type
            raise type(error)(f"{batch.source}: {error}") from None

    @staticmethod
    def _shown(part: KeyPart, found: set[str]) -> str:
        kinds = sorted(found) or [part.type] * (part.type is not KeyType.AUTO)
        return f"{part.name} ({' and '.join(kinds)})" if kinds else part.name


def _advice(value: Any, part: KeyPart, text: Callable[[], Any]) -> str | None:
    """The advice about a value of a type that is no key, where there is one."""
    if value is None:
        return None
    what = f"the key is of type {type(value).__name__} ({show(value)})"
    if isinstance(value, (float, np.floating)):
        return (
            f"{what}: a float has several texts, and beyond 2^53 it has lost the last digits of "
            "ids (no cast restores them): write the column as whole numbers or as text "
            "where it comes from"
        )
    is_key = isinstance(value, (str, bytes, int, np.integer)) and not isinstance(value, bool)
    if is_key or part.type is KeyType.TEXT:
        return None
    if isinstance(value, dict):
        field = shlex.quote(f"{part.name}.{next(iter(value), 'FIELD')}")
        return f"{what}: name a field in it, for example -K {field}"
    if isinstance(value, list):
        return f"{what}: a list is not a key; name columns of text or whole numbers with -K"
    written = _as_text(text())
    if isinstance(written, str):
        option = "--key-type text" if part.type is KeyType.AUTO else f"-K {part.name}:text"
        return f"{what}: {option} places it by its text, {show(written)}"
    return None


def _typed(column: Sequence[Any] | NDArray[Any], key_type: KeyType) -> Sequence[Any] | NDArray[Any]:
    kinds = {KeyType.AUTO: None, KeyType.INT: "iu", KeyType.TEXT: "O"}[key_type]
    # An array of objects that comes from a column of text holds only text and bytes.
    if kinds is None or (isinstance(column, np.ndarray) and column.dtype.kind in kinds):
        return column
    return [_converted(value, key_type) for value in column]


def _converted(value: Any, key_type: KeyType) -> Any:
    """One value by the key type; what has no meaning in it stays, for `rvh.keys` to refuse."""
    if key_type is KeyType.INT and isinstance(value, (str, bytes)):
        return whole_number(value if isinstance(value, str) else value.decode("latin-1"))
    return _as_text(value) if key_type is KeyType.TEXT else value


def _kinds(column: Any) -> set[str]:
    """The kinds of the keys in a column: text, bytes, int."""
    if (kind := getattr(column, "type", None)) is not None:  # of Arrow
        name = str(kind)
        return {"text" if "string" in name else "int" if "int" in name else "bytes"}
    if isinstance(column, np.ndarray) and column.dtype.kind in "iu":
        return {"int"}
    # An array comes from one column of Arrow, whose values are all of a kind.
    some = column if isinstance(column, list) else column[:1]
    types = set(map(type, some))
    return {"text" if each is str else each.__name__ for each in types}


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


def key_columns(
    options: KeyColumnOptions, reader: Reader, besides: Sequence[str] = ()
) -> list[KeyPart]:
    """The columns that --key-column names, or the only one that there is `besides` some others.

    Raises
    ------
    typer.BadParameter
        A column that is named twice or may be read in two ways, or none where there are several.
    RVHError
        A column that is not there, or there more than once; no columns at all.
    """
    present = reader.names
    given = [pair for text in options.key_column or [] for pair in _split(text, present)]
    names = [name for name, _ in given]
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        # Twice its value would be another key than once: it is more likely a mistake.
        raise typer.BadParameter(
            f"column {show(twice[0])} is named twice: name it once", param_hint="--key-column"
        )
    if (
        given
        and all(given_type for _, given_type in given)
        and options.key_type is not KeyType.AUTO
    ):
        raise typer.BadParameter(
            "every key column has a type of its own: omit --key-type",
            param_hint="--key-type",
        )
    parts = [KeyPart(name, key_type or options.key_type) for name, key_type in given]
    if present is None or parts:  # without rows, nothing is read
        refuse_missing(names, reader)
        return parts
    if len(others := [name for name in present if name not in besides]) == 1:
        return [KeyPart(others[0], options.key_type)]
    if not present:
        raise RVHError(f"{reader.source.name} has no columns, and so no keys")
    raise typer.BadParameter(
        f"{reader.source.name} has several columns; name those of the key: {_listed(present)}",
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
                f"{source}: there is no column {show(name)}; the columns are: {_listed(present)}"
            )
        if present.count(column) > 1:
            raise RVHError(f"{source}: column {show(column)} appears more than once")
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


def _split(text: str, present: list[str] | None) -> list[tuple[str, KeyType | None]]:
    """The columns in a list, each with its type; one whose own name has a comma is meant as it is.

    Examples
    --------
    >>> [(name, kind and kind.value) for name, kind in _split("a,b:int", ["a", "b"])]
    [('a', None), ('b', 'int')]
    """
    if present is not None and "," in text:
        name, key_type = _name_of(text), _type_of(text)
        if text in present:
            return [(text, None)]
        if key_type and name in present:
            if {_name_of(each) for each in text.split(",")} <= {*present}:
                raise typer.BadParameter(
                    f"{text} names column {show(name)}, or several columns: write {name} with "
                    f"--key-type {key_type} for the first, or each with a -K of its own",
                    param_hint="--key-column",
                )
            return [(name, key_type)]
    return [_meant(each, present) for each in text.split(",")]


def _meant(text: str, present: list[str] | None) -> tuple[str, KeyType | None]:
    """One column with its type: ``flight:int`` is `flight`, unless a column has that whole name."""
    name, key_type = _name_of(text), _type_of(text)
    if present is None:
        return name, key_type
    if key_type and text not in present:
        return name, key_type
    if key_type and name in present:
        raise typer.BadParameter(
            f"there is a column {show(text)}, and a column {show(name)} that could be read as "
            f"{key_type}: write -K {text}:auto for the first, or -K {name} with --key-type "
            f"{key_type} for the second",
            param_hint="--key-column",
        )
    column, colon, other = text.rpartition(":")
    if colon and column in present and text not in present:
        raise typer.BadParameter(
            f"{show(other)} is not a type of key, for column {show(column)}: it is "
            f"{', '.join(KeyType)}",
            param_hint="--key-column",
        )
    return text, None


def _type_of(text: str) -> KeyType | None:
    _, colon, key_type = text.rpartition(":")
    return KeyType(key_type) if colon and key_type in list(KeyType) else None


def _name_of(text: str) -> str:
    return text.rpartition(":")[0] if _type_of(text) else text
