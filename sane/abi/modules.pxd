# What the Cython modules that are linked into boot call of each other: modules.h.

from .gate cimport pysane_handle
from ..sane_h cimport (
    SANE_Action,
    SANE_Device,
    SANE_Int,
    SANE_Option_Descriptor,
    SANE_Parameters,
    SANE_Status,
    pysane_device_ops,
)


cdef extern from "modules.h":
    object pysane_device_list(object devices, const SANE_Device ***array)
    void pysane_parameters(object parameters, SANE_Parameters *out) except *
    object pysane_descriptors(object options, SANE_Option_Descriptor **array)
    int pysane_redeclare(
        object table, object options, SANE_Option_Descriptor **array, SANE_Int *count
    ) except -1
    int pysane_descriptor_update(object table, object options, SANE_Int index) except -1
    const int *pysane_offsets(object table) noexcept
    const int *pysane_reloads(object table) noexcept
    const pysane_device_ops *pysane_python_device_ops
    void pysane_publish_device_ops(const pysane_device_ops *ops)
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
