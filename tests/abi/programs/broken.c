/* A libsane.so.1 that breaks rules of the standard on purpose, for the conformance suite.
 *
 * Its devices: "texts" (descriptors), "values" (control_option), "scan", "crash" and "hang".
 */
#include <sane/sane.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TEXTS, VALUES, SCAN, CRASH, HANG, KINDS };

static const char *const names[KINDS] = {"texts", "values", "scan", "crash", "hang"};
static SANE_Device devices[KINDS];
static const SANE_Device *list[KINDS + 1];
static SANE_Int words[4];
static int left;

static const SANE_Range range = {0, 100, 10};
static const SANE_String_Const nothing[] = {NULL};

static const SANE_Option_Descriptor texts[] = {
  {"count", "Number of options", "", SANE_TYPE_INT, 0, 4, SANE_CAP_SOFT_DETECT, 0, {NULL}},
  {NULL, "", NULL, SANE_TYPE_BOOL, 0, 8, 5, 0, {NULL}},
  {"Upper", "Two\nlines", "", SANE_TYPE_INT, 0, 3, SANE_CAP_SOFT_SELECT, 0, {NULL}},
  {"same", "Same", "", SANE_TYPE_STRING, 0, 4, 5, SANE_CONSTRAINT_STRING_LIST, {nothing}},
  {"same", "Same", "", SANE_TYPE_STRING, 9, 4, 0x85, SANE_CONSTRAINT_RANGE, {NULL}},
  {"resolution", "R", "", SANE_TYPE_BOOL, SANE_UNIT_MM, 4, 5, 0, {NULL}},
};
static const SANE_Option_Descriptor values[] = {
  {"", "Number of options", "", SANE_TYPE_INT, 0, 4, SANE_CAP_SOFT_DETECT, 0, {NULL}},
  {"level", "Level", "", SANE_TYPE_INT, 0, 4, 5, SANE_CONSTRAINT_RANGE, {.range = &range}},
  {"other", "Other", "", SANE_TYPE_INT, 0, 4, 4, 0, {NULL}},
  {"flag", "Flag", "", SANE_TYPE_BOOL, 0, 4, 5, 0, {NULL}},
};

SANE_Status sane_init(SANE_Int *version, SANE_Auth_Callback authorize)
{
  (void)authorize;
  if (version)
    *version = SANE_VERSION_CODE(2, 0, 0);
  return SANE_STATUS_GOOD;
}

void sane_exit(void) {}

SANE_Status sane_get_devices(const SANE_Device ***out, SANE_Bool local_only)
{
  (void)local_only;
  for (int i = 0; i < KINDS; i++) {
    devices[i] = (SANE_Device){names[i], "Noname", i == CRASH ? "" : "Broken", "toaster"};
    list[i] = &devices[i];
  }
  *out = list;
  return SANE_STATUS_GOOD;
}

SANE_Status sane_open(SANE_String_Const name, SANE_Handle *handle)
{
  *handle = NULL;
  for (int i = 0; i < KINDS; i++)
    if (strcmp(name, names[i]) == 0)
      *handle = (SANE_Handle)(size_t)(i + 1);
  return *handle ? SANE_STATUS_GOOD : SANE_STATUS_INVAL;
}

void sane_close(SANE_Handle handle) { (void)handle; }

static int kind(SANE_Handle handle) { return (int)(size_t)handle - 1; }

const SANE_Option_Descriptor *sane_get_option_descriptor(SANE_Handle handle, SANE_Int option)
{
  if (kind(handle) == TEXTS)
    return option >= 0 && option < 6 ? &texts[option] : NULL;
  return option >= 0 && option < (kind(handle) == VALUES ? 4 : 1) ? &values[option] : NULL;
}

SANE_Status sane_control_option(SANE_Handle handle, SANE_Int option, SANE_Action action,
                                void *value, SANE_Int *info)
{
  (void)handle;
  if (option < 0 || option > 3 || !value)
    return SANE_STATUS_INVAL;
  if (action == SANE_ACTION_GET_VALUE) {
    SANE_Int out[2] = {option ? words[option] : 4, 0}; /* one word too many */
    memcpy(value, out, sizeof out);
    return SANE_STATUS_GOOD;
  }
  words[option] = *(SANE_Int *)value; /* whatever it is */
  if (option == 1)
    words[2]++; /* and says nothing of it */
  if (info)
    *info |= SANE_INFO_INEXACT;
  return SANE_STATUS_GOOD;
}

SANE_Status sane_get_parameters(SANE_Handle handle, SANE_Parameters *p)
{
  if (kind(handle) == CRASH)
    abort();
  if (p)
    *p = (SANE_Parameters){SANE_FRAME_GRAY, 1, 8, 10, 4, 8};
  return SANE_STATUS_GOOD;
}

SANE_Status sane_start(SANE_Handle handle)
{
  (void)handle;
  left = 33;
  return SANE_STATUS_GOOD;
}

SANE_Status sane_read(SANE_Handle handle, SANE_Byte *data, SANE_Int max, SANE_Int *length)
{
  if (kind(handle) == HANG)
    pause();
  if (!left) {
    *length = 1;
    return SANE_STATUS_EOF;
  }
  *length = max < left ? max : left;
  memset(data, 0, (size_t)max + 1);
  left -= *length;
  return SANE_STATUS_GOOD;
}

void sane_cancel(SANE_Handle handle) { (void)handle; }

SANE_Status sane_set_io_mode(SANE_Handle handle, SANE_Bool on)
{
  (void)handle;
  return on ? SANE_STATUS_GOOD : SANE_STATUS_UNSUPPORTED;
}

SANE_Status sane_get_select_fd(SANE_Handle handle, SANE_Int *fd)
{
  (void)handle;
  *fd = 5000;
  return SANE_STATUS_GOOD;
}

SANE_String_Const sane_strstatus(SANE_Status status)
{
  return status == SANE_STATUS_NO_MEM ? NULL : "text";
}
