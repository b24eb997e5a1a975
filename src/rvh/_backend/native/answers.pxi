# Answers: memory for positions, and the names that are given for them.

cdef struct Positions:
    # Nodes of one key's answer: a few need no allocation.
    intptr_t *chosen
    intptr_t few[FEW]


cdef int allocate(Positions *positions, Py_ssize_t k) except -1:
    """Make room for k positions, until `release`."""
    positions.chosen = positions.few
    if k > FEW:
        positions.chosen = <intptr_t *>malloc(<size_t>k * sizeof(intptr_t))
        if positions.chosen is NULL:
            raise MemoryError
    return 0


cdef void release(Positions *positions) noexcept:
    if positions.chosen is not positions.few:
        free(positions.chosen)


ctypedef fused node_position:
    intptr_t
    uint32_t


cdef list named(list names, const node_position *chosen, Py_ssize_t k):
    """The names at k positions, or without names the positions themselves."""
    cdef Py_ssize_t i, first = 0, last
    cdef list answer
    if k == 1 and names is not None:  # most calls: no loop, no list that grows
        return [names[chosen[0]]]
    answer = []
    while True:
        last = min(k, first + NAMED)
        for i in range(first, last):
            answer.append(names[chosen[i]] if names is not None else chosen[i])
        if last == k:
            return answer
        first = last
        check_signals()


cdef cnp.ndarray positions_for(object names, cnp.ndarray out):
    """The array, of the shape (rows, k), that takes the positions of an answer.

    It is `out` where these are the answer. Where names are, it is another, of one block: positions
    of all rows would double the memory.
    """
    if names is not None:
        return cnp.PyArray_EMPTY(2, cnp.PyArray_DIMS(out), cnp.NPY_INTP, 0)
    if not (cnp.PyArray_TYPE(out) == cnp.NPY_INTP and cnp.PyArray_IS_C_CONTIGUOUS(out)):
        raise ValueError("out is not a C-contiguous array of intp")
    return out


cdef int write_names(object names, cnp.ndarray chosen, cnp.ndarray out, Cancel cancel) except -1:
    """The names of positions into `out`; nothing where `cancel` ended the call before these."""
    if names is not None and (cancel is None or not cancel.flag):
        take(names, chosen, out)
    return 0
