"""test.conf: the initial values of the options and the ranges.

Numbers are taken as they are, texts only if the option has them in its list.
Source: specification of the test backend, 1.1 and 1.2; versions, 2 (texts, from 1.3.1 on).
"""

from __future__ import annotations

from ...backend import errors
from ...config import parse_bool, parse_fixed, parse_int
from ...const import STATUS_NAMES
from ...option import WordRange
from ...param import fix

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...backend import Debug
    from ...config import Line

MODES = ("Gray", "Color")
ORDERS = ("RGB", "RBG", "GBR", "GRB", "BRG", "BGR")
FEEDER = "Automatic Document Feeder"
SOURCES = ("Flatbed", FEEDER)
PICTURES = ("Solid black", "Solid white", "Color pattern", "Grid")
FORCED = ("Default", *(f"SANE_STATUS_{name}" for name in STATUS_NAMES[1:]))

# Keys by type, with the built-in values; that of a text is the first in its list. Fixed values are
# words. A key that is also the name of an option's attribute (hyphens as underscores) gives its
# initial value.
INTS = {
    "number_of_devices": 2,
    "depth": 8,
    "read-limit-size": 1,
    "read-delay-duration": 1000,
    "ppl-loss": 0,
}
BOOLS = (
    "hand-scanner",
    "three-pass",
    "invert-endianess",
    "read-limit",
    "read-delay",
    "fuzzy-parameters",
    "non-blocking",
    "select-fd",
    "enable-test-options",
)
STRINGS = {
    "mode": ("mode", MODES),
    "three-pass-order": ("three_pass_order", ORDERS),
    "scan-source": ("source", SOURCES),
    "test-picture": ("test_picture", PICTURES),
    "read-status-code": ("read_return_value", FORCED),
}
FIXED = {
    "resolution_min": 1.0,
    "resolution_max": 1200.0,
    "resolution_quant": 1.0,
    "resolution": 50.0,
    "geometry_min": 0.0,
    "geometry_max": 200.0,
    "geometry_quant": 1.0,
    "tl_x": 0.0,
    "tl_y": 0.0,
    "br_x": 80.0,
    "br_y": 100.0,
}


class TestConf:
    """What test.conf says. words, strings: initial values by attribute of TestDevice."""

    def __init__(self, earlier: TestConf | None = None) -> None:
        """*earlier*: numbers go on as they were set before, texts do not."""
        self.words = {key.replace("-", "_"): value for key, value in INTS.items()}
        self.words.update({key.replace("-", "_"): 0 for key in BOOLS})
        self.words.update({key: fix(value) for key, value in FIXED.items()})
        if earlier is not None:
            self.words.update(earlier.words)
        self.strings = {attribute: choices[0] for attribute, choices in STRINGS.values()}

    @property
    def number_of_devices(self) -> int:
        """How many devices there shall be."""
        return self.words["number_of_devices"]

    def range(self, name: str) -> WordRange:
        """Return the range *name*, resolution or geometry."""
        return WordRange(*(self.words[f"{name}_{part}"] for part in ("min", "max", "quant")))

    def apply(self, key: str, value: str) -> None:
        """Take over one directive; raises Invalid when it makes no sense."""
        if key in STRINGS:
            attribute, choices = STRINGS[key]
            if not value:
                raise errors.Invalid(f"{key} has no value")
            if value not in choices:
                raise errors.Invalid(f"{key} {value!r} is none of {', '.join(choices)}")
            self.strings[attribute] = value
        elif key in INTS:
            self.words[key.replace("-", "_")] = parse_int(value)
        elif key in BOOLS:
            self.words[key.replace("-", "_")] = int(parse_bool(value))
        elif key in FIXED:
            self.words[key] = parse_fixed(value)
        else:
            raise errors.Invalid(f"unknown key {key}")


def read_settings(lines: Sequence[Line], debug: Debug, earlier: TestConf) -> TestConf:
    """Return the settings that *lines* make; what makes no sense is reported and left out."""
    settings = TestConf(earlier)
    for line in lines:
        tokens = line.tokens()
        if not tokens:
            continue
        try:
            settings.apply(tokens[0], tokens[1] if len(tokens) > 1 else "")
        except errors.Invalid as exc:
            debug(1, "%s: ignored: %s", line.where(), exc)
    return settings
