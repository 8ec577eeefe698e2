"""A driver gets one call at a time, also while a thread of ours reads ahead."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from sane import const, errors
from sane.handle import Handle
from sane.option import Int
from tests.fakes.device import Fake, number, read, words

SECONDS = 10
SOON = 0.1  # what would happen at once has happened by then


class Sensing(Fake):
    """Its read waits for the test, deaf to cancel; a sensor notes whether it is asked beside it."""

    blocking = "thread"
    level = Int("Level", cap=const.CAP_SOFT_DETECT)

    def __init__(self) -> None:
        super().__init__()
        self.reading = threading.Event()
        self.go_on = threading.Event()
        self.asked = threading.Event()
        self.is_inside = False
        self.overlaps = 0

    @level.on_get
    def _look(self) -> int:
        self.overlaps += self.is_inside
        self.asked.set()
        return 7

    def read_into(self, view: memoryview) -> int:
        self.is_inside = True
        self.reading.set()
        assert self.go_on.wait(SECONDS)
        self.is_inside = False
        return int(super().read_into(view))


@pytest.fixture
def device() -> Sensing:
    return Sensing()


@pytest.fixture
def handle(device: Sensing) -> Iterator[Handle]:
    """Return a handle whose driver is in a read."""
    found = Handle(device)
    found.start()
    assert device.reading.wait(SECONDS)
    yield found
    device.go_on.set()
    found.close()


class Asker:
    """Asks for the level in a thread of its own."""

    def __init__(self, handle: Handle) -> None:
        self.answers: list[object] = []
        self._thread = threading.Thread(target=self._run, args=(handle,))
        self._thread.start()

    def _run(self, handle: Handle) -> None:
        try:
            self.answers.append(handle.get(number(handle, "level")))
        except errors.SaneError as exc:
            self.answers.append(type(exc))

    def answer(self) -> object:
        self._thread.join(SECONDS)
        return self.answers[0]


def test_a_sensor_is_asked_when_the_read_has_returned(handle: Handle, device: Sensing) -> None:
    asker = Asker(handle)
    assert not device.asked.wait(SOON)
    device.go_on.set()
    assert asker.answer() == words(7)
    assert device.overlaps == 0
    assert read(handle)


def test_a_cancel_ends_the_wait_for_the_read(handle: Handle, device: Sensing) -> None:
    asker = Asker(handle)
    handle.cancel_request.set()
    assert asker.answer() is errors.Cancelled
    assert not device.asked.is_set()


def test_what_needs_no_driver_does_not_wait(handle: Handle) -> None:
    assert handle.get(number(handle, "number")) == words(10)
