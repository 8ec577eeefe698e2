/* The shim's own part of sane_init, sane_exit, sane_open and sane_close: records and slots.
 *
 * It knows what sane_init was told and which handles are open; it knows nothing of Python, which
 * is loaded at the first call that needs it (loader.c).
 */
#define _GNU_SOURCE
#include "abi.h"
#include "tables.h" /* setup.py writes it */

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>


extern char **environ;

static void ask(const char *resource, char *user, char *password);

struct pysane_library pysane_library = {.backend = pysane_shim, .ask = ask, .cwd = -1};
struct pysane_slot pysane_slots[PYSANE_SLOTS];

static pthread_mutex_t record_lock = PTHREAD_MUTEX_INITIALIZER;
static const SANE_Device *no_devices[] = {NULL};

/* A thread that is cancelled (scanbd does that) must not leave a lock or a half-made record. */
static int
disable_cancel(void)
{
  int state;

  pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
  return state;
}

static void
restore_cancel(const int *state)
{
  pthread_setcancelstate(*state, NULL);
}

#define UNCANCELLED \
  int cancel_state __attribute__((cleanup(restore_cancel), unused)) = disable_cancel()

/* What follows takes a lock and allocates: no handler of the host may come in between. */
static sigset_t
block_signals(void)
{
  sigset_t all, old;

  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &old);
  return old;
}

static int
is_recorded(const char *variable)
{
  static const char *const prefixes[] = {
    "SANE_", "PYSANE_", "LD_LIBRARY_PATH=", "SHLIB_PATH=", "LIBPATH=", "LD_BIND_NOW=", NULL,
  };
  int i;

  for (i = 0; prefixes[i]; i++)
    if (strncmp(variable, prefixes[i], strlen(prefixes[i])) == 0)
      return 1;
  return 0;
}

/* One block: the pointers, then the strings. NULL without memory: then nothing is recorded. */
static char **
copy_environment(void)
{
  size_t count = 1, bytes = 0;
  char **copy, **variable, *text;
  char **const variables = environ;

  for (variable = variables; variable && *variable; variable++)
    if (is_recorded(*variable)) {
      count++;
      bytes += strlen(*variable) + 1;
    }
  copy = malloc(count * sizeof *copy + bytes);
  if (!copy)
    return NULL;
  text = (char *)(copy + count);
  count = 0;
  for (variable = variables; variable && *variable; variable++)
    if (is_recorded(*variable)) {
      copy[count++] = text;
      text = stpcpy(text, *variable) + 1;
    }
  copy[count] = NULL;
  return copy;
}

static void
forget(void)
{
  free((void *)pysane_library.environment);
  pysane_library.environment = NULL;
  if (pysane_library.cwd >= 0)
    close(pysane_library.cwd);
  pysane_library.cwd = -1;
  pysane_library.initialised = 0;
  pysane_library.generation++;
}

/* Record what configuration will be read from, when it is needed. */
static void
record(SANE_Auth_Callback authorize)
{
  sigset_t old = block_signals();
  int fd = pysane_above_stdio(open(".", O_PATH | O_DIRECTORY | O_CLOEXEC));

  pthread_mutex_lock(&record_lock);
  forget();
  pysane_library.environment = copy_environment();
  pysane_library.cwd = fd;
  pysane_library.authorize = authorize;
  pysane_library.initialised = 1;
  pthread_mutex_unlock(&record_lock);
  pthread_sigmask(SIG_SETMASK, &old, NULL);
}

static int
is_forked(void)
{
  const struct pysane_library_ops *ops = pysane_library.ops;

  return ops && ops->forked();
}

static int
is_inside(void)
{
  const struct pysane_library_ops *ops = pysane_library.ops;

  return ops && ops->inside();
}

/* The callback of C backends. It may come in the middle of sane_open, from where the frontend's
 * own callback may call us again; from an open device it comes without us. */
static void
ask(const char *resource, char *user, char *password)
{
  const struct pysane_library_ops *ops = pysane_library.ops;
  SANE_Auth_Callback authorize = pysane_library.authorize;
  int depth;

  if (!authorize || !ops)
    return;
  depth = ops->callback_enter();
  authorize(resource, user, password);
  ops->callback_leave(depth);
}

/* -- Slots --------------------------------------------------------------------------------- */

/* Take the slot of an open handle out of use; NULL if it is not open, or not any more. */
static struct pysane_slot *
retire(SANE_Handle handle)
{
  struct pysane_slot *slot = pysane_lookup(handle);
  uint32_t generation;

  if (!slot)
    return NULL;
  generation = (uint32_t)((uintptr_t)handle / PYSANE_SLOTS);
  if (!__atomic_compare_exchange_n(&slot->generation, &generation, generation + 1, 0,
                                   __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
    return NULL;
  return slot;
}

static SANE_Handle
handle_of(const struct pysane_slot *slot, uint32_t generation)
{
  return (SANE_Handle)((uintptr_t)generation * PYSANE_SLOTS + (uintptr_t)(slot - pysane_slots));
}

static void
postponed_close(void *handle)
{
  pysane_close(handle);
}

void
pysane_close(SANE_Handle handle)
{
  UNCANCELLED;
  struct pysane_slot *slot = pysane_lookup(handle);

  if (!slot)
    return;
  if (is_inside()) { /* in a signal handler: wake the call, close when it returns */
    slot->ops->cancel(slot->inner);
    pysane_library.ops->postpone(postponed_close, handle);
    return;
  }
  slot = retire(handle);
  if (slot) {
    const struct pysane_device_ops *ops = slot->ops;
    ops->close(slot->inner);
    /* ops and inner stay: a call that was on its way finds the device closed. */
    __atomic_store_n(&slot->taken, 0, __ATOMIC_RELEASE);
  }
}

/* Slots are reused in turn, so that a stale handle stays invalid for long. */
static struct pysane_slot *
take_slot(void)
{
  static unsigned next;
  unsigned i;

  for (i = 0; i < PYSANE_SLOTS; i++) {
    unsigned number = __atomic_fetch_add(&next, 1, __ATOMIC_RELAXED) % PYSANE_SLOTS;
    struct pysane_slot *slot = &pysane_slots[number];
    int expected = 0;
    if (__atomic_compare_exchange_n(&slot->taken, &expected, 1, 0, __ATOMIC_ACQ_REL,
                                    __ATOMIC_RELAXED))
      return slot;
  }
  return NULL;
}

/* -- Calls that belong to no handle -------------------------------------------------------- */

static const struct pysane_library_ops *
ready(void)
{
  if (!pysane_library.ops)
    pysane_library.ops = pysane_load();
  return pysane_library.ops;
}

/* scanbd ends and begins anew in a signal handler: both then wait for the interrupted call. */
static int exit_is_postponed;
static SANE_Auth_Callback postponed_authorize;

static void
postponed_exit(void *unused)
{
  (void)unused;
  exit_is_postponed = 0;
  pysane_exit();
}

static void
postponed_init(void *unused)
{
  (void)unused;
  record(postponed_authorize);
}

SANE_Status
pysane_init(SANE_Int *version, SANE_Auth_Callback authorize)
{
  UNCANCELLED;

  if (version)
    *version = pysane_version;
  if (is_forked())
    return SANE_STATUS_IO_ERROR;
  if (exit_is_postponed) {
    postponed_authorize = authorize;
    pysane_library.ops->postpone(postponed_init, NULL);
  } else if (pysane_library.initialised) /* again without exit: what is open stays open */
    pysane_library.authorize = authorize;
  else
    record(authorize);
  return SANE_STATUS_GOOD;
}

void
pysane_exit(void)
{
  UNCANCELLED;
  sigset_t old;
  unsigned i;
  int inside = is_inside();

  if (!pysane_library.initialised || is_forked() || pysane_is_loading())
    return;
  for (i = 0; i < PYSANE_SLOTS; i++) {
    struct pysane_slot *slot = &pysane_slots[i];
    uint32_t generation = slot->generation;
    if (!(generation & 1))
      continue;
    if (inside)
      slot->ops->cancel(slot->inner);
    else
      pysane_close(handle_of(slot, generation));
  }
  if (inside) {
    exit_is_postponed = 1;
    pysane_library.ops->postpone(postponed_exit, NULL);
    return;
  }
  if (pysane_library.ops)
    pysane_library.ops->exit(&pysane_library);
  old = block_signals();
  pthread_mutex_lock(&record_lock);
  forget();
  pysane_library.authorize = NULL;
  pthread_mutex_unlock(&record_lock);
  pthread_sigmask(SIG_SETMASK, &old, NULL);
}

SANE_Status
pysane_get_devices(const SANE_Device ***list, SANE_Bool local_only)
{
  UNCANCELLED;

  if (!list)
    return SANE_STATUS_INVAL;
  *list = no_devices; /* frontends look at it even after an error */
  if (is_forked())
    return SANE_STATUS_IO_ERROR;
  if (!pysane_library.initialised && !*pysane_library.backend)
    return SANE_STATUS_GOOD; /* as dll does */
  return ready() ? pysane_library.ops->get_devices(&pysane_library, list, local_only)
                 : SANE_STATUS_UNSUPPORTED;
}

SANE_Status
pysane_open(const char *name, SANE_Handle *handle)
{
  UNCANCELLED;
  struct pysane_slot *slot;
  SANE_Status status;
  SANE_Handle opened;

  if (!handle || (!name && !*pysane_library.backend))
    return SANE_STATUS_INVAL;
  if (!ready())
    return SANE_STATUS_UNSUPPORTED;
  if (!pysane_library.initialised && !*pysane_library.backend)
    record(NULL); /* Image::Sane opens after sane_exit without a new sane_init */
  slot = take_slot();
  if (!slot)
    return SANE_STATUS_NO_MEM;
  opened = handle_of(slot, slot->generation + 1); /* now: a handler's sane_exit may close it */
  status = pysane_library.ops->open(&pysane_library, name, slot);
  if (status == SANE_STATUS_GOOD)
    *handle = opened;
  else
    __atomic_store_n(&slot->taken, 0, __ATOMIC_RELEASE);
  return status;
}

const char *
pysane_strstatus(SANE_Status status)
{
  static const char *const texts[] = { PYSANE_STATUS_TEXTS };
  static __thread char unknown[40];

  if ((unsigned)status < sizeof texts / sizeof *texts)
    return texts[status];
  snprintf(unknown, sizeof unknown, "Unknown SANE status code %d", (int)status);
  return unknown;
}
