/* Frames, pages, reads of every size, drivers with mistakes: sane_start to EOF. */
#include "check.h"

enum { ROOM = 1 << 21 };

static unsigned char wanted[ROOM], got[ROOM];

/* -- Frames ---------------------------------------------------------------------------------- */

static void
check_frame(SANE_Handle h)
{
  SANE_Parameters before = parameters(h), during;
  SANE_Int length;
  int channels = before.format == SANE_FRAME_RGB ? 3 : 1, total, i;
  SANE_Byte byte;

  CHECK(before.format <= SANE_FRAME_RGB && before.last_frame && before.lines >= 1);
  EQUAL(before.bytes_per_line, before.depth == 1
                                 ? channels * ((before.pixels_per_line + 7) / 8)
                                 : channels * before.pixels_per_line * before.depth / 8);
  GOOD(sane_start(h));
  during = parameters(h);
  CHECK(memcmp(&before, &during, sizeof before) == 0);
  GOOD(read_into(h, &byte, 1, &length));
  EQUAL(length, 1);
  during = parameters(h);
  CHECK(memcmp(&before, &during, sizeof before) == 0);
  total = read_frame(h, 4096, NULL, 0);
  EQUAL(1 + total, before.lines * before.bytes_per_line);
  for (i = 0; i < 3; i++)
    REFUSED(h, EOF);
  sane_cancel(h);
  CHECK(read_into(h, &byte, 1, &length) != SANE_STATUS_GOOD && length == 0);
}

static void
frames_of_test(void)
{
  static const char *const modes[] = {"Gray", "Color"};
  static const int depths[] = {1, 8, 16};
  SANE_Handle h = init_and_open("test:0");
  int i, j;

  set_text(h, "test-picture", "Color pattern");
  for (i = 0; i < 2; i++)
    for (j = 0; j < 3; j++) {
      set_text(h, "mode", modes[i]);
      set_word(h, "depth", depths[j]);
      check_frame(h);
    }
}

static void
frames_of_proper(void)
{
  static const char *const names[] = {"proper:flat", "proper:thread"};
  int i;

  for (i = 0; i < 2; i++) {
    SANE_Handle h = init_and_open(names[i]);
    check_frame(h);
    set_text(h, "mode", "Color");
    set_word(h, "resolution", 150);
    check_frame(h);
  }
}

static void
frames_of_pnm(void)
{
  char name[] = "/tmp/pysane-test-XXXXXX";
  static const char header[] = "P6\n31 17\n255\n";
  unsigned char pixels[3 * 31 * 17];
  SANE_Handle h = init_and_open("pnm:0");
  SANE_Int length;
  unsigned i;
  int fd = mkstemp(name);

  for (i = 0; i < sizeof pixels; i++)
    pixels[i] = (unsigned char)(i * 7);
  EQUAL(write(fd, header, strlen(header)), strlen(header));
  EQUAL(write(fd, pixels, sizeof pixels), sizeof pixels);
  close(fd);
  set_text(h, "filename", name);
  EQUAL(frame_bytes(h), sizeof pixels);
  GOOD(sane_start(h));
  unlink(name);
  EQUAL(read_frame(h, 100, got, ROOM), sizeof pixels);
  CHECK(memcmp(got, pixels, sizeof pixels) == 0);
  sane_cancel(h);
  REFUSED(h, CANCELLED);
  CHECK(read_into(h, got, 0, &length) != SANE_STATUS_GOOD);
}

static void
unknown_height(void)
{
  SANE_Handle h = init_and_open("test:0");
  SANE_Parameters p;

  set_word(h, "hand-scanner", SANE_TRUE);
  GOOD(sane_start(h));
  p = parameters(h);
  EQUAL(p.lines, -1);
  EQUAL(read_frame(h, 999, NULL, 0) % p.bytes_per_line, 0);
}

static void
three_frames(void)
{
  static const SANE_Frame order[] = {SANE_FRAME_GREEN, SANE_FRAME_RED, SANE_FRAME_BLUE};
  SANE_Handle h = init_and_open("test:0");
  int round, i;

  set_text(h, "mode", "Color");
  set_word(h, "three-pass", SANE_TRUE);
  set_text(h, "three-pass-order", "GRB");
  for (round = 0; round < 2; round++)
    for (i = 0; i < 3; i++) {
      SANE_Parameters p = parameters(h);
      EQUAL(p.format, order[i]);
      EQUAL(p.last_frame, i == 2);
      GOOD(sane_start(h));
      EQUAL(read_frame(h, 32768, NULL, 0), p.lines * p.bytes_per_line);
    }
}

/* -- Reads ----------------------------------------------------------------------------------- */

static void
sizes_of(SANE_Handle h, int rounds)
{
  static const int sizes[] = {3, 7, 1976, 8188, 8192, 32768, 65536, 100000, 524288, 1 << 20};
  int total, i;

  GOOD(sane_start(h));
  total = read_frame(h, 1, wanted, ROOM);
  EQUAL(total, frame_bytes(h));
  for (i = 0; i < rounds; i++) {
    memset(got, 0, sizeof got);
    GOOD(sane_start(h));
    EQUAL(read_frame(h, sizes[i], got, ROOM), total);
    CHECK(memcmp(got, wanted, (size_t)total) == 0);
  }
}

static void
read_sizes(void)
{
  SANE_Handle h = init_and_open("test:0");

  set_text(h, "test-picture", "Color pattern");
  sizes_of(h, 10);
  h = open_device("proper:flat");
  sizes_of(h, 10);
  h = open_device("proper:thread");
  sizes_of(h, 10);
}

/* Growing reads into exact memory: nothing behind the count is touched. */
static void
read_bounds(void)
{
  static const char *const names[] = {"test:0", "proper:flat", "proper:thread"};
  int k, size;

  for (k = 0; k < 3; k++) {
    SANE_Handle h = init_and_open(names[k]);
    GOOD(sane_start(h));
    for (size = 1; size < 5000; size = size * 2 + 1) {
      unsigned char *data = fenced((size_t)size);
      SANE_Int length, i;
      memset(data, 0xC7, (size_t)size);
      GOOD(read_into(h, data, size, &length));
      CHECK(length > 0 && length <= size);
      for (i = length; i < size; i++)
        EQUAL(data[i], 0xC7);
    }
    sane_exit();
  }
}

static void
read_at_odd_address(void)
{
  SANE_Handle h = init_and_open("test:0");
  int total;

  set_word(h, "depth", 16);
  set_text(h, "test-picture", "Color pattern");
  GOOD(sane_start(h));
  total = read_frame(h, 32768, wanted, ROOM);
  GOOD(sane_start(h));
  EQUAL(read_frame(h, 32767, got + 1, ROOM - 1), total);
  CHECK(memcmp(got + 1, wanted, (size_t)total) == 0);
}

static void
read_nonsense(void)
{
  static const char *const names[] = {"test:0", "proper:flat"};
  SANE_Byte byte;
  SANE_Int length;
  int k;

  for (k = 0; k < 2; k++) {
    SANE_Handle h = init_and_open(names[k]);
    REFUSED(h, INVAL); /* before any start */
    CHECK(sane_get_parameters(h, NULL) <= SANE_STATUS_INVAL);
    GOOD(sane_start(h));
    STATUS(sane_read(h, &byte, 1, NULL), INVAL);
    STATUS(read_into(h, NULL, 1, &length), INVAL);
    EQUAL(length, 0);
    CHECK(read_into(h, &byte, -1, &length) != SANE_STATUS_GOOD && length == 0);
    sane_cancel(h);
    GOOD(sane_start(h));
    EQUAL(read_frame(h, 4096, NULL, 0), frame_bytes(h));
    sane_exit();
  }
}

static void
forced_statuses(void)
{
  SANE_Handle h = init_and_open("test:0");
  const SANE_String_Const *names = descriptor(h, "read-return-value")->constraint.string_list;
  char name[64];
  int i;

  for (i = 1; names[i]; i++) {
    SANE_Int length;
    strcpy(name, names[i]);
    set_text(h, "read-return-value", name);
    GOOD(sane_start(h));
    EQUAL(read_into(h, got, 100, &length), i);
    EQUAL(length, 0);
    sane_cancel(h);
  }
  EQUAL(i, 12);
}

/* -- Pages ----------------------------------------------------------------------------------- */

static void
pages(void)
{
  SANE_Handle h = init_and_open("proper:flat");
  unsigned long long sums[3];
  int round, page;

  set_text(h, "source", "ADF");
  for (round = 0; round < 2; round++) {
    for (page = 0; page < 3; page++) {
      GOOD(sane_start(h));
      EQUAL(read_frame(h, 4096, got, ROOM), frame_bytes(h));
      sums[page] = checksum(got, 100);
      CHECK(page == 0 || sums[page] != sums[page - 1]);
      REFUSED(h, EOF);
    }
    STATUS(sane_start(h), NO_DOCS);
    REFUSED(h, INVAL);
    if (round == 0)
      sane_cancel(h);
  }
  set_text(h, "source", "Flatbed");
  for (page = 0; page < 3; page++) { /* without cancel: simply again */
    GOOD(sane_start(h));
    EQUAL(read_frame(h, 4096, NULL, 0), frame_bytes(h));
  }
}

static void
second_start(void)
{
  SANE_Handle h = init_and_open("proper:flat");
  SANE_Int length;
  int total;

  GOOD(sane_start(h));
  total = read_frame(h, 4096, wanted, ROOM);
  GOOD(sane_start(h));
  GOOD(read_into(h, got, 100, &length));
  STATUS(sane_start(h), INVAL);
  EQUAL(length + read_frame(h, 4096, got + length, ROOM - length), total);
  CHECK(memcmp(got, wanted, (size_t)total) == 0);
}

static void
failed_starts(void)
{
  static const struct {
    const char *device;
    SANE_Status status;
  } samples[] = {
    {"faulty:NoDocs", SANE_STATUS_NO_DOCS},     {"faulty:Jammed", SANE_STATUS_JAMMED},
    {"faulty:CoverOpen", SANE_STATUS_COVER_OPEN}, {"faulty:DeviceIOError", SANE_STATUS_IO_ERROR},
    {"faulty:NoMemory", SANE_STATUS_NO_MEM},    {"faulty:AccessDenied", SANE_STATUS_ACCESS_DENIED},
    {"faulty:Invalid", SANE_STATUS_INVAL},      {"faulty:frame", SANE_STATUS_IO_ERROR},
  };
  unsigned i;

  GOOD(sane_init(NULL, NULL));
  for (i = 0; i < sizeof samples / sizeof *samples; i++) {
    SANE_Handle h = open_device(samples[i].device);
    int round;
    for (round = 0; round < 2; round++) {
      if (sane_start(h) != samples[i].status)
        FAIL("%s does not give %s", samples[i].device, status_name(samples[i].status));
      REFUSED(h, INVAL);
      sane_cancel(h);
      EQUAL(option_count(h), 2);
    }
    sane_close(h);
  }
}

/* simple-scan calls start again at once. */
static void
busy_start(void)
{
  SANE_Handle h = init_and_open("faulty:DeviceBusy");
  double start = now();

  STATUS(sane_start(h), DEVICE_BUSY);
  STATUS(sane_start(h), DEVICE_BUSY);
  CHECK(now() - start >= 400);
}

/* Drivers with mistakes: a status, never a crash, and the handle can be closed. */
static void
faulty_reads(void)
{
  static const struct {
    const char *device;
    SANE_Status status;
  } samples[] = {
    {"faulty:keeper", SANE_STATUS_IO_ERROR}, {"faulty:liar", SANE_STATUS_IO_ERROR},
    {"faulty:raiser", SANE_STATUS_IO_ERROR}, {"faulty:quitter", SANE_STATUS_IO_ERROR},
    {"faulty:jam", SANE_STATUS_JAMMED},      {"faulty:short", SANE_STATUS_EOF},
    {"faulty:printer", SANE_STATUS_EOF},
  };
  unsigned i;

  GOOD(sane_init(NULL, NULL));
  for (i = 0; i < sizeof samples / sizeof *samples; i++) {
    SANE_Handle h = open_device(samples[i].device);
    unsigned char *data = malloc(64);
    SANE_Status status;
    SANE_Int length;
    GOOD(sane_start(h));
    while ((status = read_into(h, data, 64, &length)) == SANE_STATUS_GOOD)
      ;
    if (status != samples[i].status)
      FAIL("%s gives %s", samples[i].device, status_name(status));
    EQUAL(length, 0);
    free(data);
    sane_cancel(h);
    sane_close(h);
  }
}

static const Case cases[] = {
  {"frames_of_test", frames_of_test},
  {"frames_of_proper", frames_of_proper},
  {"frames_of_pnm", frames_of_pnm},
  {"unknown_height", unknown_height},
  {"three_frames", three_frames},
  {"read_sizes", read_sizes},
  {"read_bounds", read_bounds},
  {"read_at_odd_address", read_at_odd_address},
  {"read_nonsense", read_nonsense},
  {"forced_statuses", forced_statuses},
  {"pages", pages},
  {"second_start", second_start},
  {"failed_starts", failed_starts},
  {"busy_start", busy_start},
  {"faulty_reads", faulty_reads},
  {NULL, NULL},
};

int
main(int argc, char **argv)
{
  return run_case(argc, argv, cases);
}
