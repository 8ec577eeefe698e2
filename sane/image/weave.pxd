cimport cython


@cython.locals(row=Py_ssize_t, start=Py_ssize_t, at=Py_ssize_t, i=Py_ssize_t)
cpdef copy(
    const unsigned char[::1] src, Py_ssize_t src_pitch,
    unsigned char[::1] dst, Py_ssize_t dst_pitch,
    Py_ssize_t rows, Py_ssize_t size, unsigned char mask
)


@cython.locals(row=Py_ssize_t, start=Py_ssize_t, at=Py_ssize_t, i=Py_ssize_t, last=Py_ssize_t)
cpdef weave(
    const unsigned char[::1] red, const unsigned char[::1] green, const unsigned char[::1] blue,
    Py_ssize_t src_pitch, Py_ssize_t src_step,
    unsigned char[::1] dst, Py_ssize_t dst_pitch,
    Py_ssize_t rows, Py_ssize_t width, unsigned char mask
)


cdef int _check(Py_ssize_t size, Py_ssize_t pitch, Py_ssize_t rows, Py_ssize_t length) except -1
