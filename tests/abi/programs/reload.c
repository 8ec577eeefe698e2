/* LibreOffice's pattern: libsane.so.1 loaded and unloaded around each use; a backend by prefix. */
#include "check.h"

#include <dlfcn.h>

enum { WARM = 5, CYCLES = 60, GROWTH_KB = 1024 };

static const char *const operations[] = {
  "init", "exit", "get_devices", "open", "close", "get_option_descriptor", "control_option",
  "get_parameters", "start", "read", "cancel", "set_io_mode", "get_select_fd",
};

static void *
symbol(void *library, const char *prefix, const char *operation)
{
  char name[64];
  void *found;

  snprintf(name, sizeof name, "%s_%s", prefix, operation);
  found = dlsym(library, name);
  if (!found)
    FAIL("no symbol %s", name);
  return found;
}

/* The original `test` cancels its reading thread when the last byte was read, wherever it is:
 * inside malloc that hangs the process, under either library. So it ends by itself before.
 */
static void
await_threads(int wanted)
{
  int i;

  for (i = 0; i < 1000 && count_threads() > wanted; i++)
    usleep(1000);
}

#define CALL(operation) ((__typeof__(&sane_##operation))symbol(library, prefix, #operation))

static void
cycle(const char *path, const char *prefix, const char *device, SANE_Int wanted)
{
  void *library = dlopen(path, RTLD_LAZY);
  const SANE_Device **list;
  SANE_Byte data[32768];
  SANE_Int length, version;
  SANE_Parameters p;
  SANE_Handle h;
  long left;
  unsigned i;
  int threads;

  if (!library)
    FAIL("%s", dlerror());
  for (i = 0; i < sizeof operations / sizeof *operations; i++)
    symbol(library, prefix, operations[i]);
  GOOD(CALL(init)(&version, NULL));
  EQUAL(version, wanted);
  GOOD(CALL(get_devices)(&list, SANE_FALSE));
  CHECK(list[0] && strcmp(list[0]->name, device) == 0);
  GOOD(CALL(open)(device, &h));
  threads = count_threads();
  GOOD(CALL(start)(h));
  GOOD(CALL(set_io_mode)(h, SANE_FALSE));
  GOOD(CALL(get_parameters)(h, &p));
  for (left = (long)p.bytes_per_line * p.lines - 1; left > 0; left -= length)
    GOOD(CALL(read)(h, data, left < (long)sizeof data ? (SANE_Int)left : (SANE_Int)sizeof data,
                    &length));
  await_threads(threads);
  while (CALL(read)(h, data, sizeof data, &length) == SANE_STATUS_GOOD)
    ;
  CALL(cancel)(h);
  CALL(close)(h);
  CALL(exit)();
  dlclose(library);
}

int
main(int argc, char **argv)
{
  SANE_Int version = argc > 4 ? (SANE_Int)strtol(argv[4], NULL, 0) : 0;
  long growth_kb = argc > 5 ? atol(argv[5]) : GROWTH_KB;
  int fds = 0, i;
  long kb = 0;

  for (i = 0; i < WARM + CYCLES; i++) {
    if (i == WARM) {
      fds = count_fds();
      kb = resident_kb();
    }
    cycle(argv[1], argv[2], argv[3], version);
  }
  EQUAL(count_fds(), fds);
  CHECK(resident_kb() - kb < growth_kb);
  return 0;
}
