/* What the library must not do to its host: descriptors, signals, process state. */
#include "check.h"

#include <fenv.h>
#include <locale.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>

extern char **environ;

/* -- A whole session, with something to look at after each call ------------------------------- */

static void
session(const char *device, void (*look)(const char *))
{
  static SANE_Byte data[1 << 16];
  const SANE_Device **list;
  SANE_Int length, fd;
  SANE_Handle h;

  GOOD(sane_init(NULL, NULL));
  look("init");
  GOOD(sane_get_devices(&list, SANE_FALSE));
  look("get_devices");
  GOOD(sane_open(device, &h));
  look("open");
  set_text(h, "mode", "Color");
  if (strcmp(device, "test:0") == 0) {
    set_word(h, "non-blocking", SANE_TRUE);
    set_word(h, "select-fd", SANE_TRUE);
  }
  look("control_option");
  GOOD(sane_start(h));
  look("start");
  GOOD(sane_read(h, data, 100, &length));
  look("read");
  GOOD(sane_set_io_mode(h, SANE_TRUE));
  GOOD(sane_get_select_fd(h, &fd));
  CHECK(is_readable(fd, PATIENCE_MS));
  look("get_select_fd");
  sane_cancel(h);
  look("cancel");
  STATUS(sane_read(h, data, sizeof data, &length), CANCELLED);
  GOOD(sane_start(h));
  CHECK(read_frame(h, 32768, NULL, 0) > 0);
  look("EOF");
  sane_close(h);
  look("close");
  sane_exit();
  look("exit");
}

static void
sessions(void (*look)(const char *))
{
  int i;

  for (i = 0; i < 2; i++) {
    session("test:0", look);
    session("proper:flat", look);
    session("proper:thread", look);
  }
}

static void
no_look(const char *call)
{
  (void)call;
}

static void
plain(void)
{
  sessions(no_look);
}

/* -- Descriptors ----------------------------------------------------------------------------- */

static int highest_before;

static void
look_at_fds(const char *call)
{
  int fd;

  for (fd = 0; fd < 1024; fd++) {
    int flags = fcntl(fd, F_GETFD);
    if (flags >= 0 && fd > highest_before && !(flags & FD_CLOEXEC))
      FAIL("after %s: descriptor %d is inherited", call, fd);
  }
}

static void
cloexec(void)
{
  while (fcntl(highest_before, F_GETFD) >= 0)
    highest_before++;
  highest_before--;
  sessions(look_at_fds);
}

static void
look_at_standard(const char *call)
{
  int fd;

  for (fd = 0; fd < 3; fd++)
    if (fcntl(fd, F_GETFD) >= 0) {
      open("/dev/null", O_RDWR); /* whatever is free: FAIL needs a place to write to */
      _exit(10 + fd + 10 * (strlen(call) % 10));
    }
}

static void
standard_closed(void)
{
  close(0);
  close(1);
  close(2);
  sessions(look_at_standard);
}

static int
inherited(void)
{
  int status, out[2];
  char text[16] = {0};
  pid_t child;

  CHECK(pipe2(out, O_CLOEXEC) == 0);
  child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    dup2(out[1], 1);
    execl("/bin/sh", "sh", "-c", "set -- /proc/self/fd/*; echo $#", NULL);
    _exit(127);
  }
  EQUAL(waitpid(child, &status, 0), child);
  EQUAL(status, 0);
  CHECK(read(out[0], text, sizeof text - 1) > 0);
  close(out[0]);
  close(out[1]);
  return atoi(text);
}

static int inherited_before;

static void
look_at_exec(const char *call)
{
  int found = inherited();

  if (found != inherited_before)
    FAIL("after %s: a program inherits %d descriptors instead of %d", call, found,
         inherited_before);
}

static void
fork_exec(void)
{
  inherited_before = inherited();
  session("test:0", look_at_exec);
  session("proper:thread", look_at_exec);
}

/* -- Process state --------------------------------------------------------------------------- */

typedef struct {
  struct sigaction actions[65];
  sigset_t mask;
  char locale[512], directory[4096], environment[1 << 16];
  struct itimerval timer;
  mode_t umask;
  int rounding;
} State;

static void
take_state(State *s)
{
  char **variable;
  int i;

  memset(s, 0, sizeof *s);
  for (i = 1; i <= 64; i++)
    sigaction(i, NULL, &s->actions[i]);
  pthread_sigmask(SIG_SETMASK, NULL, &s->mask);
  snprintf(s->locale, sizeof s->locale, "%s", setlocale(LC_ALL, NULL));
  CHECK(getcwd(s->directory, sizeof s->directory) != NULL);
  for (variable = environ; *variable; variable++) {
    CHECK(strlen(s->environment) + strlen(*variable) + 2 < sizeof s->environment);
    strcat(strcat(s->environment, *variable), "\n");
  }
  getitimer(ITIMER_REAL, &s->timer);
  s->umask = umask(0);
  umask(s->umask);
  s->rounding = fegetround();
}

static State before;
static char **environ_before;

static void
look_at_state(const char *call)
{
  static State after;
  int i;

  take_state(&after);
  for (i = 1; i <= 64; i++)
    if (before.actions[i].sa_handler != after.actions[i].sa_handler ||
        before.actions[i].sa_flags != after.actions[i].sa_flags)
      FAIL("after %s: signal %d is handled differently", call, i);
  if (memcmp(&before.mask, &after.mask, sizeof after.mask))
    FAIL("after %s: the signal mask differs", call);
  if (strcmp(before.locale, after.locale))
    FAIL("after %s: the locale is %s", call, after.locale);
  if (strcmp(before.directory, after.directory))
    FAIL("after %s: the working directory is %s", call, after.directory);
  if (strcmp(before.environment, after.environment) || environ != environ_before)
    FAIL("after %s: the environment differs", call);
  if (before.umask != after.umask || before.rounding != after.rounding ||
      memcmp(&before.timer, &after.timer, sizeof after.timer))
    FAIL("after %s: umask, rounding or timer differ", call);
}

static void
state(void)
{
  sigset_t some;

  setlocale(LC_ALL, "");
  umask(027);
  fesetround(FE_UPWARD);
  signal(SIGPIPE, SIG_DFL);
  signal(SIGUSR2, SIG_IGN);
  sigemptyset(&some);
  sigaddset(&some, SIGUSR1);
  pthread_sigmask(SIG_SETMASK, &some, NULL);
  environ_before = environ;
  take_state(&before);
  sessions(look_at_state);
}

static void
no_signal(int number)
{
  static const char text[] = "a signal came\n";

  (void)!write(2, text, sizeof text - 1);
  _exit(100 + number);
}

/* Nothing makes a signal arrive, whatever stderr is (a broken pipe, in one of the tests). */
static void
no_signals(void)
{
  int i;

  for (i = 1; i <= 64; i++)
    if (i != SIGKILL && i != SIGSTOP && i != SIGPROF)
      signal(i, no_signal);
  sessions(no_look);
}

/* Threads of ours have all signals blocked: the host's handlers run on its own threads only. */
static pthread_t main_thread;
static volatile sig_atomic_t on_other_thread, delivered;

static void
note_thread(int number)
{
  (void)number;
  delivered++;
  if (!pthread_equal(pthread_self(), main_thread))
    on_other_thread++;
}

static void
handlers_stay_here(void)
{
  sigset_t usr1;
  SANE_Int fd;
  Paced p;
  int i;

  GOOD(sane_init(NULL, NULL));
  p = open_paced("proper:thread");
  main_thread = pthread_self();
  signal(SIGUSR1, note_thread);
  GOOD(sane_start(p.handle));
  GOOD(sane_get_select_fd(p.handle, &fd));
  EQUAL(await_byte(p.told), 's');
  EQUAL(await_byte(p.told), 'r'); /* the reader thread and the service thread are there */
  sigemptyset(&usr1);
  sigaddset(&usr1, SIGUSR1);
  pthread_sigmask(SIG_BLOCK, &usr1, NULL);
  for (i = 0; i < 100; i++)
    kill(getpid(), SIGUSR1);
  CHECK(!is_readable(p.told, 20));
  EQUAL(delivered, 0);
  pthread_sigmask(SIG_UNBLOCK, &usr1, NULL);
  CHECK(delivered > 0);
  EQUAL(on_other_thread, 0);
  release(&p, 1);
}

/* -- Locale ---------------------------------------------------------------------------------- */

/* test.conf says resolution 33.33: the point is a point whatever the locale says. */
static void
locale(void)
{
  SANE_Handle h;
  char text[16];

  CHECK(setlocale(LC_ALL, "") != NULL);
  h = init_and_open("test:0");
  EQUAL(get_word(h, "resolution"), 2184314);
  set_word(h, "br-x", SANE_FIX(40));
  set_text(h, "mode", "COLOR");
  CHECK(strcmp(get_text(h, "mode"), "Color") == 0);
  GOOD(sane_start(h));
  EQUAL(read_frame(h, 32768, NULL, 0), frame_bytes(h));
  snprintf(text, sizeof text, "%.1f", 0.5);
  puts(text);
}

static const Case cases[] = {
  {"plain", plain},
  {"cloexec", cloexec},
  {"standard_closed", standard_closed},
  {"fork_exec", fork_exec},
  {"state", state},
  {"no_signals", no_signals},
  {"handlers_stay_here", handlers_stay_here},
  {"locale", locale},
  {NULL, NULL},
};

int
main(int argc, char **argv)
{
  return run_case(argc, argv, cases);
}
