/* Forks and threads of the host: the child of a fork is told so, several scans run at once. */
#include "check.h"

#include <pthread.h>
#include <sys/wait.h>

/* -- Fork ------------------------------------------------------------------------------------ */

static void
refuse_in_child(SANE_Handle h)
{
  const SANE_Device **list = NULL;
  SANE_Handle other = NULL;
  SANE_Parameters p;
  SANE_Byte byte;
  SANE_Int word = 0, length = 7;
  double start = now();

  CHECK(sane_get_option_descriptor(h, 0) == NULL);
  STATUS(sane_control_option(h, 0, SANE_ACTION_GET_VALUE, &word, NULL), IO_ERROR);
  STATUS(sane_get_parameters(h, &p), IO_ERROR);
  STATUS(sane_read(h, &byte, 1, &length), IO_ERROR);
  EQUAL(length, 0);
  STATUS(sane_start(h), IO_ERROR);
  STATUS(sane_set_io_mode(h, SANE_FALSE), IO_ERROR);
  STATUS(sane_get_select_fd(h, &word), IO_ERROR);
  STATUS(sane_get_devices(&list, SANE_FALSE), IO_ERROR);
  CHECK(list && !list[0]);
  STATUS(sane_open("test:1", &other), IO_ERROR);
  sane_cancel(h);
  sane_close(h);
  sane_exit();
  CHECK(strcmp(sane_strstatus(SANE_STATUS_GOOD), "Success") == 0);
  CHECK(now() - start < 500);
}

static void
await_child(pid_t child)
{
  double start = now();
  int status;

  CHECK(child > 0);
  EQUAL(waitpid(child, &status, 0), child);
  EQUAL(status, 0);
  CHECK(now() - start < PATIENCE_MS);
}

static void
fork_in_scan(void)
{
  static const char *const names[] = {"test:0", "proper:flat", "proper:thread"};
  static unsigned char wanted[1 << 20], got[1 << 20];
  int i, total;

  for (i = 0; i < 3; i++) {
    SANE_Handle h = init_and_open(names[i]);
    SANE_Int length;
    pid_t child;
    GOOD(sane_start(h));
    total = read_frame(h, 32768, wanted, sizeof wanted);
    GOOD(sane_start(h));
    GOOD(sane_read(h, got, 1000, &length));
    child = fork();
    if (child == 0) {
      refuse_in_child(h);
      exit(0); /* with all that runs at exit */
    }
    await_child(child);
    EQUAL(length + read_frame(h, 32768, got + length, (int)sizeof got - length), total);
    CHECK(memcmp(got, wanted, (size_t)total) == 0);
    sane_exit();
  }
}

static void *
read_one(void *handle)
{
  SANE_Byte byte;
  SANE_Int length;

  GOOD(sane_read(handle, &byte, 1, &length));
  return NULL;
}

/* The thread in the driver, which held what it held, does not exist in the child. */
static void
fork_beside_a_read(void)
{
  pthread_t thread;
  pid_t child;
  Paced p;

  GOOD(sane_init(NULL, NULL));
  p = open_paced("proper:flat");
  GOOD(sane_start(p.handle));
  pthread_create(&thread, NULL, read_one, p.handle);
  EQUAL(await_byte(p.told), 's');
  EQUAL(await_byte(p.told), 'r');
  child = fork();
  if (child == 0) {
    refuse_in_child(p.handle);
    exit(0);
  }
  await_child(child);
  CHECK(!is_readable(p.told, 0)); /* neither cancelled nor closed */
  release(&p, 1);
  pthread_join(thread, NULL);
  sane_exit();
}

/* -- Threads --------------------------------------------------------------------------------- */

enum { THREADS = 4, SCANS = 5, FRAME_ROOM = 1 << 19 };

static void *
scan_alone(void *name)
{
  unsigned char *data = malloc(FRAME_ROOM);
  unsigned long long sum = 0;
  SANE_Handle h = open_device(name);
  int i, total;

  for (i = 0; i < SCANS; i++) {
    set_text(h, "mode", "Color");
    set_text(h, "test-picture", "Color pattern");
    GOOD(sane_start(h));
    total = read_frame(h, 3333, data, FRAME_ROOM);
    CHECK(total > 10000 && total < FRAME_ROOM);
    CHECK(i == 0 || sum == checksum(data, (size_t)total));
    sum = checksum(data, (size_t)total);
    sane_cancel(h);
  }
  sane_close(h);
  free(data);
  return (void *)sum;
}

static void
fork_before_use(void)
{
  pid_t child;
  void *sum;

  GOOD(sane_init(NULL, NULL));
  child = fork();
  sum = scan_alone("test:0");
  CHECK(sum == scan_alone("test:1"));
  if (child == 0)
    exit(0);
  await_child(child);
}

static void
concurrent(void)
{
  static char names[THREADS][16];
  pthread_t threads[THREADS];
  void *sums[THREADS];
  int round, i;

  GOOD(sane_init(NULL, NULL));
  for (round = 0; round < 5; round++) {
    for (i = 0; i < THREADS; i++) {
      sprintf(names[i], "test:%d", i);
      EQUAL(pthread_create(&threads[i], NULL, scan_alone, names[i]), 0);
    }
    for (i = 0; i < THREADS; i++) {
      pthread_join(threads[i], &sums[i]);
      CHECK(sums[i] == sums[0]);
    }
  }
  sane_exit();
}

/* The first call that needs Python, from several threads at once. */
static void *
first_use(void *name)
{
  sane_close(open_device(name));
  return NULL;
}

static void
concurrent_first_use(void)
{
  static char names[THREADS][16];
  pthread_t threads[THREADS];
  int i;

  for (i = 0; i < THREADS; i++) {
    sprintf(names[i], "test:%d", i);
    pthread_create(&threads[i], NULL, first_use, names[i]);
  }
  for (i = 0; i < THREADS; i++)
    pthread_join(threads[i], NULL);
}

static const Case cases[] = {
  {"fork_in_scan", fork_in_scan},
  {"fork_beside_a_read", fork_beside_a_read},
  {"fork_before_use", fork_before_use},
  {"concurrent", concurrent},
  {"concurrent_first_use", concurrent_first_use},
  {NULL, NULL},
};

int
main(int argc, char **argv)
{
  return run_case(argc, argv, cases);
}
