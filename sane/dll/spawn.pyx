# cython: language_level=3
"""Starts a helper program so that the host does not notice: no child, no signal, no descriptor.

It knows processes; it knows nothing of SANE. The helper is started by a child that is gone when
spawn() returns. That child has exit signal 0: it sends no SIGCHLD, and a host that waits for any
child does not see it. Both share the memory of the host until the helper's exec, and this thread
waits: so there is no fork of a large process, and no copy of its locks.
"""

from cpython.bytes cimport PyBytes_AS_STRING
from libc.errno cimport EINTR, errno
from libc.stdlib cimport calloc, free, malloc

import os

cdef extern from "abi.h" nogil:
    int pysane_above_stdio(int)

cdef extern from * nogil:
    """
    #include <fcntl.h>
    #include <pthread.h>
    #include <sched.h>
    #include <signal.h>
    #include <stdlib.h>
    #include <sys/prctl.h>
    #include <sys/socket.h>
    #include <sys/syscall.h>
    #include <sys/wait.h>
    #include <unistd.h>

    #define PYSANE_STACK 65536

    static void pysane_close_from(int first)
    {
      long fd, most;
    #ifdef SYS_close_range
      if (syscall(SYS_close_range, first, ~0U, 0) == 0)
        return;
    #endif
      most = sysconf(_SC_OPEN_MAX);
      for (fd = first; fd < (most > 0 && most < 65536 ? most : 65536); fd++)
        close((int)fd);
    }

    static void pysane_reset_signals(void)
    {
      struct sigaction action = {.sa_handler = SIG_DFL};
      int number;

      for (number = 1; number < NSIG; number++)
        sigaction(number, &action, NULL);
    }

    static int pysane_is_init(void)
    {
      int reaper = 0;

      return getpid() == 1 || (prctl(PR_GET_CHILD_SUBREAPER, &reaper) == 0 && reaper);
    }
    """
    ctypedef int pid_t
    ctypedef struct sigset_t:
        pass
    int AF_UNIX, SOCK_STREAM, SOCK_CLOEXEC, F_SETFD, F_GETFD, O_RDWR
    int CLONE_VM, CLONE_VFORK, SIGCHLD, SIG_SETMASK
    int WAIT_CLONE "__WCLONE"
    int PTHREAD_CANCEL_DISABLE
    int PYSANE_STACK
    int SHUT_WR
    int shutdown(int, int)
    int socketpair(int, int, int, int *)
    int fcntl(int, int, ...)
    int open(const char *, int)
    int dup2(int, int)
    int close(int)
    int fchdir(int)
    int execve(const char *, char **, char **)
    int setsid()
    void _exit(int)
    int sigfillset(sigset_t *)
    int sigemptyset(sigset_t *)
    int sigprocmask(int, const sigset_t *, sigset_t *)
    int pthread_sigmask(int, const sigset_t *, sigset_t *)
    int pthread_setcancelstate(int, int *)
    pid_t waitpid(pid_t, int *, int)
    pid_t clone(int (*)(void *) noexcept nogil, void *, int, void *)
    void pysane_close_from(int)
    void pysane_reset_signals()
    int pysane_is_init()

CHANNEL = 3  # the descriptor on which the helper answers

cdef enum:
    C_CHANNEL = 3

cdef struct Plan:
    char **argv
    char **environment
    int cwd
    int channel
    char *stack  # of the second child
    pid_t helper
    int error


cdef int become_helper(void *data) noexcept nogil:
    """Turn the second child into the helper. Async-signal-safe calls only: the memory is shared."""
    cdef Plan *plan = <Plan *>data
    cdef sigset_t none
    cdef int null
    pysane_reset_signals()
    setsid()
    if plan.cwd >= 0:
        fchdir(plan.cwd)
    if plan.channel == C_CHANNEL:
        fcntl(C_CHANNEL, F_SETFD, 0)
    else:
        dup2(plan.channel, C_CHANNEL)
    pysane_close_from(C_CHANNEL + 1)
    null = open("/dev/null", O_RDWR)
    dup2(null, 0)
    dup2(null, 1)
    if fcntl(2, F_GETFD) < 0:
        dup2(null, 2)
    if null > C_CHANNEL:
        close(null)
    sigemptyset(&none)
    sigprocmask(SIG_SETMASK, &none, NULL)
    execve(plan.argv[0], plan.argv, plan.environment)
    plan.error = errno
    _exit(127)
    return 0


cdef int start_helper(void *data) noexcept nogil:
    """Start the second child from the first, which then ends: the helper has no parent here."""
    cdef Plan *plan = <Plan *>data
    plan.helper = clone(
        become_helper, plan.stack + PYSANE_STACK, CLONE_VM | CLONE_VFORK | SIGCHLD, data
    )
    if plan.helper < 0:
        plan.error = errno
    _exit(0)
    return 0


cdef void launch(Plan *plan, char *stack) noexcept nogil:
    """Start the helper with all signals blocked, and wait for the first child, which has ended."""
    cdef sigset_t everything, before
    cdef int state, first
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state)
    sigfillset(&everything)
    pthread_sigmask(SIG_SETMASK, &everything, &before)
    first = clone(start_helper, stack + PYSANE_STACK, CLONE_VM | CLONE_VFORK, plan)
    if first < 0:
        plan.error = errno
    else:
        while waitpid(first, NULL, WAIT_CLONE) < 0 and errno == EINTR:
            pass
    pthread_sigmask(SIG_SETMASK, &before, NULL)
    pthread_setcancelstate(state, NULL)


cdef char **pointers(list texts) except NULL:
    cdef char **found = <char **>calloc(len(texts) + 1, sizeof(char *))
    cdef Py_ssize_t i
    if found == NULL:
        raise MemoryError
    for i in range(len(texts)):
        found[i] = PyBytes_AS_STRING(texts[i])
    return found


def spawn(list arguments, list environment, cwd):
    """Start the program arguments[0]; return a socket to its descriptor 3, and its process id.

    arguments, environment: bytes. cwd: a descriptor of its working directory, None for ours. It
    gets nothing else: no descriptor but stderr, default signals, a session of its own; stdin and
    stdout are /dev/null. Raises OSError if it cannot be started.
    """
    cdef int[2] ends
    cdef Plan plan
    cdef char *stacks
    plan.argv = plan.environment = NULL
    plan.cwd = -1 if cwd is None else cwd
    plan.helper = -1
    plan.error = 0
    if socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0:
        raise OSError(errno, "no socket for a helper")
    ends[0] = pysane_above_stdio(ends[0])
    ends[1] = pysane_above_stdio(ends[1])
    if ends[0] < 0 or ends[1] < 0:
        plan.error = errno
        close(ends[0])
        close(ends[1])
        raise OSError(plan.error, "no descriptor for a helper")
    plan.channel = ends[1]
    stacks = <char *>malloc(2 * PYSANE_STACK)
    try:
        if stacks == NULL:
            raise MemoryError
        plan.argv = pointers(arguments)
        plan.environment = pointers(environment)
        plan.stack = stacks + PYSANE_STACK
        with nogil:
            launch(&plan, stacks)
        if plan.error:
            raise OSError(plan.error, "cannot be started", os.fsdecode(arguments[0]))
    except BaseException:
        close(ends[0])
        raise
    finally:
        close(ends[1])
        free(stacks)
        free(plan.argv)
        free(plan.environment)
    return ends[0], plan.helper


def hang_up(int fd):
    """Tell the helper behind socket *fd* to end; *fd* can be read until it has."""
    shutdown(fd, SHUT_WR)


def reap(int helper):
    """Forget a helper that is ending, in a host to which orphans fall: init, or a subreaper."""
    with nogil:
        if pysane_is_init():
            waitpid(helper, NULL, 0)
