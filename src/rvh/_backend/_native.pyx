# cython: language_level=3, boundscheck=False, wraparound=False, freethreading_compatible=True
# Methods as C has them: a call takes 10 ns less than of Cython's own kind, which shows in `select`.
# cython: binding=False, embedsignature=True, embedsignature.format=clinic
"""The compiled backend: turns Python's and NumPy's buffers into C's, releases the GIL, calls C.

The same names, arguments, answers and errors as `rvh._backend.pure`, where they are documented.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_CheckExact, PyBytes_GET_SIZE
from cpython.exc cimport PyErr_Occurred
from cpython.long cimport PyLong_AsLongLongAndOverflow, PyLong_CheckExact
from cpython.unicode cimport PyUnicode_AsUTF8String, PyUnicode_CheckExact
from libc.stddef cimport ptrdiff_t
from libc.stdint cimport int64_t, intptr_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc, realloc
from libc.string cimport memcpy, memset

cimport cython
cimport numpy as cnp

import threading

import numpy as np

from rvh._columns.integers import CONTRACT
from rvh.errors import RVHError, keys_changed
from rvh._columns.column import KeyColumn, Kind, Spans
from rvh._columns.ids import duplicate_id_error, empty_id_error
from rvh._columns.values import PART_MAX, key_bytes, key_word, part_too_long

cnp.import_array()

cdef extern from "Python.h":
    bint PyUnicode_IS_COMPACT_ASCII(object text)
    void *PyUnicode_DATA(object text)
    Py_ssize_t PyUnicode_GET_LENGTH(object text)
    # Not Cython's own declaration, which would raise (and lose) what should stay pending.
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

cdef extern from "blake2_simd.h" nogil:
    const int BLAKE2_SIMD_ISA_MAX
    ctypedef struct blake2_simd:
        pass
    ctypedef struct blake2_simd_bytes:
        const uint8_t *data
        size_t size
    size_t blake2_simd_available(const blake2_simd **list)
    const blake2_simd *blake2_simd_active()
    const char *blake2_simd_name(const blake2_simd *impl)

cdef extern from "rvh_kernels.h" nogil:
    ctypedef enum rvh_status:
        RVH_OK
        RVH_NO_MEMORY
        RVH_STOPPED
        RVH_BAD_KEY
        RVH_EMPTY_ID
        RVH_DUPLICATE_ID
    ctypedef enum rvh_layout:
        RVH_PADDED
        RVH_FIXED
        RVH_UCS4
        RVH_INTEGERS
        RVH_OFFSETS
        RVH_VIEWS
    ctypedef struct rvh_column:
        rvh_layout layout
        const uint8_t *data
        ptrdiff_t stride
        size_t itemsize
        int swapped
        int is_signed
        const void *offsets
        size_t offset_size
        const uint64_t *buffers
        const uint64_t *sizes
        size_t buffer_count
        const int64_t *rows
    ctypedef enum rvh_framing:
        RVH_BARE
        RVH_SIZED
        RVH_SAME
    ctypedef struct rvh_part:
        rvh_column column
        rvh_framing framing
        size_t first
    ctypedef struct rvh_buffer:
        uint8_t *data
        size_t size
        size_t capacity
    ctypedef struct rvh_distinct:
        rvh_buffer bytes
        rvh_buffer offsets
        size_t count
    ctypedef struct rvh_poll:
        int (*stop)(void *context) noexcept nogil
        void *context
        size_t left
        int stopped
    ctypedef struct rvh_isa:
        pass
    ctypedef struct rvh_nodes:
        pass
    ctypedef enum rvh_scheme:
        RVH_BLAKE2B
        RVH_MURMUR
    const rvh_isa *rvh_isa_active()
    rvh_status rvh_nodes_new(rvh_nodes **nodes, rvh_scheme scheme, const uint8_t *data,
                             const uint64_t *offsets, size_t n, const double *weights,
                             const uint8_t *secret, size_t secret_size, rvh_poll *poll,
                             size_t *bad)
    void rvh_nodes_free(rvh_nodes *nodes)
    rvh_status rvh_ascending(const uint8_t *data, const uint64_t *offsets, size_t n, intptr_t *out,
                             rvh_poll *poll)
    rvh_status rvh_compose(const rvh_part *parts, size_t count, size_t n, rvh_buffer *out,
                           uint64_t *ends, rvh_poll *poll, size_t *bad)
    rvh_status rvh_distinct_add(rvh_distinct *distinct, const rvh_column *column, size_t first,
                                size_t n, uint32_t *codes, rvh_poll *poll, size_t *bad)
    void rvh_distinct_free(rvh_distinct *distinct)
    rvh_status rvh_argselect(const rvh_isa *isa, const rvh_nodes *nodes, const rvh_column *keys,
                             size_t start, size_t stop, size_t k, intptr_t *out, uint64_t *words,
                             rvh_poll *poll, size_t *bad)
    const int RVH_LEVELS_MAX
    ctypedef struct rvh_level:
        const uint32_t *domain
        size_t domains
        size_t most
    ctypedef struct rvh_spread:
        rvh_level *levels
        size_t count
    rvh_status rvh_argselect_spread(const rvh_isa *isa, const rvh_nodes *nodes,
                                    const rvh_column *keys, size_t start, size_t stop, size_t k,
                                    const rvh_spread *spread, const intptr_t *current,
                                    size_t currents, intptr_t *out, rvh_poll *poll, size_t *bad)
    ctypedef struct rvh_matching:
        pass
    ctypedef struct rvh_ties:
        const rvh_nodes *nodes
        const uint32_t *codes
        const uint8_t *data
        const uint64_t *offsets
    rvh_matching *rvh_matching_new(const rvh_isa *isa, const uint64_t *capacity, size_t nodes,
                                   size_t rows, intptr_t *owner, const rvh_ties *ties)
    void rvh_matching_free(rvh_matching *matching)
    rvh_status rvh_matching_offer(rvh_matching *matching, const int64_t *rows, size_t count,
                                  size_t k, const uint64_t *lists, int64_t *left, size_t *lefts,
                                  rvh_poll *poll)
    int rvh_matching_tied(const rvh_matching *matching)
    ctypedef struct rvh_cache:
        pass
    ctypedef struct rvh_cache_info:
        uint64_t hits
        uint64_t misses
        uint64_t evictions
        size_t entries
        size_t ghosts
        size_t bytes
        double target
    rvh_cache *rvh_cache_new(size_t most, size_t most_bytes, int arc, const uint64_t *seed)
    void rvh_cache_free(rvh_cache *cache)
    uint64_t rvh_cache_clear(rvh_cache *cache)
    int rvh_cache_get_one(rvh_cache *cache, uint64_t epoch, blake2_simd_bytes key, size_t k,
                          int alone, intptr_t *out)
    void rvh_cache_put_one(rvh_cache *cache, uint64_t epoch, blake2_simd_bytes key, size_t k,
                           const intptr_t *chosen)
    rvh_status rvh_cache_get(rvh_cache *cache, uint64_t epoch, const rvh_column *keys,
                             size_t start, size_t stop, size_t k, intptr_t *out, int64_t *missing,
                             size_t *missings, rvh_poll *poll, size_t *bad)
    rvh_status rvh_cache_put(rvh_cache *cache, uint64_t epoch, const rvh_column *keys,
                             size_t start, size_t stop, size_t k, const intptr_t *chosen,
                             rvh_poll *poll, size_t *bad)
    void rvh_cache_figures(rvh_cache *cache, rvh_cache_info *info)
    ctypedef enum rvh_point_kind:
        RVH_POINT_KETAMA
        RVH_POINT_MD5
        RVH_POINT_CRC32
        RVH_POINT_MURMUR3
        RVH_POINT_XXH64
        RVH_POINT_OAAT
        RVH_POINT_MURMUR2
        RVH_POINT_GEOHASH
    uint64_t rvh_point(rvh_point_kind kind, blake2_simd_bytes key)
    rvh_status rvh_points(const rvh_isa *isa, rvh_point_kind kind, const rvh_column *keys,
                          size_t start, size_t stop, uint64_t *points, rvh_poll *poll, size_t *bad)
    ctypedef struct rvh_ring:
        pass
    rvh_status rvh_ring_new(rvh_ring **ring, rvh_point_kind kind, const uint64_t *points,
                            const uint32_t *owners, size_t count, rvh_poll *poll)
    void rvh_ring_free(rvh_ring *ring)
    rvh_status rvh_ring_lookup_one(const rvh_ring *ring, blake2_simd_bytes key, size_t k,
                                   intptr_t *out, rvh_poll *poll)
    size_t rvh_ring_cost(const rvh_ring *ring, size_t k)
    rvh_status rvh_ring_lookup(const rvh_isa *isa, const rvh_ring *ring, const rvh_column *keys,
                               size_t start, size_t stop, size_t k, intptr_t *out,
                               rvh_poll *poll, size_t *bad)
    size_t rvh_score_words(const rvh_nodes *nodes)
    rvh_status rvh_scores(const rvh_isa *isa, const rvh_nodes *nodes, const rvh_column *keys,
                          size_t start, size_t stop, uint64_t *out, rvh_poll *poll, size_t *bad)
    rvh_status rvh_select_one(const rvh_isa *isa, const rvh_nodes *nodes, blake2_simd_bytes key,
                              size_t k, intptr_t *out, rvh_poll *poll)
    rvh_status rvh_rank_scores(const rvh_isa *isa, const rvh_nodes *nodes, const uint64_t *scores,
                               size_t rows, size_t k, intptr_t *out)
    ctypedef struct rvh_table:
        size_t partitions
        const uint32_t *owners
        size_t k
        const uint8_t *names
        size_t name_size
    size_t rvh_partition(size_t partitions, blake2_simd_bytes key)
    rvh_status rvh_lookup(const rvh_table *table, const rvh_column *keys, size_t start,
                          size_t stop, void *out, rvh_poll *poll, size_t *bad)
    void rvh_neg_log(const rvh_isa *isa, const uint64_t *m, size_t n, double *out)
    rvh_status rvh_key_words(const rvh_isa *isa, const rvh_column *keys, size_t start, size_t stop,
                             uint64_t *out, rvh_poll *poll, size_t *bad)
    rvh_status rvh_jump(const rvh_isa *isa, const rvh_column *integers, size_t start, size_t stop,
                        uint32_t buckets, size_t k, intptr_t *out, rvh_poll *poll)
    rvh_status rvh_jumpback(const rvh_isa *isa, const rvh_column *integers, size_t start,
                            size_t stop, uint32_t buckets, intptr_t *out, rvh_poll *poll)
    rvh_status rvh_bare_spans(const rvh_column *column, size_t start, size_t stop,
                              uint64_t *bytes)
    uint64_t rvh_bare_hashes(const rvh_isa *isa, size_t words, size_t n)

cdef enum:
    FEW = 16  # nodes of one key's answer that need no allocation
    CHUNK = 4096  # Python objects turned into bytes at a time,
    NAMED = 1 << 15  # names looked up between two questions whether to go on
cdef size_t CHUNK_BYTES = 4 << 20  # until there are about so many bytes of them
cdef size_t PART_MAX_BYTES = PART_MAX
cdef size_t WALK = 1 << 14  # points of a ring passed without releasing the GIL: about as long
cdef size_t INLINE = 1 << 11  # compressions done without releasing the GIL: about 50 us


# -- instruction sets ---------------------------------------------------------------------------

def isa_available():
    cdef const blake2_simd *found[BLAKE2_SIMD_ISA_MAX]
    return tuple([blake2_simd_name(found[i]).decode() for i in range(blake2_simd_available(found))])


def isa_active():
    active_isa()
    return blake2_simd_name(blake2_simd_active()).decode()


cdef const rvh_isa *active_isa() except NULL:
    cdef const rvh_isa *isa = rvh_isa_active()
    if isa is NULL:
        import os

        raise RVHError(
            f"RVH_ISA is {os.environ.get('RVH_ISA')!r}: the instruction sets available here are "
            f"{', '.join(isa_available())}; choose one of them, or unset it"
        )
    return isa


# -- stopping -----------------------------------------------------------------------------------

cdef class Cancel:
    cdef volatile int flag

    def set(self):
        self.flag = 1

    def is_set(self):
        return self.flag != 0


cdef struct Watch:
    volatile int *flag
    int signals  # whether this thread is the one that Python's signal handlers run on
    long long checked  # when they last could, in milliseconds


cdef long long milliseconds() noexcept nogil:
    cdef timespec now
    timespec_get(&now, TIME_UTC)
    return now.tv_sec * 1000 + now.tv_nsec // 1000000


cdef int should_stop(void *context) noexcept nogil:
    """The poll of a running kernel: the flag always, the GIL for signals only now and then."""
    cdef Watch *watch = <Watch *>context
    cdef long long now
    if watch.flag is not NULL and watch.flag[0]:
        return 1
    if not watch.signals:
        return 0
    now = milliseconds()
    if 0 <= now - watch.checked < 30:
        return 0
    watch.checked = now
    with gil:
        return PyErr_CheckSignals() != 0


cdef void start_watch(Watch *watch, rvh_poll *poll, Cancel cancel):
    watch.flag = NULL if cancel is None else &cancel.flag
    watch.signals = threading.current_thread() is threading.main_thread()
    watch.checked = milliseconds()
    poll.stop = should_stop
    poll.context = watch
    poll.left = 0
    poll.stopped = 0


cdef int check_signals() except -1:
    """Let Python's signal handlers run, and an error of theirs end the call."""
    return -1 if PyErr_CheckSignals() != 0 else 0


cdef list named(list names, const intptr_t *chosen, Py_ssize_t k):
    """What `names` says of k positions."""
    cdef Py_ssize_t i, first = 0
    cdef list found
    if k <= NAMED:
        return [names[chosen[i]] for i in range(k)]
    found = []
    while first < k:
        found += [names[chosen[i]] for i in range(first, min(k, first + NAMED))]
        first += NAMED
        check_signals()
    return found


# -- values to bytes ----------------------------------------------------------------------------

cdef class _Blob:
    """The bytes of a run of Python objects, one after another, and where each begins."""

    cdef uint8_t *data
    cdef uint64_t *offsets
    cdef size_t size, capacity
    cdef Py_ssize_t count, places
    cdef bint framed  # whether each is a part of a composite key, with its length before it

    def __dealloc__(self):
        free(self.data)
        free(self.offsets)

    cdef int clear(self, Py_ssize_t places) except -1:
        """Forget what is there and make room for the offsets of `places` elements."""
        cdef uint64_t *offsets
        if places > self.places or self.offsets is NULL:
            offsets = <uint64_t *>realloc(self.offsets, <size_t>(places + 1) * sizeof(uint64_t))
            if offsets is NULL:
                raise MemoryError
            self.offsets = offsets
            self.places = places
        self.offsets[0] = 0
        self.size = 0
        self.count = 0
        return 0

    cdef bint put(self, const void *data, size_t size) noexcept nogil:
        """Append bytes; False where there is no memory."""
        cdef size_t capacity
        cdef uint8_t *grown
        if size > self.capacity - self.size or self.data is NULL:
            capacity = 2 * self.capacity + size + 1024
            grown = <uint8_t *>realloc(self.data, capacity)
            if grown is NULL:
                return False
            self.data = grown
            self.capacity = capacity
        memcpy(self.data + self.size, data, size)
        self.size += size
        return True

    cdef bint put_size(self, size_t size) noexcept nogil:
        """Append a part's length, which precedes it."""
        cdef uint8_t head[4]
        cdef int i
        for i in range(4):
            head[i] = <uint8_t>(size >> (8 * i))
        return self.put(head, 4)

    cdef bint end_element(self) noexcept nogil:
        self.count += 1
        self.offsets[self.count] = self.size
        return True

    cdef int write(self, const void *data, size_t size) except -1:
        if not self.put(data, size):
            raise MemoryError
        return 0

    cdef int append_object(self, object value, object what, Py_ssize_t position) except -1:
        cdef blake2_simd_bytes span
        cdef uint8_t word[8]
        _owner = bytes_of(value, position, what, &span, word)  # lives as long as the span
        if self.framed and not is_integer(value):
            if span.size > <size_t>PART_MAX_BYTES:
                raise part_too_long(span.size, position, what)
            if not self.put_size(span.size):
                raise MemoryError
        self.write(span.data, span.size)
        self.end_element()
        return 0

    cdef Py_ssize_t fill(self, object keys, Py_ssize_t start, Py_ssize_t stop,
                         size_t limit) except -1:
        """Take in elements from `start` on, at most to `stop`; returns how many."""
        self.clear(stop - start)
        return self.append(keys, start, stop, limit)

    cdef int fill_all(self, object keys) except -1:
        """Take in all elements, which are many where they are nodes."""
        cdef Py_ssize_t start = 0, stop = len(keys)
        self.clear(stop)
        while start < stop:
            start += self.append(keys, start, min(stop, start + CHUNK), <size_t>-1)
            check_signals()
        return 0

    cdef Py_ssize_t append(self, object keys, Py_ssize_t start, Py_ssize_t stop,
                           size_t limit) except -1:
        """Take in elements behind those that are there, for which there is room."""
        cdef Py_ssize_t index = start, position
        cdef list part
        cdef bint moved = keys.first != 0 or keys.rows is not None
        cdef bint foreign = keys.integers != CONTRACT
        cdef object what = keys.what
        if keys.kind == Kind.TEXT:
            return self.fill_text(keys, start, stop, limit)
        part = keys.slice(start, stop)
        for value in part:
            position = keys.position(index) if moved else index
            if foreign and not (PyUnicode_CheckExact(value) or PyBytes_CheckExact(value)):
                value = keys.written(value, position)
            self.append_object(value, what, position)
            index += 1
            if self.size >= limit:
                break
        return index - start

    cdef Py_ssize_t fill_text(self, object keys, Py_ssize_t start, Py_ssize_t stop,
                              size_t limit) except -1:
        """The same of NumPy's StringDType, whose elements are copied without the GIL.

        The allocator is taken and given back without it: to wait for a lock with the GIL, that
        another thread holds while it waits for the GIL, never ends.
        """
        cdef cnp.ndarray array = keys.values
        cdef const char *data = <const char *>cnp.PyArray_DATA(array)
        cdef Py_ssize_t stride = cnp.PyArray_STRIDE(array, 0), index = start
        cdef const int64_t *rows = rows_of(keys)
        cdef dtype = array.dtype
        cdef const PyArray_StringDTypeObject *descr = <const PyArray_StringDTypeObject *>dtype
        cdef npy_string_allocator *allocator
        cdef npy_static_string text, absent
        cdef object na = getattr(dtype, "na_object", None)
        cdef bytes filler = na.encode() if isinstance(na, str) else None  # for a missing value
        cdef bint full = True
        cdef int loaded = 0
        check_shape(array, 1, keys._size, 0)
        absent.buf = NULL if filler is None else PyBytes_AS_STRING(filler)
        absent.size = 0 if filler is None else <size_t>PyBytes_GET_SIZE(filler)
        with nogil:
            allocator = NpyString_acquire_allocator(descr)
            while index < stop and self.size < limit:
                loaded = NpyString_load(
                    allocator, <const npy_packed_static_string *>(
                        data + (index if rows is NULL else rows[index]) * stride), &text)
                if loaded == 1 and absent.buf is not NULL:
                    loaded = 0
                    text = absent
                if loaded != 0 or (self.framed and text.size > PART_MAX_BYTES):
                    break
                full = (not self.framed or self.put_size(text.size)) and self.put(
                    text.buf, text.size) and self.end_element()
                if not full:
                    break
                index += 1
            NpyString_release_allocator(allocator)
        if not full:
            raise MemoryError
        if index < stop and self.size < limit:  # a missing value, most likely
            keys.part_at(index)
            raise keys_changed()
        return index - start


cdef class _Hashed(_Blob):
    """Those of a run of objects that are hashed to a word, and which they were."""

    cdef Py_ssize_t rows[CHUNK]
    cdef uint64_t words[CHUNK]

    cdef Py_ssize_t fill_words(self, object keys, Py_ssize_t start, Py_ssize_t stop,
                               uint64_t *out) except -1:
        """Take in elements as `fill` does; one that is an integer has its word in `out` already."""
        cdef int overflow = 0
        cdef Py_ssize_t i = 0
        cdef list part
        cdef object what = keys.what
        self.clear(stop - start)
        if keys.kind == Kind.TEXT:
            self.fill_text(keys, start, stop, CHUNK_BYTES)
            for i in range(self.count):
                self.rows[i] = i
            return self.count
        part = keys.slice(start, stop)
        for value in part:
            if PyLong_CheckExact(value):
                out[i] = <uint64_t>PyLong_AsLongLongAndOverflow(value, &overflow)
                if overflow != 0:
                    try:
                        out[i] = value  # 2^63 and more
                    except OverflowError:
                        key_word(value, keys.position(start + i), keys.what)  # says so
            elif isinstance(value, (int, np.integer)):
                out[i] = key_word(value, keys.position(start + i), keys.what)
            else:
                self.rows[self.count] = i
                self.append_object(value, what, keys.position(start + i))
            i += 1
            if self.size >= CHUNK_BYTES:
                break
        return i


cdef bytes bytes_of(object value, object position, object what, blake2_simd_bytes *span,
                    uint8_t *word):
    """A value's bytes as a span, which is good while the value and what this returns are."""
    cdef bytes owner = None
    if not borrow_bytes(value, span, word):
        owner = encode(value, position, what)
        span.data = <const uint8_t *>PyBytes_AS_STRING(owner)
        span.size = <size_t>PyBytes_GET_SIZE(owner)
    return owner


cdef bint borrow_bytes(object value, blake2_simd_bytes *span, uint8_t *word):
    """The bytes of the commonest values where they stand: False where there is more to do."""
    cdef int i, overflow = 0
    cdef uint64_t number
    if PyUnicode_CheckExact(value):
        if not PyUnicode_IS_COMPACT_ASCII(value):
            return False
        span.data = <const uint8_t *>PyUnicode_DATA(value)
        span.size = <size_t>PyUnicode_GET_LENGTH(value)
        return True
    if PyBytes_CheckExact(value):
        span.data = <const uint8_t *>PyBytes_AS_STRING(value)
        span.size = <size_t>PyBytes_GET_SIZE(value)
        return True
    if PyLong_CheckExact(value):
        number = <uint64_t>PyLong_AsLongLongAndOverflow(value, &overflow)
        if overflow != 0:
            return False
        for i in range(8):
            word[i] = <uint8_t>(number >> (8 * i))
        span.data = word
        span.size = 8
        return True
    return False


cdef bint is_integer(object value):
    """Whether a value that has bytes is an integer; the commonest types are told apart quickly."""
    if PyUnicode_CheckExact(value) or PyBytes_CheckExact(value):
        return False
    return PyLong_CheckExact(value) or isinstance(value, (int, np.integer))


cdef bytes encode(object value, object position, object what):
    """The bytes of any other value, or the error about it."""
    if PyUnicode_CheckExact(value):
        try:
            return PyUnicode_AsUTF8String(value)
        except UnicodeEncodeError:
            pass
    return key_bytes(value, position, what)


cdef bint is_loaded(object keys):
    """Whether a column's elements are brought to C in blobs, and not read where they stand."""
    return keys.kind == Kind.OBJECTS or keys.kind == Kind.TEXT


cdef const int64_t *rows_of(object keys) except? NULL:
    cdef const int64_t[::1] rows
    if keys.rows is None or len(keys.rows) == 0:
        return NULL
    rows = keys.rows
    return &rows[0]


cdef int check_shape(cnp.ndarray array, int ndim, Py_ssize_t length, Py_ssize_t itemsize) except -1:
    """Refuse an array whose shape or dtype was set after the column was made (0: any itemsize)."""
    if (cnp.PyArray_NDIM(array) != ndim or cnp.PyArray_DIM(array, 0) != length
            or (itemsize != 0 and cnp.PyArray_ITEMSIZE(array) != itemsize)):
        raise keys_changed()
    return 0


cdef int describe(object keys, rvh_column *column) except -1:
    """A column that C can read where it stands."""
    cdef cnp.ndarray array, offsets, buffers, sizes
    cdef Py_ssize_t size = keys._size
    memset(column, 0, sizeof(rvh_column))
    column.rows = rows_of(keys)
    if keys.kind == Kind.SPANS:
        array, offsets = keys.values.data, keys.values.offsets
        check_shape(offsets, 1, size + 1, 8 if cnp.PyArray_ITEMSIZE(offsets) == 8 else 4)
        column.layout = RVH_OFFSETS
        column.data = <const uint8_t *>cnp.PyArray_DATA(array)
        column.offsets = cnp.PyArray_DATA(offsets)
        column.offset_size = <size_t>cnp.PyArray_ITEMSIZE(offsets)
        return 0
    if keys.kind == Kind.VIEWS:
        array = keys.values.views
        buffers, sizes = keys.values.addresses, keys.values.sizes
        check_shape(array, 2, size, 4)
        check_shape(buffers, 1, len(keys.values.buffers), 8)
        check_shape(sizes, 1, len(keys.values.buffers), 8)
        column.layout = RVH_VIEWS
        column.data = <const uint8_t *>cnp.PyArray_DATA(array)
        column.stride = cnp.PyArray_STRIDE(array, 0)
        column.buffers = <const uint64_t *>cnp.PyArray_DATA(buffers)
        column.sizes = <const uint64_t *>cnp.PyArray_DATA(sizes)
        column.buffer_count = <size_t>cnp.PyArray_SIZE(buffers)
        return 0
    array = keys.values
    dtype = array.dtype
    check_shape(array, 1, size, 0)
    column.data = <const uint8_t *>cnp.PyArray_DATA(array)
    column.stride = cnp.PyArray_STRIDE(array, 0)
    column.itemsize = <size_t>cnp.PyArray_ITEMSIZE(array)
    column.swapped = not dtype.isnative
    column.is_signed = dtype.kind == "i"
    if keys.kind == Kind.BYTES:
        column.layout = RVH_PADDED
    elif keys.kind == Kind.FIXED:
        column.layout = RVH_FIXED
    elif keys.kind == Kind.STRINGS:
        column.layout = RVH_UCS4
    else:
        column.layout = RVH_INTEGERS
    return 0


cdef void describe_blob(_Blob blob, rvh_column *column):
    memset(column, 0, sizeof(rvh_column))
    column.layout = RVH_OFFSETS
    column.data = blob.data
    column.offsets = blob.offsets
    column.offset_size = sizeof(uint64_t)


cdef int raise_for(rvh_status status, object keys, size_t bad) except -1:
    """The exception of a status; returns 1 for a call that `Cancel` ended, which has none."""
    if status == RVH_OK:
        return 0
    if status == RVH_STOPPED:
        return -1 if PyErr_Occurred() is not NULL else 1
    if status == RVH_BAD_KEY:
        keys.bytes_at(<Py_ssize_t>bad)
        raise keys_changed()  # it has bytes now
    raise MemoryError


cdef class _Pieces:
    """A plain column's elements as C reads them: all at once where they stand, or chunk by chunk.

    After each `step`, elements `first` to `last` of `column` are the next ones, of which `done`
    came before.
    """

    cdef object keys
    cdef Py_ssize_t start, stop  # what comes next
    cdef _Blob blob  # None where they stand
    cdef rvh_column column
    cdef size_t first, last, done

    @staticmethod
    cdef _Pieces of(object keys, Py_ssize_t start, Py_ssize_t stop):
        cdef _Pieces pieces = _Pieces()
        pieces.keys, pieces.start, pieces.stop = keys, start, stop
        if is_loaded(keys):
            pieces.blob = _Blob()
        return pieces

    cdef bint step(self) except -1:
        """Go on to the next elements; False where there are none."""
        cdef Py_ssize_t count
        self.done += self.last - self.first
        if self.start >= self.stop:
            return False
        if self.blob is None:
            describe(self.keys, &self.column)
            self.first, self.last = <size_t>self.start, <size_t>self.stop
            self.start = self.stop
            return True
        count = self.blob.fill(self.keys, self.start, min(self.stop, self.start + CHUNK),
                               CHUNK_BYTES)
        describe_blob(self.blob, &self.column)
        self.first, self.last = 0, <size_t>count
        self.start += count
        return True


# -- composite keys -----------------------------------------------------------------------------

cdef class _Buffer:
    """Bytes that C wrote, for as long as NumPy's array over them lives."""

    cdef rvh_buffer buffer

    def __dealloc__(self):
        free(self.buffer.data)

    @staticmethod
    cdef _Buffer take(rvh_buffer *buffer):
        """What is in a buffer, which is empty from then on."""
        cdef _Buffer taken = _Buffer()
        taken.buffer = buffer[0]
        memset(buffer, 0, sizeof(rvh_buffer))
        return taken

    cdef object array(self):
        cdef cnp.npy_intp size = <cnp.npy_intp>self.buffer.size
        cdef uint8_t *data = <uint8_t *>realloc(self.buffer.data, <size_t>max(size, 1))
        if data is NULL:
            raise MemoryError
        self.buffer.data = data
        array = cnp.PyArray_SimpleNewFromData(1, &size, cnp.NPY_UINT8, data)
        cnp.set_array_base(array, self)
        return array


cdef class _Parts:
    """The parts of composite keys as C reads them; Python objects come in blobs, bit by bit."""

    cdef rvh_part *parts
    cdef list columns  # KeyColumns, or bytes that are the same in every row
    cdef list blobs  # of the same places: a _Blob for a column of objects
    cdef size_t count
    cdef Py_ssize_t objects  # how many blobs there are

    def __cinit__(self, list columns not None):
        cdef _Blob blob
        cdef rvh_part *part
        self.columns, self.blobs = columns, []
        self.count = <size_t>len(columns)
        self.parts = <rvh_part *>malloc(self.count * sizeof(rvh_part))
        if self.parts is NULL:
            raise MemoryError
        for number, column in enumerate(columns):
            part = &self.parts[number]
            part.first = 0
            blob = None
            if isinstance(column, bytes):
                blob = _Blob()
                blob.clear(1)
                blob.write(PyBytes_AS_STRING(column), <size_t>PyBytes_GET_SIZE(column))
                blob.offsets[1] = blob.size
                describe_blob(blob, &part.column)
                part.framing = RVH_SAME
            elif is_loaded(column):
                blob = _Blob()
                blob.framed = True
                part.framing = RVH_BARE
                self.objects += 1
            else:
                describe(column, &part.column)
                part.framing = RVH_BARE if column.kind == Kind.INTEGERS else RVH_SIZED
            self.blobs.append(blob)

    def __dealloc__(self):
        free(self.parts)

    cdef Py_ssize_t load(self, Py_ssize_t start, Py_ssize_t stop) except -1:
        """Make ready rows from `start` on, at most to `stop`; returns how many."""
        cdef _Blob blob
        cdef rvh_part *part
        for number, column in enumerate(self.columns):
            part = &self.parts[number]
            blob = self.blobs[number]
            if part.framing == RVH_SAME:
                continue
            if blob is None:
                part.first = <size_t>start
                continue
            stop = start + blob.fill(column, start, stop, CHUNK_BYTES // <size_t>self.objects)
            describe_blob(blob, &part.column)
        return stop - start

    cdef object error(self, Py_ssize_t start, Py_ssize_t stop):
        """The error about the first of these rows with one, as the twin finds it."""
        try:
            for row in range(start, stop):
                for column in self.columns:
                    if not isinstance(column, bytes):
                        column.part_at(row)
        except RVHError as error:
            return error
        return keys_changed()


def compose(list parts not None, Py_ssize_t rows):
    cdef _Parts loaded = _Parts(parts)
    cdef _Buffer composed = _Buffer()
    places = np.empty(rows + 1, dtype=np.uint64)
    cdef uint64_t[::1] offsets = places
    cdef rvh_status status = RVH_OK
    cdef rvh_poll poll
    cdef Watch watch
    cdef size_t bad = 0
    cdef Py_ssize_t start = 0, count, most = CHUNK if loaded.objects else rows
    start_watch(&watch, &poll, None)
    offsets[0] = 0
    while start < rows:
        count = min(most, rows - start)
        try:
            count = loaded.load(start, start + count)
        except RVHError:
            raise loaded.error(start, start + count) from None
        if loaded.objects:
            most = min(CHUNK, 2 * count)  # a column of large objects ends the chunk of all others
        with nogil:
            status = rvh_compose(loaded.parts, loaded.count, <size_t>count, &composed.buffer,
                                 &offsets[start + 1], &poll, &bad)
        if status == RVH_BAD_KEY:
            raise loaded.error(start + <Py_ssize_t>bad, start + <Py_ssize_t>bad + 1)
        raise_for(status, None, 0)
        start += count
    return Spans._made(composed.array(), places)


# -- repeated keys ------------------------------------------------------------------------------

cdef class _Distinct:
    cdef rvh_distinct found
    cdef rvh_poll poll
    cdef Watch watch

    def __dealloc__(self):
        rvh_distinct_free(&self.found)

    cdef int add(self, object keys, Py_ssize_t start, Py_ssize_t stop, uint32_t *codes) except -1:
        """The codes of a plain column's elements."""
        cdef _Pieces pieces = _Pieces.of(keys, start, stop)
        cdef rvh_status status
        cdef size_t bad = 0
        while pieces.step():
            with nogil:
                status = rvh_distinct_add(&self.found, &pieces.column, pieces.first,
                                          pieces.last - pieces.first, codes + pieces.done,
                                          &self.poll, &bad)
            raise_for(status, keys, bad)
        return 0

    cdef object spans(self):
        if self.found.count == 0:
            return Spans._made(np.empty(0, dtype=np.uint8), np.zeros(1, dtype=np.uint64))
        data, offsets = _Buffer.take(&self.found.bytes), _Buffer.take(&self.found.offsets)
        return Spans._made((<_Buffer>data).array(), (<_Buffer>offsets).array().view(np.uint64))


def distinct(keys, Py_ssize_t start, Py_ssize_t stop):
    cdef _Distinct seen = _Distinct()
    cdef uint32_t[::1] codes = np.empty(stop - start, dtype=np.uint32)
    start_watch(&seen.watch, &seen.poll, None)
    pieces = [(keys, start, stop, start)]
    if keys.kind == Kind.CHUNKS:
        pieces = keys.values.pieces(start, stop)
    for column, a, b, first in pieces:
        if b > a:
            seen.add(column, a, b, &codes[first - start])
    return seen.spans(), np.asarray(codes)


# -- nodes --------------------------------------------------------------------------------------

# Of `contract.SCHEMES`.
cdef dict SCHEMES = {"blake2b": RVH_BLAKE2B, "murmur": RVH_MURMUR}


cdef class PreparedNodes:
    cdef rvh_nodes *nodes
    cdef const rvh_isa *isa
    cdef rvh_scheme scheme
    cdef Py_ssize_t n

    def __cinit__(self, ids, str scheme not None, weights, bytes secret not None):
        cdef _Blob blob = _Blob()
        cdef const double[::1] given
        cdef const double *each = NULL
        cdef size_t bad[2]
        cdef rvh_status status
        cdef rvh_poll poll
        cdef rvh_poll *asked = NULL
        cdef Watch watch
        cdef const uint8_t *secret_bytes = <const uint8_t *>PyBytes_AS_STRING(secret)
        cdef size_t secret_size = <size_t>PyBytes_GET_SIZE(secret)
        self.isa = active_isa()
        self.n = len(ids)
        self.scheme = SCHEMES[scheme]
        if weights is not None:
            given = weights
            each = &given[0]
        blob.fill_all(ids)
        if self.n > CHUNK or blob.size > CHUNK_BYTES:  # for fewer nobody has to wait
            start_watch(&watch, &poll, None)
            asked = &poll
        with nogil:
            status = rvh_nodes_new(&self.nodes, self.scheme, blob.data, blob.offsets,
                                   <size_t>self.n, each, secret_bytes, secret_size, asked, bad)
        if status == RVH_EMPTY_ID:
            raise empty_id_error(bad[0])
        if status == RVH_DUPLICATE_ID:
            raise duplicate_id_error(ids.bytes_at(bad[0]), bad[0], bad[1])
        raise_for(status, ids, 0)

    def __dealloc__(self):
        rvh_nodes_free(self.nodes)

    def __len__(self):
        return self.n

    cdef int choose(self, blake2_simd_bytes key, Py_ssize_t k, intptr_t *chosen,
                    Cancel cancel) except -1:
        """The best k nodes of one key; returns 1 for a call that `cancel` ended."""
        cdef rvh_status status
        cdef rvh_poll poll
        cdef Watch watch
        if <size_t>self.n * (1 + key.size // 128) <= INLINE:
            status = rvh_select_one(self.isa, self.nodes, key, <size_t>k, chosen, NULL)
        else:
            start_watch(&watch, &poll, cancel)
            with nogil:
                status = rvh_select_one(self.isa, self.nodes, key, <size_t>k, chosen, &poll)
        return raise_for(status, None, 0) if status != RVH_OK else 0

    def select_one(self, key, Py_ssize_t k, list names not None, Cancel cancel=None):
        cdef intptr_t few[FEW]
        cdef intptr_t *chosen = few
        cdef blake2_simd_bytes span
        cdef uint8_t word[8]
        _owner = bytes_of(key, None, "key", &span, word)
        if k > FEW:
            chosen = <intptr_t *>malloc(<size_t>k * sizeof(intptr_t))
            if chosen is NULL:
                raise MemoryError
        try:
            return [] if self.choose(span, k, chosen, cancel) else named(names, chosen, k)
        finally:
            if chosen is not few:
                free(chosen)

    def argselect(self, keys, Py_ssize_t start, Py_ssize_t stop, cnp.intp_t[:, ::1] out,
                  uint64_t[:, ::1] words, Cancel cancel):
        if stop > start:
            self._run(keys, start, stop, <void *>&out[0, 0],
                      NULL if words is None else &words[0, 0], <size_t>out.shape[1], cancel)

    def argselect_spread(self, keys, Py_ssize_t start, Py_ssize_t stop,
                         const uint32_t[:, ::1] domains, list most not None,
                         const intptr_t[:, ::1] current, cnp.intp_t[:, ::1] out, Cancel cancel):
        cdef rvh_spread spread
        cdef rvh_poll poll
        cdef Watch watch
        cdef rvh_status status
        cdef Py_ssize_t level
        cdef const intptr_t *held = NULL
        cdef size_t helds = 0, k = <size_t>out.shape[1], bad = 0
        cdef _Pieces pieces = _Pieces.of(keys, start, stop)
        spread.count = 0 if domains is None else <size_t>domains.shape[0]
        for level in range(<Py_ssize_t>spread.count):
            spread.levels[level].domain = &domains[level, 0]
            spread.levels[level].domains = <size_t>(np.max(domains[level]) + 1)
            spread.levels[level].most = <size_t>most[level]
        if stop > start and current is not None and current.shape[1] > 0:
            held, helds = &current[0, 0], <size_t>current.shape[1]
        start_watch(&watch, &poll, cancel)
        while pieces.step():
            with nogil:
                status = rvh_argselect_spread(
                    self.isa, self.nodes, &pieces.column, pieces.first, pieces.last, k,
                    NULL if spread.count == 0 else &spread,
                    NULL if helds == 0 else held + pieces.done * helds, helds,
                    <intptr_t *>&out[0, 0] + pieces.done * k, &poll, &bad)
            if raise_for(status, keys, bad):
                return

    def scores(self, keys, Py_ssize_t start, Py_ssize_t stop, uint64_t[:, :, ::1] out,
               Cancel cancel):
        if stop > start:
            self._run(keys, start, stop, <void *>&out[0, 0, 0], NULL, 0, cancel)

    cdef int _run(self, object keys, Py_ssize_t start, Py_ssize_t stop, void *out, uint64_t *words,
                  size_t k, Cancel cancel) except -1:
        """Rankings of k nodes, or for k = 0 scores."""
        cdef rvh_poll poll
        cdef Watch watch
        cdef rvh_status status
        cdef size_t scores = <size_t>self.n * rvh_score_words(self.nodes), done, bad = 0
        cdef _Pieces pieces = _Pieces.of(keys, start, stop)
        start_watch(&watch, &poll, cancel)
        while pieces.step():
            done = pieces.done
            with nogil:
                if k > 0:
                    status = rvh_argselect(self.isa, self.nodes, &pieces.column, pieces.first,
                                           pieces.last, k, <intptr_t *>out + done * k,
                                           NULL if words is NULL else words + done * k, &poll, &bad)
                else:
                    status = rvh_scores(self.isa, self.nodes, &pieces.column, pieces.first,
                                        pieces.last, <uint64_t *>out + done * scores, &poll, &bad)
            if raise_for(status, keys, bad):
                break
        return 0


def ascending(keys):
    cdef _Blob blob = _Blob()
    cdef rvh_poll poll
    cdef Watch watch
    cdef rvh_status status
    cdef cnp.intp_t[::1] out = np.empty(len(keys), dtype=np.intp)
    cdef size_t n = <size_t>out.shape[0]
    blob.fill_all(keys)
    start_watch(&watch, &poll, None)
    if n > 0:
        with nogil:
            status = rvh_ascending(blob.data, blob.offsets, n, <intptr_t *>&out[0], &poll)
        raise_for(status, None, 0)
    return np.asarray(out)


# -- bounded load -------------------------------------------------------------------------------

cdef class Matching:
    cdef rvh_matching *matching
    cdef rvh_ties ties
    cdef list kept  # arrays that C reads

    def __cinit__(self, PreparedNodes nodes not None, const uint64_t[::1] capacity,
                  cnp.intp_t[::1] owners, spans, const uint32_t[::1] codes):
        cdef cnp.ndarray data, offsets
        cdef rvh_ties *ties = NULL
        self.kept = [nodes, owners, spans, codes]
        if owners.shape[0] == 0:
            return
        if spans is not None:
            data, offsets = spans.data, np.ascontiguousarray(spans.offsets, dtype=np.uint64)
            self.kept += [data, offsets]
            self.ties.nodes = nodes.nodes
            self.ties.codes = &codes[0]
            self.ties.data = <const uint8_t *>cnp.PyArray_DATA(data)
            self.ties.offsets = <const uint64_t *>cnp.PyArray_DATA(offsets)
            ties = &self.ties
        self.matching = rvh_matching_new(nodes.isa, &capacity[0], <size_t>capacity.shape[0],
                                         <size_t>owners.shape[0], <intptr_t *>&owners[0], ties)
        if self.matching is NULL:
            raise MemoryError

    def __dealloc__(self):
        rvh_matching_free(self.matching)

    def offer(self, const int64_t[::1] rows, const uint64_t[:, ::1] lists):
        cdef Py_ssize_t count = lists.shape[0]
        cdef int64_t[::1] left
        cdef size_t lefts = 0
        cdef rvh_status status
        cdef rvh_poll poll
        cdef Watch watch
        cdef const int64_t *which = NULL
        if count == 0:
            return np.empty(0, dtype=np.int64)
        self.kept.append(lists)
        left = np.empty(count, dtype=np.int64)
        if rows is not None:
            which = &rows[0]
        start_watch(&watch, &poll, None)
        with nogil:
            status = rvh_matching_offer(self.matching, which, <size_t>count,
                                        <size_t>lists.shape[1] // 2, &lists[0, 0], &left[0],
                                        &lefts, &poll)
        raise_for(status, None, 0)
        if rvh_matching_tied(self.matching) and self.ties.codes is NULL:
            return None
        return np.asarray(left)[:lefts]


# -- a memo of selections -----------------------------------------------------------------------

cdef class Bound:
    """What a cache answers from; never written to, so that a call sees all of one or another."""

    cdef readonly object nodes
    cdef PreparedNodes prepared
    cdef list ids
    cdef readonly Py_ssize_t selectable
    cdef readonly uint64_t epoch


cdef extern from *:
    """
    #if defined(Py_GIL_DISABLED)
    #define HAS_GIL 0
    #else
    #define HAS_GIL 1
    #endif
    """
    const bint HAS_GIL


cdef class Cache:
    cdef rvh_cache *cache
    cdef Bound _bound
    cdef int _running  # calls that use the cache without the GIL; counted with it

    def __cinit__(self, *_, **__):
        self.cache = NULL

    def __dealloc__(self):
        rvh_cache_free(self.cache)

    def _open(self, size_t most, size_t most_bytes, bint arc, bytes seed not None):
        """What was open is left as it is: where it is opened again, after a fork, a thread that is
        no more may have been in it."""
        cdef uint64_t numbers[3]
        cdef rvh_cache *cache
        memcpy(numbers, PyBytes_AS_STRING(seed), sizeof(numbers))
        cache = rvh_cache_new(most, most_bytes, arc, numbers)
        if cache is NULL:
            raise MemoryError
        self.cache = cache
        self._running = 0

    def _bind(self, nodes, PreparedNodes prepared not None, list ids not None,
              Py_ssize_t selectable, bint keep):
        """One call at a time: the caller has the lock."""
        cdef Bound bound = Bound()
        bound.nodes, bound.prepared, bound.ids = nodes, prepared, ids
        bound.selectable = selectable
        bound.epoch = self.bound().epoch if keep else rvh_cache_clear(self.cache)
        with cython.critical_section(self):
            self._bound = bound

    @cython.final
    cdef inline Bound bound(self):
        """What it answers from."""
        cdef Bound bound
        with cython.critical_section(self):
            bound = self._bound
        if bound is None:
            raise RVHError("the cache was not made: call SelectionCache.__init__ first")
        return bound

    def _now(self):
        return self.bound()

    def select(self, key, k=1):
        cdef intptr_t best
        cdef blake2_simd_bytes span
        cdef uint8_t word[8]
        cdef Bound bound = self.bound()
        cdef Py_ssize_t count = 0
        cdef int overflow = 0
        if PyLong_CheckExact(k):
            count = <Py_ssize_t>PyLong_AsLongLongAndOverflow(k, &overflow)
        if not 0 < count <= bound.selectable:
            count = bound.nodes._check_k(k)
        _owner = None if borrow_bytes(key, &span, word) else bytes_of(key, None, "key", &span, word)
        if count > 1:
            return self._several(bound, span, count)
        if not rvh_cache_get_one(self.cache, bound.epoch, span, 1, HAS_GIL and self._running == 0,
                                 &best):
            bound.prepared.choose(span, 1, &best, None)
            rvh_cache_put_one(self.cache, bound.epoch, span, 1, &best)
        return [bound.ids[best]]

    cdef list _several(self, Bound bound, blake2_simd_bytes span, Py_ssize_t k):
        cdef intptr_t few[FEW]
        cdef intptr_t *chosen = few
        if k > FEW:
            chosen = <intptr_t *>malloc(<size_t>k * sizeof(intptr_t))
            if chosen is NULL:
                raise MemoryError
        try:
            if not rvh_cache_get_one(self.cache, bound.epoch, span, <size_t>k,
                                     HAS_GIL and self._running == 0, chosen):
                bound.prepared.choose(span, k, chosen, None)
                rvh_cache_put_one(self.cache, bound.epoch, span, <size_t>k, chosen)
            return named(bound.ids, chosen, k)
        finally:
            if chosen is not few:
                free(chosen)

    def _get(self, keys, cnp.intp_t[:, ::1] out, uint64_t epoch):
        """Fill in the rows of a plain column that are known; returns those that are not."""
        self._running += 1
        try:
            return self._get_all(keys, out, epoch)
        finally:
            self._running -= 1

    cdef object _get_all(self, object keys, cnp.intp_t[:, ::1] out, uint64_t epoch):
        cdef Py_ssize_t rows = out.shape[0]
        cdef int64_t[::1] missing
        cdef size_t k = <size_t>out.shape[1], i, missings = 0, before = 0, bad = 0
        cdef rvh_status status
        cdef rvh_poll poll
        cdef Watch watch
        cdef _Pieces pieces = _Pieces.of(keys, 0, rows)
        missing = np.empty(rows, dtype=np.int64)
        start_watch(&watch, &poll, None)
        while pieces.step():
            with nogil:
                status = rvh_cache_get(self.cache, epoch, &pieces.column, pieces.first, pieces.last,
                                       k, <intptr_t *>&out[0, 0] + pieces.done * k,
                                       &missing[0] + before, &missings, &poll, &bad)
            raise_for(status, keys, bad)
            for i in range(before, before + missings):
                missing[i] += <int64_t>pieces.done
            before += missings
        return np.asarray(missing)[:before]

    def _put(self, keys, const cnp.intp_t[:, ::1] chosen, uint64_t epoch):
        """The answers of a plain column's keys, where entries wait for them."""
        self._running += 1
        try:
            self._put_all(keys, chosen, epoch)
        finally:
            self._running -= 1

    cdef int _put_all(self, object keys, const cnp.intp_t[:, ::1] chosen,
                      uint64_t epoch) except -1:
        cdef size_t k = <size_t>chosen.shape[1], bad = 0
        cdef rvh_status status
        cdef rvh_poll poll
        cdef Watch watch
        cdef _Pieces pieces = _Pieces.of(keys, 0, chosen.shape[0])
        start_watch(&watch, &poll, None)
        while pieces.step():
            with nogil:
                status = rvh_cache_put(self.cache, epoch, &pieces.column, pieces.first, pieces.last,
                                       k, <intptr_t *>&chosen[0, 0] + pieces.done * k, &poll, &bad)
            raise_for(status, keys, bad)
        return 0

    def _figures(self):
        cdef rvh_cache_info info
        self.bound()  # an error where it was not made
        rvh_cache_figures(self.cache, &info)
        return (info.hits, info.misses, info.evictions, info.entries, info.ghosts, info.bytes,
                info.target)


# -- points of keys, and rings ------------------------------------------------------------------

# Of `contract.POINTS`.
cdef dict POINT_KINDS = {
    "ketama": RVH_POINT_KETAMA, "md5": RVH_POINT_MD5, "crc32": RVH_POINT_CRC32,
    "murmur3": RVH_POINT_MURMUR3, "xxh64": RVH_POINT_XXH64, "one_at_a_time": RVH_POINT_OAAT,
    "murmur2": RVH_POINT_MURMUR2, "geohash": RVH_POINT_GEOHASH,
}


def key_point(str kind not None, key):
    cdef blake2_simd_bytes span
    cdef uint8_t word[8]
    _owner = bytes_of(key, None, "key", &span, word)
    return rvh_point(POINT_KINDS[kind], span)


def key_points(str kind not None, keys, Py_ssize_t start, Py_ssize_t stop, uint64_t[::1] out,
               Cancel cancel):
    cdef rvh_point_kind which = POINT_KINDS[kind]
    cdef const rvh_isa *isa = active_isa()
    cdef rvh_poll poll
    cdef Watch watch
    cdef rvh_status status
    cdef size_t bad = 0
    cdef _Pieces pieces = _Pieces.of(keys, start, stop)
    start_watch(&watch, &poll, cancel)
    while pieces.step():
        with nogil:
            status = rvh_points(isa, which, &pieces.column, pieces.first, pieces.last,
                                &out[0] + pieces.done, &poll, &bad)
        if raise_for(status, keys, bad):
            return


cdef class RingPoints:
    cdef rvh_ring *ring
    cdef rvh_point_kind kind
    cdef const rvh_isa *isa
    cdef object points, owners  # what C reads

    def __cinit__(self, str kind not None, const uint64_t[::1] points, const uint32_t[::1] owners):
        cdef size_t count = <size_t>points.shape[0]
        cdef rvh_status status
        cdef rvh_poll poll
        cdef Watch watch
        self.kind = POINT_KINDS[kind]
        self.isa = active_isa()
        self.points, self.owners = points, owners
        start_watch(&watch, &poll, None)
        with nogil:
            status = rvh_ring_new(&self.ring, self.kind, &points[0], &owners[0], count, &poll)
        raise_for(status, None, 0)

    def __dealloc__(self):
        rvh_ring_free(self.ring)

    def lookup_one(self, key, Py_ssize_t k, list names not None):
        cdef intptr_t few[FEW]
        cdef intptr_t *chosen = few
        cdef blake2_simd_bytes span
        cdef rvh_status status
        cdef rvh_poll poll
        cdef Watch watch
        cdef uint8_t word[8]
        _owner = bytes_of(key, None, "key", &span, word)
        if k > FEW:
            chosen = <intptr_t *>malloc(<size_t>k * sizeof(intptr_t))
            if chosen is NULL:
                raise MemoryError
        try:
            if rvh_ring_cost(self.ring, <size_t>k) <= WALK:
                status = rvh_ring_lookup_one(self.ring, span, <size_t>k, chosen, NULL)
            else:
                start_watch(&watch, &poll, None)
                with nogil:
                    status = rvh_ring_lookup_one(self.ring, span, <size_t>k, chosen, &poll)
            if status != RVH_OK:
                raise_for(status, None, 0)
            return named(names, chosen, k)
        finally:
            if chosen is not few:
                free(chosen)

    def lookup(self, keys, Py_ssize_t start, Py_ssize_t stop, cnp.intp_t[:, ::1] out,
               Cancel cancel):
        cdef rvh_poll poll
        cdef Watch watch
        cdef rvh_status status
        cdef size_t k = <size_t>out.shape[1], bad = 0
        cdef _Pieces pieces = _Pieces.of(keys, start, stop)
        start_watch(&watch, &poll, cancel)
        while pieces.step():
            with nogil:
                status = rvh_ring_lookup(self.isa, self.ring, &pieces.column, pieces.first,
                                         pieces.last, k,
                                         <intptr_t *>&out[0, 0] + pieces.done * k, &poll, &bad)
            if raise_for(status, keys, bad):
                return


# -- partition tables ---------------------------------------------------------------------------

def lookup(keys, Py_ssize_t start, Py_ssize_t stop, size_t partitions,
           const uint32_t[:, ::1] owners, cnp.ndarray names, cnp.ndarray out not None,
           Cancel cancel):
    cdef rvh_poll poll
    cdef Watch watch
    cdef rvh_table table
    cdef rvh_status status
    cdef uint8_t *to = <uint8_t *>cnp.PyArray_DATA(out)
    cdef size_t row, bad = 0
    cdef _Pieces pieces = _Pieces.of(keys, start, stop)
    table.partitions = partitions
    table.owners = NULL if owners is None else &owners[0, 0]
    table.k = 1 if owners is None else <size_t>owners.shape[1]
    table.names = NULL if names is None else <const uint8_t *>cnp.PyArray_DATA(names)
    table.name_size = 0 if names is None else <size_t>cnp.PyArray_ITEMSIZE(names)
    row = table.k * <size_t>cnp.PyArray_ITEMSIZE(out)
    start_watch(&watch, &poll, cancel)
    while pieces.step():
        with nogil:
            status = rvh_lookup(&table, &pieces.column, pieces.first, pieces.last,
                                to + pieces.done * row, &poll, &bad)
        if raise_for(status, keys, bad):
            return


def lookup_one(key, size_t partitions, cnp.ndarray owners not None, list names not None):
    cdef blake2_simd_bytes span
    cdef uint8_t word[8]
    cdef const uint32_t *row
    cdef Py_ssize_t k, j
    # A memory view of the table would cost more than the lookup.
    if not (cnp.PyArray_TYPE(owners) == cnp.NPY_UINT32 and cnp.PyArray_IS_C_CONTIGUOUS(owners)
            and cnp.PyArray_NDIM(owners) == 2
            and cnp.PyArray_DIM(owners, 0) == <Py_ssize_t>partitions):
        raise ValueError("owners is not a C-contiguous array of uint32, shape (partitions, k)")
    _owner = bytes_of(key, None, "key", &span, word)
    k = cnp.PyArray_DIM(owners, 1)
    row = <const uint32_t *>cnp.PyArray_DATA(owners) + rvh_partition(partitions, span) * <size_t>k
    if k <= NAMED:
        return [names[row[j]] for j in range(k)]
    found = []
    for start in range(0, k, NAMED):
        found += [names[row[j]] for j in range(start, min(k, start + NAMED))]
        check_signals()
    return found


# -- buckets ------------------------------------------------------------------------------------

def jump(keys, Py_ssize_t start, Py_ssize_t stop, uint32_t buckets, cnp.intp_t[:, ::1] out,
         Cancel cancel):
    if stop > start:
        _place(keys, start, stop, buckets, <size_t>out.shape[1], <intptr_t *>&out[0, 0],
               cancel)


def jumpback(keys, Py_ssize_t start, Py_ssize_t stop, uint32_t buckets, cnp.intp_t[::1] out,
             Cancel cancel):
    if stop > start:
        _place(keys, start, stop, buckets, 0, <intptr_t *>&out[0], cancel)


def jump_one(key, uint32_t buckets, Py_ssize_t k):
    cdef intptr_t few[FEW]
    cdef intptr_t *chosen = few
    cdef const rvh_isa *isa = active_isa()
    cdef uint64_t word = word_of(isa, key)
    cdef rvh_column column
    cdef rvh_poll poll
    cdef Watch watch
    describe_word(&word, &column)
    if k <= FEW:
        raise_for(rvh_jump(isa, &column, 0, 1, buckets, <size_t>k, few, NULL), None, 0)
        return [few[i] for i in range(k)]
    chosen = <intptr_t *>malloc(<size_t>k * sizeof(intptr_t))
    if chosen is NULL:
        raise MemoryError
    try:
        start_watch(&watch, &poll, None)
        with nogil:
            status = rvh_jump(isa, &column, 0, 1, buckets, <size_t>k, chosen, &poll)
        raise_for(status, None, 0)
        return numbers_of(chosen, k)
    finally:
        free(chosen)


cdef list numbers_of(const intptr_t *chosen, Py_ssize_t k):
    cdef Py_ssize_t i, first = 0
    cdef list found = []
    while first < k:
        found += [chosen[i] for i in range(first, min(k, first + NAMED))]
        first += NAMED
        check_signals()
    return found


def jumpback_one(key, uint32_t buckets):
    cdef const rvh_isa *isa = active_isa()
    cdef uint64_t word = word_of(isa, key)
    cdef rvh_column column
    cdef intptr_t bucket
    describe_word(&word, &column)
    raise_for(rvh_jumpback(isa, &column, 0, 1, buckets, &bucket, NULL), None, 0)
    return bucket


cdef void describe_word(const uint64_t *word, rvh_column *column) noexcept:
    """A column of one integer."""
    memset(column, 0, sizeof(rvh_column))
    column.layout = RVH_INTEGERS
    column.data = <const uint8_t *>word
    column.itemsize = sizeof(uint64_t)
    column.stride = sizeof(uint64_t)


cdef uint64_t word_of(const rvh_isa *isa, object key) except? 0:
    """One key as the 64-bit word that is put into a bucket."""
    cdef blake2_simd_bytes span
    cdef uint8_t raw[8]
    cdef uint64_t word = 0
    cdef rvh_column column
    cdef rvh_status status
    cdef size_t bad = 0
    cdef int i
    _owner = bytes_of(key, None, "key", &span, raw)
    if is_integer(key):
        for i in range(8):
            word |= <uint64_t>span.data[i] << (8 * i)
        return word
    memset(&column, 0, sizeof(column))
    column.layout = RVH_FIXED
    column.data = span.data
    column.itemsize = span.size
    with nogil:  # a key may be long
        status = rvh_key_words(isa, &column, 0, 1, &word, NULL, &bad)
    raise_for(status, None, 0)
    return word


cdef int _place(object keys, Py_ssize_t start, Py_ssize_t stop, uint32_t buckets, size_t k,
                intptr_t *out, Cancel cancel) except -1:
    """Buckets of a column in place or, where it is not of integers, of its keys' words: k each by
    jump hash, or for k = 0 one by JumpBackHash."""
    cdef const rvh_isa *isa = active_isa()
    cdef rvh_column column
    cdef rvh_poll poll
    cdef Watch watch
    cdef rvh_status status
    cdef size_t first = <size_t>start, last = <size_t>stop
    start_watch(&watch, &poll, cancel)
    if keys.kind != Kind.INTEGERS:
        words = np.empty(stop - start, dtype=np.uint64)
        if _words(isa, keys, start, stop, words, &poll):
            return 0
        keys = KeyColumn._made(Kind.INTEGERS, words)
        first, last = 0, last - first
    describe(keys, &column)
    with nogil:
        if k > 0:
            status = rvh_jump(isa, &column, first, last, buckets, k, out, &poll)
        else:
            status = rvh_jumpback(isa, &column, first, last, buckets, out, &poll)
    raise_for(status, keys, 0)
    return 0


cdef int _words(const rvh_isa *isa, object keys, Py_ssize_t start, Py_ssize_t stop,
                uint64_t[::1] out, rvh_poll *poll) except -1:
    """The words of keys that are no column of integers; returns 1 for a call that has ended."""
    cdef rvh_column column
    cdef rvh_status status
    cdef size_t bad = 0
    cdef _Hashed hashed
    cdef Py_ssize_t done = 0, count, i
    if not is_loaded(keys):
        describe(keys, &column)
        with nogil:
            status = rvh_key_words(isa, &column, <size_t>start, <size_t>stop, &out[0], poll, &bad)
        return raise_for(status, keys, bad)
    hashed = _Hashed()
    while start + done < stop:
        count = hashed.fill_words(keys, start + done, min(stop, start + done + CHUNK), &out[done])
        describe_blob(hashed, &column)
        with nogil:
            status = rvh_key_words(isa, &column, 0, <size_t>hashed.count, hashed.words, poll, &bad)
            if status == RVH_OK:
                for i in range(hashed.count):
                    out[done + hashed.rows[i]] = hashed.words[i]
        if raise_for(status, keys, 0):
            return 1
        done += count
    return 0


# -- for tests and measurements -----------------------------------------------------------------

def rank_scores(const uint64_t[:, :, ::1] scores, PreparedNodes nodes not None,
                cnp.intp_t[:, ::1] out):
    cdef rvh_status status
    if scores.shape[0] == 0:
        return
    with nogil:
        status = rvh_rank_scores(nodes.isa, nodes.nodes, &scores[0, 0, 0],
                                 <size_t>scores.shape[0], <size_t>out.shape[1],
                                 <intptr_t *>&out[0, 0])
    raise_for(status, None, 0)


def neg_log(const uint64_t[::1] m, double[::1] out):
    cdef const rvh_isa *isa = active_isa()
    if m.shape[0] == 0:
        return
    with nogil:
        rvh_neg_log(isa, &m[0], <size_t>m.shape[0], &out[0])


def bare_hashes(size_t words, size_t n):
    """The compression alone, n times, for messages of so many words: the speed to compare with."""
    cdef const rvh_isa *isa = active_isa()
    with nogil:
        rvh_bare_hashes(isa, words, n)


def bare_spans(keys):
    """What turns a plain column into bytes alone: how many bytes its elements have together."""
    cdef rvh_status status
    cdef uint64_t bytes_ = 0, total = 0
    cdef _Pieces pieces = _Pieces.of(keys, 0, len(keys))
    while pieces.step():
        with nogil:
            status = rvh_bare_spans(&pieces.column, pieces.first, pieces.last, &bytes_)
        raise_for(status, keys, 0)
        total += bytes_
    return total
