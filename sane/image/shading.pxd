cimport cython


@cython.locals(n=Py_ssize_t, start=Py_ssize_t, i=Py_ssize_t)
cpdef add_words(const unsigned short[::1] words, unsigned long long[::1] sums)


@cython.locals(n=Py_ssize_t, start=Py_ssize_t, i=Py_ssize_t, value=cython.uint)
cpdef correct_words(
    unsigned short[::1] words, const unsigned short[::1] offsets,
    const unsigned short[::1] gains, int bits
)


@cython.locals(n=Py_ssize_t, start=Py_ssize_t, i=Py_ssize_t, value=cython.uint)
cpdef correct_bytes(
    unsigned char[::1] samples, const unsigned short[::1] offsets,
    const unsigned short[::1] gains, int bits
)
