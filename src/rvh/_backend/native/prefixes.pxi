# Rendezvous by the hash of a node's prefix and the key.

cdef class Prefixes:
    cdef rvh_prefixes *prefixes

    def __cinit__(self, texts, uint32_t seed, bint code_points):
        cdef _Blob blob = _Blob()
        cdef size_t count = <size_t>len(texts)
        blob.fill_all(texts)
        with nogil:
            self.prefixes = rvh_prefixes_new(blob.data, blob.offsets, count, seed, code_points)
        if self.prefixes is NULL:
            raise MemoryError

    def __dealloc__(self):
        rvh_prefixes_free(self.prefixes)

    def argselect(self, keys, Py_ssize_t start, Py_ssize_t stop, cnp.ndarray out not None,
                  Cancel cancel):
        cdef intptr_t *chosen = <intptr_t *>cnp.PyArray_DATA(positions_for(None, out))
        cdef size_t k = <size_t>cnp.PyArray_DIM(out, 1)
        cdef _Pieces pieces = _Pieces.of(keys, start, stop, cancel)
        while pieces.step():
            with nogil:
                pieces.status = rvh_prefixes_select(
                    self.prefixes, &pieces.column, pieces.first, pieces.last, k,
                    chosen + pieces.done * k, &pieces.watch.poll, &pieces.bad)
