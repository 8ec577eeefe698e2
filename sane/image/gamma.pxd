cimport cython


@cython.locals(i=Py_ssize_t)
cpdef map_bytes(
    unsigned char[::1] samples, const unsigned short[::1] mapping, Py_ssize_t first,
    Py_ssize_t step, int down
)


@cython.locals(i=Py_ssize_t)
cpdef map_words(
    unsigned short[::1] samples, const unsigned short[::1] mapping, Py_ssize_t first,
    Py_ssize_t step, int down
)
