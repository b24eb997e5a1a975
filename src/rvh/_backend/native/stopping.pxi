# Stopping a running kernel: Cancel, and signals.

cdef class Cancel:
    cdef volatile int flag

    def set(self):
        self.flag = 1

    def is_set(self):
        return self.flag != 0


cdef struct Watch:
    rvh_poll poll  # what the kernel asks
    volatile int *flag  # of a Cancel, or NULL
    int signals  # whether Python's signal handlers run on this thread
    long long checked  # when they last could run, in milliseconds


cdef long long milliseconds() noexcept nogil:
    cdef timespec now
    timespec_get(&now, TIME_UTC)
    return now.tv_sec * 1000 + now.tv_nsec // 1000000


cdef int should_stop(void *context) noexcept nogil:
    """The poll of a running kernel: looks at the flag always, takes the GIL for signals rarely."""
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


cdef void start_watch(Watch *watch, Cancel cancel):
    """Make ready for one call; the watch and the Cancel stay where they are until it ends."""
    watch.flag = NULL  # `NULL if ... else` would be a void *, which loses what is qualified
    if cancel is not None:
        watch.flag = &cancel.flag
    watch.signals = threading.current_thread() is threading.main_thread()
    watch.checked = milliseconds()
    watch.poll.stop = should_stop
    watch.poll.context = watch
    watch.poll.left = 0
    watch.poll.stopped = 0


cdef int check_signals() except -1:
    """Let Python's signal handlers run; an error that they raise ends the call."""
    return -1 if PyErr_CheckSignals() != 0 else 0
