/* Cancel, close and exit while a call is under way: from handlers and from other threads. */
#include "check.h"

#include <pthread.h>
#include <signal.h>

enum { PROMPT_MS = 500 * SLOWER, ODD_ERRNO = 12345 };

static SANE_Handle handle;
static volatile sig_atomic_t handled;
static volatile double handled_at;

typedef struct {
  SANE_Status status;
  SANE_Int length;
  double ended;
} Outcome;

static void
read_once(SANE_Handle h, Outcome *outcome)
{
  SANE_Byte data[512];

  outcome->length = 4711;
  outcome->status = sane_read(h, data, sizeof data, &outcome->length);
  outcome->ended = now();
}

/* -- SIGINT in a blocked read ---------------------------------------------------------------- */

static void
on_cancel(int number)
{
  int before = errno;

  (void)number;
  errno = ODD_ERRNO;
  sane_cancel(handle);
  if (errno == ODD_ERRNO)
    handled++;
  handled_at = now();
  errno = before;
}

static void
install(void (*handler)(int), int number)
{
  struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};

  sigemptyset(&action.sa_mask);
  EQUAL(sigaction(number, &action, NULL), 0);
}

typedef struct {
  const Paced *p;
  pthread_t target;
} Interrupter;

static _Atomic int about_to_read; /* the main thread is about to call sane_read */

/* Wait until the main thread is in sane_read: it has slept for a while since. */
static void
await_reader(void)
{
  struct timespec tick = {.tv_nsec = 2000000};
  int asleep = 0;

  while (asleep < 5) {
    char text[512] = "";
    FILE *file;
    snprintf(text, sizeof text, "/proc/self/task/%d/stat", (int)getpid());
    file = fopen(text, "r");
    CHECK(file && fgets(text, sizeof text, file));
    fclose(file);
    asleep = about_to_read && strstr(text, ") S ") ? asleep + 1 : 0;
    nanosleep(&tick, NULL);
  }
}

/* Send SIGINT to the reading thread as soon as it waits for the driver. */
static void *
interrupt_reader(void *argument)
{
  const Interrupter *i = argument;

  EQUAL(await_byte(i->p->told), 's');
  EQUAL(await_byte(i->p->told), 'r');
  await_reader();
  pthread_kill(i->target, SIGINT);
  return NULL;
}

static void
check_cancelled(SANE_Handle h, const Outcome *outcome, double since)
{
  Outcome again;

  STATUS(outcome->status, CANCELLED);
  EQUAL(outcome->length, 0);
  if (outcome->ended - since > PROMPT_MS)
    FAIL("it took %g ms", outcome->ended - since);
  read_once(h, &again);
  STATUS(again.status, CANCELLED);
  EQUAL(again.length, 0);
  sane_cancel(h);
  sane_cancel(h);
  CHECK(option_count(h) > 1);
}

static void
interrupted(const char *name)
{
  Interrupter i;
  pthread_t thread;
  Outcome outcome;
  Paced p;

  GOOD(sane_init(NULL, NULL));
  p = open_paced(name);
  handle = p.handle;
  install(on_cancel, SIGINT);
  GOOD(sane_start(handle));
  i = (Interrupter){&p, pthread_self()};
  pthread_create(&thread, NULL, interrupt_reader, &i);
  about_to_read = 1;
  read_once(handle, &outcome);
  pthread_join(thread, NULL);
  EQUAL(handled, 1);
  if (strcmp(name, "proper:thread") == 0)
    release(&p, 1); /* its plain read returns: later calls may wait for that */
  check_cancelled(handle, &outcome, handled_at);
  set_word(handle, "gate", -1);
  GOOD(sane_start(handle));
  EQUAL(read_frame(handle, 32768, NULL, 0), frame_bytes(handle));
  sane_close(handle);
  sane_exit();
}

static void
sigint(void)
{
  interrupted("proper:flat");
}

static void
sigint_thread(void)
{
  interrupted("proper:thread");
}

static void *
interrupt_later(void *target)
{
  struct timespec delay = {.tv_nsec = 50000000};

  nanosleep(&delay, NULL);
  pthread_kill(*(pthread_t *)target, SIGINT);
  return NULL;
}

static void
sigint_test(void)
{
  pthread_t thread, self = pthread_self();
  Outcome outcome;

  handle = init_and_open("test:0");
  set_word(handle, "read-delay", SANE_TRUE);
  set_word(handle, "read-delay-duration", 200000);
  install(on_cancel, SIGINT);
  GOOD(sane_start(handle));
  pthread_create(&thread, NULL, interrupt_later, &self);
  read_once(handle, &outcome);
  pthread_join(thread, NULL);
  EQUAL(handled, 1);
  STATUS(outcome.status, CANCELLED);
  CHECK(outcome.ended - handled_at < 100 * SLOWER); /* not just the end of the delay */
  check_cancelled(handle, &outcome, handled_at);
}

/* -- From another thread --------------------------------------------------------------------- */

static void *
read_in_thread(void *outcome)
{
  read_once(handle, outcome);
  return NULL;
}

static Paced
reading(const char *name, pthread_t *thread, Outcome *outcome)
{
  Paced p;

  GOOD(sane_init(NULL, NULL));
  p = open_paced(name);
  handle = p.handle;
  GOOD(sane_start(handle));
  pthread_create(thread, NULL, read_in_thread, outcome);
  EQUAL(await_byte(p.told), 's');
  EQUAL(await_byte(p.told), 'r');
  return p;
}

static void
other_thread(void)
{
  pthread_t thread;
  Outcome outcome;
  double since;

  reading("proper:flat", &thread, &outcome);
  since = now();
  sane_cancel(handle);
  sane_cancel(handle);
  sane_cancel(handle);
  pthread_join(thread, NULL);
  check_cancelled(handle, &outcome, since);
}

/* KSaneCore's closeDevice. */
static void
close_while_reading(void)
{
  pthread_t thread;
  Outcome outcome;
  double since;
  Paced p = reading("proper:flat", &thread, &outcome);

  since = now();
  sane_close(handle);
  CHECK(now() - since < PROMPT_MS);
  pthread_join(thread, NULL);
  CHECK(outcome.status != SANE_STATUS_GOOD && outcome.length == 0);
  CHECK(outcome.ended - since < PROMPT_MS);
  EQUAL(await_byte(p.told), 'F');
  EQUAL(await_byte(p.told), 'c');
  read_once(handle, &outcome);
  STATUS(outcome.status, INVAL);
  open_device("proper:flat");
}

static void
exit_while_reading(void)
{
  pthread_t thread;
  Outcome outcome;
  double since;
  Paced p = reading("proper:flat", &thread, &outcome);

  since = now();
  sane_exit();
  CHECK(now() - since < 2000);
  pthread_join(thread, NULL);
  CHECK(outcome.status != SANE_STATUS_GOOD && outcome.length == 0);
  EQUAL(await_byte(p.told), 'F');
  init_and_open("proper:flat");
}

/* A second call on the handle waits its turn, and works. */
static void
calls_beside_a_read(void)
{
  pthread_t thread;
  Outcome outcome;
  SANE_Parameters params;
  Paced p = reading("proper:flat", &thread, &outcome);

  CHECK(sane_get_option_descriptor(handle, 0) != NULL);
  release(&p, 1);
  GOOD(sane_get_parameters(handle, &params));
  pthread_join(thread, NULL);
  GOOD(outcome.status);
}

static void
idle_after_cancel_in_read(void)
{
  pthread_t thread;
  Outcome outcome;
  Paced p = reading("proper:flat", &thread, &outcome);

  sane_cancel(handle);
  EQUAL(await_byte(p.told), 'F');
  pthread_join(thread, NULL);
  STATUS(outcome.status, CANCELLED);
}

/* A driver that waits where it must not is interrupted in the end. */
static void
sleeper(void)
{
  pthread_t thread;
  Outcome outcome;
  int told[2];

  CHECK(pipe(told) == 0);
  handle = init_and_open("faulty:sleeper");
  set_word(handle, "told", told[1]);
  GOOD(sane_start(handle));
  pthread_create(&thread, NULL, read_in_thread, &outcome);
  EQUAL(await_byte(told[0]), 'r');
  sane_cancel(handle);
  pthread_join(thread, NULL);
  STATUS(outcome.status, CANCELLED);
  sane_close(handle);
  sane_exit();
}

static const Case cases[] = {
  {"sigint", sigint},
  {"sigint_thread", sigint_thread},
  {"sigint_test", sigint_test},
  {"other_thread", other_thread},
  {"close_while_reading", close_while_reading},
  {"exit_while_reading", exit_while_reading},
  {"calls_beside_a_read", calls_beside_a_read},
  {"idle_after_cancel_in_read", idle_after_cancel_in_read},
  {"sleeper", sleeper},
  {NULL, NULL},
};

int
main(int argc, char **argv)
{
  return run_case(argc, argv, cases);
}
