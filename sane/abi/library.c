/* The shim's own part of sane_init, sane_exit, sane_open and sane_close: records and slots.
 *
 * It knows what sane_init was told and which handles are open; it knows nothing of Python, which
 * is loaded at the first call that needs it (loader.c).
 */
#define _GNU_SOURCE 1
#include "abi.h"
#include "tables.h" /* setup.py writes it */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

extern char **environ;

static void ask(const char *resource, char *user, char *password);
static struct pysane_record *hold(uint64_t *generation);
static void release(struct pysane_record *record);
static int occupy(uint64_t generation, struct pysane_slot *slot,
                  const struct pysane_device_ops *ops, SANE_Handle inner);

struct pysane_library pysane_library = {
  .backend = pysane_shim, .ask = ask, .hold = hold, .release = release, .occupy = occupy};
struct pysane_slot pysane_slots[PYSANE_SLOTS];

static const SANE_Device *no_devices[] = {NULL};

/* A thread that is cancelled (scanbd does that) must not leave a lock or a half-made record; and a
 * signal handler that closes or exits must leave errno as it was. */
struct undisturbed {
  int cancel_state, number;
};

static struct undisturbed
begin_undisturbed(void)
{
  struct undisturbed before = {.number = errno};

  pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before.cancel_state);
  return before;
}

static void
end_undisturbed(const struct undisturbed *before)
{
  errno = before->number;
  pthread_setcancelstate(before->cancel_state, NULL);
}

#define UNDISTURBED \
  struct undisturbed before __attribute__((cleanup(end_undisturbed), unused)) = begin_undisturbed()

/* -- What sane_init found ------------------------------------------------------------------ */

static pthread_mutex_t record_lock = PTHREAD_MUTEX_INITIALIZER;

/* No handler of the host may come while its thread has the lock. */
static sigset_t
lock_record(void)
{
  sigset_t before = pysane_hold_signals();

  pthread_mutex_lock(&record_lock);
  return before;
}

static void
unlock_record(const sigset_t *before)
{
  pthread_mutex_unlock(&record_lock);
  pthread_sigmask(SIG_SETMASK, before, NULL);
}

/* A program that the kernel has given rights which its user lacks (set-uid, set-gid, file
 * capabilities) may do as it likes with its ids before it calls us: only the kernel knows. The
 * user decides for it what it says, not what it loads, reads or writes, nor whom it asks. */
static int
is_recorded(const char *variable)
{
  static const char *const prefixes[] = {
    "SANE_DEBUG_", /* the first: all that counts in a privileged program */
    "SANE_", "PYSANE_", "LD_LIBRARY_PATH=", "SHLIB_PATH=", "LIBPATH=", "LD_BIND_NOW=", "HOME=",
    "XDG_CACHE_HOME=",
  };
  size_t count = getauxval(AT_SECURE) ? 1 : sizeof prefixes / sizeof *prefixes, i;

  for (i = 0; i < count; i++)
    if (strncmp(variable, prefixes[i], strlen(prefixes[i])) == 0)
      return 1;
  return 0;
}

/* NULL without memory: then nothing is recorded. */
static struct pysane_record *
new_record(void)
{
  size_t count = 1, bytes = 0;
  struct pysane_record *record;
  struct stat state;
  char **variable, *text;

  for (variable = environ; variable && *variable; variable++)
    if (is_recorded(*variable)) {
      count++;
      bytes += strlen(*variable) + 1;
    }
  record = malloc(sizeof *record + count * sizeof *record->environment + bytes);
  if (!record)
    return NULL;
  record->users = 1;
  text = (char *)(record->environment + count);
  count = 0;
  for (variable = environ; variable && *variable; variable++)
    if (is_recorded(*variable)) {
      record->environment[count++] = text;
      text = stpcpy(text, *variable) + 1;
    }
  record->environment[count] = NULL;
  record->cwd = pysane_above_stdio(open(".", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (record->cwd >= 0 && fstat(record->cwd, &state) == 0) {
    record->device = state.st_dev;
    record->inode = state.st_ino;
  }
  return record;
}

static struct pysane_record *
hold(uint64_t *generation)
{
  sigset_t old = lock_record();
  struct pysane_record *record = pysane_library.record;

  if (record)
    record->users++;
  *generation = pysane_library.generation;
  unlock_record(&old);
  return record;
}

static void
release(struct pysane_record *record)
{
  sigset_t old = lock_record();
  struct stat state;

  if (record && --record->users == 0) {
    /* Some hosts close all descriptors that they do not know: the number may be theirs now. */
    if (record->cwd >= 0 && fstat(record->cwd, &state) == 0 && state.st_dev == record->device &&
        state.st_ino == record->inode)
      close(record->cwd);
    free(record);
  }
  unlock_record(&old);
}

/* Begin (*begins*) or end what sane_init and sane_exit enclose; return whether that is a change.
 * A second sane_init leaves what is open as it is, with the new callback. */
static int
change_record(int begins, SANE_Auth_Callback authorize)
{
  sigset_t old = lock_record();
  struct pysane_record *before = pysane_library.record, *after = NULL;

  if (begins)
    after = before ? before : new_record();
  if (after != before) {
    __atomic_store_n(&pysane_library.record, after, __ATOMIC_RELEASE);
    __atomic_add_fetch(&pysane_library.generation, 1, __ATOMIC_SEQ_CST);
  }
  __atomic_store_n(&pysane_library.authorize, authorize, __ATOMIC_RELEASE);
  unlock_record(&old);
  if (!after)
    release(before);
  return after != before;
}

static int
is_initialised(void)
{
  return __atomic_load_n(&pysane_library.record, __ATOMIC_ACQUIRE) != NULL;
}

static const struct pysane_library_ops *
loaded(void)
{
  return __atomic_load_n(&pysane_library.ops, __ATOMIC_ACQUIRE);
}

/* -- fork ---------------------------------------------------------------------------------- */

static sigset_t before_fork;
static int is_lost; /* this child was forked while another thread was loading Python */

static void
fork_begins(void)
{
  before_fork = lock_record();
}

static void
fork_ends(void)
{
  sigset_t old = before_fork;

  unlock_record(&old);
}

static void
child_begins(void)
{
  is_lost = pysane_load_forked();
  fork_ends();
}

__attribute__((constructor)) static void
watch_forks(void)
{
  pthread_atfork(fork_begins, fork_ends, child_begins);
}

static int
is_forked(void)
{
  const struct pysane_library_ops *ops = loaded();

  return is_lost || (ops && ops->lacks_python());
}

static int
is_inside(void)
{
  const struct pysane_library_ops *ops = loaded();

  return ops && ops->inside();
}

/* The callback of C backends. It may come in the middle of sane_open, from where the frontend's
 * own callback may call us again; from an open device it comes without us. */
static void
ask(const char *resource, char *user, char *password)
{
  const struct pysane_library_ops *ops = loaded();
  SANE_Auth_Callback authorize = pysane_authorize(&pysane_library);
  int depth;

  if (!authorize || !ops)
    return;
  depth = ops->callback_enter();
  authorize(resource, user, password);
  ops->callback_leave(depth);
}

/* -- What a signal handler asks for in the middle of another call -------------------------- */

/* scanbd ends and begins anew in a handler, xsane closes and ends. Whatever is asked for, and
 * however often, fits here: a mark at each handle to be closed, then one exit, then one init. */
enum { CLOSE = 1, EXIT = 2, INIT = 4 };

static SANE_Auth_Callback postponed_authorize;

static void
carry_out(struct pysane_library *library)
{
  int wanted = __atomic_fetch_and(&library->postponed, ~CLOSE, __ATOMIC_SEQ_CST);
  unsigned i;

  for (i = 0; wanted & CLOSE && i < PYSANE_SLOTS; i++) {
    struct pysane_slot *slot = &pysane_slots[i];
    uint32_t generation = __atomic_exchange_n(&slot->close_wanted, 0, __ATOMIC_SEQ_CST);
    if (generation)
      pysane_close(pysane_handle_number(slot, generation));
  }
  if (wanted & EXIT) { /* the mark stays meanwhile: a handler's init is for after it */
    pysane_exit();
    __atomic_fetch_and(&library->postponed, ~EXIT, __ATOMIC_SEQ_CST);
  }
  if (__atomic_fetch_and(&library->postponed, ~INIT, __ATOMIC_SEQ_CST) & INIT)
    change_record(1, postponed_authorize);
}

static void
want(int what)
{
  __atomic_fetch_or(&pysane_library.postponed, what, __ATOMIC_SEQ_CST);
  loaded()->postpone(carry_out, &pysane_library);
}

static void
want_close(SANE_Handle handle)
{
  uint32_t generation;
  struct pysane_target to = pysane_find(handle); /* another thread may close it at any moment */
  struct pysane_slot *slot = pysane_lookup(handle, &generation);

  if (!slot || !to.ops)
    return;
  to.ops->cancel(to.inner);
  __atomic_store_n(&slot->close_wanted, generation, __ATOMIC_SEQ_CST);
  want(CLOSE);
}

/* -- Slots --------------------------------------------------------------------------------- */

/* Take the slot of an open handle out of use; NULL if it is not open, or not any more. */
static struct pysane_slot *
retire(SANE_Handle handle)
{
  uint32_t generation;
  struct pysane_slot *slot = pysane_lookup(handle, &generation);

  if (slot && !__atomic_compare_exchange_n(&slot->generation, &generation, generation + 1, 0,
                                           __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
    slot = NULL;
  return slot;
}

/* sane_exit changes the generation before it looks for open handles: it finds this one, or this
 * finds the library ended. */
static int
occupy(uint64_t generation, struct pysane_slot *slot, const struct pysane_device_ops *ops,
       SANE_Handle inner)
{
  sigset_t old = lock_record();
  int is_ended = pysane_library.generation / 2 != generation / 2;

  if (!is_ended) {
    __atomic_store_n(&slot->ops, ops, __ATOMIC_RELEASE); /* pysane_find may be looking */
    __atomic_store_n(&slot->inner, inner, __ATOMIC_RELEASE);
    __atomic_store_n(&slot->session, generation / 2, __ATOMIC_RELEASE);
    __atomic_store_n(&slot->generation, slot->generation + 1, __ATOMIC_RELEASE);
  }
  unlock_record(&old);
  return !is_ended;
}

void
pysane_close(SANE_Handle handle)
{
  UNDISTURBED;
  struct pysane_slot *slot;

  if (is_inside()) { /* in a signal handler: wake the call, close when it returns */
    want_close(handle);
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
  const struct pysane_library_ops *ops = loaded();

  if (!ops) {
    ops = pysane_load();
    __atomic_store_n(&pysane_library.ops, ops, __ATOMIC_RELEASE);
  }
  return ops;
}

SANE_Status
pysane_init(SANE_Int *version, SANE_Auth_Callback authorize)
{
  UNDISTURBED;

  if (version)
    *version = pysane_version;
  if (is_forked())
    return SANE_STATUS_IO_ERROR;
  if (__atomic_load_n(&pysane_library.postponed, __ATOMIC_SEQ_CST) & EXIT) {
    postponed_authorize = authorize;
    want(INIT);
    return SANE_STATUS_GOOD;
  }
  change_record(1, authorize);
  return is_initialised() ? SANE_STATUS_GOOD : SANE_STATUS_NO_MEM;
}

void
pysane_exit(void)
{
  UNDISTURBED;
  unsigned i;
  int inside = is_inside();
  uint64_t session;

  if (!is_initialised() || is_forked() || pysane_is_loading())
    return;
  if (!inside && !change_record(0, NULL))
    return; /* another thread was first */
  session = pysane_generation(&pysane_library) / 2; /* the next one, or ours in a handler */
  for (i = 0; i < PYSANE_SLOTS; i++) {
    struct pysane_slot *slot = &pysane_slots[i];
    uint32_t generation = __atomic_load_n(&slot->generation, __ATOMIC_SEQ_CST);
    /* Another thread may begin anew, and open, while a driver of ours takes long to close. */
    if (inside || __atomic_load_n(&slot->session, __ATOMIC_ACQUIRE) < session)
      pysane_close(pysane_handle_number(slot, generation));
  }
  if (inside) { /* and what a handler wanted before is over with this */
    __atomic_fetch_and(&pysane_library.postponed, ~INIT, __ATOMIC_SEQ_CST);
    want(EXIT);
  } else if (loaded()) {
    loaded()->exit(&pysane_library);
  }
}

SANE_Status
pysane_get_devices(const SANE_Device ***list, SANE_Bool local_only)
{
  UNDISTURBED;

  if (!list)
    return SANE_STATUS_INVAL;
  *list = no_devices; /* frontends look at it even after an error */
  if (is_forked())
    return SANE_STATUS_IO_ERROR;
  if (!is_initialised() && !*pysane_library.backend)
    return SANE_STATUS_GOOD; /* as dll does */
  return ready() ? loaded()->get_devices(&pysane_library, list, local_only)
                 : SANE_STATUS_UNSUPPORTED;
}

SANE_Status
pysane_open(const char *name, SANE_Handle *handle)
{
  UNDISTURBED;
  struct pysane_slot *slot;
  SANE_Status status;
  SANE_Handle opened;

  if (!handle || (!name && !*pysane_library.backend))
    return SANE_STATUS_INVAL;
  if (is_forked())
    return SANE_STATUS_IO_ERROR;
  if (!ready())
    return SANE_STATUS_UNSUPPORTED;
  if (!is_initialised() && !*pysane_library.backend)
    change_record(1, NULL); /* Image::Sane opens after sane_exit without a new sane_init */
  slot = take_slot();
  if (!slot)
    return SANE_STATUS_NO_MEM;
  /* Now: a handler's sane_exit may close it. */
  opened = pysane_handle_number(slot, slot->generation + 1);
  status = loaded()->open(&pysane_library, name, slot);
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
