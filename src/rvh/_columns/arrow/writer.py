"""Answers as Arrow columns: the result of `rvh.select_arrow`, and its export."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from ctypes import PYFUNCTYPE, c_char_p, c_void_p, py_object, pythonapi
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rvh._columns.arrow.abi import ARRAY, RELEASE, SCHEMA, ArrowArray, ArrowSchema

__all__ = ["NodeColumn"]

NULLABLE = 2  # a flag of a schema
OFFSETS_MAX = 2**31 - 1  # bytes that offsets of 32 bits can address


class Names:
    """Node ids as the values of Arrow dictionaries, made once for a set of nodes.

    Parameters
    ----------
    ids : sequence of bytes
        Not empty.
    is_text : bool
        True if they are text.
    """

    __slots__ = ("data", "format", "offsets")

    def __init__(self, ids: Sequence[bytes], is_text: bool) -> None:
        self.data = np.frombuffer(b"".join(ids), np.uint8)
        large = self.data.size > OFFSETS_MAX
        self.offsets = np.cumsum([0, *map(len, ids)], dtype=np.int64 if large else np.int32)
        letter = b"u" if is_text else b"z"
        self.format = letter.upper() if large else letter

    def __len__(self) -> int:
        return len(self.offsets) - 1


class NodeColumn:
    """A node, or k nodes, for each key, as an Arrow column.

    Any library that takes Arrow data reads it in place: ``pyarrow.array(column)``,
    ``polars.Series(column)``. Its type is ``dictionary<int32, string>`` (``binary`` where node ids
    are bytes), and for k > 1 ``fixed_size_list`` of that. `rvh.select_arrow` makes it.

    Parameters
    ----------
    indices : ndarray of int32, shape (M, k)
        Positions of nodes; 0 where the key is null. Kept, not copied.
    valid : ndarray of bool, shape (M,), or None
        True where the key is not null; None if no key is null.
    ids : Names
        The node ids.
    """

    __slots__ = ("_ids", "indices", "valid")

    def __init__(
        self, indices: NDArray[np.int32], valid: NDArray[np.bool_] | None, ids: Names
    ) -> None:
        self.indices = indices
        self.valid = valid
        self._ids = ids

    def __len__(self) -> int:
        return len(self.indices)

    def __repr__(self) -> str:
        k = self.indices.shape[1]
        return (
            f"NodeColumn({len(self)} keys, {k} of {len(self._ids)} nodes, {self.null_count} null)"
        )

    @property
    def null_count(self) -> int:
        """The number of null keys."""
        return 0 if self.valid is None else int(np.count_nonzero(~self.valid))

    def __arrow_c_schema__(self) -> object:
        """Export the column's type, as a PyCapsule of an ArrowSchema."""
        return _capsule(self._schema(), SCHEMA)

    def __arrow_c_array__(self, requested_schema: object = None) -> tuple[object, object]:
        """Export the column, as PyCapsules of an ArrowSchema and an ArrowArray.

        ``requested_schema`` is ignored, as the protocol allows: cast the result.
        """
        return self.__arrow_c_schema__(), _capsule(self._array(), ARRAY)

    def _schema(self) -> ArrowSchema:
        nodes = _new_schema(b"i", dictionary=_new_schema(self._ids.format))
        k = self.indices.shape[1]
        return nodes if k == 1 else _new_schema(b"+w:%d" % k, children=[nodes])

    def _array(self) -> ArrowArray:
        dictionary = _new_array(len(self._ids), [None, self._ids.offsets, self._ids.data])
        bitmap = None if self.valid is None else np.packbits(self.valid, bitorder="little")
        k = self.indices.shape[1]
        if k == 1:
            return _new_array(
                len(self), [bitmap, self.indices], self.null_count, dictionary=dictionary
            )
        nodes = _new_array(self.indices.size, [None, self.indices], dictionary=dictionary)
        return _new_array(len(self), [bitmap], self.null_count, children=[nodes])


# -- exported structs -----------------------------------------------------------------------------
#
# private_data has a number for each struct. Everything that the struct points to is kept alive
# under this number until release() is called: by the consumer, or by a capsule without a consumer.

_alive: dict[int, Any] = {}
_numbers = count(1)


def _keep_alive(struct: Any, children: list[Any], dictionary: Any, *memory: Any) -> None:
    pointers = (c_void_p * max(1, len(children)))(*map(ctypes.addressof, children))
    struct.n_children = len(children)
    struct.children = ctypes.addressof(pointers) if children else None
    struct.dictionary = None if dictionary is None else ctypes.addressof(dictionary)
    struct.private_data = next(_numbers)
    _alive[struct.private_data] = (children, dictionary, pointers, memory)


def _new_schema(
    format_: bytes, children: Sequence[Any] = (), dictionary: Any = None
) -> ArrowSchema:
    schema = ArrowSchema(format=format_, name=b"node", flags=NULLABLE)
    _keep_alive(schema, list(children), dictionary, format_)
    schema.release = _address(_release_schema)
    return schema


def _new_array(
    length: int,
    buffers: list[NDArray[Any] | None],
    null_count: int = 0,
    children: Sequence[Any] = (),
    dictionary: Any = None,
) -> ArrowArray:
    array = ArrowArray(length=length, null_count=null_count, n_buffers=len(buffers))
    addresses = [None if each is None else each.ctypes.data for each in buffers]
    pointers = (c_void_p * len(buffers))(*addresses)
    array.buffers = ctypes.addressof(pointers)
    _keep_alive(array, list(children), dictionary, pointers, buffers)
    array.release = _address(_release_array)
    return array


def _release(address: int, kind: type[Any]) -> None:
    struct = kind.from_address(address)
    if not struct.release:
        return
    children, dictionary, *_ = _alive.pop(struct.private_data)
    struct.release = None
    # A child that the consumer moved away has no release here, and is released by the consumer.
    for part in (*children, *(() if dictionary is None else (dictionary,))):
        _release(ctypes.addressof(part), kind)


_release_schema = RELEASE(lambda address: _release(address, ArrowSchema))
_release_array = RELEASE(lambda address: _release(address, ArrowArray))


# -- capsules -------------------------------------------------------------------------------------

_DESTRUCTOR = PYFUNCTYPE(None, c_void_p)
_new_capsule = PYFUNCTYPE(py_object, c_void_p, c_char_p, c_void_p)(("PyCapsule_New", pythonapi))
# These take the capsule as an address: it is being destroyed, and must get no new reference.
_capsule_name = PYFUNCTYPE(c_char_p, c_void_p)(("PyCapsule_GetName", pythonapi))
_capsule_pointer = PYFUNCTYPE(c_void_p, c_void_p, c_char_p)(("PyCapsule_GetPointer", pythonapi))

#: the address of a struct -> the struct, and its capsule's name
_in_capsules: dict[int, tuple[Any, bytes]] = {}


def _capsule(struct: Any, name: bytes) -> object:
    address = ctypes.addressof(struct)
    _in_capsules[address] = struct, name
    return _new_capsule(address, name, _address(_destroy_capsule))


def _destroy(capsule: int) -> None:
    address = _capsule_pointer(capsule, _capsule_name(capsule))
    struct, _ = _in_capsules.pop(address)
    _release(address, type(struct))


_destroy_capsule = _DESTRUCTOR(_destroy)


def _address(function: Any) -> int:
    address = ctypes.cast(function, c_void_p).value
    assert address is not None
    return address


# A consumer may release an array after Python has ended, and then calls these.
for _function in (_release_schema, _release_array, _destroy_capsule):
    pythonapi.Py_IncRef(py_object(_function))
