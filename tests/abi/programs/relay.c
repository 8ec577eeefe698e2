/* A host under ThreadSanitizer: one thread lists, then hands a plain variable from one to another.
 *
 * Each step is ordered by a mutex. Who misses what the thread that lists does sees a data race.
 */
#include "check.h"

#include <pthread.h>

struct step {
  pthread_mutex_t lock;
  pthread_cond_t changed;
  int is_done;
};

#define STEP {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0}
static struct step listed = STEP, written = STEP, handed_on = STEP;
static int plain;

static void
done(struct step *s)
{
  pthread_mutex_lock(&s->lock);
  s->is_done = 1;
  pthread_cond_signal(&s->changed);
  pthread_mutex_unlock(&s->lock);
}

static void
await(struct step *s)
{
  pthread_mutex_lock(&s->lock);
  while (!s->is_done)
    pthread_cond_wait(&s->changed, &s->lock);
  pthread_mutex_unlock(&s->lock);
}

static void *
begin(void *unused)
{
  await(&listed);
  plain = 1;
  done(&written);
  return unused;
}

static void *
list(void *unused)
{
  const SANE_Device **devices;

  GOOD(sane_get_devices(&devices, SANE_TRUE));
  CHECK(devices[0]);
  done(&listed);
  await(&written);
  done(&handed_on);
  return unused;
}

static void *
end(void *unused)
{
  await(&handed_on);
  plain = 2;
  return unused;
}

int
main(void)
{
  static void *(*const runs[])(void *) = {begin, list, end};
  pthread_t threads[3];
  size_t i;

  GOOD(sane_init(NULL, NULL));
  for (i = 0; i < 3; i++)
    EQUAL(pthread_create(&threads[i], NULL, runs[i], NULL), 0);
  for (i = 0; i < 3; i++)
    EQUAL(pthread_join(threads[i], NULL), 0);
  sane_exit();
  EQUAL(plain, 2);
  return 0;
}
