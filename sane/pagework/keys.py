"""The keys of profiles: the long options of ``pysane scan``, and what their values may be.

It checks types; whether a scanner takes a value is the scanner's matter. Source: specification
python-api-and-cli 12.3, 12.5.
"""

from __future__ import annotations

from math import isfinite

from .problem import CONFIG, PageWorkError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

TEXT, WHOLE, NUMBER, YES_NO, AREA = "text", "a whole number", "a number", "true or false", "area"
LENGTHS = 4  # of an area: left, top, width, height

# What the values of a key may be, of several kinds the first that fits a text.
KEYS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("device", "profile", "mode", "source", "page-size"), (TEXT,)),
    **dict.fromkeys(("collate", "keep-raw", "output", "format", "destination"), (TEXT,)),
    **dict.fromkeys(("title", "author", "keywords", "exec", "progress", "color"), (TEXT,)),
    **dict.fromkeys(("depth", "pages", "quality", "rotate-backs"), (WHOLE,)),
    **dict.fromkeys(("timeout", "delay", "brightness", "contrast", "threshold"), (NUMBER,)),
    **dict.fromkeys(("prompt", "manual-duplex", "deskew", "despeckle"), (YES_NO,)),
    **dict.fromkeys(("white-background", "force", "lossless", "pdfa", "encrypt"), (YES_NO,)),
    **dict.fromkeys(("ocr-sidecar", "open", "exec-must-succeed", "no-partial"), (YES_NO,)),
    **dict.fromkeys(("quiet", "json", "dry-run"), (YES_NO,)),
    **dict.fromkeys(("dpi", "rotate", "split"), (WHOLE, TEXT)),
    "verbose": (WHOLE, YES_NO),
    "area": (AREA, TEXT),
    "crop": (NUMBER, YES_NO, TEXT),
    "skip-blank": (NUMBER, YES_NO),
    "ocr": (YES_NO, TEXT),
}
WORDS = {"yes": True, "true": True, "on": True, "1": True}
WORDS |= {"no": False, "false": False, "off": False, "0": False}


def checked(key: str, value: object, where: object) -> Any:
    """Return *value* for *key*; raises PageWorkError that begins with *where*."""
    if key not in KEYS:
        raise PageWorkError(f"{where}: unknown key {key!r}{meant(key, KEYS)}", exit_code=CONFIG)
    if not any(_fits(kind, value) for kind in KEYS[key]):
        raise _wrong(key, value, where)
    return value


def from_text(key: str, text: str, where: str) -> Any:
    """Return what *text*, of a variable, means for *key*; raises PageWorkError."""
    checked_key = KEYS.get(key)
    if checked_key is None:
        checked(key, text, where)
    for kind in KEYS[key]:
        value = _parsed(kind, text.strip())
        if value is not None:
            return value
    raise _wrong(key, text, where)


def meant(name: str, known: Iterable[str]) -> str:
    """Return ``; did you mean NAME?`` for a name that is nearly one of *known*, or nothing."""
    from difflib import get_close_matches

    found = get_close_matches(name, list(known), 1)
    return f"; did you mean {found[0]}?" if found else ""


def _wrong(key: str, value: object, where: object) -> PageWorkError:
    kinds = " or ".join("four numbers" if kind == AREA else kind for kind in KEYS[key])
    return PageWorkError(f"{where}: {key} is {value!r}, and not {kinds}", exit_code=CONFIG)


def _fits(kind: str, value: object) -> bool:
    if kind == AREA:
        is_list = isinstance(value, list) and len(value) == LENGTHS
        return is_list and all(_fits(NUMBER, part) for part in value)  # type: ignore[attr-defined]
    if kind == TEXT:
        return isinstance(value, str)
    if kind == YES_NO:
        return isinstance(value, bool)
    numbers = (int,) if kind == WHOLE else (int, float)
    return isinstance(value, numbers) and not isinstance(value, bool) and isfinite(value)


def _parsed(kind: str, text: str) -> Any:
    """Return *text* as a value of that kind, None if it is none."""
    if kind == TEXT:
        return text
    if kind == YES_NO:
        return WORDS.get(text.lower())
    try:
        if kind == AREA:
            parts = [float(part) for part in text.split(",")]
            return parts if len(parts) == LENGTHS else None
        value = int(text) if kind == WHOLE else float(text)
    except ValueError:
        return None
    return value if isfinite(value) else None
