/* The distribution's libsane in our place, when Python cannot start.
 *
 * It knows the standard's functions and the dynamic linker, nothing of Python. An open device's
 * slot gets the other library's functions, as a C backend's does. No lock is held while the
 * other library works, but in its sane_init and sane_exit.
 */
#define _GNU_SOURCE 1
#include "abi.h"
#include "tables.h" /* setup.py writes it */

#include <dlfcn.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static struct {
  SANE_Status (*init)(SANE_Int *, SANE_Auth_Callback);
  void (*exit)(void);
  SANE_Status (*get_devices)(const SANE_Device ***, SANE_Bool);
  SANE_Status (*open)(SANE_String_Const, SANE_Handle *);
  struct pysane_device_ops device;
} other;

static const char *const names[] = { PYSANE_OPERATIONS }; /* in the order of the members */
#define NAMES (sizeof names / sizeof *names)
_Static_assert(sizeof other == NAMES * sizeof(void *), "a member for each name");

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int initialised;
static uint64_t generation; /* of our sane_init, which the other library was told */

/* Tell the other library of a sane_init of ours, at the first call that needs it. */
static SANE_Status
begin(const struct pysane_library *library, uint64_t now)
{
  SANE_Status status = SANE_STATUS_GOOD;
  SANE_Int version;

  pthread_mutex_lock(&lock);
  if (!initialised || generation != now) {
    status = other.init(&version, pysane_authorize(library) ? library->ask : NULL);
    initialised = status == SANE_STATUS_GOOD;
    generation = now;
  }
  pthread_mutex_unlock(&lock);
  return status;
}

static SANE_Status
get_devices(struct pysane_library *library, const SANE_Device ***list, SANE_Bool local_only)
{
  SANE_Status status = begin(library, pysane_generation(library));

  return status == SANE_STATUS_GOOD ? other.get_devices(list, local_only) : status;
}

static SANE_Status
open_device(struct pysane_library *library, const char *name, struct pysane_slot *slot)
{
  uint64_t now = pysane_generation(library);
  SANE_Status status = begin(library, now);
  SANE_Handle inner;

  if (status == SANE_STATUS_GOOD)
    status = other.open(name, &inner);
  if (status == SANE_STATUS_GOOD && !library->occupy(now, slot, &other.device, inner)) {
    other.device.close(inner);
    status = SANE_STATUS_CANCELLED;
  }
  return status;
}

static void
exit_library(struct pysane_library *library)
{
  (void)library;
  pthread_mutex_lock(&lock);
  if (initialised)
    other.exit();
  initialised = 0;
  pthread_mutex_unlock(&lock);
}

/* Calls are never marked as under way, and a forked child goes on as it would without us. */
static int
no(void)
{
  return 0;
}

static void
postpone(void (*action)(struct pysane_library *), struct pysane_library *library)
{
  action(library);
}

static void
leave(int depth)
{
  (void)depth;
}

static const struct pysane_library_ops ops = {
  .get_devices = get_devices,
  .open = open_device,
  .exit = exit_library,
  .inside = no,
  .lacks_python = no,
  .postpone = postpone,
  .callback_enter = no,
  .callback_leave = leave,
};

/* Load *path* if it is a libsane with a dll of its own: ours has none of these symbols, wherever
 * a copy of it lies. */
static int
load(const char *path, int flags)
{
  void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL | flags);
  void **member = (void **)&other;
  size_t i;

  if (!library)
    return 0;
  if (dlsym(library, "sane_dll_init")) {
    for (i = 0; i < NAMES; i++) {
      member[i] = dlsym(library, names[i]);
      if (!member[i])
        break;
    }
    if (i == NAMES)
      return 1;
  }
  dlclose(library);
  return 0;
}

/* Use the first libsane of the ':' list *paths* that is not of ours; *path* is where it lies. */
const struct pysane_library_ops *
pysane_fallback(const char *paths, int host_is_python, char path[PATH_MAX])
{
  char real[PATH_MAX];
  size_t length;

  for (; *paths; paths += length + (paths[length] == ':')) {
    length = strcspn(paths, ":");
    if (!length || length >= PATH_MAX)
      continue;
    memcpy(path, paths, length);
    path[length] = 0;
    if (*path == '/' && realpath(path, real) && strcmp(real, pysane_self) != 0 &&
        load(path, host_is_python ? 0 : RTLD_DEEPBIND))
      return &ops;
  }
  return NULL;
}
