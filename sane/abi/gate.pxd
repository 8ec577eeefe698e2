# The C types of gate.h, for handle.pyx.

from ..sane_h cimport (
    SANE_Handle,
    SANE_Int,
    SANE_Option_Descriptor,
    SANE_Status,
    pysane_device_ops,
    pysane_library,
    pysane_library_ops,
)


cdef extern from "gate.h" nogil:
    ctypedef struct pysane_reader "struct pysane_reader":
        int (*read)(
            void *context, unsigned char *data, Py_ssize_t max, Py_ssize_t *n
        ) noexcept nogil
        void *ctx
    ctypedef struct pysane_options "struct pysane_options":
        SANE_Option_Descriptor *descriptors
        SANE_Int count
        const int *offsets
        const int *reloads
    ctypedef struct pysane_handle "struct pysane_handle":
        unsigned int current
        int[2] wake
        void *object
        pysane_reader *reader
        pysane_options options
        unsigned char *values
        unsigned char *direct
    enum:
        PYSANE_UNDISTURBED
        PYSANE_STRUCK
    pysane_handle *pysane_handle_new()
    SANE_Handle pysane_handle_open(pysane_handle *h)
    void pysane_handle_free(pysane_handle *h)
    pysane_handle *pysane_handle_of(SANE_Handle inner)
    void pysane_request_cancel(SANE_Handle inner)
    unsigned int pysane_count_start(pysane_handle *h)
    unsigned int pysane_covered(const pysane_handle *h)
    bint pysane_covers(const pysane_handle *h, unsigned int start)
    bint pysane_is_active(const pysane_handle *h)
    bint pysane_is_cancelled(const pysane_handle *h)
    void pysane_job_over(pysane_handle *h, unsigned int start)
    int pysane_own_wake(pysane_handle *h)
    void pysane_tell(pysane_handle *h)
    void pysane_untell(pysane_handle *h)
    void pysane_declare(pysane_handle *h, const pysane_options *options, bint tells)
    const SANE_Option_Descriptor *pysane_descriptor(SANE_Handle inner, SANE_Int index, int *tells)
    SANE_Status pysane_enter(SANE_Handle inner)
    void pysane_gate_close(SANE_Handle inner)
    void pysane_drop(SANE_Handle inner)
    void pysane_leave(pysane_handle *h)
    SANE_Status pysane_enter_read(SANE_Handle inner)
    void pysane_leave_point(pysane_handle *h, SANE_Status status)
    bint pysane_try_enter(SANE_Handle inner)
    void pysane_leave_quick(pysane_handle *h)
    bint pysane_take_turn(pysane_handle *h)
    void pysane_turn_begins(pysane_handle *h)
    void pysane_give_turn(pysane_handle *h, bint is_ours)
    bint pysane_undisturbed(pysane_handle *h, bint begins)
    int pysane_pin(pysane_handle *h, unsigned long *thread)
    void pysane_unpin(pysane_handle *h, int also)
    void (*pysane_cancelled)(pysane_handle *h) noexcept nogil
    void (*pysane_close_held)(pysane_handle *h) noexcept nogil
    void (*pysane_interrupt)(pysane_handle *h) noexcept nogil
    void (*pysane_uninterrupt)(pysane_handle *h) noexcept nogil
    SANE_Status pysane_enter_library()
    void pysane_leave_library()
    int pysane_callback_enter()
    void pysane_callback_leave(int depth)
    int pysane_inside()
    int pysane_lacks_python()
    void pysane_postpone(
        void (*action)(pysane_library *) noexcept nogil, pysane_library *library
    )
    int pysane_watch(pysane_handle *h)
    bint pysane_is_finalizing()
    const pysane_device_ops *pysane_python_device_ops
    const pysane_library_ops *pysane_python_ops
