# The C types of blocks.py, and its reader without GIL. Pointers, casts and three system calls are
# here because the reader is called by C, which passes a bare buffer and context (sane/reader.pxd).

cimport cython
from cpython.pycapsule cimport PyCapsule_GetContext, PyCapsule_New, PyCapsule_SetContext
from cpython.ref cimport Py_DECREF, Py_INCREF
from libc.errno cimport EAGAIN, EINTR, errno
from posix.uio cimport iovec, readv

from ...reader cimport pysane_reader

cdef extern from "poll.h" nogil:
    cdef struct pollfd:
        int fd
        short events
        short revents
    int poll(pollfd *fds, unsigned long count, int timeout_ms)
    short POLLIN

cdef extern from "sys/socket.h" nogil:
    Py_ssize_t send(int fd, const void *data, size_t size, int flags)
    int MSG_NOSIGNAL
    int MSG_DONTWAIT


cdef Py_ssize_t HEAD_BYTES, ACK_BYTES, EXPECTED_AT, SIZE_AT
cdef int MAGIC_I, MAGIC_S, FAILED_BITS, CANCEL_BIT
cdef int RUNNING, GOOD, CANCELLED, EOF, IO_ERROR
cdef int CLOSED, FAILED, SILENT, NO_HEAD, OTHER_SIZE, BAD_STATUS, UNSENT


@cython.final
cdef class NetBlocks:
    cdef object _owned, _owned_ack
    cdef public object send, stream
    cdef unsigned char *_tail
    cdef unsigned char *_ack
    cdef int _fd, _cancel_fd, _mask, _flip, _answer_ms, _stall_ms, _status, _cause
    cdef Py_ssize_t _size, _last, _left, _head_bytes
    cdef long long _full, _count, _done
    cdef bint _is_asked
    cdef pysane_reader _reader

    cdef Py_ssize_t _block_bytes(self) noexcept nogil

    @cython.locals(part=Py_ssize_t, data=Py_ssize_t)
    cdef Py_ssize_t _arrived(self, Py_ssize_t n, Py_ssize_t wanted) noexcept nogil

    @cython.locals(i=Py_ssize_t, size=Py_ssize_t, tail=cython.p_uchar)
    cdef void _check_head(self, Py_ssize_t n) noexcept nogil

    @cython.locals(i=Py_ssize_t, expected=Py_ssize_t, status=cython.int)
    cdef void _check_status(self) noexcept nogil

    cdef void _end(self, int cause) noexcept nogil


cdef inline bint wait_for_data(NetBlocks blocks) noexcept nogil:
    """Wait for data; return whether the frontend cancelled. A negative fd is ignored by poll."""
    cdef pollfd fds[2]
    cdef int ready
    fds[0].fd, fds[0].events, fds[0].revents = blocks._fd, POLLIN, 0
    fds[1].fd, fds[1].events, fds[1].revents = blocks._cancel_fd, POLLIN, 0
    ready = poll(fds, 2, blocks._stall_ms if blocks._head_bytes else blocks._answer_ms)
    if ready > 0 and fds[1].revents:
        return True
    if ready == 0:
        blocks._end(SILENT)
    return False


cdef inline int read_blocks(
    void *ctx, unsigned char *buf, Py_ssize_t room, Py_ssize_t *n
) noexcept nogil:
    """Fill *buf* as NetBlocks.take does."""
    return fill(<NetBlocks> ctx, buf, room, n)


cdef inline int fill(
    NetBlocks blocks, unsigned char *buf, Py_ssize_t room, Py_ssize_t *n
) noexcept nogil:
    cdef iovec places[3]
    cdef Py_ssize_t total = 0, wanted, got, i
    n[0] = 0
    while not total and blocks._status == RUNNING:
        wanted = min(room, blocks._left)
        places[0].iov_base = blocks._tail + blocks._head_bytes
        places[0].iov_len = HEAD_BYTES - blocks._head_bytes
        places[1].iov_base, places[1].iov_len = buf, wanted
        places[2].iov_base = blocks._tail + HEAD_BYTES
        places[2].iov_len = 1 if wanted == blocks._left else 0
        got = readv(blocks._fd, places, 3)
        if got < 0 and errno == EINTR:
            continue
        if got < 0 and errno == EAGAIN:
            if wait_for_data(blocks):
                return CANCELLED
            continue
        if got <= 0:
            blocks._end(CLOSED if got == 0 else FAILED)
            break
        total = blocks._arrived(got, wanted)
        if not blocks._is_asked and blocks._status == RUNNING:
            got = send(blocks._fd, blocks._ack, ACK_BYTES, MSG_NOSIGNAL | MSG_DONTWAIT)
            if got != ACK_BYTES:
                blocks._end(UNSENT)
                break
            blocks._is_asked = True
    if blocks._flip:
        for i in range(total):
            buf[i] = 255 - buf[i]
    n[0] = total
    return GOOD if total else blocks._status


cdef inline object new_capsule(NetBlocks blocks):
    """Return a capsule over *blocks*'s own pysane_reader, which counts as a user of *blocks*."""
    blocks._reader.read = read_blocks
    blocks._reader.ctx = <void *> blocks
    capsule = PyCapsule_New(&blocks._reader, "pysane.reader", release_blocks)
    PyCapsule_SetContext(capsule, <void *> blocks)
    Py_INCREF(blocks)
    return capsule


cdef inline void release_blocks(object capsule) noexcept:
    Py_DECREF(<object> PyCapsule_GetContext(capsule))
