cimport cython


@cython.locals(
    row=Py_ssize_t, start=Py_ssize_t, i=Py_ssize_t, low=cython.int, high=cython.int,
    value=cython.int, span=cython.int
)
cpdef stretch_rows(unsigned char[::1] gray, Py_ssize_t width)


@cython.locals(
    row_bytes=Py_ssize_t, rows=Py_ssize_t, row=Py_ssize_t, start=Py_ssize_t, i=Py_ssize_t,
    j=Py_ssize_t, half=Py_ssize_t, ahead=Py_ssize_t, behind=Py_ssize_t, total=Py_ssize_t,
    value=Py_ssize_t, mean=Py_ssize_t, is_wrong=cython.bint
)
cpdef follow_rows(
    const unsigned char[::1] gray, unsigned char[::1] bits, Py_ssize_t width, Py_ssize_t window,
    Py_ssize_t first, const unsigned char[::1] levels
)
