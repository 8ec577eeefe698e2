/* Init, exit, open and close in every order that occurs, with everything left open or not. */
#include "check.h"

#include <pthread.h>
#include <sys/resource.h>

enum { CYCLES = 1000, SLOTS = 3000 };

/* -- Orders ---------------------------------------------------------------------------------- */

static void
init_exit(void)
{
  double start;
  int fds, i;

  GOOD(sane_init(NULL, NULL));
  sane_exit();
  fds = count_fds();
  start = now();
  for (i = 0; i < CYCLES; i++) {
    GOOD(sane_init(NULL, NULL));
    sane_exit();
  }
  CHECK(now() - start < 1000 * SLOWER);
  EQUAL(count_fds(), fds);
}

static void
version(void)
{
  SANE_Int code = 0;

  GOOD(sane_init(&code, NULL));
  EQUAL(SANE_VERSION_MAJOR(code), SANE_CURRENT_MAJOR);
  EQUAL(code, SANE_VERSION_CODE(1, 2, 1));
}

static void
init_twice(void)
{
  SANE_Handle h = init_and_open("test:0");

  GOOD(sane_init(NULL, NULL));
  CHECK(option_count(h) > 1);
  sane_exit();
  CHECK(sane_get_option_descriptor(h, 0) == NULL);
}

static void
wrong_order(void)
{
  const SANE_Device **list = NULL;
  SANE_Handle h = NULL;

  sane_exit();
  GOOD(sane_get_devices(&list, SANE_TRUE));
  CHECK(list && !list[0]);
  GOOD(sane_init(NULL, NULL));
  sane_exit();
  sane_exit();
  GOOD(sane_open("test:0", &h)); /* Image::Sane, when it changes the device */
  EQUAL(option_count(h), 57);
  sane_close(h);
  sane_exit();
}

static void
implicit_init_before_any(void)
{
  EQUAL(option_count(open_device("test:1")), 57);
}

static void
exit_scanning(void)
{
  SANE_Handle h = init_and_open("test:0"), other = open_device("test:1");
  SANE_Byte data[100];
  SANE_Int length;
  double start;

  GOOD(sane_start(h));
  GOOD(sane_read(h, data, sizeof data, &length));
  start = now();
  sane_exit();
  CHECK(now() - start < 2000);
  STATUS(sane_read(h, data, sizeof data, &length), INVAL);
  STATUS(sane_start(other), INVAL);
  h = init_and_open("test:0");
  GOOD(sane_start(h));
}

static void
exit_finishes(void)
{
  Paced p;
  SANE_Int length;
  SANE_Byte byte;

  GOOD(sane_init(NULL, NULL));
  p = open_paced("proper:flat");
  GOOD(sane_start(p.handle));
  release(&p, 1);
  GOOD(sane_read(p.handle, &byte, 1, &length));
  sane_exit();
  EQUAL(await_byte(p.told), 's');
  EQUAL(await_byte(p.told), 'r');
  EQUAL(await_byte(p.told), 'F');
  EQUAL(await_byte(p.told), 'c');
}

/* -- Lists ----------------------------------------------------------------------------------- */

static void
list(void)
{
  const SANE_Device **devices = NULL, *first;
  char name[32];

  GOOD(sane_init(NULL, NULL));
  STATUS(sane_get_devices(NULL, SANE_TRUE), INVAL);
  GOOD(sane_get_devices(&devices, SANE_TRUE));
  CHECK(devices[0] && devices[1] && !devices[2]);
  CHECK(strcmp(devices[0]->name, "test:0") == 0 && strcmp(devices[1]->name, "test:1") == 0);
  CHECK(strcmp(devices[0]->vendor, "Noname") == 0 && strlen(devices[0]->model) > 0);
  CHECK(strcmp(devices[0]->type, "virtual device") == 0);
  first = devices[0];
  strcpy(name, first->name);
  sane_close(open_device(name)); /* the list stays as it is until the next */
  CHECK(devices[0] == first && strcmp(first->name, name) == 0 && !devices[2]);
}

static void
list_empty(void)
{
  const SANE_Device **devices = NULL;

  setenv("SANE_CONFIG_DIR", "/nonexistent", 1);
  GOOD(sane_init(NULL, NULL));
  GOOD(sane_get_devices(&devices, SANE_FALSE));
  CHECK(devices && !devices[0]);
}

/* The configuration is that of sane_init, although it is read later. */
static void
config_of_init(void)
{
  const SANE_Device **devices = NULL;

  GOOD(sane_init(NULL, NULL));
  setenv("SANE_CONFIG_DIR", "/nonexistent", 1);
  GOOD(sane_get_devices(&devices, SANE_FALSE));
  CHECK(devices[0]);
  sane_exit();
  GOOD(sane_init(NULL, NULL));
  GOOD(sane_get_devices(&devices, SANE_FALSE));
  CHECK(!devices[0]);
}

static void
local_only(void)
{
  const SANE_Device **devices = NULL;
  int count;

  GOOD(sane_init(NULL, NULL));
  GOOD(sane_get_devices(&devices, SANE_TRUE));
  for (count = 0; devices[count]; count++)
    CHECK(!strstr(devices[count]->name, "remote"));
  GOOD(sane_get_devices(&devices, SANE_FALSE));
  CHECK(devices[count] && !devices[count + 1]);
}

static _Atomic int has_listed;

static void *
list_slowly(void *devices)
{
  GOOD(sane_get_devices(devices, SANE_TRUE));
  has_listed = 1;
  return NULL;
}

/* KSaneCore lists in a thread while it reads options of a device that is open. */
static void
list_beside_options(void)
{
  const char *fifo = getenv("PYSANE_TEST_FIFO");
  const SANE_Device **devices = NULL;
  SANE_Handle h = init_and_open("test:0");
  pthread_t thread;
  int fd;

  pthread_create(&thread, NULL, list_slowly, &devices);
  fd = open(fifo, O_WRONLY); /* returns when the driver is inside list_devices */
  CHECK(fd >= 0);
  set_word(h, "depth", 16);
  EQUAL(get_word(h, "depth"), 16);
  sane_close(open_device("test:1"));
  CHECK(!has_listed);
  close(fd);
  pthread_join(thread, NULL);
  CHECK(devices && devices[0]);
}

/* -- Names and handles ----------------------------------------------------------------------- */

static void
open_names(void)
{
  static const char *const wrong[] = {"test:7", "nosuch:0", "dll:test:0", "../x:0", "a b:c",
                                      "test\n:0", "\xff\xfe", NULL};
  SANE_Handle h = (SANE_Handle)wrong;
  int i;

  GOOD(sane_init(NULL, NULL));
  STATUS(sane_open(NULL, &h), INVAL);
  STATUS(sane_open("test:0", NULL), INVAL);
  for (i = 0; wrong[i]; i++)
    if (sane_open(wrong[i], &h) != SANE_STATUS_INVAL)
      FAIL("open %s is not INVAL", wrong[i]);
  CHECK(h == (SANE_Handle)wrong);
  sane_exit();
  GOOD(sane_init(NULL, NULL));
  GOOD(sane_open("", &h)); /* the first device */
  STATUS(sane_open("test:0", &h), DEVICE_BUSY);
}

static void
refuse_all(SANE_Handle h)
{
  SANE_Parameters p;
  SANE_Byte byte;
  SANE_Int word = 0, length = 5;

  CHECK(sane_get_option_descriptor(h, 0) == NULL);
  STATUS(sane_control_option(h, 0, SANE_ACTION_GET_VALUE, &word, NULL), INVAL);
  STATUS(sane_get_parameters(h, &p), INVAL);
  STATUS(sane_start(h), INVAL);
  STATUS(sane_read(h, &byte, 1, &length), INVAL);
  EQUAL(length, 0);
  STATUS(sane_set_io_mode(h, SANE_FALSE), INVAL);
  STATUS(sane_get_select_fd(h, &word), INVAL);
  sane_cancel(h);
  sane_close(h);
}

static void
bad_handles(void)
{
  SANE_Handle h, stale;
  unsigned long garbage[] = {0, 1, 1024, 1025, ~0ul, ~0ul >> 1, 0xdeadbeef, 1ul << 63};
  unsigned i;

  refuse_all(NULL); /* before init */
  stale = init_and_open("test:0");
  sane_close(stale);
  refuse_all(stale);
  h = open_device("test:0");
  for (i = 0; i < sizeof garbage / sizeof *garbage; i++)
    if ((SANE_Handle)garbage[i] != h)
      refuse_all((SANE_Handle)garbage[i]);
  refuse_all(&h);
  refuse_all(stale);
  EQUAL(option_count(h), 57);
  sane_exit();
  refuse_all(h);
  GOOD(sane_init(NULL, NULL));
  refuse_all(h);
}

/* A handle that was closed never means a later one. */
static void
many_opens(void)
{
  static SANE_Handle before[SLOTS];
  int i, j;

  GOOD(sane_init(NULL, NULL));
  for (i = 0; i < SLOTS; i++) {
    before[i] = open_device("proper:flat");
    for (j = 0; j < i; j++)
      CHECK(before[j] != before[i]);
    sane_close(before[i]);
  }
  for (i = 0; i < SLOTS; i++)
    CHECK(sane_get_option_descriptor(before[i], 0) == NULL);
}

static void
busy(void)
{
  SANE_Handle h = init_and_open("test:0"), again = NULL;

  STATUS(sane_open("test:0", &again), DEVICE_BUSY);
  CHECK(again == NULL);
  EQUAL(option_count(h), 57);
  sane_close(h);
  open_device("test:0");
}

static void
no_descriptors(void)
{
  SANE_Handle h = init_and_open("proper:flat"), other = NULL;
  struct rlimit limit, none;
  int i;

  getrlimit(RLIMIT_NOFILE, &limit);
  none = limit;
  none.rlim_cur = 3;
  setrlimit(RLIMIT_NOFILE, &none);
  for (i = 0; i < 3; i++) {
    CHECK(sane_open("proper:flat", &other) != SANE_STATUS_GOOD && other == NULL);
    CHECK(sane_start(h) <= SANE_STATUS_ACCESS_DENIED);
    sane_cancel(h);
  }
  setrlimit(RLIMIT_NOFILE, &limit);
  GOOD(sane_start(h));
  EQUAL(read_frame(h, 4096, NULL, 0), frame_bytes(h));
  open_device("proper:flat");
}

/* -- Memory of descriptors -------------------------------------------------------------------- */

enum { SWELLING_KB = 64 * 1024 };

/* What a device has shown stays in memory until close: what it shows again costs nothing, and what
 * is new each time is too much one day. */
static void
swelling(void)
{
  SANE_Handle h = init_and_open("swelling:one");
  const SANE_Option_Descriptor *d = sane_get_option_descriptor(h, 2);
  const SANE_Word *first = d->constraint.word_list;
  SANE_Status status = SANE_STATUS_GOOD;
  long kb = resident_kb();
  SANE_Int round;
  int i;

  for (i = 0; i < 200; i++) {
    round = i % 2;
    GOOD(sane_control_option(h, 1, SANE_ACTION_SET_VALUE, &round, NULL));
    EQUAL(d->constraint.word_list[1], round);
  }
  round = 0;
  GOOD(sane_control_option(h, 1, SANE_ACTION_SET_VALUE, &round, NULL));
  CHECK(d->constraint.word_list == first);
  for (i = 2; i < 200 && status == SANE_STATUS_GOOD; i++) {
    round = i;
    status = sane_control_option(h, 1, SANE_ACTION_SET_VALUE, &round, NULL);
  }
  STATUS(status, IO_ERROR);
  CHECK(resident_kb() - kb < SWELLING_KB);
  EQUAL(first[1], 0); /* as valid as ever */
  sane_close(h);
  h = open_device("swelling:one");
  round = i;
  GOOD(sane_control_option(h, 1, SANE_ACTION_SET_VALUE, &round, NULL));
  sane_exit();
}

/* -- What sane_init was told ------------------------------------------------------------------ */

static void
answer_in_latin(const char *resource, char *user, char *password)
{
  CHECK(strcmp(resource, "caf\351") == 0);
  strcpy(user, "j\366rg");
  strcpy(password, "sch\374ssel");
}

/* Names, resources, users and passwords are bytes: of whatever encoding they come back as given. */
static void
latin(void)
{
  SANE_Handle h = NULL;

  GOOD(sane_init(NULL, answer_in_latin));
  GOOD(sane_open("faulty:caf\351", &h));
  sane_exit();
}

/* A host that closes all descriptors that it does not know: their numbers are soon its own. */
static void
descriptors_closed_by_the_host(void)
{
  int fd, own[16], i;

  GOOD(sane_init(NULL, NULL));
  for (fd = 3; fd < 64; fd++)
    close(fd);
  for (i = 0; i < 16; i++)
    CHECK((own[i] = open("/dev/null", O_RDONLY)) == 3 + i);
  sane_exit();
  for (i = 0; i < 16; i++)
    CHECK(fcntl(own[i], F_GETFD) == 0);
}

static const Case cases[] = {
  {"swelling", swelling},
  {"latin", latin},
  {"descriptors_closed_by_the_host", descriptors_closed_by_the_host},
  {"init_exit", init_exit},
  {"version", version},
  {"init_twice", init_twice},
  {"wrong_order", wrong_order},
  {"implicit_init_before_any", implicit_init_before_any},
  {"exit_scanning", exit_scanning},
  {"exit_finishes", exit_finishes},
  {"list", list},
  {"list_empty", list_empty},
  {"config_of_init", config_of_init},
  {"local_only", local_only},
  {"list_beside_options", list_beside_options},
  {"open_names", open_names},
  {"bad_handles", bad_handles},
  {"many_opens", many_opens},
  {"busy", busy},
  {"no_descriptors", no_descriptors},
  {NULL, NULL},
};

int
main(int argc, char **argv)
{
  return run_case(argc, argv, cases);
}
