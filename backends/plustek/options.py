"""The options of a unit, in the original's order, and what hangs on them.

It knows the unit and values; what a lamp, a button or a calibration needs is the device's. Names,
order, constraints, defaults and side effects are those of the original backend of this name.
Source: specification plustek 5.
"""

from __future__ import annotations

from ...backend import (
    CAP_ADVANCED,
    CAP_AUTOMATIC,
    CAP_INACTIVE,
    INFO_RELOAD_OPTIONS,
    INFO_RELOAD_PARAMS,
    UNIT_BIT,
    UNIT_DPI,
    UNIT_MM,
    UNIT_PERCENT,
    Device,
    Range,
    option,
)
from ...option import WORD_SIZE, Bool, Button, Fixed, Group, Int, String
from .chip import GAMMA_ENTRIES
from .models import NEGATIVE, NORMAL, TRANSPARENCY
from .plan import COLOR, GRAY, LINEART, MM_PER_INCH, UNITS_PER_INCH, Request
from .settings import Settings
from .tables import MOST, curve

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .calibration import Wanted
    from .models import Unit

RELOAD_ALL = INFO_RELOAD_OPTIONS | INFO_RELOAD_PARAMS
LEAST_DPI, LEAST_FILM_DPI, DPI_STEP = 50, 150, 25
MOST_SECONDS, MOST_CODE, MOST_LAMP = 999, 63, 16363
AREAS = {  # what a source presets: tl-x, tl-y, br-x, br-y
    NORMAL: (0.0, 0.0, 103.0, 76.21),
    TRANSPARENCY: (3.5, 10.5, 38.5, 33.5),
    NEGATIVE: (1.5, 1.5, 37.5, 25.5),
}
FILM_SIZES = {TRANSPARENCY: (500, 510), NEGATIVE: (460, 350)}  # units that can be chosen
LARGE_FILM = (1270, 1570)
MODE_BYTES, SOURCE_BYTES = 8, 13
COLORS = ("red", "green", "blue")
TABLES = ("gamma_table", "red_gamma_table", "green_gamma_table", "blue_gamma_table")
DEFAULT_AREA = AREAS[NORMAL]


def _group(title: str, cap: int = 0) -> Group:
    """Return a group of the size that the original's groups have."""
    found = Group(title, cap=cap)
    found.size = WORD_SIZE
    return found


def _button(title: str, desc: str) -> Button:
    found = Button(title, desc, reloads=INFO_RELOAD_OPTIONS)
    found.size = WORD_SIZE
    found.cap |= CAP_AUTOMATIC
    return found


def _edge(title: str, preset: float) -> Fixed:
    side = title.lower().replace("-", " ")
    return Fixed(
        *(title, f"Scan area: {side} position.", Range(0, 1000)),
        unit=UNIT_MM,
        default=preset,
        reloads=INFO_RELOAD_PARAMS,
    )


def _code(title: str, desc: str, most: int = MOST_CODE) -> Int:
    return Int(title, desc, Range(-1, most, 1), default=-1)


def _percent(title: str, desc: str, **rest: Any) -> Fixed:
    return Fixed(title, desc, Range(-100, 100, 1), unit=UNIT_PERCENT, default=0, **rest)


def _scanner_button(number: int) -> Bool:
    found = option.latched(
        f"Scanner button {number}",
        "This option reflects the status of the scanner buttons.",
        name=f"button {number}",
    )
    found.default = False
    return found


def _is_not_lineart(device: Any) -> bool:
    return bool(device.mode != LINEART)


class PlustekOptions(Device):
    """The options; options_for() makes them those of a unit."""

    may_raise_sigpipe = False
    sets_always = True  # and tells what to reload
    name_characters = " "
    unit: Unit
    settings: Settings

    mode_group = _group("Scan Mode")
    mode = String(
        *("Scan mode", "Scan in colour, gray or black and white.", (LINEART, GRAY, COLOR)),
        size=MODE_BYTES,
        default=COLOR,
        reloads=RELOAD_ALL,
    )
    depth = Int(
        *("Bit depth", "Bits per sample.", (8, 16)),
        unit=UNIT_BIT,
        active=_is_not_lineart,
        depends=("mode",),
        reloads=INFO_RELOAD_PARAMS,
    )
    source = String(
        *("Scan source", "Where the paper lies.", (NORMAL, TRANSPARENCY, NEGATIVE)),
        size=SOURCE_BYTES,
        reloads=RELOAD_ALL,
    )
    resolution = Int(
        *("Scan resolution", "Resolution of the scan.", Range(LEAST_DPI, 1200)),
        unit=UNIT_DPI,
        reloads=INFO_RELOAD_PARAMS,
    )
    preview = Bool("Preview", "Scan quickly rather than well.", reloads=INFO_RELOAD_PARAMS)

    geometry_group = _group("Geometry", CAP_ADVANCED)
    tl_x = _edge("Top-left x", DEFAULT_AREA[0])
    tl_y = _edge("Top-left y", DEFAULT_AREA[1])
    br_x = _edge("Bottom-right x", DEFAULT_AREA[2])
    br_y = _edge("Bottom-right y", DEFAULT_AREA[3])

    enhancement_group = _group("Enhancement")
    brightness = _percent("Brightness", "How bright the image is.")
    contrast = _percent(
        *("Contrast", "How much black and white differ."),
        active=_is_not_lineart,
        depends=("mode",),
    )
    gamma = option.gamma_tables(_is_not_lineart, entries=GAMMA_ENTRIES, most=MOST, is_separate=True)

    device_group = _group("Device-Settings")
    lamp_switch = Bool("Lampswitch", "Manually switching the lamp(s).")
    lampoff_time = Int("Lampoff-time", "Lampoff-time in seconds.", Range(0, MOST_SECONDS, 1))
    lamp_off_at_exit = Bool("Lamp off at exit", "Always switches lamp off when leaving.")
    warmup_time = Int("Warmup-time", "Warmup-time in seconds.", Range(-1, MOST_SECONDS, 1))
    lamp_off_during_dcal = Bool(
        *("Lamp off during dark calibration",),
        "Always switches lamp off when doing dark calibration.",
    )
    calibration_cache = Bool(
        *("Calibration data cache", "Enables or disables calibration data cache."),
        reloads=INFO_RELOAD_OPTIONS,
    )
    speedup_switch = Bool("Speedup sensor", "Enables or disables speeding up sensor movement.")
    calibrate = _button("Calibrate", "Performs calibration")

    front_end_group = _group("Analog frontend", CAP_ADVANCED)
    red_gain = _code("Red gain", "Red gain value of the AFE")
    green_gain = _code("Green gain", "Green gain value of the AFE")
    blue_gain = _code("Blue gain", "Blue gain value of the AFE")
    red_offset = _code("Red offset", "Red offset value of the AFE")
    green_offset = _code("Green offset", "Green offset value of the AFE")
    blue_offset = _code("Blue offset", "Blue offset value of the AFE")
    redlamp_off = _code("Red lamp off", "Defines red lamp off parameter", MOST_LAMP)
    greenlamp_off = _code("Green lamp off", "Defines green lamp off parameter", MOST_LAMP)
    bluelamp_off = _code("Blue lamp off", "Defines blue lamp off parameter", MOST_LAMP)

    buttons_group = _group("Buttons", CAP_ADVANCED)
    button_0 = _scanner_button(0)
    button_1 = _scanner_button(1)
    button_2 = _scanner_button(2)
    button_3 = _scanner_button(3)
    button_4 = _scanner_button(4)

    # What hangs on what

    @resolution.on_set
    def _nearest(self, dpi: int) -> int:
        """Take the nearest of 50, 75, 100 and so on."""
        return (dpi + DPI_STEP // 2) // DPI_STEP * DPI_STEP

    @mode.constrained("source")
    def _modes(self) -> tuple[str, ...]:
        return (LINEART, GRAY, COLOR) if self.source == NORMAL else (COLOR,)

    @resolution.constrained("source")
    def _resolutions(self) -> Range:
        least = LEAST_DPI if self.source == NORMAL else LEAST_FILM_DPI
        return Range(least, 2 * self.unit.optical_dpi)

    @tl_x.constrained("source")
    def _left(self) -> Range:
        return Range(0, self.limits()[0])

    @br_x.constrained("source")
    def _right(self) -> Range:
        return Range(0, self.limits()[0])

    @tl_y.constrained("source")
    def _top(self) -> Range:
        return Range(0, self.limits()[1])

    @br_y.constrained("source")
    def _bottom(self) -> Range:
        return Range(0, self.limits()[1])

    def limits(self) -> tuple[int, int]:
        """Return the whole mm of the area that the source has."""
        unit = self.unit
        size = (unit.width, unit.height)
        if self.source != NORMAL:
            size = LARGE_FILM if unit.has_large_film else FILM_SIZES[self.source]
        width, height = (int(extent / UNITS_PER_INCH * MM_PER_INCH) for extent in size)
        return width, height

    @source.changed
    def _source_changed(self) -> None:
        """Preset mode and area as the original does."""
        self.mode = COLOR
        self.tl_x, self.tl_y, self.br_x, self.br_y = AREAS[self.source]
        if self.source != NORMAL:
            self.resolution = max(self.resolution, LEAST_FILM_DPI)
        if self.lamp_switch:
            self.switch_lamp(is_on=True)

    @lamp_switch.changed
    def _lamp_switched(self) -> None:
        self.switch_lamp(is_on=self.lamp_switch)

    @lampoff_time.changed
    def _lamp_time_changed(self) -> None:
        self.lamp_time_changed()

    @calibrate.changed
    def _calibrate_pressed(self) -> None:
        self.toggle_calibrating()

    # What the device does

    def switch_lamp(self, *, is_on: bool) -> None:
        """Switch the lamp now."""
        raise NotImplementedError

    def lamp_time_changed(self) -> None:
        """Begin anew to count the time after which the lamp goes off."""
        raise NotImplementedError

    def toggle_calibrating(self) -> None:
        """Calibrate for all modes, or end that."""
        raise NotImplementedError

    # What the options say

    def request(self) -> Request:
        """Return what the options ask for."""
        kind = type(self)
        edges = (kind.tl_x, kind.tl_y, kind.br_x, kind.br_y)
        words = tuple(memoryview(self.options.read(edge)).cast("i")[0] for edge in edges)
        depth = 8 if self.unit.has("D8") else self.depth
        left, top, right, bottom = words
        request = Request(
            *(self.unit, self.mode, depth, self.resolution),
            (left, top, right, bottom),
        )
        request.source = self.source
        return request

    def wanted(self) -> Wanted:
        """Return what the options fix of a calibration."""
        from .calibration import Wanted

        gains = tuple(getattr(self, f"{color}_gain") for color in COLORS)
        offsets = tuple(getattr(self, f"{color}_offset") for color in COLORS)
        lamps = tuple(getattr(self, f"{color}lamp_off") for color in COLORS)
        return Wanted(gains, offsets, lamps, uses_dark_strip=not self.lamp_off_during_dcal)


def presets_of(unit: Unit, settings: Settings) -> list[tuple[int, ...]]:
    """Return the curves for gray, red, green and blue."""
    gammas = [settings.gamma(color, unit.hardware.gamma) for color in ("gray", *COLORS)]
    made = {gamma: curve(gamma) for gamma in set(gammas)}
    return [made[gamma] for gamma in gammas]


def options_for(
    base: type[PlustekOptions], unit: Unit, settings: Settings, *, has_film_unit: bool
) -> Any:
    """Return *base* with the options as *unit* and its section of plustek.conf have them."""
    own: dict[str, Any] = {"__module__": base.__module__, "unit": unit, "settings": settings}
    inactive = set()

    def changed(name: str) -> Any:
        own[name] = getattr(base, name).clone()
        return own[name]

    changed("depth").constrain((8, 14 if unit.sends_14_bits else 16))
    if unit.has("D8"):
        own["depth"].active = None
        inactive.add("depth")
    changed("resolution").constrain(Range(LEAST_DPI, 2 * unit.optical_dpi))
    if not has_film_unit:
        changed("source").constrain((NORMAL, TRANSPARENCY, NEGATIVE))
        inactive.add("source")
    own["gamma"] = option.gamma_tables(
        *(_is_not_lineart,),
        entries=GAMMA_ENTRIES,
        most=MOST,
        presets=presets_of(unit, settings),
        is_separate=True,
    )
    own["gamma"].options["custom_gamma"].changed_hook = _custom_changed
    own["gamma"].options["custom_gamma"].reloads = RELOAD_ALL
    for name in TABLES:
        own["gamma"].options[name].reloads = INFO_RELOAD_PARAMS
    preset_of_settings(changed, unit, settings)
    if unit.is_cis:
        inactive.add("warmup_time")
    else:
        inactive |= {f"{color}lamp_off" for color in COLORS}
    if unit.dark_y < 0:
        inactive.add("lamp_off_during_dcal")
    if not unit.hardware.high_speed:
        inactive.add("speedup_switch")
    can_calibrate = unit.is_cis or settings.has("altCalibration")
    if can_calibrate:
        calibrate = changed("calibrate")
        calibrate.active = lambda device: device.calibration_cache
        calibrate.depends = ("calibration_cache",)
    else:
        inactive.add("calibrate")
    inactive |= {f"button_{number}" for number in range(unit.buttons, 5)}
    for name in inactive:
        (own.get(name) or changed(name)).cap |= CAP_INACTIVE
    return type(base.__name__, (base,), own)


def _custom_changed(device: Any) -> None:
    """Forget custom tables that are not used any more."""
    if not device.custom_gamma:
        type(device).gamma.reset(device)


def preset_of_settings(changed: Any, unit: Unit, settings: Settings) -> None:
    """Preset what plustek.conf has, within the options' limits."""

    def limited(key: str, low: int, high: int) -> int:
        return max(low, min(high, settings.number(key)))

    changed("lampoff_time").default = limited("lampOff", 0, MOST_SECONDS)
    changed("lamp_off_at_exit").default = settings.has("lOffOnEnd")
    warmup = changed("warmup_time")
    warmup.default = 0 if unit.is_cis else limited("warmup", -1, MOST_SECONDS)
    changed("lamp_off_during_dcal").default = settings.has("skipDarkStrip")
    changed("calibration_cache").default = settings.has("cacheCalData")
    changed("speedup_switch").default = not settings.has("disableSpeedup")
    for color in COLORS:
        changed(f"{color}_gain").default = limited(f"{color}_gain", -1, MOST_CODE)
        value = settings.number(f"{color}_offset")
        changed(f"{color}_offset").default = -1 if value == -1 else value & 0x3F
        changed(f"{color}lamp_off").default = limited(f"{color}_lampoff", -1, MOST_LAMP)
