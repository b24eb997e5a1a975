# cython: language_level=3, boundscheck=False, wraparound=False
# Plain C methods: a call takes 10 ns less than of Cython's own kind, which shows in `select`.
# cython: binding=False, embedsignature=True, embedsignature.format=clinic
"""The compiled backend: hands Python's and NumPy's buffers to C and releases the GIL meanwhile.

The same names, arguments, answers and errors as `rvh._backend.pure`, where they are documented.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_CheckExact, PyBytes_GET_SIZE
from cpython.bytes cimport PyBytes_FromStringAndSize
from cpython.exc cimport PyErr_Occurred
from cpython.list cimport PyList_CheckExact, PyList_New, PyList_SET_ITEM
from cpython.long cimport PyLong_AsLongLongAndOverflow, PyLong_CheckExact
from cpython.object cimport PyObject
from cpython.ref cimport Py_INCREF
from cpython.tuple cimport PyTuple_CheckExact
from cpython.unicode cimport PyUnicode_AsUTF8String, PyUnicode_CheckExact, PyUnicode_DecodeUTF8
from libc.stdint cimport int32_t, int64_t, intptr_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc, realloc
from libc.string cimport memcpy, memset

cimport cython
cimport numpy as cnp

from rvh._backend.native.kernels cimport *

import threading

import numpy as np

from rvh._backend.contract import PARTS, SYSTEMS
from rvh._columns.chains import read_values
from rvh._columns.integers import CONTRACT
from rvh._runtime.slices import take
from rvh.errors import RVHError, keys_changed
from rvh._columns.column import KeyColumn, Kind, Spans, Views
from rvh._columns.ids import duplicate_id_error, empty_id_error
from rvh._columns.requests import (
    ASKED, BATCH, CHOICES, FLAT_CHOICES, MESSAGE_MAX, Asked, Batch, check_size, fault_error,
    form_of, integer_column, one_form, packed_column,
)
from rvh._columns.values import PART_MAX, key_bytes, key_word, part_too_long

cnp.import_array()

cdef extern from "Python.h":
    bint PyUnicode_IS_COMPACT_ASCII(object text)
    void *PyUnicode_DATA(object text)
    Py_ssize_t PyUnicode_GET_LENGTH(object text)
    Py_ssize_t PySequence_Fast_GET_SIZE(object sequence)
    PyObject **PySequence_Fast_ITEMS(object sequence)
    # Cython's own declaration would raise, and lose, an error that should stay pending.
    int PyErr_CheckSignals() noexcept

# NumPy's own .pxd has these from 2.3 on.
cdef extern from "numpy/arrayobject.h" nogil:
    ctypedef struct npy_string_allocator:
        pass
    ctypedef struct npy_packed_static_string:
        pass
    ctypedef struct npy_static_string:
        size_t size
        const char *buf
    ctypedef struct PyArray_StringDTypeObject:
        pass
    npy_string_allocator *NpyString_acquire_allocator(
        const PyArray_StringDTypeObject *dtype) noexcept
    void NpyString_release_allocator(npy_string_allocator *allocator) noexcept
    int NpyString_load(npy_string_allocator *allocator, const npy_packed_static_string *packed,
                       npy_static_string *text) noexcept

cdef extern from "<time.h>" nogil:
    struct timespec:
        long long tv_sec
        long tv_nsec
    int timespec_get(timespec *now, int base)
    int TIME_UTC

cdef enum:
    FEW = 16  # nodes of one key's answer that need no allocation
    CHUNK = 4096  # Python objects turned into bytes at a time, or fewer
    NAMED = 1 << 15  # names looked up between two looks for signals
cdef size_t CHUNK_BYTES = 4 << 20  # of a chunk, about, at most
cdef size_t PART_MAX_BYTES = PART_MAX
cdef size_t MESSAGE_MAX_BYTES = MESSAGE_MAX
cdef size_t SHORT_MESSAGE = 1 << 12  # bytes read without releasing the GIL: a few us
cdef size_t INLINE = 1 << 11  # compressions computed without releasing the GIL: about 50 us
cdef size_t WALK = 1 << 14  # points of a ring passed without releasing the GIL: about as long

include "native/isa.pxi"
include "native/stopping.pxi"
include "native/answers.pxi"
include "native/columns.pxi"
include "native/spans.pxi"
include "native/selection.pxi"
include "native/selector.pxi"
include "native/matching.pxi"
include "native/cache.pxi"
include "native/points.pxi"
include "native/chains.pxi"
include "native/ring.pxi"
include "native/prefixes.pxi"
include "native/partitions.pxi"
include "native/buckets.pxi"
include "native/measuring.pxi"
include "native/messages.pxi"
include "native/rows.pxi"
