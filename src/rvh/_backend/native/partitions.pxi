# Partition tables.

def lookup(size_t partitions, const uint32_t[:, ::1] owners, cnp.ndarray names, keys,
           Py_ssize_t start, Py_ssize_t stop, cnp.ndarray out not None, Cancel cancel):
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
