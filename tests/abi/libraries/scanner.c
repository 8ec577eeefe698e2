/* A C backend whose devices can be opened; BACKEND is its name, KIND says what is wrong with it.
 *
 * The name of a device says how it behaves. Every call leaves a line in the file that
 * SANE_TEST_LOG names. -DWITHOUT_<OPERATION> leaves functions out: READ, DESCRIPTOR, CLOSE, ALL.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <sane/sane.h>

#define JOIN_(a, b, c) a##b##c
#define JOIN(a, b, c) JOIN_(a, b, c)
#define NAME(operation) JOIN(PREFIX, BACKEND, JOIN(_, operation, ))
#ifndef PREFIX
#define PREFIX sane_
#endif
#define TEXT_(name) #name
#define TEXT(name) TEXT_(name)
#define LINES 100
#define WIDTH 300

enum { COUNT, GROUP, RESOLUTION, MODE, LEFT, GAMMA, BUTTON, FLAG, STATE, GARBAGE, STRANGE, HOLE, LAST };

typedef struct {
  char kind[64];
  SANE_Option_Descriptor options[LAST];
  SANE_Int resolution, left, gamma[4], flag, pressed;
  char mode[16];
  int cancel_fd, position;
  _Atomic int scanning, cancelled; /* sane_cancel may come from another thread */
} Scanner;

static const SANE_Word resolutions[] = {3, 75, 150, 300};
static const SANE_String_Const modes[] = {"Gray", "Color", NULL};
static const SANE_Range widths = {0, 100 << 16, 0}, samples = {0, 255, 1};
static SANE_Auth_Callback callback;

static void
note(const char *format, ...)
{
  const char *path = getenv("SANE_TEST_LOG");
  char text[1024]; /* two texts of SANE_MAX_USERNAME_LEN, and more */
  va_list arguments;
  int fd, used = snprintf(text, sizeof text, "%s ", TEXT(BACKEND));

  va_start(arguments, format);
  used += vsnprintf(text + used, sizeof text - (size_t)used - 1, format, arguments);
  va_end(arguments);
  if (used >= (int)sizeof text)
    _exit(9);
  text[used++] = '\n';
  fd = path ? open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600) : -1;
  if (fd >= 0 && write(fd, text, (size_t)used) < 0)
    _exit(9);
  close(fd);
}

#ifdef UNRESOLVED
extern void there_is_no_such_function(void);
#endif

static int
is(const char *text, const char *kind)
{
  return strcmp(text, kind) == 0;
}

__attribute__((constructor)) static void
on_load(void)
{
  note("loaded");
}

__attribute__((destructor)) static void
on_unload(void)
{
  note("unloaded");
}

#ifndef WITHOUT_ALL
SANE_Status
NAME(init)(SANE_Int *version, SANE_Auth_Callback authorize)
{
  note("init %s", authorize ? "callback" : "none");
  callback = authorize;
  if (is(KIND, "failing init"))
    return SANE_STATUS_ACCESS_DENIED;
  if (!is(KIND, "no version"))
    *version = SANE_VERSION_CODE(is(KIND, "version 2") ? 2 : 1, 0, 7);
  return SANE_STATUS_GOOD;
}

void
NAME(exit)(void)
{
  note("exit");
}

SANE_Status
NAME(get_devices)(const SANE_Device ***devices, SANE_Bool local_only)
{
  static const SANE_Device one = {"one", "Acme", "S1", "flatbed scanner"};
  static const SANE_Device *list[] = {&one, NULL};

  note("get_devices %d", local_only);
  *devices = list;
  return SANE_STATUS_GOOD;
}

static void
describe(Scanner *s, int index, const char *name, SANE_Value_Type type, int size, int cap)
{
  SANE_Option_Descriptor *d = &s->options[index];

  d->name = d->title = d->desc = name;
  d->type = type;
  d->size = size;
  d->cap = cap;
}

static void
describe_all(Scanner *s)
{
  int both = SANE_CAP_SOFT_SELECT | SANE_CAP_SOFT_DETECT;
  SANE_Option_Descriptor *d = s->options;

  describe(s, COUNT, "", SANE_TYPE_INT, 4, SANE_CAP_SOFT_DETECT);
  describe(s, GROUP, NULL, SANE_TYPE_GROUP, 0, 0);
  describe(s, RESOLUTION, "resolution", SANE_TYPE_INT, 4, both | SANE_CAP_AUTOMATIC);
  describe(s, MODE, "mode", SANE_TYPE_STRING, sizeof s->mode, both);
  describe(s, LEFT, "tl-x", SANE_TYPE_FIXED, 4, both);
  describe(s, GAMMA, "gamma-table", SANE_TYPE_INT, sizeof s->gamma, both);
  describe(s, BUTTON, "press", SANE_TYPE_BUTTON, 4, SANE_CAP_SOFT_SELECT);
  describe(s, FLAG, "flag", SANE_TYPE_BOOL, 4, both);
  describe(s, STATE, "state", SANE_TYPE_INT, 8, SANE_CAP_SOFT_DETECT);
  describe(s, GARBAGE, NULL, SANE_TYPE_STRING, 8, both);
  describe(s, STRANGE, "strange", (SANE_Value_Type)77, is(s->kind, "huge") ? 1 << 30 : 4, ~0);
  d[GROUP].title = "Things";
  d[RESOLUTION].unit = SANE_UNIT_DPI;
  d[RESOLUTION].constraint_type = SANE_CONSTRAINT_WORD_LIST;
  d[RESOLUTION].constraint.word_list = resolutions;
  d[MODE].constraint_type = SANE_CONSTRAINT_STRING_LIST;
  d[MODE].constraint.string_list = modes;
  d[LEFT].unit = SANE_UNIT_MM;
  d[LEFT].constraint_type = d[GAMMA].constraint_type = SANE_CONSTRAINT_RANGE;
  d[LEFT].constraint.range = &widths;
  d[GAMMA].constraint.range = &samples;
  d[GARBAGE].constraint_type = SANE_CONSTRAINT_STRING_LIST; /* NULL */
  d[STRANGE].constraint_type = (SANE_Constraint_Type)9;
  d[STRANGE].constraint.range = &widths;
}

SANE_Status
NAME(open)(SANE_String_Const name, SANE_Handle *handle)
{
  char user[SANE_MAX_USERNAME_LEN] = "", password[SANE_MAX_PASSWORD_LEN] = "";
  Scanner *s;

  note("open %s", name);
  if (strncmp(name, "status", 6) == 0)
    return (SANE_Status)atoi(name + 6);
  if (is(name, "ask")) {
    if (!callback)
      return SANE_STATUS_ACCESS_DENIED;
    callback("door", user, password);
    note("given %s %s", user, password);
    if (!is(user, "user") || !is(password, "word"))
      return SANE_STATUS_ACCESS_DENIED;
  }
  if (is(name, "signal"))
    raise(SIGUSR1);
#ifdef UNRESOLVED
  if (is(name, "unresolved"))
    there_is_no_such_function();
#endif
  s = calloc(1, sizeof *s);
  snprintf(s->kind, sizeof s->kind, "%s", name);
  s->resolution = 75;
  strcpy(s->mode, "Gray");
  s->cancel_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  describe_all(s);
  *handle = s;
  return SANE_STATUS_GOOD;
}

#ifndef WITHOUT_CLOSE
void
NAME(close)(SANE_Handle handle)
{
  Scanner *s = handle;

  note("close %s", s->kind);
  close(s->cancel_fd);
  free(s);
}
#endif

#ifndef WITHOUT_DESCRIPTOR
const SANE_Option_Descriptor *
NAME(get_option_descriptor)(SANE_Handle handle, SANE_Int index)
{
  return index >= 0 && index < HOLE ? &((Scanner *)handle)->options[index] : NULL;
}
#endif

/* What this thread looks like from here: the blocked signals, and whether it can be cancelled. */
static void
get_state(SANE_Int *words)
{
  sigset_t mask;
  int number, state;

  pthread_sigmask(SIG_SETMASK, NULL, &mask);
  for (words[0] = 0, number = 1; number < NSIG; number++)
    words[0] += sigismember(&mask, number) > 0;
  pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
  pthread_setcancelstate(state, NULL);
  words[1] = state == PTHREAD_CANCEL_ENABLE;
}

static SANE_Status
get_option(Scanner *s, int index, void *value)
{
  SANE_Int *word = value;

  switch (index) {
  case COUNT:
    *word = is(s->kind, "count") ? -5 : LAST;
    break;
  case RESOLUTION:
    *word = s->resolution;
    break;
  case MODE:
    strcpy(value, s->mode);
    break;
  case LEFT:
    *word = s->left;
    break;
  case GAMMA:
    memcpy(value, s->gamma, sizeof s->gamma);
    break;
  case FLAG:
    *word = s->flag;
    break;
  case STATE:
    get_state(word);
    break;
  case GARBAGE:
    memcpy(value, "unended!", 8); /* all of its size, without a NUL */
    break;
  default:
    return SANE_STATUS_INVAL;
  }
  return SANE_STATUS_GOOD;
}

static SANE_Status
set_option(Scanner *s, int index, void *value, SANE_Int *info)
{
  SANE_Int *word = value;

  switch (index) {
  case RESOLUTION:
    s->resolution = *word <= 75 ? 75 : *word <= 150 ? 150 : 300;
    *info |= (s->resolution != *word ? SANE_INFO_INEXACT : 0) | SANE_INFO_RELOAD_PARAMS;
    *word = s->resolution;
    break;
  case MODE:
    if (!is(value, "Gray") && !is(value, "Color"))
      return SANE_STATUS_INVAL;
    strcpy(s->mode, value);
    s->options[FLAG].cap ^= SANE_CAP_INACTIVE;
    *info |= SANE_INFO_RELOAD_OPTIONS | 0x70;
    break;
  case LEFT:
    s->left = *word;
    break;
  case GAMMA:
    memcpy(s->gamma, value, sizeof s->gamma);
    break;
  case BUTTON:
    s->pressed++;
    note("pressed");
    break;
  case FLAG:
    s->flag = *word;
    break;
  default:
    return SANE_STATUS_INVAL;
  }
  return SANE_STATUS_GOOD;
}

SANE_Status
NAME(control_option)(SANE_Handle handle, SANE_Int index, SANE_Action action, void *value,
                     SANE_Int *info)
{
  Scanner *s = handle;
  SANE_Int bits = 0;
  SANE_Status status;

  if (index < 0 || index >= LAST)
    return SANE_STATUS_INVAL;
  if (action == SANE_ACTION_GET_VALUE)
    status = get_option(s, index, value);
  else if (action == SANE_ACTION_SET_VALUE)
    status = set_option(s, index, value, &bits);
  else if (index == RESOLUTION)
    status = (s->resolution = 150, SANE_STATUS_GOOD);
  else
    status = SANE_STATUS_INVAL;
  if (info)
    *info = bits;
  return status;
}

SANE_Status
NAME(get_parameters)(SANE_Handle handle, SANE_Parameters *p)
{
  Scanner *s = handle;

  *p = (SANE_Parameters){SANE_FRAME_GRAY, SANE_TRUE, WIDTH, WIDTH, LINES, 8};
  if (is(s->kind, "unknown length"))
    p->lines = -1;
  if (is(s->kind, "negative"))
    p->bytes_per_line = -1;
  if (is(s->kind, "jpeg"))
    p->format = (SANE_Frame)0x0B;
  return SANE_STATUS_GOOD;
}

SANE_Status
NAME(start)(SANE_Handle handle)
{
  Scanner *s = handle;
  char user[SANE_MAX_USERNAME_LEN] = "", password[SANE_MAX_PASSWORD_LEN] = "";
  uint64_t count;

  note("start %s", s->kind);
  if (is(s->kind, "busy"))
    return SANE_STATUS_DEVICE_BUSY;
  if (is(s->kind, "odd start"))
    return (SANE_Status)13;
  if (is(s->kind, "ask at start") && callback) {
    callback("start", user, password);
    note("given %s %s", user, password);
  }
  if (read(s->cancel_fd, &count, sizeof count) < 0)
    count = 0; /* nothing to forget */
  s->scanning = 1;
  s->cancelled = 0;
  s->position = 0;
  return SANE_STATUS_GOOD;
}

#ifndef WITHOUT_READ
SANE_Status
NAME(read)(SANE_Handle handle, SANE_Byte *data, SANE_Int size, SANE_Int *length)
{
  Scanner *s = handle;
  struct pollfd wait = {.fd = s->cancel_fd, .events = POLLIN};
  int i, total = WIDTH * LINES;

  *length = 0;
  if (s->cancelled || !s->scanning)
    return SANE_STATUS_CANCELLED;
  if (is(s->kind, "blocks") || is(s->kind, "blocks at last")) {
    if (s->position || is(s->kind, "blocks"))
      while (poll(&wait, 1, -1) < 0)
        ;
    if (s->cancelled)
      return SANE_STATUS_CANCELLED;
  }
  if (is(s->kind, "lies")) {
    *length = size + 1;
    return SANE_STATUS_GOOD;
  }
  if (is(s->kind, "jams"))
    return SANE_STATUS_JAMMED;
  if (is(s->kind, "pauses") && s->position % 3 == 0) {
    s->position++;
    return SANE_STATUS_GOOD;
  }
  if (is(s->kind, "more"))
    total += 7 * WIDTH;
  for (i = 0; i < size && s->position < total; i++)
    data[i] = (SANE_Byte)(s->position++ * 7 / 3);
  *length = i;
  if (i)
    return SANE_STATUS_GOOD;
  return SANE_STATUS_EOF;
}
#endif

void
NAME(cancel)(SANE_Handle handle)
{
  Scanner *s = handle;
  uint64_t one = 1;

  s->cancelled = 1;
  s->scanning = 0;
  if (write(s->cancel_fd, &one, sizeof one) < 0)
    _exit(9);
}

SANE_Status
NAME(set_io_mode)(SANE_Handle handle, SANE_Bool non_blocking)
{
  (void)handle;
  return non_blocking ? SANE_STATUS_UNSUPPORTED : SANE_STATUS_GOOD;
}

SANE_Status
NAME(get_select_fd)(SANE_Handle handle, SANE_Int *fd)
{
  (void)handle;
  (void)fd;
  return SANE_STATUS_UNSUPPORTED;
}
#endif
