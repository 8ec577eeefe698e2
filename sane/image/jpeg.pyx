# cython: language_level=3
"""JPEG pictures, row by row, decoded while their bytes arrive and made: libjpeg or libjpeg-turbo.

A Decoder takes bytes and gives rows, a JpegEncoder the other way round; neither does I/O. The
settings are the library's own, so the pixels are those of every program that uses it plainly.
Whatever the bytes are, the worst that happens is a ValueError: libjpeg's errors leave it by
longjmp, over C only. Source: ITU-T T.81; libjpeg.txt of the Independent JPEG Group, "I/O
suspension".
"""

from cpython.bytearray cimport PyByteArray_AS_STRING, PyByteArray_GET_SIZE, PyByteArray_Resize
from libc.setjmp cimport jmp_buf, longjmp, setjmp
from libc.stdlib cimport free, realloc
from libc.string cimport memcpy

from .encoder import Encoder

cdef enum:
    MESSAGE_BYTES = 256  # JMSG_LENGTH_MAX is 200
    FAILED = -1
    WAITING = 0
    DONE = 1


# What libjpeg's callbacks get at: everything of a decoder but its Python objects.
cdef struct State:
    jpeg_decompress_struct info
    jpeg_error_mgr error
    jpeg_source_mgr source
    jmp_buf escape
    char message[MESSAGE_BYTES]
    size_t skip  # bytes to come that libjpeg does not want
    bint has_ended  # no more bytes come


cdef unsigned char[2] END_OF_IMAGE = [0xFF, 0xD9]


cdef void leave(jpeg_common_struct *common) noexcept nogil:
    """Leave libjpeg by longjmp: it must never return from an error, nor end the program."""
    cdef State *state = <State *>(<jpeg_decompress_struct *>common).client_data
    common.err.format_message(common, state.message)
    longjmp(state.escape, 1)


cdef void ignore(jpeg_common_struct *common) noexcept nogil:
    """Print nothing."""


cdef void count_warnings(jpeg_common_struct *common, int level) noexcept nogil:
    """Count what was damaged, and go on as libjpeg does."""
    if level < 0:
        common.err.num_warnings += 1


cdef void nothing(jpeg_decompress_struct *info) noexcept nogil:
    """Begin or end the source, which needs neither."""


cdef boolean want_more(jpeg_decompress_struct *info) noexcept nogil:
    """Suspend libjpeg until more bytes come; behind the last one the picture ends."""
    cdef State *state = <State *>info.client_data
    if not state.has_ended:
        return False
    state.error.num_warnings += 1
    state.source.next_input_byte = END_OF_IMAGE
    state.source.bytes_in_buffer = sizeof(END_OF_IMAGE)
    return True


cdef void skip(jpeg_decompress_struct *info, long count) noexcept nogil:
    """Pass over *count* bytes, which may not all have come."""
    cdef State *state = <State *>info.client_data
    cdef size_t here
    if count <= 0:
        return
    here = min(<size_t>count, state.source.bytes_in_buffer)
    state.source.next_input_byte += here
    state.source.bytes_in_buffer -= here
    state.skip += <size_t>count - here


# The calls into libjpeg: each begins with setjmp, and after a longjmp it only returns.

cdef int create(State *state) noexcept nogil:
    if setjmp(state.escape):
        return FAILED
    jpeg_create_decompress(&state.info)
    return DONE


cdef int read_header(State *state) noexcept nogil:
    if setjmp(state.escape):
        return FAILED
    return WAITING if jpeg_read_header(&state.info, True) == JPEG_SUSPENDED else DONE


cdef int begin(State *state) noexcept nogil:
    if setjmp(state.escape):
        return FAILED
    return DONE if jpeg_start_decompress(&state.info) else WAITING


cdef int read_rows(
    State *state, unsigned char *target, Py_ssize_t row_bytes, Py_ssize_t count
) noexcept nogil:
    """Decode up to *count* rows; how many is told by the change of output_scanline."""
    cdef JSAMPROW row
    cdef Py_ssize_t i
    if setjmp(state.escape):
        return FAILED
    for i in range(count):
        row = target + i * row_bytes
        if jpeg_read_scanlines(&state.info, &row, 1) != 1:
            return WAITING
    return DONE


cdef class Decoder:
    """One picture: feed() it bytes as they come, and take rows by read_into().

    limit: the most pixels that the picture may have; what claims more is refused before any
    memory is taken for it. want: 1 for gray (luma), 3 for RGB, 0 for what the file has. width,
    height and channels are 0 until the head of the file has come. Raises ValueError, with
    libjpeg's words, for what is no such picture; the decoder is then of no more use.
    """

    cdef State state
    cdef bytearray _pending  # compressed bytes that libjpeg has not used
    cdef bytearray _row  # a row that did not fit into the caller's view
    cdef Py_ssize_t _row_start  # what of it was delivered
    cdef Py_ssize_t _row_bytes
    cdef long long _limit
    cdef int _want
    cdef bint _is_created, _is_begun
    cdef str _failure
    cdef readonly int width, height, channels

    def __cinit__(self, long long limit, int want=0):
        if want not in (0, 1, 3):
            raise ValueError(f"{want} channels")
        self._limit = limit
        self._want = want
        self._pending = bytearray()
        self._row = bytearray()
        self.state.info.err = jpeg_std_error(&self.state.error)
        self.state.info.client_data = &self.state
        self.state.error.error_exit = leave
        self.state.error.emit_message = count_warnings
        self.state.error.output_message = ignore
        if create(&self.state) == FAILED:
            raise self._failed()
        self._is_created = True
        self.state.source.init_source = nothing
        self.state.source.fill_input_buffer = want_more
        self.state.source.skip_input_data = skip
        self.state.source.resync_to_restart = jpeg_resync_to_restart
        self.state.source.term_source = nothing
        self.state.info.src = &self.state.source

    def __dealloc__(self):
        if self._is_created:
            jpeg_destroy_decompress(&self.state.info)

    @property
    def warnings(self):
        """How many damages libjpeg has passed over."""
        return self.state.error.num_warnings

    @property
    def is_done(self):
        """All rows were delivered."""
        return (
            self.height > 0
            and self._is_begun
            and self.state.info.output_scanline >= <JDIMENSION>self.height
            and self._row_start == len(self._row)
        )

    def feed(self, const unsigned char[::1] data):
        """Add compressed bytes."""
        cdef Py_ssize_t size = data.shape[0]
        cdef Py_ssize_t start = min(<Py_ssize_t>self.state.skip, size)
        cdef Py_ssize_t old
        self._check()
        self.state.skip -= start
        if start == size:
            return
        self._drop_used()
        old = PyByteArray_GET_SIZE(self._pending)
        PyByteArray_Resize(self._pending, old + size - start)
        memcpy(PyByteArray_AS_STRING(self._pending) + old, &data[start], size - start)
        self._offer()

    def end(self):
        """Tell that no more bytes come: what is missing of the picture becomes gray."""
        self.state.has_ended = True

    def read_into(self, unsigned char[::1] view):
        """Write decoded rows into *view* and return how many bytes; 0: more data, or is_done."""
        cdef Py_ssize_t room = view.shape[0]
        cdef Py_ssize_t done = 0
        cdef Py_ssize_t n
        self._check()
        if not room or not self._prepare():
            return 0
        n = self._take_row(&view[0], room)
        done = n
        while done < room and not self._at_end():
            if room - done >= self._row_bytes:
                n = self._decode(&view[done], (room - done) // self._row_bytes)
                done += n
                if not n:
                    break
            else:
                self._row = bytearray(self._row_bytes)
                self._row_start = self._row_bytes
                if not self._decode(<unsigned char *>PyByteArray_AS_STRING(self._row), 1):
                    break
                self._row_start = 0
                done += self._take_row(&view[done], room - done)
        return done

    def prepare(self):
        """Decode the head if it has come, so that width and height are known; tell whether."""
        self._check()
        return self._prepare()

    cdef bint _prepare(self) except -1:
        cdef int outcome
        if not self.height:
            outcome = read_header(&self.state)
            if outcome == FAILED:
                raise self._failed()
            if outcome == WAITING:
                return False
            self._accept()
        if not self._is_begun:
            outcome = begin(&self.state)
            if outcome == FAILED:
                raise self._failed()
            self._is_begun = outcome == DONE
        return self._is_begun

    cdef int _accept(self) except -1:
        """Take over the size, or refuse the picture."""
        cdef jpeg_decompress_struct *info = &self.state.info
        cdef long long pixels = <long long>info.image_width * info.image_height
        if pixels > self._limit:
            raise self._refused(
                f"{info.image_width} x {info.image_height} pixels, at most {self._limit}"
            )
        if info.num_components not in (1, 3):
            raise self._refused(f"{info.num_components} colour components")
        self.channels = self._want or info.num_components
        info.out_color_space = JCS_GRAYSCALE if self.channels == 1 else JCS_RGB
        self.width = info.image_width
        self.height = info.image_height
        self._row_bytes = self.channels * self.width
        return 0

    cdef bint _at_end(self):
        return self.state.info.output_scanline >= <JDIMENSION>self.height

    cdef Py_ssize_t _decode(self, unsigned char *target, Py_ssize_t count) except -1:
        """Decode up to *count* rows to *target*; return how many bytes they are."""
        cdef JDIMENSION before = self.state.info.output_scanline
        cdef int outcome
        count = min(count, self.height - <Py_ssize_t>before)
        with nogil:
            outcome = read_rows(&self.state, target, self._row_bytes, count)
        if outcome == FAILED:
            raise self._failed()
        return <Py_ssize_t>(self.state.info.output_scanline - before) * self._row_bytes

    cdef Py_ssize_t _take_row(self, unsigned char *target, Py_ssize_t room):
        """Deliver what is left of the row that did not fit."""
        cdef Py_ssize_t n = min(room, PyByteArray_GET_SIZE(self._row) - self._row_start)
        memcpy(target, PyByteArray_AS_STRING(self._row) + self._row_start, n)
        self._row_start += n
        return n

    cdef _drop_used(self):
        """Forget the bytes that libjpeg has used."""
        cdef Py_ssize_t size = PyByteArray_GET_SIZE(self._pending)
        cdef Py_ssize_t left = self.state.source.bytes_in_buffer
        if left < size:
            del self._pending[: size - left]

    cdef _offer(self):
        """Show libjpeg all that is pending: the memory may have moved."""
        self.state.source.next_input_byte = <unsigned char *>PyByteArray_AS_STRING(self._pending)
        self.state.source.bytes_in_buffer = PyByteArray_GET_SIZE(self._pending)

    cdef _check(self):
        if self._failure is not None:
            raise ValueError(self._failure)

    cdef _failed(self):
        """Return the error with libjpeg's own words."""
        return self._refused((<bytes>self.state.message).decode("latin-1"))

    cdef _refused(self, str text):
        self._failure = f"JPEG: {text}"
        return ValueError(self._failure)


# Making pictures

cdef enum:
    FIRST_BYTES = 1 << 16  # of the buffer for what libjpeg writes; it grows


cdef struct Sink:
    jpeg_compress_struct info
    jpeg_error_mgr error
    jpeg_destination_mgr target
    jmp_buf escape
    char message[MESSAGE_BYTES]
    unsigned char *buffer
    size_t size


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
    Sink *sink, int width, int height, int channels, int quality, int dpi
) noexcept nogil:
    if setjmp(sink.escape):
        return FAILED
    sink.info.image_width = width
    sink.info.image_height = height
    sink.info.input_components = channels
    sink.info.in_color_space = JCS_GRAYSCALE if channels == 1 else JCS_RGB
    jpeg_set_defaults(&sink.info)
    jpeg_set_quality(&sink.info, quality, True)
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

    def __cinit__(self, int width, int height, int channels, int quality, int dpi):
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
        self._check(begin_picture(&self.sink, width, height, channels, quality, dpi))

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

    quality: 1 (small) to 100. Raises ValueError beyond 65500 pixels a side.
    """

    def __init__(self, width_px, lines, channels=1, depth=8, *, dpi=0, quality=90):
        super().__init__(width_px, lines, channels, depth, dpi=dpi)
        if not 1 <= quality <= 100:
            raise ValueError(f"a quality of {quality}")
        if max(width_px, lines) > JPEG_MAX_DIMENSION:
            most = JPEG_MAX_DIMENSION
            raise ValueError(f"JPEG: {width_px} x {lines} pixels, at most {most} a side")
        density = round(dpi)
        density = density if 0 < density <= 0xFFFF else 0
        self._compressor = Compressor(width_px, lines, channels, quality, density)

    def head(self):
        return b""  # it comes with the first row

    def encode(self, rows):
        return self._compressor.write(self.as_bytes(rows))

    def tail(self):
        return self._compressor.finish()
