cimport cython


@cython.locals(i=Py_ssize_t, n=Py_ssize_t)
cpdef mean_from_rgb(const unsigned char[::1] rgb, unsigned char[::1] gray)


@cython.locals(
    row_bytes=Py_ssize_t, rows=Py_ssize_t, row=Py_ssize_t, column=Py_ssize_t, i=Py_ssize_t,
    start=Py_ssize_t, byte=cython.int
)
cpdef bits_from_gray(
    const unsigned char[::1] gray, unsigned char[::1] bits, Py_ssize_t width, Py_ssize_t threshold
)
