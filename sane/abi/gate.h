/* Open Python devices: their pool (handles.c), who may call one (gate.c), the threads that call
 * (threads.c), their turns in Python (turns.c) and the service thread (service.c).
 * docs/lifetimes.md: states and who moves them. */
#ifndef PYSANE_GATE_H
#define PYSANE_GATE_H

#include <pthread.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>

#include "abi.h"

/* What a capsule "pysane.reader" points to: a reader that needs no Python. */
struct pysane_reader {
  int (*read)(void *context, unsigned char *data, ssize_t max, ssize_t *n);
  void *ctx;
};

enum { PYSANE_FREE, PYSANE_OPEN, PYSANE_CLOSING };                                /* life % 4 */
enum { /* busy */
  PYSANE_HELD = 1,
  PYSANE_WAITED = 2,
  PYSANE_PINNED = 4,
  PYSANE_STRUCK = 8,
  PYSANE_UNDISTURBED = 16 /* the driver finishes or closes */
};

/* What a frontend is shown of a device's options, and where their values lie. */
struct pysane_options {
  SANE_Option_Descriptor *descriptors;
  SANE_Int count;
  const int *offsets; /* in the values, by option */
  const int *reloads; /* info bits that a change reports, by option */
};

/* An open Python device. The memory is used again, never freed; "inner" is what names one use. */
struct pysane_handle {
  uint32_t life;    /* number of the use * 4 + PYSANE_FREE, _OPEN or _CLOSING */
  int taken;        /* from pysane_handle_new to the end of pysane_handle_free */
  int busy;         /* futex: PYSANE_HELD and what else is to be known when it is let go */
  int version;      /* of options and tells, which are read without holding; odd: changing */
  uint32_t started; /* number of the last sane_start, counted when it is called */
  uint32_t current; /* the sane_start that had its turn last */
  uint32_t asked;     /* sane_cancel was meant for the starts up to this one */
  uint32_t cancelled; /* ... or sane_close: the driver is to end the jobs up to this one */
  uint32_t done;      /* the jobs of the starts up to this one are over */
  unsigned long thread; /* who holds it; 0: nobody, or who holds it for a moment only */
  int may_end;      /* the host may end that thread by pthread_cancel */
  int ends;         /* such a thread has called: look at it */
  uint32_t told;    /* service.c: the request that the driver was woken for ... */
  int64_t due_ms;   /* ... and when it is interrupted; 0: not, or not again */

  int wake[2];      /* a pipe, readable once the service thread has told of a cancel */
  dev_t wake_device;
  ino_t wake_inode;
  pid_t wake_pid;   /* the process that made it: a forked child must not touch its parent's */

  uint32_t turn;    /* turns.c: the turn as its last read took it */
  int64_t read_ns;  /* ... when its last read began or ended, as far as others waited */
  int64_t until_ns; /* ... the end of its slice, 0: it begins when others wait */
  int reads_soon;   /* ... again after each read */
  int lost;         /* ... how many turns in a row, by reads that took long */

  void *object;     /* handle.pyx: the AbiHandle, owned */
  struct pysane_reader *reader;
  struct pysane_options options;
  int tells;        /* the driver is to hear of some descriptors that are fetched */
  unsigned char *values; /* ABI bytes of all values, shared with Python */
  unsigned char *direct; /* what may be done without Python, by option; shared */
};

/* -- handles.c ----------------------------------------------------------------------------- */

extern struct pysane_handle pysane_handles[PYSANE_SLOTS];
extern int pysane_handles_used; /* those from here on were never taken */

struct pysane_handle *pysane_handle_new(void);          /* not open yet; NULL: no memory, no fd */
SANE_Handle pysane_handle_open(struct pysane_handle *h); /* the last step: return "inner" */
void pysane_handle_free(struct pysane_handle *h);       /* closing, or never opened */
int pysane_handle_close(SANE_Handle inner);             /* the first step; 0: not open */
void pysane_handles_forked(void);                       /* in the child of a Python host */

static inline struct pysane_handle *
pysane_handle_of(SANE_Handle inner)
{
  return &pysane_handles[(uintptr_t)inner % PYSANE_SLOTS];
}

/* Whether *inner* is in *state* at this moment. */
static inline int
pysane_is(SANE_Handle inner, uint32_t state)
{
  uint32_t life = __atomic_load_n(&pysane_handle_of(inner)->life, __ATOMIC_SEQ_CST);
  uint32_t use = (uint32_t)((uintptr_t)inner / PYSANE_SLOTS);

  return life % 4 == state && life / 4 % PYSANE_LIVES == use;
}

static inline int
pysane_is_closing(const struct pysane_handle *h)
{
  return __atomic_load_n(&h->life, __ATOMIC_SEQ_CST) % 4 == PYSANE_CLOSING;
}

/* Requests for cancel. What is in a signal handler may call the first one. */
void pysane_request_cancel(SANE_Handle inner);
/* Cancel the starts up to *start*; is_asked: the frontend wants that, else it closes. */
void pysane_request(struct pysane_handle *h, uint32_t start, int is_asked);
uint32_t pysane_started(const struct pysane_handle *h); /* the last start that was counted */
uint32_t pysane_count_start(struct pysane_handle *h);
uint32_t pysane_covered(const struct pysane_handle *h);
int pysane_covers(const struct pysane_handle *h, uint32_t start);
int pysane_is_active(const struct pysane_handle *h); /* a job, or a start on its way */
void pysane_job_over(struct pysane_handle *h, uint32_t start);

static inline int
pysane_is_cancelled(const struct pysane_handle *h)
{
  uint32_t cancelled = __atomic_load_n(&h->cancelled, __ATOMIC_SEQ_CST);

  return (int32_t)(cancelled - __atomic_load_n(&h->done, __ATOMIC_SEQ_CST)) > 0;
}

int pysane_own_wake(struct pysane_handle *h); /* make the pipe ours if it is not; 0 or an errno */
void pysane_tell(struct pysane_handle *h);    /* make it readable */
void pysane_untell(struct pysane_handle *h);  /* ... and not, unless a cancel is to be carried out */

/* The table of descriptors: changed by whoever holds the handle (NULL: there is none any more), read
 * beside any other call. */
void pysane_declare(struct pysane_handle *h, const struct pysane_options *options, int tells);
const SANE_Option_Descriptor *pysane_descriptor(SANE_Handle inner, SANE_Int index, int *tells);

/* -- gate.c -------------------------------------------------------------------------------- */

/* Enter for a call: GOOD, or the status to return at once. Waits for a call in another thread,
 * carries out a pending cancel first. Every GOOD needs one pysane_leave. */
SANE_Status pysane_enter(SANE_Handle inner);
void pysane_leave(struct pysane_handle *h);
/* The same for what is a cancellation point: sane_read at once, and also sane_start when it fails. */
SANE_Status pysane_enter_read(SANE_Handle inner);
void pysane_leave_point(struct pysane_handle *h, SANE_Status status);
/* What sane_close does: it also wakes a blocked call, and does not wait for it for long. */
void pysane_gate_close(SANE_Handle inner);
void pysane_drop(SANE_Handle inner); /* close what nobody has got to know */
/* Enter only if nothing at all stands in the way; for calls that neither block nor need Python. */
int pysane_try_enter(SANE_Handle inner);
void pysane_leave_quick(struct pysane_handle *h);
int pysane_try_hold(struct pysane_handle *h);
void pysane_is_mine(struct pysane_handle *h); /* this thread goes on in the place of who took it */
void pysane_let_go(struct pysane_handle *h);
void pysane_carry_out(struct pysane_handle *h); /* a pending cancel, by whoever holds it */
/* Begin or end what must not be interrupted, as whoever holds the handle; return whether it was
 * going on before. */
int pysane_undisturbed(struct pysane_handle *h, int begins);
/* Keep whoever holds the handle from letting it go, for a moment and without waiting for Python.
 * Return what busy is, 0 if nobody holds it. thread: who does, 0 if that is not known. */
int pysane_pin(struct pysane_handle *h, unsigned long *thread);
void pysane_unpin(struct pysane_handle *h, int also);
void pysane_await_unpinned(struct pysane_handle *h);

/* Set by handle.pyx: carry out a cancel; close; interrupt the Python code of whoever holds the
 * handle, and take that back. */
extern void (*pysane_cancelled)(struct pysane_handle *h);
extern void (*pysane_close_held)(struct pysane_handle *h);
extern void (*pysane_interrupt)(struct pysane_handle *h);
extern void (*pysane_uninterrupt)(struct pysane_handle *h);

/* -- turns.c ------------------------------------------------------------------------------- */

/* Before and after a read in Python code, and once it has the GIL; is_ours: what the first
 * returned. */
int pysane_take_turn(struct pysane_handle *h);
void pysane_turn_begins(struct pysane_handle *h);
void pysane_give_turn(struct pysane_handle *h, int is_ours);
void pysane_turns_forked(void); /* in the child of a Python host */

/* -- threads.c ----------------------------------------------------------------------------- */

struct pysane_thread;
void pysane_run_postponed(struct pysane_thread *t);

/* What we know of a thread that has called us, as far as each call wants to know it. */
struct pysane_thread {
  int depth; /* > 0: the thread is inside the library */
  int is_postponed, runs_postponed;
  int cancel_state;
  int is_main, is_ours; /* ours: Python knows it through us only */
};

extern pthread_key_t pysane_thread_key;
extern volatile int *pysane_alive; /* a page that the kernel empties in a forked child */

/* Async-signal-safe. In a child of a host that is not Python the interpreter is unusable; a host may
 * end it before it has ended SANE: an exit function of a Python program does, or one that embeds it. */
static inline int
pysane_lacks_python(void)
{
  return !*pysane_alive;
}

/* The calling thread's record, NULL before its first call. */
static inline struct pysane_thread *
pysane_known_thread(void)
{
  return pthread_getspecific(pysane_thread_key);
}

static inline int
pysane_mark(struct pysane_thread *t)
{
  if (!t || t->depth > 0)
    return 0;
  t->depth = 1;
  __atomic_signal_fence(__ATOMIC_SEQ_CST);
  return 1;
}

static inline void
pysane_unmark(struct pysane_thread *t)
{
  t->depth = 0;
  __atomic_signal_fence(__ATOMIC_SEQ_CST);
  if (t->is_postponed)
    pysane_run_postponed(t);
}

struct pysane_thread *pysane_new_thread(void); /* of this thread, at its first call */

/* The calling thread's record; NULL: no memory, or no Python. */
static inline struct pysane_thread *
pysane_this_thread(void)
{
  struct pysane_thread *t = pysane_lacks_python() ? NULL : pysane_known_thread();

  return t || pysane_lacks_python() ? t : pysane_new_thread();
}

/* Enter the library: GOOD, or the status to return at once. Every GOOD needs one pysane_end. */
static inline SANE_Status
pysane_begin(struct pysane_thread *t)
{
  if (!t)
    return pysane_lacks_python() ? SANE_STATUS_IO_ERROR : SANE_STATUS_NO_MEM;
  if (!pysane_mark(t)) /* a signal handler in the middle of our own code */
    return SANE_STATUS_DEVICE_BUSY;
  pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &t->cancel_state);
  return SANE_STATUS_GOOD;
}

static inline void
pysane_end(struct pysane_thread *t)
{
  int cancel_state = t->cancel_state; /* postponed actions enter and leave, too */

  pysane_unmark(t);
  pthread_setcancelstate(cancel_state, NULL);
}

void pysane_threads_init(int guest);
SANE_Status pysane_enter_library(void); /* for a call that belongs to no handle */
void pysane_leave_library(void);
/* Threads that the host ends by pthread_cancel. */
int pysane_is_ending(unsigned long thread); /* for the service thread only */
/* Around a call of the frontend's callback, which may call us again. */
int pysane_callback_enter(void);
void pysane_callback_leave(int depth);
/* Async-signal-safe. */
int pysane_inside(void);
void pysane_postpone(void (*action)(struct pysane_library *), struct pysane_library *library);

/* -- service.c ----------------------------------------------------------------------------- */

int pysane_watch(struct pysane_handle *h); /* at each start: be ready for cancel; 0 or an errno */
void pysane_wake_service(void);            /* async-signal-safe */

/* -- boot.c -------------------------------------------------------------------------------- */

/* A Python host may call from a finaliser that runs when modules, ours too, have been taken apart:
 * no function of theirs can be relied on then. */
int pysane_is_finalizing(void);

/* The tables that handle.pyx and library_ops.pyx set when they are imported. */
extern const struct pysane_device_ops *pysane_python_device_ops;
extern const struct pysane_library_ops *pysane_python_ops;

void pysane_futex(void *word, int operation, int value, const struct timespec *timeout);

#endif
