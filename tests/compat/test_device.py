"""What python-sane does wrong, done right: a test for each of D1 to D17 (python-api 1 to 4)."""

from __future__ import annotations

import copy
import gc
import pickle
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import sane
from sane import const, errors, option
from tests.fakes.device import Fake

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sane.backend import Device

    Opened = Callable[[Device], sane.SaneDev]

CLOSED = "^SaneDev object is closed$"
error = errors.error


def set_up(device: sane.SaneDev, **values: Any) -> None:
    for name, value in values.items():
        setattr(device, name, value)


# D1: exit with open devices


def test_exit_closes_what_is_open(dev: sane.SaneDev, config: Path) -> None:
    dev.start()
    mode = dev["mode"]
    sane.exit()
    dev.close()
    calls: list[Callable[[], object]] = [
        *(dev.start, dev.snap, dev.cancel, dev.get_parameters, dev.get_options, dev.fileno),
        *(dev.arr_snap, mode.set_auto, lambda: dev.mode, lambda: setattr(dev, "mode", "Gray")),
        *(lambda: mode.value, lambda: next(dev.multi_scan()), lambda: dev.dev.get_option(999)),
    ]
    for call in calls:
        with pytest.raises(error, match=CLOSED) as caught:
            call()
        assert type(caught.value) is error
    sane.init({"SANE_CONFIG_DIR": str(config)})
    with pytest.raises(error, match=CLOSED):
        dev.start()
    with sane.open("test:0") as again:
        assert again.mode == "Gray"
    assert dev.optlist[:2] == ["", "mode"] and dev["mode"].name == "mode"


def test_a_second_init_changes_nothing(dev: sane.SaneDev) -> None:
    assert sane.init() == sane.init() == (16908289, 1, 2, 1)
    assert type(sane.init()) is tuple
    assert dev.mode == "Gray"


def test_before_init_nothing_is_listed_but_open_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "dll.conf").write_text("test\n")
    monkeypatch.setenv("SANE_CONFIG_DIR", str(tmp_path))
    sane.exit()
    assert sane.get_devices() == []
    with sane.open("test") as device:
        assert device.mode == "Gray"
    sane.exit()
    assert sane.get_devices() == []


# D2, D3: statuses


def test_an_error_tells_its_status_and_its_cause(opened: Opened) -> None:
    fake = Fake()
    fake.fails["start"] = errors.Jammed("page 3 hangs", device="fake:0")
    with pytest.raises(error) as caught:
        opened(fake).start()
    exc = caught.value
    assert type(exc) is sane._sane.error
    assert (str(exc), exc.args) == ("Document feeder jammed", ("Document feeder jammed",))
    assert exc.status == sane.STATUS_JAMMED
    assert isinstance(exc.__cause__, errors.Jammed)
    assert exc.__cause__.detail == "page 3 hangs"


def test_a_status_that_is_none_has_libsanes_text(opened: Opened) -> None:
    fake = Fake()
    fake.fails["start"] = errors.error_of(77, "sane_start")
    with pytest.raises(error, match=r"^Unknown SANE status code 77$") as caught:
        opened(fake).start()
    assert caught.value.status == 77


# D4 to D6: names


def test_the_signature_is_that_of_the_full_name(config: Path) -> None:
    with sane.open("test") as device, pytest.raises(RuntimeError, match="No such scan device 'te"):
        _ = device.sane_signature
    with sane.open("test:0") as device:
        assert device.sane_signature == ("test:0", "Noname", "frontend-tester", "virtual device")
        assert device.scanner_model == ("Noname", "frontend-tester")
        assert "sane_signature" in vars(device)


def test_a_name_that_is_no_option_is_an_attribute(dev: sane.SaneDev) -> None:
    set_up(dev, resolutoin=300)
    setattr(dev, "tl-x", 1)
    assert vars(dev)["resolutoin"] == 300 and vars(dev)["tl-x"] == 1
    assert dev.tl_x == 0.0


class Shadowed(Fake):
    scan = option.Button("Scan")
    start_ = option.Int("Start", name="start", default=3)

    @scan.changed
    def _scan(self) -> None:
        self.note("scan")


def test_an_option_of_a_methods_name_is_reached_by_item(opened: Opened) -> None:
    fake = Shadowed()
    device = opened(fake)
    assert callable(device.scan) and callable(device.start)
    device["scan"].press()
    assert fake.calls == ["scan"]
    device.start = 5  # type: ignore[assignment, method-assign]
    assert device["start"].value == 5 and callable(device.start)


# D7, D8: life


@pytest.mark.parametrize("call", [copy.copy, copy.deepcopy, pickle.dumps])
def test_a_device_cannot_be_copied(dev: sane.SaneDev, call: Callable[[object], object]) -> None:
    for thing in (dev, dev.dev):
        with pytest.raises(TypeError, match="cannot pickle 'SaneDev' object"):
            call(thing)


def test_a_device_that_is_dropped_is_closed_at_once(config: Path) -> None:
    gc.collect()
    gc.disable()
    try:
        device = sane.open("test:0")
        kept = [device["mode"], device.opt, device.multi_scan(), repr(device["mode"])]
        device.start()
        del device
        for _ in range(2):
            with pytest.raises(error, match=r"^Device busy$"):
                sane.open("test:0")
            kept.pop(0)
        kept.clear()
        sane.open("test:0").close()
    finally:
        gc.enable()


def test_an_option_keeps_its_device(config: Path) -> None:
    mode = sane.open("test:0")["mode"]
    assert mode.scanDev.dev.get_option(mode.index) == mode.value == "Gray"
    options = sane.open("test:1").opt
    options["mode"].value = "Color"
    assert options["mode"].scanDev.mode == "Color"


def test_options_are_made_once(dev: sane.SaneDev) -> None:
    mode = dev["mode"]
    assert dev["mode"] is mode is dev.opt["mode"] is dev.opt.get("mode")
    assert all(isinstance(item, sane.Option) for item in dev.opt.values())
    assert dict(dev.opt)["mode"] is mode and dict(dev.opt.items())["mode"] is mode
    set_up(dev, test_picture="Grid", enable_test_options=True)  # the second reloads
    assert dev["mode"] is not mode
    assert (mode.is_active(), mode.value) == (1, "Gray")
    assert isinstance(dev.opt, dict) and list(dev.opt) == dev.optlist and "mode" in dev.opt
    with pytest.raises(KeyError, match="tl-x"):
        _ = dev["tl-x"]


def test_the_options_are_a_dictionary_in_all_respects(dev: sane.SaneDev) -> None:
    whole = dict(dev.opt)
    assert dev.opt == whole and whole == dev.opt and dev.opt == dev.opt.copy()
    assert (dev.opt != whole) is False and dev.opt != {}
    for merged in (dev.opt | {}, {} | dev.opt, {**dev.opt}):
        assert merged == whole and merged["mode"] is whole["mode"]
    with pytest.raises(TypeError, match="unhashable"):
        hash(dev.opt)


def test_a_program_may_have_options_of_its_own(dev: sane.SaneDev) -> None:
    option = dev["depth"]
    option.cap |= const.CAP_INACTIVE
    with pytest.raises(AttributeError, match=r"^Inactive option: depth$"):
        _ = dev.depth
    dev.opt = {"resolution": dev["resolution"]}
    dev.resolution = 75
    assert dev.resolution == dev.dev.get_option(7) == 75 and dev.optlist == ["resolution"]


@pytest.mark.parametrize(
    ("row", "kind", "text"),
    [
        ((), IndexError, "tuple index out of range"),
        ((1, "x"), IndexError, "tuple index out of range"),
        (5, TypeError, "'int' object is not subscriptable"),
        ({}, KeyError, "0"),
    ],
)
def test_a_row_that_is_none_makes_no_option(row: Any, kind: type[Exception], text: str) -> None:
    with pytest.raises(kind, match=f"^{text}$"):
        sane.Option(row, None)


# D9 to D11: descriptors


class Latin(Fake):
    number = option.Int("Gr\udcf6\udcdfe", "f\udcfcr \u00e4", default=10)


def test_texts_that_are_no_utf_8_are_latin_1(opened: Opened) -> None:
    row = next(row for row in opened(Latin()).get_options() if row[1] == "number")
    assert row[2] == "Größe"
    assert row[3] == "f\u00fcr \u00c3\u00a4"


def test_every_option_can_be_shown(dev: sane.SaneDev, opened: Opened) -> None:
    dev.enable_test_options = True
    assert "Cur value: <not available>\n" in repr(dev["button"])
    assert all(repr(item).count("\n") >= 11 for item in dev.opt.values())
    fake = opened(Fake())
    assert "Cur value: <not available>\n" in repr(fake["hidden"])
    assert "Cur value: <not available, inactive option>\n" in repr(fake["off"])


def test_a_button_can_be_pressed(opened: Opened) -> None:
    fake = Fake()
    device = opened(fake)
    assert device["press"].press() == 0
    assert fake.calls == ["press"]
    for call in (lambda: device.press, lambda: setattr(device, "press", 1)):
        with pytest.raises(AttributeError, match=r"^Buttons don't have values: press$"):
            call()
    with pytest.raises(TypeError, match="number is no button"):
        device["number"].press()


# D12 to D17: values


@pytest.mark.parametrize(
    ("value", "result"),
    [
        *((40000, 1200.0), (1e300, 1200.0), (10**400, 1200.0), (float("inf"), 1200.0)),
        *((-40000, 1.0), (float("-inf"), 1.0), (True, 1.0), (100.5, 101.0)),
        *((np.float32(75), 75.0), (np.float64(75), 75.0), (np.int64(75), 75.0)),
    ],
)
def test_a_real_number_saturates(dev: sane.SaneDev, value: Any, result: float) -> None:
    dev.resolution = value
    assert dev.resolution == result and type(dev.resolution) is float


def test_nan_is_refused(dev: sane.SaneDev) -> None:
    with pytest.raises(ValueError, match=r"^cannot convert float NaN to SANE_FIXED$"):
        dev.resolution = float("nan")
    assert dev.resolution == 50.0


@pytest.mark.parametrize(
    ("value", "result"),
    [
        *((2**40, 2**31 - 1), (-(2**40), -(2**31)), (2**31, 2**31 - 1), (7, 7), (True, 1)),
        *((np.int16(7), 7), (np.uint64(2**63), 2**31 - 1)),
    ],
)
def test_a_whole_number_saturates(dev: sane.SaneDev, value: Any, result: int) -> None:
    dev.enable_test_options = True
    dev.int = value
    assert dev.int == result and type(dev.int) is int


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        *(
            ("int", wrong, "SANE_INT and SANE_BOOL require an integer")
            for wrong in (1.5, "1", None)
        ),
        ("int", np.float32(1), "SANE_INT and SANE_BOOL require an integer"),
        ("hand_scanner", "yes", "SANE_INT and SANE_BOOL require an integer"),
        ("fixed", "1", "SANE_FIXED requires a floating point number"),
        ("fixed", None, "SANE_FIXED requires a floating point number"),
        ("fixed", 1j, "SANE_FIXED requires a floating point number"),
        ("string", b"a", "SANE_STRING requires a string"),
        ("string", 5, "SANE_STRING requires a string"),
        ("string", "\u20ac", "SANE_STRING requires a latin1 string"),
        ("int", [1], "SANE_INT and SANE_BOOL require an integer"),
        ("fixed", (1.0,), "SANE_FIXED requires a floating point number"),
        ("int_constraint_array", [1, 2, 3, 4, 5, 6], "SANE_INT and SANE_BOOL require an integer"),
    ],
)
def test_what_is_no_value_is_told_as_the_original_does(
    dev: sane.SaneDev, name: str, value: object, text: str
) -> None:
    dev.enable_test_options = True
    before = getattr(dev, name)
    with pytest.raises(TypeError, match=f"^{text}$"):
        setattr(dev, name, value)
    assert getattr(dev, name) == before


OUTSIDE = [
    (1 << 31, "signed integer is greater than maximum"),
    (-(1 << 31) - 1, "signed integer is less than minimum"),
    (1 << 70, "Python int too large to convert to C long"),
]


@pytest.mark.parametrize(("number", "text"), OUTSIDE)
def test_a_number_that_is_no_int_of_c_is_told(dev: sane.SaneDev, number: int, text: str) -> None:
    low: Any = dev.dev
    snap: Any = dev.snap
    calls: list[Callable[[Any], object]] = [
        *(low.get_option, low.set_auto_option, lambda number: low.set_option(number, 1)),
        *(sane.get_devices, sane._sane.get_devices, low.snap, snap),
        lambda number: low.snap(0, number),
    ]
    for _ in range(2):
        for call in calls:
            with pytest.raises(OverflowError, match=f"^{text}$"):
                call(number)
        dev.close()
    with pytest.raises(OverflowError, match=r"^Python int too large to convert to C long$"):
        sane._sane.OPTION_IS_ACTIVE(1 << 70)


@pytest.mark.parametrize("number", [None, "x", 1.0])
def test_snap_takes_a_number_first_of_all(dev: sane.SaneDev, number: Any) -> None:
    kind = type(number).__name__
    calls: tuple[Any, ...] = (dev.snap, dev.dev.snap)
    for call in calls:
        with pytest.raises(TypeError, match=f"^'{kind}' object cannot be interpreted as an int"):
            call(number, ())


def test_classes_say_where_programs_find_them(dev: sane.SaneDev) -> None:
    for kind in (sane.SaneDev, sane.Option, sane._SaneIterator):
        assert kind.__module__ == "sane" and getattr(sane, kind.__name__) is kind
    assert repr(dev).startswith("<sane.SaneDev object at")
    names = [name for name in dir(dev.dev) if name[0] != "_"]
    assert names == [
        *("cancel", "close", "fileno", "get_option", "get_options", "get_parameters"),
        *("set_auto_option", "set_option", "snap", "start"),
    ]
    assert {name for name in dir(sane._sane) if name[0].islower()} == {
        *("error", "exit", "get_devices", "init"),
    }


def test_a_vector_is_set_whole_or_its_first_element(dev: sane.SaneDev) -> None:
    dev.enable_test_options = True
    vector = dev["int_constraint_array"]
    vector.value = [1, 2, 3, 4, 5, 2**40]
    assert vector.value == [1, 2, 3, 4, 5, 2**31 - 1] and vector.length == 6
    dev.int_constraint_array = 9
    assert dev.int_constraint_array == 9
    assert vector.value == [9, 2, 3, 4, 5, 2**31 - 1]
    with pytest.raises(ValueError, match="2 elements, not 6"):
        vector.value = (1, 2)
    for wrong in (5, "123456"):
        with pytest.raises(TypeError, match="are no 6 numbers"):
            vector.value = wrong
    with pytest.raises(TypeError, match="an integer"):
        vector.value = "1", 2, 3, 4, 5, 6
    assert vector.value == [9, 2, 3, 4, 5, 2**31 - 1]


def test_the_device_can_choose_a_value(dev: sane.SaneDev, opened: Opened) -> None:
    device = opened(Fake())
    device.quality = 9
    assert device["quality"].is_automatic()
    assert device["quality"].set_auto() == const.INFO_RELOAD_PARAMS
    assert device.quality == 5


def test_texts_are_latin_1_and_cut(dev: sane.SaneDev) -> None:
    dev.enable_test_options = True
    for value, result in (("\xe9\xff", "\xe9\xff"), ("a\0b", "a"), ("x" * 200, "x" * 96)):
        dev.string = value
        assert dev.string == dev["string"].value == result


# Option's additions (python-api 4.3, 10.2)


def test_an_option_tells_what_it_is(dev: sane.SaneDev) -> None:
    resolution, mode, depth = dev["resolution"], dev["mode"], dev["depth"]
    assert (resolution.kind, resolution.unit_name, resolution.length) == ("fixed", "dpi", 1)
    assert (mode.kind, mode.unit_name, mode.length) == ("string", "none", 1)
    assert dev["hand_scanner"].value is False and dev.hand_scanner == 0
    assert resolution.group == "Scan Mode" and dev["tl_x"].group == "Geometry"
    assert dev[""].group == ""
    assert resolution.range is not None
    assert (resolution.range.min, resolution.range.max, resolution.range.quant) == (1, 1200, 1)
    assert resolution.choices is None and mode.range is None
    assert mode.choices == ["Gray", "Color"] and depth.choices == [1, 8, 16]
    assert mode.is_readable() and not mode.is_advanced() and not mode.is_automatic()
    assert dev["print_options"].kind == "button" and dev["print_options"].length == 0
    assert "1 to 1200 in steps of 1 dpi" in resolution.doc and mode.title in mode.doc


def test_the_default_is_the_value_at_open(dev: sane.SaneDev) -> None:
    set_up(dev, resolution=300, mode="Color")
    assert dev["resolution"].default == 50.0 and dev["mode"].default == "Gray"
    assert dev["print_options"].default is None


def test_active_is_of_this_moment(dev: sane.SaneDev) -> None:
    three_pass = dev["three_pass"]
    assert not three_pass.active
    with pytest.raises(AttributeError, match=r"^Inactive option: three_pass$"):
        _ = three_pass.value
    dev["mode"].value = "Color"
    assert three_pass.active and not three_pass.is_active() and dev["three_pass"].is_active()
    assert three_pass.value is False


def test_the_first_that_is_possible_is_set(dev: sane.SaneDev) -> None:
    assert dev["mode"].set_first("Lineart", "Color", "Gray") == "Color"
    assert dev["depth"].set_first(14, 16) == 16 and dev.depth == 16
    assert dev["resolution"].set_first(2400, 600, 300) == 600
    with pytest.raises(ValueError, match=r"mode: none of .* is possible: Gray, Color"):
        dev["mode"].set_first("Halftone")
    assert dev.mode == "Color"


@pytest.mark.parametrize(
    ("name", "value", "result"),
    [
        *(("depth", 5, 8), ("depth", 100, 16), ("resolution", 2400, 1200.0)),
        *(("resolution", 33.3, 33.0), ("mode", "gray", "Gray"), ("hand_scanner", True, True)),
    ],
)
def test_nearest_is_what_the_driver_would_take(
    dev: sane.SaneDev, name: str, value: Any, result: Any
) -> None:
    assert dev[name].nearest(value) == result
    dev[name].value = value
    assert dev[name].value == result


def test_set_returns_what_has_changed(dev: sane.SaneDev) -> None:
    assert dev["mode"].set("Color") == const.INFO_RELOAD_OPTIONS | const.INFO_RELOAD_PARAMS
    assert dev["resolution"].set(100.5) & const.INFO_INEXACT
    assert dev.opt["three_pass"].is_active()
    with pytest.raises(AttributeError, match=r"^Option can't be set by software: $"):
        dev[""].set(5)
