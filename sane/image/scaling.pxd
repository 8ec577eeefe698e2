cimport cython


@cython.locals(
    x=Py_ssize_t, channel=Py_ssize_t, k=Py_ssize_t, at=Py_ssize_t, total=cython.uint
)
cpdef mix_columns(
    const unsigned char[::1] src, unsigned char[::1] dst, Py_ssize_t channels,
    const int[::1] firsts, const int[::1] ends, const unsigned int[::1] weights
)


@cython.locals(
    x=Py_ssize_t, channel=Py_ssize_t, k=Py_ssize_t, at=Py_ssize_t, total=cython.uint
)
cpdef mix_column_words(
    const unsigned short[::1] src, unsigned short[::1] dst, Py_ssize_t channels,
    const int[::1] firsts, const int[::1] ends, const unsigned int[::1] weights
)


@cython.locals(n=Py_ssize_t, i=Py_ssize_t, k=Py_ssize_t, total=cython.uint)
cpdef mix_rows(
    const unsigned char[::1] src, unsigned char[::1] dst, const unsigned int[::1] weights
)


@cython.locals(n=Py_ssize_t, i=Py_ssize_t, k=Py_ssize_t, total=cython.uint)
cpdef mix_row_words(
    const unsigned short[::1] src, unsigned short[::1] dst, const unsigned int[::1] weights
)


@cython.locals(
    row=Py_ssize_t, rows=Py_ssize_t, y=Py_ssize_t, x=Py_ssize_t, channel=Py_ssize_t,
    line=Py_ssize_t, at=Py_ssize_t, _=Py_ssize_t, total=cython.uint, whole=cython.uint
)
cpdef mean_bytes(
    const unsigned char[::1] src, unsigned char[::1] dst, Py_ssize_t width, Py_ssize_t channels,
    Py_ssize_t scale
)


@cython.locals(
    row=Py_ssize_t, rows=Py_ssize_t, y=Py_ssize_t, x=Py_ssize_t, channel=Py_ssize_t,
    line=Py_ssize_t, at=Py_ssize_t, _=Py_ssize_t, total=cython.uint, whole=cython.uint
)
cpdef mean_words(
    const unsigned short[::1] src, unsigned short[::1] dst, Py_ssize_t width, Py_ssize_t channels,
    Py_ssize_t scale
)
