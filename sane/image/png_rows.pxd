cimport cython


@cython.locals(
    count=Py_ssize_t, row=Py_ssize_t, source=Py_ssize_t, at=Py_ssize_t, i=Py_ssize_t,
    kind=cython.int
)
cpdef unfilter(
    const unsigned char[::1] data, unsigned char[::1] rows, Py_ssize_t size, Py_ssize_t step
)


@cython.locals(i=Py_ssize_t, guess=cython.int)
cdef int _undo_left(
    const unsigned char[::1] data, unsigned char[::1] rows, Py_ssize_t source, Py_ssize_t at,
    Py_ssize_t size, Py_ssize_t step, bint mean
) except -1


@cython.locals(
    i=Py_ssize_t, left=cython.int, up=cython.int, corner=cython.int, guess=cython.int,
    by_left=cython.int, by_up=cython.int, by_corner=cython.int
)
cdef int _undo_paeth(
    const unsigned char[::1] data, unsigned char[::1] rows, Py_ssize_t source, Py_ssize_t at,
    Py_ssize_t size, Py_ssize_t step
) except -1


@cython.locals(
    row_bytes=Py_ssize_t, rows=Py_ssize_t, row=Py_ssize_t, x=Py_ssize_t, each=Py_ssize_t,
    most=cython.int, byte=cython.int, value=cython.int
)
cpdef spread(
    const unsigned char[::1] packed, unsigned char[::1] samples, Py_ssize_t width, Py_ssize_t bits,
    Py_ssize_t factor
)


@cython.locals(n=Py_ssize_t, i=Py_ssize_t, at=Py_ssize_t)
cpdef look_up(
    const unsigned char[::1] indices, const unsigned char[::1] table, unsigned char[::1] pixels
)


@cython.locals(
    count=Py_ssize_t, i=Py_ssize_t, k=Py_ssize_t, alpha=cython.uint, value=cython.uint
)
cpdef on_white(const unsigned char[::1] pixels, unsigned char[::1] out, Py_ssize_t channels)


@cython.locals(
    count=Py_ssize_t, i=Py_ssize_t, k=Py_ssize_t, alpha=cython.ulonglong, value=cython.ulonglong
)
cpdef words_on_white(const unsigned short[::1] pixels, unsigned short[::1] out, Py_ssize_t channels)


@cython.locals(step=Py_ssize_t, i=Py_ssize_t, k=Py_ssize_t, same=cython.int)
cpdef white_where(unsigned char[::1] pixels, const unsigned char[::1] key)
