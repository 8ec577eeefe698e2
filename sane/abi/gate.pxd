# The C types of gate.h, for handle.pyx.

from ..sane_h cimport SANE_Int, SANE_Option_Descriptor, SANE_Status, pysane_library_ops


cdef extern from "gate.h" nogil:
    ctypedef struct pysane_reader "struct pysane_reader":
        int (*read)(
            void *context, unsigned char *data, Py_ssize_t max, Py_ssize_t *n
        ) noexcept nogil
        void *ctx
    ctypedef struct pysane_handle "struct pysane_handle":
        int open
        int active
        int cancel
        int cancel_fd
        unsigned long thread
        void *object
        pysane_reader *reader
        SANE_Option_Descriptor *descriptors
        SANE_Int count
        unsigned char *values
        unsigned char *direct
        const int *offsets
        const int *reloads
    pysane_handle *pysane_handle_new()
    void pysane_handle_free(pysane_handle *h)
    SANE_Status pysane_enter(pysane_handle *h)
    SANE_Status pysane_enter_close(pysane_handle *h)
    void pysane_leave(pysane_handle *h)
    int pysane_try_enter(pysane_handle *h)
    void pysane_leave_quick(pysane_handle *h)
    SANE_Status pysane_enter_library()
    void pysane_leave_library()
    int pysane_inside()
    void pysane_postpone(void (*action)(void *) noexcept nogil, void *subject)
    int pysane_forked()
    void pysane_request_cancel(pysane_handle *h)
    void pysane_clear_cancel(pysane_handle *h)
    int pysane_mark()
    void pysane_unmark()
    int pysane_watch(pysane_handle *h)
    int pysane_callback_enter()
    void pysane_callback_leave(int depth)
    void (*pysane_cancelled)(pysane_handle *h) noexcept nogil
    void (*pysane_close_held)(pysane_handle *h) noexcept nogil
    void (*pysane_interrupt)(pysane_handle *h) noexcept nogil


cdef extern from *:
    """
    extern const struct pysane_library_ops *pysane_python_ops;
    """
    const pysane_library_ops *pysane_python_ops
