/* Runs SANE calls given one per line on stdin and prints what each returned, one line per call.
 *
 *   walker LIBRARY PREFIX        PREFIX is sane_ or sane_<backend>_
 *
 * walks.py writes the commands; two libraries given the same lines must print the same lines.
 * SLOT is 0..7 (a closed slot keeps its stale handle) or N for a NULL handle. Text is
 * percent-encoded, a lone % is the empty text. A trailing n passes NULL for the info, list,
 * handle, version or parameters pointer.
 *
 *   init [n|m]  (m: status only)   exit   conf FILE TEXT   devices LOCAL [n]
 *   open SLOT NAME [n]   openx SLOT  (NULL name)   close SLOT
 *   desc SLOT I [t]  (t: with title)   descs SLOT COUNT
 *   get SLOT I SIZE s|w [n]
 *   set SLOT I SIZE s TEXT | w WORD,WORD... | r SEED:LOW:HIGH | b  [n]
 *   setself SLOT I K  (value = our own string_list[K], or range.max for K = -1)
 *   auto SLOT I   action SLOT I N
 *   params SLOT [n|f|s]  (f: sizes only right after start, s: status only)
 *   start SLOT [m]  (m: hash no padding)
 *   read SLOT N [b|l]  (NULL buffer, length)   readn SLOT N   readall SLOT CHUNK CAP
 *   cancel SLOT   iomode SLOT B   selectfd SLOT
 *   settle  (wait until every other thread sleeps)
 */

#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>

#include "walker.h"

static struct {
    SANE_Status (*init)(SANE_Int *, SANE_Auth_Callback);
    void (*exit)(void);
    SANE_Status (*get_devices)(const SANE_Device ***, SANE_Bool);
    SANE_Status (*open)(SANE_String_Const, SANE_Handle *);
    void (*close)(SANE_Handle);
    const SANE_Option_Descriptor *(*get_option_descriptor)(SANE_Handle, SANE_Int);
    SANE_Status (*control_option)(SANE_Handle, SANE_Int, SANE_Action, void *, SANE_Int *);
    SANE_Status (*get_parameters)(SANE_Handle, SANE_Parameters *);
    SANE_Status (*start)(SANE_Handle);
    SANE_Status (*read)(SANE_Handle, SANE_Byte *, SANE_Int, SANE_Int *);
    void (*cancel)(SANE_Handle);
    SANE_Status (*set_io_mode)(SANE_Handle, SANE_Bool);
    SANE_Status (*get_select_fd)(SANE_Handle, SANE_Int *);
} api;

static void on_alarm(int signal_number)
{
    (void) signal_number;
    if (write(STDOUT_FILENO, "HANG\n", 5) < 0)
        _exit(4);
    _exit(3);
}

static void on_pipe(int signal_number) /* neither default nor ignored: nobody changes it */
{
    (void) signal_number;
}

/* ---- init, devices, open --------------------------------------------------------------- */

static void do_init(void)
{
    SANE_Int version = UNTOUCHED;
    SANE_Status status = api.init(flag(1, 'n') ? NULL : &version, NULL);

    printf("%s", status_name(status));
    if (!flag(1, 'm'))
        printf(" version=%08x", (unsigned) version);
}

static void do_exit(void)
{
    api.exit();
    printf("done");
}

static void do_conf(void)
{
    const char *directory = getenv("SANE_CONFIG_DIR");
    char path[4096];
    FILE *file;

    if (directory == NULL || arg[1] == NULL)
        die("conf: no directory or no file name");
    snprintf(path, sizeof path, "%s/%s", directory, arg[1]);
    file = fopen(path, "w");
    if (file == NULL || fputs(text(2), file) < 0 || fclose(file) != 0)
        die("conf: cannot write");
    printf("done");
}

static void do_devices(void)
{
    const SANE_Device **list = NULL;
    SANE_Status status = api.get_devices(flag(2, 'n') ? NULL : &list, (SANE_Bool) number(1));

    printf("%s", status_name(status));
    if (status == SANE_STATUS_GOOD && list == NULL)
        printf(" NULL");
    for (int i = 0; status == SANE_STATUS_GOOD && list != NULL && list[i] != NULL; i++)
        printf(" %s|%s|%s|%s;", list[i]->name, list[i]->vendor, list[i]->model, list[i]->type);
}

static void open_named(Slot *s, const char *name, SANE_Handle *handle)
{
    SANE_Status status = api.open(name, handle);

    printf("%s", status_name(status));
    if (status != SANE_STATUS_GOOD || handle == NULL)
        return;
    memset(s, 0, sizeof *s);
    s->handle = *handle;
    printf(" handle=%s", *handle == NULL ? "NULL" : "set");
}

static void do_open(void)
{
    Slot *s = slot(1);
    SANE_Handle handle = NULL;

    open_named(s, text(2), flag(3, 'n') ? NULL : &handle);
}

static void do_openx(void)
{
    SANE_Handle handle = NULL;

    open_named(slot(1), NULL, &handle);
}

static void do_close(void)
{
    slot(1)->fresh = 0;
    api.close(slot(1)->handle);
    printf("done");
}

/* ---- options --------------------------------------------------------------------------- */

static void do_desc(void)
{
    print_descriptor(api.get_option_descriptor(slot(1)->handle, (SANE_Int) number(2)), flag(3, 't'));
}

static void do_descs(void)
{
    for (int i = 0; i < number(2); i++) {
        const SANE_Option_Descriptor *d = api.get_option_descriptor(slot(1)->handle, i);

        if (d == NULL)
            printf("%d:NULL ", i);
        else
            printf("%d:%s/%d/%d/%d/%02x ", i, d->name, d->type, d->unit, d->size, (unsigned) d->cap);
    }
}

/* Calls control_option with a guarded info word; prints the status and what info became. */
static SANE_Status control(Slot *s, int option, int action, void *value, int no_info)
{
    SANE_Int info[3] = { UNTOUCHED, UNTOUCHED, UNTOUCHED };
    SANE_Status status;

    status = api.control_option(s->handle, option, (SANE_Action) action, value,
                                no_info ? NULL : &info[1]);
    printf("%s", status_name(status));
    if (info[0] != UNTOUCHED || info[2] != UNTOUCHED)
        printf(" OVERRUN");
    if (info[1] == UNTOUCHED)
        printf(" info=untouched");
    else
        printf(" info=%d", info[1]);
    return status;
}

static void do_get(void)
{
    size_t size = (size_t) number(3);
    unsigned char *buffer = guarded(size);

    if (control(slot(1), (int) number(2), SANE_ACTION_GET_VALUE, buffer, flag(5, 'n')) == 0)
        print_value(buffer, size, flag(4, 's'));
    else if (!all_bytes(buffer, size, FILL_BYTE))
        printf(" WRITTEN");
    release(buffer, size);
}

static void do_set(void)
{
    size_t size = (size_t) number(3);
    int is_text = flag(4, 's'), is_button = flag(4, 'b');
    const char *given = is_text ? text(5) : NULL;
    unsigned char *buffer;

    if (is_text && strlen(given) >= size)
        size = strlen(given) + 1;
    buffer = guarded(size);
    if (is_text)
        memcpy(buffer, given, strlen(given) + 1);
    else if (flag(4, 'r'))
        fill_random(buffer, size, arg[5]);
    else if (!is_button)
        fill_words(buffer, size, arg[5]);
    control(slot(1), (int) number(2), SANE_ACTION_SET_VALUE, is_button ? NULL : buffer,
            flag(is_button ? 5 : 6, 'n'));
    if (is_text && extends(given, (const char *) buffer))
        printf(" kept");
    else if (!is_button)
        print_value(buffer, size, is_text);
    release(buffer, size);
}

/* Frontends pass pointers into the descriptor itself as the new value. */
static void do_setself(void)
{
    int option = (int) number(2), k = (int) number(3);
    const SANE_Option_Descriptor *d = api.get_option_descriptor(slot(1)->handle, option);
    char before[256];
    const void *value;

    if (d == NULL || d->constraint_type != (k < 0 ? SANE_CONSTRAINT_RANGE : SANE_CONSTRAINT_STRING_LIST)) {
        printf("no such constraint");
        return;
    }
    value = k < 0 ? (const void *) &d->constraint.range->max : d->constraint.string_list[k];
    if (k >= 0)
        snprintf(before, sizeof before, "%s", (const char *) value);
    else
        memcpy(before, value, sizeof(SANE_Word));
    control(slot(1), option, SANE_ACTION_SET_VALUE, (void *) (uintptr_t) value, 0);
    if (memcmp(before, value, k < 0 ? sizeof(SANE_Word) : strlen(before) + 1) != 0)
        printf(" CONSTRAINT CHANGED");
}

static void do_auto(void)
{
    control(slot(1), (int) number(2), SANE_ACTION_SET_AUTO, NULL, 0);
}

static void do_action(void)
{
    unsigned char *buffer = guarded(1 << 14);

    memset(buffer, 0, 1 << 14);
    control(slot(1), (int) number(2), (int) number(3), buffer, 0);
    if (!all_bytes(buffer, 1 << 14, 0))
        printf(" WRITTEN");
    release(buffer, 1 << 14);
}

/* ---- scanning -------------------------------------------------------------------------- */

static void do_params(void)
{
    Slot *s = slot(1);
    int hidden = flag(2, 'f') && !s->fresh;
    SANE_Parameters p;

    memset(&p, UNTOUCHED & 0xFF, sizeof p);
    printf("%s", status_name(api.get_parameters(s->handle, flag(2, 'n') ? NULL : &p)));
    if (flag(2, 's'))
        return;
    print_field("format", (SANE_Int) p.format, 0);
    print_field("last", p.last_frame, 0);
    print_field("bytes", p.bytes_per_line, hidden);
    print_field("pixels", p.pixels_per_line, hidden);
    print_field("lines", p.lines, hidden);
    print_field("depth", p.depth, 0);
}

static void do_start(void)
{
    Slot *s = slot(1);
    SANE_Status status = api.start(s->handle);

    printf("%s", status_name(status));
    if (status != SANE_STATUS_GOOD)
        return;
    settle(); /* the original's new thread may hang a cancel or feed another device's scan */
    s->total = s->target = 0;
    s->hash = FNV_START;
    s->fresh = 1;
    s->masked = flag(2, 'm') && api.get_parameters(s->handle, &s->params) == SANE_STATUS_GOOD
                && s->params.bytes_per_line > 0;
}

static void absorb(Slot *s, unsigned char *bytes, long count)
{
    for (long i = 0; s->masked && i < count; i++)
        bytes[i] &= pixel_bits(&s->params, (s->total + i) % s->params.bytes_per_line);
    s->hash = fnv(s->hash, bytes, (size_t) count);
    s->total += count;
}

/* One sane_read of at most *size* bytes; adds them to the frame. Says so if it wrote too much. */
static SANE_Status read_once(Slot *s, long size, SANE_Int *length)
{
    unsigned char *buffer = guarded((size_t) size);
    SANE_Status status;

    *length = -7;
    s->fresh = 0;
    status = api.read(s->handle, buffer, (SANE_Int) size, length);
    if (status == SANE_STATUS_GOOD && *length >= 0 && *length <= size) {
        if (!all_bytes(buffer + *length, (size_t) (size - *length), FILL_BYTE))
            printf(" BEYOND ");
        absorb(s, buffer, *length);
    }
    release(buffer, (size_t) size);
    return status;
}

static void print_frame(const Slot *s, const char *end)
{
    printf("%s total=%ld #%016llx", end, s->total, (unsigned long long) s->hash);
}

/* Reads until the frame's total is *goal*, or a status other than GOOD. */
static const char *read_to(Slot *s, long goal, long chunk)
{
    SANE_Status status = SANE_STATUS_GOOD;
    SANE_Int length;

    while (status == SANE_STATUS_GOOD && s->total < goal) {
        long size = goal - s->total < chunk ? goal - s->total : chunk;

        status = read_once(s, size, &length);
        if (status == SANE_STATUS_GOOD && (length <= 0 || length > size))
            return length == 0 ? "ZERO" : "BADLENGTH";
        if (status == SANE_STATUS_GOOD && length < size / 8)
            chunk = 8 * length; /* limited reads: do not fill and check large buffers for each */
    }
    return status_name(status);
}

static void do_read(void)
{
    Slot *s = slot(1);
    long size = number(2);
    SANE_Int length = 0;
    SANE_Status status;
    static SANE_Byte byte;

    if (flag(3, 'b'))
        status = api.read(s->handle, NULL, (SANE_Int) size, &length);
    else if (flag(3, 'l'))
        status = api.read(s->handle, &byte, 1, NULL);
    else {
        s->target += size;
        status = read_once(s, size, &length);
    }
    printf("%s", status_name(status));
    if (status == SANE_STATUS_GOOD && arg[3] == NULL)
        printf(length >= 0 && length <= size ? " length" : " BADLENGTH");
}

static void do_readn(void)
{
    Slot *s = slot(1);

    s->target += number(2);
    print_frame(s, read_to(s, s->target, CHUNK_MAX));
    s->target = s->total;
}

static void do_readall(void)
{
    Slot *s = slot(1);
    long goal = s->total + number(3);
    const char *end = read_to(s, goal, number(2));

    if (s->total == goal) {
        api.cancel(s->handle);
        end = "CAP";
    }
    print_frame(s, end);
    s->target = s->total;
}

static void do_cancel(void)
{
    slot(1)->fresh = 0;
    api.cancel(slot(1)->handle);
    printf("done");
}

static void do_settle(void)
{
    settle();
    printf("done");
}

static void do_iomode(void)
{
    printf("%s", status_name(api.set_io_mode(slot(1)->handle, (SANE_Bool) number(2))));
}

static void do_selectfd(void)
{
    struct pollfd ready = { .fd = UNTOUCHED, .events = POLLIN };
    SANE_Status status = api.get_select_fd(slot(1)->handle, &ready.fd);

    printf("%s", status_name(status));
    if (status == SANE_STATUS_GOOD)
        printf(fcntl(ready.fd, F_GETFD) < 0 ? " BADFD" : poll(&ready, 1, 5000) == 1 ? " ready" : " IDLE");
    else
        printf(ready.fd == UNTOUCHED ? " untouched" : " WRITTEN");
}

/* ---- main ------------------------------------------------------------------------------ */

static const struct {
    const char *name;
    void (*run)(void);
} commands[] = {
    { "init", do_init },         { "exit", do_exit },     { "conf", do_conf },
    { "devices", do_devices },   { "open", do_open },     { "openx", do_openx },
    { "close", do_close },       { "desc", do_desc },     { "descs", do_descs },
    { "get", do_get },           { "set", do_set },       { "setself", do_setself },
    { "auto", do_auto },         { "action", do_action }, { "params", do_params },
    { "start", do_start },       { "read", do_read },     { "readn", do_readn },
    { "readall", do_readall },   { "cancel", do_cancel }, { "iomode", do_iomode },
    { "selectfd", do_selectfd }, { "settle", do_settle },
};

static void load(const char *library, const char *prefix)
{
    static const struct {
        const char *op;
        void *field;
    } ops[] = {
        { "init", &api.init },
        { "exit", &api.exit },
        { "get_devices", &api.get_devices },
        { "open", &api.open },
        { "close", &api.close },
        { "get_option_descriptor", &api.get_option_descriptor },
        { "control_option", &api.control_option },
        { "get_parameters", &api.get_parameters },
        { "start", &api.start },
        { "read", &api.read },
        { "cancel", &api.cancel },
        { "set_io_mode", &api.set_io_mode },
        { "get_select_fd", &api.get_select_fd },
    };
    void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL), *symbol;
    char name[128];

    if (handle == NULL)
        die(dlerror());
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
        snprintf(name, sizeof name, "%s%s", prefix, ops[i].op);
        symbol = dlsym(handle, name);
        if (symbol == NULL)
            die(dlerror());
        memcpy(ops[i].field, &symbol, sizeof symbol);
    }
}

static void run_line(char *line)
{
    char *rest = line;
    size_t i = 0;

    for (int n = 0; n < ARGS; n++)
        arg[n] = strtok_r(n ? NULL : line, " \n", &rest);
    if (arg[0] == NULL)
        return;
    while (i < sizeof commands / sizeof *commands && strcmp(arg[0], commands[i].name) != 0)
        i++;
    if (i == sizeof commands / sizeof *commands)
        die("unknown command");
    alarm(SECONDS);
    commands[i].run();
    alarm(0);
    putchar('\n');
    fflush(stdout);
}

int main(int argc, char **argv)
{
    static char line[LINE];

    if (argc != 3)
        die("usage: walker LIBRARY PREFIX");
    signal(SIGALRM, on_alarm);
    signal(SIGPIPE, on_pipe);
    load_unwinder();
    load(argv[1], argv[2]);
    while (fgets(line, sizeof line, stdin) != NULL)
        run_line(line);
    _exit(0); /* a scan may still run: destructors are not part of the walk */
}
