"""The table of the device's options for -A and --help, which programs read: byte for byte.

It knows how the original writes options and nothing of devices but DeviceOptions.
Source: python-api-and-cli 11.4, and what the original prints.
"""

from __future__ import annotations

from ... import const
from ...option import WordRange
from ...param import unfix
from .options import OFFSETS, words_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...option import Option
    from .options import DeviceOptions

UNITS = ("", "pel", "bit", "mm", "dpi", "%", "us")
KINDS = {const.TYPE_INT: "<int>", const.TYPE_FIXED: "<float>", const.TYPE_STRING: "<string>"}
WIDTH = 79
INDENT = 8
VISIBLE = const.CAP_SOFT_SELECT | const.CAP_HARD_SELECT | const.CAP_SOFT_DETECT
SIZES = {"x": "Width of scan-area.", "y": "Height of scan-area."}
UNREADABLE = {const.TYPE_BOOL: "yes", const.TYPE_STRING: ""}  # as the original has it, mostly


def table(options: DeviceOptions, name: str, shows_all: bool) -> str:
    """Return the table of device *name*; shows_all: also what only its user can change."""
    title = "All options" if shows_all else "Options"
    lines = ["", f"{title} specific to device `{name}':"]
    for option in options.all[1:]:
        lines += _entry(options, option, shows_all)
    return "\n".join(lines) + "\n\n"


def _entry(options: DeviceOptions, option: Option, shows_all: bool) -> Iterator[str]:
    if option.type == const.TYPE_GROUP:
        yield f"  {option.title}:"
        return
    cap = options.cap(option.index)
    wanted = VISIBLE if shows_all else const.CAP_SOFT_SELECT
    if not option.name or not cap & wanted:
        return
    letter = next((letter for letter, at in options.geometry.items() if at == option.index), "")
    name = f"-{letter}" if letter else f"--{option.name}"
    yield f"    {name}{_values(options, option, letter)}{_state(options, option, letter)}"
    yield from wrapped(SIZES.get(letter, option.desc))


def _values(options: DeviceOptions, option: Option, letter: str) -> str:
    """Return what may follow the name."""
    has_auto = options.cap(option.index) & const.CAP_AUTOMATIC
    auto = "auto|" if has_auto else ""
    if option.type == const.TYPE_BOOL:
        return f"[=({auto}yes|no)]"
    if option.type == const.TYPE_BUTTON:
        return ""
    more = ",..." if option.type != const.TYPE_STRING and option.size > 4 else ""
    constraint = options.constraint(option.index)
    if constraint is None:
        return f" {auto}{KINDS[option.type]}{more}"
    unit = UNITS[option.unit]
    if isinstance(constraint, WordRange):
        low, high = constraint.min, constraint.max
        if letter in OFFSETS:
            high -= options.offset(letter)
        text = f"{_number(option, low)}..{_number(option, high)}{unit}{more}"
        quant = constraint.quant
        return f" {auto}{text}" + (f" (in steps of {_number(option, quant)})" if quant else "")
    if option.type == const.TYPE_STRING:
        return f" {auto}{'|'.join(constraint)}"  # type: ignore[arg-type]
    words = "|".join(_number(option, word) for word in constraint)  # type: ignore[attr-defined]
    return f" {auto}{'|' if auto else ''}{words}{unit}{more}"


def _number(option: Option, word: int) -> str:
    return f"{unfix(word):g}" if option.type == const.TYPE_FIXED else str(word)


def _state(options: DeviceOptions, option: Option, letter: str) -> str:
    """Return value and kind of access, in brackets."""
    cap = options.cap(option.index)
    if cap & const.CAP_INACTIVE:
        return " [inactive]"
    text = ""
    if option.type == const.TYPE_STRING or (option.type != const.TYPE_BUTTON and option.size == 4):
        text = f" [{_value(options, option, letter)}]"
    if not cap & const.CAP_SOFT_SELECT:
        kind = "hardware" if cap & const.CAP_HARD_SELECT else "read-only"
        return f"{text} [{kind}]"
    return f"{text} [advanced]" if cap & const.CAP_ADVANCED else text


def _value(options: DeviceOptions, option: Option, letter: str) -> str:
    data = options.value(option.index)
    if letter in OFFSETS and data is not None:
        return _number(option, words_of(data)[0] - options.offset(letter))
    if data is None:
        return UNREADABLE.get(option.type, "0")
    if option.type == const.TYPE_STRING:
        return str(option.decode(data))
    word = words_of(data)[0]
    if option.type == const.TYPE_BOOL:
        return "yes" if word else "no"
    return _number(option, word)


def wrapped(text: str) -> Iterator[str]:
    """Yield the lines of a description, indented, its own line breaks and blanks kept.

    The first one is shorter by a column, as the original's is.
    """
    width = WIDTH - 1
    for paragraph in text.split("\n"):
        line = ""
        for at, word in enumerate(paragraph.split(" ")):
            if at and INDENT + len(line) + 1 + len(word) > width:
                yield " " * INDENT + line
                line, width = word, WIDTH
            else:
                line += f" {word}" if at else word
        yield " " * INDENT + line
        width = WIDTH
