/* Finds the Python of a wheel, whose pysane.runtime cannot name it: a wheel is built elsewhere.
 *
 * It knows where Python installations keep their parts, and pyvenv.cfg. First comes the
 * installation that the virtual environment was made from, then the one that its programs link to,
 * then the one that the package lies in, then the system's; the first that has a standard library
 * and a shared libpython of the right version is taken. Source: Python's documentation of venv, of
 * site, and Modules/getpath.py's description of prefixes.
 */
#define _GNU_SOURCE 1
#include "abi.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LEVELS 4 /* from site-packages up to the environment: lib/python3.11/site-packages */

static const char *const libraries[] = {"lib", "lib/" PYSANE_MULTIARCH, "lib64"};
static const char *const systems[] = {"/usr/local", "/usr"};
#define COUNT(array) (sizeof array / sizeof *array)

/* What pyvenv.cfg says; home: "" if there is none. */
struct environment {
  char home[PATH_MAX]; /* the folder of programs of the Python that it was made from */
  int sees_system;     /* packages of that Python, too */
};

static void
read_environment(struct environment *found, FILE *file)
{
  char line[PATH_MAX + 64], key[64], value[PATH_MAX];

  while (fgets(line, sizeof line, file)) {
    if (sscanf(line, " %63[^= \t] = %4095[^\r\n]", key, value) != 2)
      continue;
    if (strcmp(key, "home") == 0 && *value == '/')
      snprintf(found->home, sizeof found->home, "%s", value);
    else if (strcmp(key, "include-system-site-packages") == 0)
      found->sees_system = strcmp(value, "true") == 0;
  }
}

/* Cut the last part off a path; 0 when there is none any more. */
static int
cut(char *path)
{
  char *slash = strrchr(path, '/');

  if (!slash || slash == path)
    return 0;
  *slash = 0;
  return 1;
}

/* Look for pyvenv.cfg in the folders above *package*. */
static void
find_environment(struct environment *found, const char *package)
{
  char folder[PATH_MAX], name[PATH_MAX + 16];
  int level;

  memset(found, 0, sizeof *found);
  snprintf(folder, sizeof folder, "%s", package);
  for (level = 0; level < LEVELS && cut(folder); level++) {
    FILE *file;
    snprintf(name, sizeof name, "%s/pyvenv.cfg", folder);
    file = fopen(name, "re");
    if (file) {
      read_environment(found, file);
      fclose(file);
      return;
    }
  }
}

/* asprintf that gives up what was there; 0 without memory. */
#define SET(slot, ...) (free(slot), asprintf(&(slot), __VA_ARGS__) >= 0 || ((slot) = NULL, 0))

/* The folder of *prefix* that holds the standard library, "" if none does. */
static const char *
standard_library(const char *prefix, const char *version)
{
  char name[PATH_MAX + 64];
  size_t i;

  for (i = 0; i < COUNT(libraries); i++) {
    snprintf(name, sizeof name, "%s/%s/python%s/os.py", prefix, libraries[i], version);
    if (access(name, R_OK) == 0)
      return libraries[i];
  }
  return "";
}

/* Fill in *runtime* from the installation *prefix*; 0 if it cannot be used. */
static int
use(struct pysane_runtime *runtime, const char *prefix, int sees_packages)
{
  const char *v = runtime->version, *lib = standard_library(prefix, v);
  char name[PATH_MAX + 64];
  size_t i;

  if (!*lib)
    return 0;
  for (i = 0; i < COUNT(libraries); i++) {
    snprintf(name, sizeof name, "%s/%s/libpython%s.so.1.0", prefix, libraries[i], v);
    if (access(name, R_OK) == 0)
      break;
  }
  if (i == COUNT(libraries))
    return 0;
  if (!SET(runtime->libpython, "%s", name) || !SET(runtime->home, "%s", prefix) ||
      !SET(runtime->stdlib, "%s/%s/python%s:%s/%s/python%s/lib-dynload", prefix, lib, v, prefix,
           lib, v))
    return 0;
  if (!sees_packages)
    return SET(runtime->path, "%s", "");
  return SET(runtime->path,
             "%s/%s/python%s/site-packages:/usr/local/lib/python%s/dist-packages:"
             "/usr/lib/python3/dist-packages",
             prefix, lib, v, v);
}

/* The installation of the program that *home*, a folder of programs, links to; 0 if there is none.
 * An environment that was made by another one may note that one's folder: Python 3.10 does. */
static int
linked_installation(char *prefix, const char *home, const char *version)
{
  char name[PATH_MAX + 64];

  snprintf(name, sizeof name, "%s/python%s", home, version);
  return realpath(name, prefix) && cut(prefix) && cut(prefix);
}

/* Complete *runtime*, which lacks its interpreter; return 0 with a sentence in *error*. */
int
pysane_locate(struct pysane_runtime *runtime, char *error, size_t size)
{
  struct environment environment;
  char own[PATH_MAX], linked[PATH_MAX], looked[4 * PATH_MAX];
  const char *places[3 + COUNT(systems)];
  size_t count = 0, i, length = 0;
  int is_linked, is_virtual;

  find_environment(&environment, runtime->package);
  is_linked = *environment.home &&
              linked_installation(linked, environment.home, runtime->version);
  is_virtual = *environment.home && cut(environment.home);
  if (is_virtual)
    places[count++] = environment.home;
  if (is_virtual && is_linked && strcmp(linked, environment.home) != 0)
    places[count++] = linked;
  snprintf(own, sizeof own, "%s", runtime->package);
  if (!is_virtual && cut(own) && cut(own) && cut(own)) /* from lib/python3.11/site-packages */
    places[count++] = own;
  for (i = 0; i < COUNT(systems); i++)
    places[count++] = systems[i];
  *looked = 0;
  for (i = 0; i < count; i++) {
    if (use(runtime, places[i], !is_virtual || environment.sees_system))
      return 1;
    if (length < sizeof looked)
      length += (size_t)snprintf(looked + length, sizeof looked - length, "%s%s",
                                 i ? ", " : "", places[i]);
  }
  snprintf(error, size,
           "no shared libpython%s in %s: install the package libpython%s, or make the environment "
           "with a Python that was built with --enable-shared",
           runtime->version, looked, runtime->version);
  return 0;
}
