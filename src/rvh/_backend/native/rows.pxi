# Rows of files: delimited text and lines of JSON.

def whole_rows(bytes data not None, uint8_t delimiter, bint quoted, size_t columns, size_t limit):
    cdef size_t size = <size_t>PyBytes_GET_SIZE(data)
    cdef const uint8_t *text = <const uint8_t *>PyBytes_AS_STRING(data)
    cdef rvh_row_texts rows
    cdef int32_t[::1] ends
    cdef uint8_t[::1] out
    cdef int found
    made, places = np.empty(size, np.uint8), np.empty(size, np.int32)
    out, ends = made, places
    rows.ends = &ends[0]
    with nogil:
        found = rvh_rows(text, size, delimiter, quoted, columns, limit, &out[0], &rows)
    if not found:
        return None
    return (made[:rows.written] if rows.written else data, places[:rows.end_count].copy(),
            rows.passed)


def object_members(bytes data not None, const intptr_t[::1] ends not None):
    cdef const uint8_t *text = <const uint8_t *>PyBytes_AS_STRING(data)
    cdef size_t lines = <size_t>ends.shape[0] - 1, i
    cdef rvh_members members
    cdef int found
    with nogil:
        found = rvh_objects(text, &ends[0], lines, &members)
    if not found:
        return None
    return [PyUnicode_DecodeUTF8(<const char *>members.names[i].data,
                                 <Py_ssize_t>members.names[i].size, NULL)
            for i in range(members.count)]


def object_values(bytes data not None, const intptr_t[::1] ends not None, str name not None):
    cdef const uint8_t *text = <const uint8_t *>PyBytes_AS_STRING(data)
    cdef bytes sought = name.encode()
    cdef size_t lines = <size_t>ends.shape[0] - 1
    cdef blake2_simd_bytes span
    cdef int32_t[::1] bounds
    cdef int found
    made = np.empty(2 * lines, np.int32)
    bounds = made
    span.data, span.size = <const uint8_t *>PyBytes_AS_STRING(sought), <size_t>len(sought)
    if lines == 0:
        return made
    with nogil:
        found = rvh_values(text, &ends[0], lines, span, &bounds[0])
    return made if found else None
