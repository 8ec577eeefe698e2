/* A C backend that lists devices well or badly; BACKEND is its name, KIND (a string) says how.
 *
 * -DUSB makes it claim a USB interface meanwhile.
 * -DWITHOUT_GET_DEVICES and -DWITHOUT_INIT leave a function out.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sane/sane.h>

#define JOIN_(a, b, c) a##b##c
#define JOIN(a, b, c) JOIN_(a, b, c)
#define NAME(operation) JOIN(sane_, BACKEND, JOIN(_, operation, ))
#define MANY 20000

extern int libusb_claim_interface(void *device, int number);
extern int libusb_release_interface(void *device, int number);
extern void there_is_no_such_function(void);

static SANE_Device one = {"one", "Acme", "S1", "flatbed scanner"};
static SANE_Device second = {"two", "Acme", "S2", "flatbed scanner"};
static const SANE_Device *list[MANY + 1] = {&one, &second};

static int
is(const char *kind)
{
  return strcmp(KIND, kind) == 0;
}

static void
crash(void)
{
  *(volatile int *)8 = 1;
}

static void
hang(void)
{
  sigset_t all;

  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, NULL);
  for (;;)
    pause();
}

/* Write our process id to the file that SANE_TEST_PIDS names, one line. */
static void
leave_pid(void)
{
  char text[32];
  int fd = open(getenv("SANE_TEST_PIDS"), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);

  if (write(fd, text, (size_t)snprintf(text, sizeof text, "%d\n", (int)getpid())) < 0)
    _exit(9);
  close(fd);
}

/* Describe this process in the texts of a device. */
static void
tell(void)
{
  static char cwd[4096], state[256], fds[256];
  struct sigaction action;
  sigset_t mask;
  int number, used = 0, ignored = 0, blocked = 0;

  sigprocmask(SIG_SETMASK, NULL, &mask);
  for (number = 1; number < 32; number++) {
    blocked += sigismember(&mask, number);
    ignored += sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
  }
  for (number = 0; number < 256; number++)
    if (fcntl(number, F_GETFD) >= 0)
      used += snprintf(fds + used, sizeof fds - (size_t)used, "%d ", number);
  snprintf(state, sizeof state, "ignored %d blocked %d session %d", ignored, blocked,
           getsid(0) == getsid(getppid()) && getpgid(0) == getpid());
  one.name = getenv("SANE_TEST_TELL");
  one.vendor = getcwd(cwd, sizeof cwd);
  one.model = state;
  one.type = fds;
}

static void
fork_away(int stray)
{
  if (fork() == 0) {
    if (stray)
      setsid();
    leave_pid();
    hang();
  }
  while (access(getenv("SANE_TEST_PIDS"), F_OK) != 0)
    usleep(1000);
}

__attribute__((constructor)) static void
on_load(void)
{
  if (is("crash in the constructor"))
    crash();
}

#ifndef WITHOUT_INIT
SANE_Status
NAME(init)(SANE_Int *version, SANE_Auth_Callback authorize)
{
  (void)authorize;
  if (is("crash in init"))
    crash();
  if (is("exit in init"))
    exit(0);
  if (is("failing init"))
    return SANE_STATUS_IO_ERROR;
  *version = SANE_VERSION_CODE(is("version 2") ? 2 : 1, 0, 7);
  return SANE_STATUS_GOOD;
}
#endif

void
NAME(exit)(void)
{
  if (is("crash in exit"))
    crash();
  if (is("hang in exit"))
    hang();
}

#ifndef WITHOUT_GET_DEVICES
SANE_Status
NAME(get_devices)(const SANE_Device ***devices, SANE_Bool local_only)
{
  int i;

  *devices = list;
  if (is("crash"))
    crash();
  if (is("hang")) {
    leave_pid();
    hang();
  }
  if (is("exit"))
    exit(3);
  if (is("failing"))
    return SANE_STATUS_NO_MEM;
  if (is("print")) {
    printf("found a scanner\n");
    if (write(STDOUT_FILENO, "really\n", 7) < 0)
      return SANE_STATUS_IO_ERROR;
  }
  while (is("print without end"))
    printf("and on ");
  if (is("fork") || is("stray"))
    fork_away(is("stray"));
  if (is("close all"))
    for (i = 0; i < 1000; i++)
      close(i);
  if (is("unresolved"))
    there_is_no_such_function();
  if (is("NULL texts"))
    one.vendor = one.model = one.type = second.name = NULL;
  if (is("wild pointer"))
    one.model = (const char *)8;
  if (is("NULL list"))
    *devices = NULL;
  if (is("without end"))
    for (i = 0; i < MANY; i++)
      list[i] = &one;
  if (is("tell"))
    tell();
  if (is("latin-1"))
    one.model = "S1 f\374r \"B\374ro\"";
  if (is("local"))
    one.model = local_only ? "local" : "all";
#ifdef USB
  if (libusb_claim_interface(NULL, 0) != 0)
    return SANE_STATUS_DEVICE_BUSY;
  usleep(200000);
  libusb_release_interface(NULL, 0);
#endif
  if (is("waiting"))
    usleep(300000);
  return SANE_STATUS_GOOD;
}
#endif
