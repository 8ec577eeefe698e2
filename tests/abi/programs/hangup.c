/* A driver writes to a closed socket in each of its calls; SIGPIPE would end this program.
 *
 * The driver is tests/abi/drivers/hangup.py.
 */
#include "check.h"

#include <pthread.h>
#include <signal.h>

static void
session(void)
{
  const SANE_Device **list;
  SANE_Word yes = SANE_TRUE;
  SANE_Parameters parameters;
  SANE_Handle h;

  GOOD(sane_init(NULL, NULL));
  GOOD(sane_get_devices(&list, SANE_FALSE));
  CHECK(list[0] != NULL && strcmp(list[0]->name, "hangup:0") == 0);
  h = open_device("hangup:0");
  GOOD(sane_get_parameters(h, &parameters));
  GOOD(sane_start(h));
  EQUAL(read_frame(h, 100, NULL, 0), 64 * 8);
  GOOD(sane_start(h));
  sane_cancel(h);
  CHECK(sane_get_option_descriptor(h, 1) != NULL);
  GOOD(sane_control_option(h, 1, SANE_ACTION_SET_VALUE, &yes, NULL));
  STATUS(sane_start(h), IO_ERROR);
  sane_close(h);
  sane_exit();
}

static void
check_mask(int expected_blocked, int expected_pending)
{
  sigset_t set;

  GOOD(pthread_sigmask(SIG_SETMASK, NULL, &set));
  EQUAL(sigismember(&set, SIGPIPE), expected_blocked);
  GOOD(sigpending(&set));
  EQUAL(sigismember(&set, SIGPIPE), expected_pending);
}

int
main(void)
{
  sigset_t pipe;

  signal(SIGPIPE, SIG_DFL);
  session();
  check_mask(0, 0);
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  GOOD(pthread_sigmask(SIG_BLOCK, &pipe, NULL));
  session();
  check_mask(1, 0);
  raise(SIGPIPE); /* pending: it is the host's */
  session();
  check_mask(1, 1);
  return 0;
}
