# What the Cython modules that are linked into boot call of each other: modules.h.

from .gate cimport pysane_handle, pysane_options
from ..sane_h cimport (
    SANE_Action,
    SANE_Device,
    SANE_Int,
    SANE_Parameters,
    SANE_Status,
)


cdef extern from "modules.h":
    object pysane_device_list(object devices, const SANE_Device ***array)
    void pysane_parameters(object parameters, SANE_Parameters *out) except *
    object pysane_descriptors(object options)
    const pysane_options *pysane_options_of(object table) noexcept
    int pysane_redeclare(object table, object options) except -1
    int pysane_descriptor_update(object table, object options, SANE_Int index) except -1
    object pysane_new_cancel(pysane_handle *h)
    object pysane_new_lent()
    object pysane_lend(object lender, unsigned char *data, Py_ssize_t size)
    bint pysane_is_lent(object lender) noexcept
    void pysane_take_back(object lender) noexcept
    object pysane_new_handle(pysane_handle *h)
    int pysane_attach(object abi_handle, object handle) except -1
    SANE_Status pysane_direct_control(
        pysane_handle *h, SANE_Int index, SANE_Action action, void *value, SANE_Int *info
    ) noexcept nogil
