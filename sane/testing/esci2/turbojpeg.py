"""JPEG files of emulated scanners, made by libturbojpeg: the data that real devices send.

Source: the TurboJPEG API (turbojpeg.h, tjCompress2), called by ctypes: it needs no headers and
serves every Python.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

LIBRARY = "libturbojpeg.so.0"
RGB, GRAY, CMYK = 0, 6, 11  # pixel formats
PROGRESSIVE = 16384  # a flag
FORMATS = {1: GRAY, 3: RGB, 4: CMYK}  # by samples of a pixel
SAMPLINGS = {"444": 0, "422": 1, "420": 2}  # how far colour is reduced
GRAY_SAMPLING = 3
RESTART = "TJ_RESTART"  # the library's own variable: its API before 3.0 has no parameter for it
RESTART_BLOCKS = 18  # the parameter since then, when the variable went


class Absent(Exception):
    """The library is not installed."""


@lru_cache(maxsize=1)
def _library() -> ctypes.CDLL:
    try:
        library = ctypes.CDLL(LIBRARY)
    except OSError as exc:
        raise Absent(f"{LIBRARY} is not there: apt-get install libturbojpeg0") from exc
    library.tjInitCompress.restype = ctypes.c_void_p
    library.tjGetErrorStr.restype = ctypes.c_char_p
    return library


def is_there() -> bool:
    """Tell whether the library is installed."""
    try:
        _library()
    except Absent:
        return False
    return True


@contextmanager
def _restarting(handle: ctypes.c_void_p, blocks: int) -> Iterator[None]:
    """Let the library begin a restart interval every so many blocks; 0: none."""
    if blocks and hasattr(_library(), "tj3Set"):
        _library().tj3Set(handle, RESTART_BLOCKS, blocks)
    elif blocks:
        os.environ[RESTART] = f"{blocks}B"
    try:
        yield
    finally:
        os.environ.pop(RESTART, None)


def compress(
    pixels: bytes,
    width: int,
    height: int,
    quality: int,
    sampling: str = "420",
    *,
    is_progressive: bool = False,
    restart: int = 0,
) -> bytes:
    """Return *pixels* as a JPEG: 1 byte each is gray, 3 are RGB, 4 are CMYK (stored as YCCK).

    restart: blocks in a restart interval, 0: there are none.
    """
    channels, rest = divmod(len(pixels), width * height)
    if rest or channels not in FORMATS:
        raise ValueError(f"{len(pixels)} bytes are not {width} x {height} pixels")
    library = _library()
    handle = ctypes.c_void_p(library.tjInitCompress())
    target, size = ctypes.c_void_p(), ctypes.c_ulong()
    try:
        with _restarting(handle, restart):
            failed = library.tjCompress2(
                handle,
                pixels,
                width,
                0,
                height,
                FORMATS[channels],
                ctypes.byref(target),
                ctypes.byref(size),
                GRAY_SAMPLING if channels == 1 else SAMPLINGS[sampling],
                quality,
                PROGRESSIVE if is_progressive else 0,
            )
        if failed:
            raise ValueError(library.tjGetErrorStr().decode())
        return ctypes.string_at(target, size.value)
    finally:
        library.tjFree(target)
        library.tjDestroy(handle)
