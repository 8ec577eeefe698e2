/* Helpers of walker.c: arguments, guarded buffers, printing. */

#ifndef WALKER_H
#define WALKER_H

#include <dirent.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <sane/sane.h>

enum { SLOTS = 8, GUARD = 64, ARGS = 8, LINE = 1 << 16, CHUNK_MAX = 1 << 20, SECONDS = 20 };
#define GUARD_BYTE 0xC7
#define FILL_BYTE 0xA5
#define UNTOUCHED 0x5A5A5A5A
#define FNV_START 0xCBF29CE484222325u
#define FNV_PRIME 0x100000001B3u

typedef struct {
    SANE_Handle handle;
    long total;  /* bytes delivered in this frame */
    long target; /* bytes asked for in this frame: what a short read left out is caught up */
    uint64_t hash;
    int fresh;  /* started, nothing read yet */
    int masked; /* leave padding pixels out of the hash: they are random */
    SANE_Parameters params;
} Slot;

static Slot slots[SLOTS], null_slot;
static char *arg[ARGS];

static void die(const char *what)
{
    fprintf(stderr, "walker: %s\n", what);
    exit(2);
}

static const char *status_name(SANE_Status status)
{
    static const char *names[] = { "GOOD", "UNSUPPORTED", "CANCELLED", "DEVICE_BUSY", "INVAL",
        "EOF", "JAMMED", "NO_DOCS", "COVER_OPEN", "IO_ERROR", "NO_MEM", "ACCESS_DENIED" };
    static char unknown[24];

    if (status < sizeof names / sizeof *names)
        return names[status];
    snprintf(unknown, sizeof unknown, "STATUS_%d", (int) status);
    return unknown;
}

/* ---- arguments ------------------------------------------------------------------------- */

static int flag(int n, char letter)
{
    return arg[n] != NULL && arg[n][0] == letter && arg[n][1] == '\0';
}

static long number(int n)
{
    if (arg[n] == NULL)
        die("argument missing");
    return strtol(arg[n], NULL, 10);
}

static Slot *slot(int n)
{
    if (arg[n] != NULL && arg[n][0] == 'N')
        return &null_slot;
    return &slots[number(n) & (SLOTS - 1)];
}

static char *text(int n) /* decodes in place */
{
    char *in = arg[n], *out = arg[n];
    unsigned code;

    if (in == NULL)
        die("text missing");
    while (*in != '\0') {
        if (*in == '%' && sscanf(in + 1, "%2x", &code) == 1) {
            *out++ = (char) code;
            in += 3;
        } else if (*in == '%')
            in++;
        else
            *out++ = *in++;
    }
    *out = '\0';
    return arg[n];
}

/* ---- buffers with guards --------------------------------------------------------------- */

static unsigned char *guarded(size_t size)
{
    unsigned char *base = malloc(size + 2 * GUARD);

    if (base == NULL)
        die("out of memory");
    memset(base, GUARD_BYTE, size + 2 * GUARD);
    memset(base + GUARD, FILL_BYTE, size);
    return base + GUARD;
}

static int all_bytes(const unsigned char *bytes, size_t count, unsigned char value)
{
    for (size_t i = 0; i < count; i++)
        if (bytes[i] != value)
            return 0;
    return 1;
}

static void release(unsigned char *buffer, size_t size)
{
    if (!all_bytes(buffer - GUARD, GUARD, GUARD_BYTE) || !all_bytes(buffer + size, GUARD, GUARD_BYTE))
        printf(" OVERRUN");
    free(buffer - GUARD);
}

static uint64_t fnv(uint64_t hash, const void *data, size_t size)
{
    const unsigned char *bytes = data;

    for (size_t i = 0; i < size; i++)
        hash = (hash ^ bytes[i]) * FNV_PRIME;
    return hash;
}

static void fill_random(unsigned char *buffer, size_t size, const char *spec)
{
    unsigned seed;
    long low, high;

    if (sscanf(spec, "%u:%ld:%ld", &seed, &low, &high) != 3)
        die("set: SEED:LOW:HIGH expected");
    for (size_t i = 0; i + sizeof(SANE_Word) <= size; i += sizeof(SANE_Word)) {
        SANE_Word word;

        seed = seed * 1664525u + 1013904223u;
        word = (SANE_Word) (low + (long) ((seed >> 8) % (unsigned long) (high - low + 1)));
        memcpy(buffer + i, &word, sizeof word);
    }
}

static void fill_words(unsigned char *buffer, size_t size, char *list)
{
    for (size_t i = 0; i + sizeof(SANE_Word) <= size && *list != '\0'; i += sizeof(SANE_Word)) {
        SANE_Word word = (SANE_Word) strtol(list, &list, 10);

        memcpy(buffer + i, &word, sizeof word);
        list += *list == ',';
    }
}

/* Which bits of byte *index* of a line belong to pixels below pixels_per_line. */
static unsigned char pixel_bits(const SANE_Parameters *p, long index)
{
    long channels = p->format == SANE_FRAME_RGB ? 3 : 1, left;

    if (p->depth != 1)
        return index / (channels * ((p->depth + 7) / 8)) < p->pixels_per_line ? 0xFF : 0;
    left = p->pixels_per_line - 8 * (index / channels);
    return left >= 8 ? 0xFF : left <= 0 ? 0 : (unsigned char) (0xFF00 >> left);
}

/* ---- printing --------------------------------------------------------------------------- */

static void print_text(const char *s)
{
    if (s == NULL)
        printf("NULL");
    else
        for (putchar('"'); *s != '\0'; s++)
            printf(*s > ' ' && *s < 127 && *s != '"' ? "%c" : "\\%02x", (unsigned char) *s);
    if (s != NULL)
        putchar('"');
}

static void print_value(const unsigned char *buffer, size_t size, int is_text)
{
    SANE_Word word;

    printf(" value=");
    if (is_text && memchr(buffer, '\0', size) == NULL)
        printf("UNTERMINATED");
    else if (is_text)
        print_text((const char *) buffer);
    else if (size > 32)
        printf("#%016llx", (unsigned long long) fnv(FNV_START, buffer, size));
    else
        for (size_t i = 0; i + sizeof word <= size; i += sizeof word) {
            memcpy(&word, buffer + i, sizeof word);
            printf("%s%d", i ? "," : "", word);
        }
}

/* A library may spell out a text in the caller's buffer, or leave it as short as it was: the
 * buffer need not be larger. */
static int extends(const char *given, const char *after)
{
    size_t length = strlen(given);

    return strcmp(given, after) == 0
           || (strncasecmp(given, after, length) == 0 && after[length] != '\0');
}

static void print_field(const char *name, SANE_Int value, int hidden)
{
    if (hidden)
        printf(" %s=?", name);
    else if (value == UNTOUCHED)
        printf(" %s=untouched", name);
    else
        printf(" %s=%d", name, value);
}

static void print_constraint(const SANE_Option_Descriptor *d)
{
    const SANE_Range *range = d->constraint.range;

    if (d->constraint_type == SANE_CONSTRAINT_RANGE)
        printf(" range=%d..%d/%d", range->min, range->max, range->quant);
    else if (d->constraint_type == SANE_CONSTRAINT_WORD_LIST)
        for (int i = 0; i <= d->constraint.word_list[0]; i++)
            printf("%s%d", i ? "," : " words=", d->constraint.word_list[i]);
    else if (d->constraint_type == SANE_CONSTRAINT_STRING_LIST)
        for (int i = 0; d->constraint.string_list[i] != NULL; i++) {
            printf(i ? "," : " strings=");
            print_text(d->constraint.string_list[i]);
        }
    else
        printf(" constraint=%d", (int) d->constraint_type);
}

static void print_descriptor(const SANE_Option_Descriptor *d, int with_title)
{
    if (d == NULL) {
        printf("NULL");
        return;
    }
    print_text(d->name);
    if (with_title) {
        printf(" title=");
        print_text(d->title);
    } else
        printf(d->title != NULL && d->title[0] != '\0' ? " title" : " NOTITLE");
    printf(d->desc != NULL ? " help" : " NOHELP");
    printf(" type=%d unit=%d size=%d cap=%02x", d->type, d->unit, d->size, (unsigned) d->cap);
    print_constraint(d);
}

/* ---- other threads --------------------------------------------------------------------- */

/* True when every thread but this one sleeps: a producer that runs is not where it will stay. */
static int all_asleep(void)
{
    DIR *tasks = opendir("/proc/self/task");
    struct dirent *task;
    int asleep = 1;

    while (tasks != NULL && (task = readdir(tasks)) != NULL) {
        char path[300], state = 'S';
        FILE *file;

        snprintf(path, sizeof path, "/proc/self/task/%s/stat", task->d_name);
        if (task->d_name[0] == '.' || atoi(task->d_name) == getpid()
            || (file = fopen(path, "r")) == NULL)
            continue;
        if (fscanf(file, "%*d (%*[^)]) %c", &state) == 1 && state != 'S')
            asleep = 0;
        fclose(file);
    }
    if (tasks != NULL)
        closedir(tasks);
    return asleep;
}

/* Waits until the threads are where they will stay. */
static void settle(void)
{
    for (int quiet = 0; quiet < 2; quiet = all_asleep() ? quiet + 1 : 0)
        usleep(200);
}

static void *sleep_forever(void *unused)
{
    pause();
    return unused;
}

/* Cancels a thread of our own: the first cancellation in a process loads the unwinder, and the
 * original's cancel can lose a loader lock for good when its thread ends meanwhile. */
static void load_unwinder(void)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, sleep_forever, NULL) != 0 || pthread_cancel(thread) != 0)
        die("no threads");
    pthread_join(thread, NULL);
}

#endif
