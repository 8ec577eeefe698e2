/* What a frontend may do with options, on the devices test, pnm and a conforming one. */
#include "options.h"

#include <ctype.h>

enum { GUARD = 64 };

/* Open a device with as many options active as can be. */
static SANE_Handle
open_active(const char *name)
{
  SANE_Handle h = init_and_open(name);

  if (strncmp(name, "test:", 5) == 0)
    set_word(h, "enable-test-options", SANE_TRUE);
  if (strncmp(name, "pnm:", 4) == 0)
    set_word(h, "custom-gamma", SANE_TRUE);
  if (strncmp(name, "proper:", 7) == 0)
    set_text(h, "mode", "Color");
  return h;
}

/* -- Descriptors ----------------------------------------------------------------------------- */

static int
is_name(const char *name)
{
  if (!islower((unsigned char)*name))
    return 0;
  for (; *name; name++)
    if (!islower((unsigned char)*name) && !isdigit((unsigned char)*name) && *name != '-')
      return 0;
  return 1;
}

static void
check_constraint(const SANE_Option_Descriptor *d)
{
  size_t i;

  switch (d->constraint_type) {
  case SANE_CONSTRAINT_NONE:
    CHECK(d->constraint.range == NULL);
    break;
  case SANE_CONSTRAINT_RANGE:
    CHECK(d->type == SANE_TYPE_INT || d->type == SANE_TYPE_FIXED);
    CHECK(d->constraint.range->max >= d->constraint.range->min);
    CHECK(d->constraint.range->quant >= 0);
    break;
  case SANE_CONSTRAINT_WORD_LIST:
    CHECK(d->type == SANE_TYPE_INT || d->type == SANE_TYPE_FIXED);
    CHECK(d->constraint.word_list[0] > 0);
    break;
  case SANE_CONSTRAINT_STRING_LIST:
    EQUAL(d->type, SANE_TYPE_STRING);
    CHECK(d->constraint.string_list[0] != NULL);
    for (i = 0; d->constraint.string_list[i]; i++)
      CHECK(strlen(d->constraint.string_list[i]) < (size_t)d->size);
    break;
  default:
    FAIL("%s: constraint type %d", d->name, d->constraint_type);
  }
}

static void
check_size(const SANE_Option_Descriptor *d)
{
  switch (d->type) {
  case SANE_TYPE_BOOL:
    EQUAL(d->size, 4);
    EQUAL(d->constraint_type, SANE_CONSTRAINT_NONE);
    break;
  case SANE_TYPE_INT:
  case SANE_TYPE_FIXED:
    CHECK(d->size > 0 && d->size % 4 == 0);
    break;
  case SANE_TYPE_STRING:
    CHECK(d->size > 1);
    break;
  default:
    EQUAL(d->size, 0);
    EQUAL(d->constraint_type, SANE_CONSTRAINT_NONE);
  }
}

static void
check_descriptor(const SANE_Option_Descriptor *d)
{
  SANE_Int soft = SANE_CAP_SOFT_SELECT | SANE_CAP_SOFT_DETECT;

  CHECK(d->name && d->title && *d->title && d->desc && !strchr(d->title, '\n'));
  CHECK(d->type <= SANE_TYPE_GROUP && d->unit <= SANE_UNIT_MICROSECOND);
  CHECK((d->cap & ~0x7f) == 0);
  if (d->type == SANE_TYPE_GROUP)
    CHECK(!*d->name && !(d->cap & soft));
  else
    CHECK(is_name(d->name));
  if (d->cap & SANE_CAP_SOFT_SELECT)
    CHECK((d->cap & soft) == soft && !(d->cap & SANE_CAP_HARD_SELECT));
  if (strstr(d->name, "gamma-table"))
    EQUAL(d->constraint_type, SANE_CONSTRAINT_RANGE);
  check_size(d);
  check_constraint(d);
}

static void
descriptors(void)
{
  const SANE_Option_Descriptor *d, *other;
  int n, i, j, k;

  for (k = 0; k < DEVICES; k++) {
    SANE_Handle h = open_active(devices[k]);
    d = sane_get_option_descriptor(h, 0);
    CHECK(d && *d->name == 0 && d->type == SANE_TYPE_INT && d->size == 4);
    EQUAL(d->cap, SANE_CAP_SOFT_DETECT);
    n = option_count(h);
    for (i = 1; i < n; i++) {
      d = sane_get_option_descriptor(h, i);
      CHECK(d != NULL);
      check_descriptor(d);
      for (j = 1; j < i; j++) {
        other = sane_get_option_descriptor(h, j);
        CHECK(!*d->name || strcmp(d->name, other->name) != 0);
      }
    }
    for (i = 0; i < 60; i++)
      CHECK(sane_get_option_descriptor(h, n + i) == NULL);
    CHECK(sane_get_option_descriptor(h, -1) == NULL);
    CHECK(sane_get_option_descriptor(h, (SANE_Int)0x80000000) == NULL);
    CHECK(sane_get_option_descriptor(h, 0x7fffffff) == NULL);
    sane_exit();
  }
}

/* Neither a SET nor a scan moves a descriptor or changes the count. */
static void
stable_addresses(void)
{
  const SANE_Option_Descriptor *before[64];
  int n, i, k;

  for (k = 2; k < DEVICES; k++) {
    SANE_Handle h = init_and_open(devices[k]);
    n = option_count(h);
    for (i = 0; i < n; i++)
      before[i] = sane_get_option_descriptor(h, i);
    set_text(h, "mode", "Color");
    set_text(h, "source", "ADF");
    GOOD(sane_start(h));
    for (i = 0; i < n; i++)
      CHECK(sane_get_option_descriptor(h, i) == before[i]);
    sane_cancel(h);
    EQUAL(option_count(h), n);
    sane_exit();
  }
}

/* -- GET ------------------------------------------------------------------------------------- */

static void
get_guarded(SANE_Handle h, int index, const SANE_Option_Descriptor *d, SANE_Int *info)
{
  size_t size = (size_t)d->size;
  unsigned char *value = malloc(size + GUARD);
  size_t i;

  memset(value, 0xC7, size + GUARD);
  if (sane_control_option(h, index, SANE_ACTION_GET_VALUE, value, info) != SANE_STATUS_GOOD)
    FAIL("GET of %s fails", d->name);
  for (i = 0; i < GUARD; i++)
    EQUAL(value[size + i], 0xC7);
  if (d->type == SANE_TYPE_STRING)
    CHECK(memchr(value, 0, size) != NULL);
  if (d->type == SANE_TYPE_BOOL)
    CHECK(*(SANE_Bool *)value == 0 || *(SANE_Bool *)value == 1);
  free(value);
}

static void
get_all(void)
{
  const SANE_Option_Descriptor *d;
  int i, k, seen;

  for (k = 0; k < DEVICES; k++) {
    SANE_Handle h = open_active(devices[k]);
    for (i = seen = 0; (d = sane_get_option_descriptor(h, i)); i++) {
      SANE_Int info = GARBAGE;
      if (d->type >= SANE_TYPE_BUTTON || !SANE_OPTION_IS_ACTIVE(d->cap) ||
          !(d->cap & SANE_CAP_SOFT_DETECT))
        continue;
      get_guarded(h, i, d, NULL);
      get_guarded(h, i, d, &info);
      CHECK(info == 0 || info == GARBAGE);
      seen++;
    }
    CHECK(seen > 10);
    sane_exit();
  }
}

static void
get_refused(void)
{
  SANE_Handle h = init_and_open("proper:flat");
  SANE_Int untouched = GARBAGE, n = option_count(h);
  SANE_Word index[] = {-1, n, n + 1, 0x7fffffff, 1 /* a group */, option(h, "press"),
                       option(h, "color-only") /* inactive */};
  unsigned i, action;

  for (i = 0; i < sizeof index / sizeof *index; i++)
    for (action = 0; action < 5; action++)
      if (index[i] != option(h, "press") || action != SANE_ACTION_SET_VALUE)
        STATUS(sane_control_option(h, index[i], action, &untouched, NULL), INVAL);
  EQUAL(untouched, GARBAGE);
  STATUS(control(h, "level", 3, &untouched, NULL), INVAL);
  STATUS(control(h, "level", (SANE_Action)-1, &untouched, NULL), INVAL);
  STATUS(get(h, "level", NULL), INVAL);
  STATUS(control(h, "level", SANE_ACTION_SET_VALUE, NULL, NULL), INVAL);
  STATUS(control(h, "sensor", SANE_ACTION_SET_VALUE, &untouched, NULL), INVAL);
  STATUS(sane_control_option(h, 0, SANE_ACTION_SET_VALUE, &n, NULL), INVAL);
  EQUAL(option_count(h), n);
}

static void
sensor(void)
{
  SANE_Handle h = init_and_open("proper:flat");
  double start = now();
  int i;

  for (i = 1; i <= 100; i++)
    EQUAL(get_word(h, "sensor"), i);
  CHECK(now() - start < 100 * 5);
}

/* -- What a SET changes elsewhere ------------------------------------------------------------ */

static void
reload_bits(void)
{
  SANE_Handle h = init_and_open("proper:flat");
  SANE_Int info;

  info = set_text(h, "mode", "Color"); /* color-only becomes active */
  EQUAL(info, SANE_INFO_RELOAD_OPTIONS | SANE_INFO_RELOAD_PARAMS);
  CHECK(SANE_OPTION_IS_ACTIVE(descriptor(h, "color-only")->cap));
  info = set_text(h, "mode", "Color Lineart");
  EQUAL(info & SANE_INFO_RELOAD_OPTIONS, SANE_INFO_RELOAD_OPTIONS);
  info = set_text(h, "mode", "Gray"); /* no other option changes */
  EQUAL(info, SANE_INFO_RELOAD_PARAMS);
  EQUAL(set_word(h, "br-x", SANE_FIX(50)), SANE_INFO_RELOAD_PARAMS);
  EQUAL(set_word(h, "br-x", SANE_FIX(50)), 0);
  EQUAL(set_word(h, "level", 6), 0);
  EQUAL(set_text(h, "label", "x"), 0);
}

static void
preview(void)
{
  SANE_Handle h = init_and_open("proper:flat");
  SANE_Parameters before = parameters(h), after;

  set_word(h, "resolution", 300);
  before = parameters(h);
  EQUAL(set_word(h, "preview", SANE_TRUE) & SANE_INFO_RELOAD_OPTIONS, 0);
  after = parameters(h);
  CHECK(memcmp(&before, &after, sizeof before) == 0);
  EQUAL(get_word(h, "resolution"), 300);
}

/* Constraints that were shown once stay where and what they were; the descriptor shows new ones. */
static void
constraints_change(void)
{
  SANE_Handle h = init_and_open("proper:flat");
  const SANE_Option_Descriptor *d = descriptor(h, "resolution");
  const SANE_Word *flatbed = d->constraint.word_list, *adf;
  SANE_Int info;
  int i;

  set_word(h, "resolution", 600);
  EQUAL(flatbed[0], 4);
  info = set_text(h, "source", "ADF");
  EQUAL(info & SANE_INFO_RELOAD_OPTIONS, SANE_INFO_RELOAD_OPTIONS);
  CHECK(descriptor(h, "resolution") == d);
  adf = d->constraint.word_list;
  CHECK(adf != flatbed && adf[0] == 2 && adf[1] == 100 && adf[2] == 200);
  EQUAL(get_word(h, "resolution"), 200); /* fitted to the new constraint */
  for (i = 0; i < 1000; i++)
    set_text(h, "source", i & 1 ? "ADF" : "Flatbed");
  CHECK(flatbed[0] == 4 && flatbed[1] == 75 && flatbed[2] == 150 && flatbed[4] == 600);
  CHECK(adf[0] == 2 && adf[1] == 100 && adf[2] == 200);
  EQUAL(d->constraint.word_list[0], 2);
}

/* -- The scan area --------------------------------------------------------------------------- */

static void
area(void)
{
  SANE_Handle h = init_and_open("proper:flat");
  SANE_Parameters whole = parameters(h), p;

  EQUAL(get_word(h, "tl-x"), 0);
  EQUAL(get_word(h, "tl-y"), 0);
  set_word(h, "br-x", SANE_FIX(20));
  set_word(h, "br-y", SANE_FIX(10)); /* before tl, and tl beyond br */
  set_word(h, "tl-x", SANE_FIX(80));
  set_word(h, "tl-y", SANE_FIX(40));
  EQUAL(get_word(h, "br-x"), SANE_FIX(20));
  p = parameters(h);
  CHECK(p.pixels_per_line > whole.pixels_per_line / 2 && p.pixels_per_line < whole.pixels_per_line);
  CHECK(p.lines > whole.lines / 2 && p.lines < whole.lines);
  GOOD(sane_start(h));
  EQUAL(read_frame(h, 4096, NULL, 0), p.bytes_per_line * p.lines);
}

/* -- During a scan --------------------------------------------------------------------------- */

static void
during_scan(void)
{
  SANE_Handle h = init_and_open("proper:flat");
  SANE_Word level = 6, table[16] = {0};
  SANE_Int length;
  SANE_Byte byte;

  set_text(h, "source", "ADF");
  GOOD(sane_start(h));
  GOOD(sane_read(h, &byte, 1, &length));
  STATUS(set(h, "level", &level, NULL), INVAL);
  STATUS(set(h, "table", table, NULL), INVAL);
  STATUS(set(h, "press", NULL, NULL), INVAL);
  STATUS(control(h, "level", SANE_ACTION_SET_AUTO, NULL, NULL), INVAL);
  EQUAL(get_word(h, "level"), -2);
  CHECK(strcmp(get_text(h, "source"), "ADF") == 0);
  GOOD(get(h, "table", table));
  read_frame(h, 4096, NULL, 0);
  GOOD(set(h, "table", table, NULL)); /* xsane, between pages */
  GOOD(set(h, "level", &level, NULL));
  GOOD(sane_start(h));
  STATUS(set(h, "level", &level, NULL), INVAL);
  sane_cancel(h);
  GOOD(set(h, "level", &level, NULL));
}

static const Case cases[] = {
  {"descriptors", descriptors},
  {"stable_addresses", stable_addresses},
  {"get_all", get_all},
  {"get_refused", get_refused},
  {"sensor", sensor},
  {"reload_bits", reload_bits},
  {"preview", preview},
  {"constraints_change", constraints_change},
  {"area", area},
  {"during_scan", during_scan},
  {NULL, NULL},
};

int
main(int argc, char **argv)
{
  return run_case(argc, argv, cases);
}
