/* Reads of several devices at once, from a thread each, whose drivers are Python. */
#include "steps.h"

enum { READERS = 8, READS = 3000 };

static void *
read_often(void *handle)
{
  SANE_Byte data[256];
  SANE_Int length;
  int i;

  for (i = 0; i < READS; i++) {
    GOOD(sane_read(handle, data, sizeof data, &length));
    EQUAL(length, (SANE_Int)sizeof data);
  }
  return NULL;
}

static SANE_Handle
started(void)
{
  SANE_Handle h;

  GOOD(sane_open("stepper:b", &h));
  GOOD(sane_start(h));
  return h;
}

/* Each of them gets all of its data. */
static void
many_readers(void)
{
  pthread_t threads[READERS];
  int i;

  GOOD(sane_init(NULL, NULL));
  for (i = 0; i < READERS; i++)
    EQUAL(pthread_create(&threads[i], NULL, read_often, started()), 0);
  for (i = 0; i < READERS; i++)
    EQUAL(pthread_join(threads[i], NULL), 0);
  sane_exit();
}

/* A device that waits keeps nobody else waiting, neither at its first read nor later. */
static void
beside_one_that_waits(void)
{
  Paced slow = open_stepper("r");
  SANE_Handle other = started();
  Caller reads;
  int i;

  GOOD(sane_start(slow.handle));
  tells(&slow, "s");
  for (i = 0; i < 3; i++) {
    begin(&reads, a_read, slow.handle);
    tells(&slow, "r");
    read_often(other);
    release(&slow, 1);
    GOOD(ends(&reads));
  }
  sane_exit();
}

/* Nor does it when others wait for each other, who go on beside it; and what it was kept from, its
 * later reads get as well. */
static void
many_beside_one_that_waits(void)
{
  Paced slow = open_stepper("r");
  pthread_t threads[READERS];
  Caller reads;
  int i, round;

  GOOD(sane_start(slow.handle));
  tells(&slow, "s");
  for (round = 0; round < 3; round++) {
    begin(&reads, a_read, slow.handle);
    tells(&slow, "r");
    for (i = 0; i < READERS; i++)
      EQUAL(pthread_create(&threads[i], NULL, read_often, started()), 0);
    for (i = 0; i < READERS; i++)
      EQUAL(pthread_join(threads[i], NULL), 0);
    release(&slow, 1);
    GOOD(ends(&reads));
  }
  release(&slow, READS);
  EQUAL(pthread_create(&threads[0], NULL, read_often, slow.handle), 0);
  read_often(started());
  EQUAL(pthread_join(threads[0], NULL), 0);
  sane_exit();
}

/* Who has read last, with others waiting, and reads no more: the others go on. */
static void
after_one_that_stops(void)
{
  pthread_t threads[2];
  SANE_Handle last;
  int i;

  GOOD(sane_init(NULL, NULL));
  last = started();
  for (i = 0; i < 2; i++)
    EQUAL(pthread_create(&threads[i], NULL, read_often, started()), 0);
  read_often(last);
  for (i = 0; i < 2; i++)
    EQUAL(pthread_join(threads[i], NULL), 0);
  read_often(last);
  sane_close(last);
  sane_exit();
}

static const Case cases[] = {
  {"many_readers", many_readers},
  {"beside_one_that_waits", beside_one_that_waits},
  {"many_beside_one_that_waits", many_beside_one_that_waits},
  {"after_one_that_stops", after_one_that_stops},
  {NULL, NULL},
};

int
main(int argc, char **argv)
{
  return run_case(argc, argv, cases);
}
