/* client MODE ...: a frontend that measures the libsane.so.1 it is linked with.
 *
 *   client idle                                   nothing: what a process costs
 *   client init                                   sane_init, sane_exit
 *   client read DEVICE BUFFER THREAD OPTION=VALUE...   frames, from thread 1 or 2
 *   client page DEVICE COUNT glass|feeder OPTION=VALUE...  the last of COUNT pages, and all of them
 *   client threads DEVICE COUNT BUFFER SECONDS OPTION=VALUE...  frames of COUNT devices, each from
 *                                                 a thread of its own; DEVICE ends with a digit,
 *                                                 which counts on
 *   client first DEVICE                           the first sane_open of a process
 *   client devices                                the first and a later sane_get_devices
 *   client control DEVICE SECONDS                 calls per second, each kind for SECONDS
 *   client open DEVICE OPTION=VALUE...            the second sane_open until the first byte
 *   client cancel DEVICE handler|thread OPTION=VALUE...  sane_cancel until the read returns
 *   client cycles DEVICE COUNT OPTION=VALUE...    growth over COUNT times init to exit
 *
 * It prints "name value" lines. LD_LIBRARY_PATH chooses the library; "library" says which it was.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <sane/sane.h>

#define READ_SECONDS 0.1 /* at least: a frame of 5 ms may meet another process, or not */
#define WARM_UP_CYCLES 10

static double
clock_seconds(clockid_t id)
{
  struct timespec t;

  clock_gettime(id, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double
now(void)
{
  return clock_seconds(CLOCK_MONOTONIC);
}

/* Of all threads, and of children that were waited for: a backend may read in either. */
static double
cpu(void)
{
  struct rusage u;

  getrusage(RUSAGE_CHILDREN, &u);
  return clock_seconds(CLOCK_PROCESS_CPUTIME_ID) + (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
         (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void
check(SANE_Status status, const char *call)
{
  if (status == SANE_STATUS_GOOD)
    return;
  fprintf(stderr, "%s: %s\n", call, sane_strstatus(status));
  exit(1);
}

/* -- Options ------------------------------------------------------------------------------- */

/* Fetch every descriptor, as a frontend does after RELOAD_OPTIONS; return the index of *name*. */
static SANE_Int
find(SANE_Handle handle, const char *name)
{
  const SANE_Option_Descriptor *d;
  SANE_Int index, found = -1;

  for (index = 0; (d = sane_get_option_descriptor(handle, index)) != NULL; index++)
    if (d->name && strcmp(d->name, name) == 0 && found < 0)
      found = index;
  if (found < 0) {
    fprintf(stderr, "no option %s\n", name);
    exit(1);
  }
  return found;
}

static void
set(SANE_Handle handle, const char *name, const char *text)
{
  SANE_Int index = find(handle, name);
  const SANE_Option_Descriptor *d = sane_get_option_descriptor(handle, index);
  char *value = calloc(1, (size_t)d->size + strlen(text) + sizeof(SANE_Word));
  SANE_Word word = d->type == SANE_TYPE_FIXED  ? SANE_FIX(atof(text))
                   : d->type == SANE_TYPE_BOOL ? strcmp(text, "yes") == 0
                                               : atoi(text);

  if (d->type == SANE_TYPE_STRING)
    strcpy(value, text);
  else
    memcpy(value, &word, sizeof word);
  check(sane_control_option(handle, index, SANE_ACTION_SET_VALUE, value, NULL), name);
  free(value);
}

static void
set_all(SANE_Handle handle, char **settings)
{
  for (; *settings; settings++) {
    char *name = strdup(*settings), *value = strchr(name, '=');

    if (!value)
      exit(2);
    *value = '\0';
    set(handle, name, value + 1);
    free(name);
  }
}

static SANE_Handle
open_device(const char *device, char **settings)
{
  SANE_Handle handle;

  check(sane_open(device, &handle), "sane_open");
  set_all(handle, settings);
  return handle;
}

/* -- read ---------------------------------------------------------------------------------- */

struct frame {
  SANE_Handle handle;
  SANE_Int size;
};

static void *
read_frames(void *memory)
{
  const struct frame *frame = memory;
  SANE_Byte *buffer = malloc((size_t)frame->size);
  double wall, used;
  long long bytes = 0;
  SANE_Parameters params;
  SANE_Status status;
  SANE_Int n;

  memset(buffer, 1, (size_t)frame->size); /* its pages are there before the clock starts */
  wall = now();
  used = cpu();
  do {
    check(sane_start(frame->handle), "sane_start");
    check(sane_get_parameters(frame->handle, &params), "sane_get_parameters"); /* as frontends do */
    while ((status = sane_read(frame->handle, buffer, frame->size, &n)) == SANE_STATUS_GOOD)
      bytes += n;
    sane_cancel(frame->handle); /* ends the backend's reader, whose time counts too */
    if (status != SANE_STATUS_EOF)
      check(status, "sane_read");
  } while (now() - wall < READ_SECONDS);
  printf("wall %.6f\ncpu %.6f\nbytes %lld\n", now() - wall, cpu() - used, bytes);
  free(buffer);
  return NULL;
}

static void
measure_read(SANE_Handle handle, SANE_Int size, int thread)
{
  struct frame frame = {handle, size};
  pthread_t other;

  if (thread == 1) {
    read_frames(&frame);
  } else {
    pthread_create(&other, NULL, read_frames, &frame);
    pthread_join(other, NULL);
  }
}

/* -- page ---------------------------------------------------------------------------------- */

/* Read COUNT pages; of the glass each is a job of its own, of a feeder all are one. */
static void
measure_page(SANE_Handle handle, int count, int is_feeder)
{
  static SANE_Byte buffer[65536];
  const double all = now();
  double begin = 0, used = 0, first = 0;
  long long bytes = 0;
  SANE_Status status;
  SANE_Int n;
  int i;

  for (i = 0; i < count; i++) {
    begin = now();
    used = cpu();
    first = 0;
    bytes = 0;
    check(sane_start(handle), "sane_start");
    while ((status = sane_read(handle, buffer, sizeof buffer, &n)) == SANE_STATUS_GOOD) {
      if (first == 0 && n > 0)
        first = now();
      bytes += n;
    }
    if (status != SANE_STATUS_EOF)
      check(status, "sane_read");
    printf("wall %.6f\ncpu %.6f\n", now() - begin, cpu() - used);
    if (!is_feeder)
      sane_cancel(handle);
  }
  printf("bytes %lld\nfirst %.6f\nall %.6f\n", bytes, first, now() - all);
  sane_cancel(handle);
}

/* -- threads ------------------------------------------------------------------------------- */

enum { MOST_THREADS = 8 };

struct reader {
  SANE_Handle handle;
  SANE_Int size;
  double seconds;
  long long bytes;
};

static pthread_barrier_t all_there;

/* Read frames until the time is over, the last one not to its end: all stop together. */
static void *
read_until(void *memory)
{
  struct reader *reader = memory;
  SANE_Byte *buffer = malloc((size_t)reader->size);
  double end;
  SANE_Int n;

  memset(buffer, 1, (size_t)reader->size);
  check(sane_start(reader->handle), "sane_start");
  pthread_barrier_wait(&all_there);
  for (end = now() + reader->seconds; now() < end;) {
    SANE_Status status = sane_read(reader->handle, buffer, reader->size, &n);

    if (status == SANE_STATUS_GOOD)
      reader->bytes += n;
    else if (status == SANE_STATUS_EOF)
      check(sane_start(reader->handle), "sane_start");
    else
      check(status, "sane_read");
  }
  sane_cancel(reader->handle);
  free(buffer);
  return NULL;
}

static void
measure_threads(const char *device, int count, SANE_Int size, double seconds, char **settings)
{
  struct reader readers[MOST_THREADS];
  pthread_t threads[MOST_THREADS];
  char *name = strdup(device);
  long long bytes = 0;
  int i;

  if (count < 1 || count > MOST_THREADS || !*name)
    exit(2);
  pthread_barrier_init(&all_there, NULL, (unsigned)count);
  for (i = 0; i < count; i++, name[strlen(name) - 1]++)
    readers[i] = (struct reader){open_device(name, settings), size, seconds, 0};
  for (i = 0; i < count; i++)
    pthread_create(&threads[i], NULL, read_until, &readers[i]);
  for (i = 0; i < count; i++) {
    pthread_join(threads[i], NULL);
    bytes += readers[i].bytes;
  }
  printf("wall %.6f\nbytes %lld\n", seconds, bytes);
  free(name);
}

/* -- first --------------------------------------------------------------------------------- */

static void
measure_first(const char *device)
{
  SANE_Handle handle;
  double begin = now();

  check(sane_open(device, &handle), "sane_open");
  printf("opened %.6f\n", now() - begin);
  sane_close(handle);
}

/* -- devices ------------------------------------------------------------------------------- */

static void
measure_devices(void)
{
  const SANE_Device **list;
  double begin = now(), first = 0, later = 1e9;
  int i, count = 0;

  for (i = 0; i < 20; i++) {
    double elapsed;

    begin = now();
    check(sane_get_devices(&list, SANE_TRUE), "sane_get_devices");
    elapsed = now() - begin;
    if (i == 0)
      first = elapsed;
    else if (elapsed < later)
      later = elapsed;
  }
  while (list[count])
    count++;
  printf("first %.6f\nlater %.6f\ndevices %d\n", first, later, count);
}

/* -- control ------------------------------------------------------------------------------- */

struct call {
  const char *name, *option;
  SANE_Action action;
  const char *values[2]; /* set in turn; the same twice changes nothing */
};

/* Call for *seconds* and print calls per second; values[0] is in force before. */
static void
measure_call(SANE_Handle handle, const struct call *call, double seconds)
{
  SANE_Int index = find(handle, call->option);
  const SANE_Option_Descriptor *d = sane_get_option_descriptor(handle, index);
  char *value[2];
  long count = 0;
  double begin, elapsed;
  int i;

  for (i = 0; i < 2; i++) {
    SANE_Word word = call->values[i] ? SANE_FIX(atof(call->values[i])) : 0;

    value[i] = calloc(1, (size_t)d->size);
    if (d->type == SANE_TYPE_INT)
      word = word >> 16;
    if (d->type == SANE_TYPE_STRING)
      strcpy(value[i], call->values[i]);
    else
      memcpy(value[i], &word, sizeof word);
  }
  begin = now();
  do {
    for (i = 0; i < 100; i++)
      if (sane_control_option(handle, index, call->action, value[i & 1], NULL) != 0)
        check(SANE_STATUS_INVAL, call->name);
    count += 100;
    elapsed = now() - begin;
  } while (elapsed < seconds);
  printf("%s %.0f\n", call->name, (double)count / elapsed);
  free(value[0]);
  free(value[1]);
}

static void
measure_descriptor(SANE_Handle handle, double seconds)
{
  SANE_Int index = find(handle, "resolution");
  long count = 0;
  double begin = now(), elapsed;
  int i;

  do {
    for (i = 0; i < 1000; i++)
      if (!sane_get_option_descriptor(handle, index))
        exit(1);
    count += 1000;
    elapsed = now() - begin;
  } while (elapsed < seconds);
  printf("descriptor %.0f\n", (double)count / elapsed);
}

static void
measure_control(SANE_Handle handle, double seconds)
{
  static const char first[] = "First entry", second[] = "Second entry";
  static const char list[] = "string-constraint-string-list";
  const struct call calls[] = {
    {"get_int", "int", SANE_ACTION_GET_VALUE, {"1", "1"}},
    {"get_fixed", "fixed", SANE_ACTION_GET_VALUE, {"1", "1"}},
    {"get_string", "string", SANE_ACTION_GET_VALUE, {"a", "a"}},
    {"set_int_same", "int", SANE_ACTION_SET_VALUE, {"1", "1"}},
    {"set_int_changed", "int", SANE_ACTION_SET_VALUE, {"1", "2"}},
    {"set_range_changed", "int-constraint-range", SANE_ACTION_SET_VALUE, {"4", "8"}},
    {"set_fixed_same", "fixed", SANE_ACTION_SET_VALUE, {"1", "1"}},
    {"set_fixed_changed", "fixed", SANE_ACTION_SET_VALUE, {"1", "2"}},
    {"set_resolution_changed", "resolution", SANE_ACTION_SET_VALUE, {"150", "300"}},
    {"set_string_same", "string", SANE_ACTION_SET_VALUE, {"a", "a"}},
    {"set_string_changed", "string", SANE_ACTION_SET_VALUE, {"a", "b"}},
    {"set_list_same", list, SANE_ACTION_SET_VALUE, {first, first}},
    {"set_list_changed", list, SANE_ACTION_SET_VALUE, {first, second}},
  };
  size_t i;

  set(handle, "enable-test-options", "yes");
  measure_descriptor(handle, seconds);
  for (i = 0; i < sizeof calls / sizeof *calls; i++)
    measure_call(handle, &calls[i], seconds);
}

/* -- open ---------------------------------------------------------------------------------- */

static void
measure_open(const char *device, char **settings)
{
  SANE_Byte buffer[32768];
  SANE_Handle handle;
  SANE_Int n = 0;
  double begin;

  sane_close(open_device(device, settings)); /* the device keeps the settings */
  begin = now();
  check(sane_open(device, &handle), "sane_open");
  printf("opened %.6f\n", now() - begin);
  check(sane_start(handle), "sane_start");
  while (n == 0)
    check(sane_read(handle, buffer, sizeof buffer, &n), "sane_read");
  printf("wall %.6f\n", now() - begin);
  sane_cancel(handle);
  sane_close(handle);
}

/* -- cancel -------------------------------------------------------------------------------- */

static SANE_Handle cancelled_handle;
static double cancelled_at;
static sem_t reading;

static void
cancel_now(int signal)
{
  (void)signal;
  cancelled_at = now();
  sane_cancel(cancelled_handle);
}

static void *
cancel_later(void *unused)
{
  const struct timespec pause = {.tv_nsec = 50000000};

  (void)unused;
  sem_wait(&reading);
  nanosleep(&pause, NULL); /* by then it waits in the backend, which delivers each 200 ms */
  cancel_now(0);
  return NULL;
}

static void
measure_cancel(SANE_Handle handle, int by_handler)
{
  const struct itimerval timer = {.it_value.tv_usec = 50000};
  static SANE_Byte buffer[32768];
  SANE_Status status = SANE_STATUS_GOOD;
  pthread_t other;
  SANE_Int n;

  cancelled_handle = handle;
  sem_init(&reading, 0, 0);
  signal(SIGALRM, cancel_now);
  check(sane_start(handle), "sane_start");
  if (by_handler)
    setitimer(ITIMER_REAL, &timer, NULL);
  else
    pthread_create(&other, NULL, cancel_later, NULL);
  sem_post(&reading);
  while (status == SANE_STATUS_GOOD)
    status = sane_read(handle, buffer, sizeof buffer, &n);
  printf("wall %.6f\nstatus %d\ncancelled %.6f\n", now() - cancelled_at, (int)status, cancelled_at);
  if (!by_handler)
    pthread_join(other, NULL);
}

/* -- cycles -------------------------------------------------------------------------------- */

static long
resident_kb(void)
{
  FILE *file = fopen("/proc/self/status", "r");
  char line[256];
  long kb = -1;

  while (file && kb < 0 && fgets(line, sizeof line, file))
    sscanf(line, "VmRSS: %ld", &kb);
  if (file)
    fclose(file);
  return kb;
}

static int
descriptors(void)
{
  DIR *directory = opendir("/proc/self/fd");
  int count = 0;

  while (directory && readdir(directory))
    count++;
  if (directory)
    closedir(directory);
  return count;
}

static void
measure_cycles(const char *device, int count, char **settings)
{
  static SANE_Byte buffer[32768];
  long resident = 0;
  int open_descriptors = 0, i;
  double begin = 0;

  for (i = 0; i < count + WARM_UP_CYCLES; i++) {
    SANE_Handle handle;
    SANE_Int n;

    if (i == WARM_UP_CYCLES) {
      resident = resident_kb();
      open_descriptors = descriptors();
      begin = now();
    }
    check(sane_init(NULL, NULL), "sane_init");
    handle = open_device(device, settings);
    check(sane_start(handle), "sane_start");
    while (sane_read(handle, buffer, sizeof buffer, &n) == SANE_STATUS_GOOD)
      ;
    sane_cancel(handle);
    sane_close(handle);
    sane_exit();
  }
  printf("wall %.6f\n", now() - begin);
  printf("growth_kb %ld\n", resident_kb() - resident);
  printf("descriptors %d\n", descriptors() - open_descriptors);
}

/* Two lists, the second as a program gets it that asks again. */
static void
measure_list(void)
{
  static const char *const names[] = {"wall", "again"};
  const SANE_Device **list;
  double begin;
  int i;

  for (i = 0; i < 2; i++) {
    begin = now();
    check(sane_get_devices(&list, SANE_FALSE), "sane_get_devices");
    printf("%s %.6f\n", names[i], now() - begin);
  }
  for (i = 0; list[i]; i++)
    ;
  printf("devices %d\n", i);
}

/* ------------------------------------------------------------------------------------------ */

static void
print_library(void)
{
  Dl_info info;
  char *path = NULL;

  if (dladdr((void *)sane_init, &info))
    path = realpath(info.dli_fname, NULL);
  printf("library %s\n", path ? path : "?");
  free(path);
}

int
main(int argc, char **argv)
{
  const char *mode = argc > 1 ? argv[1] : "", *device = argc > 2 ? argv[2] : "";

  if (strcmp(mode, "idle") == 0)
    return 0;
  if (strcmp(mode, "cycles") == 0 && argc > 3) {
    print_library();
    measure_cycles(device, atoi(argv[3]), argv + 4);
    return 0;
  }
  check(sane_init(NULL, NULL), "sane_init");
  if (strcmp(mode, "init") == 0) {
    sane_exit();
    return 0;
  }
  print_library();
  if (strcmp(mode, "read") == 0 && argc > 4)
    measure_read(open_device(device, argv + 5), atoi(argv[3]), atoi(argv[4]));
  else if (strcmp(mode, "page") == 0 && argc > 4)
    measure_page(open_device(device, argv + 5), atoi(argv[3]), strcmp(argv[4], "feeder") == 0);
  else if (strcmp(mode, "threads") == 0 && argc > 5)
    measure_threads(device, atoi(argv[3]), atoi(argv[4]), atof(argv[5]), argv + 6);
  else if (strcmp(mode, "first") == 0)
    measure_first(device);
  else if (strcmp(mode, "devices") == 0)
    measure_devices();
  else if (strcmp(mode, "control") == 0 && argc > 3)
    measure_control(open_device(device, argv + argc), atof(argv[3]));
  else if (strcmp(mode, "open") == 0 && argc > 2)
    measure_open(device, argv + 3);
  else if (strcmp(mode, "list") == 0)
    measure_list();
  else if (strcmp(mode, "cancel") == 0 && argc > 3)
    measure_cancel(open_device(device, argv + 4), strcmp(argv[3], "handler") == 0);
  else
    return 2;
  sane_exit();
  return 0;
}
