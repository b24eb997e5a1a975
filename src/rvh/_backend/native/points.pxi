# Points of keys.

# Of `contract.POINTS`.
cdef dict POINT_KINDS = {
    "ketama": RVH_POINT_KETAMA, "md5": RVH_POINT_MD5, "crc32": RVH_POINT_CRC32,
    "murmur3": RVH_POINT_MURMUR3, "xxh64": RVH_POINT_XXH64, "one_at_a_time": RVH_POINT_OAAT,
    "murmur2": RVH_POINT_MURMUR2, "geohash": RVH_POINT_GEOHASH,
}


def key_point(str kind not None, key):
    cdef blake2_simd_bytes span
    cdef uint8_t word[8]
    _owner = bytes_of(key, -1, "key", &span, word)
    return rvh_point(POINT_KINDS[kind], span)


def key_points(str kind not None, keys, Py_ssize_t start, Py_ssize_t stop, uint64_t[::1] out,
               Cancel cancel):
    cdef rvh_point_kind which = POINT_KINDS[kind]
    cdef const rvh_isa *isa = active_isa()
    cdef _Pieces pieces = _Pieces.of(keys, start, stop, cancel)
    while pieces.step():
        with nogil:
            pieces.status = rvh_points(isa, which, &pieces.column, pieces.first, pieces.last,
                                       &out[0] + pieces.done, &pieces.watch.poll, &pieces.bad)
