/* A host that embeds Python, and ends it before it has ended SANE; then it starts another one. */
#include <Python.h>

#include "late.h"

int
main(void)
{
  Py_Initialize();
  begin_early();
  Py_Finalize();
  call_late();
  Py_Initialize();
  begin_late();
  Py_Finalize();
  begin_late();
  return 0;
}
