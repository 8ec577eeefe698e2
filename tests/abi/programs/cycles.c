/* Two devices, changing threads, a thousand cycles, and an end with everything open. */
#include "check.h"

#include <pthread.h>

enum { CYCLES = 1000, GROWTH_KB = 1024 };

/* -- Two devices ----------------------------------------------------------------------------- */

static void
prepare(SANE_Handle h, const char *mode, int depth)
{
  set_text(h, "mode", mode);
  set_word(h, "depth", depth);
  set_text(h, "test-picture", "Color pattern");
}

static int
whole(SANE_Handle h, unsigned char *data, int room)
{
  int total;

  GOOD(sane_start(h));
  total = read_frame(h, 32768, data, room);
  sane_cancel(h);
  return total;
}

static void
interleaved(void)
{
  enum { ROOM = 1 << 20 };
  static const int sizes[] = {1, 4099, 7, 333, 65536, 2};
  static unsigned char wanted[2][ROOM], got[2][ROOM];
  SANE_Handle h[2] = {init_and_open("test:0"), open_device("test:1")};
  int total[2], done[2] = {0, 0}, i, step;

  prepare(h[0], "Gray", 8);
  prepare(h[1], "Color", 16);
  for (i = 0; i < 2; i++) {
    total[i] = whole(h[i], wanted[i], ROOM);
    CHECK(total[i] > 10000 && total[i] < ROOM);
    GOOD(sane_start(h[i]));
  }
  for (step = 0; done[0] < total[0] || done[1] < total[1]; step++)
    for (i = 0; i < 2; i++) {
      SANE_Int length;
      int size = sizes[(step + i) % 6];
      if (done[i] == total[i])
        continue;
      if (size > ROOM - done[i])
        size = ROOM - done[i];
      GOOD(sane_read(h[i], got[i] + done[i], size, &length));
      done[i] += length;
    }
  CHECK(memcmp(wanted[0], got[0], (size_t)total[0]) == 0);
  CHECK(memcmp(wanted[1], got[1], (size_t)total[1]) == 0);
}

/* -- Threads --------------------------------------------------------------------------------- */

static SANE_Handle thread_handle;
static int thread_total;

static void *
do_init(void *unused)
{
  (void)unused;
  GOOD(sane_init(NULL, NULL));
  return NULL;
}

static void *
do_open(void *unused)
{
  (void)unused;
  thread_handle = open_device("test:0");
  set_word(thread_handle, "depth", 16);
  return NULL;
}

static void *
do_start(void *unused)
{
  (void)unused;
  GOOD(sane_start(thread_handle));
  return NULL;
}

static void *
do_read(void *unused)
{
  (void)unused;
  thread_total = read_frame(thread_handle, 1000, NULL, 0);
  return NULL;
}

static void *
do_cancel_close(void *unused)
{
  (void)unused;
  sane_cancel(thread_handle);
  sane_close(thread_handle);
  return NULL;
}

static void *
do_exit(void *unused)
{
  (void)unused;
  sane_exit();
  return NULL;
}

static void
on_other_thread(void *(*work)(void *), size_t stack)
{
  pthread_attr_t attributes;
  pthread_t thread;

  pthread_attr_init(&attributes);
  if (stack)
    pthread_attr_setstacksize(&attributes, stack);
  EQUAL(pthread_create(&thread, &attributes, work, NULL), 0);
  pthread_join(thread, NULL);
}

static void
all_on_threads(size_t stack)
{
  static void *(*const works[])(void *) = {do_init, do_open, do_start, do_read, do_cancel_close,
                                           do_exit};
  unsigned i, round;

  for (round = 0; round < 3; round++) {
    for (i = 0; i < sizeof works / sizeof *works; i++)
      on_other_thread(works[i], stack);
    CHECK(thread_total > 10000);
  }
}

static void
threads(void)
{
  all_on_threads(0);
}

static void
small_stack(void)
{
  all_on_threads(256 * 1024);
}

/* -- Growth ---------------------------------------------------------------------------------- */

static void
cycle(void)
{
  SANE_Handle h = init_and_open("test:0");

  GOOD(sane_start(h));
  read_frame(h, 32768, NULL, 0);
  sane_cancel(h);
  sane_close(h);
  sane_exit();
}

static void
grow(void (*work)(void), int warm, int times)
{
  long kb;
  int fds, i;

  for (i = 0; i < warm; i++)
    work();
  kb = resident_kb();
  fds = count_fds();
  for (i = 0; i < times; i++)
    work();
  EQUAL(count_fds(), fds);
  kb = resident_kb() - kb;
  if (kb >= GROWTH_KB)
    FAIL("%d times cost %ld KiB", times, kb);
}

static void
growth(void)
{
  grow(cycle, 20, CYCLES);
}

static void
list_cycle(void)
{
  const SANE_Device **devices;

  GOOD(sane_init(NULL, NULL));
  GOOD(sane_get_devices(&devices, SANE_FALSE));
  CHECK(devices[0]);
  sane_exit();
}

static void
growth_of_lists(void)
{
  grow(list_cycle, 20, CYCLES);
}

static SANE_Handle kept;

/* A frontend that never closes: pages by select, cancelled in the middle. */
static void
page(void)
{
  SANE_Byte data[512];
  SANE_Int fd, length;

  GOOD(sane_start(kept));
  GOOD(sane_get_select_fd(kept, &fd));
  GOOD(sane_read(kept, data, sizeof data, &length));
  sane_cancel(kept);
  STATUS(sane_read(kept, data, sizeof data, &length), CANCELLED);
}

static void
growth_of_pages(void)
{
  kept = init_and_open("proper:flat");
  grow(page, 20, CYCLES);
}

/* -- The end --------------------------------------------------------------------------------- */

static void *
block(void *handle)
{
  SANE_Byte data[512];
  SANE_Int length;

  while (sane_read(handle, data, sizeof data, &length) == SANE_STATUS_GOOD)
    ;
  return NULL;
}

/* What python-sane and killed GUIs do; how long the end takes is measured outside. */
static void
leave_all_open(void)
{
  SANE_Handle slow = init_and_open("test:0");
  pthread_t thread;
  SANE_Int fd;
  Paced p;

  set_word(slow, "read-delay", 1);
  set_word(slow, "select-fd", 1);
  GOOD(sane_start(slow));
  GOOD(sane_get_select_fd(slow, &fd));
  p = open_paced("proper:flat");
  GOOD(sane_start(p.handle));
  pthread_create(&thread, NULL, block, p.handle);
  EQUAL(await_byte(p.told), 's');
  EQUAL(await_byte(p.told), 'r');
  printf("%f\n", now());
}

static const Case cases[] = {
  {"interleaved", interleaved},
  {"threads", threads},
  {"small_stack", small_stack},
  {"growth", growth},
  {"growth_of_lists", growth_of_lists},
  {"growth_of_pages", growth_of_pages},
  {"leave_all_open", leave_all_open},
  {NULL, NULL},
};

int
main(int argc, char **argv)
{
  return run_case(argc, argv, cases);
}
