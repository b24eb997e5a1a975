# Buckets by number: jump hash and JumpBackHash.

def jump(uint32_t buckets, names, keys, Py_ssize_t start, Py_ssize_t stop,
         cnp.ndarray out not None, Cancel cancel):
    cdef cnp.ndarray chosen = positions_for(names, out)
    if stop > start:
        _place(keys, start, stop, buckets, <size_t>cnp.PyArray_DIM(out, 1),
               <intptr_t *>cnp.PyArray_DATA(chosen), cancel)
        write_names(names, chosen, out, cancel)


def jumpback(uint32_t buckets, keys, Py_ssize_t start, Py_ssize_t stop, cnp.intp_t[::1] out,
             Cancel cancel):
    if stop > start:
        _place(keys, start, stop, buckets, 0, <intptr_t *>&out[0], cancel)


def jump_one(key, uint32_t buckets, Py_ssize_t k):
    cdef Positions positions
    cdef const rvh_isa *isa = active_isa()
    cdef uint64_t word = word_of(isa, key)
    cdef rvh_column column
    cdef rvh_status status
    cdef Watch watch
    describe_word(&word, &column)
    allocate(&positions, k)
    try:
        if k <= FEW:
            status = rvh_jump(isa, &column, 0, 1, buckets, <size_t>k, positions.chosen, NULL)
        else:
            start_watch(&watch, None)
            with nogil:
                status = rvh_jump(isa, &column, 0, 1, buckets, <size_t>k, positions.chosen,
                                  &watch.poll)
        raise_for(status, None, 0)
        return named(None, positions.chosen, k)
    finally:
        release(&positions)


def jumpback_one(key, uint32_t buckets):
    cdef const rvh_isa *isa = active_isa()
    cdef uint64_t word = word_of(isa, key)
    cdef rvh_column column
    cdef intptr_t bucket
    describe_word(&word, &column)
    raise_for(rvh_jumpback(isa, &column, 0, 1, buckets, &bucket, NULL), None, 0)
    return bucket


cdef void describe_word(const uint64_t *word, rvh_column *column) noexcept:
    """Describe a column of one integer."""
    memset(column, 0, sizeof(rvh_column))
    column.layout = RVH_INTEGERS
    column.data = <const uint8_t *>word
    column.itemsize = sizeof(uint64_t)
    column.stride = sizeof(uint64_t)


cdef uint64_t word_of(const rvh_isa *isa, object key) except? 0:
    """The 64-bit word of one key, which decides its bucket."""
    cdef blake2_simd_bytes span
    cdef uint8_t raw[8]
    cdef uint64_t word = 0
    cdef rvh_column column
    cdef rvh_status status
    cdef size_t bad = 0
    cdef int i
    _owner = bytes_of(key, -1, "key", &span, raw)
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
    """The buckets of each key: k by jump hash, or for k = 0 one by JumpBackHash.

    Integers are read in place; of other keys, the words are computed first.
    """
    cdef const rvh_isa *isa = active_isa()
    cdef rvh_column column
    cdef Watch watch
    cdef rvh_status status
    cdef size_t first = <size_t>start, last = <size_t>stop
    start_watch(&watch, cancel)
    if keys.kind != Kind.INTEGERS:
        words = np.empty(stop - start, dtype=np.uint64)
        if _words(isa, keys, start, stop, words, &watch.poll):
            return 0
        keys = KeyColumn._unchecked(Kind.INTEGERS, words)
        first, last = 0, last - first
    describe(keys, &column)
    with nogil:
        if k > 0:
            status = rvh_jump(isa, &column, first, last, buckets, k, out, &watch.poll)
        else:
            status = rvh_jumpback(isa, &column, first, last, buckets, out, &watch.poll)
    raise_for(status, keys, 0)
    return 0


cdef int _words(const rvh_isa *isa, object keys, Py_ssize_t start, Py_ssize_t stop,
                uint64_t[::1] out, rvh_poll *poll) except -1:
    """The words of keys other than a column of integers; return 1 for a call that was cancelled."""
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
