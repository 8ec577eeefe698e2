"""dll.conf, dll.d and dll.aliases: which backends are used, in which order, under what names.

Also: names that programs have stored for devices of C backends which ours take the place of.
"""

from __future__ import annotations

import os

from .. import config

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..config import Environment
    from ..debug import Debug

# A wheel brings a dll.conf, for machines that have none; an installed prefix has none there.
OF_THE_WHEEL = os.path.join(os.path.dirname(os.path.dirname(__file__)), "lib", "pysane")

# Source: specification escl 1.7.
AIRSCAN, ESCL, WSD = "airscan", "escl", "wsd"
WSD_NAMES = ("w", "wsd:")  # airscan:w1:NAME, airscan:wsd:NAME:URL

_BLANKS = " \t"  # what separates the words of an alias line; \v, \f and \r are part of a word


def backend_names(environment: Environment, debug: Debug) -> list[str]:
    """Return the configured backends in the order in which they are asked.

    Every addition goes to the front, so the last line of dll.conf comes first and dll.d, which is
    read before it, last; a name met again moves to the front. On a machine without any of these
    files a wheel uses its own dll.conf.
    """
    names: list[str] = []
    for name in config.directory_names(environment, "dll.d"):
        if name.startswith(".") or name.endswith(("~", "#")):
            debug(5, "ignoring dll.d/%s", name)
        else:
            _add_file(f"dll.d/{name}", names, environment, debug)
    found = _add_file("dll.conf", names, environment, debug)
    if not found and not names and environment.get("SANE_CONFIG_DIR") is None:
        own = config.Environment({"SANE_CONFIG_DIR": OF_THE_WHEEL}, environment.cwd)
        _add_file("dll.conf", names, own, debug)
    return names


class Aliases:
    """The names of dll.aliases. *entries*, newest first: new name (None hides), full dll name."""

    __slots__ = ("entries",)

    def __init__(self, entries: Iterable[tuple[str | None, str]] = ()) -> None:
        self.entries = list(entries)

    @classmethod
    def load(cls, environment: Environment, debug: Debug) -> Aliases:
        """Return the aliases of dll.aliases; none when there is no such file."""
        entries = []
        for line in config.read(environment, "dll.aliases") or ():
            text = line.text.partition("#")[0]
            if not text:
                continue
            entry = _alias(text)
            if entry is None:
                debug(1, "%s: not an alias, ignored: %s", line.where(), line.text)
            else:
                entries.append(entry)
        entries.reverse()
        return cls(entries)

    def listed_name(self, full_name: str) -> str | None:
        """Return the name under which ``backend:device`` is listed, None when it is hidden."""
        for new, old in self.entries:
            if old == full_name:
                return new
        return full_name

    def resolve(self, name: str) -> str:
        """Return the full name that an alias *name* stands for, otherwise *name*; never twice."""
        for new, old in self.entries:
            if new == name:
                return old
        return name


def split_name(name: str) -> tuple[str, str]:
    """Return backend and device of a device name; an empty backend means the first configured.

    Without a colon the whole name is the backend, and its first device is meant.
    """
    backend, _, device = name.partition(":")
    return backend, device


def successor(backend: str, device: str) -> str:
    """Return the backend of ours that knows *device* of *backend*, "" if there is none.

    Where the C backend is not installed, its names open the same devices through ours.
    """
    if backend != AIRSCAN:
        return ""
    return WSD if device.startswith(WSD_NAMES) else ESCL


def _add_file(file: str, names: list[str], environment: Environment, debug: Debug) -> bool:
    lines = config.read(environment, file)
    if lines is None:
        debug(1, "no %s in %s", file, config.directories(environment))
        return False
    if lines:
        debug(5, "reading %s", lines[0].file)
    for line in lines:
        if not line.is_blank:
            _add_line(line, names, debug)
    return True


def _add_line(line: config.Line, names: list[str], debug: Debug) -> None:
    token, _ = config.get_string(line.text)
    if token is None:
        debug(1, "%s: closing quote missing, ignored: %s", line.where(), line.text)
        return
    if token.startswith("#"):
        return
    name = token.partition("#")[0]
    if name == "dll":
        debug(0, "%s: dll cannot be its own backend, remove this line", line.where())
        return
    if name in names:
        names.remove(name)
    names.insert(0, name)
    debug(3, "%s: adding backend %s", line.where(), name)


def _alias(text: str) -> tuple[str | None, str] | None:
    """Return the new name, None for ``hide``, and the old one; None when *text* is neither."""
    keyword, rest = _word(text)
    new: str | None = None
    if keyword == "alias":
        if rest.startswith('"'):
            new, quote, rest = rest[1:].partition('"')
            if not quote:
                return None
        else:
            new, rest = _word(rest)
    elif keyword != "hide":
        return None
    old, _ = _word(rest)
    return (new, old) if old else None


def _word(text: str) -> tuple[str, str]:
    """Return the first word of *text*, and what follows from its next word on."""
    text = text.lstrip(config.WHITESPACE)
    for end, char in enumerate(text):
        if char in _BLANKS:
            return text[:end], text[end:].lstrip(config.WHITESPACE)
    return text, ""
