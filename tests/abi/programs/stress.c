/* Everything at once: stress SECONDS DEVICE C-DEVICE. Prints what was done.
 *
 * Threads open, set, scan and close; another cancels and closes what they have; one lists; one ends
 * the library and begins anew; one forks; a timer's handler cancels. What comes back
 * must be a status of the standard, and every thread must come to its end.
 */
#include "check.h"

#include <pthread.h>
#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>

enum { SCANNERS = 3, SHARED = 8, TICK_US = 7000 };

static const char *device, *c_device;
static int stop;
static SANE_Handle shared[SHARED]; /* the last handles: open, closed, or others' by now */
static unsigned long opened, frames, cancels, lists, ends, forks;
/* No frontend may end the library while another thread is in a C backend: that one is unloaded. */
static pthread_rwlock_t c_backend_in_use = PTHREAD_RWLOCK_INITIALIZER;

static int
is_over(void)
{
  return __atomic_load_n(&stop, __ATOMIC_SEQ_CST);
}

static void
count(unsigned long *what)
{
  __atomic_add_fetch(what, 1, __ATOMIC_RELAXED);
}

static SANE_Status
check(SANE_Status status)
{
  if ((unsigned)status > SANE_STATUS_ACCESS_DENIED)
    FAIL("status %d", (int)status);
  return status;
}

static SANE_Handle
any_shared(unsigned number)
{
  return __atomic_load_n(&shared[number % SHARED], __ATOMIC_ACQUIRE);
}

/* Another thread may close it meanwhile: descriptors are not looked into. */
static void
use(SANE_Handle h, unsigned *seed)
{
  static const SANE_Int options = 12;
  SANE_Byte data[5000], value[1 << 16];
  SANE_Parameters p;
  SANE_Int length, i;
  SANE_Status status;

  for (i = 0; i < options; i++) {
    sane_get_option_descriptor(h, i);
    if (!check(sane_control_option(h, i, SANE_ACTION_GET_VALUE, value, NULL)))
      check(sane_control_option(h, i, SANE_ACTION_SET_VALUE, value, NULL));
  }
  check(sane_get_parameters(h, &p));
  if (check(sane_start(h)))
    return;
  if (rand_r(seed) % 4 == 0)
    check(sane_set_io_mode(h, SANE_TRUE));
  for (i = rand_r(seed) % 60; i; i--) {
    status = check(sane_read(h, data, sizeof data, &length));
    CHECK(length >= 0 && length <= (SANE_Int)sizeof data);
    if (status) {
      if (status == SANE_STATUS_EOF)
        count(&frames);
      break;
    }
  }
  if (rand_r(seed) % 2)
    sane_cancel(h);
}

static void *
scan(void *number)
{
  unsigned seed = (unsigned)(size_t)number;
  SANE_Handle h;

  while (!is_over()) {
    int is_c = rand_r(&seed) % 4 == 0;
    if (is_c)
      pthread_rwlock_rdlock(&c_backend_in_use);
    if (check(sane_open(is_c ? c_device : device, &h)) == SANE_STATUS_GOOD) {
      count(&opened);
      if (!is_c)
        __atomic_store_n(&shared[rand_r(&seed) % SHARED], h, __ATOMIC_RELEASE);
      use(h, &seed);
      if (is_c || rand_r(&seed) % 8) /* else sane_exit or another thread closes it */
        sane_close(h);
    }
    if (is_c)
      pthread_rwlock_unlock(&c_backend_in_use);
  }
  return NULL;
}

static void *
disturb(void *number)
{
  unsigned seed = (unsigned)(size_t)number;

  while (!is_over()) {
    SANE_Handle h = any_shared(rand_r(&seed));
    usleep(rand_r(&seed) % 3000);
    if (rand_r(&seed) % 3)
      sane_cancel(h);
    else
      sane_close(h);
    count(&cancels);
  }
  return NULL;
}

static void *
list(void *unused)
{
  const SANE_Device **devices;

  while (!is_over()) {
    if (!check(sane_get_devices(&devices, SANE_TRUE)))
      count(&lists);
    usleep(20000);
  }
  return unused;
}

static void *
end(void *number)
{
  unsigned seed = (unsigned)(size_t)number;

  while (!is_over()) {
    usleep(rand_r(&seed) % 100000);
    pthread_rwlock_wrlock(&c_backend_in_use);
    sane_exit();
    GOOD(sane_init(NULL, NULL));
    pthread_rwlock_unlock(&c_backend_in_use);
    count(&ends);
  }
  return NULL;
}

static void *
divide(void *unused)
{
  const SANE_Device **devices;
  SANE_Handle h = NULL;
  int status;

  while (!is_over()) {
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
      check(sane_get_devices(&devices, SANE_TRUE));
      check(sane_open(device, &h));
      sane_cancel(any_shared(1));
      sane_close(any_shared(2));
      sane_exit();
      _exit(42);
    }
    while (waitpid(child, &status, 0) < 0)
      EQUAL(errno, EINTR);
    EQUAL(status, 42 << 8);
    count(&forks);
    usleep(100000);
  }
  return unused;
}

/* The one function that the standard allows in a handler. */
static void
on_alarm(int number)
{
  static unsigned calls;

  (void)number;
  sane_cancel(any_shared(__atomic_add_fetch(&calls, 1, __ATOMIC_RELAXED)));
}

int
main(int argc, char **argv)
{
  static void *(*const others[])(void *) = {disturb, list, end, divide};
  enum { OTHERS = sizeof others / sizeof *others };
  struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
  struct itimerval tick = {{0, TICK_US}, {0, TICK_US}}, no_tick = {{0, 0}, {0, 0}};
  pthread_t threads[SCANNERS + OTHERS];
  size_t i;

  CHECK(argc == 4);
  device = argv[2];
  c_device = argv[3];
  GOOD(sane_init(NULL, NULL));
  sigaction(SIGALRM, &action, NULL);
  setitimer(ITIMER_REAL, &tick, NULL);
  for (i = 0; i < SCANNERS + OTHERS; i++)
    EQUAL(pthread_create(&threads[i], NULL, i < SCANNERS ? scan : others[i - SCANNERS], (void *)(i + 1)),
          0);
  for (double until = now() + atof(argv[1]) * 1e3; now() < until;)
    usleep(10000);
  __atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
  for (i = 0; i < SCANNERS + OTHERS; i++)
    pthread_join(threads[i], NULL);
  setitimer(ITIMER_REAL, &no_tick, NULL);
  sane_exit();
  printf("opened %lu, frames %lu, cancels %lu, lists %lu, ends %lu, forks %lu\n", opened, frames,
         cancels, lists, ends, forks);
  return 0;
}
