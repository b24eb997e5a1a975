"""Which columns are the key, and their values in the form that `rvh` ranks."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rvh import keys
from rvh.cli.options import whole_number
from rvh.errors import RVHError, RVHTypeError, show
from rvh.multi import compose_keys

if TYPE_CHECKING:
    from rvh.cli.tables.base import Batch


class KeyType(StrEnum):
    """How values become keys."""

    AUTO = "auto"
    TEXT = "text"
    INT = "int"


class KeySpec:
    """The key columns of an input, in order; several are a composite key.

    Parameters
    ----------
    source : str
        What errors call the input.
    names : list of str
        At least one column.
    key_type : KeyType
    """

    def __init__(self, source: str, names: list[str], key_type: KeyType) -> None:
        self._source = source
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
                    keys.key_bytes(self._convert(value))
                except RVHError as error:
                    where = f"{self._source}: {batch.where(row)}, column {show(name)}"
                    raise type(error)(f"{where}: {error}") from None

    def _values(self, batch: Batch, name: str) -> Sequence[Any] | NDArray[Any]:
        try:
            return batch.values(name)
        except RVHError as error:  # about the column's type
            raise type(error)(f"{self._source}: {error}") from None

    def _typed(self, column: Sequence[Any] | NDArray[Any]) -> Sequence[Any] | NDArray[Any]:
        if self._key_type is KeyType.AUTO:
            return column
        if (
            self._key_type is KeyType.INT
            and isinstance(column, np.ndarray)
            and column.dtype.kind in "iu"
        ):
            return column
        return [self._convert(value) for value in column]

    def _convert(self, value: Any) -> Any:
        """One value by the key type; what has no meaning in it stays, for `rvh.keys` to refuse."""
        if self._key_type is KeyType.INT and isinstance(value, (str, bytes)):
            return whole_number(value if isinstance(value, str) else value.decode("latin-1"))
        is_number = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
        if self._key_type is KeyType.TEXT and is_number:
            return str(value)
        return value
