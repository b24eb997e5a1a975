# Bounded load.

cdef class Matching:
    cdef rvh_matching *matching
    cdef rvh_ties ties
    cdef list kept  # arrays that C reads
    cdef Py_ssize_t most_free  # keys that can be free after an offer; 0 for as many as are offered

    def __cinit__(self, PreparedNodes nodes not None, const uint64_t[::1] capacity,
                  const uint64_t[::1] sizes, cnp.intp_t[::1] owners, spans,
                  const uint32_t[::1] codes):
        cdef cnp.ndarray data, offsets
        cdef rvh_ties *ties = NULL
        cdef const uint64_t *each = NULL
        self.kept = [nodes, sizes, owners, spans, codes]
        if owners.shape[0] == 0:
            return
        if sizes is not None:
            if sizes.shape[0] != owners.shape[0]:
                raise ValueError("as many sizes as owners are needed")
            each = &sizes[0]
            self.most_free = owners.shape[0]
        if spans is not None:
            data, offsets = spans.data, np.ascontiguousarray(spans.offsets, dtype=np.uint64)
            self.kept += [data, offsets]
            self.ties.nodes = nodes.nodes
            self.ties.codes = &codes[0]
            self.ties.data = <const uint8_t *>cnp.PyArray_DATA(data)
            self.ties.offsets = <const uint64_t *>cnp.PyArray_DATA(offsets)
            ties = &self.ties
        self.matching = rvh_matching_new(nodes.isa, &capacity[0], <size_t>capacity.shape[0],
                                         each, <size_t>owners.shape[0], <intptr_t *>&owners[0],
                                         ties)
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
        free_rows = np.empty(max(count, self.most_free), dtype=np.int64)
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
