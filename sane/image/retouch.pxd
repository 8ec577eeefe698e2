cimport cython


@cython.locals(
    y=Py_ssize_t, down=Py_ssize_t, x=Py_ssize_t, along=Py_ssize_t, from_x=Py_ssize_t,
    from_y=Py_ssize_t, at=Py_ssize_t, start=Py_ssize_t, mask=cython.int
)
cpdef rotate(
    const unsigned char[::1] src, unsigned char[::1] dst, Py_ssize_t pitch, Py_ssize_t width,
    Py_ssize_t height, Py_ssize_t samples, Py_ssize_t center_x, Py_ssize_t center_y,
    double cosine, double sine, Py_ssize_t first, Py_ssize_t last
)


@cython.locals(y=Py_ssize_t, x=Py_ssize_t, row=Py_ssize_t, column=Py_ssize_t, at=Py_ssize_t)
cpdef despeckle(
    unsigned char[::1] image, Py_ssize_t pitch, Py_ssize_t width, Py_ssize_t height,
    Py_ssize_t samples, Py_ssize_t size, int[::1] sums
)


@cython.locals(x=Py_ssize_t, i=Py_ssize_t)
cdef void _sum_up(
    const unsigned char[::1] image, Py_ssize_t start, Py_ssize_t at, Py_ssize_t width,
    Py_ssize_t samples, int[::1] sums
) noexcept


@cython.locals(
    darkest=Py_ssize_t, row=Py_ssize_t, at=Py_ssize_t, column=Py_ssize_t, limit=Py_ssize_t,
    step=Py_ssize_t
)
cdef bint _is_speck(
    const int[::1] sums, Py_ssize_t y, Py_ssize_t width, Py_ssize_t x, Py_ssize_t white,
    Py_ssize_t size
) noexcept


@cython.locals(
    sample=Py_ssize_t, total=Py_ssize_t, row=Py_ssize_t, step=Py_ssize_t, column=Py_ssize_t,
    mean=Py_ssize_t
)
cdef void _lighten(
    unsigned char[::1] image, Py_ssize_t y, Py_ssize_t pitch, Py_ssize_t x,
    Py_ssize_t samples, Py_ssize_t size
) noexcept


@cython.locals(row=Py_ssize_t, column=Py_ssize_t, is_dark=cython.bint, is_edge=cython.bint)
cdef bint _has_speck(
    const unsigned char[::1] image, Py_ssize_t y, Py_ssize_t pitch, Py_ssize_t x, Py_ssize_t size
) noexcept


@cython.locals(
    end=Py_ssize_t, total=Py_ssize_t, row=Py_ssize_t, start=Py_ssize_t, column=Py_ssize_t,
    at=Py_ssize_t
)
cpdef Py_ssize_t darkness(
    const unsigned char[::1] image, Py_ssize_t pitch, Py_ssize_t x, Py_ssize_t y,
    Py_ssize_t samples, Py_ssize_t size
) except? -1


cdef int _check(
    Py_ssize_t size, Py_ssize_t pitch, Py_ssize_t width, Py_ssize_t height, Py_ssize_t samples
) except -1
