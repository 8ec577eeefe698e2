"""Profiles: settings of a scan under a name, from the configuration and from people.

People's are kept as profiles of sane.pagework, in a file of the same form as that of `pysane scan`,
which takes them, too. It maps REST's words to those keys and back.
"""

from __future__ import annotations

import re
import threading

from ..pagework import profiles as kept
from ..pagework.problem import PageWorkError
from ..pagework.toml import TomlFile
from .api.problem import FULL, ApiError, not_found

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from .config import ProfileSettings

NAME = r"^[^\x00-\x1f\x7f/\\]{1,64}$"
MOST = 200
# REST's words of "settings" and "work", and the keys of a profile.
SETTINGS = {"mode": "mode", "resolution": "dpi", "depth": "depth", "paper": "page-size"}
WORK = {
    "deskew": "deskew",
    "crop": "crop",
    "blank": "skip-blank",
    "rotate": "rotate",
    "white_background": "white-background",
    "despeckle": "despeckle",
    "brightness": "brightness",
    "contrast": "contrast",
    "threshold": "threshold",
}
OUTPUT = {"format": "format", "pdfa": "pdfa", "ocr": "ocr"}
SOURCES = {"platen": "flatbed", "adf": "adf", "adf-duplex": "duplex"}
AREA = ("left_mm", "top_mm", "width_mm", "height_mm")
DESTINATION, DEVICE, TITLE = "destination", "device", "title"


class Profiles:
    """All profiles; those of the configuration cannot be changed here.

    What reads or writes the file (all, find, put, delete) is for threads: a long file takes time.
    """

    def __init__(self, path: str, fixed: Iterable[ProfileSettings] = ()) -> None:
        self.path = path
        self._lock = threading.Lock()  # one change of the file at a time
        self._fixed: dict[str, dict[str, Any]] = {}
        self.adopt(fixed)

    def adopt(self, fixed: Iterable[ProfileSettings]) -> None:
        """Take over the profiles of the configuration."""
        self._fixed = {
            each.name: {
                "name": each.name,
                "settings": dict(each.settings),
                "work": dict(each.work),
                "destination": each.destination or None,
                "fixed": True,
            }
            for each in fixed
        }

    def all(self) -> list[dict[str, Any]]:
        """Return the profiles by name; raises ApiError if the file is damaged."""
        found = {name: self._told(name, values) for name, values in self._values().items()}
        everything = {**found, **self._fixed}
        return [everything[name] for name in sorted(everything)]

    def find(self, name: str) -> dict[str, Any]:
        """Return a profile; raises ApiError."""
        fixed = self._fixed.get(name)
        if fixed is not None:
            return fixed
        values = self._values().get(name)
        if values is None:
            raise not_found("profile")
        return self._told(name, values)

    def put(self, name: str, profile: dict[str, Any]) -> bool:
        """Keep a profile, in the place of one of that name; tell whether it is new."""
        self._check(name)
        values = values_of(profile)
        with self._lock:
            known = self._values()
            if name not in known and len(known) >= MOST:
                raise ApiError("too-many", f"there are {MOST} profiles already")
            try:
                kept.save_profile(name, values, path=self.path, force=True)
            except PageWorkError as exc:
                raise _failed(exc) from exc
        return name not in known

    def delete(self, name: str) -> None:
        """Remove a profile; raises ApiError."""
        self._check(name)
        with self._lock:
            if name not in self._values():
                raise not_found("profile")
            try:
                kept.delete_profile(name, path=self.path)
            except PageWorkError as exc:
                raise _failed(exc) from exc

    def _check(self, name: str) -> None:
        if not re.search(NAME, name) or not name.isprintable() or name != name.strip():
            raise ApiError("invalid", "name: 1 to 64 printed characters, no slash", field="name")
        if name in self._fixed:
            text = f"profile {name} stands in the server's configuration, which has to be changed"
            raise ApiError("forbidden", text, field="name")

    def _values(self) -> dict[str, dict[str, Any]]:
        try:
            file = TomlFile.read(self.path)
            if file is None:
                return {}
            found = kept.Configuration([file])
            return {name: found.profile(name) for name in found.names}
        except PageWorkError as exc:
            raise _failed(exc) from exc

    def _told(self, name: str, values: dict[str, Any]) -> dict[str, Any]:
        return {"name": name, **profile_of(values), "fixed": False}


def values_of(profile: dict[str, Any]) -> dict[str, Any]:
    """Return REST's profile as values of a profile of page work."""
    settings, work = profile.get("settings", {}), profile.get("work", {})
    values = {key: settings[name] for name, key in SETTINGS.items() if name in settings}
    values |= {key: work[name] for name, key in WORK.items() if work.get(name) is not None}
    output = profile.get("output", {})
    values |= {key: output[name] for name, key in OUTPUT.items() if name in output}
    if "source" in settings:
        values["source"] = SOURCES[settings["source"]]
    if "area" in settings:
        values["area"] = [float(settings["area"][name]) for name in AREA]
    for name, value in ((DEVICE, settings.get("scanner")), (TITLE, profile.get("title"))):
        if value:
            values[name] = value
    if profile.get("destination"):
        values[DESTINATION] = profile["destination"]
    return values


def profile_of(values: dict[str, Any]) -> dict[str, Any]:
    """Return a profile of page work in REST's words."""
    settings = {name: values[key] for name, key in SETTINGS.items() if key in values}
    words = {word: name for name, word in SOURCES.items()}
    if values.get("source") in words:
        settings["source"] = words[values["source"]]
    if isinstance(values.get("area"), list):
        settings["area"] = dict(zip(AREA, values["area"], strict=True))
    if DEVICE in values:
        settings["scanner"] = values[DEVICE]
    out: dict[str, Any] = {
        "settings": settings,
        "work": {name: values[key] for name, key in WORK.items() if key in values},
        "output": {name: values[key] for name, key in OUTPUT.items() if key in values},
        "destination": values.get(DESTINATION),
    }
    if TITLE in values:
        out["title"] = values[TITLE]
    return out


def _failed(exc: PageWorkError) -> ApiError:
    is_full = getattr(exc.__cause__, "errno", None) in FULL
    return ApiError("disk-full" if is_full else "failed", str(exc))
