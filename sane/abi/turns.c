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
#define LOOK_NS 300000   /* when whoever is next looks what became of the turn; ... */
#define LOOKS_NS 1200000 /* ... it looks later each time that reads go on, as each look costs them */
#define SHORT_NS 100000  /* a read in Python that takes longer waits for its device */
#define SOON_NS 20000    /* a frontend that reads again after so long only copies: waking another
                          * thread takes longer */
#define MOST_LOST 2      /* turns lost in a row by reads that wait for their device: a busy machine
                          * may take the processor away in the middle of any read, seldom of two */

/* The states of the turn. TAKEN: by a read. KEPT: by the same handle, for its next read. HANDED: to
 * whoever is next. */
enum { FREE, TAKEN, KEPT, HANDED };

static uint32_t turn; /* number of the read that has it, or had it last, * 4 + state */
static int bell;      /* futex: rung when the turn is free or handed on while others wait */
static int waiting;
static pthread_mutex_t next = PTHREAD_MUTEX_INITIALIZER; /* who has it is next, others sleep here */

static int64_t
now_ns(void)
{
  struct timespec now;

  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Take the turn for a read if it is still as it was *before*. */
static int
take(struct pysane_handle *h, uint32_t before)
{
  uint32_t mine = (before / 4 + 1) * 4 + TAKEN;

  if (!__atomic_compare_exchange_n(&turn, &before, mine, 0, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
    return 0;
  if (before % 4 == HANDED || before / 4 != h->turn / 4)
    h->until_ns = 0; /* also when it comes back: whoever is to be next may not have run yet */
  h->turn = mine;
  return 1;
}

/* Wait for the turn, which is taken away from a read or a frontend that does not go on. */
static void
wait_as_next(struct pysane_handle *h)
{
  uint32_t seen = __atomic_load_n(&turn, __ATOMIC_SEQ_CST);
  int64_t seen_ns = now_ns(), look_ns = LOOK_NS;

  for (;;) {
    int rung = __atomic_load_n(&bell, __ATOMIC_SEQ_CST);
    uint32_t now = __atomic_load_n(&turn, __ATOMIC_SEQ_CST);
    int is_given = now % 4 == FREE || now % 4 == HANDED;

    if (now / 4 != seen / 4) {
      seen = now;
      seen_ns = now_ns();
      if (look_ns < LOOKS_NS)
        look_ns *= 2;
    }
    if (!is_given && now_ns() - seen_ns < LOOK_NS)
      pysane_futex(&bell, FUTEX_WAIT, rung, &(struct timespec){0, look_ns});
    else if (take(h, now))
      return;
  }
}

/* Wait for the turn; return whether it is ours, else the read goes on without it. */
static int
await_turn(struct pysane_handle *h)
{
  int64_t begin_ns;

  /* A Python host may call with the GIL, which whoever has the turn needs. */
  if (PyGILState_GetThisThreadState() && PyGILState_Check())
    return 0;
  begin_ns = now_ns();
  __atomic_add_fetch(&waiting, 1, __ATOMIC_SEQ_CST);
  pthread_mutex_lock(&next);
  wait_as_next(h);
  pthread_mutex_unlock(&next);
  __atomic_sub_fetch(&waiting, 1, __ATOMIC_SEQ_CST);
  h->reads_soon = !h->read_ns || begin_ns - h->read_ns < SOON_NS;
  return 1;
}

int
pysane_take_turn(struct pysane_handle *h)
{
  uint32_t before = __atomic_load_n(&turn, __ATOMIC_SEQ_CST);
  int is_for_us = before % 4 == FREE || (before % 4 == KEPT && before / 4 == h->turn / 4);

  if (h->lost >= MOST_LOST)
    return 0;
  if (!is_for_us || !take(h, before))
    return await_turn(h);
  if (__atomic_load_n(&waiting, __ATOMIC_RELAXED))
    h->reads_soon = !h->read_ns || now_ns() - h->read_ns < SOON_NS;
  return 1;
}

/* The read has the GIL: what it waits for from now on is its device. */
void
pysane_turn_begins(struct pysane_handle *h)
{
  if (h->lost >= MOST_LOST)
    h->read_ns = now_ns();
}

/* Others wait: return whether to keep the turn for the next read, or let another thread have it. */
static int
share(struct pysane_handle *h)
{
  h->read_ns = now_ns();
  if (!h->until_ns)
    h->until_ns = h->read_ns + SLICE_NS;
  if (!h->reads_soon)
    return FREE;
  return h->read_ns < h->until_ns ? KEPT : HANDED;
}

void
pysane_give_turn(struct pysane_handle *h, int is_ours)
{
  uint32_t mine = h->turn;
  int state = FREE;

  if (!is_ours) {
    if (h->lost >= MOST_LOST && now_ns() - h->read_ns <= SHORT_NS)
      h->lost = 0;
    return;
  }
  if (__atomic_load_n(&waiting, __ATOMIC_SEQ_CST))
    state = share(h);
  if (!__atomic_compare_exchange_n(&turn, &mine, mine - TAKEN + (uint32_t)state, 0,
                                   __ATOMIC_SEQ_CST, __ATOMIC_RELAXED)) {
    h->lost++;
    return;
  }
  h->lost = 0;
  if (state != KEPT && __atomic_load_n(&waiting, __ATOMIC_SEQ_CST)) {
    __atomic_add_fetch(&bell, 1, __ATOMIC_SEQ_CST);
    pysane_futex(&bell, FUTEX_WAKE, 1, NULL);
  }
}

/* In the child of a Python host: whoever had the turn is not here to give it. */
void
pysane_turns_forked(void)
{
  turn -= turn % 4; /* FREE; the numbers go on, as handles know some of them */
  waiting = 0;
  pthread_mutex_init(&next, NULL);
}
