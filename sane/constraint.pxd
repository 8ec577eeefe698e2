cimport cython

cdef long long WORD_MAX


@cython.locals(limit="long long")
cdef long long wrap(long long value) noexcept nogil


@cython.locals(
    limit="long long", half="long long", rounded="long long", step="long long"
)
cpdef long long fit_range(
    long long value, long long low, long long high, long long quant
) noexcept nogil


@cython.locals(difference="long long", limit="long long")
cpdef long long distance(long long value, long long entry) noexcept nogil
