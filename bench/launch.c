/* launch PROGRAM ARGUMENT...: run a program and print what it cost.
 *
 * A child's ru_maxrss begins with that of the process that spawned it, and spawning from a large
 * process takes longer: hence this small one between the bench and a measured program. The
 * program's stdout goes to /dev/null, ours is the report.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

extern char **environ;

static double
now(void)
{
  struct timespec t;

  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double
seconds(struct timeval t)
{
  return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

int
main(int argc, char **argv)
{
  posix_spawn_file_actions_t actions;
  struct rusage usage;
  pid_t child;
  double begin;
  int status, error;

  if (argc < 2)
    return 2;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  begin = now();
  error = posix_spawnp(&child, argv[1], &actions, NULL, argv + 1, environ);
  if (error != 0) {
    fprintf(stderr, "%s: %s\n", argv[1], strerror(error));
    return 2;
  }
  if (wait4(child, &status, 0, &usage) != child)
    return 2;
  printf("wall %.6f\n", now() - begin);
  printf("cpu %.6f\n", seconds(usage.ru_utime) + seconds(usage.ru_stime));
  printf("maxrss_kb %ld\n", usage.ru_maxrss);
  printf("status %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
  return 0;
}
