"""Values of options as text: numbers with units, vectors with places and slopes.

It knows kinds of values and units, and no device. Source: python-api-and-cli 11.4.
"""

from __future__ import annotations

from math import isnan

from ...const import (
    FIXED_SCALE,
    MM_PER_INCH,
    TYPE_FIXED,
    UNIT_BIT,
    UNIT_DPI,
    UNIT_MICROSECOND,
    UNIT_MM,
    UNIT_PERCENT,
    UNIT_PIXEL,
)
from ...param import WORD_MAX, WORD_MIN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

BLANKS = " \t\n\v\f\r"
DIGITS = "0123456789"
HEX_DIGITS = "0123456789abcdefABCDEF"
SEPARATORS = ",-"
LENGTHS = {"cm": 10.0, "mm": 1.0, "in": MM_PER_INCH, '"': MM_PER_INCH}
UNITS = {
    UNIT_PIXEL: ("pel",),
    UNIT_BIT: ("bit", "b"),
    UNIT_DPI: ("dpi",),
    UNIT_PERCENT: ("%",),
    UNIT_MICROSECOND: ("us",),
}


class BadValue(Exception):
    """A text is no value; the message says where it ends to be one."""


class Asked:
    """A value as the command line has it.

    words: for the device. numbers: what they mean, before they were cut to what a word can hold.
    is_cut: some number did not fit.
    """

    def __init__(self, numbers: list[float], type: int) -> None:
        self.numbers = numbers
        scale = FIXED_SCALE if type == TYPE_FIXED else 1
        whole = [to_word(number * scale) for number in numbers]
        self.words = [max(WORD_MIN, min(WORD_MAX, word)) for word in whole]
        self.is_cut = self.words != whole


def to_word(value: float) -> int:
    """Return *value* without its fraction; one beyond all words as the nearest one and more."""
    return int(max(float(WORD_MIN - 1), min(float(WORD_MAX + 1), value)))


def parse(text: str, type: int, unit: int, length: int) -> Asked:
    """Return the *length* elements that *text* names; raises BadValue.

    Elements that are not named are 0. ``[i]`` says where the next one goes, "-" between two fills
    the places between them linearly.
    """
    numbers = [0.0] * length
    place, separator, rest = -1, ",", text
    while True:
        before = place
        place, rest = _place(rest, before + 1)
        if not 0 <= place < length:
            raise BadValue(f"index {place} out of range [0..{length - 1}]")
        number, rest = _scalar(rest, type, unit, length)
        if separator == "-":
            _fill(numbers, before, place, number)
        numbers[place] = number
        if not rest:
            return Asked(numbers, type)
        separator = rest[0]
        if separator not in SEPARATORS:
            raise BadValue(f"illegal separator (rest of option: {rest})")
        rest = rest[1:]


def _place(rest: str, usual: int) -> tuple[int, str]:
    """Return where an element goes, and what follows that."""
    if not rest.startswith("["):
        return usual, rest
    inner = rest[1:]
    end = _whole_end(inner)
    if not end or inner[end : end + 1] != "]":
        raise BadValue(f"closing bracket missing (rest of option: {inner})")
    return to_word(float(inner[:end])), inner[end + 1 :]


def _fill(numbers: list[float], first: int, last: int, target: float) -> None:
    """Let the elements between two places lie on the line between their values."""
    if last - first > 1:
        slope = (target - numbers[first]) / (last - first)
        for place in range(first + 1, last):
            numbers[place] = numbers[first] + (place - first) * slope


def _scalar(rest: str, type: int, unit: int, length: int) -> tuple[float, str]:
    """Return a number in the option's unit, and what follows it."""
    is_fixed = type == TYPE_FIXED
    end = _float_end(rest) if is_fixed else _whole_end(rest)
    if not end:
        raise BadValue(f"bad option value (rest of option: {rest})")
    value = _to_float(rest[:end])
    if isnan(value):
        raise BadValue(f"bad option value (rest of option: {rest})")
    rest = rest[end:]
    separators = SEPARATORS if length > 1 else ""
    if unit != UNIT_MM:
        return value, _after_unit(rest, UNITS.get(unit, ()))
    if not rest or rest[0] in separators:
        return value, rest
    for name, factor in LENGTHS.items():
        behind = rest[len(name) :]
        is_whole = len(name) == 1 or not behind or behind[0] in separators
        if rest.startswith(name) and is_whole:
            value *= factor
            return value if is_fixed else float(_rounded(value)), behind
    raise BadValue(f"illegal unit (rest of option: {rest})")


def _after_unit(rest: str, names: tuple[str, ...]) -> str:
    for name in names:
        behind = rest[len(name) :]
        if rest.startswith(name) and (len(name) == 1 or not behind or behind[0] in SEPARATORS):
            return behind
    return rest


def _rounded(value: float) -> int:
    return int(value + 0.5) if value > 0 else int(value - 0.5)


# Where numbers end, as strtol and strtod see it; 0: there is none.


def _start(text: str) -> int:
    """Return where the digits should begin: after blanks and a sign."""
    at = len(text) - len(text.lstrip(BLANKS))
    return at + 1 if text[at : at + 1] in ("+", "-") else at


def _run(text: str, at: int, characters: str) -> int:
    """Return the end of the *characters* that stand at *at*."""
    while at < len(text) and text[at] in characters:
        at += 1
    return at


def _whole_end(text: str) -> int:
    start = _start(text)
    end = _run(text, start, DIGITS)
    return end if end > start else 0


def _float_end(text: str) -> int:
    start = _start(text)
    lower = text[start:].lower()
    for word in ("infinity", "inf", "nan"):
        if lower.startswith(word):
            return start + len(word)
    if lower.startswith("0x"):
        end = _mantissa_end(text, start + 2, HEX_DIGITS)
        if end:
            return _exponent_end(text, end, "pP")
    end = _mantissa_end(text, start, DIGITS)
    return _exponent_end(text, end, "eE") if end else 0


def _mantissa_end(text: str, start: int, digits: str) -> int:
    end = _run(text, start, digits)
    count = end - start
    if text[end : end + 1] == ".":
        after = _run(text, end + 1, digits)
        count += after - end - 1
        end = after
    return end if count else 0


def _exponent_end(text: str, end: int, letters: str) -> int:
    if text[end : end + 1] not in tuple(letters):
        return end
    digits = end + 2 if text[end + 1 : end + 2] in ("+", "-") else end + 1
    after = _run(text, digits, DIGITS)
    return after if after > digits else end


def _to_float(text: str) -> float:
    text = text.strip(BLANKS)
    read: Callable[[str], float] = float.fromhex if "x" in text.lower() else float
    try:
        return read(text)
    except OverflowError:  # of fromhex
        return float("-inf" if text.startswith("-") else "inf")
