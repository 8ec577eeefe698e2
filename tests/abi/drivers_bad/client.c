/* Calls libsane.so.1 as its arguments say; one line on stdout for each: call, status, length, ms.
 *
 * list, open NAME, options, set NAME NUMBER, get NAME, press NAME, params, start, read N,
 * readall N, nonblock, cancel-when-told (as soon as a driver says "waiting" on stderr), cancel,
 * close, exit. A buffer for read ends at a page that cannot be touched, begins with a guard that
 * is looked at, and cannot be touched afterwards: a driver that writes there later is a crash.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <sane/sane.h>

enum { PAGE = 4096, GUARD = 0xA5 };

static SANE_Handle handle;
static int told_pipe = -1;

static double
now(void)
{
  struct timespec t;

  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

/* stderr goes through us, so that we know when a driver says "waiting". */
static void *
cancel_when_told(void *unused)
{
  char text[65536];
  ssize_t n;

  (void)unused;
  while ((n = read(told_pipe, text, sizeof text - 1)) > 0) {
    text[n] = 0;
    if (strstr(text, "waiting"))
      sane_cancel(handle);
    fputs(text, stdout);
    fflush(stdout);
  }
  return NULL;
}

static void
watch_stderr(void)
{
  pthread_t thread;
  int ends[2];

  if (pipe(ends) != 0 || dup2(ends[1], 2) < 0)
    exit(99);
  told_pipe = ends[0];
  pthread_create(&thread, NULL, cancel_when_told, NULL);
}

static SANE_Status
read_once(SANE_Int size, SANE_Int *length)
{
  size_t pages = ((size_t)size + 2 * PAGE - 1) / PAGE * PAGE; /* a guard of a page at least */
  unsigned char *memory = mmap(NULL, pages + PAGE, PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  unsigned char *data = memory + pages - size;
  SANE_Status status;
  unsigned char *p;

  mprotect(memory + pages, PAGE, PROT_NONE);
  memset(memory, GUARD, pages);
  *length = -1;
  status = sane_read(handle, data, size, length);
  for (p = memory; p < data; p++)
    if (*p != GUARD)
      printf("written before the buffer\n");
  if (status == SANE_STATUS_GOOD)
    for (p = data + *length; p < memory + pages; p++)
      if (*p != GUARD) {
        printf("written after the count\n");
        break;
      }
  mprotect(memory, pages + PAGE, PROT_NONE); /* the address stays taken */
  return status;
}

static SANE_Status
read_all(SANE_Int size, SANE_Int *total)
{
  SANE_Status status;
  SANE_Int length;

  for (*total = 0; (status = read_once(size, &length)) == SANE_STATUS_GOOD; *total += length)
    if (length <= 0)
      return (SANE_Status)98;
  return status;
}

static SANE_Status
list(SANE_Int *count)
{
  const SANE_Device **devices = NULL;
  SANE_Status status = sane_get_devices(&devices, 0);

  for (*count = 0; devices && devices[*count]; ++*count)
    if (*count < 9)
      printf("device %.80s\n", devices[*count]->name);
  return status;
}

static SANE_Int
index_of(const char *name)
{
  const SANE_Option_Descriptor *d;
  SANE_Int i;

  for (i = 0; (d = sane_get_option_descriptor(handle, i)); i++)
    if (d->name && strcmp(d->name, name) == 0 && (i || !*name))
      return i;
  return -1;
}

int
main(int argc, char **argv)
{
  int i;

  setvbuf(stdout, NULL, _IOLBF, 0);
  sane_init(NULL, NULL);
  for (i = 1; i < argc; i++) {
    const char *call = argv[i];
    double begun = now();
    SANE_Status status = SANE_STATUS_GOOD;
    SANE_Int length = 0, word = 0;
    SANE_Parameters params;
    memset(&params, 0, sizeof params);
    if (strcmp(call, "list") == 0)
      status = list(&length);
    else if (strcmp(call, "open") == 0)
      status = sane_open(argv[++i], &handle);
    else if (strcmp(call, "options") == 0)
      for (; sane_get_option_descriptor(handle, length); length++)
        ;
    else if (strcmp(call, "set") == 0) {
      word = atoi(argv[i + 2]);
      status = sane_control_option(handle, index_of(argv[i + 1]), SANE_ACTION_SET_VALUE, &word,
                                   &length);
      i += 2;
    } else if (strcmp(call, "get") == 0)
      status = sane_control_option(handle, index_of(argv[++i]), SANE_ACTION_GET_VALUE, &length,
                                   NULL);
    else if (strcmp(call, "press") == 0)
      status = sane_control_option(handle, index_of(argv[++i]), SANE_ACTION_SET_VALUE, NULL, NULL);
    else if (strcmp(call, "params") == 0) {
      status = sane_get_parameters(handle, &params);
      length = params.lines;
    } else if (strcmp(call, "start") == 0)
      status = sane_start(handle);
    else if (strcmp(call, "read") == 0)
      status = read_once(atoi(argv[++i]), &length);
    else if (strcmp(call, "readall") == 0)
      status = read_all(atoi(argv[++i]), &length);
    else if (strcmp(call, "nonblock") == 0)
      status = sane_set_io_mode(handle, 1);
    else if (strcmp(call, "cancel-when-told") == 0)
      watch_stderr();
    else if (strcmp(call, "cancel") == 0)
      sane_cancel(handle);
    else if (strcmp(call, "close") == 0)
      sane_close(handle);
    else if (strcmp(call, "exit") == 0)
      sane_exit();
    else
      return 97;
    printf("=%s %d %d %.0f\n", call, (int)status, (int)length, now() - begun);
  }
  return 0;
}
