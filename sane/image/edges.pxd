cimport cython


@cython.locals(
    span=Py_ssize_t, level=Py_ssize_t, part=Py_ssize_t, kept=Py_ssize_t, nothing=Py_ssize_t,
    value=Py_ssize_t, start=Py_ssize_t, first=Py_ssize_t, step=Py_ssize_t, x=Py_ssize_t,
    left=Py_ssize_t, j=Py_ssize_t, here=Py_ssize_t, before=Py_ssize_t, far=Py_ssize_t,
    middle=Py_ssize_t, is_change=cython.bint
)
cpdef column_profile(
    const unsigned char[::1] image, Py_ssize_t pitch, Py_ssize_t width, Py_ssize_t height,
    Py_ssize_t samples, Py_ssize_t is_up, int[::1] found, int[::1] sums
)


@cython.locals(
    span=Py_ssize_t, level=Py_ssize_t, part=Py_ssize_t, nothing=Py_ssize_t, first=Py_ssize_t,
    step=Py_ssize_t, y=Py_ssize_t, value=Py_ssize_t, start=Py_ssize_t, edge=Py_ssize_t,
    near=Py_ssize_t, far=Py_ssize_t, j=Py_ssize_t, x=Py_ssize_t, middle=Py_ssize_t,
    is_change=cython.bint
)
cpdef row_profile(
    const unsigned char[::1] image, Py_ssize_t pitch, Py_ssize_t width, Py_ssize_t height,
    Py_ssize_t samples, Py_ssize_t is_left, int[::1] found, int[::1] sums
)


@cython.locals(at=Py_ssize_t)
cdef Py_ssize_t _pixel(
    const unsigned char[::1] image, Py_ssize_t start, Py_ssize_t x, Py_ssize_t samples
) noexcept


@cython.locals(bright=Py_ssize_t)
cdef bint _differ(
    Py_ssize_t near, Py_ssize_t far, Py_ssize_t level, Py_ssize_t part
) noexcept


@cython.locals(most=Py_ssize_t, enough=Py_ssize_t, i=Py_ssize_t, k=Py_ssize_t, count=Py_ssize_t)
cpdef smooth(int[::1] found, Py_ssize_t nothing, Py_ssize_t near)


@cython.locals(
    width=Py_ssize_t, bins=Py_ssize_t, offsets=Py_ssize_t, middle=Py_ssize_t, reach=Py_ssize_t,
    i=Py_ssize_t, j=Py_ssize_t, here=Py_ssize_t, slope=double, offset=Py_ssize_t, grid=Py_ssize_t,
    low=double, high=double, bottom=Py_ssize_t, row=Py_ssize_t, column=Py_ssize_t
)
cpdef vote(
    const int[::1] profile, Py_ssize_t nothing, double first_slope, double last_slope,
    double slope_shift, Py_ssize_t first_offset, Py_ssize_t last_offset,
    Py_ssize_t offset_shift, int[::1] votes
)


cdef double _ratio(double rise, double run) noexcept


cdef int _check(
    Py_ssize_t size, Py_ssize_t pitch, Py_ssize_t width, Py_ssize_t height, Py_ssize_t samples
) except -1
