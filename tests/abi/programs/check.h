/* What the test programs share: checks that name their line, and short forms of SANE calls.
 *
 * A program is a table of cases; its first argument chooses one. The first check that fails says
 * so on stderr and ends the process with 1.
 */
#ifndef CHECK_H
#define CHECK_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <sane/sane.h>

typedef struct {
  const char *name;
  void (*run)(void);
} Case;

#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
enum { SLOWER = 5 }; /* all takes longer */
#else
enum { SLOWER = 1 };
#endif

enum { PAGE = 4096, PATIENCE_MS = 5000 * SLOWER };

static inline const char *
status_name(SANE_Status status)
{
  static const char *const names[] = {"GOOD",   "UNSUPPORTED", "CANCELLED", "DEVICE_BUSY",
                                      "INVAL",  "EOF",         "JAMMED",    "NO_DOCS",
                                      "COVER_OPEN", "IO_ERROR", "NO_MEM",   "ACCESS_DENIED"};

  return (unsigned)status < sizeof names / sizeof *names ? names[status] : "NO STATUS";
}

#define FAIL(...) \
  do { \
    fprintf(stderr, "%s:%d: ", __FILE__, __LINE__); \
    fprintf(stderr, __VA_ARGS__); \
    fputc('\n', stderr); \
    _exit(1); \
  } while (0)

#define CHECK(condition) \
  do { \
    if (!(condition)) \
      FAIL("not true: %s (errno %d)", #condition, errno); \
  } while (0)

#define EQUAL(expression, wanted) \
  do { \
    long long given_ = (long long)(expression), wanted_ = (long long)(wanted); \
    if (given_ != wanted_) \
      FAIL("%s is %lld, not %lld", #expression, given_, wanted_); \
  } while (0)

#define IS_STATUS(call, wanted) \
  do { \
    SANE_Status given_ = (call); \
    if (given_ != (wanted)) \
      FAIL("%s gives %s, not %s", #call, status_name(given_), status_name(wanted)); \
  } while (0)

#define STATUS(call, wanted) IS_STATUS(call, SANE_STATUS_##wanted)

#define GOOD(call) STATUS(call, GOOD)

/* Milliseconds of the monotonic clock. */
static inline double
now(void)
{
  struct timespec t;

  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

/* Return how many descriptors are open. */
static inline int
count_fds(void)
{
  DIR *directory = opendir("/proc/self/fd");
  int count = 0;

  while (readdir(directory))
    count++;
  closedir(directory);
  return count - 3; /* ., .. and the directory itself */
}

static inline int
count_threads(void)
{
  DIR *directory = opendir("/proc/self/task");
  int count = 0;

  while (readdir(directory))
    count++;
  closedir(directory);
  return count - 2; /* . and .. */
}

/* Return the resident memory in KiB. */
static inline long
resident_kb(void)
{
  char line[256];
  long kb = -1;
  FILE *file = fopen("/proc/self/status", "r");

  while (fgets(line, sizeof line, file))
    if (sscanf(line, "VmRSS: %ld", &kb) == 1)
      break;
  fclose(file);
  return kb;
}

/* Memory of exactly *size* bytes that ends at a page which may not be touched. */
static inline void *
fenced(size_t size)
{
  size_t whole = (size + PAGE - 1) / PAGE * PAGE;
  char *start = mmap(NULL, whole + PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

  CHECK(start != MAP_FAILED);
  CHECK(mprotect(start + whole, PAGE, PROT_NONE) == 0);
  return start + whole - size;
}

/* A copy of *data* that may only be read, followed by a page that may not be touched. */
static inline void *
frozen(const void *data, size_t size)
{
  char *copy = fenced(size), *start = copy - (size_t)copy % PAGE;

  CHECK(size <= PAGE);
  memcpy(copy, data, size);
  CHECK(mprotect(start, PAGE, PROT_READ) == 0);
  return copy;
}

static inline SANE_Handle
open_device(const char *name)
{
  SANE_Handle handle = NULL;

  GOOD(sane_open(name, &handle));
  CHECK(handle != NULL);
  return handle;
}

static inline SANE_Handle
init_and_open(const char *name)
{
  GOOD(sane_init(NULL, NULL));
  return open_device(name);
}

static inline int
option_count(SANE_Handle handle)
{
  SANE_Int count = -1;

  GOOD(sane_control_option(handle, 0, SANE_ACTION_GET_VALUE, &count, NULL));
  return count;
}

/* Return the index of an option; the descriptors of all are fetched, as most frontends do. */
static inline SANE_Int
option(SANE_Handle handle, const char *name)
{
  const SANE_Option_Descriptor *d;
  SANE_Int i, found = -1;

  for (i = 0; (d = sane_get_option_descriptor(handle, i)); i++)
    if (d->name && strcmp(d->name, name) == 0)
      found = i;
  if (found < 0)
    FAIL("no option %s", name);
  return found;
}

static inline const SANE_Option_Descriptor *
descriptor(SANE_Handle handle, const char *name)
{
  return sane_get_option_descriptor(handle, option(handle, name));
}

static inline SANE_Status
set(SANE_Handle handle, const char *name, void *value, SANE_Int *info)
{
  return sane_control_option(handle, option(handle, name), SANE_ACTION_SET_VALUE, value, info);
}

static inline SANE_Int
set_word(SANE_Handle handle, const char *name, SANE_Word word)
{
  SANE_Int info = 0;

  if (set(handle, name, &word, &info) != SANE_STATUS_GOOD)
    FAIL("cannot set %s to %d", name, word);
  return info;
}

static inline SANE_Int
set_text(SANE_Handle handle, const char *name, const char *text)
{
  char copy[256];
  SANE_Int info = 0;

  strcpy(copy, text);
  if (set(handle, name, copy, &info) != SANE_STATUS_GOOD)
    FAIL("cannot set %s to %s", name, text);
  return info;
}

static inline SANE_Word
get_word(SANE_Handle handle, const char *name)
{
  SANE_Word word = 0;
  SANE_Int index = option(handle, name);

  GOOD(sane_control_option(handle, index, SANE_ACTION_GET_VALUE, &word, NULL));
  return word;
}

/* Return the text of a string option; the next call overwrites it. */
static inline const char *
get_text(SANE_Handle handle, const char *name)
{
  static char text[4096];
  SANE_Int index = option(handle, name);

  GOOD(sane_control_option(handle, index, SANE_ACTION_GET_VALUE, text, NULL));
  return text;
}

static inline SANE_Parameters
parameters(SANE_Handle handle)
{
  SANE_Parameters p;

  GOOD(sane_get_parameters(handle, &p));
  return p;
}

static inline int
frame_bytes(SANE_Handle handle)
{
  SANE_Parameters p = parameters(handle);

  return p.bytes_per_line * p.lines;
}

/* Read to the end of the frame in pieces of *chunk*; store up to *room* bytes; return the count. */
static inline int
read_frame(SANE_Handle handle, int chunk, unsigned char *data, int room)
{
  static unsigned char nowhere[1 << 20];
  SANE_Status status;
  SANE_Int length;
  int total = 0;

  for (;;) {
    unsigned char *target = data && room - total >= chunk ? data + total : nowhere;
    int size = chunk < (int)sizeof nowhere ? chunk : (int)sizeof nowhere;
    length = 4711;
    status = sane_read(handle, target, size, &length);
    if (status != SANE_STATUS_GOOD)
      break;
    CHECK(length > 0 && length <= size);
    if (data && target == nowhere && total + length <= room)
      memcpy(data + total, nowhere, (size_t)length);
    total += length;
  }
  EQUAL(length, 0);
  STATUS(status, EOF);
  return total;
}

/* FNV-1a. */
static inline unsigned long long
checksum(const unsigned char *data, size_t size)
{
  unsigned long long hash = 0xCBF29CE484222325u;

  while (size--)
    hash = (hash ^ *data++) * 0x100000001B3u;
  return hash;
}

/* sane_read with a length that was something else before. */
static inline SANE_Status
read_into(SANE_Handle h, void *data, int size, SANE_Int *length)
{
  *length = 4711;
  return sane_read(h, data, size, length);
}

#define REFUSED(handle, wanted) \
  do { \
    SANE_Int length_; \
    SANE_Byte byte_ = 0xC7; \
    IS_STATUS(read_into(handle, &byte_, 1, &length_), SANE_STATUS_##wanted); \
    EQUAL(length_, 0); \
    EQUAL(byte_, 0xC7); \
  } while (0)

/* Wait for *fd* to be readable and read one byte. */
static inline int
await_byte(int fd)
{
  struct pollfd wanted = {.fd = fd, .events = POLLIN};
  double end = now() + PATIENCE_MS;
  unsigned char byte;

  while (poll(&wanted, 1, 50) != 1) /* a signal may interrupt it */
    if (now() > end)
      FAIL("nothing arrived");
  EQUAL(read(fd, &byte, 1), 1);
  return byte;
}

static inline int
is_readable(int fd, int timeout_ms)
{
  struct pollfd wanted = {.fd = fd, .events = POLLIN};

  return poll(&wanted, 1, timeout_ms) == 1;
}

/* The two pipes with which drivers/proper.py is paced: what it tells, and what lets it go on. */
typedef struct {
  SANE_Handle handle;
  int told, gate, driver[2];
} Paced;

static inline Paced
open_paced(const char *name)
{
  Paced p;
  int told[2], gate[2];

  CHECK(pipe2(told, O_CLOEXEC) == 0 && pipe2(gate, O_CLOEXEC) == 0);
  p.handle = open_device(name);
  set_word(p.handle, "told", told[1]);
  set_word(p.handle, "gate", gate[0]);
  p.told = told[0];
  p.gate = gate[1];
  p.driver[0] = told[1];
  p.driver[1] = gate[0];
  return p;
}

/* Let the driver deliver *lines* more lines. */
static inline void
release(const Paced *p, int lines)
{
  while (lines--)
    EQUAL(write(p->gate, "g", 1), 1);
}

/* Await these letters from the driver, in this order. */
static inline void
tells(const Paced *p, const char *letters)
{
  for (; *letters; letters++) {
    int told = await_byte(p->told);
    if (told != *letters)
      FAIL("told %c, not %s", told, letters);
  }
}

static inline void
close_pipes(const Paced *p)
{
  close(p->told);
  close(p->gate);
  close(p->driver[0]);
  close(p->driver[1]);
}

static inline int
run_case(int argc, char **argv, const Case *cases)
{
  for (; argc > 1 && cases->name; cases++)
    if (strcmp(cases->name, argv[1]) == 0) {
      cases->run();
      return 0;
    }
  fprintf(stderr, "no such case\n");
  return 2;
}

#endif
