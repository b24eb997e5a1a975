# Bounded load.

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
        cdef int64_t[::1] free_rows
        cdef size_t free_count = 0
        cdef rvh_status status
        cdef Watch watch
        cdef const int64_t *which = NULL
        if count == 0:
            return np.empty(0, dtype=np.int64)
        self.kept.append(lists)
        free_rows = np.empty(count, dtype=np.int64)
        if rows is not None:
            which = &rows[0]
        start_watch(&watch, None)
        with nogil:
            status = rvh_matching_offer(self.matching, which, <size_t>count,
                                        <size_t>lists.shape[1] // 2, &lists[0, 0], &free_rows[0],
                                        &free_count, &watch.poll)
        raise_for(status, None, 0)
        if rvh_matching_tied(self.matching) and self.ties.codes is NULL:
            return None
        return np.asarray(free_rows)[:free_count]
