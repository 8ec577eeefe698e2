"""C backends for Python callers: options, scans, cancel, passwords, and devices that lie."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sane import const
from sane.api.scanner import Scanner
from sane.backend import Context
from sane.config import Environment
from sane.dll.c_backend import option_of
from sane.dll.registry import registry_for
from sane.errors import (
    AccessDenied,
    Cancelled,
    DeviceBusy,
    DeviceIOError,
    EndOfFrame,
    HardwareLocked,
    Invalid,
    Jammed,
    Misbehaved,
    SaneError,
)
from sane.handle import ENDED, FRAME, IDLE, STOPPED
from sane.option import Bool, Button, Fixed, Group, Int, Option, String
from tests.abi import c_backends

WIDTH, LINES = 300, 100
EXPECTED = bytes(position * 7 // 3 & 255 for position in range(WIDTH * LINES))
PATIENCE = 10.0


# Descriptors


def described(type: int, constraint: object, size: int = 4) -> Any:
    return option_of(("n", "t", "d", type, 0, size, 5, constraint))


def test_descriptors_become_options_of_their_type() -> None:
    kinds: tuple[type[Option], ...] = (Bool, Int, Fixed, String, Button, Group)
    for number, kind in enumerate(kinds):
        option = described(number, None)
        assert option.__class__ is kind
        assert option.type == number
    assert (option.title, option.desc, option.cap) == ("t", "d", 5)


CONSTRAINTS: list[tuple[int, object, object]] = [
    (const.TYPE_INT, [1, 2], (1, 2)),
    (const.TYPE_STRING, ["a", "b"], ("a", "b")),
    (const.TYPE_INT, ["a"], None),
    (const.TYPE_STRING, [1], None),
    (const.TYPE_STRING, (1, 2, 3), None),
    (const.TYPE_BOOL, [0], None),
    (const.TYPE_GROUP, (1, 2, 3), None),
]


@pytest.mark.parametrize(("type", "constraint", "expected"), CONSTRAINTS)
def test_a_constraint_of_another_type_is_none(
    type: int, constraint: object, expected: object
) -> None:
    assert described(type, constraint).constraint == expected


def test_a_range_keeps_its_words() -> None:
    option = described(const.TYPE_FIXED, (1, 5 << 16, 3))
    limits = option.constraint
    assert (limits.min, limits.max, limits.quant) == (1, 5 << 16, 3)


def test_vectors_have_a_length() -> None:
    assert described(const.TYPE_INT, None, 16).length == 4
    assert described(const.TYPE_INT, None, 0).length == 1


@pytest.mark.parametrize("type", [-1, 6, 77])
def test_an_unknown_type_is_a_group(type: int) -> None:
    assert described(type, [1]).type == const.TYPE_GROUP


@pytest.mark.parametrize("size", [-1, 1 << 25])
def test_an_impossible_size_is_named(size: int) -> None:
    with pytest.raises(Misbehaved, match=f"option 'n': a size of {size} bytes"):
        described(const.TYPE_STRING, None, size)


# Devices


@pytest.fixture(scope="module")
def libraries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("sane.dll.native", reason="C backends need the compiled tree")
    return c_backends.build(tmp_path_factory.mktemp("backends"))


class Stack:
    """A registry on the C backends, and what they noted."""

    def __init__(self, folder: Path, libraries: Path) -> None:
        self._log = folder / "log"
        self._variables = {"SANE_CONFIG_DIR": str(folder), "LD_LIBRARY_PATH": str(libraries)}
        self.registry: Any = None
        self.begin()

    def begin(self, authorize: Callable[[str], tuple[str, str]] | None = None) -> None:
        """Begin anew, as after another sane_init."""
        if self.registry is not None:
            self.registry.exit()
        self.registry = registry_for("", Context(Environment(self._variables), authorize))

    def open(self, kind: str) -> contextlib.closing[Any]:
        return contextlib.closing(self.registry.open(f"scan:{kind}"))

    def noted(self) -> list[str]:
        return [line.partition(" ")[2] for line in self._log.read_text().splitlines()]


@pytest.fixture
def stack(tmp_path: Path, libraries: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    monkeypatch.setenv("SANE_TEST_LOG", str(tmp_path / "log"))
    found = Stack(tmp_path, libraries)
    yield found
    found.registry.exit()


def read_all(handle: Any, size: int = 1000) -> bytes:
    data = b""
    room = memoryview(bytearray(size))
    try:
        while True:
            data += room[: handle.read(room)]
    except EndOfFrame:
        return data


# Options


def test_options_are_those_of_the_descriptors(stack: Stack) -> None:
    with stack.open("one") as handle:
        options = handle.options
        assert len(options) == 12
        names = ["", "", "resolution", "mode", "tl-x", "gamma-table", "press", "flag", "state"]
        assert [option.name for option in options.declared] == [*names, "", "", ""]
        assert options.declared[1].title == "Things"
        assert options.constraints[2] == (75, 150, 300)
        assert options.constraints[3] == ("Gray", "Color")
        assert options.declared[5].length == 4
        assert options.caps[2] == 1 | 4 | 16


def test_garbage_in_descriptors_does_no_harm(stack: Stack) -> None:
    with stack.open("one") as handle:
        garbage, strange, hole = handle.options.declared[9:]
        assert (garbage.name, garbage.title, garbage.desc, garbage.constraint) == ("", "", "", None)
        assert handle.get(9) == b"unended!\0"
        assert strange.type == const.TYPE_GROUP
        assert hole.type == const.TYPE_GROUP
        assert not handle.options.is_active(hole)


@pytest.mark.parametrize("kind", ["huge", "count"])
def test_a_device_without_sensible_options_is_closed_again(stack: Stack, kind: str) -> None:
    with pytest.raises(Misbehaved):
        stack.open(kind)
    assert stack.noted()[-1] == f"close {kind}"


def test_values_go_in_and_out_as_bytes(stack: Stack) -> None:
    with stack.open("one") as handle:
        assert handle.get(0) == (12).to_bytes(4, "little")
        word = (140).to_bytes(4, "little")
        info = const.INFO_INEXACT | const.INFO_RELOAD_PARAMS
        assert handle.set(2, word) == ((150).to_bytes(4, "little"), info)
        assert handle.get(2) == (150).to_bytes(4, "little")
        assert handle.set(3, b"Color\0")[0] == handle.get(3) == b"Color\0"
        assert handle.set(3, b"Gray")[0] == b"Gray\0"  # the NUL may be left out
        vector = bytes(range(16))
        assert handle.set(5, vector) == (vector, 0)
        assert handle.get(5) == vector
        assert handle.set(6, b"") == (b"", 0)
        assert handle.set_auto(2) == 0
        assert handle.get(2) == (150).to_bytes(4, "little")
    assert "pressed" in stack.noted()


def test_a_change_that_reloads_options_is_seen_at_once(stack: Stack) -> None:
    with stack.open("one") as handle:
        flag = handle.options.declared[7]
        assert handle.options.is_active(flag)
        _, info = handle.set(3, b"Color\0")
        assert info == const.INFO_RELOAD_OPTIONS  # bits that nobody knows are cut off
        assert not handle.options.is_active(flag)


REFUSED: list[tuple[int, bytes]] = [
    (2, b"abc"),
    (2, bytes(8)),
    (5, bytes(12)),
    (3, b"Purple\0"),
    (1, b""),
    (8, bytes(8)),
    (12, bytes(4)),
    (-1, bytes(4)),
]


@pytest.mark.parametrize(("index", "data"), REFUSED)
def test_values_that_do_not_fit_are_refused(stack: Stack, index: int, data: bytes) -> None:
    with stack.open("one") as handle:
        before = [handle.get(i) for i in (2, 3, 5)]
        with pytest.raises(Invalid):
            handle.set(index, data)
        assert [handle.get(i) for i in (2, 3, 5)] == before


@pytest.mark.parametrize("index", [1, 6, 12, -1])
def test_what_has_no_value_is_refused(stack: Stack, index: int) -> None:
    with stack.open("one") as handle, pytest.raises(Invalid):
        handle.get(index)


def test_a_scanner_sets_the_options(stack: Stack) -> None:
    with Scanner.around(stack.registry.open("scan:one"), "scan:one") as scanner:
        options = scanner.options
        options.resolution = 160
        options.tl_x = 12.5
        options.gamma_table = (1, 2, 3, 4)
        options.flag = True
        assert options.flag is True
        options.mode = "Color"  # which makes the flag inactive
        assert (options.resolution, options.tl_x, options.mode) == (300, 12.5, "Color")
        assert options.gamma_table == [1, 2, 3, 4]
        with pytest.raises(AttributeError, match="Inactive option: flag"):
            _ = options.flag
        with pytest.raises(Invalid):
            options.mode = "Purple"
        ((params, data),) = scanner.frames()
        assert (params.pixels_per_line, params.lines) == (WIDTH, LINES)
        assert data == EXPECTED


# Scans


@pytest.mark.parametrize("size", [1, 7, WIDTH, 1 << 20])
def test_a_frame_is_what_the_backend_reads(stack: Stack, size: int) -> None:
    with stack.open("one") as handle:
        assert handle.state == IDLE
        for _ in range(2):
            handle.start()
            assert handle.state == FRAME
            assert read_all(handle, size) == EXPECTED
            assert handle.state == ENDED
            with pytest.raises(EndOfFrame):
                handle.read(memoryview(bytearray(9)))
        handle.cancelled()


LENGTHS = {"more": 107 * WIDTH, "pauses": 100 * WIDTH, "unknown length": 100 * WIDTH}


@pytest.mark.parametrize("kind", LENGTHS)
def test_a_frame_ends_where_the_backend_says_so(stack: Stack, kind: str) -> None:
    """Not where its parameters do; and nothing yet is not the end."""
    with stack.open(kind) as handle:
        handle.start()
        assert len(read_all(handle)) == pytest.approx(LENGTHS[kind], abs=1 << 14)
        assert handle.state == ENDED


FAILURES: list[tuple[str, type[SaneError]]] = [("jams", Jammed), ("lies", Misbehaved)]


@pytest.mark.parametrize(("kind", "error"), FAILURES)
def test_a_failed_read_ends_the_job(stack: Stack, kind: str, error: type[SaneError]) -> None:
    with stack.open(kind) as handle:
        handle.start()
        with pytest.raises(error):
            handle.read(memoryview(bytearray(9)))
        assert handle.state == STOPPED
        with pytest.raises(DeviceIOError if error is Misbehaved else error):
            handle.read(memoryview(bytearray(9)))


def test_a_start_that_fails_leaves_the_handle_idle(stack: Stack) -> None:
    with stack.open("busy") as handle:
        with pytest.raises(DeviceBusy):
            handle.start()
        assert handle.state == IDLE
    with stack.open("odd start") as handle, pytest.raises(HardwareLocked):
        handle.start()  # its status is 13, of the drafts of SANE 2


def test_parameters_are_the_backends(stack: Stack) -> None:
    with stack.open("jpeg") as handle:
        assert handle.parameters().format == 0x0B  # whoever can decode that may
    with stack.open("negative") as handle, pytest.raises(Misbehaved, match="impossible sizes"):
        handle.parameters()


def in_thread(function: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=function)
    thread.start()
    return thread


def test_cancel_wakes_a_blocked_read(stack: Stack) -> None:
    with stack.open("blocks") as handle:
        for _ in range(2):
            handle.start()
            thread = in_thread(handle.cancel_request.set)
            with pytest.raises(Cancelled):
                handle.read(memoryview(bytearray(9)))
            thread.join(PATIENCE)
            handle.cancelled()
            with pytest.raises(Cancelled):
                handle.read(memoryview(bytearray(9)))


def test_non_blocking_reads_and_select(stack: Stack) -> None:
    """The backend supports neither: they are made of a thread that reads ahead."""
    with stack.open("blocks at last") as handle:
        handle.start()
        handle.set_io_mode(True)
        data = bytearray(WIDTH * LINES + 1)
        assert handle.cancel_request.wait(PATIENCE, handle.select_fd())
        used = handle.read(memoryview(data))
        while handle.cancel_request.wait(0.05, handle.select_fd()):
            used += handle.read(memoryview(data)[used:])
        assert data[:used] == EXPECTED[:used]
        assert handle.read(memoryview(data)) == 0
        handle.cancelled()
        assert handle.state == STOPPED


def test_close_in_mid_scan_comes_back(stack: Stack) -> None:
    with stack.open("blocks") as handle:
        handle.start()
        handle.select_fd()
    assert stack.noted()[-1] == "close blocks"


# Passwords


def test_a_backend_asks_the_python_function(stack: Stack) -> None:
    asked = []

    def authorize(resource: str) -> tuple[str, str]:
        asked.append((resource, threading.get_ident()))
        return "user", "word"

    stack.begin(authorize)
    with stack.open("ask"):
        pass
    with stack.open("ask at start") as handle:
        handle.start()
    assert asked == [(name, threading.get_ident()) for name in ("door", "start")]
    assert stack.noted().count("given user word") == 2


def refuse(resource: str) -> tuple[str, str]:
    raise AccessDenied(resource)


ANSWERS: list[Callable[[str], tuple[str, str]] | None] = [
    None,
    refuse,
    lambda resource: ("user", "wrong"),
    lambda resource: ("u" * 300, "p" * 300),
]


@pytest.mark.parametrize("authorize", ANSWERS)
def test_a_wrong_password_denies_access(stack: Stack, authorize: Any) -> None:
    stack.begin(authorize)
    with pytest.raises(AccessDenied):
        stack.open("ask")


# The end


def test_a_device_is_dead_after_exit(stack: Stack) -> None:
    with stack.open("one") as handle:
        stack.begin()
        for call in (handle.start, handle.parameters, lambda: handle.get(0)):
            with pytest.raises(Invalid, match="closed"):
                call()
        handle.cancel_request.set()
        handle.cancelled()
    assert stack.noted()[-3:] == ["close one", "exit", "unloaded"]


def test_cancel_after_close_is_nothing(stack: Stack) -> None:
    with stack.open("one") as handle:
        native = handle.device.native
    native.cancel()
    native.close()
    assert stack.noted()[-1] == "close one"
