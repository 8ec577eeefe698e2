# cython: language_level=3
"""SIGPIPE in the calling thread's mask, in three system calls for a driver's call.

Python's own signal.pthread_sigmask builds sets of numbers: twice that costs more than a read.
"""

from posix.signal cimport (
    SIG_BLOCK,
    SIG_UNBLOCK,
    sigaddset,
    sigemptyset,
    sigismember,
    sigpending,
    sigset_t,
)
from posix.time cimport timespec


cdef extern from "<signal.h>" nogil:
    enum:
        SIGPIPE
    int pthread_sigmask(int how, const sigset_t *mask, sigset_t *before)
    int sigtimedwait(const sigset_t *mask, void *info, const timespec *timeout)


cdef sigset_t only_sigpipe
sigemptyset(&only_sigpipe)
sigaddset(&only_sigpipe, SIGPIPE)


cdef bint is_pending() noexcept nogil:
    cdef sigset_t pending
    return sigpending(&pending) == 0 and sigismember(&pending, SIGPIPE) == 1


def block():
    """Block SIGPIPE; return what restore needs: whether it was not blocked, blocked, or pending."""
    cdef sigset_t before
    pthread_sigmask(SIG_BLOCK, &only_sigpipe, &before)
    if sigismember(&before, SIGPIPE) != 1:
        return 0
    return 2 if is_pending() else 1


def restore(int before):
    """Take a SIGPIPE that came since block(), and give the thread the mask it had."""
    cdef timespec now = timespec(0, 0)
    if before == 2:
        return
    if is_pending():
        sigtimedwait(&only_sigpipe, NULL, &now)
    if before == 0:
        pthread_sigmask(SIG_UNBLOCK, &only_sigpipe, NULL)
