# Rings.

cdef class RingPoints:
    cdef rvh_ring *ring
    cdef rvh_point_kind kind
    cdef const rvh_isa *isa
    cdef object points, owners  # what C reads

    def __cinit__(self, str kind not None, const uint64_t[::1] points, const uint32_t[::1] owners,
                  bytes tag not None=b""):
        cdef size_t count = <size_t>points.shape[0]
        cdef rvh_status status
        cdef Watch watch
        self.kind = POINT_KINDS[kind]
        self.isa = active_isa()
        self.points, self.owners = points, owners
        start_watch(&watch, None)
        with nogil:
            status = rvh_ring_new(&self.ring, self.kind, &points[0], &owners[0], count,
                                  &watch.poll)
        raise_for(status, None, 0)
        rvh_ring_set_tag(self.ring, tag_of(tag))

    def __dealloc__(self):
        rvh_ring_free(self.ring)

    def lookup_one(self, key, Py_ssize_t k, list names not None):
        cdef Positions positions
        cdef blake2_simd_bytes span
        cdef rvh_status status
        cdef Watch watch
        cdef uint8_t word[8]
        _owner = bytes_of(key, -1, "key", &span, word)
        allocate(&positions, k)
        try:
            if rvh_ring_cost(self.ring, <size_t>k) <= WALK:
                status = rvh_ring_lookup_one(self.ring, span, <size_t>k, positions.chosen, NULL)
            else:
                start_watch(&watch, None)
                with nogil:
                    status = rvh_ring_lookup_one(self.ring, span, <size_t>k, positions.chosen,
                                                 &watch.poll)
            if status != RVH_OK:
                raise_for(status, None, 0)
            return named(names, positions.chosen, k)
        finally:
            release(&positions)

    def lookup(self, names, keys, Py_ssize_t start, Py_ssize_t stop, cnp.ndarray out not None,
               Cancel cancel):
        cdef cnp.ndarray chosen = positions_for(names, out)
        cdef size_t k = <size_t>cnp.PyArray_DIM(out, 1)
        cdef _Pieces pieces = _Pieces.of(keys, start, stop, cancel)
        while pieces.step():
            with nogil:
                pieces.status = rvh_ring_lookup(
                    self.isa, self.ring, &pieces.column, pieces.first, pieces.last, k,
                    <intptr_t *>cnp.PyArray_DATA(chosen) + pieces.done * k, &pieces.watch.poll,
                    &pieces.bad)
        write_names(names, chosen, out, cancel)

    def lookup_points(self, names, const uint64_t[::1] points, Py_ssize_t start, Py_ssize_t stop,
                      cnp.ndarray out not None, Cancel cancel):
        cdef cnp.ndarray chosen = positions_for(names, out)
        cdef intptr_t *nodes = <intptr_t *>cnp.PyArray_DATA(chosen)
        cdef size_t k = <size_t>cnp.PyArray_DIM(out, 1)
        cdef rvh_status status
        cdef Watch watch
        if stop <= start:
            return
        start_watch(&watch, cancel)
        with nogil:
            status = rvh_ring_nodes(self.ring, &points[start], <size_t>(stop - start), k, nodes,
                                    &watch.poll)
        if not raise_for(status, None, 0):
            write_names(names, chosen, out, cancel)
