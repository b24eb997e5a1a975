# Requests of the service: messages straight to columns of keys. A look at every byte is C's; what
# is done once a message is Python's, and shared with the twin.

cdef object new_tuple = tuple.__new__


cdef int scan(bytes message, int flat, int one, rvh_request *request) except -1:
    """Find what is in a message, or raise the error about it."""
    cdef const uint8_t *data = <const uint8_t *>PyBytes_AS_STRING(message)
    cdef size_t size = <size_t>PyBytes_GET_SIZE(message)
    cdef rvh_fault fault
    if size > <size_t>MESSAGE_MAX_BYTES:
        check_size(message)
    if size < SHORT_MESSAGE:
        fault = (rvh_scan_flatbuffer(data, size, request) if flat
                 else rvh_scan_protobuf(data, size, one, request))
    else:
        with nogil:
            fault = (rvh_scan_flatbuffer(data, size, request) if flat
                     else rvh_scan_protobuf(data, size, one, request))
    if fault != RVH_SOUND:
        raise fault_error(fault, ASKED if one else BATCH, request.field, request.at, request.value)
    return 0


cdef object k_of(const rvh_request *request):
    return request.fields[RVH_K].value if request.fields[RVH_K].pieces else None


cdef object known_of(bytes message, const rvh_request *request):
    cdef const rvh_field *known = &request.fields[RVH_KNOWN]
    if known.pieces == 0:
        return None
    return PyUnicode_DecodeUTF8(PyBytes_AS_STRING(message) + known.at, <Py_ssize_t>known.size,
                                NULL)


cdef object batch_of(object keys, bytes message, const rvh_request *request):
    return Batch(keys, k_of(request), request.fields[RVH_WITH_IDS].value != 0,
                 known_of(message, request), request.fields[RVH_PINNED].value != 0)


cdef int form_in(const rvh_request *request, limit, choices) except -1:
    """The number of the field that has the keys."""
    counts = [request.fields[number].count
              for number in (RVH_KEYS, RVH_TEXTS, RVH_INTEGERS_FIELD, RVH_ENDS)]
    return form_of(counts, request.fields[RVH_DATA].size, limit, choices)


cdef object packed_keys(bytes message, const rvh_request *request):
    """The column of `data` and `ends`."""
    cdef const rvh_field *data = &request.fields[RVH_DATA]
    cdef const rvh_field *ends = &request.fields[RVH_ENDS]
    offsets = np.zeros(ends.count + 1, dtype=np.uint32)
    if ends.pieces == 1:
        offsets[1:] = np.frombuffer(message, "<u4", ends.count, ends.at)
    else:
        pieces = np.empty(ends.count, dtype="<u4")
        fill(message, RVH_ENDS, pieces)
        offsets[1:] = pieces
    return packed_column(message, data.at, data.size, offsets)


cdef int fill(bytes message, uint32_t number, cnp.ndarray out) except -1:
    """Write the elements of a field: as many as were counted, for which `out` has the room."""
    cdef const uint8_t *data = <const uint8_t *>PyBytes_AS_STRING(message)
    cdef size_t size = <size_t>PyBytes_GET_SIZE(message)
    cdef uint8_t *to = <uint8_t *>cnp.PyArray_DATA(out)
    with nogil:
        if number == RVH_KEYS or number == RVH_TEXTS:
            rvh_fill_views(data, size, number, to)
        else:
            rvh_fill_packed(data, size, number, to)
    return 0


def decode_batch(bytes message not None, limit):
    cdef rvh_request request
    cdef const rvh_field *integers = &request.fields[RVH_INTEGERS_FIELD]
    cdef int form
    scan(message, False, False, &request)
    form = form_in(&request, limit, CHOICES)
    if form == RVH_ENDS:
        keys = packed_keys(message, &request)
    elif form != RVH_INTEGERS_FIELD:
        views = np.empty((request.fields[form].count, 4), dtype=np.int32)
        fill(message, form, views)
        buffer = np.frombuffer(message, dtype=np.uint8)
        keys = KeyColumn._unchecked(Kind.VIEWS, Views._unchecked(views, [buffer]))
    elif integers.pieces == 1:
        keys = integer_column(message, integers.at, integers.count)
    else:
        words = np.empty(integers.count, dtype=np.uint64)
        fill(message, RVH_INTEGERS_FIELD, words)
        keys = integer_column(words, 0, integers.count)
    return batch_of(keys, message, &request)


def decode_flat_batch(bytes message not None, limit):
    cdef rvh_request request
    cdef const rvh_field *integers = &request.fields[RVH_INTEGERS_FIELD]
    scan(message, True, False, &request)
    if form_in(&request, limit, FLAT_CHOICES) == RVH_ENDS:
        keys = packed_keys(message, &request)
    else:
        keys = integer_column(message, integers.at, integers.count)
    return batch_of(keys, message, &request)


def decode_key(bytes message not None):
    cdef rvh_request request
    cdef const rvh_field *fields = request.fields
    cdef const rvh_field *field
    cdef const char *data = PyBytes_AS_STRING(message)
    cdef uint64_t word = 0
    cdef int i
    scan(message, False, True, &request)
    if fields[1].pieces + fields[2].pieces + fields[3].pieces != 1:
        raise one_form([number for number in range(1, 4) if fields[number].pieces])
    if fields[RVH_INTEGERS_FIELD].pieces:
        for i in range(8):
            word |= <uint64_t><uint8_t>data[fields[RVH_INTEGERS_FIELD].at + <size_t>i] << (8 * i)
        key = <int64_t>word
    else:
        field = &fields[RVH_KEYS if fields[RVH_KEYS].pieces else RVH_TEXTS]
        key = PyBytes_FromStringAndSize(data + field.at, <Py_ssize_t>field.size)
    return new_tuple(Asked, (key, k_of(&request), fields[RVH_WITH_IDS].value != 0,
                             known_of(message, &request)))
