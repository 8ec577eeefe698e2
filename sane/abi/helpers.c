/* The six helpers that scanimage, saned and C backends import from libsane.so.1.

   SPDX-License-Identifier: MIT
   Copyright (c) 2026 The PySANE authors

   They run inside programs and backends unknown to us: plain C, no Python, no locks, no shared
   buffers. The only state is the configuration search list, published once through an atomic
   pointer. errno survives every debug message.

   Source: RFC 1321 (MD5); the rest is what libsane 1.2.1 was observed to do. */

#define _GNU_SOURCE 1
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))
#define PRINTF(text, first) __attribute__((format(printf, text, first)))

#define DEFAULT_CONFIG_DIRS ".:/etc/sane.d"

/* ---- MD5 (RFC 1321, section 3.4) ---- */

static const uint32_t md5_sines[64] = {
  0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
  0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
  0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
  0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
  0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
  0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
  0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
  0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391,
};

static const unsigned char md5_shifts[4][4] = {
  {7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21},
};

static uint32_t get_le32(const unsigned char *bytes)
{
  return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16
         | (uint32_t)bytes[3] << 24;
}

static void put_le32(unsigned char *bytes, uint32_t word)
{
  for (int i = 0; i < 4; i++)
    bytes[i] = (unsigned char)(word >> (8 * i));
}

/* Mixes one block of 64 bytes into *state*. */
static void md5_block(uint32_t state[4], const unsigned char *block)
{
  uint32_t a = state[0], b = state[1], c = state[2], d = state[3];

  for (unsigned i = 0; i < 64; i++) {
    unsigned round = i / 16, shift = md5_shifts[round][i % 4], word;
    uint32_t mixed;

    switch (round) {
    case 0: mixed = (b & c) | (~b & d); word = i; break;
    case 1: mixed = (b & d) | (c & ~d); word = (5 * i + 1) % 16; break;
    case 2: mixed = b ^ c ^ d; word = (3 * i + 5) % 16; break;
    default: mixed = c ^ (b | ~d); word = (7 * i) % 16; break;
    }
    mixed += a + md5_sines[i] + get_le32(block + 4 * word);
    a = d;
    d = c;
    c = b;
    b += mixed << shift | mixed >> (32 - shift);
  }
  state[0] += a;
  state[1] += b;
  state[2] += c;
  state[3] += d;
}

/* Stores the 16 bytes of the digest of *data* in *digest* and returns *digest*. */
EXPORT void *md5_buffer(const char *data, size_t length, void *digest)
{
  uint32_t state[4] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
  const unsigned char *bytes = (const unsigned char *)data;
  unsigned char tail[128] = {0};
  size_t left = length;

  for (; left >= 64; left -= 64, bytes += 64)
    md5_block(state, bytes);
  if (left > 0)
    memcpy(tail, bytes, left);
  tail[left] = 0x80;

  /* The length in bits ends the last block. */
  size_t padded = left < 56 ? 64 : 128;
  uint64_t bits = (uint64_t)length * 8;
  put_le32(tail + padded - 8, (uint32_t)bits);
  put_le32(tail + padded - 4, (uint32_t)(bits >> 32));
  md5_block(state, tail);
  if (padded == 128)
    md5_block(state, tail + 64);

  for (int i = 0; i < 4; i++)
    put_le32((unsigned char *)digest + 4 * i, state[i]);
  return digest;
}

/* ---- Debug messages ---- */

static bool stderr_is_socket(void)
{
  struct stat status;
  return fstat(STDERR_FILENO, &status) == 0 && S_ISSOCK(status.st_mode);
}

/* Writes one message about *name*. A socket on descriptor 2 is a client's connection when inetd
   started the program, so that nothing may be written to it: syslog gets the message. */
static PRINTF(2, 0) void emit(const char *name, const char *format, va_list args)
{
  int saved_errno = errno; /* the format may hold %m */

  if (stderr_is_socket()) {
    char *text = NULL;
    errno = saved_errno;
    if (vasprintf(&text, format, args) >= 0) {
      syslog(LOG_DEBUG, "[%s] %s", name, text);
      free(text);
    }
  } else {
    struct timespec now = {0, 0};
    struct tm local = {0};
    clock_gettime(CLOCK_REALTIME, &now);
    localtime_r(&now.tv_sec, &local);
    flockfile(stderr); /* keeps the two parts of the line together */
    fprintf(stderr, "[%02d:%02d:%02d.%06ld] [%s] ", local.tm_hour, local.tm_min, local.tm_sec,
            now.tv_nsec / 1000, name);
    errno = saved_errno;
    vfprintf(stderr, format, args);
    funlockfile(stderr);
  }
  errno = saved_errno;
}

static PRINTF(4, 5) void say(int level, int max_level, const char *name, const char *format, ...)
{
  if (level <= max_level) {
    va_list args;
    va_start(args, format);
    emit(name, format, args);
    va_end(args);
  }
}

/* Emits the message when *level* is at most *max_level*, the level configured for *name*. */
EXPORT PRINTF(4, 0) void sanei_debug_msg(int level, int max_level, const char *name,
                                         const char *format, va_list args)
{
  if (level <= max_level)
    emit(name, format, args);
}

/* Returns the number in SANE_DEBUG_<NAME> and announces it; 0 without that variable. Only ASCII
   letters are raised, whatever the locale; a variable has at most 255 characters. */
static int debug_level(const char *name)
{
  char variable[256] = "SANE_DEBUG_";
  size_t length = strlen(variable);

  for (const char *c = name; *c != '\0' && length < sizeof variable - 1; c++)
    variable[length++] = *c >= 'a' && *c <= 'z' ? (char)(*c - 'a' + 'A') : *c;

  const char *value = getenv(variable);
  if (value == NULL)
    return 0;
  int level = atoi(value);
  say(0, 0, "sanei_debug", "Setting debug level of %s to %d.\n", name, level);
  return level;
}

/* Sets *level* to the level configured for the backend *name*. */
EXPORT void sanei_init_debug(const char *name, int *level)
{
  *level = debug_level(name);
}

/* ---- Configuration files ---- */

struct search_list {
  int debug_level; /* of SANE_DEBUG_SANEI_CONFIG */
  char dirs[];     /* separated by colons; an empty one means the root directory */
};

/* Returns the directories of SANE_CONFIG_DIR, read once per process, or NULL without memory. */
static const struct search_list *get_search_list(void)
{
  static _Atomic(struct search_list *) published;
  struct search_list *list = atomic_load_explicit(&published, memory_order_acquire);
  if (list != NULL)
    return list;

  const char *value = secure_getenv("SANE_CONFIG_DIR"); /* not from the user of a set-uid program */
  const char *dirs = value != NULL ? value : DEFAULT_CONFIG_DIRS;
  size_t length = strlen(dirs);
  bool append = length > 0 && dirs[length - 1] == ':'; /* a trailing colon asks for the defaults */
  struct search_list *made = malloc(sizeof *made + length + sizeof DEFAULT_CONFIG_DIRS);
  if (made == NULL)
    return NULL;
  memcpy(made->dirs, dirs, length + 1);
  if (append)
    memcpy(made->dirs + length, DEFAULT_CONFIG_DIRS, sizeof DEFAULT_CONFIG_DIRS);
  made->debug_level = debug_level("sanei_config");

  if (!atomic_compare_exchange_strong(&published, &list, made)) {
    free(made); /* another thread was first; *list* is its list */
    return list;
  }
  return made;
}

/* Opens *name* in the first directory of the list that has it; NULL and errno when none has. */
EXPORT FILE *sanei_config_open(const char *name)
{
  const struct search_list *list = get_search_list();
  if (list == NULL || name == NULL) {
    errno = name == NULL ? EINVAL : ENOMEM;
    return NULL;
  }
  say(5, list->debug_level, "sanei_config", "config directories are %s\n", list->dirs);

  const char *dir = list->dirs;
  for (;;) {
    char path[PATH_MAX];
    size_t length = strcspn(dir, ":");
    int needed = snprintf(path, sizeof path, "%.*s/%s", (int)length, dir, name);

    if (needed >= 0 && (size_t)needed < sizeof path) {
      say(4, list->debug_level, "sanei_config", "trying %s\n", path);
      FILE *file = fopen(path, "re");
      if (file != NULL) {
        say(3, list->debug_level, "sanei_config", "using %s\n", path);
        return file;
      }
    } else {
      errno = ENAMETOOLONG;
    }
    if (dir[length] == '\0')
      break;
    dir += length + 1;
  }
  say(2, list->debug_level, "sanei_config", "%s is in no config directory\n", name);
  return NULL;
}

/* As isspace() in the C locale: configuration means the same whatever the program's locale. */
static bool is_space(char c)
{
  return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Reads a line into *line*, at most *size* bytes with the NUL, and trims both ends. What does not
   fit comes as the next line. NULL at the end, on errors, and where *size* leaves no room. */
EXPORT char *sanei_config_read(char *line, int size, FILE *file)
{
  if (line == NULL || file == NULL || size < 2 || fgets(line, size, file) == NULL)
    return NULL;

  const char *start = line;
  while (is_space(*start))
    start++;
  size_t length = strlen(start);
  while (length > 0 && is_space(start[length - 1]))
    length--;
  memmove(line, start, length);
  line[length] = '\0';
  return line;
}

/* Returns the first character of *text* that is no white space; NULL for NULL. */
EXPORT const char *sanei_config_skip_whitespace(const char *text)
{
  while (text != NULL && is_space(*text))
    text++;
  return text;
}
