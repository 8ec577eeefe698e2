/* A frontend's whole life, twice: list, open, options, scan, cancel, close, exit. */
#include "check.h"

static void
options(SANE_Handle h)
{
  const SANE_Option_Descriptor *d;
  SANE_Int i, info;

  for (i = 0; (d = sane_get_option_descriptor(h, i)); i++) {
    char *value = malloc((size_t)d->size + 1);
    if (sane_control_option(h, i, SANE_ACTION_GET_VALUE, value, &info) == SANE_STATUS_GOOD &&
        (d->cap & SANE_CAP_SOFT_SELECT) && strcmp(d->name, "hand-scanner") != 0)
      GOOD(sane_control_option(h, i, SANE_ACTION_SET_VALUE, value, &info));
    sane_control_option(h, i, SANE_ACTION_SET_AUTO, NULL, NULL);
    free(value);
  }
  sane_control_option(h, i, SANE_ACTION_GET_VALUE, &info, NULL);
}

static void
scan(const char *name)
{
  unsigned char *data = malloc(1000);
  SANE_Handle h = open_device(name);
  SANE_Int length, fd;

  set_text(h, "mode", "Color");
  options(h);
  if (strncmp(name, "test", 4) == 0) {
    set_word(h, "non-blocking", SANE_TRUE);
    set_word(h, "select-fd", SANE_TRUE);
  } else {
    set_text(h, "source", "ADF");
    set_text(h, "source", "Flatbed");
  }
  GOOD(sane_start(h));
  EQUAL(read_frame(h, 3001, NULL, 0), frame_bytes(h));
  sane_cancel(h);
  GOOD(sane_start(h));
  GOOD(sane_read(h, data, 1000, &length));
  sane_cancel(h);
  STATUS(sane_read(h, data, 1000, &length), CANCELLED);
  GOOD(sane_start(h));
  GOOD(sane_get_select_fd(h, &fd));
  CHECK(is_readable(fd, 60000));
  GOOD(sane_read(h, data, 1000, &length));
  sane_close(h);
  STATUS(sane_open("test:9", &h), INVAL);
  free(data);
}

int
main(void)
{
  const SANE_Device **list;
  int i;

  for (i = 0; i < 2; i++) {
    GOOD(sane_init(NULL, NULL));
    GOOD(sane_get_devices(&list, SANE_FALSE));
    CHECK(list[0]);
    scan("test:0");
    scan("proper:flat");
    scan("proper:thread");
    sane_exit();
  }
  return 0;
}
