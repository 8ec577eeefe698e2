cimport cython


@cython.locals(
    nothing=Py_ssize_t, first=Py_ssize_t, step=Py_ssize_t, size=Py_ssize_t, x=Py_ssize_t,
    left=Py_ssize_t, j=Py_ssize_t, here=Py_ssize_t, before=Py_ssize_t, far=Py_ssize_t,
    middle=Py_ssize_t, is_change=cython.bint
)
cpdef column_profile(
    const unsigned char[::1] image, Py_ssize_t pitch, Py_ssize_t width, Py_ssize_t height,
    Py_ssize_t samples, Py_ssize_t is_up, int[::1] found, int[::1] sums
)


@cython.locals(
    nothing=Py_ssize_t, first=Py_ssize_t, step=Py_ssize_t, size=Py_ssize_t, y=Py_ssize_t,
    start=Py_ssize_t, edge=Py_ssize_t, near=Py_ssize_t, far=Py_ssize_t, j=Py_ssize_t,
    x=Py_ssize_t, middle=Py_ssize_t, is_change=cython.bint
)
cpdef row_profile(
    const unsigned char[::1] image, Py_ssize_t pitch, Py_ssize_t width, Py_ssize_t height,
    Py_ssize_t samples, Py_ssize_t is_left, int[::1] found
)


@cython.locals(at=Py_ssize_t)
cdef Py_ssize_t _pixel(
    const unsigned char[::1] image, Py_ssize_t start, Py_ssize_t x, Py_ssize_t samples
) except? -1


@cython.locals(dark=Py_ssize_t)
cdef bint _differ(Py_ssize_t near, Py_ssize_t far, Py_ssize_t size) noexcept


@cython.locals(i=Py_ssize_t, k=Py_ssize_t, count=Py_ssize_t)
cpdef smooth(int[::1] found, Py_ssize_t nothing, Py_ssize_t near)


@cython.locals(
    width=Py_ssize_t, slopes=double, offsets=Py_ssize_t, middle=Py_ssize_t,
    reach=Py_ssize_t, i=Py_ssize_t, j=Py_ssize_t, slope=double, offset=Py_ssize_t,
    row=Py_ssize_t, column=Py_ssize_t
)
cpdef vote(
    const int[::1] profile, Py_ssize_t nothing, double first_slope, double last_slope,
    Py_ssize_t first_offset, Py_ssize_t last_offset, int[::1] votes
)


cdef int _check(
    const unsigned char[::1] image, Py_ssize_t pitch, Py_ssize_t width, Py_ssize_t height,
    Py_ssize_t samples
) except -1
