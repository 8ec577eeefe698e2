# cython: language_level=3
"""Single libusb transfers in the caller's own buffer, asynchronous so that cancel can end them.

It knows libusb's transfers and events and nothing of SANE. Every wait polls libusb's descriptors
together with the cancel descriptor, without the GIL. Several transfers at once are inflight.pyx's.
Source: libusb-1.0 API documentation, asynchronous device I/O.
"""

from cpython.bytes cimport PyBytes_AsString, PyBytes_FromStringAndSize
from cpython.buffer cimport PyBUF_SIMPLE, PyBUF_WRITABLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.pycapsule cimport PyCapsule_New
from libc.errno cimport EINTR, errno
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memset
from posix.time cimport CLOCK_MONOTONIC, clock_gettime, timespec, timeval

from .libusb_h cimport CANCELLED, COMPLETED, FAILED, POLLIN, SETUP_BYTES, TIMED_OUT, TYPE_BULK
from .libusb_h cimport TYPE_CONTROL, Bulk, Device, Library, Slot, Transfer, poll, pollfd

from . import link as _link
from .outcome import STATUSES, of_code

cdef enum:
    MOST_DESCRIPTORS = 16

cdef long long SECOND_NS = 1000000000
cdef double MOST_SECONDS = 1e6
cdef long long MOMENT_NS = 10 * 1000 * 1000  # cancel may wait for ten of these
cdef long long TAKE_BACK_NS = 5 * SECOND_NS  # the kernel answers a cancel at once; else it hangs


cdef void *function(object addresses, str name) except NULL:
    """Return the address of a function of the loaded library."""
    return <void *><size_t>addresses(name)


cdef void completed(Transfer *transfer) noexcept nogil:
    (<Slot *>transfer.user_data).done = 1


cdef inline long long now() noexcept nogil:
    cdef timespec time
    clock_gettime(CLOCK_MONOTONIC, &time)
    return time.tv_sec * SECOND_NS + time.tv_nsec


cdef long long deadline_after(double seconds) noexcept nogil:
    return now() + <long long>(min(max(seconds, 0.0), MOST_SECONDS) * SECOND_NS)


cdef int is_cancelled(int cancel_fd) noexcept nogil:
    """Tell whether cancel is requested: what ends at once would never get to a wait for it."""
    cdef pollfd fd
    fd.fd = cancel_fd
    fd.events = POLLIN
    fd.revents = 0
    return cancel_fd >= 0 and poll(&fd, 1, 0) > 0


cdef int wait_until_done(
    Device *device, Slot *slot, long long deadline, int cancel_fd
) noexcept nogil:
    """Handle events until *slot* is done; return COMPLETED, TIMED_OUT, CANCELLED or FAILED.

    Most transfers take less than a moment: libusb waits for that long by itself, which saves a
    poll for each. Only then is the cancel descriptor waited for, too.
    """
    cdef pollfd fds[MOST_DESCRIPTORS + 1]
    cdef pollfd **found
    cdef timeval zero, brief
    cdef Library *lib = &device.lib
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


cdef int take_back(Device *device, Slot *slot) noexcept nogil:
    """Cancel what is on its way in *slot*; 0 when it has come back, else the device is lost."""
    if not slot.submitted or slot.done:
        return 0
    device.lib.cancel_transfer(slot.transfer)
    if wait_until_done(device, slot, now() + TAKE_BACK_NS, -1):
        device.lost = 1
    return device.lost


cdef int submit(
    Device *device, Slot *slot, int endpoint, int type, unsigned char *buffer, Py_ssize_t size
) noexcept nogil:
    """Send *slot* on its way; return libusb's code. No timeout: waiting is done here."""
    cdef Transfer *transfer = slot.transfer
    cdef int code
    transfer.dev_handle = device.handle
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
    code = device.lib.submit_transfer(transfer)
    slot.submitted = code == 0
    return code


cdef class Transfers:
    """Carries out transfers on an open libusb device; one call at a time.

    addresses(name): the address of a function of the library. context, handle: libusb's pointers.
    """

    cdef Device device
    cdef Slot slot
    cdef Bulk bulk_functions

    def __cinit__(self, addresses, size_t context, size_t handle):
        cdef Library *lib = &self.device.lib
        lib.context = <void *>context
        lib.alloc_transfer = <Transfer *(*)(int) noexcept nogil>function(
            addresses, "libusb_alloc_transfer")
        lib.free_transfer = <void (*)(Transfer *) noexcept nogil>function(
            addresses, "libusb_free_transfer")
        lib.submit_transfer = <int (*)(Transfer *) noexcept nogil>function(
            addresses, "libusb_submit_transfer")
        lib.cancel_transfer = <int (*)(Transfer *) noexcept nogil>function(
            addresses, "libusb_cancel_transfer")
        lib.handle_events = <int (*)(void *, timeval *, int *) noexcept nogil>function(
            addresses, "libusb_handle_events_timeout_completed")
        lib.get_pollfds = <pollfd **(*)(void *) noexcept nogil>function(
            addresses, "libusb_get_pollfds")
        lib.free_pollfds = <void (*)(pollfd **) noexcept nogil>function(
            addresses, "libusb_free_pollfds")
        self.device.handle = <void *>handle
        self.device.submit = submit
        self.device.wait = wait_until_done
        self.device.take_back = take_back
        self.device.is_cancelled = is_cancelled
        self.device.deadline_after = deadline_after
        self.slot.transfer = lib.alloc_transfer(0)
        if self.slot.transfer == NULL:
            raise MemoryError("no memory for a USB transfer")
        self.slot.transfer.user_data = &self.slot

    def __dealloc__(self):
        self.dispose()

    def close(self):
        """Release what is kept between calls; before the device is closed."""
        self.dispose()

    cdef void dispose(self) noexcept:
        if self.slot.transfer != NULL and not self.device.lost:
            self.device.lib.free_transfer(self.slot.transfer)
        self.slot.transfer = NULL

    cdef int carry_out(
        self, int endpoint, int type, unsigned char *buffer, Py_ssize_t size, double seconds,
        int cancel_fd
    ) noexcept nogil:
        """Do one transfer; return its status, or libusb's negative code."""
        cdef Slot *slot = &self.slot
        cdef int code, reason
        slot.transfer.actual_length = 0
        if is_cancelled(cancel_fd):
            return CANCELLED
        code = submit(&self.device, slot, endpoint, type, buffer, size)
        if code:
            return code
        reason = wait_until_done(&self.device, slot, deadline_after(seconds), cancel_fd)
        if reason != COMPLETED and take_back(&self.device, slot):
            return FAILED
        slot.submitted = 0
        if slot.transfer.status == CANCELLED:
            return reason
        return slot.transfer.status

    cdef object result(self, int status):
        """Return outcome and size of the transfer that ended with *status*."""
        if status < 0:
            return of_code(status), 0
        return STATUSES[status], 0 if self.device.lost else self.slot.transfer.actual_length

    cdef int check(self) except -1:
        if self.slot.transfer == NULL or self.slot.submitted:
            raise RuntimeError("a USB transfer on a closed handle, or two at once")
        return 0

    cdef object move(self, endpoint, data, int flags, double seconds, cancel):
        """Do one bulk or interrupt transfer on *endpoint*, in *data* itself."""
        cdef int address = endpoint.address, type = endpoint.type, cancel_fd = cancel.fd, status
        cdef Py_buffer view
        if self.device.lost:
            return _link.ERROR, 0
        self.check()
        PyObject_GetBuffer(data, &view, flags)
        try:
            with nogil:
                status = self.carry_out(
                    address, type, <unsigned char *>view.buf, view.len, seconds, cancel_fd
                )
        finally:
            PyBuffer_Release(&view)
        return self.result(status)

    def transfer_in(self, endpoint, data, double seconds, cancel):
        """Do one bulk or interrupt transfer into *data*; return outcome and size."""
        return self.move(endpoint, data, PyBUF_WRITABLE, seconds, cancel)

    def transfer_out(self, endpoint, data, double seconds, cancel):
        """Do one transfer to the device, of no bytes if *data* is empty; return as above."""
        return self.move(endpoint, data, PyBUF_SIMPLE, seconds, cancel)

    def control(self, setup, data, double seconds, cancel):
        """Do a control transfer; it has a buffer of its own, with the setup in front."""
        cdef int request_type, request, value, index, cancel_fd = cancel.fd, status, n
        cdef Py_ssize_t size = len(data)
        request_type, request, value, index = setup
        if self.device.lost:
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
        if not self.device.lost:
            free(buffer)
        return outcome

    def bulk(self):
        """Return a capsule over a Bulk (libusb_h.pxd), good as long as this object."""
        self.check()
        self.bulk_functions.owner = <void *>self
        self.bulk_functions.carry_out = carry_out_bulk
        return PyCapsule_New(&self.bulk_functions, "pysane.bulk", NULL)

    def stream(self, endpoint, Py_ssize_t size, int depth, total):
        """Return transfers in flight (inflight.pyx); the first are on their way."""
        from .inflight import InFlight

        if self.device.lost:
            raise RuntimeError("an earlier USB transfer never came back")
        self.check()
        capsule = PyCapsule_New(&self.device, "pysane.usb", NULL)
        return InFlight(self, capsule, endpoint, size, depth, -1 if total is None else total)


cdef int carry_out_bulk(
    void *owner, int endpoint, unsigned char *buffer, Py_ssize_t size, double seconds,
    int cancel_fd, Py_ssize_t *n
) noexcept nogil:
    cdef int status = FAILED
    n[0] = 0
    if not (<Transfers>owner).device.lost and (<Transfers>owner).slot.transfer != NULL:
        status = (<Transfers>owner).carry_out(endpoint, TYPE_BULK, buffer, size, seconds, cancel_fd)
    if status >= 0 and not (<Transfers>owner).device.lost:
        n[0] = (<Transfers>owner).slot.transfer.actual_length
    return status
