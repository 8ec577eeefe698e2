/* Calls everything that needs no handle, and prints the statuses: for a library without Python. */
#include "check.h"

#ifdef PYTHON /* what a host that is this Python would say */
const char *
Py_GetVersion(void)
{
  return PYTHON;
}
#endif

int
main(void)
{
  const SANE_Device **list = NULL;
  SANE_Handle handle = (SANE_Handle)&list;
  SANE_Int version = 0, length = 7;
  SANE_Byte byte;
  int i;

  printf("init %s", status_name(sane_init(&version, NULL)));
  printf(" %d.%d\n", SANE_VERSION_MAJOR(version), SANE_VERSION_MINOR(version));
  printf("strstatus %s\n", sane_strstatus(SANE_STATUS_INVAL));
  if (getenv("ONLY_INIT")) {
    sane_exit();
    return 0;
  }
  for (i = 0; i < 2; i++) {
    printf("devices %s", status_name(sane_get_devices(&list, SANE_TRUE)));
    printf(" %s\n", list && !list[0] ? "none" : "some");
    printf("open %s", status_name(sane_open("test:0", &handle)));
    printf(" %s\n", handle == (SANE_Handle)&list ? "untouched" : "written");
  }
  printf("read %s", status_name(sane_read(handle, &byte, 1, &length)));
  printf(" %d\n", length);
  sane_cancel(handle);
  sane_close(handle);
  sane_exit();
  return 0;
}
