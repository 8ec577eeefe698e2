/* Non-blocking reads and select, as saned and xsane use them. */
#include "check.h"

enum { ROOM = 1 << 21, READS = 50 };

static unsigned char wanted[ROOM], got[ROOM];

static void
modes_idle(void)
{
  static const char *const names[] = {"test:0", "proper:flat", "proper:thread"};
  SANE_Int fd = -2;
  int k;

  for (k = 0; k < 3; k++) {
    SANE_Handle h = init_and_open(names[k]);
    STATUS(sane_set_io_mode(h, SANE_FALSE), INVAL);
    STATUS(sane_set_io_mode(h, SANE_TRUE), INVAL);
    STATUS(sane_get_select_fd(h, &fd), INVAL);
    EQUAL(fd, -2);
    GOOD(sane_start(h));
    GOOD(sane_set_io_mode(h, SANE_FALSE));
    read_frame(h, 32768, NULL, 0);
    STATUS(sane_set_io_mode(h, SANE_FALSE), INVAL);
    STATUS(sane_get_select_fd(h, &fd), INVAL);
    sane_exit();
  }
}

static void
modes_of_test(void)
{
  SANE_Handle h = init_and_open("test:0");
  SANE_Int fd;

  GOOD(sane_start(h));
  STATUS(sane_set_io_mode(h, SANE_TRUE), UNSUPPORTED);
  STATUS(sane_get_select_fd(h, &fd), UNSUPPORTED);
  sane_cancel(h);
  set_word(h, "non-blocking", SANE_TRUE);
  set_word(h, "select-fd", SANE_TRUE);
  GOOD(sane_start(h));
  GOOD(sane_set_io_mode(h, SANE_TRUE));
  GOOD(sane_get_select_fd(h, &fd));
  CHECK(fd > 2 && fd < 1024 && (fcntl(fd, F_GETFD) & FD_CLOEXEC));
  GOOD(sane_set_io_mode(h, SANE_FALSE));
  EQUAL(read_frame(h, 1000, NULL, 0), frame_bytes(h));
}

/* Read all by poll and non-blocking reads, as saned and xsane do. */
static int
read_by_poll(SANE_Handle h, SANE_Int fd, int chunk)
{
  SANE_Status status;
  SANE_Int length;
  int total = 0;

  do {
    CHECK(is_readable(fd, PATIENCE_MS));
    status = read_into(h, got + total, chunk, &length);
    CHECK(length >= 0 && length <= chunk);
    total += length;
  } while (status == SANE_STATUS_GOOD);
  STATUS(status, EOF);
  return total;
}

static void
polled(void)
{
  static const char *const names[] = {"test:0", "proper:flat", "proper:thread"};
  static const int chunks[] = {333, 8188, 65536};
  int k, total;

  for (k = 0; k < 3; k++) {
    SANE_Handle h = init_and_open(names[k]);
    int fds = count_fds(), i;
    SANE_Int fd;
    if (k == 0) {
      set_text(h, "test-picture", "Color pattern");
      set_word(h, "non-blocking", SANE_TRUE);
      set_word(h, "select-fd", SANE_TRUE);
    } else {
      set_word(h, "resolution", 300);
    }
    GOOD(sane_start(h));
    total = read_frame(h, 32768, wanted, ROOM);
    for (i = 0; i < 3; i++) {
      GOOD(sane_start(h));
      GOOD(sane_set_io_mode(h, SANE_TRUE));
      GOOD(sane_get_select_fd(h, &fd));
      EQUAL(read_by_poll(h, fd, chunks[i]), total);
      CHECK(memcmp(got, wanted, (size_t)total) == 0);
    }
    sane_close(h);
    sane_exit();
    CHECK(count_fds() <= fds + 1); /* the service thread has one of its own */
  }
}

static void
select_fd(void)
{
  static const char *const names[] = {"proper:flat", "proper:thread"};
  SANE_Int fd, length;
  double start;
  int k, i;

  for (k = 0; k < 2; k++) {
    Paced p;
    GOOD(sane_init(NULL, NULL));
    p = open_paced(names[k]);
    GOOD(sane_start(p.handle));
    GOOD(sane_set_io_mode(p.handle, SANE_TRUE));
    GOOD(sane_get_select_fd(p.handle, &fd));
    CHECK(fd > 2 && fd < 1024 && (fcntl(fd, F_GETFD) & FD_CLOEXEC));
    EQUAL(await_byte(p.told), 's');
    EQUAL(await_byte(p.told), 'r'); /* the driver waits: no data yet */
    CHECK(!is_readable(fd, 0));
    start = now();
    for (i = 0; i < READS; i++) {
      GOOD(read_into(p.handle, got, 100, &length));
      EQUAL(length, 0);
    }
    CHECK(now() - start < READS * 10);
    release(&p, 1);
    CHECK(is_readable(fd, PATIENCE_MS));
    CHECK(is_readable(fd, 0)); /* until it is read */
    GOOD(read_into(p.handle, got, ROOM, &length));
    CHECK(length > 0);
    EQUAL(await_byte(p.told), 'r');
    CHECK(!is_readable(fd, 0));
    sane_cancel(p.handle);
    if (k == 0) /* the other one sits in a plain read */
      CHECK(is_readable(fd, PATIENCE_MS));
    else
      release(&p, 1);
    REFUSED(p.handle, CANCELLED);
    sane_exit();
    close_pipes(&p);
  }
}

static void
readable_at_the_end(void)
{
  SANE_Handle h = init_and_open("proper:flat");
  SANE_Int fd, length;

  GOOD(sane_start(h));
  GOOD(sane_get_select_fd(h, &fd));
  CHECK(is_readable(fd, PATIENCE_MS));
  while (read_into(h, got, ROOM, &length) == SANE_STATUS_GOOD)
    CHECK(is_readable(fd, PATIENCE_MS));
  CHECK(is_readable(fd, 0)); /* and still open, for whoever polls it */
  REFUSED(h, EOF);
  GOOD(sane_start(h)); /* blocking again */
  EQUAL(read_frame(h, 4096, NULL, 0), frame_bytes(h));
}

static void
read_delay(void)
{
  SANE_Handle h = init_and_open("test:0");
  double start;
  int total;

  set_word(h, "read-delay", SANE_TRUE);
  set_word(h, "read-delay-duration", 50000);
  GOOD(sane_start(h));
  start = now();
  total = read_frame(h, 32768, NULL, 0);
  CHECK(now() - start >= 50);
  EQUAL(total, frame_bytes(h));
}

static const Case cases[] = {
  {"modes_idle", modes_idle},
  {"modes_of_test", modes_of_test},
  {"polled", polled},
  {"select_fd", select_fd},
  {"readable_at_the_end", readable_at_the_end},
  {"read_delay", read_delay},
  {NULL, NULL},
};

int
main(int argc, char **argv)
{
  return run_case(argc, argv, cases);
}
