/* Finds the interpreter that this library was installed for, and loads boot; without one, the
 * distribution's libsane.
 *
 * It knows the file pysane.runtime and the dynamic linker; it calls no Python but to ask a host
 * that is itself a Python for its version.
 */
#define _GNU_SOURCE 1
#include "abi.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct key {
  const char *name;
  size_t offset;
  int is_path;
  int is_optional;
};

static const struct key keys[] = {
  {"libpython", offsetof(struct pysane_runtime, libpython), 1, 1},
  {"home", offsetof(struct pysane_runtime, home), 1, 1},
  {"stdlib", offsetof(struct pysane_runtime, stdlib), 1, 1},
  {"path", offsetof(struct pysane_runtime, path), 1, 1},
  {"version", offsetof(struct pysane_runtime, version), 0, 0},
  {"boot", offsetof(struct pysane_runtime, boot), 1, 0},
  {"package", offsetof(struct pysane_runtime, package), 1, 0},
  {"fallback", offsetof(struct pysane_runtime, fallback), 1, 1},
};
#define KEYS (sizeof keys / sizeof *keys)

static char **
field(struct pysane_runtime *runtime, const struct key *key)
{
  return (char **)((char *)runtime + key->offset);
}

static char reason[PATH_MAX + 256]; /* why Python cannot start; under the lock of pysane_load */

/* Note why; return 0. */
__attribute__((format(printf, 1, 2))) static int
fail(const char *format, ...)
{
  va_list arguments;

  va_start(arguments, format);
  vsnprintf(reason, sizeof reason, format, arguments);
  va_end(arguments);
  return 0;
}

/* One line on stderr: why, and what happens instead. */
static void
complain(const char *consequence, const char *path)
{
  struct pollfd stream = {.fd = STDERR_FILENO, .events = POLLOUT};

  if (poll(&stream, 1, 0) <= 0 || !(stream.revents & (POLLERR | POLLNVAL))) /* no SIGPIPE */
    fprintf(stderr, "pysane: %s; %s%s\n", reason, consequence, path);
}

/* A ':' list with every relative entry put below *folder*; NULL without memory. */
static char *
absolute(const char *folder, const char *list)
{
  size_t entries = 1, length;
  const char *p;
  char *result, *out;

  for (p = list; *p; p++)
    entries += *p == ':';
  result = out = malloc(strlen(list) + entries * (strlen(folder) + 1) + 1);
  if (!result)
    return NULL;
  for (p = list;; p += length + 1) {
    length = strcspn(p, ":");
    if (length && *p != '/')
      out += sprintf(out, "%s/", folder);
    memcpy(out, p, length);
    out += length;
    if (!p[length])
      break;
    *out++ = ':';
  }
  *out = 0;
  return result;
}

/* Read key=value lines of *file* in *folder* into *runtime*; 0 if one is missing. */
static int
read_runtime(struct pysane_runtime *runtime, FILE *file, const char *folder)
{
  char *line = NULL, *real;
  size_t room = 0, i;

  while (getline(&line, &room, file) >= 0) {
    char *value = strchr(line, '=');
    line[strcspn(line, "\r\n")] = 0;
    if (*line == '#' || !value)
      continue;
    *value++ = 0;
    for (i = 0; i < KEYS; i++)
      if (strcmp(line, keys[i].name) == 0) {
        char **slot = field(runtime, &keys[i]);
        free(*slot);
        *slot = keys[i].is_path ? absolute(folder, value) : strdup(value);
      }
  }
  free(line);
  for (i = 0; i < KEYS; i++)
    if (!*field(runtime, &keys[i]) && !keys[i].is_optional)
      return fail("%s/pysane.runtime has no line %s=", folder, keys[i].name);
  if (runtime->libpython && !(runtime->home && runtime->stdlib && runtime->path))
    return fail("%s/pysane.runtime names a libpython, but not home, stdlib and path", folder);
  real = realpath(runtime->package, NULL); /* what others find out of the package is real, too */
  if (!real)
    return fail("%s: %s", runtime->package, strerror(errno));
  free(runtime->package);
  runtime->package = real;
  return 1;
}

char pysane_self[PATH_MAX];
static struct stat loaded; /* the file at pysane_self */

/* The name that the linker knows may be relative: it must be asked before the host changes its
 * working directory or its root. */
__attribute__((constructor)) static void
find_self(void)
{
  Dl_info info;

  if (!dladdr(&pysane_library, &info) || !realpath(info.dli_fname, pysane_self) ||
      stat(pysane_self, &loaded) != 0)
    *pysane_self = 0;
}

/* Whether this library still lies where it was loaded from: what is beside another file of its
 * name, after an upgrade or a chroot, is not for this one. */
static int
is_in_place(void)
{
  struct stat now;

  return *pysane_self && stat(pysane_self, &now) == 0 && now.st_dev == loaded.st_dev &&
         now.st_ino == loaded.st_ino;
}

/* The folder pysane lies beside this library, or beside its folder (lib/sane/). */
static int
find_runtime(struct pysane_runtime *runtime)
{
  static const char *const places[] = {"pysane", "../pysane"};
  char folder[PATH_MAX], name[PATH_MAX + 32];
  size_t i;

  if (!is_in_place())
    return fail("this library does not lie any more where it was loaded from%s%s",
                *pysane_self ? ", " : "", pysane_self);
  snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(pysane_self, '/') - pysane_self),
           pysane_self);
  for (i = 0; i < sizeof places / sizeof *places; i++) {
    FILE *file;
    int good;
    snprintf(name, sizeof name, "%s/%s/pysane.runtime", folder, places[i]);
    file = fopen(name, "re");
    if (!file)
      continue;
    *strrchr(name, '/') = 0;
    runtime->package = realpath(name, NULL); /* but in a wheel, where a line package= says else */
    good = runtime->package && realpath(name, folder) && read_runtime(runtime, file, folder);
    fclose(file);
    return good;
  }
  return fail("no file pysane/pysane.runtime in %s or the folder above", folder);
}

/* Whether the interpreter that the process has is one that we can use. */
static int
is_usable(const char *version, const struct pysane_runtime *runtime)
{
  size_t length = strlen(runtime->version);

  if (strstr(version, "free-threading build")) /* Py_GIL_DISABLED */
    return fail("this program runs a free-threaded Python, the scanner drivers need the GIL");
  if (strncmp(version, runtime->version, length) == 0 && version[length] == '.')
    return 1;
  return fail("this program runs Python %.*s, the scanner drivers need %s",
              (int)strcspn(version, " "), version, runtime->version);
}

/* Start or adopt an interpreter; *version* is that of the host's own, NULL if it has none. */
static const struct pysane_library_ops *
start_python(struct pysane_runtime *runtime, const char *version)
{
  char error[512] = "unknown error";
  const struct pysane_library_ops *ops;
  pysane_boot_function *boot;
  void *library;

  if (!find_runtime(runtime) || (version && !is_usable(version, runtime)))
    return NULL;
  if (!version && !runtime->libpython && !pysane_locate(runtime, reason, sizeof reason))
    return NULL;
  /* Global: extension modules find the interpreter in no other way. */
  if (!version && !dlopen(runtime->libpython, RTLD_NOW | RTLD_GLOBAL)) {
    fail("cannot load Python: %s", dlerror());
    return NULL;
  }
  library = dlopen(runtime->boot, RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    fail("%s", dlerror());
    return NULL;
  }
  *(void **)&boot = dlsym(library, PYSANE_BOOT);
  ops = boot ? boot(runtime, error, sizeof error) : NULL;
  if (!ops)
    fail("cannot start Python: %s", error);
  return ops;
}

static const struct pysane_library_ops *
load(void)
{
  static struct pysane_runtime runtime; /* for the life of the process */
  const struct pysane_library_ops *ops;
  const char *(*get_version)(void);
  const char *version;
  char path[PATH_MAX];

  *(void **)&get_version = dlsym(RTLD_DEFAULT, "Py_GetVersion");
  version = get_version ? get_version() : NULL;
  ops = start_python(&runtime, version);
  if (ops)
    return ops;
  if (!*pysane_library.backend) /* under another libsane's dll that would be a loop */
    ops = pysane_fallback(runtime.fallback ? runtime.fallback : PYSANE_FALLBACK, version != NULL,
                          path);
  if (ops)
    complain("using ", path);
  else
    complain("SANE calls return \"Operation not supported\"", "");
  return ops;
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* who has it loads */

/* A Python host may call with the GIL held, which the thread that loads may need. */
static void
lock_without_gil(void)
{
  int (*has_gil)(void);
  void *(*state_of_thread)(void);
  void *(*release)(void);
  void (*take)(void *);
  void *state;

  if (pthread_mutex_trylock(&lock) == 0)
    return;
  *(void **)&has_gil = dlsym(RTLD_DEFAULT, "PyGILState_Check");
  *(void **)&state_of_thread = dlsym(RTLD_DEFAULT, "PyGILState_GetThisThreadState");
  *(void **)&release = dlsym(RTLD_DEFAULT, "PyEval_SaveThread");
  *(void **)&take = dlsym(RTLD_DEFAULT, "PyEval_RestoreThread");
  if (has_gil && state_of_thread && release && take && state_of_thread() && has_gil()) {
    state = release();
    pthread_mutex_lock(&lock);
    take(state);
  } else {
    pthread_mutex_lock(&lock);
  }
}

static pthread_t loading;
static int is_loading;

/* True in a signal handler that came in the middle of load(). */
int
pysane_is_loading(void)
{
  return __atomic_load_n(&is_loading, __ATOMIC_ACQUIRE) && pthread_equal(loading, pthread_self());
}

/* In a forked child: return whether it has lost the thread that was loading Python. */
int
pysane_load_forked(void)
{
  pthread_mutex_init(&lock, NULL);
  return __atomic_load_n(&is_loading, __ATOMIC_ACQUIRE) && !pysane_is_loading();
}

const struct pysane_library_ops *
pysane_load(void)
{
  static const struct pysane_library_ops *ops;
  static int tried;

  if (pysane_is_loading())
    return NULL;
  lock_without_gil();
  if (!tried) {
    loading = pthread_self();
    __atomic_store_n(&is_loading, 1, __ATOMIC_RELEASE);
    ops = load();
    tried = 1;
    __atomic_store_n(&is_loading, 0, __ATOMIC_RELEASE);
  }
  pthread_mutex_unlock(&lock);
  return ops;
}
