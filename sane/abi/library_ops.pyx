# cython: language_level=3
"""What stands behind sane_get_devices, sane_open and sane_exit: the registry, called from C.

It knows what sane_init recorded, and the list that was handed out last; when a registry is made
and ended is decided by sane.dll.current, open handles are the business of handle.pyx.
"""

from cpython.pycapsule cimport PyCapsule_GetPointer, PyCapsule_New
from cpython.ref cimport Py_INCREF
from libc.stdint cimport uint64_t
from libc.string cimport memset

from .gate cimport *
from .modules cimport *
from ..sane_h cimport *

import os

from ..backend import Context, describe
from ..config import Environment
from ..debug import Debug
from ..dll.current import Current
from ..errors import AccessDenied, Cancelled, SaneError, status_of


cdef class Authorizer:
    """Asks the frontend's callback for a user name and a password (standard 4.3.1)."""

    cdef pysane_library *library

    def __call__(self, str resource):
        cdef char[SANE_MAX_USERNAME_LEN] user
        cdef char[SANE_MAX_PASSWORD_LEN] password
        cdef bytes text = resource.encode("utf-8", "surrogateescape")
        cdef const char *name = text
        cdef SANE_Auth_Callback callback = pysane_authorize(self.library)
        cdef int depth
        if callback == NULL:
            raise AccessDenied(f"{resource}: the frontend offers no authorization")
        memset(user, 0, sizeof(user))
        memset(password, 0, sizeof(password))
        with nogil:
            depth = pysane_callback_enter()
            callback(name, user, password)
            pysane_callback_leave(depth)
        user[SANE_MAX_USERNAME_LEN - 1] = password[SANE_MAX_PASSWORD_LEN - 1] = 0
        return text_of(user), text_of(password)


cdef object text_of(const char *chars):
    """Return a C string of any encoding as text that gives back the same bytes."""
    return (<bytes>chars).decode("utf-8", "surrogateescape")


cdef class Recorded:
    """A hold on what sane_init recorded: as long as this lives, so does its working directory."""

    cdef pysane_library *library
    cdef pysane_record *record

    def __dealloc__(self):
        self.library.release(self.record)

    def context(self):
        """Return it as a Context, whose Environment keeps this alive."""
        cdef char **variable = NULL
        cdef Authorizer authorizer = Authorizer()
        authorizer.library = self.library
        variables = {}
        cwd = None
        if self.record != NULL:
            variable = self.record.environment
            cwd = self.record.cwd if self.record.cwd >= 0 else None
        while variable != NULL and variable[0] != NULL:
            name, _, value = os.fsdecode(<bytes>variable[0]).partition("=")
            variables[name] = value
            variable += 1
        callback = False  # what C backends get: none if the frontend gave none
        if pysane_authorize(self.library) != NULL:
            callback = PyCapsule_New(<void *>self.library.ask, "SANE_Auth_Callback", NULL)
        return Context(Environment(variables, cwd, self), authorizer, callback)


cdef class Session:
    """The Python side of a loaded library."""

    cdef pysane_library *library
    cdef object current
    cdef object devices  # the list handed out last

    cdef object take(self, uint64_t *generation):
        """Return the registry for one call, made at the first one after sane_init.

        None: another thread's sane_exit came first. A backend's own library needs no sane_init.
        """
        cdef Recorded recorded = Recorded.__new__(Recorded)
        recorded.library = self.library
        recorded.record = self.library.hold(generation)
        if generation[0] % 2 == 0 and self.library.backend[0] == 0:
            return None
        return self.current.take(generation[0], recorded.context)

    cdef int give_back(self, registry) except -1:
        """The call has returned: end the registry if sane_exit waits for that."""
        self.current.give_back(registry, pysane_generation(self.library))
        return 0


cdef Session session_of(pysane_library *library):
    cdef Session session
    if library.session == NULL:
        session = Session()
        session.library = library
        session.current = Current(text_of(library.backend))
        Py_INCREF(session)
        library.session = <void *>session
    return <Session>library.session


cdef SANE_Status list_devices(
    pysane_library *library, const SANE_Device ***out, SANE_Bool local_only
) noexcept with gil:
    cdef Session session
    cdef uint64_t generation = 0
    try:
        session = session_of(library)
        registry = session.take(&generation)
        if registry is None:
            return SANE_STATUS_GOOD  # and no devices, as after it
        try:
            session.devices = pysane_device_list(registry.get_devices(bool(local_only)), out)
        finally:
            session.give_back(registry)
    except BaseException as exc:
        return library_failed("get_devices", exc)
    return SANE_STATUS_GOOD


cdef SANE_Status library_failed(str call, exc) noexcept:
    """Return the status of *exc*; the registry has reported what is not a mistake of ours."""
    if pysane_is_finalizing():
        return SANE_STATUS_IO_ERROR
    try:
        if not isinstance(exc, SaneError):
            Debug("dll", Environment({}))(0, "%s", describe(call, exc))
    except BaseException:
        pass  # the status says that it failed
    return status_of(exc)


cdef SANE_Status py_get_devices(
    pysane_library *library, const SANE_Device ***out, SANE_Bool local_only
) noexcept nogil:
    cdef SANE_Status status = pysane_enter_library()
    if status == SANE_STATUS_GOOD:
        status = list_devices(library, out, local_only)
        pysane_leave_library()
    return status


cdef int open_device(
    Session session, uint64_t generation, registry, name, pysane_handle **h, pysane_slot *slot
) except -1:
    """Open a device into *slot*. h: a new handle, NULL when the device has it."""
    cdef pysane_slot *theirs
    cdef SANE_Handle inner
    cdef bint has_opened
    abi_handle = pysane_new_handle(h[0])
    handle = registry.open(name, abi_handle.cancel)
    table = getattr(handle, "table", None)
    if table is not None:  # a C backend's: from now on nothing of ours is in between
        theirs = <pysane_slot *>PyCapsule_GetPointer(table, "pysane.table")
        has_opened = session.library.occupy(generation, slot, theirs.ops, theirs.inner)
        if not has_opened:
            handle.close()
    else:
        try:
            pysane_attach(abi_handle, handle)
        except BaseException:
            handle.close()
            raise
        Py_INCREF(abi_handle)
        inner = pysane_handle_open(h[0])
        has_opened = session.library.occupy(generation, slot, pysane_python_device_ops, inner)
        if not has_opened:
            pysane_drop(inner)
        h[0] = NULL
    if not has_opened:
        raise Cancelled("the library was ended while a device was opened")
    return 0


cdef SANE_Status open_slot(
    pysane_library *library, const char *name, pysane_slot *slot
) noexcept with gil:
    cdef pysane_handle *h = pysane_handle_new()
    cdef SANE_Status status = SANE_STATUS_GOOD
    cdef uint64_t generation = 0
    cdef Session session
    if h == NULL:
        return SANE_STATUS_NO_MEM
    try:
        text = None if name == NULL else text_of(name)
        session = session_of(library)
        registry = session.take(&generation)
        if registry is None:
            raise Cancelled("the library was ended before a device was opened")
        try:
            open_device(session, generation, registry, text, &h, slot)
        finally:
            session.give_back(registry)
    except BaseException as exc:
        status = library_failed("open", exc)
    if h != NULL:
        pysane_handle_free(h)
    return status


cdef SANE_Status py_open(
    pysane_library *library, const char *name, pysane_slot *slot
) noexcept nogil:
    cdef SANE_Status status = pysane_enter_library()
    if status == SANE_STATUS_GOOD:
        status = open_slot(library, name, slot)
        pysane_leave_library()
    return status


cdef void exit_library(pysane_library *library) noexcept with gil:
    cdef Session session
    try:
        session = session_of(library)
        if pysane_generation(library) % 2 == 0:  # else another thread has begun anew
            session.devices = None
        session.current.end(pysane_generation(library))
    except BaseException as exc:
        library_failed("exit", exc)


cdef void py_exit(pysane_library *library) noexcept nogil:
    if pysane_enter_library() == SANE_STATUS_GOOD:
        exit_library(library)
        pysane_leave_library()


cdef pysane_library_ops library_ops
library_ops.get_devices = py_get_devices
library_ops.open = py_open
library_ops.exit = py_exit
library_ops.inside = pysane_inside
library_ops.lacks_python = pysane_lacks_python
library_ops.postpone = pysane_postpone
library_ops.callback_enter = pysane_callback_enter
library_ops.callback_leave = pysane_callback_leave

cdef void publish():
    global pysane_python_ops
    pysane_python_ops = &library_ops

publish()
