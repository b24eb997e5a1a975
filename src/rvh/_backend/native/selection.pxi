# Selection: nodes prepared, and their ranking for each key.

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
        cdef Watch watch
        cdef rvh_poll *poll = NULL
        cdef const uint8_t *secret_bytes = <const uint8_t *>PyBytes_AS_STRING(secret)
        cdef size_t secret_size = <size_t>PyBytes_GET_SIZE(secret)
        self.isa = active_isa()
        self.n = len(ids)
        self.scheme = SCHEMES[scheme]
        if weights is not None:
            given = weights
            each = &given[0]
        blob.fill_all(ids)
        if self.n > CHUNK or blob.size > CHUNK_BYTES:  # fewer take no time
            start_watch(&watch, None)
            poll = &watch.poll
        with nogil:
            status = rvh_nodes_new(&self.nodes, self.scheme, blob.data, blob.offsets,
                                   <size_t>self.n, each, secret_bytes, secret_size, poll, bad)
        if status == RVH_EMPTY_ID:
            raise empty_id_error(bad[0])
        if status == RVH_DUPLICATE_ID:
            raise duplicate_id_error(ids.bytes_at(bad[0]), bad[0], bad[1])
        raise_for(status, ids, 0)

    def __dealloc__(self):
        rvh_nodes_free(self.nodes)

    def __len__(self):
        return self.n

    cdef inline bint is_short(self, blake2_simd_bytes key) noexcept:
        """Whether choosing for a key takes less time than releasing the GIL is worth."""
        return <size_t>self.n * (1 + key.size // 128) <= INLINE

    cdef inline int choose_short(self, blake2_simd_bytes key, Py_ssize_t k,
                                 intptr_t *chosen) except -1:
        cdef rvh_status status = rvh_select_one(self.isa, self.nodes, key, <size_t>k, chosen, NULL)
        return raise_for(status, None, 0) if status != RVH_OK else 0

    cdef int choose(self, blake2_simd_bytes key, Py_ssize_t k, intptr_t *chosen,
                    Cancel cancel) except -1:
        """The best k nodes of one key; returns 1 for a call that `cancel` ended."""
        cdef rvh_status status
        cdef Watch watch
        if self.is_short(key):
            return self.choose_short(key, k, chosen)
        start_watch(&watch, cancel)
        with nogil:
            status = rvh_select_one(self.isa, self.nodes, key, <size_t>k, chosen, &watch.poll)
        return raise_for(status, None, 0) if status != RVH_OK else 0

    def select_one(self, key, Py_ssize_t k, list names not None, Cancel cancel=None):
        cdef Positions positions
        cdef blake2_simd_bytes span
        cdef uint8_t word[8]
        _owner = bytes_of(key, -1, "key", &span, word)
        allocate(&positions, k)
        try:
            if self.choose(span, k, positions.chosen, cancel):
                return []
            return named(names, positions.chosen, k)
        finally:
            release(&positions)

    def argselect(self, keys, Py_ssize_t start, Py_ssize_t stop, cnp.intp_t[:, ::1] out,
                  Cancel cancel):
        if stop > start:
            self._run(keys, start, stop, <void *>&out[0, 0], NULL, <size_t>out.shape[1], cancel)

    def select(self, names not None, keys, Py_ssize_t start, Py_ssize_t stop,
               cnp.ndarray out not None, Cancel cancel):
        cdef cnp.ndarray chosen = positions_for(names, out)
        self._run(keys, start, stop, cnp.PyArray_DATA(chosen), NULL,
                  <size_t>cnp.PyArray_DIM(out, 1), cancel)
        write_names(names, chosen, out, cancel)

    def rank(self, keys, Py_ssize_t start, Py_ssize_t stop, out not None, Cancel cancel):
        cdef Py_ssize_t k = out.shape[1] // 2
        cdef cnp.intp_t[:, ::1] chosen = np.empty((stop - start, k), dtype=np.intp)
        cdef uint64_t[:, ::1] words = np.empty((stop - start, k), dtype=np.uint64)
        if stop > start:
            self._run(keys, start, stop, <void *>&chosen[0, 0], &words[0, 0], <size_t>k, cancel)
            if cancel is None or not cancel.flag:
                out[:, :k] = chosen
                out[:, k:] = words

    def select_spread(self, names, const uint32_t[:, ::1] domains, list limits not None,
                      const intptr_t[:, ::1] current, keys, Py_ssize_t start, Py_ssize_t stop,
                      cnp.ndarray out not None, Cancel cancel):
        cdef rvh_spread spread
        cdef Py_ssize_t level
        cdef const intptr_t *first_current = NULL
        cdef const intptr_t *pinned
        cdef cnp.ndarray chosen = positions_for(names, out)
        cdef size_t width = 0, k = <size_t>cnp.PyArray_DIM(out, 1)
        cdef _Pieces pieces = _Pieces.of(keys, start, stop, cancel)
        spread.count = 0 if domains is None else <size_t>domains.shape[0]
        for level in range(<Py_ssize_t>spread.count):
            spread.levels[level].domain = &domains[level, 0]
            spread.levels[level].domains = <size_t>(np.max(domains[level]) + 1)
            spread.levels[level].limit = <size_t>limits[level]
        if stop > start and current is not None and current.shape[1] > 0:
            first_current, width = &current[start, 0], <size_t>current.shape[1]
        while pieces.step():
            pinned = NULL
            if width > 0:
                pinned = first_current + pieces.done * width
            with nogil:
                pieces.status = rvh_argselect_spread(
                    self.isa, self.nodes, &pieces.column, pieces.first, pieces.last, k,
                    NULL if spread.count == 0 else &spread,
                    pinned, width,
                    <intptr_t *>cnp.PyArray_DATA(chosen) + pieces.done * k, &pieces.watch.poll,
                    &pieces.bad)
        write_names(names, chosen, out, cancel)

    def scores(self, keys, Py_ssize_t start, Py_ssize_t stop, uint64_t[:, :, ::1] out,
               Cancel cancel):
        if stop > start:
            self._run(keys, start, stop, <void *>&out[0, 0, 0], NULL, 0, cancel)

    cdef int _run(self, object keys, Py_ssize_t start, Py_ssize_t stop, void *out, uint64_t *words,
                  size_t k, Cancel cancel) except -1:
        """Positions of the best k nodes of each key, or for k = 0 scores."""
        cdef size_t scores = <size_t>self.n * rvh_score_words(self.nodes)
        cdef _Pieces pieces = _Pieces.of(keys, start, stop, cancel)
        while pieces.step():
            with nogil:
                if k > 0:
                    pieces.status = rvh_argselect(
                        self.isa, self.nodes, &pieces.column, pieces.first, pieces.last, k,
                        <intptr_t *>out + pieces.done * k,
                        NULL if words is NULL else words + pieces.done * k,
                        &pieces.watch.poll, &pieces.bad)
                else:
                    pieces.status = rvh_scores(
                        self.isa, self.nodes, &pieces.column, pieces.first, pieces.last,
                        <uint64_t *>out + pieces.done * scores, &pieces.watch.poll, &pieces.bad)
        return 0


def ascending(keys):
    cdef _Blob blob = _Blob()
    cdef Watch watch
    cdef rvh_status status
    cdef cnp.intp_t[::1] out = np.empty(len(keys), dtype=np.intp)
    cdef size_t n = <size_t>out.shape[0]
    blob.fill_all(keys)
    start_watch(&watch, None)
    if n > 0:
        with nogil:
            status = rvh_ascending(blob.data, blob.offsets, n, <intptr_t *>&out[0], &watch.poll)
        raise_for(status, None, 0)
    return np.asarray(out)
