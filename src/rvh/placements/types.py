"""Columns as other systems type them, and what of their values those systems hash."""

from __future__ import annotations

import datetime
import re
import uuid
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from decimal import Decimal
from functools import partial
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rvh import keys as _keys
from rvh._columns.chains import BITS
from rvh._columns.column import COMPOSITE, KeyColumn, Kind
from rvh._columns.values import is_missing, is_whole, place, type_name
from rvh.errors import RVHError, RVHTypeError, show

__all__ = ["ColumnType", "open_typed", "parse_types"]

COLUMNS_MAX = 32  # of one key: PostgreSQL's limit
EPOCH = datetime.datetime(1970, 1, 1)
EPOCH_DAY = EPOCH.toordinal()
Many: TypeAlias = tuple[NDArray[Any], NDArray[np.bool_]]

MICROSECOND = datetime.timedelta(microseconds=1)
DAY_MICROS = 86_400_000_000
LONG_MIN, LONG_MAX = -(2**63), 2**63 - 1


class ColumnType(NamedTuple):
    """A type of a system's columns.

    Parameters
    ----------
    name : str
        As the system calls it.
    part : str
        The kind of what is hashed: one of `contract.PARTS`.
    takes : str
        The values that it takes, for messages.
    one : callable, optional
        Turns a value into the integer or the bytes that are hashed, or returns None for a value of
        another type, or raises OverflowError for one that does not fit. By default they are those
        of the key that the value is in rvh.
    many : callable, optional
        Turns a NumPy array into integers and a mask of the values that are not missing, or returns
        None for an array that `one` has to look at: of another dtype, or with values that do not
        fit.
    as_key : bool
        Whether the bytes of such a value as a part of a composite key are what is hashed.
    """

    name: str
    part: str
    takes: str
    one: Callable[[Any], Any] | None = None
    many: Callable[[NDArray[Any]], Many | None] | None = None
    as_key: bool = True


# -- values -----------------------------------------------------------------------------------


def _one_bool(value: Any) -> int | None:
    if isinstance(value, (bool, np.bool_)) or (is_whole(value) and value in (0, 1)):
        return int(value)
    return None


def _many_bools(array: NDArray[Any]) -> Many | None:
    if array.dtype.kind != "b":
        return None
    return array.astype(np.int64), np.ones(len(array), dtype=np.bool_)


def _one_day(epoch: int, value: Any) -> int | None:
    if isinstance(value, datetime.date):  # a datetime is one
        return value.toordinal() - EPOCH_DAY - epoch
    return _one_number("D", epoch, value)


def _one_micro(epoch: int, value: Any) -> int | None:
    if isinstance(value, datetime.datetime):
        if value.tzinfo is not None:
            value = value.astimezone(datetime.UTC).replace(tzinfo=None)
        return int((value - EPOCH) // MICROSECOND) - epoch
    return _one_number("us", epoch, value)


def _one_number(unit: str, epoch: int, value: Any) -> int | None:
    if isinstance(value, np.datetime64):
        numbers = _in_unit(unit, np.array([value]))
        if numbers is None:
            raise OverflowError
        value = numbers[0]
    return int(value) - epoch if is_whole(value) else None


def _in_unit(unit: str, times: NDArray[Any]) -> NDArray[np.int64] | None:
    """Return times as numbers of a unit, or None if one has none of 64 bits."""
    converted = times.astype(f"M8[{unit}]")
    # NumPy wraps round what does not fit, and it becomes a time in another year.
    wrapped = converted.astype("M8[Y]") != times.astype("M8[Y]")
    return None if (wrapped & ~np.isnat(times)).any() else converted.astype(np.int64)


def _many(unit: str, epoch: int, array: NDArray[Any]) -> Many | None:
    if array.dtype.kind == "M":
        valid, numbers = ~np.isnat(array), _in_unit(unit, array)
    elif array.dtype.kind == "i":
        valid, numbers = np.ones(len(array), dtype=np.bool_), array.astype(np.int64)
    else:
        return None
    if numbers is None or (valid & (numbers < LONG_MIN + epoch)).any():
        return None
    return numbers - epoch, valid


def _one_time(value: Any) -> int | None:
    if isinstance(value, datetime.time):
        seconds = (value.hour * 60 + value.minute) * 60 + value.second
        return seconds * 1_000_000 + value.microsecond
    return int(value) if is_whole(value) else None


def _one_float(bits: int, value: Any) -> int | None:
    if not is_whole(value) and not isinstance(value, (float, np.floating)):
        return None
    numbers, _ = _many_floats(bits, np.array([value], dtype=np.float64)) or ([0], None)
    return int(numbers[0])


def _many_floats(bits: int, array: NDArray[Any]) -> Many | None:
    if array.dtype.kind != "f":
        return None
    with np.errstate(over="ignore"):
        numbers = array.astype(f"f{bits // 8}")
    numbers[numbers == 0] = 0
    numbers[np.isnan(numbers)] = np.nan
    return numbers.view(f"i{bits // 8}"), np.ones(len(array), dtype=np.bool_)


def _one_uuid(value: Any) -> bytes | None:
    if isinstance(value, uuid.UUID):
        return value.bytes
    if isinstance(value, np.void):
        value = value.tobytes()
    if isinstance(value, bytes) and len(value) == 16:
        return value
    try:
        return uuid.UUID(value.decode() if isinstance(value, bytes) else value).bytes
    except (ValueError, AttributeError, TypeError):
        return None


def _one_decimal(precision: int, scale: int, as_long: bool, value: Any) -> int | bytes | None:
    if is_whole(value):
        value = Decimal(int(value))
    if not isinstance(value, Decimal) or not value.is_finite():
        return None
    number = 0
    if value:
        sign, digits, exponent = value.as_tuple()
        shift = int(exponent) + scale
        kept = len(digits) + min(0, shift)
        if value.adjusted() + scale >= precision or kept <= 0 or any(digits[kept:]):
            raise OverflowError
        number = int("".join(map(str, digits[:kept]))) * 10 ** max(0, shift)
        number = -number if sign else number
    if as_long:
        return number
    size = (number if number >= 0 else ~number).bit_length() // 8 + 1
    return number.to_bytes(size, "big", signed=True)


# -- types -----------------------------------------------------------------------------------


def integer(name: str, bits: int) -> ColumnType:
    return ColumnType(name, f"int{bits}", "integers")


def text(name: str, part: str = "bytes") -> ColumnType:
    return ColumnType(name, part, "str or bytes")


def boolean(part: str) -> ColumnType:
    return ColumnType("boolean", part, "bool", _one_bool, _many_bools)


def date(part: str, epoch: int = 0) -> ColumnType:
    """Days since 1970-01-01; `epoch` of them are where the system itself begins to count."""
    takes = "datetime.date, datetime64, or days since 1970-01-01"
    one, many = partial(_one_day, epoch), partial(_many, "D", epoch)
    return ColumnType("date", part, takes, one, many, not epoch)


def timestamp(name: str, epoch: int = 0) -> ColumnType:
    """Microseconds since 1970-01-01; `epoch` days are where the system itself begins to count."""
    takes = "datetime.datetime, datetime64, or microseconds since 1970-01-01 (UTC)"
    micros = epoch * DAY_MICROS
    one, many = partial(_one_micro, micros), partial(_many, "us", micros)
    return ColumnType(name, "int64", takes, one, many, not epoch)


def time() -> ColumnType:
    """Microseconds since midnight."""
    return ColumnType("time", "int64", "datetime.time, or microseconds", _one_time)


def floating(name: str, bits: int) -> ColumnType:
    """The bits of an IEEE number as an integer; all NaNs are one, and so are both zeros."""
    one, many = partial(_one_float, bits), partial(_many_floats, bits)
    return ColumnType(name, f"int{bits}", "float", one, many, False)


def uuid_bytes() -> ColumnType:
    return ColumnType(
        "uuid", "bytes", "uuid.UUID, their text or their 16 bytes", _one_uuid, None, False
    )


def decimal(name: str, precision: int, scale: int, as_long: bool) -> ColumnType:
    """The digits without the point: an integer, or its shortest bytes, big-endian."""
    one = partial(_one_decimal, precision, scale, as_long)
    part = "int64" if as_long else "bytes"
    return ColumnType(name, part, "decimal.Decimal or int", one, None, False)


#: days from 1970-01-01 to 2000-01-01, where PostgreSQL begins to count
POSTGRESQL_EPOCH = 10957
HIVE = (
    boolean("int8"),
    integer("tinyint", 8),
    integer("smallint", 16),
    integer("int", 32),
    integer("bigint", 64),
    text("string"),
    date("int32"),
)
#: the types of the columns of each of `contract.SYSTEMS`, beside decimals
TYPES: dict[str, tuple[ColumnType, ...]] = {
    "spark": (
        boolean("int32"),
        *HIVE[1:6],
        text("binary"),
        date("int32"),
        timestamp("timestamp"),
        timestamp("timestamp_ntz"),
        floating("float", 32),
        floating("double", 64),
    ),
    "iceberg": (
        integer("int", 32),
        integer("long", 64),
        text("string"),
        text("binary"),
        text("fixed"),
        date("int64"),
        time(),
        timestamp("timestamp"),
        timestamp("timestamptz"),
        uuid_bytes(),
    ),
    "hive1": HIVE,
    "hive2": (*HIVE, text("varchar")),
    "postgresql": (
        boolean("int64"),
        integer("smallint", 16),
        integer("integer", 32),
        integer("bigint", 64),
        text("text"),
        text("varchar"),
        text("bytea"),
        date("int64", POSTGRESQL_EPOCH),
        timestamp("timestamp", POSTGRESQL_EPOCH),
        timestamp("timestamptz", POSTGRESQL_EPOCH),
        uuid_bytes(),
    ),
    "elasticsearch": (text("text", "text"),),
}
#: the digits up to which a decimal is hashed as an integer, in systems that have decimals
DECIMALS = {"spark": 18, "iceberg": 0}


def parse_types(system: str, types: Any) -> tuple[ColumnType, ...]:
    """Return the types of columns, given by name: a str, or a sequence of them.

    Raises
    ------
    RVHError, RVHTypeError
        No types, more than 32, or one that is none of the system's.

    Examples
    --------
    >>> [each.part for each in parse_types("spark", ("bigint", "decimal(38,2)"))]
    ['int64', 'bytes']
    """
    names = [types] if isinstance(types, str) else types
    if not isinstance(names, (list, tuple)) or not all(isinstance(name, str) for name in names):
        raise RVHTypeError(
            f"types is {show(types)}: pass the type of the column, or those of several in order, "
            'for example ("string", "int")'
        )
    if not 1 <= len(names) <= COLUMNS_MAX:
        raise RVHError(f"there are {len(names)} types: pass 1 to {COLUMNS_MAX}, one a column")
    return tuple(_parse(system, name) for name in names)


def _parse(system: str, name: str) -> ColumnType:
    plain = re.sub(r"\s", "", name).lower()
    match = re.fullmatch(r"decimal\((\d+),(\d+)\)", plain)
    if match and system in DECIMALS:
        precision, scale = map(int, match.groups())
        if 1 <= precision <= 38 and scale <= precision:
            return decimal(plain, precision, scale, precision <= DECIMALS[system])
    known = {each.name: each for each in TYPES[system]}
    if plain not in known:
        more = ", decimal(P,S)" if system in DECIMALS else ""
        raise RVHError(
            f"the type {show(name)} cannot be read, or {system} has none of that name: choose "
            f"among {', '.join(known)}{more}"
        )
    return known[plain]


# -- columns ----------------------------------------------------------------------------------


def open_typed(
    kind: ColumnType, values: Any, name: str, stack: ExitStack
) -> tuple[KeyColumn, NDArray[np.bool_] | None]:
    """Read a column of a type: its values that are not null, and the mask of these (None: all).

    Parameters
    ----------
    kind : ColumnType
    values : sequence, array or Arrow column, shape (M,)
    name : str
        The name of the column in messages.
    stack : ExitStack
        Releases the column's memory.

    Raises
    ------
    RVHTypeError
        Values of another type.
    RVHError
        As `rvh.keys.column`.
    """
    if kind.one is not None:
        return _converted(kind, values, name)
    column, valid = stack.enter_context(_keys.open_keys_with_nulls(values, name))
    if column.what == COMPOSITE:
        raise RVHTypeError(
            f"{name} are composite keys, and one column of {kind.name} is needed: give types for "
            "all of their parts"
        )
    if valid is not None:
        column = column._take(np.flatnonzero(valid))
    _check_column(kind, column)
    return column, valid


def _check_column(kind: ColumnType, column: KeyColumn) -> None:
    """Refuse text among integers, and integers among text."""
    if column.kind is Kind.CHUNKS:
        for chunk in column.values.columns:
            _check_column(kind, chunk)
        return
    if column.kind is Kind.CODES:
        _check_column(kind, column.values.categories)
        return
    wants_integers = kind.part in BITS
    if column.kind is Kind.OBJECTS:
        elements = column.slice(0, len(column))
        types = set(map(type, elements))
        if types <= {str, bytes} and not wants_integers:
            return
        if types == {int} and wants_integers and max(elements) <= LONG_MAX:
            return
        for index, element in enumerate(elements):
            if is_whole(element) != wants_integers:
                raise _other_type(kind, element, column.position(index))
            if wants_integers and element > LONG_MAX:
                raise _too_large(kind, element, column.position(index))
    elif column.kind is Kind.INTEGERS:
        numbers = column.values if column.rows is None else column.values[column.rows]
        if not wants_integers and len(numbers) > 0:
            raise _other_type(kind, int(numbers[0]), column.position(0))
        if numbers.dtype.itemsize == 8 and numbers.dtype.kind == "u" and len(numbers) > 0:
            index = int(numbers.argmax())
            if numbers[index] > LONG_MAX:
                raise _too_large(kind, int(numbers[index]), column.position(index))
    elif wants_integers and len(column) > 0:
        raise _other_type(kind, column.slice(0, 1)[0], column.position(0))


def _other_type(kind: ColumnType, value: Any, position: int) -> RVHTypeError:
    return RVHTypeError(
        f"{place('key', position)} is {show(value)} of type {type_name(value)}, and its column is "
        f"of type {kind.name}: pass {kind.takes}"
    )


def _does_not_fit(kind: ColumnType, value: Any, position: int) -> RVHError:
    return RVHError(
        f"{place('key', position)} is {show(value)}, which does not fit in its column of type "
        f"{kind.name}: round it as the system does, or leave the row out"
    )


def _too_large(kind: ColumnType, value: int, position: int) -> RVHError:
    return RVHError(
        f"{place('key', position)} is {value}, above 2^63-1, and its column is of type {kind.name}"
    )


def _converted(
    kind: ColumnType, values: Any, name: str
) -> tuple[KeyColumn, NDArray[np.bool_] | None]:
    """Read a column whose values are not keys, or have other bytes as such."""
    mask = np.ma.getmaskarray(values) if np.ma.is_masked(values) else None
    values = _elements(values, name)
    if isinstance(values, np.ndarray) and kind.many is not None:
        answer = kind.many(values)
        if answer is not None:
            numbers, valid = answer
            if mask is not None:
                valid = valid & ~mask
            if valid.all():
                return KeyColumn._unchecked(Kind.INTEGERS, numbers), None
            return KeyColumn._unchecked(Kind.INTEGERS, numbers[valid]), valid
    present = np.fromiter((not _is_null(value) for value in values), np.bool_, len(values))
    if mask is not None:
        present &= ~mask
    found = []
    assert kind.one is not None
    for position in np.flatnonzero(present).tolist():
        try:
            value = kind.one(values[position])
        except OverflowError:
            raise _does_not_fit(kind, values[position], position) from None
        if value is None:
            raise _other_type(kind, values[position], position)
        if isinstance(value, int) and not LONG_MIN <= value <= LONG_MAX:
            raise _does_not_fit(kind, values[position], position)
        found.append(value)
    column = KeyColumn._unchecked(Kind.OBJECTS, found)
    return column, None if present.all() else present


def _elements(values: Any, name: str) -> Any:
    """Return values as an array, or as a list of Python objects in which nulls are None."""
    if isinstance(values, KeyColumn):
        return values.slice(0, len(values))
    for method in ("to_pylist", "to_list"):  # of pyarrow and of Polars
        if not isinstance(values, np.ndarray) and hasattr(values, method):
            return getattr(values, method)()
    if hasattr(values, "__array__"):
        values = np.asarray(values)
        if values.ndim != 1:
            raise RVHError(f"{name} has shape {values.shape}: one dimension is needed")
        return values
    if isinstance(values, (str, bytes)) or not isinstance(values, Sequence):
        raise RVHTypeError(
            f"{name} is a {type_name(values)}: pass a list, an array or an Arrow column"
        )
    return values


def _is_null(value: Any) -> bool:
    if is_missing(value) or type(value).__name__ == "NaTType":
        return True
    return isinstance(value, np.datetime64) and bool(np.isnat(value))
