/* Turns of threads that read from drivers in Python.
 *
 * The GIL alone makes eight such threads slower than one: whoever lets it go after a read wakes
 * another thread, and has it back for the next read before that one runs. So a thread that reads
 * again and again keeps the turn between its reads for some milliseconds, while the others sleep
 * in front of the GIL. Nobody waits for a read that waits for its device, nor for a frontend that
 * does something else with what it has read. It knows times and handles, nothing of frames.
 */
#define _GNU_SOURCE 1
#include <Python.h> /* first: it chooses what the system's headers define */

#include "gate.h"

#include <linux/futex.h>

#define SLICE_NS 5000000 /* as Python's own switch interval */
#define LOOK_NS 300000   /* how often whoever is next looks what became of the turn */
#define SHORT_NS 100000  /* a read that takes longer waits for its device */
#define SOON_NS 20000    /* a frontend that reads again after so long only copies: waking another
                          * thread takes longer */

/* The states of the turn. TAKEN: by a read. KEPT: by the owner, for its next read. LONG: by a read
 * that others do not wait for. HANDED: to whoever is next. */
enum { FREE, TAKEN, KEPT, LONG, HANDED };

static int turn; /* futex */
static int waiting;
static uint32_t reads; /* how often the turn was taken */
static struct pysane_handle *owner;
static int64_t until_ns; /* the end of the owner's slice, 0: nobody waits; only the owner uses it */
static pthread_mutex_t next = PTHREAD_MUTEX_INITIALIZER; /* who has it is next, others sleep here */

static int64_t
now_ns(void)
{
  struct timespec now;

  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int
take(struct pysane_handle *h, int before)
{
  if (!__atomic_compare_exchange_n(&turn, &before, TAKEN, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
    return 0;
  __atomic_store_n(&owner, h, __ATOMIC_SEQ_CST);
  __atomic_add_fetch(&reads, 1, __ATOMIC_SEQ_CST);
  return 1;
}

/* Wait as the next; return whether the turn is ours, else nobody is to wait for it. */
static int
wait_as_next(struct pysane_handle *h)
{
  const struct timespec look = {0, LOOK_NS};
  uint32_t before = __atomic_load_n(&reads, __ATOMIC_SEQ_CST), now;
  int state, has_looked = 0;

  while ((state = __atomic_load_n(&turn, __ATOMIC_SEQ_CST)) != LONG) {
    now = __atomic_load_n(&reads, __ATOMIC_SEQ_CST);
    if (state == FREE || state == HANDED || (state == KEPT && has_looked && now == before)) {
      if (take(h, state)) {
        until_ns = 0;
        return 1;
      }
    } else if (has_looked && now == before) {
      __atomic_compare_exchange_n(&turn, &state, LONG, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    } else {
      before = now;
      pysane_futex(&turn, FUTEX_WAIT, state, &look);
      has_looked = 1;
    }
  }
  return 0;
}

int
pysane_take_turn(struct pysane_handle *h)
{
  int is_ours;

  if (h->reads_long) {
    h->read_ns = now_ns();
    return 0;
  }
  is_ours = take(h, FREE) ||
            (__atomic_load_n(&owner, __ATOMIC_SEQ_CST) == h && take(h, KEPT));
  if (!is_ours) {
    /* A Python host may call with the GIL, which whoever has the turn needs. */
    if (PyGILState_GetThisThreadState() && PyGILState_Check())
      return 0;
    __atomic_add_fetch(&waiting, 1, __ATOMIC_SEQ_CST);
    pthread_mutex_lock(&next);
    is_ours = wait_as_next(h);
    pthread_mutex_unlock(&next);
    __atomic_sub_fetch(&waiting, 1, __ATOMIC_SEQ_CST);
  }
  if (is_ours && __atomic_load_n(&waiting, __ATOMIC_RELAXED))
    h->reads_soon = !h->read_ns || now_ns() - h->read_ns < SOON_NS;
  return is_ours;
}

/* Others wait: keep the turn for the next read, or let the next thread have it. */
static void
share(struct pysane_handle *h)
{
  int state = FREE, before = TAKEN;

  h->read_ns = now_ns();
  if (!until_ns)
    until_ns = h->read_ns + SLICE_NS;
  if (h->reads_soon)
    state = h->read_ns < until_ns ? KEPT : HANDED;
  if (!__atomic_compare_exchange_n(&turn, &before, state, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
    h->reads_long = 1; /* nobody waits for it any more */
    __atomic_store_n(&turn, FREE, __ATOMIC_SEQ_CST);
  } else if (state != KEPT) {
    pysane_futex(&turn, FUTEX_WAKE, 1, NULL);
  }
}

void
pysane_give_turn(struct pysane_handle *h, int is_ours)
{
  if (!is_ours)
    h->reads_long = h->reads_long && now_ns() - h->read_ns > SHORT_NS;
  else if (__atomic_load_n(&waiting, __ATOMIC_SEQ_CST))
    share(h);
  else if (__atomic_exchange_n(&turn, FREE, __ATOMIC_SEQ_CST) == LONG)
    h->reads_long = 1;
}

/* In the child of a Python host: whoever had the turn is not here to give it. */
void
pysane_turns_forked(void)
{
  turn = FREE;
  waiting = 0;
  pthread_mutex_init(&next, NULL);
}
