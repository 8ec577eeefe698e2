# cython: language_level=3
"""Transfers in flight: the bytes of one IN endpoint, with several transfers on their way at once.

It knows in which order transfers were sent and gives their bytes in it, with and without Python
(sane/reader.pxd); how one is sent and waited for is transfers.pyx's.
"""

cimport cython
from cpython.bytes cimport PyBytes_FromStringAndSize
from cpython.buffer cimport PyBUF_WRITABLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.pycapsule cimport (
    PyCapsule_GetContext,
    PyCapsule_GetPointer,
    PyCapsule_New,
    PyCapsule_SetContext,
)
from cpython.ref cimport Py_DECREF, Py_INCREF
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcpy

from ..reader cimport pysane_reader
from ..sane_h cimport SANE_STATUS_CANCELLED, SANE_STATUS_EOF, SANE_STATUS_GOOD, SANE_STATUS_IO_ERROR
from .libusb_h cimport CANCELLED, COMPLETED, ONLY_EMPTY, TIMED_OUT, Device, Slot, Transfer

from . import link as _link
from .outcome import STATUSES, of_code

cdef enum:
    ENDED = 100  # what a read ends with beside the transfer statuses: nothing more will come

cdef int MOST_EMPTY = _link.MOST_EMPTY


@cython.no_gc_clear  # the owner must outlive the transfers that __dealloc__ takes back
cdef class InFlight:
    """The bytes of *endpoint*, with up to *depth* transfers of *size* bytes on their way.

    capsule: a Device (libusb_h.pxd), which *owner* keeps alive. total: no more bytes are asked for,
    -1: without end. A row of MOST_EMPTY transfers without data fails the stream.
    """

    cdef object owner
    cdef Device *device
    cdef Slot *slots
    cdef unsigned char *memory
    cdef int endpoint, type, depth, head, flying
    cdef int empty  # transfers without data since the last one with some
    cdef Py_ssize_t size
    cdef Py_ssize_t taken  # of the oldest transfer's bytes
    cdef long long left  # bytes not asked for yet; -1: without end
    cdef int failure  # status of the transfer that failed, or libusb's negative code
    cdef int cancel_fd
    cdef double seconds
    cdef pysane_reader reader_struct
    cdef object cancel

    def __cinit__(
        self, owner, capsule, endpoint, Py_ssize_t size, int depth, long long total
    ):
        cdef int i
        self.owner = owner
        self.device = <Device *>PyCapsule_GetPointer(capsule, "pysane.usb")
        self.endpoint = endpoint.address
        self.type = endpoint.type
        self.size = size
        self.left = total
        self.cancel_fd = -1
        if 0 <= total < size * depth:  # no more transfers than there will be
            depth = max(1, <int>((total + size - 1) // size))
        self.slots = <Slot *>calloc(depth, sizeof(Slot))
        self.memory = <unsigned char *>malloc(size * depth)
        if self.slots == NULL or self.memory == NULL:
            raise MemoryError(f"no memory for {depth} USB transfers of {size} bytes")
        for i in range(depth):
            self.slots[i].transfer = self.device.lib.alloc_transfer(0)
            if self.slots[i].transfer == NULL:
                raise MemoryError("no memory for a USB transfer")
            self.slots[i].transfer.user_data = &self.slots[i]
            self.depth += 1
        with nogil:
            self.fill()

    def __dealloc__(self):
        if self.slots != NULL:
            self.take_all_back()
            self.dispose()

    cdef void fill(self) noexcept nogil:
        """Send transfers on their way until all are, or enough was asked for."""
        cdef Slot *slot
        cdef Py_ssize_t size
        cdef int code, place
        while self.flying < self.depth and self.left and not self.failure:
            place = (self.head + self.flying) % self.depth
            slot = &self.slots[place]
            size = self.size
            if 0 < self.left < size:
                size = <Py_ssize_t>self.left
            code = self.device.submit(
                self.device, slot, self.endpoint, self.type, self.memory + place * self.size, size
            )
            if code:
                # Less memory in the kernel than wished for: go on with what is on its way.
                if not self.flying:
                    self.failure = code
                return
            if self.left > 0:
                self.left -= size
            self.flying += 1

    cdef int read(
        self, unsigned char *buffer, Py_ssize_t room, Py_ssize_t *n, long long deadline
    ) noexcept nogil:
        """Move what arrived to *buffer*; return COMPLETED, ENDED, or why nothing came."""
        cdef Slot *slot
        cdef Transfer *transfer
        cdef Py_ssize_t size
        cdef int reason
        n[0] = 0
        while n[0] < room and not self.failure:
            self.fill()
            if not self.flying:
                break
            slot = &self.slots[self.head]
            if not slot.done:
                if n[0]:
                    break
                reason = self.wait(slot, deadline)
                if reason != COMPLETED:
                    return reason
            transfer = slot.transfer
            size = min(room - n[0], transfer.actual_length - self.taken)
            memcpy(buffer + n[0], transfer.buffer + self.taken, size)
            n[0] += size
            self.taken += size
            if self.taken == transfer.actual_length:
                self.retire(slot)
        if n[0]:
            return ENDED if not self.left and not self.flying else COMPLETED
        return self.failure if self.failure else ENDED

    cdef int wait(self, Slot *slot, long long deadline) noexcept nogil:
        """Wait for *slot*, but not among empty transfers beyond cancel and deadline.

        Such come at once and for ever: none of them would wait for either.
        """
        if self.device.is_cancelled(self.cancel_fd):
            return CANCELLED
        if self.empty and self.device.deadline_after(0) >= deadline:
            return TIMED_OUT
        return self.device.wait(self.device, slot, deadline, self.cancel_fd)

    cdef void retire(self, Slot *slot) noexcept nogil:
        """Make the oldest *slot*, read to its end, free for another transfer."""
        cdef Transfer *transfer = slot.transfer
        if self.left >= 0:
            self.left += transfer.length - transfer.actual_length
        self.empty = 0 if transfer.actual_length else self.empty + 1
        if self.failure:
            pass
        elif transfer.status != COMPLETED:
            self.failure = transfer.status
        elif self.empty >= MOST_EMPTY:
            self.failure = ONLY_EMPTY
        slot.submitted = slot.done = 0
        self.taken = 0
        self.flying -= 1
        self.head = (self.head + 1) % self.depth

    cdef int take_all_back(self) noexcept nogil:
        """Cancel all transfers, the last first, so that none gets what another should."""
        cdef int i, place
        for i in range(self.flying - 1, -1, -1):
            place = (self.head + i) % self.depth
            if self.slots[place].submitted and not self.slots[place].done:
                self.device.lib.cancel_transfer(self.slots[place].transfer)
        for i in range(self.flying):
            place = (self.head + i) % self.depth
            if self.device.take_back(self.device, &self.slots[place]):
                return -1
        return 0

    cdef void dispose(self) noexcept:
        """Free everything, unless libusb may still write to it."""
        cdef int i
        if not self.device.lost:
            for i in range(self.depth):
                self.device.lib.free_transfer(self.slots[i].transfer)
            free(self.slots)
            free(self.memory)
        self.slots = NULL
        self.memory = NULL

    @property
    def outcome(self):
        """How the stream failed, OK if it did not."""
        return of_code(self.failure) if self.failure < 0 else STATUSES[self.failure]

    def read_into(self, data, double seconds, cancel):
        """Move what arrived into *data*, waiting for the first byte; OK and 0 at the end."""
        cdef Py_buffer view
        cdef Py_ssize_t n = 0
        cdef int status
        if self.slots == NULL or self.device.lost:
            return _link.ERROR, 0
        self.cancel_fd = cancel.fd
        PyObject_GetBuffer(data, &view, PyBUF_WRITABLE)
        try:
            with nogil:
                status = self.read(
                    <unsigned char *>view.buf, view.len, &n, self.device.deadline_after(seconds)
                )
        finally:
            PyBuffer_Release(&view)
        if status == ENDED or n:
            return _link.OK, n
        return (of_code(status) if status < 0 else STATUSES[status]), 0

    def reader(self, double seconds, cancel):
        """Return this stream as a reader without GIL (sane/reader.pxd)."""
        self.seconds = seconds
        self.cancel = cancel
        self.cancel_fd = cancel.fd
        self.reader_struct.read = read_frame
        self.reader_struct.ctx = <void *>self
        capsule = PyCapsule_New(&self.reader_struct, "pysane.reader", release_stream)
        PyCapsule_SetContext(capsule, <void *>self)
        Py_INCREF(self)
        return capsule

    def close(self):
        """Take the transfers back; return what arrived and was not read."""
        cdef int i, back
        cdef Transfer *transfer
        if self.slots == NULL:
            return b""
        with nogil:
            back = self.take_all_back()
        rest = []
        for i in range(self.flying if not back else 0):
            transfer = self.slots[(self.head + i) % self.depth].transfer
            data = PyBytes_FromStringAndSize(<char *>transfer.buffer, transfer.actual_length)
            rest.append(data[self.taken:] if i == 0 else data)
        self.dispose()
        return b"".join(rest)


cdef int deliver(
    InFlight stream, unsigned char *buffer, Py_ssize_t room, Py_ssize_t *n
) noexcept nogil:
    """Fill *buffer* as read_into does, and return a SANE status."""
    cdef int status
    n[0] = 0
    if stream.slots == NULL or stream.device.lost:
        return SANE_STATUS_IO_ERROR
    status = stream.read(buffer, room, n, stream.device.deadline_after(stream.seconds))
    if status == ENDED:
        return SANE_STATUS_EOF
    if n[0]:
        return SANE_STATUS_GOOD
    return SANE_STATUS_CANCELLED if status == CANCELLED else SANE_STATUS_IO_ERROR


cdef int read_frame(
    void *ctx, unsigned char *buffer, Py_ssize_t room, Py_ssize_t *n
) noexcept nogil:
    return deliver(<InFlight>ctx, buffer, room, n)


cdef void release_stream(object capsule) noexcept:
    Py_DECREF(<object>PyCapsule_GetContext(capsule))
