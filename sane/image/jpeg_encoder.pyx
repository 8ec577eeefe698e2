# cython: language_level=3
"""JPEG pictures made row by row: libjpeg or libjpeg-turbo.

It does no I/O. libjpeg's errors leave it by longjmp, over C only. Source: libjpeg.txt of the
Independent JPEG Group, "I/O suspension".
"""

from libc.setjmp cimport jmp_buf, longjmp, setjmp
from libc.stdlib cimport free, realloc

from .libjpeg cimport *

from .encoder import Encoder

cdef enum:
    MESSAGE_BYTES = 256  # JMSG_LENGTH_MAX is 200
    FAILED = -1
    WAITING = 0
    DONE = 1
    FIRST_BYTES = 1 << 16  # of the buffer for what libjpeg writes; it grows


cdef struct Sink:
    jpeg_compress_struct info
    jpeg_error_mgr error
    jpeg_destination_mgr target
    jmp_buf escape
    char message[MESSAGE_BYTES]
    unsigned char *buffer
    size_t size


cdef void ignore(jpeg_common_struct *common) noexcept nogil:
    """Print nothing."""


cdef void leave_sink(jpeg_common_struct *common) noexcept nogil:
    """Leave libjpeg by longjmp: it must never return from an error, nor end the program."""
    cdef Sink *sink = <Sink *>(<jpeg_compress_struct *>common).client_data
    common.err.format_message(common, sink.message)
    longjmp(sink.escape, 1)


cdef void sink_nothing(jpeg_compress_struct *info) noexcept nogil:
    """Begin or end the target, which needs neither."""


cdef boolean grow(jpeg_compress_struct *info) noexcept nogil:
    """Double the buffer, which is full; without memory libjpeg gives up."""
    cdef Sink *sink = <Sink *>info.client_data
    cdef unsigned char *larger = <unsigned char *>realloc(sink.buffer, 2 * sink.size)
    if larger == NULL:
        return False
    sink.buffer = larger
    sink.target.next_output_byte = larger + sink.size
    sink.target.free_in_buffer = sink.size
    sink.size *= 2
    return True


cdef int open_sink(Sink *sink) noexcept nogil:
    if setjmp(sink.escape):
        return FAILED
    jpeg_create_compress(&sink.info)
    return DONE


cdef int begin_picture(
    Sink *sink, int width, int height, int channels, int quality, int dpi, bint halves_color
) noexcept nogil:
    if setjmp(sink.escape):
        return FAILED
    sink.info.image_width = width
    sink.info.image_height = height
    sink.info.input_components = channels
    sink.info.in_color_space = JCS_GRAYSCALE if channels == 1 else JCS_RGB
    jpeg_set_defaults(&sink.info)
    jpeg_set_quality(&sink.info, quality, True)
    if channels == 3 and not halves_color:
        sink.info.comp_info[0].h_samp_factor = 1
        sink.info.comp_info[0].v_samp_factor = 1
    if dpi:
        sink.info.density_unit = 1
        sink.info.X_density = dpi
        sink.info.Y_density = dpi
    jpeg_start_compress(&sink.info, True)
    return DONE


cdef int write_rows(
    Sink *sink, const unsigned char *rows, Py_ssize_t row_bytes, Py_ssize_t count
) noexcept nogil:
    cdef JSAMPROW row
    cdef Py_ssize_t i
    if setjmp(sink.escape):
        return FAILED
    for i in range(count):
        row = <JSAMPROW>(rows + i * row_bytes)
        if jpeg_write_scanlines(&sink.info, &row, 1) != 1:
            return WAITING
    return DONE


cdef int finish_picture(Sink *sink) noexcept nogil:
    if setjmp(sink.escape):
        return FAILED
    jpeg_finish_compress(&sink.info)
    return DONE


cdef class Compressor:
    """One picture of 8-bit samples: rows in, bytes out; raises ValueError with libjpeg's words."""

    cdef Sink sink
    cdef Py_ssize_t _row_bytes
    cdef bint _is_created

    def __cinit__(
        self, int width, int height, int channels, int quality, int dpi, bint halves_color
    ):
        self._row_bytes = <Py_ssize_t>width * channels
        self.sink.info.err = jpeg_std_error(&self.sink.error)
        self.sink.info.client_data = &self.sink
        self.sink.error.error_exit = leave_sink
        self.sink.error.output_message = ignore
        self._check(open_sink(&self.sink))
        self._is_created = True
        self.sink.buffer = <unsigned char *>realloc(NULL, FIRST_BYTES)
        if self.sink.buffer == NULL:
            raise MemoryError
        self.sink.size = FIRST_BYTES
        self.sink.target.init_destination = sink_nothing
        self.sink.target.empty_output_buffer = grow
        self.sink.target.term_destination = sink_nothing
        self.sink.info.dest = &self.sink.target
        self._empty()
        self._check(
            begin_picture(&self.sink, width, height, channels, quality, dpi, halves_color)
        )

    def __dealloc__(self):
        if self._is_created:
            jpeg_destroy_compress(&self.sink.info)
        free(self.sink.buffer)

    def write(self, const unsigned char[::1] rows):
        """Compress whole rows; return what there is of the file."""
        cdef Py_ssize_t count = rows.shape[0] // self._row_bytes
        cdef int outcome = DONE
        if count:
            with nogil:
                outcome = write_rows(&self.sink, &rows[0], self._row_bytes, count)
        self._check(outcome)
        return self._take()

    def finish(self):
        """Return the last bytes of the file."""
        self._check(finish_picture(&self.sink))
        return self._take()

    cdef _take(self):
        cdef size_t size = self.sink.size - self.sink.target.free_in_buffer
        taken = (<char *>self.sink.buffer)[:size]
        self._empty()
        return taken

    cdef _empty(self):
        self.sink.target.next_output_byte = self.sink.buffer
        self.sink.target.free_in_buffer = self.sink.size

    cdef _check(self, int outcome):
        if outcome == FAILED:
            raise ValueError(f"JPEG: {(<bytes>self.sink.message).decode('latin-1')}")
        if outcome == WAITING:
            raise MemoryError


class JpegEncoder(Encoder):
    """A JPEG file (JFIF). Samples of one or 16 bits become samples of eight.

    quality: 1 (small) to 100. halves_color: colour has half the resolution (4:2:0), which is
    smaller and quicker. Raises ValueError beyond 65500 pixels a side.
    """

    def __init__(
        self, width_px, lines, channels=1, depth=8, *, dpi=0, quality=90, halves_color=True
    ):
        super().__init__(width_px, lines, channels, depth, dpi=dpi)
        if not 1 <= quality <= 100:
            raise ValueError(f"a quality of {quality}")
        if max(width_px, lines) > JPEG_MAX_DIMENSION:
            most = JPEG_MAX_DIMENSION
            raise ValueError(f"JPEG: {width_px} x {lines} pixels, at most {most} a side")
        density = round(dpi)
        density = density if 0 < density <= 0xFFFF else 0
        form = width_px, lines, channels, quality, density, halves_color
        self._compressor = Compressor(*form)

    def head(self):
        return self._compressor.write(b"")  # the rest of it comes with the first row

    def encode(self, rows):
        return self._compressor.write(self.as_bytes(rows))

    def tail(self):
        return self._compressor.finish()
