/* Goes somewhere else at a moment that the first argument names, then opens a device.
 *
 * place before|init DIRECTORY: chdir before or after sane_init. place command TEXT: run a command
 * before it. Prints what sane_open answers.
 */
#include "check.h"

int
main(int argc, char **argv)
{
  SANE_Handle h = NULL;

  CHECK(argc > 2);
  if (strcmp(argv[1], "command") == 0)
    CHECK(system(argv[2]) == 0);
  if (strcmp(argv[1], "before") == 0)
    CHECK(chdir(argv[2]) == 0);
  GOOD(sane_init(NULL, NULL));
  if (strcmp(argv[1], "init") == 0)
    CHECK(chdir(argv[2]) == 0);
  printf("%s\n", status_name(sane_open("test:0", &h)));
  sane_exit();
  return 0;
}
