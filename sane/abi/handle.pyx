# cython: language_level=3
"""What stands behind the symbols of an open handle: a Python device, called from C.

Each function here fills one entry of a table in abi.h: it enters the gate, does what needs no
Python without Python, else takes the GIL and calls the method of sane.handle.Handle; one catch
turns exceptions into statuses. Source: c-abi-and-dll 1.7 (contract), architecture (cancel).
"""

from cpython.buffer cimport PyBUF_WRITABLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.pycapsule cimport PyCapsule_GetPointer
from cpython.ref cimport Py_DECREF, PyObject
from libc.string cimport memchr, memcpy

from .gate cimport *
from ..sane_h cimport *
from .modules cimport (
    pysane_descriptor_update,
    pysane_descriptors,
    pysane_direct_control,
    pysane_is_lent,
    pysane_lend,
    pysane_new_cancel,
    pysane_new_lent,
    pysane_options_of,
    pysane_parameters,
    pysane_redeclare,
    pysane_take_back,
)

from ..errors import Cancelled, DeviceIOError, Invalid, Misbehaved, status_of
from ..handle import hook_of
from ..values import TELL_FETCH as _TELL_FETCH

cdef extern from "Python.h":
    int PyThreadState_SetAsyncExc(unsigned long thread, PyObject *exception)
    unsigned long PyThread_get_thread_ident()

cdef extern from "<string.h>":
    size_t strnlen(const char *text, size_t most) nogil

cdef unsigned char TELL_FETCH = _TELL_FETCH


cdef class AbiHandle:
    """The Python side of an open C handle."""

    cdef pysane_handle *h
    cdef readonly object cancel
    cdef object handle, options, declared, lent
    cdef bint keeps_views
    cdef object table
    cdef Py_buffer values, direct
    cdef object reader

    cdef SANE_Status refresh(self) noexcept:
        """Renew the descriptors that changed, and the reader; GOOD unless that failed."""
        cdef SANE_Status status = SANE_STATUS_GOOD
        cdef const pysane_options *shown = pysane_options_of(self.table)
        cdef bint tells
        changed = self.options.changed
        if changed:
            try:
                if self.options.declared is not self.declared:
                    pysane_redeclare(self.table, self.options)
                    self.declared = self.options.declared
                for index in changed:
                    pysane_descriptor_update(self.table, self.options, index)
            except BaseException as exc:
                status = self.failed("descriptor", exc)
            changed.clear()
        tells = self.h.direct != NULL and memchr(self.h.direct, TELL_FETCH, shown.count) != NULL
        pysane_declare(self.h, shown, tells)
        if not self.handle.job:
            pysane_job_over(self.h, self.h.current)
        elif not pysane_is_active(self.h):  # pnm's job outlives the handle that began it
            self.h.current = pysane_count_start(self.h)
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
        if pysane_is_finalizing():
            return SANE_STATUS_IO_ERROR
        try:
            self.handle.device.report(call, exc)
        except BaseException:
            pass  # a driver whose own report fails has nowhere else to complain
        return status_of(exc)

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
        if not self.keeps_views and pysane_is_lent(self.lent):
            self.keeps_views = True
            pysane_take_back(self.lent)
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
        return pysane_lend(self.lent, data, size)


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
    cdef pysane_handle *h = pysane_handle_of(inner)
    cdef SANE_Status status = pysane_enter(inner)
    if status == SANE_STATUS_GOOD:
        status = guarded(h, call, body, argument)
        pysane_leave(h)
    return status


# -- Options ------------------------------------------------------------------------------------


cdef int fetch(AbiHandle self, void *argument) except -1:
    cdef SANE_Int index = (<SANE_Int *>argument)[0]
    self.handle.descriptor(index)
    return 0


cdef const SANE_Option_Descriptor *py_descriptor(SANE_Handle inner, SANE_Int index) noexcept nogil:
    """Answer beside any other call, unless the driver is to hear of it."""
    cdef int tells
    cdef const SANE_Option_Descriptor *found = pysane_descriptor(inner, index, &tells)
    if tells:
        if enter_and(inner, "get_option_descriptor", fetch, &index) != SANE_STATUS_GOOD:
            return NULL
        found = pysane_descriptor(inner, index, &tells)
    return found


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
    if self.options.changed:  # a remote device may have declared its options anew just now
        self.refresh()
    if c.index >= self.h.options.count:
        raise Invalid(f"option {c.index}: there are {self.h.options.count}")
    d = &self.h.options.descriptors[c.index]
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
        given = (<const char *>c.value)[: strnlen(<const char *>c.value, d.size)] + b"\0"
    else:
        given = (<const char *>c.value)[: d.size]
    result, c.info = self.handle.set(c.index, given)
    if result != given and len(result) <= len(given):  # never more than the caller's text
        memcpy(c.value, <const char *>result, len(result))
    return 0


cdef SANE_Status py_control(
    SANE_Handle inner, SANE_Int index, SANE_Action action, void *value, SANE_Int *info
) noexcept nogil:
    cdef pysane_handle *h = pysane_handle_of(inner)
    cdef Control c
    cdef SANE_Status status
    if value != NULL and 0 <= action < 2 and pysane_try_enter(inner):
        if 0 <= index < h.options.count and h.direct[index] & (1 << action):
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


cdef int start(AbiHandle self, void *number) except -1:
    cdef unsigned int start = (<unsigned int *>number)[0]
    if <int>(start - self.h.current) > 0:
        self.h.current = start
    error = pysane_watch(self.h)
    if error:
        raise OSError(error, "cannot start the service thread")
    if pysane_covers(self.h, start):
        raise Cancelled("start: cancelled while it waited")
    self.handle.start()
    return 0


cdef SANE_Status py_start(SANE_Handle inner) noexcept nogil:
    cdef pysane_handle *h = pysane_handle_of(inner)
    cdef unsigned int number = pysane_count_start(h)
    cdef SANE_Status status = pysane_enter(inner)
    if status == SANE_STATUS_GOOD:
        status = guarded(h, "start", start, &number)
        pysane_leave_point(h, status)
    return status


cdef SANE_Status told_read(
    pysane_handle *h, SANE_Byte *data, SANE_Int size, SANE_Int *length
) noexcept with gil:
    pysane_turn_begins(h)
    return of(h).read(data, size, length)


cdef int read_nowhere(AbiHandle self, void *unused) except -1:
    self.handle.read_nowhere()
    return 0


# What a reader said that gave anything but data, and what read is to answer.
cdef struct Ended:
    int status
    Py_ssize_t taken, size


cdef int reader_ended(AbiHandle self, void *argument) except -1:
    cdef Ended *ended = <Ended *>argument
    if not 0 <= ended.taken <= ended.size:
        error = Misbehaved(f"the reader gave {ended.taken} bytes for {ended.size}")
        self.handle.fail(error)
        raise error
    ended.status = self.handle.reader_ended(ended.status, ended.taken)
    return 0


cdef SANE_Status read_frame(
    pysane_handle *h, SANE_Byte *data, SANE_Int size, SANE_Int *length
) noexcept nogil:
    """Read from the device's reader, without Python as long as it gives data."""
    cdef Ended ended
    cdef SANE_Status status = SANE_STATUS_GOOD
    ended.taken, ended.size = 0, size
    ended.status = h.reader.read(h.reader.ctx, data, size, &ended.taken)
    if ended.status != SANE_STATUS_GOOD or not 0 <= ended.taken <= size:
        status = guarded(h, "read", reader_ended, &ended)
    if status == SANE_STATUS_GOOD:
        status = ended.status
    if status == SANE_STATUS_GOOD:
        length[0] = <SANE_Int>ended.taken
    return status


cdef SANE_Status py_read(
    SANE_Handle inner, SANE_Byte *data, SANE_Int size, SANE_Int *length
) noexcept nogil:
    cdef pysane_handle *h = pysane_handle_of(inner)
    cdef SANE_Status status
    cdef bint has_turn
    length[0] = 0
    status = pysane_enter_read(inner)
    if status != SANE_STATUS_GOOD:
        return status
    if data == NULL or size < 0:
        status = guarded(h, "read", read_nowhere, NULL)
    elif h.reader == NULL:
        has_turn = pysane_take_turn(h)
        status = told_read(h, data, size, length)
        pysane_give_turn(h, has_turn)
    else:
        status = read_frame(h, data, size, length)
    pysane_leave_point(h, status)
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


cdef void carry_out_cancel(pysane_handle *h) noexcept with gil:
    """Called with the handle held, by its next user or by a thread of the service."""
    cdef AbiHandle self = of(h)
    cdef unsigned int covered = pysane_covered(h)
    try:
        self.handle.cancelled()
    except BaseException as exc:
        self.failed("cancel", exc)
    pysane_job_over(h, covered)
    self.refresh()


cdef void interrupt(pysane_handle *h) noexcept with gil:
    """A driver ignores cancel: raise Cancelled in whatever Python code it is in.

    While it finishes that is only reported. Both are told first: a host may end with the call.
    """
    cdef AbiHandle self = None
    cdef unsigned long caller, thread
    cdef int busy = pysane_pin(h, &caller)  # until unpin without waiting: who holds it may
    if busy == 0:
        return
    if caller != 0 and h.object != NULL and pysane_is_cancelled(h):
        self = of(h)
    pysane_unpin(h, 0)
    if self is None:
        return
    if busy & PYSANE_UNDISTURBED:
        self.failed(hook_of(caller), DeviceIOError("takes more than a second after cancel"))
        return
    self.failed(hook_of(caller), Misbehaved("does not react to cancel; interrupted"))
    busy = pysane_pin(h, &thread)
    if busy == 0:
        return
    if thread == caller and not busy & PYSANE_UNDISTURBED and pysane_is_cancelled(h):
        PyThreadState_SetAsyncExc(thread, <PyObject *>Cancelled)
        busy |= PYSANE_STRUCK
    pysane_unpin(h, busy & PYSANE_STRUCK)


cdef void uninterrupt(pysane_handle *h) noexcept with gil:
    """This thread lets go of the handle: what was to interrupt its call must not hit the next."""
    PyThreadState_SetAsyncExc(PyThread_get_thread_ident(), NULL)


cdef void close(pysane_handle *h) noexcept with gil:
    """Close a handle that this thread holds."""
    cdef AbiHandle self = of(h)
    try:
        self.handle.close()
    except BaseException as exc:
        self.failed("close", exc)
    pysane_declare(h, NULL, False)
    h.values = h.direct = NULL
    self.reader = None
    h.reader = NULL
    h.object = NULL
    PyBuffer_Release(&self.values)
    PyBuffer_Release(&self.direct)
    Py_DECREF(self)


cdef public object pysane_new_handle(pysane_handle *h):
    """Return a new AbiHandle for *h*, which keeps the request for cancel too."""
    cdef AbiHandle self = AbiHandle()
    self.h = h
    self.cancel = pysane_new_cancel(h)
    return self


cdef public int pysane_attach(object abi_handle, object handle) except -1:
    """Join an AbiHandle and the Handle that it stands for: share the options with C."""
    cdef AbiHandle self = abi_handle
    cdef pysane_handle *h = self.h
    self.handle = handle
    self.lent = pysane_new_lent()
    self.options = handle.options
    self.table = pysane_descriptors(self.options)
    self.declared = self.options.declared
    PyObject_GetBuffer(self.options.values, &self.values, PyBUF_WRITABLE)
    PyObject_GetBuffer(handle.direct, &self.direct, PyBUF_WRITABLE)
    h.values = <unsigned char *>self.values.buf
    h.direct = <unsigned char *>self.direct.buf
    h.reader = NULL
    h.object = <void *>self
    self.refresh()
    return 0


cdef pysane_device_ops device_ops
device_ops.close = pysane_gate_close
device_ops.get_option_descriptor = py_descriptor
device_ops.control_option = py_control
device_ops.get_parameters = py_parameters
device_ops.start = py_start
device_ops.read = py_read
device_ops.cancel = pysane_request_cancel
device_ops.set_io_mode = py_io_mode
device_ops.get_select_fd = py_select_fd


cdef void publish():
    global pysane_cancelled, pysane_close_held, pysane_interrupt, pysane_uninterrupt
    global pysane_python_device_ops
    pysane_cancelled = carry_out_cancel
    pysane_close_held = close
    pysane_interrupt = interrupt
    pysane_uninterrupt = uninterrupt
    pysane_python_device_ops = &device_ops

publish()
