"""Hides in a report who somebody is and where: users, serial numbers, hosts and addresses.

It knows texts only. The same text is hidden by the same word in all of a report, so that two
sentences about one host are still known to be about one host.
"""

from __future__ import annotations

import _socket
import re

LEAST = 3  # characters: what is shorter hides no one, and would be found in every word
UUID = re.compile(r"\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b")
MAC = re.compile(r"\b[0-9a-fA-F]{2}(?::[0-9a-fA-F]{2}){5}\b")
IPV4 = re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.]*\w)")
IPV6 = re.compile(r"(?<![\w:.])[0-9a-fA-F:]*:[0-9a-fA-F:]*(?:\.\d+){0,3}(?:%[\w.-]+)?")
EVERYBODYS = ("127.", "0.0.0.0", "::1", "::", "localhost")  # tell nothing about this machine
USER, SERIAL, HOST, ADDRESS = "USER", "SERIAL", "HOST", "ADDRESS"


class Private:
    """The texts of one report that are hidden, and what stands in their place.

    hides: False shows everything as it is.
    """

    def __init__(self, hides: bool = True, home: str = "") -> None:
        self.hides = hides
        self._home = home.rstrip("/")
        self._words: dict[str, str] = {}  # what is hidden -> what stands in its place
        self._kept: set[str] = set()
        self._is_used = False

    def note(self, kind: str, *texts: str) -> None:
        """Hide *texts* from now on; an address or a name of the loopback is nobody's."""
        for text in texts:
            if len(text) >= LEAST and not text.startswith(EVERYBODYS):
                self._word(kind, text)

    @property
    def has_hidden(self) -> bool:
        """Whether anything was hidden by now."""
        return self._is_used

    def keep(self, text: str) -> str:
        """Return *text*, which looks like an address and is none, as a version number."""
        self._kept.add(text)
        return text

    def _word(self, kind: str, text: str) -> str:
        self._is_used = True
        if text not in self._words:
            count = sum(word.startswith(f"{kind}-") for word in self._words.values())
            self._words[text] = f"{kind}-{count + 1}"
        return self._words[text]

    def shown(self, text: str) -> str:
        """Return *text* as it may be shown."""
        if not self.hides or not text:
            return text
        if len(self._home) >= LEAST:
            text = re.sub(rf"{re.escape(self._home)}(?=/|$|[\s'\":,])", "~", text)
        for hidden in sorted(self._words, key=len, reverse=True):
            word = rf"(?<![\w.-]){re.escape(hidden)}(?!\w)"
            text = re.sub(word, self._words[hidden], text)
        text = UUID.sub(lambda found: self._word(SERIAL, found[0]), text)
        text = MAC.sub(lambda found: self._word(ADDRESS, found[0]), text)
        for pattern in (IPV4, IPV6):
            text = pattern.sub(self._address, text)
        return text

    def _address(self, found: re.Match[str]) -> str:
        text = found[0].rstrip(":")
        rest = found[0][len(text) :]
        if found[0].endswith("::"):
            text, rest = found[0], ""
        if text in self._kept or text.startswith(EVERYBODYS) or not is_address(text):
            return found[0]
        return self._word(ADDRESS, text) + rest


def is_address(text: str) -> bool:
    """Tell whether *text* is a numeric address, with or without a zone."""
    family = _socket.AF_INET6 if ":" in text else _socket.AF_INET
    try:
        _socket.inet_pton(family, text.partition("%")[0])
    except (OSError, ValueError):
        return False
    return True
