/* Threads that the host ends by pthread_cancel, as scanbd does: nothing stays locked behind them. */
#include "steps.h"

enum { SOON_MS = 2000 * SLOWER };

/* Whether the calling thread ends when its call returns, and how it did. */
static void
ends_soon(Caller *c)
{
  double since = now();
  void *result;

  EQUAL(pthread_cancel(c->thread), 0);
  pthread_join(c->thread, &result);
  CHECK(now() - since < SOON_MS);
  CHECK(result == PTHREAD_CANCELED);
}

/* The device can be used by others. */
static void
check_usable(const Paced *s)
{
  tells(s, "F");
  set_text(s->handle, "steps", "");
  GOOD(sane_start(s->handle));
  GOOD(a_read(s->handle));
  sane_close(s->handle);
  tells(s, "srFc");
  sane_exit();
}

/* sane_read is a cancellation point, also while it waits for a slow scanner. */
static void
in_a_read(void)
{
  Paced s;
  Caller reads;

  GOOD(sane_init(NULL, NULL));
  s = open_stepper("r");
  GOOD(sane_start(s.handle));
  begin(&reads, a_read, s.handle);
  tells(&s, "sr");
  ends_soon(&reads);
  STATUS(a_read(s.handle), CANCELLED);
  check_usable(&s);
}

static void
in_a_start(void)
{
  Paced s;
  Caller starts;

  GOOD(sane_init(NULL, NULL));
  s = open_stepper("s");
  begin(&starts, sane_start, s.handle);
  tells(&s, "s");
  ends_soon(&starts);
  set_text(s.handle, "steps", "");
  GOOD(sane_start(s.handle));
  GOOD(a_read(s.handle));
  tells(&s, "Fsr");
}

/* A loop of reads that never wait, and that does nothing else. */
static SANE_Status
reads_for_ever(SANE_Handle h)
{
  while (a_read(h) == SANE_STATUS_GOOD)
    ;
  return SANE_STATUS_IO_ERROR;
}

static void
between_reads(void)
{
  Paced s;
  Caller reads;

  GOOD(sane_init(NULL, NULL));
  s = open_stepper("");
  set_word(s.handle, "told", -1);
  GOOD(sane_start(s.handle));
  begin(&reads, reads_for_ever, s.handle);
  usleep(20000);
  ends_soon(&reads);
  GOOD(a_read(s.handle)); /* the scan goes on */
  sane_close(s.handle);
}

/* Whoever has cancellation disabled stays, and gets its data. */
static SANE_Status
read_undisturbed(SANE_Handle h)
{
  SANE_Status status;

  pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
  status = a_read(h);
  return status;
}

static void
disabled(void)
{
  Paced s;
  Caller reads;

  GOOD(sane_init(NULL, NULL));
  s = open_stepper("r");
  GOOD(sane_start(s.handle));
  begin(&reads, read_undisturbed, s.handle);
  tells(&s, "sr");
  pthread_cancel(reads.thread);
  CHECK(!is_readable(s.told, 700));
  release(&s, 1);
  GOOD(ends(&reads));
}

/* It ends with the cancellation pending, after a call of ours or with its first one. */
static SANE_Status
asks_and_ends(SANE_Handle h)
{
  SANE_Status status = a_parameters(h);

  pthread_cancel(pthread_self());
  return status;
}

static SANE_Status
ends_and_looks(SANE_Handle h)
{
  pthread_cancel(pthread_self());
  CHECK(sane_get_option_descriptor(h, 0) != NULL);
  return SANE_STATUS_GOOD;
}

static SANE_Status
ends_and_asks(SANE_Handle h)
{
  pthread_cancel(pthread_self());
  return a_parameters(h);
}

static void
pending(void)
{
  SANE_Status (*const calls[])(SANE_Handle) = {asks_and_ends, ends_and_looks, ends_and_asks};
  Paced s;
  int i;

  GOOD(sane_init(NULL, NULL));
  s = open_stepper("");
  for (i = 0; i < 3; i++) {
    Caller c;
    begin(&c, calls[i], s.handle);
    GOOD(ends(&c));
    alarm(10); /* whoever holds Python's lock for ever stops the next call */
    GOOD(a_parameters(s.handle));
    alarm(0);
  }
}

enum { ROUNDS = 60, LONGEST_US = 20000 };

/* Everything that a thread may be in when its end comes. */
static SANE_Status
lives(SANE_Handle unused)
{
  SANE_Handle h;

  for (;;)
    if (sane_open("stepper:a", &h) == SANE_STATUS_GOOD) {
      a_look(h);
      if (sane_start(h) == SANE_STATUS_GOOD)
        a_read(h);
      a_parameters(h);
      sane_cancel(h);
      sane_close(h);
    }
  return unused ? SANE_STATUS_GOOD : SANE_STATUS_IO_ERROR;
}

/* Whatever it leaves open, and whenever: sane_exit ends it, and nothing is kept. */
static void
ended_anywhere(void)
{
  unsigned seed = 1;
  int i, fds = 0;

  for (i = 0; i < ROUNDS; i++) {
    Caller one, other;
    GOOD(sane_init(NULL, NULL));
    begin(&one, lives, NULL);
    begin(&other, lives, NULL);
    usleep((useconds_t)(rand_r(&seed) % LONGEST_US));
    ends_soon(&one);
    sane_exit(); /* beside the other one */
    GOOD(sane_init(NULL, NULL));
    ends_soon(&other);
    sane_exit();
    if (i == ROUNDS / 2)
      fds = count_fds();
  }
  CHECK(count_fds() <= fds + 4); /* each place in the pool keeps its pipe */
  GOOD(sane_start(init_and_open("stepper:a")));
}

static const Case cases[] = {
  {"in_a_read", in_a_read},
  {"in_a_start", in_a_start},
  {"between_reads", between_reads},
  {"disabled", disabled},
  {"pending", pending},
  {"ended_anywhere", ended_anywhere},
  {NULL, NULL},
};

int
main(int argc, char **argv)
{
  return run_case(argc, argv, cases);
}
