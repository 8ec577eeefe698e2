"""Command lines: what argparse lacks, and the types of the values.

It knows words, not what they do: misspelt options are answered with the one that was meant,
lengths have units, "--crop" may stand without its value.
"""

from __future__ import annotations

import argparse
import os
import re

from ...api.vocabulary import PAPER_MM
from ...const import MM_PER_INCH
from .exits import usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any, NoReturn

MM_PER = {"mm": 1.0, "cm": 10.0, "in": MM_PER_INCH, "": 1.0}
LENGTH = r"(\d+(?:\.\d*)?|\.\d+)"


def meant(word: str, known: Iterable[str], elsewhere: Mapping[str, str] | None = None) -> str:
    """Return "; did you mean ...?" for what *word* is probably a misspelling of, or "".

    elsewhere: words of other programs, with ours.
    """
    from difflib import get_close_matches

    ours = elsewhere or {}
    choices = [*known, *ours]
    # What is far from the word is not named beside what is nearly the same.
    found = get_close_matches(word, choices, 2, 0.8) or get_close_matches(word, choices, 2, 0.6)
    found = list(dict.fromkeys(ours.get(choice, choice) for choice in found))
    return f"; did you mean {' or '.join(found)}?" if found else ""


def formatter(prog: str) -> argparse.HelpFormatter:
    """Return what lays out help; argparse's own imports shutil, bz2 and lzma to find the width."""
    columns = os.environ.get("COLUMNS", "")
    if not columns.isdigit():
        try:
            columns = str(os.get_terminal_size(1).columns)
        except OSError:
            columns = "80"
    return argparse.RawDescriptionHelpFormatter(prog, width=max(int(columns), 40) - 2)


class Parser(argparse.ArgumentParser):
    """A parser whose mistakes end with status 64 and name the option that was meant.

    operands: what the usage line calls words that are no options; they may stand anywhere, and
    come as the list ``operands``. optional: long options whose value may be left out, each with
    a pattern of the next word that is its value; "" where only --NAME=VALUE has one. elsewhere:
    what options are called that other programs have, with ours. hint: for an unknown option.
    """

    def __init__(
        self,
        prog: str,
        description: str,
        *,
        operands: str = "",
        optional: Mapping[str, str] | None = None,
        elsewhere: Mapping[str, str] | None = None,
        hint: str = "",
        epilog: str = "",
    ) -> None:
        super().__init__(
            prog=prog,
            usage=f"{prog} [OPTIONS] {operands}".rstrip(),
            description=description,
            epilog=epilog or None,
            allow_abbrev=False,
            formatter_class=formatter,
        )
        self.takes_operands = bool(operands)
        self.options: list[argparse.Action] = []
        self.optional = dict(optional or {})
        self.elsewhere = dict(elsewhere or {})
        self.hint = hint

    def error(self, message: str) -> NoReturn:
        raise usage(message, f"see {self.prog} --help")

    def read(self, words: Sequence[str]) -> argparse.Namespace:
        """Return the parsed *words*; raises Failure."""
        before, after = list(words), []
        if "--" in before:
            cut = before.index("--")
            before, after = before[:cut], before[cut + 1 :]
        options, rest = self.parse_known_args(self._completed(before))
        for word in rest:
            if word.startswith("-") and word != "-":
                self.unknown(word.partition("=")[0])
        operands = [*rest, *after]
        if operands and not self.takes_operands:
            self.error(f"{operands[0]!r} is one word too many")
        options.operands = operands
        return options

    def unknown(self, name: str) -> NoReturn:
        """Refuse an option that there is not; raises Failure with the one that is meant."""
        asked = meant(name, self.names(), self.elsewhere)
        hint = f"{self.hint}; " if self.hint else ""
        raise usage(f"unknown option {name}{asked}", f"{hint}see {self.prog} --help")

    def names(self) -> list[str]:
        """Return all option strings."""
        return [name for action in self.options for name in action.option_strings]

    def add(self, *names: str, **more: Any) -> None:
        """Add an option, as add_argument does."""
        self.options.append(self.add_argument(*names, **more))

    def group(self, title: str) -> Group:
        """Return a group of options, with its heading in the help."""
        return Group(self, self.add_argument_group(title))

    def _completed(self, words: Sequence[str]) -> list[str]:
        """Return the words with the values of options that may stand alone."""
        done: list[str] = []
        for at, word in enumerate(words):
            if at and self._takes(words[at - 1], word):
                done[-1] += word
            else:
                done.append(f"{word}=" if word in self.optional else word)
        return done

    def _takes(self, option: str, word: str) -> bool:
        """Tell whether *word* is the value of the *option* before it, which need not have one."""
        pattern = self.optional.get(option)
        return bool(pattern) and re.fullmatch(pattern or "", word) is not None


class Group:
    """Options under one heading."""

    def __init__(self, parser: Parser, container: Any) -> None:
        self._parser = parser
        self._container = container

    def add(self, *names: str, **more: Any) -> None:
        """Add an option, as add_argument does."""
        self._parser.options.append(self._container.add_argument(*names, **more))


def add_talk(parser: Parser, *, json: bool = True) -> None:
    """Add the options that all commands have."""
    group = parser.group("messages")
    if json:
        group.add("--json", action="store_true", help="print the result as JSON")
    group.add("-q", "--quiet", action="store_true", help="print errors only")
    group.add("-v", "--verbose", action="count", default=0, help="say more; repeatable")
    colors = ("auto", "always", "never")
    group.add("--color", choices=colors, default="auto", help="colours [auto]")
    group.add("--debug", action="store_true", help="show a traceback of an error")


# Types of values


def mm(text: str) -> float:
    """Return a length in mm: 12, 12mm, 1.2cm, .5in."""
    found = re.fullmatch(LENGTH + r"\s*(mm|cm|in|)", text.strip().lower())
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no length; as in 12, 12mm, 1.2cm or .5in")
    return float(found[1]) * MM_PER[found[2]]


def area(text: str) -> tuple[float, float, float, float] | str:
    """Return left, top, width, height in mm, or "max"."""
    if text.lower() == "max":
        return "max"
    parts = text.split(",")
    if len(parts) != 4:
        raise argparse.ArgumentTypeError(f"{text!r} is not LEFT,TOP,WIDTH,HEIGHT, as in 0,0,100,50")
    left, top, width, height = map(mm, parts)
    if not width or not height:
        raise argparse.ArgumentTypeError(f"{text!r}: the area is empty")
    return left, top, width, height


def page_size(text: str) -> str:
    """Return the name of a paper, "max", "auto" or WxHunit as it was given."""
    name = text.lower()
    if name in (*PAPER_MM, "max", "auto"):
        return name
    found = re.fullmatch(f"{LENGTH}x{LENGTH}(mm|cm|in|)", name)
    if found is None or not float(found[1]) or not float(found[2]):
        choices = ", ".join((*PAPER_MM, "max", "auto"))
        raise argparse.ArgumentTypeError(
            f"{text!r} is none of {choices}, or a size like 210x297mm or 8.5x11in"
        )
    return name if found[3] else f"{name}mm"


def dpi(text: str) -> float | str:
    """Return a resolution in dots per inch, "max" or "min"."""
    if text.lower() in ("max", "min"):
        return text.lower()
    return number(text, 1, 100_000)


def number(text: str, least: float, most: float) -> float:
    """Return a number within bounds, an int if it is whole."""
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None
    if not least <= value <= most:
        raise argparse.ArgumentTypeError(f"{text} is not within {least:g} to {most:g}")
    return int(value) if value.is_integer() else value


def within(least: float, most: float) -> Within:
    """Return the type of numbers within bounds."""
    return Within(least, most, whole=False)


def whole(least: int, most: int) -> Within:
    """Return the type of whole numbers within bounds."""
    return Within(least, most, whole=True)


class Within:
    """A type of numbers; argparse calls it."""

    def __init__(self, least: float, most: float, *, whole: bool) -> None:
        self.least = least
        self.most = most
        self.whole = whole

    def __call__(self, text: str) -> float:
        value = number(text, self.least, self.most)
        if self.whole and not isinstance(value, int):
            raise argparse.ArgumentTypeError(f"{text} is not a whole number")
        return value


def seconds(text: str) -> float:
    """Return a time in seconds."""
    return number(text, 0, 86_400)


def setting(text: str) -> tuple[str, str]:
    """Return name and value of NAME=VALUE."""
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value


def is_setting(word: str) -> bool:
    """Tell whether an operand is NAME=VALUE, and no device."""
    return re.match(r"[A-Za-z][\w-]*=", word) is not None
