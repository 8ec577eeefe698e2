cimport cython


@cython.locals(i=Py_ssize_t, whole=cython.uint, value=cython.uint)
cpdef mix_bytes(
    const unsigned char[::1] rgb, unsigned char[::1] gray, unsigned int red, unsigned int green,
    unsigned int blue
)


@cython.locals(i=Py_ssize_t, whole=cython.uint, value=cython.uint)
cpdef mix_words(
    const unsigned short[::1] rgb, unsigned short[::1] gray, unsigned int red, unsigned int green,
    unsigned int blue
)


@cython.locals(
    row_bytes=Py_ssize_t, rows=Py_ssize_t, row=Py_ssize_t, column=Py_ssize_t, i=Py_ssize_t,
    start=Py_ssize_t, byte=cython.int
)
cpdef bits_from_gray(
    const unsigned char[::1] gray, unsigned char[::1] bits, Py_ssize_t width, Py_ssize_t threshold
)


@cython.locals(
    row_bytes=Py_ssize_t, row_samples=Py_ssize_t, rows=Py_ssize_t, row=Py_ssize_t,
    start=Py_ssize_t, at=Py_ssize_t, column=Py_ssize_t, channel=Py_ssize_t, byte=cython.int,
    value=cython.int, flip=cython.int
)
cpdef bytes_from_bits(
    const unsigned char[::1] bits, unsigned char[::1] samples, Py_ssize_t width,
    Py_ssize_t channels
)


@cython.locals(row=Py_ssize_t, i=Py_ssize_t, start=Py_ssize_t, at=Py_ssize_t)
cpdef gather_bytes(
    const unsigned char[::1] src, Py_ssize_t src_pitch, Py_ssize_t src_step,
    unsigned char[::1] dst, Py_ssize_t dst_pitch, Py_ssize_t dst_step,
    Py_ssize_t rows, const int[::1] sources, const int[::1] targets, unsigned char mask
)


@cython.locals(
    row=Py_ssize_t, i=Py_ssize_t, j=Py_ssize_t, start=Py_ssize_t, at=Py_ssize_t,
    native_high=Py_ssize_t, value=cython.uint, flip=cython.uint, most=cython.uint,
    up=cython.int, down=cython.int
)
cpdef gather_words(
    const unsigned char[::1] src, Py_ssize_t src_pitch, Py_ssize_t src_step,
    unsigned char[::1] dst, Py_ssize_t dst_pitch, Py_ssize_t dst_step,
    Py_ssize_t rows, const int[::1] sources, const int[::1] targets, unsigned char mask,
    int bits, Py_ssize_t high
)


@cython.locals(
    row=Py_ssize_t, i=Py_ssize_t, start=Py_ssize_t, at=Py_ssize_t, size=Py_ssize_t,
    end=Py_ssize_t, value=cython.uint, unused=cython.int
)
cpdef shift_bits(
    const unsigned char[::1] src, Py_ssize_t src_pitch,
    unsigned char[::1] dst, Py_ssize_t dst_pitch,
    Py_ssize_t rows, Py_ssize_t width, int left, unsigned char mask
)


@cython.locals(
    row=Py_ssize_t, i=Py_ssize_t, start=Py_ssize_t, at=Py_ssize_t, x=Py_ssize_t,
    bit=cython.uint
)
cpdef gather_bits(
    const unsigned char[::1] src, Py_ssize_t src_pitch,
    unsigned char[::1] dst, Py_ssize_t dst_pitch,
    Py_ssize_t rows, const int[::1] sources, const int[::1] targets, unsigned char mask
)


@cython.locals(i=Py_ssize_t, k=Py_ssize_t, at=Py_ssize_t, before=Py_ssize_t)
cpdef smooth_words(
    const unsigned char[::1] src, unsigned short[::1] dst, const int[::1] columns,
    Py_ssize_t channels, int shift
)
