# cython: language_level=3
"""What stands behind sane_get_devices, sane_open and sane_exit: the registry, called from C.

One registry for each loaded library, made at its first call that needs one and ended by
sane_exit. It knows what sane_init recorded; open handles are the business of handle.pyx.
"""

from cpython.pycapsule cimport PyCapsule_GetPointer, PyCapsule_New
from cpython.ref cimport Py_DECREF, Py_INCREF
from libc.string cimport memset

from .gate cimport *
from .modules cimport (
    pysane_attach,
    pysane_device_list,
    pysane_memory_free,
    pysane_new_handle,
    pysane_python_device_ops,
)
from ..sane_h cimport *

import os

from ..backend import Context, describe
from ..config import Environment
from ..debug import Debug
from ..dll.registry import registry_for
from ..errors import AccessDenied, SaneError, status_of


cdef class Authorizer:
    """Asks the frontend's callback for a user name and a password (standard 4.3.1)."""

    cdef pysane_library *library

    def __call__(self, str resource):
        cdef char[SANE_MAX_USERNAME_LEN] user
        cdef char[SANE_MAX_PASSWORD_LEN] password
        cdef bytes text = resource.encode()
        cdef const char *name = text
        cdef SANE_Auth_Callback callback = self.library.authorize
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
        return (<bytes>(<char *>user)).decode(), (<bytes>(<char *>password)).decode()


cdef object environment_of(pysane_library *library):
    variables = {}
    cdef char **variable = <char **>library.environment
    while variable != NULL and variable[0] != NULL:
        name, _, value = os.fsdecode(<bytes>variable[0]).partition("=")
        variables[name] = value
        variable += 1
    return Environment(variables, library.cwd if library.cwd >= 0 else None)


cdef object callback_of(pysane_library *library):
    """Return what C backends get as the callback: none if the frontend gave none."""
    if library.authorize == NULL:
        return False
    return PyCapsule_New(<void *>library.ask, "SANE_Auth_Callback", NULL)


cdef object registry_of(pysane_library *library):
    """Return the library's registry: made, or renewed, at the first call after sane_init."""
    cdef Authorizer authorizer
    if library.registry != NULL and library.registry_generation == library.generation:
        return <object>library.registry
    authorizer = Authorizer()
    authorizer.library = library
    context = Context(environment_of(library), authorizer, callback_of(library))
    initialised = bool(library.initialised)
    if library.registry == NULL or not (<object>library.registry).renew(context, initialised):
        drop_registry(library)
        registry = registry_for((<bytes>library.backend).decode(), context, initialised)
        Py_INCREF(registry)
        library.registry = <void *>registry
    library.registry_generation = library.generation
    return <object>library.registry


cdef void drop_registry(pysane_library *library) noexcept:
    if library.registry != NULL:
        registry = <object>library.registry
        library.registry = NULL
        Py_DECREF(registry)


cdef SANE_Status list_devices(
    pysane_library *library, const SANE_Device ***out, SANE_Bool local_only
) noexcept with gil:
    cdef void *memory
    try:
        memory = pysane_device_list(registry_of(library).get_devices(bool(local_only)), out)
    except BaseException as exc:
        return library_failed("get_devices", exc)
    pysane_memory_free(library.devices)
    library.devices = memory
    return SANE_STATUS_GOOD


cdef SANE_Status library_failed(str call, exc) noexcept:
    """Return the status of *exc*; the registry has reported what is not a mistake of ours."""
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


cdef SANE_Status open_device(
    pysane_library *library, const char *name, pysane_slot *slot
) noexcept with gil:
    cdef pysane_handle *h = pysane_handle_new()
    cdef pysane_slot *theirs
    if h == NULL:
        return SANE_STATUS_NO_MEM
    handle = None
    try:
        abi_handle = pysane_new_handle(h)
        text = None if name == NULL else (<bytes>name).decode("utf-8", "surrogateescape")
        handle = registry_of(library).open(text, abi_handle.cancel)
        table = getattr(handle, "table", None)
        if table is not None:  # a C backend's: from now on nothing of ours is in between
            theirs = <pysane_slot *>PyCapsule_GetPointer(table, "pysane.table")
            pysane_handle_free(h)
            pysane_occupy(slot, theirs.ops, theirs.inner)
            return SANE_STATUS_GOOD
        pysane_attach(abi_handle, handle)
    except BaseException as exc:
        if handle is not None:
            handle.close()
        pysane_handle_free(h)
        return library_failed("open", exc)
    Py_INCREF(abi_handle)
    pysane_occupy(slot, pysane_python_device_ops, h)
    return SANE_STATUS_GOOD


cdef SANE_Status py_open(
    pysane_library *library, const char *name, pysane_slot *slot
) noexcept nogil:
    cdef SANE_Status status = pysane_enter_library()
    if status == SANE_STATUS_GOOD:
        status = open_device(library, name, slot)
        pysane_leave_library()
    return status


cdef void exit_library(pysane_library *library) noexcept with gil:
    if library.registry != NULL:
        survives = False
        try:
            survives = (<object>library.registry).exit()
        except BaseException as exc:
            library_failed("exit", exc)
        if not survives:
            drop_registry(library)
    pysane_memory_free(library.devices)
    library.devices = NULL


cdef void py_exit(pysane_library *library) noexcept nogil:
    if pysane_enter_library() == SANE_STATUS_GOOD:
        exit_library(library)
        pysane_leave_library()


cdef pysane_library_ops library_ops
library_ops.get_devices = py_get_devices
library_ops.open = py_open
library_ops.exit = py_exit
library_ops.inside = pysane_inside
library_ops.forked = pysane_forked
library_ops.postpone = pysane_postpone
library_ops.callback_enter = pysane_callback_enter
library_ops.callback_leave = pysane_callback_leave

cdef void publish():
    global pysane_python_ops
    pysane_python_ops = &library_ops

publish()
