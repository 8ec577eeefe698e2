"""What Device offers drivers: until, latched buttons, areas by source, gamma tables, feeders."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from sane import const, errors, option
from sane.backend import Device, Feeder, Parameters
from sane.handle import Handle
from sane.param import Area

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BEDS = {"Flatbed": (216.0, 297.0), "ADF": (216.0, 356.0), "Slide": (35.0, 35.0)}
LONG = 10.0


class Helped(Device):
    mode = option.mode("Gray", "Color")
    source = option.source(*BEDS)
    area = option.scan_area(beds=BEDS)
    gamma = option.gamma_tables()
    scan_button = option.latched("Scan", name="scan")
    copy_button = option.latched("Copy", name="copy")

    def __init__(self) -> None:
        self.presses: list[Any] = []
        self.polls = 0

    def pressed_buttons(self) -> list[str]:
        self.polls += 1
        found = self.presses.pop(0) if self.presses else []
        if isinstance(found, BaseException):
            raise found
        return list(found)

    def parameters(self) -> Parameters:
        return Parameters.for_area(const.FRAME_GRAY, self.area, 75)

    def start(self) -> None:
        pass


@pytest.fixture
def handle() -> Iterator[Handle]:
    found = Handle(Helped())
    yield found
    found.close()


@pytest.fixture
def device(handle: Handle) -> Helped:
    assert isinstance(handle.device, Helped)
    return handle.device


def index(name: str) -> int:
    return next(item.index for item in Helped.declared if item.name == name)


def choose(handle: Handle, name: str, value: Any) -> int:
    item = handle.options.declared[index(name)]
    return handle.set(item.index, item.encode(value))[1]


def is_pressed(handle: Handle, name: str) -> bool:
    return bool(int.from_bytes(handle.get(index(name)), "little"))


# until


def answers(*given: Any) -> Callable[[], Any]:
    left = list(given)

    def answer() -> Any:
        found = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(found, BaseException):
            raise found
        return found

    return answer


def test_until_returns_the_first_true_answer(device: Helped) -> None:
    assert device.until(answers(0, None, b"", b"ready"), LONG, 0.001) == b"ready"


def test_until_asks_a_busy_device_again(device: Helped) -> None:
    condition = answers(errors.DeviceBusy("warming up"), errors.DeviceBusy("still"), 7)
    assert device.until(condition, LONG, 0.001, busy=errors.DeviceBusy) == 7


def test_until_ends_with_the_last_busy_error_or_names_what(device: Helped) -> None:
    with pytest.raises(errors.DeviceBusy, match="warming up"):
        device.until(answers(errors.DeviceBusy("warming up")), 0.01, 0.001, busy=errors.DeviceBusy)
    with pytest.raises(errors.DeviceBusy, match=r"the lamp is not ready after 0\.01 s"):
        device.until(answers(False), 0.01, 0.001, what="the lamp")


def test_until_passes_other_errors_at_once(device: Helped) -> None:
    with pytest.raises(errors.Jammed):
        device.until(answers(errors.Jammed("paper"), True), LONG, busy=errors.DeviceBusy)


def test_until_asks_once_without_time_and_once_more_at_its_end(device: Helped) -> None:
    assert device.until(answers(True), 0) is True
    assert device.until(answers(False, True), 0.001, LONG) is True


def test_until_ends_with_cancel(device: Helped, handle: Handle) -> None:
    timer = threading.Timer(0.02, handle.cancel_request.set)
    timer.start()
    with pytest.raises(errors.Cancelled):
        device.until(answers(False), LONG, LONG)
    timer.join()


def test_until_takes_no_time_in_a_replay(device: Helped) -> None:
    device.is_live = False
    assert device.until(answers(False, False, True), LONG, LONG) is True


# Buttons


def test_a_press_is_kept_until_it_is_read(handle: Handle, device: Helped) -> None:
    device.presses = [["scan_button", "copy_button"]]
    assert is_pressed(handle, "scan")
    assert not is_pressed(handle, "scan")
    assert is_pressed(handle, "copy")  # told with the first answer, read only now
    assert not is_pressed(handle, "copy")


def test_a_press_that_the_driver_hears_of_itself_is_kept(handle: Handle, device: Helped) -> None:
    device.latched.add("copy_button")
    assert (is_pressed(handle, "copy"), is_pressed(handle, "copy")) == (True, False)


def test_a_press_survives_a_question_that_fails(handle: Handle, device: Helped) -> None:
    device.presses = [["copy_button"], OSError("silent")]
    assert not is_pressed(handle, "scan")
    with pytest.raises(OSError, match="silent"):
        is_pressed(handle, "copy")
    assert is_pressed(handle, "copy")


def test_an_unknown_button_is_the_drivers_mistake(handle: Handle, device: Helped) -> None:
    device.presses = [["scann"]]
    with pytest.raises(errors.Misbehaved, match="no option 'scann'"):
        is_pressed(handle, "scan")


def test_buttons_are_not_asked_for_in_a_frame(handle: Handle, device: Helped) -> None:
    device.latched.add("scan_button")
    handle.start()
    assert is_pressed(handle, "scan")
    assert device.polls == 0
    handle.cancelled()
    assert not is_pressed(handle, "scan")
    assert device.polls == 1


# Area


def test_the_area_follows_the_bed_whose_edge_it_reached(handle: Handle, device: Helped) -> None:
    assert repr(device.area) == "Area(0.0, 0.0, 216.0, 297.0)"
    info = choose(handle, "source", "ADF")
    assert info == const.INFO_RELOAD_OPTIONS | const.INFO_RELOAD_PARAMS
    assert repr(device.area) == "Area(0.0, 0.0, 216.0, 356.0)"
    choose(handle, "br-y", 100)
    choose(handle, "source", "Flatbed")
    assert repr(device.area) == "Area(0.0, 0.0, 216.0, 100.0)"


def test_the_area_is_cut_to_a_smaller_bed(handle: Handle, device: Helped) -> None:
    choose(handle, "tl-y", 200)
    choose(handle, "source", "Slide")
    assert repr(device.area) == "Area(0.0, 35.0, 35.0, 35.0)"
    with pytest.raises(errors.Misbehaved, match="is not in"):
        device.br_x = 36  # type: ignore[attr-defined]


def test_a_source_without_a_bed_is_the_drivers_mistake() -> None:
    class Wrong(Device):
        source = option.source("Flatbed", "ADF")
        area = option.scan_area(beds={"Flatbed": (1, 1)})

    handle = Handle(Wrong())
    item = next(item for item in handle.options.declared if item.name == "source")
    with pytest.raises(errors.Misbehaved, match="no bed for source 'ADF'"):
        handle.set(item.index, b"ADF\0")
    assert handle.get(item.index) == b"Flatbed\0"
    handle.close()


@pytest.mark.parametrize(
    ("area", "dpi", "multiple", "pixels"),
    [
        (Area(0, 0, 25.4, 25.4), 300, 1, (0, 0, 300, 300)),
        (Area(25.4, 12.7, 50.8, 38.1), 300, 1, (300, 150, 300, 300)),
        (Area(0, 0, 25.4, 25.4), 300, 16, (0, 0, 288, 300)),
        (Area(5, 5, 5, 5), 300, 8, (59, 59, 8, 1)),
    ],
)
def test_an_area_in_pixels(area: Area, dpi: int, multiple: int, pixels: tuple[int, ...]) -> None:
    found = area.pixels(dpi, multiple=multiple)
    assert (found.left, found.top, found.width_px, found.lines) == pixels
    if multiple == 1:
        params = Parameters.for_area(const.FRAME_GRAY, area, dpi)
        assert (params.pixels_per_line, params.lines) == pixels[2:]


# Gamma


def test_gamma_tables_are_active_as_they_are_used(handle: Handle) -> None:
    def active() -> list[str | None]:
        tables = [item for item in handle.options.declared if item.length == 256]
        return [item.name for item in tables if handle.options.is_active(item)]

    assert active() == []
    choose(handle, "custom-gamma", True)
    assert active() == ["gamma-table"]
    choose(handle, "mode", "Color")
    assert active() == [
        *("gamma-table", "red-gamma-table", "green-gamma-table", "blue-gamma-table")
    ]


def test_gamma_is_what_the_tables_mean(handle: Handle, device: Helped) -> None:
    straight = tuple(range(256))
    assert device.gamma == [straight]
    choose(handle, "custom-gamma", True)
    choose(handle, "gamma-table", straight[::-1])
    assert device.gamma == [straight[::-1]]
    choose(handle, "mode", "Color")
    choose(handle, "red-gamma-table", (7,) * 256)
    assert device.gamma == [(7,) * 256, straight[::-1], straight[::-1]]
    choose(handle, "custom-gamma", False)
    assert device.gamma == [straight] * 3


class OwnTables(Helped):
    gamma = option.gamma_tables(
        lambda device: device.source == "Flatbed",
        entries=4,
        most=15,
        presets=[(0, 5, 9, 15), (1, 2, 3, 4), (2, 2, 2, 2), (3, 3, 3, 3)],
        is_separate=True,
    )


def test_gamma_tables_of_another_size_and_one_for_gray_alone() -> None:
    device = OwnTables()
    handle = Handle(device)
    assert device.gamma == [(0, 5, 9, 15)]
    choose(handle, "custom-gamma", True)
    choose(handle, "gamma-table", (1, 1, 1, 1))
    assert device.gamma == [(1, 1, 1, 1)]
    choose(handle, "mode", "Color")
    choose(handle, "red-gamma-table", (9, 9, 9, 9))
    active = [
        item.name
        for item in handle.options.declared
        if item.length == 4 and handle.options.is_active(item)
    ]
    assert active == ["red-gamma-table", "green-gamma-table", "blue-gamma-table"]
    assert device.gamma == [(9, 9, 9, 9), (2, 2, 2, 2), (3, 3, 3, 3)]
    type(device).gamma.reset(device)
    assert device.gamma[0] == (1, 2, 3, 4)
    choose(handle, "custom-gamma", False)
    assert device.gamma == [(1, 2, 3, 4), (2, 2, 2, 2), (3, 3, 3, 3)]
    handle.close()


# Feeder


class Tray:
    """A feeder of some sheets, which notes what it is asked to do."""

    def __init__(self, sheets: int) -> None:
        self.sheets = sheets
        self.done: list[str] = []
        self.failure: BaseException | None = None

    def load(self) -> None:
        self.done.append("load")
        if self.failure is not None:
            raise self.failure
        if not self.sheets:
            raise errors.NoDocs("nothing there")
        self.sheets -= 1

    def eject(self) -> None:
        self.done.append("eject")
        if self.failure is not None:
            raise self.failure


DUPLEX = ("front", "back")


def feeder(tray: Tray) -> Feeder:
    return Feeder(tray.load, tray.eject, lambda: tray.sheets > 0)


@pytest.mark.parametrize(
    ("sides", "pages"),
    [
        (("front",), ["front", "front"]),
        (DUPLEX, ["front", "back", "front", "back"]),
        (("back", "front"), ["back", "front", "back", "front"]),
    ],
)
def test_a_feeder_gives_all_sides_of_all_sheets(sides: tuple[str, ...], pages: list[str]) -> None:
    tray = Tray(2)
    found = feeder(tray)
    assert [found.next_page(sides) for _ in pages] == pages
    with pytest.raises(errors.NoDocs):
        found.next_page(sides)
    assert tray.done == ["load", "eject", "load", "eject"]
    found.finish()
    assert tray.done[-2:] == ["load", "eject"]  # once


def test_a_feeder_that_finds_out_by_loading() -> None:
    tray = Tray(1)
    found = Feeder(tray.load, tray.eject)
    found.next_page()
    with pytest.raises(errors.NoDocs):
        found.next_page()
    found.finish()
    assert tray.done == ["load", "eject", "load"]  # nothing is inside that could go out


def test_finish_gives_up_the_back_with_its_sheet() -> None:
    tray = Tray(2)
    found = feeder(tray)
    found.next_page(DUPLEX)
    found.finish()
    assert found.next_page(DUPLEX) == "front"
    assert tray.done == ["load", "eject", "load"]


@pytest.mark.parametrize("failure", [errors.Jammed(), errors.Cancelled(), OSError("pulled")])
def test_a_sheet_that_was_drawn_in_by_half_goes_out(failure: BaseException) -> None:
    tray = Tray(2)
    tray.failure = failure
    found = feeder(tray)
    with pytest.raises(type(failure)):
        found.next_page()
    tray.failure = None
    found.finish()
    assert tray.done == ["load", "eject"]


def test_an_eject_that_fails_is_not_tried_again() -> None:
    tray = Tray(2)
    found = feeder(tray)
    found.next_page()
    tray.failure = errors.Jammed()
    with pytest.raises(errors.Jammed):
        found.finish()
    found.finish()
    assert tray.done == ["load", "eject"]


def test_a_sheet_has_a_side() -> None:
    with pytest.raises(ValueError, match="without a side"):
        feeder(Tray(1)).next_page(())
