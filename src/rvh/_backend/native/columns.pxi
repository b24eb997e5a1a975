# A column as C reads it: where its elements stand, or in blobs of bytes.

# The kinds whose elements come in blobs; the layout of those that are read where they stand.
cdef object OBJECTS = Kind.OBJECTS, TEXT = Kind.TEXT
cdef dict LAYOUTS = {
    Kind.SPANS: RVH_OFFSETS, Kind.VIEWS: RVH_VIEWS, Kind.BYTES: RVH_PADDED,
    Kind.FIXED: RVH_FIXED, Kind.STRINGS: RVH_UCS4, Kind.INTEGERS: RVH_INTEGERS,
}


cdef class _Blob:
    """The bytes of a run of Python objects, one after another, and where each begins."""

    cdef uint8_t *data
    cdef uint64_t *offsets
    cdef size_t size, capacity
    cdef Py_ssize_t count, places
    cdef bint framed  # whether each is a part of a composite key, with its length before it

    def __dealloc__(self):
        free(self.data)
        free(self.offsets)

    cdef int clear(self, Py_ssize_t places) except -1:
        """Empty it, and make room for the offsets of `places` elements."""
        cdef uint64_t *offsets
        if places > self.places or self.offsets is NULL:
            offsets = <uint64_t *>realloc(self.offsets, <size_t>(places + 1) * sizeof(uint64_t))
            if offsets is NULL:
                raise MemoryError
            self.offsets = offsets
            self.places = places
        self.offsets[0] = 0
        self.size = 0
        self.count = 0
        return 0

    cdef bint put(self, const void *data, size_t size) noexcept nogil:
        """Append bytes; False when memory runs out."""
        cdef size_t capacity
        cdef uint8_t *grown
        if size > self.capacity - self.size or self.data is NULL:
            capacity = 2 * self.capacity + size + 1024
            grown = <uint8_t *>realloc(self.data, capacity)
            if grown is NULL:
                return False
            self.data = grown
            self.capacity = capacity
        memcpy(self.data + self.size, data, size)
        self.size += size
        return True

    cdef bint put_size(self, size_t size) noexcept nogil:
        """Append the length that precedes a part."""
        cdef uint8_t head[4]
        cdef int i
        for i in range(4):
            head[i] = <uint8_t>(size >> (8 * i))
        return self.put(head, 4)

    cdef bint end_element(self) noexcept nogil:
        self.count += 1
        self.offsets[self.count] = self.size
        return True

    cdef int write(self, const void *data, size_t size) except -1:
        if not self.put(data, size):
            raise MemoryError
        return 0

    cdef int append_object(self, object value, int64_t position, object what) except -1:
        cdef blake2_simd_bytes span
        cdef uint8_t word[8]
        _owner = bytes_of(value, position, what, &span, word)  # lives as long as the span
        if self.framed and not is_integer(value):
            if span.size > <size_t>PART_MAX_BYTES:
                raise part_too_long(span.size, position, what)
            if not self.put_size(span.size):
                raise MemoryError
        self.write(span.data, span.size)
        self.end_element()
        return 0

    cdef Py_ssize_t fill(self, object keys, Py_ssize_t start, Py_ssize_t stop,
                         size_t limit) except -1:
        """Replace what is there by elements from `start` on, at most to `stop`; return how many."""
        self.clear(stop - start)
        return self.append(keys, start, stop, limit)

    cdef int fill_all(self, object keys) except -1:
        """Replace what is there by all elements: nodes, of which there may be many."""
        cdef Py_ssize_t start = 0, stop = len(keys)
        self.clear(stop)
        while start < stop:
            start += self.append(keys, start, min(stop, start + CHUNK), <size_t>-1)
            check_signals()
        return 0

    cdef Py_ssize_t append(self, object keys, Py_ssize_t start, Py_ssize_t stop,
                           size_t limit) except -1:
        """Append elements, until there are `limit` bytes; return how many. `clear` made room."""
        cdef Objects objects
        cdef Py_ssize_t index = start
        cdef int64_t position
        cdef bint foreign
        cdef object what
        if keys.kind is TEXT:
            return self.fill_text(keys, start, stop, limit)
        foreign = keys.integers != CONTRACT
        what = keys.what
        describe_objects(keys, &objects)
        for value in objects_of(keys, &objects, start, stop):
            position = position_of(&objects, index)
            if foreign and not (PyUnicode_CheckExact(value) or PyBytes_CheckExact(value)):
                value = keys.written(value, position)
            self.append_object(value, position, what)
            index += 1
            if self.size >= limit:
                break
        return index - start

    cdef Py_ssize_t fill_text(self, object keys, Py_ssize_t start, Py_ssize_t stop,
                              size_t limit) except -1:
        """The same for NumPy's StringDType, whose elements are copied without the GIL.

        Its allocator is locked without the GIL too: waiting with the GIL for a lock whose holder
        waits for the GIL would never end.
        """
        cdef cnp.ndarray array = keys.values
        cdef const char *data = <const char *>cnp.PyArray_DATA(array)
        cdef Py_ssize_t stride = cnp.PyArray_STRIDE(array, 0), index = start
        cdef const int64_t *rows = rows_of(keys)
        cdef dtype = array.dtype
        cdef const PyArray_StringDTypeObject *descr = <const PyArray_StringDTypeObject *>dtype
        cdef npy_string_allocator *allocator
        cdef npy_static_string text, absent
        cdef object na = getattr(dtype, "na_object", None)
        cdef bytes filler = na.encode() if isinstance(na, str) else None  # for a missing value
        cdef bint full = True
        cdef int loaded = 0
        check_shape(array, 1, keys._size, 0)
        absent.buf = NULL if filler is None else PyBytes_AS_STRING(filler)
        absent.size = 0 if filler is None else <size_t>PyBytes_GET_SIZE(filler)
        with nogil:
            allocator = NpyString_acquire_allocator(descr)
            while index < stop and self.size < limit:
                loaded = NpyString_load(
                    allocator, <const npy_packed_static_string *>(
                        data + (index if rows is NULL else rows[index]) * stride), &text)
                if loaded == 1 and absent.buf is not NULL:
                    loaded = 0
                    text = absent
                if loaded != 0 or (self.framed and text.size > PART_MAX_BYTES):
                    break
                full = (not self.framed or self.put_size(text.size)) and self.put(
                    text.buf, text.size) and self.end_element()
                if not full:
                    break
                index += 1
            NpyString_release_allocator(allocator)
        if not full:
            raise MemoryError
        if index < stop and self.size < limit:  # a missing value, most likely
            keys.part_at(index)
            raise keys_changed()
        return index - start


cdef class _Hashed(_Blob):
    """Those of a run of objects that are hashed to a word, and which rows they are."""

    cdef Py_ssize_t rows[CHUNK]
    cdef uint64_t words[CHUNK]

    cdef Py_ssize_t fill_words(self, object keys, Py_ssize_t start, Py_ssize_t stop,
                               uint64_t *out) except -1:
        """As `fill`, but an integer's word goes straight to `out`."""
        cdef Objects objects
        cdef int overflow = 0
        cdef Py_ssize_t i = 0
        cdef object what = keys.what
        self.clear(stop - start)
        if keys.kind is TEXT:
            self.fill_text(keys, start, stop, CHUNK_BYTES)
            for i in range(self.count):
                self.rows[i] = i
            return self.count
        describe_objects(keys, &objects)
        for value in objects_of(keys, &objects, start, stop):
            if PyLong_CheckExact(value):
                out[i] = <uint64_t>PyLong_AsLongLongAndOverflow(value, &overflow)
                if overflow != 0:
                    try:
                        out[i] = value  # 2^63 and more
                    except OverflowError:
                        key_word(value, position_of(&objects, start + i), what)  # says so
            elif is_integer(value):
                out[i] = key_word(value, position_of(&objects, start + i), what)
            else:
                self.rows[self.count] = i
                self.append_object(value, position_of(&objects, start + i), what)
            i += 1
            if self.size >= CHUNK_BYTES:
                break
        return i


cdef struct Objects:
    # Where the elements of a column of Python objects stand.
    const int64_t *rows
    int64_t first
    Py_ssize_t size


cdef int describe_objects(object keys, Objects *objects) except -1:
    objects.rows = rows_of(keys)
    objects.first = keys.first
    objects.size = keys._size
    return 0


cdef inline int64_t position_of(const Objects *objects, Py_ssize_t index) noexcept:
    """Where the caller's keys have an element, for an error: as `KeyColumn.position`."""
    return objects.first + (index if objects.rows is NULL else objects.rows[index])


cdef list objects_of(object keys, const Objects *objects, Py_ssize_t start, Py_ssize_t stop):
    """Elements `start` to `stop`, as `KeyColumn.slice`; those of a list or tuple at once.

    They are owned by the list that is returned, whatever becomes of the column's own meanwhile:
    nothing here runs Python code between the look at its length and the last element.
    """
    cdef object values = keys.values
    cdef list part
    cdef PyObject **items
    cdef Py_ssize_t index, at
    cdef bint changed
    if not (PyList_CheckExact(values) or PyTuple_CheckExact(values)):
        return keys.slice(start, stop)
    part = PyList_New(stop - start)
    with cython.critical_section(values):
        changed = PySequence_Fast_GET_SIZE(values) != objects.size
        items = PySequence_Fast_ITEMS(values)
        for index in range(start, stop if not changed else start):
            at = index if objects.rows is NULL else <Py_ssize_t>objects.rows[index]
            changed = not 0 <= at < objects.size
            if changed:
                break
            Py_INCREF(<object>items[at])
            PyList_SET_ITEM(part, index - start, <object>items[at])
    if changed:
        raise keys_changed()
    return part


cdef bytes bytes_of(object value, int64_t position, object what, blake2_simd_bytes *span,
                    uint8_t *word):
    """A value's bytes as a span, which is good while the value and what this returns are.

    An error names the position, -1 for a value that has none.
    """
    cdef bytes owner = None
    if not borrow_bytes(value, span, word):
        owner = encode(value, position, what)
        span.data = <const uint8_t *>PyBytes_AS_STRING(owner)
        span.size = <size_t>PyBytes_GET_SIZE(owner)
    return owner


cdef bint borrow_bytes(object value, blake2_simd_bytes *span, uint8_t *word):
    """The bytes of the most common values where they stand; False for any other."""
    cdef int i, overflow = 0
    cdef uint64_t number
    if PyUnicode_CheckExact(value):
        if not PyUnicode_IS_COMPACT_ASCII(value):
            return False
        span.data = <const uint8_t *>PyUnicode_DATA(value)
        span.size = <size_t>PyUnicode_GET_LENGTH(value)
        return True
    if PyBytes_CheckExact(value):
        span.data = <const uint8_t *>PyBytes_AS_STRING(value)
        span.size = <size_t>PyBytes_GET_SIZE(value)
        return True
    if PyLong_CheckExact(value):
        number = <uint64_t>PyLong_AsLongLongAndOverflow(value, &overflow)
        if overflow != 0:
            return False
        for i in range(8):
            word[i] = <uint8_t>(number >> (8 * i))
        span.data = word
        span.size = 8
        return True
    return False


cdef bint is_integer(object value):
    """Whether a value that has bytes is an integer; quick for the most common types."""
    if PyUnicode_CheckExact(value) or PyBytes_CheckExact(value):
        return False
    return PyLong_CheckExact(value) or isinstance(value, (int, np.integer))


cdef bytes encode(object value, int64_t position, object what):
    """The bytes of any other value, or the error about it."""
    if PyUnicode_CheckExact(value):
        try:
            return PyUnicode_AsUTF8String(value)
        except UnicodeEncodeError:
            pass
    return key_bytes(value, None if position < 0 else position, what)


cdef bint is_loaded(object keys):
    """Whether a column's elements come to C in blobs instead of being read where they stand."""
    cdef object kind = keys.kind
    return kind is OBJECTS or kind is TEXT


cdef const int64_t *rows_of(object keys) except? NULL:
    cdef const int64_t[::1] rows
    if keys.rows is None or len(keys.rows) == 0:
        return NULL
    rows = keys.rows
    return &rows[0]


cdef int check_shape(cnp.ndarray array, int ndim, Py_ssize_t length, Py_ssize_t itemsize) except -1:
    """Refuse an array whose shape or dtype was set after the column was made; itemsize 0: any."""
    if (cnp.PyArray_NDIM(array) != ndim or cnp.PyArray_DIM(array, 0) != length
            or (itemsize != 0 and cnp.PyArray_ITEMSIZE(array) != itemsize)):
        raise keys_changed()
    return 0


cdef int describe(object keys, rvh_column *column) except -1:
    """A column that C can read where it stands."""
    cdef cnp.ndarray array, offsets, buffers, sizes
    cdef Py_ssize_t size = keys._size
    memset(column, 0, sizeof(rvh_column))
    column.rows = rows_of(keys)
    column.layout = LAYOUTS[keys.kind]
    if column.layout == RVH_OFFSETS:
        array, offsets = keys.values.data, keys.values.offsets
        check_shape(offsets, 1, size + 1, 8 if cnp.PyArray_ITEMSIZE(offsets) == 8 else 4)
        column.data = <const uint8_t *>cnp.PyArray_DATA(array)
        column.offsets = cnp.PyArray_DATA(offsets)
        column.offset_size = <size_t>cnp.PyArray_ITEMSIZE(offsets)
        return 0
    if column.layout == RVH_VIEWS:
        array = keys.values.views
        buffers, sizes = keys.values.addresses, keys.values.sizes
        check_shape(array, 2, size, 4)
        check_shape(buffers, 1, len(keys.values.buffers), 8)
        check_shape(sizes, 1, len(keys.values.buffers), 8)
        column.data = <const uint8_t *>cnp.PyArray_DATA(array)
        column.stride = cnp.PyArray_STRIDE(array, 0)
        column.buffers = <const uint64_t *>cnp.PyArray_DATA(buffers)
        column.sizes = <const uint64_t *>cnp.PyArray_DATA(sizes)
        column.buffer_count = <size_t>cnp.PyArray_SIZE(buffers)
        return 0
    array = keys.values
    dtype = array.dtype
    check_shape(array, 1, size, 0)
    column.data = <const uint8_t *>cnp.PyArray_DATA(array)
    column.stride = cnp.PyArray_STRIDE(array, 0)
    column.itemsize = <size_t>cnp.PyArray_ITEMSIZE(array)
    column.swapped = not dtype.isnative
    column.is_signed = dtype.kind == "i"
    return 0


cdef void describe_blob(_Blob blob, rvh_column *column):
    memset(column, 0, sizeof(rvh_column))
    column.layout = RVH_OFFSETS
    column.data = blob.data
    column.offsets = blob.offsets
    column.offset_size = sizeof(uint64_t)


cdef int raise_for(rvh_status status, object keys, size_t bad) except -1:
    """Raise what a status stands for; return 1 for a call that a Cancel ended, 0 otherwise."""
    if status == RVH_OK:
        return 0
    if status == RVH_STOPPED:
        return -1 if PyErr_Occurred() is not NULL else 1
    if status == RVH_BAD_KEY:
        keys.bytes_at(<Py_ssize_t>bad)
        raise keys_changed()  # the key has bytes now
    raise MemoryError


@cython.final
cdef class _Pieces:
    """A plain column's elements as C reads them: all at once where they stand, or chunk by chunk.

    After each `step`, elements `first` to `last` of `column` are the next ones, of which `done`
    came before. A call is a loop, whose kernel asks `watch.poll` and leaves its answer here:

        while pieces.step():
            with nogil:
                pieces.status = rvh_...(&pieces.column, pieces.first, pieces.last, ...
                                        &pieces.watch.poll, &pieces.bad)
    """

    cdef object keys
    cdef Cancel cancel
    cdef Py_ssize_t start, stop  # what comes next
    cdef _Blob blob  # None where they stand
    cdef rvh_column column
    cdef size_t first, last, done
    cdef Watch watch
    cdef rvh_status status
    cdef size_t bad

    @staticmethod
    cdef _Pieces of(object keys, Py_ssize_t start, Py_ssize_t stop, Cancel cancel):
        cdef _Pieces pieces = _Pieces.__new__(_Pieces)
        pieces.keys, pieces.start, pieces.stop, pieces.cancel = keys, start, stop, cancel
        if is_loaded(keys):
            pieces.blob = _Blob.__new__(_Blob)
        start_watch(&pieces.watch, cancel)
        return pieces

    cdef bint step(self) except -1:
        """Go on to the next elements; False where there are none, or `cancel` ended the call.

        Raises what the kernel's last answer stands for.
        """
        cdef Py_ssize_t count
        if self.status != RVH_OK and raise_for(self.status, self.keys, self.bad):
            return False
        self.done += self.last - self.first
        if self.start >= self.stop:
            return False
        if self.blob is None:
            describe(self.keys, &self.column)
            self.first, self.last = <size_t>self.start, <size_t>self.stop
            self.start = self.stop
            return True
        count = self.blob.fill(self.keys, self.start, min(self.stop, self.start + CHUNK),
                               CHUNK_BYTES)
        describe_blob(self.blob, &self.column)
        self.first, self.last = 0, <size_t>count
        self.start += count
        return True
