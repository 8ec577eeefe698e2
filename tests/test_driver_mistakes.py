"""What a driver's author does wrong is refused, and told with the place in the driver."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from sane import const, errors, option
from sane.backend import RESERVED, Area, Backend, Context, Device, Parameters, describe
from sane.config import Environment
from sane.handle import Handle
from sane.option import Bool, Fixed, Int, Range, String
from tests.fakes.device import Fake, fake, finishes, number, read, words

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = __file__


def line_of(marker: str) -> str:
    """Return the place of the line of this file that ends in the comment *marker*."""
    with open(HERE, encoding="utf-8") as file:
        lines = [n for n, text in enumerate(file, 1) if text.rstrip().endswith(f"# {marker}")]
    assert len(lines) == 1
    return f"{HERE}:{lines[0]}"


# Names that mean something else


@pytest.mark.parametrize("name", sorted(name for name in RESERVED if not name.startswith("__")))
def test_an_option_that_hides_what_every_device_has_is_refused(name: str) -> None:
    """A silent wait without an effect is harder to find than a refusal."""
    for made in (Int("Title"), option.scan_area(width=1, height=1)):
        with pytest.raises(TypeError, match=rf"Wrong\.{name}: every device has"):
            type("Wrong", (Device,), {name: made})


@pytest.mark.parametrize("name", ["wait", "start", "options", "debug", "cancel_request", "close"])
def test_names_of_every_device_are_reserved(name: str) -> None:
    assert name in RESERVED


def test_an_option_may_be_called_so_with_another_attribute() -> None:
    class Right(Fake):
        wait_ = Int("Wait", name="wait", default=3)

    assert Right().wait_ == 3
    assert Right().wait(0) is False


def test_an_attribute_that_hides_an_inherited_option_is_refused() -> None:
    """It was replaced by the option, silently."""
    for hiding in (5, lambda self: 5, property(lambda self: 5)):
        with pytest.raises(TypeError, match=r"Wrong\.number: .* hides the option"):
            type("Wrong", (Fake,), {"number": hiding})


def test_a_wrong_declaration_is_told_with_its_line() -> None:
    with pytest.raises(TypeError) as caught:

        class Wrong(Fake):
            good = Int("Good")
            other = Int("Other", "", Range(5, 1))  # bad range

    assert "Wrong.other: bad constraint" in str(caught.value)
    assert line_of("bad range") in str(caught.value)


def test_the_place_of_a_declaration_in_a_ready_made_option_is_the_drivers() -> None:
    with pytest.raises(TypeError) as caught:

        class Wrong(Fake):
            mode = option.mode("Color", "Gray", default="Red")  # bad default

    assert line_of("bad default") in str(caught.value)


# What the driver gives its own options


class Own(Fake):
    """Options of every kind of constraint, and a list that depends on another."""

    resolution = option.resolution(75, 150, 300)
    percent = Int("Percent", "", Range(0, 100, 5))
    share = Fixed("Share", "", Range(0, 10))
    flag = Bool("Flag")
    mode = option.mode("Color", "Gray")
    curve = Int("Curve", "", Range(0, 255), length=3, default=(0, 1, 2))
    free = String("Free", "", size=8)
    limit = Int("Limit", "", (1, 2), default=1)
    step = Int("Step", "", None, default=0)

    @step.constrained("limit")
    def _steps(self) -> Any:
        return Range(0, 10 * self.limit)

    @limit.changed
    def _limited(self) -> None:
        self.step = 10 * self.limit  # its constraint is that of the old limit still


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("resolution", 150, 150),
        ("resolution", 100, None),
        ("percent", 50, 50),
        ("percent", 52, 50),
        ("percent", 101, None),
        ("percent", -1, None),
        ("share", 9.999, 9.99899),
        ("share", 10.001, None),
        ("flag", True, True),
        ("flag", 2, None),
        ("mode", "Gray", "Gray"),
        ("mode", "Purple", None),
        ("mode", "P" * 300, None),
        ("mode", 5, None),
        ("curve", (0, 0, 255), (0, 0, 255)),
        ("curve", (0, 0, 256), None),
        ("curve", (0, 0), None),
        ("free", "1234567", "1234567"),
        ("free", "12345678", None),
        ("resolution", "x", None),
    ],
)
def test_what_a_driver_stores_is_within_the_constraint(name: str, value: Any, kept: Any) -> None:
    handle = Handle(Own())
    before = getattr(handle.device, name)
    if kept is None:
        with pytest.raises(errors.Misbehaved, match=name):
            setattr(handle.device, name, value)
        kept = before
    else:
        setattr(handle.device, name, value)
    assert getattr(handle.device, name) == (pytest.approx(kept) if name == "share" else kept)
    handle.close()


def test_the_message_names_the_option_the_value_and_the_constraint() -> None:
    device = Own()
    expected = {
        "resolution": (100, r"resolution: 100 is not in \(75, 150, 300\)"),
        "share": (10.5, r"share: 10.5 is not in 0.0 to 10.0"),
        "mode": ("Purple", r"mode: 'Purple' is not in \('Color', 'Gray'\)"),
    }
    for name, (value, text) in expected.items():
        with pytest.raises(errors.Misbehaved, match=text):
            setattr(device, name, value)


def test_a_constraint_that_a_method_gives_counts_when_it_is_known() -> None:
    handle = Handle(Own())
    device: Any = handle.device
    device.step = 10
    with pytest.raises(errors.Misbehaved, match="step: 11 is not in 0 to 10"):
        device.step = 11
    handle.set(number(handle, "limit"), words(2))
    assert device.step == 20
    handle.close()


def test_a_value_from_before_the_constraint_is_rounded_into_it() -> None:
    class Early(Own):
        def __init__(self) -> None:
            super().__init__()
            self.step = 1000  # what _steps needs may not be there yet

    handle = Handle(Early())
    assert Early().step == 1000
    assert handle.device.step == 10  # type: ignore[attr-defined]
    handle.close()


def test_a_mistake_is_told_with_the_drivers_line() -> None:
    class Wrong(Fake):
        resolution = option.resolution(75, 150)

        def start(self) -> None:
            self.resolution = 100  # own mistake

    handle = Handle(Wrong())
    with pytest.raises(errors.Misbehaved) as caught:
        handle.start()
    assert describe("start", caught.value).endswith(f" ({line_of('own mistake')})")
    handle.close()


def test_a_mistake_inside_the_framework_is_told_with_the_line_that_led_there() -> None:
    class Wrong(Fake):
        def parameters(self) -> Parameters:
            return Parameters.for_area("gray", None, 300)  # type: ignore[arg-type] # led there

    handle = Handle(Wrong())
    with pytest.raises(AttributeError) as caught:
        handle.parameters()
    assert describe("parameters", caught.value).endswith(f" ({line_of('led there')})")
    handle.close()


def test_a_status_has_no_place() -> None:
    handle = Handle(Fake())
    fake(handle).fails["start"] = errors.Jammed("tray 2")
    with pytest.raises(errors.Jammed) as caught:
        handle.start()
    assert describe("start", caught.value) == "start: Jammed: tray 2"
    handle.close()


# What is returned where nothing is expected


def with_answer(method: str) -> Handle:
    """Return a handle of a device whose *method* does its work and returns 7."""
    original: Callable[..., None] = getattr(Fake, method)

    def wrong(self: Any, *arguments: Any) -> int:
        original(self, *arguments)
        return 7

    return Handle(type("Wrong", (Fake,), {method: wrong})())


def test_a_start_that_returns_something_has_failed() -> None:
    handle = with_answer("start")
    with pytest.raises(errors.Misbehaved, match="start returned 7"):
        handle.start()
    assert finishes(handle) == ["finish True"]
    handle.close()


@pytest.mark.parametrize("method", ["finish", "close"])
def test_what_finish_and_close_return_is_told(
    method: str, capfd: pytest.CaptureFixture[str]
) -> None:
    handle = with_answer(method)
    handle.start()
    handle.close()
    assert f"{method} returned 7" in capfd.readouterr().err


def test_a_changed_method_that_returns_something_has_failed() -> None:
    class Wrong(Fake):
        knob = Int("Knob", "", Range(0, 10))

        @knob.changed
        def _turned(self) -> Any:
            return errors.Invalid("no")  # returned, not raised

    handle = Handle(Wrong())
    with pytest.raises(errors.Misbehaved, match="knob: changed returned"):
        handle.set(number(handle, "knob"), words(5))
    assert handle.device.knob == 0  # type: ignore[attr-defined]
    handle.close()


@pytest.mark.parametrize("answer", [100, 151, "x", None])
def test_what_on_set_returns_is_within_the_constraint(answer: Any) -> None:
    class Wrong(Fake):
        resolution = option.resolution(75, 150)

        @resolution.on_set
        def _effective(self, value: int) -> Any:
            return answer

    handle = Handle(Wrong())
    with pytest.raises(errors.Misbehaved, match=f"on_set returned {answer!r}"):
        handle.set(number(handle, "resolution"), words(150))
    handle.close()


# Frames that are cut off


@pytest.mark.parametrize("blocking", ["", "thread"])
def test_a_frame_that_ends_early_is_told(blocking: str, capfd: pytest.CaptureFixture[str]) -> None:
    class Short(Fake):
        def start(self) -> None:
            super().start()
            self.left = 25

    device = Short()
    device.debug.level = 1
    device.blocking = blocking
    handle = Handle(device)
    handle.start()
    assert b"".join(iter(lambda: attempt(handle), b"")) == b"\x55" * 25
    assert "the frame ended after 25 of 40 bytes" in capfd.readouterr().err
    handle.close()


@pytest.mark.parametrize("lines", [4, -1])
def test_a_whole_frame_and_one_of_unknown_length_end_in_silence(
    lines: int, capfd: pytest.CaptureFixture[str]
) -> None:
    device = Fake()
    device.debug.level = 1
    device.lines = lines
    handle = Handle(device)
    handle.start()
    assert len(b"".join(iter(lambda: attempt(handle), b""))) == 40
    assert "ended" not in capfd.readouterr().err
    handle.close()


def attempt(handle: Handle) -> bytes:
    try:
        return read(handle)
    except errors.EndOfFrame:
        return b""


# What is there in __init__


def test_wait_and_debug_exist_in_init(capfd: pytest.CaptureFixture[str]) -> None:
    class Early(Fake):
        def __init__(self) -> None:
            self.debug(0, "opening %d", 1)
            assert self.wait(0) is False
            self.level = self.debug.level
            super().__init__()

    class Makes(Backend):
        def open(self, name: str) -> Device:
            return Early()

    Early()
    assert "[Early] opening 1" in capfd.readouterr().err
    backend = Makes("acme", Context(Environment({"SANE_DEBUG_ACME": "3"})))
    device: Any = backend.open_device("x")
    assert device.level == 3
    said = capfd.readouterr().err
    assert "[acme] opening 1" in said
    assert said.count("Setting debug level") == 1


# Lengths


@pytest.mark.parametrize(
    ("mm", "dpi", "expected"),
    [
        (25.4, 300, 300),
        (215.9, 300, 2550),
        (279.4, 300, 3300),
        (355.6, 600, 8400),
        (215.9, 1200, 10200),
        (2.54, 100, 10),
        (12.7, 75, 37),
        (210.0, 300, 2480),
        (297.0, 300, 3507),
    ],
)
def test_an_area_of_round_inches_has_all_its_pixels(mm: float, dpi: int, expected: int) -> None:
    class Measured(Fake):
        area = option.scan_area(width=400.0, height=400.0)

    device: Any = Measured()
    device.tl_x, device.tl_y = 0.0, 0.0
    device.br_x = device.br_y = mm
    for left in (0.0, 10.3):
        device.tl_x, device.br_x = left, left + mm
        params = Parameters.for_area(const.FRAME_GRAY, device.area, dpi)
        assert (params.pixels_per_line, params.lines) == (expected, expected)


def test_an_empty_area_has_one_pixel() -> None:
    params = Parameters.for_area(const.FRAME_GRAY, Area(5, 5, 5, 5), 300)
    assert (params.pixels_per_line, params.lines) == (1, 1)
