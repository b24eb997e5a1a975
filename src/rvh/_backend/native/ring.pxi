# Rings.

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

    def lookup(self, names, keys, Py_ssize_t start, Py_ssize_t stop, out not None,
               Cancel cancel):
        if names is None:
            self._positions(keys, start, stop, out, cancel)
        else:
            chosen = np.empty(np.shape(out), dtype=np.intp)
            self._positions(keys, start, stop, chosen, cancel)
            write_names(names, chosen, out, cancel)

    cdef int _positions(self, object keys, Py_ssize_t start, Py_ssize_t stop,
                        cnp.intp_t[:, ::1] out, Cancel cancel) except -1:
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
                break
        return 0
