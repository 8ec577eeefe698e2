# cython: language_level=3
"""What stands behind the symbols of an open handle: a Python device, called from C.

Each function here fills one entry of a table in abi.h: it enters the gate, does what needs no
Python without Python, else takes the GIL and calls the method of sane.handle.Handle; one catch
turns exceptions into statuses. Source: c-abi-and-dll 1.7 (contract), architecture (cancel).
"""

from cpython.buffer cimport (
    PyBUF_WRITABLE,
    PyBuffer_FillInfo,
    PyBuffer_Release,
    PyObject_GetBuffer,
)
from cpython.memoryview cimport PyMemoryView_FromObject
from cpython.pycapsule cimport PyCapsule_GetPointer
from cpython.ref cimport Py_DECREF, PyObject
from libc.string cimport memcpy, strlen

from .gate cimport *
from .sane_h cimport *
from .modules cimport (
    pysane_descriptor_update,
    pysane_descriptors,
    pysane_memory_free,
    pysane_offsets,
    pysane_parameters,
    pysane_reloads,
)

from .. import constraint as _constraint
from ..errors import Cancelled, DeviceIOError, Invalid, status_of
from ..handle import TELL_FETCH as _TELL_FETCH

cdef extern from "Python.h":
    int PyThreadState_SetAsyncExc(unsigned long thread, PyObject *exception)

ctypedef long long (*fit_range_t)(long long, long long, long long, long long) noexcept nogil
ctypedef long long (*distance_t)(long long, long long) noexcept nogil

cdef unsigned char TELL_FETCH = _TELL_FETCH
cdef fit_range_t fit_range
cdef distance_t distance


cdef void *kernel(str name) except NULL:
    """Return the C function behind a compiled function of sane.constraint."""
    capsule = _constraint.__pyx_capi__[name]
    cdef object signature = repr(capsule).split('"')[1]
    return PyCapsule_GetPointer(capsule, signature.encode())


fit_range = <fit_range_t>kernel("fit_range")
distance = <distance_t>kernel("distance")


cdef class AbiCancel:
    """The cancel request of a C handle, with the methods of sane.cancel.Cancel."""

    cdef pysane_handle *h
    cdef readonly int fd

    def is_set(self):
        return bool(self.h.cancel)

    def set(self):
        pysane_request_cancel(self.h)

    def clear(self):
        pysane_forget_cancel(self.h)

    def close(self):
        """The gate closes the descriptor with the handle."""

    def wait(self, seconds, fd=None):
        from ..cancel import wait_readable

        ready = wait_readable((self.fd,) if fd is None else (self.fd, fd), seconds)
        if self.h.cancel:
            raise Cancelled
        return fd is not None and fd in ready


cdef class Lent:
    """Exports the frontend's buffer for one read, and counts who still uses it."""

    cdef unsigned char *data
    cdef Py_ssize_t size
    cdef int users

    def __getbuffer__(self, Py_buffer *buffer, int flags):
        PyBuffer_FillInfo(buffer, self, self.data, self.size, 0, flags)
        self.users += 1

    def __releasebuffer__(self, Py_buffer *buffer):
        self.users -= 1


cdef class AbiHandle:
    """The Python side of an open C handle."""

    cdef pysane_handle *h
    cdef readonly AbiCancel cancel
    cdef object handle, options
    cdef Lent lent
    cdef bint keeps_views
    cdef void *memory
    cdef Py_buffer values, direct
    cdef object reader

    def __dealloc__(self):
        pysane_memory_free(self.memory)

    cdef void refresh(self) noexcept:
        """Renew the descriptors that changed, and the reader."""
        changed = self.options.changed
        if changed:
            try:
                for index in changed:
                    pysane_descriptor_update(self.memory, self.options, index)
            except BaseException as exc:
                self.report("descriptor", exc)
            changed.clear()
        self.h.active = bool(self.handle.job)
        reader = self.handle.reader
        if reader is not self.reader:
            self.reader = reader
            self.h.reader = NULL
            if reader is not None:
                try:
                    self.h.reader = <pysane_reader *>PyCapsule_GetPointer(reader, "pysane.reader")
                except BaseException as exc:
                    self.report("reader", exc)

    cdef SANE_Status failed(self, str call, exc) noexcept:
        """Report *exc* and return its status."""
        self.report(call, exc)
        return status_of(exc)

    cdef void report(self, str call, exc) noexcept:
        try:
            self.handle.device.report(call, exc)
        except BaseException:
            pass  # a driver whose own report fails has nowhere else to complain

    cdef SANE_Status read(self, SANE_Byte *data, SANE_Int size, SANE_Int *length) noexcept:
        cdef SANE_Status status = SANE_STATUS_GOOD
        view = self.lend(data, size)
        try:
            length[0] = self.handle.read(view)
            if self.keeps_views:
                copy = bytes(view[:length[0]])
                memcpy(data, <const unsigned char *>copy, length[0])
        except BaseException as exc:
            status = self.failed("read_into", exc)
        try:
            view.release()
        except BufferError:
            pass  # counted below
        view = None
        if self.lent.users and not self.keeps_views:
            self.keeps_views = True
            error = DeviceIOError("keeps the view it was lent; it gets buffers of its own from now")
            self.handle.fail(error)
            status = self.failed("read_into", error)
        self.refresh()
        if status != SANE_STATUS_GOOD:
            length[0] = 0
        return status

    cdef object lend(self, SANE_Byte *data, SANE_Int size):
        if self.keeps_views:
            return memoryview(bytearray(size))
        self.lent.data = data
        self.lent.size = size
        return PyMemoryView_FromObject(self.lent)


cdef AbiHandle of(pysane_handle *h):
    return <AbiHandle>h.object


# -- Options ------------------------------------------------------------------------------------


cdef SANE_Option_Descriptor *descriptor_told(pysane_handle *h, SANE_Int index) noexcept with gil:
    cdef AbiHandle self = of(h)
    try:
        self.handle.descriptor(index)
    except BaseException as exc:
        self.report("descriptor", exc)
        return NULL
    self.refresh()
    return &h.descriptors[index]


cdef const SANE_Option_Descriptor *py_descriptor(SANE_Handle inner, SANE_Int index) noexcept nogil:
    cdef pysane_handle *h = <pysane_handle *>inner
    cdef const SANE_Option_Descriptor *result = NULL
    if pysane_forked() or not h.open or index < 0 or index >= h.count:
        return NULL
    if not h.direct[index] & TELL_FETCH:
        return &h.descriptors[index]
    if pysane_enter(h) == SANE_STATUS_GOOD:
        result = descriptor_told(h, index)
        pysane_leave(h)
    return result


cdef int constrain(SANE_Option_Descriptor *d, SANE_Word *value) noexcept nogil:
    """Fit one word to the constraint; return the info bits, -1 if it is not acceptable."""
    cdef SANE_Word given = value[0], i, best
    cdef long long nearest
    if d.constraint_type == SANE_CONSTRAINT_RANGE:
        value[0] = <SANE_Word>fit_range(
            given, d.constraint.range.min, d.constraint.range.max, d.constraint.range.quant
        )
    elif d.constraint_type == SANE_CONSTRAINT_WORD_LIST:
        best = d.constraint.word_list[1]
        nearest = distance(given, best)
        for i in range(2, d.constraint.word_list[0] + 1):
            if distance(given, d.constraint.word_list[i]) < nearest:
                best = d.constraint.word_list[i]
                nearest = distance(given, best)
        value[0] = best
    elif d.type == SANE_TYPE_BOOL and given != 0 and given != 1:
        return -1
    return SANE_INFO_INEXACT if value[0] != given else 0


cdef SANE_Status direct_control(
    pysane_handle *h, SANE_Int index, SANE_Action action, void *value, SANE_Int *info
) noexcept nogil:
    """GET and SET of an option that no code of the driver takes part in."""
    cdef SANE_Option_Descriptor *d = &h.descriptors[index]
    cdef unsigned char *stored = h.values + h.offsets[index]
    cdef SANE_Word given, fitted
    cdef int bits = 0
    if action == SANE_ACTION_GET_VALUE:
        memcpy(value, stored, strlen(<char *>stored) + 1 if d.type == SANE_TYPE_STRING else d.size)
    else:
        memcpy(&given, value, sizeof(SANE_Word))
        fitted = given
        bits = constrain(d, &fitted)
        if bits < 0:
            return SANE_STATUS_INVAL
        if fitted != given:
            memcpy(value, &fitted, sizeof(SANE_Word))
        if fitted != (<SANE_Word *>stored)[0]:
            (<SANE_Word *>stored)[0] = fitted
            bits |= h.reloads[index]
    if info != NULL:
        info[0] = bits
    return SANE_STATUS_GOOD


cdef SANE_Status told_control(
    pysane_handle *h, SANE_Int index, SANE_Action action, void *value, SANE_Int *info
) noexcept with gil:
    cdef AbiHandle self = of(h)
    cdef SANE_Status status = SANE_STATUS_GOOD
    cdef SANE_Int bits = 0
    try:
        bits = control(self, index, action, value)
    except BaseException as exc:
        status = self.failed("control_option", exc)
    self.refresh()
    if status == SANE_STATUS_GOOD and info != NULL:
        info[0] = bits
    return status


cdef SANE_Int control(AbiHandle self, SANE_Int index, SANE_Action action, void *value) except -1:
    cdef bytes given, result
    cdef SANE_Int bits = 0
    cdef SANE_Option_Descriptor *d
    if action == SANE_ACTION_SET_AUTO:
        return self.handle.set_auto(index)
    option = self.handle.access(index, action)
    if option is None:
        return 0
    d = &self.h.descriptors[index]
    if action == SANE_ACTION_SET_VALUE and d.type == SANE_TYPE_BUTTON:
        return self.handle.set(index, b"")[1]
    if value == NULL:
        raise Invalid(f"option {option.name}: no value given")
    if action == SANE_ACTION_GET_VALUE:
        result = self.handle.get(index)
        memcpy(value, <const char *>result, min(len(result), d.size))
        return 0
    if d.type == SANE_TYPE_STRING:
        given = (<const char *>value)[: strlen(<const char *>value) + 1]
    else:
        given = (<const char *>value)[: d.size]
    result, bits = self.handle.set(index, given)
    if result != given and len(result) <= len(given):
        memcpy(value, <const char *>result, len(result))
    return bits


cdef SANE_Status py_control(
    SANE_Handle inner, SANE_Int index, SANE_Action action, void *value, SANE_Int *info
) noexcept nogil:
    cdef pysane_handle *h = <pysane_handle *>inner
    cdef SANE_Status status
    if value != NULL and 0 <= index < h.count and 0 <= action < 2 and pysane_try_enter(h):
        if h.direct[index] & (1 << action):
            status = direct_control(h, index, action, value, info)
            pysane_leave_quick(h)
            return status
        pysane_leave_quick(h)
    status = pysane_enter(h)
    if status == SANE_STATUS_GOOD:
        status = told_control(h, index, action, value, info)
        pysane_leave(h)
    return status


# -- The scan -----------------------------------------------------------------------------------


cdef SANE_Status parameters(pysane_handle *h, SANE_Parameters *out) noexcept with gil:
    cdef AbiHandle self = of(h)
    cdef SANE_Parameters ignored
    try:
        pysane_parameters(self.handle.parameters(), out if out != NULL else &ignored)
    except BaseException as exc:
        partial = getattr(exc, "parameters", None)
        if partial is not None and out != NULL:  # pnm fills them even then
            pysane_parameters(partial, out)
        return self.failed("parameters", exc)
    return SANE_STATUS_GOOD


cdef SANE_Status py_parameters(SANE_Handle inner, SANE_Parameters *out) noexcept nogil:
    cdef pysane_handle *h = <pysane_handle *>inner
    cdef SANE_Status status = pysane_enter(h)
    if status == SANE_STATUS_GOOD:
        status = parameters(h, out)
        pysane_leave(h)
    return status


cdef SANE_Status start(pysane_handle *h) noexcept with gil:
    cdef AbiHandle self = of(h)
    cdef SANE_Status status = SANE_STATUS_GOOD
    try:
        error = pysane_watch(h)
        if error:
            raise OSError(error, "cannot start the service thread")
        h.active = 1
        self.handle.start()
    except BaseException as exc:
        status = self.failed("start", exc)
    self.refresh()
    return status


cdef SANE_Status py_start(SANE_Handle inner) noexcept nogil:
    cdef pysane_handle *h = <pysane_handle *>inner
    cdef SANE_Status status = pysane_enter(h)
    if status == SANE_STATUS_GOOD:
        status = start(h)
        pysane_leave(h)
    return status


cdef SANE_Status told_read(pysane_handle *h, SANE_Byte *data, SANE_Int size, SANE_Int *length) noexcept with gil:
    return of(h).read(data, size, length)


cdef SANE_Status nowhere_read(pysane_handle *h) noexcept with gil:
    cdef AbiHandle self = of(h)
    try:
        self.handle.read_nowhere()
    except BaseException as exc:
        return self.failed("read", exc)
    return SANE_STATUS_INVAL


cdef SANE_Status ended_read(pysane_handle *h, int ended, SANE_Int taken) noexcept with gil:
    """The reader of the device gave anything but data."""
    cdef AbiHandle self = of(h)
    cdef SANE_Status status
    try:
        status = self.handle.reader_ended(ended, taken)
    except BaseException as exc:
        status = self.failed("read", exc)
    self.refresh()
    return status


cdef SANE_Status py_read(SANE_Handle inner, SANE_Byte *data, SANE_Int size, SANE_Int *length) noexcept nogil:
    cdef pysane_handle *h = <pysane_handle *>inner
    cdef SANE_Status status
    cdef Py_ssize_t n = 0
    length[0] = 0
    status = pysane_enter(h)
    if status != SANE_STATUS_GOOD:
        return status
    if data == NULL or size < 0:
        status = nowhere_read(h)
    elif h.reader == NULL:
        status = told_read(h, data, size, length)
    else:
        status = h.reader.read(h.reader.ctx, data, size, &n)
        if status != SANE_STATUS_GOOD:
            status = ended_read(h, status, <SANE_Int>n)
        if status == SANE_STATUS_GOOD:
            length[0] = <SANE_Int>n
    pysane_leave(h)
    return status


cdef SANE_Status io_mode(pysane_handle *h, SANE_Bool non_blocking) noexcept with gil:
    cdef AbiHandle self = of(h)
    cdef SANE_Status status = SANE_STATUS_GOOD
    try:
        self.handle.set_io_mode(bool(non_blocking))
    except BaseException as exc:
        status = self.failed("set_io_mode", exc)
    self.refresh()
    return status


cdef SANE_Status py_io_mode(SANE_Handle inner, SANE_Bool non_blocking) noexcept nogil:
    cdef pysane_handle *h = <pysane_handle *>inner
    cdef SANE_Status status = pysane_enter(h)
    if status == SANE_STATUS_GOOD:
        status = io_mode(h, non_blocking)
        pysane_leave(h)
    return status


cdef SANE_Status select_fd(pysane_handle *h, SANE_Int *fd) noexcept with gil:
    cdef AbiHandle self = of(h)
    cdef SANE_Status status = SANE_STATUS_GOOD
    try:
        found = self.handle.select_fd()
        if fd != NULL:
            fd[0] = found
    except BaseException as exc:
        status = self.failed("get_select_fd", exc)
    self.refresh()
    return status


cdef SANE_Status py_select_fd(SANE_Handle inner, SANE_Int *fd) noexcept nogil:
    cdef pysane_handle *h = <pysane_handle *>inner
    cdef SANE_Status status = pysane_enter(h)
    if status == SANE_STATUS_GOOD:
        status = select_fd(h, fd)
        pysane_leave(h)
    return status


cdef void py_cancel(SANE_Handle inner) noexcept nogil:
    """Async-signal-safe: a flag and a write."""
    pysane_request_cancel(<pysane_handle *>inner)


cdef void carry_out_cancel(pysane_handle *h) noexcept with gil:
    """Called with the handle held, by its next user or by the service thread."""
    cdef AbiHandle self = of(h)
    try:
        self.handle.cancelled()
    except BaseException as exc:
        self.report("cancel", exc)
    pysane_forget_cancel(h)
    self.refresh()


cdef void interrupt(pysane_handle *h) noexcept with gil:
    """A driver ignores cancel: raise Cancelled in whatever Python code it is in."""
    if not (h.open and h.cancel and h.thread) or h.object == NULL:
        return
    error = DeviceIOError("does not react to cancel; interrupted")
    of(h).report("read_into", error)
    PyThreadState_SetAsyncExc(h.thread, <PyObject *>Cancelled)


cdef void close(pysane_handle *h) noexcept with gil:
    cdef AbiHandle self = of(h)
    try:
        self.handle.close()
    except BaseException as exc:
        self.report("close", exc)
    self.reader = None
    h.reader = NULL
    h.object = NULL
    h.values = h.direct = NULL
    h.descriptors = NULL
    h.count = 0
    PyBuffer_Release(&self.values)
    PyBuffer_Release(&self.direct)
    Py_DECREF(self)


cdef void py_close(SANE_Handle inner) noexcept nogil:
    cdef pysane_handle *h = <pysane_handle *>inner
    if pysane_enter_close(h) == SANE_STATUS_GOOD:
        close(h)
        pysane_handle_free(h)
        pysane_leave(h)


cdef public object pysane_new_handle(pysane_handle *h):
    """Return a new AbiHandle for *h*, which keeps the request for cancel too."""
    cdef AbiHandle self = AbiHandle()
    self.h = h
    self.cancel = AbiCancel()
    self.cancel.h = h
    self.cancel.fd = h.cancel_fd
    return self


cdef public int pysane_attach(object abi_handle, object handle) except -1:
    """Join an AbiHandle and the Handle that it stands for: share the options with C."""
    cdef AbiHandle self = abi_handle
    cdef pysane_handle *h = self.h
    self.handle = handle
    self.lent = Lent()
    self.options = handle.options
    self.memory = pysane_descriptors(self.options, &h.descriptors)
    PyObject_GetBuffer(self.options.values, &self.values, PyBUF_WRITABLE)
    PyObject_GetBuffer(handle.direct, &self.direct, PyBUF_WRITABLE)
    h.count = len(self.options)
    h.values = <unsigned char *>self.values.buf
    h.direct = <unsigned char *>self.direct.buf
    h.offsets = pysane_offsets(self.memory)
    h.reloads = pysane_reloads(self.memory)
    h.reader = NULL
    h.object = <void *>self
    self.refresh()
    return 0


cdef extern from *:
    """
    extern const struct pysane_device_ops *pysane_python_device_ops;
    const struct pysane_device_ops *pysane_python_device_ops;
    """
    const pysane_device_ops *pysane_python_device_ops

cdef pysane_device_ops device_ops
device_ops.close = py_close
device_ops.get_option_descriptor = py_descriptor
device_ops.control_option = py_control
device_ops.get_parameters = py_parameters
device_ops.start = py_start
device_ops.read = py_read
device_ops.cancel = py_cancel
device_ops.set_io_mode = py_io_mode
device_ops.get_select_fd = py_select_fd


cdef void publish():
    global pysane_cancelled, pysane_interrupt, pysane_python_device_ops
    pysane_cancelled = carry_out_cancel
    pysane_interrupt = interrupt
    pysane_python_device_ops = &device_ops

publish()
