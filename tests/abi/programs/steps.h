/* Calls that overlap as a test wants it: drivers/stepper.py, and threads known to wait in a call. */
#ifndef STEPS_H
#define STEPS_H

#include "check.h"

#include <pthread.h>

/* Open a stepper whose calls with these letters wait. */
static inline Paced
open_named(const char *name, const char *steps)
{
  Paced s = open_paced(name);

  set_text(s.handle, "steps", steps);
  return s;
}

static inline Paced
open_stepper(const char *steps)
{
  return open_named("stepper:a", steps);
}

/* A call in a thread of its own. */
typedef struct Caller {
  SANE_Status (*call)(SANE_Handle);
  SANE_Handle handle;
  pthread_t thread;
  _Atomic pid_t tid;
  SANE_Status status;
  double ended;
} Caller;

static inline void *
run_caller(void *argument)
{
  Caller *c = argument;

  c->tid = gettid();
  c->status = c->call(c->handle);
  c->ended = now();
  return NULL;
}

static inline void
begin(Caller *c, SANE_Status (*call)(SANE_Handle), SANE_Handle handle)
{
  c->call = call;
  c->handle = handle;
  c->tid = 0;
  EQUAL(pthread_create(&c->thread, NULL, run_caller, c), 0);
}

/* Wait until the thread sleeps in its call: it has done so for a while. */
static inline void
await_asleep(const Caller *c)
{
  struct timespec tick = {.tv_nsec = 2000000};
  double end = now() + PATIENCE_MS;
  int asleep = 0;

  while (asleep < 8) {
    char path[64], text[512] = "";
    FILE *file;
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", (int)c->tid);
    file = c->tid ? fopen(path, "r") : NULL;
    if (file) {
      CHECK(fgets(text, sizeof text, file));
      fclose(file);
    }
    asleep = strstr(text, ") S ") ? asleep + 1 : 0;
    if (now() > end)
      FAIL("the call does not wait");
    nanosleep(&tick, NULL);
  }
}

static inline SANE_Status
ends(Caller *c)
{
  struct timespec limit;

  clock_gettime(CLOCK_REALTIME, &limit);
  limit.tv_sec += PATIENCE_MS / 1000;
  if (pthread_timedjoin_np(c->thread, NULL, &limit) != 0)
    FAIL("the call does not end");
  return c->status;
}

/* The calls that a thread may make. */
static inline SANE_Status
a_read(SANE_Handle h)
{
  SANE_Byte data[256];
  SANE_Int length;

  return read_into(h, data, sizeof data, &length);
}

static inline SANE_Status
a_look(SANE_Handle h)
{
  SANE_Word word;

  return sane_control_option(h, 5, SANE_ACTION_GET_VALUE, &word, NULL);
}

static inline SANE_Status
a_parameters(SANE_Handle h)
{
  SANE_Parameters p;

  return sane_get_parameters(h, &p);
}

static inline SANE_Status
a_close(SANE_Handle h)
{
  sane_close(h);
  return SANE_STATUS_GOOD;
}

#endif
