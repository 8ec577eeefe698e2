/* Signals at random moments of our own functions, whose handlers close, exit and begin anew. */
#include "check.h"

#include <pthread.h>
#include <signal.h>
#include <sys/time.h>

enum { ROUNDS = 1500, LONGEST_US = 2000, BOUND_MS = 3000 * SLOWER, ODD_ERRNO = 12345 };
enum { FIRST_CALLS = 5000, FIRST_SPINS = 15000 };

static SANE_Handle handle;
static volatile sig_atomic_t handled;
static unsigned seed = 1;

static void
install(void (*handler)(int))
{
  struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};

  sigemptyset(&action.sa_mask);
  sigaction(SIGALRM, &action, NULL);
}

static void
arm(int us)
{
  struct itimerval timer = {.it_value = {.tv_usec = us}};

  handled = 0;
  setitimer(ITIMER_REAL, &timer, NULL);
}

static int
random_us(int longest)
{
  seed = seed * 1103515245 + 12345;
  return 1 + (int)(seed >> 8) % longest;
}

/* One of each call; nothing here allocates. */
static void
busy_calls(void)
{
  static SANE_Byte data[4096];
  SANE_Int index, length;
  SANE_Parameters p;
  char text[16];

  for (index = 0; index < 57; index++)
    sane_get_option_descriptor(handle, index);
  sane_control_option(handle, 3, SANE_ACTION_GET_VALUE, text, NULL);
  strcpy(text, "Gray");
  sane_control_option(handle, 2, SANE_ACTION_SET_VALUE, text, NULL);
  sane_get_parameters(handle, &p);
  if (sane_start(handle) == SANE_STATUS_GOOD)
    sane_read(handle, data, sizeof data, &length);
  sane_cancel(handle);
}

/* -- In one process -------------------------------------------------------------------------- */

static void
cancel_only(int number)
{
  (void)number;
  sane_cancel(handle);
  handled = 1;
}

/* errno is what the interrupted code was about to look at. */
static void
handle_by(void (*calls)(void))
{
  int before = errno;

  errno = ODD_ERRNO;
  calls();
  CHECK(errno == ODD_ERRNO);
  handled = 1;
  errno = before;
}

static void
close_it(void)
{
  sane_close(handle);
}

static void
close_it_and_exit(void)
{
  sane_close(handle);
  sane_exit();
}

static void
close_only(int number)
{
  (void)number;
  handle_by(close_it);
}

static void
close_and_exit(int number)
{
  (void)number;
  handle_by(close_it_and_exit);
}

/* saned and xsane at random moments: afterwards the handle is gone, and a new one works. */
static void
storm(void (*handler)(int), const char *name, int keeps)
{
  int i;

  install(handler);
  for (i = 0; i < ROUNDS; i++) {
    double start = now();
    handle = init_and_open(name);
    arm(random_us(LONGEST_US));
    while (!handled)
      busy_calls();
    if (keeps) {
      CHECK(sane_get_option_descriptor(handle, 0) != NULL);
      sane_close(handle);
    }
    CHECK(sane_get_option_descriptor(handle, 0) == NULL);
    CHECK(now() - start < BOUND_MS);
  }
  handle = init_and_open(name);
  GOOD(sane_start(handle));
  EQUAL(read_frame(handle, 32768, NULL, 0), frame_bytes(handle));
}

static void
cancel_test(void)
{
  storm(cancel_only, "test:0", 1);
}

static void
close_test(void)
{
  storm(close_only, "test:0", 0);
}

static void
exit_test(void)
{
  storm(close_and_exit, "test:0", 0);
}

static void
exit_proper(void)
{
  storm(close_and_exit, "proper:flat", 0);
}

static int is_calling;

static void *
call_for_the_first_time(void *argument)
{
  SANE_Parameters p;

  __atomic_store_n(&is_calling, 1, __ATOMIC_RELEASE);
  GOOD(sane_get_parameters(handle, &p));
  while (!handled)
    usleep(100); /* whoever sends the signal may need this processor */
  return argument;
}

/* While what the library keeps of a thread is made: the handler would make it, too. */
static void
first_call(void)
{
  pthread_t thread;
  int i, spins;

  install(cancel_only);
  handle = init_and_open("test:0");
  for (i = 0; i < FIRST_CALLS; i++) {
    handled = 0;
    __atomic_store_n(&is_calling, 0, __ATOMIC_RELEASE);
    spins = random_us(FIRST_SPINS);
    EQUAL(pthread_create(&thread, NULL, call_for_the_first_time, NULL), 0);
    while (!__atomic_load_n(&is_calling, __ATOMIC_ACQUIRE))
      sched_yield();
    while (spins-- > 0)
      __asm__ volatile("" ::: "memory");
    EQUAL(pthread_kill(thread, SIGALRM), 0);
    EQUAL(pthread_join(thread, NULL), 0);
  }
  sane_exit();
}

/* Also while devices are opened and the library begins and ends. */
static void
exit_anywhere(void)
{
  int i;

  install(close_and_exit);
  GOOD(sane_init(NULL, NULL));
  for (i = 0; i < ROUNDS; i++) {
    double start = now();
    arm(random_us(LONGEST_US));
    while (!handled) {
      sane_init(NULL, NULL);
      if (sane_open("test:0", &handle) == SANE_STATUS_GOOD)
        sane_close(handle);
      sane_exit();
    }
    CHECK(now() - start < BOUND_MS);
  }
  handle = init_and_open("test:0");
  EQUAL(option_count(handle), 57);
}

/* -- The handler ends the process ------------------------------------------------------------ */

static double exit_began;

static void
close_exit_leave(int number)
{
  (void)number;
  sane_close(handle);
  sane_exit();
  _exit(0);
}

static void
close_exit_exit(int number)
{
  (void)number;
  sane_close(handle);
  sane_exit();
  exit(0); /* as xsane does */
}

static void
end_within(void (*handler)(int))
{
  const SANE_Device **list;
  const char *given = getenv("DELAY_US");

  exit_began = now();
  install(handler);
  arm(given ? atoi(given) : 1000);
  for (;;) {
    sane_init(NULL, NULL);
    sane_get_devices(&list, SANE_FALSE);
    if (sane_open("test:0", &handle) == SANE_STATUS_GOOD) {
      busy_calls();
      sane_close(handle);
    }
    sane_exit();
    CHECK(now() - exit_began < BOUND_MS);
  }
}

static void
leave(void)
{
  end_within(close_exit_leave);
}

static void
exit_in_handler(void)
{
  end_within(close_exit_exit);
}

/* -- In a blocked read: known to be inside --------------------------------------------------- */

typedef struct {
  int told;
  pthread_t target;
} Interrupter;

static void *
interrupt_reader(void *argument)
{
  const Interrupter *i = argument;

  EQUAL(await_byte(i->told), 's');
  EQUAL(await_byte(i->told), 'r');
  pthread_kill(i->target, SIGALRM);
  return NULL;
}

static SANE_Status
interrupted_read(void (*handler)(int))
{
  static SANE_Byte data[100];
  SANE_Status status;
  SANE_Int length;
  Interrupter i;
  pthread_t thread;
  Paced p;

  GOOD(sane_init(NULL, NULL));
  p = open_paced("proper:flat");
  handle = p.handle;
  install(handler);
  GOOD(sane_start(handle));
  i = (Interrupter){p.told, pthread_self()};
  pthread_create(&thread, NULL, interrupt_reader, &i);
  status = sane_read(handle, data, sizeof data, &length);
  EQUAL(length, 0);
  pthread_join(thread, NULL);
  CHECK(handled);
  EQUAL(await_byte(p.told), 'F');
  EQUAL(await_byte(p.told), 'c');
  CHECK(sane_get_option_descriptor(handle, 0) == NULL);
  return status;
}

static void
close_in_read(void)
{
  CHECK(interrupted_read(close_only) != SANE_STATUS_GOOD);
  CHECK(open_device("proper:flat") != handle);
}

static void
exit_in_read(void)
{
  CHECK(interrupted_read(close_and_exit) != SANE_STATUS_GOOD);
  init_and_open("test:0");
}

static void
leave_in_read(void)
{
  interrupted_read(close_exit_exit);
  FAIL("the handler did not end the process");
}

static void
begin_anew(int number)
{
  const SANE_Device **list = NULL;
  SANE_Int version = 0;

  (void)number;
  sane_exit();
  sane_init(&version, NULL);
  sane_get_devices(&list, SANE_TRUE);
  handled = list != NULL && SANE_VERSION_MAJOR(version) == 1;
}

/* scanbd's SIGHUP handler: exit, init, list. Afterwards the library is usable. */
static void
init_in_read(void)
{
  const SANE_Device **list = NULL;

  CHECK(interrupted_read(begin_anew) != SANE_STATUS_GOOD);
  GOOD(sane_get_devices(&list, SANE_TRUE));
  CHECK(list[0] != NULL);
}

static SANE_Handle second;

/* However often, and whatever came before: both are closed, and the library has begun anew. */
static void
much_at_once(int number)
{
  int i;

  (void)number;
  for (i = 0; i < 100; i++)
    sane_close(i % 2 ? handle : second);
  for (i = 0; i < 3; i++) {
    sane_exit();
    sane_init(NULL, NULL);
  }
  handled = 1;
}

static void
postponed(void)
{
  const SANE_Device **list = NULL;
  int i;

  GOOD(sane_init(NULL, NULL));
  second = open_device("test:0");
  CHECK(interrupted_read(much_at_once) != SANE_STATUS_GOOD);
  CHECK(sane_get_option_descriptor(second, 0) == NULL);
  for (i = 0; i < 3; i++) {
    GOOD(sane_get_devices(&list, SANE_TRUE));
    CHECK(list[0] != NULL);
    sane_exit();
    GOOD(sane_init(NULL, NULL));
  }
}

static void
exit_last(int number)
{
  much_at_once(number);
  sane_exit();
}

static void
postponed_exit(void)
{
  const SANE_Device **list = NULL;

  second = init_and_open("test:0");
  CHECK(interrupted_read(exit_last) != SANE_STATUS_GOOD);
  GOOD(sane_get_devices(&list, SANE_TRUE));
  CHECK(list[0] == NULL); /* as before sane_init */
}

static const Case cases[] = {
  {"cancel_test", cancel_test},
  {"close_test", close_test},
  {"exit_test", exit_test},
  {"exit_proper", exit_proper},
  {"first_call", first_call},
  {"exit_anywhere", exit_anywhere},
  {"close_in_read", close_in_read},
  {"exit_in_read", exit_in_read},
  {"leave_in_read", leave_in_read},
  {"init_in_read", init_in_read},
  {"postponed", postponed},
  {"postponed_exit", postponed_exit},
  {"leave", leave},
  {"exit_in_handler", exit_in_handler},
  {NULL, NULL},
};

int
main(int argc, char **argv)
{
  return run_case(argc, argv, cases);
}
