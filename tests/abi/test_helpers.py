"""The six C helpers, driven through one C program; the distribution's libsane.so.1 is the referee.

Most tests run twice, on our helpers and on theirs, with the same expectation.
"""

from __future__ import annotations

import hashlib
import random
import re
import subprocess
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from tests import cc

HELPERS = cc.ROOT / "sane" / "abi" / "helpers.c"
STRICT = (
    *("-std=gnu11", "-Wall", "-Wextra", "-Wshadow", "-Wconversion", "-Werror"),
    "-fvisibility=hidden",
)

# Calls one helper as its arguments say and writes what came of it to stdout. It takes the place of
# fopen, to list the files that are tried, and of syslog, which Debian's library calls by its
# fortified name.
DRIVER = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void *md5_buffer(const char *data, size_t length, void *digest);
FILE *sanei_config_open(const char *name);
char *sanei_config_read(char *line, int size, FILE *file);
const char *sanei_config_skip_whitespace(const char *text);
void sanei_debug_msg(int level, int max_level, const char *name, const char *format, va_list args);
void sanei_init_debug(const char *name, int *level);

static int listing;

static FILE *tried(const char *symbol, const char *path, const char *mode) {
    FILE *(*real)(const char *, const char *) = dlsym(RTLD_NEXT, symbol);
    if (listing) printf("try %s\n", path);
    return real(path, mode);
}
FILE *fopen(const char *path, const char *mode) { return tried("fopen", path, mode); }
FILE *fopen64(const char *path, const char *mode) { return tried("fopen64", path, mode); }

static void logged(int priority, const char *format, va_list args) {
    printf("syslog %d ", priority);
    vprintf(format, args);
}
void vsyslog(int priority, const char *format, va_list args) { logged(priority, format, args); }
void __vsyslog_chk(int priority, int flag, const char *format, va_list args) {
    (void) flag;
    logged(priority, format, args);
}
void syslog(int priority, const char *format, ...) {
    va_list args;
    va_start(args, format);
    logged(priority, format, args);
    va_end(args);
}
void __syslog_chk(int priority, int flag, const char *format, ...) {
    (void) flag;
    va_list args;
    va_start(args, format);
    logged(priority, format, args);
    va_end(args);
}

static void debug(int level, int max_level, const char *name, const char *format, ...) {
    va_list args;
    va_start(args, format);
    sanei_debug_msg(level, max_level, name, format, args);
    va_end(args);
}

static void md5(size_t length) { /* of so many bytes of stdin, at an odd address */
    unsigned char digest[18];
    char *data = malloc(length + 1);
    if (fread(data + 1, 1, length, stdin) != length) abort();
    memset(digest, 0xa5, sizeof digest);
    if (md5_buffer(data + 1, length, digest + 1) != digest + 1) abort();
    if (digest[0] != 0xa5 || digest[17] != 0xa5) abort();
    for (int i = 1; i < 17; i++) printf("%02x", digest[i]);
    printf("\n");
    free(data);
}

static void lines(int size) { /* of stdin, each ended by a NUL */
    char buffer[8192];
    char *line;
    for (;;) {
        memset(buffer, 0x5a, sizeof buffer);
        line = sanei_config_read(buffer, size, stdin);
        for (size_t i = size < 0 ? 0 : (size_t) size; i < sizeof buffer; i++)
            if (buffer[i] != 0x5a) abort();
        if (line == NULL) return;
        if (line != buffer) abort();
        fwrite(line, 1, strlen(line) + 1, stdout);
    }
}

static void open_config(const char *name) {
    char line[4096];
    FILE *file;
    listing = 1;
    file = sanei_config_open(name);
    listing = 0;
    if (file == NULL) {
        printf("none\n");
        return;
    }
    printf("found %s\n", sanei_config_read(line, sizeof line, file) ? line : "nothing");
    fclose(file);
}

static void *open_in_thread(void *name) {
    FILE *file = sanei_config_open(name);
    if (file != NULL) fclose(file);
    return file;
}

static void open_in_threads(char *name) {
    pthread_t threads[8];
    int opened = 0;
    for (int i = 0; i < 8; i++) pthread_create(&threads[i], NULL, open_in_thread, name);
    for (int i = 0; i < 8; i++) {
        void *file;
        pthread_join(threads[i], &file);
        opened += file != NULL;
    }
    printf("%d\n", opened);
}

int main(int argc, char **argv) {
    const char *verb = argv[1];
    for (int i = 2; i < argc; i++) {
        char *arg = argv[i];
        int level = 77, pair[2];
        if (!strcmp(verb, "md5")) md5(strtoul(arg, NULL, 10));
        if (!strcmp(verb, "lines")) lines(atoi(arg));
        if (!strcmp(verb, "skip")) printf("%s|\n", sanei_config_skip_whitespace(arg));
        if (!strcmp(verb, "open") && arg[0] == '=') setenv("SANE_CONFIG_DIR", arg + 1, 1);
        if (!strcmp(verb, "open") && arg[0] != '=') open_config(arg);
        if (!strcmp(verb, "threads")) open_in_threads(arg);
        if (!strcmp(verb, "cloexec"))
            printf("%d\n", fcntl(fileno(sanei_config_open(arg)), F_GETFD) == FD_CLOEXEC);
        if (!strcmp(verb, "level")) {
            sanei_init_debug(arg, &level);
            printf("%d\n", level);
        }
        if (!strcmp(verb, "message")) { /* LEVEL,MAX */
            errno = ENOENT;
            debug(atoi(arg), atoi(strchr(arg, ',') + 1), "name", "%d%% %s %m\n", 7, "of");
            printf("errno %d\n", errno);
        }
        if (!strcmp(verb, "socket")) {
            if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) || dup2(pair[0], 2) != 2) abort();
            errno = ENOENT;
            debug(1, 1, arg, "%d%% %s %m\n", 7, "of");
            printf("socket %zd\n", recv(pair[1], &level, sizeof level, MSG_DONTWAIT));
        }
        if (!strcmp(verb, "closed")) {
            close(2);
            errno = ENOENT;
            debug(1, 1, arg, "message\n");
            printf("errno %d\n", errno);
        }
        if (!strcmp(verb, "null")) {
            char line[2];
            printf("%d", sanei_config_skip_whitespace(NULL) == NULL);
            if (!strcmp(arg, "all"))
                printf("%d%d%d", sanei_config_open(NULL) == NULL,
                       sanei_config_read(line, sizeof line, NULL) == NULL,
                       sanei_config_read(NULL, 2, stdin) == NULL);
            printf("\n");
        }
    }
    return 0;
}
"""


class Driver:
    """The C program, linked with one set of helpers."""

    def __init__(self, program: Path, cwd: Path) -> None:
        self.program = program
        self.cwd = cwd

    def run(
        self, *args: str, stdin: bytes = b"", env: dict[str, str] | None = None
    ) -> tuple[bytes, bytes]:
        """Return stdout and stderr of one run in an environment of just *env*."""
        done = subprocess.run(
            [self.program, *args],
            input=stdin,
            capture_output=True,
            env=env or {},
            cwd=self.cwd,
            check=True,
            timeout=60,
        )
        return done.stdout, done.stderr

    def out(self, *args: str, stdin: bytes = b"", env: dict[str, str] | None = None) -> list[str]:
        """Return the lines of stdout."""
        return self.run(*args, stdin=stdin, env=env)[0].decode().splitlines()


@pytest.fixture(scope="session", params=["ours", "distribution"])
def program(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the driver linked with our helpers, then with the distribution's library."""
    return build(request.param, tmp_path_factory.mktemp(request.param))


@pytest.fixture(scope="session")
def our_program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the driver linked with our helpers."""
    return build("ours", tmp_path_factory.mktemp("ours"))


@pytest.fixture
def driver(program: Path, tmp_path: Path) -> Driver:
    """Return both drivers in turn, in an empty directory."""
    return Driver(program, tmp_path)


@pytest.fixture
def ours(our_program: Path, tmp_path: Path) -> Driver:
    """Return our driver, for what only we do."""
    return Driver(our_program, tmp_path)


def build(whose: str, folder: Path) -> Path:
    library = build_helpers(folder) if whose == "ours" else cc.distribution_libsane()
    rpath = f"-Wl,--disable-new-dtags,-rpath,{library.parent}"
    return cc.compile_program(
        DRIVER, folder / "driver", "-w", "-rdynamic", "-pthread", str(library), rpath, "-ldl"
    )


def build_helpers(folder: Path) -> Path:
    library = folder / "libhelpers.so"
    return cc.compile_program(HELPERS, library, *STRICT, "-O2", "-fPIC", "-shared", "-Wl,-z,defs")


def test_helpers_export_exactly_the_six(tmp_path: Path) -> None:
    library = build_helpers(tmp_path)
    table = subprocess.run(
        ["nm", "-D", "--defined-only", library], capture_output=True, text=True, check=True
    ).stdout
    assert sorted(line.split()[2] for line in table.splitlines()) == [
        "md5_buffer",
        "sanei_config_open",
        "sanei_config_read",
        "sanei_config_skip_whitespace",
        "sanei_debug_msg",
        "sanei_init_debug",
    ]


# ---- MD5 ----

# RFC 1321, A.5.
MD5_SUITE = {
    b"": "d41d8cd98f00b204e9800998ecf8427e",
    b"a": "0cc175b9c0f1b6a831c399e269772661",
    b"abc": "900150983cd24fb0d6963f7d28e17f72",
    b"message digest": "f96b697d7cb7938d525a2f31aaf161d0",
    b"abcdefghijklmnopqrstuvwxyz": "c3fcd3d76192e4007dfb496cca67e13b",
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789": (
        "d174ab98d277d9f5a5611c2c9f419d9f"
    ),
    b"1234567890" * 8: "57edf4a22be3c955ac49da2e2107b67a",
}


def digests(driver: Driver, texts: list[bytes]) -> list[str]:
    return driver.out("md5", *(str(len(text)) for text in texts), stdin=b"".join(texts))


def test_md5_of_the_rfc_suite(driver: Driver) -> None:
    assert digests(driver, list(MD5_SUITE)) == list(MD5_SUITE.values())


def test_md5_of_every_length_equals_hashlib(driver: Driver) -> None:
    rng = random.Random(1321)
    lengths = [*range(260), *(rng.randrange(100_000) for _ in range(40)), 1 << 20]
    texts = [rng.randbytes(length) for length in lengths]
    expected = [hashlib.md5(text, usedforsecurity=False).hexdigest() for text in texts]
    assert digests(driver, texts) == expected


# ---- The search list ----

SEARCH = [
    (None, ["./f", "/etc/sane.d/f"]),
    ("one", ["one/f"]),
    ("one:two", ["one/f", "two/f"]),
    ("one/:/two", ["one//f", "/two/f"]),
    ("one:", ["one/f", "./f", "/etc/sane.d/f"]),
    ("one:two:", ["one/f", "two/f", "./f", "/etc/sane.d/f"]),
    ("", ["/f"]),
    (":", ["/f", "./f", "/etc/sane.d/f"]),
    ("::", ["/f", "/f", "./f", "/etc/sane.d/f"]),
    (":one", ["/f", "one/f"]),
    ("one::two", ["one/f", "/f", "two/f"]),
]


@pytest.mark.parametrize(("value", "paths"), SEARCH)
def test_config_open_tries(driver: Driver, value: str | None, paths: list[str]) -> None:
    env = {} if value is None else {"SANE_CONFIG_DIR": value}
    assert driver.out("open", "f", env=env) == [*(f"try {path}" for path in paths), "none"]


def test_config_open_takes_the_first_that_exists(driver: Driver) -> None:
    for folder in ("one", "two", "three"):
        (driver.cwd / folder).mkdir()
    (driver.cwd / "two" / "f").write_text("second\n")
    (driver.cwd / "three" / "f").write_text("third\n")
    out = driver.out("open", "f", env={"SANE_CONFIG_DIR": "one:two:three"})
    assert out == ["try one/f", "try two/f", "found second"]


def test_config_open_prefers_the_working_directory(driver: Driver) -> None:
    (driver.cwd / "f").write_text("here\n")
    assert driver.out("open", "f") == ["try ./f", "found here"]


def test_config_open_puts_the_directory_before_an_absolute_name(driver: Driver) -> None:
    out = driver.out("open", "/etc/passwd", env={"SANE_CONFIG_DIR": "one"})
    assert out == ["try one//etc/passwd", "none"]


def test_config_open_reads_the_environment_once(driver: Driver) -> None:
    out = driver.out("open", "f", "=two", "f", env={"SANE_CONFIG_DIR": "one"})
    assert out == ["try one/f", "none", "try one/f", "none"]


def test_config_open_passes_over_a_path_too_long(ours: Driver) -> None:
    (ours.cwd / "f").write_text("here\n")
    out = ours.out("open", "f", env={"SANE_CONFIG_DIR": "x" * 5000 + ":."})
    assert out == ["try ./f", "found here"]


def test_config_open_from_many_threads_at_once(driver: Driver) -> None:
    (driver.cwd / "f").write_text("here\n")
    assert driver.out("threads", "f") == ["8"]


def test_config_open_keeps_the_file_from_child_processes(ours: Driver) -> None:
    (ours.cwd / "f").write_text("here\n")
    assert ours.out("cloexec", "f") == ["1"]


# By level: 2 what was not found, 3 what was, 4 every path tried, 5 the list at each call.
CONFIG_LEVELS = [(0, 0), (1, 0), (2, 1), (3, 2), (4, 6), (5, 8)]


@pytest.mark.parametrize(("level", "count"), CONFIG_LEVELS)
def test_config_open_debugs_at_level(driver: Driver, level: int, count: int) -> None:
    (driver.cwd / "f").write_text("here\n")
    env = {"SANE_CONFIG_DIR": "one:.", "SANE_DEBUG_SANEI_CONFIG": str(level)}
    first, *others = driver.run("open", "f", "g", env=env)[1].decode().splitlines()
    assert first.endswith(f"] [sanei_debug] Setting debug level of sanei_config to {level}.")
    assert len(others) == count
    assert all("] [sanei_config] " in line for line in others)


# ---- The line reader ----

LINES = [
    (b"", []),
    (b"one\ntwo\n", [b"one", b"two"]),
    (b"no end", [b"no end"]),
    (b"one\r\n\r\ntwo\r\n", [b"one", b"", b"two"]),
    (b" \t\v\f both ends \f\v\t \n", [b"both ends"]),
    (b"in\tside  stays\n", [b"in\tside  stays"]),
    (b"\n \n\t\n", [b"", b"", b""]),
    (b"# comment\n", [b"# comment"]),
    (b"before\0after\nnext\n", [b"before", b"next"]),
    (b"\0hidden\nnext\n", [b"", b"next"]),
    (b"caf\xe9 \xa0\x85\n", [b"caf\xe9 \xa0\x85"]),
]


@pytest.mark.parametrize(("text", "lines"), LINES)
def test_config_read_returns(driver: Driver, text: bytes, lines: list[bytes]) -> None:
    out, _ = driver.run("lines", "4096", stdin=text)
    assert out == b"".join(line + b"\0" for line in lines)


PIECES = [
    (8, b"abcdefghij\nk\n", [b"abcdefg", b"hij", b"k"]),
    (8, b"abcdefg\nk\n", [b"abcdefg", b"", b"k"]),
    (8, b"abcdef\nk\n", [b"abcdef", b"k"]),
    (5, b"ab  cd  \n", [b"ab", b"cd", b""]),
    (2, b"abc", [b"a", b"b", b"c"]),
    (0, b"abc", []),
    (-1, b"abc", []),
]


@pytest.mark.parametrize(("size", "text", "lines"), PIECES)
def test_config_read_splits_long_lines(
    driver: Driver, size: int, text: bytes, lines: list[bytes]
) -> None:
    out, _ = driver.run("lines", str(size), stdin=text)
    assert out == b"".join(line + b"\0" for line in lines)


def test_config_read_with_room_for_the_nul_only_ends(ours: Driver) -> None:
    assert ours.run("lines", "1", stdin=b"abc") == (b"", b"")


def test_config_read_agrees_with_the_rule_on_random_text(driver: Driver) -> None:
    rng = random.Random(5)
    text = bytes(rng.choice(b"ab# \t\r\n\v\f\xff") for _ in range(20_000))
    rows = (text[i : i + n] for i, n in pieces(text, 15))
    expected = b"".join(row.strip(b" \t\n\v\f\r") + b"\0" for row in rows)
    assert driver.run("lines", "16", stdin=text)[0] == expected


def pieces(text: bytes, most: int) -> list[tuple[int, int]]:
    """Return start and length of what fgets takes at a time."""
    found, at = [], 0
    while at < len(text):
        end = text.find(b"\n", at, at + most)
        length = end + 1 - at if end >= 0 else min(most, len(text) - at)
        found.append((at, length))
        at += length
    return found


def test_config_skip_whitespace(driver: Driver) -> None:
    samples = ["a b ", "  a", "\t\v\f\r a", "", " \t", "\u00a0x"]
    out = driver.run("skip", *samples)[0].decode()
    assert out == "a b |\na|\na|\n|\n|\n\u00a0x|\n"


def test_config_skip_whitespace_of_null(driver: Driver) -> None:
    assert driver.out("null", "skip") == ["1"]


def test_config_helpers_refuse_null(ours: Driver) -> None:
    assert ours.out("null", "all") == ["1111"]


# ---- Debug messages ----

LEVELS = [
    ("test", {"SANE_DEBUG_TEST": "5"}, 5),
    ("test", {}, None),
    ("tEst", {"SANE_DEBUG_TEST": "0"}, 0),
    ("test", {"SANE_DEBUG_TEST": ""}, 0),
    ("test", {"SANE_DEBUG_TEST": "12x"}, 12),
    ("test", {"SANE_DEBUG_TEST": "-3"}, -3),
    ("test", {"SANE_DEBUG_TEST": "junk"}, 0),
    ("dell1600n_net", {"SANE_DEBUG_DELL1600N_NET": "2"}, 2),
    ("libsane-hp", {"SANE_DEBUG_LIBSANE-HP": "3", "SANE_DEBUG_HP": "4"}, 3),
    ("\u00e9a", {"SANE_DEBUG_\u00e9A": "6"}, 6),
    ("a %s", {"SANE_DEBUG_A %S": "7"}, 7),
    ("n" * 244, {"SANE_DEBUG_" + "N" * 244: "8"}, 8),
    ("n" * 300, {"SANE_DEBUG_" + "N" * 244: "9"}, 9),
    ("n" * 300, {"SANE_DEBUG_" + "N" * 245: "9"}, None),
]


@pytest.mark.parametrize(("name", "env", "level"), LEVELS)
def test_init_debug_sets(driver: Driver, name: str, env: dict[str, str], level: int | None) -> None:
    out, err = driver.run("level", name, env=env)
    assert int(out) == (level or 0)
    announced = f"] [sanei_debug] Setting debug level of {name} to {level}.\n"
    assert err.decode().endswith(announced) if level is not None else err == b""


def test_init_debug_is_not_silenced_by_its_own_level(driver: Driver) -> None:
    env = {"SANE_DEBUG_TEST": "1", "SANE_DEBUG_SANEI_DEBUG": "-1"}
    _, err = driver.run("level", "test", env=env)
    assert b"Setting debug level of test to 1." in err


SHOWN = [(0, 0, True), (1, 1, True), (1, 2, True), (2, 1, False), (0, -1, False), (-1, 0, True)]


@pytest.mark.parametrize(("level", "max_level", "shown"), SHOWN)
def test_debug_msg_is_shown_up_to_the_level(
    driver: Driver, level: int, max_level: int, shown: bool
) -> None:
    _, err = driver.run("message", f"{level},{max_level}")
    assert bool(err) == shown


def test_debug_msg_goes_to_stderr_with_time_and_name(driver: Driver) -> None:
    out, err = driver.run("message", "1,1")
    text = rb"\[\d\d:\d\d:\d\d\.\d{6}\] \[name\] 7% of No such file or directory\n"
    assert re.fullmatch(text, err)
    assert out == b"errno 2\n"


def test_debug_msg_tells_local_time(driver: Driver) -> None:
    zone = timezone(timedelta(hours=5, minutes=30))
    before = datetime.now(zone)
    _, err = driver.run("message", "0,0", env={"TZ": "XYZ-5:30"})
    after = datetime.now(zone)
    stamp = err.decode()[1:16]
    low, high = (moment.strftime("%H:%M:%S.%f") for moment in (before, after))
    assert low <= stamp <= high or (high < low and (stamp >= low or stamp <= high))


def test_debug_msg_to_a_socket_goes_to_syslog(driver: Driver) -> None:
    assert driver.out("socket", "name") == [
        "syslog 7 [name] 7% of No such file or directory",
        "socket -1",
    ]


def test_debug_msg_takes_the_name_literally(ours: Driver) -> None:
    assert ours.out("socket", "100%s%n")[0].startswith("syslog 7 [100%s%n] 7% of ")


def test_debug_msg_without_stderr_keeps_errno(ours: Driver) -> None:
    assert ours.run("closed", "name") == (b"errno 2\n", b"")
