/* The service thread: it sees to the cancels that nobody waits for.
 *
 * sane_cancel notes a number and wakes this thread. A device that is idle then gets its finish
 * from a thread of its own, so that a frontend that cancels and does nothing more still gets its
 * lamp switched off; a driver that is in a call is woken through the handle's pipe, and
 * interrupted when it does not care. This thread itself never waits for a driver, nor for Python.
 */
#define _GNU_SOURCE 1
#include "gate.h"

#include <errno.h>
#include <linux/futex.h>
#include <signal.h>
#include <unistd.h>

#define INTERRUPT_MS 1000 /* a driver that ignores cancel for so long is interrupted */
#define ENDING_MS 250     /* how often it looks whether the host wants to end a caller */

static uint32_t wakes; /* futex: how often there was something to look at */
static pid_t service_pid;

/* Async-signal-safe. */
void
pysane_wake_service(void)
{
  __atomic_add_fetch(&wakes, 1, __ATOMIC_SEQ_CST);
  pysane_futex(&wakes, FUTEX_WAKE, 1, NULL);
}

static int64_t
now_ms(void)
{
  struct timespec now;

  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Run a function in a thread of its own, with all signals blocked: the host's handlers never run
 * there. Returns 0 or an errno. */
static int
spawn(void *(*run)(void *), void *subject)
{
  pthread_attr_t attributes;
  pthread_t thread;
  sigset_t before = pysane_hold_signals();
  int error;

  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  error = pthread_create(&thread, &attributes, run, subject);
  pthread_attr_destroy(&attributes);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return error;
}

/* The service thread has taken the handle for this. */
static void *
carry_out(void *subject)
{
  struct pysane_handle *h = subject;

  pysane_is_mine(h);
  if (!pysane_is_closing(h) && pysane_is_cancelled(h))
    pysane_carry_out(h);
  pysane_let_go(h);
  return NULL;
}

static void *
interrupt(void *subject)
{
  pysane_interrupt(subject);
  return NULL;
}

/* Whether the host wants to end the thread that is in a call; the call is cancelled then. */
static int
is_caller_ending(struct pysane_handle *h)
{
  unsigned long thread;
  int busy = pysane_pin(h, &thread), is_ending;

  if (!busy)
    return 0;
  is_ending = thread && !(busy & PYSANE_UNDISTURBED) &&
              __atomic_load_n(&h->may_end, __ATOMIC_ACQUIRE) && pysane_is_ending(thread);
  if (is_ending)
    pysane_request(h, pysane_started(h), 1);
  pysane_unpin(h, 0);
  return is_ending;
}

/* Note when a driver is to be interrupted that goes on in spite of the cancel, or that its finish
 * takes long; return whether that is news. */
static int
is_news(struct pysane_handle *h)
{
  uint32_t covered = pysane_covered(h);

  if (!pysane_is_cancelled(h) || h->told == covered)
    return 0;
  h->told = covered;
  h->due_ms = now_ms() + INTERRUPT_MS;
  return 1;
}

/* Carry the cancel of an idle device out, or wake the driver that is in a call; return 0 if it was
 * let go of just now. */
static int
tell(struct pysane_handle *h)
{
  unsigned long thread;

  if (pysane_try_hold(h)) {
    is_news(h);
    if (spawn(carry_out, h) != 0)
      carry_out(h);
    return 1;
  }
  if (!pysane_pin(h, &thread))
    return 0;
  if (is_news(h))
    pysane_tell(h);
  pysane_unpin(h, 0);
  return 1;
}

/* Do what a handle needs; return after how many ms it is to be looked at again, -1: when woken. */
static int
look_after(struct pysane_handle *h)
{
  int64_t left;

  if (!pysane_is_active(h))
    return -1;
  if (!pysane_is_cancelled(h)) {
    if (!__atomic_load_n(&h->ends, __ATOMIC_SEQ_CST))
      return -1;
    if (!is_caller_ending(h))
      return ENDING_MS;
  }
  if (pysane_is_finalizing() || pysane_lacks_python())
    return -1; /* a thread that wants the GIL now ends, with the handle in its hands */
  if (!tell(h))
    return 0;
  if (!h->due_ms)
    return -1;
  left = h->due_ms - now_ms();
  if (left > 0)
    return (int)left;
  h->due_ms = 0;
  spawn(interrupt, h);
  return -1;
}

static void *
serve(void *unused)
{
  (void)unused;
  pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &(int){0});
  for (;;) {
    uint32_t seen = __atomic_load_n(&wakes, __ATOMIC_SEQ_CST);
    int next = -1, i, n = __atomic_load_n(&pysane_handles_used, __ATOMIC_SEQ_CST);
    for (i = 0; i < n; i++) {
      int ms = look_after(&pysane_handles[i]);
      if (ms >= 0 && (next < 0 || ms < next))
        next = ms;
    }
    struct timespec wait = {.tv_sec = next / 1000, .tv_nsec = next % 1000 * 1000000L};
    pysane_futex(&wakes, FUTEX_WAIT, (int)seen, next < 0 ? NULL : &wait);
  }
  return NULL;
}

/* Called with the handle held and the GIL. A forked Python host needs a thread of its own. */
int
pysane_watch(struct pysane_handle *h)
{
  int error = pysane_own_wake(h);

  if (error == 0 && service_pid != getpid()) {
    error = spawn(serve, NULL);
    if (error == 0)
      service_pid = getpid();
  }
  if (__atomic_load_n(&h->ends, __ATOMIC_SEQ_CST))
    pysane_wake_service();
  return error;
}
