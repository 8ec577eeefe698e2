/* Scans several devices side by side and interleaves the reads: interleave LIBRARY local|global
 * DEVICE... prints the devices listed, and for each DEVICE the bytes and a checksum of its frame;
 * all of it twice, with sane_exit between.
 */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sane/sane.h>

#define DEVICES 8
#define EVERY(X) \
  X(init) X(exit) X(get_devices) X(open) X(close) X(get_option_descriptor) X(control_option) \
  X(start) X(read) X(cancel) X(strstatus)
#define DECLARE(name) static __typeof__(sane_##name) *call_##name;
EVERY(DECLARE)

static void *library;

static void *
find(const char *name)
{
  void *found = dlsym(library, name);

  if (!found) {
    fprintf(stderr, "%s\n", dlerror());
    exit(3);
  }
  return found;
}

static void
check(const char *what, SANE_Status status)
{
  if (status != SANE_STATUS_GOOD) {
    printf("%s: %s\n", what, call_strstatus(status));
    exit(1);
  }
}

/* Every descriptor is fetched again each time, as the test backend demands. */
static void
set(SANE_Handle handle, const char *name, const void *value)
{
  const SANE_Option_Descriptor *d;
  char copy[64];
  int i, found = 0;

  for (i = 0; (d = call_get_option_descriptor(handle, i)); i++)
    if (d->name && strcmp(d->name, name) == 0)
      found = i;
  memcpy(copy, value, call_get_option_descriptor(handle, found)->type == SANE_TYPE_STRING
                        ? strlen(value) + 1 : sizeof(SANE_Word));
  check(name, call_control_option(handle, found, SANE_ACTION_SET_VALUE, copy, NULL));
}

static void
list(void)
{
  const SANE_Device **devices;

  check("get_devices", call_get_devices(&devices, SANE_FALSE));
  for (; *devices; devices++)
    printf("listed %s\n", (*devices)->name);
}

static void
scan(char **names, int count)
{
  static SANE_Byte buffer[70000];
  SANE_Handle handles[DEVICES];
  uint64_t sums[DEVICES];
  long totals[DEVICES] = {0};
  int ended[DEVICES] = {0}, left = count, round, i, j;
  SANE_Word resolution = SANE_FIX(150);

  for (i = 0; i < count; i++) {
    check(names[i], call_open(names[i], &handles[i]));
    set(handles[i], "mode", "Color");
    set(handles[i], "resolution", &resolution);
    set(handles[i], "test-picture", "Color pattern");
    sums[i] = 14695981039346656037u;
  }
  for (i = 0; i < count; i++)
    check("start", call_start(handles[i]));
  for (round = 0; left; round++)
    for (i = 0; i < count; i++) {
      SANE_Int length, size = 1 + (round * 7919 + i * 104729) % (int)sizeof buffer;
      SANE_Status status;
      if (ended[i])
        continue;
      status = call_read(handles[i], buffer, size, &length);
      if (status == SANE_STATUS_EOF) {
        ended[i] = 1;
        left--;
        continue;
      }
      check("read", status);
      totals[i] += length;
      for (j = 0; j < length; j++)
        sums[i] = (sums[i] ^ buffer[j]) * 1099511628211u;
    }
  for (i = 0; i < count; i++) {
    printf("scanned %s %ld %016llx\n", names[i], totals[i], (unsigned long long)sums[i]);
    call_cancel(handles[i]);
    call_close(handles[i]);
  }
}

int
main(int count, char **arguments)
{
  int cycle;
  SANE_Int version;

  if (count < 4 || count - 3 > DEVICES)
    return 2;
  library = dlopen(arguments[1], RTLD_NOW | (strcmp(arguments[2], "global") ? 0 : RTLD_GLOBAL));
  if (!library) {
    fprintf(stderr, "%s\n", dlerror());
    return 3;
  }
#define FIND(name) *(void **)&call_##name = find("sane_" #name);
  EVERY(FIND)
  for (cycle = 0; cycle < 2; cycle++) {
    check("init", call_init(&version, NULL));
    list();
    scan(arguments + 3, count - 3);
    call_exit();
  }
  return 0;
}
