# cython: language_level=3
"""The exported symbols: check the handle, jump through its table, return.

No Python object, no exception, no module-level code: setup.py links this file without libpython,
and the linker drops Cython's own module code. Source: SANE standard 4.3.
"""

from ..sane_h cimport *


cdef public SANE_Status sane_init(
    SANE_Int *version_code, SANE_Auth_Callback authorize
) noexcept nogil:
    """Record the callback and the environment (standard 4.3.1); nothing is loaded yet."""
    return pysane_init(version_code, authorize)


cdef public void sane_exit() noexcept nogil:
    """Close all handles and release everything (4.3.2); harmless before init and twice."""
    pysane_exit()


cdef public SANE_Status sane_get_devices(
    const SANE_Device ***device_list, SANE_Bool local_only
) noexcept nogil:
    """Store a NULL-terminated list that stays valid until the next call or exit (4.3.3)."""
    return pysane_get_devices(device_list, local_only)


cdef public SANE_Status sane_open(SANE_String_Const devicename, SANE_Handle *handle) noexcept nogil:
    """Open a device by name, "" for the first (4.3.4); *handle is written only on success."""
    return pysane_open(devicename, handle)


cdef public void sane_close(SANE_Handle handle) noexcept nogil:
    """Cancel if need be and close (4.3.5)."""
    pysane_close(handle)


cdef public const SANE_Option_Descriptor *sane_get_option_descriptor(
    SANE_Handle handle, SANE_Int option
) noexcept nogil:
    """Return the descriptor, the same address until close, or NULL (4.3.6)."""
    cdef pysane_target to = pysane_find(handle)
    return to.ops.get_option_descriptor(to.inner, option) if to.ops != NULL else NULL


cdef public SANE_Status sane_control_option(
    SANE_Handle handle, SANE_Int option, SANE_Action action, void *value, SANE_Int *info
) noexcept nogil:
    """Get, set or auto-set an option's value (4.3.7)."""
    cdef pysane_target to = pysane_find(handle)
    if to.ops == NULL:
        return SANE_STATUS_INVAL
    return to.ops.control_option(to.inner, option, action, value, info)


cdef public SANE_Status sane_get_parameters(
    SANE_Handle handle, SANE_Parameters *params
) noexcept nogil:
    """Store the scan parameters (4.3.8)."""
    cdef pysane_target to = pysane_find(handle)
    return to.ops.get_parameters(to.inner, params) if to.ops != NULL else SANE_STATUS_INVAL


cdef public SANE_Status sane_start(SANE_Handle handle) noexcept nogil:
    """Acquire the next frame (4.3.9)."""
    cdef pysane_target to = pysane_find(handle)
    return to.ops.start(to.inner) if to.ops != NULL else SANE_STATUS_INVAL


cdef public SANE_Status sane_read(
    SANE_Handle handle, SANE_Byte *data, SANE_Int max_length, SANE_Int *length
) noexcept nogil:
    """Copy up to max_length bytes of the frame (4.3.10); *length is 0 on any status but GOOD."""
    cdef pysane_target to
    if length == NULL:
        return SANE_STATUS_INVAL
    to = pysane_find(handle)
    if to.ops == NULL:
        length[0] = 0
        return SANE_STATUS_INVAL
    return to.ops.read(to.inner, data, max_length, length)


cdef public void sane_cancel(SANE_Handle handle) noexcept nogil:
    """Ask the scan to end (4.3.11); async-signal-safe."""
    cdef pysane_target to = pysane_find(handle)
    if to.ops != NULL:
        to.ops.cancel(to.inner)


cdef public SANE_Status sane_set_io_mode(SANE_Handle handle, SANE_Bool non_blocking) noexcept nogil:
    """Choose blocking or non-blocking reads of this frame (4.3.12)."""
    cdef pysane_target to = pysane_find(handle)
    return to.ops.set_io_mode(to.inner, non_blocking) if to.ops != NULL else SANE_STATUS_INVAL


cdef public SANE_Status sane_get_select_fd(SANE_Handle handle, SANE_Int *fd) noexcept nogil:
    """Store a descriptor that is readable when read would not block (4.3.13)."""
    cdef pysane_target to = pysane_find(handle)
    return to.ops.get_select_fd(to.inner, fd) if to.ops != NULL else SANE_STATUS_INVAL


cdef public SANE_String_Const sane_strstatus(SANE_Status status) noexcept nogil:
    """Return the English text of a status (4.3.14)."""
    return pysane_strstatus(status)
