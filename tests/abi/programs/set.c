/* SET and AUTO: what is rounded, what is refused, and the pointers that frontends pass. */
#include "options.h"

static const SANE_Int ALL_INFO =
  SANE_INFO_INEXACT | SANE_INFO_RELOAD_OPTIONS | SANE_INFO_RELOAD_PARAMS;

static void
set_one(SANE_Handle h, const char *name, SANE_Word word, SANE_Word wanted, SANE_Int inexact)
{
  SANE_Int info = GARBAGE, value = word;

  GOOD(set(h, name, &value, &info));
  if (value != wanted || (info & SANE_INFO_INEXACT) != inexact || (info & ~ALL_INFO))
    FAIL("%s: %d becomes %d, info %x", name, word, value, info);
  EQUAL(get_word(h, name), wanted);
  info = GARBAGE;
  GOOD(set(h, name, &value, &info)); /* what was written back is exact */
  EQUAL(value, wanted);
  EQUAL(info, 0);
}

static void
set_words(void)
{
  static const SANE_Word level[][2] = {{-100, -10}, {-8, -6}, {-9, -10}, {9, 10}, {10, 10},
                                       {100, 10},   {0, 2},   {-2, -2},  {0x7fffffff, 10}};
  static const SANE_Word resolution[][2] = {{0, 75},    {112, 75},   {113, 150},
                                            {225, 150}, {9999, 600}, {-1, 75}};
  SANE_Handle h = init_and_open("proper:flat");
  SANE_Word word;
  unsigned i;

  for (i = 0; i < sizeof level / sizeof *level; i++)
    set_one(h, "level", level[i][0], level[i][1], level[i][0] != level[i][1]);
  for (i = 0; i < sizeof resolution / sizeof *resolution; i++)
    set_one(h, "resolution", resolution[i][0], resolution[i][1], 1);
  set_one(h, "percent", SANE_FIX(33.3), SANE_FIX(33.3), 0);
  set_one(h, "percent", SANE_FIX(-2), SANE_FIX(-1.5), 1);
  set_one(h, "preview", SANE_TRUE, SANE_TRUE, 0);
  for (word = -1; word < 4; word += 3) {
    SANE_Word value = word;
    STATUS(set(h, "preview", &value, NULL), INVAL);
    EQUAL(value, word);
    EQUAL(get_word(h, "preview"), SANE_TRUE);
  }
}

static void
set_strings(void)
{
  static const struct {
    const char *given, *wanted;
  } samples[] = {{"Gray", "Gray"},   {"color", "Color"},   {"COLOR L", "Color Lineart"},
                 {"gr", "Gray"},     {"Col", NULL},        {"", NULL},
                 {"Colour", NULL},   {"Grayish", NULL},    {"Color Lineart", "Color Lineart"}};
  SANE_Handle h = init_and_open("proper:flat");
  char *given, before[256];
  unsigned i;

  for (i = 0; i < sizeof samples / sizeof *samples; i++) {
    SANE_Int info = GARBAGE;
    SANE_Status status;
    strcpy(before, get_text(h, "mode"));
    given = fenced(strlen(samples[i].given) + 1);
    strcpy(given, samples[i].given);
    status = set(h, "mode", given, &info);
    if ((status == SANE_STATUS_GOOD) != (samples[i].wanted != NULL))
      FAIL("mode %s gives %s", samples[i].given, status_name(status));
    if (status == SANE_STATUS_GOOD)
      CHECK((info & (SANE_INFO_INEXACT | ~ALL_INFO)) == 0);
    CHECK(strcmp(get_text(h, "mode"), samples[i].wanted ? samples[i].wanted : before) == 0);
  }
}

static void
set_free_text(void)
{
  SANE_Handle h = init_and_open("proper:flat");
  const SANE_Option_Descriptor *d = descriptor(h, "label");
  char *text = fenced(6), *too_long = fenced(200), *value = fenced((size_t)d->size);

  strcpy(text, "hello");
  GOOD(set(h, "label", text, NULL));
  memset(text, 'x', 5); /* it was copied */
  GOOD(get(h, "label", value));
  CHECK(strcmp(value, "hello") == 0);
  memset(too_long, 'y', 199);
  too_long[199] = 0;
  set(h, "label", too_long, NULL);
  GOOD(get(h, "label", value));
  CHECK(strlen(value) < (size_t)d->size);
  strcpy(text, "\xe4\xff\x80");
  GOOD(set(h, "label", text, NULL)); /* bytes that are no UTF-8 */
  GOOD(get(h, "label", value));
  CHECK(strcmp(value, "\xe4\xff\x80") == 0);
}

static void
set_vector(void)
{
  SANE_Handle h = init_and_open("proper:flat");
  SANE_Word *given = fenced(16 * sizeof *given), *value = fenced(16 * sizeof *value);
  SANE_Int info = GARBAGE;
  int i;

  for (i = 0; i < 16; i++)
    given[i] = i * 20;
  GOOD(set(h, "table", given, &info));
  EQUAL(info, SANE_INFO_INEXACT); /* the last three are above 255 */
  EQUAL(given[15], 255);
  GOOD(get(h, "table", value));
  CHECK(memcmp(given, value, 16 * sizeof *given) == 0 && value[12] == 240);
  GOOD(set(h, "table", given, &info));
  EQUAL(info, 0);
}

/* A value that is legal already is not written: it may lie in memory that cannot be. */
static void
set_read_only_memory(void)
{
  SANE_Handle h = init_and_open("proper:flat");
  SANE_Word words[16] = {1, 2, 3}, level = 6, resolution = 300, yes = 1;
  int round;

  for (round = 0; round < 2; round++) {
    GOOD(set(h, "level", frozen(&level, sizeof level), NULL));
    GOOD(set(h, "resolution", frozen(&resolution, sizeof level), NULL));
    GOOD(set(h, "preview", frozen(&yes, sizeof yes), NULL));
    GOOD(set(h, "table", frozen(words, sizeof words), NULL));
    GOOD(set(h, "mode", frozen("Color", 6), NULL));
    GOOD(set(h, "label", frozen("text", 5), NULL));
  }
}

/* simple-scan passes the descriptor's own maximum, xsane an entry of its own list. */
static void
set_own_constraint(void)
{
  int k;

  for (k = 0; k < DEVICES; k++) {
    SANE_Handle h = init_and_open(devices[k]);
    const SANE_Option_Descriptor *d = descriptor(h, k == 1 ? "brightness" : "br-x");
    SANE_Range before = *d->constraint.range;
    GOOD(set(h, d->name, (void *)&d->constraint.range->max, NULL));
    CHECK(memcmp(&before, d->constraint.range, sizeof before) == 0);
    EQUAL(get_word(h, d->name), before.max);
    GOOD(set(h, d->name, (void *)&d->constraint.range->min, NULL));
    CHECK(memcmp(&before, d->constraint.range, sizeof before) == 0);
    if (k != 1) {
      const SANE_String_Const *list = descriptor(h, "mode")->constraint.string_list;
      char *entry = (char *)list[1];
      GOOD(set(h, "mode", entry, NULL));
      CHECK(strcmp(get_text(h, "mode"), "Color") == 0 && strcmp(entry, "Color") == 0);
      CHECK(descriptor(h, "mode")->constraint.string_list == list && list[1] == entry);
    }
    sane_exit();
  }
}

static void
set_at_odd_address(void)
{
  SANE_Handle h = init_and_open("proper:flat");
  unsigned char bytes[5];
  SANE_Word word = 7;

  memcpy(bytes + 1, &word, sizeof word);
  GOOD(set(h, "level", bytes + 1, NULL));
  memcpy(&word, bytes + 1, sizeof word);
  EQUAL(word, 6);
  GOOD(get(h, "level", bytes + 1));
  memcpy(&word, bytes + 1, sizeof word);
  EQUAL(word, 6);
}

static void
button(void)
{
  SANE_Handle h = init_and_open("proper:flat");
  SANE_Int info = GARBAGE;

  GOOD(set(h, "press", NULL, NULL));
  EQUAL(get_word(h, "pressed"), 1);
  GOOD(set(h, "press", &info, &info)); /* Image::Sane */
  CHECK((info & ~ALL_INFO) == 0);
  GOOD(set(h, "press", (void *)1, &info)); /* garbage */
  EQUAL(get_word(h, "pressed"), 3);
}

static void
automatic(void)
{
  SANE_Handle h = init_and_open("proper:flat");
  SANE_Int info = GARBAGE;

  set_word(h, "level", 10);
  GOOD(control(h, "level", SANE_ACTION_SET_AUTO, NULL, NULL));
  EQUAL(get_word(h, "level"), 2);
  GOOD(control(h, "level", SANE_ACTION_SET_AUTO, NULL, &info));
  CHECK((info & ~ALL_INFO) == 0);
  STATUS(control(h, "resolution", SANE_ACTION_SET_AUTO, NULL, NULL), INVAL);
  STATUS(control(h, "sensor", SANE_ACTION_SET_AUTO, NULL, NULL), INVAL);
}

/* A driver that refuses a value leaves everything as it was. */
static void
refused(void)
{
  SANE_Handle h = init_and_open("proper:flat");
  SANE_Word yes = SANE_TRUE;

  STATUS(set(h, "refused", &yes, NULL), COVER_OPEN);
  EQUAL(get_word(h, "refused"), SANE_FALSE);
  EQUAL(yes, SANE_TRUE);
}

static const Case cases[] = {
  {"set_words", set_words},
  {"set_strings", set_strings},
  {"set_free_text", set_free_text},
  {"set_vector", set_vector},
  {"set_read_only_memory", set_read_only_memory},
  {"set_own_constraint", set_own_constraint},
  {"set_at_odd_address", set_at_odd_address},
  {"button", button},
  {"automatic", automatic},
  {"refused", refused},
  {NULL, NULL},
};

int
main(int argc, char **argv)
{
  return run_case(argc, argv, cases);
}
