/* usbceiling SIZE: what the libusb-1.0.so.0 of LD_LIBRARY_PATH delivers to a program that does
 * nothing else, in transfers of SIZE bytes from endpoint 0x81, one after the other.
 *
 * It prints "name value" lines, as client.c does.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define READ_SECONDS 0.1

static double
now(clockid_t id)
{
  struct timespec t;

  clock_gettime(id, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void *library;

static void *
function(const char *name)
{
  void *found = dlsym(library, name);

  if (!found) {
    fprintf(stderr, "no %s\n", name);
    exit(1);
  }
  return found;
}

int
main(int argc, char **argv)
{
  int size = argc > 1 ? atoi(argv[1]) : 0, n;
  unsigned char *buffer = malloc((size_t)size + 1);
  void *context, **devices, *handle;
  long long bytes = 0;
  double wall, used;
  int (*init)(void **), (*open)(void *, void **);
  long (*list)(void *, void ***);
  int (*bulk)(void *, unsigned char, unsigned char *, int, int *, unsigned int);

  library = dlopen("libusb-1.0.so.0", RTLD_NOW);
  if (!library || size < 1) {
    fprintf(stderr, "%s\n", library ? "a size is wanted" : dlerror());
    return 1;
  }
  init = function("libusb_init");
  list = function("libusb_get_device_list");
  open = function("libusb_open");
  bulk = function("libusb_bulk_transfer");
  if (init(&context) || list(context, &devices) < 1 || open(devices[0], &handle)) {
    fprintf(stderr, "no device\n");
    return 1;
  }
  wall = now(CLOCK_MONOTONIC);
  used = now(CLOCK_PROCESS_CPUTIME_ID);
  do {
    if (bulk(handle, 0x81, buffer, size, &n, 1000)) {
      fprintf(stderr, "a transfer failed\n");
      return 1;
    }
    bytes += n;
  } while (now(CLOCK_MONOTONIC) - wall < READ_SECONDS);
  printf("wall %.6f\ncpu %.6f\nbytes %lld\n", now(CLOCK_MONOTONIC) - wall,
         now(CLOCK_PROCESS_CPUTIME_ID) - used, bytes);
  return 0;
}
