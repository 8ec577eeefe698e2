"""The knobs of an emulated eSCL scanner as JSON.

    {"sheets": 3, "model": {"name": "X", "adf": {"max_height": 4200}}, "jobs": {"location": "usb"}}

An object replaces the attributes that it names, and only those; a name that nothing has is an
error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .http import Reply
from .knobs import Delivery
from .model import Profile, Range, Source
from .scanner import Scanner

GROUPS = ("model", "writing", "status", "jobs", "pages", "timing", "access")
STATES = ("is_jammed", "is_cover_open")
SOURCES = ("platen", "adf", "duplex")


def apply(scanner: Scanner, knobs: Mapping[str, Any]) -> None:
    """Change *scanner* as *knobs* say; raises ValueError, naming what is wrong."""
    for name, value in knobs.items():
        if name in GROUPS:
            _set(getattr(scanner, name), value, name)
        elif name in STATES and isinstance(value, bool):
            setattr(scanner, name, value)
        elif name == "sheets":
            scanner.load(int(value))
        elif name == "script":
            for resource, answers in value.items():
                if resource not in scanner.scripted:
                    raise ValueError(f"script: no resource {resource!r}")
                scanner.script(resource, *map(_answer, answers))
        else:
            raise ValueError(f"no knob {name!r}")


def _set(group: Any, values: Mapping[str, Any], path: str) -> None:
    for name, value in values.items():
        if not hasattr(group, name):
            raise ValueError(f"no knob {path}.{name}")
        setattr(group, name, _converted(group, name, value, f"{path}.{name}"))


def _converted(group: Any, name: str, value: Any, path: str) -> Any:
    """Return a JSON value as the knob has it."""
    if value is None:
        return None
    if name in SOURCES:
        found = getattr(group, name) or Source()
        _set(found, value, path)
        return found
    convert = _CONVERSIONS.get(name)
    return convert(value, path) if convert else value


def _new(kind: Any, values: Mapping[str, Any], path: str) -> Any:
    plain = {name: _converted(None, name, value, path) for name, value in values.items()}
    try:
        return kind(**plain)
    except TypeError as exc:
        raise ValueError(f"{path}: {exc}") from None


_CONVERSIONS: dict[str, Callable[[Any, str], Any]] = {
    "profiles": lambda value, path: tuple(_new(Profile, entry, path) for entry in value),
    "ranges": lambda value, path: {
        key: _new(Range, {"low": 0, "high": 0} | entry, path) for key, entry in value.items()
    },
    "resolutions": lambda value, path: tuple(
        tuple(entry) if isinstance(entry, list) else entry for entry in value
    ),
    "deliveries": lambda value, path: [_new(Delivery, entry, path) for entry in value],
    "delivery": lambda value, path: _new(Delivery, value, path),
    "verbatim": lambda value, path: str(value).encode(),
    "document": lambda value, path: str(value).encode(),
    "body": lambda value, path: str(value).encode(),
    "redirects": lambda value, path: {
        key: (int(status), str(place)) for key, (status, place) in value.items()
    },
}


def _answer(value: Any) -> Reply | int | None:
    if isinstance(value, Mapping):
        reply: Reply = _new(Reply, value, "script")
        return reply
    return None if value is None else int(value)
