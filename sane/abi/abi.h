/* What the shim, boot and the Cython modules share: the tables of functions and the handles.
 *
 * A slot is what a SANE_Handle means: a table of functions and the pointer they get. A C
 * backend's slot holds that backend's own functions and handle; a Python device's holds the
 * functions of handle.pyx and a struct pysane_handle.
 */
#ifndef PYSANE_ABI_H
#define PYSANE_ABI_H

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <unistd.h>

#include <sane/sane.h>

/* All signals of this thread wait until the mask that this returns is set again: a handler of the
 * host may call us, or not come back. Async-signal-safe. */
static inline sigset_t
pysane_hold_signals(void)
{
  sigset_t all, before;

  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  return before;
}

struct pysane_device_ops {
  void (*close)(SANE_Handle);
  const SANE_Option_Descriptor *(*get_option_descriptor)(SANE_Handle, SANE_Int);
  SANE_Status (*control_option)(SANE_Handle, SANE_Int, SANE_Action, void *, SANE_Int *);
  SANE_Status (*get_parameters)(SANE_Handle, SANE_Parameters *);
  SANE_Status (*start)(SANE_Handle);
  SANE_Status (*read)(SANE_Handle, SANE_Byte *, SANE_Int, SANE_Int *);
  void (*cancel)(SANE_Handle);
  SANE_Status (*set_io_mode)(SANE_Handle, SANE_Bool);
  SANE_Status (*get_select_fd)(SANE_Handle, SANE_Int *);
};

struct pysane_slot {
  uint32_t generation;   /* odd while open: a stale handle never matches */
  uint32_t close_wanted; /* the generation that a signal handler wants to be closed */
  int taken;             /* from open to the end of close */
  uint64_t session;      /* half the library's generation that it was opened in */
  const struct pysane_device_ops *ops;
  SANE_Handle inner;
};

struct pysane_library;

/* What boot offers to a loaded shim. */
struct pysane_library_ops {
  SANE_Status (*get_devices)(struct pysane_library *, const SANE_Device ***, SANE_Bool);
  /* Open a device and occupy the slot, before a postponed sane_exit may run. */
  SANE_Status (*open)(struct pysane_library *, const char *name, struct pysane_slot *);
  void (*exit)(struct pysane_library *);
  /* True if this thread is inside the library: then postpone() is all that may be called. */
  int (*inside)(void);
  /* True where Python cannot be used: in a forked child, and after it has ended. Every call returns
   * at once. */
  int (*lacks_python)(void);
  /* Call action(library) once when the call that this thread is in returns, however often it is
   * asked for. Async-signal-safe. */
  void (*postpone)(void (*action)(struct pysane_library *), struct pysane_library *library);
  /* Around the frontend's callback: what it calls is not inside. */
  int (*callback_enter)(void);
  void (*callback_leave)(int depth);
};

/* What a sane_init found; configuration is read from it when it is needed. */
struct pysane_record {
  int users;           /* it is freed when the last one releases it */
  int cwd;             /* O_PATH descriptor of the working directory, or -1 */
  dev_t device;        /* what cwd was opened for */
  ino_t inode;
  char *environment[]; /* NAME=value strings, NULL at the end; then their text */
};

/* One loaded shim: a libsane.so.1 or a libsane-<backend>.so.1. */
struct pysane_library {
  const char *backend;                  /* "" for dll, "pysane" for all ours, else its name */
  const struct pysane_library_ops *ops; /* NULL until the first call that needs Python */
  SANE_Auth_Callback authorize;         /* from sane_init, may be NULL */
  SANE_Auth_Callback ask;               /* calls authorize: what C backends get */
  struct pysane_record *record;         /* from sane_init to sane_exit, else NULL */
  uint64_t generation;                  /* each change of record adds 1: odd with a record */
  /* Get hold of the record, NULL if there is none, and the generation that it belongs to. */
  struct pysane_record *(*hold)(uint64_t *generation);
  void (*release)(struct pysane_record *);
  /* Make a slot that is taken an open handle; return 0 if sane_exit has come since *generation*. */
  int (*occupy)(uint64_t generation, struct pysane_slot *, const struct pysane_device_ops *,
                SANE_Handle inner);
  int postponed; /* library.c: what signal handlers want to be done */
  void *session; /* library_ops.pyx: the Python object, kept for ever */
};

static inline SANE_Auth_Callback
pysane_authorize(const struct pysane_library *library)
{
  return __atomic_load_n(&library->authorize, __ATOMIC_ACQUIRE);
}

static inline uint64_t
pysane_generation(const struct pysane_library *library)
{
  return __atomic_load_n(&library->generation, __ATOMIC_SEQ_CST);
}

#define PYSANE_SLOTS 1024

extern struct pysane_library pysane_library;
extern struct pysane_slot pysane_slots[PYSANE_SLOTS];

/* What a call on a handle goes through: what the slot held at one moment. */
struct pysane_target {
  const struct pysane_device_ops *ops; /* NULL: the handle is not open */
  SANE_Handle inner;
};

/* A handle is a slot number and its generation, and no address: from 4096 up, since Go takes less
 * for a broken pointer, and below 2^31, since Java bindings keep it in an int. */
#define PYSANE_FIRST_HANDLE 4096
#define PYSANE_LIVES (1u << 20)

static inline SANE_Handle
pysane_handle_number(const struct pysane_slot *slot, uint32_t generation)
{
  uintptr_t life = (generation >> 1) % PYSANE_LIVES;

  return (SANE_Handle)(PYSANE_FIRST_HANDLE + life * PYSANE_SLOTS + (uintptr_t)(slot - pysane_slots));
}

/* Return the slot that a handle names, open or not any more, and whose generation that is. */
static inline struct pysane_slot *
pysane_lookup(SANE_Handle handle, uint32_t *generation)
{
  uintptr_t value = (uintptr_t)handle - PYSANE_FIRST_HANDLE;
  struct pysane_slot *slot = &pysane_slots[value % PYSANE_SLOTS];

  *generation = __atomic_load_n(&slot->generation, __ATOMIC_ACQUIRE);
  return (*generation & 1) && value / PYSANE_SLOTS == (*generation >> 1) % PYSANE_LIVES ? slot : 0;
}

/* The functions and the device behind an open handle; both are the same device's, although the
 * slot may be closed and taken again at any moment. */
static inline struct pysane_target
pysane_find(SANE_Handle handle)
{
  struct pysane_target target = {0, 0};
  uint32_t generation;
  struct pysane_slot *slot = pysane_lookup(handle, &generation);

  if (slot) {
    target.ops = __atomic_load_n(&slot->ops, __ATOMIC_ACQUIRE);
    target.inner = __atomic_load_n(&slot->inner, __ATOMIC_ACQUIRE);
    if (__atomic_load_n(&slot->generation, __ATOMIC_ACQUIRE) != generation)
      target.ops = 0;
  }
  return target;
}

/* Move a new descriptor out of the way of the standard streams: the host may run with 0 to 2
 * closed, and they must stay free. -1 stays -1. */
static inline int
pysane_above_stdio(int fd)
{
  int high;

  if (fd < 0 || fd > STDERR_FILENO)
    return fd;
  high = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  close(fd);
  return high;
}

/* library.c: what sane_init, sane_open and their counterparts do in the shim. */
SANE_Status pysane_init(SANE_Int *version, SANE_Auth_Callback authorize);
void pysane_exit(void);
SANE_Status pysane_get_devices(const SANE_Device ***list, SANE_Bool local_only);
SANE_Status pysane_open(const char *name, SANE_Handle *handle);
void pysane_close(SANE_Handle handle);
const char *pysane_strstatus(SANE_Status status);

/* identity.c, compiled once for each shim. */
extern const char pysane_shim[];
extern const SANE_Int pysane_version;

/* loader.c: find the runtime, load Python and boot, or else the distribution's libsane. NULL
 * without any. One line on stderr if it is not Python. */
const struct pysane_library_ops *pysane_load(void);
int pysane_is_loading(void);
int pysane_load_forked(void); /* in a child: return whether it has lost the thread that loads */
extern char pysane_self[PATH_MAX]; /* the file that this library was loaded from; "" if unknown */

/* fallback.c */
const struct pysane_library_ops *pysane_fallback(const char *paths, int host_is_python,
                                                 char path[PATH_MAX]);

/* The values of pysane.runtime, paths absolute. A wheel's file names no interpreter: the first four
 * paths are NULL, until pysane_locate has found one. */
struct pysane_runtime {
  char *libpython; /* shared library of the interpreter */
  char *home;      /* sys.prefix of the interpreter */
  char *stdlib;    /* directories for sys.path, ':' between them: the standard library */
  char *path;      /* ... then ours and those of third-party packages */
  char *version;   /* "3.11" */
  char *package;   /* the folder pysane: holds sane/ and boot */
  char *boot;      /* boot.<soabi>.so */
  char *fallback;  /* libraries to use without Python, ':' between them; may be NULL */
};

typedef const struct pysane_library_ops *pysane_boot_function(const struct pysane_runtime *,
                                                              char *error, size_t size);
#define PYSANE_BOOT "pysane_boot"

/* locate.c */
int pysane_locate(struct pysane_runtime *runtime, char *error, size_t size);

#endif
