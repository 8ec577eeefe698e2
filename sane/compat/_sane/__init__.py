"""python-sane's module of C functions, by PySANE: what programs import as _sane.

It knows names only. It is installed beside the package sane, for Python programs; the library
never imports it.
"""

from __future__ import annotations

from sane.compat.lowlevel import (
    OPTION_IS_ACTIVE,
    OPTION_IS_SETTABLE,
    exit,
    get_devices,
    init,
    open_device,
)
from sane.const import (
    CAP_ADVANCED,
    CAP_AUTOMATIC,
    CAP_EMULATED,
    CAP_HARD_SELECT,
    CAP_INACTIVE,
    CAP_SOFT_DETECT,
    CAP_SOFT_SELECT,
    CONSTRAINT_NONE,
    CONSTRAINT_RANGE,
    CONSTRAINT_STRING_LIST,
    CONSTRAINT_WORD_LIST,
    FRAME_BLUE,
    FRAME_GRAY,
    FRAME_GREEN,
    FRAME_RED,
    FRAME_RGB,
    INFO_INEXACT,
    INFO_RELOAD_OPTIONS,
    INFO_RELOAD_PARAMS,
    TYPE_BOOL,
    TYPE_BUTTON,
    TYPE_FIXED,
    TYPE_GROUP,
    TYPE_INT,
    TYPE_STRING,
    UNIT_BIT,
    UNIT_DPI,
    UNIT_MICROSECOND,
    UNIT_MM,
    UNIT_NONE,
    UNIT_PERCENT,
    UNIT_PIXEL,
)
from sane.errors import error

__all__ = [
    "CAP_ADVANCED",
    "CAP_AUTOMATIC",
    "CAP_EMULATED",
    "CAP_HARD_SELECT",
    "CAP_INACTIVE",
    "CAP_SOFT_DETECT",
    "CAP_SOFT_SELECT",
    "CONSTRAINT_NONE",
    "CONSTRAINT_RANGE",
    "CONSTRAINT_STRING_LIST",
    "CONSTRAINT_WORD_LIST",
    "FRAME_BLUE",
    "FRAME_GRAY",
    "FRAME_GREEN",
    "FRAME_RED",
    "FRAME_RGB",
    "INFO_INEXACT",
    "INFO_RELOAD_OPTIONS",
    "INFO_RELOAD_PARAMS",
    "OPTION_IS_ACTIVE",
    "OPTION_IS_SETTABLE",
    "RELOAD_PARAMS",
    "SANE_WORD_SIZE",
    "TYPE_BOOL",
    "TYPE_BUTTON",
    "TYPE_FIXED",
    "TYPE_GROUP",
    "TYPE_INT",
    "TYPE_STRING",
    "UNIT_BIT",
    "UNIT_DPI",
    "UNIT_MICROSECOND",
    "UNIT_MM",
    "UNIT_NONE",
    "UNIT_PERCENT",
    "UNIT_PIXEL",
    "_open",
    "error",
    "exit",
    "get_devices",
    "init",
]

__pysane__ = True  # tells it from python-sane's
RELOAD_PARAMS = INFO_RELOAD_PARAMS  # an older name
SANE_WORD_SIZE = 4
_open = open_device
