"""The options of a Canon scanner, in the original's order, and what hangs on them.

It knows the model and values; it does not talk to the scanner. Names, order, constraints, defaults
and side effects are those of the original backend of this name. Source: specification pixma 4.
"""

from __future__ import annotations

from ...backend import (
    CAP_ADVANCED,
    CAP_INACTIVE,
    CAP_SOFT_DETECT,
    INFO_INEXACT,
    INFO_RELOAD_OPTIONS,
    INFO_RELOAD_PARAMS,
    UNIT_DPI,
    UNIT_MM,
    UNIT_PERCENT,
    Device,
    Range,
    errors,
)
from ...const import ACTION_GET_VALUE, ACTION_SET_AUTO, ACTION_SET_VALUE
from ...option import Bool, Button, Fixed, Group, Int, String
from ...param import fix, unfix
from .models import BASE_DPI, IMAGECLASS, Model
from .parameters import GAMMA_BYTES, GAMMA_WORDS, gamma_values
from .request import (
    ALWAYS,
    COLOR,
    FLATBED,
    GRAY,
    LINEART,
    MM_PER_INCH,
    NEVER,
    ONCE,
    Request,
    modes_of,
    resolutions_of,
    sources_of,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ...option import Option
    from .buttons import Event

TEXT_BYTES = 31  # of the options that are texts
GAMMA = unfix(fix(2.2))  # as the option has it
ANY_RANGE = Range(0, 1000)  # until the model is known
BUTTONS = ("button_1", "button_2")
ALL_ACTIONS = (ACTION_GET_VALUE, ACTION_SET_VALUE, ACTION_SET_AUTO)
CHOICES = {  # options, each with what an event says of it
    "original": "original",
    "target": "target",
    "scan_resolution": "resolution",
    "document_type": "document",
    "adf_status": "feeder",
    "adf_orientation": "orientation",
}


class _Choice(String):
    """A text of a list, given in full; in other letters than the list's it is inexact."""

    def fit(self, data: bytes, constraint: Any) -> tuple[bytes, int]:
        given = self.decode(data)
        fitted, info = super().fit(data, constraint)
        found = self.decode(fitted)
        if len(found) != len(given):
            raise errors.Invalid(f"option {self.name}: {given!r} is not in {constraint}")
        return fitted, info if found == given else info | INFO_INEXACT


def _edge(title: str, desc: str) -> Fixed:
    return Fixed(
        title, desc, ANY_RANGE, unit=UNIT_MM, default=0, auto=0, reloads=INFO_RELOAD_PARAMS
    )


def _sensor(title: str, desc: str) -> Int:
    found = Int(title, desc, default=0, cap=CAP_SOFT_DETECT | CAP_ADVANCED)
    found.on_get(lambda device: device.told(found.attribute))
    return found


class PixmaOptions(Device):
    """The options; options_for() makes them those of a model."""

    may_raise_sigpipe = False
    sets_always = True  # and tells what to reload
    model: Model

    mode_group = Group("Scan mode")
    resolution = Int(
        *("Scan resolution", "Resolution of the scan.", (BASE_DPI,)),
        unit=UNIT_DPI,
        auto=BASE_DPI,
        reloads=INFO_RELOAD_PARAMS,
    )
    mode = _Choice(
        *("Scan mode", "Scan in colour, gray or black and white.", (COLOR, GRAY)),
        size=TEXT_BYTES,
        auto=COLOR,
        reloads=INFO_RELOAD_OPTIONS | INFO_RELOAD_PARAMS,
    )
    source = _Choice(
        *("Scan source", "Where the paper lies.", (FLATBED,)),
        size=TEXT_BYTES,
    )
    button_controlled = Bool(
        "Button-controlled scan", "Wait for a button of the scanner before the first page."
    )

    gamma_group = Group("Gamma")
    custom_gamma = Bool(
        "Use custom gamma table",
        "Use the table below instead of one made of the exponent.",
        auto=False,
    )
    gamma_table = Int(
        *("Image intensity", "What each level of the sensor becomes.", Range(0, 65535)),
        length=GAMMA_WORDS,
        default=gamma_values(GAMMA, GAMMA_WORDS),
        auto=gamma_values(GAMMA, GAMMA_WORDS),
        active=lambda d: d.custom_gamma,
        depends=("custom_gamma",),
    )
    gamma = Fixed(
        "Gamma function exponent",
        "Which table is made for the scanner.",
        Range(0.3, 5),
        default=GAMMA,
        auto=GAMMA,
    )

    geometry_group = Group("Geometry")
    tl_x = _edge("Top-left x", "Scan area: top left x position.")
    tl_y = _edge("Top-left y", "Scan area: top left y position.")
    br_x = _edge("Bottom-right x", "Scan area: bottom right x position.")
    br_y = _edge("Bottom-right y", "Scan area: bottom right y position.")

    buttons_group = Group("Buttons")
    button_update = Button(
        *("Update button state", "Ask the scanner whether a button was pressed."),
        cap=CAP_ADVANCED | CAP_SOFT_DETECT | 1,
    )
    button_1 = _sensor("Button 1", "It was pressed; told once.")
    button_2 = _sensor("Button 2", "It was pressed; told once.")
    original = _sensor("Type of original to scan", "What was chosen with the last button.")
    target = _sensor("Target operation type", "What was chosen with the last button.")
    scan_resolution = _sensor("Scan resolution", "What was chosen with the last button.")
    document_type = _sensor("Document type", "What was chosen with the last button.")
    adf_status = _sensor("ADF status", "1: the feeder is empty; 2: paper lies in it.")
    adf_orientation = _sensor("ADF orientation", "1: portrait; 2: landscape.")

    extras_group = Group("Extras")
    threshold = Int(
        *("Threshold", "Gray up to which a pixel of line art is black.", Range(0, 100, 1)),
        unit=UNIT_PERCENT,
        default=50,
        auto=50,
        active=lambda d: d.mode == LINEART,
        depends=("mode",),
    )
    threshold_curve = Int(
        *("Threshold curve", "How much the threshold follows its surroundings."),
        Range(0, 127, 1),
        auto=0,
        active=lambda d: d.mode == LINEART,
        depends=("mode",),
    )
    adf_wait = Int(
        *("ADF Waiting Time", "Seconds that a page waits for paper.", Range(0, 3600, 1)),
        auto=0,
        active=lambda d: d.model.family == IMAGECLASS and d.model.has_feeder and d.has_source,
        depends=("source",),
    )
    calibrate = _Choice(
        *("Calibration", "When the scanner calibrates itself.", (ONCE, ALWAYS, NEVER)),
        size=TEXT_BYTES,
        auto=ONCE,
    )

    # What hangs on what

    has_source = False  # one was chosen since the scanner was opened, any
    has_table = False  # what custom_gamma was when it was set last
    is_pressed = False  # a button, since the scanner was asked last

    def told_info(self, option: Option, action: int, info: int) -> int:
        """Return what the original tells; the automatic gamma table is that of the exponent."""
        attribute = option.attribute
        if attribute == "gamma_table" and action == ACTION_SET_AUTO:
            self._make_table()
        elif attribute == "gamma":
            info &= ~INFO_RELOAD_OPTIONS
        elif attribute == "custom_gamma":
            had_table, self.has_table = self.has_table, self.custom_gamma
            info = INFO_RELOAD_OPTIONS if had_table != self.has_table else 0
        elif attribute == "button_update":
            info = INFO_RELOAD_OPTIONS if self.is_pressed else 0
        elif attribute == "source":
            info &= ~(INFO_RELOAD_OPTIONS | INFO_RELOAD_PARAMS)
            if len(sources_of(self.model)) > 1:
                info |= INFO_RELOAD_OPTIONS
        return info

    @mode.constrained("source")
    def _modes(self) -> tuple[str, ...]:
        return modes_of(self.model, self.source)

    @resolution.constrained("source", "mode")
    def _resolutions(self) -> tuple[int, ...]:
        return resolutions_of(self.model, self.source, self.mode)

    @source.changed
    def _source_changed(self) -> None:
        """Keep mode and resolution where the source has them, as the original from 1.3 on."""
        self.has_source = True
        if self.mode not in modes_of(self.model, self.source):
            self.mode = COLOR
        resolutions = resolutions_of(self.model, self.source, self.mode)
        if self.resolution not in resolutions:
            self.resolution = resolutions[0]

    @custom_gamma.changed
    def _custom_changed(self) -> None:
        if self.custom_gamma:
            self._make_table()

    @gamma.changed
    def _make_table(self) -> None:
        self.gamma_table = gamma_values(self.gamma, len(self.gamma_table))

    def request(self) -> Request:
        """Return what the options ask for."""
        corners = (self.tl_x, self.tl_y, self.br_x, self.br_y)
        request = Request(self.model, self.source, self.mode, self.resolution, corners)
        request.gamma = self.gamma_table
        request.threshold, request.curve = self.threshold, self.threshold_curve
        request.calibrate = self.calibrate
        request.paper_wait = self.adf_wait if self.options.is_active(type(self).adf_wait) else 0
        return request

    # Buttons

    def ask_buttons(self) -> None:
        """Ask the scanner for what was pressed, and take note of it."""
        raise NotImplementedError

    @button_update.changed
    def _update(self) -> None:
        self.is_pressed = False
        self.ask_buttons()

    def told(self, attribute: str) -> int:
        """Return the value of a sensor: a button that was pressed is told once."""
        self.ask_buttons()
        if attribute in BUTTONS:
            is_pressed = attribute in self.latched
            self.latched.discard(attribute)
            return int(is_pressed)
        value: int = getattr(self, attribute)
        return value

    def take_event(self, event: Event) -> None:
        """Keep what an event says until it is asked for."""
        if not event.button:
            return
        self.is_pressed = True
        self.latched.add(BUTTONS[event.button - 1])
        for attribute, name in CHOICES.items():
            setattr(self, attribute, getattr(event, name))


def options_for(base: type[PixmaOptions], model: Model) -> Any:
    """Return *base* with the options as *model* has them."""
    own: dict[str, Any] = {"__module__": base.__module__, "model": model}
    width, height = (size / BASE_DPI * MM_PER_INCH for size in (model.width, model.height))
    for name, limit, default in (
        ("tl_x", width, 0),
        ("tl_y", height, 0),
        ("br_x", width, width),
        ("br_y", height, height),
    ):
        edge = own[name] = getattr(base, name).clone()
        edge.constrain(Range(0, limit))
        edge.default = edge.auto = default
    mode = own["mode"] = base.mode.clone()
    if not any(map(model.has, ("L", "48", "I", "T"))):
        mode.reloads = INFO_RELOAD_PARAMS  # no other option hangs on it
    source = own["source"] = base.source.clone()
    source.constraint = sources_of(model)
    if not model.has("G"):
        for name in ("custom_gamma", "gamma"):
            absent = own[name] = getattr(base, name).clone()
            absent.cap |= CAP_INACTIVE
            absent.changed_hook = None
    if model.has("4"):
        table = own["gamma_table"] = base.gamma_table.clone()
        table.length, table.size = GAMMA_BYTES, 4 * GAMMA_BYTES
        table.constrain(Range(0, 255))
        table.default = table.auto = gamma_values(GAMMA, GAMMA_BYTES)
    return type(base.__name__, (base,), own)
