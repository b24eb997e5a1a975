# Hashes of typed columns.

cdef int describe_chain(chain, rvh_chain *out) except -1:
    memset(out, 0, sizeof(rvh_chain))
    out.system = <rvh_chain_system><int>SYSTEMS.index(chain.system)
    out.spread = chain.spread
    out.count = len(chain.parts)
    if out.count > sizeof(out.parts):
        raise ValueError(f"a chain has at most {sizeof(out.parts)} parts")
    for number, part in enumerate(chain.parts):
        out.parts[<size_t>number] = <uint8_t>PARTS.index(part)
    return 0


def chain_point(chain, key):
    cdef rvh_chain described
    cdef blake2_simd_bytes span
    cdef uint8_t word[8]
    cdef uint64_t point = 0
    describe_chain(chain, &described)
    _owner = bytes_of(key, -1, "key", &span, word)
    if not rvh_chain_point(&described, span, &point):
        read_values(chain, span.data[:span.size])  # raises
    return point


def chain_points(chain, keys, Py_ssize_t start, Py_ssize_t stop, uint64_t[::1] out, Cancel cancel):
    cdef rvh_chain described
    cdef Py_ssize_t row
    cdef _Pieces pieces = _Pieces.of(keys, start, stop, cancel)
    describe_chain(chain, &described)
    while pieces.step():
        with nogil:
            pieces.status = rvh_chain_points(&described, &pieces.column, pieces.first, pieces.last,
                                             &out[0] + pieces.done, &pieces.watch.poll,
                                             &pieces.bad)
        if pieces.status == RVH_BAD_KEY:
            row = pieces.start - <Py_ssize_t>pieces.last + <Py_ssize_t>pieces.bad
            read_values(chain, keys.bytes_at(row), keys.position(row))  # raises
