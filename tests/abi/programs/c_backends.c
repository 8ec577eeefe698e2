/* Devices of C backends (libraries/scanner.c) under libsane.so.1: nothing stands in between. */
#include "check.h"

#include <dlfcn.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/wait.h>

enum { FRAME_BYTES = 300 * 100 };

static const char *
library_of(const void *address)
{
  Dl_info info;

  CHECK(dladdr(address, &info));
  return strrchr(info.dli_fname, '/') + 1;
}

/* The descriptors are the backend's own memory, its names and constraints included. */
static void
own_memory(void)
{
  SANE_Handle h = init_and_open("scan:one");
  const SANE_Option_Descriptor *d = sane_get_option_descriptor(h, 2);

  CHECK(strcmp(library_of(d->constraint.word_list), "libsane-scan.so.1") == 0);
  CHECK(strcmp(library_of(d->name), "libsane-scan.so.1") == 0);
  CHECK(d == sane_get_option_descriptor(h, 2));
  CHECK(sane_get_option_descriptor(h, 11) == NULL);
  CHECK(sane_get_option_descriptor(h, 1)->name == NULL); /* as it is, garbage or not */
  sane_exit();
}

/* The thread's signal mask and its readiness for cancellation are the caller's. */
static void
unwrapped(void)
{
  SANE_Handle h = init_and_open("scan:one");
  SANE_Int state[2] = {-1, -1};
  sigset_t two;

  GOOD(sane_control_option(h, 8, SANE_ACTION_GET_VALUE, state, NULL));
  EQUAL(state[0], 0);
  EQUAL(state[1], 1);
  sigemptyset(&two);
  sigaddset(&two, SIGHUP);
  sigaddset(&two, SIGUSR2);
  pthread_sigmask(SIG_BLOCK, &two, NULL);
  GOOD(sane_control_option(h, 8, SANE_ACTION_GET_VALUE, state, NULL));
  EQUAL(state[0], 2);
  sane_exit();
}

static void
scan(void)
{
  static unsigned char data[FRAME_BYTES];
  SANE_Handle h = init_and_open("scan:one");
  SANE_Int info = -1, word = 200;
  int i;

  EQUAL(option_count(h), 12);
  GOOD(sane_control_option(h, 2, SANE_ACTION_SET_VALUE, &word, &info));
  EQUAL(word, 300);
  EQUAL(info, SANE_INFO_INEXACT | SANE_INFO_RELOAD_PARAMS);
  for (i = 0; i < 2; i++) {
    GOOD(sane_start(h));
    EQUAL(read_frame(h, 999, data, sizeof data), FRAME_BYTES);
    EQUAL(data[3], 7);
    sane_cancel(h);
  }
  STATUS(sane_set_io_mode(h, SANE_TRUE), UNSUPPORTED);
  STATUS(sane_get_select_fd(h, &word), UNSUPPORTED);
  sane_close(h);
  STATUS(sane_start(h), INVAL); /* the handle is ours: it is closed for good */
  sane_exit();
}

/* -- Partial and refusing backends ----------------------------------------------------------- */

static void
partial(void)
{
  SANE_Handle h = init_and_open("bare:one");
  SANE_Byte byte;
  SANE_Int length = 7;

  CHECK(sane_get_option_descriptor(h, 0) == NULL);
  CHECK(sane_get_option_descriptor(h, 1) == NULL);
  GOOD(sane_start(h));
  STATUS(sane_read(h, &byte, 1, &length), UNSUPPORTED);
  EQUAL(length, 0);
  sane_cancel(h);
  sane_close(h);
  sane_exit();
}

static void
refusing(void)
{
  SANE_Handle h = NULL;
  int i;

  GOOD(sane_init(NULL, NULL));
  STATUS(sane_open("empty:one", &h), UNSUPPORTED); /* it has no function at all */
  STATUS(sane_open("empty:one", &h), UNSUPPORTED);
  for (i = 0; i < 2; i++) {
    STATUS(sane_open("failing:one", &h), ACCESS_DENIED);
    STATUS(sane_open("version2:one", &h), INVAL);
  }
  STATUS(sane_open("text:one", &h), INVAL); /* a file that is no library */
  STATUS(sane_open("text:one", &h), UNSUPPORTED);
  STATUS(sane_open("absent:one", &h), INVAL);
  STATUS(sane_open("absent:one", &h), UNSUPPORTED);
  STATUS(sane_open("ours:one", &h), INVAL); /* a library of ours under another name */
  STATUS(sane_open("scan:status7", &h), NO_DOCS);
  STATUS(sane_open("scan:status3", &h), DEVICE_BUSY);
  CHECK(h == NULL);
  GOOD(sane_open("under:one", &h));   /* its symbols begin with an underscore */
  GOOD(sane_open("forgets:one", &h)); /* it does not say its version */
  sane_exit();
}

/* What a backend exports is nobody else's; what it lacks matters only to LD_BIND_NOW. */
static void
linking(void)
{
  SANE_Handle h = NULL;

  GOOD(sane_init(NULL, NULL));
  GOOD(sane_open("scan:one", &h));
  CHECK(dlsym(RTLD_DEFAULT, "sane_scan_open") == NULL);
  IS_STATUS(sane_open("lazy:one", &h), getenv("LD_BIND_NOW") ? SANE_STATUS_INVAL
                                                             : SANE_STATUS_GOOD);
  sane_exit();
}

/* -- Cancel, close and exit from where frontends call them ----------------------------------- */

static SANE_Handle interrupted;
static volatile sig_atomic_t handled;

static void
on_alarm(int number)
{
  (void)number;
  sane_cancel(interrupted);
  handled++;
}

static void
cancel_in_handler(void)
{
  struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
  SANE_Byte data[64];
  SANE_Int length = 7;
  int i;

  interrupted = init_and_open("scan:blocks");
  sigaction(SIGALRM, &action, NULL);
  for (i = 0; i < 3; i++) {
    GOOD(sane_start(interrupted));
    ualarm(20000, 0);
    STATUS(sane_read(interrupted, data, sizeof data, &length), CANCELLED);
    EQUAL(length, 0);
    EQUAL(handled, i + 1);
    sane_cancel(interrupted);
  }
  sane_close(interrupted);
  sane_exit();
}

static void
on_usr1(int number)
{
  (void)number;
  sane_close(interrupted);
  sane_exit();
  handled++;
}

/* xsane: close and exit in a handler, here in the middle of the backend's own sane_open. */
static void
exit_in_handler(void)
{
  struct sigaction action = {.sa_handler = on_usr1};
  SANE_Handle h = NULL;

  interrupted = init_and_open("scan:one");
  sigaction(SIGUSR1, &action, NULL);
  GOOD(sane_open("scan:signal", &h));
  EQUAL(handled, 1);
  STATUS(sane_start(interrupted), INVAL); /* both came as soon as sane_open was through */
  STATUS(sane_start(h), INVAL);
  GOOD(sane_init(NULL, NULL));
  sane_close(open_device("scan:one"));
  sane_exit();
}

static void *
blocked_read(void *handle)
{
  SANE_Byte data[64];
  SANE_Int length;

  STATUS(sane_read(handle, data, sizeof data, &length), CANCELLED);
  return NULL;
}

static void *
cancelled_thread(void *handle)
{
  SANE_Byte data[64];
  SANE_Int length;

  pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
  sane_read(handle, data, sizeof data, &length);
  return "not reached";
}

static void
threads(void)
{
  SANE_Handle h = init_and_open("scan:blocks"), other = open_device("scan:one");
  pthread_t thread;
  void *result;

  GOOD(sane_start(h));
  pthread_create(&thread, NULL, blocked_read, h);
  GOOD(sane_start(other));
  EQUAL(read_frame(other, 4096, NULL, 0), FRAME_BYTES); /* beside the one that waits */
  sane_cancel(h);
  pthread_join(thread, NULL);
  GOOD(sane_start(h)); /* scanbd ends its threads so */
  pthread_create(&thread, NULL, cancelled_thread, h);
  pthread_cancel(thread);
  pthread_join(thread, &result);
  CHECK(result == PTHREAD_CANCELED);
  sane_cancel(h);
  GOOD(sane_start(other));
  EQUAL(read_frame(other, 4096, NULL, 0), FRAME_BYTES);
  sane_close(h);
  sane_exit();
}

/* An open device works on in the child; a new one cannot be opened there. */
static void
fork_with_device(void)
{
  SANE_Handle h = init_and_open("scan:one"), other = NULL;
  int status;
  pid_t child = fork();

  if (child == 0) {
    GOOD(sane_start(h));
    EQUAL(read_frame(h, 4096, NULL, 0), FRAME_BYTES);
    sane_cancel(h);
    STATUS(sane_open("scan:one", &other), IO_ERROR);
    sane_close(h);
    STATUS(sane_start(h), INVAL);
    sane_exit();
    exit(0);
  }
  EQUAL(waitpid(child, &status, 0), child);
  EQUAL(status, 0);
  GOOD(sane_start(h));
  EQUAL(read_frame(h, 4096, NULL, 0), FRAME_BYTES);
  sane_exit();
}

/* -- The callback ---------------------------------------------------------------------------- */

static pthread_t asked_on;
static int asked;

static void
authorize(const char *resource, char *user, char *password)
{
  const SANE_Device **list;
  SANE_Handle h = NULL;

  asked++;
  asked_on = pthread_self();
  CHECK(strcmp(resource, "door") == 0 || strcmp(resource, "start") == 0);
  GOOD(sane_get_devices(&list, SANE_TRUE)); /* a frontend that goes on while it asks */
  GOOD(sane_open("scan:one", &h));
  sane_close(h);
  strcpy(user, "user");
  strcpy(password, "word");
}

static void
callback(void)
{
  SANE_Handle h = NULL;

  GOOD(sane_init(NULL, authorize));
  GOOD(sane_open("scan:ask", &h));
  EQUAL(asked, 1);
  CHECK(pthread_equal(asked_on, pthread_self()));
  sane_close(h);
  h = open_device("scan:ask at start");
  GOOD(sane_start(h));
  EQUAL(asked, 2);
  sane_exit();
  GOOD(sane_init(NULL, NULL));
  h = NULL;
  STATUS(sane_open("scan:ask", &h), ACCESS_DENIED);
  EQUAL(asked, 2);
  sane_exit();
}

/* -- From sane_init to sane_exit ------------------------------------------------------------- */

static void
cycles(void)
{
  int i;

  for (i = 0; i < 2; i++) {
    GOOD(sane_init(NULL, NULL));
    open_device("scan:left open");
    sane_close(open_device("under:one"));
    sane_exit();
    sane_exit();
  }
}

static void
life(void)
{
  SANE_Handle h = init_and_open("scan:one");

  GOOD(sane_start(h));
  read_frame(h, 4096, NULL, 0);
  sane_cancel(h);
  sane_close(h);
  sane_exit();
}

static void
growth(void)
{
  long kb;
  int fds, i;

  for (i = 0; i < 50; i++)
    life();
  kb = resident_kb();
  fds = count_fds();
  for (i = 0; i < 300; i++)
    life();
  EQUAL(count_fds(), fds);
  kb = resident_kb() - kb;
  if (kb > 512)
    FAIL("300 lives cost %ld KiB", kb);
}

static int
is_mapped(const char *name)
{
  char line[4096];
  FILE *maps = fopen("/proc/self/maps", "r");
  int found = 0;

  while (fgets(line, sizeof line, maps))
    found |= strstr(line, name) != NULL;
  fclose(maps);
  return found;
}

/* A thread of libusb may outlive the backend that started it. */
static void
usb_stays(void)
{
  init_and_open("withusb:one");
  CHECK(is_mapped("/libsane-withusb.so.1"));
  CHECK(is_mapped("/libusb-1.0.so.0"));
  sane_exit();
  CHECK(!is_mapped("/libsane-withusb.so.1"));
  CHECK(is_mapped("/libusb-1.0.so.0"));
}

/* Two libraries of ours and one C backend: neither ends it for the other. */
static void
two_libraries(void)
{
  SANE_Status (*init)(SANE_Int *, SANE_Auth_Callback);
  SANE_Status (*open)(SANE_String_Const, SANE_Handle *);
  SANE_Status (*start)(SANE_Handle);
  void (*end)(void);
  void *library = dlopen(getenv("SANE_TEST_SECOND"), RTLD_NOW | RTLD_LOCAL);
  SANE_Handle h = init_and_open("scan:one"), other = NULL;

  CHECK(library);
  *(void **)&init = dlsym(library, "sane_init");
  *(void **)&open = dlsym(library, "sane_open");
  *(void **)&start = dlsym(library, "sane_start");
  *(void **)&end = dlsym(library, "sane_exit");
  CHECK(init != sane_init);
  GOOD(init(NULL, NULL));
  GOOD(open("scan:one", &other));
  sane_exit();
  STATUS(sane_start(h), INVAL);
  GOOD(start(other));
  end();
}

/* -- Several threads --------------------------------------------------------------------------- */

enum { OPENERS = 4, ROUNDS = 25 };

static pthread_barrier_t barrier;

static void *
open_at_once(void *handle)
{
  pthread_barrier_wait(&barrier);
  GOOD(sane_open("scan:one", handle));
  return NULL;
}

/* The first calls after sane_init come from several threads at once. */
static void
first_calls(void)
{
  pthread_t threads[OPENERS];
  SANE_Handle handles[OPENERS];
  int round, i;

  pthread_barrier_init(&barrier, NULL, OPENERS);
  for (round = 0; round < ROUNDS; round++) {
    GOOD(sane_init(NULL, NULL));
    for (i = 0; i < OPENERS; i++)
      pthread_create(&threads[i], NULL, open_at_once, &handles[i]);
    for (i = 0; i < OPENERS; i++)
      pthread_join(threads[i], NULL);
    sane_close(handles[0]); /* the others by sane_exit */
    sane_exit();
  }
}

static sem_t is_inside, may_return;

static void
wait_inside(int number)
{
  (void)number;
  sem_post(&is_inside);
  while (sem_wait(&may_return) != 0)
    ;
}

static void *
open_slowly(void *status)
{
  SANE_Handle h = NULL;

  *(SANE_Status *)status = sane_open("scan:signal", &h);
  CHECK(h == NULL);
  return NULL;
}

/* A GUI is closed while a thread of it opens a device: the backend is ended when it has returned. */
static void
exit_beside_open(void)
{
  struct sigaction action = {.sa_handler = wait_inside};
  SANE_Status status;
  pthread_t thread;
  int again;

  sem_init(&is_inside, 0, 0);
  sem_init(&may_return, 0, 0);
  sigaction(SIGUSR1, &action, NULL);
  for (again = 0; again < 2; again++) {
    GOOD(sane_init(NULL, NULL));
    pthread_create(&thread, NULL, open_slowly, &status);
    while (sem_wait(&is_inside) != 0)
      ;
    sane_exit();
    if (again) { /* a new window is open already */
      GOOD(sane_init(NULL, NULL));
      open_device("scan:one");
    }
    sem_post(&may_return);
    pthread_join(thread, NULL);
    STATUS(status, CANCELLED);
  }
  sane_exit();
}

static const Case cases[] = {
  {"first_calls", first_calls},
  {"exit_beside_open", exit_beside_open},
  {"own_memory", own_memory},
  {"unwrapped", unwrapped},
  {"scan", scan},
  {"partial", partial},
  {"refusing", refusing},
  {"linking", linking},
  {"cancel_in_handler", cancel_in_handler},
  {"exit_in_handler", exit_in_handler},
  {"threads", threads},
  {"fork_with_device", fork_with_device},
  {"callback", callback},
  {"cycles", cycles},
  {"two_libraries", two_libraries},
  {"usb_stays", usb_stays},
  {"growth", growth},
  {NULL, NULL},
};

int
main(int argc, char **argv)
{
  return run_case(argc, argv, cases);
}
