cimport cython


@cython.locals(i=Py_ssize_t, n=Py_ssize_t)
cpdef invert(unsigned char[::1] bits)


@cython.locals(
    i=Py_ssize_t, n=Py_ssize_t, pixel=Py_ssize_t, byte=Py_ssize_t, sample=cython.uchar
)
cpdef swap_samples(unsigned char[::1] pixels, Py_ssize_t size)


@cython.locals(i=Py_ssize_t, n=Py_ssize_t, pixel=Py_ssize_t, shift=Py_ssize_t)
cpdef join_lines(
    const unsigned char[::1] lines,
    unsigned char[::1] joined,
    Py_ssize_t line_bytes,
    Py_ssize_t distance,
)
