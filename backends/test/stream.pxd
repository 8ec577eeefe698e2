# The stream's C types, and its reader without GIL. Pointers and casts are here because the reader
# is called by C, which passes a bare buffer and a bare context (sane/reader.pxd).

cimport cython
from cpython.pycapsule cimport PyCapsule_GetContext, PyCapsule_New, PyCapsule_SetContext
from cpython.ref cimport Py_DECREF, Py_INCREF
from libc.string cimport memcpy, memset

from ...reader cimport pysane_reader


cdef int STATUS_GOOD, STATUS_EOF


@cython.final
cdef class PictureStream:
    cdef tuple _owned
    cdef object _view
    cdef const unsigned char *_tile
    cdef const unsigned char *_row_index
    cdef Py_ssize_t _row_period, _body_bytes, _line_bytes, _tail_start, _lines
    cdef Py_ssize_t _line, _column, _phase, _start, _limit
    cdef long long _left
    cdef int _fill
    cdef pysane_reader _reader

    @cython.locals(size=Py_ssize_t)
    cdef Py_ssize_t _take(self, Py_ssize_t room) noexcept nogil

    @cython.locals(i=Py_ssize_t, row=Py_ssize_t, size=Py_ssize_t, tail_end=Py_ssize_t)
    cdef Py_ssize_t _next_piece(self, Py_ssize_t room) noexcept nogil


cdef inline int deliver(
    PictureStream stream, unsigned char *buf, Py_ssize_t room, Py_ssize_t *n
) noexcept nogil:
    """Fill *buf* as read_into does, and return the status."""
    cdef Py_ssize_t total = stream._take(room)
    cdef Py_ssize_t done = 0
    cdef Py_ssize_t size
    if stream._fill >= 0:
        memset(buf, stream._fill, total)
        done = total
    while done < total:
        size = stream._next_piece(total - done)
        memcpy(buf + done, stream._tile + stream._start, size)
        done += size
    n[0] = total
    return STATUS_GOOD if stream._left > 0 else STATUS_EOF


cdef inline int read_frame(
    void *ctx, unsigned char *buf, Py_ssize_t room, Py_ssize_t *n
) noexcept nogil:
    # A method or an object argument has another signature than the reader's: hence one cast.
    return deliver(<PictureStream> ctx, buf, room, n)


cdef inline object new_capsule(PictureStream stream):
    """Return a capsule over *stream*'s own pysane_reader, which counts as a user of *stream*."""
    stream._reader.read = read_frame
    stream._reader.ctx = <void *> stream
    capsule = PyCapsule_New(&stream._reader, "pysane.reader", release_stream)
    PyCapsule_SetContext(capsule, <void *> stream)
    Py_INCREF(stream)
    return capsule


cdef inline void release_stream(object capsule) noexcept:
    Py_DECREF(<object> PyCapsule_GetContext(capsule))
