"""The structs of Arrow's C data interface, their capsules, and foreign memory."""

from __future__ import annotations

import ctypes
from ctypes import CFUNCTYPE, PYFUNCTYPE, c_char_p, c_int, c_int64, c_void_p, py_object, pythonapi
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

SCHEMA, ARRAY, STREAM = b"arrow_schema", b"arrow_array", b"arrow_array_stream"


class ArrowSchema(ctypes.Structure):
    """The type of an array."""

    _fields_ = (
        ("format", c_char_p),
        ("name", c_char_p),
        ("metadata", c_void_p),
        ("flags", c_int64),
        ("n_children", c_int64),
        ("children", c_void_p),
        ("dictionary", c_void_p),
        ("release", c_void_p),
        ("private_data", c_void_p),
    )


class ArrowArray(ctypes.Structure):
    """The memory of an array."""

    _fields_ = (
        ("length", c_int64),
        ("null_count", c_int64),
        ("offset", c_int64),
        ("n_buffers", c_int64),
        ("n_children", c_int64),
        ("buffers", c_void_p),
        ("children", c_void_p),
        ("dictionary", c_void_p),
        ("release", c_void_p),
        ("private_data", c_void_p),
    )


class ArrowArrayStream(ctypes.Structure):
    """A stream of arrays of one type."""

    _fields_ = (
        ("get_schema", c_void_p),
        ("get_next", c_void_p),
        ("get_last_error", c_void_p),
        ("release", c_void_p),
        ("private_data", c_void_p),
    )


RELEASE = CFUNCTYPE(None, c_void_p)
GET = CFUNCTYPE(c_int, c_void_p, c_void_p)  # get_schema, get_next: the stream, the struct to fill
LAST_ERROR = CFUNCTYPE(c_char_p, c_void_p)

# A prototype of our own, since the functions of ctypes.pythonapi are shared with other code.
capsule_pointer = PYFUNCTYPE(c_void_p, py_object, c_char_p)(("PyCapsule_GetPointer", pythonapi))


class Owned:
    """A struct that rvh owns: it is released exactly once, whatever happens.

    Parameters
    ----------
    struct : ArrowSchema, ArrowArray or ArrowArrayStream
        Not yet released; or empty, and filled later.
    """

    __slots__ = ("__weakref__", "struct")

    def __init__(self, struct: Any) -> None:
        self.struct = struct

    def close(self) -> None:
        """Release the struct, if that was not done before."""
        if self.struct.release:
            RELEASE(self.struct.release)(ctypes.addressof(self.struct))
            self.struct.release = None  # the producer has to do this too, but may not have

    def __del__(self) -> None:
        if hasattr(self, "struct"):  # there is none where a signal ended __init__
            self.close()


def move_out(capsule: Any, name: bytes, kind: type[Any]) -> Owned:
    """Move the struct out of a capsule: from now on rvh releases it, and the capsule does not.

    Raises
    ------
    ValueError
        It is not a capsule of that name, or its struct was moved before.
    """
    original = kind.from_address(capsule_pointer(capsule, name))
    struct = kind.from_buffer_copy(original)
    struct.release = None
    owned = Owned(struct)
    # One statement without calls, so that no signal and no other thread runs in between: at any
    # time exactly one of the two has to release the struct.
    original.release, struct.release = None, original.release
    if not struct.release:
        raise ValueError("its data were taken before")
    return owned


class _Memory:
    """Foreign memory as NumPy reads it; the array keeps the owner alive."""

    __slots__ = ("__array_interface__", "_owner")

    def __init__(self, address: int, dtype: np.dtype[Any], count: int, owner: object) -> None:
        self.__array_interface__ = {
            "data": (address, True),
            "shape": (count,),
            "typestr": dtype.str,
            "version": 3,
        }
        self._owner = owner


def array_at(address: int, dtype: DTypeLike, count: int, owner: object) -> NDArray[Any]:
    """Return a read-only array over foreign memory; the address may be NULL if it is empty."""
    kind = np.dtype(dtype)
    if count == 0 or kind.itemsize == 0:
        return np.empty(count, kind)
    return np.asarray(_Memory(address, kind, count, owner))
