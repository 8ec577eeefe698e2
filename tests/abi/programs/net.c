/* A device of a server from C: descriptors that change, a server that dies, reads by select.
 *
 * The server is tests/fakes/saned.py; NET_DEVICE names the device.
 */
#include "check.h"

#include <signal.h>
#include <sys/select.h>

enum { DEPTH = 1, MODE = 2 };

static SANE_Handle
opened(void)
{
  signal(SIGPIPE, SIG_DFL);
  GOOD(sane_init(NULL, NULL));
  return open_device(getenv("NET_DEVICE"));
}

static SANE_Int
set_mode(SANE_Handle h, const char *text)
{
  char value[6] = "";
  SANE_Int info = 0;

  memcpy(value, text, strlen(text));
  GOOD(sane_control_option(h, MODE, SANE_ACTION_SET_VALUE, value, &info));
  CHECK(strcmp(value, text) == 0);
  return info;
}

/* The server gives the option "depth" another title and constraint with each list. */
static void
reload(void)
{
  SANE_Handle h = opened();
  const SANE_Option_Descriptor *depth = sane_get_option_descriptor(h, DEPTH);
  SANE_Word value = 0;
  const char *title;

  CHECK(depth != NULL);
  title = depth->title;
  CHECK(strcmp(title, "List 1") == 0);
  EQUAL(depth->constraint.word_list[0], 2);
  EQUAL(set_mode(h, "Color"), SANE_INFO_RELOAD_OPTIONS | SANE_INFO_RELOAD_PARAMS);
  GOOD(sane_control_option(h, DEPTH, SANE_ACTION_GET_VALUE, &value, NULL)); /* fetches silently */
  CHECK(depth == sane_get_option_descriptor(h, DEPTH));
  CHECK(strcmp(depth->title, "List 2") == 0);
  CHECK(strcmp(title, "List 1") == 0); /* what was shown stays readable */
  EQUAL(depth->constraint_type, SANE_CONSTRAINT_NONE);
  CHECK(sane_get_option_descriptor(h, 3) == NULL);
  sane_close(h);
  sane_exit();
}

/* The second list has two options more, the third only option 0. */
static void
another_number(void)
{
  SANE_Handle h = opened();
  const SANE_Option_Descriptor *depth = sane_get_option_descriptor(h, DEPTH);

  set_mode(h, "Color");
  CHECK(sane_get_option_descriptor(h, 4) != NULL);
  CHECK(strcmp(sane_get_option_descriptor(h, 4)->name, "mode") == 0);
  CHECK(sane_get_option_descriptor(h, 5) == NULL);
  set_mode(h, "Gray");
  CHECK(sane_get_option_descriptor(h, 0) != NULL);
  CHECK(sane_get_option_descriptor(h, DEPTH) == NULL);
  CHECK(strcmp(depth->name, "depth") == 0);
  sane_close(h);
  sane_exit();
}

/* The second list is much longer: an option of it is read before its descriptor is fetched. */
static void
grown(void)
{
  enum { LATE = 390, SIZE = 4096, GUARD = 16 };
  static SANE_Byte value[SIZE + GUARD];
  SANE_Handle h = opened();
  int i;

  EQUAL(set_mode(h, "Color"), SANE_INFO_RELOAD_OPTIONS | SANE_INFO_RELOAD_PARAMS);
  GOOD(sane_control_option(h, LATE, SANE_ACTION_GET_VALUE, value, NULL));
  for (i = 0; i < SIZE + GUARD; i++)
    EQUAL(value[i], i < SIZE ? 0x42 : 0);
  STATUS(sane_control_option(h, LATE + 10, SANE_ACTION_GET_VALUE, value, NULL), INVAL);
  EQUAL(sane_get_option_descriptor(h, LATE)->size, SIZE);
  CHECK(sane_get_option_descriptor(h, LATE + 10) == NULL);
  sane_close(h);
  sane_exit();
}

/* The server ends a frame with a status that the standard does not have. */
static void
odd_status(void)
{
  SANE_Handle h = opened();
  SANE_Byte data[100];
  SANE_Int length;

  GOOD(sane_start(h));
  GOOD(sane_read(h, data, 8, &length));
  EQUAL(length, 8);
  STATUS(read_into(h, data, sizeof data, &length), IO_ERROR);
  EQUAL(length, 0);
  sane_close(h);
  sane_exit();
}

/* The server closes when an option is read: no signal, one status for everything. */
static void
death(void)
{
  SANE_Handle h = opened();
  SANE_Parameters parameters;
  SANE_Byte data[16];
  SANE_Word value = 42;
  SANE_Int length = 7;
  int i;

  for (i = 0; i < 3; i++)
    STATUS(sane_control_option(h, DEPTH, SANE_ACTION_GET_VALUE, &value, NULL), IO_ERROR);
  EQUAL(value, 42);
  STATUS(sane_get_parameters(h, &parameters), IO_ERROR);
  STATUS(sane_start(h), IO_ERROR);
  STATUS(sane_read(h, data, sizeof data, &length), CANCELLED);
  EQUAL(length, 0);
  sane_cancel(h);
  sane_close(h);
  sane_exit();
}

/* Other sizes after a reload that the frontend does not hear of: it has memory for the old ones. */
static void
resized(void)
{
  enum { TEXT = 2, WORDS = 3, BECOMES_TEXT = 4, LESS = 5, SIZE = 4096 };
  SANE_Handle h = opened();
  char *text = calloc(1, SIZE), mode[6] = "Color", word[4] = {'a', 'b', 'c', 'd'};
  SANE_Word value[2];
  SANE_Int info;
  int i;

  for (i = 0; i <= LESS; i++)
    CHECK(sane_get_option_descriptor(h, i) != NULL);
  GOOD(sane_control_option(h, TEXT, SANE_ACTION_SET_VALUE, mode, NULL));
  STATUS(sane_control_option(h, TEXT, SANE_ACTION_GET_VALUE, mode, NULL), INVAL);
  STATUS(sane_control_option(h, TEXT, SANE_ACTION_SET_VALUE, mode, NULL), INVAL);
  STATUS(sane_control_option(h, WORDS, SANE_ACTION_GET_VALUE, value, NULL), INVAL);
  STATUS(sane_control_option(h, WORDS, SANE_ACTION_SET_VALUE, value, NULL), INVAL);
  GOOD(sane_control_option(h, BECOMES_TEXT, SANE_ACTION_SET_VALUE, word, NULL));
  GOOD(sane_control_option(h, LESS, SANE_ACTION_GET_VALUE, value, NULL));

  /* One that is fetched again has its new size; the others wait for that. */
  EQUAL(sane_get_option_descriptor(h, TEXT)->size, SIZE);
  GOOD(sane_control_option(h, TEXT, SANE_ACTION_GET_VALUE, text, NULL));
  STATUS(sane_control_option(h, WORDS, SANE_ACTION_GET_VALUE, value, NULL), INVAL);

  /* One that was seen smaller may not grow back unseen. */
  EQUAL(sane_get_option_descriptor(h, LESS)->size, 4);
  strcpy(text, "Gray");
  GOOD(sane_control_option(h, TEXT, SANE_ACTION_SET_VALUE, text, &info));
  EQUAL(info & SANE_INFO_RELOAD_OPTIONS, SANE_INFO_RELOAD_OPTIONS);
  STATUS(sane_control_option(h, LESS, SANE_ACTION_GET_VALUE, value, NULL), INVAL);
  GOOD(sane_control_option(h, WORDS, SANE_ACTION_GET_VALUE, value, NULL));
  free(text);
  sane_close(h);
  sane_exit();
}

/* A frame by select: no thread, no descriptor but the data connection's. */
static void
watched(void)
{
  SANE_Handle h = opened();
  SANE_Byte data[3];
  SANE_Int fd = -1, length, total = 0;
  SANE_Status status;

  STATUS(sane_set_io_mode(h, SANE_TRUE), INVAL);
  STATUS(sane_get_select_fd(h, &fd), INVAL);
  GOOD(sane_start(h));
  GOOD(sane_set_io_mode(h, SANE_TRUE));
  GOOD(sane_get_select_fd(h, &fd));
  for (;;) {
    struct timeval patience = {.tv_sec = PATIENCE_MS / 1000};
    fd_set readable;

    FD_ZERO(&readable);
    FD_SET(fd, &readable);
    EQUAL(select(fd + 1, &readable, NULL, NULL, &patience), 1);
    status = sane_read(h, data, sizeof data, &length);
    if (status != SANE_STATUS_GOOD)
      break;
    total += length;
  }
  IS_STATUS(status, SANE_STATUS_EOF);
  EQUAL(total, 8);
  sane_close(h);
  sane_exit();
}

static const Case cases[] = {
  {"reload", reload},
  {"another_number", another_number},
  {"grown", grown},
  {"resized", resized},
  {"odd_status", odd_status},
  {"death", death},
  {"watched", watched},
  {NULL, NULL},
};

int
main(int argc, char **argv)
{
  return run_case(argc, argv, cases);
}
