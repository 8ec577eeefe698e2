"""The options that frontends know by name (standard 4.5), ready to be declared in one statement.

What frontends call them, and which unit they expect, stands here and nowhere else.
"""

from __future__ import annotations

from .. import const
from ..errors import Misbehaved
from ..param import Area
from .kinds import Bool, Fixed, Int, OptionSet, Range, String, words_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from .kinds import Condition

    Class = type

COLOR_MODES = ("Color",)  # of the option mode, in which each colour has a gamma table
GRAY_MODES = ("Gray",)  # in which a table for gray alone is of use
GAMMA_ENTRIES, GAMMA_MOST = 256, 255
GAMMA_TABLES = (
    *(("Image", "gamma_table"), ("Red", "red_gamma_table")),
    *(("Green", "green_gamma_table"), ("Blue", "blue_gamma_table")),
)


class BedLimit:
    """The constraint of a corner: how far it may go on the bed of the device's source.

    follows: an attribute that stays at the far edge of the bed if it lies there.
    """

    __slots__ = ("axis", "beds", "follows")

    def __init__(self, beds: dict[str, tuple[float, float]], axis: int, follows: str) -> None:
        self.beds = beds
        self.axis = axis
        self.follows = follows

    def __call__(self, device: Any) -> Range:
        if device.source not in self.beds:
            raise Misbehaved(f"scan_area: no bed for source {device.source!r}")
        limit = self.beds[device.source][self.axis]
        if self.follows:
            corner = getattr(type(device), self.follows)
            before = device.options.constraints[corner.index]
            if device.options.read(corner) == words_bytes((before.max,)):
                device.options.write(corner, corner.encode(limit))
        return Range(0, limit)


class ScanArea(OptionSet):
    """The four corners tl-x, tl-y, br-x, br-y in mm; the attribute is an Area in order."""

    def __init__(
        self,
        width: float,
        height: float,
        active: Condition | None,
        beds: Mapping[str, tuple[float, float]] | None = None,
    ) -> None:
        super().__init__()
        self.beds = dict(beds or {})
        if self.beds:
            width, height = next(iter(self.beds.values()))
        for name, title, axis, limit, value in (
            ("tl_x", "Top-left x", 0, width, 0),
            ("tl_y", "Top-left y", 1, height, 0),
            ("br_x", "Bottom-right x", 0, width, width),
            ("br_y", "Bottom-right y", 1, height, height),
        ):
            option = self.options[name] = corner(title, Range(0, limit), value, active)
            if self.beds:
                option.constrained("source")(BedLimit(self.beds, axis, name if value else ""))

    def __get__(self, device: Any, owner: Class | None = None) -> Any:
        if device is None:
            return self
        return Area(device.tl_x, device.tl_y, device.br_x, device.br_y)


def corner(title: str, limits: Range, default: float, active: Condition | None) -> Fixed:
    """Return one corner of the scan area (standard 4.5.4): mm, reloads the parameters."""
    side = title.lower().replace("-", " ")
    return Fixed(
        title,
        f"Scan area: {side} position.",
        limits,
        unit=const.UNIT_MM,
        default=default,
        active=active,
        reloads=const.INFO_RELOAD_PARAMS,
    )


def scan_area(
    width: float = 0,
    height: float = 0,
    active: Condition | None = None,
    *,
    beds: Mapping[str, tuple[float, float]] | None = None,
) -> ScanArea:
    """Return the scan area options for a bed of width x height mm, preset to all of it.

    beds: instead, width and height by value of the option ``source``, the first preset. Another
    source cuts the area to its bed; an area that reached the far edges of the old bed reaches
    those of the new one.
    """
    return ScanArea(width, height, active, beds)


def mode(*choices: str, **rest: Any) -> String:
    """Return the option ``mode`` with the usual names Color, Gray, Lineart; the first is preset."""
    rest.setdefault("reloads", const.INFO_RELOAD_PARAMS)
    desc = rest.pop("desc", "Scan in colour, gray or black and white.")
    return String("Scan mode", desc, choices, name="mode", **rest)


def source(*choices: str, **rest: Any) -> String:
    """Return the option ``source`` with the usual names Flatbed, ADF, ADF Duplex."""
    rest.setdefault("reloads", const.INFO_RELOAD_PARAMS)
    desc = rest.pop("desc", "Where the paper lies.")
    return String("Scan source", desc, choices, name="source", **rest)


def depth(*choices: int, **rest: Any) -> Int:
    """Return the option ``depth`` in bits per sample; the first is preset."""
    rest.setdefault("reloads", const.INFO_RELOAD_PARAMS)
    rest.setdefault("unit", const.UNIT_BIT)
    desc = rest.pop("desc", "Bits per sample.")
    return Int("Bit depth", desc, choices, name="depth", **rest)


def resolution(*choices: int, **rest: Any) -> Int:
    """Return the option ``resolution`` in dpi; the first is preset."""
    rest.setdefault("reloads", const.INFO_RELOAD_PARAMS)
    desc = rest.pop("desc", "Resolution of the scan.")
    return Int("Scan resolution", desc, choices, name="resolution", unit=const.UNIT_DPI, **rest)


def preview(**rest: Any) -> Bool:
    """Return the option ``preview`` (standard 4.5.3): speed matters more than quality."""
    desc = rest.pop("desc", "Scan quickly rather than well.")
    return Bool("Preview", desc, name="preview", **rest)


class GammaTables(OptionSet):
    """custom-gamma, gamma-table and one table for each colour; the attribute is what they mean.

    It is one table for gray and three for colour: the presets unless custom tables are used.
    image.gamma.resampled makes of them what a scanner wants. See gamma_tables().
    """

    def __init__(
        self,
        active: Condition | None,
        entries: int = GAMMA_ENTRIES,
        most: int = GAMMA_MOST,
        presets: Sequence[Sequence[int]] = (),
        *,
        is_separate: bool = False,
    ) -> None:
        super().__init__()
        straight = tuple(i * most // (entries - 1) for i in range(entries))
        self.presets = tuple(tuple(table) for table in presets) or (straight,) * 4
        self.is_separate = is_separate
        desc = "Use the gamma tables below."
        depends = ("mode",) if active is not None else ()
        self.options["custom_gamma"] = Bool(
            "Use custom gamma table", desc, active=active, depends=depends
        )
        for (color, attribute), preset in zip(GAMMA_TABLES, self.presets, strict=True):
            is_base = attribute == GAMMA_TABLES[0][1]
            is_shown = _needs_color
            if is_base:
                is_shown = _needs_gray if is_separate else _is_custom
            self.options[attribute] = Int(
                f"{color} intensity",
                f"What each {color.lower()} sample becomes.",
                Range(0, most),
                length=entries,
                default=preset,
                active=is_shown,
                depends=("custom_gamma", "mode") if is_shown != _is_custom else ("custom_gamma",),
            )

    def __get__(self, device: Any, owner: Class | None = None) -> Any:
        if device is None:
            return self
        is_color = device.mode in COLOR_MODES
        if not device.custom_gamma:
            return list(self.presets[1:] if is_color else self.presets[:1])
        base = device.gamma_table
        if not is_color:
            return [base]
        tables = device.red_gamma_table, device.green_gamma_table, device.blue_gamma_table
        if self.is_separate:
            return list(tables)
        return [tuple(table[value] for value in base) for table in tables]

    def reset(self, device: Any) -> None:
        """Make all tables what they are preset to."""
        for (_, attribute), preset in zip(GAMMA_TABLES, self.presets, strict=True):
            setattr(device, attribute, preset)


def _is_custom(device: Any) -> bool:
    return bool(device.custom_gamma)


def _needs_color(device: Any) -> bool:
    return bool(device.custom_gamma) and device.mode in COLOR_MODES


def _needs_gray(device: Any) -> bool:
    return bool(device.custom_gamma) and device.mode in GRAY_MODES


def gamma_tables(
    active: Condition | None = None,
    *,
    entries: int = GAMMA_ENTRIES,
    most: int = GAMMA_MOST,
    presets: Sequence[Sequence[int]] = (),
    is_separate: bool = False,
) -> GammaTables:
    """Return custom-gamma and the four gamma tables; the device has option.mode.

    entries, most: how many values a table has, and the greatest. presets: the tables for gray, red,
    green and blue that count without custom ones, straight lines by default. is_separate: the first
    table is for gray alone; otherwise colours pass it, too, before their own. active: under which
    condition, on the mode, custom-gamma can be used.
    """
    return GammaTables(active, entries, most, presets, is_separate=is_separate)


def latched(title: str, desc: str = "", **rest: Any) -> Bool:
    """Return an option for a button of the scanner: true once for each time it was pressed.

    A press is kept until a frontend has read it. Device.pressed_buttons() asks the scanner, which
    is left alone while a frame is read. If asking fails, so does the GET, and nothing is lost.
    """
    rest.setdefault("cap", const.CAP_SOFT_DETECT | const.CAP_HARD_SELECT | const.CAP_ADVANCED)
    found = Bool(title, desc, **rest)
    found.on_get(lambda device: device.take_press(found.attribute))
    return found
