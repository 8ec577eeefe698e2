"""What a scanner can do, in words that every driver understands.

It knows options as settings.py does. What depends on the source is found by choosing each of them
once, after which all options have their values again.
"""

from __future__ import annotations

from .. import const
from ..errors import SaneError
from . import settings, vocabulary
from .vocabulary import DUPLEX, FEEDER, LINEART

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from ..option import Range
    from .options import Options

# Sensors that nobody presses, by name.
NO_BUTTONS = frozenset(
    (
        *("page-loaded", "top-edge", "a3-paper", "b4-paper", "a4-paper", "b5-paper", "paper"),
        *("omr-df", "adf-open", "adf-loaded", "card-loaded", "power-save", "cover-open"),
        *("manual-feed", "double-feed", "ink-low", "duplex-switch", "skew-angle", "error-code"),
        *("hopper-loaded", "counter", "lamp", "flatbed-cover", "calibrated", "needs-calibration"),
    )
)


class Capabilities:
    """What a scanner can do.

    sources: "flatbed", "feeder", "duplex", "film", or the driver's word for another one. duplex:
    the feeder scans both sides. modes: of "color", "gray", "lineart". depths: bits a sample.
    resolutions: by source, a list or a Range in dpi, None where the device does not tell. area: by
    source, the largest width and height in mm. buttons: the options that wait_button waits for.
    """

    __slots__ = ("area", "buttons", "depths", "duplex", "modes", "resolutions", "sources")

    def __init__(
        self,
        *,
        sources: Sequence[str],
        modes: Sequence[str],
        depths: Sequence[int],
        resolutions: dict[str, list[float] | Range | None],
        area: dict[str, tuple[float, float] | None],
        buttons: Sequence[str],
    ) -> None:
        self.sources = tuple(sources)
        self.duplex = DUPLEX in sources
        self.modes = tuple(modes)
        self.depths = tuple(depths)
        self.resolutions = resolutions
        self.area = area
        self.buttons = tuple(buttons)

    def to_dict(self) -> dict[str, Any]:
        """Return all of it in types that JSON has; a range is a list of minimum, maximum, step."""
        found: dict[str, Any] = {name: getattr(self, name) for name in self.__slots__}
        found["resolutions"] = {
            source: limits
            if limits is None or isinstance(limits, list)
            else [limits.min, limits.max, limits.quant]
            for source, limits in self.resolutions.items()
        }
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in found.items()
        }

    def __repr__(self) -> str:
        what = ", ".join(f"{name}={value}" for name, value in self.to_dict().items())
        return f"Capabilities({what})"


def capabilities_of(options: Options, device_type: str) -> Capabilities:
    """Return what the scanner can do; its options are as before."""
    before = options.snapshot()
    resolutions: dict[str, list[float] | Range | None] = {}
    area: dict[str, tuple[float, float] | None] = {}
    try:
        for source in _choose_each_source(options, device_type):
            resolutions[source] = _resolutions(options)
            area[source] = _area(options)
    finally:
        options.restore(before)
    sources = list(resolutions)
    if FEEDER in sources and DUPLEX not in sources and _has_both_sides(options):
        sources.append(DUPLEX)
        resolutions[DUPLEX], area[DUPLEX] = resolutions[FEEDER], area[FEEDER]
    return Capabilities(
        sources=sources,
        modes=_modes(options),
        depths=_depths(options),
        resolutions=resolutions,
        area=area,
        buttons=buttons_of(options),
    )


def _choose_each_source(options: Options, device_type: str) -> Iterable[str]:
    """Yield each source when it is chosen."""
    option = options.get("source")
    choices = None if option is None or not option.is_settable() else option.choices
    if option is None or not option.is_active() or not choices:
        yield settings.own_source(options, device_type)
        return
    seen = set()
    for choice in choices:
        name = vocabulary.source_of(str(choice)) or str(choice)
        if name in seen:
            continue
        seen.add(name)
        try:
            options["source"] = choice
        except SaneError:  # a part that is not fitted
            continue
        yield name


def _resolutions(options: Options) -> list[float] | Range | None:
    names = settings.resolution_names(options)
    if not names:
        return None
    option = options[names[0]]
    return option.range or option.choices


def _area(options: Options) -> tuple[float, float] | None:
    if any(name not in options for name in settings.CORNERS):
        return None
    left, top, right, bottom = settings.bed_mm(options)
    return right - left, bottom - top


def _has_both_sides(options: Options) -> bool:
    mode = options.get("adf-mode")
    words = [] if mode is None else mode.choices or []
    has_mode = any("duplex" in str(word).lower() for word in words)
    switch = options.get("duplex")
    return has_mode or (switch is not None and switch.type == const.TYPE_BOOL)


def _modes(options: Options) -> list[str]:
    option = options.get("mode")
    words = [] if option is None else option.choices or []
    found = {vocabulary.mode_of(str(word)) for word in words}
    if 1 in _depths(options) and vocabulary.GRAY in found:
        found.add(LINEART)
    return [mode for mode in vocabulary.MODES if mode in found]


def _depths(options: Options) -> list[int]:
    option = options.get("depth")
    if option is None or option.type != const.TYPE_INT:
        return [8]
    if option.range is not None:
        return [depth for depth in (1, 8, 16) if option.nearest(depth) == depth]
    return sorted(option.choices or [8])


def sensors_of(options: Options) -> list[str]:
    """Return the options that only the device itself changes: buttons, paper, covers."""
    return [
        name
        for name, option in options.items()
        if option.is_readable() and not option.is_settable() and option.type <= const.TYPE_INT
    ]


def buttons_of(options: Options) -> list[str]:
    """Return those sensors that somebody presses."""
    return [
        name
        for name in sensors_of(options)
        if name not in NO_BUTTONS
        and options[name].type == const.TYPE_BOOL
        and (options[name].cap & const.CAP_HARD_SELECT or "button" in name)
    ]
