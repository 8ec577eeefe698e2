/* How a job ends: finish once, cancel when there is nothing to cancel; and the callback. */
#include "check.h"

#include <pthread.h>

enum { ODD_ERRNO = 12345 };

typedef struct {
  SANE_Status status;
  SANE_Int length;
} Outcome;

static void
read_once(SANE_Handle h, Outcome *outcome)
{
  SANE_Byte data[512];

  outcome->status = read_into(h, data, sizeof data, &outcome->length);
}

/* -- finish ---------------------------------------------------------------------------------- */

/* The lamp goes off although the frontend does nothing after cancel. */
static void
idle_after_cancel(void)
{
  Outcome outcome;
  Paced p;

  GOOD(sane_init(NULL, NULL));
  p = open_paced("proper:flat");
  GOOD(sane_start(p.handle));
  release(&p, 1);
  read_once(p.handle, &outcome);
  GOOD(outcome.status);
  EQUAL(await_byte(p.told), 's');
  EQUAL(await_byte(p.told), 'r');
  sane_cancel(p.handle);
  EQUAL(await_byte(p.told), 'F');
}

/* These letters and no more. */
static void
expect_told(const Paced *p, const char *letters)
{
  tells(p, letters);
  CHECK(!is_readable(p->told, 0));
}

/* Once per job, whatever ends it. */
static void
finish_once(void)
{
  Paced p;

  GOOD(sane_init(NULL, NULL));
  p = open_paced("proper:flat");
  set_word(p.handle, "gate", -1);
  sane_cancel(p.handle); /* idle: nothing */
  GOOD(sane_start(p.handle));
  read_frame(p.handle, 32768, NULL, 0);
  GOOD(sane_start(p.handle)); /* the second page of the same job */
  read_frame(p.handle, 32768, NULL, 0);
  sane_cancel(p.handle);
  CHECK(option_count(p.handle) > 1);
  sane_cancel(p.handle);
  CHECK(option_count(p.handle) > 1);
  sane_get_select_fd(p.handle, &(SANE_Int){0}); /* a call that enters: the cancel is done */
  expect_told(&p, "ssf");
  set_text(p.handle, "source", "ADF");
  while (sane_start(p.handle) == SANE_STATUS_GOOD)
    read_frame(p.handle, 32768, NULL, 0);
  sane_cancel(p.handle);
  expect_told(&p, "ssssf");
  GOOD(sane_start(p.handle));
  sane_close(p.handle);
  expect_told(&p, "sFc");
}

static void
idle_cancels(void)
{
  static const char *const names[] = {"test:0", "pnm:0", "proper:flat", "faulty:NoDocs"};
  Outcome outcome;
  int i, j;

  for (i = 0; i < 4; i++) {
    SANE_Handle h = init_and_open(names[i]);
    for (j = 0; j < 3; j++) {
      errno = ODD_ERRNO;
      sane_cancel(h);
      EQUAL(errno, ODD_ERRNO);
    }
    if (i != 1)
      CHECK((i == 3) == (sane_start(h) != SANE_STATUS_GOOD));
    sane_cancel(h);
    sane_cancel(h);
    read_once(h, &outcome);
    CHECK(outcome.status != SANE_STATUS_GOOD && outcome.length == 0);
    CHECK(option_count(h) > 1);
    sane_exit();
  }
}

/* After EOF cancel ends the job; the next start works. */
static void
cancel_then_start(void)
{
  static const char *const names[] = {"test:0", "proper:flat", "proper:thread"};
  Outcome outcome;
  int i, j;

  for (i = 0; i < 3; i++) {
    SANE_Handle h = init_and_open(names[i]);
    for (j = 0; j < 20; j++) {
      GOOD(sane_start(h));
      if (j % 3)
        read_once(h, &outcome);
      sane_cancel(h);
      if (j % 2) {
        read_once(h, &outcome);
        STATUS(outcome.status, CANCELLED);
      }
    }
    GOOD(sane_start(h));
    EQUAL(read_frame(h, 32768, NULL, 0), frame_bytes(h));
    sane_exit();
  }
}

/* However often: it never blocks, and errno stays. */
static void
many_cancels(void)
{
  SANE_Handle h = init_and_open("proper:flat");
  Outcome outcome;
  int i;

  GOOD(sane_start(h));
  for (i = 0; i < 100000; i++) {
    errno = ODD_ERRNO;
    sane_cancel(h);
    EQUAL(errno, ODD_ERRNO);
  }
  read_once(h, &outcome);
  STATUS(outcome.status, CANCELLED);
  GOOD(sane_start(h));
}

/* -- The frontend's callback ----------------------------------------------------------------- */

static pthread_t asked_on;
static int asked;

static void
answer(const char *resource, char *user, char *password)
{
  int i;

  CHECK(strcmp(resource, "the vault") == 0);
  for (i = 0; i < SANE_MAX_USERNAME_LEN; i++)
    CHECK(user[i] == 0 && password[i] == 0);
  memset(user, 'u', SANE_MAX_USERNAME_LEN); /* without a final NUL, as simple-scan does */
  memset(password, 'p', SANE_MAX_PASSWORD_LEN);
  asked_on = pthread_self();
  asked++;
}

static void
callback(void)
{
  const SANE_Device **list;
  SANE_Handle h = NULL;

  GOOD(sane_init(NULL, NULL));
  STATUS(sane_open("faulty:secret", &h), ACCESS_DENIED);
  CHECK(h == NULL);
  sane_exit();
  GOOD(sane_init(NULL, answer));
  GOOD(sane_get_devices(&list, SANE_FALSE));
  EQUAL(asked, 0);
  GOOD(sane_open("faulty:secret", &h));
  EQUAL(asked, 1);
  CHECK(pthread_equal(asked_on, pthread_self()));
}

static const Case cases[] = {
  {"idle_after_cancel", idle_after_cancel},
  {"finish_once", finish_once},
  {"idle_cancels", idle_cancels},
  {"cancel_then_start", cancel_then_start},
  {"many_cancels", many_cancels},
  {"callback", callback},
  {NULL, NULL},
};

int
main(int argc, char **argv)
{
  return run_case(argc, argv, cases);
}
