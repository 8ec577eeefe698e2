"""A driver that does not come back from a read is given up: nobody calls it beside that read."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from sane import const, errors, threads
from sane.handle import Handle
from sane.option import Int
from tests.fakes.device import Fake, calls, number

SECONDS = 10


class Stuck(Fake):
    """Its read ignores cancel until the test lets it go."""

    blocking = "thread"
    level = Int("Level", cap=const.CAP_SOFT_DETECT)

    def __init__(self) -> None:
        super().__init__()
        self.reading = threading.Event()
        self.release = threading.Event()
        self.returned = threading.Event()

    @level.on_get
    def _look(self) -> int:
        self.note("level")
        return 7

    def read_into(self, view: memoryview) -> Any:
        self.note("read_into")
        self.reading.set()
        assert self.release.wait(SECONDS)
        self.returned.set()
        return 0


@pytest.fixture
def handle(monkeypatch: pytest.MonkeyPatch) -> Iterator[Handle]:
    """Return a handle whose driver was given up after a cancel."""
    monkeypatch.setattr(threads, "STOP_SECONDS", 0.01)
    device = Stuck()
    found = Handle(device)
    found.start()
    assert device.reading.wait(SECONDS)
    ring: Any = found._ring
    found.cancel_request.set()
    found.cancelled()
    yield found
    device.release.set()
    assert device.returned.wait(SECONDS)
    assert ring._done.acquire(True, SECONDS)
    ring.close()


def test_a_driver_that_ignores_cancel_is_told(
    handle: Handle, capfd: pytest.CaptureFixture[str]
) -> None:
    said = capfd.readouterr().err
    assert "read_into: Misbehaved: has not returned after cancel; the device is given up" in said
    handle.close()


def test_finish_and_close_are_not_called_beside_the_read(handle: Handle) -> None:
    assert calls(handle) == ["start", "read_into"]
    handle.close()
    assert calls(handle) == ["start", "read_into"]


def test_it_cannot_be_started_again(handle: Handle) -> None:
    for _ in range(2):
        with pytest.raises(errors.Misbehaved, match="has not come back from an earlier call"):
            handle.start()
    assert calls(handle) == ["start", "read_into"]
    handle.close()


def test_a_sensor_is_not_asked_beside_the_read(handle: Handle) -> None:
    with pytest.raises(errors.Misbehaved, match="has not come back from an earlier call"):
        handle.get(number(handle, "level"))
    assert calls(handle) == ["start", "read_into"]
    handle.close()


def test_a_read_answers_cancelled(handle: Handle) -> None:
    with pytest.raises(errors.Cancelled), memoryview(bytearray(10)) as view:
        handle.read(view)
    handle.close()
