/* Descriptors that are not ours any more: the program has closed them all, and opened its own. */
#include "steps.h"

#include <dlfcn.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>

enum { OWN = 40, HAMMER_MS = 1500 };

/* -- A program that closes all descriptors above 2, as daemons do ------------------------------ */

static struct stat own[OWN + 3];

/* Put files, eventfds and pipes of the program's at the numbers that were ours. */
static void
take_over(void)
{
  int fd, ends[2];

  for (fd = 3; fd < 256; fd++)
    close(fd);
  CHECK(pipe(ends) == 0); /* whose other end goes: who writes here gets SIGPIPE */
  close(ends[0]);
  for (;;) {
    fd = open("/dev/null", O_RDONLY);
    close(fd);
    if (fd >= OWN + 2)
      break;
    EQUAL(fd % 3 == 0 ? memfd_create("own", 0)
          : fd % 3 == 1 ? eventfd(0, EFD_NONBLOCK) : epoll_create1(0), fd);
  }
  for (fd = 3; fd < OWN; fd++)
    CHECK(fstat(fd, &own[fd]) == 0);
}

/* They are open still, and nobody wrote into them. */
static void
check_own(void)
{
  uint64_t count;
  int fd;

  for (fd = 3; fd < OWN; fd++) {
    struct stat status;
    CHECK(fstat(fd, &status) == 0);
    CHECK(status.st_dev == own[fd].st_dev && status.st_ino == own[fd].st_ino);
    EQUAL(status.st_size, own[fd].st_size);
    if (fd % 3 == 1)
      CHECK(read(fd, &count, sizeof count) < 0);
  }
}

/* A scan, a cancel in a blocked read, one of an idle device. */
static void
scan(SANE_Handle h)
{
  Caller reads;

  set_word(h, "read-delay", SANE_TRUE);
  set_word(h, "read-delay-duration", 200000);
  GOOD(sane_start(h));
  begin(&reads, a_read, h);
  await_asleep(&reads);
  sane_cancel(h);
  CHECK(ends(&reads) != SANE_STATUS_GOOD);
  set_word(h, "read-delay", SANE_FALSE);
  GOOD(sane_start(h));
  EQUAL(read_frame(h, 32768, NULL, 0), frame_bytes(h));
  sane_cancel(h);
  GOOD(sane_start(h));
  sane_cancel(h);
}

static void
after_a_list(void)
{
  const SANE_Device **list;
  SANE_Handle h;

  GOOD(sane_init(NULL, NULL));
  GOOD(sane_get_devices(&list, SANE_FALSE));
  take_over();
  GOOD(sane_get_devices(&list, SANE_FALSE));
  CHECK(list[0] != NULL);
  h = open_device("test:0");
  scan(h);
  sane_close(h);
  sane_exit();
  check_own();
}

static void
after_open(void)
{
  SANE_Handle h = init_and_open("test:0");

  take_over();
  scan(h);
  sane_close(h);
  scan(open_device("test:1"));
  sane_exit();
  check_own();
}

static void
after_a_scan(void)
{
  SANE_Handle h = init_and_open("test:0");

  scan(h);
  sane_close(h);
  take_over();
  h = open_device("test:0");
  scan(h);
  sane_exit();
  check_own();
}

static void
in_a_scan(void)
{
  SANE_Handle h = init_and_open("test:0");

  GOOD(sane_start(h));
  take_over();
  sane_cancel(h);
  STATUS(a_read(h), CANCELLED);
  scan(h);
  sane_exit();
  check_own();
}

/* -- Cancel beside close --------------------------------------------------------------------- */

/* A thread may lose the processor at any moment: here before it writes or reads a few bytes. */
static void
lose_the_processor(size_t size)
{
  if (size <= 8)
    usleep(1000);
}

ssize_t
write(int fd, const void *data, size_t size)
{
  static ssize_t (*real)(int, const void *, size_t);

  if (!real)
    *(void **)&real = dlsym(RTLD_NEXT, "write");
  lose_the_processor(size);
  return real(fd, data, size);
}

static _Atomic(SANE_Handle) current;
static _Atomic int stop, written;

static void *
cancel_current(void *unused)
{
  while (!stop)
    sane_cancel(current);
  return unused;
}

static void *
open_files(void *unused)
{
  struct stat status;
  int fds[8], i;

  while (!stop) {
    for (i = 0; i < 8; i++)
      fds[i] = memfd_create("own", 0);
    usleep(300);
    for (i = 0; i < 8; i++) {
      if (fds[i] >= 0 && fstat(fds[i], &status) == 0 && status.st_size)
        written++;
      close(fds[i]);
    }
  }
  return unused;
}

static void
cancel_beside_close(void)
{
  double end = now() + HAMMER_MS;
  pthread_t cancels, opens;

  GOOD(sane_init(NULL, NULL));
  pthread_create(&cancels, NULL, cancel_current, NULL);
  pthread_create(&opens, NULL, open_files, NULL);
  while (now() < end) {
    SANE_Handle h = open_device("test:0");
    sane_start(h);
    current = h;
    sane_close(h);
  }
  stop = 1;
  pthread_join(cancels, NULL);
  pthread_join(opens, NULL);
  EQUAL(written, 0);
}

static const Case cases[] = {
  {"after_a_list", after_a_list},
  {"after_open", after_open},
  {"after_a_scan", after_a_scan},
  {"in_a_scan", in_a_scan},
  {"cancel_beside_close", cancel_beside_close},
  {NULL, NULL},
};

int
main(int argc, char **argv)
{
  return run_case(argc, argv, cases);
}
