"""What a driver does wrong is a SaneError in Python; what the program itself raises passes."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable
from typing import Any

import pytest

from sane import Scanner, errors, option
from sane.authorization import authorize, set_authorization
from sane.compat.lowlevel import SaneDev
from sane.handle import Handle
from tests.fakes.device import Fake

MISTAKES = [
    *(SystemExit, KeyboardInterrupt, GeneratorExit, StopIteration, AttributeError, KeyError),
    *(RuntimeError, TypeError, ValueError, RecursionError, AssertionError),
]


class Wrong(Fake):
    """A device that calls `act` in the hook `where`."""

    level = option.Int("Level", name="level")

    def __init__(self, where: str, act: Callable[[], object]) -> None:
        super().__init__()
        self.where = where
        self.act = act

    def _at(self, hook: str) -> object:
        return self.act() if hook == self.where else None

    @level.on_get
    def _level(self) -> int:
        self._at("_level")
        return 3

    @level.on_set
    def _set_level(self, value: int) -> int:
        self._at("_set_level")
        return value

    def parameters(self) -> Any:
        self._at("parameters")
        return super().parameters()

    def start(self) -> None:
        self._at("start")
        super().start()

    def read_into(self, view: memoryview) -> Any:
        if self.left < 40:
            self._at("read_into")
        return super().read_into(view[:10])


def raising(kind: type[BaseException]) -> Callable[[], object]:
    def act() -> object:
        raise kind("by the driver")

    return act


def use(scanner: Scanner, where: str) -> object:
    """Do what calls the hook."""
    if where == "_level":
        return scanner.options.level
    if where == "_set_level":
        scanner.options.level = 5
        return None
    return scanner.scan()


def opened(device: Fake) -> Scanner:
    return Scanner.around(Handle(device), "wrong:0")


WAYS: dict[str, Callable[[Scanner], object]] = {
    "scan": Scanner.scan,
    "pages": lambda scanner: list(scanner.pages(limit=1)),
    "pages in turn": lambda scanner: list(scanner.pages(limit=1, prefetch=0)),
    "pages with a limit": lambda scanner: list(scanner.pages(limit=1, timeout=10)),
    "stream": lambda scanner: list(scanner.stream()),
    "frames": lambda scanner: list(scanner.frames()),
}


@pytest.mark.parametrize("kind", MISTAKES)
@pytest.mark.parametrize("where", ["start", "read_into", "parameters", "_level", "_set_level"])
def test_a_mistake_is_a_sane_error_with_its_place(
    where: str, kind: type[BaseException], capfd: pytest.CaptureFixture[str]
) -> None:
    with opened(Wrong(where, raising(kind))) as scanner, pytest.raises(errors.Misbehaved) as caught:
        use(scanner, where)
    assert re.match(rf"{where}: {kind.__name__}: .*by the driver", str(caught.value))
    assert f"({__file__}:" in str(caught.value)
    assert caught.value.status == errors.DeviceIOError.status
    assert type(caught.value.__cause__) is kind
    assert f"[fake] {caught.value}" in capfd.readouterr().err


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt, StopIteration, KeyError])
@pytest.mark.parametrize("where", ["start", "read_into", "parameters"])
@pytest.mark.parametrize("way", WAYS)
def test_no_way_to_scan_lets_a_mistake_through(
    way: str, where: str, kind: type[BaseException]
) -> None:
    """StopIteration ended a stream as if the page were whole, SystemExit the program."""
    scanner = opened(Wrong(where, raising(kind)))
    with pytest.raises(errors.Misbehaved, match="by the driver"):
        WAYS[way](scanner)
    assert scanner.state == "idle"
    scanner.close()


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt, StopIteration, KeyError])
@pytest.mark.parametrize("where", ["start", "read_into"])
def test_a_mistake_is_python_sanes_error_in_its_face(where: str, kind: type[BaseException]) -> None:
    device = SaneDev._around(Handle(Wrong(where, raising(kind))))
    with pytest.raises(errors.error, match="Error during device I/O"):
        device.start()
        device.snap()
    device.close()


def test_no_memory_keeps_its_status() -> None:
    with (
        opened(Wrong("start", raising(MemoryError))) as scanner,
        pytest.raises(errors.NoMemory, match="start: MemoryError: by the driver"),
    ):
        scanner.scan()


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (ConnectionResetError(104, "reset by peer"), errors.DeviceIOError),
        (PermissionError(13, "no"), errors.AccessDenied),
        (OSError("plain"), errors.DeviceIOError),
    ],
)
def test_an_oserror_is_a_sane_error_and_no_mistake(
    raised: OSError, expected: type[errors.SaneError], capfd: pytest.CaptureFixture[str]
) -> None:
    device = Wrong("start", lambda: None)
    device.fails["start"] = raised
    with opened(device) as scanner, pytest.raises(expected) as caught:
        scanner.scan()
    assert type(caught.value) is expected
    assert isinstance(caught.value, OSError)
    assert str(caught.value) == str(raised)
    assert caught.value.errno == raised.errno
    assert "start" not in capfd.readouterr().err


@pytest.mark.parametrize("answer", [None, "hello", 5, ()])
def test_parameters_that_are_none_are_told(answer: object) -> None:
    class Other(Fake):
        def parameters(self) -> Any:
            return answer

    with opened(Other()) as scanner:
        for call in (scanner.parameters, scanner.scan):
            with pytest.raises(errors.Misbehaved) as caught:
                call()
            assert str(caught.value) == f"parameters returned {answer!r}, not Parameters"


# What the program raises, passes


class Ended(Exception):
    """What a program's own signal handler raises."""


def by_exit(number: int, frame: object) -> None:
    raise SystemExit(7)


def by_own(*arguments: object) -> None:
    raise Ended


class Handler:
    """A handler with a state."""

    def take(self, number: int, frame: object) -> None:
        self.go()

    def go(self) -> None:
        raise TimeoutError("of the program")


@pytest.mark.parametrize(
    ("handler", "expected"),
    [
        (signal.default_int_handler, KeyboardInterrupt),
        (by_exit, SystemExit),
        (by_own, Ended),
        (Handler().take, TimeoutError),
        (lambda number, frame: by_own(), Ended),
    ],
)
@pytest.mark.parametrize("where", ["start", "read_into", "_level"])
def test_what_a_signal_handler_raises_passes(
    where: str, handler: Any, expected: type[BaseException], capfd: pytest.CaptureFixture[str]
) -> None:
    device = Wrong(where, lambda: os.kill(os.getpid(), signal.SIGUSR1))
    before = signal.signal(signal.SIGUSR1, handler)
    try:
        with opened(device) as scanner, pytest.raises(expected) as caught:
            use(scanner, where)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert not isinstance(caught.value, errors.SaneError)
    assert "Wrong" not in capfd.readouterr().err


def test_what_the_program_raises_when_it_is_asked_for_a_password_passes() -> None:
    def refuse(resource: str) -> tuple[str, str]:
        raise Ended(resource)

    set_authorization(refuse)
    try:
        device = Wrong("start", lambda: authorize("the device"))
        with opened(device) as scanner, pytest.raises(Ended, match="the device"):
            scanner.scan()
    finally:
        set_authorization(None)


STOPS: dict[str, Callable[[Scanner, Callable[[Any], Any]], object]] = {
    "scan": lambda scanner, stop: scanner.scan(progress=stop),
    "pages": lambda scanner, stop: list(scanner.pages(limit=3, progress=stop)),
    "pages in turn": lambda scanner, stop: list(scanner.pages(limit=3, prefetch=0, progress=stop)),
    "stream": lambda scanner, stop: list(scanner.stream(progress=stop)),
}


@pytest.mark.parametrize("way", STOPS)
@pytest.mark.parametrize("fraction", [0.0, 1.0])
def test_stop_iteration_in_a_progress_callback_ends_no_loop(way: str, fraction: float) -> None:
    """Pages and streams ended as if all had come. Source: PEP 479."""

    def stop(progress: Any) -> None:
        if progress.fraction == fraction:
            next(iter(()))

    with opened(Wrong("", lambda: None)) as scanner:
        with pytest.raises(RuntimeError, match="progress raised StopIteration") as caught:
            STOPS[way](scanner, stop)
        assert type(caught.value.__cause__) is StopIteration
        assert scanner.state == "idle"


@pytest.mark.parametrize("way", WAYS)
def test_stop_iteration_of_who_is_asked_for_a_password_ends_no_loop(way: str) -> None:
    set_authorization(lambda resource: next(iter(())))
    try:
        scanner = opened(Wrong("start", lambda: authorize("the device")))
        with pytest.raises(RuntimeError, match="auth raised StopIteration"):
            WAYS[way](scanner)
        scanner.close()
    finally:
        set_authorization(None)


def test_a_value_of_a_wrong_type_is_the_programs_mistake() -> None:
    class Odd:
        def __index__(self) -> int:
            raise Ended

    with (
        opened(Wrong("", lambda: None)) as scanner,
        pytest.raises(TypeError, match="require an integer"),
    ):
        scanner.options.level = "high"
        with pytest.raises(Ended):
            scanner.options.level = Odd()
