"""The table of option values: bytes, activity, constraints, and that a failed change undoes all."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from sane import const, option
from sane.backend import Device, errors, when
from sane.option import Bool, Button, Fixed, Int, Range, String
from sane.values import Options

RELOAD_OPTIONS = const.INFO_RELOAD_OPTIONS
RELOAD_PARAMS = const.INFO_RELOAD_PARAMS


def words(*values: int) -> bytes:
    return struct.pack(f"={len(values)}i", *values)


class Sample(Device):
    """Options that depend on each other."""

    mode = option.mode("Gray", "Color", "Lineart")
    threshold = Int("Threshold", "", Range(0, 255), active=when(mode="Lineart"), default=128)
    fast = Bool("Fast", active=when(mode="Color"))
    source = option.source("Flatbed", "ADF")
    resolution = Int("Resolution", "", (75, 150, 300, 600), default=600)
    height = Fixed("Height", "", Range(0, 297))
    size = String("Size", "", ("A4", "A5", "Letter"))
    sensor = Bool("Sensor", cap=const.CAP_SOFT_DETECT)
    rounded = Int("Rounded")
    press = Button("Press", reloads=RELOAD_OPTIONS)
    table = Int("Table", "", Range(0, 255), length=4)

    def __init__(self) -> None:
        self.fails = ""
        self.presses = 0
        self.seen: list[str] = []

    @resolution.constrained("source")
    def _resolutions(self) -> tuple[int, ...]:
        return (75, 150, 300) if self.source == "ADF" else (75, 150, 300, 600)

    @height.constrained("source")
    def _heights(self) -> Range:
        return Range(0, 355.6) if self.source == "ADF" else Range(0, 297)

    @size.constrained("source")
    def _sizes(self) -> tuple[str, ...]:
        return ("Letter", "Legal") if self.source == "ADF" else ("A4", "A5", "Letter")

    @source.changed
    def _source_changed(self) -> None:
        self.seen.append(self.source)
        if self.fails == "source":
            self.resolution, self.rounded = 75, 99
            raise errors.CoverOpen("no feeder")

    @mode.changed
    def _mode_changed(self) -> None:
        if self.fails == "mode":
            raise ZeroDivisionError

    @rounded.on_set
    def _round(self, value: int) -> int:
        if self.fails == "rounded":
            raise OSError(5, "no answer")
        return value // 10 * 10

    @sensor.on_get
    def _sensor(self) -> bool:
        return self.presses > 0

    @press.changed
    def _press(self) -> None:
        self.presses += 1
        if self.fails == "press":
            self.rounded = 70
            raise errors.Jammed


@pytest.fixture
def device() -> Sample:
    found = Sample()
    found.options.update(found)
    found.options.changed.clear()
    return found


def assign(device: Sample, name: str, value: Any) -> int:
    item = getattr(Sample, name)
    return device.options.assign(device, item, item.encode(value))


def active(device: Sample) -> set[str]:
    return {item.attribute for item in device.declared if device.options.is_active(item)}


def everything(options: Options) -> tuple[Any, ...]:
    """Return all that a frontend can see, comparable."""
    constraints = [repr(constraint) for constraint in options.constraints]
    return bytes(options.values), list(options.caps), constraints


# Values


def test_values_begin_with_the_defaults(device: Sample) -> None:
    assert (device.mode, device.threshold, device.resolution) == ("Gray", 128, 600)
    assert (device.height, device.sensor, device.table) == (0.0, False, (0, 0, 0, 0))


def test_values_of_two_devices_never_meet(device: Sample) -> None:
    other = Sample()
    device.threshold = 7
    other.options.set_active(Sample.source, False)
    assert other.threshold == 128
    assert device.options.is_active(Sample.source)


def test_values_keep_their_memory(device: Sample) -> None:
    """The C side reads them without Python."""
    with memoryview(device.options.values) as view:
        assign(device, "source", "ADF")
        assign(device, "mode", "Lineart")
        device.table = (1, 2, 3, 4)
        device.options.get(device, Sample.sensor)
        assert bytes(view) == bytes(device.options.values)


def test_a_shorter_text_replaces_a_longer_one_whole(device: Sample) -> None:
    device.mode = "Lineart"
    device.mode = "Gray"
    assert device.mode == "Gray"
    assert device.options.stored(Sample.mode) == b"Gray\0"
    assert device.options.get(device, Sample.mode) == b"Gray\0"


def test_read_returns_as_many_bytes_as_the_size(device: Sample) -> None:
    assert device.options.read(Sample.mode)[:5] == b"Gray\0"
    assert len(device.options.read(Sample.mode)) == Sample.mode.size == 8


def test_get_asks_a_sensor_each_time(device: Sample) -> None:
    assert device.options.get(device, Sample.sensor) == words(0)
    device.presses = 1
    assert device.options.get(device, Sample.sensor) == words(1)


# Activity


def test_update_evaluates_the_conditions(device: Sample) -> None:
    assert {"threshold", "fast"}.isdisjoint(active(device))
    device.mode = "Lineart"
    assert device.options.update(device)
    assert "threshold" in active(device)
    assert device.options.changed == [Sample.threshold.index]


def test_update_tells_when_nothing_changes(device: Sample) -> None:
    assert not device.options.update(device)
    assert device.options.changed == []


def test_assign_switches_what_depends_on_it(device: Sample) -> None:
    assert assign(device, "mode", "Color") == RELOAD_PARAMS | RELOAD_OPTIONS
    assert "fast" in active(device)
    assert assign(device, "mode", "Lineart") == RELOAD_PARAMS | RELOAD_OPTIONS
    assert {"fast", "threshold"} & active(device) == {"threshold"}


def test_assign_without_dependents_reloads_no_options(device: Sample) -> None:
    assert assign(device, "threshold", 5) == 0


def test_an_inactive_option_keeps_its_value(device: Sample) -> None:
    device.threshold = 99
    assign(device, "mode", "Color")
    assign(device, "mode", "Lineart")
    assert device.threshold == 99


# Constraints that change


def test_assign_changes_constraints_and_says_so(device: Sample) -> None:
    info = assign(device, "source", "ADF")
    assert info == RELOAD_PARAMS | RELOAD_OPTIONS
    assert device.options.constraints[Sample.resolution.index] == (75, 150, 300)
    assert device.options.constraints[Sample.height.index].max == int(355.6 * 65536)
    expected = {Sample.resolution.index, Sample.height.index, Sample.size.index}
    assert set(device.options.changed) == expected


def test_a_value_outside_a_new_constraint_is_rounded_into_it(device: Sample) -> None:
    assert device.resolution == 600
    assign(device, "source", "ADF")
    assert device.resolution == 300
    device.height = 350.0
    assign(device, "source", "Flatbed")
    assert device.height == 297.0


def test_a_text_that_is_gone_becomes_the_first_one(device: Sample) -> None:
    device.size = "A5"
    assign(device, "source", "ADF")
    assert device.size == "Letter"


def test_a_text_that_stays_possible_stays(device: Sample) -> None:
    device.size = "Letter"
    assign(device, "source", "ADF")
    assign(device, "source", "Flatbed")
    assert device.size == "Letter"


def test_the_same_constraint_again_is_no_change(device: Sample) -> None:
    assert not device.options.set_constraint(Sample.height, Range(0, 297))
    assert not device.options.set_constraint(Sample.resolution, [75, 150, 300, 600])
    assert device.options.changed == []


# What a hook changes


def test_on_set_decides_what_takes_effect(device: Sample) -> None:
    assert assign(device, "rounded", 47) == const.INFO_INEXACT
    assert device.rounded == 40
    assert assign(device, "rounded", 30) == 0


def test_a_button_runs_its_action_and_reports_its_bits(device: Sample) -> None:
    assert device.options.assign(device, Sample.press, b"") == RELOAD_OPTIONS
    assert device.presses == 1


class Chain(Device):
    """A change that changes a second option, on which a third depends."""

    first = Bool("First")
    second = Int("Second", "", Range(0, 9))
    third = Int("Third", active=when(second=5))

    @first.changed
    def _changed(self) -> None:
        self.second = 5 if self.first else 0


def test_an_option_that_a_hook_changes_takes_its_dependents_along() -> None:
    device = Chain()
    device.options.update(device)
    assert not device.options.is_active(Chain.third)
    info = device.options.assign(device, Chain.first, words(1))
    assert device.options.is_active(Chain.third)
    assert info & RELOAD_OPTIONS


def test_a_hook_that_changes_another_value_makes_the_frontend_reload() -> None:
    """RELOAD_OPTIONS is set iff another option's value, cap, constraint or size changed (1.7)."""

    class Quiet(Device):
        first = Bool("First")
        second = Int("Second")

        @first.changed
        def _changed(self) -> None:
            self.second = 5

    device = Quiet()
    assert device.options.assign(device, Quiet.first, words(1)) & RELOAD_OPTIONS


# Failures


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("source", "ADF", errors.CoverOpen),
        ("mode", "Lineart", ZeroDivisionError),
        ("rounded", 55, OSError),
        ("press", None, errors.Jammed),
    ],
)
def test_a_failed_change_leaves_everything_as_it_was(
    device: Sample, name: str, value: object, expected: type[Exception]
) -> None:
    before = everything(device.options)
    device.fails = name
    item = getattr(Sample, name)
    with pytest.raises(expected):
        device.options.assign(device, item, b"" if value is None else item.encode(value))
    assert everything(device.options) == before


class LateFailure(Device):
    """The condition or constraint of a dependent fails, after another one has changed."""

    source = option.source("Flatbed", "ADF")
    duplex = Bool("Duplex", active=when(source="ADF"))
    resolution = Int("Resolution", "", (75, 300), default=300)
    height = Int("Height", "", Range(0, 100))

    @resolution.constrained("source")
    def _resolutions(self) -> tuple[int, ...]:
        return (75,) if self.source == "ADF" else (75, 300)

    @height.constrained("source")
    def _heights(self) -> Any:
        if self.source == "ADF":
            raise ZeroDivisionError
        return Range(0, 100)


def test_a_failing_constraint_leaves_no_half_changed_options() -> None:
    device = LateFailure()
    device.options.update(device)
    before = everything(device.options)
    with pytest.raises(ZeroDivisionError):
        device.options.assign(device, LateFailure.source, b"ADF\0")
    assert everything(device.options) == before
    assert device.resolution == 300


class Unplugged(Device):
    """Once it is gone, every question fails, also those of the way back."""

    source = option.source("Flatbed", "ADF")
    height = Int("Height", "", Range(0, 100), default=90)
    duplex = Bool("Duplex", active=when(source="ADF"))
    width = Int("Width", "", Range(0, 100))
    gone = False

    @height.constrained("source")
    def _heights(self) -> Range:
        if self.gone:
            raise OSError(19, "no such device")
        return Range(0, 50 if self.source == "ADF" else 100)

    @width.constrained("source")
    def _widths(self) -> Range:
        self.gone = self.gone or self.source == "ADF"
        limits: Range = self._heights()
        return limits


def test_a_device_that_vanishes_leaves_no_half_changed_options() -> None:
    device = Unplugged()
    device.options.update(device)
    before = everything(device.options)
    with pytest.raises(OSError, match="no such device"):
        device.options.assign(device, Unplugged.source, b"ADF\0")
    assert everything(device.options) == before


@pytest.mark.parametrize(
    "constraint", [(), "ABC", 5, (1, "x"), Range(9, 1), (float("nan"),), Range(0, 1 << 40)]
)
def test_a_constraint_of_no_sense_changes_nothing(constraint: object) -> None:
    class Wrong(Device):
        choose = Bool("Choose")
        number = Int("Number", "", (1, 2, 3), default=2)

        @number.constrained("choose")
        def _numbers(self) -> object:
            return constraint if self.choose else (1, 2, 3)

    device = Wrong()
    device.options.update(device)
    before = everything(device.options)
    with pytest.raises(errors.Misbehaved):
        device.options.assign(device, Wrong.choose, words(1))
    assert everything(device.options) == before


@pytest.mark.parametrize("wrong", ["x", None, 1 << 31, (1, 2), float("nan")])
def test_a_hook_that_returns_no_value_changes_nothing(wrong: object) -> None:
    class Wrong(Device):
        number = Int("Number", default=3)

        @number.on_set
        def _set(self, value: int) -> object:
            return wrong

    device = Wrong()
    with pytest.raises(errors.Misbehaved):
        device.options.assign(device, Wrong.number, words(9))
    assert device.number == 3


@pytest.mark.parametrize("wrong", ["x", None, 1 << 31, float("inf")])
def test_a_sensor_that_returns_no_value_keeps_the_old_one(wrong: object) -> None:
    class Wrong(Device):
        number = Int("Number", cap=const.CAP_SOFT_DETECT, default=3)

        @number.on_get
        def _get(self) -> object:
            return wrong

    device = Wrong()
    with pytest.raises(errors.Misbehaved):
        device.options.get(device, Wrong.number)
    assert device.number == 3
