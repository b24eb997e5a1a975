# A memo of selections.

cdef extern from *:
    """
    #if defined(Py_GIL_DISABLED)
    #define HAS_GIL 0
    #else
    #define HAS_GIL 1
    #endif
    """
    const bint HAS_GIL


cdef class Cache  # below


@cython.final
@cython.no_gc
cdef class _Running:
    """A call that uses a cache without the GIL, for as long as this object lives. Not `finally`:
    where CPython 3.11 has no memory for an exception's traceback it loses the exception, and
    what Cython makes of `finally` crashes on that."""

    cdef Cache cache

    def __cinit__(self, Cache cache not None):
        cache._running += 1
        self.cache = cache

    def __dealloc__(self):
        if self.cache is not None:
            self.cache._running -= 1


cdef class Cache:
    cdef rvh_cache *cache
    cdef Bound _bound
    cdef int _running  # calls that use the cache without the GIL; counted with it

    def __cinit__(self, *_, **__):
        self.cache = NULL

    def __dealloc__(self):
        rvh_cache_free(self.cache)

    def _open(self, size_t max_entries, size_t max_bytes, bint arc, bytes seed not None):
        """Begin empty. An earlier cache is left as it is, not freed: after a fork, a thread that no
        longer exists may have been in it."""
        cdef uint64_t numbers[3]
        cdef rvh_cache *cache
        memcpy(numbers, PyBytes_AS_STRING(seed), sizeof(numbers))
        cache = rvh_cache_new(max_entries, max_bytes, arc, numbers)
        if cache is NULL:
            raise MemoryError
        self.cache = cache
        self._running = 0

    def _bind(self, nodes, PreparedNodes prepared not None, list ids not None,
              Py_ssize_t selectable, count, bint keep):
        """Answer from another set; the caller holds the lock."""
        cdef Bound bound = Bound()
        bound.nodes, bound.prepared, bound.ids = nodes, prepared, ids
        bound.selectable, bound.count = selectable, count
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
        cdef Py_ssize_t count = bound.asked(k)
        _owner = None if borrow_bytes(key, &span, word) else bytes_of(key, -1, "key", &span, word)
        if count > 1:
            return self._several(bound, span, count)
        if not rvh_cache_get_one(self.cache, bound.epoch, span, 1, HAS_GIL and self._running == 0,
                                 &best):
            bound.prepared.choose(span, 1, &best, None)
            rvh_cache_put_one(self.cache, bound.epoch, span, 1, &best)
        return [bound.ids[best]]

    cdef list _several(self, Bound bound, blake2_simd_bytes span, Py_ssize_t k):
        cdef Positions positions
        allocate(&positions, k)
        try:
            if not rvh_cache_get_one(self.cache, bound.epoch, span, <size_t>k,
                                     HAS_GIL and self._running == 0, positions.chosen):
                bound.prepared.choose(span, k, positions.chosen, None)
                rvh_cache_put_one(self.cache, bound.epoch, span, <size_t>k, positions.chosen)
            return named(bound.ids, positions.chosen, k)
        finally:
            release(&positions)

    def _get(self, keys, cnp.intp_t[:, ::1] out, uint64_t epoch):
        """Fill in the rows of a plain column that are known; return those that are not."""
        cdef _Running running = _Running(self)
        cdef Py_ssize_t rows = out.shape[0]
        cdef int64_t[::1] missing = np.empty(rows, dtype=np.int64)
        cdef size_t k = <size_t>out.shape[1], i, count = 0, before = 0
        cdef _Pieces pieces = _Pieces.of(keys, 0, rows, None)
        while pieces.step():
            with nogil:
                pieces.status = rvh_cache_get(
                    self.cache, epoch, &pieces.column, pieces.first, pieces.last, k,
                    <intptr_t *>&out[0, 0] + pieces.done * k, &missing[0] + before, &count,
                    &pieces.watch.poll, &pieces.bad)
            for i in range(before, before + count):
                missing[i] += <int64_t>pieces.done
            before += count
        return np.asarray(missing)[:before]

    def _put(self, keys, const cnp.intp_t[:, ::1] chosen, uint64_t epoch):
        """Put the answers of a plain column's keys where entries wait for them."""
        cdef _Running running = _Running(self)
        cdef size_t k = <size_t>chosen.shape[1]
        cdef _Pieces pieces = _Pieces.of(keys, 0, chosen.shape[0], None)
        while pieces.step():
            with nogil:
                pieces.status = rvh_cache_put(
                    self.cache, epoch, &pieces.column, pieces.first, pieces.last, k,
                    <intptr_t *>&chosen[0, 0] + pieces.done * k, &pieces.watch.poll, &pieces.bad)
        return 0

    def _figures(self):
        cdef rvh_cache_info info
        self.bound()  # an error where it was not made
        rvh_cache_figures(self.cache, &info)
        return (info.hits, info.misses, info.evictions, info.entries, info.ghosts, info.bytes,
                info.target)
