/* The gate of a Python device (gate.c), and cancel with its service thread (service.c). */
#ifndef PYSANE_GATE_H
#define PYSANE_GATE_H

#include <sys/types.h>

#include "abi.h"

typedef int (*pysane_read_fn)(void *context, unsigned char *data, ssize_t max, ssize_t *n);

/* What a capsule "pysane.reader" points to: a reader that needs no Python. */
struct pysane_reader {
  pysane_read_fn read;
  void *ctx;
};

/* An open Python device. The memory is reused, never freed: a late call finds open == 0. */
struct pysane_handle {
  int busy;    /* futex: 0 free, 1 held, 2 held and waited for */
  int open;    /* 0 after close */
  int active;  /* from start to the end of the job: cancel means something */
  int cancel;  /* requested, not yet carried out */
  int cancel_fd;
  int abandoned; /* close did not get it: whoever leaves next closes */
  int armed;   /* the service thread watches cancel_fd */
  unsigned long thread; /* Python's identifier of the thread that holds busy, else 0 */
  void *object;         /* handle.pyx: the AbiHandle, owned */
  struct pysane_reader *reader;

  SANE_Option_Descriptor *descriptors;
  SANE_Int count;
  unsigned char *values; /* ABI bytes of all values, shared with Python */
  unsigned char *direct; /* what may be done without Python, by option; shared */
  const int *offsets;
  const int *reloads;
  struct pysane_handle *next_free;
};

struct pysane_handle *pysane_handle_new(void); /* open, not busy; NULL: no memory, no fd */
void pysane_handle_free(struct pysane_handle *h);

/* Enter for a call: GOOD, or the status to return at once. Waits for a call in another thread,
 * carries out a pending cancel first. Every GOOD needs one pysane_leave. */
SANE_Status pysane_enter(struct pysane_handle *h);
void pysane_leave(struct pysane_handle *h);
/* The same for close: it also wakes a blocked call. */
SANE_Status pysane_enter_close(struct pysane_handle *h);
/* Enter only if nothing at all stands in the way; for calls that neither block nor need Python. */
int pysane_try_enter(struct pysane_handle *h);
void pysane_leave_quick(struct pysane_handle *h);
/* Be inside without entering: for a look at what does not change. */
int pysane_mark(void);
void pysane_unmark(void);
/* Enter for a call that belongs to no handle. */
SANE_Status pysane_enter_library(void);
void pysane_leave_library(void);

/* Async-signal-safe. */
int pysane_inside(void);
void pysane_postpone(void (*action)(void *), void *subject);
void pysane_request_cancel(struct pysane_handle *h);
int pysane_forked(void);

void pysane_clear_cancel(struct pysane_handle *h);

/* service.c */
int pysane_watch(struct pysane_handle *h); /* make the service thread look; 0 or an errno */
void pysane_rearm(struct pysane_handle *h); /* ... again, after it found the handle in use */
int pysane_try_hold(struct pysane_handle *h);
void pysane_let_go(struct pysane_handle *h);
/* Around a call of the frontend's callback, which may call us again. */
int pysane_callback_enter(void);
void pysane_callback_leave(int depth);

/* Set by handle.pyx: carry out a cancel; close; interrupt the Python code of a thread. */
extern void (*pysane_cancelled)(struct pysane_handle *h);
extern void (*pysane_close_held)(struct pysane_handle *h);
extern void (*pysane_interrupt)(struct pysane_handle *h);

void pysane_gate_init(int guest);

#endif
