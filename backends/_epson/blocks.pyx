# cython: language_level=3
"""Blocks that a device sends one after the other, each acknowledged as soon as it is there.

It knows sizes, a byte behind each block that says whether the next one follows, and nothing of
what the blocks hold. Reads, also those by C (sane/reader.pxd), need no Python.
"""

from cpython.buffer cimport PyBUF_WRITABLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.pycapsule cimport (
    PyCapsule_GetContext,
    PyCapsule_GetPointer,
    PyCapsule_New,
    PyCapsule_SetContext,
)
from cpython.ref cimport Py_DECREF, Py_INCREF
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy

from ...reader cimport pysane_reader
from ...sane_h cimport (
    SANE_STATUS_CANCELLED,
    SANE_STATUS_EOF,
    SANE_STATUS_GOOD,
    SANE_STATUS_IO_ERROR,
)
from ...usb.libusb_h cimport CANCELLED, COMPLETED, Bulk

from ...usb.outcome import STATUSES, of_code

cdef enum:
    LARGEST_ACKNOWLEDGEMENT = 16


cdef class Blocks:
    """One row of blocks; the first is on its way.

    transfers: what carries them out. addresses: of the IN and the OUT endpoint. sizes: bytes of a
    block without the byte behind it, how many there are, bytes of one more at the end or 0. fail,
    cancel: bits of the byte behind a block that end the row with an I/O error, or as cancelled.
    """

    cdef Bulk *bulk
    cdef object owner
    cdef unsigned char *memory
    cdef unsigned char acknowledgement[LARGEST_ACKNOWLEDGEMENT]
    cdef Py_ssize_t acknowledgement_bytes, size, last, place, filled
    cdef long long full, count
    cdef int source, target, cancel_fd, fail, cancel, status
    cdef double seconds
    cdef pysane_reader reader
    cdef readonly long long done  # blocks that came whole
    cdef readonly Py_ssize_t partial  # what has come of the next one, when cancel ended the wait
    cdef readonly bint is_asked  # a block is under way
    cdef readonly int tail  # the byte behind the last block
    cdef int ended  # the status of the transfer that failed, or libusb's negative code

    def __cinit__(self, transfers, addresses, sizes, bytes acknowledgement, masks, limits):
        self.owner = transfers
        self.bulk = <Bulk *>PyCapsule_GetPointer(transfers.bulk(), "pysane.bulk")
        self.source, self.target = addresses
        self.size, self.full, self.last = sizes
        self.count = self.full + (1 if self.last else 0)
        self.fail, self.cancel = masks
        self.seconds, self.cancel_fd = limits
        self.acknowledgement_bytes = len(acknowledgement)
        if not 0 < self.acknowledgement_bytes <= LARGEST_ACKNOWLEDGEMENT:
            raise ValueError(f"an acknowledgement of {len(acknowledgement)} bytes")
        memcpy(self.acknowledgement, <const unsigned char *>acknowledgement, len(acknowledgement))
        self.memory = <unsigned char *>malloc(max(self.size, self.last) + 1)
        if self.memory == NULL:
            raise MemoryError(f"no memory for a block of {max(self.size, self.last)} bytes")
        self.is_asked = True
        self.reader.read = read
        self.reader.ctx = <void *>self

    def __dealloc__(self):
        free(self.memory)

    @property
    def outcome(self):
        """How the transfer ended that failed, OK if none did."""
        return of_code(self.ended) if self.ended < 0 else STATUSES[self.ended]

    def capsule(self):
        """Return the reader; the capsule keeps this object alive."""
        capsule = PyCapsule_New(&self.reader, "pysane.reader", release)
        PyCapsule_SetContext(capsule, <void *>self)
        Py_INCREF(self)
        return capsule

    def take(self, view):
        """Write bytes into *view*; return GOOD and how many, or the status that the row ended with.

        Waits for the first.
        """
        cdef Py_buffer buffer
        cdef Py_ssize_t n = 0
        cdef int status
        PyObject_GetBuffer(view, &buffer, PyBUF_WRITABLE)
        try:
            with nogil:
                status = self.give(<unsigned char *>buffer.buf, buffer.len, &n)
        finally:
            PyBuffer_Release(&buffer)
        return status, n

    cdef int give(self, unsigned char *buf, Py_ssize_t room, Py_ssize_t *n) noexcept nogil:
        n[0] = 0
        if self.place == self.filled:
            if self.status == SANE_STATUS_GOOD and self.done == self.count:
                self.status = SANE_STATUS_EOF
            if self.status == SANE_STATUS_GOOD and not self.receive():
                return SANE_STATUS_CANCELLED
            if self.status != SANE_STATUS_GOOD:
                return self.status
        n[0] = min(room, self.filled - self.place)
        memcpy(buf, self.memory + self.place, n[0])
        self.place += n[0]
        return SANE_STATUS_GOOD

    cdef bint receive(self) noexcept nogil:
        """Receive the next block and acknowledge it; False: the frontend cancelled."""
        cdef Py_ssize_t size = self.size if self.done < self.full else self.last
        cdef Py_ssize_t n = 0
        cdef int code
        code = self.bulk.carry_out(
            self.bulk.owner, self.source, self.memory, size + 1, self.seconds, self.cancel_fd, &n
        )
        if code == CANCELLED:
            self.partial = n
            return False
        self.is_asked = False
        if code != COMPLETED or n != size + 1:
            self.ended = code
            self.partial = n
            self.status = SANE_STATUS_IO_ERROR
            return True
        self.done += 1
        self.place, self.filled = 0, size
        self.tail = self.memory[size]
        if self.tail & (self.fail | self.cancel):
            self.filled = 0
            self.status = SANE_STATUS_IO_ERROR if self.tail & self.fail else SANE_STATUS_CANCELLED
        elif self.done < self.count:
            code = self.bulk.carry_out(
                self.bulk.owner, self.target, self.acknowledgement, self.acknowledgement_bytes,
                self.seconds, -1, &n
            )
            self.is_asked = True
            if code != COMPLETED:
                self.ended = code
                self.status = SANE_STATUS_IO_ERROR
        return True


cdef int read(void *ctx, unsigned char *buf, Py_ssize_t room, Py_ssize_t *n) noexcept nogil:
    return (<Blocks>ctx).give(buf, room, n)


cdef void release(object capsule) noexcept:
    Py_DECREF(<object>PyCapsule_GetContext(capsule))
