"""What single devices need otherwise than the rest: rows of conditions and actions, as lines.

``quirk [model=GLOB] [manufacturer=GLOB] [server=GLOB] [place=usb|network] ACTION...``: the known
ones stand in known_quirks.py, an administrator adds more in escl.conf. Globs ignore case; all
conditions of a row must hold, and of two rows that say the same the later one counts.
Source: specification escl 5.
"""

from __future__ import annotations

from ...errors import Invalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

WORD = "quirk"
CONDITIONS = ("model", "manufacturer", "server", "place")
USB, NETWORK = "usb", "network"  # a place: behind a proxy on this machine, or not
HOSTS = ("localhost", "port", "default")
MOST_RETRIES, MOST_DELAY_MS, MOST_DPI = 600, 60_000, 19_200
AUTO = "auto"
FLAGS = (
    "retry-404",
    "retry-410",
    "no-delete",
    "adf-precheck",
    "full-area",
    "force-http",
    "disable",
)
PDF_BLACKLIST = "pdf-blacklist"
VERSION_CHARACTERS = 10


class Quirks:
    """How one device is treated.

    host: of the Host header, as HOSTS. load_delay: seconds between two pages, -1: by how long the
    page before took. max_resolution: dpi, 0 for all. version: of eSCL to be sent, "" for ours.
    """

    def __init__(self) -> None:
        self.host = "default"
        self.flags: set[str] = set()
        self.retries = 0
        self.load_delay = 0.0
        self.max_resolution = 0
        self.refused_formats: list[str] = []
        self.version = ""

    def has(self, flag: str) -> bool:
        """Tell whether an action without a value applies."""
        return flag in self.flags


class Row:
    """One row: conditions by name, and what follows."""

    __slots__ = ("actions", "conditions")

    def __init__(self, words: Sequence[str]) -> None:
        self.conditions: dict[str, str] = {}
        self.actions: list[tuple[str, str]] = []
        for word in words:
            name, mark, value = word.partition("=")
            if name in CONDITIONS and mark and value:
                self.conditions[name] = value.lower()
            else:
                self.actions.append((name, value))
                _act(Quirks(), name, value)
        if not self.conditions or not self.actions:
            raise Invalid(f"{' '.join(words)!r}: conditions and actions are needed")

    def matches(self, facts: dict[str, str]) -> bool:
        """Tell whether the row is about the device that *facts* describe."""
        from fnmatch import fnmatchcase

        return all(
            fnmatchcase(facts.get(name, "").lower(), glob) for name, glob in self.conditions.items()
        )


def read(text: str) -> Row:
    """Return the row in a line; raises Invalid for what is none.

    Words are parted by blanks; a value with blanks has quotes: model="Acme S*".
    """
    words = words_of(text)
    if words[:1] != [WORD]:
        raise Invalid(f"{text!r} is no quirk")
    try:
        return Row(words[1:])
    except Invalid as exc:
        raise Invalid(f"{WORD}: {exc}") from exc


def words_of(text: str) -> list[str]:
    """Return the words of *text*; quotes may begin amid a word."""
    words: list[str] = []
    word, is_quoted, has_begun = "", False, False
    for char in text:
        if char == '"':
            is_quoted, has_begun = not is_quoted, True
        elif char in " \t" and not is_quoted:
            if word or has_begun:
                words.append(word)
            word, has_begun = "", False
        else:
            word += char
    if is_quoted:
        raise Invalid(f"{text!r}: a quote without its end")
    return [*words, word] if word or has_begun else words


def quirks_of(
    rows: Iterable[Row], model: str, manufacturer: str = "", server: str = "", place: str = NETWORK
) -> Quirks:
    """Return how the device is treated that has these texts."""
    facts = {"model": model, "manufacturer": manufacturer, "server": server, "place": place}
    found = Quirks()
    for row in rows:
        if row.matches(facts):
            for name, value in row.actions:
                _act(found, name, value)
    return found


def _act(quirks: Quirks, name: str, value: str) -> None:
    """Take over one action; raises Invalid for one that there is not."""
    if name in FLAGS and not value:
        quirks.flags.add(name)
    elif name == PDF_BLACKLIST and not value:
        quirks.refused_formats.append("application/pdf")
    elif name == "host" and value in HOSTS:
        quirks.host = value
    elif name == "retries":
        quirks.retries = _number(name, value, MOST_RETRIES)
    elif name == "load-delay":
        quirks.load_delay = -1.0 if value == AUTO else _number(name, value, MOST_DELAY_MS) / 1000
    elif name == "max-resolution":
        quirks.max_resolution = _number(name, value, MOST_DPI)
    elif name == "no-format" and "/" in value:
        quirks.refused_formats.append(value)
    elif name == "version-text" and 0 < len(value) <= VERSION_CHARACTERS:
        quirks.version = value
    else:
        raise Invalid(f"{name}{'=' if value else ''}{value}: no such action of a quirk")


def _number(name: str, text: str, most: int) -> int:
    if not (text.isascii() and text.isdecimal() and 1 <= int(text[:9]) <= most):
        raise Invalid(f"{name}={text}: 1 to {most}")
    return int(text)
