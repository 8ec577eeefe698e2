/* probe: asks C backends for their devices, each in a process of its own.
 *
 *   probe JOBS MILLISECONDS LOCAL NAME LIBRARIES [NAME LIBRARIES]...   with descriptor 3 for answers
 *
 * LIBRARIES are absolute paths with ':' between them, of which the first is used that is not one of
 * PySANE's own. It knows sane_init, sane_get_devices and sane_exit of a backend, and processes; it knows nothing
 * of Python or of configuration. This process runs no code of a backend: it forks one child for
 * each, JOBS at a time (0: as many as the processors bear), collects what they say, and kills
 * what is late. It ends when all are done or when nobody reads descriptor 3 any more.
 *
 * For each backend one record goes to descriptor 3 as soon as it is known:
 *
 *   NUMBER OUTCOME CODE MILLISECONDS PRINTED BYTES\n   and BYTES bytes of what the child said
 *
 * NUMBER counts the backends from 0. OUTCOME is done, exit (CODE: exit status), signal (CODE: its
 * number), late, toomuch or nofork. PRINTED: bytes that the backend wrote to stdout. What a child says are
 * texts that end with NUL: the stages "load", "init", "list" that it entered; "error" and a
 * reason; "device" and four texts, each "=TEXT", or "-" for a NULL pointer; at the end "end".
 */
#define _GNU_SOURCE 1
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <sane/sane.h>

#define CHANNEL 3
#define MOST_BYTES (1 << 20) /* of one answer: more comes only from a list without an end */
#define MOST_DEVICES 10000
#define MOST_TEXT 4096
#define YOUNG_MS 40   /* so long a backend is loaded; one that takes longer waits for something */
#define EXIT_MS 500   /* what sane_exit may take: the list is there already */
#define CLAIM_MS 1000 /* how long to wait for an interface that another backend has claimed */

struct task {
  const char *name;
  char *libraries;
  pid_t pid;            /* 0: not running */
  int answer, output;   /* what it says, and its stdout; -1 when closed */
  long begin, deadline; /* ms */
  int complete;         /* "end" has come */
  long printed;
  size_t used, room;
  char *said;
};

static long
now(void)
{
  struct timespec t;

  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000L + t.tv_nsec / 1000000L;
}

static int
write_all(int fd, const char *data, size_t size)
{
  while (size > 0) {
    ssize_t n = write(fd, data, size);
    if (n < 0 && errno != EINTR)
      return 0;
    if (n > 0) {
      data += n;
      size -= (size_t)n;
    }
  }
  return 1;
}

/* -- In the child: one backend ----------------------------------------------------------------- */

static int say_fd;

static void
say(const char *text)
{
  if (!write_all(say_fd, text, strlen(text) + 1))
    _exit(0);
}

static void
fail(const char *format, ...)
{
  char text[1024];
  va_list arguments;

  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  say("error");
  say(text);
  say("end");
  _exit(0);
}

static void
say_value(const char *text)
{
  char value[MOST_TEXT + 1] = "=";

  if (text && strnlen(text, MOST_TEXT) == MOST_TEXT)
    fail("a text of a device has no end");
  say(text ? strcat(value, text) : "-");
}

/* Source: c-abi-and-dll 4.5; NULL if neither form of the symbol is there. */
static void *
find(void *library, const char *backend, const char *operation)
{
  char symbol[512];
  void *found;

  snprintf(symbol, sizeof symbol, "_sane_%s_%s", backend, operation);
  found = dlsym(library, symbol + 1);
  return found ? found : dlsym(library, symbol);
}

/* Load the first of the libraries that is not one of PySANE's own. */
static void *
load(const struct task *task)
{
  char *rest = task->libraries, *path;
  void *library;

  while ((path = strsep(&rest, ":"))) {
    library = dlopen(path, (getenv("LD_BIND_NOW") ? RTLD_NOW : RTLD_LAZY) | RTLD_LOCAL);
    if (!library)
      fail("%s", dlerror());
    if (!dlsym(library, "pysane_shim"))
      return library;
  }
  fail("there is no library but PySANE's own");
  return NULL;
}

static void
ask(const struct task *task, int local_only)
{
  SANE_Status (*init)(SANE_Int *, SANE_Auth_Callback);
  SANE_Status (*get_devices)(const SANE_Device ***, SANE_Bool);
  void (*leave)(void);
  const SANE_Device **list = NULL;
  SANE_Int version = 0;
  SANE_Status status;
  void *library;
  int i;

  say("load");
  library = load(task);
  *(void **)&init = find(library, task->name, "init");
  *(void **)&get_devices = find(library, task->name, "get_devices");
  *(void **)&leave = find(library, task->name, "exit");
  if (!init || !get_devices)
    fail("it has no function sane_%s_%s", task->name, init ? "get_devices" : "init");
  say("init");
  status = init(&version, NULL);
  if (status != SANE_STATUS_GOOD)
    fail("init: status %d", (int)status);
  if (SANE_VERSION_MAJOR(version) != SANE_CURRENT_MAJOR)
    fail("its version is %d, not %d", SANE_VERSION_MAJOR(version), SANE_CURRENT_MAJOR);
  say("list");
  status = get_devices(&list, local_only);
  if (status != SANE_STATUS_GOOD)
    fail("get_devices: status %d", (int)status);
  for (i = 0; list && list[i]; i++) {
    if (i == MOST_DEVICES)
      fail("it lists more than %d devices", MOST_DEVICES);
    say("device");
    say_value(list[i]->name);
    say_value(list[i]->vendor);
    say_value(list[i]->model);
    say_value(list[i]->type);
  }
  fflush(stdout); /* what it printed counts */
  say("end");
  if (leave)
    leave();
  _exit(0);
}

/* Backends that share a device claim it in turn under the original dll; here one may come while
 * another still talks to it, and would lose the device. So a claim waits for the other's. These
 * two stand in the way of libusb's: an executable's symbols are found before a library's. */
static int
claim(const char *function, void *device, int number)
{
  static const struct timespec pause = {.tv_nsec = 10000000};
  void *usb = dlopen("libusb-1.0.so.0", RTLD_LAZY | RTLD_NOLOAD);
  int (*real)(void *, int), (*kernel_driver_active)(void *, int);
  long deadline = now() + CLAIM_MS;
  int result;

  *(void **)&real = usb ? dlsym(usb, function) : NULL;
  *(void **)&kernel_driver_active = usb ? dlsym(usb, "libusb_kernel_driver_active") : NULL;
  if (!real || !kernel_driver_active)
    return -12; /* LIBUSB_ERROR_NOT_SUPPORTED */
  while ((result = real(device, number)) == -6 /* LIBUSB_ERROR_BUSY */ && now() < deadline &&
         kernel_driver_active(device, number) != 1)
    nanosleep(&pause, NULL);
  return result;
}

__attribute__((visibility("default"))) int
libusb_claim_interface(void *device, int number)
{
  return claim(__func__, device, number);
}

__attribute__((visibility("default"))) int
libusb_set_configuration(void *device, int number)
{
  return claim(__func__, device, number);
}

/* -- In the parent ----------------------------------------------------------------------------- */

static void
shut(int *fd)
{
  close(*fd);
  *fd = -1;
}

/* Become the process of *task*: what it forks is in its group, and it ends with *parent*. */
static void
be_child(const struct task *task, pid_t parent, int answer, int output, int local_only)
{
  static const struct rlimit no_core = {0, 0};
  sigset_t none;

  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent)
    _exit(0);
  dup2(output, STDOUT_FILENO);
  say_fd = dup3(answer, CHANNEL, O_CLOEXEC);
#ifdef SYS_close_range
  syscall(SYS_close_range, CHANNEL + 1, ~0U, 0); /* what this process knows of other tasks */
#endif
  setrlimit(RLIMIT_CORE, &no_core);
  signal(SIGCHLD, SIG_DFL);
  signal(SIGPIPE, SIG_DFL);
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  ask(task, local_only);
}

/* Start a child for *task*; 0 if there is no process to be had. */
static int
start(struct task *task, int local_only, long limit)
{
  int answer[2] = {-1, -1}, output[2] = {-1, -1};
  pid_t parent = getpid(), pid = -1;

  task->begin = now();
  task->deadline = task->begin + limit;
  if (pipe2(answer, O_CLOEXEC) == 0 && pipe2(output, O_CLOEXEC) == 0)
    pid = fork();
  if (pid == 0)
    be_child(task, parent, answer[1], output[1], local_only);
  shut(&answer[1]);
  shut(&output[1]);
  task->answer = answer[0];
  task->output = output[0];
  if (pid < 0)
    return 0;
  setpgid(pid, pid); /* both do it: whoever comes first */
  task->pid = pid;
  fcntl(task->answer, F_SETFL, O_NONBLOCK);
  fcntl(task->output, F_SETFL, O_NONBLOCK);
  return 1;
}

/* Take what *task* said since the last time; 0 when it says too much. */
static int
listen_to(struct task *task)
{
  char waste[1 << 16];
  ssize_t n;

  if (task->output >= 0) { /* one read: it may print without end */
    n = read(task->output, waste, sizeof waste);
    if (n > 0)
      task->printed += n;
    else if (n == 0)
      shut(&task->output);
  }
  while (task->answer >= 0) {
    if (task->used == task->room) {
      char *larger = realloc(task->said, task->room + 4096);
      if (!larger)
        return 0;
      task->said = larger;
      task->room += 4096;
    }
    n = read(task->answer, task->said + task->used, task->room - task->used);
    if (n == 0)
      shut(&task->answer);
    if (n <= 0)
      break;
    task->used += (size_t)n;
    if (task->used > MOST_BYTES)
      return 0;
  }
  if (!task->complete && task->used > 4 &&
      memcmp(task->said + task->used - 5, "\0end", 5) == 0) {
    task->complete = 1;
    if (task->deadline > now() + EXIT_MS)
      task->deadline = now() + EXIT_MS;
  }
  return 1;
}

static void
report(const struct task *task, int number, const char *outcome, int code)
{
  char head[128];
  int length = snprintf(head, sizeof head, "%d %s %d %ld %ld %zu\n", number,
                        task->complete ? "done" : outcome, code, now() - task->begin,
                        task->printed, task->used);

  /* When nobody reads, the main loop sees it. */
  if (write_all(CHANNEL, head, (size_t)length))
    write_all(CHANNEL, task->said, task->used);
}

/* End all processes of *task*. */
static void
stop(struct task *task)
{
  if (task->pid > 0) {
    kill(-task->pid, SIGKILL);
    while (waitpid(task->pid, NULL, 0) < 0 && errno == EINTR)
      continue;
  }
  task->pid = 0;
  shut(&task->answer);
  shut(&task->output);
  free(task->said);
  task->said = NULL;
}

/* Look after *task*, and report it when it is over. */
static void
attend(struct task *task, int number)
{
  siginfo_t ended = {.si_pid = 0};

  /* Its end is only looked at: the number of its group is free for others once it is reaped. */
  waitid(P_PID, (id_t)task->pid, &ended, WEXITED | WNOHANG | WNOWAIT);
  if (!listen_to(task))
    report(task, number, "toomuch", 0);
  else if (ended.si_pid != 0)
    report(task, number, ended.si_code == CLD_EXITED ? "exit" : "signal", ended.si_status);
  else if (now() >= task->deadline)
    report(task, number, "late", 0);
  else
    return;
  stop(task);
}

static void
interrupt_poll(int number)
{
  (void)number;
}

/* Daemons that a backend left became children of this process; its end must be theirs. */
static void
stop_strays(void)
{
  char path[64];
  int stray, tries;
  FILE *file;

  snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
  for (tries = 0; tries < 2 && (file = fopen(path, "re")); tries++) {
    while (fscanf(file, "%d", &stray) == 1) {
      kill(stray, SIGKILL);
      waitpid(stray, NULL, 0);
      tries = 0;
    }
    fclose(file);
  }
}

/* The milliseconds until something is to be done without an event; *young, *running: counts. */
static long
count(const struct task *tasks, int started, int *young, int *running)
{
  long time = now(), wait = 60000;
  int i;

  *young = *running = 0;
  for (i = 0; i < started; i++) {
    long left = tasks[i].deadline - time, youth = tasks[i].begin + YOUNG_MS - time;
    if (tasks[i].pid == 0)
      continue;
    ++*running;
    *young += youth > 0;
    if (youth > 0 && youth < left)
      left = youth;
    if (left < wait)
      wait = left;
  }
  return wait < 0 ? 0 : wait;
}

/* Wait until a task says something or ends, or *wait* ms; 0 when nobody reads any more. */
static int
await(const struct task *tasks, int started, struct pollfd *fds, long wait)
{
  struct timespec timeout = {wait / 1000, wait % 1000 * 1000000};
  nfds_t used = 0;
  sigset_t none;
  int i;

  sigemptyset(&none);
  fds[used++] = (struct pollfd){.fd = CHANNEL, .events = POLLRDHUP};
  for (i = 0; i < started; i++) {
    if (tasks[i].pid == 0)
      continue;
    fds[used++] = (struct pollfd){.fd = tasks[i].answer, .events = POLLIN};
    fds[used++] = (struct pollfd){.fd = tasks[i].output, .events = POLLIN};
  }
  return ppoll(fds, used, &timeout, &none) <= 0 || !fds[0].revents;
}

static void
run(struct task *tasks, int tasks_count, struct pollfd *fds, char **limits)
{
  int jobs = atoi(limits[0]), local_only = atoi(limits[2]);
  long processors = sysconf(_SC_NPROCESSORS_ONLN), wait;
  int next = 0, young, running, i;

  for (;;) {
    wait = count(tasks, next, &young, &running);
    if (next < tasks_count && (jobs ? running < jobs : young <= processors)) {
      if (!start(&tasks[next], local_only, atol(limits[1]))) {
        report(&tasks[next], next, "nofork", 0);
        stop(&tasks[next]);
      }
      next++;
      continue;
    }
    if (running == 0 || !await(tasks, next, fds, wait))
      break;
    for (i = 0; i < next; i++)
      if (tasks[i].pid != 0)
        attend(&tasks[i], i);
  }
  for (i = 0; i < next; i++)
    stop(&tasks[i]);
  stop_strays();
}

int
main(int argc, char **argv)
{
  struct sigaction child = {.sa_handler = interrupt_poll};
  struct task *tasks;
  struct pollfd *fds;
  sigset_t blocked;
  int number = (argc - 4) / 2, i, type;
  socklen_t size = sizeof type;

  if (argc < 6 || argc % 2 != 0 || getsockopt(CHANNEL, SOL_SOCKET, SO_TYPE, &type, &size) != 0) {
    fputs("probe is started by PySANE, with a socket as descriptor 3\n", stderr);
    return 2;
  }
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  sigaction(SIGCHLD, &child, NULL);
  signal(SIGPIPE, SIG_IGN);
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGCHLD); /* let in by ppoll only */
  sigprocmask(SIG_BLOCK, &blocked, NULL);
  tasks = calloc((size_t)number, sizeof *tasks);
  fds = calloc((size_t)number * 2 + 1, sizeof *fds);
  if (!tasks || !fds)
    return 1;
  for (i = 0; i < number; i++)
    tasks[i] = (struct task){
      .name = argv[4 + 2 * i], .libraries = argv[5 + 2 * i], .answer = -1, .output = -1};
  run(tasks, number, fds, argv + 1);
  return 0;
}
