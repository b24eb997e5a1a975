# One key's nodes: the method of NodeSet, which is called more often than any other.

cdef class Bound:
    """What a call for one key answers from; never changed, so that it sees one or another whole."""

    cdef readonly object nodes
    cdef PreparedNodes prepared
    cdef list ids
    cdef readonly Py_ssize_t selectable
    cdef object count  # checks how many nodes are asked for, and raises what is wrong with it
    cdef readonly uint64_t epoch

    @cython.final
    cdef Py_ssize_t asked(self, object k) except -1:
        """How many nodes are asked for."""
        cdef Py_ssize_t count = 0
        cdef int overflow = 0
        if PyLong_CheckExact(k):
            count = <Py_ssize_t>PyLong_AsLongLongAndOverflow(k, &overflow)
        return count if 0 < count <= self.selectable else self.count(k)


@cython.auto_pickle(False)
cdef class Selector:
    cdef readonly object _ranking
    cdef Bound _bound  # of the ranking; made with the first answer, since it has all ids

    def __init__(self, ranking):
        self._ranking, self._bound = ranking, None

    cdef int _bind(self) except -1:
        cdef Bound bound = Bound()
        ranking = self._ranking
        bound.prepared, bound.ids = ranking.nodes, ranking.names()
        bound.selectable, bound.count = ranking.selectable, ranking.check_k
        self._bound = bound
        return 0

    # A function as Python's own, with annotations; Python calls it as fast as a method of C.
    @cython.binding(True)
    @cython.embedsignature(False)
    @cython.annotation_typing(False)
    def select(self, key: Key, k: int = 1) -> list[Any]:
        """Select the best `k` nodes of one key.

        Parameters
        ----------
        key : str, bytes-like or int
        k : int
            The number of nodes, from 1 to the number of nodes with a weight above 0.

        Returns
        -------
        list
            ``k`` node ids, best first.

        Raises
        ------
        RVHError
            ``k`` out of range, or a key without bytes (which is also a TypeError).

        Examples
        --------
        >>> import rvh
        >>> rvh.NodeSet(["node1", "node2", "node3"]).select("obj", k=2)
        ['node1', 'node2']
        """
        cdef Py_ssize_t count
        cdef blake2_simd_bytes span
        cdef uint8_t word[8]
        cdef intptr_t best
        if self._bound is None:
            self._bind()
        count = self._bound.asked(k)
        _owner = None if borrow_bytes(key, &span, word) else bytes_of(key, -1, "key", &span, word)
        if count > 1 or not self._bound.prepared.is_short(span):
            return self._several(self._bound, span, count)
        # Until the answer is made no other thread runs, so nothing is owned: a reference that is
        # counted up and down at once makes the processor wait for its own writing.
        self._bound.prepared.choose_short(span, 1, &best)
        return [self._bound.ids[best]]

    cdef list _several(self, Bound bound, blake2_simd_bytes span, Py_ssize_t k):
        cdef Positions positions
        allocate(&positions, k)
        try:
            bound.prepared.choose(span, k, positions.chosen, None)
            return named(bound.ids, positions.chosen, k)
        finally:
            release(&positions)
