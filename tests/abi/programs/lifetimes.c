/* Two calls on one handle, or on two, at once: docs/lifetimes.md has the table of them. */
#include "steps.h"

#include <signal.h>

static Paced
began(const char *steps)
{
  GOOD(sane_init(NULL, NULL));
  return open_stepper(steps);
}

/* A thread is in the driver and waits there. */
static Paced
occupied(Caller *inside)
{
  Paced s = began("g");

  begin(inside, a_look, s.handle);
  tells(&s, "g");
  return s;
}

/* The driver finishes, after a cancel, and takes its time. */
static Paced
finishing(void)
{
  Paced s = began("f");

  GOOD(sane_start(s.handle));
  sane_cancel(s.handle);
  tells(&s, "sF");
  return s;
}

/* -- Close beside a call that waits ---------------------------------------------------------- */

/* A thread is in the driver, another waits for its turn; the device is closed. */
static void
close_beside_a_wait(SANE_Status (*waiting)(SANE_Handle))
{
  Caller inside, waits;
  Paced s = occupied(&inside);
  double since;

  begin(&waits, waiting, s.handle);
  await_asleep(&waits);
  since = now();
  sane_close(s.handle); /* the driver is not woken: no job; it is left to its caller */
  STATUS(ends(&waits), INVAL);
  CHECK(waits.ended - since < PATIENCE_MS / 2);
  CHECK(!is_readable(s.told, 0));
  release(&s, 1);
  ends(&inside);
  tells(&s, "c");
  CHECK(!is_readable(s.told, 50));
}

static void
close_start(void)
{
  close_beside_a_wait(sane_start);
}

static void
close_parameters(void)
{
  close_beside_a_wait(a_parameters);
}

static void
close_control(void)
{
  close_beside_a_wait(a_look);
}

static void
close_read(void)
{
  close_beside_a_wait(a_read);
}

/* Two closes: the driver hears of one. */
static void
close_close(void)
{
  Paced s = began("c");
  Caller first, second;

  begin(&first, a_close, s.handle);
  tells(&s, "c");
  begin(&second, a_close, s.handle);
  ends(&second);
  release(&s, 1);
  ends(&first);
  CHECK(!is_readable(s.told, 50));
}

/* A call that waits for a device which is closed must not reach the one that is opened next. */
static void
close_open(void)
{
  Caller inside, waits, closes;
  Paced s = occupied(&inside), next;

  begin(&waits, sane_start, s.handle);
  await_asleep(&waits);
  begin(&closes, a_close, s.handle);
  await_asleep(&closes);
  release(&s, 1);
  ends(&closes);
  next = open_stepper("s");
  STATUS(ends(&waits), INVAL);
  ends(&inside);
  CHECK(!is_readable(next.told, 50));
  STATUS(sane_start(s.handle), INVAL);
  CHECK(sane_get_option_descriptor(s.handle, 0) == NULL);
  CHECK(sane_get_option_descriptor(next.handle, 0) != NULL);
}

static SANE_Status
an_exit(SANE_Handle unused)
{
  (void)unused;
  sane_exit();
  return SANE_STATUS_GOOD;
}

/* One sane_exit takes long; who called another one, which had nothing to do, begins anew. */
static void
exit_exit(void)
{
  Paced s = began("c"), next;
  const SANE_Device **list;
  Caller exits;

  begin(&exits, an_exit, NULL);
  tells(&s, "c");
  sane_exit();
  GOOD(sane_init(NULL, NULL));
  GOOD(sane_get_devices(&list, SANE_TRUE));
  next = open_stepper("");
  release(&s, 1);
  ends(&exits);
  GOOD(a_parameters(next.handle));
  CHECK(!list[0] || strlen(list[0]->name) > 0);
  sane_exit();
  tells(&next, "c");
}

static SANE_Status
a_hog(SANE_Handle h)
{
  set_word(h, "hog", 700);
  return SANE_STATUS_GOOD;
}

static SANE_Status
an_open(SANE_Handle unused)
{
  SANE_Handle other;

  (void)unused;
  return sane_open("stepper:b", &other);
}

static SANE_Status
a_list(SANE_Handle unused)
{
  const SANE_Device **list;
  SANE_Status status = sane_get_devices(&list, SANE_TRUE);

  (void)unused;
  CHECK(!list[0]);
  return status;
}

/* What waits for Python when sane_exit comes reads no configuration: that of the session is gone, and
 * the one of this machine was not meant. */
static void
exit_before(void)
{
  Caller hogs, opens, lists;
  Paced s;

  GOOD(sane_init(NULL, NULL));
  s = open_stepper("");
  begin(&hogs, a_hog, s.handle);
  await_asleep(&hogs);
  begin(&opens, an_open, NULL);
  begin(&lists, a_list, NULL);
  await_asleep(&opens);
  await_asleep(&lists);
  sane_exit();
  STATUS(ends(&opens), CANCELLED);
  GOOD(ends(&lists));
}

/* -- Close after a cancel ---------------------------------------------------------------------- */

/* A driver that keeps its state hears of a cancel before it is closed, and of none if there was none:
 * from sane_close, which may come before the service thread ... */
static void
cancel_then_close(void)
{
  int i;

  GOOD(sane_init(NULL, NULL));
  for (i = 0; i < 100; i++) {
    Paced s = open_named("stepper:keeps", "");
    GOOD(sane_start(s.handle));
    if (i % 2)
      sane_cancel(s.handle);
    sane_close(s.handle);
    tells(&s, i % 2 ? "sfc" : "sc");
    close_pipes(&s);
  }
}

/* ... and from a caller that is in the driver for so long that sane_close leaves it to that. */
static void
close_left_to_the_caller(int is_cancelled)
{
  Paced s;
  Caller inside;

  GOOD(sane_init(NULL, NULL));
  s = open_named("stepper:keeps", "G");
  GOOD(sane_start(s.handle));
  begin(&inside, a_look, s.handle);
  tells(&s, "sg");
  if (is_cancelled)
    sane_cancel(s.handle);
  sane_close(s.handle);
  CHECK(!is_readable(s.told, 0));
  release(&s, 1);
  ends(&inside);
  tells(&s, is_cancelled ? "fc" : "c");
}

static void
cancel_then_close_inside(void)
{
  close_left_to_the_caller(1);
}

static void
close_inside(void)
{
  close_left_to_the_caller(0);
}

/* -- Cancel beside a start ------------------------------------------------------------------- */

/* A start that did not begin: no frame. One that did: the next read says so. */
static void
check_cancelled_start(const Paced *s, SANE_Status status)
{
  if (status == SANE_STATUS_GOOD)
    status = a_read(s->handle);
  STATUS(status, CANCELLED);
}

/* The start waits for another call; there is no job yet. */
static void
cancel_start_that_waits(void)
{
  Caller inside, starts;
  Paced s = occupied(&inside);

  begin(&starts, sane_start, s.handle);
  await_asleep(&starts);
  sane_cancel(s.handle);
  release(&s, 1);
  ends(&inside);
  check_cancelled_start(&s, ends(&starts));
  CHECK(!is_readable(s.told, 50)); /* the driver was not even started */
  GOOD(sane_start(s.handle));
  tells(&s, "s");
}

/* The start waits until the driver has finished the last job: the cancel is for the new one. */
static void
cancel_start_after_finish(void)
{
  Paced s = finishing();
  Caller starts;

  begin(&starts, sane_start, s.handle);
  await_asleep(&starts);
  sane_cancel(s.handle);
  release(&s, 1);
  tells(&s, "d");
  check_cancelled_start(&s, ends(&starts));
  CHECK(!is_readable(s.told, 50));
}

/* The driver is at it. */
static void
cancel_start_in_driver(void)
{
  Paced s = began("s");
  Caller starts;

  begin(&starts, sane_start, s.handle);
  tells(&s, "s");
  sane_cancel(s.handle);
  STATUS(ends(&starts), CANCELLED);
}

/* Cancelled and started again: the cancel was for the job before. */
static void
start_after_cancel(void)
{
  Paced s = finishing();
  Caller starts;

  begin(&starts, sane_start, s.handle);
  await_asleep(&starts);
  release(&s, 1);
  GOOD(ends(&starts));
  tells(&s, "ds");
  GOOD(a_read(s.handle));
}

/* A finish that takes its time is not interrupted, whoever carries it out. */
static void
finish_is_not_interrupted(void)
{
  struct timespec longer = {.tv_sec = 1, .tv_nsec = 500000000}; /* than a driver may ignore cancel */
  Paced s = began("rf");
  Caller reads, starts;

  GOOD(sane_start(s.handle));
  begin(&reads, a_read, s.handle);
  tells(&s, "sr");
  begin(&starts, sane_start, s.handle);
  await_asleep(&starts);
  sane_cancel(s.handle);
  ends(&reads);
  tells(&s, "F");
  nanosleep(&longer, NULL);
  release(&s, 1);
  tells(&s, "d");
  ends(&starts);
}

/* The same when it is not the cancel that ends the job. */
static void
finish_after_an_error(void)
{
  struct timespec longer = {.tv_sec = 1, .tv_nsec = 500000000};
  Paced s = began("f");
  Caller reads;

  set_word(s.handle, "jams", SANE_TRUE);
  GOOD(sane_start(s.handle));
  begin(&reads, a_read, s.handle);
  tells(&s, "srF");
  sane_cancel(s.handle);
  nanosleep(&longer, NULL);
  release(&s, 1);
  tells(&s, "d");
  STATUS(ends(&reads), JAMMED);
}

/* A driver may ask the frontend something while it finishes; that may use the device, in vain. */
static Paced asking;
static SANE_Status asked;

static void
look_meanwhile(const char *resource, char *user, char *password)
{
  CHECK(strcmp(resource, "the end") == 0);
  *user = *password = 0;
  asked = a_parameters(asking.handle);
}

static void
call_in_a_finish(void)
{
  GOOD(sane_init(NULL, look_meanwhile));
  asking = open_named("stepper:asks", "");
  GOOD(sane_start(asking.handle));
  sane_cancel(asking.handle);
  tells(&asking, "sF");
  STATUS(asked, DEVICE_BUSY);
  GOOD(a_parameters(asking.handle));
}

/* -- A driver that ignores cancel ------------------------------------------------------------ */

/* It is interrupted in whatever it does. */
static void
interrupt_a(SANE_Status (*call)(SANE_Handle), const char *step)
{
  Paced s = began(step);
  Caller calls;

  set_word(s.handle, "rude", SANE_TRUE);
  if (*step != 's')
    GOOD(sane_start(s.handle));
  begin(&calls, call, s.handle);
  tells(&s, *step == 's' ? "s" : *step == 'r' ? "sr" : "sg");
  sane_cancel(s.handle);
  STATUS(ends(&calls), CANCELLED);
}

static void
interrupt_start(void)
{
  interrupt_a(sane_start, "s");
}

static void
interrupt_read(void)
{
  interrupt_a(a_read, "r");
}

static void
interrupt_look(void)
{
  interrupt_a(a_look, "g");
}

/* -- Cancel beside other devices ------------------------------------------------------------- */

/* One device finishes at leisure; the other one's cancel is carried out all the same. */
static void
cancel_beside_a_finish(void)
{
  Paced slow = finishing(), other = open_stepper("");

  GOOD(sane_start(other.handle));
  sane_cancel(other.handle); /* nobody calls it any more */
  tells(&other, "sF");
  release(&slow, 1);
  tells(&slow, "d");
}

static _Atomic int stop;

static void *
start_and_cancel(void *handle)
{
  struct timespec pause = {.tv_nsec = 50000000};

  while (!stop) {
    sane_start(handle);
    sane_cancel(handle);
    nanosleep(&pause, NULL);
  }
  return NULL;
}

/* A driver that ignores cancel is interrupted, however busy the other devices are. */
static void
interrupt_beside_cancels(void)
{
  Paced s = began("r");
  Caller reads;
  pthread_t thread;

  set_word(s.handle, "rude", SANE_TRUE);
  GOOD(sane_start(s.handle));
  begin(&reads, a_read, s.handle);
  tells(&s, "sr");
  pthread_create(&thread, NULL, start_and_cancel, open_device("test:0"));
  sane_cancel(s.handle);
  STATUS(ends(&reads), CANCELLED);
  stop = 1;
  pthread_join(thread, NULL);
  CHECK(option_count(s.handle) > 1); /* what interrupted it hits nothing else */
}

enum { MANY = 70 };

/* However many of them there are. */
static void
interrupt_many(void)
{
  static Paced s[MANY];
  static Caller reads[MANY];
  int i;

  GOOD(sane_init(NULL, NULL));
  for (i = 0; i < MANY; i++) {
    s[i] = open_stepper("r");
    set_word(s[i].handle, "rude", SANE_TRUE);
    GOOD(sane_start(s[i].handle));
    begin(&reads[i], a_read, s[i].handle);
    tells(&s[i], "sr");
  }
  for (i = 0; i < MANY; i++)
    sane_cancel(s[i].handle);
  for (i = 0; i < MANY; i++)
    STATUS(ends(&reads[i]), CANCELLED);
}

/* -- At random ------------------------------------------------------------------------------- */

enum { RANDOM_MS = 3000 };

static _Atomic(SANE_Handle) current;
static _Atomic int wrong;

static void *
read_current(void *unused)
{
  static SANE_Byte data[65536];
  SANE_Int length;

  for (; !stop; sane_read(current, data, sizeof data, &length))
    ;
  return unused;
}

static void *
ask_current(void *unused)
{
  while (!stop) {
    SANE_Parameters p = {0};
    SANE_Handle asked = current;
    const SANE_Option_Descriptor *d = sane_get_option_descriptor(asked, 0);
    if (sane_get_parameters(asked, &p) == SANE_STATUS_GOOD && p.pixels_per_line == 256)
      wrong++; /* asked test:0, answered by the stepper */
    (void)d;
  }
  return unused;
}

static void *
open_another(void *unused)
{
  SANE_Handle h;

  while (!stop)
    if (sane_open("stepper:a", &h) == SANE_STATUS_GOOD)
      sane_close(h);
  return unused;
}

/* Threads that use a handle while it is closed and others are opened. */
static void
random_calls(void)
{
  void *(*const run[])(void *) = {read_current, ask_current, ask_current, open_another};
  pthread_t threads[4];
  double end = now() + RANDOM_MS;
  unsigned seed = 1;
  int i;

  GOOD(sane_init(NULL, NULL));
  for (i = 0; i < 4; i++)
    pthread_create(&threads[i], NULL, run[i], NULL);
  while (now() < end) {
    SANE_Handle h = open_device("test:0");
    sane_start(h);
    current = h;
    usleep(200 + (useconds_t)(rand_r(&seed) % 3000));
    sane_close(h);
  }
  stop = 1;
  for (i = 0; i < 4; i++)
    pthread_join(threads[i], NULL);
  EQUAL(wrong, 0);
}

/* -- Numbers --------------------------------------------------------------------------------- */

/* Go's runtime aborts on a pointer below 4096; Java bindings keep a handle in an int. */
static void
handle_numbers(void)
{
  SANE_Handle h, before = NULL;
  int i;

  GOOD(sane_init(NULL, NULL));
  for (i = 0; i < 3000; i++) {
    h = open_device("stepper:a");
    CHECK((size_t)h >= 4096 && (size_t)h < 1u << 31);
    CHECK(h != before);
    sane_close(h);
    STATUS(sane_start(h), INVAL);
    before = h;
  }
  for (i = 0; i < 5000; i++)
    STATUS(sane_start((SANE_Handle)(size_t)i), INVAL);
  STATUS(sane_start((SANE_Handle)-1), INVAL);
  STATUS(sane_start((SANE_Handle)((size_t)open_device("stepper:a") + (1ul << 31))), INVAL);
}

static const Case cases[] = {
  {"close_start", close_start},
  {"close_parameters", close_parameters},
  {"close_control", close_control},
  {"close_read", close_read},
  {"close_close", close_close},
  {"close_open", close_open},
  {"exit_exit", exit_exit},
  {"exit_before", exit_before},
  {"cancel_then_close", cancel_then_close},
  {"cancel_then_close_inside", cancel_then_close_inside},
  {"close_inside", close_inside},
  {"cancel_start_that_waits", cancel_start_that_waits},
  {"cancel_start_after_finish", cancel_start_after_finish},
  {"cancel_start_in_driver", cancel_start_in_driver},
  {"start_after_cancel", start_after_cancel},
  {"finish_is_not_interrupted", finish_is_not_interrupted},
  {"finish_after_an_error", finish_after_an_error},
  {"call_in_a_finish", call_in_a_finish},
  {"interrupt_start", interrupt_start},
  {"interrupt_read", interrupt_read},
  {"interrupt_look", interrupt_look},
  {"cancel_beside_a_finish", cancel_beside_a_finish},
  {"interrupt_beside_cancels", interrupt_beside_cancels},
  {"interrupt_many", interrupt_many},
  {"random_calls", random_calls},
  {"handle_numbers", handle_numbers},
  {NULL, NULL},
};

int
main(int argc, char **argv)
{
  return run_case(argc, argv, cases);
}
