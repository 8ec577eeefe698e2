/* The gate of a Python device: one call at a time, and none once it is closed.
 *
 * It knows who holds a handle; it knows nothing of options, images or SANE states. Whoever holds
 * one when it is closed ends it, whoever holds one when a cancel comes carries that out at the
 * next call, or leaves it to the service thread. docs/lifetimes.md has the table.
 */
#define _GNU_SOURCE 1
#include <Python.h> /* first: it chooses what the system's headers define */

#include "gate.h"

#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>

#define CLOSE_SECONDS 1 /* close leaves a driver that does not come back to its last caller */

void (*pysane_cancelled)(struct pysane_handle *h);
void (*pysane_close_held)(struct pysane_handle *h);
void (*pysane_interrupt)(struct pysane_handle *h);
void (*pysane_uninterrupt)(struct pysane_handle *h);

void
pysane_futex(void *word, int operation, int value, const struct timespec *timeout)
{
  syscall(SYS_futex, word, operation | FUTEX_PRIVATE_FLAG, value, timeout, NULL, 0);
}

/* -- Holding ------------------------------------------------------------------------------- */

void
pysane_is_mine(struct pysane_handle *h)
{
  __atomic_store_n(&h->thread, (unsigned long)pthread_self(), __ATOMIC_RELEASE);
}

int
pysane_try_hold(struct pysane_handle *h)
{
  int nobody = 0;

  if (!__atomic_compare_exchange_n(&h->busy, &nobody, PYSANE_HELD, 0, __ATOMIC_SEQ_CST,
                                   __ATOMIC_RELAXED))
    return 0;
  pysane_is_mine(h);
  return 1;
}

/* Store how long it is until then; return 0 if that time has come. */
static int
is_left(const struct timespec *until, struct timespec *left)
{
  struct timespec now;

  clock_gettime(CLOCK_MONOTONIC, &now);
  left->tv_sec = until->tv_sec - now.tv_sec;
  left->tv_nsec = until->tv_nsec - now.tv_nsec;
  if (left->tv_nsec < 0) {
    left->tv_sec--;
    left->tv_nsec += 1000000000;
  }
  return left->tv_sec >= 0 && (left->tv_sec || left->tv_nsec);
}

/* Wait for the handle as long as *inner* is in *state*, at most *seconds* (0: no limit); return
 * whether it is ours. */
static int
hold(SANE_Handle inner, uint32_t state, int seconds)
{
  struct pysane_handle *h = pysane_handle_of(inner);
  struct timespec until, left;
  PyThreadState *python = NULL;
  int before;

  /* A Python host may call with the GIL, which whoever holds the handle may need. */
  if (PyGILState_GetThisThreadState() && PyGILState_Check())
    python = PyEval_SaveThread();
  clock_gettime(CLOCK_MONOTONIC, &until);
  until.tv_sec += seconds;
  while ((before = __atomic_fetch_or(&h->busy, PYSANE_HELD | PYSANE_WAITED, __ATOMIC_SEQ_CST)) &
         PYSANE_HELD) {
    if (!pysane_is(inner, state) || (seconds && !is_left(&until, &left)))
      break;
    pysane_futex(&h->busy, FUTEX_WAIT, before | PYSANE_HELD | PYSANE_WAITED,
                 seconds ? &left : NULL);
  }
  if (!(before & PYSANE_HELD))
    pysane_is_mine(h);
  if (python)
    PyEval_RestoreThread(python);
  return !(before & PYSANE_HELD);
}

static inline int
release_at_once(struct pysane_handle *h)
{
  int before = PYSANE_HELD;

  return __atomic_compare_exchange_n(&h->busy, &before, 0, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

/* Whoever keeps the handle from being let go is done in a moment. */
void
pysane_await_unpinned(struct pysane_handle *h)
{
  int now;

  while ((now = __atomic_load_n(&h->busy, __ATOMIC_SEQ_CST)) & PYSANE_PINNED)
    pysane_futex(&h->busy, FUTEX_WAIT, now, NULL);
}

/* What was to interrupt this thread's call must hit nothing else. */
static void
take_back(struct pysane_handle *h)
{
  pysane_uninterrupt(h);
  __atomic_fetch_and(&h->busy, ~PYSANE_STRUCK, __ATOMIC_SEQ_CST);
}

static void
release(struct pysane_handle *h)
{
  int before = PYSANE_HELD;

  __atomic_store_n(&h->thread, 0, __ATOMIC_RELEASE);
  while (!__atomic_compare_exchange_n(&h->busy, &before, 0, 0, __ATOMIC_SEQ_CST,
                                      __ATOMIC_SEQ_CST)) {
    if (before & PYSANE_PINNED) {
      pysane_await_unpinned(h);
    } else if (before & PYSANE_STRUCK) {
      take_back(h);
    } else if (__atomic_compare_exchange_n(&h->busy, &before, 0, 0, __ATOMIC_SEQ_CST,
                                           __ATOMIC_SEQ_CST)) {
      pysane_futex(&h->busy, FUTEX_WAKE, 1, NULL); /* what else there was: somebody waits */
      return;
    }
    before = PYSANE_HELD;
  }
}

/* To finish and to close is what an interruption is for: it must not hit that, too. */
int
pysane_undisturbed(struct pysane_handle *h, int begins)
{
  int before;

  if (!begins)
    return __atomic_fetch_and(&h->busy, ~PYSANE_UNDISTURBED, __ATOMIC_SEQ_CST) & PYSANE_UNDISTURBED;
  before = __atomic_fetch_or(&h->busy, PYSANE_UNDISTURBED, __ATOMIC_SEQ_CST);
  pysane_await_unpinned(h);
  if (__atomic_load_n(&h->busy, __ATOMIC_SEQ_CST) & PYSANE_STRUCK)
    take_back(h);
  return before & PYSANE_UNDISTURBED;
}

void
pysane_carry_out(struct pysane_handle *h)
{
  pysane_undisturbed(h, 1);
  pysane_cancelled(h);
  pysane_undisturbed(h, 0);
}

static void
close_held(struct pysane_handle *h)
{
  uint32_t asked = __atomic_load_n(&h->asked, __ATOMIC_SEQ_CST);

  /* Some drivers tell a cancel before close from a close alone. */
  if ((int32_t)(asked - __atomic_load_n(&h->done, __ATOMIC_SEQ_CST)) > 0)
    pysane_carry_out(h);
  pysane_undisturbed(h, 1);
  pysane_close_held(h);
  pysane_undisturbed(h, 0);
  pysane_handle_free(h);
}

/* What came while we held the handle is done now: a close by us, a cancel by the service thread. */
static inline void
see_to_it(struct pysane_handle *h)
{
  while (pysane_is_closing(h) && pysane_try_hold(h)) {
    if (pysane_is_closing(h))
      close_held(h);
    release(h);
  }
  if (pysane_is_cancelled(h))
    pysane_wake_service();
}

void
pysane_let_go(struct pysane_handle *h)
{
  release(h);
  see_to_it(h);
}

int
pysane_pin(struct pysane_handle *h, unsigned long *thread)
{
  int before = __atomic_load_n(&h->busy, __ATOMIC_SEQ_CST);

  while (before & PYSANE_HELD)
    if (before & PYSANE_PINNED) { /* by the service thread, or one that interrupts */
      pysane_await_unpinned(h);
      before = __atomic_load_n(&h->busy, __ATOMIC_SEQ_CST);
    } else if (__atomic_compare_exchange_n(&h->busy, &before, before | PYSANE_PINNED, 0,
                                           __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
      *thread = __atomic_load_n(&h->thread, __ATOMIC_ACQUIRE);
      return before;
    }
  return 0;
}

void
pysane_unpin(struct pysane_handle *h, int also)
{
  if (also)
    __atomic_fetch_or(&h->busy, also, __ATOMIC_SEQ_CST);
  __atomic_fetch_and(&h->busy, ~PYSANE_PINNED, __ATOMIC_SEQ_CST);
  pysane_futex(&h->busy, FUTEX_WAKE, INT_MAX, NULL);
}

/* -- Calls --------------------------------------------------------------------------------- */

/* Whether this thread is in a call of the handle already: in a callback of the frontend's. */
static int
is_own(struct pysane_handle *h)
{
  return __atomic_load_n(&h->thread, __ATOMIC_ACQUIRE) == (unsigned long)pthread_self();
}

/* Note whether the host may end this thread while it is in the call. */
static inline void
note_caller(struct pysane_handle *h, const struct pysane_thread *t)
{
  int may_end = t->is_ours && !t->is_main && t->cancel_state == PTHREAD_CANCEL_ENABLE;

  if (may_end) {
    __atomic_store_n(&h->may_end, 1, __ATOMIC_RELEASE);
    if (!__atomic_exchange_n(&h->ends, 1, __ATOMIC_SEQ_CST))
      pysane_wake_service();
  }
}

static inline SANE_Status
enter(SANE_Handle inner, struct pysane_thread *t)
{
  struct pysane_handle *h = pysane_handle_of(inner);
  SANE_Status status = pysane_begin(t);

  if (status != SANE_STATUS_GOOD)
    return status;
  if (!pysane_try_hold(h) && (is_own(h) || !hold(inner, PYSANE_OPEN, 0))) {
    status = is_own(h) ? SANE_STATUS_DEVICE_BUSY : SANE_STATUS_INVAL;
    pysane_end(t);
    return status;
  }
  if (!pysane_is(inner, PYSANE_OPEN)) {
    pysane_leave(h);
    return SANE_STATUS_INVAL;
  }
  note_caller(h, t);
  if (pysane_is_cancelled(h))
    pysane_carry_out(h);
  return SANE_STATUS_GOOD;
}

SANE_Status
pysane_enter(SANE_Handle inner)
{
  return enter(inner, pysane_this_thread());
}

void
pysane_leave(struct pysane_handle *h)
{
  __atomic_store_n(&h->may_end, 0, __ATOMIC_RELEASE);
  pysane_let_go(h);
  pysane_end(pysane_known_thread());
}

/* A thread of Python's own may hold the GIL, and does not end here. */
static inline void
cancellation_point(const struct pysane_thread *t)
{
  if (t && t->is_ours && t->depth == 0)
    pthread_testcancel();
}

SANE_Status
pysane_enter_read(SANE_Handle inner)
{
  struct pysane_thread *t = pysane_this_thread();

  cancellation_point(t);
  return enter(inner, t);
}

void
pysane_leave_point(struct pysane_handle *h, SANE_Status status)
{
  pysane_leave(h);
  if (status != SANE_STATUS_GOOD)
    cancellation_point(pysane_known_thread());
}

void
pysane_gate_close(SANE_Handle inner)
{
  struct pysane_handle *h = pysane_handle_of(inner);
  struct pysane_thread *t = pysane_this_thread();

  if (pysane_begin(t) != SANE_STATUS_GOOD)
    return;
  if (pysane_handle_close(inner)) { /* no call enters any more, and those that wait give up */
    pysane_request(h, pysane_started(h), 0);
    pysane_futex(&h->busy, FUTEX_WAKE, INT_MAX, NULL);
    if (pysane_try_hold(h) || (!is_own(h) && hold(inner, PYSANE_CLOSING, CLOSE_SECONDS))) {
      if (pysane_is(inner, PYSANE_CLOSING)) /* else its last user has closed it */
        close_held(h);
      pysane_let_go(h);
    }
  }
  pysane_end(t);
}

void
pysane_drop(SANE_Handle inner)
{
  pysane_handle_close(inner);
  close_held(pysane_handle_of(inner));
}

/* Whoever holds the handle so is not noted: it calls nobody who could ask, and does not wait. */
int
pysane_try_enter(SANE_Handle inner)
{
  struct pysane_handle *h = pysane_handle_of(inner);
  struct pysane_thread *t = pysane_known_thread();
  int nobody = 0;

  if (pysane_lacks_python() || !pysane_mark(t))
    return 0;
  if (__atomic_compare_exchange_n(&h->busy, &nobody, PYSANE_HELD, 0, __ATOMIC_SEQ_CST,
                                  __ATOMIC_RELAXED)) {
    if (pysane_is(inner, PYSANE_OPEN) && !pysane_is_cancelled(h))
      return 1;
    pysane_let_go(h);
  }
  pysane_unmark(t);
  return 0;
}

void
pysane_leave_quick(struct pysane_handle *h)
{
  if (!release_at_once(h))
    release(h);
  see_to_it(h);
  pysane_unmark(pysane_known_thread());
}
