# cython: language_level=3
"""JPEG pictures, row by row, decoded while their bytes arrive: libjpeg or libjpeg-turbo.

A Decoder takes bytes and gives rows; it does no I/O. The settings are the library's own, so the
pixels are those of every program that uses it plainly. Whatever the bytes are, the worst that
happens is a ValueError: libjpeg's errors leave it by longjmp, over C only. Source: ITU-T T.81;
libjpeg.txt of the Independent JPEG Group, "I/O suspension".
"""

from cpython.bytearray cimport PyByteArray_AS_STRING, PyByteArray_GET_SIZE, PyByteArray_Resize
from libc.setjmp cimport jmp_buf, longjmp, setjmp
from libc.string cimport memcpy, strcpy

from .libjpeg cimport *

cdef enum:
    MESSAGE_BYTES = 256  # JMSG_LENGTH_MAX is 200
    MOST_SCANS = 100  # of a progressive picture: usual are ten, each goes through all pixels
    FIRST_RESTART = 0xD0  # RST0
    LAST_RESTART = 0xD7
    DEFINE_LINES = 0xDC  # DNL
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
    bint is_cut_off  # more would have been wanted
    long good_lines  # those before the data of the first scan ended early, or -1
    int end_marker  # what stood there
    int scans
    unsigned char *inks  # a row of CMYK before it becomes one of RGB, or NULL
    int channels


cdef unsigned char[2] END_OF_IMAGE = [0xFF, 0xD9]


cdef void leave(jpeg_common_struct *common) noexcept nogil:
    """Leave libjpeg by longjmp: it must never return from an error, nor end the program."""
    cdef State *state = <State *>(<jpeg_decompress_struct *>common).client_data
    common.err.format_message(common, state.message)
    longjmp(state.escape, 1)


cdef void ignore(jpeg_common_struct *common) noexcept nogil:
    """Print nothing."""


cdef void take_note(jpeg_common_struct *common, int level) noexcept nogil:
    """Count what was damaged and see where the data end; go on as libjpeg does."""
    cdef jpeg_decompress_struct *info = <jpeg_decompress_struct *>common
    cdef State *state = <State *>info.client_data
    if level < 0:
        common.err.num_warnings += 1
        if common.err.msg_code == JWRN_HIT_MARKER:
            note_end(state)
    elif common.err.msg_code == JTRC_SOS:
        state.scans += 1
        if state.scans > MOST_SCANS:
            strcpy(state.message, "more than 100 scans")
            longjmp(state.escape, 1)


cdef void note_end(State *state) noexcept nogil:
    """Note which rows are whole when a marker stands where data are due."""
    cdef jpeg_decompress_struct *info = &state.info
    cdef int marker = info.unread_marker
    if info.restart_interval and FIRST_RESTART <= marker <= LAST_RESTART:
        return  # damage that ends there
    if state.good_lines < 0 and info.input_scan_number <= 1:
        state.good_lines = <long>info.input_iMCU_row * info.max_v_samp_factor * DCTSIZE
        state.end_marker = marker


cdef void nothing(jpeg_decompress_struct *info) noexcept nogil:
    """Begin or end the source, which needs neither."""


cdef boolean want_more(jpeg_decompress_struct *info) noexcept nogil:
    """Suspend libjpeg until more bytes come; behind the last one the picture ends."""
    cdef State *state = <State *>info.client_data
    if not state.has_ended:
        return False
    state.error.num_warnings += 1
    state.is_cut_off = True
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
        if state.inks != NULL:
            row = state.inks
        if jpeg_read_scanlines(&state.info, &row, 1) != 1:
            return WAITING
        if state.inks != NULL:
            mix_inks(state, target + i * row_bytes)
    return DONE


cdef void mix_inks(State *state, unsigned char *target) noexcept nogil:
    """Write a row of CMYK as RGB or gray (BT.601). Adobe's programs store the paper left free."""
    cdef Py_ssize_t i, width = state.info.image_width
    cdef int flip = 0 if state.info.saw_Adobe_marker else 255
    cdef int black, red, green, blue
    cdef unsigned char *ink = state.inks
    for i in range(width):
        black = ink[3] ^ flip
        red = ((ink[0] ^ flip) * black + 127) // 255
        green = ((ink[1] ^ flip) * black + 127) // 255
        blue = ((ink[2] ^ flip) * black + 127) // 255
        ink += 4
        if state.channels == 1:
            target[i] = (299 * red + 587 * green + 114 * blue + 500) // 1000
        else:
            target[3 * i] = red
            target[3 * i + 1] = green
            target[3 * i + 2] = blue


cdef class Decoder:
    """One picture: feed() it bytes as they come, and take rows by read_into().

    limit: the most pixels that the picture may have; what claims more is refused before any
    memory is taken for it. want: 1 for gray (luma), 3 for RGB, 0 for what the file has; CMYK
    becomes RGB. width, height and channels are 0 until the head of the file has come. Raises
    ValueError, with libjpeg's words, for what is no such picture; the decoder is then of no more
    use.
    """

    cdef State state
    cdef bytearray _pending  # compressed bytes that libjpeg has not used
    cdef bytearray _inks  # what state.inks points to
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
        self.state.good_lines = -1
        self.state.info.err = jpeg_std_error(&self.state.error)
        self.state.info.client_data = &self.state
        self.state.error.error_exit = leave
        self.state.error.emit_message = take_note
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
    def is_cut_off(self):
        """The file ended before libjpeg had all that it wanted, if only the marker of its end."""
        return self.state.is_cut_off

    @property
    def good_lines(self):
        """How many rows were made of data; -1 as long as all were, the rest is gray."""
        return self.state.good_lines

    def told_lines(self):
        """Return the height that stands behind the first scan (DNL).

        0: there is none. -1: it has not come yet. Only where good_lines is not -1.
        """
        cdef const unsigned char *data = self.state.source.next_input_byte
        if self.state.end_marker != DEFINE_LINES:
            return 0
        if self.state.source.bytes_in_buffer < 4:
            return -1
        return data[2] << 8 | data[3] if data[0] == 0 and data[1] == 4 else 0

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
        if info.num_components not in (1, 3, 4):
            raise self._refused(f"{info.num_components} colour components")
        self.channels = self._want or (1 if info.num_components == 1 else 3)
        self.state.channels = self.channels
        if info.num_components == 4:
            info.out_color_space = JCS_CMYK
            self._inks = bytearray(4 * info.image_width)
            self.state.inks = <unsigned char *>PyByteArray_AS_STRING(self._inks)
        else:
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
