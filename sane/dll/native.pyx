# cython: language_level=3
"""C backends: loads one, calls its functions without the GIL, and holds its devices.

A C program's calls do not come here: its slot holds the backend's own functions and the
backend's own handle (Device.table). What is here serves loading, opening and Python callers.
It knows the standard's C functions and structures; it knows neither names of devices nor the
states of a scan. Source: c-abi-and-dll 3.2 and 4.5 to 4.9.
"""

from cpython.buffer cimport PyBUF_WRITABLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.pycapsule cimport PyCapsule_GetPointer, PyCapsule_New
from libc.stdint cimport uintptr_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy, memset

from ..sane_h cimport *

import os
from _thread import allocate_lock, get_ident

from ..const import OPERATIONS
from ..errors import Invalid, Misbehaved, error_of
from ..param import Parameters

cdef extern from "dlfcn.h" nogil:
    int RTLD_LAZY, RTLD_NOW, RTLD_NOLOAD, RTLD_NODELETE
    void *dlopen(const char *path, int flags)
    void *dlsym(void *image, const char *symbol)
    char *dlerror()
    int dlclose(void *image)

MAJOR = 1  # of the standard: what a backend's sane_init must report
MOST_DEVICES = 10_000  # a list without an end
MOST_ENTRIES = 10_000  # of a constraint
# Libraries that stay when a backend goes: the original libsane is linked with them, and there are
# backends that leave a thread of libusb running.
STAYING = (b"libusb-1.0.so.0", b"libxml2.so.2")
INFO_BITS = 7


# The 13 functions of a backend. One that it lacks is a function of ours that refuses.
cdef struct Functions:
    SANE_Status (*init)(SANE_Int *, SANE_Auth_Callback) noexcept nogil
    void (*exit)() noexcept nogil
    SANE_Status (*get_devices)(const SANE_Device ***, SANE_Bool) noexcept nogil
    SANE_Status (*open)(SANE_String_Const, SANE_Handle *) noexcept nogil
    pysane_device_ops device


cdef SANE_Status no_init(SANE_Int *version, SANE_Auth_Callback authorize) noexcept nogil:
    return SANE_STATUS_UNSUPPORTED


cdef void no_exit() noexcept nogil:
    pass


cdef SANE_Status no_get_devices(const SANE_Device ***out, SANE_Bool local) noexcept nogil:
    return SANE_STATUS_UNSUPPORTED


cdef SANE_Status no_open(SANE_String_Const name, SANE_Handle *handle) noexcept nogil:
    return SANE_STATUS_UNSUPPORTED


cdef void no_call(SANE_Handle handle) noexcept nogil:
    pass


cdef const SANE_Option_Descriptor *no_descriptor(SANE_Handle h, SANE_Int index) noexcept nogil:
    return NULL


cdef SANE_Status no_control(
    SANE_Handle h, SANE_Int index, SANE_Action action, void *value, SANE_Int *info
) noexcept nogil:
    return SANE_STATUS_UNSUPPORTED


cdef SANE_Status no_parameters(SANE_Handle h, SANE_Parameters *out) noexcept nogil:
    return SANE_STATUS_UNSUPPORTED


cdef SANE_Status no_start(SANE_Handle h) noexcept nogil:
    return SANE_STATUS_UNSUPPORTED


cdef SANE_Status no_read(
    SANE_Handle h, SANE_Byte *data, SANE_Int size, SANE_Int *length
) noexcept nogil:
    length[0] = 0
    return SANE_STATUS_UNSUPPORTED


cdef SANE_Status no_io_mode(SANE_Handle h, SANE_Bool non_blocking) noexcept nogil:
    return SANE_STATUS_UNSUPPORTED


cdef SANE_Status no_select_fd(SANE_Handle h, SANE_Int *fd) noexcept nogil:
    return SANE_STATUS_UNSUPPORTED


cdef void fill_with_stubs(Functions *f) noexcept:
    f.init = no_init
    f.exit = no_exit
    f.get_devices = no_get_devices
    f.open = no_open
    f.device.close = no_call
    f.device.get_option_descriptor = no_descriptor
    f.device.control_option = no_control
    f.device.get_parameters = no_parameters
    f.device.start = no_start
    f.device.read = no_read
    f.device.cancel = no_call
    f.device.set_io_mode = no_io_mode
    f.device.get_select_fd = no_select_fd


cdef object text(const char *chars):
    """Return a C string as text that gives back the same bytes; "" for NULL."""
    return "" if chars == NULL else (<bytes>chars).decode("utf-8", "surrogateescape")


cdef bytes data_of(str chars):
    """Return text as the C string that it came from, without its end."""
    return chars.encode("utf-8", "surrogateescape")


cdef object failure(SANE_Status status, str what):
    """Return the exception for *status*, also for one that the standard does not have."""
    return error_of(<int>status, what)


# Which Python function gives user name and password for the backend's call in this thread.
cdef dict askers = {}


cdef void ask(const char *resource, char *user, char *password) noexcept with gil:
    """The authorization callback for Python callers (standard 4.3.1)."""
    asker = askers.get(get_ident())
    user[0] = password[0] = 0
    if asker is None:
        return
    try:
        given = asker(text(resource))
        name, secret = (data_of(part)[:SANE_MAX_USERNAME_LEN - 1] for part in given)
    except BaseException:
        return  # no credentials: the backend denies access, and says why
    memcpy(user, <const char *>name, len(name) + 1)
    memcpy(password, <const char *>secret, len(secret) + 1)


class asking:
    """While a backend's function runs in this thread, *authorize* answers its callback."""

    def __init__(self, authorize):
        self.authorize = authorize

    def __enter__(self):
        self.before = askers.get(get_ident())
        askers[get_ident()] = self.authorize

    def __exit__(self, *exc):
        if self.before is None:
            askers.pop(get_ident(), None)
        else:
            askers[get_ident()] = self.before


# By image: how many Library objects have called its init and not yet its exit, and what they must
# hold for either. Two libraries of ours in one process get the same image, with the same static
# data, from the dynamic linker; and so does one that is ended in one thread, begun in another.
cdef dict users = {}
cdef dict locks = {}


cdef class Library:
    """A C backend in memory."""

    cdef readonly str name, path
    cdef readonly list missing  # the operations that it does not have
    cdef readonly bint is_initialised
    cdef set devices  # that are open and belong to Python callers
    cdef void *image
    cdef Functions *functions

    def __init__(self, str name, paths, bint at_once):
        """Load the first of *paths* that is not a library of ours; raises Invalid."""
        self.name = name
        self.devices = set()
        for path in paths:
            self.path = path
            self.load(os.fsencode(path), RTLD_NOW if at_once else RTLD_LAZY)
            if dlsym(self.image, "pysane_shim") == NULL:
                self.bind()
                return
            dlclose(self.image)
            self.image = NULL
        raise Invalid(f"there is no C backend {name}")

    cdef int load(self, bytes path, int flags) except -1:
        cdef const char *name = path
        with nogil:
            self.image = dlopen(name, flags)
        if self.image == NULL:
            raise Invalid(f"cannot load the C backend {self.name}: {text(dlerror())}")
        for library in STAYING:
            name = library
            dlopen(name, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE)
        return 0

    cdef int bind(self) except -1:
        """Fill the table of functions; it is not freed with this object, but in close."""
        cdef void **place
        cdef void *found
        self.functions = <Functions *>calloc(1, sizeof(Functions))
        if self.functions == NULL:
            raise MemoryError
        fill_with_stubs(self.functions)
        place = <void **>self.functions
        self.missing = []
        for operation in OPERATIONS:  # in the order of the struct: it is filled as an array
            symbol = f"sane_{self.name}_{operation}"
            found = dlsym(self.image, os.fsencode(symbol))
            if found == NULL:
                found = dlsym(self.image, os.fsencode(f"_{symbol}"))
            if found == NULL:
                self.missing.append(symbol)
            else:
                place[0] = found
            place += 1
        return 0

    cdef Functions *table(self) except NULL:
        if self.functions == NULL:
            raise Invalid(f"the C backend {self.name} has been unloaded")
        return self.functions

    def init(self, callback):
        """Call sane_init; raises what it answers. Returns the version that it reports.

        callback: a capsule with the frontend's C function, another true value for the Python
        function of ``asking``, or a false one for no authorization.
        """
        cdef Functions *f = self.table()
        cdef SANE_Auth_Callback authorize = NULL
        cdef SANE_Int version = MAJOR << 24  # for a backend that forgets to store it
        cdef SANE_Status status = SANE_STATUS_GOOD
        if type(callback).__name__ == "PyCapsule":
            authorize = <SANE_Auth_Callback>PyCapsule_GetPointer(callback, "SANE_Auth_Callback")
        elif callback:
            authorize = ask
        key = <uintptr_t>self.image
        with locks.setdefault(key, allocate_lock()):
            if key not in users:
                with nogil:
                    status = f.init(&version, authorize)
                if status != SANE_STATUS_GOOD:
                    raise failure(status, f"init of the C backend {self.name} failed")
                major = version >> 24 & 0xFF
                if major != MAJOR:
                    raise Invalid(f"the C backend {self.name} is of version {major}, not {MAJOR}")
            users[key] = users.get(key, 0) + 1
            self.is_initialised = True
        return version

    def list_devices(self, bint local_only):
        """Return (name, vendor, model, type) of each device; raises what get_devices answers."""
        cdef Functions *f = self.table()
        cdef const SANE_Device **devices = NULL
        cdef const SANE_Device *d
        cdef SANE_Status status
        cdef SANE_Bool local = local_only
        with nogil:
            status = f.get_devices(&devices, local)
        if status != SANE_STATUS_GOOD:
            raise failure(status, f"get_devices of the C backend {self.name} failed")
        found = []
        while devices != NULL and devices[0] != NULL and len(found) < MOST_DEVICES:
            d = devices[0]
            found.append((text(d.name), text(d.vendor), text(d.model), text(d.type)))
            devices += 1
        return found

    def open(self, name, authorize=None):
        """Open device *name*, "" for the first, and return a Device; raises what open answers."""
        cdef Functions *f = self.table()
        cdef SANE_Handle handle = NULL
        cdef SANE_Status status
        cdef Device device
        cdef bytes encoded = data_of(name)
        cdef const char *chars = encoded
        with asking(authorize):
            with nogil:
                status = f.open(chars, &handle)
        if status != SANE_STATUS_GOOD:
            raise failure(status, f"open of {name!r} failed")
        device = Device()
        device.library = self
        device.slot.ops = &f.device
        device.slot.inner = handle
        device.authorize = authorize
        device.lock = allocate_lock()
        self.devices.add(device)
        return device

    def close(self):
        """Close what Python callers left open, call the backend's exit if its init was called,
        and unload it. The devices of C programs are closed before.
        """
        cdef Functions *f = self.functions
        cdef void *image = self.image
        for device in list(self.devices):
            device.close()
        key = <uintptr_t>image
        self.functions = NULL
        self.image = NULL
        if f == NULL:
            return
        if self.is_initialised:
            self.is_initialised = False
            with locks[key]:
                users[key] -= 1
                if not users[key]:
                    del users[key]
                    with nogil:
                        f.exit()
        with nogil:
            dlclose(image)
            free(f)


cdef class Device:
    """An open device of a C backend. Methods raise the exception of the status they get.

    table: a capsule "pysane.table" with the functions and the handle, for the slot of a C
    program, which then owns the device: no method is called any more.
    """

    cdef Library library
    cdef pysane_slot slot
    cdef object authorize, lock
    cdef bint closed

    @property
    def table(self):
        self.library.devices.discard(self)
        return PyCapsule_New(&self.slot, "pysane.table", NULL)

    cdef const pysane_device_ops *ops(self) except NULL:
        if self.closed:
            raise Invalid(f"a device of the C backend {self.library.name} is closed")
        self.library.table()
        return self.slot.ops

    cdef object failed(self, SANE_Status status, str call):
        return failure(status, f"{call} of the C backend {self.library.name} failed")

    def descriptor(self, SANE_Int index):
        """Return (name, title, desc, type, unit, size, cap, constraint), None beyond the last.

        constraint: None, (min, max, quant), a list of words or a list of texts.
        """
        cdef const pysane_device_ops *ops = self.ops()
        cdef const SANE_Option_Descriptor *d
        with nogil:
            d = ops.get_option_descriptor(self.slot.inner, index)
        if d == NULL:
            return None
        return (
            *(text(d.name), text(d.title), text(d.desc), <int>d.type, <int>d.unit, d.size, d.cap),
            constraint_of(d),
        )

    def control(self, SANE_Int index, SANE_Action action, bytearray value):
        """Call control_option with *value* as the buffer; return the info bits."""
        cdef const pysane_device_ops *ops = self.ops()
        cdef SANE_Int info = 0
        cdef SANE_Status status
        cdef char *data = value
        with asking(self.authorize):
            with nogil:
                status = ops.control_option(self.slot.inner, index, action, data, &info)
        if status != SANE_STATUS_GOOD:
            raise self.failed(status, f"control_option({index})")
        return info & INFO_BITS

    def parameters(self):
        """Return the scan parameters as the backend gives them."""
        cdef const pysane_device_ops *ops = self.ops()
        cdef SANE_Parameters p
        cdef SANE_Status status
        memset(&p, 0, sizeof(p))
        with nogil:
            status = ops.get_parameters(self.slot.inner, &p)
        if status != SANE_STATUS_GOOD:
            raise self.failed(status, "get_parameters")
        return Parameters(
            p.format,
            p.pixels_per_line,
            p.lines,
            p.depth,
            last_frame=bool(p.last_frame),
            bytes_per_line=p.bytes_per_line,
        )

    def start(self):
        """Begin to acquire a frame."""
        cdef const pysane_device_ops *ops = self.ops()
        cdef SANE_Status status
        with asking(self.authorize):
            with nogil:
                status = ops.start(self.slot.inner)
        if status != SANE_STATUS_GOOD:
            raise self.failed(status, "start")

    def read(self, view):
        """Fill *view*, at most; return how many bytes came, EndOfFrame and the like as raised."""
        cdef const pysane_device_ops *ops = self.ops()
        cdef Py_buffer buffer
        cdef SANE_Int length = 0, size
        cdef SANE_Status status
        PyObject_GetBuffer(view, &buffer, PyBUF_WRITABLE)
        size = <SANE_Int>min(buffer.len, 0x7FFFFFFF)
        with nogil:
            status = ops.read(self.slot.inner, <SANE_Byte *>buffer.buf, size, &length)
        PyBuffer_Release(&buffer)
        if status != SANE_STATUS_GOOD:
            raise self.failed(status, "read")
        if not 0 <= length <= size:
            name = self.library.name
            raise Misbehaved(f"read of the C backend {name} gave {length} bytes of {size}")
        return length

    def cancel(self):
        """Call sane_cancel; from any thread, nothing happens when the device is closed."""
        cdef const pysane_device_ops *ops
        with self.lock:
            if self.closed or self.library.functions == NULL:
                return
            ops = self.slot.ops
            with nogil:
                ops.cancel(self.slot.inner)

    def close(self):
        """Close the device; may be called again."""
        cdef const pysane_device_ops *ops
        with self.lock:
            if self.closed or self.library.functions == NULL:
                return
            self.closed = True
        self.library.devices.discard(self)
        ops = self.slot.ops
        with nogil:
            ops.close(self.slot.inner)


cdef object constraint_of(const SANE_Option_Descriptor *d):
    """Return the constraint of a descriptor; one that is NULL or too long is none."""
    cdef int i
    if d.constraint.range == NULL:
        return None
    if d.constraint_type == SANE_CONSTRAINT_RANGE:
        return (d.constraint.range.min, d.constraint.range.max, d.constraint.range.quant)
    if d.constraint_type == SANE_CONSTRAINT_WORD_LIST:
        if not 0 < d.constraint.word_list[0] <= MOST_ENTRIES:
            return None
        return [d.constraint.word_list[i + 1] for i in range(d.constraint.word_list[0])]
    if d.constraint_type == SANE_CONSTRAINT_STRING_LIST:
        texts = []
        i = 0
        while d.constraint.string_list[i] != NULL and i < MOST_ENTRIES:
            texts.append(text(d.constraint.string_list[i]))
            i += 1
        return texts or None
    return None
