/* The threads that call us: whether they are inside, what their signal handlers leave for later,
 * and how the host may end them.
 *
 * It knows nothing of handles. A signal handler may run any function of the library while its own
 * thread is in another one; a forked child holds locks of threads that no longer exist. Hence C:
 * what follows touches no Python where a handler or a child may come, and says so.
 */
#define _GNU_SOURCE 1
#include <Python.h> /* first: it chooses what the system's headers define */

#include "gate.h"

#include <dlfcn.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#define LIBRARIES 16 /* shims in one process that have something postponed */

struct postponed {
  void (*action)(struct pysane_library *);
  struct pysane_library *library;
  int wanted;
};

struct record {
  struct pysane_thread thread; /* first: the one is the other */
  struct postponed postponed[LIBRARIES];
  PyThreadState *state; /* ours, kept until the thread ends; NULL if Python made it */
};

pthread_key_t pysane_thread_key;
volatile int *pysane_alive;
static int is_guest;

static void
thread_ended(void *memory)
{
  struct record *r = memory;
  int state;

  /* A cancellation that is pending would end the thread while it waits for the GIL, or has it. */
  pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
  if (r->state && Py_IsInitialized() && !pysane_lacks_python()) {
    /* Not PyGILState_Release: Python's own thread-specific value is gone by now. */
    PyEval_RestoreThread(r->state);
    PyThreadState_Clear(r->state);
    PyThreadState_DeleteCurrent();
  }
  free(r);
  pthread_setcancelstate(state, NULL);
}

/* In a forked child, and after Python's end. */
static void
python_is_gone(void)
{
  *pysane_alive = 0;
}

void
pysane_threads_init(int guest)
{
  long page = sysconf(_SC_PAGESIZE);

  is_guest = guest;
  pthread_key_create(&pysane_thread_key, thread_ended);
  pysane_alive = mmap(NULL, (size_t)page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pysane_alive == MAP_FAILED)
    pysane_alive = calloc(1, sizeof *pysane_alive);
  *pysane_alive = 1;
  Py_AtExit(python_is_gone); /* for good: what was imported would not live in another interpreter */
  if (!guest)
    pthread_atfork(NULL, NULL, pysane_handles_forked);
  else if (madvise((void *)pysane_alive, (size_t)page, MADV_WIPEONFORK) != 0)
    pthread_atfork(NULL, NULL, python_is_gone); /* before Linux 4.14 */
}

static struct record *
new_record(void)
{
  struct record *r = calloc(1, sizeof *r);
  int state;

  if (!r)
    return NULL;
  r->thread.is_main = getpid() == syscall(SYS_gettid);
  r->thread.is_ours = is_guest; /* also the one that started Python, which has a state of it */
  if (!PyGILState_GetThisThreadState()) {
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state); /* the wait for the GIL is a point */
    PyGILState_Ensure(); /* never released: the state lives as long as the thread */
    r->state = PyEval_SaveThread();
    r->thread.is_ours = 1;
    pthread_setcancelstate(state, NULL);
  }
  pthread_setspecific(pysane_thread_key, r);
  return r;
}

/* With a PyThreadState that stays, since making one for every call takes 15 us instead of 2. A
 * signal waits for it: before the record is there, its handler would not learn that the thread is
 * inside, and would wait for malloc's locks or the GIL, which the thread it has interrupted holds. */
struct pysane_thread *
pysane_new_thread(void)
{
  sigset_t before = pysane_hold_signals();
  struct record *r = new_record();

  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return r ? &r->thread : NULL;
}

/* Async-signal-safe. */
int
pysane_inside(void)
{
  struct pysane_thread *t;

  if (!pysane_alive || pysane_lacks_python())
    return 0;
  t = pysane_known_thread();
  return t && t->depth > 0;
}

/* -- What signal handlers leave for later -------------------------------------------------- */

/* Async-signal-safe: only the thread itself and its handlers touch the list. */
void
pysane_postpone(void (*action)(struct pysane_library *), struct pysane_library *library)
{
  struct pysane_thread *t = pysane_known_thread();
  int i;

  for (i = 0; t && i < LIBRARIES; i++) {
    struct postponed *p = &((struct record *)t)->postponed[i];
    struct pysane_library *nobody = NULL;
    if (__atomic_compare_exchange_n(&p->library, &nobody, library, 0, __ATOMIC_SEQ_CST,
                                    __ATOMIC_SEQ_CST) ||
        nobody == library) {
      p->action = action;
      __atomic_store_n(&p->wanted, 1, __ATOMIC_SEQ_CST);
      __atomic_store_n(&t->is_postponed, 1, __ATOMIC_SEQ_CST);
      return;
    }
  }
}

/* An action enters and leaves the library itself, and a handler may postpone it again. */
void
pysane_run_postponed(struct pysane_thread *t)
{
  struct record *r = (struct record *)t;
  int i;

  if (t->runs_postponed)
    return;
  t->runs_postponed = 1;
  while (__atomic_exchange_n(&t->is_postponed, 0, __ATOMIC_SEQ_CST))
    for (i = 0; i < LIBRARIES; i++)
      if (__atomic_exchange_n(&r->postponed[i].wanted, 0, __ATOMIC_SEQ_CST))
        r->postponed[i].action(r->postponed[i].library);
  t->runs_postponed = 0;
}

/* -- Inside -------------------------------------------------------------------------------- */

SANE_Status
pysane_enter_library(void)
{
  return pysane_begin(pysane_this_thread());
}

void
pysane_leave_library(void)
{
  pysane_end(pysane_known_thread());
}

int
pysane_callback_enter(void)
{
  struct pysane_thread *t = pysane_known_thread();
  int depth = t ? t->depth : 0;

  if (t)
    t->depth = 0;
  return depth;
}

void
pysane_callback_leave(int depth)
{
  struct pysane_thread *t = pysane_known_thread();

  if (t)
    t->depth = depth;
}

/* -- Threads that the host ends ------------------------------------------------------------
 *
 * sane_read of the original is a cancellation point: pthread_cancel ends a thread that waits for
 * a slow scanner. In the middle of Python code no thread can end, so the service thread looks
 * whether the caller of a blocked call has been cancelled, and ends the call as sane_cancel does.
 * The C library tells nobody that; but it is one mark in what pthread_t points to, and which one
 * is seen at a thread of our own. Where that fails, the thread ends when its call returns.
 */

#define DESCRIPTOR_BYTES 1024 /* of what pthread_t points to: less than any C library has */

static size_t mark_place;
static unsigned mark_bits;

/* On the service thread, in which cancellation stays disabled. */
static void
learn_mark(void)
{
  const volatile unsigned *words = (const volatile unsigned *)pthread_self();
  unsigned before[DESCRIPTOR_BYTES / sizeof(unsigned)];
  size_t i, count = sizeof before / sizeof *before, changes = 0;

  if (!dlopen("libgcc_s.so.1", RTLD_LAZY)) /* without it pthread_cancel ends the process */
    return;
  for (i = 0; i < count; i++)
    before[i] = words[i];
  pthread_cancel(pthread_self());
  for (i = 0; i < count; i++)
    if (words[i] != before[i]) {
      changes++;
      mark_place = i;
      mark_bits = words[i] & ~before[i];
    }
  if (changes != 1)
    mark_bits = 0;
}

/* Whether *thread*, which cannot end meanwhile, has been cancelled. Only for the service thread. */
int
pysane_is_ending(unsigned long thread)
{
  static int is_learnt;

  if (!is_learnt)
    learn_mark();
  is_learnt = 1;
  return (((const volatile unsigned *)thread)[mark_place] & mark_bits) != 0;
}
