/* SANE before and after the end of the host's Python: every call returns, and says that it fails. */
#include "check.h"

static SANE_Handle late_handle;

static void
begin_early(void)
{
  SANE_Byte data[100];
  SANE_Int n;

  GOOD(sane_init(NULL, NULL));
  GOOD(sane_open("test:0", &late_handle));
  GOOD(sane_start(late_handle));
  GOOD(sane_read(late_handle, data, sizeof data, &n));
}

static void
begin_late(void)
{
  const SANE_Device **list;
  SANE_Handle other;

  STATUS(sane_init(NULL, NULL), IO_ERROR);
  STATUS(sane_get_devices(&list, SANE_TRUE), IO_ERROR);
  STATUS(sane_open("test:1", &other), IO_ERROR);
  sane_exit();
  puts("late");
  fflush(stdout);
}

static void
call_late(void)
{
  SANE_Parameters parameters;
  SANE_Byte data[100];
  SANE_Int n, count;

  STATUS(sane_read(late_handle, data, sizeof data, &n), IO_ERROR);
  STATUS(sane_get_parameters(late_handle, &parameters), IO_ERROR);
  STATUS(sane_control_option(late_handle, 0, SANE_ACTION_GET_VALUE, &count, NULL), IO_ERROR);
  sane_cancel(late_handle);
  STATUS(sane_start(late_handle), IO_ERROR);
  sane_close(late_handle);
  begin_late();
}
