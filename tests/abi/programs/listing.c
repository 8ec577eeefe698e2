/* What a host notices while C backends are asked for devices by a helper: nothing. */
#include "check.h"

#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

static const SANE_Device **
list_devices(void)
{
  const SANE_Device **list;

  GOOD(sane_get_devices(&list, SANE_FALSE));
  return list;
}

static int
count_devices(void)
{
  const SANE_Device **list = list_devices();
  int count = 0;

  while (list[count])
    count++;
  return count;
}

static void
no_signal_expected(int number)
{
  FAIL("signal %d", number);
}

/* Print the list: name, vendor, model, type. */
static void
print(void)
{
  const SANE_Device **list;

  GOOD(sane_init(NULL, NULL));
  for (list = list_devices(); *list; list++)
    printf("%s|%s|%s|%s\n", (*list)->name, (*list)->vendor, (*list)->model, (*list)->type);
  sane_exit();
}

/* The environment and the directory are those of sane_init. */
static void
recorded(void)
{
  GOOD(sane_init(NULL, NULL));
  setenv("SANE_TEST_TELL", "changed", 1);
  CHECK(chdir("/") == 0);
  signal(SIGPIPE, SIG_IGN);
  print();
}

static void
no_trace(void)
{
  struct sigaction action = {.sa_handler = no_signal_expected};
  int fds, number, i;

  for (number = 1; number < NSIG; number++)
    if (number != SIGKILL && number != SIGSTOP && number != SIGSEGV)
      sigaction(number, &action, NULL);
  GOOD(sane_init(NULL, NULL));
  CHECK(count_devices() > 0);
  fds = count_fds();
  for (i = 0; i < 5; i++) {
    CHECK(count_devices() > 0);
    EQUAL(waitpid(-1, NULL, WNOHANG | __WALL), -1);
    EQUAL(errno, ECHILD);
  }
  EQUAL(count_fds(), fds);
  sane_exit();
}

static void
children_ignored(void)
{
  signal(SIGCHLD, SIG_IGN);
  GOOD(sane_init(NULL, NULL));
  CHECK(count_devices() > 0);
  CHECK(count_devices() > 0);
}

static pid_t other_child;
static int others_seen;

static void *
wait_for_any(void *unused)
{
  int status;
  pid_t found;

  (void)unused;
  while ((found = waitpid(-1, &status, 0)) > 0 || errno == EINTR) {
    if (found != other_child || !WIFEXITED(status) || WEXITSTATUS(status) != 7)
      others_seen++;
  }
  return NULL;
}

/* A host waits for any child all the time, as a shell does: it gets its own only. */
static void
host_waits(void)
{
  pthread_t waiter;
  int ends[2];

  CHECK(pipe(ends) == 0);
  GOOD(sane_init(NULL, NULL));
  other_child = fork();
  if (other_child == 0) {
    char byte;
    close(ends[1]);
    if (read(ends[0], &byte, 1) < 0)
      _exit(8);
    _exit(7);
  }
  close(ends[0]);
  CHECK(pthread_create(&waiter, NULL, wait_for_any, NULL) == 0);
  CHECK(count_devices() > 0);
  CHECK(count_devices() > 0);
  close(ends[1]);
  CHECK(pthread_join(waiter, NULL) == 0);
  EQUAL(others_seen, 0);
}

/* Orphans fall to this host: it gets no zombie. */
static void
subreaper(void)
{
  CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
  GOOD(sane_init(NULL, NULL));
  CHECK(count_devices() > 0);
  EQUAL(waitpid(-1, NULL, WNOHANG | __WALL), -1);
  EQUAL(errno, ECHILD);
}

static void
standard_closed(void)
{
  close(0);
  close(1);
  GOOD(sane_init(NULL, NULL));
  CHECK(count_devices() > 0);
  CHECK(fcntl(0, F_GETFD) < 0);
  CHECK(fcntl(1, F_GETFD) < 0);
}

/* It does not look at the list, which is gone when another thread asks for one (c-abi-and-dll, sane_get_devices). */
static void *
list_in_thread(void *unused)
{
  list_devices();
  return unused;
}

static void
threads(void)
{
  pthread_t thread[4];
  int i;

  GOOD(sane_init(NULL, NULL));
  for (i = 0; i < 4; i++)
    CHECK(pthread_create(&thread[i], NULL, list_in_thread, NULL) == 0);
  for (i = 0; i < 4; i++)
    CHECK(pthread_join(thread[i], NULL) == 0);
  CHECK(count_devices() > 0);
}

static const Case cases[] = {
  {"print", print},
  {"recorded", recorded},
  {"no_trace", no_trace},
  {"children_ignored", children_ignored},
  {"host_waits", host_waits},
  {"subreaper", subreaper},
  {"standard_closed", standard_closed},
  {"threads", threads},
  {NULL, NULL},
};

int
main(int argc, char **argv)
{
  return run_case(argc, argv, cases);
}
