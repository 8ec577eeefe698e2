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
from ..sane_h cimport *
from .modules cimport (
    pysane_descriptor_update,
    pysane_descriptors,
    pysane_direct_control,
    pysane_offsets,
    pysane_parameters,
    pysane_publish_device_ops,
    pysane_redeclare,
    pysane_reloads,
)

from ..errors import Cancelled, Misbehaved, Invalid, status_of
from ..values import TELL_FETCH as _TELL_FETCH

cdef extern from "Python.h":
    int PyThreadState_SetAsyncExc(unsigned long thread, PyObject *exception)

cdef unsigned char TELL_FETCH = _TELL_FETCH


cdef class AbiCancel:
    """The cancel request of a C handle, with the methods of sane.cancel.Cancel."""

    cdef pysane_handle *h
    cdef readonly int fd

    def is_set(self):
        return bool(self.h.cancel)

    def set(self):
        pysane_request_cancel(self.h)

    def clear(self):
        pysane_clear_cancel(self.h)

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
    cdef object handle, options, declared
    cdef Lent lent
    cdef bint keeps_views
    cdef object table
    cdef Py_buffer values, direct
    cdef object reader

    cdef SANE_Status refresh(self) noexcept:
        """Renew the descriptors that changed, and the reader; GOOD unless that failed."""
        cdef SANE_Status status = SANE_STATUS_GOOD
        changed = self.options.changed
        if changed:
            try:
                if self.options.declared is not self.declared:
                    pysane_redeclare(self.table, self.options, &self.h.descriptors, &self.h.count)
                    self.declared = self.options.declared
                for index in changed:
                    pysane_descriptor_update(self.table, self.options, index)
            except BaseException as exc:
                status = self.failed("descriptor", exc)
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
                    status = self.failed("reader", exc)
        return status

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
            release_views(self.lent)
            error = Misbehaved("keeps the view it was lent; it gets buffers of its own from now")
            self.handle.fail(error)
            status = self.failed("read_into", error)
        self.refresh()
        if status != SANE_STATUS_GOOD:
            length[0] = 0
        return status

    cdef object lend(self, SANE_Byte *data, SANE_Int size):
        if self.keeps_views:
            return memoryview(bytearray(size))
        self.lent.data, self.lent.size = data, size
        return PyMemoryView_FromObject(self.lent)


cdef void release_views(Lent lent) noexcept:
    """Take away the views of *lent* that a driver keeps: the memory is the frontend's again."""
    import gc

    for candidate in gc.get_objects():
        if type(candidate) is memoryview:
            try:
                if candidate.obj is lent:
                    candidate.release()
            except (ValueError, BufferError):
                continue  # released already, or in use by something that is no memoryview


cdef AbiHandle of(pysane_handle *h):
    return <AbiHandle>h.object


ctypedef int (*body_t)(AbiHandle self, void *argument) except -1


cdef SANE_Status guarded(
    pysane_handle *h, const char *call, body_t body, void *argument
) noexcept with gil:
    """Run *body*; the one catch that turns exceptions into statuses."""
    cdef AbiHandle self = of(h)
    cdef SANE_Status status = SANE_STATUS_GOOD, problem
    try:
        body(self, argument)
    except BaseException as exc:
        status = self.failed(call.decode(), exc)
    problem = self.refresh()
    return status or problem


cdef SANE_Status enter_and(
    SANE_Handle inner, const char *call, body_t body, void *argument
) noexcept nogil:
    """Run *body* as a call of its own."""
    cdef pysane_handle *h = <pysane_handle *>inner
    cdef SANE_Status status = pysane_enter(h)
    if status == SANE_STATUS_GOOD:
        status = guarded(h, call, body, argument)
        pysane_leave(h)
    return status


# -- Options ------------------------------------------------------------------------------------


cdef int fetch(AbiHandle self, void *index) except -1:
    self.handle.descriptor((<SANE_Int *>index)[0])
    return 0


cdef const SANE_Option_Descriptor *py_descriptor(SANE_Handle inner, SANE_Int index) noexcept nogil:
    cdef pysane_handle *h = <pysane_handle *>inner
    cdef const SANE_Option_Descriptor *found = NULL
    cdef bint tell = False
    if not pysane_mark():
        return NULL
    if h.open and index >= 0 and h.count > 0:
        found = &h.descriptors[index] if index < h.count else NULL
        tell = h.direct[min(index, h.count - 1)] & TELL_FETCH  # a reload may bring more
    pysane_unmark()
    if tell and enter_and(inner, "get_option_descriptor", fetch, &index) != SANE_STATUS_GOOD:
        return NULL
    return &h.descriptors[index] if tell and index < h.count else <SANE_Option_Descriptor *>found


# What sane_control_option was called with, and the info bits of a success.
cdef struct Control:
    SANE_Int index
    SANE_Action action
    void *value
    SANE_Int info


cdef int control(AbiHandle self, void *argument) except -1:
    cdef Control *c = <Control *>argument
    cdef bytes given, result
    cdef SANE_Option_Descriptor *d
    if c.action == SANE_ACTION_SET_AUTO:
        c.info = self.handle.set_auto(c.index)
        return 0
    option = self.handle.access(c.index, c.action)
    if option is None:
        return 0
    d = &self.h.descriptors[c.index]
    if c.action == SANE_ACTION_SET_VALUE and d.type == SANE_TYPE_BUTTON:
        c.info = self.handle.set(c.index, b"")[1]
        return 0
    if c.value == NULL:
        raise Invalid(f"option {option.name}: no value given")
    if c.action == SANE_ACTION_GET_VALUE:
        result = self.handle.get(c.index)
        memcpy(c.value, <const char *>result, min(len(result), d.size))
        return 0
    if d.type == SANE_TYPE_STRING:
        given = (<const char *>c.value)[: strlen(<const char *>c.value) + 1]
    else:
        given = (<const char *>c.value)[: d.size]
    result, c.info = self.handle.set(c.index, given)
    if result != given and len(result) <= len(given):  # never more than the caller's text
        memcpy(c.value, <const char *>result, len(result))
    return 0


cdef SANE_Status py_control(
    SANE_Handle inner, SANE_Int index, SANE_Action action, void *value, SANE_Int *info
) noexcept nogil:
    cdef pysane_handle *h = <pysane_handle *>inner
    cdef Control c
    cdef SANE_Status status
    if value != NULL and 0 <= index < h.count and 0 <= action < 2 and pysane_try_enter(h):
        if h.direct[index] & (1 << action):
            status = pysane_direct_control(h, index, action, value, info)
            pysane_leave_quick(h)
            return status
        pysane_leave_quick(h)
    c.index, c.action, c.value, c.info = index, action, value, 0
    status = enter_and(inner, "control_option", control, &c)
    if status == SANE_STATUS_GOOD and info != NULL:
        info[0] = c.info
    return status


# -- The scan -----------------------------------------------------------------------------------


cdef int parameters(AbiHandle self, void *out) except -1:
    try:
        pysane_parameters(self.handle.parameters(), <SANE_Parameters *>out)
    except Invalid as exc:
        if exc.parameters is not None:  # pnm fills them even then
            pysane_parameters(exc.parameters, <SANE_Parameters *>out)
        raise
    return 0


cdef SANE_Status py_parameters(SANE_Handle inner, SANE_Parameters *out) noexcept nogil:
    cdef SANE_Parameters ignored
    return enter_and(inner, "get_parameters", parameters, out if out != NULL else &ignored)


cdef int start(AbiHandle self, void *unused) except -1:
    error = pysane_watch(self.h)
    if error:
        raise OSError(error, "cannot start the service thread")
    self.h.active = 1
    self.handle.start()
    return 0


cdef SANE_Status py_start(SANE_Handle inner) noexcept nogil:
    return enter_and(inner, "start", start, NULL)


cdef SANE_Status told_read(
    pysane_handle *h, SANE_Byte *data, SANE_Int size, SANE_Int *length
) noexcept with gil:
    return of(h).read(data, size, length)


cdef int read_nowhere(AbiHandle self, void *unused) except -1:
    self.handle.read_nowhere()
    return 0


# What a reader said that gave anything but data, and what read is to answer.
cdef struct Ended:
    int status
    Py_ssize_t taken


cdef int reader_ended(AbiHandle self, void *argument) except -1:
    cdef Ended *ended = <Ended *>argument
    ended.status = self.handle.reader_ended(ended.status, ended.taken)
    return 0


cdef SANE_Status py_read(
    SANE_Handle inner, SANE_Byte *data, SANE_Int size, SANE_Int *length
) noexcept nogil:
    cdef pysane_handle *h = <pysane_handle *>inner
    cdef Ended ended
    cdef SANE_Status status
    length[0] = 0
    status = pysane_enter(h)
    if status != SANE_STATUS_GOOD:
        return status
    if data == NULL or size < 0:
        status = guarded(h, "read", read_nowhere, NULL)
    elif h.reader == NULL:
        status = told_read(h, data, size, length)
    else:
        ended.taken = 0
        ended.status = h.reader.read(h.reader.ctx, data, size, &ended.taken)
        if ended.status != SANE_STATUS_GOOD:
            status = guarded(h, "read", reader_ended, &ended)
        if status == SANE_STATUS_GOOD:
            status = ended.status
        if status == SANE_STATUS_GOOD:
            length[0] = <SANE_Int>ended.taken
    pysane_leave(h)
    return status


cdef int io_mode(AbiHandle self, void *non_blocking) except -1:
    self.handle.set_io_mode(bool((<SANE_Bool *>non_blocking)[0]))
    return 0


cdef SANE_Status py_io_mode(SANE_Handle inner, SANE_Bool non_blocking) noexcept nogil:
    return enter_and(inner, "set_io_mode", io_mode, &non_blocking)


cdef int select_fd(AbiHandle self, void *fd) except -1:
    (<SANE_Int *>fd)[0] = self.handle.select_fd()
    return 0


cdef SANE_Status py_select_fd(SANE_Handle inner, SANE_Int *fd) noexcept nogil:
    cdef SANE_Int ignored
    return enter_and(inner, "get_select_fd", select_fd, fd if fd != NULL else &ignored)


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
    pysane_clear_cancel(h)
    self.refresh()


cdef void interrupt(pysane_handle *h) noexcept with gil:
    """A driver ignores cancel: raise Cancelled in whatever Python code it is in."""
    if not (h.open and h.cancel and h.thread) or h.object == NULL:
        return
    error = Misbehaved("does not react to cancel; interrupted")
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
        close_held(h)
        pysane_leave(h)


cdef void close_held(pysane_handle *h) noexcept nogil:
    """Close a handle that this thread holds."""
    close(h)
    pysane_handle_free(h)


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
    self.table = pysane_descriptors(self.options, &h.descriptors)
    PyObject_GetBuffer(self.options.values, &self.values, PyBUF_WRITABLE)
    PyObject_GetBuffer(handle.direct, &self.direct, PyBUF_WRITABLE)
    h.count = len(self.options)
    h.values = <unsigned char *>self.values.buf
    h.direct = <unsigned char *>self.direct.buf
    h.offsets = pysane_offsets(self.table)
    h.reloads = pysane_reloads(self.table)
    h.reader = NULL
    h.object = <void *>self
    self.refresh()
    return 0


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
    global pysane_cancelled, pysane_close_held, pysane_interrupt
    pysane_cancelled = carry_out_cancel
    pysane_close_held = close_held
    pysane_interrupt = interrupt
    pysane_publish_device_ops(&device_ops)

publish()
