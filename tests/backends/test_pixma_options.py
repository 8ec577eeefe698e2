"""pixma: what setting an option tells and changes, also while sheets are fed.

All of it is what the original does on the same emulated scanners.
"""

from __future__ import annotations

import contextlib
from typing import Any

import pytest

from sane import errors
from sane.backends.pixma.parameters import gamma_values
from sane.const import INFO_INEXACT, INFO_RELOAD_OPTIONS, INFO_RELOAD_PARAMS
from tests.backends.pixma_samples import (
    FEEDER,
    Bus,
    frame,
    is_right,
    set_up,
)
from tests.support.handles import read

OPTIONS, PARAMS, INEXACT = INFO_RELOAD_OPTIONS, INFO_RELOAD_PARAMS, INFO_INEXACT
FLATBED, FILM = "Flatbed", "Transparency Unit"


def told(bus: Bus, attribute: str, value: Any) -> int:
    """Set an option as a frontend does; return the info bits."""
    option = getattr(type(bus.handle.device), attribute)
    _data, info = bus.handle.set(option.index, option.encode(value))
    return info


def device_of(bus: Bus) -> Any:
    return bus.handle.device


def automatic(bus: Bus, attribute: str) -> int:
    """Let the scanner choose; return the info bits."""
    return bus.handle.set_auto(getattr(type(bus.handle.device), attribute).index)


def test_gamma_tells_a_reload_only_where_the_table_appears_or_goes() -> None:
    with Bus("MP560") as bus:
        steps = [("custom_gamma", True), ("custom_gamma", True), ("gamma", 1.5)]
        steps += [("custom_gamma", False), ("gamma", 1.7), ("custom_gamma", False)]
        assert [told(bus, *step) for step in steps] == [OPTIONS, 0, 0, OPTIONS, 0, 0]
        told(bus, "custom_gamma", True)
        assert automatic(bus, "gamma") == 0
        assert [automatic(bus, "custom_gamma") for _ in range(2)] == [OPTIONS, 0]


@pytest.mark.parametrize(
    ("model", "source", "info"),
    [
        ("MP560", FLATBED, 0),
        ("MF4270", FLATBED, OPTIONS),
        ("MF4270", FEEDER, OPTIONS),
        ("9000F", FILM, OPTIONS),
    ],
)
def test_a_source_tells_a_reload_where_there_are_several(
    model: str, source: str, info: int
) -> None:
    with Bus(model) as bus:
        assert [told(bus, "source", source) for _ in range(2)] == [info, info]


@pytest.mark.parametrize("text", ["", "G", "Gra", "Gray ", "Grays"])
def test_a_text_is_given_in_full(text: str) -> None:
    with Bus("MP560") as bus, pytest.raises(errors.Invalid):
        told(bus, "mode", text)


def test_a_text_in_other_letters_is_inexact() -> None:
    with Bus("MP560") as bus:
        assert told(bus, "mode", "GRAY") == INEXACT | OPTIONS | PARAMS
        assert told(bus, "calibrate", "never") == INEXACT
        assert told(bus, "calibrate", "Never") == 0
        assert (device_of(bus).mode, device_of(bus).calibrate) == ("Gray", "Never")


def test_the_automatic_table_is_that_of_the_exponent() -> None:
    with Bus("MP560") as bus:
        told(bus, "gamma", 1.5)
        told(bus, "custom_gamma", True)
        told(bus, "gamma_table", [0] * 1024)
        assert automatic(bus, "gamma_table") == 0
        assert device_of(bus).gamma_table == gamma_values(1.5, 1024)


@pytest.mark.parametrize(
    ("model", "source", "is_offered"),
    [
        ("MF4270", FLATBED, True),
        ("MF4270", FEEDER, True),
        ("MF3240", FLATBED, False),
        ("MP730", FEEDER, False),
    ],
)
def test_laser_units_with_a_feeder_offer_its_wait_once_a_source_was_chosen(
    model: str, source: str, is_offered: bool
) -> None:
    with Bus(model) as bus:
        with pytest.raises(errors.Invalid):
            told(bus, "adf_wait", 5)
        told(bus, "source", source)
        with contextlib.nullcontext() if is_offered else pytest.raises(errors.Invalid):
            told(bus, "adf_wait", 5)


def test_an_update_tells_whether_a_button_was_pressed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sane.backends.pixma.device.FRESH_SECONDS", 0.0)
    with Bus("MF4690") as bus:
        assert told(bus, "button_update", None) == 0
        bus.scanner.press(1)
        assert [told(bus, "button_update", None) for _ in range(2)] == [OPTIONS, 0]


# While sheets are fed


def test_options_set_amid_a_sheet_are_those_of_the_next() -> None:
    with Bus("MF4270", sheets=2) as bus:
        set_up(bus.handle, "Gray", 75, FEEDER)
        bus.handle.start()
        first = bus.handle.parameters()
        told(bus, "resolution", 150)
        told(bus, "mode", "Color")
        assert bus.handle.parameters() == first
        assert len(read(bus.handle)) == first.frame_bytes
        assert bus.handle.parameters() == first, "until the next sheet"
        assert is_right(frame(bus.handle), "MF4270", 150, 2)
        bus.handle.cancelled()
        told(bus, "resolution", 75)
        assert bus.handle.parameters().pixels_per_line == first.pixels_per_line


def test_options_stay_as_they_are_amid_a_page_of_the_glass() -> None:
    with Bus("MF4270", sheets=2) as bus:
        set_up(bus.handle, "Gray", 75, FEEDER)
        frame(bus.handle)
        bus.handle.cancelled()
        told(bus, "source", FLATBED)
        bus.handle.start()
        with pytest.raises(errors.Invalid):
            told(bus, "resolution", 150)
        with pytest.raises(errors.Invalid):
            bus.handle.start()
        read(bus.handle)
        told(bus, "resolution", 150)
        assert is_right(frame(bus.handle), "MF4270", 150)


@pytest.mark.parametrize("model", ["MF4270", "MF4410", "MX870", "MP730", "iR1020"])
def test_the_next_sheet_may_begin_amid_a_page(model: str) -> None:
    with Bus(model, sheets=3) as bus:
        bus.scanner.block_bytes = 1000
        set_up(bus.handle, "Gray", 150, FEEDER)
        for read_bytes in (0, 100):
            bus.handle.start()
            if read_bytes:
                bus.handle.read(memoryview(bytearray(read_bytes)))
        assert is_right(frame(bus.handle), model, 150, 4)
        assert bus.scanner.problems == []
