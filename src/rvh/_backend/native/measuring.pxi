# For tests and measurements.

def rank_scores(const uint64_t[:, :, ::1] scores, PreparedNodes nodes not None,
                cnp.intp_t[:, ::1] out):
    cdef rvh_status status
    if scores.shape[0] == 0:
        return
    with nogil:
        status = rvh_rank_scores(nodes.isa, nodes.nodes, &scores[0, 0, 0],
                                 <size_t>scores.shape[0], <size_t>out.shape[1],
                                 <intptr_t *>&out[0, 0])
    raise_for(status, None, 0)


def neg_log(const uint64_t[::1] m, double[::1] out):
    cdef const rvh_isa *isa = active_isa()
    if m.shape[0] == 0:
        return
    with nogil:
        rvh_neg_log(isa, &m[0], <size_t>m.shape[0], &out[0])


def bare_hashes(size_t words, size_t n):
    """The compression alone, n times, for messages of so many words: the speed limit of hashing."""
    cdef const rvh_isa *isa = active_isa()
    with nogil:
        rvh_bare_hashes(isa, words, n)


def bare_spans(keys):
    """Turn a plain column into bytes and do nothing else; return their total size."""
    cdef uint64_t bytes_ = 0, total = 0
    cdef _Pieces pieces = _Pieces.of(keys, 0, len(keys), None)
    while pieces.step():
        with nogil:
            pieces.status = rvh_bare_spans(&pieces.column, pieces.first, pieces.last, &bytes_)
        total += bytes_
    return total
