# cython: language_level=3
"""The frontend's buffer as a driver gets it for one read: a plain memoryview, and who keeps it."""

from cpython.buffer cimport PyBuffer_FillInfo
from cpython.memoryview cimport PyMemoryView_FromObject


cdef class Lent:
    """Exports a buffer for one read, and counts who still uses it."""

    cdef unsigned char *data
    cdef Py_ssize_t size
    cdef int users

    def __getbuffer__(self, Py_buffer *buffer, int flags):
        PyBuffer_FillInfo(buffer, self, self.data, self.size, 0, flags)
        self.users += 1

    def __releasebuffer__(self, Py_buffer *buffer):
        self.users -= 1


cdef public object pysane_new_lent():
    """Return a lender without a buffer, for all reads of a handle."""
    return Lent()


cdef public object pysane_lend(object lender, unsigned char *data, Py_ssize_t size):
    """Return a memoryview of *data*, which is the frontend's."""
    cdef Lent self = lender
    self.data, self.size = data, size
    return PyMemoryView_FromObject(self)


cdef public bint pysane_is_lent(object lender) noexcept:
    """Tell whether anybody still uses the buffer."""
    return (<Lent>lender).users > 0


cdef public void pysane_take_back(object lent) noexcept:
    """Take away the views of *lent* that a driver keeps: the memory is the frontend's again."""
    import gc

    for candidate in gc.get_objects():
        if type(candidate) is memoryview:
            try:
                if candidate.obj is lent:
                    candidate.release()
            except (ValueError, BufferError):
                continue  # released already, or in use by something that is no memoryview
