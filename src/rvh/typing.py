"""The types of what rvh takes, for annotations: node ids, keys, weights, schemes and secrets.

Type checkers know ``bool`` for an ``int``, so they pass a key of True, which is an error when the
code runs. They know no dtype of a pandas or Polars Series, and of an array only what its annotation
says. Other objects with ``__array__`` (tensors) are taken too: pass ``numpy.asarray`` of them to a
type checker.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, Protocol, SupportsFloat, SupportsIndex, TypeVar
from uuid import UUID

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rvh._columns.column import KeyColumn

__all__ = [
    "ArrowArray",
    "ArrowStream",
    "Dedupe",
    "Integers",
    "Key",
    "Keys",
    "KeysWithNulls",
    "NodeId",
    "NodeIds",
    "Scheme",
    "Secret",
    "Series",
    "Several",
    "Weights",
]

T_co = TypeVar("T_co", covariant=True)


class Several(Protocol[T_co]):
    """A list, a tuple, a range or another sequence, but no str and no bytes.

    Those say that they contain str and int only, where this takes any object.
    """

    def __contains__(self, value: object, /) -> bool: ...
    def __getitem__(self, index: int, /) -> T_co: ...
    def __iter__(self) -> Iterator[T_co]: ...
    def __len__(self) -> int: ...
    def __reversed__(self) -> Iterator[T_co]: ...


class ArrowArray(Protocol):
    """An Arrow column in one piece, of any library."""

    def __arrow_c_array__(self, requested_schema: Any = ..., /) -> Any: ...


class ArrowStream(Protocol):
    """An Arrow column of several pieces, of any library."""

    def __arrow_c_stream__(self, requested_schema: Any = ..., /) -> Any: ...


class Series(Protocol):
    """A Series or an Index of pandas, a Series of Polars, a DataArray of xarray."""

    def to_numpy(self, *args: Any, **kwargs: Any) -> Any: ...  # noqa: D102


#: the hash that scores pairs of node and key
Scheme = Literal["blake2b", "murmur"]
#: what keys the hash
Secret = bytes | bytearray | memoryview
#: whether repeated keys are worked on once
Dedupe = bool | Literal["auto"]
#: how another system writes integer keys
Integers = Literal["text", "int32_be", "int64_be", "int32_le", "int64_le", "contract"]

#: one node id
NodeId = str | bytes | UUID | np.void
#: one key
Key = str | bytes | bytearray | memoryview | int | np.integer[Any] | UUID | np.void

#: columns of any type that is known only when they are read
Column = ArrowArray | ArrowStream | Series | np.ndarray[Any, np.dtypes.StringDType]
#: the node ids of a set
NodeIds = Several[NodeId] | NDArray[np.str_ | np.bytes_ | np.void | np.object_] | Column
#: the keys of a batch
Keys = (
    Several[Key]
    | NDArray[np.str_ | np.bytes_ | np.void | np.object_ | np.integer[Any]]
    | Column
    | KeyColumn
    | memoryview
)
#: the keys of a batch, of which some may be missing
KeysWithNulls = Keys | Several[Key | None]
#: one number for each node in order, or by id
Weights = (
    ArrayLike | Several[SupportsFloat | SupportsIndex] | Mapping[Any, SupportsFloat | SupportsIndex]
)
