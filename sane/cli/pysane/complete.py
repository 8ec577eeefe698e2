"""`pysane _complete KIND PREFIX WORDS...`: what the completion scripts ask at each TAB.

It prints a candidate a line, and nothing where something fails: a shell shows no errors here.
"""

from __future__ import annotations

from ...errors import SaneError
from ...pagework.problem import PageWorkError
from .exits import Failure
from .talk import Talk
from .words import Parser

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Sequence

    from .main import Run

SECONDS = 2.0  # a shell waits for it


class Raw(Parser):
    """A parser that takes all words as they come: they are somebody else's, and incomplete."""

    def read(self, words: Sequence[str]) -> argparse.Namespace:
        import argparse

        return argparse.Namespace(operands=list(words), quiet=True)


def parser() -> Parser:
    """Return the parser of `pysane _complete`."""
    return Raw("pysane _complete", "What completion scripts ask.", operands="KIND PREFIX WORDS ...")


def run(run: Run) -> int:
    """Print the candidates."""
    given: list[str] = [*run.options.operands, "", ""]
    kind, prefix, *words = given
    try:
        for candidate in candidates(kind, prefix, [word for word in words if word]):
            if candidate.casefold().startswith(prefix.casefold()):
                run.talk.say(candidate)
    except (Failure, SaneError, PageWorkError, OSError) as exc:
        run.talk.note(str(exc))
    return 0


def candidates(kind: str, prefix: str, words: list[str]) -> Iterable[str]:
    """Return what may stand there; *words* are those of the command line before it."""
    if kind == "completion":
        return ("bash", "zsh", "fish")
    if kind == "profiles":
        return profiles()
    if kind == "profile":
        from .profile import ACTIONS

        return profiles() if words[-1:] and set(words) & set(ACTIONS) else ACTIONS
    if kind == "devices":
        return devices()
    if "=" in prefix:
        return values(prefix, words)
    device = device_of(words)
    found = [] if device or kind == "settings" else devices()
    return [*found, *settings(device)] if kind in ("scan", "settings") else found


def devices() -> list[str]:
    """Return the names of the devices."""
    from ... import devices as listed

    return [device.name for device in listed(timeout=SECONDS)]


def profiles() -> list[str]:
    """Return the names of the profiles."""
    from .profile import names

    return names()


def device_of(words: Sequence[str]) -> str:
    """Return the device that the words name, or ""."""
    import os

    from .words import is_setting

    for at, word in enumerate(words):
        if word in ("-d", "--device") and at + 1 < len(words):
            return words[at + 1]
        if word.startswith("--device="):
            return word.partition("=")[2]
    for at, word in enumerate(words[1:], 1):
        is_value = words[at - 1].startswith("-")
        if not word.startswith("-") and not is_value and not is_setting(word):
            return word
    return os.environ.get("SANE_DEFAULT_DEVICE", "")


def settings(device: str) -> list[str]:
    """Return NAME= for the options of the device; none while no device is named."""
    from .devices import opened

    if not device:
        return []
    with opened(device, Talk(quiet=True), timeout=SECONDS) as scanner:
        return [f"{name}=" for name, option in scanner.options.items() if option.is_settable()]


def values(prefix: str, words: Sequence[str]) -> list[str]:
    """Return NAME=VALUE for each value that the option may have."""
    from .devices import opened

    name = prefix.partition("=")[0]
    device = device_of(words)
    if not device:
        return []
    with opened(device, Talk(quiet=True), timeout=SECONDS) as scanner:
        option = scanner.options.get(name)
        if option is None:
            return []
        found = ("yes", "no") if option.kind == "bool" else option.choices or ()
        return [f"{name}={value}" for value in found]
