"""Kinds of options that this driver has several of, ready to be declared in one statement."""

from __future__ import annotations

from ...backend import (
    CAP_ADVANCED,
    CAP_HARD_SELECT,
    CAP_SOFT_DETECT,
    CAP_SOFT_SELECT,
    INFO_RELOAD_OPTIONS,
    INFO_RELOAD_PARAMS,
    UNIT_MM,
    Range,
)
from ...option import Bool, Fixed, Int, String
from .capabilities import FLATBED, MOST_UNITS
from .settings import DEFAULT, OFF, ON, WORD_TO_UNIT, millimetres
from .window import DTC, DTC_OPTIONS, SDTC, processing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

OPTIONS = INFO_RELOAD_OPTIONS
PARAMS = INFO_RELOAD_PARAMS
BOTH = INFO_RELOAD_OPTIONS | INFO_RELOAD_PARAMS
NORMAL = CAP_SOFT_SELECT | CAP_SOFT_DETECT
MORE = NORMAL | CAP_ADVANCED
SENSOR = CAP_SOFT_DETECT | CAP_HARD_SELECT | CAP_ADVANCED
SWITCH = (DEFAULT, OFF, ON)
QUANTUM = WORD_TO_UNIT / 65536  # mm: 1 u
ANY_LENGTH = Range(0, millimetres(MOST_UNITS), QUANTUM)  # until the capabilities are known


PROCESSED_BY = ("threshold", "variance", *DTC_OPTIONS)  # what decides upon the processing


def dtc(title: str, desc: str, most: int = 0) -> Any:
    """Return an option of dynamic thresholding: yes or no, or a number up to *most*."""
    rest: dict[str, Any] = {
        "active": lambda d: processing(d) != SDTC,
        "depends": PROCESSED_BY,
        "reloads": OPTIONS,
    }
    return Int(title, desc, Range(0, most), **rest) if most else Bool(title, desc, **rest)


def variance(title: str, desc: str) -> Int:
    """Return the option of simplified dynamic thresholding."""
    rest: dict[str, Any] = {
        "active": lambda d: processing(d) != DTC,
        "depends": DTC_OPTIONS,
        "reloads": OPTIONS,
    }
    return Int(title, desc, Range(0, 255), **rest)


def matrix(size: str) -> Bool:
    """Return the option for noise removal in squares of *size*."""
    return Bool(
        f"Matrix {size}",
        f"Remove noise in squares of {size} pixels.",
        active=lambda d: d.noise_removal,
        depends=("noise_removal",),
    )


def edge(title: str, desc: str) -> Fixed:
    """Return an edge of the scan area."""
    return Fixed(title, desc, ANY_LENGTH, unit=UNIT_MM, reloads=BOTH)


def paper(title: str, desc: str) -> Fixed:
    """Return a size of the sheets."""
    return Fixed(
        title,
        desc,
        ANY_LENGTH,
        unit=UNIT_MM,
        reloads=OPTIONS,
        active=lambda d: d.source != FLATBED,
        depends=("source",),
    )


def double_feed(title: str, desc: str) -> Bool:
    """Return a way in which double feeds are noticed."""
    is_used: dict[str, Any] = {
        "active": lambda d: d.df_action != DEFAULT,
        "depends": ("df_action",),
    }
    return Bool(title, desc, cap=MORE, **is_used)


def protection(title: str, desc: str) -> String:
    """Return a protection of sheets that is on by default."""
    return String(title, desc, SWITCH, default=ON, cap=MORE)


def offset(title: str, desc: str) -> Int:
    """Return a correction of an offset, in lines."""
    return Int(title, desc, Range(-16, 16), default=0, cap=MORE)


def printed(kind: Any, title: str, desc: str, *constraint: Any, **rest: Any) -> Any:
    """Return an option of the endorser."""
    is_used: dict[str, Any] = {"active": lambda d: d.endorser, "depends": ("endorser",)}
    return kind(title, desc, *constraint, cap=MORE, **is_used, **rest)


def sensor(title: str, desc: str, kind: Any = Bool) -> Any:
    """Return a sensor or button: asked when it is read, unless it was told since."""
    found = kind(title, desc, cap=SENSOR)
    found.on_get(lambda device: device.sensor(found.attribute))
    return found
