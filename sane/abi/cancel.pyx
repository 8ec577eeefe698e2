# cython: language_level=3
"""The cancel request of a C handle, as drivers see it: the methods of sane.cancel.Cancel.

sane_cancel sets it in C (handles.c); what is here only asks, waits, and notes that a job is over.
"""

from .gate cimport *

from ..cancel import wait_cancelled


cdef class AbiCancel:
    """Whether the frontend wants the job of one handle to end."""

    cdef pysane_handle *h  # NULL after close: a driver that never came back may still ask
    cdef bint interrupted

    @property
    def fd(self):
        """The descriptor that is readable while is_set() is true."""
        if self.h == NULL:
            return -1
        error = pysane_own_wake(self.h)
        if error:
            raise OSError(error, "no descriptor to wait for cancel")
        return self.h.wake[0]

    def is_set(self):
        return self.h == NULL or self.interrupted or pysane_is_cancelled(self.h)

    def clear(self):
        if self.h != NULL:
            pysane_job_over(self.h, self.h.current)

    def interrupt(self):
        self.interrupted = True
        pysane_tell(self.h)

    def resume(self):
        self.interrupted = False
        pysane_untell(self.h)

    def undisturbed(self, bint begins):
        return self.h != NULL and pysane_undisturbed(self.h, begins)

    def close(self):
        """The descriptor stays with the handle's memory, for the next device."""
        self.h = NULL

    def wait(self, seconds, fd=None):
        return wait_cancelled(self, seconds, fd)


cdef public object pysane_new_cancel(pysane_handle *h):
    """Return the request of *h*, for one device."""
    cdef AbiCancel self = AbiCancel()
    self.h = h
    return self
