"""What to scan, said in words that every driver understands: all of it is set, or nothing.

It knows the well-known options of the standard and what drivers make of them; the words are those
of vocabulary.py. Lengths are mm.
"""

from __future__ import annotations

from _collections_abc import Mapping

from .. import const
from ..const import MM_PER_INCH
from ..errors import SaneError, Unsupported
from . import vocabulary
from .arguments import check_settings
from .options import put_back
from .vocabulary import DUPLEX, FEEDER, FLATBED, GRAY, LINEART

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    from ..controls import Option
    from .machine import Machine
    from .options import Options

    Area = tuple[float, float, float, float]

CLOSE_MM = 0.1  # a difference in lengths that is none: corners lie on whole pixels
SMALL = 1e-3  # likewise of numbers that went through words
CORNERS = ("tl-x", "tl-y", "br-x", "br-y")
ORDER = ("source", "mode", "depth", "resolution", "page_size", "area")


class Applied(Mapping[str, "Any"]):
    """What the driver has made of what was asked, by the names that were asked.

    Areas and sizes of pages are (left, top, width, height) in mm. inexact: the names of those that
    the driver has changed.
    """

    __slots__ = ("_values", "inexact")

    def __init__(self, values: dict[str, Any], inexact: list[str]) -> None:
        self._values = values
        self.inexact = inexact

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Applied({self._values}, inexact={self.inexact})"


def configure(options: Options, machine: Machine, wanted: dict[str, Any]) -> Applied:
    """Set what is *wanted*; raises Unsupported, and leaves all as it was, if that cannot be."""
    check_settings(wanted)
    before = options.snapshot()
    try:
        return _Setter(options, machine).apply(wanted)
    except BaseException as exc:
        _set_back(options, before, exc)
        raise


def _set_back(options: Options, before: dict[str, Any], exc: BaseException) -> None:
    """Set *options* back after *exc*, whose text also tells of what could not be.

    What is inactive now does not count: it has no value.
    """
    left = put_back(options, before)
    reasons = [
        f"{name}: {reason}" for name, reason in left.items() if not _is_inactive(options, name)
    ]
    if reasons and isinstance(exc, Exception):
        exc.args = (f"{exc}; not as before: {'; '.join(reasons)}",)


def _is_inactive(options: Options, name: str) -> bool:
    try:
        return not options[name].is_active()
    except (KeyError, SaneError):  # there is none, or the device does not tell
        return False


class _Setter:
    """Sets one thing after the other; after each, options are looked up anew."""

    def __init__(self, options: Options, machine: Machine) -> None:
        self._options = options
        self._machine = machine
        self._depth_is_set = False

    def apply(self, wanted: dict[str, Any]) -> Applied:
        values: dict[str, Any] = {}
        checks: dict[str, Callable[[], tuple[Any, bool]]] = {}
        self._depth_is_set = "depth" in wanted
        named: dict[str, Callable[[Any], Callable[[], tuple[Any, bool]]]] = {
            "source": self._source,
            "mode": self._mode,
            "depth": self._depth,
            "resolution": self._resolution,
            "page_size": self._page_size,
            "area": self._area,
        }
        for name in ORDER:
            if name in wanted:
                checks[name] = named[name](wanted[name])
        for name, value in wanted.items():
            if name not in named:
                checks[name] = self._other(name, value)
        inexact = []
        for name, check in checks.items():  # what came last may have changed what came first
            values[name], is_exact = check()
            if not is_exact:
                inexact.append(name)
        return Applied(values, inexact)

    # One option

    def _usable(self, name: str) -> Option | None:
        option = self._options.get(name)
        if option is None or not option.is_active() or not option.is_settable():
            return None
        return option

    def _need(self, name: str, wanted: object) -> Option:
        option = self._usable(name)
        if option is None:
            raise self._unsupported(name, wanted, "the device does not let it be chosen")
        return option

    def _unsupported(self, name: str, wanted: object, reason: str) -> Unsupported:
        device = self._machine.name
        return Unsupported(f"{device}: {name} {wanted!r}: {reason}", device=device, option=name)

    def _check_of(self, name: str, wanted: Any) -> Callable[[], tuple[Any, bool]]:
        """Return what tells the value of option *name* at the end, and whether it is *wanted*."""

        def check() -> tuple[Any, bool]:
            value = self._options[name].value
            return value, _is_close(value, wanted, SMALL)

        return check

    def _put(self, name: str, value: Any) -> Callable[[], tuple[Any, bool]]:
        option = self._options[name]
        if option.value != value:
            option.value = value
        return self._check_of(name, value)

    # What every driver understands

    def _source(self, wanted: str) -> Callable[[], tuple[Any, bool]]:
        option = self._usable("source")
        if option is None:
            own = own_source(self._options, self._machine.info.type)
            if wanted != own:
                raise self._unsupported("source", wanted, f"the device has {own} only")
            return lambda: (own, True)
        choices = [str(choice) for choice in option.choices or ()]
        word = vocabulary.best(choices, wanted, "source")
        sides = None
        if word is None and wanted == DUPLEX:
            word = vocabulary.best(choices, FEEDER, "source")
            sides = DUPLEX
        elif wanted == FEEDER:
            sides = FEEDER
        if word is None:
            raise self._unsupported("source", wanted, f"possible are {_listed(choices)}")
        check = self._put("source", word)
        if sides is not None and not self._choose_sides(sides) and sides == DUPLEX:
            raise self._unsupported("source", wanted, f"possible are {_listed(choices)}")
        return check

    def _choose_sides(self, sides: str) -> bool:
        """Choose one side or both where that is another option; False: there is none."""
        option = self._usable("adf-mode")
        if option is not None and option.choices:
            both = next((text for text in option.choices if "duplex" in text.lower()), None)
            one = next((text for text in option.choices if "simplex" in text.lower()), None)
            choice = both if sides == DUPLEX else one
            if choice is not None:
                self._put("adf-mode", choice)
                return True
        option = self._usable("duplex")
        if option is not None and option.type == const.TYPE_BOOL:
            self._put("duplex", sides == DUPLEX)
            return True
        return False

    def _mode(self, wanted: str) -> Callable[[], tuple[Any, bool]]:
        option = self._need("mode", wanted)
        choices = [str(choice) for choice in option.choices or ()]
        word = vocabulary.best(choices, wanted, "mode")
        bits = None
        if word is None and wanted == LINEART:  # drivers without a word for it: gray of one bit
            word = vocabulary.best(choices, GRAY, "mode")
            bits = 1
        if word is None:
            raise self._unsupported("mode", wanted, f"possible are {_listed(choices)}")
        check = self._put("mode", word)
        depth = self._usable("depth")
        if bits is not None:
            if depth is None or not _allows(depth, bits):
                raise self._unsupported("mode", wanted, f"possible are {_listed(choices)}")
            self._put("depth", bits)
        elif wanted in (vocabulary.COLOR, GRAY) and not self._depth_is_set:
            self._leave_one_bit(depth)
        return check

    def _leave_one_bit(self, depth: Option | None) -> None:
        """Undo what line art is with drivers that have no word for it."""
        if depth is not None and depth.value == 1 and _allows(depth, 8):
            self._put("depth", 8)

    def _depth(self, wanted: int) -> Callable[[], tuple[Any, bool]]:
        option = self._need("depth", wanted)
        if not _allows(option, wanted):
            raise self._unsupported("depth", wanted, f"possible are {possible(option)}")
        return self._put("depth", wanted)

    def _resolution(self, wanted: Any) -> Callable[[], tuple[Any, bool]]:
        names = [name for name in resolution_names(self._options) if self._usable(name)]
        if not names:
            raise self._unsupported("resolution", wanted, "the device does not let it be chosen")
        check = None
        for name in names:
            option = self._options[name]
            value = wanted
            if wanted in ("max", "min"):
                value = limits_of(option)[wanted == "max"]
                if value is None:
                    raise self._unsupported(name, wanted, "the device does not tell its limits")
            low, high = limits_of(option)
            if low is not None and not low - SMALL <= value <= high + SMALL:
                what = f"{value!r} is outside {low:g} to {high:g} dpi"
                device = self._machine.name
                raise Unsupported(f"{device}: resolution {what}", device=device, option=name)
            if option.type == const.TYPE_INT:
                value = round(value)
            check = check or self._put(name, option.nearest(value))
            if wanted not in ("max", "min"):
                check = self._check_of(names[0], wanted)
        assert check is not None
        return check

    def _page_size(self, wanted: Any) -> Callable[[], tuple[Any, bool]]:
        if wanted == "max":
            return self._area("max")
        width, height = vocabulary.paper_mm(wanted)
        for name, length in (("page-width", width), ("page-height", height)):
            option = self._usable(name)
            if option is not None:
                self._put(name, option.nearest(length * self._per_mm(option)))
        return self._area((0.0, 0.0, width, height), corner=True)

    def _area(self, wanted: Any, *, corner: bool = False) -> Callable[[], tuple[Any, bool]]:
        """Choose an area; corner: at the corner of the bed, wherever the driver counts from."""
        for name in CORNERS:
            self._need(name, wanted)
        bed = bed_mm(self._options)
        if wanted == "max":
            left, top, right, bottom = bed
            wanted = (left, top, right - left, bottom - top)
        left, top, width, height = map(float, wanted)
        if corner:
            left, top = bed[0], bed[1]
        right, bottom = left + width, top + height
        if not (width > 0 and height > 0 and left < bed[2] and top < bed[3]):
            reason = f"the bed is {bed[2] - bed[0]:g} x {bed[3] - bed[1]:g} mm"
            raise self._unsupported("area", (left, top, width, height), reason)
        if left < bed[0] - CLOSE_MM or top < bed[1] - CLOSE_MM:
            reason = f"the bed begins at {bed[0]:g}, {bed[1]:g} mm"
            raise self._unsupported("area", (left, top, width, height), reason)
        self._put_pair("tl-x", "br-x", left, min(right, bed[2]))
        self._put_pair("tl-y", "br-y", top, min(bottom, bed[3]))
        asked = (left, top, width, height)

        def check() -> tuple[Area, bool]:
            taken = area_mm(self._options)
            return taken, _is_close(taken, asked, CLOSE_MM + self._pixel_mm())

        return check

    def _put_pair(self, low: str, high: str, start: float, end: float) -> None:
        """Set both ends, that first which does not meet the other one on its way."""
        option = self._options[high]
        scale = self._per_mm(option)
        ends = [(high, end * scale), (low, start * scale)]
        if end * scale < option.value and start * scale <= option.value:
            ends.reverse()
        for name, value in ends:
            self._put(name, self._options[name].nearest(_number(self._options[name], value)))

    def _per_mm(self, option: Option) -> float:
        return per_mm(self._options, option)

    def _pixel_mm(self) -> float:
        """Return the size of a pixel where corners are told in pixels."""
        return 1 / self._per_mm(self._options["br-x"]) if is_in_pixels(self._options) else 0.0

    def _other(self, name: str, value: Any) -> Callable[[], tuple[Any, bool]]:
        option = self._options.get(name)
        if option is None:
            raise Unsupported(self._machine.no_option(name), option=name)
        if not option.is_active():
            raise self._unsupported(name, value, "the option is not active with these settings")
        if option.type == const.TYPE_BUTTON:
            option.press()
            return lambda: (None, True)
        if not option.is_settable():
            raise self._unsupported(name, value, "programs cannot set it")
        is_text = isinstance(value, str)
        choices = option.choices
        if is_text and choices and value.lower() not in [str(choice).lower() for choice in choices]:
            raise self._unsupported(name, value, f"possible are {_listed(choices)}")
        try:
            option.value = option.nearest(value) if is_text and choices else value
        except (TypeError, ValueError) as exc:
            if isinstance(exc, SaneError):
                raise
            raise TypeError(f"configure: {option.name} {value!r}: {exc}") from exc
        return self._check_of(option.name or "", value)


# What options tell


def own_source(options: Options, device_type: str) -> str:
    """Return the source that is chosen, in one of vocabulary.SOURCES or the driver's word.

    A device without such an option has the one that its type names.
    """
    option = options.get("source")
    if option is not None and option.is_active() and option.is_readable():
        word = str(option.value)
        meaning = vocabulary.source_of(word) or word
        return DUPLEX if meaning == FEEDER and _both_sides(options) else meaning
    kind = device_type.lower()
    if "film" in kind or "slide" in kind:
        return vocabulary.FILM
    if "sheet" in kind or "feed" in kind or "hand" in kind:
        return DUPLEX if _both_sides(options) else FEEDER
    return FLATBED


def _both_sides(options: Options) -> bool:
    for name in ("adf-mode", "duplex"):
        option = options.get(name)
        if option is not None and option.is_active() and option.is_readable():
            value = option.value
            if value is True or (isinstance(value, str) and "duplex" in value.lower()):
                return True
    return False


def resolution_names(options: Options) -> list[str]:
    """Return the options that are the resolution: one, or one for each direction."""
    if "resolution" in options and options["resolution"].is_active():
        both = ["resolution"]
        if "y-resolution" in options and "x-resolution" not in options:
            both.append("y-resolution")
        return both
    return [name for name in ("x-resolution", "y-resolution") if name in options]


def dpi_of(options: Options) -> tuple[float, float] | None:
    """Return the resolution in both directions; None if the device does not tell."""
    found = []
    for name in resolution_names(options):
        option = options[name]
        if option.unit == const.UNIT_DPI and option.is_readable() and option.is_active():
            found.append(float(option.value))
    return (found[0], found[-1]) if found and found[0] > 0 and found[-1] > 0 else None


def limits_of(option: Option) -> tuple[Any, Any]:
    """Return the least and the largest value that a number can have; None twice if unknown."""
    if option.range is not None:
        return option.range.min, option.range.max
    choices = option.choices
    return (min(choices), max(choices)) if choices else (None, None)


def is_in_pixels(options: Options) -> bool:
    """Tell whether corners are told in pixels, not mm."""
    return "br-x" in options and options["br-x"].unit == const.UNIT_PIXEL


def per_mm(options: Options, option: Option) -> float:
    """Return how many of *option*'s units a mm has."""
    if option.unit != const.UNIT_PIXEL:
        return 1.0
    dpi = dpi_of(options)
    if dpi is None:
        raise Unsupported(f"{option.name} is in pixels, and the device tells no resolution")
    return dpi[0 if option.name in ("tl-x", "br-x", "page-width") else 1] / MM_PER_INCH


def bed_mm(options: Options) -> Area:
    """Return left, top, right and bottom of what can be scanned from the chosen source."""
    edges = []
    for name, which in zip(CORNERS, (0, 0, 1, 1), strict=True):
        option = options[name]
        limit = limits_of(option)[which]
        if limit is None:
            limit = option.value
        edges.append(float(limit) / per_mm(options, option))
    return edges[0], edges[1], edges[2], edges[3]


def area_mm(options: Options) -> Area:
    """Return left, top, width and height of the area that is chosen."""
    left, top, right, bottom = (
        float(options[name].value) / per_mm(options, options[name]) for name in CORNERS
    )
    return left, top, right - left, bottom - top


def possible(option: Option) -> str:
    """Return what the option can be, for a message."""
    limits = option.range
    if limits is not None:
        step = f" in steps of {limits.quant:g}" if limits.quant else ""
        return f"{limits.min:g} to {limits.max:g}{step}"
    return _listed(option.choices or ())


def _number(option: Option, value: float) -> float:
    return round(value) if option.type == const.TYPE_INT else value


def _allows(option: Option, value: int) -> bool:
    try:
        return bool(option.nearest(value) == value)
    except (TypeError, ValueError):
        return False


def _is_close(value: Any, wanted: Any, most: float) -> bool:
    if isinstance(value, tuple | list) and isinstance(wanted, tuple | list):
        pairs = zip(value, wanted, strict=False)
        return len(value) == len(wanted) and all(_is_close(a, b, most) for a, b in pairs)
    if isinstance(value, int | float) and isinstance(wanted, int | float):
        return abs(value - wanted) <= most
    if isinstance(value, str) and isinstance(wanted, str):
        return value.lower() == wanted.lower()
    return bool(value == wanted)


def _listed(choices: Sequence[Any]) -> str:
    return ", ".join(map(str, choices)) or "none"
