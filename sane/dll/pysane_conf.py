"""pysane.conf: which backends are offered, where a C backend is wanted, how devices are listed.

A line that is not understood is named and does nothing. Source: architecture, "The shim" and
"Finding backends".
"""

from __future__ import annotations

from .. import config
from ..errors import Invalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..config import Environment
    from ..debug import Debug

FILE = "pysane.conf"
LIST_SECONDS = 10.0  # network backends wait up to 3 s for answers; what hangs is worth no more
MOST_SECONDS = 1e6
MOST_JOBS = 1000
OFF = "off"  # in the place of the backends that are preferred: nothing is merged
OF_ONE_VALUE = ("backend", "native", "list-timeout", "list-jobs", "list-cache")


class PysaneConf:
    """What the file says, and PYSANE_LIST_TIMEOUT.

    backends: what libsane-pysane.so.1 offers, [] for the usual. natives: where the C backend is
    wanted, "*" for wherever there is one. seconds: what one backend may take for a list. jobs: how
    many C backends are asked at a time, 0: as many as the processors bear. cache_seconds: how old
    a kept list may be, 0: none is kept. merges: whether a scanner that several backends find is
    listed once. preferred: the backends whose way is taken then, None where the file says nothing.
    hurries: who asks does not wait longer than seconds for all of it.
    """

    __slots__ = (
        *("backends", "cache_seconds", "hurries", "jobs", "merges", "natives", "preferred"),
        *("seconds",),
    )

    def __init__(self, environment: Environment, debug: Debug) -> None:
        self.backends: list[str] = []
        self.natives: frozenset[str] = frozenset()
        self.seconds = LIST_SECONDS
        self.hurries = False
        self.jobs = 0
        self.cache_seconds = 0.0
        self.merges = True
        self.preferred: Sequence[str] | None = None
        for line in config.read(environment, FILE) or []:
            if line.is_blank or line.is_comment:
                continue
            try:
                self._take(line.words())
            except Invalid as exc:
                debug(0, "%s: %s", line.where(), exc)
        text = environment.get("PYSANE_LIST_TIMEOUT")
        if text:
            try:
                self.seconds = _number(text, 0.001, MOST_SECONDS)
            except Invalid as exc:
                debug(0, "PYSANE_LIST_TIMEOUT: %s", exc)

    def within(self, seconds: float | None, *, is_new: bool) -> PysaneConf:
        """Return what holds for a list that may take *seconds*; is_new: no kept list will do."""
        if seconds is None and not is_new:
            return self
        found = object.__new__(PysaneConf)
        for name in self.__slots__:
            setattr(found, name, getattr(self, name))
        if seconds is not None:
            found.seconds, found.hurries = min(seconds, self.seconds), True
        if is_new:
            found.cache_seconds = 0.0
        return found

    def _take(self, tokens: list[str]) -> None:
        word, *values = tokens or [""]  # a quote that nothing closes hides what follows it
        if word == "list-merge":
            self.merges = values != [OFF]
            self.preferred = values if self.merges else None
        elif word not in OF_ONE_VALUE:
            raise Invalid(f"there is no {word}")
        elif len(values) != 1:
            raise Invalid(f"{word} wants one value")
        elif word == "backend":
            self.backends.append(values[0])
        elif word == "native":
            self.natives |= {values[0]}
        elif word == "list-timeout":
            self.seconds = _number(values[0], 0.001, MOST_SECONDS)
        elif word == "list-jobs":
            self.jobs = int(_number(values[0], 0, MOST_JOBS))
        else:
            self.cache_seconds = _number(values[0], 0, MOST_SECONDS)


def _number(text: str, least: float, most: float) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not least <= value <= most:
        raise Invalid(f"{text!r} is not a number from {least:g} to {most:g}")
    return value
