# cython: language_level=3
"""Starts a program so that the host does not notice: no child, no signal, no descriptor.

It knows processes; it knows nothing of SANE. The program, a helper that answers on descriptor 3 or
one whose output is read, is started by a child that is gone when these functions return. That
child has exit signal 0: it sends no SIGCHLD, and a host that waits for any child does not see it.
Both share the memory of the host until the helper's exec, and this thread waits: so there is no
fork of a large process, and no copy of its locks.
"""

from cpython.bytes cimport PyBytes_AS_STRING
from libc.errno cimport EINTR, errno
from libc.stdlib cimport calloc, free, malloc

cdef extern from "abi.h" nogil:
    ctypedef struct sigset_t:
        pass
    int pysane_above_stdio(int)
    sigset_t pysane_hold_signals()

cdef extern from * nogil:
    """
    #include <errno.h>
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
    #ifndef CLONE_PIDFD
    #define CLONE_PIDFD 0x1000 /* Linux 5.2; older kernels pass over it */
    #endif

    struct pysane_plan {
      char **argv;
      char **environment;
      int cwd;
      int channel;
      int target; /* what the channel becomes in the program */
      char *stack; /* the end of the second child's */
      pid_t helper;
      int pidfd; /* of the program, -1 where the kernel has none */
      int error;
    };

    /* In the children: system calls as they are, and code that is not instrumented. What the
       functions of libc, or a sanitizer's in their place, note of descriptors, of handlers and of
       an end lies in the memory of the host. */
    #if defined __clang__ || __GNUC__ >= 8
    #define IN_CHILD __attribute__((no_sanitize("thread"))) static
    #else
    #define IN_CHILD static
    #endif

    /* A ThreadSanitizer's clone() takes the child for a fork: in memory that is shared it turns
       itself off for this thread of the host, and in signal handlers, and then misses what they
       order. glibc has another name for its own. */
    #ifdef __GLIBC__
    int __clone(int (*)(void *), void *, int, void *, ...);
    #define PYSANE_CLONE __clone
    #else
    #define PYSANE_CLONE clone
    #endif

    IN_CHILD void pysane_close_from(int first)
    {
      long fd, most;
    #ifdef SYS_close_range
      if (syscall(SYS_close_range, first, ~0U, 0) == 0)
        return;
    #endif
      most = sysconf(_SC_OPEN_MAX);
      for (fd = first; fd < (most > 0 && most < 65536 ? most : 65536); fd++)
        syscall(SYS_close, (int)fd);
    }

    IN_CHILD void pysane_reset_signals(void)
    {
      static const unsigned char by_default[128];
      int number;

      for (number = 1; number < NSIG; number++)
        syscall(SYS_rt_sigaction, number, by_default, NULL, _NSIG / 8);
    }

    /* Turn the second child into the helper. Async-signal-safe calls only. */
    IN_CHILD int pysane_become_helper(void *data)
    {
      static const unsigned char no_signals[128];
      struct pysane_plan *plan = data;
      int null;

      pysane_reset_signals();
      syscall(SYS_setsid);
      if (plan->cwd >= 0)
        syscall(SYS_fchdir, plan->cwd);
      if (plan->channel == plan->target)
        syscall(SYS_fcntl, plan->target, F_SETFD, 0);
      else
        syscall(SYS_dup3, plan->channel, plan->target, 0);
      pysane_close_from((plan->target > 2 ? plan->target : 2) + 1);
      null = (int)syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDWR);
      if (null != 0)
        syscall(SYS_dup3, null, 0, 0);
      if (plan->target != STDOUT_FILENO && null != STDOUT_FILENO)
        syscall(SYS_dup3, null, STDOUT_FILENO, 0);
      if (null != STDERR_FILENO &&
          (plan->target == STDOUT_FILENO || syscall(SYS_fcntl, STDERR_FILENO, F_GETFD) < 0))
        syscall(SYS_dup3, null, STDERR_FILENO, 0);
      if (null > (plan->target > 2 ? plan->target : 2))
        syscall(SYS_close, null);
      syscall(SYS_rt_sigprocmask, SIG_SETMASK, no_signals, NULL, _NSIG / 8);
      syscall(SYS_execve, plan->argv[0], plan->argv, plan->environment);
      plan->error = errno;
      syscall(SYS_exit_group, 127);
      return 0;
    }

    /* Start the second child from the first, which then ends: the helper has no parent here. */
    IN_CHILD int pysane_start_helper(void *data)
    {
      struct pysane_plan *plan = data;

      plan->helper = PYSANE_CLONE(pysane_become_helper, plan->stack,
                                  CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, plan,
                                  &plan->pidfd);
      if (plan->helper < 0)
        plan->error = errno;
      syscall(SYS_exit_group, 0);
      return 0;
    }

    /* Start the first child; it shares our descriptors: the program's pidfd, made there, is ours
       from the beginning. */
    static pid_t pysane_clone_helper(struct pysane_plan *plan, char *stack)
    {
      return PYSANE_CLONE(pysane_start_helper, stack, CLONE_VM | CLONE_VFORK | CLONE_FILES, plan);
    }

    static int pysane_is_init(void)
    {
      int reaper = 0;

      return getpid() == 1 || (prctl(PR_GET_CHILD_SUBREAPER, &reaper) == 0 && reaper);
    }

    #ifndef SYS_pidfd_send_signal
    #define SYS_pidfd_send_signal 424
    #endif

    static void pysane_kill(int pidfd)
    {
      syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
    }
    """
    ctypedef int pid_t
    ctypedef struct Plan "struct pysane_plan":
        char **argv
        char **environment
        int cwd
        int channel
        int target
        char *stack
        pid_t helper
        int pidfd
        int error
    int AF_UNIX, SOCK_STREAM, SOCK_CLOEXEC, SIG_SETMASK
    int WAIT_CLONE "__WCLONE"
    int PTHREAD_CANCEL_DISABLE
    int PYSANE_STACK
    int SHUT_WR
    int shutdown(int, int)
    int socketpair(int, int, int, int *)
    int close(int)
    int pthread_sigmask(int, const sigset_t *, sigset_t *)
    int pthread_setcancelstate(int, int *)
    pid_t waitpid(pid_t, int *, int)
    pid_t pysane_clone_helper(Plan *, char *)
    int pysane_is_init()
    void pysane_kill(int)

CHANNEL = 3  # the descriptor on which a helper answers

cdef enum:
    C_CHANNEL = 3
    C_OUTPUT = 1


cdef void launch(Plan *plan, char *stack) noexcept nogil:
    """Start the helper with all signals blocked, and wait for the first child, which has ended."""
    cdef sigset_t before
    cdef int state, first
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state)
    before = pysane_hold_signals()
    first = pysane_clone_helper(plan, stack + PYSANE_STACK)
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


cdef int start(list arguments, list environment, cwd, int target, Plan *plan) except -1:
    """Start the program arguments[0] as *target* says; return our end of its channel."""
    cdef int[2] ends
    cdef char *stacks
    plan.argv = plan.environment = NULL
    plan.cwd = -1 if cwd is None else cwd
    plan.helper = plan.pidfd = -1
    plan.error = 0
    plan.target = target
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
        plan.stack = stacks + 2 * PYSANE_STACK
        with nogil:
            launch(plan, stacks)
        if plan.pidfd >= 0:
            plan.pidfd = pysane_above_stdio(plan.pidfd)
        if plan.error:
            raise OSError(plan.error, "cannot be started", arguments[0].decode())
    except BaseException:
        close(ends[0])
        if plan.pidfd >= 0:
            close(plan.pidfd)
        raise
    finally:
        close(ends[1])
        free(stacks)
        free(plan.argv)
        free(plan.environment)
    return ends[0]


def spawn(list arguments, list environment, cwd):
    """Start the program arguments[0]; return a socket to its descriptor 3, and its process id.

    arguments, environment: bytes. cwd: a descriptor of its working directory, None for ours. It
    gets nothing else: no descriptor but stderr, default signals, a session of its own; stdin and
    stdout are /dev/null. Raises OSError if it cannot be started.
    """
    cdef Plan plan
    cdef int channel = start(arguments, environment, cwd, C_CHANNEL, &plan)
    if plan.pidfd >= 0:
        close(plan.pidfd)
    return channel, plan.helper


def spawn_output(list arguments, list environment):
    """Start the program arguments[0], whose output is wanted; return what end() takes.

    That is a socket from its stdout, its process id, and a pidfd (-1 on Linux before 5.2). stdin
    and stderr are /dev/null; else as spawn.
    """
    cdef Plan plan
    cdef int channel = start(arguments, environment, None, C_OUTPUT, &plan)
    return channel, plan.helper, plan.pidfd


def end(int channel, int helper, int pidfd):
    """Kill a program that spawn_output started, if it still runs, and forget it.

    Its process id may be another's by now; only the pidfd is certain to be its own. Without one, it
    ends when it writes to the socket that is closed here.
    """
    close(channel)
    if pidfd >= 0:
        pysane_kill(pidfd)
        close(pidfd)
        reap(helper)


def hang_up(int fd):
    """Tell the helper behind socket *fd* to end; *fd* can be read until it has."""
    shutdown(fd, SHUT_WR)


def reap(int helper):
    """Forget a helper that is ending, in a host to which orphans fall: init, or a subreaper."""
    with nogil:
        if pysane_is_init():
            waitpid(helper, NULL, 0)
