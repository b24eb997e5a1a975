"""The structs of Arrow's C data interface, their capsules, and memory that others own."""

from __future__ import annotations

import ctypes
from ctypes import CFUNCTYPE, PYFUNCTYPE, c_char_p, c_int, c_int64, c_void_p, py_object, pythonapi
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

SCHEMA, ARRAY, STREAM = b"arrow_schema", b"arrow_array", b"arrow_array_stream"


class ArrowSchema(ctypes.Structure):
    """What an array is of."""

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
    """Where its memory is."""

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
    """Arrays of one schema, one after the other."""

    _fields_ = (
        ("get_schema", c_void_p),
        ("get_next", c_void_p),
        ("get_last_error", c_void_p),
        ("release", c_void_p),
        ("private_data", c_void_p),
    )


RELEASE = CFUNCTYPE(None, c_void_p)
GET = CFUNCTYPE(c_int, c_void_p, c_void_p)  # get_schema, get_next: this stream, where to
LAST_ERROR = CFUNCTYPE(c_char_p, c_void_p)

# Prototypes of our own: those of ctypes.pythonapi are everybody's.
capsule_pointer = PYFUNCTYPE(c_void_p, py_object, c_char_p)(("PyCapsule_GetPointer", pythonapi))


class Owned:
    """A struct that was handed over, and what has to be released with it: once, whatever happens.

    Parameters
    ----------
    struct : ArrowSchema, ArrowArray or ArrowArrayStream
        Not released yet, or not filled yet: what fills it hands it over.
    """

    __slots__ = ("__weakref__", "struct")

    def __init__(self, struct: Any) -> None:
        self.struct = struct

    def close(self) -> None:
        """Release it, the first time."""
        if self.struct.release:
            RELEASE(self.struct.release)(ctypes.addressof(self.struct))
            self.struct.release = None  # as the producer has done, if it keeps to the rules

    def __del__(self) -> None:
        if hasattr(self, "struct"):  # not so where a signal ended __init__
            self.close()


def taken(capsule: Any, name: bytes, kind: type[Any]) -> Owned:
    """The struct of a capsule, moved out of it: from now on it is released here and not there.

    Raises
    ------
    ValueError
        It is no capsule of that name, or its struct was taken before.
    """
    original = kind.from_address(capsule_pointer(capsule, name))
    struct = kind.from_buffer_copy(original)
    struct.release = None
    owned = Owned(struct)
    # In one statement without calls: no signal and no other thread comes between, and so one of
    # the two has to release it, always.
    original.release, struct.release = None, original.release
    if not struct.release:
        raise ValueError("its data were taken before")
    return owned


class _Memory:
    """Foreign memory for NumPy, which keeps this and so its owner alive."""

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
    """A read-only array over foreign memory, not NULL unless nothing is there."""
    kind = np.dtype(dtype)
    if count == 0 or kind.itemsize == 0:
        return np.empty(count, kind)
    return np.asarray(_Memory(address, kind, count, owner))
