"""The options of a driverless scanner, and what hangs on them: shared by eSCL and WS-Scan.

It knows capabilities and values, and talks to nobody. Names, order and defaults are those that
frontends know from the original clients of these protocols. Source: specification escl 3.4 to 3.7.
"""

from __future__ import annotations

from ...backend import (
    CAP_ADVANCED,
    CAP_SOFT_DETECT,
    CAP_SOFT_SELECT,
    INFO_RELOAD_OPTIONS,
    INFO_RELOAD_PARAMS,
    UNIT_PERCENT,
    Device,
    Range,
    option,
    when,
)
from ...option import Bool, Fixed, Group, Int, String, corner
from ...param import fix
from . import choice
from .capabilities import ADF, ADF_DUPLEX, COLOR, GRAY, LINEART, SOURCES, Kind
from .tone import LEAST_GAMMA, MOST_GAMMA, Tone
from .window import Window

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from .capabilities import Bed, Capabilities, Scale
    from .choice import Formats

BOTH = INFO_RELOAD_OPTIONS | INFO_RELOAD_PARAMS
ANY_RANGE = Range(0, 100)  # until the capabilities are known
UNSET = "*unset*"
INTENTS = (
    *("Auto", "Document", "Text and Graphic", "Photo", "Preview"),
    *("3D Object", "Business Card", "Halftone"),
)
MIDDLE = 50.0  # percent of the threshold
MOST_PAGES = 10_000
PERCENT = Range(-100, 100, 1)
PART = Range(0, 100, 1)
READ_ONLY = CAP_SOFT_DETECT | CAP_ADVANCED
ADVANCED = CAP_SOFT_SELECT | READ_ONLY


def _is_fed(device: Any) -> bool:
    return device.source in (ADF, ADF_DUPLEX)


def _percent(title: str, desc: str, limits: Range, default: float) -> Fixed:
    return Fixed(title, desc, limits, unit=UNIT_PERCENT, default=default)


class DriverlessOptions(Device):
    """The options; *capabilities* and *formats* are those of the scanner at hand."""

    may_raise_sigpipe = False
    capabilities: Capabilities
    formats: Formats

    standard_group = Group("Scan mode")
    resolution = option.resolution(choice.USUAL_DPI, reloads=INFO_RELOAD_PARAMS)
    mode = option.mode(COLOR, GRAY, LINEART, reloads=BOTH)
    scan_intent = String(
        "Scan intent", "What is scanned, as the scanner sees it.", (UNSET, *INTENTS)
    )
    source = option.source(*SOURCES, reloads=BOTH)
    depth = option.depth(
        *(1, 8, 16),
        default=8,
        reloads=BOTH,
        depends=("source", "mode"),
        active=lambda d: d.mode != LINEART and len(d.depths()) > 1,
    )

    geometry_group = Group("Geometry")
    tl_x = corner("Top-left x", ANY_RANGE, 0, None)
    tl_y = corner("Top-left y", ANY_RANGE, 0, None)
    br_x = corner("Bottom-right x", ANY_RANGE, 0, None)
    br_y = corner("Bottom-right y", ANY_RANGE, 0, None)
    preview = option.preview(reloads=BOTH)

    enhancement_group = Group("Enhancement")
    brightness = _percent("Brightness", "How much brighter the image becomes.", PERCENT, 0)
    contrast = _percent("Contrast", "How much more contrast the image gets.", PERCENT, 0)
    shadow = _percent("Shadow", "What becomes black: this and all that is darker.", PART, 0)
    highlight = _percent(
        "Highlight", "What becomes white: this and all that is brighter.", PART, 100
    )
    analog_gamma = Fixed(
        "Analog gamma correction",
        "Makes middle tones brighter, above 1, or darker.",
        Range(LEAST_GAMMA, MOST_GAMMA),
        default=1.0,
    )
    negative = Bool("Negative", "Swap black and white.")
    sharpen = Int(
        "Sharpen",
        "How much the scanner sharpens the image.",
        ANY_RANGE,
        active=lambda d: "Sharpen" in d.capabilities.adjusts,
    )
    threshold = Fixed(
        "Threshold",
        "From which brightness on a pixel of line art is white.",
        PART,
        unit=UNIT_PERCENT,
        default=MIDDLE,
        active=when(mode=LINEART),
    )

    advanced_group = Group("Advanced", cap=CAP_ADVANCED)
    adf_justification_x = String(
        "ADF width justification",
        "Where narrow sheets lie in the feeder.",
        size=16,
        cap=READ_ONLY,
        active=lambda d: bool(d.capabilities.justification[0]),
    )
    adf_justification_y = String(
        "ADF height justification",
        "Where short sheets begin in the feeder.",
        size=16,
        cap=READ_ONLY,
        active=lambda d: bool(d.capabilities.justification[1]),
    )
    adf_crop = Bool(
        "Crop to the sheet",
        "End a page of the feeder where the sheet ends, instead of filling it up with white.",
        cap=ADVANCED,
        reloads=INFO_RELOAD_PARAMS,
        active=_is_fed,
        depends=("source",),
    )
    compression_factor = Int(
        "Compression",
        "How much the scanner compresses images; the lowest value is the best quality.",
        ANY_RANGE,
        cap=ADVANCED,
        active=lambda d: d.capabilities.compression is not None,
    )
    page_count = Int(
        "Number of pages",
        "After how many pages of the feeder a job ends; 0 for all.",
        Range(0, MOST_PAGES, 1),
        cap=ADVANCED,
        active=_is_fed,
        depends=("source",),
    )

    def prepare(self, capabilities: Capabilities, formats: Formats) -> None:
        """Preset everything as the scanner allows it; leaves out sources of which nothing is read.

        Raises Unsupported if no source is left.
        """
        beds = capabilities.beds
        capabilities.beds = {n: bed for n, bed in beds.items() if choice.modes(bed, formats)}
        if not capabilities.beds:
            raise choice.unreadable(list(beds.values()), formats)
        self.capabilities = capabilities
        self.formats = formats
        self.source = next(iter(capabilities.beds))
        self._selected = bed = self.bed
        self.mode = self.modes()[0]
        self.depth = self.depths()[0]
        self.resolution = choice.usual(self.offered())
        self.br_x, self.br_y = bed.width, bed.height
        self.adf_justification_x, self.adf_justification_y = capabilities.justification
        sharpen, compression = capabilities.adjusts.get("Sharpen"), capabilities.compression
        if sharpen is not None:
            self.sharpen = sharpen.normal
        if compression is not None:
            self.compression_factor = compression.low

    # What the values mean together

    @property
    def bed(self) -> Bed:
        """The source that is selected."""
        return self.capabilities.beds[self.source]

    def modes(self) -> tuple[str, ...]:
        """Return the modes that the source can be scanned in."""
        return choice.modes(self.bed, self.formats)

    def depths(self) -> tuple[int, ...]:
        """Return the bits per sample that are possible."""
        mode = self._mode()
        return (8,) if mode == LINEART else choice.depths(self.bed, self.formats, mode)

    def offered(self) -> Range | tuple[int, ...]:
        """Return the resolutions that are possible."""
        return choice.resolutions(self.bed, self.formats, self.kind)

    def _mode(self) -> str:
        """Return the mode, or what it becomes where the source does not have it."""
        found = self.modes()
        return self.mode if self.mode in found else found[0]

    @property
    def kind(self) -> Kind:
        """What samples the frame has."""
        mode = self._mode()
        if mode == LINEART:
            return Kind(LINEART, 1)
        return Kind(mode, self.depth if self.depth in self.depths() else 8)

    @property
    def dpi(self) -> int:
        """The resolution at which is scanned."""
        return choice.preview(self.offered()) if self.preview else self.resolution

    @property
    def window(self) -> Window:
        """The part of the bed that is scanned."""
        return Window.of(self.bed, (self.tl_x, self.tl_y, self.br_x, self.br_y))

    @property
    def is_cropped(self) -> bool:
        """A page ends where its sheet does."""
        return bool(self.adf_crop) and self.bed.is_feeder

    def device_adjusts(self) -> dict[str, int]:
        """Return what the scanner is to adjust, by the names of its scales: what was changed."""
        found: dict[str, int] = {}
        scales = self.capabilities.adjusts
        for name, percent in (("Brightness", self.brightness), ("Contrast", self.contrast)):
            if name in scales and percent:
                found[name] = scales[name].at(percent)
        if "Sharpen" in scales and self.sharpen != scales["Sharpen"].normal:
            found["Sharpen"] = self.sharpen
        return found

    def tone(self) -> Tone:
        """Return what is adjusted here, since the scanner cannot."""
        scales = self.capabilities.adjusts
        return Tone(
            brightness=0.0 if "Brightness" in scales else self.brightness,
            contrast=0.0 if "Contrast" in scales else self.contrast,
            gamma=self.analog_gamma,
            shadow=self.shadow,
            highlight=self.highlight,
            negative=self.negative,
        )

    # Constraints

    @source.constrained()
    def _sources(self) -> Sequence[str]:
        return tuple(self.capabilities.beds)

    @mode.constrained("source")
    def _modes(self) -> Sequence[str]:
        return self.modes()

    @scan_intent.constrained("source")
    def _intents(self) -> Sequence[str]:
        return (UNSET, *(name for name in INTENTS if name in self.bed.intents))

    @depth.constrained("source", "mode")
    def _depths(self) -> Sequence[int]:
        return (1,) if self._mode() == LINEART else self.depths()

    @resolution.constrained("source", "mode", "depth")
    def _resolutions(self) -> Range | tuple[int, ...]:
        return self.offered()

    @tl_x.constrained("source")
    def _x_limits(self) -> Range:
        return Range(0, self.bed.width)

    @tl_y.constrained("source")
    def _y_limits(self) -> Range:
        return Range(0, self.bed.height)

    br_x.constrained("source")(_x_limits)
    br_y.constrained("source")(_y_limits)

    @sharpen.constrained()
    def _sharpness(self) -> Range:
        return _range(self.capabilities.adjusts.get("Sharpen"))

    @compression_factor.constrained()
    def _compressions(self) -> Range:
        return _range(self.capabilities.compression)

    @source.changed
    def _source_changed(self) -> None:
        """Select all of the new bed if all of the old one was selected."""
        old, self._selected = self._selected, self.bed
        corners = [fix(value) for value in (self.tl_x, self.tl_y, self.br_x, self.br_y)]
        if corners == [0, 0, fix(old.width), fix(old.height)]:
            self.br_x, self.br_y = self.bed.width, self.bed.height


def _range(scale: Scale | None) -> Range:
    return ANY_RANGE if scale is None else Range(scale.low, scale.high, scale.step)
