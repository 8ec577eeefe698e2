# cython: language_level=3
"""Asynchronous libusb transfers on a device that pyusb has opened.

It knows libusb's transfers and events and nothing of SANE: single transfers in the caller's own
buffer, and streams with several on their way. Every wait polls libusb's descriptors together with
the cancel descriptor, without the GIL. The library's functions are those that pyusb has loaded.
Source: libusb-1.0 API documentation, asynchronous device I/O.
"""

from cpython.bytes cimport PyBytes_AsString, PyBytes_FromStringAndSize
from cpython.buffer cimport PyBUF_SIMPLE, PyBUF_WRITABLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.pycapsule cimport PyCapsule_GetContext, PyCapsule_New, PyCapsule_SetContext
from cpython.ref cimport Py_DECREF, Py_INCREF
from libc.errno cimport EINTR, errno
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcpy, memset
from posix.time cimport CLOCK_MONOTONIC, clock_gettime, timespec, timeval

from ..reader cimport pysane_reader
from ..sane_h cimport SANE_STATUS_CANCELLED, SANE_STATUS_EOF, SANE_STATUS_GOOD, SANE_STATUS_IO_ERROR
from .libusb cimport CANCELLED, COMPLETED, FAILED, POLLIN, SETUP_BYTES, TIMED_OUT, TYPE_BULK
from .libusb cimport TYPE_CONTROL, Bulk, Library, Slot, Transfer, poll, pollfd

import ctypes

from . import link as _link
from .outcome import STATUSES, of_code

cdef enum:
    MOST_DESCRIPTORS = 16
    ENDED = 100  # what a read ends with beside the transfer statuses: nothing more will come

cdef long long SECOND_NS = 1000000000
cdef double MOST_SECONDS = 1e6
cdef long long MOMENT_NS = 10 * 1000 * 1000  # cancel may wait for ten of these
cdef long long TAKE_BACK_NS = 5 * SECOND_NS  # the kernel answers a cancel at once; else it hangs


cdef void *function(object lib, str name) except NULL:
    """Return the address of a function of the loaded library."""
    return <void *><size_t>ctypes.cast(getattr(lib, name), ctypes.c_void_p).value


cdef void completed(Transfer *transfer) noexcept nogil:
    (<Slot *>transfer.user_data).done = 1


cdef inline long long now() noexcept nogil:
    cdef timespec time
    clock_gettime(CLOCK_MONOTONIC, &time)
    return time.tv_sec * SECOND_NS + time.tv_nsec


cdef inline long long deadline_after(double seconds) noexcept nogil:
    return now() + <long long>(min(max(seconds, 0.0), MOST_SECONDS) * SECOND_NS)


cdef int wait_until_done(
    Library *lib, Slot *slot, long long deadline, int cancel_fd
) noexcept nogil:
    """Handle events until *slot* is done; return COMPLETED, TIMED_OUT, CANCELLED or FAILED.

    Most transfers take less than a moment: libusb waits for that long by itself, which saves a
    poll for each. Only then is the cancel descriptor waited for, too.
    """
    cdef pollfd fds[MOST_DESCRIPTORS + 1]
    cdef pollfd **found
    cdef timeval zero, brief
    cdef long long left = deadline - now()
    cdef int count, i, code
    memset(&zero, 0, sizeof(zero))
    brief.tv_sec = 0
    brief.tv_usec = <int>(max(0, min(left, MOMENT_NS)) // 1000)
    if not slot.done:
        lib.handle_events(lib.context, &brief, &slot.done)
    while not slot.done:
        left = deadline - now()
        fds[0].fd = cancel_fd
        fds[0].events = POLLIN
        fds[0].revents = 0
        count = 1
        found = lib.get_pollfds(lib.context)
        if found == NULL:
            return FAILED
        i = 0
        while found[i] != NULL and count <= MOST_DESCRIPTORS:
            fds[count].fd = found[i].fd
            fds[count].events = found[i].events
            fds[count].revents = 0
            count += 1
            i += 1
        lib.free_pollfds(found)
        code = poll(fds, count, <int>((left + 999999) // 1000000) if left > 0 else 0)
        if code < 0 and errno != EINTR:
            return FAILED
        if fds[0].revents and code > 0:
            return CANCELLED
        code = lib.handle_events(lib.context, &zero, &slot.done)
        if not slot.done and left <= 0:
            return TIMED_OUT
    return COMPLETED


cdef int take_back(Library *lib, Slot *slot) noexcept nogil:
    """Cancel what is on its way in *slot*; 0 when it has come back."""
    if not slot.submitted or slot.done:
        return 0
    lib.cancel_transfer(slot.transfer)
    return wait_until_done(lib, slot, now() + TAKE_BACK_NS, -1)


cdef class Transfers:
    """Carries out transfers on an open libusb device; one call at a time."""

    cdef Library lib
    cdef void *device
    cdef Slot slot
    cdef Bulk bulk_functions
    cdef int lost  # a transfer never came back: no event of this context is handled any more
    cdef object _ctypes_lib

    def __cinit__(self, object lib, object context, object handle):
        self._ctypes_lib = lib
        self.lib.context = <void *><size_t>(context.value or 0)
        self.device = <void *><size_t>(handle.value or 0)
        self.lib.alloc_transfer = <Transfer *(*)(int) noexcept nogil>function(
            lib, "libusb_alloc_transfer")
        self.lib.free_transfer = <void (*)(Transfer *) noexcept nogil>function(
            lib, "libusb_free_transfer")
        self.lib.submit_transfer = <int (*)(Transfer *) noexcept nogil>function(
            lib, "libusb_submit_transfer")
        self.lib.cancel_transfer = <int (*)(Transfer *) noexcept nogil>function(
            lib, "libusb_cancel_transfer")
        self.lib.handle_events = <int (*)(void *, timeval *, int *) noexcept nogil>function(
            lib, "libusb_handle_events_timeout_completed")
        self.lib.get_pollfds = <pollfd **(*)(void *) noexcept nogil>function(
            lib, "libusb_get_pollfds")
        self.lib.free_pollfds = <void (*)(pollfd **) noexcept nogil>function(
            lib, "libusb_free_pollfds")
        self.prepare(&self.slot)

    def __dealloc__(self):
        self.dispose()

    def close(self):
        """Release what is kept between calls; before the device is closed."""
        self.dispose()

    cdef void dispose(self) noexcept:
        if self.slot.transfer != NULL and not self.lost:
            self.lib.free_transfer(self.slot.transfer)
        self.slot.transfer = NULL

    cdef int prepare(self, Slot *slot) except -1:
        """Give *slot* a transfer."""
        slot.transfer = self.lib.alloc_transfer(0)
        if slot.transfer == NULL:
            raise MemoryError("no memory for a USB transfer")
        slot.transfer.user_data = slot
        return 0

    cdef int submit(
        self, Slot *slot, int endpoint, int type, unsigned char *buffer, Py_ssize_t size
    ) noexcept nogil:
        """Send *slot* on its way; return libusb's code. No timeout: waiting is done here."""
        cdef Transfer *transfer = slot.transfer
        cdef int code
        transfer.dev_handle = self.device
        transfer.flags = 0
        transfer.endpoint = <unsigned char>endpoint
        transfer.type = <unsigned char>type
        transfer.timeout = 0
        transfer.callback = completed
        transfer.buffer = buffer
        transfer.length = <int>size
        transfer.actual_length = 0
        transfer.num_iso_packets = 0
        slot.done = 0
        code = self.lib.submit_transfer(transfer)
        slot.submitted = code == 0
        return code

    cdef int carry_out(
        self, int endpoint, int type, unsigned char *buffer, Py_ssize_t size, double seconds,
        int cancel_fd
    ) noexcept nogil:
        """Do one transfer; return its status, or libusb's negative code."""
        cdef Slot *slot = &self.slot
        cdef int code = self.submit(slot, endpoint, type, buffer, size)
        cdef int reason
        if code:
            return code
        reason = wait_until_done(&self.lib, slot, deadline_after(seconds), cancel_fd)
        if reason != COMPLETED and take_back(&self.lib, slot):
            self.lost = 1
            return FAILED
        slot.submitted = 0
        if slot.transfer.status == CANCELLED:
            return reason
        return slot.transfer.status

    cdef object result(self, int status):
        """Return outcome and size of the transfer that ended with *status*."""
        if status < 0:
            return of_code(status), 0
        return STATUSES[status], 0 if self.lost else self.slot.transfer.actual_length

    cdef int check(self) except -1:
        if self.slot.transfer == NULL or self.slot.submitted:
            raise RuntimeError("a USB transfer on a closed handle, or two at once")
        return 0

    def transfer(self, endpoint, data, double seconds, cancel):
        """Do one bulk or interrupt transfer in the direction of *endpoint*, in *data* itself."""
        cdef int address = endpoint.address, type = endpoint.type, cancel_fd = cancel.fd, status
        cdef Py_buffer view
        if self.lost:
            return _link.ERROR, 0
        self.check()
        PyObject_GetBuffer(data, &view, PyBUF_WRITABLE if address & 0x80 else PyBUF_SIMPLE)
        try:
            with nogil:
                status = self.carry_out(
                    address, type, <unsigned char *>view.buf, view.len, seconds, cancel_fd
                )
        finally:
            PyBuffer_Release(&view)
        return self.result(status)

    def control(self, setup, data, double seconds, cancel):
        """Do a control transfer; it has a buffer of its own, with the setup in front."""
        cdef int request_type, request, value, index, cancel_fd = cancel.fd, status, n
        cdef Py_ssize_t size = len(data)
        request_type, request, value, index = setup
        if self.lost:
            return _link.ERROR, 0
        self.check()
        head = bytes((
            request_type, request, value & 0xFF, value >> 8, index & 0xFF, index >> 8,
            size & 0xFF, size >> 8,
        ))
        cdef bytes packet = head + (bytes(size) if request_type & 0x80 else bytes(data))
        cdef unsigned char *buffer = <unsigned char *>malloc(SETUP_BYTES + size)
        if buffer == NULL:
            raise MemoryError("no memory for a control transfer")
        memcpy(buffer, PyBytes_AsString(packet), SETUP_BYTES + size)
        with nogil:
            status = self.carry_out(
                0, TYPE_CONTROL, buffer, SETUP_BYTES + size, seconds, cancel_fd
            )
        outcome = self.result(status)
        n = outcome[1]
        if request_type & 0x80 and n:
            data[:n] = PyBytes_FromStringAndSize(<char *>buffer + SETUP_BYTES, n)
        if not self.lost:
            free(buffer)
        return outcome

    def bulk(self):
        """Return a capsule over a Bulk (libusb.pxd), good as long as this object."""
        self.check()
        self.bulk_functions.owner = <void *>self
        self.bulk_functions.carry_out = carry_out_bulk
        return PyCapsule_New(&self.bulk_functions, "pysane.bulk", NULL)

    def stream(self, endpoint, Py_ssize_t size, int depth, total):
        """Return an InFlight; its first transfers are on their way."""
        if self.lost:
            raise RuntimeError("an earlier USB transfer never came back")
        self.check()
        return InFlight(self, endpoint, size, depth, -1 if total is None else total)


cdef int carry_out_bulk(
    void *owner, int endpoint, unsigned char *buffer, Py_ssize_t size, double seconds,
    int cancel_fd, Py_ssize_t *n
) noexcept nogil:
    cdef int status = FAILED
    n[0] = 0
    if not (<Transfers>owner).lost and (<Transfers>owner).slot.transfer != NULL:
        status = (<Transfers>owner).carry_out(endpoint, TYPE_BULK, buffer, size, seconds, cancel_fd)
    if status >= 0 and not (<Transfers>owner).lost:
        n[0] = (<Transfers>owner).slot.transfer.actual_length
    return status


cdef class InFlight:
    """The bytes of one IN endpoint, with up to *depth* transfers on their way."""

    cdef Transfers owner
    cdef Slot *slots
    cdef unsigned char *memory
    cdef int endpoint, type, depth, head, flying
    cdef Py_ssize_t size
    cdef Py_ssize_t taken  # of the oldest transfer's bytes
    cdef long long left  # bytes not asked for yet; -1: without end
    cdef int failure  # status of the transfer that failed, or libusb's negative code
    cdef int cancel_fd
    cdef double seconds
    cdef pysane_reader reader_struct
    cdef object cancel

    def __cinit__(self, Transfers owner, endpoint, Py_ssize_t size, int depth, long long total):
        cdef int i
        self.owner = owner
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
            owner.prepare(&self.slots[i])
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
            code = self.owner.submit(
                slot, self.endpoint, self.type, self.memory + place * self.size, size
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
                reason = wait_until_done(&self.owner.lib, slot, deadline, self.cancel_fd)
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

    cdef void retire(self, Slot *slot) noexcept nogil:
        """Make the oldest *slot*, read to its end, free for another transfer."""
        cdef Transfer *transfer = slot.transfer
        if self.left >= 0:
            self.left += transfer.length - transfer.actual_length
        if transfer.status != COMPLETED and not self.failure:
            self.failure = transfer.status
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
                self.owner.lib.cancel_transfer(self.slots[place].transfer)
        for i in range(self.flying):
            place = (self.head + i) % self.depth
            if take_back(&self.owner.lib, &self.slots[place]):
                self.owner.lost = 1
                return -1
        return 0

    cdef void dispose(self) noexcept:
        """Free everything, unless libusb may still write to it."""
        cdef int i
        if not self.owner.lost:
            for i in range(self.depth):
                self.owner.lib.free_transfer(self.slots[i].transfer)
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
        if self.slots == NULL or self.owner.lost:
            return _link.ERROR, 0
        self.cancel_fd = cancel.fd
        PyObject_GetBuffer(data, &view, PyBUF_WRITABLE)
        try:
            with nogil:
                status = self.read(
                    <unsigned char *>view.buf, view.len, &n, deadline_after(seconds)
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
    if stream.slots == NULL or stream.owner.lost:
        return SANE_STATUS_IO_ERROR
    status = stream.read(buffer, room, n, deadline_after(stream.seconds))
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
