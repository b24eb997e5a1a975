# Stopping a running kernel: Cancel, and signals.

cdef class Cancel:
    cdef volatile int flag

    def set(self):
        self.flag = 1

    def is_set(self):
        return self.flag != 0


cdef struct Watch:
    volatile int *flag
    int signals  # whether this thread is the one that Python's signal handlers run on
    long long checked  # when they last could, in milliseconds


cdef long long milliseconds() noexcept nogil:
    cdef timespec now
    timespec_get(&now, TIME_UTC)
    return now.tv_sec * 1000 + now.tv_nsec // 1000000


cdef int should_stop(void *context) noexcept nogil:
    """The poll of a running kernel: the flag always, the GIL for signals only now and then."""
    cdef Watch *watch = <Watch *>context
    cdef long long now
    if watch.flag is not NULL and watch.flag[0]:
        return 1
    if not watch.signals:
        return 0
    now = milliseconds()
    if 0 <= now - watch.checked < 30:
        return 0
    watch.checked = now
    with gil:
        return PyErr_CheckSignals() != 0


cdef void start_watch(Watch *watch, rvh_poll *poll, Cancel cancel):
    watch.flag = NULL if cancel is None else &cancel.flag
    watch.signals = threading.current_thread() is threading.main_thread()
    watch.checked = milliseconds()
    poll.stop = should_stop
    poll.context = watch
    poll.left = 0
    poll.stopped = 0


cdef int check_signals() except -1:
    """Let Python's signal handlers run, and an error of theirs end the call."""
    return -1 if PyErr_CheckSignals() != 0 else 0


cdef list named(list names, const intptr_t *chosen, Py_ssize_t k):
    """What `names` says of k positions."""
    cdef Py_ssize_t i, first = 0
    cdef list found
    if k == 1:  # most calls: no loop, no list that grows
        return [names[chosen[0]]]
    if k <= NAMED:
        return [names[chosen[i]] for i in range(k)]
    found = []
    while first < k:
        found += [names[chosen[i]] for i in range(first, min(k, first + NAMED))]
        first += NAMED
        check_signals()
    return found


cdef int write_names(object names, object chosen, object out, Cancel cancel) except -1:
    """What `names` says of positions, into `out`: nothing where a call that ended left garbage."""
    if cancel is None or not cancel.flag:
        take(names, chosen, out)
    return 0
