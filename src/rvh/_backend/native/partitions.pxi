# Partition tables.

def lookup(size_t partitions, const uint32_t[:, ::1] owners, cnp.ndarray names, keys,
           Py_ssize_t start, Py_ssize_t stop, cnp.ndarray out not None, Cancel cancel):
    cdef const rvh_isa *isa = active_isa()
    cdef rvh_table table
    cdef uint8_t *to = <uint8_t *>cnp.PyArray_DATA(out)
    cdef size_t row
    cdef _Pieces pieces = _Pieces.of(keys, start, stop, cancel)
    table.partitions = partitions
    table.owners, table.k = NULL, 1
    if owners is not None:
        table.owners, table.k = &owners[0, 0], <size_t>owners.shape[1]
    table.names, table.name_size = NULL, 0
    if names is not None:
        table.names = <const uint8_t *>cnp.PyArray_DATA(names)
        table.name_size = <size_t>cnp.PyArray_ITEMSIZE(names)
    row = table.k * <size_t>cnp.PyArray_ITEMSIZE(out)
    while pieces.step():
        with nogil:
            pieces.status = rvh_lookup(isa, &table, &pieces.column, pieces.first, pieces.last,
                                       to + pieces.done * row, &pieces.watch.poll, &pieces.bad)


def lookup_one(key, size_t partitions, cnp.ndarray owners not None, list names not None):
    cdef blake2_simd_bytes span
    cdef uint8_t word[8]
    cdef const uint32_t *row
    cdef Py_ssize_t k
    # A memory view of the table would cost more than the lookup.
    if not (cnp.PyArray_TYPE(owners) == cnp.NPY_UINT32 and cnp.PyArray_IS_C_CONTIGUOUS(owners)
            and cnp.PyArray_NDIM(owners) == 2
            and cnp.PyArray_DIM(owners, 0) == <Py_ssize_t>partitions):
        raise ValueError("owners is not a C-contiguous array of uint32, shape (partitions, k)")
    _owner = bytes_of(key, -1, "key", &span, word)
    k = cnp.PyArray_DIM(owners, 1)
    row = <const uint32_t *>cnp.PyArray_DATA(owners) + rvh_partition(partitions, span) * <size_t>k
    return named(names, row, k)
