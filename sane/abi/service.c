/* Open Python devices, and the service thread that carries out their cancels.
 *
 * It knows handles and their descriptors; who may be inside one is decided by gate.c. What
 * sane_cancel does may happen in a signal handler, hence C, and no Python until the thread's turn.
 */
#define _GNU_SOURCE
#include "gate.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#define INTERRUPT_AFTER_MS 1000 /* a driver that ignores cancel for so long is interrupted */
#define OVERDUE 64

static struct pysane_handle *free_handles;
static pthread_mutex_t pool_lock = PTHREAD_MUTEX_INITIALIZER;
static int epoll_fd = -1;
static pid_t service_pid;

/* -- Handles ------------------------------------------------------------------------------- */

struct pysane_handle *
pysane_handle_new(void)
{
  struct pysane_handle *h;
  int fd = pysane_above_stdio(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));

  if (fd < 0)
    return NULL;
  pthread_mutex_lock(&pool_lock);
  h = free_handles;
  if (h)
    free_handles = h->next_free;
  pthread_mutex_unlock(&pool_lock);
  if (!h)
    h = calloc(1, sizeof *h);
  if (!h) {
    close(fd);
    return NULL;
  }
  h->cancel_fd = fd;
  h->active = h->cancel = h->armed = h->abandoned = 0;
  __atomic_store_n(&h->open, 1, __ATOMIC_RELEASE);
  return h;
}

/* The caller holds the handle: nobody else is inside, and nobody will enter. */
void
pysane_handle_free(struct pysane_handle *h)
{
  __atomic_store_n(&h->open, 0, __ATOMIC_RELEASE);
  h->active = h->cancel = 0;
  if (h->armed)
    epoll_ctl(epoll_fd, EPOLL_CTL_DEL, h->cancel_fd, NULL);
  h->armed = 0;
  close(h->cancel_fd);
  h->cancel_fd = -1;
  pthread_mutex_lock(&pool_lock);
  h->next_free = free_handles;
  free_handles = h;
  pthread_mutex_unlock(&pool_lock);
}

/* -- Cancel -------------------------------------------------------------------------------- */

/* Async-signal-safe; errno is preserved. */
void
pysane_request_cancel(struct pysane_handle *h)
{
  static const uint64_t one = 1;
  int saved = errno;

  if (!pysane_forked() && __atomic_load_n(&h->active, __ATOMIC_ACQUIRE)) {
    __atomic_store_n(&h->cancel, 1, __ATOMIC_RELEASE);
    /* Not write(): that is a cancellation point. If it fails the descriptor is readable already. */
    syscall(SYS_write, h->cancel_fd, &one, sizeof one);
  }
  errno = saved;
}

void
pysane_clear_cancel(struct pysane_handle *h)
{
  uint64_t count;

  if (__atomic_exchange_n(&h->cancel, 0, __ATOMIC_ACQ_REL))
    while (read(h->cancel_fd, &count, sizeof count) < 0 && errno == EINTR)
      ;
}

void
pysane_rearm(struct pysane_handle *h)
{
  struct epoll_event event = {.events = EPOLLIN | EPOLLONESHOT, .data.ptr = h};

  if (h->armed && epoll_ctl(epoll_fd, EPOLL_CTL_MOD, h->cancel_fd, &event) != 0)
    h->armed = 0;
}

/* The service thread carries out cancels of idle handles, so that a frontend that cancels and
 * then does nothing still gets its lamp switched off. A handle in use is left to its user, who
 * arms the watch again on leaving; one that stays in use for too long is interrupted. */
static void *
serve(void *unused)
{
  struct pysane_handle *overdue[OVERDUE];
  struct epoll_event event;
  int count = 0, i, n;

  (void)unused;
  for (;;) {
    n = epoll_wait(epoll_fd, &event, 1, count ? INTERRUPT_AFTER_MS : -1);
    if (n == 0) {
      for (i = 0; i < count; i++)
        if (overdue[i]->open && overdue[i]->cancel && overdue[i]->busy)
          pysane_interrupt(overdue[i]);
      count = 0;
    } else if (n > 0) {
      struct pysane_handle *h = event.data.ptr;
      if (pysane_try_hold(h)) {
        if (h->open && __atomic_load_n(&h->cancel, __ATOMIC_ACQUIRE))
          pysane_cancelled(h);
        pysane_let_go(h);
      } else if (count < OVERDUE) {
        overdue[count++] = h;
      }
    }
  }
  return NULL;
}

static int
start_service(void)
{
  pthread_attr_t attributes;
  pthread_t thread;
  sigset_t all, old;
  int fd = pysane_above_stdio(epoll_create1(EPOLL_CLOEXEC)), error;

  if (fd < 0)
    return errno;
  epoll_fd = fd;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &old); /* the host's handlers never run on our thread */
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  error = pthread_create(&thread, &attributes, serve, NULL);
  pthread_attr_destroy(&attributes);
  pthread_sigmask(SIG_SETMASK, &old, NULL);
  if (error == 0)
    service_pid = getpid();
  return error;
}

/* Called with the handle held, at each start. A forked Python host needs a thread of its own. */
int
pysane_watch(struct pysane_handle *h)
{
  struct epoll_event event = {.events = EPOLLIN | EPOLLONESHOT, .data.ptr = h};
  int error = 0;

  pthread_mutex_lock(&pool_lock);
  if (service_pid != getpid()) {
    h->armed = 0;
    error = start_service();
  }
  pthread_mutex_unlock(&pool_lock);
  if (error)
    return error;
  pysane_rearm(h);
  if (!h->armed && epoll_ctl(epoll_fd, EPOLL_CTL_ADD, h->cancel_fd, &event) != 0)
    return errno;
  h->armed = 1;
  return 0;
}
