/* A library of a Python host that still uses SANE in an exit function of C: Python has ended then. */
#include "late.h"

void
begin(void)
{
  begin_early();
  atexit(call_late);
}
