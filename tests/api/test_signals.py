"""Ctrl-C and other signals during a scan; drivers that wait in C; scanners that are dropped."""

from __future__ import annotations

import gc
import os
import signal
import threading
import time
import warnings
from collections.abc import Callable
from typing import Any

import pytest

from sane import Scanner, errors
from tests.fakes.sheets import SECONDS, Deaf, Sheets, Waiting, gray, opened


class WaitingInC(Waiting):
    """No signal handler of Python runs while it waits."""

    waits_in_c = True


def next_page(scanner: Scanner) -> object:
    return next(scanner.pages())


def next_rows(scanner: Scanner) -> object:
    return next(scanner.stream())


def next_frame(scanner: Scanner) -> object:
    return next(scanner.frames())


WAYS: list[Callable[[Scanner], object]] = [Scanner.scan, next_page, next_rows, next_frame]


def interrupt(device: Waiting, number: int = signal.SIGINT) -> threading.Thread:
    """Send a signal to this process as soon as the driver waits."""

    def send() -> None:
        assert device.waits.wait(SECONDS)
        os.kill(os.getpid(), number)

    thread = threading.Thread(target=send)
    thread.start()
    return thread


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", [Waiting, WaitingInC])
def test_ctrl_c_ends_the_job(way: Callable[[Scanner], object], kind: type[Waiting]) -> None:
    device = kind()
    with opened(device) as scanner:
        sender = interrupt(device)
        begin = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            way(scanner)
        assert time.monotonic() - begin < SECONDS
        sender.join()
        gc.collect()
        assert scanner.state == "idle"
        assert device.calls == ["start", "finish True"]
        device.on_read = None
        device.script = [gray(3)]
        assert scanner.scan().array[0, 0] == 3


@pytest.mark.parametrize("kind", [Waiting, WaitingInC])
@pytest.mark.parametrize("end", ["cancel", "close"])
def test_a_handler_may_cancel_and_close(kind: type[Waiting], end: str) -> None:
    device = kind()
    scanner = opened(device)
    before = signal.signal(signal.SIGUSR1, lambda *_: getattr(scanner, end)())
    try:
        sender = interrupt(device, signal.SIGUSR1)
        with pytest.raises(errors.Cancelled):
            scanner.scan()
        sender.join()
    finally:
        signal.signal(signal.SIGUSR1, before)
        scanner.close()
    assert device.calls == ["start", "finish True", "close"]


def test_signals_are_handled_while_a_driver_waits_in_c() -> None:
    device = WaitingInC()
    seen: list[str] = []
    handled = threading.Event()

    def handle(*_: object) -> None:
        seen.append(scanner.state)
        handled.set()

    def end() -> None:
        assert handled.wait(SECONDS / 2)
        scanner.cancel()

    with opened(device) as scanner:
        before = signal.signal(signal.SIGUSR1, handle)
        try:
            threads = [interrupt(device, signal.SIGUSR1), threading.Thread(target=end)]
            threads[1].start()
            with pytest.raises(errors.Cancelled):
                scanner.scan()
            for thread in threads:
                thread.join()
        finally:
            signal.signal(signal.SIGUSR1, before)
    assert seen == ["scanning"]


def test_a_second_call_does_not_wait_for_a_long_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sane.scanner.TURN_SECONDS", 0.01)
    device = Deaf()
    scanner = opened(device)
    thread = threading.Thread(target=scanner.scan)
    thread.start()
    assert device.blocks.wait(SECONDS)
    for call in (lambda: scanner.options.resolution, scanner.parameters, scanner.scan):
        with pytest.raises(errors.DeviceBusy):
            call()
    assert scanner.state == "scanning"
    device.free.set()
    thread.join()
    scanner.close()


def dropped(way: Callable[[Scanner], object], device: Sheets) -> list[Any]:
    """Return the warnings when a scanner is dropped after *way*."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        scanner: Scanner | None = opened(device)
        assert scanner is not None
        kept = way(scanner)
        del scanner, kept
    return [item.category for item in caught]


@pytest.mark.parametrize("way", [Scanner.scan, Scanner.pages, Scanner.stream, Scanner.sensors])
def test_a_scanner_that_is_dropped_is_closed_at_once(way: Callable[[Scanner], object]) -> None:
    gc.disable()
    try:
        device = Sheets(gray(1), gray(2))
        assert dropped(way, device) == [ResourceWarning]
        assert device.calls[-1] == "close"
    finally:
        gc.enable()
