"""A Scanner used by several threads, by signal handlers, dropped, and left open at exit."""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import sane
from sane import errors
from sane.api.options import Options
from sane.api.scanner import Scanner
from sane.cancel import Cancel
from sane.handle import Handle
from sane.option import Int
from tests.fakes.device import Fake, calls, finishes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SECONDS = 10


class Watched(Cancel):
    """A cancel request that notes when it is touched after its descriptor was closed."""

    __slots__ = ("is_closed", "touched_late")

    def __init__(self) -> None:
        super().__init__()
        self.is_closed = False
        self.touched_late = 0

    def set(self) -> None:
        self.touched_late += self.is_closed
        if not self.is_closed:
            super().set()

    def close(self) -> None:
        self.is_closed = True
        super().close()


class Slow(Fake):
    """A device whose frames do not end by themselves: a read waits until cancel."""

    def __init__(self) -> None:
        super().__init__()
        self.reading = threading.Event()
        self.ignores_cancel: threading.Event | None = None

    def read_into(self, view: memoryview) -> Any:
        self.note("read_into")
        self.reading.set()
        if self.ignores_cancel is not None:
            assert self.ignores_cancel.wait(SECONDS)
            return 1
        self.wait(SECONDS)
        raise AssertionError("not cancelled")


def opened(device: Fake) -> tuple[Scanner, Handle, Watched]:
    cancel = Watched()
    handle = Handle(device, cancel)
    return Scanner.around(handle, "fake:0"), handle, cancel


class Running(threading.Thread):
    """A call in a thread of its own: what it returned or raised is its outcome."""

    def __init__(self, call: Callable[[], object]) -> None:
        super().__init__()
        self.call = call
        self.outcome: object = None
        self.start()

    def run(self) -> None:
        try:
            self.outcome = self.call()
        except BaseException as exc:
            self.outcome = exc

    def ended(self) -> object:
        self.join(SECONDS)
        assert not self.is_alive()
        return self.outcome


@pytest.mark.parametrize("end", ["cancel", "close"])
def test_a_scan_that_waits_is_ended_by_another_thread(end: str) -> None:
    device = Slow()
    scanner, handle, cancel = opened(device)
    scan = Running(scanner.scan)
    assert device.reading.wait(SECONDS)
    getattr(scanner, end)()
    assert isinstance(scan.ended(), errors.Cancelled)
    assert finishes(handle) == ["finish True"]
    scanner.close()
    assert calls(handle).count("close") == 1
    assert not cancel.touched_late


def test_nothing_touches_the_cancel_request_after_close() -> None:
    """Its descriptor may then be a file of the program's."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for _ in range(300):
            device = Slow()
            scanner, handle, cancel = opened(device)
            scan = Running(scanner.scan)
            others = [Running(scanner.cancel), Running(scanner.close), Running(scanner.close)]
            for other in others:
                assert other.ended() is None
            assert isinstance(scan.ended(), errors.Cancelled | errors.Invalid)
            assert not cancel.touched_late
            assert cancel.is_closed
            assert calls(handle).count("close") == 1
    finally:
        sys.setswitchinterval(interval)


def test_a_second_scan_is_refused_and_the_first_goes_on() -> None:
    device = Slow()
    scanner, handle, _ = opened(device)
    scan = Running(scanner.scan)
    assert device.reading.wait(SECONDS)
    ways = (scanner.scan, lambda: next(scanner.frames()), lambda: next(scanner.pages()))
    for call in (*ways, scanner.stream):
        with pytest.raises(errors.DeviceBusy, match="under way"):
            call()
    assert scan.is_alive()
    assert not finishes(handle)
    scanner.close()
    scan.ended()


def test_a_scan_beside_an_unfinished_page_iterator_is_refused() -> None:
    scanner, handle, _ = opened(Fake())
    with scanner:
        pages = scanner.pages(limit=9, prefetch=0)
        next(pages)
        with pytest.raises(errors.DeviceBusy):
            scanner.scan()
        next(pages)
        pages.close()
        assert scanner.scan().array.shape == (4, 10)
        assert finishes(handle) == ["finish False", "finish False"]


@pytest.mark.parametrize("end", ["cancel", "close"])
def test_an_iterator_between_two_pages_is_cancelled(end: str) -> None:
    """A cancel that meets no call must not be forgotten: no further sheet is drawn in."""
    device = Fake()
    scanner, handle, _ = opened(device)
    pages = scanner.pages(limit=9, prefetch=0)
    next(pages)
    getattr(scanner, end)()
    with pytest.raises(errors.Cancelled if end == "cancel" else errors.Closed):
        next(pages)
    assert calls(handle).count("start") == 1
    assert finishes(handle) == ["finish False"]
    scanner.close()


@pytest.mark.parametrize("end", ["cancel", "close"])
def test_an_idle_driver_gets_no_cancel(end: str) -> None:
    """Some C backends do not take it well."""

    class Counted(Watched):
        __slots__ = ("count",)

        def __init__(self) -> None:
            super().__init__()
            self.count = 0

        def set(self) -> None:
            self.count += 1
            super().set()

    cancel = Counted()
    scanner = Scanner.around(Handle(Fake(), cancel), "fake:0")
    scanner.scan()
    getattr(scanner, end)()
    scanner.close()
    assert not cancel.count


def test_a_cancelled_scanner_scans_again() -> None:
    device = Slow()
    scanner, handle, _ = opened(device)
    with scanner:
        for number in range(3):
            device.reading.clear()
            scan = Running(scanner.scan)
            assert device.reading.wait(SECONDS)
            scanner.cancel()
            scanner.options.number = 5 * number  # waits for the job to end
            assert len(finishes(handle)) == number + 1
            assert isinstance(scan.ended(), errors.Cancelled)


@pytest.mark.parametrize("end", ["cancel", "close"])
def test_a_signal_handler_ends_the_scan_that_it_interrupts(end: str) -> None:
    device = Slow()
    scanner, handle, cancel = opened(device)
    before = signal.signal(signal.SIGUSR1, lambda *_: getattr(scanner, end)())

    def send() -> None:
        assert device.reading.wait(SECONDS)
        os.kill(os.getpid(), signal.SIGUSR1)

    try:
        sender = Running(send)
        with pytest.raises(errors.Cancelled):
            scanner.scan()
        assert sender.ended() is None
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert finishes(handle) == ["finish True"]
    assert cancel.is_closed == (end == "close")
    scanner.close()


def test_an_option_asked_for_in_the_midst_of_a_call_is_refused() -> None:
    """A signal handler runs inside the call that it interrupts: to wait would be for ever."""
    device = Slow()
    scanner, _, _ = opened(device)
    seen: list[object] = []

    def handler(*_: object) -> None:
        try:
            seen.append(scanner.options.number)
        except errors.DeviceBusy as exc:
            seen.append(exc)
        scanner.cancel()

    def send() -> None:
        assert device.reading.wait(SECONDS)
        os.kill(os.getpid(), signal.SIGUSR1)

    before = signal.signal(signal.SIGUSR1, handler)
    try:
        sender = Running(send)
        with scanner, pytest.raises(errors.Cancelled):
            scanner.scan()
        sender.ended()
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert [type(item) for item in seen] == [errors.DeviceBusy]


def test_a_driver_that_ignores_cancel_does_not_hold_up_close(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sane.scanner.CLOSE_SECONDS", 0.01)
    device = Slow()
    device.ignores_cancel = threading.Event()
    scanner, handle, _ = opened(device)
    scan = Running(scanner.scan)
    assert device.reading.wait(SECONDS)
    with pytest.warns(ResourceWarning, match="still in a call"):
        scanner.close()
    assert calls(handle)[-1] == "read_into"
    with pytest.raises(errors.Invalid, match="closed"):
        scanner.scan()
    device.ignores_cancel.set()
    assert isinstance(scan.ended(), errors.Cancelled)
    assert calls(handle)[-2:] == ["finish True", "close"]


# Options


class Awkward(Fake):
    """Options that are called like something of Scanner's."""

    scan = Int("Scan", default=7)
    name = Int("Name", default=8)
    options_ = Int("Options", default=9, name="options")


def test_an_option_that_is_called_like_a_method_is_reached_by_its_name() -> None:
    scanner, _, _ = opened(Awkward())
    with scanner:
        for name, value in (("scan", 7), ("name", 8), ("options", 9)):
            assert scanner.options[name].value == value
            scanner.options[name].value = value + 10
            assert scanner.options[name].value == value + 10
        assert scanner.scan().array.shape == (4, 10)
        assert scanner.name == "fake:0"


@pytest.mark.parametrize("name", [name for name in dir(Options) if not name.startswith("_")])
def test_every_name_of_options_may_be_an_options(name: str) -> None:
    option = Int("Title", name=name.replace("_", "-"), default=7)
    scanner, _, _ = opened(type("Shadowing", (Fake,), {"an_option": option})())
    with scanner:
        assert scanner.options[name].value == 7
        scanner.options[name] = 8
        assert scanner.options[name].value == 8
        assert "Cur value: 8\n" in repr(scanner.options[name])
        with pytest.raises(AttributeError, match=r"options\["):
            setattr(scanner.options, name, 5)
        assert scanner.scan().array.shape == (4, 10)


# Dropped without close


def dropped(make: Callable[[], Handle]) -> Handle:
    """Return the handle of what *make* opened and dropped, with exactly one warning."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        handle = make()
        gc.collect()
    assert [item.category for item in caught] == [ResourceWarning]
    assert "fake:0" in str(caught[0].message)
    return handle


def just_dropped() -> Handle:
    return opened(Fake())[1]


def dropped_in_a_cycle() -> Handle:
    scanner, handle, _ = opened(Fake())
    cycle: list[object] = [scanner]
    cycle.append(cycle)
    return handle


def dropped_with_pages() -> Handle:
    scanner, handle, _ = opened(Fake())
    pages = scanner.pages(limit=9)
    next(pages)
    return handle


def dropped_with_pages_in_a_cycle() -> Handle:
    scanner, handle, _ = opened(Fake())
    pages = scanner.pages(limit=9)
    next(pages)
    cycle: list[object] = [pages, scanner]
    cycle.append(cycle)
    return handle


def dropped_with_an_option() -> Handle:
    scanner, handle, _ = opened(Fake())
    option = scanner.options["number"]
    del scanner
    assert option.value == 10
    return handle


@pytest.mark.parametrize(
    "make",
    [
        just_dropped,
        dropped_in_a_cycle,
        dropped_with_pages,
        dropped_with_pages_in_a_cycle,
        dropped_with_an_option,
    ],
)
def test_a_dropped_scanner_is_closed_with_a_warning(make: Callable[[], Handle]) -> None:
    handle = dropped(make)
    assert calls(handle)[-1] == "close"
    assert len(finishes(handle)) == ("pages" in make.__name__)


def test_warnings_that_are_errors_do_not_keep_it_open() -> None:
    """pytest makes them errors; the interpreter reports what a finaliser raises."""
    seen: list[object] = []
    before, sys.unraisablehook = sys.unraisablehook, lambda item: seen.append(item.exc_type)
    try:
        handle = just_dropped()
    finally:
        sys.unraisablehook = before
    assert seen == [ResourceWarning]
    assert calls(handle) == ["close"]


def test_a_scanner_that_cannot_be_made_is_closed() -> None:
    device = Fake()
    handle = Handle(device)
    handle.descriptor = lambda index: 1 // 0  # type: ignore[method-assign, assignment, return-value]
    with pytest.raises(ZeroDivisionError):
        Scanner.around(handle, "fake:0")
    assert device.calls == ["close"]


# Leaving


def test_exit_closes_what_is_open(tmp_path: Path) -> None:
    (tmp_path / "dll.conf").write_text("test\n")
    sane.init({"SANE_CONFIG_DIR": str(tmp_path)})
    scanner = sane.Scanner("test:0")
    sane.exit()
    with pytest.raises(errors.Invalid, match="closed"):
        scanner.scan()


def test_threads_that_begin_together_share_one_library(tmp_path: Path) -> None:
    (tmp_path / "dll.conf").write_text("test\n")
    os.environ["SANE_CONFIG_DIR"] = str(tmp_path)
    try:
        for _ in range(20):
            threads = [Running(lambda: sane.Scanner("test:0")) for _ in range(4)]
            outcomes = [thread.ended() for thread in threads]
            found = [item for item in outcomes if isinstance(item, Scanner)]
            assert len(found) == 1, outcomes  # another library would open the device once more
            assert np.asarray(found[0].scan()).size
            del threads, outcomes
            sane.exit()
    finally:
        del os.environ["SANE_CONFIG_DIR"]
        sane.exit()
