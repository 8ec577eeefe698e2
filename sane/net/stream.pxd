# The stream's C types, and its reader without GIL. Pointers, casts and two system calls are here
# because the reader is called by C, which passes a bare buffer and context (sane/reader.pxd).

cimport cython
from cpython.pycapsule cimport PyCapsule_GetContext, PyCapsule_New, PyCapsule_SetContext
from cpython.ref cimport Py_DECREF, Py_INCREF
from libc.errno cimport EAGAIN, EINTR, errno
from posix.uio cimport iovec, readv

from ..reader cimport pysane_reader

cdef extern from "poll.h" nogil:
    cdef struct pollfd:
        int fd
        short events
        short revents
    int poll(pollfd *fds, unsigned long count, int timeout_ms)
    short POLLIN

cdef extern from *:
    # POLLRDHUP wants _GNU_SOURCE before the first header; the number is the kernel's.
    """
    #define PYSANE_POLLRDHUP 0x2000
    """
    short PYSANE_POLLRDHUP


cdef Py_ssize_t HEAD_BYTES
cdef long long END
cdef int RUNNING, GOOD, CANCELLED, EOF, IO_ERROR
cdef int CLOSED, FAILED, LOST, NO_STATUS, EMPTY, MOST_EMPTY


@cython.final
cdef class FrameStream:
    cdef object _owned
    cdef unsigned char *_head
    cdef Py_ssize_t _head_bytes
    cdef long long _left
    cdef readonly long long received
    cdef int _status, _cause, _fd, _cancel_fd, _control_fd, _held, _spare, _empty
    cdef bint _is_marked, _swap, _non_blocking
    cdef pysane_reader _reader

    cdef Py_ssize_t _wanted(self, Py_ssize_t room) noexcept nogil

    cdef Py_ssize_t _head_room(self, Py_ssize_t wanted) noexcept nogil

    @cython.locals(data=Py_ssize_t, i=Py_ssize_t)
    cdef Py_ssize_t _count(self, Py_ssize_t n, Py_ssize_t wanted) noexcept nogil

    cdef void _end(self, int cause) noexcept nogil


cdef inline bint wait_for_data(FrameStream stream, int timeout_ms) noexcept nogil:
    """Wait as _wait does; return whether the frontend cancelled. poll ignores a negative fd."""
    cdef pollfd fds[3]
    fds[0].fd, fds[0].events, fds[0].revents = stream._fd, POLLIN, 0
    fds[1].fd, fds[1].events, fds[1].revents = stream._cancel_fd, POLLIN, 0
    fds[2].fd, fds[2].events, fds[2].revents = stream._control_fd, PYSANE_POLLRDHUP, 0
    poll(fds, 3, timeout_ms)
    if fds[1].revents:
        return True
    if fds[2].revents and not fds[0].revents:
        stream._end(LOST)
    return False


cdef inline int take(
    FrameStream stream, unsigned char *buf, Py_ssize_t room, bint block, Py_ssize_t *n
) noexcept nogil:
    """Fill *buf* as _take does, data and the next head with one call of the system."""
    cdef iovec places[2]
    cdef Py_ssize_t total = 0, wanted, got
    while total < room and stream._status == RUNNING:
        wanted = stream._wanted(room - total)
        places[0].iov_base, places[0].iov_len = buf + total, wanted
        places[1].iov_base = stream._head + stream._head_bytes
        places[1].iov_len = stream._head_room(wanted)
        got = readv(stream._fd, places, 2)
        if got < 0 and errno == EINTR:
            continue
        if got < 0 and errno == EAGAIN:
            if total or not block:
                break
            if wait_for_data(stream, -1):
                n[0] = 0
                return CANCELLED
            continue
        if got <= 0:
            if not total:
                stream._end(CLOSED if got == 0 else FAILED)
            break
        total += stream._count(got, wanted)
        if total and got < wanted + <Py_ssize_t> places[1].iov_len:
            break
        if not total and stream._status == RUNNING and wait_for_data(stream, 0):
            n[0] = 0
            return CANCELLED
    n[0] = total
    return GOOD if total or stream._status == RUNNING else stream._status


cdef inline int deliver(
    FrameStream stream, unsigned char *buf, Py_ssize_t room, Py_ssize_t *n
) noexcept nogil:
    """Fill *buf* as _deliver does, and return the status: GOOD if there is any byte."""
    cdef Py_ssize_t total = 0, got = 0, i, even
    cdef unsigned char single, other
    cdef unsigned char *place
    cdef int status = GOOD
    cdef bint offset
    if not stream._swap:
        return take(stream, buf, room, not stream._non_blocking, n)
    if stream._spare >= 0 and room:
        buf[0] = <unsigned char> stream._spare
        stream._spare = -1
        total = 1
    while total < room:
        offset = stream._held >= 0 and room - total > 1
        place = &single if room - total == 1 else buf + total + offset
        i = 1 if room - total == 1 else room - total - offset
        status = take(stream, place, i, not total and not stream._non_blocking, &got)
        if not got:
            break
        if room - total == 1:
            if stream._held < 0:
                stream._held = single
                continue
            buf[total] = single
            stream._spare = stream._held
            stream._held = -1
            total += 1
            continue
        if offset:
            buf[total] = <unsigned char> stream._held
        got += offset
        even = got - got % 2
        stream._held = buf[total + even] if got % 2 else -1
        for i in range(0, even, 2):
            other = buf[total + i]
            buf[total + i] = buf[total + i + 1]
            buf[total + i + 1] = other
        total += even
    if status == EOF and stream._held >= 0 and total < room:
        buf[total] = <unsigned char> stream._held
        stream._held = -1
        total += 1
    n[0] = total
    return GOOD if total else status


cdef inline int read_frame(
    void *ctx, unsigned char *buf, Py_ssize_t room, Py_ssize_t *n
) noexcept nogil:
    # A method or an object argument has another signature than the reader's: hence one cast.
    return deliver(<FrameStream> ctx, buf, room, n)


cdef inline object new_capsule(FrameStream stream):
    """Return a capsule over *stream*'s own pysane_reader, which counts as a user of *stream*."""
    stream._reader.read = read_frame
    stream._reader.ctx = <void *> stream
    capsule = PyCapsule_New(&stream._reader, "pysane.reader", release_stream)
    PyCapsule_SetContext(capsule, <void *> stream)
    Py_INCREF(stream)
    return capsule


cdef inline void release_stream(object capsule) noexcept:
    Py_DECREF(<object> PyCapsule_GetContext(capsule))
