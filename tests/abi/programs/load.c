/* Loads each library named by the arguments as a frontend or dll does: RTLD_NOW, RTLD_LOCAL. */
#include <dlfcn.h>
#include <stdio.h>

int
main(int argc, char **argv)
{
  int i;

  for (i = 1; i < argc; i++)
    if (!dlopen(argv[i], RTLD_NOW | RTLD_LOCAL)) {
      fprintf(stderr, "%s\n", dlerror());
      return 1;
    }
  return 0;
}
