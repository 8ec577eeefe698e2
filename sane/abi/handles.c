/* The pool of open Python devices: the life of each, requests for cancel, the pipe that wakes its
 * driver.
 *
 * What sane_cancel does happens in signal handlers: a few numbers and a futex, no descriptor, no
 * lock. docs/lifetimes.md explains the states and the numbers.
 */
#define _GNU_SOURCE 1
#include "gate.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

struct pysane_handle pysane_handles[PYSANE_SLOTS];
int pysane_handles_used;

/* -- The life of a handle ------------------------------------------------------------------ */

static void
set_state(struct pysane_handle *h, uint32_t use, uint32_t state)
{
  __atomic_store_n(&h->life, use * 4 + state, __ATOMIC_SEQ_CST);
}

static uint32_t
use_of(const struct pysane_handle *h)
{
  return __atomic_load_n(&h->life, __ATOMIC_SEQ_CST) / 4;
}

/* The lowest ones first: each keeps its pipe. */
struct pysane_handle *
pysane_handle_new(void)
{
  int i;

  for (i = 0; i < PYSANE_SLOTS; i++) {
    struct pysane_handle *h = &pysane_handles[i];
    int expected = 0;
    if (!__atomic_compare_exchange_n(&h->taken, &expected, 1, 0, __ATOMIC_SEQ_CST,
                                     __ATOMIC_SEQ_CST))
      continue;
    if (pysane_own_wake(h) != 0) {
      __atomic_store_n(&h->taken, 0, __ATOMIC_SEQ_CST);
      return NULL;
    }
    while ((expected = __atomic_load_n(&pysane_handles_used, __ATOMIC_SEQ_CST)) <= i)
      __atomic_compare_exchange_n(&pysane_handles_used, &expected, i + 1, 0, __ATOMIC_SEQ_CST,
                                  __ATOMIC_SEQ_CST);
    __atomic_store_n(&h->ends, 0, __ATOMIC_SEQ_CST);
    return h;
  }
  return NULL;
}

SANE_Handle
pysane_handle_open(struct pysane_handle *h)
{
  uint32_t use = (use_of(h) + 1) % PYSANE_LIVES;

  set_state(h, use, PYSANE_OPEN);
  return (SANE_Handle)((uintptr_t)use * PYSANE_SLOTS + (uintptr_t)(h - pysane_handles));
}

int
pysane_handle_close(SANE_Handle inner)
{
  struct pysane_handle *h = pysane_handle_of(inner);
  uint32_t use = (uint32_t)((uintptr_t)inner / PYSANE_SLOTS), life = use * 4 + PYSANE_OPEN;

  return __atomic_compare_exchange_n(&h->life, &life, use * 4 + PYSANE_CLOSING, 0,
                                     __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

void
pysane_handle_free(struct pysane_handle *h)
{
  pysane_job_over(h, pysane_started(h));
  set_state(h, use_of(h), PYSANE_FREE);
  __atomic_store_n(&h->taken, 0, __ATOMIC_SEQ_CST);
}

/* In the child of a Python host only the thread that forked goes on: a handle that another one was
 * in stays held for ever, and is lost. */
void
pysane_handles_forked(void)
{
  int i;

  for (i = 0; i < pysane_handles_used; i++) {
    struct pysane_handle *h = &pysane_handles[i];
    if (h->busy && h->thread != (unsigned long)pthread_self())
      set_state(h, use_of(h), PYSANE_FREE);
    h->busy &= ~PYSANE_PINNED; /* by a thread that is not here to let it go */
  }
  pysane_turns_forked();
}

/* -- Cancel -------------------------------------------------------------------------------- */

/* Raise *place* to *number*, unless it is there already; return whether that changed it. */
static int
raise_to(uint32_t *place, uint32_t number)
{
  uint32_t before = __atomic_load_n(place, __ATOMIC_SEQ_CST);

  while ((int32_t)(number - before) > 0)
    if (__atomic_compare_exchange_n(place, &before, number, 0, __ATOMIC_SEQ_CST,
                                    __ATOMIC_SEQ_CST))
      return 1;
  return 0;
}

int
pysane_is_active(const struct pysane_handle *h)
{
  return pysane_started(h) != __atomic_load_n(&h->done, __ATOMIC_SEQ_CST);
}

uint32_t
pysane_started(const struct pysane_handle *h)
{
  return __atomic_load_n(&h->started, __ATOMIC_SEQ_CST);
}

/* Async-signal-safe. */
void
pysane_request(struct pysane_handle *h, uint32_t start, int is_asked)
{
  if ((int32_t)(start - __atomic_load_n(&h->done, __ATOMIC_SEQ_CST)) <= 0)
    return;
  if (is_asked)
    raise_to(&h->asked, start);
  if (raise_to(&h->cancelled, start))
    pysane_wake_service();
}

/* Async-signal-safe; errno is preserved. The number is read before the state: when another thread
 * closes the handle meanwhile, and opens and starts the next one, it covers nothing. */
void
pysane_request_cancel(SANE_Handle inner)
{
  struct pysane_handle *h = pysane_handle_of(inner);
  uint32_t started = pysane_started(h);
  int saved = errno;

  if (!pysane_lacks_python() && pysane_is(inner, PYSANE_OPEN))
    pysane_request(h, started, 1);
  errno = saved;
}

/* Count a sane_start when it is called: a cancel from now on means it, too. */
uint32_t
pysane_count_start(struct pysane_handle *h)
{
  return __atomic_add_fetch(&h->started, 1, __ATOMIC_SEQ_CST);
}

/* The last start that a cancel was meant for. */
uint32_t
pysane_covered(const struct pysane_handle *h)
{
  return __atomic_load_n(&h->cancelled, __ATOMIC_SEQ_CST);
}

int
pysane_covers(const struct pysane_handle *h, uint32_t start)
{
  return (int32_t)(pysane_covered(h) - start) >= 0;
}

/* Called by whoever holds the handle, at the end of the job that *start* began or went on with. */
void
pysane_job_over(struct pysane_handle *h, uint32_t start)
{
  if (raise_to(&h->done, start))
    pysane_untell(h);
}

/* -- The pipe that wakes a driver ---------------------------------------------------------- */

static int
is_same(const struct pysane_handle *h, int fd)
{
  struct stat now;

  return fd > STDERR_FILENO && fstat(fd, &now) == 0 && now.st_dev == h->wake_device &&
         now.st_ino == h->wake_inode;
}

/* A program may close all descriptors, ours with them, and open its own. */
static int
is_wake_ours(const struct pysane_handle *h)
{
  return h->wake_pid == getpid() && is_same(h, h->wake[0]) && is_same(h, h->wake[1]);
}

int
pysane_own_wake(struct pysane_handle *h)
{
  int made[2], i;
  struct stat status;

  if (is_wake_ours(h))
    return 0;
  if (pipe2(made, O_CLOEXEC | O_NONBLOCK) != 0)
    return errno;
  for (i = 0; i < 2; i++)
    made[i] = pysane_above_stdio(made[i]);
  if (made[0] < 0 || made[1] < 0 || fstat(made[0], &status) != 0) {
    int error = errno;
    close(made[0]);
    close(made[1]);
    return error;
  }
  for (i = 0; i < 2; i++)
    if (is_same(h, h->wake[i]) && dup3(made[i], h->wake[i], O_CLOEXEC) >= 0)
      close(made[i]); /* it was the parent's: a driver may have noted the number */
    else
      h->wake[i] = made[i];
  h->wake_device = status.st_dev;
  h->wake_inode = status.st_ino;
  h->wake_pid = getpid();
  if (pysane_is_cancelled(h)) /* the service thread may just have found the old one lost */
    pysane_tell(h);
  return 0;
}

void
pysane_tell(struct pysane_handle *h)
{
  if (is_wake_ours(h))
    while (write(h->wake[1], "", 1) < 0 && errno == EINTR)
      ;
}

/* Called by whoever holds the handle. The service thread, which may be about to tell of what is
 * over by now, is waited for; what it told of meanwhile is told again. */
void
pysane_untell(struct pysane_handle *h)
{
  char bytes[64];

  pysane_await_unpinned(h);
  if (pysane_is_cancelled(h) || !is_wake_ours(h))
    return;
  while (read(h->wake[0], bytes, sizeof bytes) > 0)
    ;
  if (pysane_is_cancelled(h))
    pysane_tell(h);
}

/* -- Descriptors without holding ----------------------------------------------------------- */

void
pysane_declare(struct pysane_handle *h, const struct pysane_options *options, int tells)
{
  static const struct pysane_options none;
  struct pysane_options *shown = &h->options;

  options = options ? options : &none;
  shown->offsets = options->offsets; /* these two are for whoever holds the handle */
  shown->reloads = options->reloads;
  if (shown->descriptors == options->descriptors && shown->count == options->count &&
      h->tells == tells)
    return;
  __atomic_add_fetch(&h->version, 1, __ATOMIC_SEQ_CST);
  __atomic_store_n(&shown->descriptors, options->descriptors, __ATOMIC_RELEASE);
  __atomic_store_n(&shown->count, options->count, __ATOMIC_RELEASE);
  __atomic_store_n(&h->tells, tells, __ATOMIC_RELEASE);
  __atomic_add_fetch(&h->version, 1, __ATOMIC_SEQ_CST);
}

/* Return the descriptor, NULL if there is none. Async-signal-safe. */
const SANE_Option_Descriptor *
pysane_descriptor(SANE_Handle inner, SANE_Int index, int *tells)
{
  struct pysane_handle *h = pysane_handle_of(inner);
  SANE_Option_Descriptor *descriptors;
  SANE_Int count;
  int version;

  *tells = 0;
  if (pysane_lacks_python())
    return NULL;
  do {
    version = __atomic_load_n(&h->version, __ATOMIC_ACQUIRE);
    descriptors = __atomic_load_n(&h->options.descriptors, __ATOMIC_ACQUIRE);
    count = __atomic_load_n(&h->options.count, __ATOMIC_ACQUIRE);
    *tells = __atomic_load_n(&h->tells, __ATOMIC_ACQUIRE);
    if (!pysane_is(inner, PYSANE_OPEN)) {
      *tells = 0;
      return NULL;
    }
  } while (version & 1 || version != __atomic_load_n(&h->version, __ATOMIC_ACQUIRE));
  return index >= 0 && index < count ? &descriptors[index] : NULL;
}
