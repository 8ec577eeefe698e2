"""What programs pass to the API is looked at where it comes in: the error names it, and its value.

A value of a wrong type is a TypeError, another one that makes no sense Invalid.
"""

from __future__ import annotations

from math import isnan

from ..errors import Invalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

WORDS = ("mode", "source", "page_size")
EXTREMES = ("max", "min")
SIDES = 4  # left, top, width, height


def check_seconds(what: str, seconds: Any) -> None:
    """Refuse what is no time: None is one, without an end."""
    if seconds is None:
        return
    if not _is_number(seconds):
        raise TypeError(f"{what} {seconds!r} is no number of seconds")
    if isnan(seconds):
        raise Invalid(f"{what} {seconds!r} is no time")


def check_count(what: str, number: Any, least: int) -> None:
    """Refuse what is no whole number, or less than *least*."""
    if not hasattr(number, "__index__"):
        raise TypeError(f"{what} {number!r} is no whole number")
    if number < least:
        raise Invalid(f"{what} of {number}")


def check_text(what: str, text: Any) -> None:
    """Refuse what is no text."""
    if not isinstance(text, str):
        raise TypeError(f"{what} {text!r} is no text")


def check_settings(wanted: Mapping[str, Any]) -> None:
    """Refuse what no device could have for the well-known names of Scanner.configure."""
    for name in WORDS:
        if name in wanted:
            check_text(f"configure: {name}", wanted[name])
    if "resolution" in wanted:
        _check_resolution(wanted["resolution"])
    if "area" in wanted:
        _check_area(wanted["area"])


def _check_resolution(resolution: Any) -> None:
    what = f"configure: resolution {resolution!r} is neither a number nor {' or '.join(EXTREMES)}"
    if isinstance(resolution, str):
        if resolution not in EXTREMES:
            raise Invalid(what)
    elif not _is_number(resolution):
        raise TypeError(what)


def _check_area(area: Any) -> None:
    what = f"configure: area {area!r} is neither left, top, width and height in mm, nor max"
    if isinstance(area, str):
        if area != "max":
            raise Invalid(what)
        return
    if not hasattr(area, "__len__") or not all(map(_is_number, area)):
        raise TypeError(what)
    if len(area) != SIDES:
        raise Invalid(what)


def _is_number(value: Any) -> bool:
    return hasattr(value, "__float__") or hasattr(value, "__index__")
