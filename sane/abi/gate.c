/* The gate of a Python device: one call at a time, and what signal handlers may do.
 *
 * It knows threads and handles; it knows nothing of options, images or SANE states.
 * A signal handler may run any function of the library while its own thread is in another one;
 * a forked child holds locks of threads that no longer exist. Hence C: what follows touches no
 * Python where a handler or a child may come, and says so.
 */
#include <Python.h> /* first: it chooses what the system's headers define */

#include "gate.h"

#include <linux/futex.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define POSTPONED 64    /* calls that one handler may leave for later */
#define CLOSE_SECONDS 1 /* close leaves a driver that does not come back to its last caller */

struct postponed {
  void (*action)(void *);
  void *subject;
};

/* What we know of a thread that has called us. */
struct thread {
  int depth; /* > 0: the thread is inside the library */
  int cancel_state;
  int postponed_count, taken, runs_postponed;
  struct postponed postponed[POSTPONED];
  PyThreadState *state; /* ours, kept until the thread ends; NULL if Python made it */
};

void (*pysane_cancelled)(struct pysane_handle *h);
void (*pysane_close_held)(struct pysane_handle *h);
void (*pysane_interrupt)(struct pysane_handle *h);

static pthread_key_t thread_key;
static volatile int *alive; /* a page that the kernel empties in a forked child */

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

/* One after the other: an action enters and leaves the library itself. A handler may postpone
 * another between any two instructions here: hence each is taken before it runs. */
static void
run_postponed(struct thread *t)
{
  while (!t->runs_postponed && t->postponed_count) {
    t->runs_postponed = 1;
    while (t->taken < __atomic_load_n(&t->postponed_count, __ATOMIC_SEQ_CST)) {
      struct postponed next = t->postponed[t->taken++];
      next.action(next.subject);
    }
    int count = t->taken;
    if (__atomic_compare_exchange_n(&t->postponed_count, &count, 0, 0, __ATOMIC_SEQ_CST,
                                    __ATOMIC_SEQ_CST))
      t->taken = 0;
    t->runs_postponed = 0;
  }
}

static void
thread_leave(struct thread *t)
{
  int cancel_state = t->cancel_state; /* postponed actions enter and leave, too */

  t->depth = 0;
  __atomic_signal_fence(__ATOMIC_SEQ_CST);
  if (t->postponed_count)
    run_postponed(t);
  pthread_setcancelstate(cancel_state, NULL);
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

int
pysane_try_hold(struct pysane_handle *h)
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
  struct timespec until, now, tick = {.tv_sec = 1};
  PyThreadState *state = NULL;
  int held;

  if (pysane_try_hold(h))
    return 1;
  /* A Python host may call with the GIL, which whoever holds the handle may need. */
  if (PyGILState_GetThisThreadState() && PyGILState_Check())
    state = PyEval_SaveThread();
  clock_gettime(CLOCK_MONOTONIC, &until);
  until.tv_sec += seconds;
  while (!(held = __atomic_exchange_n(&h->busy, 2, __ATOMIC_SEQ_CST) == 0)) {
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (seconds && (now.tv_sec > until.tv_sec ||
                    (now.tv_sec == until.tv_sec && now.tv_nsec >= until.tv_nsec)))
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
  __atomic_store_n(&h->thread, 0, __ATOMIC_RELEASE);
  if (__atomic_exchange_n(&h->busy, 0, __ATOMIC_SEQ_CST) == 2)
    futex(&h->busy, FUTEX_WAKE, 1, NULL);
}

/* Let the handle go; what came while we held it is done now: a close, or a cancel. */
void
pysane_let_go(struct pysane_handle *h)
{
  let_go(h);
  if (__atomic_load_n(&h->abandoned, __ATOMIC_SEQ_CST) && pysane_try_hold(h)) {
    if (__atomic_exchange_n(&h->abandoned, 0, __ATOMIC_SEQ_CST) && h->open)
      pysane_close_held(h);
    let_go(h);
  }
  if (__atomic_load_n(&h->cancel, __ATOMIC_SEQ_CST))
    pysane_rearm(h);
}

/* Wait for a handle that is in use; close cancels that use first, and does not wait for long. */
static int
wait_for(struct pysane_handle *h, int closing)
{
  int is_own = h->busy && h->thread == PyThread_get_thread_ident(); /* in an authorization */

  if (!closing)
    return !is_own && hold(h, 0);
  pysane_request_cancel(h);
  if (!is_own && hold(h, CLOSE_SECONDS))
    return 1;
  __atomic_store_n(&h->abandoned, 1, __ATOMIC_SEQ_CST);
  if (!pysane_try_hold(h))
    return 0; /* its user sees the mark when it leaves */
  h->abandoned = 0;
  return 1;
}

static SANE_Status
enter(struct pysane_handle *h, int closing)
{
  struct thread *t;
  SANE_Status status = thread_enter(&t);

  if (status != SANE_STATUS_GOOD)
    return status;
  if (!pysane_try_hold(h) && !wait_for(h, closing)) {
    thread_leave(t);
    return SANE_STATUS_DEVICE_BUSY;
  }
  if (!h->open) {
    pysane_let_go(h);
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
  pysane_let_go(h);
  thread_leave(pthread_getspecific(thread_key));
}

/* Note that this thread is inside, for a call that neither blocks nor needs Python. */
int
pysane_mark(void)
{
  struct thread *t;

  if (pysane_forked())
    return 0;
  t = this_thread();
  if (!t || t->depth > 0)
    return 0;
  t->depth = 1;
  __atomic_signal_fence(__ATOMIC_SEQ_CST);
  return 1;
}

void
pysane_unmark(void)
{
  struct thread *t = pthread_getspecific(thread_key);

  t->depth = 0;
  __atomic_signal_fence(__ATOMIC_SEQ_CST);
  if (t->postponed_count)
    run_postponed(t);
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
  if (pysane_try_hold(h)) {
    if (h->open && !__atomic_load_n(&h->cancel, __ATOMIC_ACQUIRE))
      return 1;
    pysane_let_go(h);
  }
  t->depth = 0;
  return 0;
}

void
pysane_leave_quick(struct pysane_handle *h)
{
  struct thread *t = pthread_getspecific(thread_key);

  pysane_let_go(h);
  t->depth = 0;
  __atomic_signal_fence(__ATOMIC_SEQ_CST);
  if (t->postponed_count)
    run_postponed(t);
}
