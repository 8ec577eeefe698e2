"""Pages of a job: read ahead, limits, ends, jams, and what is left of them."""

from __future__ import annotations

import gc
import threading
import time

import pytest

from sane import errors
from tests.fakes.sheets import SECONDS, Deaf, Sheets, Waiting, gray, opened


def values(pages: object) -> list[int]:
    return [int(page.array[0, 0]) for page in pages]  # type: ignore[attr-defined]


def wait_for(condition: object) -> None:
    until = time.monotonic() + SECONDS
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < until
        time.sleep(0.001)


@pytest.mark.parametrize("prefetch", [0, 1, 5])
def test_pages_until_the_feeder_is_empty(prefetch: int) -> None:
    device = Sheets(*map(gray, (1, 2, 3)))
    with opened(device) as scanner:
        pages = scanner.pages(prefetch=prefetch)
        assert values(pages) == [1, 2, 3]
        assert pages.pages_done == 3
        assert list(pages) == []
        assert scanner.state == "idle"
    assert device.calls == ["start"] * 4 + ["finish False", "close"]


@pytest.mark.parametrize("prefetch", [0, 1, 5])
def test_no_sheet_more_than_the_limit_is_drawn_in(prefetch: int) -> None:
    device = Sheets(*map(gray, range(9)))
    with opened(device) as scanner:
        assert values(scanner.pages(limit=2, prefetch=prefetch)) == [0, 1]
        assert device.calls == ["start", "start", "finish False"]


def test_the_job_ends_with_the_last_page_before_that_is_taken() -> None:
    device = Sheets(*map(gray, range(9)))
    with opened(device) as scanner, scanner.pages(limit=2) as pages:
        next(pages)
        wait_for(lambda: device.calls == ["start", "start", "finish False"])
        assert values(pages) == [1]


def test_the_next_page_is_read_while_the_last_one_is_worked_on() -> None:
    device = Sheets(*map(gray, range(9)))
    with opened(device) as scanner, scanner.pages() as pages:
        next(pages)
        wait_for(lambda: device.at and device.calls.count("start") == 2)
        time.sleep(0.02)
        assert device.calls == ["start", "start"], "one page ahead and no more"


def test_without_prefetch_nothing_is_read_ahead() -> None:
    device = Sheets(*map(gray, range(9)))
    with opened(device) as scanner, scanner.pages(prefetch=0) as pages:
        next(pages)
        time.sleep(0.02)
        assert device.calls == ["start"]


def test_an_empty_feeder_is_noticed() -> None:
    device = Sheets()
    with opened(device) as scanner:
        with pytest.raises(errors.NoDocs) as caught:
            list(scanner.pages())
        assert caught.value.pages_done == 0
        assert list(scanner.pages(empty_ok=True)) == []
        with pytest.raises(errors.NoDocs):
            scanner.scan()
        assert scanner.state == "idle"


@pytest.mark.parametrize("prefetch", [0, 1, 3])
@pytest.mark.parametrize("error", [errors.Jammed, errors.CoverOpen, errors.DeviceIOError])
def test_a_jam_comes_after_the_pages_before_it(error: type[Exception], prefetch: int) -> None:
    device = Sheets(gray(1), gray(2), error("on page 3"), gray(4))
    with opened(device) as scanner:
        found = []
        with pytest.raises(error, match="on page 3") as caught:
            for page in scanner.pages(prefetch=prefetch):
                found.append(page)
        assert values(found) == [1, 2]
        assert caught.value.pages_done == 2  # type: ignore[attr-defined]
        assert scanner.state == "idle"
        assert values(scanner.pages()) == [4]


def test_a_page_that_is_cut_short_is_told() -> None:
    params, data = gray(7)
    device = Sheets((params, data[:25]))
    with opened(device) as scanner:
        page = scanner.scan()
    assert (page.height, page.truncated) == (2, True)


@pytest.mark.parametrize("how", ["break", "close", "exception", "drop"])
def test_a_loop_that_is_left_ends_the_job(how: str) -> None:
    device = Sheets(*map(gray, range(9)))
    with opened(device) as scanner:
        try:
            with scanner.pages() as pages:
                for _ in pages:
                    if how == "exception":
                        raise KeyError
                    break
                if how == "close":
                    pages.close()
        except KeyError:
            pass
        if how == "drop":
            dropped = scanner.pages()
            next(dropped)
            del dropped
            gc.collect()
        assert device.calls[-1].startswith("finish")
        assert scanner.state == "idle"
        assert scanner.scan().height == 4


def test_a_flatbed_has_one_page_unless_more_are_asked_for() -> None:
    device = Sheets(*map(gray, range(9)))
    with opened(device) as scanner:
        scanner.options.source = "Flatbed"
        assert len(list(scanner.pages())) == 1
        assert len(list(scanner.pages(limit=3))) == 3


def test_sides_and_numbers_of_a_duplex_feeder() -> None:
    device = Sheets(*map(gray, range(3)))
    with opened(device) as scanner:
        scanner.configure(source="duplex", resolution=150)
        pages = list(scanner.pages())
    assert [(page.number, page.side) for page in pages] == [(1, "front"), (2, "back"), (3, "front")]
    assert pages[0].dpi == (150, 150)
    assert pages[0].settings == {"source": "ADF Duplex", "resolution": 150}


def test_a_page_that_does_not_come_in_time() -> None:
    device = Waiting()
    with opened(device) as scanner:
        for kind in ("pages", "scan"):
            device.script = [gray(1)]
            with pytest.raises(TimeoutError) as caught:
                if kind == "scan":
                    scanner.scan(timeout=0.02)
                next(scanner.pages(timeout=0.02))
            assert isinstance(caught.value, errors.ScanTimeout)
            assert scanner.state == "idle"
        device.on_read = None
        device.script = [gray(5)]
        assert scanner.scan(timeout=SECONDS).array[0, 0] == 5


@pytest.mark.filterwarnings("ignore:.*still in a call.*:ResourceWarning")
def test_a_driver_that_ignores_cancel_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sane.scanner.CLOSE_SECONDS", 0.02)
    monkeypatch.setattr("sane.api.jobs.SETTLE_SECONDS", 0.02)
    device = Deaf()
    scanner = opened(device)
    with pytest.raises(errors.ScanTimeout, match="has not stopped yet"):
        scanner.scan(timeout=0.01)
    assert scanner.state == "cancelling"
    with pytest.raises(errors.DeviceBusy, match="has not come back"):
        scanner.scan()
    with pytest.warns(ResourceWarning, match="still in a call"):
        scanner.close()
    device.free.set()
    wait_for(lambda: device.calls[-1] == "close")
    assert [call.split()[0] for call in device.calls] == ["start", "finish", "close"]


@pytest.mark.parametrize("end", ["cancel", "close"])
def test_pages_that_another_thread_ends(end: str) -> None:
    device = Waiting()
    scanner = opened(device)
    ender = threading.Thread(target=lambda: (device.waits.wait(SECONDS), getattr(scanner, end)()))
    ender.start()
    with pytest.raises(errors.Cancelled if end == "cancel" else errors.Closed):
        list(scanner.pages())
    ender.join()
    scanner.close()
    assert device.calls == ["start", "finish True", "close"]


def test_progress_that_raises_ends_the_job() -> None:
    device = Sheets(gray(1), gray(2))
    with opened(device) as scanner:

        def refuse(progress: object) -> None:
            raise KeyError("no")

        with pytest.raises(KeyError, match="no"):
            scanner.scan(progress=refuse)
        with pytest.raises(KeyError, match="no"):
            list(scanner.pages(progress=refuse))
        assert scanner.state == "idle"
        assert scanner.scan().height == 4


def test_progress_may_cancel_and_close() -> None:
    device = Sheets(gray(1), gray(2), piece=3)
    scanner = opened(device)
    with pytest.raises(errors.Cancelled):
        scanner.scan(progress=lambda _: scanner.cancel())
    with pytest.raises((errors.Cancelled, errors.Closed)):
        scanner.scan(progress=lambda _: scanner.close())
    assert device.calls[-1] == "close"


@pytest.mark.parametrize(("name", "value"), [("limit", 0), ("limit", -1), ("prefetch", -1)])
def test_numbers_that_make_no_sense(name: str, value: int) -> None:
    with opened(Sheets()) as scanner, pytest.raises(errors.Invalid, match=str(value)):
        scanner.pages(**{name: value})  # type: ignore[arg-type]
