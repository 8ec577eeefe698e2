/* The devices whose options are tried, and calls by an option's name. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include "check.h"

enum { GARBAGE = 0x7fa5 };

static const char *const devices[] = {"test:0", "pnm:0", "proper:flat", "proper:thread"};
enum { DEVICES = sizeof devices / sizeof *devices };

static inline SANE_Status
control(SANE_Handle h, const char *name, SANE_Action action, void *value, SANE_Int *info)
{
  return sane_control_option(h, option(h, name), action, value, info);
}

static inline SANE_Status
get(SANE_Handle h, const char *name, void *value)
{
  return control(h, name, SANE_ACTION_GET_VALUE, value, NULL);
}

#endif
