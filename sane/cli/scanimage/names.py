"""The names of files in batch mode: a pattern with one number. Source: python-api-and-cli 11.7."""

from __future__ import annotations

FLAGS = "-+ #0"
DIGITS = "0123456789"
SIGNED, UNSIGNED = "di", "uxXo"
WORD = 1 << 32


class BadPattern(Exception):
    """The pattern is none that can name files; the message says why."""


class Pattern:
    """A printf pattern with at most one conversion of a whole number; raises BadPattern.

    has_number: it has one. Without one all pages get the same name.
    """

    def __init__(self, text: str) -> None:
        self._parts: list[tuple[str, str]] = []  # text, and the conversion behind it or ""
        rest = text
        while rest:
            before, percent, rest = rest.partition("%")
            if not percent:
                self._parts.append((before, ""))
            elif rest.startswith("%"):
                self._parts.append((f"{before}%", ""))
                rest = rest[1:]
            else:
                end = _conversion_end(rest, text)
                self._parts.append((before, rest[:end]))
                rest = rest[end:]
        numbers = sum(bool(conversion) for _, conversion in self._parts)
        if numbers > 1:
            raise BadPattern(f"--batch={text}: more than one number; there is one, the page's")
        self.has_number = numbers == 1

    def name(self, number: int) -> str:
        """Return the name of page *number*."""
        return "".join(
            text + (_formatted(conversion, number) if conversion else "")
            for text, conversion in self._parts
        )


def _conversion_end(rest: str, text: str) -> int:
    """Return the length of the conversion that *rest* begins with."""
    at = 0
    for characters in (FLAGS, DIGITS):
        while rest[at : at + 1] in tuple(characters):
            at += 1
    if rest[at : at + 1] == ".":
        at += 1
        while rest[at : at + 1] in tuple(DIGITS):
            at += 1
    if rest[at : at + 1] not in tuple(SIGNED + UNSIGNED):
        raise BadPattern(
            f"--batch={text}: %{rest[: at + 1]} is no number; use %d, as in page%03d, or %% for %"
        )
    return at + 1


def _formatted(conversion: str, number: int) -> str:
    kind = conversion[-1]
    if kind in UNSIGNED:
        number %= WORD
    shown = f"%{conversion}" % number
    return shown.replace("0o", "0") if kind == "o" else shown
