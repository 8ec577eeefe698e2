"""What the command line sets on a scanner: options of the driver, mode, source, paper, area.

It knows option values as text, and the Python API's `configure`; a value that the scanner
rounds is told, one that it lacks ends the command before paper moves.
"""

from __future__ import annotations

import re

from ...errors import SaneError
from .exits import failure_of, usage
from .words import LENGTH, MM_PER, meant

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from typing import Any

    from ...api.scanner import Scanner
    from ...controls import Option
    from .talk import Talk

YES_NO = {"yes": True, "true": True, "on": True, "1": True}
YES_NO |= {"no": False, "false": False, "off": False, "0": False}
UNITS = {"percent": ("%", "percent"), "microsecond": ("us",), "pixel": ("px", "pixel", "pel")}
AUTO = "auto"


class Settings:
    """What was asked, what the scanner took, and which of it is not the same."""

    def __init__(self) -> None:
        self.asked: dict[str, Any] = {}
        self.applied: dict[str, Any] = {}
        self.inexact: list[str] = []

    def to_dict(self) -> dict[str, Any]:
        """Return the object "settings" of the JSON output."""
        return {"asked": self.asked, "applied": self.applied, "inexact": self.inexact}


def value_of(option: Option, text: str) -> Any:
    """Return what *text* means for *option*; raises Failure with what it may be."""
    if option.kind == "bool":
        if text.lower() in YES_NO:
            return YES_NO[text.lower()]
        raise usage(f"{option.name}: {text!r} is neither yes nor no")
    if option.kind in ("int", "fixed"):
        values = [_number(option, part) for part in text.split(",")]
        return values[0] if len(values) == 1 else values
    if option.kind == "string" and option.choices:
        folded = {str(choice).casefold(): choice for choice in option.choices}
        if text.casefold() in folded:
            return folded[text.casefold()]
        choices = ", ".join(map(str, option.choices))
        raise usage(
            f"{option.name}: {text!r} is none of its values{meant(text, map(str, option.choices))}",
            f"{option.name} may be: {choices}",
        )
    return text


def _number(option: Option, text: str) -> float:
    """Return one number with its unit."""
    unit = option.unit_name
    units = UNITS.get(unit, (unit,))
    found = re.fullmatch(rf"([+-]?){LENGTH}(?:e([+-]?\d+))?\s*([^\d\s]*)", text.strip().lower())
    if found is None:
        raise usage(f"{option.name}: {text!r} is not a number")
    sign, digits, power, given = found.groups()
    value = float(f"{sign}{digits}e{power or 0}")
    if not given or given in units:
        pass
    elif unit == "mm" and given in MM_PER:
        value *= MM_PER[given]
    else:
        raise usage(f"{option.name}: {given!r} is not its unit, {units[0]}")
    if option.kind == "int":
        if not value.is_integer():
            raise usage(f"{option.name}: {text} is not a whole number")
        return int(value)
    return value


def driver_options(scanner: Scanner, pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """Return the values of NAME=VALUE pairs by the options' names; raises Failure."""
    values = {}
    for given, text in pairs:
        name = given.replace("_", "-")
        name = name if name in scanner.options else given
        if name not in scanner.options:
            raise usage(
                f"{scanner.name} has no option {given!r}{meant(given, scanner.options)}",
                f"pysane info -d {scanner.name} lists its options",
            )
        option = scanner.options[name]
        if text == AUTO and option.is_automatic() and AUTO not in (option.choices or ()):
            values[name] = AUTO
        elif isinstance(text, str):
            values[name] = value_of(option, text)
        else:  # of a profile, where numbers are numbers
            values[name] = text
    return values


def source_for(scanner: Scanner, source: str | None) -> str | None:
    """Return the source that *source* means: "auto" is the feeder when it is loaded.

    None leaves the scanner's own. Whether the feeder is loaded only some scanners tell.
    """
    if source != AUTO:
        return source
    loaded = scanner.sensors().get("page-loaded")
    if loaded is None:
        return None
    kinds = scanner.capabilities.sources
    if loaded and "feeder" in kinds:
        return "feeder"
    if loaded == 0 and "flatbed" in kinds:
        return "flatbed"
    return None


def wanted(options: argparse.Namespace) -> dict[str, Any]:
    """Return what the command line asks of `Scanner.configure`, without driver options."""
    get = vars(options).get
    asked = {
        "mode": get("mode"),
        "resolution": get("dpi"),
        "source": get("source"),
        "depth": get("depth"),
        "page_size": get("page_size"),
        "area": get("area"),
    }
    if asked["page_size"] == AUTO:  # all there is; page work cuts it to the paper
        asked["page_size"], asked["area"] = None, asked["area"] or "max"
    if asked["page_size"] == "max":
        asked["page_size"], asked["area"] = None, asked["area"] or "max"
    if asked["page_size"] and asked["area"]:
        raise usage("--page-size and --area exclude each other")
    return {name: value for name, value in asked.items() if value is not None}


def apply(
    scanner: Scanner, asked: dict[str, Any], pairs: Sequence[tuple[str, Any]], talk: Talk
) -> Settings:
    """Set everything on the scanner, or nothing; raises Failure."""
    settings = Settings()
    options = driver_options(scanner, pairs)
    automatic = [
        name
        for name, value in options.items()
        if isinstance(value, str) and value == AUTO and scanner.options[name].is_automatic()
    ]
    direct = {name: value for name, value in options.items() if name not in automatic}
    wish = asked.get("source", None if "source" in options else AUTO)
    source = source_for(scanner, wish)
    asked = {name: value for name, value in asked.items() if name != "source"}
    if source is not None:
        asked["source"] = source
    settings.asked = {**asked, **options}
    try:
        applied = scanner.configure(**{**asked, **direct})
        for name in automatic:
            scanner.options[name].set_auto()
    except SaneError as exc:
        raise failure_of(exc, scanner.name) from exc
    except (AttributeError, TypeError, ValueError) as exc:  # what an option says of a wrong value
        raise usage(f"{scanner.name}: {exc}") from exc
    settings.applied = {**dict(applied), **dict.fromkeys(automatic, AUTO)}
    settings.inexact = list(applied.inexact)
    for name in settings.inexact:
        talk.warn(
            f"{scanner.name}: {name} {settings.asked.get(name)} became {settings.applied.get(name)}"
        )
    return settings
