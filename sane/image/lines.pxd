cimport cython


@cython.final
cdef class Lines:
    cdef readonly object layout
    cdef readonly Py_ssize_t lines, row_bytes, taken, surplus, missing
    cdef object _pages, _store, _part
    cdef list _starts
    cdef Py_ssize_t _start, _end, _origin, _row, _period, _skip, _stream_end
    cdef Py_ssize_t _part_left, _left, _step, _width, _placed, _first, _last, _count
    cdef int _kind, _mask
    cdef bint _is_even, _is_flat, _is_narrow, _has_ended

    cdef _make_room(self, Py_ssize_t size)

    @cython.locals(start=Py_ssize_t, size=Py_ssize_t)
    cdef Py_ssize_t _read_flat(self, object view, Py_ssize_t room) except -1

    @cython.locals(row_bytes=Py_ssize_t, done=Py_ssize_t, rows=Py_ssize_t)
    cdef Py_ssize_t _read_rows(self, object view, Py_ssize_t room) except -1

    @cython.locals(start=Py_ssize_t, size=Py_ssize_t)
    cdef Py_ssize_t _take_part(self, object view, Py_ssize_t at, Py_ssize_t room) except -1

    @cython.locals(spare=Py_ssize_t)
    cdef Py_ssize_t _ready(self, Py_ssize_t row, Py_ssize_t most) except -1

    cdef Py_ssize_t _shift(self, Py_ssize_t row) except? -1

    @cython.locals(shift=Py_ssize_t, first=Py_ssize_t)
    cdef _assemble(self, object dst, Py_ssize_t at, Py_ssize_t rows)

    cdef _gather(self, object starts, object dst, Py_ssize_t rows)
