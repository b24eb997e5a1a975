# Composite keys, and the distinct keys of a column.

# Of C, so that `except` looks up no name: Python itself may lose an exception when it has no memory
# for a frame, and Cython's look-up crashes where none is pending.
cdef object RVH_ERROR = RVHError

cdef class _Buffer:
    """Bytes that C wrote, for as long as NumPy's array over them lives."""

    cdef rvh_buffer buffer

    def __dealloc__(self):
        free(self.buffer.data)

    @staticmethod
    cdef _Buffer of(rvh_buffer *buffer):
        """The owner of what is in a buffer, which is empty from then on."""
        cdef _Buffer owner = _Buffer()
        owner.buffer = buffer[0]
        memset(buffer, 0, sizeof(rvh_buffer))
        return owner

    cdef object array(self):
        cdef cnp.npy_intp size = <cnp.npy_intp>self.buffer.size
        cdef uint8_t *data = <uint8_t *>realloc(self.buffer.data, <size_t>max(size, 1))
        if data is NULL:
            raise MemoryError
        self.buffer.data = data
        array = cnp.PyArray_SimpleNewFromData(1, &size, cnp.NPY_UINT8, data)
        cnp.set_array_base(array, self)
        return array


cdef class _Parts:
    """The parts of composite keys as C reads them; Python objects come in blobs, chunk by chunk."""

    cdef rvh_part *parts
    cdef list columns  # KeyColumns, or bytes that are the same in every row
    cdef list blobs  # for each of them: a _Blob for objects, else None
    cdef size_t count
    cdef Py_ssize_t objects  # how many blobs there are
    cdef bint bare  # whether none has its length before it

    def __cinit__(self, list columns not None, bint bare=False):
        cdef _Blob blob
        cdef rvh_part *part
        self.columns, self.blobs, self.bare = columns, [], bare
        self.count = <size_t>len(columns)
        self.parts = <rvh_part *>malloc(self.count * sizeof(rvh_part))
        if self.parts is NULL:
            raise MemoryError
        for number, column in enumerate(columns):
            part = &self.parts[number]
            part.first = 0
            blob = None
            if isinstance(column, bytes):
                blob = _Blob()
                blob.clear(1)
                blob.write(PyBytes_AS_STRING(column), <size_t>PyBytes_GET_SIZE(column))
                blob.offsets[1] = blob.size
                describe_blob(blob, &part.column)
                part.framing = RVH_SAME
            elif is_loaded(column):
                blob = _Blob()
                blob.framed = not bare
                part.framing = RVH_BARE
                self.objects += 1
            else:
                describe(column, &part.column)
                is_bare = bare or column.kind == Kind.INTEGERS
                part.framing = RVH_BARE if is_bare else RVH_SIZED
            self.blobs.append(blob)

    def __dealloc__(self):
        free(self.parts)

    cdef Py_ssize_t load(self, Py_ssize_t start, Py_ssize_t stop) except -1:
        """Load rows from `start` on, at most to `stop`; return how many."""
        cdef _Blob blob
        cdef rvh_part *part
        for number, column in enumerate(self.columns):
            part = &self.parts[number]
            blob = self.blobs[number]
            if part.framing == RVH_SAME:
                continue
            if blob is None:
                part.first = <size_t>start
                continue
            stop = start + blob.fill(column, start, stop, CHUNK_BYTES // <size_t>self.objects)
            describe_blob(blob, &part.column)
        return stop - start

    cdef object error(self, Py_ssize_t start, Py_ssize_t stop):
        """The error about the first bad row of these, as the twin raises it."""
        try:
            for row in range(start, stop):
                for column in self.columns:
                    if not isinstance(column, bytes):
                        if self.bare:
                            column.bytes_at(row)
                        else:
                            column.part_at(row)
        except RVH_ERROR as error:
            return error
        return keys_changed()


def compose(list parts not None, Py_ssize_t rows):
    return composed_of(_Parts(parts), rows)


def pack(keys, Py_ssize_t start, Py_ssize_t stop):
    return composed_of(_Parts([keys], True), stop - start, start)


cdef object composed_of(_Parts loaded, Py_ssize_t rows, Py_ssize_t first=0):
    """Rows one after another, from row `first` on."""
    cdef _Buffer composed = _Buffer()
    places = np.empty(rows + 1, dtype=np.uint64)
    cdef uint64_t[::1] offsets = places
    cdef rvh_status status = RVH_OK
    cdef Watch watch
    cdef size_t bad = 0
    cdef Py_ssize_t start = 0, count, limit = CHUNK if loaded.objects else rows
    start_watch(&watch, None)
    offsets[0] = 0
    while start < rows:
        count = min(limit, rows - start)
        try:
            count = loaded.load(first + start, first + start + count)
        except RVH_ERROR:
            raise loaded.error(first + start, first + start + count) from None
        if loaded.objects:
            limit = min(CHUNK, 2 * count)  # one column of large objects ends all chunks early
        with nogil:
            status = rvh_compose(loaded.parts, loaded.count, <size_t>count, &composed.buffer,
                                 &offsets[start + 1], &watch.poll, &bad)
        if status == RVH_BAD_KEY:
            start += first + <Py_ssize_t>bad
            raise loaded.error(start, start + 1)
        raise_for(status, None, 0)
        start += count
    return Spans._unchecked(composed.array(), places)


cdef class _Distinct:
    """Distinct keys so far, as C keeps them."""

    cdef rvh_distinct keys
    cdef Watch watch  # one for all columns: many are short

    def __dealloc__(self):
        rvh_distinct_free(&self.keys)

    cdef int add(self, object keys, Py_ssize_t start, Py_ssize_t stop, uint32_t *codes) except -1:
        """The codes of a plain column's elements."""
        cdef _Pieces pieces = _Pieces.of(keys, start, stop, None)
        while pieces.step():
            with nogil:
                pieces.status = rvh_distinct_add(
                    &self.keys, &pieces.column, pieces.first, pieces.last - pieces.first,
                    codes + pieces.done, &self.watch.poll, &pieces.bad)
        return 0

    cdef object spans(self):
        if self.keys.count == 0:
            return Spans._unchecked(np.empty(0, dtype=np.uint8), np.zeros(1, dtype=np.uint64))
        data, offsets = _Buffer.of(&self.keys.bytes), _Buffer.of(&self.keys.offsets)
        return Spans._unchecked((<_Buffer>data).array(), (<_Buffer>offsets).array().view(np.uint64))


def distinct(keys, Py_ssize_t start, Py_ssize_t stop):
    cdef _Distinct all_keys = _Distinct()
    cdef uint32_t[::1] codes = np.empty(stop - start, dtype=np.uint32)
    start_watch(&all_keys.watch, None)
    pieces = [(keys, start, stop, start)]
    if keys.kind == Kind.CHUNKS:
        pieces = keys.values.pieces(start, stop)
    for column, a, b, first in pieces:
        if b > a:
            all_keys.add(column, a, b, &codes[first - start])
    return all_keys.spans(), np.asarray(codes)
