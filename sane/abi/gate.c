/* The gate of a Python device: one call at a time, cancel from signal handlers, thread states.
 *
 * It knows handles, threads and descriptors; it knows nothing of options, images or SANE states.
 * A signal handler may run any function of the library while its own thread is in another one;
 * a forked child holds locks of threads that no longer exist. Hence C: what follows touches no
 * Python where a handler or a child may come, and says so.
 */
#define _GNU_SOURCE
#include "gate.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <Python.h>

#define LOWEST_FD 3           /* the host may run with 0 to 2 closed: they stay free */
#define POSTPONED 64          /* calls that one handler may leave for later */
#define INTERRUPT_AFTER_MS 1000 /* a driver that ignores cancel for so long is interrupted */
#define OVERDUE 64
#define CLOSE_SECONDS 3 /* close gives up a driver that does not come back for so long */

struct postponed {
  void (*action)(void *);
  void *subject;
};

/* What we know of a thread that has called us. */
struct thread {
  int depth; /* > 0: the thread is inside the library */
  int cancel_state;
  int postponed_count;
  struct postponed postponed[POSTPONED];
  PyThreadState *state; /* ours, kept until the thread ends; NULL if Python made it */
};

void (*pysane_cancelled)(struct pysane_handle *h);
void (*pysane_interrupt)(struct pysane_handle *h);

static pthread_key_t thread_key;
static volatile int *alive; /* a page that the kernel empties in a forked child */
static struct pysane_handle *free_handles;
static pthread_mutex_t pool_lock = PTHREAD_MUTEX_INITIALIZER;
static int epoll_fd = -1;
static pid_t service_pid;

/* -- Threads ------------------------------------------------------------------------------- */

static void
thread_ended(void *memory)
{
  struct thread *t = memory;

  if (t->state && Py_IsInitialized() && !pysane_forked()) {
    /* Not PyGILState_Release: Python's own thread-specific value is gone by now. */
    PyEval_RestoreThread(t->state);
    PyThreadState_Clear(t->state);
    PyThreadState_DeleteCurrent();
  }
  free(t);
}

static void
child_forked(void)
{
  *alive = 0;
}

void
pysane_gate_init(int guest)
{
  long page = sysconf(_SC_PAGESIZE);

  pthread_key_create(&thread_key, thread_ended);
  alive = mmap(NULL, (size_t)page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (alive == MAP_FAILED)
    alive = calloc(1, sizeof *alive);
  *alive = 1;
  if (guest && madvise((void *)alive, (size_t)page, MADV_WIPEONFORK) != 0)
    pthread_atfork(NULL, NULL, child_forked); /* before Linux 4.14 */
}

/* Async-signal-safe: in a child of a host that is not Python the interpreter is unusable. */
int
pysane_forked(void)
{
  return !*alive;
}

/* The calling thread's record, made at its first call: with a PyThreadState that stays, since
 * making one for every call takes 15 us instead of 2. */
static struct thread *
this_thread(void)
{
  struct thread *t = pthread_getspecific(thread_key);

  if (t)
    return t;
  t = calloc(1, sizeof *t);
  if (!t)
    return NULL;
  if (!PyGILState_GetThisThreadState()) {
    PyGILState_Ensure(); /* never released: the state lives as long as the thread */
    t->state = PyEval_SaveThread();
  }
  pthread_setspecific(thread_key, t);
  return t;
}

/* Async-signal-safe. */
int
pysane_inside(void)
{
  struct thread *t;

  if (!alive || pysane_forked())
    return 0;
  t = pthread_getspecific(thread_key);
  return t && t->depth > 0;
}

/* Async-signal-safe: only the thread itself and its handlers touch the list. */
void
pysane_postpone(void (*action)(void *), void *subject)
{
  struct thread *t = pthread_getspecific(thread_key);

  if (t && t->postponed_count < POSTPONED) {
    struct postponed *p = &t->postponed[t->postponed_count];
    p->action = action;
    p->subject = subject;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    t->postponed_count++;
  }
}

static SANE_Status
thread_enter(struct thread **current)
{
  struct thread *t;

  if (pysane_forked())
    return SANE_STATUS_IO_ERROR;
  t = this_thread();
  if (!t)
    return SANE_STATUS_NO_MEM;
  if (t->depth > 0) /* a signal handler in the middle of our own code */
    return SANE_STATUS_DEVICE_BUSY;
  t->depth = 1;
  __atomic_signal_fence(__ATOMIC_SEQ_CST);
  pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &t->cancel_state);
  *current = t;
  return SANE_STATUS_GOOD;
}

static void
run_postponed(struct thread *t)
{
  int i;

  for (i = 0; i < t->postponed_count; i++) /* an action may postpone another */
    t->postponed[i].action(t->postponed[i].subject);
  t->postponed_count = 0;
}

static void
thread_leave(struct thread *t)
{
  t->depth = 0;
  __atomic_signal_fence(__ATOMIC_SEQ_CST);
  if (t->postponed_count)
    run_postponed(t);
  pthread_setcancelstate(t->cancel_state, NULL);
}

SANE_Status
pysane_enter_library(void)
{
  struct thread *t;

  return thread_enter(&t);
}

void
pysane_leave_library(void)
{
  thread_leave(pthread_getspecific(thread_key));
}

int
pysane_callback_enter(void)
{
  struct thread *t = pthread_getspecific(thread_key);
  int depth = t ? t->depth : 0;

  if (t)
    t->depth = 0;
  return depth;
}

void
pysane_callback_leave(int depth)
{
  struct thread *t = pthread_getspecific(thread_key);

  if (t)
    t->depth = depth;
}

/* -- One call at a time -------------------------------------------------------------------- */

static void
futex(int *word, int operation, int value, const struct timespec *timeout)
{
  syscall(SYS_futex, word, operation | FUTEX_PRIVATE_FLAG, value, timeout, NULL, 0);
}

static int
try_hold(struct pysane_handle *h)
{
  int expected = 0;

  if (!__atomic_compare_exchange_n(&h->busy, &expected, 1, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
    return 0;
  h->thread = PyThread_get_thread_ident();
  return 1;
}

/* Wait for the handle, at most *seconds* (0: as long as it takes); return whether it is ours. */
static int
hold(struct pysane_handle *h, int seconds)
{
  const struct timespec tick = {.tv_sec = 1};
  PyThreadState *state = NULL;
  int held, waited = 0;

  if (try_hold(h))
    return 1;
  if (PyGILState_Check()) /* a Python host calls with the GIL: whoever holds busy may need it */
    state = PyEval_SaveThread();
  while (!(held = __atomic_exchange_n(&h->busy, 2, __ATOMIC_ACQUIRE) == 0)) {
    if (seconds && waited++ >= seconds)
      break;
    futex(&h->busy, FUTEX_WAIT, 2, seconds ? &tick : NULL);
  }
  if (held)
    h->thread = PyThread_get_thread_ident();
  if (state)
    PyEval_RestoreThread(state);
  return held;
}

static void
let_go(struct pysane_handle *h)
{
  if (__atomic_exchange_n(&h->busy, 0, __ATOMIC_RELEASE) == 2)
    futex(&h->busy, FUTEX_WAKE, 1, NULL);
}

static void
rearm(struct pysane_handle *h)
{
  struct epoll_event event = {.events = EPOLLIN | EPOLLONESHOT, .data.ptr = h};

  if (h->armed && epoll_ctl(epoll_fd, EPOLL_CTL_MOD, h->cancel_fd, &event) != 0)
    h->armed = 0;
}

static SANE_Status
enter(struct pysane_handle *h, int closing)
{
  struct thread *t;
  SANE_Status status = thread_enter(&t);

  if (status != SANE_STATUS_GOOD)
    return status;
  if (!try_hold(h)) {
    if (closing)
      pysane_request_cancel(h); /* wake the call that is in the way */
    if (!hold(h, closing ? CLOSE_SECONDS : 0)) {
      thread_leave(t);
      return SANE_STATUS_DEVICE_BUSY;
    }
  }
  if (!h->open) {
    let_go(h);
    thread_leave(t);
    return SANE_STATUS_INVAL;
  }
  if (__atomic_load_n(&h->cancel, __ATOMIC_ACQUIRE))
    pysane_cancelled(h);
  return SANE_STATUS_GOOD;
}

SANE_Status
pysane_enter(struct pysane_handle *h)
{
  return enter(h, 0);
}

SANE_Status
pysane_enter_close(struct pysane_handle *h)
{
  return enter(h, 1);
}

void
pysane_leave(struct pysane_handle *h)
{
  let_go(h);
  if (__atomic_load_n(&h->cancel, __ATOMIC_ACQUIRE)) /* came while we held it */
    rearm(h);
  thread_leave(pthread_getspecific(thread_key));
}

int
pysane_try_enter(struct pysane_handle *h)
{
  struct thread *t;

  if (pysane_forked())
    return 0;
  t = pthread_getspecific(thread_key);
  if (!t || t->depth > 0)
    return 0;
  t->depth = 1;
  __atomic_signal_fence(__ATOMIC_SEQ_CST);
  if (try_hold(h)) {
    if (h->open && !__atomic_load_n(&h->cancel, __ATOMIC_ACQUIRE))
      return 1;
    let_go(h);
  }
  t->depth = 0;
  return 0;
}

void
pysane_leave_quick(struct pysane_handle *h)
{
  struct thread *t = pthread_getspecific(thread_key);

  let_go(h);
  if (__atomic_load_n(&h->cancel, __ATOMIC_ACQUIRE))
    rearm(h);
  t->depth = 0;
  __atomic_signal_fence(__ATOMIC_SEQ_CST);
  if (t->postponed_count)
    run_postponed(t);
}

/* -- Handles ------------------------------------------------------------------------------- */

struct pysane_handle *
pysane_handle_new(void)
{
  struct pysane_handle *h;
  int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

  if (fd >= 0 && fd < LOWEST_FD) {
    int low = fd;
    fd = fcntl(low, F_DUPFD_CLOEXEC, LOWEST_FD);
    close(low);
  }
  if (fd < 0)
    return NULL;
  pthread_mutex_lock(&pool_lock);
  h = free_handles;
  if (h)
    free_handles = h->next_free;
  pthread_mutex_unlock(&pool_lock);
  if (!h)
    h = calloc(1, sizeof *h);
  if (!h) {
    close(fd);
    return NULL;
  }
  h->cancel_fd = fd;
  h->active = h->cancel = h->armed = 0;
  __atomic_store_n(&h->open, 1, __ATOMIC_RELEASE);
  return h;
}

/* The caller holds the handle: nobody else is inside, and nobody will enter. */
void
pysane_handle_free(struct pysane_handle *h)
{
  __atomic_store_n(&h->open, 0, __ATOMIC_RELEASE);
  h->active = h->cancel = 0;
  if (h->armed)
    epoll_ctl(epoll_fd, EPOLL_CTL_DEL, h->cancel_fd, NULL);
  h->armed = 0;
  close(h->cancel_fd);
  h->cancel_fd = -1;
  pthread_mutex_lock(&pool_lock);
  h->next_free = free_handles;
  free_handles = h;
  pthread_mutex_unlock(&pool_lock);
}

/* -- Cancel -------------------------------------------------------------------------------- */

/* Async-signal-safe; errno is preserved. */
void
pysane_request_cancel(struct pysane_handle *h)
{
  static const uint64_t one = 1;
  int saved = errno;

  if (!pysane_forked() && __atomic_load_n(&h->active, __ATOMIC_ACQUIRE)) {
    __atomic_store_n(&h->cancel, 1, __ATOMIC_RELEASE);
    /* Not write(): that is a cancellation point. If it fails the descriptor is readable already. */
    syscall(SYS_write, h->cancel_fd, &one, sizeof one);
  }
  errno = saved;
}

void
pysane_forget_cancel(struct pysane_handle *h)
{
  uint64_t count;

  __atomic_store_n(&h->active, 0, __ATOMIC_RELEASE);
  if (__atomic_exchange_n(&h->cancel, 0, __ATOMIC_ACQ_REL))
    while (read(h->cancel_fd, &count, sizeof count) < 0 && errno == EINTR)
      ;
}

/* The service thread carries out cancels of idle handles, so that a frontend that cancels and
 * then does nothing still gets its lamp switched off. A handle in use is left to its user, who
 * arms the watch again on leaving; one that stays in use for too long is interrupted. */
static void *
serve(void *unused)
{
  struct pysane_handle *overdue[OVERDUE];
  struct epoll_event event;
  int count = 0, i, n;

  (void)unused;
  for (;;) {
    n = epoll_wait(epoll_fd, &event, 1, count ? INTERRUPT_AFTER_MS : -1);
    if (n == 0) {
      for (i = 0; i < count; i++)
        if (overdue[i]->open && overdue[i]->cancel && overdue[i]->busy)
          pysane_interrupt(overdue[i]);
      count = 0;
    } else if (n > 0) {
      struct pysane_handle *h = event.data.ptr;
      if (try_hold(h)) {
        if (h->open && __atomic_load_n(&h->cancel, __ATOMIC_ACQUIRE))
          pysane_cancelled(h);
        let_go(h);
        if (__atomic_load_n(&h->cancel, __ATOMIC_ACQUIRE))
          rearm(h);
      } else if (count < OVERDUE) {
        overdue[count++] = h;
      }
    }
  }
  return NULL;
}

static int
start_service(void)
{
  pthread_attr_t attributes;
  pthread_t thread;
  sigset_t all, old;
  int fd = epoll_create1(EPOLL_CLOEXEC), error;

  if (fd >= 0 && fd < LOWEST_FD) {
    int low = fd;
    fd = fcntl(low, F_DUPFD_CLOEXEC, LOWEST_FD);
    close(low);
  }
  if (fd < 0)
    return errno;
  epoll_fd = fd;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &old); /* the host's handlers never run on our thread */
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  error = pthread_create(&thread, &attributes, serve, NULL);
  pthread_attr_destroy(&attributes);
  pthread_sigmask(SIG_SETMASK, &old, NULL);
  if (error == 0)
    service_pid = getpid();
  return error;
}

/* Called with the handle held, at each start. A forked Python host needs a thread of its own. */
int
pysane_watch(struct pysane_handle *h)
{
  struct epoll_event event = {.events = EPOLLIN | EPOLLONESHOT, .data.ptr = h};
  int error = 0;

  pthread_mutex_lock(&pool_lock);
  if (service_pid != getpid()) {
    h->armed = 0;
    error = start_service();
  }
  pthread_mutex_unlock(&pool_lock);
  if (error)
    return error;
  rearm(h);
  if (!h->armed && epoll_ctl(epoll_fd, EPOLL_CTL_ADD, h->cancel_fd, &event) != 0)
    return errno;
  h->armed = 1;
  return 0;
}
