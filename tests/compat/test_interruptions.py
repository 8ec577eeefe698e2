"""Scans of python-sane's that end early, and what goes on beside one (python-api 5)."""

from __future__ import annotations

import gc
import os
import signal
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

import sane
from sane import errors
from tests.compat.steps import finishes, set_up
from tests.fakes.device import Fake

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sane.backend import Device

    Opened = Callable[[Device], sane.SaneDev]

FEEDER = "Automatic Document Feeder"
CANCELED = r"^Operation was canceled$"
CLOSED = r"^SaneDev object is closed$"
error = errors.error


# Cancel, progress


class Slow(Fake):
    """One that gives a row, then waits until it is cancelled."""

    def read_into(self, view: memoryview) -> int:
        if self.left < 40:
            self.reading.set()
            self.wait(30)
        view[:10] = b"\x55" * 10
        self.left -= 10
        return 10

    def __init__(self) -> None:
        super().__init__()
        self.reading = threading.Event()


class Vague(Slow):
    """One that ends a frame when it is cancelled, or says that it is broken."""

    answer: int | BaseException = 0

    def read_into(self, view: memoryview) -> int:
        try:
            return super().read_into(view)
        except errors.Cancelled:
            if isinstance(self.answer, int):
                return self.answer
            raise self.answer from None


def cancel_soon(fake: Slow, device: sane.SaneDev) -> None:
    assert fake.reading.wait(10)
    device.cancel()


@pytest.mark.parametrize("answer", [0, errors.DeviceIOError("cut off"), OSError(5, "cut off")])
def test_a_cancel_is_one_whatever_the_driver_calls_it(opened: Opened, answer: Any) -> None:
    fake = Vague()
    fake.answer = answer
    device = opened(fake)
    thread = threading.Thread(target=cancel_soon, args=(fake, device))
    thread.start()
    with pytest.raises(error, match=CANCELED):
        device.scan()
    thread.join(10)
    assert finishes(fake) == 1


@pytest.mark.parametrize("call", ["scan", "arr_scan"])
@pytest.mark.parametrize(("end", "text"), [("cancel", CANCELED), ("close", CLOSED)])
def test_another_thread_ends_a_scan(opened: Opened, call: str, end: str, text: str) -> None:
    """D25: never what has been read so far."""
    fake = Slow()
    device = opened(fake)
    outcome: list[object] = []

    def run() -> None:
        try:
            outcome.append(getattr(device, call)())
        except Exception as exc:
            outcome.append(exc)

    thread = threading.Thread(target=run)
    thread.start()
    assert fake.reading.wait(10)
    getattr(device, end)()
    thread.join(10)
    assert isinstance(outcome[0], error)
    with pytest.raises(error, match=text):
        raise outcome[0]
    assert finishes(fake) == 1
    assert ("close" in fake.calls) == (end == "close")


def calling(call: Callable[[], object], at: int) -> Callable[[int, int], None]:
    """Return a progress that calls *call* at one row."""

    def progress(row: int, rows: int) -> None:
        if row == at:
            call()

    return progress


def test_a_cancel_before_the_last_row_is_a_cancel(opened: Opened) -> None:
    for at in (1, 3):
        fake = Fake()
        device = opened(fake)
        with pytest.raises(error, match=CANCELED):
            device.scan(calling(device.cancel, at))
        assert device.scan().size == (10, 4)


class Oops(Exception):
    pass


@pytest.mark.parametrize("call", ["scan", "arr_scan", "snap"])
@pytest.mark.parametrize("exc", [Oops(), KeyboardInterrupt(), error("Device busy")])
def test_what_progress_raises_ends_the_job(
    dev: sane.SaneDev, call: str, exc: BaseException
) -> None:
    """D26"""

    def progress(row: int, rows: int) -> None:
        if row == 5:
            raise exc

    if call == "snap":
        dev.start()
    with pytest.raises(type(exc)) as caught:
        getattr(dev, call)(progress=progress)
    assert caught.value is exc
    assert dev.mode == "Gray" and dev.scan().size == (157, 59)


def test_progress_may_be_of_another_shape_or_use_the_device(dev: sane.SaneDev) -> None:
    with pytest.raises(TypeError):
        dev.scan(progress=lambda: None)  # type: ignore[arg-type, misc]
    with pytest.raises(error, match=r"^Invalid argument$"):  # no options during a scan
        dev.scan(progress=lambda row, rows: dev.mode)
    assert dev.scan(progress=lambda row, rows: dev.get_parameters()).size == (157, 59)
    for wrong in (0, "", ()):
        with pytest.raises(ValueError, match=r"^progress is not callable$"):
            dev.snap(progress=wrong)  # type: ignore[arg-type]


def test_a_close_within_progress(dev: sane.SaneDev) -> None:
    with pytest.raises(error, match=CLOSED):
        dev.scan(calling(dev.close, 7))
    sane.open("test:0").close()


# no_cancel, pages


@pytest.mark.parametrize(("no_cancel", "ends"), [(0, 1), (False, 1), (2, 1), (1, 0), (True, 0)])
def test_no_cancel_leaves_the_job_open(opened: Opened, no_cancel: Any, ends: int) -> None:
    fake = Fake()
    device = opened(fake)
    device.start()
    device.snap(no_cancel)
    assert finishes(fake) == ends
    device.scan()
    assert finishes(fake) == ends + 1


def test_a_feeder_ends_and_its_job_with_it(dev: sane.SaneDev) -> None:
    """D27: with the iterator still there, options can be set."""
    dev.source = FEEDER
    pages = dev.multi_scan()
    assert iter(pages) is pages and pages.device is dev
    assert [page.size for page in pages] == [(157, 59)] * 10
    dev.mode = "Color"
    assert next(pages).mode == "RGB"  # somebody has filled it again


def test_a_page_that_fails_ends_the_job(opened: Opened) -> None:
    fake = Fake()
    pages = opened(fake).multi_scan()
    next(pages)
    assert finishes(fake) == 0
    fake.fails["read_into"] = errors.Jammed("of page 2")
    with pytest.raises(error, match="Document feeder jammed"):
        next(pages)
    assert finishes(fake) == 1


def test_a_loop_that_is_left_ends_the_job(opened: Opened) -> None:
    fake = Fake()
    device = opened(fake)
    for page in device.multi_scan():
        assert page.size == (10, 4)
        break
    assert finishes(fake) == 1
    pages = device.multi_scan()
    next(pages)
    device.close()
    del pages  # its end is nobody's error


class Counting(sane.SaneDev):
    """A program's own class, with the signatures that python-sane lets it have."""

    def start(self) -> None:
        vars(self)["starts"] = vars(self).get("starts", 0) + 1
        super().start()

    def snap(self, no_cancel: bool = False, progress: Any = None) -> Any:
        vars(self).setdefault("snaps", []).append((no_cancel, progress))
        return sane.SaneDev.snap(self, no_cancel, progress)

    def get_parameters(self) -> Any:
        raise AssertionError("snap asks the driver itself")


def test_overrides_are_called(config: Path) -> None:
    with Counting("test:0") as device:
        device.scan()
        next(device.multi_scan())
        assert vars(device)["starts"] == 2
        assert vars(device)["snaps"] == [(False, None), (True, None)]


# Threads, signals, processes


def test_two_devices_scan_in_two_threads(config: Path) -> None:
    devices = [sane.open("test:0"), sane.open("test:1")]
    expected = devices[0].arr_scan().tobytes()
    found: list[bytes] = []

    def run(device: sane.SaneDev) -> None:
        for _ in range(5):
            found.append(device.arr_scan().tobytes())

    threads = [threading.Thread(target=run, args=(device,)) for device in devices]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert found == [expected] * 10
    for device in devices:
        device.close()


def test_options_are_answered_during_a_scan(dev: sane.SaneDev) -> None:
    """Another thread gets the driver's answer, at once, and so does get_parameters."""
    set_up(dev, resolution=1200, read_delay=True, read_delay_duration=200000)
    outcome: list[object] = []

    def run() -> None:
        try:
            dev.scan()
        except error as exc:
            outcome.append(str(exc))

    thread = threading.Thread(target=run)
    thread.start()
    time.sleep(0.1)  # the scan has begun: it takes many seconds
    with pytest.raises(error, match=r"^Invalid argument$"):
        _ = dev.mode
    assert dev.get_parameters()[2] == (3779, 1417)
    dev.cancel()
    thread.join(10)
    assert outcome == ["Operation was canceled"]


@pytest.mark.parametrize("raises", [True, False])
def test_signal_handlers_run_during_a_scan(dev: sane.SaneDev, raises: bool) -> None:
    """Ctrl-C ends the job; what does not raise is no error of the device."""
    set_up(dev, resolution=300, read_delay=True, read_delay_duration=50000)
    seen: list[int] = []

    def handler(number: int, frame: object) -> None:
        seen.append(number)
        if raises:
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGUSR1, handler)
    timer = threading.Timer(0.05, lambda: os.kill(os.getpid(), signal.SIGUSR1))
    timer.start()
    try:
        if raises:
            with pytest.raises(KeyboardInterrupt):
                dev.scan()
        else:
            assert dev.scan().size == (944, 354)
    finally:
        timer.join()
        signal.signal(signal.SIGUSR1, before)
    assert seen == [signal.SIGUSR1]
    assert dev.mode == "Gray"


class WaitsInC(Slow):
    """As a C driver, in whose functions no signal handler runs."""

    waits_in_c = True

    def read_into(self, view: memoryview) -> int:
        self.note(f"in main thread: {threading.get_ident() == threading.main_thread().ident}")
        return super().read_into(view)


def test_a_driver_that_waits_in_c_is_interrupted(opened: Opened) -> None:
    fake = WaitsInC()
    device = opened(fake)

    def interrupt() -> None:
        assert fake.reading.wait(10)
        os.kill(os.getpid(), signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # whatever ran before
    thread = threading.Thread(target=interrupt)
    thread.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            device.scan()
    finally:
        thread.join(10)
        signal.signal(signal.SIGINT, before)
    assert finishes(fake) == 1
    assert "in main thread: False" in fake.calls and "in main thread: True" not in fake.calls


def test_a_forked_child_leaves_its_parents_job_alone(opened: Opened) -> None:
    fake = Fake()
    device = opened(fake)
    device.start()
    child = os.fork()
    if child == 0:
        try:
            device.close()
            del device
            gc.collect()
            os._exit(finishes(fake) + ("close" in fake.calls))
        finally:
            os._exit(99)
    assert os.waitpid(child, 0)[1] == 0
    assert device.snap().size == (10, 4)
