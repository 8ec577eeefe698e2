"""Debug output: levels, format, destinations, and that nothing it is given makes it fail."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sane import debug
from sane.config import Environment
from sane.debug import Debug
from tests import cc

STAMP = r"\[\d\d:\d\d:\d\d\.\d{6}\] "

# Calls the original's sanei_init_debug in a process of its own; its stderr is a file.
REFEREE = """
import ctypes, json, os, sys
lib = ctypes.CDLL(sys.argv[1])
os.dup2(os.memfd_create("stderr"), 2)
for request in sys.stdin:
    name, variable, value = [text.encode() for text in json.loads(request)]
    os.environb[variable] = value
    level = ctypes.c_int(-77)
    lib.sanei_init_debug(name, ctypes.byref(level))
    del os.environb[variable]
    os.lseek(2, 0, 0)
    said = os.read(2, 9999).decode("utf-8", "backslashreplace")
    os.ftruncate(2, 0)
    os.lseek(2, 0, 0)
    print(json.dumps([level.value, said]), flush=True)
"""


class Referee:
    """The original's debug helper."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", REFEREE, str(cc.distribution_libsane())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def init(self, name: str, variable: str, value: str) -> tuple[int, str]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps([name, variable, value]) + "\n")
        self.process.stdin.flush()
        level, said = json.loads(self.process.stdout.readline())
        return level, said


@pytest.fixture(scope="module")
def referee() -> Any:
    found = Referee()
    yield found
    found.process.communicate(timeout=10)


def at(level: int, capfd: pytest.CaptureFixture[str], name: str = "x") -> Debug:
    """Return a Debug of *level*, its announcement swallowed."""
    made = Debug(name, Environment({f"SANE_DEBUG_{name.upper()}": str(level)}))
    capfd.readouterr()
    return made


def run(code: str, **streams: Any) -> str:
    """Run *code* behind the imports in a process with its own stderr; return its stdout."""
    prologue = (
        "import os, sys\nfrom sane.config import Environment\nfrom sane.debug import Debug\n"
        "environment = Environment({'SANE_DEBUG_X': '3'})\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", prologue + code],
        env={"PYTHONPATH": str(cc.ROOT)},
        stdout=subprocess.PIPE,
        text=True,
        timeout=20,
        check=True,
        **streams,
    )
    assert isinstance(done.stdout, str)
    return done.stdout


# Levels


@pytest.mark.parametrize(
    ("name", "variable"),
    [
        ("dll", "SANE_DEBUG_DLL"),
        ("dell1600n_net", "SANE_DEBUG_DELL1600N_NET"),
        ("a-B.c", "SANE_DEBUG_A-B.C"),
        ("é", "SANE_DEBUG_é"),
        ("i" * 244, "SANE_DEBUG_" + "I" * 244),
        ("i" * 300, "SANE_DEBUG_" + "I" * 244),
    ],
)
def test_debug_variable_has_the_name_in_ascii_capitals(name: str, variable: str) -> None:
    assert Debug(name, Environment({variable: "4"})).level == 4


@pytest.mark.parametrize(
    ("value", "level"), [("3", 3), (" 5", 5), ("4x", 4), ("", 0), ("abc", 0), ("-1", -1)]
)
def test_debug_level_is_read_as_atoi_does(value: str, level: int) -> None:
    assert Debug("x", Environment({"SANE_DEBUG_X": value})).level == level


def test_debug_announces_a_level_that_is_set(capfd: pytest.CaptureFixture[str]) -> None:
    Debug("My-dll", Environment({"SANE_DEBUG_MY-DLL": "0"}))
    text = r"\[sanei_debug\] Setting debug level of My-dll to 0\.\n"
    assert re.fullmatch(STAMP + text, capfd.readouterr().err)


def test_debug_is_silent_about_a_level_that_is_not_set(capfd: pytest.CaptureFixture[str]) -> None:
    assert Debug("x", Environment({})).level == 0
    assert capfd.readouterr() == ("", "")


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.text(st.sampled_from("azA-_9é"), min_size=1, max_size=8),
    st.text(st.sampled_from("0123456789-+ x\t"), max_size=24),
)
def test_debug_level_and_announcement_agree_with_the_original(
    referee: Referee, capfd: pytest.CaptureFixture[str], name: str, value: str
) -> None:
    variable = "SANE_DEBUG_" + name.encode().upper().decode()
    level, said = referee.init(name, variable, value)
    capfd.readouterr()
    assert Debug(name, Environment({variable: value})).level == level
    assert re.sub(STAMP, "", capfd.readouterr().err) == re.sub(STAMP, "", said)


@pytest.mark.parametrize(
    ("level", "emitted"), [(0, [0]), (2, [0, 1, 2]), (-1, []), (9, [0, 1, 2, 3])]
)
def test_debug_emits_up_to_its_level(
    level: int, emitted: list[int], capfd: pytest.CaptureFixture[str]
) -> None:
    made = at(level, capfd)
    for number in range(4):
        made(number, "%d", number)
    assert re.sub(STAMP + r"\[x\] ", "", capfd.readouterr().err).split() == list(map(str, emitted))
    assert [number for number in range(4) if made.on(number)] == emitted


# Format


def test_debug_line_has_time_and_name(capfd: pytest.CaptureFixture[str]) -> None:
    at(1, capfd)(1, "%s has %d%%", "lamp", 7)
    out, err = capfd.readouterr()
    assert (out, bool(re.fullmatch(STAMP + r"\[x\] lamp has 7%\n", err))) == ("", True)


class Unprintable:
    """Like a broken object of a driver."""

    def __repr__(self) -> str:
        raise ValueError("no")


@pytest.mark.parametrize(
    ("message", "args", "text"),
    [
        ("100% %d", (), "100% %d\n"),
        ("a\n", (), "a\n"),
        ("a\nb", (), "a\nb\n"),
        ("%d", ("x",), "%d 'x'\n"),
        ("none", (1, 2), "none 1 2\n"),
        ("%s %s", (1,), "%s %s 1\n"),
        ("%s", (Unprintable(),), "%s <Unprintable>\n"),
        ("%s", ("\ud800ä",), "\\ud800ä\n"),
    ],
)
def test_debug_prints_whatever_it_is_given(
    message: str, args: tuple[object, ...], text: str, capfd: pytest.CaptureFixture[str]
) -> None:
    at(1, capfd)(1, message, *args)
    assert capfd.readouterr().err.partition("[x] ")[2] == text


def test_debug_does_not_format_what_it_does_not_emit(capfd: pytest.CaptureFixture[str]) -> None:
    class Counting:
        asked = 0

        def __str__(self) -> str:
            self.asked += 1
            return ""

    value = Counting()
    at(1, capfd)(2, "%s", value)
    assert value.asked == 0


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_dump_shows_offset_hex_and_ascii(kind: Any, capfd: pytest.CaptureFixture[str]) -> None:
    at(3, capfd).dump(3, "sent", kind(b"0123456789abcdef\x00\x7f\xffA"))
    assert capfd.readouterr().err.partition("[x] ")[2] == (
        "sent (20 bytes)\n"
        "  0000: 30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66  0123456789abcdef\n"
        "  0010: 00 7f ff 41                                      ...A\n"
    )


def test_dump_of_nothing_is_its_title(capfd: pytest.CaptureFixture[str]) -> None:
    at(3, capfd).dump(3, "sent", b"")
    assert capfd.readouterr().err.endswith("[x] sent (0 bytes)\n")


def test_dump_is_bounded(capfd: pytest.CaptureFixture[str]) -> None:
    at(3, capfd).dump(3, "sent", bytes(debug.DUMP_BYTES + 5))
    lines = capfd.readouterr().err.splitlines()
    assert (len(lines), lines[-1]) == (debug.DUMP_BYTES // 16 + 2, "  ... 5 more")


def test_dump_above_the_level_is_silent(capfd: pytest.CaptureFixture[str]) -> None:
    at(2, capfd).dump(3, "sent", b"1")
    assert capfd.readouterr().err == ""


# Destinations


def test_debug_writes_a_message_at_once() -> None:
    reader, writer = os.pipe()
    try:
        run("Debug('y', environment)(0, 'one\\ntwo')", stderr=writer)
        assert re.fullmatch(STAMP + r"\[y\] one\ntwo\n", os.read(reader, 999).decode())
    finally:
        os.close(reader)
        os.close(writer)


def test_debug_to_a_closed_stderr_is_silent() -> None:
    assert run("os.close(2); Debug('x', environment)(1, 'a'); print('alive')") == "alive\n"


def test_debug_to_a_full_device_is_silent() -> None:
    with open("/dev/full", "wb") as full:
        assert run("Debug('x', environment)(1, 'a'); print('alive')", stderr=full) == "alive\n"


def test_debug_to_a_full_pipe_that_does_not_block_is_silent() -> None:
    code = (
        "reader, writer = os.pipe2(os.O_NONBLOCK)\nos.dup2(writer, 2)\n"
        "Debug('x', environment)(1, 'a' * 300000)\nprint('alive')"
    )
    assert run(code) == "alive\n"


@pytest.mark.parametrize("blocked", [False, True])
def test_debug_to_a_broken_pipe_spares_the_host_its_signal(blocked: bool) -> None:
    code = (
        "import signal\nsignal.signal(signal.SIGPIPE, signal.SIG_DFL)\n"
        f"if {blocked}: signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGPIPE])\n"
        "mask = signal.pthread_sigmask(signal.SIG_BLOCK, [])\n"
        "reader, writer = os.pipe()\nos.dup2(writer, 2)\nos.close(reader)\n"
        "Debug('x', environment)(1, 'a')\n"
        "print(signal.sigpending(), mask == signal.pthread_sigmask(signal.SIG_BLOCK, []))"
    )
    assert run(code) == "set() True\n"


def test_debug_keeps_a_signal_of_the_host_that_is_pending() -> None:
    code = (
        "import signal\nsignal.signal(signal.SIGPIPE, signal.SIG_DFL)\n"
        "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGPIPE])\n"
        "signal.raise_signal(signal.SIGPIPE)\n"
        "reader, writer = os.pipe()\nos.dup2(writer, 2)\nos.close(reader)\n"
        "Debug('x', environment)(1, 'a')\nprint(len(signal.sigpending()))"
    )
    assert run(code) == "1\n"


def test_debug_goes_to_syslog_when_stderr_is_a_socket() -> None:
    code = (
        "import socket, types\n"
        "log = sys.modules['syslog'] = types.ModuleType('syslog')\n"
        "log.LOG_DEBUG, log.syslog = 7, print\n"
        "ours, theirs = socket.socketpair()\nos.dup2(ours.fileno(), 2)\n"
        "Debug('x', environment)(1, 'a\\0b\\ud800')\n"
        "theirs.setblocking(False)\n"
        "try: print(theirs.recv(9))\nexcept BlockingIOError: print('nothing')"
    )
    announced = "7 [sanei_debug] Setting debug level of x to 3.\n"
    assert run(code) == announced + "7 [x] a\\x00b\\ud800\nnothing\n"


@pytest.mark.parametrize("error", ["ValueError", "OSError", "RuntimeError"])
def test_debug_survives_a_syslog_that_refuses(error: str) -> None:
    code = (
        "import socket, types\n"
        f"def refuse(*args): raise {error}\n"
        "log = sys.modules['syslog'] = types.ModuleType('syslog')\n"
        "log.LOG_DEBUG, log.syslog = 7, refuse\n"
        "ours, theirs = socket.socketpair()\nos.dup2(ours.fileno(), 2)\n"
        "Debug('x', environment)(1, 'a')\nprint('alive')"
    )
    assert run(code) == "alive\n"


def test_debug_to_a_socket_takes_messages_of_any_length() -> None:
    code = (
        "import socket\nours, theirs = socket.socketpair()\nos.dup2(ours.fileno(), 2)\n"
        "Debug('x', environment)(1, 'a\\0' * 3000000)\nprint('alive')"
    )
    assert run(code) == "alive\n"


def test_debug_to_a_socket_without_a_log_daemon_is_silent() -> None:
    code = (
        "import socket\nours, theirs = socket.socketpair()\nos.dup2(ours.fileno(), 2)\n"
        "Debug('x', environment)(1, 'a\\0b\\ud800')\nprint('alive')"
    )
    assert run(code) == "alive\n"
