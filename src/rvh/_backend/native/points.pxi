# Points of keys.

# The number of each of `contract.POINTS`.
cdef dict POINT_KINDS = {
    rvh_point_name(<rvh_point_kind>number).decode(): number for number in range(RVH_POINT_COUNT)
}


cdef rvh_tag tag_of(bytes tag):
    cdef rvh_tag both = rvh_tag(0, 0)
    if len(tag) == 2:
        both.open, both.close = <uint8_t>tag[0], <uint8_t>tag[1]
    return both


def key_point(str kind not None, key, bytes tag not None=b""):
    cdef blake2_simd_bytes span
    cdef uint8_t word[8]
    _owner = bytes_of(key, -1, "key", &span, word)
    return rvh_point(POINT_KINDS[kind], rvh_tagged(tag_of(tag), span))


def key_points(str kind not None, keys, Py_ssize_t start, Py_ssize_t stop, uint64_t[::1] out,
               Cancel cancel, bytes tag not None=b""):
    cdef rvh_tag between = tag_of(tag)
    cdef rvh_point_kind which = POINT_KINDS[kind]
    cdef const rvh_isa *isa = active_isa()
    cdef _Pieces pieces = _Pieces.of(keys, start, stop, cancel)
    while pieces.step():
        with nogil:
            pieces.status = rvh_points(isa, which, between, &pieces.column, pieces.first,
                                       pieces.last, &out[0] + pieces.done, &pieces.watch.poll,
                                       &pieces.bad)
