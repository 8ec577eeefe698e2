/* A frontend with rights that its user lacks: lists, and opens what its arguments name.
 *
 * As many do, it makes its effective user id the real one first, if it is called with "setuid".
 */
#include "check.h"

#include <sys/auxv.h>

int
main(int argc, char **argv)
{
  const SANE_Device **list;
  SANE_Handle h;
  int i;

  printf("%s\n", getauxval(AT_SECURE) ? "privileged" : "plain");
  fflush(stdout);
  if (strcmp(argv[1], "setuid") == 0)
    CHECK(setuid(geteuid()) == 0);
  GOOD(sane_init(NULL, NULL));
  GOOD(sane_get_devices(&list, SANE_FALSE));
  for (i = 2; i < argc; i++)
    printf("%s %s\n", argv[i], status_name(sane_open(argv[i], &h)));
  sane_exit();
  return 0;
}
