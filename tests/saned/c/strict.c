/* A C backend that insists on what the standard promises it: one call at a time, and texts that
 * fit into their option's size. What breaks that is a line in the file of SANE_TEST_LOG. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sane/sane.h>

enum { COUNT, TEXT, LAST };
enum { SIZE = 8, READ_US = 20000, LIST_US = 20000, FRAME = 4000 };

static int inside, left;
static char text[SIZE] = "abc";

static void
note(const char *line)
{
  int fd = open(getenv("SANE_TEST_LOG"), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);

  if (fd >= 0 && write(fd, line, strlen(line)) >= 0)
    close(fd);
}

static void
enter(const char *call)
{
  char line[100];

  if (__atomic_add_fetch(&inside, 1, __ATOMIC_SEQ_CST) == 1)
    return;
  snprintf(line, sizeof line, "beside another call: %s\n", call);
  note(line);
}

static SANE_Status
leave(SANE_Status status)
{
  __atomic_sub_fetch(&inside, 1, __ATOMIC_SEQ_CST);
  return status;
}

SANE_Status
sane_strict_init(SANE_Int *version, SANE_Auth_Callback authorize)
{
  (void)authorize;
  *version = SANE_VERSION_CODE(1, 0, 0);
  return SANE_STATUS_GOOD;
}

void
sane_strict_exit(void)
{
}

SANE_Status
sane_strict_get_devices(const SANE_Device ***list, SANE_Bool local_only)
{
  static const SANE_Device one = {"one", "Acme", "Strict", "flatbed scanner"};
  static const SANE_Device two = {"two", "Acme", "Strict", "flatbed scanner"};
  static const SANE_Device *both[] = {&one, &two, NULL};

  (void)local_only;
  enter("get_devices");
  usleep(LIST_US);
  *list = both;
  return leave(SANE_STATUS_GOOD);
}

SANE_Status
sane_strict_open(SANE_String_Const name, SANE_Handle *handle)
{
  char line[100];

  enter("open");
  snprintf(line, sizeof line, "opened: %s\n", name);
  note(line);
  *handle = text;
  return leave(SANE_STATUS_GOOD);
}

void
sane_strict_close(SANE_Handle handle)
{
  (void)handle;
  enter("close");
  leave(SANE_STATUS_GOOD);
}

const SANE_Option_Descriptor *
sane_strict_get_option_descriptor(SANE_Handle handle, SANE_Int index)
{
  static const SANE_Option_Descriptor options[LAST] = {
    {"", "", "", SANE_TYPE_INT, SANE_UNIT_NONE, sizeof(SANE_Int), SANE_CAP_SOFT_DETECT,
     SANE_CONSTRAINT_NONE, {0}},
    {"text", "Text", "", SANE_TYPE_STRING, SANE_UNIT_NONE, SIZE,
     SANE_CAP_SOFT_DETECT | SANE_CAP_SOFT_SELECT, SANE_CONSTRAINT_NONE, {0}},
  };

  (void)handle;
  return index >= 0 && index < LAST ? &options[index] : NULL;
}

SANE_Status
sane_strict_control_option(SANE_Handle handle, SANE_Int index, SANE_Action action, void *value,
                           SANE_Int *info)
{
  SANE_Status status = SANE_STATUS_GOOD;

  (void)handle;
  enter("control_option");
  if (info)
    *info = 0;
  if (index == COUNT && action == SANE_ACTION_GET_VALUE)
    *(SANE_Int *)value = LAST;
  else if (index == TEXT && action == SANE_ACTION_GET_VALUE)
    strcpy(value, text);
  else if (index == TEXT && action == SANE_ACTION_SET_VALUE) {
    if (strlen(value) >= SIZE)
      note("a text that is longer than its option\n");
    else
      strcpy(text, value);
  } else
    status = SANE_STATUS_INVAL;
  return leave(status);
}

SANE_Status
sane_strict_get_parameters(SANE_Handle handle, SANE_Parameters *p)
{
  (void)handle;
  *p = (SANE_Parameters){SANE_FRAME_GRAY, SANE_TRUE, 100, 100, FRAME / 100, 8};
  return SANE_STATUS_GOOD;
}

SANE_Status
sane_strict_start(SANE_Handle handle)
{
  (void)handle;
  enter("start");
  left = FRAME;
  return leave(SANE_STATUS_GOOD);
}

SANE_Status
sane_strict_read(SANE_Handle handle, SANE_Byte *data, SANE_Int most, SANE_Int *length)
{
  (void)handle;
  enter("read");
  usleep(READ_US);
  *length = left < 100 ? left : 100;
  if (*length > most)
    *length = most;
  left -= *length;
  memset(data, 7, (size_t)*length);
  return leave(*length ? SANE_STATUS_GOOD : SANE_STATUS_EOF);
}

void
sane_strict_cancel(SANE_Handle handle)
{
  (void)handle;
  left = 0;
}

SANE_Status
sane_strict_set_io_mode(SANE_Handle handle, SANE_Bool non_blocking)
{
  (void)handle;
  return non_blocking ? SANE_STATUS_UNSUPPORTED : SANE_STATUS_GOOD;
}

SANE_Status
sane_strict_get_select_fd(SANE_Handle handle, SANE_Int *fd)
{
  (void)handle;
  *fd = -1;
  return SANE_STATUS_UNSUPPORTED;
}
