/* A frontend as careful and as trusting as any: it allocates what descriptors say, to the byte, and
 * keeps words and booleans in variables of four bytes. Built with AddressSanitizer: what a server
 * makes our library write beyond them is seen. It ends with 0 whatever the calls return. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sane/sane.h>

enum { READS = 50, ROOM = 4096, MOST_LIST = 100000 };

static volatile size_t seen;

/* Read a text to its NUL, and every member of a constraint. */
static void
look(const SANE_Option_Descriptor *d)
{
  SANE_Int i;

  seen += strlen(d->name) + strlen(d->title) + strlen(d->desc);
  if (d->constraint_type == SANE_CONSTRAINT_RANGE)
    seen += (size_t)(d->constraint.range->min + d->constraint.range->max);
  else if (d->constraint_type == SANE_CONSTRAINT_WORD_LIST)
    for (i = 1; i <= d->constraint.word_list[0]; i++)
      seen += (size_t)d->constraint.word_list[i];
  else if (d->constraint_type == SANE_CONSTRAINT_STRING_LIST)
    for (i = 0; d->constraint.string_list[i] && i < MOST_LIST; i++) {
      char *copy = malloc((size_t)d->size + 1);

      seen += strlen(strcpy(copy, d->constraint.string_list[i]));
      free(copy);
    }
}

static void
use_option(SANE_Handle handle, SANE_Int index)
{
  const SANE_Option_Descriptor *d = sane_get_option_descriptor(handle, index);
  SANE_Word word = 0;
  SANE_Int info = 0;
  void *value;

  if (!d)
    return;
  look(d);
  if (d->type == SANE_TYPE_BOOL || (d->size == sizeof(SANE_Word) && d->type != SANE_TYPE_STRING)) {
    if (sane_control_option(handle, index, SANE_ACTION_GET_VALUE, &word, NULL) == SANE_STATUS_GOOD)
      sane_control_option(handle, index, SANE_ACTION_SET_VALUE, &word, &info);
    return;
  }
  value = calloc(1, d->size > 0 ? (size_t)d->size : 1);
  if (sane_control_option(handle, index, SANE_ACTION_GET_VALUE, value, NULL) == SANE_STATUS_GOOD) {
    if (d->type == SANE_TYPE_STRING)
      seen += strlen(value);
    sane_control_option(handle, index, SANE_ACTION_SET_VALUE, value, NULL);
    sane_control_option(handle, index, SANE_ACTION_GET_VALUE, value, NULL);
  }
  free(value);
}

static void
scan(SANE_Handle handle)
{
  SANE_Byte *line, *buffer = malloc(ROOM);
  SANE_Parameters p;
  SANE_Int n, i;

  if (sane_start(handle) == SANE_STATUS_GOOD) {
    if (sane_get_parameters(handle, &p) == SANE_STATUS_GOOD && p.bytes_per_line < 1 << 24) {
      line = calloc(1, (size_t)p.bytes_per_line + 1);
      if (p.depth == 8 && p.pixels_per_line > 0)
        seen += line[p.pixels_per_line - 1]; /* as programs do that make pictures */
      free(line);
    }
    for (i = 0; i < READS && sane_read(handle, buffer, ROOM, &n) == SANE_STATUS_GOOD; i++)
      if (n < 0 || n > ROOM)
        abort();
  }
  sane_cancel(handle);
  free(buffer);
}

int
main(int argc, char **argv)
{
  const SANE_Device **list;
  SANE_Handle handle;
  SANE_Word count = 0;
  SANE_Int i;

  if (argc < 2 || sane_init(NULL, NULL) != SANE_STATUS_GOOD)
    return 1;
  if (sane_get_devices(&list, SANE_FALSE) == SANE_STATUS_GOOD)
    for (i = 0; list[i]; i++)
      seen += strlen(list[i]->name) + strlen(list[i]->vendor) + strlen(list[i]->model);
  if (sane_open(argv[1], &handle) == SANE_STATUS_GOOD) {
    if (sane_control_option(handle, 0, SANE_ACTION_GET_VALUE, &count, NULL) == SANE_STATUS_GOOD)
      for (i = 0; i < count && i < 20; i++)
        use_option(handle, i);
    scan(handle);
    scan(handle);
    sane_close(handle);
  }
  sane_exit();
  return 0;
}
